package actors

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride/ridepb"
)

// A replay that no outbox would take is a lost history, and a shorter one is not.
func TestReplayFitsAnOutbox(t *testing.T) {
	h := newHistory(256)
	for range 256 {
		h.add(&ridepb.Event{Body: &ridepb.Event_TripUpdated{TripUpdated: &ridepb.TripUpdated{
			Trip: &ridepb.Trip{Note: strings.Repeat("x", 500)},
		}}})
	}
	_, ok := h.since(&ridepb.Resume{Epoch: h.epoch, Seq: 0})
	require.False(t, ok)
	missed, ok := h.since(&ridepb.Resume{Epoch: h.epoch, Seq: 200})
	require.True(t, ok)
	require.Len(t, missed, 56)
	require.Equal(t, uint32(201), missed[0].GetSeq())
}
