package e2e

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// A zone's plan gives the only driver a trip, and another one after a refusal; the record says with how many it was
// planned. Where drivers are ample the request itself makes the first offer.
func TestARideUnderBatch(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		s := start("--dispatch-policy=batch", "--dispatch-window=1s", "--position-ttl=5m")
		w := newWorld(t, s, codec)
		first, rider := w.driver(100), w.rider()
		trip := w.request(rider).GetId()
		require.NotNil(t, first.Ask(harness.Decline(first.Offer(trip).GetId())).GetDone())
		second := w.driver(300)
		require.Equal(t, ridepb.Trip_matched, second.Ask(harness.Accept(second.Offer(trip).GetId())).GetTrip().GetStatus())
		w.drive(second, trip, ridepb.Trip_completed)
		rider.Status(trip, ridepb.Trip_completed)

		var explained struct {
			Policy struct{ Kind string }
			Waves  []struct {
				Windows  int
				Decision *struct{ Rows, Columns int }
			}
		}
		status, body := s.Call("GET", "/v1/admin/trips/"+trip+"/explain", s.Token(ride.RoleOperator, "op"), "")
		require.Equal(t, 200, status, body)
		require.NoError(t, json.Unmarshal([]byte(body), &explained))
		require.Equal(t, "batch", explained.Policy.Kind)
		require.Len(t, explained.Waves, 2)
		for _, wave := range explained.Waves {
			require.Positive(t, wave.Windows)
			require.NotNil(t, wave.Decision)
			require.Equal(t, 1, wave.Decision.Columns)
		}

		crowd := newWorld(t, s, codec)
		for i := range 4 {
			crowd.driver(float64(50 + i))
		}
		busy := crowd.rider()
		at := crowd.request(busy)
		require.Positive(t, at.GetSearch().GetWave(), "the first wave came with the request: %v", at)
	})
}

// Of an acceptance and a cancellation at one moment one counts, whoever planned the offer.
func TestBatchRaces(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		s := start("--dispatch-policy=batch", "--dispatch-window=1s", "--position-ttl=5m")
		for range 5 {
			w := newWorld(t, s, codec)
			d, r := w.driver(100), w.rider()
			trip := w.request(r).GetId()
			offer := d.Offer(trip).GetId()
			accept, cancel := d.Send(harness.Accept(offer)), r.Send(harness.Cancel(trip))
			accepted, cancelled := d.Reply(accept, 1), r.Reply(cancel, 1)
			require.NotNil(t, cancelled.GetTrip(), "a rider may cancel a matched trip, too")
			if accepted.GetTrip() == nil {
				require.Equal(t, ride.ErrOfferClosed.Code, accepted.GetError().GetCode())
			}
			require.NotNil(t, d.OfferEnd(offer))
			r.Status(trip, ridepb.Trip_cancelled)
		}
	})
}
