package actors

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// counter is an outbox that only counts.
type counter struct{ replies, offers, ends atomic.Int64 }

func (c *counter) Reply(*ridepb.Reply) { c.replies.Add(1) }
func (c *counter) Event(e *ridepb.Event) {
	switch e.GetBody().(type) {
	case *ridepb.Event_OfferReceived:
		c.offers.Add(1)
	case *ridepb.Event_OfferClosed:
		c.ends.Add(1)
	}
}
func (*counter) Moved(*ridepb.Event)                   {}
func (*counter) Backlog() int                          { return 0 }
func (*counter) Close(ridepb.CloseCode, time.Duration) {}

// spin busy-waits for another goroutine.
func spin(done func() bool) {
	for !done() {
		runtime.Gosched()
	}
}

// benchSystem runs actors on the real clock over an in-memory store, with drivers online around the
// pickup.
func benchSystem(b *testing.B, drivers int) (sys *System, store *memStore, box *counter, inboxes []*Inbox) {
	b.Helper()
	return benchSystemOf(b, drivers, geo.StraightLine{})
}

// benchSystemOf is benchSystem with another source of routes.
func benchSystemOf(b *testing.B, drivers int, eta geo.ETASource) (sys *System, store *memStore, box *counter, inboxes []*Inbox) {
	b.Helper()
	cfg := DefaultConfig()
	cfg.ETA = eta
	cfg.PIN, cfg.Log, cfg.TripIdle = false, slog.New(slog.NewTextHandler(io.Discard, nil)), time.Millisecond
	cfg.PositionTTL = time.Minute
	cfg.CancelsFree = math.MaxInt32 // BenchmarkOffers cancels each trip
	cfg.Rules.Policy = cfg.Rules.Policy.As(ride.PolicyBroadcast)
	cfg.Rules.Policy.Cap = max(drivers, cfg.Rules.Policy.Cap)
	store, box = newMemStore(), new(counter)
	sys, err := New(cfg, store)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, sys.Stop(context.Background())) })
	for i := range drivers {
		p := join(b, sys, box, ride.Account{
			ID: ride.AccountID(fmt.Sprint("d", i)), Role: ride.RoleDriver, Vehicle: ride.Vehicle{Class: "standard"},
		})
		p.Command(&ridepb.ClientFrame{Id: "online", Body: &ridepb.ClientFrame_GoOnline{GoOnline: &ridepb.GoOnline{
			Location: &ridepb.Location{Point: view.Point(geo.Destination(pickup, float64(i), 50+float64(i)))},
		}}})
		inboxes = append(inboxes, p)
	}
	spin(func() bool { return box.replies.Load() == int64(2*drivers) })
	return sys, store, box, inboxes
}

func join(b *testing.B, sys *System, box *counter, a ride.Account) *Inbox {
	b.Helper()
	a.Status = ride.AccountActive
	sys.store.(*memStore).know(a)
	p, err := sys.Join(b.Context(), Join{Account: a, SessionID: string(a.ID), ConnectID: "c", Out: box})
	require.NoError(b, err)
	return p
}

// BenchmarkLocation is the cost of a position from the session to the driver's actor and, whenever
// the driver has moved far enough, to its cell. tell-ns is the floor, measured in the same run: an
// empty message to an empty actor.
func BenchmarkLocation(b *testing.B) {
	for _, metres := range []float64{1, putEveryM + 1} {
		b.Run(fmt.Sprintf("every=%.0fm", metres), func(b *testing.B) {
			const drivers = 64
			sys, _, _, inboxes := benchSystem(b, drivers)
			floor := tellCost(sys, drivers)
			handled := sys.kinds.driver.Handled
			start, sent := handled(), int64(0)
			at := ride.Position{SpeedMPS: 10}
			ways := [2]geo.Point{pickup, geo.Destination(pickup, 90, metres)}
			b.ReportAllocs()
			for b.Loop() {
				at.Point = ways[sent/drivers%2]
				_ = inboxes[sent%drivers].Location(at)
				if sent++; sent%drivers == 0 { // a waiting position would be replaced
					spin(func() bool { return handled()-start >= sent })
				}
			}
			b.ReportMetric(float64(floor.Nanoseconds()), "tell-ns")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(max(1, floor.Nanoseconds())), "×tell")
		})
	}
}

// BenchmarkLocationOnTrip is the cost of a position of a driver on a trip: besides the above, its track, its
// place on its route, of 300 points, and what its rider is sent. The rider's actor has no session.
func BenchmarkLocationOnTrip(b *testing.B) {
	for _, eta := range []geo.ETASource{geo.StraightLine{}, winding{}} {
		b.Run(fmt.Sprintf("source=%T", eta), func(b *testing.B) {
			sys, store, box, inboxes := benchSystemOf(b, 1, eta)
			rider := join(b, sys, new(counter), ride.Account{ID: "r", Role: ride.RoleRider})
			rider.Command(&ridepb.ClientFrame{Id: "r", Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: requestTrip()}})
			spin(func() bool { return box.offers.Load() == 1 })
			trip := string(store.forget())
			for i, f := range []*ridepb.ClientFrame{
				{Body: &ridepb.ClientFrame_AcceptOffer{AcceptOffer: &ridepb.AcceptOffer{OfferId: trip + ".1"}}},
				{Body: &ridepb.ClientFrame_Arrived{Arrived: &ridepb.MarkArrived{TripId: trip}}},
				{Body: &ridepb.ClientFrame_StartTrip{StartTrip: &ridepb.StartTrip{TripId: trip}}},
			} {
				f.Id = fmt.Sprint("step", i)
				replies := box.replies.Load()
				inboxes[0].Command(f)
				spin(func() bool { return box.replies.Load() > replies })
			}
			floor := tellCost(sys, 1)
			handled := sys.kinds.driver.Handled
			start, sent := handled(), int64(0)
			at := [2]geo.Point{geo.Destination(pickup, 0, 50), geo.Destination(pickup, 0, 51)}
			b.ReportAllocs()
			for b.Loop() {
				_ = inboxes[0].Location(ride.Position{Point: at[sent%2], SpeedMPS: 10})
				sent++
				spin(func() bool { return handled()-start >= sent })
			}
			b.ReportMetric(float64(floor.Nanoseconds()), "tell-ns")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(max(1, floor.Nanoseconds())), "×tell")
		})
	}
}

// winding plans ways of 300 points.
type winding struct{ geo.StraightLine }

func (winding) line(from, to geo.Point) []geo.Point {
	line := []geo.Point{from}
	for i := range 298 {
		line = append(line, geo.Destination(geo.Destination(from, geo.BearingDeg(from, to), geo.DistanceM(from, to)*float64(i+1)/300), 90, float64(i%2)))
	}
	return append(line, to)
}

func (w winding) Plan(_ context.Context, from, to geo.Place, _ time.Time) (geo.Plan, error) {
	r, err := w.Route(context.Background(), from.Point, to.Point)
	r.By = geo.ByStreets
	return geo.Plan{Route: r, Line: w.line(from.Point, to.Point)}, err
}

// tellCost is the time of one message to one of several actors that do nothing.
func tellCost(sys *System, actors int) time.Duration {
	const rounds = 2000
	var n atomic.Int64
	var pids []*actor.PID
	for range actors {
		pids = append(pids, sys.root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*tripTick); ok {
				n.Add(1)
			}
		})))
	}
	m := new(tripTick)
	start := time.Now()
	for i := range int64(rounds) {
		for _, pid := range pids {
			sys.root.Send(pid, m)
		}
		spin(func() bool { return n.Load() == (i+1)*int64(actors) })
	}
	took := time.Since(start) / time.Duration(rounds*actors)
	for _, pid := range pids {
		sys.stop(pid)
	}
	return took
}

// BenchmarkOffers is a request that is offered to several drivers and then cancelled: search, plan,
// offers out, ends out, over an in-memory store.
func BenchmarkOffers(b *testing.B) {
	for _, drivers := range []int{8, 50} {
		b.Run(fmt.Sprintf("drivers=%d", drivers), func(b *testing.B) {
			sys, store, box, _ := benchSystem(b, drivers)
			rider := join(b, sys, box, ride.Account{ID: "r", Role: ride.RoleRider})
			n := int64(0)
			b.ReportAllocs()
			for b.Loop() {
				n++
				rider.Command(&ridepb.ClientFrame{Id: fmt.Sprint("r", n), Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: requestTrip()}})
				spin(func() bool { return box.offers.Load() == n*int64(drivers) })
				rider.Command(&ridepb.ClientFrame{Id: fmt.Sprint("c", n), Body: &ridepb.ClientFrame_CancelTrip{CancelTrip: &ridepb.CancelTrip{
					TripId: string(store.forget()),
				}}})
				spin(func() bool { return box.ends.Load() == n*int64(drivers) })
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(drivers), "µs/offer")
		})
	}
}

// forget drops all trips but the live one, whose id it returns, so that a long run does not measure
// the size of a map.
func (m *memStore) forget() (live ride.TripID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, t := range m.trips {
		if t.Status.Live() {
			live = id
			continue
		}
		delete(m.trips, id)
		delete(m.events, id)
	}
	clear(m.commands)
	return live
}
