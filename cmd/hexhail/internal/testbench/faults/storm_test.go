package faults

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/persistence"
)

// TestReconnectStorm cuts all sockets of a city at once, and then kills their server. Each time all
// clients are back within a minute, the first time without a gap in their histories, the second
// time with a snapshot.
func TestReconnectStorm(t *testing.T) {
	beside(t, "HEXHAIL_STORM")
	for _, at := range stores() {
		t.Run(at.name, func(t *testing.T) {
			t.Parallel()
			drivers := setting(t, "HEXHAIL_STORM", 100)
			harness.RaiseFiles(t, uint64(4*drivers+2000))
			storm(t, at.make(t), drivers)
		})
	}
}

func storm(t *testing.T, at place, drivers int) {
	s := at.start(t, true, cityFlags...)
	proxy := harness.NewProxy(t, s)
	p := newPeople(t, proxy.Server, drivers, 3, 40*time.Second)
	p.ride(patience, 3)
	p.arrived()

	back := func(what string, fault func()) {
		t.Helper()
		resumed, again, cut, began := p.Stats.Resumed.Load(), p.Stats.Reconnects.Load(), p.Stats.Connected.Load(), time.Now()
		require.Greater(t, cut, p.drivers)
		fault()
		until(t, patience, func() error {
			if n := p.Stats.Reconnects.Load() - again; n < cut {
				return fmt.Errorf("%d of %d clients are back", n, cut)
			}
			if n := p.Stats.Online.Load(); n < p.drivers {
				return fmt.Errorf("%d of %d drivers are online", n, p.drivers)
			}
			return nil
		})
		harness.Within(t, "coming back after "+what, time.Since(began), time.Minute)
		t.Logf("%s: %d clients back after %s, %d resumed", what, cut, time.Since(began).Round(time.Millisecond), p.Stats.Resumed.Load()-resumed)
	}
	resumed := p.Stats.Resumed.Load()
	back("sockets cut", func() { proxy.Cut() })
	held := p.Stats.Resumed.Load() - resumed
	if at.nodes > 0 { // where the former node has half a second to answer
		held += int64(s.Metric("hexhail_sessions_moved_total", `history="silent"`))
	}
	require.GreaterOrEqual(t, held, p.drivers, "no client loses its history with its socket")
	p.ride(patience, 3)

	next := s
	back("server killed and started again", func() {
		s.Kill()
		next = at.start(t, true, cityFlags...)
		proxy.Lead(next)
	})
	p.ride(patience, 3)
	history := p.verdict()
	next.Kill()
	at.look(t, func(store *persistence.Store) {
		answers, trips := kept(t, store, history)
		t.Logf("%d answers and %d trips equal what clients received", answers, trips)
	})
}
