package server

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/transport"
	"github.com/hexhail/hexhail/transport/auth"
	"github.com/hexhail/hexhail/transport/session"
)

const (
	// noticeMost bounds the accounts that are due, and those of one poll. Beyond it all accounts with
	// sessions are due.
	noticeMost = 10_000
	// noticeChunk bounds the accounts that are compared at once, noticeWithin the time of that, and of
	// a poll. On a slow database each may take seconds.
	noticeChunk  = 200
	noticeWithin = 4 * time.Second
	// noticeRetry is the time after which what failed is tried again.
	noticeRetry = time.Second
)

// notices keeps the sessions of this server in line with the accounts in the database, wherever those
// are changed: here, on another server, or on the command line. The transaction of such a change
// stamps the account. Postgres announces it as well, so that it is applied at once; a poll finds what
// no announcement named. Either way the account's sessions are compared with the database, which has
// the last word.
type notices struct {
	store   accountFacts
	live    liveSessions
	log     *slog.Logger
	metrics *noticeMetrics

	pollEvery time.Duration

	wake chan struct{} // holds one: something is due
	stop context.CancelFunc
	done sync.WaitGroup

	mu      sync.Mutex
	due     map[ride.AccountID]due
	all     bool                         // every account with sessions is due
	applied map[ride.AccountID]time.Time // the changes of the last polls that sessions follow, by their times
	polled  time.Time                    // the newest poll, by the database's clock
	state   noticeState
}

// due is an account whose sessions are to be compared with the database.
type due struct {
	way     string
	changed time.Time // by the poll that found it; zero: not known
}

// accountFacts is what notices reads from the database.
type accountFacts interface {
	ChangedAccounts(ctx context.Context, within time.Duration, limit int) (persistence.AccountChanges, error)
	Standings(ctx context.Context, logIns map[ride.AccountID][]string) (map[ride.AccountID]persistence.Standing, error)
	ListenAccounts(ctx context.Context, l persistence.AccountListener) error
	Notifies() bool
}

// liveSessions is what notices needs of the open sessions. See session.Registry.
type liveSessions interface {
	Disconnect(account ride.AccountID, family string, code ridepb.CloseCode)
	DisconnectOutside(account ride.AccountID, until time.Time, code ridepb.CloseCode)
	AccountChanged(a ride.Account)
	Check(account ride.AccountID) []session.LogIn
	CheckAll() map[ride.AccountID][]session.LogIn
	OnOvertaken(func(ride.AccountID))
}

func newNotices(store accountFacts, live liveSessions, log *slog.Logger) *notices {
	n := &notices{
		store: store, live: live, log: log, metrics: newNoticeMetrics(), pollEvery: pollEveryFile,
		wake: make(chan struct{}, 1), due: make(map[ride.AccountID]due), applied: make(map[ride.AccountID]time.Time),
	}
	if store.Notifies() {
		n.pollEvery = pollEveryPostgres
	}
	return n
}

// start begins to follow the database; close ends it.
func (n *notices) start(context.Context) error {
	n.state.begin(time.Now())
	n.live.OnOvertaken(func(id ride.AccountID) { n.add(wayCatchUp, id) })
	var life context.Context
	life, n.stop = context.WithCancel(context.Background()) // close calls it
	n.done.Go(func() { n.poll(life) })
	n.done.Go(func() { n.run(life) })
	if n.store.Notifies() {
		n.done.Go(func() { n.listen(life) })
	}
	return nil
}

func (n *notices) close(context.Context) error {
	n.stop()
	n.done.Wait()
	return nil
}

// run applies what is due until the context ends.
func (n *notices) run(ctx context.Context) {
	retry := time.NewTimer(noticeRetry)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
		case <-retry.C:
		}
		err := n.apply(ctx)
		if ctx.Err() != nil {
			return
		}
		n.state.tried(time.Now(), err)
		if err != nil {
			n.log.Debug("cannot compare sessions with their accounts", "error", err)
			retry.Reset(noticeRetry)
		}
	}
}

// add makes accounts due.
func (n *notices) add(way string, ids ...ride.AccountID) {
	n.mu.Lock()
	for _, id := range ids {
		n.addDue(id, due{way: way})
	}
	n.mu.Unlock()
	n.rouse()
}

// addAll makes every account with sessions due.
func (n *notices) addAll() {
	n.mu.Lock()
	n.all = true
	n.mu.Unlock()
	n.rouse()
}

// addDue makes an account due; n.mu is held. The first way in which it became due stays.
func (n *notices) addDue(id ride.AccountID, d due) {
	was, ok := n.due[id]
	switch {
	case ok:
		d.way = was.way
		if d.changed.IsZero() {
			d.changed = was.changed
		}
	case len(n.due) >= noticeMost:
		n.all = true
		return
	}
	n.due[id] = d
}

func (n *notices) rouse() {
	select {
	case n.wake <- struct{}{}:
	default: // it will look at everything
	}
}

// apply compares the sessions of all accounts that are due with the database. What it cannot do stays
// due.
func (n *notices) apply(ctx context.Context) error {
	n.mu.Lock()
	todo, all := n.due, n.all
	n.due, n.all = make(map[ride.AccountID]due), false
	n.mu.Unlock()
	logIns := n.check(todo, all)
	for chunk := range slices.Chunk(slices.Collect(maps.Keys(logIns)), noticeChunk) {
		part := make(map[ride.AccountID][]session.LogIn, len(chunk))
		for _, id := range chunk {
			part[id] = logIns[id]
		}
		if err := n.reconcile(ctx, part, todo); err != nil {
			n.putBack(todo, all)
			return err
		}
	}
	return nil
}

// check returns the log-ins that are to be compared, and takes accounts without sessions off the
// list: sessions that are being authenticated make theirs due when they are bound.
func (n *notices) check(todo map[ride.AccountID]due, all bool) map[ride.AccountID][]session.LogIn {
	out := make(map[ride.AccountID][]session.LogIn)
	if all || len(todo) > noticeChunk { // as one check: the registry remembers few
		out = n.live.CheckAll()
		if !all {
			maps.DeleteFunc(out, func(id ride.AccountID, _ []session.LogIn) bool { _, ok := todo[id]; return !ok })
		}
	} else {
		for id := range todo {
			if logIns := n.live.Check(id); len(logIns) > 0 {
				out[id] = logIns
			}
		}
	}
	for id, d := range todo {
		if _, ok := out[id]; !ok {
			n.follows(id, d.changed)
			delete(todo, id)
		}
	}
	return out
}

// putBack makes due again what was not done.
func (n *notices) putBack(todo map[ride.AccountID]due, all bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = n.all || all
	for id, d := range todo {
		n.addDue(id, d)
	}
}

// follows notes that the account's sessions follow its change of that time, if that is known and a poll
// may still find it.
func (n *notices) follows(id ride.AccountID, changed time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if changed.IsZero() || changed.Before(n.polled.Add(-pollWindow)) {
		return
	}
	if _, ok := n.applied[id]; ok || len(n.applied) < 2*noticeMost { // else the next poll does it again
		n.applied[id] = changed
	}
}

// reconcile brings the sessions of some accounts in line with the database. It is idempotent.
func (n *notices) reconcile(ctx context.Context, logIns map[ride.AccountID][]session.LogIn, todo map[ride.AccountID]due) error {
	ctx, cancel := context.WithTimeout(ctx, noticeWithin)
	defer cancel()
	families := make(map[ride.AccountID][]string, len(logIns))
	for id, of := range logIns {
		families[id] = nil
		for _, by := range of {
			if by.Family != "" {
				families[id] = append(families[id], by.Family)
			}
		}
	}
	standings, err := n.store.Standings(ctx, families)
	if err != nil {
		return err
	}
	for id, of := range logIns {
		d, wasDue := todo[id]
		st, exists := standings[id]
		if exists {
			n.enforce(st, of)
			d.changed = st.ChangedAt
		} else {
			n.live.Disconnect(id, "", ridepb.CloseRevoked)
		}
		if wasDue {
			n.metrics.applied.WithLabelValues(d.way).Inc()
		}
		n.follows(id, d.changed)
		delete(todo, id)
	}
	return nil
}

// enforce closes those sessions of an existing account that the database no longer allows, and brings
// the others up to date.
func (n *notices) enforce(st persistence.Standing, logIns []session.LogIn) {
	a := st.Account
	if a.Status != ride.AccountActive {
		n.live.Disconnect(a.ID, "", ridepb.CloseSuspended)
		return
	}
	n.live.AccountChanged(a)
	for _, by := range logIns {
		switch {
		case by.Family == "" && auth.LoggedOut(transport.Principal{Account: a, IssuedAt: by.IssuedAt}):
			n.live.DisconnectOutside(a.ID, a.TokensFrom, ridepb.CloseRevoked)
		case by.Family != "" && !slices.Contains(st.Live, by.Family):
			n.live.Disconnect(a.ID, by.Family, ridepb.CloseRevoked)
		}
	}
}
