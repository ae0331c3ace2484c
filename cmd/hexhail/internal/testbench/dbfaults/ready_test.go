package dbfaults

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
)

// A server whose database cannot write reports that and the cause, with and without traffic, and
// becomes ready again automatically. Its metrics say the same.
func TestReadinessFollowsTheDatabase(t *testing.T) {
	t.Parallel()
	t.Run("sqlite on a full disk", func(t *testing.T) {
		t.Parallel()
		s := harness.Start(t, harness.Options{Child: true, Flags: []string{"--log-level=error"}})
		turns(t, s, "disk_full", func() func() { return s.FillDisk(t) })
	})
	t.Run("postgres gone", func(t *testing.T) {
		t.Parallel()
		pg := pgtest.NewServer(t)
		s := harness.Start(t, harness.Options{Flags: []string{"--log-level=error", "--database-url=" + pg.URL()}})
		turns(t, s, "unreachable", func() func() {
			require.NoError(t, pg.Crash())
			return func() { require.NoError(t, pg.Resume()) }
		})
	})
}

func turns(t *testing.T, s *harness.Server, cause string, fail func() (repair func())) {
	rider := join(t, s, ride.RoleRider)
	for _, asks := range []bool{false, true} {
		ready(t, s)
		repair := fail()
		harness.Until(t, "not ready", func() bool {
			if asks && rider.AskOnce(harness.Request(pickup, dropoff)).GetError() == nil {
				rider.AskOnce(harness.Cancel(rider.Last().GetTrip().GetId()))
			}
			status, said := s.Ready()
			return status == 503 && said.Status == "failing" && said.Cause == cause && said.Message != ""
		})
		require.Zero(t, s.Metric("hexhail_database_ready"))
		require.EqualValues(t, 1, s.Metric("hexhail_database_trouble", `cause="`+cause+`"`))
		repair()
		ready(t, s)
	}
}

// ready waits until the server is ready.
func ready(t *testing.T, s *harness.Server) {
	t.Helper()
	harness.Until(t, "ready", func() bool { status, said := s.Ready(); return status == 200 && said.Status == "ok" })
	require.EqualValues(t, 1, s.Metric("hexhail_database_ready"))
}
