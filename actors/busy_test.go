package actors

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// The database knows that a driver is busy, and this process does not: the driver has a trip in
// another one. A trip that was refused the match asks that driver again after the time between
// waves, not before, however long the driver thought about the offer.
func TestBusyDriverRests(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		elsewhere := ride.Trip{ID: "elsewhere", Version: 3, Status: ride.StatusMatched, Driver: &ride.DriverCard{ID: "d"}}
		w.store.mu.Lock()
		w.store.trips[elsewhere.ID] = elsewhere
		w.store.mu.Unlock()
		trip := ride.TripID(r.request().GetTrip().GetId())
		every := w.sys.cfg.Rules.Policy.WaveEvery
		for n := range 3 {
			require.Len(t, d.offers(), n+1)
			for range 6 { // it thinks for longer than a wave takes
				d.at(pickup)
			}
			require.Equal(t, "driver_busy", d.accept(d.offer()).GetError().GetCode())
			refused := time.Now()
			require.Equal(t, "withdrawn driver_busy", d.ends()[n])
			for time.Since(refused) < every-time.Second {
				d.at(pickup)
				require.Len(t, d.offers(), n+1, "%s after the refusal", time.Since(refused))
			}
			pass(every - time.Since(refused))
			w.sys.root.Send(w.sys.place.Trip(trip), driverNearby{})
		}
		w.store.mu.Lock()
		delete(w.store.trips, elsewhere.ID) // it ends there
		w.store.mu.Unlock()
		require.Equal(t, ridepb.Trip_matched, d.accept(d.offer()).GetTrip().GetStatus())
	})
}
