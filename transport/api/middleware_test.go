package api

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

func TestSecurityHeaders(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.HSTS = time.Hour })
	for _, q := range []request{
		{method: "GET", path: "/v1/config"}, {method: "GET", path: "/v1/me"}, {method: "GET", path: "/nowhere"},
		{method: "DELETE", path: "/v1/config"}, {method: "GET", path: "/openapi.json"},
	} {
		h := w.do(q).Header()
		require.Contains(t, h.Get("Content-Security-Policy"), "default-src 'none'")
		require.Contains(t, h.Get("Content-Security-Policy"), "frame-ancestors 'none'")
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
		require.Equal(t, "DENY", h.Get("X-Frame-Options"))
		require.Equal(t, "no-referrer", h.Get("Referrer-Policy"))
		require.Equal(t, "max-age=3600; includeSubDomains", h.Get("Strict-Transport-Security"))
		require.NotEmpty(t, h.Get("X-Request-Id"))
		require.Empty(t, h.Get("Access-Control-Allow-Origin"))
	}
	require.Equal(t, "no-store", w.do(request{method: "GET", path: "/v1/me", as: "rider"}).Header().Get("Cache-Control"))
	require.Empty(t, newWorld(t).do(request{method: "GET", path: "/v1/config"}).Header().Get("Strict-Transport-Security"))
}

func TestWrongPathsAndMethods(t *testing.T) {
	w := newWorld(t)
	w.do(request{method: "GET", path: "/v1/nothing"}).refused(ride.ErrNotFound, 404)
	w.do(request{method: "GET", path: "/"}).refused(ride.ErrNotFound, 404)
	got := w.do(request{method: "DELETE", path: "/v1/login"})
	got.refused(ride.ErrMalformed, 405)
	require.Equal(t, "POST", got.Header().Get("Allow"))
	w.do(request{method: "GET", path: "/v1//me", as: "rider"}).refused(ride.ErrNotFound, 404)
}

func TestCORS(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.CORSOrigins = []string{"https://app.example"} })
	preflight := func(origin string) *response {
		return w.do(request{method: "OPTIONS", path: "/v1/me", header: map[string]string{
			"Origin": origin, "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization",
		}})
	}
	got := preflight("https://app.example")
	require.Equal(t, http.StatusNoContent, got.Code)
	require.Equal(t, "https://app.example", got.Header().Get("Access-Control-Allow-Origin"))
	require.Contains(t, got.Header().Get("Access-Control-Allow-Headers"), "Authorization")
	require.Empty(t, got.Header().Get("Access-Control-Allow-Credentials"))
	for _, bad := range []string{"https://evil.example", "null", "https://app.example.evil.example", "http://app.example", "https://APP.example"} {
		got := preflight(bad)
		require.Equal(t, http.StatusMethodNotAllowed, got.Code, bad)
		require.Empty(t, got.Header().Get("Access-Control-Allow-Origin"), bad)
	}
	got = w.do(request{method: "GET", path: "/v1/me", as: "rider", header: map[string]string{"Origin": "https://app.example"}}).ok(200, nil)
	require.Equal(t, "https://app.example", got.Header().Get("Access-Control-Allow-Origin"))
	require.Equal(t, "Origin", got.Header().Get("Vary"))

	for _, bad := range []string{"*", "app.example", "https://app.example/", "https://app.example/x", ""} {
		c := DefaultConfig()
		c.CORSOrigins = []string{bad}
		require.ErrorIs(t, c.Validate(), ErrConfig, bad)
	}
}

func TestRates(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.Rates = Rates{Address: Rate{10, 6}, Account: Rate{1, 2}, SignIn: Rate{0.1, 2}, Photo: Rate{0.1, 1}, Remember: 100}
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	})
	me := func(as, addr string) *response {
		return w.do(request{method: "GET", path: "/v1/me", as: as, addr: addr})
	}
	me("rider", "192.0.2.1:1").ok(200, nil)
	me("rider", "192.0.2.2:1").ok(200, nil)
	got := me("rider", "192.0.2.3:1")
	got.refused(ride.ErrTooMany, 429)
	require.Equal(t, "1", got.Header().Get("Retry-After"))
	me("driver", "192.0.2.3:1").ok(200, nil)
	w.clock.advance(time.Second)
	me("rider", "192.0.2.3:1").ok(200, nil)

	login := func(addr string) *response {
		return w.do(request{method: "POST", path: "/v1/login", addr: addr, json: `{"username":"rider","password":"correct horse"}`})
	}
	login("198.51.100.1:1").ok(200, nil)
	login("198.51.100.1:2").ok(200, nil)
	got = login("198.51.100.1:3")
	got.refused(ride.ErrTooMany, 429)
	require.Equal(t, "10", got.Header().Get("Retry-After"))
	renewal := `{"refresh_token":"` + w.people["driver"].Refresh + `"}`
	w.do(request{method: "POST", path: "/v1/refresh", addr: "198.51.100.1:4", json: renewal}).ok(200, nil) // no guess
	login("198.51.100.2:1").ok(200, nil)

	config := func(addr, xff string) *response {
		return w.do(request{method: "GET", path: "/v1/config", addr: addr, header: map[string]string{"X-Forwarded-For": xff}})
	}
	for range 6 {
		config("[2001:db8:1:1::1]:1", "").ok(200, nil)
	}
	config("[2001:db8:1:1:ffff::2]:1", "").refused(ride.ErrTooMany, 429)
	config("[2001:db8:1:1:ffff::2]:1", "203.0.113.9").refused(ride.ErrTooMany, 429) // a stranger's word
	for range 6 {
		config("10.0.0.1:1", "203.0.113.1").ok(200, nil)
	}
	config("10.0.0.1:1", "203.0.113.1").refused(ride.ErrTooMany, 429)
	config("10.0.0.1:1", "203.0.113.2").ok(200, nil)

	photo := request{method: "PUT", path: "/v1/me/photo", as: "driver2", contentType: "image/png", body: somePNG(t, 8, 8), addr: "192.0.2.50:1"}
	w.do(photo).ok(200, nil)
	w.do(photo).refused(ride.ErrTooMany, 429)
}

func TestPanicsTellNothing(t *testing.T) {
	w := newWorld(t)
	w.store.Fail = func(method string) error {
		if method == "ListTrips" {
			panic("secret: " + password)
		}
		return nil
	}
	got := w.do(request{method: "GET", path: "/v1/trips", as: "rider"})
	got.refused(ride.ErrInternal, 500)
	require.NotContains(t, got.Body.String(), "secret")
	require.Contains(t, w.logs.String(), "panic in an operation")
	w.store.Fail = nil
	w.do(request{method: "GET", path: "/v1/trips", as: "rider"}).ok(200, nil)
}

// TestLogsHoldNothingPrivate plays a little of everything and reads the log.
func TestLogsHoldNothingPrivate(t *testing.T) {
	var observed []string
	w := newWorld(t, func(c *Config) {
		c.Observe = func(route string, status int, _ time.Duration) {
			observed = append(observed, route+" "+http.StatusText(status))
		}
	})
	w.story("t", storyWhole)
	w.trip("t", "rider")
	w.do(request{method: "POST", path: "/v1/login", json: `{"username":"rider","password":"wrong horse"}`})
	w.do(request{method: "GET", path: "/v1/trips/x%0alevel=ERROR%20msg=forged", as: "rider"})
	w.do(request{method: "GET", path: "/no%0alevel=ERROR%20msg=forged"})
	w.do(request{method: "FORGED", path: "/v1/me", as: "rider", header: map[string]string{"User-Agent": "forged", "X-Request-Id": "forged"}})
	w.do(request{method: "GET", path: "/v1/me?token=" + w.people["rider"].Access})
	log := w.logs.String()
	for _, private := range []string{
		"forged", "FORGED", password, "wrong horse", w.people["rider"].Access[:40], w.people["rider"].Refresh, "RIDER", "37.4979", "Gangnam",
	} {
		require.NotContains(t, log, private)
	}
	require.Equal(t, len(strings.Split(strings.TrimSpace(log), "\n")), strings.Count(log, "level=INFO"), "one line for each request, all of them ours")
	require.Contains(t, log, `route="GET /v1/trips/{id}"`)
	require.Contains(t, observed, "GET /v1/trips/{id} OK")
	require.Contains(t, observed, " Not Found")
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	w := newWorld(t)
	_, err := New(DefaultConfig(), Deps{})
	require.ErrorIs(t, err, ErrConfig)
	c := DefaultConfig()
	c.Tariffs = ride.Tariffs{{}}
	_, err = New(c, Deps{Auth: w.auth, Accounts: w.store, Photos: w.store, Audit: w.store, Trips: w.store, Live: w.live, Log: slog.Default()})
	require.ErrorIs(t, err, ErrConfig)
}
