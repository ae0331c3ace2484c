package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/transport/auth"
	"github.com/hexhail/hexhail/transport/internal/memstore"
	"github.com/hexhail/hexhail/transport/problem"
)

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// live records what the API asks of running sessions and trips.
type live struct {
	mu     sync.Mutex
	closed []closed
	news   []ride.Account
	cancel func(ride.TripID) (ride.Trip, error)
	again  func(ride.TripID) (ride.Trip, error)
	nodes  []*ridepb.CityNode
	asked  struct {
		since time.Time
		step  time.Duration
	}
}

type closed struct {
	Account ride.AccountID
	Family  string
	Code    ridepb.CloseCode
}

func (l *live) Disconnect(a ride.AccountID, family string, code ridepb.CloseCode) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = append(l.closed, closed{a, family, code})
}

func (l *live) AccountChanged(a ride.Account) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.news = append(l.news, a)
}

func (l *live) CancelTrip(_ context.Context, id ride.TripID, _ ride.AccountID, _ string) (ride.Trip, error) {
	return l.cancel(id)
}

func (l *live) Redispatch(_ context.Context, id ride.TripID, _ string) (ride.Trip, error) {
	return l.again(id)
}

func (l *live) Actors(context.Context) ([]*ridepb.ActorKind, []*ridepb.CityNode) {
	return []*ridepb.ActorKind{{Kind: "driver", Alive: 3, Slowest: []*ridepb.SlowHandler{{Message: "offerMade", TookUs: 900}}}}, l.nodes
}

func (l *live) Samples(since time.Time, step time.Duration) []*ridepb.Sample {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked.since, l.asked.step = since, step
	return []*ridepb.Sample{{StepS: uint32(step / time.Second), Matches: 4}}
}

// world is an API with people and trips in it.
type world struct {
	*API
	t      testing.TB
	store  *memstore.Store
	auth   *auth.Service
	live   *live
	clock  *clock
	logs   *logBuffer
	people map[string]person // by username
}

type person struct {
	ride.Account
	auth.Tokens
}

// logBuffer collects what is logged.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

const password = "correct horse"

// newWorld has a rider, another rider, a driver, another driver and an operator, and
// no bounds on rates unless edit sets some.
func newWorld(t testing.TB, edit ...func(*Config)) *world {
	t.Helper()
	w := &world{
		t: t, store: &memstore.Store{}, live: &live{}, logs: &logBuffer{}, people: map[string]person{},
		clock: &clock{t: time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)},
	}
	w.live.again = func(ride.TripID) (ride.Trip, error) { return ride.Trip{}, ride.ErrUnavailable }
	w.live.cancel = func(ride.TripID) (ride.Trip, error) { return ride.Trip{}, ride.ErrUnavailable }
	keys, err := auth.GenerateKeys()
	require.NoError(t, err)
	people := auth.DefaultConfig()
	people.Password.MemoryKiB, people.Password.Iterations, people.Now = 64, 1, w.clock.now
	w.auth, err = auth.New(people, keys, w.store)
	require.NoError(t, err)
	t.Cleanup(w.auth.Close)
	cfg := DefaultConfig()
	cfg.Rates, cfg.Now = Unlimited(), w.clock.now
	for _, e := range edit {
		e(&cfg)
	}
	w.API, err = New(cfg, Deps{
		Auth: w.auth, Accounts: w.store, Photos: w.store, Audit: w.store, Trips: w.store, Live: w.live,
		Log: slog.New(slog.NewTextHandler(w.logs, nil)),
	})
	require.NoError(t, err)
	for _, name := range []string{"rider", "rider2", "driver", "driver2"} {
		n := auth.SignUp{Username: name, Password: password, FirstName: strings.ToUpper(name), LastName: "Test", Role: ride.RoleRider}
		if strings.HasPrefix(name, "driver") {
			n.Role, n.Vehicle = ride.RoleDriver, ride.Vehicle{Class: "standard", Plate: "HX-" + name}
		}
		a, tk, err := w.auth.SignUp(t.Context(), n)
		require.NoError(t, err)
		w.people[name] = person{a, tk}
		w.clock.advance(time.Second)
	}
	_, err = auth.AdminCreate(t.Context(), w.store, people.Password, auth.SignUp{
		Username: "operator", Password: password, FirstName: "Olga", LastName: "Op",
	})
	require.NoError(t, err)
	a, tk, err := w.auth.LogIn(t.Context(), "operator", password, "192.0.2.9")
	require.NoError(t, err)
	w.people["operator"] = person{a, tk}
	return w
}

// request describes one request of a test.
type request struct {
	method, path string
	as           string // username; empty: anonymous
	json         string // body
	body         []byte // or this one
	contentType  string
	header       map[string]string
	addr         string
	ctx          context.Context // nil: one that does not end
}

// do performs a request and returns the response with its body read.
func (w *world) do(q request) *response {
	w.t.Helper()
	var b io.Reader = bytes.NewReader(q.body)
	if q.json != "" {
		b = strings.NewReader(q.json)
	}
	r := httptest.NewRequest(q.method, q.path, b)
	if q.json != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if q.contentType != "" {
		r.Header.Set("Content-Type", q.contentType)
	}
	if q.as != "" {
		r.Header.Set("Authorization", "Bearer "+w.people[q.as].Access)
	}
	for k, v := range q.header {
		r.Header.Set(k, v)
	}
	r.RemoteAddr = "192.0.2.1:5000"
	if q.addr != "" {
		r.RemoteAddr = q.addr
	}
	if q.ctx != nil {
		r = r.WithContext(q.ctx)
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return &response{t: w.t, ResponseRecorder: rec, what: q.method + " " + q.path + " as " + q.as}
}

type response struct {
	*httptest.ResponseRecorder
	t    testing.TB
	what string
}

// ok checks the status of a success and reads its body into v, if there is one.
func (r *response) ok(status int, v any) *response {
	r.t.Helper()
	require.Equal(r.t, status, r.Code, "%s: %s", r.what, r.Body)
	if v != nil {
		require.Equal(r.t, "application/json", r.Header().Get("Content-Type"))
		require.NoError(r.t, json.Unmarshal(r.Body.Bytes(), v))
	}
	return r
}

// refused checks that the answer is a problem with the code.
func (r *response) refused(want *ride.Error, status int) problem.Problem {
	r.t.Helper()
	var p problem.Problem
	require.Equal(r.t, status, r.Code, "%s: %s", r.what, r.Body)
	require.Equal(r.t, problem.ContentType, r.Header().Get("Content-Type"), r.what)
	require.NoError(r.t, json.Unmarshal(r.Body.Bytes(), &p))
	require.Equal(r.t, want.Code, p.Code, "%s: %s", r.what, r.Body)
	require.Equal(r.t, status, p.Status)
	require.Equal(r.t, http.StatusText(status), p.Title)
	require.NotEmpty(r.t, p.Detail)
	return p
}

var (
	pickup  = geo.Point{Lat: 37.4979, Lng: 127.0276}
	dropoff = geo.Point{Lat: 37.5665, Lng: 126.9780}
)
