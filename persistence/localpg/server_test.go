package localpg

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// TestServerLifetime: a server survives its crash with what it acknowledged, and leaves nothing behind
// when it is closed.
func TestServerLifetime(t *testing.T) {
	s, err := Start()
	if errors.Is(err, ErrMissing) && os.Getenv("HEXHAIL_REQUIRE_ALL") != "1" {
		t.Skip("no Postgres")
	}
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	run := func(statement string) error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		conn, err := pgx.Connect(ctx, s.URL())
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close(ctx) }()
		_, err = conn.Exec(ctx, statement)
		return err
	}
	require.NoError(t, run("CREATE TABLE x (y TEXT)"))
	require.NoError(t, s.Crash())
	require.Error(t, run("SELECT 1"))
	require.NoError(t, s.Resume())
	require.NoError(t, run("SELECT * FROM x"))
	require.FileExists(t, filepath.Join(s.dir, "data", "postmaster.pid"))
	require.NoError(t, s.Close())
	require.Eventually(t, func() bool { _, err := os.Stat(s.dir); return os.IsNotExist(err) }, time.Minute, 10*time.Millisecond)
}
