package ops

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newServer(t *testing.T, listen string) (*Server, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	return New(Options{Listen: listen, AllowedHosts: []string{"metrics.example"}, Log: slog.New(slog.NewTextHandler(&log, nil))}), &log
}

func get(s *Server, path string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = "127.0.0.1:9090"
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

func TestReloadOfStreets(t *testing.T) {
	s, _ := newServer(t, "127.0.0.1:0")
	post := func(change func(*http.Request)) *httptest.ResponseRecorder {
		return get(s, "/streets/reload", func(r *http.Request) {
			r.Method = http.MethodPost
			if change != nil {
				change(r)
			}
		})
	}
	require.Equal(t, http.StatusServiceUnavailable, post(nil).Code)
	calls := 0
	var fails error
	s.SetReload(func(context.Context) (string, error) { calls++; return "done", fails })
	require.Equal(t, http.StatusServiceUnavailable, post(nil).Code, "it is starting")
	s.SetState(Running)
	for _, header := range [][2]string{
		{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"},
	} {
		w := post(func(r *http.Request) { r.Header.Set(header[0], header[1]) })
		require.Equal(t, http.StatusForbidden, w.Code, header)
	}
	require.Equal(t, http.StatusMisdirectedRequest, post(func(r *http.Request) { r.Host = "evil.example" }).Code)
	require.NotEqual(t, http.StatusOK, get(s, "/streets/reload", nil).Code, "a link must not do it")
	require.Zero(t, calls)
	w := post(nil)
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "done\n", w.Body.String())
	fails = errors.New("the map is damaged")
	w = post(nil)
	require.Equal(t, http.StatusConflict, w.Code)
	require.Equal(t, "the map is damaged\n", w.Body.String())
}

func TestPathsAnswer(t *testing.T) {
	s, _ := newServer(t, "127.0.0.1:0")
	s.Registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "hexhail_x_total", Help: "x"}, func() float64 { return 7 }))
	for path, want := range map[string]string{
		"/": "/metrics", "/healthz": `{"status":"ok"}`, "/metrics": "hexhail_x_total 7",
		"/debug/pprof/": "goroutine", "/debug/pprof/cmdline": "ops", "/debug/pprof/heap?debug=1": "heap profile",
	} {
		w := get(s, path, nil)
		require.Equal(t, http.StatusOK, w.Code, path)
		require.Contains(t, w.Body.String(), want, path)
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	}
	require.Contains(t, get(s, "/metrics", nil).Body.String(), "go_goroutines")
	require.Contains(t, get(s, "/metrics", nil).Body.String(), "process_open_fds")
	require.Equal(t, http.StatusNotFound, get(s, "/nothing", nil).Code)
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, &http.Request{Method: http.MethodPost, Host: "localhost", URL: &url.URL{Path: "/"}})
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
}

// Headers are bounded as they are for clients.
func TestHeadersAreBounded(t *testing.T) {
	s, _ := newServer(t, "127.0.0.1:0")
	require.NoError(t, s.Start(t.Context()))
	defer func() { require.NoError(t, s.Stop(t.Context())) }()
	status := func(change func(http.Header)) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addr().String()+"/healthz", nil)
		require.NoError(t, err)
		change(r.Header)
		r.Close = true
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		return answer.StatusCode
	}
	long := func(n int) func(http.Header) { return func(h http.Header) { h.Set("X-Long", strings.Repeat("a", n)) } }
	many := func(n int) func(http.Header) {
		return func(h http.Header) {
			for range n {
				h.Add("X-Many", "a")
			}
		}
	}
	require.Equal(t, http.StatusOK, status(long(15<<10)))
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, status(long(16<<10)))
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, status(long(17<<10)))
	require.Equal(t, http.StatusOK, status(many(90)))
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, status(many(101)))
}

func TestForeignNamesAndPagesAreRefused(t *testing.T) {
	s, _ := newServer(t, "127.0.0.1:0")
	for host, want := range map[string]int{
		"127.0.0.1": 200, "127.0.0.1:9090": 200, "[::1]:9090": 200, "[::1]": 200, "localhost:9090": 200, "LOCALHOST": 200,
		"10.1.2.3:9090": 200, "metrics.example:9090": 200, "Metrics.Example.": 200,
		"evil.example": 421, "evil.example:9090": 421, "127.0.0.1.evil.example": 421, "": 421, "localhost.evil.example": 421,
	} {
		require.Equal(t, want, get(s, "/healthz", func(r *http.Request) { r.Host = host }).Code, host)
	}
	for site, want := range map[string]int{"none": 200, "same-origin": 200, "cross-site": 403, "same-site": 403} {
		require.Equal(t, want, get(s, "/metrics", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", site) }).Code, site)
	}
}

func readyz(t *testing.T, s *Server) (int, report) {
	t.Helper()
	w := get(s, "/readyz", nil)
	var rep report
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &rep))
	return w.Code, rep
}

func TestReadinessFollowsTheStateAndTheChecks(t *testing.T) {
	s, _ := newServer(t, "127.0.0.1:0")
	var broken atomic.Bool
	s.AddCheck(Check{Name: "database", Run: func(context.Context) error {
		if broken.Load() {
			return errors.New("away")
		}
		return nil
	}})
	s.AddCheck(Check{Name: "fragile", Run: func(context.Context) error {
		if broken.Load() {
			panic("oh")
		}
		return nil
	}})
	code, rep := readyz(t, s)
	require.Equal(t, 503, code)
	require.Equal(t, "starting", rep.Status)
	s.SetWait("unreachable", "Waiting.")
	_, rep = readyz(t, s)
	require.Equal(t, report{Status: "starting", Cause: "unreachable", Message: "Waiting."}, rep)

	s.SetState(Running)
	code, rep = readyz(t, s)
	require.Equal(t, 200, code)
	require.Equal(t, "ok", rep.Status)
	require.True(t, rep.Checks["database"].OK)

	broken.Store(true)
	code, rep = readyz(t, s)
	require.Equal(t, 503, code)
	require.Equal(t, "failing", rep.Status)
	require.Equal(t, "away", rep.Checks["database"].Error)
	require.Equal(t, "panic: oh", rep.Checks["fragile"].Error)

	broken.Store(false)
	s.SetState(Stopping)
	code, rep = readyz(t, s)
	require.Equal(t, 503, code)
	require.Equal(t, "stopping", rep.Status)
	require.Equal(t, 200, get(s, "/healthz", nil).Code, "a stopping process is still alive")
}

// A finding gives the report its cause; while work continues, the server stays ready.
func TestFindings(t *testing.T) {
	s, _ := newServer(t, "127.0.0.1:0")
	since := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var of [2]error
	for i, name := range []string{"database", "map"} {
		s.AddCheck(Check{Name: name, Run: func(context.Context) error { return of[i] }})
	}
	s.SetState(Running)
	slow := &Finding{Cause: "slow", Text: "It is slow.", Since: since, Works: true}
	full := &Finding{Cause: "disk_full", Text: "It is full.", Since: since}
	for _, c := range []struct {
		of            [2]error
		code          int
		status, cause string
	}{
		{[2]error{nil, nil}, 200, "ok", ""},
		{[2]error{slow, nil}, 200, "slow", "slow"},
		{[2]error{full, nil}, 503, "failing", "disk_full"},
		{[2]error{slow, full}, 503, "failing", "disk_full"},
		{[2]error{full, slow}, 503, "failing", "disk_full"},
	} {
		of = c.of
		code, rep := readyz(t, s)
		require.Equal(t, c.code, code)
		require.Equal(t, c.status, rep.Status)
		require.Equal(t, c.cause, rep.Cause)
		if c.of[0] != nil && c.cause == "disk_full" && c.of[1] == nil {
			require.Equal(t, result{Cause: "disk_full", Error: "It is full.", Since: &since, Millis: rep.Checks["database"].Millis}, rep.Checks["database"])
		}
	}
}

func TestStuckCheckFailsInTimeAndIsNotMultiplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newServer(t, "127.0.0.1:0")
		var runs atomic.Int32
		release := make(chan struct{})
		s.AddCheck(Check{Name: "database", Within: 3 * time.Second, Run: func(context.Context) error {
			runs.Add(1)
			<-release // ignores even its context
			return nil
		}})
		s.SetState(Running)
		for range 5 {
			begun := time.Now()
			code, rep := readyz(t, s)
			require.Equal(t, 503, code)
			require.Equal(t, "no answer within 3s", rep.Checks["database"].Error)
			require.Equal(t, 3*time.Second, time.Since(begun))
		}
		require.EqualValues(t, 1, runs.Load())
		close(release)
		synctest.Wait()
		code, _ := readyz(t, s)
		require.Equal(t, 200, code, "it recovers")
	})
}

func TestOneCallerGivingUpDoesNotFailTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newServer(t, "127.0.0.1:0")
		release := make(chan struct{})
		s.AddCheck(Check{Name: "database", Run: func(ctx context.Context) error {
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}})
		s.SetState(Running)
		ctx, leave := context.WithCancel(t.Context())
		first, second := make(chan report, 1), make(chan report, 1)
		go func() { first <- s.ready.report(ctx) }()
		synctest.Wait()
		go func() { second <- s.ready.report(t.Context()) }()
		synctest.Wait()
		leave()
		require.Equal(t, "failing", (<-first).Status)
		close(release)
		require.Equal(t, "ok", (<-second).Status)
	})
}

func TestStartStopAndTheWarning(t *testing.T) {
	for _, c := range []struct {
		listen string
		warns  bool
	}{{"127.0.0.1:0", false}, {"0.0.0.0:0", true}} {
		s, log := newServer(t, c.listen)
		require.NoError(t, s.Start(t.Context()))
		_, port, err := net.SplitHostPort(s.Addr().String())
		require.NoError(t, err)
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		res, err := client.Get("http://127.0.0.1:" + port + "/healthz")
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.JSONEq(t, `{"status":"ok"}`, string(body))

		taken, _ := newServer(t, s.Addr().String())
		require.ErrorContains(t, taken.Start(t.Context()), "operations listener")

		require.NoError(t, s.Stop(t.Context()))
		require.Equal(t, c.warns, bytes.Contains(log.Bytes(), []byte("no authentication")), log.String())
	}
}
