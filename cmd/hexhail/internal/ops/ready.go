package ops

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// State is the stage of the process's life.
type State int32

// The states. A new server is Starting.
const (
	Starting State = iota
	Running
	Stopping
)

// String is the state's name in /readyz.
func (s State) String() string {
	switch s {
	case Starting:
		return "starting"
	case Running:
		return "running"
	case Stopping:
		return "stopping"
	}
	return "unknown"
}

// Finding is an error of a Check that also gives the cause as a stable word.
type Finding struct {
	Cause string // lower snake case; docs/operations.md lists them
	Text  string // a sentence for people
	Since time.Time
	// Works means that the server still works: worth reporting, but not a reason to send clients
	// elsewhere.
	Works bool
}

// Error implements error.
func (f *Finding) Error() string { return f.Text }

// Check is one condition of readiness.
type Check struct {
	Name string
	// Within bounds one run; 0 means a second. A check that takes longer has failed.
	Within time.Duration
	// Run returns nil when the condition holds. It must respect the context: a run that does not
	// return is reported as failed, and no second run starts beside it.
	Run func(ctx context.Context) error
}

const defaultWithin = time.Second

// The states of a running server; only a failing one wants no clients.
const (
	statusOK      = "ok"
	statusSlow    = "slow"
	statusFailing = "failing"
)

type readiness struct {
	state  atomic.Int32
	wait   atomic.Pointer[Finding] // what the start is waiting for
	checks []Check                 // fixed once the server has started

	flight singleflight.Group // one run of each check at a time, shared by all requests
}

// report is the body of /healthz and /readyz.
type report struct {
	Status string `json:"status"` // "ok", "slow", "starting", "stopping" or "failing"
	// Cause and Message come from the first check that reports anything.
	Cause   string            `json:"cause,omitempty"`
	Message string            `json:"message,omitempty"`
	Checks  map[string]result `json:"checks,omitempty"`
}

type result struct {
	OK     bool       `json:"ok"`
	Cause  string     `json:"cause,omitempty"`
	Error  string     `json:"error,omitempty"`
	Since  *time.Time `json:"since,omitempty"`
	Millis float64    `json:"ms"`
}

// healthz reports that the process runs and can answer. It checks nothing else, so that a
// supervisor does not restart a server whose database is down.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, report{Status: "ok"})
}

// readyz reports whether clients should be sent here.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	rep := s.ready.report(r.Context())
	code := http.StatusOK
	if rep.Status != statusOK && rep.Status != statusSlow {
		code = http.StatusServiceUnavailable
	}
	write(w, code, rep)
}

func write(w http.ResponseWriter, code int, rep report) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(rep) // if this fails, the client is gone
}

func (r *readiness) report(ctx context.Context) report {
	out := report{Status: statusOK, Checks: make(map[string]result, len(r.checks))}
	switch st := State(r.state.Load()); {
	case st == Running:
	case st == Starting && r.wait.Load() != nil:
		w := r.wait.Load()
		return report{Status: st.String(), Cause: w.Cause, Message: w.Text}
	default:
		return report{Status: st.String()}
	}
	results := make([]result, len(r.checks))
	var wg sync.WaitGroup
	for i, c := range r.checks {
		wg.Go(func() { results[i] = r.run(ctx, c) })
	}
	wg.Wait()
	for i, c := range r.checks {
		res := results[i]
		out.Checks[c.Name] = res
		switch {
		case !res.OK && out.Status != statusFailing:
			out.Status, out.Cause, out.Message = statusFailing, res.Cause, res.Error
		case res.OK && res.Error != "" && out.Status == statusOK:
			out.Status, out.Cause, out.Message = statusSlow, res.Cause, res.Error
		}
	}
	return out
}

// run runs a check with its deadline, or joins a run under way. The run's goroutine may outlive the
// call, but there is only one: a stuck check costs one goroutine, however many requests there are.
func (r *readiness) run(ctx context.Context, c Check) result {
	begun := time.Now()
	within := cmp.Or(c.Within, defaultWithin)
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	answer := r.flight.DoChan(c.Name, func() (any, error) {
		// The first request may be cancelled; the others still wait for the result.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
		defer cancel()
		return nil, safely(ctx, c)
	})
	var err error
	select {
	case a := <-answer:
		err = a.Err
	case <-ctx.Done():
		err = fmt.Errorf("no answer within %s", within)
	}
	res := result{OK: err == nil, Millis: float64(time.Since(begun).Microseconds()) / 1000}
	var f *Finding
	switch {
	case errors.As(err, &f):
		res.OK, res.Cause, res.Error, res.Since = f.Works, f.Cause, f.Text, &f.Since
	case err != nil:
		res.Error = err.Error()
	}
	return res
}

func safely(ctx context.Context, c Check) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return c.Run(ctx)
}
