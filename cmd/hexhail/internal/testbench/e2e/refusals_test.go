package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// httpRefusal is a request that the server refuses.
type httpRefusal struct {
	name, method, url string
	header            http.Header
	body              string
	status            int
	// want is the problem in the answer; nil: a line of plain text, from a place that does
	// not speak for an account, such as a page, the upgrade or the operations listener.
	want *ride.Error
}

// TestRefusalsHaveOneForm: everything that a server refuses over HTTP, at either of its addresses,
// has one of two forms: problem details, always with the same members and headers, or a line of
// text.
func TestRefusalsHaveOneForm(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{Flags: []string{"--socket-max=1", "--limit-sign-ins-per-minute=1"}})
	rider := s.Token(ride.RoleRider, "rider")
	bearer := func(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }
	sockets := strings.Replace(s.WS, "ws://", "http://", 1)
	upgrade := func(more http.Header) http.Header {
		h := http.Header{
			"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
			"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Sec-Websocket-Protocol": {wire.JSON.Subprotocol()},
		}
		for k, v := range more {
			h[k] = v
		}
		return h
	}
	for _, c := range []httpRefusal{
		{"no such address", "GET", s.HTTP + "/v1/none", nil, "", 404, ride.ErrNotFound},
		{"another method", "PUT", s.HTTP + "/v1/me", nil, "", 405, ride.ErrMalformed},
		{"no token", "GET", s.HTTP + "/v1/me", nil, "", 401, ride.ErrUnauthenticated},
		{"a wrong token", "GET", s.HTTP + "/v1/me", bearer("x.y.z"), "", 401, ride.ErrUnauthenticated},
		{"another role", "GET", s.HTTP + "/v1/admin/accounts", bearer(rider), "", 403, ride.ErrWrongRole},
		{"no such trip", "GET", s.HTTP + "/v1/trips/01a203dc-453f-7695-98a4-f9a43c94d7db", bearer(rider), "", 404, ride.ErrNotFound},
		{"a parameter of another type", "GET", s.HTTP + "/v1/trips?limit=many", bearer(rider), "", 422, ride.ErrInvalidArgument},
		{"not JSON", "PATCH", s.HTTP + "/v1/me", bearer(rider), "{", 400, ride.ErrMalformed},
		{"another content type", "PATCH", s.HTTP + "/v1/me", http.Header{"Authorization": bearer(rider)["Authorization"], "Content-Type": {"text/csv"}}, "a,b", 415, ride.ErrMalformed},
		{"a field that is wrong", "PATCH", s.HTTP + "/v1/me", bearer(rider), `{"first_name":"` + strings.Repeat("x", 1000) + `"}`, 422, ride.ErrInvalidArgument},
		{"a wrong password", "POST", s.HTTP + "/v1/login", nil, `{"username":"nobody","password":"correct horse 8"}`, 401, ride.ErrUnauthenticated},
		{"too often", "POST", s.HTTP + "/v1/login", nil, `{"username":"nobody","password":"correct horse 8"}`, 429, ride.ErrTooMany},

		{"a token in the URL", "GET", sockets + "?token=x", upgrade(nil), "", 400, ride.ErrInvalidArgument},
		{"a wrong token in the handshake", "GET", sockets, upgrade(bearer("x.y.z")), "", 401, ride.ErrUnauthenticated},
		{"not a token in the handshake", "GET", sockets, upgrade(http.Header{"Authorization": {"Basic eA=="}}), "", 401, ride.ErrUnauthenticated},
		{"another site's page", "GET", sockets, upgrade(http.Header{"Origin": {"https://evil.example"}}), "", 403, nil},
		{"no subprotocol", "GET", sockets, upgrade(http.Header{"Sec-Websocket-Protocol": {"other"}}), "", 400, nil},
		{"not a handshake", "GET", sockets, nil, "", 400, nil},

		{"no such page", "GET", s.HTTP + "/none.html", nil, "", 404, nil},
		{"a page with another method", "POST", s.HTTP + "/ride", nil, "", 405, nil},
		{"liveness with another method", "POST", s.HTTP + "/healthz", nil, "", 405, nil},
		{"too many headers", "GET", s.HTTP + "/v1/me", http.Header{"X-Many": make([]string, 200)}, "", 431, nil},

		{"no such operations page", "GET", s.Ops + "/none", nil, "", 404, nil},
		{"operations with another method", "POST", s.Ops + "/metrics", nil, "", 405, nil},
		{"operations from another site", "GET", s.Ops + "/metrics", http.Header{"Sec-Fetch-Site": {"cross-site"}}, "", 403, nil},
		{"operations by another name", "GET", s.Ops + "/metrics", http.Header{"Host": {"evil.example"}}, "", 421, nil},
	} {
		t.Run(c.name, func(t *testing.T) { c.check(t) })
	}
	harness.Dial(t, s, wire.JSON, nil)
	t.Run("no room for another socket", func(t *testing.T) {
		httpRefusal{"", "GET", sockets, upgrade(nil), "", 503, ride.ErrUnavailable}.check(t)
	})
}

func (c httpRefusal) check(t *testing.T) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), c.method, c.url, strings.NewReader(c.body))
	require.NoError(t, err)
	if c.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range c.header {
		req.Header[k] = v
	}
	req.Host = c.header.Get("Host")
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, c.status, resp.StatusCode, "%s", body)
	if c.want == nil {
		require.NotContains(t, resp.Header.Get("Content-Type"), "json")
		require.NotContains(t, string(body), "{")
		return
	}
	require.Equal(t, "application/problem+json", resp.Header.Get("Content-Type"))
	require.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
	require.Equal(t, c.want.Retryable, resp.Header.Get("Retry-After") != "")
	if c.status == http.StatusUnauthorized {
		require.Equal(t, `Bearer realm="hexhail"`, resp.Header.Get("WWW-Authenticate"))
	}
	var members map[string]any
	require.NoError(t, json.Unmarshal(body, &members))
	require.Equal(t, "about:blank", members["type"])
	require.Equal(t, http.StatusText(c.status), members["title"])
	require.InDelta(t, c.status, members["status"], 0)
	require.Equal(t, c.want.Code, members["code"])
	require.NotEmpty(t, members["detail"])
	require.Equal(t, c.want.Retryable, members["retryable"])
	for _, known := range []string{"type", "title", "status", "code", "detail", "retryable"} {
		delete(members, known)
	}
	if fields, ok := members["fields"].([]any); ok {
		require.Contains(t, fields[0], "field")
		require.Contains(t, fields[0], "detail")
		delete(members, "fields")
	}
	require.Empty(t, members, "other members")
}
