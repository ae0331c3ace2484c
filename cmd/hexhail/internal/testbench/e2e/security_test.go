package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// Tokens that are forged, or meant for another time, place or person, all get the same answer.
func TestForgedTokens(t *testing.T) {
	onStores(t, func(t *testing.T, start func(harness.Options) *harness.Server) {
		w := newWorld(t, start(harness.Options{}), codecs[0])
		own := w.s.SignUp(t, ride.RoleRider, w.name(ride.RoleRider)).Tokens.Access
		rider := w.rider()
		good := func(change func(jwt.MapClaims)) jwt.MapClaims {
			m := jwt.MapClaims{
				"iss": harness.Issuer, "aud": harness.Audience, "sub": rider.Name, "role": "rider",
				"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
			}
			change(m)
			return m
		}
		signed := func(method jwt.SigningMethod, key any, m jwt.MapClaims) string {
			s, err := jwt.NewWithClaims(method, m).SignedString(key)
			require.NoError(t, err)
			return s
		}
		asIs := func(jwt.MapClaims) {}
		set := func(k string, v any) func(jwt.MapClaims) { return func(m jwt.MapClaims) { m[k] = v } }
		without := func(k string) func(jwt.MapClaims) { return func(m jwt.MapClaims) { delete(m, k) } }
		key := []byte(harness.Secret)
		none := signed(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good(asIs))
		forged := map[string]string{
			"alg none":            none,
			"signature cut":       own[:strings.LastIndexByte(own, '.')+1],
			"payload swapped":     swapped(t, own, "role", "operator"),
			"another algorithm":   signed(jwt.SigningMethodHS512, key, good(asIs)),
			"another key":         signed(jwt.SigningMethodHS256, []byte(strings.Repeat("x", 40)), good(asIs)),
			"another audience":    signed(jwt.SigningMethodHS256, key, good(set("aud", "elsewhere"))),
			"no audience":         signed(jwt.SigningMethodHS256, key, good(without("aud"))),
			"another issuer":      signed(jwt.SigningMethodHS256, key, good(set("iss", "https://evil.test"))),
			"our issuer, its key": signed(jwt.SigningMethodHS256, key, good(set("iss", "hexhail"))),
			"no issuer":           signed(jwt.SigningMethodHS256, key, good(without("iss"))),
			"no expiry":           signed(jwt.SigningMethodHS256, key, good(without("exp"))),
			"expired":             signed(jwt.SigningMethodHS256, key, good(set("exp", time.Now().Add(-time.Hour).Unix()))),
			"not yet":             signed(jwt.SigningMethodHS256, key, good(set("nbf", time.Now().Add(time.Hour).Unix()))),
			"no subject":          signed(jwt.SigningMethodHS256, key, good(without("sub"))),
			"no role":             signed(jwt.SigningMethodHS256, key, good(without("role"))),
			"another role":        signed(jwt.SigningMethodHS256, key, good(set("role", "driver"))),
			"an operator's role":  signed(jwt.SigningMethodHS256, key, good(set("role", "operator"))),
			"refresh token":       w.s.SignUp(t, ride.RoleRider, w.name(ride.RoleRider)).Tokens.Refresh,
			"nonsense":            "x.y.z",
		}
		var alike string
		for name, token := range forged {
			c := harness.Dial(t, w.s, w.codec, nil)
			f := harness.Connecting(token, nil)
			f.Id = "same"
			c.Send(f)
			refused(t, ride.ErrUnauthenticated, c.Reply("same", 1))
			require.EqualValues(t, ridepb.CloseUnauthenticated, c.Closed(), name)
			said := string(c.Raw()[0])
			require.True(t, alike == "" || alike == said, "%s: %s is not %s", name, said, alike)
			alike = said
			status, body := w.s.Call(http.MethodGet, "/v1/me", token, "")
			problem(t, http.StatusUnauthorized, ride.ErrUnauthenticated, status, body)
		}
		_, _ = harness.Connect(t, w.s, w.codec, own, nil) // the genuine one
	})
}

// swapped changes a claim of a token and keeps its signature.
func swapped(t *testing.T, token, claim, value string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	var m map[string]any
	require.NoError(t, json.Unmarshal(b, &m))
	m[claim] = value
	b, err = json.Marshal(m)
	require.NoError(t, err)
	return parts[0] + "." + base64.RawURLEncoding.EncodeToString(b) + "." + parts[2]
}

// The role comes from the account, not from a message.
func TestRoleInBody(t *testing.T) {
	onStores(t, func(t *testing.T, start func(harness.Options) *harness.Server) {
		w := newWorld(t, start(harness.Options{}), codecs[0])
		token := w.s.Token(ride.RoleRider, w.name(ride.RoleRider))
		for _, frame := range []string{
			`{"id":"1","role":"operator","connect":{"token":"` + token + `"}}`,
			`{"id":"1","connect":{"token":"` + token + `","role":"driver"}}`,
			`{"id":"1","connect":{"token":"` + token + `","Role":3}}`,
			`{"id":"1","connect":{"token":"` + token + `","TOKEN":"x"}}`,
			`{"id":"1","connect":{"token":"` + token + `","token":"x"}}`,
		} {
			c := harness.Dial(t, w.s, w.codec, nil)
			c.SendRaw([]byte(frame))
			refused(t, ride.ErrMalformed, c.Reply("1", 1))
			require.EqualValues(t, ridepb.CloseProtocolError, c.Closed())
		}
		c, _ := harness.Connect(t, w.s, w.codec, token, nil)
		c.SendRaw([]byte(`{"id":"2","go_online":{"role":"driver"}}`))
		refused(t, ride.ErrMalformed, c.Reply("2", 1))

		status, body := w.s.Call(http.MethodPost, "/v1/accounts", "", harness.SignUpBody(ride.RoleOperator, w.name(ride.RoleOperator)))
		require.Equal(t, http.StatusUnprocessableEntity, status, body)
		twice := strings.Replace(harness.SignUpBody(ride.RoleRider, w.name(ride.RoleRider)), "{", `{"ROLE":"operator",`, 1)
		status, body = w.s.Call(http.MethodPost, "/v1/accounts", "", twice)
		require.GreaterOrEqual(t, status, 400, body)
		status, body = w.s.Call(http.MethodPatch, "/v1/me", token, `{"role":"operator"}`)
		require.GreaterOrEqual(t, status, 400, body)
		status, body = w.s.Call(http.MethodGet, "/v1/admin/accounts", token, "")
		problem(t, http.StatusForbidden, ride.ErrWrongRole, status, body)
	})
}

func TestCredentialsInURL(t *testing.T) {
	onStores(t, func(t *testing.T, start func(harness.Options) *harness.Server) {
		w := newWorld(t, start(harness.Options{}), codecs[0])
		token := w.s.Token(ride.RoleRider, w.name(ride.RoleRider))
		for _, name := range []string{"token", "access_token", "ticket", "TOKEN"} {
			ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
			_, resp, err := websocket.Dial(ctx, w.s.WS+"?"+name+"="+token,
				&websocket.DialOptions{Subprotocols: []string{w.codec.Subprotocol()}})
			cancel()
			require.Error(t, err)
			b, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			problem(t, http.StatusBadRequest, ride.ErrInvalidArgument, resp.StatusCode, string(b))
			require.NotContains(t, string(b), token)
			status, body := w.s.Call(http.MethodGet, "/v1/me?"+name+"="+token, "", "")
			require.GreaterOrEqual(t, status, 400, body)
			require.NotContains(t, body, token)
		}
		require.NotContains(t, w.s.Log(), token)
	})
}

func TestTicket(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		w := newWorld(t, start(), codec)
		status, body := w.s.Call(http.MethodPost, "/v1/tickets", w.s.Token(ride.RoleRider, w.name(ride.RoleRider)), "")
		require.Equal(t, http.StatusCreated, status, body)
		var got struct {
			Ticket    string    `json:"ticket"`
			ExpiresAt time.Time `json:"expires_at"`
		}
		require.NoError(t, json.Unmarshal([]byte(body), &got))
		require.LessOrEqual(t, time.Until(got.ExpiresAt), 30*time.Second)
		connect := func() *harness.Client {
			c := harness.Dial(t, w.s, codec, nil)
			c.Send(&ridepb.ClientFrame{Id: "t", Body: &ridepb.ClientFrame_Connect{Connect: &ridepb.Connect{Ticket: got.Ticket}}})
			return c
		}
		first := connect()
		require.NotNil(t, first.Reply("t", 1).GetConnected())
		second := connect()
		refused(t, ride.ErrUnauthenticated, second.Reply("t", 1))
		w.ends(second, ridepb.CloseUnauthenticated)
		require.NotNil(t, first.Ask(harness.Ping()).GetPong())
	})
}

// within is how soon a revocation reaches an open socket.
const within = 5 * time.Second

// Everything that ends a log-in closes its socket and invalidates its tokens.
func TestRevocation(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		w := newWorld(t, start(), codec)
		operator := w.s.Token(ride.RoleOperator, w.name(ride.RoleOperator))
		reason := `{"reason":"a test"}`
		for name, end := range map[string]struct {
			code ridepb.CloseCode
			do   func(in harness.SignedIn) (status int, body string)
			want int
		}{
			"log-out": {ridepb.CloseRevoked, func(in harness.SignedIn) (int, string) {
				return w.s.Call(http.MethodPost, "/v1/logout", in.Tokens.Access, "")
			}, http.StatusNoContent},
			"new password": {ridepb.CloseRevoked, func(in harness.SignedIn) (int, string) {
				return w.s.Call(http.MethodPost, "/v1/me/password", in.Tokens.Access,
					`{"current_password":"`+harness.Password+`","new_password":"another long password"}`)
			}, http.StatusOK},
			"logged out by an operator": {ridepb.CloseRevoked, func(in harness.SignedIn) (int, string) {
				return w.s.Call(http.MethodPost, "/v1/admin/accounts/"+in.Account.ID+"/logout", operator, reason)
			}, http.StatusOK},
			"suspended": {ridepb.CloseSuspended, func(in harness.SignedIn) (int, string) {
				return w.s.Call(http.MethodPost, "/v1/admin/accounts/"+in.Account.ID+"/suspend", operator, reason)
			}, http.StatusOK},
			"refresh token reused": {ridepb.CloseRevoked, func(in harness.SignedIn) (int, string) {
				refresh := `{"refresh_token":"` + in.Tokens.Refresh + `"}`
				status, body := w.s.Call(http.MethodPost, "/v1/refresh", "", refresh)
				require.Equal(t, http.StatusOK, status, body)
				newest := harness.DecodeSignedIn(t, body).Tokens
				status, body = w.s.Call(http.MethodPost, "/v1/refresh", "", refresh)
				again, other := w.s.Call(http.MethodPost, "/v1/refresh", "", `{"refresh_token":"`+newest.Refresh+`"}`)
				problem(t, http.StatusUnauthorized, ride.ErrUnauthenticated, again, other)
				return status, body
			}, http.StatusUnauthorized},
		} {
			in := w.s.SignUp(t, ride.RoleRider, w.name(ride.RoleRider))
			c, _ := harness.Connect(t, w.s, codec, in.Tokens.Access, nil)
			c.Name = name
			began := time.Now()
			status, body := end.do(in)
			require.Equal(t, end.want, status, "%s: %s", name, body)
			w.ends(c, end.code)
			harness.Within(t, name, time.Since(began), within)
			late := harness.Dial(t, w.s, codec, nil)
			require.NotNil(t, late.Ask(harness.Connecting(in.Tokens.Access, nil)).GetError(), name)
			status, _ = w.s.Call(http.MethodPost, "/v1/refresh", "", `{"refresh_token":"`+in.Tokens.Refresh+`"}`)
			require.GreaterOrEqual(t, status, 400, name)
		}
	})
}

// Other sites' pages cannot connect on behalf of their visitors, and slow or long headers do not
// tie up the server.
func TestHandshakeIsGuarded(t *testing.T) {
	onStores(t, func(t *testing.T, start func(harness.Options) *harness.Server) {
		s := start(harness.Options{Flags: []string{"--allowed-origins=https://app.example.org"}})
		dial := func(header http.Header) (int, error) {
			ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
			defer cancel()
			c, resp, err := websocket.Dial(ctx, s.WS, &websocket.DialOptions{
				Subprotocols: []string{codecs[0].Subprotocol()}, HTTPHeader: header,
			})
			if err == nil {
				_ = c.CloseNow()
			}
			if resp == nil {
				return 0, err
			}
			return resp.StatusCode, err
		}
		for origin, want := range map[string]int{
			"https://app.example.org": http.StatusSwitchingProtocols, s.HTTP: http.StatusSwitchingProtocols,
			"https://evil.test": http.StatusForbidden, "null": http.StatusForbidden,
			"https://app.example.org.evil.test": http.StatusForbidden, "http://app.example.org": http.StatusForbidden,
		} {
			status, _ := dial(http.Header{"Origin": {origin}})
			require.Equal(t, want, status, origin)
		}
		many := http.Header{}
		for range 200 {
			many.Add("X-Many", "x")
		}
		status, err := dial(many)
		require.Error(t, err)
		require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, status)
		status, err = dial(http.Header{"X-Large": {strings.Repeat("x", 64<<10)}})
		require.Error(t, err)
		require.Contains(t, []int{0, http.StatusRequestHeaderFieldsTooLarge}, status) // 0: cut off while still sending
		status, err = dial(http.Header{"Authorization": {"Bearer nonsense"}})
		require.Error(t, err)
		require.Equal(t, http.StatusUnauthorized, status)
	})
}
