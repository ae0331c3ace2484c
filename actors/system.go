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

	stopSweeper, stopWriter context.CancelFunc // nil before Start
	sweeper, writer         sync.WaitGroup     // the sweeper with the charts, and the breadcrumb writer

	mu     sync.RWMutex
	closed bool
}

// kinds are the kinds of actors that metrics and the operators' picture distinguish.
type kinds struct{ trip, rider, driver, operator, cell *runtime.Kind }

func newKinds() kinds {
	return kinds{
		trip: runtime.NewKind("trip"), rider: runtime.NewKind("rider"), driver: runtime.NewKind("driver"),
		operator: runtime.NewKind("operator"), cell: runtime.NewKind("cell"),
	}
}

func (k *kinds) all() []*runtime.Kind {
	return []*runtime.Kind{k.trip, k.rider, k.driver, k.operator, k.cell}
}

// New makes a system over a store. It starts only protoactor's bookkeeping and opens no port.
func New(cfg Config, store Store) (*System, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &System{shared: &shared{cfg: cfg, store: store, stats: newStats()}, kinds: newKinds()}
	s.host = runtime.New(cfg.Log, s.stats.deadLetters.Inc)
	s.root = s.host.Root
	place := cfg.Placement
	if place == nil {
		place = Local
	}
	s.place = place(Node{
		SpawnTrip: func(id ride.TripID) *actor.PID {
			return s.host.Spawn(s.kinds.trip, func() runtime.Shell { return newTripActor(s.shared, id) })
		},
		SpawnCell: func(geo.Cell) *actor.PID {
			return s.host.Spawn(s.kinds.cell, func() runtime.Shell { return &cellActor{drivers: make(map[ride.AccountID]*cellPut)} })
		},
		Stop: s.host.Stop,
	})
	s.rejoin = s.joinAgain
	s.crumbs = newBreadcrumbs(cfg, store, s.stats)
	s.city = city.New(city.Config{
		Resolution: cfg.Resolution, Kinds: s.kinds.all(), Positions: s.stats.positionsTaken, Commits: cfg.Commits,
		Trips: store, StoreTimeout: cfg.StoreTimeout, Log: cfg.Log,
	})
	s.pace = newPace(cfg.CancelsFree, cfg.CancelsForget)
	return s, nil
}

// Start wakes every live trip that this node owns, so that its timers and offers resume, and starts
// the sweeper, the charts and the breadcrumb writer. The context bounds only the start.
func (s *System) Start(ctx context.Context) error {
	var after ride.TripID
	for {
		ids, err := s.store.LiveTrips(ctx, after, 500)
		if err != nil {
			return fmt.Errorf("actors: find live trips: %w", err)
		}
		s.wakeOwn(ids)
		if len(ids) < 500 {
			break
		}
		after = ids[len(ids)-1]
	}
	sweeping, stopSweeper := context.WithCancel(context.Background())
	writing, stopWriter := context.WithCancel(context.Background())
	s.sweeper.Go(func() { s.sweep(sweeping) })
	s.sweeper.Go(func() { s.city.Run(sweeping) })
	s.sweeper.Go(func() { s.host.Run(sweeping) })
	s.writer.Go(func() { s.crumbs.run(writing) })
	s.stopSweeper, s.stopWriter = stopSweeper, stopWriter
	return nil
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
		}
		c, cancel := context.WithTimeout(ctx, s.cfg.StoreTimeout)
		ids, err := s.store.Overdue(c, time.Now().Add(-s.cfg.SweepGrace), 1000)
		cancel()
		if err != nil {
			if ctx.Err() == nil {
				s.cfg.Log.Log(context.Background(), logLevel(err), "sweeper cannot read", "error", err)
			}
			continue
		}
		s.stats.swept.Add(float64(s.wakeOwn(ids)))
	}
}

// wakeOwn wakes those of the trips that this node owns and returns their number. Their owners wake
// the others.
func (s *System) wakeOwn(ids []ride.TripID) (woken int) {
	for _, id := range ids {
		if s.place.Owns(id) {
			s.root.Send(s.place.Trip(id), tripWake{})
			woken++
		}
	}
	return woken
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

// Actors counts the actors of this node by kind.
func (s *System) Actors() []*ridepb.ActorKind { return s.city.Actors() }
