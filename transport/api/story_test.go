package api

import (
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// The words that must not reach those who are not named in them.
const (
	secretPIN     = "4711"
	secretComment = "smelled of fish"
	secretNote    = "blue door, second floor"
)

// story stores a trip of rider that driver2 had and gave back, and that driver then
// drove to its end. Its events up to the given number have happened.
func (w *world) story(id ride.TripID, upTo int) ride.Trip {
	start := w.clock.now()
	at := func(s int) time.Time { return ride.Clean(start.Add(time.Duration(s) * time.Second)) }
	rider, d1, d2 := w.people["rider"].Account, w.people["driver"].Account, w.people["driver2"].Account
	card := func(a ride.Account) ride.DriverCard {
		return ride.DriverCard{ID: a.ID, FirstName: a.FirstName, Class: "standard", Plate: a.Vehicle.Plate}
	}
	offer := func(n, wave, s int, d ride.Account) ride.Offer {
		return ride.Offer{
			ID: ride.NewOfferID(id, n), Driver: d.ID, Wave: wave, DistanceM: 120, ETA: time.Minute,
			MadeAt: at(s), ExpiresAt: at(s + 15), State: ride.OfferOpen,
		}
	}
	rules := ride.DefaultRules()
	fare, _ := rules.Tariff.Price(12_000, 25*time.Minute)
	events := []ride.Event{
		ride.Requested{At: at(0), ID: id, PIN: secretPIN, Rules: rules,
			Estimate: ride.Estimate{DistanceM: 12_000, Duration: 25 * time.Minute, Fare: fare},
			Request: ride.Request{
				Rider:  ride.RiderCard{ID: rider.ID, FirstName: rider.FirstName},
				Pickup: pickup, Dropoff: dropoff, PickupAddress: "Gangnam", DropoffAddress: "City Hall",
				Class: "standard", Passengers: 1, Note: secretNote,
			}},
		ride.WavePlanned{At: at(1), Wave: 1, Ring: 1, Offers: []ride.Offer{offer(1, 1, 1, d1), offer(2, 1, 1, d2)},
			Considered: []ride.Considered{{Driver: d1.ID, DistanceM: 120, ETA: time.Minute, Verdict: ride.VerdictOffered}}},
		ride.OffersEnded{At: at(2), Offers: []ride.OfferID{ride.NewOfferID(id, 1)}, State: ride.OfferExpired},
		ride.Matched{At: at(3), Offer: ride.NewOfferID(id, 2), Card: card(d2)},
		ride.Released{At: at(4), Driver: d2.ID, By: ride.ByDriver, Reason: "flat tyre"},
		ride.WavePlanned{At: at(5), Wave: 2, Ring: 2, Offers: []ride.Offer{offer(3, 2, 5, d1)}},
		ride.Matched{At: at(6), Offer: ride.NewOfferID(id, 3), Card: card(d1)},
		ride.Arrived{At: at(60)},
		ride.Started{At: at(90)},
		ride.Completed{At: at(1500), By: ride.ByDriver, TravelledM: 12_100, Fare: fare},
		ride.Rated{At: at(1600), By: ride.ByRider, About: d1.ID, Stars: 4, Comment: secretComment},
		ride.Rated{At: at(1601), By: ride.ByDriver, About: rider.ID, Stars: 5},
	}
	events = events[:upTo]
	t := ride.Replay(events)
	w.store.PutTrip(t, events, []ride.Breadcrumb{
		{Trip: id, At: at(3), Point: geo.Point{Lat: 37.1, Lng: 127.1}}, // of driver2
		{Trip: id, At: at(30), Point: geo.Point{Lat: 37.2, Lng: 127.2}},
		{Trip: id, At: at(100), Point: geo.Point{Lat: 37.3, Lng: 127.3}},
	})
	return t
}

// How much of the story has happened.
const (
	storyRequested = 1
	storyOffered   = 2 // driver and driver2 hold open offers
	storyReleased  = 5
	storyMatched   = 7 // to driver
	storyWhole     = 12
)
