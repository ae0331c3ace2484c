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
)

// A log-out ends the tokens of an outside issuer, too: existing tokens, tickets obtained with them
// and the open socket. A later token works again.
func TestOutsideLogOut(t *testing.T) {
	onStores(t, func(t *testing.T, start func(harness.Options) *harness.Server) {
		w := newWorld(t, start(harness.Options{}), codecs[0])
		operator := w.s.Token(ride.RoleOperator, w.name(ride.RoleOperator))
		ways := map[string]func(token, account string) (int, string){
			"by its owner": func(token, _ string) (int, string) {
				return w.s.Call(http.MethodPost, "/v1/logout", token, "")
			},
			"by an operator": func(_, account string) (int, string) {
				return w.s.Call(http.MethodPost, "/v1/admin/accounts/"+account+"/logout", operator, `{"reason":"a stolen phone"}`)
			},
		}
		for name, end := range ways {
			person := w.name(ride.RoleRider)
			issued := func(at time.Time) string {
				return w.s.Sign(jwt.MapClaims{
					"iss": harness.Issuer, "aud": harness.Audience, "sub": person, "role": "rider",
					"iat": at.Unix(), "exp": at.Add(time.Hour).Unix(),
				})
			}
			began := time.Now()
			token, twin := issued(began), issued(began.Add(-time.Minute))
			c, connected := harness.Connect(t, w.s, w.codec, token, nil)
			status, body := end(token, connected.GetAccountId())
			require.Less(t, status, 300, "%s: %s", name, body)
			require.EqualValues(t, ridepb.CloseRevoked, c.Closed(), name)
			for _, old := range []string{token, twin} {
				status, body = w.s.Call(http.MethodGet, "/v1/me", old, "")
				problem(t, http.StatusUnauthorized, ride.ErrUnauthenticated, status, body)
				again := harness.Dial(t, w.s, w.codec, nil)
				f := harness.Connecting(old, nil)
				f.Id = "again"
				again.Send(f)
				refused(t, ride.ErrUnauthenticated, again.Reply("again", 1))
			}
			// Clocks may differ by a few seconds, so the test need not wait for a later token.
			later := issued(time.Now().Add(3 * time.Second))
			status, body = w.s.Call(http.MethodGet, "/v1/me", later, "")
			require.Equal(t, http.StatusOK, status, "%s: %s", name, body)
		}
	})
}
