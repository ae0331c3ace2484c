package actors

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// TestEndsAreToldOnce: each trip that ends is reported once, completed or not, when its end is on disk, and not
// again after ratings or a crash.
func TestEndsAreToldOnce(t *testing.T) {
	var mu sync.Mutex
	var told []ride.Status
	var w *world
	watch := func(c *Config) {
		c.Ended = func(trip *ride.Trip) {
			mu.Lock()
			defer mu.Unlock()
			stored, err := w.store.Trip(t.Context(), trip.ID)
			if err != nil || stored.Status != trip.Status {
				t.Errorf("it is reported as %s, and stored as %s: %v", trip.Status, stored.Status, err)
			}
			told = append(told, trip.Status)
		}
	}
	inWorld(t, watch, func(in *world) {
		w = in
		d, trip := riding(w)
		require.Empty(t, told)
		require.NotNil(t, d.complete(trip).GetTrip())
		require.Equal(t, []ride.Status{ride.StatusCompleted}, told)
		require.NotNil(t, d.rate(trip, 4).GetTrip())

		other := w.rider("other")
		second := other.request().GetTrip().GetId()
		other.cancel(second)
		require.Equal(t, []ride.Status{ride.StatusCompleted, ride.StatusCancelled}, told)
		w.crash(watch)
		require.Len(t, told, 2)
	})
}
