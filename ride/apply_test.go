package ride_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// TestApplyLeavesItsInputAlone applies every kind of event to one state whose
// slices have room to spare, and sees that neither the state nor any of the states
// made from it is changed by the others.
func TestApplyLeavesItsInputAlone(t *testing.T) {
	at := dawn.Add(time.Second)
	offer := func(n int, d ride.AccountID) ride.Offer {
		return ride.Offer{ID: ride.NewOfferID("trip", n), Driver: d, State: ride.OfferOpen, MadeAt: dawn, ExpiresAt: dawn.Add(time.Minute)}
	}
	trip := ride.Replay([]ride.Event{
		ride.Requested{At: dawn, ID: "trip", Rules: ride.DefaultRules()},
		ride.WavePlanned{At: dawn, Wave: 1, Offers: []ride.Offer{offer(1, "d1"), offer(2, "d2")}},
		ride.OffersEnded{At: dawn, Offers: []ride.OfferID{"trip.1"}, State: ride.OfferDeclined},
	})
	trip.Offers, trip.Excluded = slices.Grow(trip.Offers, 10), slices.Grow(trip.Excluded, 10)
	trip.Exchanges = slices.Grow(trip.Exchanges, 10)
	events := []ride.Event{
		ride.WavePlanned{At: at, Wave: 2, Offers: []ride.Offer{offer(3, "d3")}},
		ride.WavePlanned{At: at, Wave: 2, Offers: []ride.Offer{offer(3, "d4")}},
		ride.Accepted{At: at, Offer: "trip.2", Card: card("d2"), AwardAt: at},
		ride.OffersEnded{At: at, Offers: []ride.OfferID{"trip.2"}, State: ride.OfferExpired},
		ride.OffersEnded{At: at, Offers: []ride.OfferID{"trip.2"}, State: ride.OfferDeclined},
		ride.Matched{At: at, Offer: "trip.2", Card: card("d2")},
		ride.Exchanged{At: at, Card: card("d3"), Offer: "trip.7", PickupETA: 1}, ride.Exchanged{At: at, Card: card("d4"), Offer: "trip.8", PickupETA: 1},
		ride.Matched{At: at, Offer: "trip.7", Card: card("d3"), PickupETA: 1}, ride.Matched{At: at, Offer: "trip.8", Card: card("d4"), PickupETA: 1},
		ride.Released{At: at, Driver: "d5"}, ride.Released{At: at, Driver: "d6"},
		ride.Arrived{At: at}, ride.Started{At: at}, ride.Completed{At: at}, ride.Cancelled{At: at}, ride.Expired{At: at},
		ride.Rated{At: at, By: ride.ByRider, Stars: 5}, ride.Rated{At: at, By: ride.ByDriver, Stars: 4},
	}
	write := func(trip ride.Trip) string {
		b, err := ride.MarshalTrip(&trip)
		require.NoError(t, err)
		return string(b)
	}
	before := write(trip)
	var after []ride.Trip
	var written []string
	for _, e := range events {
		next := ride.Apply(trip, e)
		after, written = append(after, next), append(written, write(next))
	}
	require.Equal(t, before, write(trip))
	for i := range after {
		require.Empty(t, cmp.Diff(written[i], write(after[i])), "after %s", events[i].Kind())
	}
}
