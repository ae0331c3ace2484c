package faults

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// TestFullDisk: while the disk is full, a city gets no acknowledgement of anything unwritten; once
// there is space again, it works within ten seconds. The test fills a small file system if it may
// mount one, and also runs with a limit on the growth of files.
func TestFullDisk(t *testing.T) {
	beside(t, "HEXHAIL_OUTAGE")
	t.Run("small file system", func(t *testing.T) {
		t.Parallel()
		d, ok := harness.NewDisk(t, "64m")
		if !ok {
			t.Skip("mounting is not allowed here")
		}
		fullDisk(t, d.Dir, func(*harness.Server) func() { return d.Fill(t) })
	})
	t.Run("quota", func(t *testing.T) {
		t.Parallel()
		fullDisk(t, t.TempDir(), func(s *harness.Server) func() { return s.FillDisk(t) })
	})
}

func fullDisk(t *testing.T, dir string, fill func(*harness.Server) (free func())) {
	at := sqlite.make(t)
	at.server.Dir, at.options.Path = dir, dir+"/hexhail.db"
	s := at.start(t, true, cityFlags...)
	outage := lasts(t, "HEXHAIL_OUTAGE", 3*time.Second)
	p := newPeople(t, s, 60, 3, outage+15*time.Second)
	p.ride(patience, 5)
	rider, _ := harness.Connect(t, s, wire.JSON, s.Token(ride.RoleRider, "witness"), nil)
	ask := func() error {
		r := rider.AskOnce(harness.Request(spot(3), around(spot(3), 9)))
		if r.GetError() != nil {
			return fmt.Errorf("%s, retryable: %t, after %d ms", r.GetError().GetCode(), r.GetError().GetRetryable(), r.GetError().GetRetryAfterMs())
		}
		r = rider.AskOnce(harness.Cancel(r.GetTrip().GetId()))
		if r.GetError() != nil {
			return fmt.Errorf("cancel: %s", r.GetError().GetCode())
		}
		return nil
	}
	until(t, patience, ask)
	p.arrived()

	quiet, filled := len(s.Log()), time.Now()
	free := fill(s)
	var refusal error
	until(t, patience, func() error { // the log has some space to reuse
		if refusal = ask(); refusal == nil {
			return fmt.Errorf("a full disk still takes requests")
		}
		return nil
	})
	require.Contains(t, refusal.Error(), ride.ErrUnavailable.Code)
	if !strings.Contains(refusal.Error(), "cancel") {
		require.Contains(t, refusal.Error(), "retryable: true")
	}
	time.Sleep(outage) // the city keeps sending commands meanwhile
	require.Equal(t, p.drivers, p.Stats.Online.Load(), "sockets stay open without a disk")
	noise := strings.Count(s.Log()[quiet:], "\n")
	require.Less(t, noise, 60+int(time.Since(filled)/time.Second)*10, "the log says what is wrong, not how often:\n%s", s.Log()[quiet:])
	free()
	freed := time.Now()
	before := p.Stats.Matched.Load()
	until(t, patience, func() error {
		if p.Stats.Matched.Load() == before {
			return fmt.Errorf("no match since there is space again")
		}
		return nil
	})
	back := time.Since(freed)
	harness.Within(t, "matching again", back, 10*time.Second)
	p.ride(patience, 5)
	history := p.verdict()
	s.Kill() // acknowledged writes are on disk without a clean shutdown
	at.look(t, func(store *persistence.Store) {
		answers, trips := kept(t, store, history)
		t.Logf("refused with %v; matching %s after there was space again; %d answers and %d trips equal what clients received; "+
			"%d log lines in an outage of %s", refusal, back.Round(time.Millisecond), answers, trips, noise, outage)
		require.Greater(t, answers, 20)
	})
}
