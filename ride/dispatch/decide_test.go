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

// However dear the one driver of a request is within its policy, the driver is asked.
func TestDecideAsksALoneDearDriver(t *testing.T) {
	p := dispatch.Auto()
	p.Adapt, p.MaxETA, p.Worth = false, time.Hour, 30*time.Minute
	p.SoonFree, p.SoonFreePercent = 15*time.Minute, 1000
	far := free("x")
	disliked := free("x")
	disliked.Preference = time.Hour
	soon := dispatch.Driver{ID: "x", State: dispatch.InRide, Lead: 8 * time.Minute}
	for _, d := range []dispatch.Driver{far, disliked, soon} {
		s := dispatch.Snapshot{Requests: []dispatch.Request{{Trip: "a"}}, Drivers: []dispatch.Driver{d}, Ways: []dispatch.Way{way("a", "x", 51*60)}}
		plan := dispatch.Decide(p, &s)
		require.Len(t, plan.Offers, 1, "%+v", d)
		require.Empty(t, plan.Waits)
	}
}

// A driver whose arrival is days away stays with its trip as long as nobody else is there.
func TestDecideKeepsADriverWhoIsLate(t *testing.T) {
	plan := dispatch.Decide(dispatch.Auto(), &dispatch.Snapshot{
		Requests: []dispatch.Request{matched("a", "x", 48*3600), {Trip: "b"}},
		Drivers:  []dispatch.Driver{onWay("x", "a")},
		Ways:     []dispatch.Way{way("b", "x", 60)},
	})
	require.Empty(t, plan.Exchanges)
	require.Empty(t, plan.Offers)
	require.Equal(t, []dispatch.Wait{{Trip: "b", Reason: dispatch.NeededMore}}, plan.Waits)
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

// Why an open request waits.
func TestDecideSaysWhyARequestWaits(t *testing.T) {
	p := dispatch.Auto()
	held := free("held")
	held.Held = true
	van := free("van")
	van.Class = "van"
	plan := dispatch.Decide(p, &dispatch.Snapshot{
		Requests: []dispatch.Request{
			{Trip: "asked", Asked: []dispatch.Asked{{Driver: "held", For: 3 * second}}},
			{Trip: "alone"},
			{Trip: "excluding", Excluded: []ride.AccountID{"x"}},
			{Trip: "far"},
			{Trip: "first"},
			{Trip: "promised"},
			{Trip: "replaced", Asked: []dispatch.Asked{{Driver: "held", Then: []dispatch.Move{{Trip: "promised", To: "y"}}}}, Match: &dispatch.Match{Driver: "y", Remaining: 200 * second}},
			{Trip: "second"},
			{Trip: "twice"}, {Trip: "twice"},
			{Trip: "wrong"},
		},
		Drivers: []dispatch.Driver{held, van, free("x"), onWay("y", "replaced")},
		Ways: []dispatch.Way{
			way("asked", "x", 1), way("excluding", "x", 10), way("far", "x", 601), way("first", "x", 20), way("second", "x", 30), way("promised", "x", 1),
			way("twice", "x", 1), way("wrong", "van", 10), way("wrong", "held", 10), way("second", "y", 5), way("nothing", "x", 1), way("first", "none", 1),
		},
	})
	require.Equal(t, []dispatch.Wait{
		{Trip: "alone", Reason: dispatch.NoDriver},
		{Trip: "asked", Reason: dispatch.Awaiting},
		{Trip: "excluding", Reason: dispatch.NoDriver},
		{Trip: "far", Reason: dispatch.TooFar},
		{Trip: "promised", Reason: dispatch.Promised},
		{Trip: "second", Reason: dispatch.NeededMore},
		{Trip: "twice", Reason: dispatch.Twice},
		{Trip: "wrong", Reason: dispatch.NoDriver},
	}, plan.Waits)
	require.Len(t, plan.Offers, 1)
	require.Equal(t, ride.TripID("first"), plan.Offers[0].Trip)
	require.Equal(t, p.Window, plan.Next)
}

// A second driver is asked after a silence, if there are drivers enough, and never one who is on its way.
func TestDecideAsksASecondDriver(t *testing.T) {
	p, _ := dispatch.Preset("exchange")
	p.SecondAfter, p.SecondRatio = 6*second, 3
	s := dispatch.Snapshot{
		Requests: []dispatch.Request{{Trip: "a", Asked: []dispatch.Asked{{Driver: "silent", For: 6 * second}}}, matched("b", "z", 300)},
		Drivers:  []dispatch.Driver{free("x"), free("y"), free("w"), onWay("z", "b")},
		Ways:     []dispatch.Way{way("a", "x", 60), way("a", "y", 50), way("a", "z", 5), way("a", "silent", 1)},
	}
	plan := dispatch.Decide(p, &s)
	require.Len(t, plan.Offers, 1)
	require.True(t, plan.Offers[0].Second)
	require.Equal(t, ride.AccountID("y"), plan.Offers[0].Driver)

	s.Drivers = s.Drivers[1:]
	require.Empty(t, dispatch.Decide(p, &s).Offers, "too few drivers")
	s.Drivers = append(s.Drivers, free("x"))
	s.Requests[0].Asked[0].For = 5 * second
	require.Empty(t, dispatch.Decide(p, &s).Offers, "not silent for long enough")
	s.Requests[0].Asked[0].For = 20 * second
	s.Requests[0].Asked = append(s.Requests[0].Asked, dispatch.Asked{Driver: "also"})
	require.Empty(t, dispatch.Decide(p, &s).Offers, "two are asked already")
}

// A driver who ends its ride soon is asked for an open request, and awaited for one that has a driver.
func TestDecideUsesDriversWhoAreSoonFree(t *testing.T) {
	p := dispatch.Auto()
	p.SoonFree, p.SoonFreePercent = 20*second, 150
	soon := dispatch.Driver{ID: "soon", State: dispatch.InRide, Lead: 20 * second, Trip: "present"}
	s := dispatch.Snapshot{
		Requests: []dispatch.Request{{Trip: "a"}},
		Drivers:  []dispatch.Driver{soon, free("x")},
		Ways:     []dispatch.Way{way("a", "soon", 10), way("a", "x", 45)},
	}
	plan := dispatch.Decide(p, &s)
	require.Len(t, plan.Offers, 1)
	require.Equal(t, ride.AccountID("soon"), plan.Offers[0].Driver)
	require.Equal(t, 30*second, plan.Offers[0].ETA)
	require.Equal(t, dispatch.Terms{Way: 10 * second, Remaining: 30 * second}, plan.Offers[0].Price)
	require.Equal(t, 40*second, plan.Offers[0].Price.Sum())

	s.Drivers[0].Lead = 21 * second
	require.Equal(t, ride.AccountID("x"), dispatch.Decide(p, &s).Offers[0].Driver, "not soon enough")
	s.Drivers[0].Lead, s.Drivers[0].Next = 20*second, true
	require.Equal(t, ride.AccountID("x"), dispatch.Decide(p, &s).Offers[0].Driver, "it has its next trip")

	s.Requests[0] = matched("a", "y", 200)
	s.Drivers = []dispatch.Driver{soon, onWay("y", "a")}
	require.Empty(t, dispatch.Decide(p, &s).Offers)
	s.Drivers[0] = free("soon")
	require.Equal(t, ride.AccountID("y"), dispatch.Decide(p, &s).Offers[0].Replaces)
}

// Exchanges are few: not near the pickup, not for little, not too often, and not where the policy or the trip forbids.
func TestDecideLeavesMatchesAlone(t *testing.T) {
	p := dispatch.Auto()
	p.Exchange = dispatch.ExchangePolicy{On: true, Gain: 20 * second, NotWithin: 45 * second, PerTrip: 2}
	decide := func(p dispatch.Policy, r dispatch.Request, gain int) int {
		left := int(r.Match.Remaining / second)
		return len(dispatch.Decide(p, &dispatch.Snapshot{
			Requests: []dispatch.Request{r}, Drivers: []dispatch.Driver{free("x"), onWay("y", "a")}, Ways: []dispatch.Way{way("a", "x", left-gain)},
		}).Offers)
	}
	require.Equal(t, 1, decide(p, matched("a", "y", 300), 21))
	require.Equal(t, 0, decide(p, matched("a", "y", 300), 20), "little gain")
	require.Equal(t, 1, decide(p, matched("a", "y", 45), 25))
	require.Equal(t, 0, decide(p, matched("a", "y", 44), 25), "near the pickup")
	p.Exchange.GainPercent = 20
	require.Equal(t, 0, decide(p, matched("a", "y", 300), 60), "little of what remains")
	require.Equal(t, 1, decide(p, matched("a", "y", 300), 61))
	r := matched("a", "y", 300)
	r.Match.Exchanges = 2
	require.Equal(t, 0, decide(p, r, 100), "twice is enough")
	r = matched("a", "y", 300)
	r.Match.Fixed = true
	require.Equal(t, 0, decide(p, r, 100), "the caller forbids it")
	r = matched("a", "y", 300)
	r.Asked = []dispatch.Asked{{Driver: "z"}}
	require.Equal(t, 0, decide(p, r, 100), "another is asked already")
	r = matched("a", "unknown", 300)
	require.Equal(t, 0, decide(p, r, 100), "its driver is not known")
	p.Exchange.On = false
	require.Equal(t, 0, decide(p, matched("a", "y", 300), 100), "the policy forbids it")
}

// A driver on its way is not asked, so it is not moved to a longer way or a worse fare; one who is asked may say no.
func TestDecideMovesDriversOnlyToWhatIsNoWorse(t *testing.T) {
	p := dispatch.Auto()
	snapshot := func(way1, way2 int, fare1, fare2 int64) *dispatch.Snapshot {
		s := &dispatch.Snapshot{
			Requests: []dispatch.Request{matched("a", "x", 300), matched("b", "y", 200)},
			Drivers:  []dispatch.Driver{onWay("x", "a"), onWay("y", "b")},
			Ways:     []dispatch.Way{way("a", "y", way1), way("b", "x", way2)},
		}
		s.Requests[0].Fare, s.Requests[1].Fare = fare1, fare2
		return s
	}
	require.Len(t, dispatch.Decide(p, snapshot(100, 100, 900, 900)).Exchanges, 1)
	require.Empty(t, dispatch.Decide(p, snapshot(201, 10, 900, 900)).Exchanges, "y would drive longer")
	require.Empty(t, dispatch.Decide(p, snapshot(100, 100, 900, 901)).Exchanges, "y would earn less")
	p.Trip.ExchangeFare = 90
	require.Len(t, dispatch.Decide(p, snapshot(100, 100, 900, 1000)).Exchanges, 1)
	require.Empty(t, dispatch.Decide(p, snapshot(100, 100, 900, 1001)).Exchanges)
	p.Trip.Exchanges = 0
	require.Empty(t, dispatch.Decide(p, snapshot(100, 100, 900, 900)).Exchanges, "trips do not change drivers")

	// An open request gets a driver who is on its way only if its way is still the shorter one when the free driver answers.
	p = dispatch.Auto()
	s := snapshot(1, 1, 900, 900)
	s.Requests[1].Match = nil
	s.Drivers[1] = free("y")
	s.Ways = []dispatch.Way{way("a", "y", 100), way("b", "x", 290), way("b", "y", 590)}
	require.Equal(t, []dispatch.Move{{Trip: "b", To: "x", ETA: 290 * second}}, dispatch.Decide(p, s).Offers[0].Then)
	s.Ways[1].Duration += second
	require.Empty(t, dispatch.Decide(p, s).Offers[0].Then)
}

// Taking a driver from where drivers are needed costs more.
func TestDecideKnowsTheWorthOfPlaces(t *testing.T) {
	p := dispatch.Auto()
	p.Worth = 60 * second
	s := dispatch.Snapshot{
		Requests: []dispatch.Request{{Trip: "a"}},
		Ways:     []dispatch.Way{way("a", "busy", 50), way("a", "calm-1", 60)},
		Demand:   []dispatch.Demand{{Cell: 1, Requests: 100}, {Cell: 2, Requests: 1}},
	}
	for _, id := range []ride.AccountID{"busy", "calm-1", "calm-2", "calm-3", "calm-4"} {
		d := free(id)
		d.Cell = 2
		if id == "busy" {
			d.Cell = 1
		}
		s.Drivers = append(s.Drivers, d)
	}
	plan := dispatch.Decide(p, &s)
	require.Equal(t, ride.AccountID("calm-1"), plan.Offers[0].Driver)
	require.Negative(t, plan.Offers[0].Price.Worth, "there are too many")
	p.Worth = 0
	require.Equal(t, ride.AccountID("busy"), dispatch.Decide(p, &s).Offers[0].Driver)
}

// Policies without windows plan nothing for a zone.
func TestDecideLeavesTripsToThemselves(t *testing.T) {
	p, _ := dispatch.Preset("broadcast")
	s := town(1, dispatch.Auto(), 5, 5, 20)
	require.Empty(t, dispatch.Shortlist(p, &s))
	require.Equal(t, dispatch.Plan{}, dispatch.Decide(p, &s))
}

// Shortlist asks for what Decide can use: suitable drivers, nearest first, and no farther than is of use.
func TestShortlist(t *testing.T) {
	p := dispatch.Auto()
	p.Near, p.Arcs, p.SoonFree, p.MaxETA = 2, 2, 20*second, 600*second
	at := func(d dispatch.Driver, m float64) dispatch.Driver {
		d.Point = geo.Destination(geo.Point{Lat: 37.5, Lng: 127}, 90, m)
		return d
	}
	van, held, lost := at(free("van"), 1), at(free("held"), 2), free("lost")
	van.Class, held.Held = "van", true
	a, b := dispatch.Request{Trip: "a", Pickup: geo.Point{Lat: 37.5, Lng: 127}, Excluded: []ride.AccountID{"excluded"}}, matched("b", "y", 300)
	b.Pickup = a.Pickup
	s := dispatch.Snapshot{
		Requests: []dispatch.Request{b, {Trip: "nowhere"}, a},
		Drivers: []dispatch.Driver{
			van, held, lost, at(free("excluded"), 3), at(free("f1"), 30), at(free("f3"), 50), at(free("f4"), 60), at(onWay("y", "b"), 20),
			at(dispatch.Driver{ID: "f2", State: dispatch.InRide, Lead: 15 * second}, 40), at(dispatch.Driver{ID: "late", State: dispatch.InRide, Lead: 25 * second}, 1),
		},
	}
	require.Equal(t, []dispatch.Pair{
		{Trip: "a", Driver: "f1", Within: 600 * second}, {Trip: "a", Driver: "f2", Within: 585 * second}, {Trip: "a", Driver: "y", Within: 600 * second},
		{Trip: "b", Driver: "excluded", Within: 280 * second}, {Trip: "b", Driver: "f1", Within: 280 * second},
	}, dispatch.Shortlist(p, &s))
}
