package persistence_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/storetest"
)

// changed returns the newest changes by account.
func changed(t *testing.T, s *persistence.Store) map[ride.AccountID]time.Time {
	t.Helper()
	seen, err := s.ChangedAccounts(t.Context(), time.Hour, 1000)
	require.NoError(t, err)
	require.False(t, seen.More)
	out := map[ride.AccountID]time.Time{}
	for _, c := range seen.Changes {
		require.False(t, c.At.After(seen.Now.Add(time.Minute)))
		out[c.ID] = c.At
	}
	require.Len(t, out, len(seen.Changes), "one change for each account")
	return out
}

// logIn begins a log-in of an account.
func logIn(t *testing.T, s *persistence.Store, id ride.AccountID, family string) {
	t.Helper()
	require.NoError(t, s.SaveRefreshToken(t.Context(), ride.RefreshToken{
		Hash: "first-" + family, Family: family, Account: id, CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour),
	}))
}

// Everything that ends log-ins or changes an account is stamped by the database's clock, whatever the
// clock of the server says, and another store of the database finds it; what does neither is not.
func TestChangesOfAccountsAreStamped(t *testing.T) {
	t.Parallel()
	text := "Other"
	changes := map[string]func(ctx context.Context, s *persistence.Store, a ride.Account, family string) error{
		"suspension": func(ctx context.Context, s *persistence.Store, a ride.Account, _ string) error {
			return s.SetAccountStatus(ctx, a.ID, ride.AccountSuspended)
		},
		"reinstatement": func(ctx context.Context, s *persistence.Store, a ride.Account, _ string) error {
			return s.SetAccountStatus(ctx, a.ID, ride.AccountActive)
		},
		"approval": func(ctx context.Context, s *persistence.Store, a ride.Account, _ string) error {
			_, err := s.SetApproval(ctx, a.ID, ride.ApprovalRefused, "no")
			return err
		},
		"profile": func(ctx context.Context, s *persistence.Store, a ride.Account, _ string) error {
			_, err := s.UpdateAccount(ctx, a.ID, ride.AccountPatch{FirstName: &text})
			return err
		},
		"vehicle": func(ctx context.Context, s *persistence.Store, a ride.Account, _ string) error {
			_, err := s.UpdateAccount(ctx, a.ID, ride.AccountPatch{VehicleClass: &text, Plate: &text})
			return err
		},
		"photo": func(ctx context.Context, s *persistence.Store, a ride.Account, _ string) error {
			_, err := s.UpdateAccount(ctx, a.ID, ride.AccountPatch{PhotoID: &text})
			return err
		},
		"password": func(ctx context.Context, s *persistence.Store, a ride.Account, _ string) error {
			return s.SetPassword(ctx, a.ID, "new hash")
		},
		"log-out": func(ctx context.Context, s *persistence.Store, _ ride.Account, family string) error {
			return s.RevokeFamily(ctx, family)
		},
		"log-out of all": func(ctx context.Context, s *persistence.Store, a ride.Account, _ string) error {
			return s.RevokeAccount(ctx, a.ID, time.Now())
		},
		"reused refresh token": func(ctx context.Context, s *persistence.Store, _ ride.Account, family string) error {
			_, err := s.RotateRefreshToken(ctx, "first-"+family, "", token("second-"+family, ""), 0)
			if err != nil {
				return err
			}
			if _, err = s.RotateRefreshToken(ctx, "first-"+family, "", token("third-"+family, ""), 0); !errors.Is(err, ride.ErrTokenReused) {
				return fmt.Errorf("not reused: %w", err)
			}
			return nil
		},
		"erasure": func(ctx context.Context, s *persistence.Store, a ride.Account, _ string) error {
			return s.Erase(ctx, a.ID)
		},
	}
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o := e.at(t)
			if o.DatabaseURL != "" {
				o.Now = func() time.Time { return time.Now().Add(-3 * time.Hour) }
				o.Log = slog.New(slog.DiscardHandler)
			}
			s, other := open(t, o), open(t, o)
			accounts := map[string]ride.Account{}
			for i, name := range slices.Sorted(maps.Keys(changes)) {
				accounts[name] = storetest.Created(t, s, i, ride.RoleDriver)
				logIn(t, s, accounts[name].ID, "family-"+name)
			}
			require.Empty(t, changed(t, other), "signing up and logging in change nothing that a session follows")
			for name, change := range changes {
				a := accounts[name]
				before := changed(t, other)
				require.NoError(t, change(t.Context(), s, a, "family-"+name), name)
				after := changed(t, other)
				require.Contains(t, after, a.ID, name)
				require.Len(t, after, len(before)+1, name)
				require.NotContains(t, before, a.ID, name)
			}
			before := changed(t, other)
			bystander := storetest.Created(t, s, 100, ride.RoleDriver)
			logIn(t, s, bystander.ID, "bystander")
			require.NoError(t, s.RenewPassword(t.Context(), bystander.ID, "hash", "stronger hash"))
			_, err := s.RotateRefreshToken(t.Context(), "first-bystander", "try", token("n1", ""), time.Hour)
			require.NoError(t, err)
			require.NoError(t, s.RevokeFamily(t.Context(), "unknown"))
			require.NoError(t, s.RevokeFamily(t.Context(), "family-log-out"), "it has ended before")
			require.ErrorIs(t, s.SetAccountStatus(t.Context(), "unknown", ride.AccountSuspended), ride.ErrNotFound)
			require.Equal(t, before, changed(t, other))

			require.NoError(t, s.SetPassword(t.Context(), accounts["suspension"].ID, "another"))
			require.True(t, changed(t, other)[accounts["suspension"].ID].After(before[accounts["suspension"].ID]), "each change has a time of its own")
			few, err := other.ChangedAccounts(t.Context(), time.Minute, 3)
			require.NoError(t, err)
			require.True(t, few.More)
			require.Len(t, few.Changes, 3)
			none, err := other.ChangedAccounts(t.Context(), 0, 3)
			require.NoError(t, err)
			require.Empty(t, none.Changes)
		})
	}
}

// A server whose clock is behind makes no change that looks older than the one before.
func TestChangesNeverLookOlder(t *testing.T) {
	onEachRaw(t, func(t *testing.T, s *persistence.Store, _ *sql.DB, clock *time.Time) {
		a := storetest.Created(t, s, 1, ride.RoleDriver)
		last := a.UpdatedAt
		for i, by := range []time.Duration{time.Hour, -2 * time.Hour, 0, time.Minute, 3 * time.Hour} {
			*clock = clock.Add(by)
			name := fmt.Sprint("n", i)
			var err error
			switch i % 2 {
			case 0:
				a, err = s.UpdateAccount(t.Context(), a.ID, ride.AccountPatch{FirstName: &name})
			default:
				a, err = s.SetApproval(t.Context(), a.ID, ride.ApprovalRefused, name)
			}
			require.NoError(t, err)
			require.True(t, a.UpdatedAt.After(last), "step %d", i)
			last = a.UpdatedAt
		}
		require.True(t, last.Equal(*clock), "%v", last)
	})
}

// What a standing says is of one instant: a suspension, which ends every log-in, is never taken for a
// log-out; and it names those log-ins alone that were asked about and still count.
func TestStandings(t *testing.T) {
	t.Parallel()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o := e.at(t)
			s, other := open(t, o), open(t, o)
			a, b := storetest.Created(t, s, 1, ride.RoleDriver), storetest.Created(t, s, 2, ride.RoleRider)
			for _, f := range []string{"a1", "a2", "a3"} {
				logIn(t, s, a.ID, f)
			}
			require.NoError(t, s.RevokeFamily(t.Context(), "a2"))
			ask := map[ride.AccountID][]string{a.ID: {"a1", "a2", "unknown", "\x00"}, b.ID: nil, "gone": {"a1"}, "\x00": {"a1"}}
			got, err := other.Standings(t.Context(), ask)
			require.NoError(t, err)
			require.Len(t, got, 2)
			require.Equal(t, []string{"a1"}, got[a.ID].Live)
			require.Equal(t, b, got[b.ID].Account)
			require.Empty(t, got[b.ID].Live)
			require.Zero(t, got[b.ID].ChangedAt)
			require.Equal(t, changed(t, other)[a.ID], got[a.ID].ChangedAt)
			none, err := other.Standings(t.Context(), nil)
			require.NoError(t, err)
			require.Empty(t, none)

			for round := range 20 {
				c := storetest.Created(t, s, 100+round, ride.RoleRider)
				family := "f-" + string(c.ID)
				logIn(t, s, c.ID, family)
				suspended := make(chan error, 1)
				go func() { suspended <- s.SetAccountStatus(t.Context(), c.ID, ride.AccountSuspended) }()
				for ended := false; !ended; {
					got, err := other.Standings(t.Context(), map[ride.AccountID][]string{c.ID: {family}})
					require.NoError(t, err)
					ended = got[c.ID].Account.Status == ride.AccountSuspended
					require.Equal(t, ended, len(got[c.ID].Live) == 0, "%v", got[c.ID])
				}
				require.NoError(t, <-suspended)
			}
		})
	}
}

// Many standings are read at once, whatever the number.
func TestStandingsOfMany(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *persistence.Store) {
		ask := map[ride.AccountID][]string{}
		for i := range 600 {
			id := ride.AccountID(fmt.Sprintf("acc-%03d", i))
			if i%100 == 0 {
				storetest.Created(t, s, i, ride.RoleRider)
				logIn(t, s, id, string(id))
			}
			ask[id] = []string{string(id), "other"}
		}
		got, err := s.Standings(t.Context(), ask)
		require.NoError(t, err)
		require.Len(t, got, 6)
		for id, st := range got {
			require.Equal(t, []string{string(id)}, st.Live)
		}
	})
}

// heard is an AccountListener that records.
type heard struct {
	listening chan struct{}
	changed   chan ride.AccountID
	alive     chan struct{}
}

func newHeard() heard {
	return heard{make(chan struct{}, 10), make(chan ride.AccountID, 100), make(chan struct{}, 1)}
}

func (h heard) Listening()                { h.listening <- struct{}{} }
func (h heard) Changed(id ride.AccountID) { h.changed <- id }
func (h heard) Alive() {
	select {
	case h.alive <- struct{}{}:
	default:
	}
}

// Postgres announces changes once they have committed, and only those; a session that is lost ends
// with an error, and the next one hears again. This holds behind a pooler, too.
func TestListenAccounts(t *testing.T) {
	base := pgtest.Start(t)
	for number, database := range []string{base, pgtest.Pooler(t, base, "transaction")} {
		t.Run([]string{"direct", "pooled"}[number], func(t *testing.T) {
			s := open(t, persistence.Edited(persistence.DefaultPostgres(database), func(o *persistence.Options) {
				if database != base {
					o.DatabaseDirectURL = base
				}
			}))
			here, other := newHeard(), open(t, persistence.DefaultPostgres(base))
			require.True(t, other.Notifies())
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			listen := func() { ended <- other.ListenAccounts(ctx, here) }
			go listen()
			<-here.listening
			a := storetest.Created(t, s, number, ride.RoleRider)
			_, err := s.SetApproval(t.Context(), a.ID, ride.ApprovalApproved, "") // no driver: nothing is written
			require.ErrorIs(t, err, ride.ErrNotFound)
			require.NoError(t, s.SetPassword(t.Context(), a.ID, "new"))
			require.Equal(t, a.ID, <-here.changed)
			<-here.alive
			require.Empty(t, here.changed)

			require.NoError(t, persistence.EndListeners(t.Context(), other))
			require.Error(t, <-ended)
			go listen()
			<-here.listening
			require.NoError(t, s.Erase(t.Context(), a.ID))
			require.Equal(t, a.ID, <-here.changed)
			cancel()
			require.ErrorIs(t, <-ended, context.Canceled)
		})
	}
	file := open(t, persistence.TempSQLite(t))
	require.False(t, file.Notifies())
	require.ErrorIs(t, file.ListenAccounts(t.Context(), newHeard()), persistence.ErrNoNotifications)
}
