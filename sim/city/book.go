package city

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/sim/report"
)

// book is what the city as a whole knows about its trips: the two sides of a trip are two clients,
// and some figures need both. It also carries what rider and driver tell each other at the kerb.
type book struct {
	stats *report.Stats
	clock *clock

	mu    sync.Mutex
	trips map[string]*note
	swept time.Time
}

// keepNotes is how long an ended trip is kept, in real time.
const keepNotes = 20 * time.Minute

// note is one trip.
type note struct {
	due     time.Time // of the request; zero until its reply arrives
	simDue  time.Duration
	offered time.Time // first offer seen
	counted bool      // the time to the first offer
	matched bool
	arrived bool
	version uint32
	status  ridepb.Trip_Status
	heard   time.Time            // when the newest version arrived
	accepts map[string]time.Time // by driver's account: when the acceptance was due
	pin     string
	board   time.Duration
}

func newBook(s *report.Stats, c *clock) *book {
	return &book{stats: s, clock: c, trips: make(map[string]*note)}
}

// of returns a trip's note; the caller holds the mutex.
func (b *book) of(trip string) *note {
	n := b.trips[trip]
	if n == nil {
		b.sweep(time.Now())
		n = &note{board: 20 * time.Second}
		b.trips[trip] = n
	}
	return n
}

// sweep forgets trips that ended long ago, every few minutes.
func (b *book) sweep(now time.Time) {
	if now.Sub(b.swept) < keepNotes/20 {
		return
	}
	b.swept = now
	for id, n := range b.trips {
		if ended(n.status) && now.Sub(n.heard) > keepNotes {
			delete(b.trips, id)
		}
	}
}

// acknowledged notes which request a trip came from.
func (b *book) acknowledged(trip string, due time.Time, plan RiderPlan) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.of(trip)
	if !n.due.IsZero() {
		return
	}
	n.due, n.simDue, n.board = due, b.clock.at(due), plan.Board
	b.stats.Requested.Add(1)
	b.firstOffer(n)
}

// ours reports whether one of the city's riders made the request and knows that it was
// accepted.
func (b *book) ours(trip string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.trips[trip]
	return n != nil && !n.due.IsZero()
}

// sawOffer notes an offer of a trip.
func (b *book) sawOffer(trip string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.of(trip)
	if n.offered.IsZero() {
		n.offered = time.Now()
		b.firstOffer(n)
	}
}

// firstOffer counts the time to the first offer once both ends are known.
func (b *book) firstOffer(n *note) {
	if !n.counted && !n.due.IsZero() && !n.offered.IsZero() {
		n.counted = true
		b.stats.TimeToOffer.Add(n.offered.Sub(n.due).Microseconds())
	}
}

// accepting notes that a driver's acceptance is due.
func (b *book) accepting(trip, account string, due time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.of(trip)
	if n.accepts == nil {
		n.accepts = make(map[string]time.Time, 2)
	}
	n.accepts[account] = due
}

// notified notes that the rider has just received its match.
func (b *book) notified(t *ridepb.Trip) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.of(t.GetId())
	if due, ok := n.accepts[t.GetDriver().GetId()]; ok {
		delete(n.accepts, t.GetDriver().GetId())
		report.Since(&b.stats.AcceptToNotified, due)
	}
}

// news notes a trip's state, regardless of who received it, and updates the counts.
func (b *book) news(t *ridepb.Trip) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.of(t.GetId())
	if pin := t.GetPin(); pin != "" {
		n.pin = pin
	}
	if t.GetVersion() <= n.version {
		return
	}
	b.count(n.status, -1)
	n.heard = time.Now()
	n.version, n.status = t.GetVersion(), statusBefore(n.status, t.GetStatus())
	b.count(n.status, 1)
	b.progress(n)
}

// statusBefore keeps the status that a trip ended with: what follows are ratings.
func statusBefore(old, now ridepb.Trip_Status) ridepb.Trip_Status {
	if ended(old) {
		return old
	}
	return now
}

func ended(s ridepb.Trip_Status) bool {
	return s == ridepb.Trip_completed || s == ridepb.Trip_cancelled || s == ridepb.Trip_expired
}

func occupied(s ridepb.Trip_Status) bool {
	return s == ridepb.Trip_matched || s == ridepb.Trip_arrived || s == ridepb.Trip_in_progress
}

// gauge is the figure that counts trips of a status; nil for none.
func (b *book) gauge(s ridepb.Trip_Status) *atomic.Int64 {
	switch {
	case s == ridepb.Trip_requested:
		return &b.stats.Searching
	case occupied(s):
		return &b.stats.Riding
	case s == ridepb.Trip_completed:
		return &b.stats.Completed
	case s == ridepb.Trip_cancelled:
		return &b.stats.Cancelled
	case s == ridepb.Trip_expired:
		return &b.stats.Expired
	}
	return nil
}

func (b *book) count(s ridepb.Trip_Status, by int64) {
	if g := b.gauge(s); g != nil {
		g.Add(by)
	}
}

// progress counts a trip's first match and its driver's arrival.
func (b *book) progress(n *note) {
	if !n.matched && (occupied(n.status) || n.status == ridepb.Trip_completed) {
		n.matched = true
		b.stats.Matched.Add(1)
		if !n.due.IsZero() {
			report.Since(&b.stats.TimeToMatch, n.due)
		}
	}
	if !n.arrived && !n.due.IsZero() && (n.status == ridepb.Trip_arrived || n.status == ridepb.Trip_in_progress) {
		n.arrived = true
		b.stats.Wait.Add((b.clock.now() - n.simDue).Milliseconds())
	}
}

// kerb is what the rider tells its driver: the PIN, if known, and how long it takes to get in.
func (b *book) kerb(trip string) (pin string, board time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.of(trip)
	return n.pin, n.board
}

// version is the newest version of a trip that any client has received; 0 if none has.
func (b *book) version(trip string) uint32 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := b.trips[trip]; n != nil {
		return n.version
	}
	return 0
}

// endedTrips returns ended trips, no more than most.
func (b *book) endedTrips(most int) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for id, n := range b.trips {
		if len(out) == most {
			break
		}
		if ended(n.status) {
			out = append(out, id)
		}
	}
	return out
}

// quietTrips returns live trips, no more than most: those that have been without news for the longest.
func (b *book) quietTrips(most int) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for id, n := range b.trips {
		if n.version > 0 && !ended(n.status) {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, func(x, y string) int { return b.trips[x].heard.Compare(b.trips[y].heard) })
	return out[:min(most, len(out))]
}
