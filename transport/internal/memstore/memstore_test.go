package memstore

import (
	"context"
	"testing"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/storetest"
	"github.com/hexhail/hexhail/transport/api"
	"github.com/hexhail/hexhail/transport/auth"
)

var (
	_ auth.Store   = (*Store)(nil)
	_ api.Accounts = (*Store)(nil)
	_ api.Photos   = (*Store)(nil)
	_ api.Audit    = (*Store)(nil)
	_ api.Trips    = (*Store)(nil)
)

// writable is a Store whose trips are written as the actors write them.
type writable struct {
	*Store
	events map[ride.TripID][]ride.Event
}

func (w writable) Commit(_ context.Context, t ride.Transition) error {
	id := t.Trip.ID
	w.events[id] = append(w.events[id], t.Events...)
	w.PutTrip(*t.Trip, w.events[id], nil)
	return nil
}

// TestConformance holds the fake to the contracts that the databases keep.
func TestConformance(t *testing.T) {
	at := func(now storetest.Clock) *Store { return &Store{Now: now} }
	t.Run("trips", func(t *testing.T) {
		storetest.TestTrips(t, func(_ *testing.T, now storetest.Clock) storetest.Trips {
			return writable{at(now), make(map[ride.TripID][]ride.Event)}
		})
	})
	t.Run("accounts", func(t *testing.T) {
		storetest.TestAccounts(t, func(_ *testing.T, now storetest.Clock) storetest.Accounts { return at(now) })
	})
	t.Run("tokens", func(t *testing.T) {
		storetest.TestTokens(t, func(_ *testing.T, now storetest.Clock) storetest.Tokens { return at(now) })
	})
	t.Run("failures", func(t *testing.T) { storetest.TestFailures(t, new(Store)) })
	t.Run("audit", func(t *testing.T) {
		storetest.TestAudit(t, func(_ *testing.T, now storetest.Clock) storetest.Audit { return at(now) })
	})
}
