package crash

import (
	"context"
	"sync"
	"time"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/sim/check"
)

// activations are how often trips had been activated when they ended: their fences. A trip is activated
// again after its end, when a command to it is repeated; that is no sign of two nodes that take it
// from each other. They may be used from any goroutine.
type activations struct {
	store *persistence.Store
	ended chan ride.TripID
	stop  context.CancelFunc
	done  sync.WaitGroup

	mu     sync.Mutex
	fences map[ride.TripID]int64
	missed int // trips whose fence was not read in time
}

// fenceWithin is how long after a trip's end its fence may be read, and fenceEach how often that is
// tried while the database does not answer.
const (
	fenceWithin = 10 * time.Second
	fenceEach   = 500 * time.Millisecond
	keepEnded   = 1024 // trips whose fence is not read yet
)

// follow begins to read the fences of trips that end, until end is called.
func (a *activations) follow(ctx context.Context, o persistence.Options) error {
	store, err := persistence.Open(ctx, o)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	a.store, a.stop, a.ended, a.fences = store, stop, make(chan ride.TripID, keepEnded), make(map[ride.TripID]int64)
	for range 2 {
		a.done.Go(func() {
			for {
				select {
				case id := <-a.ended:
					a.read(ctx, id)
				case <-ctx.Done():
					return
				}
			}
		})
	}
	return nil
}

// watch notes the end of a trip, the first time that a client sees it.
func (a *activations) watch(r check.Record) {
	if a.ended == nil || (r.What != check.TripNews && r.What != check.Return) || r.Trip == "" || !r.Ends() {
		return
	}
	id := ride.TripID(r.Trip)
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.fences[id]; known {
		return
	}
	a.fences[id] = 0
	select {
	case a.ended <- id:
	default:
		a.missed++
	}
}

// read reads a trip's fence.
func (a *activations) read(ctx context.Context, id ride.TripID) {
	ctx, cancel := context.WithTimeout(ctx, fenceWithin)
	defer cancel()
	for {
		t, err := a.store.Trip(ctx, id)
		a.mu.Lock()
		switch {
		case err == nil:
			a.fences[id] = t.Fence
		case ctx.Err() != nil:
			a.missed++
		}
		a.mu.Unlock()
		if err == nil || ctx.Err() != nil {
			return
		}
		t0 := time.NewTimer(fenceEach)
		select {
		case <-t0.C:
		case <-ctx.Done():
		}
		t0.Stop()
	}
}

// end stops the reading. More calls do nothing.
func (a *activations) end() error {
	if a.stop == nil {
		return nil
	}
	a.stop()
	a.done.Wait()
	a.stop = nil
	return a.store.Close()
}

// fence is how often a trip had been activated at its end; 0: that is not known.
func (a *activations) fence(id ride.TripID) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.fences[id]
}

// window is the time of a fault.
type window struct {
	from, to time.Time
	moves    int64 // how often it may activate a trip
}

// allowed is how often a trip may be activated between two moments: at first, once more, and as often as the
// faults meanwhile can move it.
func allowed(faults []window, from, to time.Time) int64 {
	n := int64(2)
	for _, w := range faults {
		if w.from.Before(to) && w.to.After(from) {
			n += w.moves
		}
	}
	return n
}

// windows are the times of all faults.
func (c *cluster) windows() (out []window) {
	if c.city == nil {
		return nil
	}
	begun := c.city.StartedAt()
	for _, e := range c.episodes {
		out = append(out, window{from: begun.Add(time.Duration(e.began)), to: begun.Add(time.Duration(e.ended)), moves: e.fault.form().moves})
	}
	return out
}

// judgeActivations judges how often a trip was activated until it ended.
func (s *stored) judgeActivations(id ride.TripID, fence int64, from, to time.Time) {
	s.mostActivations = max(s.mostActivations, int(fence))
	if most := allowed(s.faults, from, to); fence > most {
		s.verdict.add(fewActivations, "trip %s was activated %d times until it ended; with the faults in its life it may be %d times", id, fence, most)
	}
}

// committed is the end of a trip, as the database holds it, for the checker.
func (s *stored) committed(t ride.Trip, events []ride.StoredEvent) {
	last := -1
	for i, e := range events {
		switch e.Event.(type) {
		case ride.Completed, ride.Cancelled, ride.Expired:
			last = i
		}
	}
	if last < 0 {
		return
	}
	at := events[last].Event.When()
	s.ends = append(s.ends, check.Record{
		At: int64(at.Sub(s.evidence.startedAt)), What: check.Committed, Trip: string(t.ID), Version: uint32(events[last].Version),
		Status: statusName(t.Status),
	})
	if s.fence == nil {
		return
	}
	s.over++
	if fence := s.fence(t.ID); fence > 0 {
		s.judgeActivations(t.ID, fence, events[0].Event.When(), at)
	} else {
		s.unread++
	}
}
