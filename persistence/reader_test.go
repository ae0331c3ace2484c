package persistence

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// idleReader opens a read transaction as another program would, and returns its end.
func idleReader(t *testing.T, path string) (leave func()) {
	t.Helper()
	db, err := sql.Open("sqlite", fileURI(path, nil))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	var n int
	require.NoError(t, tx.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM accounts").Scan(&n))
	return func() { require.NoError(t, tx.Rollback()) }
}

// An idle reader of the file keeps the log from restarting, and stops no writer: the log
// grows beyond its bound, and is cut when the reader has left.
func TestIdleReader(t *testing.T) {
	o := Edited(TempSQLite(t), func(o *Options) { o.StatementTimeout, o.Log = time.Minute, slog.New(slog.DiscardHandler) })
	s, err := Open(t.Context(), o)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	leave := idleReader(t, o.Path)

	const reply = 1 << 20
	n := 0
	write := func() {
		t.Helper()
		// A writer that waited for the reader would wait as long as the store waits for locks.
		ctx, cancel := context.WithTimeout(t.Context(), o.StatementTimeout/2)
		defer cancel()
		n++
		record := ride.CommandRecord{Account: "a", ID: fmt.Sprint(n), Digest: "d", At: time.Now(), Reply: make([]byte, reply)}
		require.NoError(t, s.Commit(ctx, ride.Transition{Command: &record}), "write %d", n)
		require.NoError(t, s.AddAudit(ctx, ride.AuditEntry{Detail: "beside the committer"}), "audit %d", n)
	}
	for s.Stats().BlockedSince.IsZero() {
		require.Less(t, n, 2000, "the log began again beneath a reader")
		write()
	}
	for range 8 { // the log is long, the reader is there
		write()
	}
	require.Greater(t, s.Stats().LogBytes, int64(walPages*4096))

	leave()
	require.Eventually(t, func() bool {
		st := s.Stats()
		return st.BlockedSince.IsZero() && st.LogBytes < walPages*4096/2
	}, time.Minute, 20*time.Millisecond)
	write()
}

// A warning names a reader that stays, at most every five minutes, and the log says when it is
// gone.
func TestBlockedIsSaidSeldom(t *testing.T) {
	var log LockedLog
	c := &checkpointer{path: filepath.Join(t.TempDir(), "hexhail.db"), log: slog.New(slog.NewTextHandler(&log, nil))}
	start := time.Now()
	said := func() int { return strings.Count(log.String(), "keeps a read transaction open") }
	c.blocked(start)
	c.blocked(start.Add(blockedFor / 2))
	require.Zero(t, said(), "a backup takes a moment")
	require.Equal(t, start, c.blockedSince())
	for at := blockedFor; at < blockedAgain; at += c.pause {
		c.blocked(start.Add(at))
		require.False(t, c.due(start.Add(at)), "it backs off")
		require.True(t, c.due(start.Add(at+c.pause)))
	}
	require.Equal(t, 1, said())
	require.Equal(t, backOffMost, c.pause)
	c.blocked(start.Add(blockedFor + blockedAgain))
	require.Equal(t, 2, said())
	require.Contains(t, log.String(), "wal_bytes=")
	c.free(0)
	require.Contains(t, log.String(), "began again")
	require.True(t, c.blockedSince().IsZero())
}
