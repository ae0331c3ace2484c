// Package learning lets a server learn from its own rides how long drives take. What it learns is in the
// database, added up over all servers on it, and in the city's maps.
package learning

import (
	"context"
	"log/slog"
	"maps"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/learn"
	"github.com/hexhail/hexhail/ride"
)

// Store keeps what was learned. Implementations are safe for concurrent use.
type Store interface {
	// AddSpeeds adds what one server learned to what all have.
	AddSpeeds(ctx context.Context, c learn.Changes) error
	// Speeds returns what all servers have learned.
	Speeds(ctx context.Context) (map[learn.Key]learn.Factor, error)
}

// Options say how a server learns. All fields are required.
type Options struct {
	City  *streets.City
	Store Store
	// TimeZone is that of the hours of the day.
	TimeZone *time.Location
	Log      *slog.Logger
}

const (
	// queued bounds the rides that wait to be learned.
	queued = 256
	// every is the time between two exchanges with the database.
	every = time.Minute
	// storeWithin bounds each of its calls.
	storeWithin = 10 * time.Second
	// endedNearM is how far from its dropoff a ride may end: elsewhere it is another one.
	endedNearM = 300
)

// finished is what is known of a ride that has ended, without any names.
type finished struct {
	from, to geo.Point
	started  time.Time
	took     time.Duration
	drivenM  float64
}

// Learning learns for one server. Start and Stop are called once each.
type Learning struct {
	o       Options
	metrics *metrics
	rides   chan finished
	end     chan struct{}
	running sync.WaitGroup
	learner *learn.Learner // of the goroutine alone, once it runs
	stored  map[learn.Key]learn.Factor
	failing bool            // the last exchange failed
	last    context.Context // of the stop; set before end is closed
}

// New makes a Learning that has learned nothing yet.
func New(o Options) *Learning {
	return &Learning{o: o, metrics: newMetrics(), rides: make(chan finished, queued), end: make(chan struct{}), learner: learn.New()}
}

// Start reads what was learned before and begins to learn. It never fails: a database that does not answer
// is asked again.
func (l *Learning) Start(ctx context.Context) error {
	l.exchange(ctx)
	l.running.Go(l.run)
	return nil
}

// Stop learns from the rides that wait, saves what was learned for as long as the context allows, and ends.
func (l *Learning) Stop(ctx context.Context) error {
	l.last = ctx
	close(l.end)
	l.running.Wait()
	return nil
}

func (l *Learning) run() {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case r := <-l.rides:
			l.learn(r)
		case <-tick.C:
			l.exchange(context.Background())
		case <-l.end:
			for {
				select {
				case r := <-l.rides:
					l.learn(r)
					continue
				default:
				}
				l.exchange(l.last)
				return
			}
		}
	}
}

// Ended takes note of a trip that has ended. Anyone may call it; it does not block, and drops the ride when
// too many wait. Only completed rides count whose whole way was measured and that ended near
// their dropoff.
func (l *Learning) Ended(t *ride.Trip) {
	if t.Status != ride.StatusCompleted || t.Fare == nil || !t.Fare.Basis.Whole() || t.StartedAt.IsZero() {
		l.metrics.rides[unmeasured].Inc()
		return
	}
	if m := t.Completion; m != nil && m.Located && m.DistanceM-m.AccuracyM > endedNearM {
		l.metrics.rides[elsewhere].Inc()
		return
	}
	r := finished{t.Request.Pickup, t.Request.Dropoff, t.StartedAt, t.EndedAt.Sub(t.StartedAt), t.Fare.MeasuredM}
	select {
	case l.rides <- r:
	default:
		l.metrics.rides[dropped].Inc()
	}
}

// learn plans a ride again and learns from it.
func (l *Learning) learn(r finished) {
	defer func() {
		if p := recover(); p != nil { // one strange ride must not end the server
			l.o.Log.Error("learning from a ride panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	m := l.o.City.Map()
	if m == nil {
		l.metrics.rides[offMap].Inc()
		return
	}
	ctx := context.Background()
	from, to := geo.Place{Point: r.from}, geo.Place{Point: r.to}
	parts, err := m.Breakdown(ctx, from, to)
	plan, err2 := m.Plan(ctx, from, to, r.started)
	if err != nil || err2 != nil {
		l.metrics.rides[offMap].Inc()
		return
	}
	planned := plan.Duration + m.Model().Ride
	verdict, _ := l.learner.Observe(learn.Ride{
		Parts: parts, Hour: streets.HourOf(r.started.In(l.o.TimeZone)), DrivenM: r.drivenM, Took: r.took,
	}, planned)
	l.metrics.rides[string(verdict)].Inc()
	if verdict == learn.Learned {
		l.metrics.ratio.Observe(r.took.Seconds() / planned.Seconds())
	}
}

// exchange saves what was learned here, reads what all servers have learned, and teaches it to the city's
// maps.
func (l *Learning) exchange(ctx context.Context) {
	changes := l.learner.Changes()
	err := l.within(ctx, func(ctx context.Context) error { return l.o.Store.AddSpeeds(ctx, changes) })
	if err != nil {
		l.learner.Restore(changes)
	}
	var stored map[learn.Key]learn.Factor
	if err == nil {
		err = l.within(ctx, func(ctx context.Context) (err error) {
			stored, err = l.o.Store.Speeds(ctx)
			return err
		})
	}
	switch {
	case err != nil && !l.failing:
		l.o.Log.Warn("what was learned of travel times cannot be exchanged with the database; trying again every minute", "error", err)
	case err == nil && l.failing:
		l.o.Log.Info("what was learned of travel times is exchanged with the database again")
	}
	if l.failing = err != nil; l.failing {
		l.metrics.failures.Inc()
		return
	}
	l.learner.Put(stored)
	if maps.Equal(stored, l.stored) {
		return
	}
	l.stored = stored
	learned := l.learner.Learned(l.o.TimeZone)
	if err := l.o.City.Learn(learned); err != nil {
		l.o.Log.Error("the map refuses what was learned of travel times", "error", err)
		return
	}
	l.metrics.show(l.learner.Rides(), learned)
}

func (l *Learning) within(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, storeWithin)
	defer cancel()
	return f(ctx)
}
