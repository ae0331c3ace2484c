package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// Sessions is a store of which process holds an account's newest session.
type Sessions interface {
	ClaimSession(ctx context.Context, account ride.AccountID, node, incarnation string) (ride.SessionClaim, error)
}

// TestSessions holds a store to the contract of Sessions. Its tests share the store.
func TestSessions(t *testing.T, s Sessions) {
	for name, test := range map[string]func(*testing.T, Sessions){
		"generations rise":        sessionsRise,
		"generations rise, raced": sessionsRaced,
	} {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

func sessionsRise(t *testing.T, s Sessions) {
	claim := func(account ride.AccountID, node, incarnation string) ride.SessionClaim {
		c, err := s.ClaimSession(t.Context(), account, node, incarnation)
		require.NoError(t, err)
		return c
	}
	require.Equal(t, ride.SessionClaim{Generation: 1}, claim("a", "n1:1", "x"), "there was no session before")
	require.Equal(t, ride.SessionClaim{Generation: 2, FormerNode: "n1:1", FormerIncarnation: "x"}, claim("a", "n2:1", "y"))
	require.Equal(t, ride.SessionClaim{Generation: 3, FormerNode: "n2:1", FormerIncarnation: "y"}, claim("a", "n2:1", "z"))
	require.Equal(t, ride.SessionClaim{Generation: 4, FormerNode: "n2:1", FormerIncarnation: "z"}, claim("a", "n2:1", "z"), "also in one process")
	require.Equal(t, ride.SessionClaim{Generation: 1}, claim("b", "n1:1", "x"), "each account has its own generations")
}

func sessionsRaced(t *testing.T, s Sessions) { RequireOwnGenerations(t, "racer", s) }

// RequireOwnGenerations claims the first sessions of an account at once, by all of the stores, and
// fails the test unless each has a generation of its own and they form one chain.
func RequireOwnGenerations(t *testing.T, account ride.AccountID, stores ...Sessions) {
	t.Helper()
	const n = 24
	claims := make([]ride.SessionClaim, n)
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			claims[i], errs[i] = stores[i%len(stores)].ClaimSession(t.Context(), account, "node", fmt.Sprint(i))
		})
	}
	wg.Wait()
	var generations []uint64
	by := make(map[uint64]string) // the incarnation that got a generation
	for i, c := range claims {
		require.NoError(t, errs[i])
		generations = append(generations, c.Generation)
		by[c.Generation] = fmt.Sprint(i)
	}
	slices.Sort(generations)
	for i, g := range generations {
		require.EqualValues(t, i+1, g)
	}
	for _, c := range claims {
		require.Equal(t, by[c.Generation-1], c.FormerIncarnation)
	}
}
