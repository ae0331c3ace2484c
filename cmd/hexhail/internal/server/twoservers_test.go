package server

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport"
	"github.com/hexhail/hexhail/transport/auth"
)

// node is as much of a server as log-ins need: several of them share a database.
type node struct {
	*auth.Service
	store *persistence.Store
	cfg   *config.Config
}

// nodeConfig is a node's configuration with its own key file, which is not made yet.
func nodeConfig(t *testing.T, url string) *config.Config {
	t.Helper()
	c := defaults(t)
	c.Store.DataDir = t.TempDir()
	c.Store.DatabaseURL = config.Secret(url)
	return c
}

func openNode(t *testing.T, c *config.Config) *persistence.Store {
	t.Helper()
	o := persistence.DefaultPostgres(c.Store.DatabaseURL.Reveal())
	o.PoolSize, o.PurgeEvery, o.NoHealth = 8, 0, true
	s, err := persistence.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// startNode is a node with the keys of its file and a store of its own, or one that is open from before
// it restarted. Guessing is slowed down so much that no machine is too slow to see it.
func startNode(t *testing.T, c *config.Config, store ...*persistence.Store) node {
	t.Helper()
	if len(store) == 0 {
		store = append(store, openNode(t, c))
	}
	n := node{store: store[0], cfg: c}
	keys, err := sharedKeys(t.Context(), c, n.store, false)
	require.NoError(t, err)
	people := auth.DefaultConfig()
	people.Password.MemoryKiB, people.Password.Iterations, people.Password.Wait = 64, 1, time.Minute
	people.Guard.First, people.Guard.Max = time.Hour, time.Hour
	people.Tickets = n.store
	n.Service, err = auth.New(people, keys, n.store)
	require.NoError(t, err)
	t.Cleanup(n.Close)
	return n
}

// TestLogInsOfTwoServers: two servers share a database and a key.
func TestLogInsOfTwoServers(t *testing.T) {
	t.Parallel()
	c := nodeConfig(t, pgtest.Start(t))
	a, b := startNode(t, c), startNode(t, c)
	t.Run("tokens and tickets", func(t *testing.T) { tokensAndTickets(t, a, b) })
	t.Run("guesses", func(t *testing.T) { guesses(t, a, b) })
	t.Run("guesses of one moment", func(t *testing.T) { guessesAtOnce(t, a, b) })
}

func (n node) signUp(t *testing.T, name string) (transport.Principal, auth.Tokens) {
	t.Helper()
	_, tk, err := n.SignUp(t.Context(), auth.SignUp{
		Username: name, Password: "correct horse", FirstName: "Rosa", LastName: "Reiter", Role: ride.RoleRider,
	})
	require.NoError(t, err)
	p, err := n.Authenticate(t.Context(), tk.Access)
	require.NoError(t, err)
	return p, tk
}

// tokensAndTickets: what one server gives out the other one takes, tickets once.
func tokensAndTickets(t *testing.T, a, b node) {
	p, tk := a.signUp(t, "alice")
	got, err := b.Authenticate(t.Context(), tk.Access)
	require.NoError(t, err)
	require.Equal(t, p, got)

	ticket, expires, err := a.IssueTicket(t.Context(), p)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(30*time.Second), expires, time.Minute)
	got, err = b.RedeemTicket(t.Context(), ticket)
	require.NoError(t, err)
	require.Equal(t, p.Account, got.Account)
	require.Equal(t, p.Family, got.Family)
	require.True(t, p.ExpiresAt.Equal(got.ExpiresAt))
	for _, n := range []node{a, b} {
		_, err = n.RedeemTicket(t.Context(), ticket)
		require.ErrorIs(t, err, ride.ErrUnauthenticated)
	}
	for range 5 {
		requireRedeemedOnce(t, a, b, p)
	}

	late, _, err := a.IssueTicket(t.Context(), p)
	require.NoError(t, err)
	ended, _, err := a.IssueTicket(t.Context(), p)
	require.NoError(t, err)
	require.NoError(t, a.LogOut(t.Context(), p))
	_, err = b.RedeemTicket(t.Context(), ended)
	require.ErrorIs(t, err, ride.ErrUnauthenticated, "a log-out ends tickets")
	require.NoError(t, a.store.SetAccountStatus(t.Context(), p.Account.ID, ride.AccountSuspended))
	_, err = b.RedeemTicket(t.Context(), late)
	require.ErrorIs(t, err, ride.ErrSuspended)
}

// requireRedeemedOnce races both servers for a ticket of the first.
func requireRedeemedOnce(t *testing.T, a, b node, p transport.Principal) {
	t.Helper()
	ticket, _, err := a.IssueTicket(t.Context(), p)
	require.NoError(t, err)
	const n = 8
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { _, errs[i] = []node{a, b}[i%2].RedeemTicket(t.Context(), ticket) })
	}
	wg.Wait()
	redeemed := 0
	for _, err := range errs {
		if err == nil {
			redeemed++
			continue
		}
		require.ErrorIs(t, err, ride.ErrUnauthenticated)
	}
	require.Equal(t, 1, redeemed)
}

// guesses: passwords tried on one server count on the other, and after a restart.
func guesses(t *testing.T, a, b node) {
	for _, name := range []string{"ann", "bob", "carol"} {
		a.signUp(t, name)
	}
	try := func(n node, name, password string) error {
		_, _, err := n.LogInFrom(t.Context(), name, password, auth.Place{Addr: "192.0.2.1"})
		return err
	}
	for i := range 12 {
		err := try(a, "ann", "lucky guess")
		if i < 10 {
			require.ErrorIs(t, err, ride.ErrUnauthenticated)
		} else {
			require.ErrorIs(t, err, ride.ErrTooMany)
		}
	}
	require.ErrorIs(t, try(b, "ann", "lucky guess"), ride.ErrTooMany)
	require.ErrorIs(t, try(b, "ann", "correct horse"), ride.ErrTooMany)
	require.NoError(t, try(b, "bob", "correct horse"))
	require.ErrorIs(t, try(startNode(t, a.cfg, b.store), "ann", "correct horse"), ride.ErrTooMany, "after a restart")

	for i := range 2 { // wrong ones alternate, and a right one on either server wipes the slate of both
		for j := range 9 {
			require.ErrorIs(t, try([]node{a, b}[j%2], "carol", "lucky guess"), ride.ErrUnauthenticated)
		}
		require.NoError(t, try([]node{a, b}[i], "carol", "correct horse"))
	}
}

// guessesAtOnce: what is tried on two servers at the same time counts in advance on each, so that each
// looks at no more passwords than are free; then both refuse.
func guessesAtOnce(t *testing.T, a, b node) {
	a.signUp(t, "dora")
	try := func(n node, password string) error {
		_, _, err := n.LogInFrom(t.Context(), "dora", password, auth.Place{Addr: "192.0.2.2"})
		return err
	}
	errs := make([]error, 40)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = try([]node{a, b}[i%2], "lucky guess") })
	}
	wg.Wait()
	looked := 0
	for _, err := range errs {
		if errors.Is(err, ride.ErrUnauthenticated) {
			looked++
			continue
		}
		require.ErrorIs(t, err, ride.ErrTooMany)
	}
	free := auth.DefaultGuardConfig().Free
	require.GreaterOrEqual(t, looked, free)
	require.LessOrEqual(t, looked, 2*free)
	for _, n := range []node{a, b, startNode(t, a.cfg, b.store)} {
		require.ErrorIs(t, try(n, "correct horse"), ride.ErrTooMany)
	}
}
