package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// Every offered driver receives exactly one end of its offer: those who answer, those who do not,
// and those who were away when it came.
func TestOneEndOfEachOffer(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		// Some answer before the offer expires; how long that takes depends on the machine.
		for ttl := 2 * time.Second; ttl < 2*time.Minute; ttl *= 2 {
			if oneEnd(newWorld(t, start("--dispatch-offer-ttl="+ttl.String(), "--dispatch-asks-per-driver=1"), codec)) {
				return
			}
		}
		t.Fatal("no offer was answered before it expired")
	})
}

// oneEnd offers a trip to drivers and checks the ends of the offers. It reports false if an offer
// expired before its driver had answered.
func oneEnd(w *world) bool {
	t := w.t
	decliner, ignorer, later := w.driver(20), w.driver(30), w.driver(40)
	nameOfAway := w.name(ride.RoleDriver)
	away, first := w.as(ride.RoleDriver, nameOfAway, nil)
	away.Online(w.at)

	rider := w.rider()
	trip := w.request(rider).GetId()
	offers := map[*harness.Client]string{}
	for _, d := range []*harness.Client{decliner, ignorer, later, away} {
		offers[d] = d.Offer(trip).GetId()
	}
	seen := uint32(0)
	for _, e := range away.Events() {
		seen = max(seen, e.GetSeq())
	}
	away.Drop()
	declined := decliner.Ask(harness.Decline(offers[decliner]))
	require.NotNil(t, later.Ask(harness.GoOffline()).GetDone())
	if declined.GetError() != nil || later.OfferEnd(offers[later]).GetOutcome() == ridepb.OfferClosed_expired {
		return false
	}
	require.NotNil(t, declined.GetDone())
	require.Equal(t, ridepb.OfferClosed_expired, ignorer.OfferEnd(offers[ignorer]).GetOutcome())

	back, connected := w.as(ride.RoleDriver, nameOfAway, &ridepb.Resume{Epoch: first.GetEpoch(), Seq: seen})
	require.True(t, connected.GetResumed())
	require.Equal(t, ridepb.OfferClosed_expired, back.OfferEnd(offers[away]).GetOutcome())
	require.NotNil(t, rider.Ask(harness.Cancel(trip)).GetTrip())

	for d, want := range map[*harness.Client]ridepb.OfferClosed_Outcome{
		decliner: ridepb.OfferClosed_declined, ignorer: ridepb.OfferClosed_expired, later: ridepb.OfferClosed_withdrawn,
		back: ridepb.OfferClosed_expired,
	} {
		require.NotNil(t, d.Ask(harness.Ping()).GetPong())
		var ends []ridepb.OfferClosed_Outcome
		for _, e := range d.Events() {
			if c := e.GetOfferClosed(); c != nil {
				ends = append(ends, c.GetOutcome())
			}
		}
		require.Equal(t, []ridepb.OfferClosed_Outcome{want}, ends)
	}
	return true
}
