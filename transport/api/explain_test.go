package api

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

func TestExplain(t *testing.T) {
	w := newWorld(t)
	trip := w.story("t", storyWhole)
	driver, driver2 := w.people["driver"].Account, w.people["driver2"].Account
	events, err := w.store.TripEvents(t.Context(), "t")
	require.NoError(t, err)
	var all []ride.Event
	for i, e := range events {
		ev := e.Event
		if i == 1 {
			wave := ev.(ride.WavePlanned)
			wave.Cells, wave.More = 3, 9
			wave.Considered = []ride.Considered{
				{Driver: driver.ID, Point: geo.Destination(pickup, 0, 100), DistanceM: 140.4, ETA: time.Minute, Verdict: ride.VerdictOffered},
				{Driver: driver2.ID, DistanceM: 200, ETA: 2 * time.Minute, Verdict: ride.VerdictOffered},
				{Driver: "who-left", Point: geo.Destination(pickup, 90, 50), Verdict: ride.VerdictBusy},
			}
			wave.Windows = 3
			wave.Decision = json.RawMessage(`{"policy":"batch","rows":5,"columns":9,"method":"shortest_paths",
				"price":{"way_ns":90000000000,"worth_ns":-10000000000,"age_credit_ns":-5040000000},"scarcity_ns":38000000000,
				"next":[{"driver":"` + string(driver2.ID) + `","eta_ns":60000000000,"more_ns":-30000000000,"reason":"needed","for":"other"}]}`)
			ev = wave
		}
		all = append(all, ev)
	}
	w.store.PutTrip(trip, all, nil)

	var v explained
	w.do(request{method: "GET", path: "/v1/admin/trips/t/explain", as: "operator"}).ok(200, &v)
	require.Equal(t, ride.PolicyNearest, v.Policy.Kind)
	require.True(t, v.Policy.Exclusive)
	require.EqualValues(t, 600, v.Policy.MaxEtaS)
	require.Equal(t, int64(15_000), v.Policy.OfferTTLMS)
	require.Len(t, v.Waves, 2)
	first := v.Waves[0]
	require.Equal(t, [4]int{1, 1, 3, 9}, [4]int{first.Wave, first.Ring, first.Cells, first.More})
	require.Equal(t, 2, first.Offered)
	require.Len(t, first.Candidates, 3)
	c := first.Candidates[0]
	require.Equal(t, "DRIVER Test", c.DriverName)
	require.Equal(t, "HX-driver", c.Plate)
	require.True(t, c.Located)
	require.InDelta(t, 100, c.StraightM, 1)
	require.InDelta(t, 140, c.DistanceM, 0)
	require.InDelta(t, 60, c.EtaS, 0)
	require.Equal(t, "expired", c.Outcome)
	require.Equal(t, "won", first.Candidates[1].Outcome)
	require.False(t, first.Candidates[1].Located)
	left := first.Candidates[2]
	require.Empty(t, left.DriverName)
	require.False(t, left.Offered)
	require.Equal(t, ride.VerdictBusy, left.Reason)

	require.Equal(t, 3, first.Windows)
	plan := first.Decision
	require.Equal(t, [2]int{5, 9}, [2]int{plan.Rows, plan.Columns})
	require.Equal(t, [5]float64{75, 90, -10, -5, 38}, [5]float64{plan.PriceS, plan.WayS, plan.WorthS, plan.AgeS, plan.ScarcityS})
	require.Equal(t, []alternativeView{{
		DriverID: driver2.ID, DriverName: "DRIVER2 Test", EtaS: 60, MoreS: -30, Needed: true, ForTrip: "other", Reason: "needed",
	}}, plan.Next)
	require.Nil(t, v.Waves[1].Decision, "that one the trip planned by itself")

	require.Len(t, v.Offers, 3)
	for i, want := range []ride.OfferState{ride.OfferExpired, ride.OfferWon, ride.OfferWon} {
		require.Equal(t, want, v.Offers[i].State)
		require.NotNil(t, v.Offers[i].EndedAt)
	}
	require.Equal(t, v.Offers[0].MadeAt.Add(time.Second), *v.Offers[0].EndedAt)
	require.Equal(t, v.Offers[1].MadeAt.Add(2*time.Second), *v.Offers[1].EndedAt)
	require.Len(t, v.Events, storyWhole)
	require.NotContains(t, w.do(request{method: "GET", path: "/v1/admin/trips/t/explain", as: "operator"}).Body.String(), secretPIN)
}

// explained is explainView as a client reads it.
type explained struct {
	Policy policyView
	Waves  []waveView
	Offers []offerDetail
	Events []struct{ Kind string }
}

// A trip without a search so far, and one whose record of candidates is gone.
func TestExplainLittle(t *testing.T) {
	w := newWorld(t)
	w.story("new", storyRequested)
	var v explained
	got := w.do(request{method: "GET", path: "/v1/admin/trips/new/explain", as: "operator"}).ok(200, &v)
	require.Empty(t, v.Waves)
	require.Contains(t, got.Body.String(), `"offers":[]`)
	w.story("t", storyReleased)
	w.do(request{method: "GET", path: "/v1/admin/trips/t/explain", as: "operator"}).ok(200, &v)
	require.Len(t, v.Waves, 1)
}
