package cluster

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hexhail/hexhail/actors/cluster/membership"
	"github.com/hexhail/hexhail/actors/cluster/registry"
)

// Config says who this process is and how it reaches the others.
type Config struct {
	Self membership.Member
	// Registry is etcd; its Limits are those of the judge, too.
	Registry registry.Config
	// Ping asks a member what it counts, and returns when the context ends at the latest. It is
	// called from several goroutines at once.
	Ping func(ctx context.Context, to membership.Member) (membership.Answer, error)
	// Changed receives each new list of members, and of those that were members and leave, in order
	// and from one goroutine. It must return soon: a process that does not run looks as if it stood
	// still.
	Changed func(members, leaving []membership.Member)
	// Ended receives the verdict that this process must end, once, from the same goroutine. The
	// server then calls Close, which deletes the key, and exits.
	Ended func(end membership.End)
}

// Validate reports what is missing.
func (c Config) Validate() error {
	switch {
	case c.Self.Address == "":
		return errors.New("cluster: a member needs an address")
	case c.Ping == nil || c.Changed == nil || c.Ended == nil:
		return errors.New("cluster: a function is missing")
	}
	return c.Registry.Validate()
}

// Members is this process's place in the cluster. Start makes it and Close ends it. Its methods are
// safe for concurrent use and do not block, except as they say.
type Members struct {
	config   Config
	registry *registry.Registry
	wake     chan struct{} // the judge has had an input
	cancel   context.CancelFunc
	loop     sync.WaitGroup

	mu    sync.Mutex
	judge *membership.Judge
}

// Start joins the cluster, as soon as the registry answers.
func Start(c Config) (*Members, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c.Self.Joining = true
	judge, err := membership.New(c.Self, c.Registry.Limits, time.Now())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	m := &Members{config: c, wake: make(chan struct{}, 1), cancel: cancel, judge: judge}
	if m.registry, err = registry.Start(c.Registry, c.Self, reports{m}); err != nil {
		cancel()
		return nil, err
	}
	m.loop.Go(func() { m.run(ctx) })
	return m, nil
}

// Answer is the reply to a ping of another process. It is false once this process must end: then
// the ping stays unanswered.
func (m *Members) Answer(to membership.ID) (a membership.Answer, ok bool) {
	m.input(func(now time.Time) { a, ok = m.judge.Answer(now, to) })
	return a, ok
}

// View is what is known now.
func (m *Members) View() membership.View {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.judge.View()
}

// Database says whether this process reaches the database.
func (m *Members) Database(good bool) {
	m.input(func(now time.Time) { m.judge.Database(now, good) })
}

// Settings says that this process's settings are others than at the start; see membership.Member.
func (m *Members) Settings(settings string) {
	m.input(func(now time.Time) { m.judge.Settings(now, settings) })
}

// Ready returns nil when this process has joined and the registry answers, and otherwise why not.
func (m *Members) Ready() error { return m.registry.Status() }

// Leave tells the others to take over. It waits for the registry until the context ends; this process
// stops counting itself in any case.
func (m *Members) Leave(ctx context.Context) error {
	m.input(func(now time.Time) { m.judge.Leave(now) })
	return m.registry.Leave(ctx)
}

// Close deletes this process's key and stops. It waits for calls of Ping that are under way, and must
// not be called from Config's functions. It may be called more than once.
func (m *Members) Close() {
	m.registry.Close()
	m.cancel()
	m.loop.Wait()
}

// input lets the judge hear something.
func (m *Members) input(f func(now time.Time)) {
	m.mu.Lock()
	f(time.Now())
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default: // it is awake
	}
}

// run ticks, pings, and passes on what changes.
func (m *Members) run(ctx context.Context) {
	limits := m.config.Registry.Limits
	tick, ping := time.NewTicker(limits.Tick), time.NewTicker(limits.Ping)
	defer tick.Stop()
	defer ping.Stop()
	var pings sync.WaitGroup
	defer pings.Wait()
	var members, leaving []membership.Member
	met := map[membership.ID]bool{} // those that have been pinged
	ended := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.wake:
		case <-tick.C:
			m.input(func(now time.Time) { m.judge.Tick(now) })
		case <-ping.C:
			clear(met)
		}
		v := m.View()
		for _, to := range v.Ping {
			if !met[to.ID] { // a new one need not wait for its turn
				met[to.ID] = true
				pings.Go(func() { m.ping(ctx, to) })
			}
		}
		if v.End.Rule != membership.Stay {
			if !ended {
				m.config.Ended(v.End)
			}
			ended = true
			continue // it counts no others any more, and says nothing
		}
		if !slices.Equal(members, v.Members) || !slices.Equal(leaving, v.Leaving) {
			members, leaving = v.Members, v.Leaving
			m.config.Changed(slices.Clone(members), slices.Clone(leaving))
		}
	}
}

// ping asks one member. Two pings of it at most are under way.
func (m *Members) ping(ctx context.Context, to membership.Member) {
	ctx, cancel := context.WithTimeout(ctx, 2*m.config.Registry.Limits.Ping)
	defer cancel()
	asked := time.Now()
	a, err := m.config.Ping(ctx, to)
	if err != nil {
		return // its silence shows
	}
	m.input(func(now time.Time) { m.judge.Answered(now, asked, to.ID, a) })
}

// reports brings what the registry finds to the judge.
type reports struct{ m *Members }

// Listed implements registry.Reports.
func (r reports) Listed(asked time.Time, members []membership.Member) (join bool) {
	r.m.input(func(now time.Time) {
		r.m.judge.Listed(now, asked, members)
		join = r.m.judge.MayJoin()
	})
	return join
}

// ListFailed implements registry.Reports.
func (r reports) ListFailed(error) {
	r.m.input(func(now time.Time) { r.m.judge.ListFailed(now) })
}

// LeaseGranted implements registry.Reports.
func (r reports) LeaseGranted() {
	r.m.input(func(now time.Time) { r.m.judge.LeaseGranted(now) })
}

// LeaseLost implements registry.Reports: a process that must end does not register again.
func (r reports) LeaseLost() (again bool) {
	r.m.input(func(now time.Time) {
		r.m.judge.LeaseLost(now)
		again = r.m.judge.View().End.Rule == membership.Stay
	})
	return again
}
