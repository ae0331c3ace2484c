package dispatch_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/dispatch"
)

// town is a snapshot of some open requests, some matched ones and some drivers, drawn by a seed, with the ways that
// Shortlist asks for under a policy.
func town(seed uint64, p dispatch.Policy, open, matched, drivers int) dispatch.Snapshot {
	r := rand.New(rand.NewPCG(seed, 1))
	at := func() geo.Point { return geo.Point{Lat: 37.5 + r.Float64()*0.05, Lng: 127 + r.Float64()*0.06} }
	cell := func(q geo.Point) geo.Cell { return geo.Cell(1 + int(q.Lat*200)*100_000 + int(q.Lng*200)) }
	var s dispatch.Snapshot
	for i := range open {
		q := dispatch.Request{Trip: ride.TripID(fmt.Sprintf("open-%d", i)), Pickup: at(), Age: time.Duration(r.IntN(240)) * second}
		if r.IntN(10) == 0 {
			q.Asked = []dispatch.Asked{{Driver: "gone", For: time.Duration(r.IntN(12)) * second}}
		}
		if r.IntN(5) == 0 && drivers > 0 {
			q.Excluded = []ride.AccountID{ride.AccountID(fmt.Sprintf("free-%d", r.IntN(drivers)))}
		}
		s.Requests = append(s.Requests, q)
		s.Demand = append(s.Demand, dispatch.Demand{Cell: cell(at()), Requests: r.IntN(20)})
	}
	for i := range matched {
		trip, driver := ride.TripID(fmt.Sprintf("matched-%d", i)), ride.AccountID(fmt.Sprintf("on-%d", i))
		q, p := at(), at()
		s.Requests = append(s.Requests, dispatch.Request{Trip: trip, Pickup: q, Match: &dispatch.Match{Driver: driver, Remaining: drive(p, q)}})
		s.Drivers = append(s.Drivers, dispatch.Driver{ID: driver, State: dispatch.OnWay, Trip: trip, Point: p})
	}
	for i := range drivers {
		d := dispatch.Driver{ID: ride.AccountID(fmt.Sprintf("free-%d", i)), State: dispatch.Free, Point: at(), Held: r.IntN(8) == 0}
		if r.IntN(3) == 0 {
			d.State, d.Lead, d.Next = dispatch.InRide, time.Duration(r.IntN(60))*second, r.IntN(8) == 0
		}
		d.Cell = cell(d.Point)
		s.Drivers = append(s.Drivers, d)
	}
	addWays(p, &s)
	return s
}

// drive is the time of a way in the town.
func drive(a, b geo.Point) time.Duration {
	return time.Duration(geo.DistanceM(a, b)*1.3/6) * second
}

// addWays finds the ways that Shortlist asks for.
func addWays(p dispatch.Policy, s *dispatch.Snapshot) {
	pickup, from := map[ride.TripID]geo.Point{}, map[ride.AccountID]geo.Point{}
	for _, r := range s.Requests {
		pickup[r.Trip] = r.Pickup
	}
	for _, d := range s.Drivers {
		from[d.ID] = d.Point
	}
	for _, pair := range dispatch.Shortlist(p, s) {
		w := dispatch.Way{Trip: pair.Trip, Driver: pair.Driver, Duration: drive(from[pair.Driver], pickup[pair.Trip]), By: geo.ByStreets}
		if w.Duration <= pair.Within {
			s.Ways = append(s.Ways, w)
		}
	}
}

// TestDecideKnowsNoOrder: equal snapshots give equal bytes, whatever the order of their slices, and are not changed.
func TestDecideKnowsNoOrder(t *testing.T) {
	offers, exchanges := 0, 0
	for seed := range uint64(60) {
		p := dispatch.Auto()
		s := town(seed, p, int(seed)%40, int(seed*7)%40, int(seed*13)%90)
		if seed%3 == 0 { // contradictions
			s.Requests = append(s.Requests, s.Requests[:min(2, len(s.Requests))]...)
			s.Drivers = append(s.Drivers, s.Drivers[:min(2, len(s.Drivers))]...)
			s.Ways = append(s.Ways, s.Ways[:min(9, len(s.Ways))]...)
		}
		before, err := json.Marshal(s)
		require.NoError(t, err)
		plan := dispatch.Decide(p, &s)
		want, err := json.Marshal(plan)
		require.NoError(t, err)
		after, err := json.Marshal(s)
		require.NoError(t, err)
		require.Equal(t, string(before), string(after), "the snapshot was changed")
		offers, exchanges = offers+len(plan.Offers), exchanges+len(plan.Exchanges)

		r := rand.New(rand.NewPCG(seed, 2))
		for range 3 {
			shuffle(r, s.Requests)
			shuffle(r, s.Drivers)
			shuffle(r, s.Ways)
			shuffle(r, s.Demand)
			got, err := json.Marshal(dispatch.Decide(p, &s))
			require.NoError(t, err)
			require.Equal(t, string(want), string(got), "seed %d", seed)
			pairs := dispatch.Shortlist(p, &s)
			require.True(t, slices.IsSortedFunc(pairs, func(a, b dispatch.Pair) int {
				switch {
				case a.Trip < b.Trip:
					return -1
				case a.Trip > b.Trip:
					return 1
				}
				return 0
			}))
		}
	}
	require.Greater(t, offers, 300)
	require.Greater(t, exchanges, 10)
}

func shuffle[T any](r *rand.Rand, all []T) {
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
}
