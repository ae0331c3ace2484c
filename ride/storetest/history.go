package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// Epoch is when the suites' trips begin, and what their clocks show at first.
var Epoch = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// Clock says what time it is. A store under test must read no other.
type Clock func() time.Time

// atEpoch is a clock that stands still.
func atEpoch() time.Time { return Epoch }

// Committer writes transitions.
type Committer interface {
	Commit(ctx context.Context, t ride.Transition) error
}

// Exchange moves a trip to another driver, without an offer.
func (h *History) Exchange(driver string) ride.Event {
	return ride.Exchanged{
		At: h.Tick(), From: h.DriverID(), Offer: ride.NewOfferID(h.ID, len(h.Offers)+1), PickupETA: time.Minute, Left: 2 * time.Minute,
		Reason: ride.ReasonCloserCar, Card: ride.DriverCard{ID: ride.AccountID(driver), FirstName: "Eve", Plate: "HX 2", Class: "standard"},
	}
}

// History is a trip under test with the means to move it on. Not safe for concurrent use.
type History struct {
	ride.Trip
	At time.Time // of the newest event that Tick dated
}

// Requested returns a trip that is not stored yet, and the transition that stores it.
func Requested(id, rider string) (*History, ride.Transition) {
	h := &History{At: Epoch}
	return h, h.Then(ride.Requested{
		At: Epoch, ID: ride.TripID(id), Rules: ride.DefaultRules(), PIN: "1234",
		Request: ride.Request{
			Rider:  ride.RiderCard{ID: ride.AccountID(rider), FirstName: "Rosa"},
			Pickup: geo.Point{Lat: 40.7, Lng: -74}, Dropoff: geo.Point{Lat: 40.8, Lng: -73.9},
			PickupAddress: "1 Old Mill Road", DropoffAddress: "Straße 100%_x", Class: "standard", Passengers: 1,
		},
	})
}

// Then applies events and returns the transition that writes them, with the offers that they
// changed. The trip moves on in memory at once.
func (h *History) Then(events ...ride.Event) ride.Transition {
	before, after := h.Trip, h.Trip
	for _, e := range events {
		after = ride.Apply(after, e)
	}
	tr := ride.Transition{Prev: before.Version, Events: events, Wake: ride.Wake(after)}
	for i, o := range after.Offers {
		if i >= len(before.Offers) || before.Offers[i].State != o.State {
			tr.Offers = append(tr.Offers, ride.OfferRow{Trip: after.ID, Offer: o})
		}
	}
	h.Trip = after
	now := after
	tr.Trip = &now
	return tr
}

// Tick returns the next event's time, a second after the one before.
func (h *History) Tick() time.Time {
	h.At = h.At.Add(time.Second)
	return h.At
}

// OfferTo makes one open offer to a driver.
func (h *History) OfferTo(driver string) ride.Event {
	at := h.Tick()
	return ride.WavePlanned{At: at, Wave: h.Search.Wave + 1, Ring: 1, Offers: []ride.Offer{{
		ID: ride.NewOfferID(h.ID, len(h.Offers)+1), Driver: ride.AccountID(driver), Wave: h.Search.Wave + 1,
		DistanceM: 120.5, ETA: time.Minute, MadeAt: at, ExpiresAt: at.Add(15 * time.Second), State: ride.OfferOpen,
	}}}
}

// Match gives the trip to the driver of its first offer.
func (h *History) Match(driver string) ride.Event {
	return ride.Matched{At: h.Tick(), Offer: ride.NewOfferID(h.ID, 1),
		Card: ride.DriverCard{ID: ride.AccountID(driver), FirstName: "Dan", Plate: "HX 1", Class: "standard"}}
}

// Commit writes a transition, which must succeed.
func Commit(tb testing.TB, s Committer, tr ride.Transition) {
	tb.Helper()
	require.NoError(tb, s.Commit(tb.Context(), tr))
}

// Stored writes a requested trip.
func Stored(tb testing.TB, s Committer, id, rider string) *History {
	tb.Helper()
	h, tr := Requested(id, rider)
	Commit(tb, s, tr)
	return h
}

// Matched writes a trip that a driver won.
func Matched(tb testing.TB, s Committer, id, rider, driver string) *History {
	tb.Helper()
	h := Stored(tb, s, id, rider)
	Commit(tb, s, h.Then(h.OfferTo(driver)))
	Commit(tb, s, h.Then(h.Match(driver)))
	return h
}

// Completed writes a trip that ran its whole course.
func Completed(tb testing.TB, s Committer, id, rider, driver string) *History {
	tb.Helper()
	h := Matched(tb, s, id, rider, driver)
	Commit(tb, s, h.Then(ride.Arrived{At: h.Tick()}, ride.Started{At: h.Tick()}))
	Commit(tb, s, h.Then(ride.Completed{At: h.Tick(), By: ride.ByDriver, TravelledM: 1000}))
	return h
}

// Account is a person as sign-up makes it, n seconds after Epoch.
func Account(n int, role ride.Role) ride.Account {
	at := Epoch.Add(time.Duration(n) * time.Second)
	return ride.Account{
		ID: ride.AccountID(fmt.Sprintf("acc-%03d", n)), Role: role, Status: ride.AccountActive,
		Username: fmt.Sprintf("Name%d", n), FirstName: "Ana", LastName: fmt.Sprintf("Müller-%d", n),
		CreatedAt: at, UpdatedAt: at,
	}
}

// AccountCreator adds accounts.
type AccountCreator interface {
	CreateAccount(ctx context.Context, a ride.Account, hash string) error
}

// Created writes an account, which must succeed.
func Created(tb testing.TB, s AccountCreator, n int, role ride.Role) ride.Account {
	tb.Helper()
	a := Account(n, role)
	require.NoError(tb, s.CreateAccount(tb.Context(), a, "hash"))
	return a
}
