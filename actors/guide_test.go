package actors

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	polyline "github.com/twpayne/go-polyline"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// grid is a city whose streets lead north and east: a drive goes to the latitude of its goal first.
type grid struct {
	geo.StraightLine
	asked *atomic.Int64
	off   *atomic.Bool // everything is off the map
}

func newGrid() grid { return grid{asked: new(atomic.Int64), off: new(atomic.Bool)} }

// Plan implements geo.Planner.
func (g grid) Plan(_ context.Context, from, to geo.Place, _ time.Time) (geo.Plan, error) {
	g.asked.Add(1)
	if g.off.Load() {
		return geo.Plan{}, fmt.Errorf("plan: %w", geo.ErrNoRoute)
	}
	corner := geo.Point{Lat: to.Point.Lat, Lng: from.Point.Lng}
	first, second := geo.DistanceM(from.Point, corner), geo.DistanceM(corner, to.Point)
	route := func(m float64) geo.Route {
		return geo.Route{DistanceM: m, Duration: time.Duration(m / 10 * float64(time.Second)), By: geo.ByStreets}
	}
	return geo.Plan{
		Route: route(first + second), Line: []geo.Point{from.Point, corner, to.Point}, MapID: "grid",
		Steps: []geo.Step{
			{Turn: geo.TurnDepart, Street: "North Street", Route: route(first)},
			{Turn: geo.TurnRight, Street: "East Street", Route: route(second), Index: 1},
			{Turn: geo.TurnArrive, Street: "East Street", Index: 2},
		},
	}, nil
}

func onGrid(g grid) func(*Config) { return func(c *Config) { c.ETA = g } }

// lineOf reads a route's line.
func lineOf(t *testing.T, r *ridepb.TripRoute) []geo.Point {
	t.Helper()
	coords, rest, err := polyline.DecodeCoords([]byte(r.GetPolyline()))
	require.NoError(t, err)
	require.Empty(t, rest)
	require.GreaterOrEqual(t, len(coords), 2)
	out := make([]geo.Point, len(coords))
	for i, c := range coords {
		out[i] = geo.Point{Lat: c[0], Lng: c[1]}
	}
	return out
}

// match makes a trip for a rider and a driver who is some metres north of the pickup.
func (w *world) match(r, d *client) (trip string) {
	w.t.Helper()
	trip = r.request().GetTrip().GetId()
	require.NotNil(w.t, d.accept(d.offer()).GetTrip())
	return trip
}

func last[T any](t *testing.T, list []T) T {
	t.Helper()
	require.NotEmpty(t, list)
	return list[len(list)-1]
}

// The parties of a ride get its routes, and no one else does.
func TestRoutesOfARide(t *testing.T) {
	inWorld(t, onGrid(newGrid()), func(w *world) {
		other := w.driver("other", 300)
		d, r := w.driver("d", 200), w.rider("r")
		require.Nil(t, d.connected().GetRoute())
		trip := w.match(r, d)

		mine := last(t, d.box.shownRoutes())
		require.Equal(t, trip, mine.GetTripId())
		require.Equal(t, ridepb.TripRoute_pickup, mine.GetLeg())
		require.Equal(t, ridepb.TripRoute_streets, mine.GetBy())
		require.Equal(t, "grid", mine.GetMapId())
		require.EqualValues(t, 200, mine.GetDistanceM())
		require.EqualValues(t, 20, mine.GetDurationS())
		line := lineOf(t, mine)
		require.Less(t, geo.DistanceM(line[0], geo.Destination(pickup, 0, 200)), 2.0)
		require.Less(t, geo.DistanceM(line[2], pickup), 2.0)
		steps := mine.GetSteps()
		require.Len(t, steps, 3)
		require.Equal(t, ridepb.RouteStep_right, steps[1].GetTurn())
		require.Equal(t, "East Street", steps[1].GetStreet())
		require.EqualValues(t, 1, steps[1].GetIndex())
		require.Equal(t, ridepb.RouteStep_arrive, steps[2].GetTurn())
		require.Empty(t, r.box.shownRoutes(), "where the driver was before the match is no business of the rider")

		d.at(geo.Destination(pickup, 0, 150))
		theirs := last(t, r.box.shownRoutes())
		require.Equal(t, mine.GetRevision(), theirs.GetRevision())
		require.Empty(t, theirs.GetSteps())
		require.EqualValues(t, 150, theirs.GetDistanceM())
		require.Less(t, geo.DistanceM(lineOf(t, theirs)[0], geo.Destination(pickup, 0, 150)), 2.0)
		move := last(t, r.box.positions())
		require.Equal(t, mine.GetRevision(), move.GetRouteRevision())
		require.EqualValues(t, 150, move.GetLeftM())
		require.EqualValues(t, 15, move.GetEtaS())

		pass(10 * time.Second)
		d.at(geo.Destination(pickup, 0, 10))
		require.EqualValues(t, 10, last(t, r.box.positions()).GetLeftM())
		require.NotNil(t, d.arrived(trip).GetTrip())
		require.NotNil(t, d.start(trip, "").GetTrip())
		for _, c := range []*client{d, r} {
			require.Len(t, c.box.shownRoutes(), 2)
			ride := last(t, c.box.shownRoutes())
			require.Equal(t, ridepb.TripRoute_ride, ride.GetLeg())
			require.Greater(t, ride.GetRevision(), mine.GetRevision())
			require.Less(t, geo.DistanceM(last(t, lineOf(t, ride)), dropoff), 2.0)
		}
		require.Empty(t, last(t, r.box.shownRoutes()).GetSteps())

		d.at(geo.Destination(pickup, 0, 100))
		require.NotNil(t, d.complete(trip).GetTrip())
		d.at(geo.Destination(pickup, 0, 200))
		require.Len(t, r.box.shownRoutes(), 2)
		require.Empty(t, other.box.shownRoutes())
	})
}

// slowGrid is a grid whose plans take a while.
type slowGrid struct {
	grid
	takes time.Duration
}

func (g slowGrid) Plan(ctx context.Context, from, to geo.Place, at time.Time) (geo.Plan, error) {
	time.Sleep(g.takes)
	return g.grid.Plan(ctx, from, to, at)
}

// A plan that comes after the first position of the trip began before the match, too: the rider gets what lies
// ahead of that position.
func TestALateRouteBeginsWhereTheDriverIs(t *testing.T) {
	slow := slowGrid{newGrid(), 5 * time.Second}
	inWorld(t, func(c *Config) { c.ETA = slow }, func(w *world) {
		d, r := w.driver("d", 200), w.rider("r")
		w.match(r, d)
		d.at(geo.Destination(pickup, 0, 150))
		require.Empty(t, r.box.shownRoutes(), "it is being planned")
		pass(10 * time.Second)
		theirs := last(t, r.box.shownRoutes())
		require.Less(t, geo.DistanceM(lineOf(t, theirs)[0], geo.Destination(pickup, 0, 150)), 2.0)
		require.EqualValues(t, 150, theirs.GetDistanceM())
		require.GreaterOrEqual(t, theirs.GetRevision(), uint32(5000), "it rises with time, so that another actor's are higher")
	})
}

// Without a planner, and off the map, a route is a straight line, and what is left is estimated as ever.
func TestStraightRoutes(t *testing.T) {
	off := newGrid()
	off.off.Store(true)
	for name, change := range map[string]func(*Config){"no planner": nil, "off the map": onGrid(off)} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, change, func(w *world) {
				d, r := w.driver("d", 200), w.rider("r")
				w.match(r, d)
				mine := last(t, d.box.shownRoutes())
				require.Equal(t, ridepb.TripRoute_crow, mine.GetBy())
				require.Len(t, lineOf(t, mine), 2)
				require.Empty(t, mine.GetSteps())
				require.EqualValues(t, 260, mine.GetDistanceM())
				for _, metres := range []float64{150, 400, 20} { // it need not follow the line
					at := geo.Destination(pickup, 90, metres)
					pass(30 * time.Second)
					d.at(at)
					move, want := last(t, r.box.positions()), greatCircle(at, pickup)
					require.InDelta(t, want.DistanceM, move.GetLeftM(), 1)
					require.InDelta(t, want.Duration.Seconds(), move.GetEtaS(), 1)
				}
				require.Len(t, r.box.shownRoutes(), 1)
				require.Len(t, d.box.shownRoutes(), 1)
			})
		})
	}
	require.Positive(t, off.asked.Load())
}

// A car that leaves its route gets another one, but not with each position; back on the map, too.
func TestRouteIsPlannedAgain(t *testing.T) {
	g := newGrid()
	inWorld(t, onGrid(g), func(w *world) {
		d, r := w.driver("d", 2000), w.rider("r")
		w.match(r, d)
		d.at(geo.Destination(pickup, 0, 1990))
		first := last(t, d.box.shownRoutes())
		require.EqualValues(t, 1, g.asked.Load())

		aside := func(i int) geo.Point {
			return geo.Destination(geo.Destination(pickup, 0, 1990), 90, 60+10*float64(i))
		}
		pass(5 * time.Second)
		d.at(aside(0))
		require.EqualValues(t, 1, g.asked.Load(), "one position may be an outlier")
		pass(replanEvery)
		d.at(aside(1))
		require.EqualValues(t, 2, g.asked.Load())
		second := last(t, d.box.shownRoutes())
		require.Greater(t, second.GetRevision(), first.GetRevision())
		require.Less(t, geo.DistanceM(lineOf(t, second)[0], aside(1)), 2.0)
		require.Equal(t, second.GetRevision(), last(t, r.box.shownRoutes()).GetRevision())

		far := func(i int) geo.Point { return geo.Destination(aside(1), 90, 80+20*float64(i)) }
		for i := range 4 {
			d.at(far(i))
		}
		require.EqualValues(t, 2, g.asked.Load(), "too soon")

		g.off.Store(true)
		pass(replanEvery)
		d.at(far(4))
		require.Equal(t, ridepb.TripRoute_crow, last(t, d.box.shownRoutes()).GetBy())
		g.off.Store(false)
		pass(retryPlanEvery)
		d.at(far(6))
		require.Equal(t, ridepb.TripRoute_streets, last(t, d.box.shownRoutes()).GetBy())
		revisions := d.box.shownRoutes()
		for i, route := range revisions[1:] {
			require.Greater(t, route.GetRevision(), revisions[i].GetRevision())
		}
	})
}

// A client that comes back has the current route, on this node and on others, and after a crash with the
// driver's next position.
func TestRouteAfterReconnecting(t *testing.T) {
	inClusterWith(t, 3, onGrid(newGrid()), func(c *cluster) {
		d, r := c.nodes[1].driver("d", 500), c.nodes[0].rider("r")
		trip := r.request().GetTrip().GetId()
		require.NotNil(t, d.accept(d.offer()).GetTrip())
		pass(5 * time.Second)
		d.at(geo.Destination(pickup, 0, 450))
		mine, theirs := last(t, d.box.shownRoutes()), last(t, r.box.shownRoutes())

		seen := d.cursor()
		d.inbox.Leave()
		d.connect(&ridepb.Resume{Epoch: d.connected().GetEpoch(), Seq: d.connected().GetSeq()})
		require.Equal(t, mine.GetPolyline(), d.connected().GetRoute().GetPolyline())
		require.Len(t, d.connected().GetRoute().GetSteps(), 3)
		r.inbox.Leave()
		r.connect(nil)
		require.Equal(t, theirs.GetPolyline(), r.connected().GetRoute().GetPolyline())
		require.Empty(t, r.connected().GetRoute().GetSteps())

		r = r.resumeOn(c.nodes[2], r.cursor())
		synctest.Wait()
		require.Equal(t, theirs.GetPolyline(), last(t, r.box.shownRoutes()).GetPolyline(), "from the driver's actor, to the new one")

		d = d.resumeOn(c.nodes[0], seen)
		again := last(t, d.box.shownRoutes())
		require.Greater(t, again.GetRevision(), mine.GetRevision(), "planned again, from where the driver was")
		require.Len(t, again.GetSteps(), 3)
		pass(5 * time.Second)
		d.at(geo.Destination(pickup, 0, 400))
		require.Equal(t, again.GetRevision(), last(t, r.box.shownRoutes()).GetRevision())
		require.NotNil(t, d.arrived(trip).GetTrip())
		require.NotNil(t, d.start(trip, "").GetTrip())
		require.Equal(t, ridepb.TripRoute_ride, last(t, r.box.shownRoutes()).GetLeg())
	})
}

// A route that is lost between two nodes is sent again.
func TestLostRouteIsSentAgain(t *testing.T) {
	inClusterWith(t, 2, onGrid(newGrid()), func(c *cluster) {
		d, r := c.nodes[1].driver("d", 500), c.nodes[0].rider("r")
		c.net.losing(func(f *nodepb.NodeFrame) bool { return f.GetRouteMade() != nil })
		r.request()
		require.NotNil(t, d.accept(d.offer()).GetTrip())
		d.at(geo.Destination(pickup, 0, 450))
		require.Empty(t, r.box.shownRoutes())
		c.net.losing(nil)
		pass(DefaultConfig().AttachEvery + time.Second)
		require.Equal(t, last(t, d.box.shownRoutes()).GetRevision(), last(t, r.box.shownRoutes()).GetRevision())
		pass(DefaultConfig().AttachEvery + time.Second)
		require.Len(t, r.box.shownRoutes(), 1, "and shown once")
	})
}

// A route that overtakes the news of its match or of its start waits for them; one of another
// driver, or of a former leg, is not shown.
func TestRouteWaitsForItsTrip(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		r := w.rider("r")
		me := r.inbox.pid.Load()
		trip := ride.TripID(r.request().GetTrip().GetId())
		made := func(driver string, revision uint32, leg ridepb.TripRoute_Leg) routeMade {
			return routeMade{Trip: trip, Driver: ride.AccountID(driver), Route: &ridepb.TripRoute{TripId: string(trip), Revision: revision, Leg: leg}}
		}
		w.sys.root.Send(me, made("d", 5, ridepb.TripRoute_pickup))
		require.Empty(t, r.box.shownRoutes())
		d := w.driver("d", 100)
		require.NotNil(t, d.accept(d.offer()).GetTrip())
		require.EqualValues(t, 5, last(t, r.box.shownRoutes()).GetRevision())
		w.sys.root.Send(me, made("d", 4, ridepb.TripRoute_pickup))
		w.sys.root.Send(me, made("e", 9, ridepb.TripRoute_pickup))
		require.Len(t, r.box.shownRoutes(), 1)
		r.connect(nil)
		require.EqualValues(t, 5, r.connected().GetRoute().GetRevision(), "another driver's route does not displace it")
		w.sys.root.Send(me, made("d", 8, ridepb.TripRoute_ride))
		require.Empty(t, r.box.shownRoutes())
		require.NotNil(t, d.arrived(string(trip)).GetTrip())
		require.NotNil(t, d.start(string(trip), "").GetTrip())
		require.EqualValues(t, 8, last(t, r.box.shownRoutes()).GetRevision())
	})
}

func TestThinRoutes(t *testing.T) {
	p := geo.Plan{Route: geo.Route{DistanceM: 1, Duration: 1, By: geo.ByOSRM}}
	for i := range 9000 {
		p.Line = append(p.Line, geo.Destination(geo.Destination(pickup, 90, float64(i)*7), 0, float64(i%2)*20))
	}
	p.Steps = []geo.Step{{}, {Turn: geo.TurnLeft, Index: 4321}, {Turn: geo.TurnArrive, Index: 8999}}
	at := p.Line[4321]
	m := alongStreets(p, pickup, dropoff, 1, time.Now(), 50)
	line := lineOf(t, m.route)
	require.LessOrEqual(t, len(line), maxLine)
	require.Less(t, geo.DistanceM(line[m.route.GetSteps()[1].GetIndex()], at), 1.0)
	require.EqualValues(t, len(line)-1, m.route.GetSteps()[2].GetIndex())
	require.Equal(t, ridepb.TripRoute_osrm, m.route.GetBy())
}

// The words of geo and of the protocol are the same.
func TestWordsOfRoutes(t *testing.T) {
	for source := range geo.ByValhalla + 1 {
		require.Equal(t, source.String(), by(source).String())
	}
	for kind := range geo.TurnArrive + 1 {
		require.Equal(t, kind.String(), turn(kind).String())
	}
}

// The client library reads the same lines.
func TestEncodeLine(t *testing.T) {
	b, err := os.ReadFile("../web/client/test/polylines.json")
	require.NoError(t, err)
	var lines []struct {
		Polyline string
		Points   []geo.Point
	}
	require.NoError(t, json.Unmarshal(b, &lines))
	require.NotEmpty(t, lines)
	for _, l := range lines {
		require.Equal(t, l.Polyline, encodeLine(l.Points))
	}
}

func TestWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorkers(2, 3)
		gate, done := make(chan struct{}), make(chan int, 16)
		for i := range 5 {
			require.True(t, w.do(func() { <-gate; done <- i }), "%d", i)
		}
		require.False(t, w.do(func() { t.Error("it was refused") }), "two run and three wait")
		for range 5 {
			gate <- struct{}{}
		}
		synctest.Wait()
		require.Len(t, done, 5)
		require.True(t, w.do(func() { <-gate }))
		require.True(t, w.do(func() { <-gate }))
		require.True(t, w.do(func() { t.Error("it waited when all ended") }))
		stopped := make(chan struct{})
		go func() { w.stop(); close(stopped) }()
		synctest.Wait()
		require.False(t, w.do(func() { t.Error("after the end") }))
		close(gate)
		<-stopped
	})
}
