package city

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

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
		"nobody waits":   {yield: 2, waiting: 1, lags: true},
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
