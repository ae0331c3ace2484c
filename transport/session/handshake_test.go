package session

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/transport/problem"
)

// knock sends a handshake that is expected to be refused in HTTP.
func (w *world) knock(t *testing.T, query string, header http.Header) *http.Response {
	t.Helper()
	tr := &http.Transport{DisableKeepAlives: true}
	resp, err := tr.RoundTrip(w.handshake(t, query, header))
	require.NoError(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// problemOf reads a refusal and checks its form.
func problemOf(t *testing.T, resp *http.Response, status int, want *ride.Error) problem.Problem {
	t.Helper()
	require.Equal(t, status, resp.StatusCode)
	require.Equal(t, problem.ContentType, resp.Header.Get("Content-Type"))
	var p problem.Problem
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&p))
	require.Equal(t, want.Code, p.Code)
	require.Equal(t, status, p.Status)
	require.Equal(t, want.Retryable, p.Retryable)
	require.NotEmpty(t, p.Detail)
	later := status >= http.StatusInternalServerError || status == http.StatusTooManyRequests
	require.Equal(t, later, resp.Header.Get("Retry-After") != "")
	require.Equal(t, status == http.StatusUnauthorized, strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Bearer "))
	return p
}

func TestSubprotocolIsNegotiated(t *testing.T) {
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) { w.as(w.dial(t, codec, nil), "rider") })
	t.Run("none", func(t *testing.T) {
		require.Equal(t, http.StatusBadRequest, w.knock(t, "", http.Header{"Sec-Websocket-Protocol": {"hexhail.v9.xml"}}).StatusCode)
	})
}

func TestOriginIsChecked(t *testing.T) {
	w := listen(t, func(c *Config, _ *world) { c.Origins = []string{"https://app.example.com"} })
	require.Equal(t, http.StatusForbidden, w.knock(t, "", http.Header{"Origin": {"https://evil.example.com"}}).StatusCode)
	w.as(w.dial(t, wire.JSON, http.Header{"Origin": {"https://app.example.com"}}), "rider")
	w.as(w.dial(t, wire.JSON, http.Header{"Origin": {w.url}}), "rider")
}

func TestCredentialsInTheURLAreRefused(t *testing.T) {
	w := listen(t)
	for query, field := range map[string]string{
		"?token=rider": "token", "?access_token=rider": "access_token", "?x=1&ticket=ticket-rider": "ticket", "?TOKEN=": "token",
	} {
		t.Run(query, func(t *testing.T) {
			p := problemOf(t, w.knock(t, query, nil), http.StatusBadRequest, ride.ErrInvalidArgument)
			require.Equal(t, []problem.FieldError{{Field: field, Detail: p.Detail}}, p.Fields)
		})
	}
	require.Zero(t, w.auth.asked.Load())
}

func TestSocketsAreBoundedInTotal(t *testing.T) {
	w := listen(t, func(c *Config, _ *world) { c.MaxSockets = 2 })
	_, inbox := w.as(w.dial(t, wire.JSON, nil), "rider")
	first := w.dial(t, wire.JSON, nil)
	problemOf(t, w.knock(t, "", nil), http.StatusServiceUnavailable, ride.ErrUnavailable)
	none(t, inbox.left)

	_ = first.conn.Close()
	require.Eventually(t, func() bool { return w.h.registry.Len() == 1 }, patience, 1e6)
	w.as(w.dial(t, wire.JSON, nil), "rider")
}

func TestARefusedHandshakeTakesNoRoom(t *testing.T) {
	w := listen(t, func(c *Config, _ *world) { c.MaxSockets = 1 })
	for range 3 {
		require.Equal(t, http.StatusBadRequest, w.knock(t, "", http.Header{"Sec-Websocket-Protocol": {"none"}}).StatusCode)
		problemOf(t, w.knock(t, "", http.Header{"Authorization": {"Bearer wrong"}}), http.StatusUnauthorized, ride.ErrUnauthenticated)
	}
	w.as(w.dial(t, wire.JSON, nil), "rider")
}

func TestSocketsAreBoundedByAddress(t *testing.T) {
	w := listen(t, func(c *Config, _ *world) {
		c.MaxPerAddress = 1
		c.ClientAddr = func(r *http.Request) string { return r.Header.Get("From") }
	})
	from := func(addr string) http.Header { return http.Header{"From": {addr}} }
	for _, addr := range []string{"192.0.2.1", "192.0.2.2", "2001:db8:1::1", "2001:db8:1:1::1", "127.0.0.1", "127.0.0.1", "::1", "::1", "unknown"} {
		w.dial(t, wire.JSON, from(addr))
	}
	for _, addr := range []string{"192.0.2.1", "::ffff:192.0.2.2", "2001:db8:1::2", "who knows"} {
		problemOf(t, w.knock(t, "", from(addr)), http.StatusTooManyRequests, ride.ErrTooMany)
	}
}

func TestBearerHeaderIsCheckedBeforeTheUpgrade(t *testing.T) {
	w := listen(t)
	cases := []struct {
		header []string
		status int
		err    *ride.Error
	}{
		{[]string{"Bearer wrong"}, http.StatusUnauthorized, ride.ErrUnauthenticated},
		{[]string{"Bearer expired"}, http.StatusUnauthorized, ride.ErrUnauthenticated},
		{[]string{"Bearer eternal"}, http.StatusUnauthorized, ride.ErrUnauthenticated},
		{[]string{"Bearer"}, http.StatusUnauthorized, ride.ErrUnauthenticated},
		{[]string{"Bearer "}, http.StatusUnauthorized, ride.ErrUnauthenticated},
		{[]string{"Basic cmlkZXI6"}, http.StatusUnauthorized, ride.ErrUnauthenticated},
		{[]string{"Bearer rider", "Bearer rider"}, http.StatusUnauthorized, ride.ErrUnauthenticated},
		{[]string{"Bearer suspended"}, http.StatusForbidden, ride.ErrSuspended},
		{[]string{"Bearer suspended account"}, http.StatusForbidden, ride.ErrSuspended},
		{[]string{"Bearer down"}, http.StatusServiceUnavailable, ride.ErrUnavailable},
		{[]string{"Bearer broken"}, http.StatusInternalServerError, ride.ErrInternal},
		{[]string{"Bearer nobody"}, http.StatusInternalServerError, ride.ErrInternal},
	}
	for _, c := range cases {
		t.Run(c.header[0], func(t *testing.T) {
			p := problemOf(t, w.knock(t, "", http.Header{"Authorization": c.header}), c.status, c.err)
			require.NotContains(t, p.Detail, "secret")
		})
	}
}

func TestDrainRefusesNewSockets(t *testing.T) {
	w := listen(t)
	require.NoError(t, w.h.Drain(context.Background()))
	problemOf(t, w.knock(t, "", nil), http.StatusServiceUnavailable, ride.ErrShuttingDown)
}

func TestHeaderCredentialsConnect(t *testing.T) {
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		for name, connect := range map[string]*ridepb.Connect{
			"alone": {}, "with its token": {Token: "driver"}, "with its ticket": {Ticket: "ticket-driver"},
		} {
			t.Run(name, func(t *testing.T) {
				c := w.dial(t, codec, http.Header{"Authorization": {"bearer driver"}})
				c.send(&ridepb.ClientFrame{Id: "1", Body: &ridepb.ClientFrame_Connect{Connect: connect}})
				require.NotNil(t, c.reply("1").GetConnected())
				require.Equal(t, ride.RoleDriver, next(t, w.router.inboxes).join.Principal.Account.Role)
			})
		}
		for name, c := range map[string]struct {
			connect *ridepb.Connect
			field   string
		}{
			"another's token":  {&ridepb.Connect{Token: "rider"}, "connect.token"},
			"another's ticket": {&ridepb.Connect{Ticket: "ticket-rider"}, "connect.ticket"},
		} {
			t.Run(name, func(t *testing.T) {
				s := w.dial(t, codec, http.Header{"Authorization": {"Bearer driver"}})
				s.send(&ridepb.ClientFrame{Id: "1", Body: &ridepb.ClientFrame_Connect{Connect: c.connect}})
				s.refused("1", ride.ErrInvalidArgument, c.field)
				s.closed(ridepb.CloseProtocolError)
			})
		}
	})
}
