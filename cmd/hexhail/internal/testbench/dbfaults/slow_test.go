package dbfaults

import (
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// answerWithin is the bound that docs/semantics.md states.
const answerWithin = 10 * time.Second

// waits collects how long answers took, by request and result.
type waits struct {
	mu      sync.Mutex
	longest map[string]time.Duration
	n       map[string]int
}

func (w *waits) add(what string, r *ridepb.Reply, took time.Duration) {
	code := r.GetError().GetCode()
	if code == "" {
		code = "done"
	}
	key := what + " " + code
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n[key]++
	w.longest[key] = max(w.longest[key], took)
}

// log logs the figures and compares them with the bound.
func (w *waits) log(t *testing.T) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(w.n)) {
		t.Logf("%-28s %3d, longest %s", key, w.n[key], w.longest[key].Round(time.Millisecond))
		harness.Within(t, key, w.longest[key], answerWithin+time.Second)
	}
}

func newWaits() *waits { return &waits{longest: map[string]time.Duration{}, n: map[string]int{}} }

// ask asks on a socket; a refusal caused by the database must say when to retry.
func (w *waits) ask(t *testing.T, what string, c *harness.Client, f *ridepb.ClientFrame) *ridepb.Reply {
	begun := time.Now()
	r := c.AskOnce(f)
	w.add(what, r, time.Since(begun))
	if e := r.GetError(); e != nil && (e.GetCode() != ride.ErrUnavailable.Code || e.GetRetryAfterMs() == 0) {
		t.Errorf("%s: %v", what, e)
	}
	return r
}

// call asks over HTTP.
func (w *waits) call(t *testing.T, s *harness.Server, method, path, token, body string, status ...int) {
	begun := time.Now()
	got, answer := s.Call(method, path, token, body)
	if got == http.StatusServiceUnavailable {
		w.add(method+" "+path, &ridepb.Reply{Result: &ridepb.Reply_Error{Error: &ridepb.Error{Code: ride.ErrUnavailable.Code}}}, time.Since(begun))
		return
	}
	w.add(method+" "+path, nil, time.Since(begun))
	if !slices.Contains(status, got) {
		t.Errorf("%s %s: %d %s", method, path, got, answer)
	}
}

// With a database that takes half a second for each round trip, clients still get answers: a
// command that is not done in time is refused and may be repeated, and the same id returns its true
// outcome.
func TestSlowDatabase(t *testing.T) {
	t.Parallel()
	slow := pgtest.NewSlow(t, pgtest.Start(t))
	s := harness.Start(t, harness.Options{Flags: []string{"--database-url=" + slow.URL, "--log-level=error"}})
	const crowd = 12
	riders, drivers := make([]*harness.Client, crowd), make([]*harness.Client, 4)
	for i := range riders {
		riders[i] = join(t, s, ride.RoleRider)
	}
	for i := range drivers {
		drivers[i] = driver(t, s, float64(100+50*i))
	}
	slow.SetDelay(500 * time.Millisecond)
	took := newWaits()
	requests, first := make([]*ridepb.ClientFrame, crowd), make([]*ridepb.Reply, crowd)
	var asking sync.WaitGroup
	for i, r := range riders {
		requests[i] = harness.Request(pickup, dropoff)
		asking.Go(func() { first[i] = took.ask(t, "request", r, requests[i]) })
	}
	last := make([]*ridepb.ClientFrame, len(drivers))
	for i, d := range drivers {
		for range 10 { // at once: they wait for each other
			asking.Go(func() { took.ask(t, "go offline", d, harness.GoOffline()) })
			asking.Go(func() { took.ask(t, "go online", d, harness.GoOnline(pickup)) })
		}
		last[i] = harness.GoOnline(pickup)
		asking.Go(func() { took.ask(t, "go online", d, last[i]) })
	}
	asking.Go(func() {
		c := harness.Dial(t, s, wire.JSON, nil)
		took.ask(t, "connect", c, harness.Connecting(s.Token(ride.RoleRider, name(ride.RoleRider)), nil))
	})
	asking.Go(func() {
		took.call(t, s, http.MethodPost, "/v1/accounts", "", harness.SignUpBody(ride.RoleRider, "slow"), 201, 200)
	})
	asking.Go(func() {
		took.call(t, s, http.MethodPost, "/v1/login", "", `{"username":"nobody","password":"correct horse"}`, 401)
	})
	asking.Go(func() { took.call(t, s, http.MethodGet, "/v1/trips", s.Token(ride.RoleRider, riders[0].Name), "", 200) })
	harness.Until(t, "slow", func() bool {
		_, said := s.Ready()
		return said.Cause == "slow" && said.Message != ""
	})
	asking.Wait()
	took.log(t)

	slow.SetDelay(0)
	again := func(c *harness.Client, f *ridepb.ClientFrame) *ridepb.Reply {
		for n := 2; ; n++ {
			if r := c.Reply(c.Send(f), n); r.GetError().GetCode() != ride.ErrUnavailable.Code {
				return r
			}
		}
	}
	for i, r := range riders {
		trip := again(r, requests[i]).GetTrip()
		require.NotNil(t, trip, "a request is written or not, and its id says which")
		if was := first[i].GetTrip().GetId(); was != "" {
			require.Equal(t, was, trip.GetId())
		}
	}
	for i, d := range drivers {
		require.NotNil(t, again(d, last[i]).GetDone())
	}
	harness.Until(t, "as fast as before", func() bool {
		_, said := s.Ready()
		return said.Status == "ok"
	})
}

// With a frozen database, every client still gets an answer, on sockets and over HTTP, and the
// server still shuts down in time.
func TestFrozenDatabase(t *testing.T) {
	t.Parallel()
	pg := pgtest.NewServer(t)
	const grace = 5 * time.Second
	s := harness.Start(t, harness.Options{AnyEnd: true, Flags: []string{
		"--database-url=" + pg.URL(), "--log-level=error", "--shutdown-grace=" + grace.String(),
	}})
	rider, d, trip := matched(t, s)
	other := join(t, s, ride.RoleRider)
	operator := s.Token(ride.RoleOperator, name(ride.RoleOperator))
	status, _ := s.Call(http.MethodGet, "/v1/admin/trips", operator, "")
	require.Equal(t, 200, status)

	thaw, err := pg.Freeze()
	require.NoError(t, err)
	t.Cleanup(thaw)
	took := newWaits()
	var asking sync.WaitGroup
	asking.Go(func() { took.ask(t, "request", other, harness.Request(pickup, dropoff)) })
	asking.Go(func() { took.ask(t, "arrived", d, harness.Arrived(trip)) })
	for range 5 {
		asking.Go(func() { took.ask(t, "go offline", d, harness.GoOffline()) })
	}
	asking.Go(func() {
		c := harness.Dial(t, s, wire.JSON, nil)
		took.ask(t, "connect", c, harness.Connecting(s.Token(ride.RoleRider, rider.Name), nil))
	})
	for _, of := range [][4]string{
		{http.MethodPost, "/v1/accounts", "", harness.SignUpBody(ride.RoleRider, "frozen")},
		{http.MethodPost, "/v1/login", "", `{"username":"nobody","password":"correct horse"}`},
		{http.MethodGet, "/v1/me", s.Token(ride.RoleRider, rider.Name), ""},
		{http.MethodGet, "/v1/admin/trips", operator, ""},
		{http.MethodPost, "/v1/admin/trips/" + trip + "/cancel", operator, `{"reason":"flood"}`},
	} {
		asking.Go(func() { took.call(t, s, of[0], of[1], of[2], of[3]) })
	}
	harness.Until(t, "not ready", func() bool {
		status, said := s.Ready()
		return status == 503 && said.Cause == "no_answer"
	})
	asking.Wait()
	took.log(t)

	begun := time.Now()
	t.Logf("it exited with: %v", s.Stop())
	ended := time.Since(begun)
	t.Logf("it exited after %s", ended.Round(time.Millisecond))
	harness.Within(t, "the end", ended, grace+time.Second)
}
