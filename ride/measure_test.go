package ride_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// underway is a trip of 3.6 km by the estimate, started at dawn.
func underway() ride.Trip {
	pickup := geo.Point{Lat: 37.4979, Lng: 127.0276}
	return ride.Trip{
		ID: "t", Version: 6, Status: ride.StatusInProgress, StartedAt: dawn, Rules: ride.DefaultRules(),
		Request:  ride.Request{Pickup: pickup, Dropoff: geo.Destination(pickup, 90, 3000), Class: "standard", Passengers: 1},
		Estimate: ride.Estimate{DistanceM: 3600, Duration: 8 * time.Minute, Fare: ride.Fare{Currency: "USD", Total: 926}},
		Driver:   &ride.DriverCard{ID: "d"},
	}
}

// ended completes a trip after so long with what is known of its way.
func ended(t require.TestingT, trip ride.Trip, after time.Duration, w ride.Way) ride.Fare {
	if w.MaxSpeedMPS == 0 {
		w.MaxSpeedMPS = geo.MaxSpeedMPS
	}
	events, _, err := ride.Decide(trip, dawn.Add(after), ride.CompleteTrip{Driver: "d", Way: &w})
	require.NoError(t, err)
	done := events[0].(ride.Completed)
	require.InDelta(t, done.Fare.DistanceM, done.Fare.MeasuredM+done.Fare.EstimatedM, 1e-6)
	require.InDelta(t, done.TravelledM, done.Fare.DistanceM, 1e-6)
	return done.Fare
}

// spot is so many metres on the way.
func spot(m, accuracy float64) geo.Spot {
	return geo.Spot{Point: geo.Destination(geo.Point{Lat: 37.4979, Lng: 127.0276}, 90, m), AccuracyM: accuracy, At: dawn}
}

func TestWhatARideIsChargedFor(t *testing.T) {
	type drive = geo.Drive
	for name, tc := range map[string]struct {
		took      time.Duration
		drive     drive
		measured  float64
		estimated float64
		basis     ride.Basis
	}{
		"all of it was measured": {8 * time.Minute, drive{MeasuredM: 3700, Last: spot(3000, 5), Located: true, SinceLast: time.Second},
			3700, 0, ride.BasisMeasured},
		"a detour is driven, not estimated": {20 * time.Minute, drive{MeasuredM: 9000, Last: spot(3000, 5), Located: true},
			9000, 0, ride.BasisMeasured},
		"four positions over 60 m, then none": {8 * time.Minute, drive{MeasuredM: 60, Last: spot(60, 5), Located: true, SinceLast: 474 * time.Second},
			60, 3528, ride.BasisPartly},
		"a gap in the middle": {8 * time.Minute, drive{MeasuredM: 2400, GapM: 1000, GapTime: 100 * time.Second, Last: spot(3000, 5), Located: true},
			2400, 1200, ride.BasisPartly},
		"a gap longer than the estimate is driven all the same": {time.Hour, drive{MeasuredM: 100, GapM: 9000, GapTime: 30 * time.Minute, Last: spot(3000, 5), Located: true},
			100, 9000, ride.BasisPartly},
		"over a second after its start, far short": {time.Second, drive{Last: spot(0, 5), Located: true, SinceLast: time.Second},
			0, 0, ride.BasisMeasured},
		"likewise without a position": {time.Second, drive{}, 0, geo.MaxSpeedMPS, ride.BasisEstimated},
		"no position at all":          {8 * time.Minute, drive{}, 0, 3600, ride.BasisEstimated},
		"silent at the dropoff":       {8 * time.Minute, drive{MeasuredM: 3600, Last: spot(3000, 5), Located: true, SinceLast: 5 * time.Minute}, 3600, 0, ride.BasisMeasured},
		"standing, 2 km accuracy": {8 * time.Minute, drive{Last: spot(0, 5), Located: true, SinceLast: 8 * time.Minute, Coarse: spot(700, 2000)},
			0, 0, ride.BasisEstimated},
		"driven, 2 km accuracy": {8 * time.Minute, drive{Last: spot(0, 5), Located: true, SinceLast: 8 * time.Minute, Coarse: spot(2200, 2000)},
			0, 3600, ride.BasisEstimated},
		"driven half, 500 m accuracy": {8 * time.Minute, drive{Last: spot(0, 5), Located: true, SinceLast: 8 * time.Minute, Coarse: spot(1500, 500)},
			0, 1800, ride.BasisEstimated},
	} {
		t.Run(name, func(t *testing.T) {
			fare := ended(t, underway(), tc.took, ride.Way{Drive: tc.drive})
			require.InDelta(t, tc.measured, fare.MeasuredM, 1)
			require.InDelta(t, tc.estimated, fare.EstimatedM, 2)
			require.Equal(t, tc.basis, fare.Basis)
		})
	}
}

// Never below what was credibly driven; gaps are filled by the estimate at most, and no
// faster than a car drives.
func TestGapsAreFilledByTheEstimateAtMost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		metres := rapid.Float64Range(0, 20_000)
		w := ride.Way{MaxSpeedMPS: geo.MaxSpeedMPS, Drive: geo.Drive{
			MeasuredM: metres.Draw(t, "measured"), Last: spot(metres.Draw(t, "last"), 5), Located: true,
			SinceLast: time.Duration(rapid.IntRange(0, 3600).Draw(t, "since")) * time.Second,
		}}
		if rapid.Bool().Draw(t, "gap") {
			w.GapTime = time.Duration(rapid.IntRange(31, 3600).Draw(t, "gap time")) * time.Second
			w.GapM = rapid.Float64Range(15, w.MaxSpeedMPS*w.GapTime.Seconds()).Draw(t, "gap metres")
		}
		if rapid.Bool().Draw(t, "coarse") {
			w.Coarse = spot(metres.Draw(t, "coarse"), rapid.Float64Range(101, 5000).Draw(t, "accuracy"))
		}
		trip := underway()
		fare := ended(t, trip, 2*time.Hour, w)
		require.InDelta(t, w.MeasuredM, fare.MeasuredM, 1e-6)
		require.GreaterOrEqual(t, fare.EstimatedM, w.GapM)
		require.LessOrEqual(t, fare.EstimatedM, max(w.GapM, trip.Estimate.DistanceM)+1e-6)
		require.LessOrEqual(t, fare.EstimatedM, max(w.GapM, w.MaxSpeedMPS*(w.GapTime+w.SinceLast).Seconds())+1e-6)
		if fare.EstimatedM > 0 {
			require.NotEqual(t, ride.BasisMeasured, fare.Basis)
		}
	})
}

// A ride that its time limit ends costs its estimate, and says so.
func TestForgottenRideIsEstimated(t *testing.T) {
	trip := underway()
	trip.Deadline = dawn.Add(time.Hour)
	events, _, err := ride.Decide(trip, trip.Deadline, ride.Tick{Timer: ride.Timer{Kind: ride.TimerDeadline, At: trip.Deadline}})
	require.NoError(t, err)
	done := events[0].(ride.Completed)
	require.Equal(t, ride.BasisEstimated, done.Fare.Basis)
	require.Nil(t, done.Mark)
	require.EqualValues(t, 926, done.Fare.Total)
}

func TestWhereADriverIsIsRecordedAndLimited(t *testing.T) {
	trip := underway()
	trip.Status = ride.StatusMatched
	at := func(m, accuracy float64, age time.Duration) ride.Fix {
		return ride.Fix{Point: geo.Destination(trip.Request.Pickup, 0, m), AccuracyM: accuracy, Age: age}
	}
	arrive := func(limit float64, f ride.Fix) (*ride.Mark, error) {
		trip := trip
		trip.Rules.ArriveWithinM, trip.Rules.PositionWithin = limit, 15*time.Second
		events, _, err := ride.Decide(trip, dawn, ride.MarkArrived{Driver: "d", Fix: f, Reason: "road_closed"})
		if err != nil {
			return nil, err
		}
		after := ride.Apply(trip, events[0])
		require.Equal(t, events[0].(ride.Arrived).Mark, after.Arrival)
		return after.Arrival, nil
	}
	for name, tc := range map[string]struct {
		limit float64
		fix   ride.Fix
		err   error
	}{
		"790 m away, no limit":         {0, at(790, 5, 0), nil},
		"without a position, no limit": {0, ride.Fix{}, nil},
		"an old position, no limit":    {0, at(790, 5, time.Hour), nil},
		"near enough":                  {100, at(90, 5, time.Second), nil},
		"too far":                      {100, at(790, 5, 0), ride.ErrTooFar},
		"within its accuracy":          {100, at(140, 50, 0), nil},
		"a boast of inaccuracy":        {100, at(790, 5000, 0), ride.ErrTooFar},
		"negative accuracy":            {100, at(101, -50, 0), ride.ErrTooFar},
		"no position":                  {100, ride.Fix{}, ride.ErrPositionUnknown},
		"an old one":                   {100, at(10, 5, 16*time.Second), ride.ErrPositionUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			mark, err := arrive(tc.limit, tc.fix)
			if tc.err != nil {
				require.ErrorIs(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "road_closed", mark.Reason)
			require.Equal(t, !tc.fix.Point.IsZero(), mark.Located)
			if mark.Located {
				require.InDelta(t, geo.DistanceM(tc.fix.Point, trip.Request.Pickup), mark.DistanceM, 0.01)
				require.Equal(t, tc.fix.Age, mark.Age)
			}
		})
	}

	trip.Status = ride.StatusInProgress
	trip.Rules.CompleteWithinM, trip.Rules.PositionWithin = 300, 15*time.Second
	_, _, err := ride.Decide(trip, dawn, ride.CompleteTrip{Driver: "d", Fix: at(0, 5, 0)})
	require.ErrorIs(t, err, ride.ErrTooFar, "3 km short")
	_, _, err = ride.Decide(trip, dawn, ride.CompleteTrip{Driver: "d", Fix: ride.Fix{Point: trip.Request.Dropoff}, Reason: string(make([]byte, 201))})
	require.ErrorIs(t, err, ride.ErrInvalidArgument)
	events, _, err := ride.Decide(trip, dawn, ride.CompleteTrip{Driver: "d", Fix: ride.Fix{Point: trip.Request.Dropoff}})
	require.NoError(t, err)
	require.True(t, events[0].(ride.Completed).Mark.Located)
}
