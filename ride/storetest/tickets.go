package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// Tickets is a store of socket tickets. Its clock may be another than the test's, and cannot be
// moved: it may be a database's.
type Tickets interface {
	SaveTicket(ctx context.Context, t ride.Ticket, life time.Duration, most int) (time.Time, error)
	TakeTicket(ctx context.Context, hash string) (ride.Ticket, error)
}

// TestTickets holds a store to the contract of Tickets. Its tests share the store.
func TestTickets(t *testing.T, s Tickets) {
	for name, test := range map[string]func(*testing.T, Tickets){
		"taken once":         ticketsOnce,
		"taken once, raced":  ticketsRaced,
		"expired":            ticketsExpire,
		"bounded by account": ticketsBounded,
	} {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

// Ticket is a ticket of an account's log-in.
func Ticket(hash string, account ride.AccountID) ride.Ticket {
	return ride.Ticket{Hash: hash, Account: account, Family: "family of " + hash, TokenExpiresAt: Epoch.Add(time.Hour)}
}

func ticketsOnce(t *testing.T, s Tickets) {
	own, outside := Ticket("h1", "a"), Ticket("h2", "b")
	outside.Family, outside.TokenIssuedAt = "", Epoch.Add(-time.Hour)
	for _, want := range []ride.Ticket{own, outside} {
		expires, err := s.SaveTicket(t.Context(), want, 30*time.Second, 10)
		require.NoError(t, err)
		require.WithinDuration(t, time.Now().Add(30*time.Second), expires, time.Minute)
	}
	for _, want := range []ride.Ticket{own, outside} {
		got, err := s.TakeTicket(t.Context(), want.Hash)
		require.NoError(t, err)
		require.Equal(t, want, got)
		for _, hash := range []string{want.Hash, "unknown", "", "\x00"} {
			_, err = s.TakeTicket(t.Context(), hash)
			require.ErrorIs(t, err, ride.ErrNotFound)
		}
	}
}

func ticketsRaced(t *testing.T, s Tickets) {
	for round := range 5 {
		hash := fmt.Sprint("raced", round)
		_, err := s.SaveTicket(t.Context(), Ticket(hash, "racer"), time.Minute, 10)
		require.NoError(t, err)
		RequireTakenOnce(t, hash, s)
	}
}

// RequireTakenOnce has several callers take one ticket at once, by all of the stores, and fails the
// test unless one of them gets it.
func RequireTakenOnce(t *testing.T, hash string, stores ...Tickets) {
	t.Helper()
	const n = 8
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { _, errs[i] = stores[i%len(stores)].TakeTicket(t.Context(), hash) })
	}
	wg.Wait()
	got := 0
	for _, err := range errs {
		if err == nil {
			got++
			continue
		}
		require.ErrorIs(t, err, ride.ErrNotFound)
	}
	require.Equal(t, 1, got)
}

// ticketsExpire: a ticket that has expired is not handed out.
func ticketsExpire(t *testing.T, s Tickets) {
	for _, life := range []time.Duration{0, -time.Hour} {
		_, err := s.SaveTicket(t.Context(), Ticket("late", "late"), life, 10)
		require.NoError(t, err)
		_, err = s.TakeTicket(t.Context(), "late")
		require.ErrorIs(t, err, ride.ErrNotFound, life)
	}
}

// ticketsBounded: an account has so many tickets at once; those that were taken or have expired do
// not count.
func ticketsBounded(t *testing.T, s Tickets) {
	const most = 3
	save := func(hash string, account ride.AccountID, life time.Duration) error {
		_, err := s.SaveTicket(t.Context(), Ticket(hash, account), life, most)
		return err
	}
	for i := range most {
		require.NoError(t, save(fmt.Sprint("expired", i), "c", 0))
	}
	for i := range most {
		require.NoError(t, save(fmt.Sprint("bound", i), "c", time.Minute))
	}
	require.ErrorIs(t, save("more", "c", time.Minute), ride.ErrUnavailable)
	require.NoError(t, save("other", "d", time.Minute))
	_, err := s.TakeTicket(t.Context(), "more")
	require.ErrorIs(t, err, ride.ErrNotFound)
	_, err = s.TakeTicket(t.Context(), "bound1")
	require.NoError(t, err)
	require.NoError(t, save("bound3", "c", time.Minute))
	require.ErrorIs(t, save("more", "c", time.Minute), ride.ErrUnavailable)
}
