package city

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/sim/check"
	"github.com/hexhail/hexhail/sim/report"
)

// Each status of the protocol is counted somewhere.
func TestEveryStatusIsCounted(t *testing.T) {
	b := newBook(&report.Stats{}, nil)
	for n, name := range ridepb.Trip_Status_name {
		s := ridepb.Trip_Status(n)
		require.Equal(t, s != ridepb.Trip_status_unspecified, b.gauge(s) != nil, name)
	}
}

// A trip that moves while it is read, as a visitor's may at the end of a run, is not judged by that; one that
// is read as older than what its rider has is.
func TestATripThatMovesWhileItIsReadIsNotJudged(t *testing.T) {
	b := newBook(&report.Stats{}, &clock{})
	b.news(&ridepb.Trip{Id: "t", Version: 4, Status: ridepb.Trip_arrived})
	moves := false
	c := &City{book: b, cfg: Config{Read: func(context.Context, string) (check.Record, error) {
		if moves {
			b.news(&ridepb.Trip{Id: "t", Version: 5, Status: ridepb.Trip_in_progress})
		}
		return check.Record{Version: 3}, nil
	}}}
	_, still, err := c.readStill(t.Context(), "t")
	require.NoError(t, err)
	require.True(t, still)
	moves = true
	_, still, err = c.readStill(t.Context(), "t")
	require.NoError(t, err)
	require.False(t, still)
}
