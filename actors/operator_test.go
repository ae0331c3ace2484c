package actors

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// When an operator takes a trip from its driver, the driver is notified, is free again and gets no
// further offer of this trip.
func TestOperatorRedispatches(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		near, far := w.driver("near", 100), w.driver("far", 300)
		rider := w.rider("rider")
		id := ride.TripID(rider.request().GetTrip().GetId())
		near.accept(near.offer())

		got, err := w.sys.Redispatch(context.Background(), id, "wrong way")
		require.NoError(t, err)
		require.Equal(t, ride.StatusRequested, got.Status)
		require.Equal(t, []string{"released"}, near.changes()[len(near.changes())-1:])
		require.Len(t, near.offers(), 1)
		require.Len(t, far.offers(), 2, "asked again")
		require.Contains(t, rider.changes(), "released")

		w.rider("other").request()
		require.Len(t, near.offers(), 2, "free for another trip")

		far.accept(far.offers()[1])
		far.arrived(string(id))
		far.start(string(id), "")
		_, err = w.sys.Redispatch(context.Background(), id, "too late")
		require.ErrorIs(t, err, ride.ErrWrongStatus)
		_, err = w.sys.Redispatch(context.Background(), "nothing", "")
		require.ErrorIs(t, err, ride.ErrNotFound)
	})
}

// A trip between two waves searches again at once when an operator redispatches it.
func TestOperatorBringsAWaveForward(t *testing.T) {
	inWorld(t, func(c *Config) { c.Rules.Policy.WaveEvery = time.Minute }, func(w *world) {
		first := w.driver("first", 100)
		rider := w.rider("rider")
		id := ride.TripID(rider.request().GetTrip().GetId())
		waves := w.store.trip(id).Search.Wave
		pass(2 * time.Second)
		require.Equal(t, waves, w.store.trip(id).Search.Wave)
		second := w.driver("second", 200)
		require.Empty(t, second.offers(), "another driver is being asked")
		_, err := w.sys.Redispatch(context.Background(), id, "hurry")
		require.NoError(t, err)
		pass(time.Second)
		require.Equal(t, waves+1, w.store.trip(id).Search.Wave)
		require.Len(t, second.offers(), 1)
		require.Len(t, first.offers(), 1)
	})
}

func (m *memStore) trip(id ride.TripID) ride.Trip {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.trips[id]
}

// A driver who is suspended during a trip loses its socket, and the trip continues; an operator can
// end it.
func TestSuspendedDriversTripCanBeEnded(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, rider := w.driver("d", 100), w.rider("rider")
		id := ride.TripID(rider.request().GetTrip().GetId())
		d.accept(d.offer())
		d.arrived(string(id))
		d.start(string(id), "")
		d.inbox.Leave() // as a session does when its socket closes
		pass(10 * time.Minute)
		require.Equal(t, ride.StatusInProgress, w.store.trip(id).Status)
		got, err := w.sys.CancelTrip(context.Background(), id, "operator", "driver suspended")
		require.NoError(t, err)
		require.Equal(t, ride.StatusCancelled, got.Status)
		require.Equal(t, "cancelled", rider.changes()[len(rider.changes())-1])
	})
}

// A wave records the drivers nearby who were not candidates, with the reason.
func TestWaveRecordsWhoWasPassedOver(t *testing.T) {
	inWorld(t, func(c *Config) { c.MaxOffers, c.Rules.Policy.Cap = 1, 1 }, func(w *world) {
		// busy and full get their trips before the other drivers appear.
		busy := w.driver("busy", 400)
		w.rider("of busy").request()
		busy.accept(busy.offer())
		full := w.driver("full", 30)
		w.rider("of full").request()
		require.Len(t, full.offers(), 1)
		// The centre of the pickup's cell lies further north: 80 m is nearer to it than 50 m.
		w.driver("offered", 80)
		w.driver("capped", 50)
		w.driver("beyond", 2500)
		w.driver("abroad", 50_000)
		stale := w.driver("stale", 200)
		stale.inbox.Leave()

		id := ride.TripID(w.rider("rider").request().GetTrip().GetId())
		verdicts := map[ride.AccountID]ride.Verdict{}
		for _, e := range w.store.history(id) {
			if wave, ok := e.(ride.WavePlanned); ok && wave.Wave == 1 {
				require.Positive(t, wave.Cells)
				for _, c := range wave.Considered {
					require.NotZero(t, c.Point, "%s", c.Driver)
					verdicts[c.Driver] = c.Verdict
				}
			}
		}
		require.Equal(t, map[ride.AccountID]ride.Verdict{
			"offered": ride.VerdictOffered, "capped": ride.VerdictOverCap, "busy": ride.VerdictBusy,
			"stale": ride.VerdictStale, "full": ride.VerdictFull, "beyond": ride.VerdictTooFar,
		}, verdicts)
	})
}

func (m *memStore) history(id ride.TripID) []ride.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]ride.Event(nil), m.events[id]...)
}
