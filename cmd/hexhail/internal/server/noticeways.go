package server

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// The ways in which this server learns of a change.
const (
	wayNotify  = "notify"   // an announcement of Postgres
	wayPoll    = "poll"     // a read of what changed lately
	wayCatchUp = "catch_up" // after a gap: a listener that is connected again, a check that overtook a session
)

const (
	// pollEveryPostgres and pollEveryFile are the times between two polls. They keep the promise that a
	// session ends within 5 s without an announcement, while the database answers within a second.
	pollEveryPostgres = 3 * time.Second
	pollEveryFile     = time.Second
	// pollWindow is how far back a poll looks, by the database's clock. After a longer gap than
	// pollGap every account is due: the rest is for transactions that commit long after their stamp.
	pollWindow = time.Minute
	pollGap    = 30 * time.Second
	// listenPause is the time before a lost listener connects again; it doubles up to listenPauseMost,
	// and starts over after a session that lasted longer.
	listenPause     = 250 * time.Millisecond
	listenPauseMost = 5 * time.Second
)

// poll looks for changed accounts until the context ends. After a failure it looks again sooner.
func (n *notices) poll(ctx context.Context) {
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		pause := n.pollEvery
		if err := n.look(ctx); err != nil && ctx.Err() == nil {
			n.log.Debug("cannot read changes of accounts", "error", err)
			pause = min(pause, noticeRetry)
		}
		n.state.report(time.Now(), n.log)
		next.Reset(pause)
	}
}

// look reads which accounts changed lately, and makes those due whose change the sessions do not follow
// yet.
func (n *notices) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, noticeWithin)
	defer cancel()
	seen, err := n.store.ChangedAccounts(ctx, pollWindow, noticeMost)
	if err != nil {
		return err
	}
	n.state.works(time.Now())
	n.mu.Lock()
	// A clock of the database that was set, or another database after a failover, is a gap as well.
	if gap := seen.Now.Sub(n.polled); seen.More || !n.polled.IsZero() && (gap > pollGap || gap < 0) {
		n.all = true
		clear(n.applied)
	}
	n.polled = seen.Now
	for _, c := range seen.Changes {
		if !n.applied[c.ID].Equal(c.At) {
			n.addDue(c.ID, due{way: wayPoll, changed: c.At})
		}
	}
	for id, at := range n.applied {
		if at.Before(seen.Now.Add(-pollWindow)) {
			delete(n.applied, id)
		}
	}
	some := n.all || len(n.due) > 0
	n.mu.Unlock()
	if some {
		n.rouse()
	}
	return nil
}

// listen hears of changed accounts until the context ends, over one session after another.
func (n *notices) listen(ctx context.Context) {
	pause, first := listenPause, true
	for {
		began := time.Now()
		err := n.store.ListenAccounts(ctx, n)
		if ctx.Err() != nil {
			return
		}
		if was := n.state.lost(); was || first {
			n.log.Warn("changes of accounts are not announced to this server; it polls for them until they are", "error", err)
		}
		if time.Since(began) > listenPauseMost {
			pause = listenPause
		}
		first = false
		again := time.NewTimer(pause/2 + rand.N(pause/2)) // not all servers at once
		select {
		case <-ctx.Done():
			again.Stop()
			return
		case <-again.C:
		}
		pause = min(2*pause, listenPauseMost)
	}
}

// Listening implements persistence.AccountListener: what changed before may have been missed.
func (n *notices) Listening() {
	n.state.listening(time.Now())
	n.addAll()
}

// Alive implements persistence.AccountListener.
func (n *notices) Alive() { n.state.works(time.Now()) }

// Changed implements persistence.AccountListener.
func (n *notices) Changed(id ride.AccountID) { n.add(wayNotify, id) }
