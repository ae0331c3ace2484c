package persistence_test

import (
	"cmp"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride/storetest"
)

// epoch is when the tests' trips begin.
var epoch = storetest.Epoch

// engine is a way to open a store.
type engine struct {
	name string
	at   func(testing.TB) persistence.Options
}

// engines are the ways to open a store; the suite runs on each. With HEXHAIL_POOLED set it
// also runs on Postgres behind a pooler.
var engines = withPooled([]engine{
	{"sqlite", func(tb testing.TB) persistence.Options {
		return patient(persistence.DefaultSQLite(filepath.Join(tb.TempDir(), "data", "hexhail.db")))
	}},
	{"postgres", func(tb testing.TB) persistence.Options {
		return patient(persistence.DefaultPostgres(pgtest.Start(tb)))
	}},
})

// patient is o without bounds that only a slow machine reaches; tests of bounds set their own.
func patient(o persistence.Options) persistence.Options {
	o.StatementTimeout, o.ReadBack = time.Minute, time.Minute
	return o
}

func withPooled(engines []engine) []engine {
	if os.Getenv("HEXHAIL_POOLED") == "" {
		return engines
	}
	return append(engines, engine{"pooled", func(tb testing.TB) persistence.Options {
		base := pgtest.Start(tb)
		return persistence.Edited(persistence.DefaultPostgres(pgtest.Pooler(tb, base, "transaction")), func(o *persistence.Options) { o.DatabaseDirectURL = base })
	}})
}

// sessionURL is where a test may look into a Postgres by itself.
func sessionURL(o persistence.Options) string { return cmp.Or(o.DatabaseDirectURL, o.DatabaseURL) }

// onEach runs a test on both engines, each with a store of its own whose clock stands at
// epoch.
func onEach(t *testing.T, f func(t *testing.T, s *persistence.Store)) {
	t.Helper()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o := e.at(t)
			o.Now = func() time.Time { return epoch }
			o.Log = slog.New(slog.DiscardHandler) // its clock is not the database's
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

// onEngines runs a suite on each engine; open opens a new store of it with a clock.
func onEngines[S any](t *testing.T, suite func(t *testing.T, open func(t *testing.T, now storetest.Clock) S), as func(*persistence.Store) S) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			suite(t, func(t *testing.T, now storetest.Clock) S {
				o := e.at(t)
				o.Now = now
				o.NoHealth = true // which would read the clock as well
				return as(open(t, o))
			})
		})
	}
}

// TestConformance: both engines keep the contracts that the fakes in memory keep, too.
func TestConformance(t *testing.T) {
	t.Run("commits", func(t *testing.T) {
		onEngines(t, storetest.TestCommits, func(s *persistence.Store) storetest.Commits { return s })
	})
	t.Run("trips", func(t *testing.T) {
		onEngines(t, storetest.TestTrips, func(s *persistence.Store) storetest.Trips { return s })
	})
	t.Run("accounts", func(t *testing.T) {
		onEngines(t, storetest.TestAccounts, func(s *persistence.Store) storetest.Accounts { return s })
	})
	t.Run("tokens", func(t *testing.T) {
		onEngines(t, storetest.TestTokens, func(s *persistence.Store) storetest.Tokens { return s })
	})
	t.Run("log-ins", func(t *testing.T) {
		for _, e := range engines {
			t.Run(e.name, func(t *testing.T) {
				s := open(t, e.at(t))
				t.Run("tickets", func(t *testing.T) { storetest.TestTickets(t, s) })
				t.Run("failures", func(t *testing.T) { storetest.TestFailures(t, s) })
			})
		}
	})
	t.Run("sessions", func(t *testing.T) {
		for _, e := range engines {
			t.Run(e.name, func(t *testing.T) { storetest.TestSessions(t, open(t, e.at(t))) })
		}
	})
	t.Run("audit", func(t *testing.T) {
		onEngines(t, storetest.TestAudit, func(s *persistence.Store) storetest.Audit { return s })
	})
}
