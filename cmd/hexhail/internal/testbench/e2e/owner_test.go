package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/persistence/pgtest"
)

// serve returns the arguments of a server on free ports.
func serve(more ...string) []string {
	return append([]string{"serve", "--listen=127.0.0.1:0", "--ops-listen=127.0.0.1:0", "--log-level=error"}, more...)
}

// A second server on the same data is refused and names the first, in its last line; commands
// beside it are not refused. After kill -9 the next server starts at once.
func TestTwoServersOnOneDatabase(t *testing.T) {
	onStores(t, func(t *testing.T, start func(harness.Options) *harness.Server) {
		s := start(harness.Options{Child: true})
		code, said := harness.Command(t.Context(), serve(s.StoreFlags()...)...)
		require.Equal(t, 1, code, said)
		lines := strings.Split(strings.TrimSpace(said), "\n")
		last := lines[len(lines)-1]
		require.Contains(t, last, "another Hexhail server uses this database")
		require.Contains(t, last, fmt.Sprintf("pid %d", s.Pid()))

		code, said = harness.Command(t.Context(), append([]string{"admin", "create", "anna"}, s.StoreFlags()...)...)
		require.Zero(t, code, said)
		code, said = harness.Command(t.Context(), append([]string{"migrate", "status"}, s.StoreFlags()...)...)
		require.Zero(t, code, said)
		code, said = harness.Command(t.Context(), append([]string{"migrate", "down"}, s.StoreFlags()...)...)
		require.Equal(t, 1, code, said)

		for range 3 {
			s.Kill()
			s = start(harness.Options{Child: true, Dir: s.Dir})
		}
		require.NoError(t, s.Stop())
	})
}

// The directory's name does not matter, only the directory.
func TestTwoServersByOtherNames(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{})
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(s.Dir, link))
	code, said := harness.Command(t.Context(), serve("--data-dir="+link)...)
	require.Equal(t, 1, code, said)
	require.Contains(t, said, fmt.Sprintf("pid %d", os.Getpid()))
}

// A server whose place another one took while its session was lost ends, and says why.
func TestServerThatLostItsDatabase(t *testing.T) {
	t.Parallel()
	url := pgtest.Start(t)
	type end struct {
		code int
		said string
	}
	ended := make(chan end, 1)
	go func() {
		code, said := harness.Command(t.Context(), serve("--data-dir="+t.TempDir(), "--database-url="+url)...)
		ended <- end{code, said}
	}()
	rival, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = rival.Close(context.WithoutCancel(t.Context())) }()
	const held = `SELECT l.pid, (l.classid::bigint << 32) | l.objid::bigint FROM pg_locks l
		WHERE l.locktype = 'advisory' AND l.granted AND (l.classid::bigint << 32) | l.objid::bigint
			= hashtextextended('hexhail owner ' || current_schema(), 0)`
	var pid, key int64
	require.Eventually(t, func() bool { return rival.QueryRow(t.Context(), held).Scan(&pid, &key) == nil }, time.Minute, 10*time.Millisecond)
	waits, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = waits.Close(context.WithoutCancel(t.Context())) }()
	got := make(chan error, 1)
	go func() {
		_, err := waits.Exec(t.Context(), `SELECT pg_advisory_lock($1)`, key)
		got <- err
	}()
	require.Eventually(t, func() bool {
		var n int
		err := rival.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory' AND pid = $1`,
			waits.PgConn().PID()).Scan(&n)
		return err == nil && n == 1
	}, time.Minute, 10*time.Millisecond)
	_, err = rival.Exec(t.Context(), `SELECT pg_terminate_backend($1)`, pid)
	require.NoError(t, err)
	require.NoError(t, <-got)
	e := <-ended
	require.Equal(t, 1, e.code, e.said)
	require.Contains(t, e.said, "store failed: another Hexhail server uses this database")
}
