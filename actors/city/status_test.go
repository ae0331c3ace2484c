package city

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/ride"
)

// Each live status has a figure in the totals and counts as live; a final one has none.
func TestEveryLiveStatusIsInTheTotals(t *testing.T) {
	for _, s := range ride.Statuses() {
		c := New(Config{Resolution: 8})
		empty := c.Totals()
		c.Trips.Count(ride.StatusNone, s)
		require.Equal(t, s.Live(), !proto.Equal(empty, c.Totals()), s)
		require.Equal(t, s.Live(), c.Trips.live() == 1, s)
		c.Trips.Count(s, ride.StatusNone)
		require.True(t, proto.Equal(empty, c.Totals()), s)
	}
}

// The charts count each way in which a trip can end, both as it happens and when they are filled
// from the store.
func TestEveryEndIsCounted(t *testing.T) {
	now := time.Now()
	seen := map[sample]ride.Status{}
	for _, s := range ride.Statuses() {
		if !s.Final() {
			continue
		}
		after := &ride.Trip{Status: s, EndedAt: now}
		c := New(Config{Resolution: 8})
		c.charts.transition(&ride.Trip{Status: ride.StatusRequested}, after)
		live := c.charts.take()
		require.NotEqual(t, sample{}, live, s)
		require.Empty(t, seen[live], "%s shares a figure with another status", s)
		seen[live] = s

		var stored sample
		past(after, func(at time.Time) *sample {
			if at.Equal(now) {
				return &stored
			}
			return nil
		})
		require.Equal(t, live, stored, s)
	}
}
