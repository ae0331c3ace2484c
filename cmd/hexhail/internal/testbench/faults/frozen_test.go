package faults

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/persistence"
)

// TestFrozenServer stops the server's process under a city and lets it continue. All clients are
// soon back, no driver or rider is matched twice, and nothing stale is written.
func TestFrozenServer(t *testing.T) {
	beside(t, "HEXHAIL_FREEZE")
	for _, at := range stores() {
		t.Run(at.name, func(t *testing.T) {
			t.Parallel()
			place := at.make(t)
			s := place.start(t, true, cityFlags...)
			frozen := lasts(t, "HEXHAIL_FREEZE", 3*time.Second)
			p := newPeople(t, s, 60, 3, frozen+15*time.Second)
			p.ride(patience, 5)

			thaw := s.Freeze(t)
			time.Sleep(frozen) // the length of the fault
			reconnects := p.Stats.Reconnects.Load()
			connected := p.Stats.Connected.Load()
			thaw()
			thawed := time.Now()
			before, last, still := p.Stats.Matched.Load(), int64(-1), thawed
			until(t, patience, func() error {
				n := p.Stats.Reconnects.Load()
				if n != last || p.Stats.Online.Load() < p.drivers || p.Stats.Matched.Load() == before {
					last, still = n, time.Now()
				}
				if time.Since(still) < 2*time.Second {
					return fmt.Errorf("%d of %d drivers are online, %d trips matched since", p.Stats.Online.Load(), p.drivers, p.Stats.Matched.Load()-before)
				}
				return nil
			})
			back := still.Sub(thawed)
			harness.Within(t, "coming back from the freeze", back, 30*time.Second)
			p.ride(patience, 10)
			history := p.verdict()
			s.Kill()
			place.look(t, func(store *persistence.Store) {
				answers, trips := kept(t, store, history)
				t.Logf("frozen for %s: %d clients kept their sockets to the end; %d reconnected; "+
					"all back and matching after %s; %d answers and %d trips equal what clients received", frozen, connected,
					p.Stats.Reconnects.Load()-reconnects, back.Round(time.Millisecond), answers, trips)
				require.Greater(t, answers, 20)
			})
		})
	}
}
