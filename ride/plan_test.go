package ride_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

func TestPlanAsksTheNearest(t *testing.T) {
	p := broadcast().Policy
	need := ride.Need{
		Trip: "t", Class: "standard", Room: 2,
		Excluded: map[ride.AccountID]bool{"declined": true}, Open: map[ride.AccountID]bool{"thinking": true},
		Asked: map[ride.AccountID]int{"slow": 1, "asleep": p.AsksPerDriver}, Ignored: map[ride.AccountID]int{"slow": 1, "asleep": p.AsksPerDriver},
		Resting: map[ride.AccountID]bool{"full": true},
	}
	edge := func(d ride.AccountID, m float64, eta time.Duration) ride.Candidate {
		return ride.Candidate{Trip: "t", Driver: d, Class: "standard", DistanceM: m, ETA: eta}
	}
	van := edge("van", 5, 1)
	van.Class = "van"
	other := edge("b", 1, 1)
	other.Trip = "other"
	got := ride.Plan(p, []ride.Need{need, {Trip: "nothing"}}, []ride.Candidate{
		edge("declined", 1, 1), edge("thinking", 1, 2), edge("asleep", 1, 3), edge("slow", 1, 4), edge("full", 1, 5), van, other,
		edge("b", 300, time.Minute), edge("a", 300, time.Minute), edge("far", 300, 2*time.Minute), edge("b", 290, 50*time.Second),
		edge("island", math.Inf(1), time.Minute), edge("lost", math.NaN(), time.Minute),
	})
	require.Len(t, got, 2)
	require.Empty(t, got[1])
	verdicts := map[ride.AccountID]ride.Verdict{}
	var offered []ride.AccountID
	for _, k := range got[0] {
		require.NotContains(t, verdicts, k.Driver)
		verdicts[k.Driver] = k.Verdict
		if k.Verdict == ride.VerdictOffered {
			offered = append(offered, k.Driver)
		}
	}
	require.Equal(t, []ride.AccountID{"b", "a"}, offered, "by ETA, then by id")
	require.Equal(t, map[ride.AccountID]ride.Verdict{
		"declined": ride.VerdictExcluded, "thinking": ride.VerdictOpen, "asleep": ride.VerdictAskedEnough,
		"slow": ride.VerdictOverCap, "far": ride.VerdictOverCap, "full": ride.VerdictResting, "van": ride.VerdictWrongClass,
		"a": ride.VerdictOffered, "b": ride.VerdictOffered, "island": ride.VerdictNoWay, "lost": ride.VerdictNoWay,
	}, verdicts)
}

// TestThePlaceOfThePickupRanks: the way to the middle of the pickup's cell or to the door, and likewise for the longest way.
func TestThePlaceOfThePickupRanks(t *testing.T) {
	edge := func(d ride.AccountID, area, door time.Duration) ride.Candidate {
		return ride.Candidate{Trip: "t", Driver: d, DistanceM: area.Seconds(), ETA: area, DoorM: door.Seconds(), DoorETA: door}
	}
	edges := []ride.Candidate{
		edge("north", time.Minute, 3*time.Minute), edge("south", 3*time.Minute, 2*time.Minute), edge("far", 4*time.Minute, 20*time.Minute),
		{Trip: "t", Driver: "unknown", DistanceM: 1, ETA: 150 * time.Second}, // the way to the door was not looked for
	}
	for door, want := range map[bool]string{
		false: "north offered, unknown offered, south over_cap, far over_cap",
		true:  "south offered, unknown offered, north over_cap, far beyond_eta",
	} {
		p := broadcast().Policy
		p.Door, p.MaxETA = door, 10*time.Minute
		got := make([]string, 0, len(edges))
		for _, k := range ride.Plan(p, []ride.Need{{Trip: "t", Room: 2}}, edges)[0] {
			got = append(got, fmt.Sprint(k.Driver, " ", k.Verdict))
		}
		require.Equal(t, want, strings.Join(got, ", "))
	}
	require.True(t, ride.DefaultPolicy().As(ride.PolicyNearest).Door)
	require.False(t, ride.DefaultPolicy().As(ride.PolicyBroadcast).Door, "many are asked together")
}

// TestPlanKnowsNoOrder: the order in which cells answer must not matter.
func TestPlanKnowsNoOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		driver := rapid.Custom(drawDriver)
		count := rapid.MapOf(driver, rapid.IntRange(0, 3))
		flag := rapid.MapOf(driver, rapid.Bool())
		need := rapid.Custom(func(t *rapid.T) ride.Need {
			return ride.Need{
				Trip:  ride.TripID(rapid.SampledFrom([]string{"t1", "t2"}).Draw(t, "trip")),
				Class: "standard", Room: rapid.IntRange(0, 5).Draw(t, "room"),
				Excluded: flag.Draw(t, "excluded"), Open: flag.Draw(t, "open"), Resting: flag.Draw(t, "resting"),
				Asked: count.Draw(t, "asked"), Ignored: count.Draw(t, "ignored"),
			}
		})
		needs := rapid.SliceOfNDistinct(need, 1, 2, func(n ride.Need) ride.TripID { return n.Trip }).Draw(t, "needs")
		edges := rapid.SliceOf(rapid.Custom(func(t *rapid.T) ride.Candidate {
			return ride.Candidate{
				Trip: ride.TripID(rapid.SampledFrom([]string{"t1", "t2", "t3"}).Draw(t, "trip")), Driver: drawDriver(t),
				Class:     rapid.SampledFrom([]string{"standard", "van"}).Draw(t, "class"),
				DistanceM: float64(rapid.IntRange(0, 3).Draw(t, "km")), ETA: time.Duration(rapid.IntRange(-1, 3).Draw(t, "eta")),
			}
		})).Draw(t, "edges")
		p := broadcast().Policy
		kept := slices.Clone(edges)
		plan := ride.Plan(p, needs, edges)
		require.Equal(t, kept, edges, "the candidates given were changed")
		require.Equal(t, plan, ride.Plan(p, needs, rapid.Permutation(edges).Draw(t, "shuffled")))
		require.Len(t, plan, len(needs))
		for i, n := range needs {
			offered := 0
			for _, k := range plan[i] {
				if k.Verdict == ride.VerdictOffered {
					offered++
					require.False(t, n.Excluded[k.Driver] || n.Open[k.Driver] || n.Resting[k.Driver])
					require.Less(t, n.Ignored[k.Driver], p.AsksPerDriver)
				}
			}
			require.LessOrEqual(t, offered, n.Room)
		}
	})
}

// crowd is n candidates in no order.
func crowd(n int) []ride.Candidate {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]ride.Candidate, n)
	for i := range out {
		out[i] = ride.Candidate{
			Trip: "trip", Driver: ride.AccountID(fmt.Sprintf("driver-%d", i)), Class: "standard",
			DistanceM: r.Float64() * 3000, ETA: time.Duration(r.IntN(600)) * time.Second,
		}
	}
	return out
}

func BenchmarkPlan500(b *testing.B) {
	p, edges := broadcast().Policy, crowd(500)
	needs := []ride.Need{{Trip: "trip", Class: "standard", Room: p.Cap}}
	b.ReportAllocs()
	for b.Loop() {
		ride.Plan(p, needs, edges)
	}
}

func BenchmarkDecideAccept(b *testing.B) {
	s := newShell()
	require.NoError(b, s.do(request(broadcast())))
	require.NoError(b, s.do(s.planned(1, 1, crowd(500))))
	c := ride.AcceptOffer{Offer: s.trip.Offers[0].ID, Card: card(s.trip.Offers[0].Driver)}
	b.ReportAllocs()
	for b.Loop() {
		if events, _, err := ride.Decide(s.trip, s.now, c); err != nil || len(events) != 1 {
			b.Fatal(events, err)
		}
	}
}

// A wave's record is bounded: the best candidates, the nearest of those passed over, and
// how many more there were.
func TestWaveRecordIsBounded(t *testing.T) {
	rules := broadcast()
	rules.Policy.Cap = 3
	trip := ride.Apply(ride.Trip{}, ride.Requested{At: dawn, ID: "t", Rules: rules, Request: ride.Request{Class: "standard"}})
	var found []ride.Candidate
	wave := ride.OfferWave{Wave: 1, Ring: rules.Policy.RingStart, Cells: 5}
	for i := range 100 {
		found = append(found, ride.Candidate{
			Trip: "t", Driver: ride.AccountID(fmt.Sprintf("c%03d", i)), Class: "standard", ETA: time.Duration(i+1) * time.Second,
			Point: geo.Point{Lat: 37, Lng: 127},
		})
		wave.Passed = append(wave.Passed, ride.Considered{Driver: ride.AccountID(fmt.Sprintf("p%03d", i)), Verdict: ride.VerdictBusy})
	}
	wave.Considered = plan(trip, dawn, found)
	events, _, err := ride.Decide(trip, dawn, wave)
	require.NoError(t, err)
	require.Len(t, events, 1)
	e := events[0].(ride.WavePlanned)
	require.Len(t, e.Offers, 3)
	require.Len(t, e.Considered, 64+ride.MaxPassed)
	require.Equal(t, 36, e.More)
	require.Equal(t, 5, e.Cells)
	require.Equal(t, ride.Considered{Driver: "c000", Point: geo.Point{Lat: 37, Lng: 127}, ETA: time.Second, Verdict: ride.VerdictOffered}, e.Considered[0])
	require.Equal(t, ride.VerdictOverCap, e.Considered[3].Verdict)
	require.Equal(t, ride.AccountID("p000"), e.Considered[64].Driver)
}
