package persistence

import (
	"bytes"
	"context"
	"path/filepath"
	"sync"
	"testing"
)

// AccountColumns are the columns that erasing and export know, as table.column.
func AccountColumns() []string {
	out := make([]string, len(accountKeys))
	for i, k := range accountKeys {
		out[i] = k.table + "." + k.column
	}
	return out
}

// TempSQLite is a complete Options for an embedded database that does not exist yet.
func TempSQLite(tb testing.TB) Options {
	tb.Helper()
	return DefaultSQLite(filepath.Join(tb.TempDir(), "hexhail.db"))
}

// Edited is o after an edit.
func Edited(o Options, edit func(*Options)) Options {
	edit(&o)
	return o
}

// Owning is o for the store of a server.
func Owning(o Options) Options {
	o.Own = true
	return o
}

// LockedLog is a log that a test reads while the store writes it.
type LockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *LockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *LockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TrimFailures deletes the counts of failed log-ins beyond the newest keep.
func (s *Store) TrimFailures(ctx context.Context, keep int) (int64, error) {
	return s.trimFailures(ctx, keep)
}

// TrimWithNextFailure makes the next failed log-in delete old counts.
func (s *Store) TrimWithNextFailure() { s.failed.Store(failuresSlack - 1) }

// EndListeners has Postgres end the sessions that listen for changes of accounts.
func EndListeners(ctx context.Context, s *Store) error {
	_, err := s.read.ExecContext(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%account changes, pid%'`)
	return err
}
