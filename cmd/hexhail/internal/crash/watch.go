package crash

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hexhail/hexhail/sim/check"
)

// watch follows the city's records as they come: it knows which commands wait for an
// answer, when clients came back after a kill, and which versions were acknowledged.
type watch struct {
	mu      sync.Mutex
	since   int64 // the last kill
	session int64 // the first session after it; 0: none yet
	answer  int64 // the first answer to a command after it; 0: none yet
	asked   map[string]int64
	latency float64 // of an answer, in nanoseconds, smoothed
	newest  []check.Record
	trips   map[string]struct{} // that anybody was told of

	wanted string            // the operation that is waited for; "any": whichever
	sent   chan string       // the newest such command, as a key of asked
	looks  chan check.Record // acknowledged versions to look for
}

// keepNewest is how many acknowledgements are looked for after a kill.
const keepNewest = 16

func newWatch() *watch {
	return &watch{
		asked: make(map[string]int64), trips: make(map[string]struct{}), latency: float64(3 * time.Millisecond),
		sent: make(chan string, 1), looks: make(chan check.Record, 64),
	}
}

// record is the city's Watch.
func (w *watch) record(r check.Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.Version > 0 && r.Trip != "" {
		w.trips[r.Trip] = struct{}{}
	}
	switch r.What {
	case check.Call:
		w.called(r)
	case check.Return:
		w.returned(r)
	case check.Connected:
		if w.session == 0 {
			w.session = r.At
		}
	}
}

// expect says which commands are told of on sent; one that was told before is forgotten.
func (w *watch) expect(op string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wanted = op
	select {
	case <-w.sent:
	default:
	}
}

func (w *watch) called(r check.Record) {
	key := r.Who + " " + r.ID
	w.asked[key] = r.At
	if w.wanted != r.Op && w.wanted != "any" {
		return
	}
	select { // the newest replaces one that nobody took: its answer may be there already
	case <-w.sent:
	default:
	}
	w.sent <- key // there is room: only this function sends, under mu
}

// unanswered reports whether a command has had no answer yet.
func (w *watch) unanswered(key string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, ok := w.asked[key]
	return ok
}

func (w *watch) returned(r check.Record) {
	key := r.Who + " " + r.ID
	asked := w.asked[key]
	delete(w.asked, key)
	if w.session > 0 && w.answer == 0 {
		w.answer = r.At
	}
	if asked > w.since {
		w.latency += (float64(r.At-asked) - w.latency) / 20
	}
	if r.Code != "" || r.Version == 0 {
		return
	}
	w.newest = append(w.newest[max(0, len(w.newest)-keepNewest+1):], r)
	w.look(r)
}

// look asks for a look, unless there are too many to do.
func (w *watch) look(r check.Record) {
	select {
	case w.looks <- r:
	default:
	}
}

// killed begins a new life of the server.
func (w *watch) killed(at int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since, w.session, w.answer = at, 0, 0
}

// back asks for what was acknowledged before the kill.
func (w *watch) back() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.newest {
		w.look(r)
	}
	w.newest = nil
}

// recovery is how long after the kill the first client was back, and the first command
// answered; 0: not yet.
func (w *watch) recovery() (session, answer time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.session > 0 {
		session = time.Duration(w.session - w.since)
	}
	if w.answer > 0 {
		answer = time.Duration(w.answer - w.since)
	}
	return session, answer
}

// known are the trips that anybody was told of, in the order of their ids.
func (w *watch) known() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.trips))
}

// typical is how long an answer takes.
func (w *watch) typical() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Duration(w.latency)
}
