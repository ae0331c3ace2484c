package pgtest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSchemasAreApart: each Start is an empty place of its own.
func TestSchemasAreApart(t *testing.T) {
	a, b := Start(t), Start(t)
	require.NotEqual(t, a, b)
	require.NoError(t, run(a, "CREATE TABLE x (y TEXT)"))
	require.Error(t, run(b, "SELECT * FROM x"))
	require.NoError(t, run(b, "CREATE TABLE x (y TEXT)"))
}

// TestServerLifetime: a server survives its crash with what it acknowledged, and
// leaves nothing behind when its watchdog ends it.
func TestServerLifetime(t *testing.T) {
	s := NewServer(t)
	require.NoError(t, run(s.URL(), "CREATE TABLE x (y TEXT)"))
	require.NoError(t, s.Crash())
	require.Error(t, run(s.URL(), "SELECT 1"))
	require.NoError(t, s.Resume())
	require.NoError(t, run(s.URL(), "SELECT * FROM x"))
	pid := filepath.Join(s.dir, "data", "postmaster.pid")
	require.FileExists(t, pid)
	require.NoError(t, s.watchdog.Close())
	require.Eventually(t, func() bool { _, err := os.Stat(s.dir); return os.IsNotExist(err) }, 30*time.Second, 10*time.Millisecond)
}
