package persistence_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/storetest"
)

// TestAcceptRace: every driver accepts every trip at once, through two stores on the
// same database as two nodes would. Each trip has at most one winner and each driver
// wins at most once, and callers' answers agree with the database.
func TestAcceptRace(t *testing.T) {
	const trips, drivers = 12, 12
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o := e.at(t)
			nodes := []*persistence.Store{open(t, o), open(t, o)}
			histories := make([]*storetest.History, trips)
			for i := range histories {
				h := storetest.Stored(t, nodes[0], fmt.Sprint("t", i), fmt.Sprint("r", i))
				for d := range drivers {
					storetest.Commit(t, nodes[0], h.Then(h.OfferTo(fmt.Sprint("d", d))))
				}
				histories[i] = h
			}
			type win struct{ trip, driver int }
			wins := make(chan win, trips*drivers)
			var wg sync.WaitGroup
			for i := range trips {
				for d := range drivers {
					wg.Go(func() {
						h := *histories[i]
						tr := h.Then(ride.Matched{At: h.Tick(), Offer: ride.NewOfferID(h.ID, d+1),
							Card: ride.DriverCard{ID: ride.AccountID(fmt.Sprint("d", d))}})
						switch err := nodes[(i+d)%2].Commit(t.Context(), tr); {
						case err == nil:
							wins <- win{i, d}
						case errors.Is(err, ride.ErrStale), errors.Is(err, ride.ErrDriverBusy):
						default:
							t.Errorf("trip %d, driver %d: %v", i, d, err)
						}
					})
				}
			}
			wg.Wait()
			close(wins)
			tripWon, driverWon := map[int]bool{}, map[int]bool{}
			for w := range wins {
				require.False(t, tripWon[w.trip], "trip %d has two winners", w.trip)
				require.False(t, driverWon[w.driver], "driver %d won twice", w.driver)
				tripWon[w.trip], driverWon[w.driver] = true, true
				got, err := nodes[0].ActiveTrip(t.Context(), ride.AccountID(fmt.Sprint("d", w.driver)), ride.RoleDriver)
				require.NoError(t, err)
				require.Equal(t, histories[w.trip].ID, got.ID)
			}
			// As many drivers as trips, and every driver wanted every trip: none can be left over.
			require.Len(t, tripWon, trips)
			for _, s := range nodes {
				require.Zero(t, s.Stats().Failures)
			}
		})
	}
}

// TestRequestRace: of many requests of one rider, and of many commands with one id,
// one is written.
func TestRequestRace(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		const n = 40
		var requests, commands, activations atomic.Int64
		h := storetest.Stored(t, s, "shared", "other")
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				_, tr := storetest.Requested(fmt.Sprint("t", i), "r1")
				if err := s.Commit(t.Context(), tr); err == nil {
					requests.Add(1)
				} else if !errors.Is(err, ride.ErrRiderBusy) {
					t.Error(err)
				}
			})
			wg.Go(func() {
				tr := ride.Transition{Command: &ride.CommandRecord{Account: "a", ID: "c", Digest: fmt.Sprint(i), At: epoch}}
				if err := s.Commit(t.Context(), tr); err == nil {
					commands.Add(1)
				} else if !errors.Is(err, ride.ErrCommandSeen) {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if _, err := s.Activate(t.Context(), h.ID); err != nil {
					t.Error(err)
					return
				}
				activations.Add(1)
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, requests.Load())
		require.EqualValues(t, 1, commands.Load())
		got, err := s.Activate(t.Context(), h.ID)
		require.NoError(t, err)
		require.Equal(t, activations.Load()+1, got.Fence, "no two activations share a fence")
	})
}
