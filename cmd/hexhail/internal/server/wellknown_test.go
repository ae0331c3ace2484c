package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/transport/auth"
	"github.com/hexhail/hexhail/transport/session"
)

// wellKnownServer returns what answers at the well-known paths, with and without the web app.
func wellKnownServer(t *testing.T, app bool, contact string) (*parts, func(method, path string) *httptest.ResponseRecorder) {
	t.Helper()
	c := defaults(t)
	c.Web.App, c.HTTP.SecurityContact, c.HTTP.PublicURL = app, contact, "https://rides.example.org/app"
	keys, err := auth.GenerateKeys()
	require.NoError(t, err)
	p := &parts{cfg: c, keys: keys, sessions: &session.Handler{}}
	h, err := p.routes(http.NotFoundHandler())
	require.NoError(t, err)
	return p, func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
		return w
	}
}

// auth.TestPublicSetChecksTokens checks tokens with what is published.
func TestKeysArePublished(t *testing.T) {
	for _, app := range []bool{true, false} {
		p, ask := wellKnownServer(t, app, "")
		w := ask(http.MethodGet, keysPath)
		require.Equal(t, http.StatusOK, w.Code)
		require.Equal(t, "application/jwk-set+json", w.Header().Get("Content-Type"))
		require.Equal(t, "*", w.Header().Get("Access-Control-Allow-Origin"))
		require.Contains(t, w.Body.String(), `"alg":"EdDSA"`)
		require.NotContains(t, w.Body.String(), `"d":`, "a private key")

		require.Contains(t, w.Body.String(), `"kid":"`+p.keys.ID()+`"`)
		require.Equal(t, http.StatusMethodNotAllowed, ask(http.MethodPost, keysPath).Code)
		require.Empty(t, ask(http.MethodHead, keysPath).Body.String())
	}
}

func TestSecurityText(t *testing.T) {
	_, ask := wellKnownServer(t, true, "")
	require.Equal(t, http.StatusNotFound, ask(http.MethodGet, securityPath).Code, "no contact is configured")
	p, ask := wellKnownServer(t, true, "mailto:security@rides.example.org")
	require.Equal(t, http.StatusOK, ask(http.MethodGet, securityPath).Code)
	require.Equal(t, "Contact: mailto:security@rides.example.org\nExpires: 2026-08-28T00:00:00Z\n"+
		"Canonical: https://rides.example.org/.well-known/security.txt\n", p.securityText(time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC)))
}
