package persistence

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// Health is whether the store does people's work.
type Health struct {
	// Cause is why not; CauseNone when all is well.
	Cause Cause
	// Failing means that nothing is written, or read. A cause without it is one to know of
	// while work goes on: CauseSlow.
	Failing bool
	Since   time.Time // of the cause
	Err     error     // what the database said last, if it said anything
	Wrote   time.Time // when something was written last; zero: not yet
}

// The rules of readiness. What people send is the best evidence; while there is none, a
// tiny write goes the same way as theirs once a second.
const (
	healthTick = 250 * time.Millisecond
	// checkWriteEvery is how long nothing need have been written for a write to be tried,
	// and how often reads are.
	checkWriteEvery = time.Second
	checkWithin     = 5 * time.Second
	pingWithin      = 2 * time.Second
	// failuresInRow over failingFor turn the store unready: never one failure alone.
	failuresInRow = 2
	failingFor    = time.Second
	// hangsDead and hangsAlive are how long one transaction may take until writes count as
	// failing: less when reads hang as well. Twice the time of the one before is allowed.
	hangsDead, hangsAlive = 2500 * time.Millisecond, 3500 * time.Millisecond
	// calm is how long no command must have failed for a write of ours to count as the end
	// of a trouble in which commands did: a tiny write may fit where theirs does not. It
	// doubles with each relapse, up to calmMost.
	calm, calmMost = 5 * time.Second, time.Minute
	// slowFrom is the time from which a transaction counts as slow, slowRow how many in a
	// row change the verdict.
	slowFrom = 400 * time.Millisecond
	slowRow  = 3
)

// streak is a row of failures.
type streak struct {
	n     int
	since time.Time
	err   error
}

func (s *streak) fail(now time.Time, err error) {
	if s.n++; s.n == 1 {
		s.since = now
	}
	s.err = err
}

func (s *streak) lasts(now time.Time) bool {
	return s.n >= failuresInRow && now.Sub(s.since) >= failingFor
}

// health gathers the outcomes of transactions and judges by them. Safe for concurrent use.
type health struct {
	eng  engine
	log  *slog.Logger
	path string      // of the embedded database; empty on Postgres
	file os.FileInfo // as it was opened

	mu         sync.Mutex
	writes     streak
	reads      streak
	wrote      time.Time // anything
	worked     time.Time // something of people's
	refusedAt  time.Time // when people's last failed
	began      time.Time // of the transaction under way; zero: none
	read       time.Time // when reading worked last
	took       time.Duration
	row        int  // transactions in a row that contradict slow
	slow       bool // as the last transactions were
	trying     bool // a write of ours is under way
	tried      time.Time
	pinging    bool
	nextPing   time.Time
	ticked     time.Time
	relapse    time.Duration // how long calm must last now
	recovered  time.Time
	verdict    Health
	undecided  bool // the trouble had failures of people's commands
	goroutines sync.WaitGroup
}

func newHealth(eng engine, log *slog.Logger) *health {
	return &health{eng: eng, log: log, relapse: calm}
}

// begin notes that a transaction is under way.
func (h *health) begin(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.began = now
}

// end notes what became of it. Refusals are not failures, no matter whose fault they are; nor are they
// a proof that something can be written.
func (h *health) end(batch []*item, now time.Time, err error) {
	people, wrote, judged := false, false, false
	var odd error
	for _, it := range batch {
		people = people || !it.probe
		switch {
		case it.err == nil:
			wrote = true
			judged = judged || !it.probe
		case !isRefusalOfItem(it.err):
			odd = it.err
		}
	}
	if err == nil && !wrote {
		err = odd // each item failed for itself
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	took := now.Sub(h.began)
	h.began = time.Time{}
	switch {
	case err != nil:
		h.writes.fail(now, err)
		if people {
			h.refusedAt = now
		}
		return
	case wrote:
		h.writes, h.wrote = streak{}, now
		if judged {
			h.worked = now
		}
	}
	h.time(took)
}

// time judges how fast transactions are; h.mu is held.
func (h *health) time(took time.Duration) {
	h.took = took
	if (took >= slowFrom) == h.slow {
		h.row = 0
		return
	}
	if h.row++; h.row >= slowRow {
		h.slow, h.row = !h.slow, 0
	}
}

// isRefusalOfItem reports whether an item was refused for what it asks.
func isRefusalOfItem(err error) bool {
	if errors.Is(err, ride.ErrUnavailable) || errors.Is(err, ride.ErrUnknownOutcome) {
		return false
	}
	var refusal *ride.Error
	return errors.As(err, &refusal) || isRefusal(err)
}

// judge decides again and logs each change.
func (h *health) judge(now time.Time) {
	moved := h.isMoved()
	h.mu.Lock()
	defer h.mu.Unlock()
	late := !h.ticked.IsZero() && now.Sub(h.ticked) > 4*healthTick
	h.ticked = now
	if late { // this process stood still, so how long others took says nothing
		if !h.began.IsZero() {
			h.began = now
		}
		return
	}
	next := h.decide(now, moved)
	if was := h.verdict; was.Failing && was.Cause == CauseNoAnswer && next.Failing && next.Cause == CauseSlow {
		next.Cause = CauseNoAnswer // reads have come back a moment before writes
	}
	if next.Cause == h.verdict.Cause && next.Failing == h.verdict.Failing {
		next.Since = h.verdict.Since
	} else {
		h.changed(h.verdict, &next, now)
	}
	h.verdict = next
}

// decide is judge's rule; h.mu is held.
func (h *health) decide(now time.Time, moved bool) Health {
	out := Health{Wrote: h.wrote}
	switch {
	case moved:
		out.Cause, out.Failing = CauseMoved, true
	case h.writes.lasts(now):
		out.Cause, out.Failing, out.Err = h.causeOf(now, h.writes.err), true, h.writes.err
	case h.hangs(now):
		out.Cause, out.Failing = CauseNoAnswer, true
		if now.Sub(h.read) < pingWithin+checkWriteEvery {
			out.Cause = CauseSlow // it answers reads
		}
	case h.reads.lasts(now):
		out.Cause, out.Failing, out.Err = h.causeOf(now, h.reads.err), true, h.reads.err
	case h.verdict.Failing && h.undecided && !h.worked.After(h.refusedAt) && now.Sub(h.refusedAt) < h.relapse:
		return h.verdict // our write went through; wait whether people's fail again
	case h.verdict.Failing && h.verdict.Cause != CauseMoved && h.writes.n > 0:
		return h.verdict // nothing has worked since
	case h.slow:
		out.Cause = CauseSlow
	}
	if out.Failing && h.refusedAt.After(h.worked) {
		h.undecided = true
	}
	return out
}

// hangs reports whether the transaction under way takes too long; h.mu is held.
func (h *health) hangs(now time.Time) bool {
	if h.began.IsZero() {
		return false
	}
	most := hangsDead
	if now.Sub(h.read) < hangsDead {
		most = hangsAlive
	}
	return now.Sub(h.began) >= max(most, min(2*h.took, checkWithin))
}

// causeOf names an error; a database that answers reads and not writes in time is slow.
func (h *health) causeOf(now time.Time, err error) Cause {
	c := h.eng.cause(err)
	if c == CauseNoAnswer && now.Sub(h.read) < pingWithin+checkWriteEvery {
		return CauseSlow
	}
	return c
}

// changed logs a verdict that differs from the one before; h.mu is held.
func (h *health) changed(was Health, is *Health, now time.Time) {
	is.Since = now
	switch {
	case is.Failing:
		if !was.Failing && !h.recovered.IsZero() && now.Sub(h.recovered) < calmMost && h.undecided {
			h.relapse = min(2*h.relapse, calmMost)
		} else if !was.Failing {
			h.relapse = calm
		}
		h.log.Error("not ready: "+is.Cause.Sentence(), "cause", string(is.Cause), "error", is.Err)
	case was.Failing:
		h.recovered, h.undecided = now, false
		h.log.Info("ready again: the database takes writes", "was", string(was.Cause), "seconds", int(now.Sub(was.Since).Seconds()))
		fallthrough
	case was.Cause != is.Cause:
		if is.Cause != CauseNone {
			h.log.Warn(is.Cause.Sentence(), "cause", string(is.Cause), "write_took", h.took)
		} else if !was.Failing {
			h.log.Info("the database is as fast as before", "write_took", h.took)
		}
	}
}

// isMoved reports whether the embedded database's path leads to another file, or to none.
func (h *health) isMoved() bool {
	if h.file == nil {
		return false
	}
	now, err := os.Stat(h.path)
	return errors.Is(err, os.ErrNotExist) || (err == nil && !os.SameFile(now, h.file))
}

// Health is the newest verdict, a quarter of a second old at most. It asks nothing.
func (s *Store) Health() Health {
	h := s.comm.health
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.verdict
}

// startHealth starts the goroutine that judges, until the context ends. ping reads something.
func (s *Store) startHealth(ctx context.Context, ping func(context.Context) error) {
	h := s.comm.health
	s.helpers.Go(func() {
		tick := time.NewTicker(healthTick)
		defer tick.Stop()
		defer h.goroutines.Wait()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			now := time.Now()
			h.judge(now)
			if h.mayTry(now) {
				h.goroutines.Go(func() { s.tryWrite(ctx) })
			}
			if h.mayPing(now) {
				h.goroutines.Go(func() { h.tryRead(ctx, ping) })
			}
		}
	})
}

// mayTry reports whether it is time for a write of ours: nothing is on its way, and nothing
// was written lately.
func (h *health) mayTry(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, last := range []time.Time{h.wrote, h.refusedAt, h.tried} {
		if now.Sub(last) < checkWriteEvery {
			return false
		}
	}
	if h.trying || !h.began.IsZero() {
		return false
	}
	h.trying, h.tried = true, now
	return true
}

// tryWrite submits a write of ours; the committer notes what becomes of it.
func (s *Store) tryWrite(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	it := &item{probe: true, size: 100, done: make(chan struct{})}
	_ = s.comm.submit(ctx, it)
	h := s.comm.health
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trying = false
}

func (h *health) mayPing(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.pinging || now.Before(h.nextPing) {
		return false
	}
	h.pinging, h.nextPing = true, now.Add(checkWriteEvery)
	return true
}

// tryRead reads something and notes whether that worked.
func (h *health) tryRead(ctx context.Context, ping func(context.Context) error) {
	c, cancel := context.WithTimeout(ctx, pingWithin)
	defer cancel()
	err := ping(c)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pinging = false
	switch {
	case err == nil:
		h.reads, h.read = streak{}, time.Now()
	case ctx.Err() == nil: // else the store closes
		h.reads.fail(time.Now(), err)
	}
}
