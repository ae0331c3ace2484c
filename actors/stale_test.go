package actors

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// staleCommits is how many transitions of a node's the database has refused as stale.
func staleCommits(t *testing.T, w *world) int { return int(counted(t, w.sys.stats.stale)) }

// A node that stood still while another took over its trips writes nothing over what that one has
// written: the database refuses its commit, and the refusal is counted.
func TestStaleCommitsAreRefused(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		frozen, other := c.nodes[0], c.nodes[1]
		d, r := other.driver("d", 100), frozen.rider("r")
		trip := r.request().GetTrip().GetId()
		id := ride.TripID(trip)
		require.NotNil(t, d.accept(d.offer()).GetTrip())
		require.EqualValues(t, 1, c.store.trip(id).Fence)

		// The other node drops the first one, which does not learn of it: nothing reaches it, or comes from it.
		c.net.losing(func(*nodepb.NodeFrame) bool { return true })
		other.sys.SetMembers(c.list[1:])
		require.NotNil(t, d.arrived(trip).GetTrip())
		taken := c.store.trip(id)
		require.Equal(t, ride.StatusArrived, taken.Status)
		require.EqualValues(t, 2, taken.Fence)
		require.Zero(t, staleCommits(t, frozen)+staleCommits(t, other))

		// It still has the trip as matched, and decides on that: no charge for a late cancellation, say. What it
		// writes is refused; it reads the trip again, and decides on what is there.
		require.Equal(t, ridepb.Trip_cancelled, r.cancel(trip).GetTrip().GetStatus())
		require.Equal(t, 1, staleCommits(t, frozen))
		ended := c.store.trip(id)
		require.Equal(t, taken.Version+1, ended.Version, "nothing was written twice, and nothing is missing")
		require.Equal(t, taken.ArrivedAt, ended.ArrivedAt, "the arrival, which it had not heard of, is kept")

		// Now the other node is the stale one. It learns of the end in the same way.
		require.Equal(t, ride.ErrWrongStatus.Code, d.start(trip, "").GetError().GetCode())
		require.Equal(t, ended.Version, c.store.trip(id).Version)
	})
}
