package auth

import (
	"sync"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport"
)

// tickets remembers unredeemed tickets by their hash. They live in the memory of the
// node that made them. Safe for concurrent use.
type tickets struct {
	mu    sync.Mutex
	open  map[string]ticket
	order []string // hashes, oldest first; all live equally long
	most  int
}

type ticket struct {
	principal transport.Principal
	expires   time.Time
}

func newTickets(most int) *tickets {
	return &tickets{open: make(map[string]ticket), most: most}
}

// put remembers a ticket, or refuses with ride.ErrUnavailable when there are too many.
func (t *tickets) put(hash string, tk ticket, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweep(now)
	if len(t.order) >= t.most {
		return ride.ErrUnavailable.With("Too many unused tickets.")
	}
	t.open[hash] = tk
	t.order = append(t.order, hash)
	return nil
}

// take hands a ticket out once.
func (t *tickets) take(hash string, now time.Time) (transport.Principal, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	tk, ok := t.open[hash]
	delete(t.open, hash)
	t.sweep(now)
	return tk.principal, ok && now.Before(tk.expires)
}

// sweep forgets what was used or has expired, from the oldest on. Used tickets
// count against the bound until the ones before them are gone: at most 30 s.
func (t *tickets) sweep(now time.Time) {
	n := 0
	for _, h := range t.order {
		if tk, ok := t.open[h]; ok && now.Before(tk.expires) {
			break
		}
		delete(t.open, h)
		n++
	}
	t.order = append(t.order[:0], t.order[n:]...)
}
