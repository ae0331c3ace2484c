package actors

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/actors/city"
	"github.com/hexhail/hexhail/actors/runtime"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// System is all the actors of this node and what they share. Make one with New, call Start once and
// Stop once; in between, its other methods are safe for concurrent use.
type System struct {
	*shared

	kinds kinds
	nodes *nodes // nil: this node is alone
	// regain asks the sweeper to wake the trips that this node has gained.
	regain chan struct{}

	stopSweeper, stopWriter context.CancelFunc // nil before Start
	sweeper, writer         sync.WaitGroup     // the sweeper with the charts, and the breadcrumb writer

	mu     sync.RWMutex
	closed bool
}

// kinds are the kinds of actors that metrics and the operators' picture distinguish.
type kinds struct{ trip, rider, driver, operator, cell, matcher, finder, watcher *runtime.Kind }

// newKinds makes the kinds of a node, which has a finder and a watcher only if there are other nodes.
func newKinds(clustered bool) kinds {
	k := kinds{
		trip: runtime.NewKind("trip"), rider: runtime.NewKind("rider"), driver: runtime.NewKind("driver"),
		operator: runtime.NewKind("operator"), cell: runtime.NewKind("cell"), matcher: runtime.NewKind("matcher"),
	}
	if clustered {
		k.finder, k.watcher = runtime.NewKind("finder"), runtime.NewKind("watcher")
	}
	return k
}

func (k *kinds) all() []*runtime.Kind {
	all := []*runtime.Kind{k.trip, k.rider, k.driver, k.operator, k.cell, k.matcher}
	if k.finder != nil {
		all = append(all, k.finder, k.watcher)
	}
	return all
}

// New makes a system over a store. It starts only protoactor's bookkeeping and opens no port.
func New(cfg Config, store Store) (*System, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &System{shared: &shared{cfg: cfg, store: store, stats: newStats()}, kinds: newKinds(cfg.Cluster != nil), regain: make(chan struct{}, 1)}
	s.setPolicy(cfg.Rules.Policy)
	s.host = runtime.New(cfg.Log, cfg.incarnation(), s.stats.deadLetters.Inc)
	s.root = s.host.Root
	place := cfg.Placement
	switch {
	case cfg.Cluster != nil:
		place = s.spread
	case place == nil:
		place = Local
	}
	s.place = place(Node{
		SpawnTrip: func(id ride.TripID) *actor.PID {
			return s.host.Spawn(s.kinds.trip, func() runtime.Shell { return newTripActor(s.shared, id) })
		},
		SpawnCell: func(geo.Cell) *actor.PID {
			return s.host.Spawn(s.kinds.cell, func() runtime.Shell { return &cellActor{drivers: make(map[ride.AccountID]*cellPut)} })
		},
		SpawnMatcher: func(zone geo.Cell) *actor.PID {
			return s.host.Spawn(s.kinds.matcher, func() runtime.Shell { return newMatcher(s.shared, zone) })
		},
		Stop: s.host.Stop,
	})
	s.rejoin = s.joinAgain
	s.crumbs = newBreadcrumbs(cfg, store, s.stats)
	picture := city.Config{
		Resolution: cfg.Resolution, Kinds: s.kinds.all(), Positions: s.stats.positionsTaken, Commits: cfg.Commits,
		Trips: store, StoreTimeout: cfg.StoreTimeout, Log: cfg.Log,
	}
	if s.nodes != nil {
		picture.Node, picture.Share = s.self, s.nodes.shareStep
	}
	s.city = city.New(picture)
	s.pace = newPace(cfg.CancelsFree, cfg.CancelsForget)
	s.workers = newWorkers(cfg.EstimatesAtOnce, maxJobs)
	s.planner, _ = cfg.ETA.(geo.Planner)
	s.fan, _ = cfg.ETA.(geo.Fan)
	s.snapper, _ = cfg.ETA.(geo.Snapper)
	_, s.quick = cfg.ETA.(geo.StraightLine)
	if s.nodes != nil {
		s.nodes.addStep, s.nodes.place.interest.seen = s.city.AddStep, s.city.DriverCells
		err := s.nodes.start(s.kinds.finder, s.kinds.watcher,
			func() runtime.Shell { return newFinder(s.shared, s.nodes.place.local.Cells) },
			func() runtime.Shell { return newWatcher(s.shared) })
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// SetPolicy makes another policy that of trips requested from now on, through this node. Trips keep the rules that
// they were requested under. The error wraps ride.ErrInvalidArgument for a policy that is none.
func (s *System) SetPolicy(p ride.Policy) error {
	rules := s.cfg.Rules
	rules.Policy = p
	if err := rules.Validate(); err != nil {
		return err
	}
	s.setPolicy(p)
	return nil
}

// Policy is the policy of trips requested now.
func (s *System) Policy() ride.Policy { return s.rules.Load().Policy }

func (s *System) setPolicy(p ride.Policy) {
	rules := s.cfg.Rules
	rules.Policy = p.Within(geo.RingM(s.cfg.Resolution), s.cfg.FastestMPS)
	s.rules.Store(&rules)
}

// spread makes the Placement of a node of a cluster.
func (s *System) spread(n Node) Placement {
	s.nodes = newNodes(*s.cfg.Cluster, s.host, n, s.cfg.Log)
	s.announceSession, s.reaches = s.nodes.announceSession, s.nodes.reaches
	s.self, s.others = s.nodes.self.node(), func() []Member { return s.nodes.table.Load().others }
	return s.nodes.place
}

// Start wakes every live trip that this node owns, so that its timers and offers resume, and starts
// the sweeper, the charts and the breadcrumb writer. The context bounds only the start.
func (s *System) Start(ctx context.Context) error {
	if err := s.wakeLive(ctx); err != nil {
		return fmt.Errorf("actors: find live trips: %w", err)
	}
	sweeping, stopSweeper := context.WithCancel(context.Background())
	writing, stopWriter := context.WithCancel(context.Background())
	s.sweeper.Go(func() { s.sweep(sweeping) })
	s.sweeper.Go(func() { s.city.Run(sweeping) })
	s.sweeper.Go(func() { s.host.Run(sweeping) })
	s.writer.Go(func() { s.crumbs.run(writing) })
	if s.nodes != nil {
		s.sweeper.Go(func() { s.nodes.run(sweeping) })
	}
	s.stopSweeper, s.stopWriter = stopSweeper, stopWriter
	return nil
}

// wakeLive wakes every live trip that this node owns.
func (s *System) wakeLive(ctx context.Context) error {
	var after ride.TripID
	for {
		ids, err := s.store.LiveTrips(ctx, after, 500)
		if err != nil {
			return err
		}
		s.wakeOwn(ids)
		if len(ids) < 500 {
			return nil
		}
		after = ids[len(ids)-1]
	}
}

// Stop refuses new sessions, lets every actor finish what it was sent, writes the last breadcrumbs
// and returns; the store must stay open until then. If the context ends first, Stop stops waiting
// and returns the context's error.
func (s *System) Stop(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	if s.stopSweeper != nil {
		s.stopSweeper() // otherwise it would wake trips again
		s.sweeper.Wait()
	}
	s.workers.stop()
	for _, pid := range s.place.PeopleHere() {
		s.stop(pid)
	}
	err := s.waitFor(ctx, func() bool {
		return s.kinds.rider.Alive()+s.kinds.driver.Alive()+s.kinds.operator.Alive() == 0
	})
	for _, pid := range s.place.TripsHere() {
		s.stop(pid)
	}
	err = errors.Join(err, s.waitFor(ctx, func() bool { return s.kinds.trip.Alive() == 0 }))
	for zone, pid := range s.place.MatchersHere() {
		s.place.RetireMatcher(zone, pid)
	}
	err = errors.Join(err, s.waitFor(ctx, func() bool { return s.kinds.matcher.Alive() == 0 }))
	if s.nodes != nil && s.nodes.watcher != nil {
		s.stop(s.nodes.finder)
		s.stop(s.nodes.watcher)
		err = errors.Join(err, s.waitFor(ctx, func() bool { return s.kinds.finder.Alive()+s.kinds.watcher.Alive() == 0 }))
	}
	if s.stopWriter != nil {
		s.stopWriter()
		s.writer.Wait()
	}
	s.host.Close()
	return err
}

// waitFor polls until done; actors do not announce their end.
func (s *System) waitFor(ctx context.Context, done func() bool) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("actors: still busy: %w", ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

// sweep wakes overdue trips that have no actor, so that every request ends, even after a crash.
func (s *System) sweep(ctx context.Context) {
	tick := time.NewTicker(s.cfg.SweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.regain:
			s.takeOver(ctx)
			continue
		}
		now := time.Now()
		s.sweepOnce(ctx, now.Add(-s.cfg.SweepGrace), s.wakeOwn)
		if s.nodes != nil {
			s.sweepOnce(ctx, now.Add(-neglectedFrom), s.wake)
		}
	}
}

// neglectedFrom is how overdue a trip must be for any node to wake it, whichever owns it.
const neglectedFrom = 30 * time.Second

// sweepOnce calls wake with the trips that were due before a time, page by page.
func (s *System) sweepOnce(ctx context.Context, due time.Time, wake func([]ride.TripID) int) {
	const page = 1000
	for after := ride.TripID(""); ; {
		c, cancel := context.WithTimeout(ctx, s.cfg.StoreTimeout)
		ids, err := s.store.Overdue(c, due, after, page)
		cancel()
		if err != nil {
			if ctx.Err() == nil {
				s.cfg.Log.Log(context.Background(), logLevel(err), "sweeper cannot read", "error", err)
			}
			return
		}
		s.stats.swept.Add(float64(wake(ids)))
		if len(ids) < page {
			return
		}
		after = ids[len(ids)-1]
	}
}

// takeOver wakes the trips that this node has gained from another; until that works it tries again.
func (s *System) takeOver(ctx context.Context) {
	c, cancel := context.WithTimeout(ctx, s.cfg.StoreTimeout)
	defer cancel()
	if err := s.wakeLive(c); err != nil && ctx.Err() == nil {
		s.cfg.Log.Log(context.Background(), logLevel(err), "trips of another node cannot be read", "error", err)
		time.AfterFunc(s.cfg.SweepEvery, s.askTakeOver)
	}
}

// askTakeOver asks the sweeper to call takeOver.
func (s *System) askTakeOver() {
	select {
	case s.regain <- struct{}{}:
	default: // it will
	}
}

// wakeOwn wakes those of the trips that this node owns and returns their number. Their owners wake
// the others.
func (s *System) wakeOwn(ids []ride.TripID) (woken int) {
	for _, id := range ids {
		if s.place.Owns(id) {
			woken += s.wake([]ride.TripID{id})
		}
	}
	return woken
}

// wake wakes trips, wherever they live, and returns their number.
func (s *System) wake(ids []ride.TripID) int {
	for _, id := range ids {
		s.root.Send(s.place.Trip(id), tripWake{})
	}
	return len(ids)
}

// CancelTrip ends a live trip for an operator and returns its new state. The error is
// a *ride.Error.
func (s *System) CancelTrip(ctx context.Context, id ride.TripID, operator ride.AccountID, reason string) (ride.Trip, error) {
	return s.operate(ctx, id, ride.CancelTrip{By: ride.ByOperator, Account: operator, Reason: reason})
}

// Redispatch takes a trip that has not started from its driver, who is not asked again, and
// searches for another. A trip that waits for a driver searches again at once. Redispatch returns
// the trip's state. The error is a *ride.Error.
func (s *System) Redispatch(ctx context.Context, id ride.TripID, reason string) (ride.Trip, error) {
	return s.operate(ctx, id, ride.Redispatch{Reason: reason})
}

func (s *System) operate(ctx context.Context, id ride.TripID, c ride.Command) (ride.Trip, error) {
	wait := s.cfg.StoreTimeout + time.Second
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(deadline))
	}
	// If the actor is just leaving, the future ends with an error: ask again.
	for range 2 {
		r, err := s.root.RequestFuture(s.place.Trip(id), operatorAct{Command: c}, wait).Result()
		if errors.Is(err, actor.ErrDeadLetter) {
			continue
		}
		if err != nil {
			break // it may yet be carried out; a second request would only report that it was
		}
		answer, ok := r.(operatorDone)
		switch {
		case !ok:
			return ride.Trip{}, ride.ErrInternal
		case answer.Err != nil:
			return ride.Trip{}, answer.Err
		default:
			return *answer.Trip, nil
		}
	}
	return ride.Trip{}, ride.ErrUnavailable
}

// Samples returns the charts' points that ended after since, oldest first, one for each step, which
// is a multiple of city.Step. If step is longer than city.Step, the last point may be incomplete.
func (s *System) Samples(since time.Time, step time.Duration) []*ridepb.Sample {
	return s.city.Samples(since, step)
}
