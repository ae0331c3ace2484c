package persistence_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
)

// epoch is when the tests' trips begin.
var epoch = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// engine is a way to open a store.
type engine struct {
	name string
	at   func(testing.TB) persistence.Options
}

// engines are the ways to open a store; the suite runs on each. With HEXHAIL_POOLED set it
// also runs on Postgres behind a pooler.
var engines = withPooled([]engine{
	{"sqlite", func(tb testing.TB) persistence.Options {
		return persistence.Options{Path: filepath.Join(tb.TempDir(), "data", "hexhail.db")}
	}},
	{"postgres", func(tb testing.TB) persistence.Options {
		return persistence.Options{DatabaseURL: pgtest.Start(tb)}
	}},
})

func withPooled(engines []engine) []engine {
	if os.Getenv("HEXHAIL_POOLED") == "" {
		return engines
	}
	return append(engines, engine{"pooled", func(tb testing.TB) persistence.Options {
		base := pgtest.Start(tb)
		return persistence.Options{DatabaseURL: pgtest.Pooler(tb, base, "transaction"), DatabaseDirectURL: base}
	}})
}

// sessionURL is where a test may look into a Postgres by itself.
func sessionURL(o persistence.Options) string { return cmp.Or(o.DatabaseDirectURL, o.DatabaseURL) }

// onEach runs a test of the conformance suite on both engines, each with a store of
// its own whose clock stands at epoch.
func onEach(t *testing.T, f func(t *testing.T, s *persistence.Store)) {
	t.Helper()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o := e.at(t)
			o.Now = func() time.Time { return epoch }
			f(t, open(t, o))
		})
	}
}

func open(tb testing.TB, o persistence.Options) *persistence.Store {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := persistence.Open(ctx, o)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}

// history is a trip under test with the means to move it on.
type history struct {
	ride.Trip
	at time.Time
}

// requested is a trip that was asked for and is not stored yet.
func requested(id, rider string) (*history, ride.Transition) {
	h := &history{at: epoch}
	return h, h.then(ride.Requested{
		At: epoch, ID: ride.TripID(id), Rules: ride.DefaultRules(), PIN: "1234",
		Request: ride.Request{
			Rider:  ride.RiderCard{ID: ride.AccountID(rider), FirstName: "Rosa"},
			Pickup: geo.Point{Lat: 40.7, Lng: -74}, Dropoff: geo.Point{Lat: 40.8, Lng: -73.9},
			PickupAddress: "1 Old Mill Road", DropoffAddress: "Straße 100%_x", Class: "standard", Passengers: 1,
		},
	})
}

// then applies events and returns the transition that writes them, with the offers
// that they changed; the trip moves on in memory at once.
func (h *history) then(events ...ride.Event) ride.Transition {
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

// tick is the next event's time, a second after the one before.
func (h *history) tick() time.Time {
	h.at = h.at.Add(time.Second)
	return h.at
}

// offerTo makes one open offer to a driver.
func (h *history) offerTo(driver string) ride.Event {
	at := h.tick()
	return ride.WavePlanned{At: at, Wave: h.Search.Wave + 1, Ring: 1, Offers: []ride.Offer{{
		ID: ride.NewOfferID(h.ID, len(h.Offers)+1), Driver: ride.AccountID(driver), Wave: h.Search.Wave + 1,
		DistanceM: 120.5, ETA: time.Minute, MadeAt: at, ExpiresAt: at.Add(15 * time.Second), State: ride.OfferOpen,
	}}}
}

func (h *history) match(driver string) ride.Event {
	return ride.Matched{At: h.tick(), Offer: ride.NewOfferID(h.ID, 1),
		Card: ride.DriverCard{ID: ride.AccountID(driver), FirstName: "Dan", Plate: "HX 1", Class: "standard"}}
}

// commit must succeed.
func commit(tb testing.TB, s *persistence.Store, tr ride.Transition) {
	tb.Helper()
	require.NoError(tb, s.Commit(tb.Context(), tr))
}

// store makes a requested trip and writes it.
func stored(tb testing.TB, s *persistence.Store, id, rider string) *history {
	tb.Helper()
	h, tr := requested(id, rider)
	commit(tb, s, tr)
	return h
}

// matched makes a trip that a driver won and writes it.
func matched(tb testing.TB, s *persistence.Store, id, rider, driver string) *history {
	tb.Helper()
	h := stored(tb, s, id, rider)
	commit(tb, s, h.then(h.offerTo(driver)))
	commit(tb, s, h.then(h.match(driver)))
	return h
}

// completed makes a trip that ran its whole course and writes it.
func completed(tb testing.TB, s *persistence.Store, id, rider, driver string) *history {
	tb.Helper()
	h := matched(tb, s, id, rider, driver)
	commit(tb, s, h.then(ride.Arrived{At: h.tick()}, ride.Started{At: h.tick()}))
	commit(tb, s, h.then(ride.Completed{At: h.tick(), By: ride.ByDriver, TravelledM: 1000}))
	return h
}

// account is a person as sign-up would make it, n seconds after epoch.
func account(n int, role ride.Role) ride.Account {
	at := epoch.Add(time.Duration(n) * time.Second)
	return ride.Account{
		ID: ride.AccountID(fmt.Sprintf("acc-%03d", n)), Role: role, Status: ride.AccountActive,
		Username: fmt.Sprintf("Name%d", n), FirstName: "Ana", LastName: fmt.Sprintf("Müller-%d", n),
		CreatedAt: at, UpdatedAt: at,
	}
}

func created(tb testing.TB, s *persistence.Store, n int, role ride.Role) ride.Account {
	tb.Helper()
	a := account(n, role)
	require.NoError(tb, s.CreateAccount(tb.Context(), a, "hash"))
	return a
}
