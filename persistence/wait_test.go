package persistence_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/persistence/pgtest"
)

// TestWaitsForPostgres: a server that is not up yet is waited for, with one line before and
// one after; a limit ends that, and so does the caller; what waiting does not mend fails at
// once.
func TestWaitsForPostgres(t *testing.T) {
	t.Parallel()
	pg := pgtest.NewServer(t)
	var log persistence.LockedLog
	waits := make(chan persistence.Cause, 1)
	o := persistence.Edited(persistence.DefaultPostgres(pg.URL()), func(o *persistence.Options) {
		o.Wait = time.Hour
		o.PurgeEvery = 0
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		o.Waits = func(c persistence.Cause) { waits <- c }
	})
	for name, change := range map[string]func(url string) string{
		"no such database": func(url string) string { return strings.Replace(url, "dbname=postgres", "dbname=nowhere", 1) },
		"no such account":  func(url string) string { return strings.Replace(url, "user=hexhail", "user=nobody", 1) },
	} {
		bad := o
		bad.DatabaseURL = change(o.DatabaseURL)
		_, err := persistence.Open(t.Context(), bad)
		require.Error(t, err, name)
		require.NotContains(t, log.String(), "waiting", name)
	}

	require.NoError(t, pg.Crash())
	short := o
	short.Wait, short.Log, short.Waits = 10*time.Millisecond, slog.New(slog.DiscardHandler), nil
	_, err := persistence.Open(t.Context(), short)
	require.ErrorContains(t, err, "took no connection within 10ms")
	none := short
	none.Wait = 0
	_, err = persistence.Open(t.Context(), none)
	require.Error(t, err)

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := persistence.Open(ctx, o)
		done <- err
	}()
	require.Equal(t, persistence.CauseUnreachable, <-waits)
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)

	opened := make(chan *persistence.Store, 1)
	go func() {
		s, err := persistence.Open(t.Context(), o)
		done <- err
		opened <- s
	}()
	<-waits
	require.NoError(t, pg.Resume())
	require.NoError(t, <-done)
	require.NoError(t, (<-opened).Close())
	require.Equal(t, 2, strings.Count(log.String(), "waiting for the database"), "once for each Open: %s", log.String())
	require.Equal(t, 1, strings.Count(log.String(), "the database takes connections"), log.String())
}
