package faults

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the other program's driver

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// TestIdleReader: another process keeps a read transaction open on the database's file, the log
// exceeds the length at which it should be reset, and rides continue. The times of requests are
// logged, not judged; HEXHAIL_READER sets the length of the measurement.
func TestIdleReader(t *testing.T) {
	at := sqlite.make(t)
	s := at.start(t, true)
	other, err := sql.Open("sqlite", "file:"+filepath.Join(s.Dir, "hexhail.db")+"?_pragma=busy_timeout(20000)&_pragma=wal_autocheckpoint(0)")
	require.NoError(t, err)
	t.Cleanup(func() { _ = other.Close() })

	const lanes = 8
	riders := make([]*harness.Client, lanes)
	for i := range riders {
		riders[i], _ = harness.Connect(t, s, wire.JSON, s.Token(ride.RoleRider, fmt.Sprintf("rider%d", i)), nil)
	}
	for _, reader := range []bool{false, true} {
		if reader {
			tx, err := other.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			t.Cleanup(func() { _ = tx.Rollback() })
			var n int
			require.NoError(t, tx.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM accounts").Scan(&n))
			lengthen(t, other)
		}
		took, refused := askAll(riders, lasts(t, "HEXHAIL_READER", 2*time.Second))
		t.Logf("idle reader: %-5t  %d requests and cancels, %d refused, p50 %.1f ms, p99 %.1f ms, longest %.1f ms",
			reader, len(took), refused, ms(took.at(50)), ms(took.at(99)), ms(took.at(100)))
		require.Zero(t, refused)
	}
}

// lengthen writes 40 MiB beside the server, so that the log is too long at once.
func lengthen(t *testing.T, other *sql.DB) {
	t.Helper()
	for i := range 40 {
		_, err := other.ExecContext(t.Context(), `INSERT INTO commands (account_id, command_id, digest, reply, at)
			VALUES ('filler', $1, '', zeroblob(1048576), $2)`, fmt.Sprint(i), time.Now().UnixMicro())
		require.NoError(t, err)
	}
}

// askAll lets riders request and cancel one trip after the other for a time.
func askAll(riders []*harness.Client, lasting time.Duration) (took times, refused int) {
	var mu sync.Mutex
	var asking sync.WaitGroup
	end := time.Now().Add(lasting)
	for i, r := range riders {
		asking.Go(func() {
			for n := 0; time.Now().Before(end); n++ {
				begun := time.Now()
				reply := r.AskOnce(harness.Request(spot(i), around(spot(i), n)))
				mid := time.Now()
				failed := reply.GetError().GetCode() == ride.ErrUnavailable.Code
				var second time.Duration
				if trip := reply.GetTrip(); trip != nil {
					failed = r.AskOnce(harness.Cancel(trip.GetId())).GetError() != nil
					second = time.Since(mid)
				}
				mu.Lock()
				took = append(took, mid.Sub(begun))
				if second > 0 {
					took = append(took, second)
				}
				if failed {
					refused++
				}
				mu.Unlock()
			}
		})
	}
	asking.Wait()
	return took, refused
}
