package actors

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// roads is an ETA source that takes its time, and for which some drivers have far to go.
type roads struct {
	geo.StraightLine

	takes time.Duration
	far   geo.Point // drivers nearer than 50 m to it go 5 km around
	calls *atomic.Int32
}

var _ geo.Fan = roads{}

func (r roads) Route(ctx context.Context, from, to geo.Point) (geo.Route, error) {
	all, err := r.To(ctx, []geo.Place{{Point: from}}, geo.Place{Point: to}, time.Time{})
	if err != nil {
		return geo.Route{}, err
	}
	return all[0], nil
}

func (r roads) To(ctx context.Context, from []geo.Place, to geo.Place, _ time.Time) ([]geo.Route, error) {
	if r.calls != nil {
		r.calls.Add(1)
	}
	if r.takes > 0 {
		select {
		case <-time.After(r.takes):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	out := make([]geo.Route, len(from))
	for i, f := range from {
		way, err := r.StraightLine.Route(ctx, f.Point, to.Point)
		if err != nil {
			return nil, err
		}
		way.By = geo.ByStreets
		if geo.DistanceM(f.Point, r.far) < 50 {
			way.DistanceM, way.Duration = way.DistanceM+5000, way.Duration+10*time.Minute
		}
		out[i] = way
	}
	return out, nil
}

func (r roads) From(ctx context.Context, from geo.Place, to []geo.Place, at time.Time) ([]geo.Route, error) {
	return r.To(ctx, to, from, at)
}

func (w *world) waves(trip string) (out []ride.WavePlanned) {
	events, err := w.store.TripEvents(context.Background(), ride.TripID(trip))
	require.NoError(w.t, err)
	for _, e := range events {
		if p, ok := e.Event.(ride.WavePlanned); ok {
			out = append(out, p)
		}
	}
	return out
}

// TestDispatchRanksByRoad: the driver nearest as the crow flies is behind a river.
func TestDispatchRanksByRoad(t *testing.T) {
	far := geo.Destination(pickup, 0, 100)
	inWorld(t, func(c *Config) {
		c.ETA, c.BesideDriving = roads{far: far}, func() time.Duration { return 45 * time.Second }
		c.Detour = func() float64 { return 1.05 }
	}, func(w *world) {
		w.driver("river", 100)
		w.driver("near", 900)
		trip := w.rider("r").request().GetTrip()
		require.NotNil(t, trip)
		wave := w.waves(trip.GetId())[0]
		require.Len(t, wave.Considered, 2)
		require.EqualValues(t, "near", wave.Considered[0].Driver)
		require.Equal(t, "streets", wave.Considered[0].By)
		require.Greater(t, wave.Considered[1].DistanceM, 5000.0)

		stored, err := w.store.Trip(t.Context(), ride.TripID(trip.GetId()))
		require.NoError(t, err)
		require.Equal(t, "streets", stored.Estimate.By)
		crow := greatCircle(pickup, dropoff)
		require.Equal(t, crow.Duration+45*time.Second, stored.Estimate.Duration)
		require.InDelta(t, 1.05*crow.DistanceM, stored.Estimate.DistanceM, 1e-6)
		require.InDelta(t, stored.Estimate.DistanceM, stored.Estimate.Fare.DistanceM, 1e-6)
		require.Equal(t, stored.Estimate.Fare.Duration, stored.Estimate.Duration)
	})
}

// TestASlowEstimateKeepsNoActorWaiting: the rider's actor answers others meanwhile, and a request that is sent
// twice makes one trip.
func TestASlowEstimateKeepsNoActorWaiting(t *testing.T) {
	inWorld(t, func(c *Config) { c.ETA = roads{takes: 300 * time.Millisecond} }, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		request := func() *ridepb.ClientFrame {
			return &ridepb.ClientFrame{Id: "twice", Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: requestTrip()}}
		}
		r.inbox.Command(request())
		r.inbox.Command(request())
		begun := time.Now()
		refused := r.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_CancelTrip{CancelTrip: &ridepb.CancelTrip{TripId: "none"}}})
		require.NotNil(t, refused.GetError())
		require.Less(t, time.Since(begun), 300*time.Millisecond, "it did not wait for the estimate")
		pass(2 * time.Second)
		require.NotNil(t, r.box.reply("twice").GetTrip())
		require.Len(t, w.store.trips, 1)
		require.Len(t, d.offers(), 1)
	})
}

// TestOneRiderDoesNotFillTheQueueOfEstimates.
func TestOneRiderDoesNotFillTheQueueOfEstimates(t *testing.T) {
	inWorld(t, func(c *Config) { c.ETA = roads{takes: 300 * time.Millisecond} }, func(w *world) {
		r := w.rider("r")
		for range maxPriced {
			r.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: requestTrip()}})
		}
		one := r.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: requestTrip()}})
		require.Equal(t, ride.ErrTooMany.Code, r.box.reply(one).GetError().GetCode())
	})
}

// TestALateEstimateIsAStraightLine, and the record says so.
func TestALateEstimateIsAStraightLine(t *testing.T) {
	inWorld(t, func(c *Config) { c.ETA = roads{takes: time.Hour} }, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		id := r.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_GetQuote{GetQuote: &ridepb.GetQuote{
			Pickup: view.Point(pickup), Dropoff: view.Point(dropoff),
		}}})
		pass(2 * w.sys.cfg.EstimateTimeout)
		quotes := r.box.reply(id).GetQuotes().GetQuotes()
		require.NotEmpty(t, quotes)
		require.EqualValues(t, 1, quotes[0].GetDriversNearby())
		require.NotZero(t, quotes[0].GetPickupEtaS())

		id = r.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: requestTrip()}})
		pass(3 * w.sys.cfg.EstimateTimeout)
		trip := r.box.reply(id).GetTrip()
		require.NotNil(t, trip)
		require.Len(t, d.offers(), 1)
		require.Equal(t, "crow", w.waves(trip.GetId())[0].Considered[0].By)
		stored, err := w.store.Trip(t.Context(), ride.TripID(trip.GetId()))
		require.NoError(t, err)
		require.Equal(t, "crow", stored.Estimate.By)
	})
}

// TestASearchThatEndsWhileWaysAreEstimated: a trip that is cancelled then gets no wave.
func TestASearchThatEndsWhileWaysAreEstimated(t *testing.T) {
	source := roads{takes: 300 * time.Millisecond, calls: new(atomic.Int32)}
	inWorld(t, func(c *Config) {
		c.ETA = source
	}, func(w *world) {
		r := w.rider("r")
		id := r.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: requestTrip()}})
		pass(time.Second)
		trip := r.box.reply(id).GetTrip()
		require.NotNil(t, trip)
		planned := len(w.waves(trip.GetId()))
		before := source.calls.Load()
		d := w.driver("d", 100) // its arrival starts a search, whose ways take a while
		synctest.Wait()
		require.Greater(t, source.calls.Load(), before)
		require.NotNil(t, r.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_CancelTrip{CancelTrip: &ridepb.CancelTrip{TripId: trip.GetId()}}}).GetTrip())
		pass(2 * time.Second)
		require.Len(t, w.waves(trip.GetId()), planned)
		require.Empty(t, d.offers())
	})
}

// TestEstimatesAreBounded: what does not fit is a straight line at once, and counted.
func TestEstimatesAreBounded(t *testing.T) {
	inWorld(t, func(c *Config) { c.ETA = roads{takes: time.Minute} }, func(w *world) {
		free := make(chan struct{})
		defer close(free)
		for w.sys.workers.do(func() { <-free }) {
		}
		r := w.rider("r")
		require.NotNil(t, r.request().GetTrip(), "at once")
		var counted dto.Metric
		require.NoError(t, w.sys.stats.hurried.Write(&counted))
		require.Equal(t, 1.0, counted.GetCounter().GetValue(), "no driver was found, so the trip was estimated, and no way")
	})
}

// TestDriversAreSnappedWhereTheyReport: dispatch gets the street of a driver's place from its cell.
func TestDriversAreSnappedWhereTheyReport(t *testing.T) {
	source := &snaps{}
	inWorld(t, func(c *Config) { c.ETA = source }, func(w *world) {
		w.driver("d", 100)
		require.NotNil(t, w.rider("r").request().GetTrip())
		for _, from := range source.asked.Load().([]geo.Place) {
			require.Equal(t, geo.Snap{Map: 7, AwayM: 1}, from.Snap)
		}
	})
}

// snaps knows one street, and notes what dispatch asks.
type snaps struct {
	roads

	asked atomic.Value
}

func (s *snaps) Snap(geo.Place) (geo.Snap, error) { return geo.Snap{Map: 7, AwayM: 1}, nil }

func (s *snaps) To(ctx context.Context, from []geo.Place, to geo.Place, at time.Time) ([]geo.Route, error) {
	if len(from) > 0 && from[0].Point != pickup && !from[0].Snap.IsZero() {
		s.asked.Store(from)
	}
	return s.roads.To(ctx, from, to, at)
}
