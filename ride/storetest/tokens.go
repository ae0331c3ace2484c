package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// Tokens is a store of refresh tokens, and of the accounts whose log-ins they are.
type Tokens interface {
	AccountCreator
	Account(ctx context.Context, id ride.AccountID) (ride.Account, error)
	SetAccountStatus(ctx context.Context, id ride.AccountID, s ride.AccountStatus) error
	SaveRefreshToken(ctx context.Context, t ride.RefreshToken) error
	RotateRefreshToken(ctx context.Context, hash, attempt string, next ride.RefreshToken, grace time.Duration) (ride.RefreshToken, error)
	RefreshToken(ctx context.Context, hash string) (ride.RefreshToken, error)
	RevokeFamily(ctx context.Context, family string) error
	FamilyRevoked(ctx context.Context, family string) (bool, error)
	RevokeAccount(ctx context.Context, id ride.AccountID, from time.Time) error
}

// TestTokens holds a store to the contract of Tokens.
func TestTokens(t *testing.T, open func(t *testing.T, now Clock) Tokens) {
	for name, test := range map[string]func(*testing.T, Tokens){
		"rotation":          rotation,
		"revocation":        revocation,
		"tokens count from": tokensFrom,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t, atEpoch)) })
	}
	t.Run("grace", func(t *testing.T) { refreshGrace(t, open) })
	t.Run("end of the grace", func(t *testing.T) {
		now := Epoch
		refreshGraceEnds(t, open(t, func() time.Time { return now }), &now)
	})
}

// grace is how long a spent token counts once more.
const grace = 30 * time.Second

func token(hash, family string) ride.RefreshToken {
	return ride.RefreshToken{Hash: hash, Family: family, Account: "acc-001", CreatedAt: Epoch, ExpiresAt: Epoch.Add(time.Hour)}
}

// rotation: without grace a token is spent once; spending it again ends
// the family.
func rotation(t *testing.T, s Tokens) {
	first := token("h1", "f1")
	require.NoError(t, s.SaveRefreshToken(t.Context(), first))
	require.NoError(t, s.SaveRefreshToken(t.Context(), token("x1", "f2")))
	spent, err := s.RotateRefreshToken(t.Context(), "h1", "try", ride.RefreshToken{Hash: "h2", CreatedAt: Epoch, ExpiresAt: Epoch.Add(2 * time.Hour)}, 0)
	require.NoError(t, err)
	require.Equal(t, first, spent)
	next, err := s.RefreshToken(t.Context(), "h2")
	require.NoError(t, err)
	require.Equal(t, "f1", next.Family)
	require.Equal(t, first.Account, next.Account)
	RequireRevoked(t, s, "f1", false)

	reused, err := s.RotateRefreshToken(t.Context(), "h1", "try", token("h3", "f1"), 0)
	require.ErrorIs(t, err, ride.ErrTokenReused)
	require.Equal(t, first, reused)
	RequireRevoked(t, s, "f1", true)
	RequireRevoked(t, s, "f2", false)
	_, err = s.RotateRefreshToken(t.Context(), "h2", "try", token("h4", "f1"), 0)
	require.ErrorIs(t, err, ride.ErrNotFound, "the newest token of a revoked family")
	_, err = s.RefreshToken(t.Context(), "h3")
	require.ErrorIs(t, err, ride.ErrNotFound)

	old := token("old", "f3")
	old.ExpiresAt = Epoch
	require.NoError(t, s.SaveRefreshToken(t.Context(), old))
	for _, hash := range []string{"old", "unknown", "\x00"} {
		_, err = s.RotateRefreshToken(t.Context(), hash, "try", token("h5", "f3"), time.Hour)
		require.ErrorIs(t, err, ride.ErrNotFound, hash)
	}
}

// revocation: families end one by one, or all at once with their account.
func revocation(t *testing.T, s Tokens) {
	Created(t, s, 1, ride.RoleRider)
	for _, f := range []string{"f1", "f2", "f3"} {
		require.NoError(t, s.SaveRefreshToken(t.Context(), token("h"+f, f)))
	}
	require.NoError(t, s.RevokeFamily(t.Context(), "f1"))
	require.NoError(t, s.RevokeFamily(t.Context(), "unknown"))
	RequireRevoked(t, s, "f1", true)
	RequireRevoked(t, s, "f2", false)
	RequireRevoked(t, s, "unknown", true)
	require.NoError(t, s.RevokeAccount(t.Context(), "acc-001", time.Now()))
	RequireRevoked(t, s, "f2", true)
	require.NoError(t, s.SaveRefreshToken(t.Context(), token("hf4", "f4")))
	require.NoError(t, s.SetAccountStatus(t.Context(), "acc-001", ride.AccountActive))
	RequireRevoked(t, s, "f4", false)
	require.NoError(t, s.SetAccountStatus(t.Context(), "acc-001", ride.AccountSuspended))
	RequireRevoked(t, s, "f4", true)
}

// tokensFrom: the instant only moves forward, and a suspension is a log-out as well.
func tokensFrom(t *testing.T, s Tokens) {
	a := Created(t, s, 1, ride.RoleRider)
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
}

// refreshGrace: the attempt that spent a token counts once more as long as the successor
// is unused and the grace lasts, which later uses do not prolong; what it replaces is as good
// as spent. No other attempt counts, and none does not either.
func refreshGrace(t *testing.T, open func(t *testing.T, now Clock) Tokens) {
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
			now := Epoch
			s := open(t, func() time.Time { return now })
			require.NoError(t, s.SaveRefreshToken(t.Context(), token("a", "f")))
			for i, st := range steps {
				now = Epoch.Add(st.after)
				got, err := s.RotateRefreshToken(t.Context(), st.hash, st.attempt, minted(st.next, "elsewhere", now), grace)
				switch st.next {
				case "":
					require.ErrorIs(t, err, ride.ErrTokenReused, "step %d", i)
					require.Equal(t, "f", got.Family)
					RequireRevoked(t, s, "f", true)
				case "-":
					require.ErrorIs(t, err, ride.ErrNotFound, "step %d: the newest of a revoked family", i)
				default:
					require.NoError(t, err, "step %d", i)
					require.Equal(t, st.hash, got.Hash)
					require.Equal(t, "f", got.Family)
					next, err := s.RefreshToken(t.Context(), st.next)
					require.NoError(t, err)
					require.Equal(t, minted(st.next, "f", now), next)
					RequireRevoked(t, s, "f", false)
				}
			}
		})
	}
}

// minted is a token that is made at a time.
func minted(hash, family string, at time.Time) ride.RefreshToken {
	t := token(hash, family)
	t.CreatedAt = at
	return t
}

// refreshGraceEnds: neither a log-out nor the token's own end leaves a grace.
func refreshGraceEnds(t *testing.T, s Tokens, now *time.Time) {
	require.NoError(t, s.SaveRefreshToken(t.Context(), token("a", "f")))
	_, err := s.RotateRefreshToken(t.Context(), "a", "try", minted("b", "", *now), grace)
	require.NoError(t, err)
	require.NoError(t, s.RevokeFamily(t.Context(), "f"))
	_, err = s.RotateRefreshToken(t.Context(), "a", "try", minted("c", "", *now), grace)
	require.ErrorIs(t, err, ride.ErrTokenReused)

	require.NoError(t, s.SaveRefreshToken(t.Context(), token("x", "g")))
	*now = Epoch.Add(time.Hour - time.Second)
	_, err = s.RotateRefreshToken(t.Context(), "x", "try", minted("y", "", *now), grace)
	require.NoError(t, err)
	*now = Epoch.Add(time.Hour)
	_, err = s.RotateRefreshToken(t.Context(), "x", "try", minted("z", "", *now), grace)
	require.ErrorIs(t, err, ride.ErrTokenReused)
	RequireRevoked(t, s, "g", true)
}

// RequireRevoked fails the test unless a family of tokens is revoked, or is not.
func RequireRevoked(t *testing.T, s Tokens, family string, want bool) {
	t.Helper()
	got, err := s.FamilyRevoked(t.Context(), family)
	require.NoError(t, err)
	require.Equal(t, want, got, family)
}
