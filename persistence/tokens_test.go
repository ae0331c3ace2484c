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
)

const grace = 30 * time.Second

func token(hash, family string) ride.RefreshToken {
	return ride.RefreshToken{Hash: hash, Family: family, Account: "acc-001", CreatedAt: epoch, ExpiresAt: epoch.Add(time.Hour)}
}

// TestRefreshRotation: without grace a token is spent once; whoever spends it again ends
// the family.
func TestRefreshRotation(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		first := token("h1", "f1")
		require.NoError(t, s.SaveRefreshToken(t.Context(), first))
		require.NoError(t, s.SaveRefreshToken(t.Context(), token("x1", "f2")))
		spent, err := s.RotateRefreshToken(t.Context(), "h1", "try", ride.RefreshToken{Hash: "h2", CreatedAt: epoch, ExpiresAt: epoch.Add(2 * time.Hour)}, 0)
		require.NoError(t, err)
		require.Equal(t, first, spent)
		next, err := s.RefreshToken(t.Context(), "h2")
		require.NoError(t, err)
		require.Equal(t, "f1", next.Family)
		require.Equal(t, first.Account, next.Account)
		requireRevoked(t, s, "f1", false)

		reused, err := s.RotateRefreshToken(t.Context(), "h1", "try", token("h3", "f1"), 0)
		require.ErrorIs(t, err, ride.ErrTokenReused)
		require.Equal(t, first, reused)
		requireRevoked(t, s, "f1", true)
		requireRevoked(t, s, "f2", false)
		_, err = s.RotateRefreshToken(t.Context(), "h2", "try", token("h4", "f1"), 0)
		require.ErrorIs(t, err, ride.ErrNotFound, "the newest token of a revoked family")
		_, err = s.RefreshToken(t.Context(), "h3")
		require.ErrorIs(t, err, ride.ErrNotFound)

		old := token("old", "f3")
		old.ExpiresAt = epoch
		require.NoError(t, s.SaveRefreshToken(t.Context(), old))
		for _, hash := range []string{"old", "unknown", "\x00"} {
			_, err = s.RotateRefreshToken(t.Context(), hash, "try", token("h5", "f3"), time.Hour)
			require.ErrorIs(t, err, ride.ErrNotFound, hash)
		}
	})
}

// TestRefreshGrace: the attempt that spent a token counts once more as long as the successor
// is unused and the grace lasts, which later uses do not prolong; what it replaces is as good
// as spent. No other attempt counts, and none does not either.
func TestRefreshGrace(t *testing.T) {
	type step struct {
		after   time.Duration // since the first
		hash    string
		attempt string
		next    string // empty: refused as reused
	}
	for name, steps := range map[string][]step{
		"the answer was lost":  {{0, "a", "1", "b"}, {29 * time.Second, "a", "1", "c"}, {time.Minute, "c", "2", "d"}},
		"lost again and again": {{0, "a", "1", "b"}, {time.Second, "a", "1", "c"}, {29 * time.Second, "a", "1", "d"}, {31 * time.Second, "d", "2", "e"}},
		"too late":             {{0, "a", "1", "b"}, {grace, "a", "1", ""}, {grace, "b", "2", "-"}},
		"uses do not prolong":  {{0, "a", "1", "b"}, {20 * time.Second, "a", "1", "c"}, {grace, "a", "1", ""}, {grace, "c", "2", "-"}},

		"no attempt, twice":            {{0, "a", "", "b"}, {0, "a", "", ""}, {0, "b", "", "-"}},
		"an attempt, then none":        {{0, "a", "1", "b"}, {0, "a", "", ""}, {0, "b", "2", "-"}},
		"no attempt, then one":         {{0, "a", "", "b"}, {0, "a", "1", ""}, {0, "b", "1", "-"}},
		"another attempt":              {{0, "a", "1", "b"}, {0, "a", "2", ""}, {0, "a", "1", ""}, {0, "b", "2", "-"}},
		"another attempt, later":       {{0, "a", "1", "b"}, {0, "a", "1", "c"}, {time.Second, "a", "2", ""}, {time.Second, "c", "1", "-"}},
		"an attempt is of its token":   {{0, "a", "1", "b"}, {0, "b", "2", "c"}, {0, "b", "1", ""}, {0, "c", "2", "-"}},
		"the same attempt, all tokens": {{0, "a", "1", "b"}, {0, "b", "1", "c"}, {0, "b", "1", "d"}, {time.Minute, "d", "1", "e"}},

		"the successor was used":            {{0, "a", "1", "b"}, {0, "b", "2", "c"}, {time.Second, "a", "1", ""}, {time.Second, "c", "3", "-"}},
		"what was replaced is spent":        {{0, "a", "1", "b"}, {0, "a", "1", "c"}, {0, "b", "1", ""}, {0, "c", "2", "-"}},
		"what was replaced has no grace":    {{0, "a", "1", "b"}, {time.Second, "a", "1", "c"}, {2 * time.Second, "c", "2", "d"}, {3 * time.Second, "b", "1", ""}, {3 * time.Second, "d", "3", "-"}},
		"only the last but one":             {{0, "a", "1", "b"}, {0, "b", "2", "c"}, {0, "b", "2", "d"}, {0, "a", "1", ""}, {0, "d", "3", "-"}},
		"a second loss in the second round": {{0, "a", "1", "b"}, {time.Second, "a", "1", "c"}, {time.Minute, "c", "2", "d"}, {80 * time.Second, "c", "2", "e"}, {85 * time.Second, "e", "3", "f"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, e := range engines {
				t.Run(e.name, func(t *testing.T) {
					o, now := e.at(t), epoch
					o.Now = func() time.Time { return now }
					s := open(t, o)
					require.NoError(t, s.SaveRefreshToken(t.Context(), token("a", "f")))
					for i, st := range steps {
						now = epoch.Add(st.after)
						got, err := s.RotateRefreshToken(t.Context(), st.hash, st.attempt, token(st.next, "elsewhere"), grace)
						switch st.next {
						case "":
							require.ErrorIs(t, err, ride.ErrTokenReused, "step %d", i)
							require.Equal(t, "f", got.Family)
							requireRevoked(t, s, "f", true)
						case "-":
							require.ErrorIs(t, err, ride.ErrNotFound, "step %d: the newest of a revoked family", i)
						default:
							require.NoError(t, err, "step %d", i)
							require.Equal(t, token(st.hash, "f"), got)
							next, err := s.RefreshToken(t.Context(), st.next)
							require.NoError(t, err)
							require.Equal(t, token(st.next, "f"), next)
							requireRevoked(t, s, "f", false)
						}
					}
				})
			}
		})
	}
}

// TestRefreshGraceEnds: neither a log-out nor the token's own end leaves a grace.
func TestRefreshGraceEnds(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o, now := e.at(t), epoch
			o.Now = func() time.Time { return now }
			s := open(t, o)
			require.NoError(t, s.SaveRefreshToken(t.Context(), token("a", "f")))
			_, err := s.RotateRefreshToken(t.Context(), "a", "try", token("b", ""), grace)
			require.NoError(t, err)
			require.NoError(t, s.RevokeFamily(t.Context(), "f"))
			_, err = s.RotateRefreshToken(t.Context(), "a", "try", token("c", ""), grace)
			require.ErrorIs(t, err, ride.ErrTokenReused)

			require.NoError(t, s.SaveRefreshToken(t.Context(), token("x", "g")))
			now = epoch.Add(time.Hour - time.Second)
			_, err = s.RotateRefreshToken(t.Context(), "x", "try", token("y", ""), grace)
			require.NoError(t, err)
			now = epoch.Add(time.Hour)
			_, err = s.RotateRefreshToken(t.Context(), "x", "try", token("z", ""), grace)
			require.ErrorIs(t, err, ride.ErrTokenReused)
			requireRevoked(t, s, "g", true)
		})
	}
}

// TestRevocation: families end one by one, or all at once with their account.
func TestRevocation(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		created(t, s, 1, ride.RoleRider)
		for _, f := range []string{"f1", "f2", "f3"} {
			require.NoError(t, s.SaveRefreshToken(t.Context(), token("h"+f, f)))
		}
		require.NoError(t, s.RevokeFamily(t.Context(), "f1"))
		require.NoError(t, s.RevokeFamily(t.Context(), "unknown"))
		requireRevoked(t, s, "f1", true)
		requireRevoked(t, s, "f2", false)
		requireRevoked(t, s, "unknown", true)
		require.NoError(t, s.RevokeAccount(t.Context(), "acc-001", time.Now()))
		requireRevoked(t, s, "f2", true)
		require.NoError(t, s.SaveRefreshToken(t.Context(), token("hf4", "f4")))
		require.NoError(t, s.SetAccountStatus(t.Context(), "acc-001", ride.AccountActive))
		requireRevoked(t, s, "f4", false)
		require.NoError(t, s.SetAccountStatus(t.Context(), "acc-001", ride.AccountSuspended))
		requireRevoked(t, s, "f4", true)
	})
}

// TestTokensFrom: the instant only moves forward, and a suspension is a log-out as well.
func TestTokensFrom(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		a := created(t, s, 1, ride.RoleRider)
		from := func() time.Time {
			got, err := s.Account(t.Context(), a.ID)
			require.NoError(t, err)
			return got.TokensFrom
		}
		require.Zero(t, from())
		at := time.Date(2001, 2, 3, 4, 5, 6, 7000, time.UTC)
		require.NoError(t, s.RevokeAccount(t.Context(), a.ID, at))
		require.Equal(t, at, from())
		require.NoError(t, s.RevokeAccount(t.Context(), a.ID, at.Add(-time.Minute)))
		require.Equal(t, at, from())
		require.NoError(t, s.SetAccountStatus(t.Context(), a.ID, ride.AccountActive))
		require.Equal(t, at, from())
		require.NoError(t, s.SetAccountStatus(t.Context(), a.ID, ride.AccountSuspended))
		require.True(t, from().After(at))
	})
}

func requireRevoked(t *testing.T, s *persistence.Store, family string, want bool) {
	t.Helper()
	got, err := s.FamilyRevoked(t.Context(), family)
	require.NoError(t, err)
	require.Equal(t, want, got, family)
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
		requireRevoked(t, s, "f", true)
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
				requireRevoked(t, nodes[round%2], family, true)
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
	requireRevoked(t, s, family, false)
	dead := name(0)
	if dead == live {
		dead = name(1)
	}
	_, err = s.RotateRefreshToken(t.Context(), dead, "try", token(name(n+2), ""), grace)
	require.ErrorIs(t, err, ride.ErrTokenReused)
	requireRevoked(t, s, family, true)
}
