package actors

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// position sends a position with an accuracy, some time after the previous one.
func (c *client) position(p geo.Point, accuracy float32, after time.Duration) {
	pass(after)
	require.NoError(c.w.t, c.inbox.Location(ride.Position{Point: p, AccuracyM: accuracy, DeviceTime: time.Now()}))
	synctest.Wait()
}

// riding is a driver 30 m from the pickup whose ride has just started, and its trip.
func riding(w *world) (*client, string) {
	d := w.driver("d", 30)
	trip := w.rider("r").request().GetTrip().GetId()
	d.accept(d.offer())
	require.NotNil(w.t, d.arrived(trip).GetTrip())
	require.Equal(w.t, ridepb.Trip_in_progress, d.start(trip, "").GetTrip().GetStatus())
	return d, trip
}

// on is the point m metres from the pickup towards the dropoff.
func on(m float64) geo.Point { return geo.Destination(pickup, geo.BearingDeg(pickup, dropoff), m) }

func TestAPartIsNotPricedAsTheWhole(t *testing.T) {
	whole := geo.DistanceM(pickup, dropoff)
	for name, tc := range map[string]struct {
		drive    func(d *client)
		measured float64
		all      float64
		basis    ridepb.FareBreakdown_Basis
	}{
		"four positions, then none": {func(d *client) {
			for i := range 4 {
				d.position(on(float64(20*i)), 5, 2*time.Second)
			}
			pass(8 * time.Minute)
		}, 60, 60 + 1.3*(whole-60), ridepb.FareBreakdown_partly_estimated},
		"none at all": {func(*client) { pass(8 * time.Minute) }, 0, 1.3 * (whole - 20), ridepb.FareBreakdown_estimated},
		"all the way": {func(d *client) {
			for m := 0.0; m < whole; m += 10 {
				d.position(on(m), 5, time.Second)
			}
		}, whole, whole, ridepb.FareBreakdown_measured},
		"with a gap in the middle": {func(d *client) {
			for m := 0.0; m < whole; m += 10 {
				if m < 800 || m >= 1800 {
					d.position(on(m), 5, time.Second)
				} else {
					pass(time.Second)
				}
			}
		}, whole - 1010, whole + 303, ridepb.FareBreakdown_partly_estimated},
		"ended after a second": {func(*client) { pass(time.Second) }, 0, 0, ridepb.FareBreakdown_measured},
		"ended early, with a reason": {func(d *client) {
			for m := 0.0; m <= 500; m += 10 {
				d.position(on(m), 5, time.Second)
			}
		}, 500, 500, ridepb.FareBreakdown_measured},
		"standing, 2 km accuracy": {func(d *client) {
			random := rand.New(rand.NewPCG(1, 2))
			for range 300 {
				off := 2000 / 1.51 * math.Hypot(random.NormFloat64(), random.NormFloat64())
				d.position(geo.Destination(pickup, 360*random.Float64(), off), 2000, 2*time.Second)
			}
		}, 0, 0, ridepb.FareBreakdown_estimated},
		"standing for an hour": {func(d *client) {
			d.position(on(0), 5, time.Second)
			pass(time.Hour)
			for m := 0.0; m < whole; m += 10 {
				d.position(on(m), 5, time.Second)
			}
		}, whole, whole, ridepb.FareBreakdown_measured},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(c *Config) { c.MaxSpeedMPS = 1e6 }, func(w *world) {
				d, trip := riding(w)
				tc.drive(d)
				fare := d.complete(trip).GetTrip().GetFare()
				require.InDelta(t, tc.measured, fare.GetMeasuredM(), 45)
				require.InDelta(t, tc.all, fare.GetDistanceM(), 60)
				require.Equal(t, fare.GetDistanceM(), fare.GetMeasuredM()+fare.GetEstimatedM())
				require.Equal(t, tc.basis, fare.GetBasis())
			})
		})
	}
}

// A server that restarts during a ride measures it the same, apart from what it missed, and
// inaccurate positions count as little as before.
func TestARideIsMeasuredThroughARestart(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, trip := riding(w)
		for m := 0.0; m <= 1000; m += 10 {
			d.position(on(m), 5, time.Second)
		}
		for i := range 60 {
			d.position(geo.Destination(on(1000), float64(37*i%360), 90), 90, time.Second)
		}
		pass(2 * time.Second) // until the track is written
		w.crash(nil)
		pass(time.Second)
		d.connect(nil)
		for m := 1000.0; m <= 2000; m += 10 {
			d.position(on(m), 5, time.Second)
		}
		fare := d.complete(trip).GetTrip().GetFare()
		require.InDelta(t, 2000, fare.GetDistanceM(), 60)
		require.Equal(t, ridepb.FareBreakdown_measured, fare.GetBasis())
	})
}

// Distances at arrival and completion are recorded and shown to both, with the reason.
func TestWhereTheDriverWasIsShown(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d := w.driver("d", 790)
		r := w.rider("r")
		trip := r.request().GetTrip().GetId()
		d.accept(d.offer())
		got := d.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_Arrived{Arrived: &ridepb.MarkArrived{TripId: trip, Reason: "road_closed"}}}).GetTrip()
		require.True(t, got.GetArrival().GetLocated())
		require.InDelta(t, 790, got.GetArrival().GetDistanceM(), 1)
		require.Equal(t, "road_closed", got.GetArrival().GetReason())
		require.NotNil(t, d.start(trip, "").GetTrip())
		pass(40 * time.Second)
		require.NotNil(t, d.complete(trip).GetTrip())
		events := r.box.all()
		told := events[len(events)-1].GetTripUpdated().GetTrip()
		require.InDelta(t, 790, told.GetArrival().GetDistanceM(), 1)
		require.EqualValues(t, 40, told.GetCompletion().GetAgeS())
		require.Greater(t, told.GetCompletion().GetDistanceM(), uint32(1500))
	})
}

// The operator's limits hold, and a driver who comes nearer may try again.
func TestLimitsOfArrival(t *testing.T) {
	inWorld(t, func(c *Config) {
		c.Rules.ArriveWithinM, c.Rules.CompleteWithinM, c.Rules.PositionWithin = 100, 200, 15*time.Second
	}, func(w *world) {
		d := w.driver("d", 790)
		trip := w.rider("r").request().GetTrip().GetId()
		d.accept(d.offer())
		require.Equal(t, "too_far", d.arrived(trip).GetError().GetCode())
		for m := 780.0; m > 50; m -= 30 {
			d.at(geo.Destination(pickup, 0, m))
		}
		pass(20 * time.Second)
		require.Equal(t, "position_unknown", d.arrived(trip).GetError().GetCode())
		d.at(geo.Destination(pickup, 0, 50))
		require.NotNil(t, d.arrived(trip).GetTrip())
		require.NotNil(t, d.start(trip, "").GetTrip())
		require.Equal(t, "too_far", d.complete(trip).GetError().GetCode())
		stored, err := w.store.Trip(context.Background(), ride.TripID(trip))
		require.NoError(t, err)
		require.Equal(t, ride.StatusInProgress, stored.Status)
	})
}
