package api

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

func TestSignUpLogInRefreshLogOut(t *testing.T) {
	w := newWorld(t)
	var in signedInView
	w.do(request{method: "POST", path: "/v1/accounts", json: `{"username":"Ada","password":"correct horse",
		"first_name":"Ada","last_name":"L","role":"driver","vehicle_class":"van","plate":"AB 12"}`}).ok(201, &in)
	require.Equal(t, ride.RoleDriver, in.Account.Role)
	require.Equal(t, &vehicleView{Class: "van", Plate: "AB 12"}, in.Account.Vehicle)
	require.Equal(t, "Bearer", in.Tokens.TokenType)
	require.True(t, in.Tokens.ExpiresAt.Equal(w.clock.now().Add(15*time.Minute)))
	require.EqualValues(t, 15*60, in.Tokens.ExpiresInS)

	w.do(request{method: "POST", path: "/v1/login", json: `{"username":"ADA","password":"correct horse"}`}).ok(200, &in)
	first := in.Tokens
	w.do(request{method: "POST", path: "/v1/refresh", json: `{"refresh_token":"` + first.RefreshToken + `"}`}).ok(200, &in)
	second := in.Tokens
	bearer := func(token string) map[string]string { return map[string]string{"Authorization": "Bearer " + token} }
	w.do(request{method: "GET", path: "/v1/me", header: bearer(second.AccessToken)}).ok(200, nil)

	w.do(request{method: "POST", path: "/v1/logout", header: bearer(second.AccessToken)}).ok(204, nil)
	require.Len(t, w.live.closed, 1)
	require.Equal(t, in.Account.ID, w.live.closed[0].Account)
	require.NotEmpty(t, w.live.closed[0].Family, "only this log-in's socket")
	require.Equal(t, ridepb.CloseRevoked, w.live.closed[0].Code)
	w.do(request{method: "GET", path: "/v1/me", header: bearer(second.AccessToken)}).refused(ride.ErrUnauthenticated, 401)
	w.do(request{method: "POST", path: "/v1/refresh", json: `{"refresh_token":"` + second.RefreshToken + `"}`}).refused(ride.ErrUnauthenticated, 401)
}

// TestReusedRefreshTokenClosesTheSocket: a client that names no attempt may repeat nothing, nor may
// a client whose attempt differs or comes too late.
func TestReusedRefreshTokenClosesTheSocket(t *testing.T) {
	const one, two = `,"attempt":"the first attempt"`, `,"attempt":"a second attempt"`
	for name, c := range map[string]struct {
		first, second string
		after         time.Duration
	}{
		"no attempt":        {"", "", 0},
		"the first without": {"", one, time.Second},
		"the second":        {one, "", time.Second},
		"another":           {one, two, time.Second},
		"too late":          {one, one, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			rider := w.people["rider"]
			refresh := func(token, attempt string) *response {
				return w.do(request{method: "POST", path: "/v1/refresh", json: `{"refresh_token":"` + token + `"` + attempt + `}`})
			}
			var in signedInView
			refresh(rider.Refresh, c.first).ok(200, &in)
			w.clock.advance(c.after)
			refresh(rider.Refresh, c.second).refused(ride.ErrUnauthenticated, 401)
			require.Equal(t, []closed{{rider.ID, rider.Family, ridepb.CloseRevoked}}, w.live.closed)
			refresh(in.Tokens.RefreshToken, c.first).refused(ride.ErrUnauthenticated, 401)
			require.NotContains(t, w.logs.String(), rider.Refresh)
			require.NotContains(t, w.logs.String(), "attempt")
		})
	}
}

// TestRefreshAgainAfterALostAnswer: the same attempt is answered again with other tokens, no
// socket closes, and the tokens of the answer that was lost end the log-in when they come.
func TestRefreshAgainAfterALostAnswer(t *testing.T) {
	w := newWorld(t)
	rider := w.people["rider"]
	refresh := func(token, attempt string) *response {
		return w.do(request{method: "POST", path: "/v1/refresh", json: `{"refresh_token":"` + token + `","attempt":"` + attempt + `"}`})
	}
	const attempt, next = "8f14e45f-ceea-467f-a0e6-6e2f3c5b1d10", "c9f0f895-fb98-4b91-99f5-1b2a7d0e4c55"
	var lost, got, last signedInView
	refresh(rider.Refresh, attempt).ok(200, &lost)
	w.clock.advance(29 * time.Second)
	refresh(rider.Refresh, attempt).ok(200, &got)
	require.NotEqual(t, lost.Tokens.RefreshToken, got.Tokens.RefreshToken)
	require.Empty(t, w.live.closed)
	w.do(request{method: "GET", path: "/v1/me", header: map[string]string{"Authorization": "Bearer " + got.Tokens.AccessToken}}).ok(200, nil)
	refresh(got.Tokens.RefreshToken, next).ok(200, &last)

	refresh(lost.Tokens.RefreshToken, next).refused(ride.ErrUnauthenticated, 401)
	require.Equal(t, []closed{{rider.ID, rider.Family, ridepb.CloseRevoked}}, w.live.closed)
	refresh(last.Tokens.RefreshToken, attempt).refused(ride.ErrUnauthenticated, 401)
	w.do(request{method: "GET", path: "/v1/me", header: map[string]string{"Authorization": "Bearer " + last.Tokens.AccessToken}}).
		refused(ride.ErrUnauthenticated, 401)
}

// TestAttemptsAreHardToGuess: what is too short, or too long to be worth keeping, is refused
// and spends nothing.
func TestAttemptsAreHardToGuess(t *testing.T) {
	w := newWorld(t)
	refresh := func(attempt string) *response {
		return w.do(request{method: "POST", path: "/v1/refresh",
			json: `{"refresh_token":"` + w.people["rider"].Refresh + `","attempt":"` + attempt + `"}`})
	}
	for _, bad := range []string{"", strings.Repeat("a", 15), strings.Repeat("a", 65)} {
		refresh(bad).refused(ride.ErrInvalidArgument, 422)
	}
	for range 2 {
		refresh(strings.Repeat("a", 16)).ok(200, nil)
	}
}

func TestLogInRefusals(t *testing.T) {
	w := newWorld(t)
	login := func(name, pw string) *response {
		return w.do(request{method: "POST", path: "/v1/login", json: `{"username":"` + name + `","password":"` + pw + `"}`})
	}
	wrong := login("rider", "wrong horse").refused(ride.ErrUnauthenticated, 401)
	unknown := login("nobody", "wrong horse").refused(ride.ErrUnauthenticated, 401)
	require.Equal(t, wrong, unknown)
	require.NoError(t, w.store.SetAccountStatus(t.Context(), w.people["rider"].ID, ride.AccountSuspended))
	login("rider", password).refused(ride.ErrSuspended, 403)
	for range 10 {
		login("driver", "wrong horse").refused(ride.ErrUnauthenticated, 401)
	}
	got := login("driver", password)
	got.refused(ride.ErrTooMany, 429)
	require.Equal(t, "1", got.Header().Get("Retry-After"), "ten failures of this username from this address")
	login("driver2", password).ok(200, nil)
}

// TestKnownDevice: a device that signed in before is not slowed down by who guesses at the same
// address.
func TestKnownDevice(t *testing.T) {
	w := newWorld(t)
	login := func(pw, device string) *response {
		return w.do(request{method: "POST", path: "/v1/login", json: `{"username":"driver","password":"` + pw + `","device":"` + device + `"}`})
	}
	for _, bad := range []string{"", "fifteen-letters", strings.Repeat("d", 129)} {
		login(password, bad).refused(ride.ErrInvalidArgument, 422)
		if bad != "" { // an empty value in a form is not a device
			w.do(request{method: "POST", path: "/v1/accounts", json: `{"username":"newcomer","password":"correct horse battery",` +
				`"first_name":"N","last_name":"N","role":"rider","device":"` + bad + `"}`}).refused(ride.ErrInvalidArgument, 422)
		}
	}
	login(password, "the-drivers-own-phone").ok(200, nil)
	for range 10 {
		login("wrong horse", "a-device-of-a-stranger").refused(ride.ErrUnauthenticated, 401)
	}
	login(password, "a-device-of-a-stranger").refused(ride.ErrTooMany, 429)
	login(password, "the-drivers-own-phone").ok(200, nil)
}

func TestTicketRedeemsOnce(t *testing.T) {
	w := newWorld(t)
	var tk ticketView
	w.do(request{method: "POST", path: "/v1/tickets", as: "driver"}).ok(201, &tk)
	require.True(t, tk.ExpiresAt.Equal(w.clock.now().Add(30*time.Second)))
	p, err := w.auth.RedeemTicket(t.Context(), tk.Ticket)
	require.NoError(t, err)
	require.Equal(t, w.people["driver"].ID, p.Account.ID)
	_, err = w.auth.RedeemTicket(t.Context(), tk.Ticket)
	require.ErrorIs(t, err, ride.ErrUnauthenticated)
}

// TestWhatEndsLogInsIsCarriedThrough: the client goes away after the first step.
func TestWhatEndsLogInsIsCarriedThrough(t *testing.T) {
	for _, c := range []struct{ path, as, body, step string }{
		{"/v1/me/password", "rider", `{"current_password":"correct horse","new_password":"battery staple"}`, "SetPassword"},
		{"/v1/logout", "rider", "", "RevokeFamily"},
		{"/v1/admin/accounts/$rider/suspend", "operator", because, "AddAudit"},
		{"/v1/admin/accounts/$rider/logout", "operator", because, "AddAudit"},
		{"/v1/admin/accounts/$rider/password", "operator", because, "SetPassword"},
	} {
		t.Run(c.path, func(t *testing.T) {
			w := newWorld(t)
			ctx, leave := context.WithCancel(t.Context())
			w.store.Fail = func(method string) error {
				if method == c.step {
					leave()
				}
				return nil
			}
			w.do(request{method: "POST", path: w.fill(c.path), as: c.as, json: c.body, ctx: ctx})
			require.Error(t, ctx.Err())
			require.Len(t, w.live.closed, 1, "its sockets are closed")
			require.Equal(t, w.people["rider"].ID, w.live.closed[0].Account)
			_, err := w.auth.Authenticate(t.Context(), w.people["rider"].Access)
			require.Error(t, err, "and its tokens have ceased to count")
		})
	}
}

func TestChangePasswordEndsOtherLogIns(t *testing.T) {
	w := newWorld(t)
	body := `{"current_password":"correct horse","new_password":"battery staple"}`
	var tk tokensView
	w.do(request{method: "POST", path: "/v1/me/password", as: "rider", json: body}).ok(200, &tk)
	require.Equal(t, []closed{{w.people["rider"].ID, "", ridepb.CloseRevoked}}, w.live.closed)
	w.do(request{method: "GET", path: "/v1/me", as: "rider"}).refused(ride.ErrUnauthenticated, 401)
	w.do(request{method: "GET", path: "/v1/me", header: map[string]string{"Authorization": "Bearer " + tk.AccessToken}}).ok(200, nil)
	p := w.do(request{method: "POST", path: "/v1/me/password", as: "driver", json: `{"current_password":"correct horse","new_password":"password123"}`}).
		refused(ride.ErrInvalidArgument, 422)
	require.Equal(t, "new_password", p.Fields[0].Field)
}
