package crash

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hexhail/hexhail/sim/check"
)

// watch follows the city's records as they arrive: it knows which commands are unanswered, when
// clients recovered from a kill, and which versions were acknowledged.
type watch struct {
	mu      sync.Mutex
	since   int64 // the last kill
	session int64 // the first session after it; 0: none yet
	answer  int64 // the first answer to a command after it; 0: none yet
	asked   map[string]asked
	nodes   map[string]int // of clients' newest sessions
	latency float64        // smoothed time of an answer, in nanoseconds
	newest  []check.Record
	trips   map[string]struct{} // that any client has seen

	keeps bool           // seen is filled
	seen  []check.Record // sessions, commands and answers so far, for what a run must have seen

	wanted string            // the operation to wait for; "any": every operation
	sent   chan string       // the newest such command, as a key of asked
	looks  chan check.Record // acknowledged versions to read back
}

// asked is a command without an answer, and the node of the session that it was sent in.
type asked struct {
	call check.Record
	node int
}

// keepNewest is how many acknowledged versions are read back after a kill.
const keepNewest = 16

func newWatch() *watch {
	return &watch{
		asked: make(map[string]asked), nodes: make(map[string]int), trips: make(map[string]struct{}), latency: float64(3 * time.Millisecond),
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
	case check.Connected, check.Lost, check.Call, check.Return:
		if w.keeps {
			w.seen = append(w.seen, r)
		}
	}
	switch r.What {
	case check.Call:
		w.called(r)
	case check.Return:
		w.returned(r)
	case check.Connected:
		w.nodes[r.Who] = r.Node
		if w.session == 0 {
			w.session = r.At
		}
	}
}

// expect says which commands are reported on sent, and forgets one reported before.
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
	w.asked[key] = asked{r, w.nodes[r.Who]}
	if w.wanted != r.Op && w.wanted != "any" {
		return
	}
	select { // the newest replaces one that was not taken, whose answer may have arrived
	case <-w.sent:
	default:
	}
	w.sent <- key // there is room: only this function sends, under mu
}

// unanswered returns a command if it is still without an answer.
func (w *watch) unanswered(key string) (a asked, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, ok = w.asked[key]
	return a, ok
}

func (w *watch) returned(r check.Record) {
	key := r.Who + " " + r.ID
	at := w.asked[key].call.At
	delete(w.asked, key)
	if w.session > 0 && w.answer == 0 {
		w.answer = r.At
	}
	if at > w.since {
		w.latency += (float64(r.At-at) - w.latency) / 20
	}
	if r.Code != "" || r.Version == 0 {
		return
	}
	w.newest = append(w.newest[max(0, len(w.newest)-keepNewest+1):], r)
	w.look(r)
}

// look queues a record to be read back, unless the queue is full.
func (w *watch) look(r check.Record) {
	select {
	case w.looks <- r:
	default:
	}
}

// killed notes that the server was killed.
func (w *watch) killed(at int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since, w.session, w.answer = at, 0, 0
}

// back queues what was acknowledged before the kill.
func (w *watch) back() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.newest {
		w.look(r)
	}
	w.newest = nil
}

// recovery is how long after the kill the first session began and the first command was answered; 0
// means not yet.
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

// history returns the sessions, commands and answers so far, if they are kept.
func (w *watch) history() []check.Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen[:len(w.seen):len(w.seen)]
}

// known returns the trips that any client has seen, in the order of their ids.
func (w *watch) known() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.trips))
}

// typical is the typical time of an answer.
func (w *watch) typical() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Duration(w.latency)
}
