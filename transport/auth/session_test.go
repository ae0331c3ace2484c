package auth

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/storetest"
)

func TestAccessTokenLife(t *testing.T) {
	f := newFixture(t)
	alice, tk := f.rider(t, "alice")
	p, err := f.Authenticate(t.Context(), tk.Access)
	require.NoError(t, err)
	require.Equal(t, alice, p.Account)
	require.Equal(t, tk.Family, p.Family)
	require.True(t, p.ExpiresAt.Equal(tk.AccessExpiresAt))

	f.clock.advance(15*time.Minute + 9*time.Second) // within the leeway
	_, err = f.Authenticate(t.Context(), tk.Access)
	require.NoError(t, err)
	f.clock.advance(2 * time.Second)
	_, err = f.Authenticate(t.Context(), tk.Access)
	require.ErrorIs(t, err, ride.ErrUnauthenticated)
}

func TestRefreshRotatesAndReuseKillsTheFamily(t *testing.T) {
	f := newFixture(t)
	alice, first := f.rider(t, "alice")
	a, second, err := f.Refresh(t.Context(), first.Refresh, "")
	require.NoError(t, err)
	require.Equal(t, alice.ID, a.ID)
	require.Equal(t, first.Family, second.Family)
	require.NotEqual(t, first.Refresh, second.Refresh)
	_, third, err := f.Refresh(t.Context(), second.Refresh, "")
	require.NoError(t, err)

	_, _, err = f.Refresh(t.Context(), first.Refresh, "")
	require.ErrorIs(t, err, ride.ErrUnauthenticated)
	var reused *ReusedError
	require.ErrorAs(t, err, &reused)
	require.Equal(t, ReusedError{Account: alice.ID, Family: first.Family}, *reused)

	_, _, err = f.Refresh(t.Context(), third.Refresh, "")
	require.ErrorIs(t, err, ride.ErrUnauthenticated, "the newest is dead too")
	_, err = f.Authenticate(t.Context(), third.Access)
	require.ErrorIs(t, err, ride.ErrUnauthenticated, "and its access token")

	_, other, err := f.LogIn(t.Context(), "alice", "correct horse", "192.0.2.1")
	require.NoError(t, err, "other log-ins live on")
	_, err = f.Authenticate(t.Context(), other.Access)
	require.NoError(t, err)
}

// An attempt as clients make it, one for each token.
const attempt = "5f0c2a5e-3f0b-4a44-9f5d-1c7f5f6f0a11"

// TestStolenRefreshToken: a thief who has the token alone, and presents it within the grace
// and while its successor is unused, ends the log-in at once, whether owner or thief came first.
func TestStolenRefreshToken(t *testing.T) {
	const another = "an attempt of the thief's own"
	for name, attempts := range map[string][2]string{
		"after the owner":                       {attempt, ""},
		"after the owner, with another attempt": {attempt, another},
		"after an owner who names none":         {"", ""},
		"with an attempt, the owner none":       {"", another},
		"before the owner":                      {"", attempt},
		"before the owner, with an attempt":     {another, attempt},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			_, tk := f.rider(t, "alice")
			_, first, err := f.Refresh(t.Context(), tk.Refresh, attempts[0])
			require.NoError(t, err)
			var reused *ReusedError
			_, _, err = f.Refresh(t.Context(), tk.Refresh, attempts[1])
			require.ErrorAs(t, err, &reused)
			requireEnded(t, f, first)
		})
	}
}

// TestStolenStorage: the thief copied the attempt beside the token, and both present them within
// the grace. Whichever comes first, the log-in ends when the one that was pushed out comes back.
func TestStolenStorage(t *testing.T) {
	for name, pushedOut := range map[string]int{"the first comes back": 0, "the second went on, the first comes back": 1} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			_, tk := f.rider(t, "alice")
			_, first, err := f.Refresh(t.Context(), tk.Refresh, attempt)
			require.NoError(t, err)
			_, second, err := f.Refresh(t.Context(), tk.Refresh, attempt)
			require.NoError(t, err)
			newest := second
			if pushedOut == 1 {
				_, newest, err = f.Refresh(t.Context(), second.Refresh, "the attempt of who went on")
				require.NoError(t, err)
			}
			f.clock.advance(10 * time.Minute)
			var reused *ReusedError
			_, _, err = f.Refresh(t.Context(), first.Refresh, attempt)
			require.ErrorAs(t, err, &reused)
			requireEnded(t, f, first, second, newest)
		})
	}
}

// requireEnded sees that neither token of any pair counts.
func requireEnded(t *testing.T, f *fixture, pairs ...Tokens) {
	t.Helper()
	for _, tk := range pairs {
		_, _, err := f.Refresh(t.Context(), tk.Refresh, "")
		require.ErrorIs(t, err, ride.ErrUnauthenticated)
		_, err = f.Authenticate(t.Context(), tk.Access)
		require.ErrorIs(t, err, ride.ErrUnauthenticated)
	}
}

// TestNoGrace: a grace of zero makes each second use a reuse, also the same attempt's.
func TestNoGrace(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.RefreshGrace = 0 })
	_, tk := f.rider(t, "alice")
	_, _, err := f.Refresh(t.Context(), tk.Refresh, attempt)
	require.NoError(t, err)
	_, _, err = f.Refresh(t.Context(), tk.Refresh, attempt)
	var reused *ReusedError
	require.ErrorAs(t, err, &reused)

	c := f.config()
	c.RefreshGrace = 11 * time.Minute
	_, err = New(c, f.keys, f.store)
	require.ErrorIs(t, err, ErrConfig)
}

func TestRefreshRefusals(t *testing.T) {
	f := newFixture(t)
	alice, tk := f.rider(t, "alice")
	for _, bad := range []string{"", "x", tk.Access, tk.Refresh + "A", " " + tk.Refresh[1:], strings.Repeat("A", 43)} {
		_, _, err := f.Refresh(t.Context(), bad, "")
		require.ErrorIs(t, err, ride.ErrUnauthenticated, "%q", bad)
	}
	require.NoError(t, f.store.SetAccountStatus(t.Context(), alice.ID, ride.AccountSuspended))
	_, _, err := f.Refresh(t.Context(), tk.Refresh, "")
	require.ErrorIs(t, err, ride.ErrUnauthenticated)

	_, late := f.rider(t, "bob")
	f.clock.advance(31 * 24 * time.Hour)
	_, _, err = f.Refresh(t.Context(), late.Refresh, "")
	require.ErrorIs(t, err, ride.ErrUnauthenticated)
}

func TestRefreshTokensAreStoredHashed(t *testing.T) {
	f := newFixture(t)
	_, tk := f.rider(t, "alice")
	_, err := f.store.RefreshToken(t.Context(), tk.Refresh)
	require.ErrorIs(t, err, ride.ErrNotFound)
	_, err = f.store.RefreshToken(t.Context(), tokenHash(tk.Refresh))
	require.NoError(t, err)
}

func TestLogOutEndsOneLogIn(t *testing.T) {
	f := newFixture(t)
	_, one := f.rider(t, "alice")
	_, two, err := f.LogIn(t.Context(), "ALICE", "correct horse", "192.0.2.1")
	require.NoError(t, err)
	p, err := f.Authenticate(t.Context(), one.Access)
	require.NoError(t, err)
	require.NoError(t, f.LogOut(t.Context(), p))
	_, err = f.Authenticate(t.Context(), one.Access)
	require.ErrorIs(t, err, ride.ErrUnauthenticated)
	_, _, err = f.Refresh(t.Context(), one.Refresh, "")
	require.ErrorIs(t, err, ride.ErrUnauthenticated)
	_, err = f.Authenticate(t.Context(), two.Access)
	require.NoError(t, err)
}

func TestSuspensionCountsAtOnce(t *testing.T) {
	f := newFixture(t)
	alice, tk := f.rider(t, "alice")
	ticket, _, err := f.IssueTicket(t.Context(), mustPrincipal(t, f, tk))
	require.NoError(t, err)
	require.NoError(t, f.store.SetAccountStatus(t.Context(), alice.ID, ride.AccountSuspended))
	_, err = f.Authenticate(t.Context(), tk.Access)
	require.ErrorIs(t, err, ride.ErrSuspended)
	_, err = f.RedeemTicket(t.Context(), ticket)
	require.ErrorIs(t, err, ride.ErrSuspended)
	_, _, err = f.LogIn(t.Context(), "alice", "correct horse", "192.0.2.1")
	require.ErrorIs(t, err, ride.ErrSuspended)
	_, _, err = f.LogIn(t.Context(), "alice", "wrong", "192.0.2.1")
	require.ErrorIs(t, err, ride.ErrUnauthenticated, "only who knows the password learns of it")
}

func TestTickets(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.MaxTickets = 3 })
	_, tk := f.rider(t, "alice")
	p := mustPrincipal(t, f, tk)

	one, exp, err := f.IssueTicket(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, 30*time.Second, exp.Sub(f.clock.now()))
	got, err := f.RedeemTicket(t.Context(), one)
	require.NoError(t, err)
	require.Equal(t, p, got, "bound to the principal, expiring with it")
	_, err = f.RedeemTicket(t.Context(), one)
	require.ErrorIs(t, err, ride.ErrUnauthenticated, "once")

	late, _, err := f.IssueTicket(t.Context(), p)
	require.NoError(t, err)
	f.clock.advance(30 * time.Second)
	_, err = f.RedeemTicket(t.Context(), late)
	require.ErrorIs(t, err, ride.ErrUnauthenticated, "in time")
	_, err = f.RedeemTicket(t.Context(), "nonsense")
	require.ErrorIs(t, err, ride.ErrUnauthenticated)

	for range 3 {
		_, _, err = f.IssueTicket(t.Context(), p)
		require.NoError(t, err)
	}
	_, _, err = f.IssueTicket(t.Context(), p)
	require.ErrorIs(t, err, ride.ErrUnavailable, "bounded")
	f.clock.advance(31 * time.Second)
	again, _, err := f.IssueTicket(t.Context(), p)
	require.NoError(t, err)
	require.NoError(t, f.LogOut(t.Context(), p))
	_, err = f.RedeemTicket(t.Context(), again)
	require.ErrorIs(t, err, ride.ErrUnauthenticated, "not after log-out")
}

// TestTicketsInMemory: tickets of a server that is alone are kept like those in the database.
func TestTicketsInMemory(t *testing.T) {
	storetest.TestTickets(t, newMemoryTickets(1000, time.Now))
	m := newMemoryTickets(1000, time.Now)
	for i := range 10 {
		hash := strconv.Itoa(i)
		_, err := m.SaveTicket(t.Context(), storetest.Ticket(hash, "a"), time.Minute, 10)
		require.NoError(t, err)
		_, err = m.TakeTicket(t.Context(), hash)
		require.NoError(t, err)
	}
	require.Empty(t, m.open)
	require.Empty(t, m.of)
	require.Empty(t, m.order)
}

func TestStoreFailuresAreNotRefusals(t *testing.T) {
	f := newFixture(t)
	_, tk := f.rider(t, "alice")
	broken := errors.New("disk on fire")
	f.store.Fail = func(string) error { return broken }
	_, err := f.Authenticate(t.Context(), tk.Access)
	require.ErrorIs(t, err, broken)
	_, _, err = f.Refresh(t.Context(), tk.Refresh, "")
	require.ErrorIs(t, err, broken)
	for range 30 {
		_, _, err = f.LogIn(t.Context(), "alice", "correct horse", "192.0.2.1")
		require.ErrorIs(t, err, broken, "an outage must not count as failed guesses")
	}
	f.store.Fail = nil
	_, _, err = f.LogIn(t.Context(), "alice", "correct horse", "192.0.2.1")
	require.NoError(t, err)
}
