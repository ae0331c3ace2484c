package server

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/transport/session"
)

// The API owns its paths: an unknown one under /v1 must never be answered with a page.
func TestAPIAndAppShareAnAddress(t *testing.T) {
	rest := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	status := func(app bool, target string) int {
		c := defaults(t)
		c.Web.App = app
		h, err := (&parts{cfg: c, sessions: &session.Handler{}}).routes(rest)
		require.NoError(t, err)
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
		r.Header.Set("Accept", "text/html")
		h.ServeHTTP(w, r)
		return w.Code
	}
	for _, target := range []string{"/v1", "/v1/", "/v1/config", "/v1/none", "/openapi.json", "/openapi.yaml"} {
		require.Equal(t, http.StatusTeapot, status(true, target), target)
	}
	require.Equal(t, http.StatusOK, status(true, "/ride"))
	require.Equal(t, http.StatusNotFound, status(true, "/none"))
	require.Equal(t, http.StatusTeapot, status(false, "/ride"), "without the app there is only the API")
}

// A load balancer asks the clients' address, which answers only yes or no.
func TestLivenessOnTheClientsAddress(t *testing.T) {
	for _, app := range []bool{true, false} {
		c := defaults(t)
		c.Web.App = app
		sessions, err := session.New(session.DefaultConfig(), nil, nil)
		require.NoError(t, err)
		p := &parts{cfg: c, sessions: sessions}
		h, err := p.routes(http.NotFoundHandler())
		require.NoError(t, err)
		ask := func(method string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, "/healthz", nil))
			return w
		}
		w := ask(http.MethodGet)
		require.Equal(t, http.StatusOK, w.Code)
		require.Equal(t, "ok\n", w.Body.String())
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		require.Equal(t, http.StatusOK, ask(http.MethodHead).Code)
		w = ask(http.MethodPost)
		require.Equal(t, http.StatusMethodNotAllowed, w.Code)
		require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))

		require.NoError(t, p.sessions.Drain(t.Context()))
		require.Equal(t, http.StatusServiceUnavailable, ask(http.MethodGet).Code, "clients go elsewhere")
	}
}

func TestPagesMayReachTheConfiguredMapAlone(t *testing.T) {
	c := defaults(t)
	require.Equal(t, []string{"", "", ""}, webPolicy(c).Sources)
	c.Web.MapStyleURL, c.Web.MapHosts = "https://a.example/style.json", []string{"https://b.example"}
	require.Equal(t, []string{"https://a.example/style.json", "", "", "https://b.example"}, webPolicy(c).Sources)
	require.Equal(t, "https://a.example/style.json", apiConfig(c, nil, newMetrics()).Map.StyleURL)
}
