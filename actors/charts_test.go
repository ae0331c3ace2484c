package actors

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/actors/city"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// sum adds the samples up.
func sumOf(samples []*ridepb.Sample) (requests, matches, completions, cancellations, expiries uint32) {
	for _, s := range samples {
		requests += s.GetRequests()
		matches += s.GetMatches()
		completions += s.GetCompletions()
		cancellations += s.GetCancellations()
		expiries += s.GetExpiries()
	}
	return
}

// The charts count what happens, and after a restart they are refilled from the database.
func TestChartsCountAndAreRefilled(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		begun := time.Now()
		d, rider := w.driver("d", 100), w.rider("rider")
		id := rider.request().GetTrip().GetId()
		pass(3 * time.Second)
		d.accept(d.offer())
		d.arrived(id)
		d.start(id, "")
		d.complete(id)
		rider.cancel(rider.request().GetTrip().GetId())
		for range 30 {
			d.at(pickup)
		}
		pass(11 * time.Second)
		samples := w.sys.Samples(begun, city.Step)
		require.GreaterOrEqual(t, len(samples), 4)
		r, m, c, x, e := sumOf(samples)
		require.Equal(t, [5]uint32{2, 1, 1, 1, 0}, [5]uint32{r, m, c, x, e})
		locations := float32(0)
		for i, s := range samples {
			require.Equal(t, uint32(10), s.GetStepS())
			require.Zero(t, s.GetAt().AsTime().Unix()%10)
			require.False(t, s.GetTripsOnly())
			locations += s.GetLocationsPerS() * 10
			if s.GetMatches() > 0 {
				require.InDelta(t, 3000, s.GetMatchMeanMs(), 10)
				require.InEpsilon(t, 3000, s.GetMatchP50Ms(), 0.25)
				require.InEpsilon(t, 3000, s.GetMatchP90Ms(), 0.25)
			}
			if i > 0 {
				require.InDelta(t, 1, s.GetDriversOnline(), 0.01)
				require.InDelta(t, 2, s.GetSessions(), 0.01)
				require.Greater(t, s.GetAt().AsTime(), samples[i-1].GetAt().AsTime())
			}
		}
		require.InDelta(t, 31, locations, 1)
		long := w.sys.Samples(begun.Add(-time.Hour), 5*time.Minute)
		require.LessOrEqual(t, len(long), 2)
		r, m, c, x, e = sumOf(long)
		require.Equal(t, [5]uint32{2, 1, 1, 1, 0}, [5]uint32{r, m, c, x, e})
		require.Empty(t, w.sys.Samples(time.Now(), city.Step))

		w.crash(nil)
		pass(time.Second)
		back := w.sys.Samples(begun.Add(-time.Hour), city.Step)
		r, m, c, x, e = sumOf(back)
		require.Equal(t, [5]uint32{2, 1, 1, 1, 0}, [5]uint32{r, m, c, x, e})
		for _, s := range back {
			require.True(t, s.GetTripsOnly())
		}
		pass(20 * time.Second)
		back = w.sys.Samples(begun.Add(-time.Hour), city.Step)
		require.False(t, back[len(back)-1].GetTripsOnly())
	})
}

// A console receives each new point of the charts, and the actors.
func TestWatchTheNode(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.driver("d", 100)
		c := w.console(&ridepb.WatchCity{Actors: true, Samples: true})
		require.Len(t, c.actors, 6)
		pass(35 * time.Second)
		c.catchUp()
		require.InDelta(t, 3, len(c.samples), 1)
		kinds := map[string]*ridepb.ActorKind{}
		for _, k := range c.actors {
			kinds[k.GetKind()] = k
		}
		require.EqualValues(t, 1, kinds["driver"].GetAlive())
		require.EqualValues(t, 1, kinds["operator"].GetAlive())
		require.Positive(t, kinds["operator"].GetMessages())
		require.Positive(t, kinds["operator"].GetMessagesPerS())
	})
}
