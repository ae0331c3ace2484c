package ride_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// broadcast are the default rules, but for the policy.
func broadcast() ride.Rules {
	r := ride.DefaultRules()
	r.Policy = r.Policy.As(ride.PolicyBroadcast)
	return r
}

// asked are the drivers of a trip's offers in a wave, in order.
func asked(t ride.Trip, wave int) (out []ride.AccountID) {
	for _, o := range t.Offers {
		if o.Wave == wave {
			out = append(out, o.Driver)
		}
	}
	return out
}

func offering(drivers ...ride.AccountID) (out []ride.Considered) {
	for i, d := range drivers {
		out = append(out, ride.Considered{Driver: d, DistanceM: 100, ETA: time.Duration(len(drivers)-i) * time.Minute, Verdict: ride.VerdictOffered})
	}
	return out
}

// TestOneCallerPlansManyTrips: the plans of one call are carried out as they are, each by its
// own trip, also where a trip's own ranking would have chosen otherwise.
func TestOneCallerPlansManyTrips(t *testing.T) {
	trips := make([]ride.Trip, 2)
	var needs []ride.Need
	var edges []ride.Candidate
	for i := range trips {
		c := request(broadcast())
		c.ID = ride.TripID(fmt.Sprintf("t%d", i))
		events, _, err := ride.Decide(ride.Trip{}, dawn, c)
		require.NoError(t, err)
		trips[i] = ride.Replay(events)
		needs = append(needs, trips[i].Need(dawn))
		for _, e := range crowd(5) {
			e.Trip = c.ID
			edges = append(edges, e)
		}
	}
	plans := ride.Plan(broadcast().Policy, needs, edges)
	for i, trip := range trips {
		// What a planner that looks at both trips may do: only the last is asked.
		considered := plans[i]
		for j := range considered[:len(considered)-1] {
			considered[j].Verdict = ride.VerdictOverCap
		}
		events, _, err := ride.Decide(trip, dawn, ride.OfferWave{Wave: 1, Ring: 1, Considered: considered})
		require.NoError(t, err)
		require.Equal(t, considered, events[0].(ride.WavePlanned).Considered)
		require.Equal(t, []ride.AccountID{considered[len(considered)-1].Driver}, asked(ride.Fold(trip, events), 1))
	}
}

// TestPlanBeyondBounds: no plan makes a trip ask a driver whom its state or its policy rules
// out, and the record says why.
func TestPlanBeyondBounds(t *testing.T) {
	rules := broadcast()
	rules.Policy.Cap, rules.Policy.AsksPerDriver = 3, 1
	s := newShell()
	require.NoError(t, s.do(request(rules)))
	require.NoError(t, s.do(ride.OfferWave{Wave: 1, Ring: 1, Considered: offering("no", "asleep", "gone")}))
	require.NoError(t, s.do(ride.DeclineOffer{Offer: s.offerOf("no"), Driver: "no"}))
	s.advance(rules.Policy.OfferTTL - time.Second)
	require.NoError(t, s.do(ride.OfferWave{Wave: 2, Ring: s.search.Ring, Considered: offering("thinks")}))
	require.NoError(t, s.do(ride.WithdrawOffer{Offer: s.offerOf("gone"), Reason: ride.ReasonDriverGone}))
	s.advance(time.Second)

	broken := ride.Considered{Driver: "broken", DistanceM: math.NaN(), Verdict: ride.VerdictOffered}
	lost := ride.Considered{Driver: "lost", DoorM: math.Inf(1), Verdict: ride.VerdictOffered}
	far := ride.Considered{Driver: "far", Verdict: ride.VerdictOverCap}
	c := ride.OfferWave{Wave: s.trip.Search.Wave + 1, Ring: s.trip.Search.NextRing}
	c.Considered = append([]ride.Considered{broken, lost, far}, offering("no", "asleep", "thinks", "a", "a", "b", "c")...)
	given := append([]ride.Considered{}, c.Considered[1:]...)
	require.NoError(t, s.do(c))
	require.Equal(t, given, c.Considered[1:], "the plan given was changed")

	e := s.history[len(s.history)-1].(ride.WavePlanned)
	var got []string
	for _, k := range e.Considered {
		got = append(got, fmt.Sprintf("%s %s", k.Driver, k.Verdict))
	}
	require.Equal(t, []string{
		"broken no_way", "lost no_way", "far over_cap", "no excluded", "asleep asked_enough", "thinks offer_open",
		"a offered", "a offer_open", "b offered", "c over_cap",
	}, got)
	require.Equal(t, []ride.AccountID{"a", "b"}, asked(s.trip, e.Wave))
	for i, o := range e.Offers {
		require.Equal(t, ride.NewOfferID("trip", 5+i), o.ID)
		require.Equal(t, s.now, o.MadeAt)
		require.Equal(t, s.now.Add(rules.Policy.OfferTTL), o.ExpiresAt)
		require.Equal(t, ride.OfferOpen, o.State)
	}
	_, _, err := ride.MarshalEvent(e)
	require.NoError(t, err)
}

// TestPlanForAnOlderState: a plan that comes late is refused when the trip has moved on, and
// reduced when it still waits for that wave.
func TestPlanForAnOlderState(t *testing.T) {
	rules := broadcast()
	rules.Policy.RingMax = 1
	fresh := func(t *testing.T) (*shell, ride.OfferWave) {
		s := newShell()
		require.NoError(t, s.do(request(rules)))
		require.NoError(t, s.do(ride.OfferWave{Wave: 1, Ring: 1, Considered: offering("a", "b")}))
		return s, s.planned(2, 1, []ride.Candidate{{Trip: "trip", Driver: "c", Class: "standard"}, {Trip: "trip", Driver: "d", Class: "standard", ETA: 1}})
	}
	for name, then := range map[string]func(*testing.T, *shell){
		"matched": func(t *testing.T, s *shell) {
			require.NoError(t, s.do(ride.AcceptOffer{Offer: s.offerOf("a"), Card: card("a")}))
		},
		"cancelled":    func(t *testing.T, s *shell) { require.NoError(t, s.do(ride.CancelTrip{By: ride.BySystem})) },
		"another wave": func(t *testing.T, s *shell) { require.NoError(t, s.do(s.planned(2, 1, nil))) },
	} {
		t.Run(name, func(t *testing.T) {
			s, late := fresh(t)
			then(t, s)
			version := s.trip.Version
			require.NoError(t, s.do(late))
			require.Equal(t, version, s.trip.Version)
		})
	}
	t.Run("declined since", func(t *testing.T) {
		s, late := fresh(t)
		require.NoError(t, s.do(ride.DeclineOffer{Offer: s.offerOf("a"), Driver: "a"}))
		late.Considered = append(late.Considered, offering("a")...)
		require.NoError(t, s.do(late))
		require.Equal(t, []ride.AccountID{"c", "d"}, asked(s.trip, 2))
	})
}

// TestPlanBeyondTheTripsOffers: a trip makes at most 500 offers, however many are planned.
func TestPlanBeyondTheTripsOffers(t *testing.T) {
	rules := broadcast()
	rules.Policy.Cap, rules.Policy.RingMax, rules.Policy.MaxETA = 300, 1, 0
	s := newShell()
	require.NoError(t, s.do(request(rules)))
	for wave := 1; wave <= 3; wave++ {
		var drivers []ride.AccountID
		for i := range 400 {
			drivers = append(drivers, ride.AccountID(fmt.Sprintf("w%d-%d", wave, i)))
		}
		require.NoError(t, s.do(ride.OfferWave{Wave: wave, Ring: 1, Considered: offering(drivers...)}))
		for _, o := range s.trip.Offers {
			require.NoError(t, s.do(ride.WithdrawOffer{Offer: o.ID, Reason: ride.ReasonDriverGone}))
		}
	}
	require.Len(t, asked(s.trip, 1), 300)
	require.Len(t, asked(s.trip, 2), 200)
	require.Empty(t, asked(s.trip, 3))
}

// TestNeedIsTheCallers: a need shares nothing with its trip and stays as it was.
func TestNeedIsTheCallers(t *testing.T) {
	s := newShell()
	require.NoError(t, s.do(request(broadcast())))
	require.NoError(t, s.do(ride.OfferWave{Wave: 1, Ring: 1, Considered: offering("a", "b")}))
	need, again := s.trip.Need(s.now), s.trip.Need(s.now)
	require.NoError(t, s.do(ride.DeclineOffer{Offer: s.offerOf("a"), Driver: "a"}))
	require.Equal(t, again, need)
	require.Equal(t, ride.Need{
		Trip: "trip", Class: "standard", Room: broadcast().Policy.Cap - 2,
		Open: map[ride.AccountID]bool{"a": true, "b": true}, Asked: map[ride.AccountID]int{"a": 1, "b": 1},
	}, need)
}

// TestNobodyIsAskedBeyondTheLongestWay: not even by a plan that says so. A way of exactly that length is near
// enough, and without a bound so is any.
func TestNobodyIsAskedBeyondTheLongestWay(t *testing.T) {
	for longest, want := range map[time.Duration][]string{
		2 * time.Minute: {"b offered", "a offered", "far beyond_eta"},
		0:               {"b offered", "a offered", "far offered"},
	} {
		rules := broadcast()
		rules.Policy.MaxETA = longest
		s := newShell()
		require.NoError(t, s.do(request(rules)))
		trusting := ride.OfferWave{Wave: 1, Ring: 1, Considered: []ride.Considered{
			{Driver: "b", ETA: time.Minute, DoorM: 9000, DoorETA: 9 * time.Minute, Verdict: ride.VerdictOffered},
			{Driver: "a", ETA: 2 * time.Minute, Verdict: ride.VerdictOffered},
			{Driver: "far", ETA: 2*time.Minute + 1, DoorM: 1, DoorETA: 1, Verdict: ride.VerdictOffered},
		}}
		var edges []ride.Candidate
		for _, k := range trusting.Considered {
			edges = append(edges, ride.Candidate{Trip: "trip", Driver: k.Driver, Class: "standard", ETA: k.ETA, DoorM: k.DoorM, DoorETA: k.DoorETA})
		}
		planned := s.planned(1, 1, edges)
		require.NoError(t, s.do(trusting))
		for name, considered := range map[string][]ride.Considered{
			"planned": planned.Considered, "recorded": s.history[len(s.history)-1].(ride.WavePlanned).Considered,
		} {
			var got []string
			for _, k := range considered {
				got = append(got, fmt.Sprintf("%s %s", k.Driver, k.Verdict))
			}
			require.Equal(t, want, got, "%s, %s", name, longest)
		}
	}
}

// TestWhoeverHoldsAnOfferIsNotAsked: under an exclusive policy only.
func TestWhoeverHoldsAnOfferIsNotAsked(t *testing.T) {
	edges := []ride.Candidate{{Trip: "trip", Driver: "a", Class: "standard", ETA: 1, Load: 1}, {Trip: "trip", Driver: "b", Class: "standard", ETA: 2}}
	need := []ride.Need{{Trip: "trip", Class: "standard", Room: 1}}
	for kind, want := range map[ride.PolicyKind][]ride.Verdict{
		ride.PolicyNearest:    {ride.VerdictHeld, ride.VerdictOffered},
		ride.PolicySequential: {ride.VerdictOffered, ride.VerdictOverCap},
	} {
		got := ride.Plan(ride.DefaultPolicy().As(kind), need, edges)[0]
		require.Equal(t, want, []ride.Verdict{got[0].Verdict, got[1].Verdict}, kind)
	}
}

// TestRingsEndWhereNobodyCanBe: against a count of the rings whose nearest corner is near enough.
func TestRingsEndWhereNobodyCanBe(t *testing.T) {
	p := ride.DefaultPolicy()
	p.RingMax = 30
	require.Equal(t, p, p.Within(0, 10), "cells of no size")
	require.Equal(t, p, p.Within(900, 0), "no speed is known")
	for _, ringM := range []float64{170, 460, 920, 3200} {
		p.Door = !p.Door // then the pickup may be a cell's radius nearer, too
		radius := ringM / math.Sqrt(3)
		near := radius
		if p.Door {
			near += radius
		}
		for _, mps := range []float64{2, 6.4, 36} {
			for _, eta := range []time.Duration{time.Minute, 5 * time.Minute, 10 * time.Minute} {
				p.MaxETA = eta
				is := p.Within(ringM, mps)
				reach := eta.Seconds() * mps
				for ring := p.RingStart; ring <= p.RingMax; ring++ {
					// The nearest place of a ring of cells a quarter smaller than the mean.
					if least := float64(ring)*0.75*ringM*0.866 - near; least <= reach-1 {
						require.GreaterOrEqual(t, is.RingMax, ring, "somebody %.0f m away may come in %s at %.0f m/s", least, eta, mps)
					}
				}
				if far := float64(is.RingMax) * ringM * 0.5; is.RingMax > p.RingStart {
					require.LessOrEqual(t, far, reach+2*ringM+near, "rings of %.0f m, %.0f m/s, %s", ringM, mps, eta)
				}
			}
		}
	}
	p.MaxETA = 0
	require.Equal(t, p, p.Within(900, 10), "any way is short enough")
}

func TestPoliciesThatGatherAreNotImmediate(t *testing.T) {
	for kind, want := range map[ride.PolicyKind]bool{ride.PolicyBroadcast: true, ride.PolicySequential: true, ride.PolicyNearest: true, ride.PolicyBatch: false} {
		require.Equal(t, want, ride.Policy{Kind: kind}.Immediate(), kind)
	}
}

func BenchmarkDecideWave(b *testing.B) {
	s := newShell()
	require.NoError(b, s.do(request(broadcast())))
	edges := crowd(32)
	b.ReportAllocs()
	for b.Loop() {
		if events, _, err := ride.Decide(s.trip, s.now, s.planned(1, 1, edges)); err != nil || len(events) != 1 {
			b.Fatal(events, err)
		}
	}
}
