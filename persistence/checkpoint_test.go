package persistence

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// A long log restarts although the writer never rests, and what was written is in the
// database file before the store is closed.
func TestLogStaysShort(t *testing.T) {
	o := TempSQLite(t)
	s, err := Open(t.Context(), o)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()

	const reply = 60_000 // bytes: 15 pages of the log
	var written atomic.Int64
	var stop atomic.Bool
	var writing sync.WaitGroup
	for w := range 4 {
		writing.Go(func() {
			for n := 0; !stop.Load(); n++ {
				// Each of another account: the trimmer would count those of one, and what it reads is not moved meanwhile.
				id := fmt.Sprint(w, "-", n)
				record := ride.CommandRecord{Account: ride.AccountID(id), ID: id, Digest: "d", At: time.Now(), Reply: bytes.Repeat([]byte{byte(n)}, reply)}
				if err := s.Commit(t.Context(), ride.Transition{Command: &record}); err != nil {
					t.Error(err)
					return
				}
				written.Add(1)
			}
		})
	}
	enough := func() bool { return written.Load()*reply > 3*walPages*4096 }
	require.Eventually(t, enough, 6*time.Minute, 10*time.Millisecond) // 100 MiB, also on a slow disk
	c := &checkpointer{db: s.check, write: s.write, path: o.Path, written: s.comm.batches.Load, log: s.log}
	require.NoError(t, c.move(t.Context()))
	before := written.Load()
	require.Eventually(t, func() bool { return written.Load() > before }, time.Minute, time.Millisecond)
	stop.Store(true)
	writing.Wait()
	pages, _, err := c.checkpoint(t.Context(), "PASSIVE")
	require.NoError(t, err)
	require.Less(t, pages, 2*walPages, "of %d", written.Load()*reply/4096)
	info, err := os.Stat(o.Path)
	require.NoError(t, err)
	require.Greater(t, info.Size(), written.Load()*reply)
}
