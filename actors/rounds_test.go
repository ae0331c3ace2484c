package actors

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// If no driver is near, the rounds of all rings come at once, one event each, and then one per
// interval, as docs/protocol.md describes.
func TestEmptyRoundsComeAtOnce(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		policy := w.sys.cfg.Rules.Policy
		rings := (policy.RingMax-policy.RingStart)/policy.RingStep + 1
		require.Equal(t, 6, rings, "the page says so")
		r := w.rider("rob")
		r.request()
		pass(time.Second)
		waves := func() (n int) {
			for _, change := range r.changes() {
				if change == ride.KindWavePlanned {
					n++
				}
			}
			return n
		}
		require.Equal(t, rings, waves())
		versions := map[uint32]bool{}
		for _, e := range r.box.all() {
			versions[e.GetTripUpdated().GetTrip().GetVersion()] = true
		}
		require.Len(t, versions, len(r.box.all()), "each has a different version")
		pass(policy.WaveEvery)
		require.Equal(t, rings+1, waves())
	})
}
