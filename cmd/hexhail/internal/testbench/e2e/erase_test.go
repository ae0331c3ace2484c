package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// An erased account disappears from sockets, tokens and the other party's history. Erasure is
// refused during a trip, and an earlier token does not bring the account back.
func TestErasingAnAccount(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		w := newWorld(t, start(), codec)
		token := w.s.Token(ride.RoleRider, "Adaline")
		rider, _ := harness.Connect(t, w.s, codec, token, nil)
		d := w.driver(20)
		trip := w.match(rider, d).GetId()
		rider.Status(trip, ridepb.Trip_matched)
		status, body := w.s.Call(http.MethodGet, "/v1/me/export", token, "")
		require.Equal(t, http.StatusOK, status, body)
		require.Contains(t, body, trip)
		status, body = w.s.Call(http.MethodDelete, "/v1/me", token, "{}")
		require.Equal(t, http.StatusConflict, status, body)
		require.Contains(t, body, "trip_active")

		require.NotNil(t, rider.Ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_CancelTrip{CancelTrip: &ridepb.CancelTrip{TripId: trip}}}).GetTrip())
		stale := w.s.Sign(jwt.MapClaims{
			"iss": harness.Issuer, "aud": harness.Audience, "sub": "Adaline", "role": "rider", "name": "Adaline",
			"iat": time.Now().Add(-11 * time.Minute).Unix(), "exp": time.Now().Add(time.Hour).Unix(),
		})
		status, body = w.s.Call(http.MethodDelete, "/v1/me", stale, "{}")
		require.Equal(t, http.StatusForbidden, status, body)
		require.Contains(t, body, "fresh_login_required")
		status, body = w.s.Call(http.MethodDelete, "/v1/me", token, "{}")
		require.Equal(t, http.StatusNoContent, status, body)
		require.Equal(t, int(ridepb.CloseRevoked), rider.Closed())
		for _, old := range []string{token, stale} {
			status, body = w.s.Call(http.MethodGet, "/v1/me", old, "")
			require.Equal(t, http.StatusUnauthorized, status, body)
		}

		operator := w.s.Token(ride.RoleOperator, w.name(ride.RoleOperator))
		for _, path := range []string{"/trips/" + trip, "/trips/" + trip + "/explain", "/trips", "/accounts"} {
			status, body = w.s.Call(http.MethodGet, "/v1/admin"+path, operator, "")
			require.Equal(t, http.StatusOK, status, body)
			require.NotContains(t, body, "Adaline", path)
		}
		status, body = w.s.Call(http.MethodGet, "/v1/admin/audit", operator, "")
		require.Equal(t, http.StatusOK, status, body)
		require.Contains(t, body, "account.erase")
		require.NotContains(t, body, "Adaline")

		// A local password confirms the erasure, too.
		own := w.s.SignUp(t, ride.RoleDriver, "bowie")
		c, _ := harness.Connect(t, w.s, codec, own.Tokens.Access, nil)
		status, body = w.s.Call(http.MethodDelete, "/v1/me", own.Tokens.Access, `{"password":"not this one"}`)
		require.Equal(t, http.StatusUnprocessableEntity, status, body)
		status, body = w.s.Call(http.MethodDelete, "/v1/me", own.Tokens.Access, `{"password":"`+harness.Password+`"}`)
		require.Equal(t, http.StatusNoContent, status, body)
		require.Equal(t, int(ridepb.CloseRevoked), c.Closed())
		w.s.SignUp(t, ride.RoleDriver, "bowie") // the name is free again
	})
}
