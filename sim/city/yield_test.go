package city

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/sim/check"
)

// A city that yields holds requests back while the machine lags and riders wait; a load
// test holds none back.
func TestACityHoldsRequestsBackWhileItsMachineLags(t *testing.T) {
	for name, tc := range map[string]struct {
		yield, waiting int
		lags, holds    bool
	}{
		"busy":           {yield: 2, waiting: 2, lags: true, holds: true},
		"calm":           {yield: 2, waiting: 2},
		"few wait":       {yield: 2, waiting: 1, lags: true},
		"does not yield": {yield: 0, waiting: 2, lags: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := example("ws://127.0.0.1:1", "")
				cfg.Yield = tc.yield
				c, err := New(cfg)
				require.NoError(t, err)
				c.pool.all = make([]*rider, tc.waiting)
				due := time.Now().Add(time.Second)
				if tc.lags {
					c.probe.look(time.Now(), true)
					time.Sleep(probeEvery + 2*check.Lagging)
					c.lagged(time.Now())
				}
				got, ok := c.hold(t.Context(), due)
				require.True(t, ok)
				if !tc.holds {
					require.Equal(t, due, got)
					require.Zero(t, c.Report().Held)
					return
				}
				require.Equal(t, time.Now(), got, "due when it was let go")
				require.GreaterOrEqual(t, got.Sub(due), calmAfter-time.Second)
				require.EqualValues(t, 1, c.Report().Held)
			})
		})
	}
}

// The end of a run ends the wait of a request that is held back.
func TestAHeldRequestGoesWithTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := example("ws://127.0.0.1:1", "")
		cfg.Yield = 1
		c, err := New(cfg)
		require.NoError(t, err)
		c.pool.all = make([]*rider, 1)
		c.probe.look(time.Now(), true)
		time.Sleep(probeEvery + 2*check.Lagging)
		c.lagged(time.Now())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, ok := c.hold(ctx, time.Now())
		require.False(t, ok)
		require.Zero(t, c.Report().Held)
	})
}

// A city that calms down cancels the requests that have no driver, and no others; its drivers
// send no more positions.
func TestACalmingCityTakesItsWorkBack(t *testing.T) {
	c, err := New(example("ws://127.0.0.1:1", "")) // frames wait for a server that never comes
	require.NoError(t, err)
	c.life = t.Context()
	c.clock.begin(time.Now())
	waiting := map[ridepb.Trip_Status]int{ridepb.Trip_requested: 1, ridepb.Trip_matched: 0, ridepb.Trip_completed: 0}
	riders := make(map[ridepb.Trip_Status]*rider)
	for status := range waiting {
		r := c.pool.get()
		r.mu.Lock()
		r.wish, r.trip, r.status = &wish{}, "trip", status
		r.mu.Unlock()
		riders[status] = r
	}
	d := c.drivers[0]
	d.start(d, 0)
	defer c.close()
	tell := func() (planned int) {
		d.mu.Lock()
		defer d.mu.Unlock()
		before := len(d.timers)
		d.due = time.Now().Add(time.Hour)
		d.tell()
		return len(d.timers) - before
	}
	require.Equal(t, 1, tell(), "the next position")

	c.ending.Store(true)
	c.calm()
	for status, n := range waiting {
		require.Equal(t, n, riders[status].client.Pending(), status)
	}
	require.Zero(t, tell())
}
