package persistence_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/storetest"
)

// TestWrongPINsOutliveTheProcess: what a driver has guessed, and until when the trip is locked, is
// there after a restart. An old state, which holds neither, counts as none; and once the rider's
// account is erased, nothing of it is left.
func TestWrongPINsOutliveTheProcess(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o := e.at(t)
			first := open(t, o)
			rider := storetest.Created(t, first, 1, ride.RoleRider)
			h := storetest.Matched(t, first, "t1", string(rider.ID), "d1")
			storetest.Commit(t, first, h.Then(ride.Arrived{At: h.Tick()}))
			got, err := first.Trip(t.Context(), "t1")
			require.NoError(t, err)
			require.Zero(t, got.PINTries)
			for range ride.MaxPINTries {
				_, _, refusal := ride.Decide(h.Trip, h.At, ride.StartTrip{Driver: "d1", PIN: "0000"})
				after, differs := ride.Refused(h.Trip, h.At, refusal)
				require.True(t, differs)
				storetest.Commit(t, first, ride.Transition{Trip: &after, Prev: after.Version, Wake: ride.Wake(after)})
				h.Trip = after
			}
			require.NoError(t, first.Close())

			s := open(t, o)
			active, err := s.Activate(t.Context(), "t1")
			require.NoError(t, err)
			require.Equal(t, h.PINTries, active.PINTries)
			_, _, err = ride.Decide(active, h.At, ride.StartTrip{Driver: "d1", PIN: active.PIN})
			require.ErrorIs(t, err, ride.ErrPINLocked)

			h.Trip = active
			storetest.Commit(t, s, h.Then(ride.Cancelled{At: h.Tick(), By: ride.ByRider}))
			require.NoError(t, s.Erase(t.Context(), rider.ID))
			got, err = s.Trip(t.Context(), "t1")
			require.NoError(t, err)
			require.Zero(t, got.PINTries)
			require.Greater(t, got.Fence, active.Fence, "it was rewritten")
		})
	}
}
