package persistence_test

import (
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/storetest"
)

// count is the number of rows of a table.
func count(t *testing.T, db *sql.DB, table string) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM `+table).Scan(&n))
	return n
}

// TestTicketOfAnotherNode: a ticket that one store keeps, another one hands out, and only one of them.
func TestTicketOfAnotherNode(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o := e.at(t)
			a, b := open(t, o), open(t, o)
			for round := range 5 {
				hash := fmt.Sprint("h", round)
				_, err := a.SaveTicket(t.Context(), storetest.Ticket(hash, "acc"), time.Minute, 10)
				require.NoError(t, err)
				storetest.RequireTakenOnce(t, hash, a, b)
			}
		})
	}
}

// TestSessionsOfSeveralNodes: sessions that start at once on several nodes each get a generation of
// their own, and erasing the account is the only thing that removes it.
func TestSessionsOfSeveralNodes(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o := e.at(t)
			a, b := open(t, o), open(t, o)
			storetest.RequireOwnGenerations(t, "acc", a, b)
			_, err := a.Purge(t.Context())
			require.NoError(t, err)
			c, err := b.ClaimSession(t.Context(), "acc", "node", "x")
			require.NoError(t, err)
			require.EqualValues(t, 25, c.Generation)
			for _, bad := range [][3]string{{"\x00", "n", "i"}, {"acc", "\xff", "i"}, {"acc", "n", "\x00"}} {
				_, err := a.ClaimSession(t.Context(), ride.AccountID(bad[0]), bad[1], bad[2])
				require.ErrorIs(t, err, ride.ErrInvalidArgument)
			}
		})
	}
}

// TestTicketRowsAreBounded: no account has more rows than tickets, although no janitor runs; the
// janitor deletes those that have expired.
func TestTicketRowsAreBounded(t *testing.T) {
	onEachRaw(t, func(t *testing.T, s *persistence.Store, db *sql.DB, _ *time.Time) {
		for i := range 25 {
			_, err := s.SaveTicket(t.Context(), storetest.Ticket(fmt.Sprint("h", i), "acc"), -time.Second, 10)
			require.NoError(t, err)
			require.LessOrEqual(t, count(t, db, "tickets"), 10)
		}
		_, err := s.SaveTicket(t.Context(), storetest.Ticket("live", "acc"), time.Hour, 10)
		require.NoError(t, err)
		_, err = s.Purge(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, count(t, db, "tickets"))
		_, err = s.TakeTicket(t.Context(), "live")
		require.NoError(t, err)
	})
}

// TestFailureRowsAreBounded: counts that are forgotten, and those beyond the newest, are deleted by the
// janitor and, between its runs, by every few hundredth failure.
func TestFailureRowsAreBounded(t *testing.T) {
	onEachRaw(t, func(t *testing.T, s *persistence.Store, db *sql.DB, _ *time.Time) {
		add := func(key string, forget time.Duration) {
			_, err := s.AddLogInFailure(t.Context(), []string{key}, forget)
			require.NoError(t, err)
		}
		for i := range 10 {
			add(fmt.Sprint("old", i), 0)
			add(fmt.Sprint("k", i), time.Hour+time.Duration(i)*time.Minute)
		}
		require.Equal(t, 20, count(t, db, "log_in_failures"))
		_, err := s.Purge(t.Context())
		require.NoError(t, err)
		require.Equal(t, 10, count(t, db, "log_in_failures"))

		add("old", 0)
		s.TrimWithNextFailure()
		add("k0", time.Hour)
		require.Equal(t, 10, count(t, db, "log_in_failures"))

		_, err = s.TrimFailures(t.Context(), 4)
		require.NoError(t, err)
		got, err := s.LogInFailures(t.Context(), []string{"k0", "k5", "k6", "k9"})
		require.NoError(t, err)
		require.Len(t, got, 2, "the newest stay")
		require.Contains(t, got, "k6")
		require.Contains(t, got, "k9")
		require.Equal(t, 4, count(t, db, "log_in_failures"))
	})
}

// TestAgree: the first value is recorded; another one replaces it only where the caller says so.
func TestAgree(t *testing.T) {
	onEachRaw(t, func(t *testing.T, s *persistence.Store, db *sql.DB, _ *time.Time) {
		recorded := func() string {
			value, err := s.Setting(t.Context(), "key")
			require.NoError(t, err)
			return value
		}
		unasked := func(string) error { t.Error("asked"); return nil }
		require.Empty(t, recorded())
		require.NoError(t, s.Agree(t.Context(), "key", "a", unasked))
		require.NoError(t, s.Agree(t.Context(), "key", "a", unasked))
		require.NoError(t, s.Agree(t.Context(), "another", "b", unasked))
		refusal := errors.New("no")
		for _, answer := range []error{refusal, nil} {
			err := s.Agree(t.Context(), "key", "b", func(recorded string) error {
				require.Equal(t, "a", recorded)
				return answer
			})
			require.Equal(t, answer, err, "the refusal as it is")
			require.Equal(t, map[error]string{refusal: "a", nil: "b"}[answer], recorded())
		}
		require.Equal(t, 2, count(t, db, "cluster_settings"))
	})
}

// TestAgreeAtOnce: of servers that start at once with a value each, one records its own and the others
// hear of it.
func TestAgreeAtOnce(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o := e.at(t)
			nodes := []*persistence.Store{open(t, o), open(t, o)}
			for round := range 5 {
				const n = 6
				name := fmt.Sprint("key", round)
				heard := make([]string, n)
				errs := make([]error, n)
				refusal := errors.New("no")
				var wg sync.WaitGroup
				for i := range n {
					heard[i] = fmt.Sprint("v", i)
					wg.Go(func() {
						errs[i] = nodes[i%2].Agree(t.Context(), name, heard[i], func(recorded string) error {
							heard[i] = recorded
							return refusal
						})
					})
				}
				wg.Wait()
				recorded, err := nodes[0].Setting(t.Context(), name)
				require.NoError(t, err)
				won := 0
				for i := range n {
					require.Equal(t, recorded, heard[i])
					if errs[i] == nil {
						won++
						continue
					}
					require.Equal(t, refusal, errs[i])
				}
				require.Equal(t, 1, won)
			}
		})
	}
}
