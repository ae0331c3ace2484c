package dispatch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/dispatch"
)

const second = time.Second

// way is a drive of some seconds.
func way(trip ride.TripID, driver ride.AccountID, s int) dispatch.Way {
	return dispatch.Way{Trip: trip, Driver: driver, Duration: time.Duration(s) * second, DistanceM: float64(5 * s), By: geo.ByStreets}
}

func free(id ride.AccountID) dispatch.Driver { return dispatch.Driver{ID: id, State: dispatch.Free} }

func onWay(id ride.AccountID, trip ride.TripID) dispatch.Driver {
	return dispatch.Driver{ID: id, State: dispatch.OnWay, Trip: trip}
}

func matched(trip ride.TripID, driver ride.AccountID, s int) dispatch.Request {
	return dispatch.Request{Trip: trip, Match: &dispatch.Match{Driver: driver, Remaining: time.Duration(s) * second}}
}

// The nearest for each would leave b with nothing near; the least sum does not.
func TestDecideTakesTheLeastSum(t *testing.T) {
	plan := dispatch.Decide(dispatch.Auto(), &dispatch.Snapshot{
		Requests: []dispatch.Request{{Trip: "b"}, {Trip: "a"}},
		Drivers:  []dispatch.Driver{free("x"), free("y")},
		Ways:     []dispatch.Way{way("a", "x", 60), way("a", "y", 80), way("b", "x", 70), way("b", "y", 400)},
	})
	require.Len(t, plan.Offers, 2)
	require.Equal(t, ride.TripID("a"), plan.Offers[0].Trip)
	require.Equal(t, ride.AccountID("y"), plan.Offers[0].Driver)
	require.Equal(t, 80*second, plan.Offers[0].ETA)
	require.Equal(t, ride.AccountID("x"), plan.Offers[1].Driver)
	require.Equal(t, dispatch.ShortestPaths, plan.Method)
	// The record says so: x would have been nearer to a, but b needed it.
	r := plan.Records[0]
	require.Equal(t, dispatch.Alternative{
		Driver: "x", ETA: 60 * second, More: -20 * second, Scarcity: r.Next[0].Scarcity, Reason: dispatch.NeededMore, For: "b",
	}, r.Next[0])
	require.GreaterOrEqual(t, r.Next[0].Scarcity, 20*second)
}

// Two drivers who would each be sooner at the other's pickup change at once; one who is free is asked first.
func TestDecideExchanges(t *testing.T) {
	plan := dispatch.Decide(dispatch.Auto(), &dispatch.Snapshot{
		Requests: []dispatch.Request{matched("a", "x", 300), matched("b", "y", 300), matched("c", "z", 300), {Trip: "d"}},
		Drivers:  []dispatch.Driver{onWay("x", "a"), onWay("y", "b"), onWay("z", "c"), free("f")},
		Ways: []dispatch.Way{
			way("a", "y", 100), way("b", "x", 100), way("c", "f", 90), way("d", "z", 50), way("d", "f", 500),
		},
	})
	require.Equal(t, []dispatch.Exchange{{Gain: 400 * second, Moves: []dispatch.Move{
		{Trip: "a", From: "x", To: "y", ETA: 100 * second, Was: 300 * second},
		{Trip: "b", From: "y", To: "x", ETA: 100 * second, Was: 300 * second},
	}}}, plan.Exchanges)
	require.Len(t, plan.Offers, 1)
	o := plan.Offers[0]
	require.Equal(t, ride.TripID("c"), o.Trip)
	require.Equal(t, ride.AccountID("f"), o.Driver)
	require.Equal(t, ride.AccountID("z"), o.Replaces)
	require.Equal(t, []dispatch.Move{{Trip: "d", To: "z", ETA: 50 * second}}, o.Then)
	require.Equal(t, []dispatch.Wait{{Trip: "d", Reason: dispatch.Promised}}, plan.Waits)
}
