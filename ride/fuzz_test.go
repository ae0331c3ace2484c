package ride_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// wholeLife is a trip's history with every kind of event but the two other ends.
func wholeLife(t testing.TB) *shell {
	s := newShell()
	rules := broadcast()
	rules.Policy.Exclusive = true
	rules.Policy.Award = ride.AwardBestETA
	do := func(c ride.Command) { require.NoError(t, s.do(c)) }
	do(request(rules))
	for range 2 {
		do(s.planned(s.search.Wave, s.search.Ring, crowd(3)))
		last := s.trip.Offers[len(s.trip.Offers)-1]
		do(ride.AcceptOffer{Offer: last.ID, Card: card(last.Driver)})
		s.advance(rules.Policy.AwardWindow)
		if len(s.trip.Excluded) == 0 {
			do(ride.CancelTrip{By: ride.ByDriver, Account: last.Driver})
			s.advance(0)
		}
	}
	do(ride.OfferExchange{Considered: ride.Considered{Driver: "d8", ETA: time.Minute}, Left: 3 * time.Minute})
	do(ride.AcceptOffer{Offer: s.offerOf("d8"), Card: card("d8")})
	require.NoError(t, s.exchange("d9", time.Minute, 2*time.Minute, time.Minute, 2*time.Minute))
	d := s.trip.DriverID()
	do(ride.MarkArrived{Driver: d})
	do(ride.StartTrip{Driver: d})
	do(ride.CompleteTrip{Driver: d})
	do(ride.RateTrip{By: d, Stars: 5})
	return s
}

// FuzzUnmarshalEvent: anything read as an event is written the same from then on, and can be
// applied.
func FuzzUnmarshalEvent(f *testing.F) {
	events := append(wholeLife(f).history, ride.Cancelled{At: dawn, By: ride.ByRider}, ride.Expired{At: dawn},
		ride.OffersEnded{At: dawn, Offers: []ride.OfferID{"trip.1"}, State: ride.OfferExpired})
	for _, e := range events {
		kind, data, err := ride.MarshalEvent(e)
		require.NoError(f, err)
		f.Add(kind, data)
	}
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		e, err := ride.UnmarshalEvent(kind, data)
		if err != nil {
			return
		}
		kind1, data1, err := ride.MarshalEvent(e)
		require.NoError(t, err)
		require.Equal(t, kind, kind1)
		back, err := ride.UnmarshalEvent(kind1, data1)
		require.NoError(t, err)
		_, data2, err := ride.MarshalEvent(back)
		require.NoError(t, err)
		require.Equal(t, string(data1), string(data2))
		for _, base := range []ride.Trip{{}, {Status: ride.StatusRequested, Offers: []ride.Offer{{ID: "trip.1"}}}} {
			after := ride.Apply(base, back)
			require.Equal(t, base.Version+1, after.Version)
			ride.Diff(base, after)
		}
	})
}

// FuzzUnmarshalTrip: anything read as a trip is written the same from then on, and can be brought
// back to life without a panic, however little sense it makes.
func FuzzUnmarshalTrip(f *testing.F) {
	s := wholeLife(f)
	for i := range s.history {
		trip := ride.Replay(s.history[:i])
		b, err := ride.MarshalTrip(&trip)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		trip, err := ride.UnmarshalTrip(data)
		if err != nil {
			return
		}
		data1, err := ride.MarshalTrip(trip)
		require.NoError(t, err)
		back, err := ride.UnmarshalTrip(data1)
		require.NoError(t, err)
		data2, err := ride.MarshalTrip(back)
		require.NoError(t, err)
		require.Equal(t, string(data1), string(data2))

		ride.Resume(*back)
		at := back.Deadline.Add(time.Hour)
		for _, timer := range ride.Timers(*back) {
			_, _, err := ride.Decide(*back, at, ride.Tick{Timer: timer})
			require.NoError(t, err)
		}
		for i := range back.Offers {
			_, _, _ = ride.Decide(*back, at, ride.AcceptOffer{Offer: back.Offers[i].ID, Card: card(back.Offers[i].Driver)})
		}
		_, _, err = ride.Decide(*back, at, ride.OfferWave{
			Wave: back.Search.Wave + 1, Ring: back.Search.NextRing, Considered: plan(*back, at, crowd(3)),
		})
		require.NoError(t, err)
	})
}
