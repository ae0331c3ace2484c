package persistence_test

import (
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/storetest"
)

const grace = 30 * time.Second

func token(hash, family string) ride.RefreshToken {
	return ride.RefreshToken{Hash: hash, Family: family, Account: "acc-001", CreatedAt: epoch, ExpiresAt: epoch.Add(time.Hour)}
}

// TestRotationRace: without grace, of many who spend one token at once one succeeds and
// the family is revoked by the others.
func TestRotationRace(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		require.NoError(t, s.SaveRefreshToken(t.Context(), token("h", "f")))
		const n = 8
		errs := make([]error, n)
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				_, errs[i] = s.RotateRefreshToken(t.Context(), "h", "try", token(fmt.Sprint("n", i), "f"), 0)
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			require.ErrorIs(t, err, ride.ErrTokenReused)
		}
		require.Equal(t, 1, won)
		storetest.RequireRevoked(t, s, "f", true)
	})
}

// TestGraceRace: an attempt whose answers were lost is repeated many times at once, through
// two stores on the same database as through two nodes. All are answered, and one of the
// tokens counts.
func TestGraceRace(t *testing.T) {
	const rounds, n = 5, 8
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o := e.at(t)
			o.Now = func() time.Time { return epoch }
			nodes := []*persistence.Store{open(t, o), open(t, o)}
			for round := range rounds {
				name := func(i int) string { return fmt.Sprint("r", round, "n", i) }
				family := fmt.Sprint("f", round)
				require.NoError(t, nodes[0].SaveRefreshToken(t.Context(), token(name(n), family)))
				var wg sync.WaitGroup
				for i := range n {
					wg.Go(func() {
						_, err := nodes[i%2].RotateRefreshToken(t.Context(), name(n), "try", token(name(i), ""), grace)
						if err != nil {
							t.Errorf("round %d, try %d: %v", round, i, err)
						}
					})
				}
				wg.Wait()
				requireOneLive(t, o, nodes[1], name, n, family)
			}
		})
	}
}

// TestAttemptRace: of two attempts that spend one token at once, through two nodes, one
// succeeds and the other ends the family.
func TestAttemptRace(t *testing.T) {
	const rounds = 10
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o := e.at(t)
			o.Now = func() time.Time { return epoch }
			nodes := []*persistence.Store{open(t, o), open(t, o)}
			for round := range rounds {
				family := fmt.Sprint("f", round)
				require.NoError(t, nodes[0].SaveRefreshToken(t.Context(), token(family, family)))
				errs := make([]error, len(nodes))
				var wg sync.WaitGroup
				for i, node := range nodes {
					wg.Go(func() {
						_, errs[i] = node.RotateRefreshToken(t.Context(), family, fmt.Sprint("try", i), token(fmt.Sprint(family, "n", i), ""), grace)
					})
				}
				wg.Wait()
				if errs[0] != nil {
					slices.Reverse(errs)
				}
				require.NoError(t, errs[0], "round %d", round)
				require.ErrorIs(t, errs[1], ride.ErrTokenReused, "round %d", round)
				storetest.RequireRevoked(t, nodes[round%2], family, true)
			}
		})
	}
}

// requireOneLive looks into the database for the one of n tokens that still counts, and
// sees that it does and that any other ends the family.
func requireOneLive(t *testing.T, o persistence.Options, s *persistence.Store, name func(int) string, n int, family string) {
	t.Helper()
	driver, source := "sqlite", o.Path
	if o.DatabaseURL != "" {
		driver, source = "pgx", sessionURL(o)
	}
	db, err := sql.Open(driver, source)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	var unspent int
	var live string
	err = db.QueryRowContext(t.Context(), `SELECT COUNT(*), MAX(hash) FROM refresh_tokens WHERE family = $1 AND spent_at IS NULL`, family).
		Scan(&unspent, &live)
	require.NoError(t, err)
	require.Equal(t, 1, unspent)

	_, err = s.RotateRefreshToken(t.Context(), live, "try", token(name(n+1), ""), grace)
	require.NoError(t, err)
	storetest.RequireRevoked(t, s, family, false)
	dead := name(0)
	if dead == live {
		dead = name(1)
	}
	_, err = s.RotateRefreshToken(t.Context(), dead, "try", token(name(n+2), ""), grace)
	require.ErrorIs(t, err, ride.ErrTokenReused)
	storetest.RequireRevoked(t, s, family, true)
}
