package actors

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// An offer that a join finds in the database is an event like any other: a client that
// resumes goes by its history, not by the snapshot.
func TestFoundOfferIsPartOfTheHistory(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d := w.driver("ann", 100)
		r := w.rider("rob")
		r.request()
		offer := d.offer()
		w.crash(nil)
		d.connect(nil)
		epoch := d.connected().GetEpoch()
		require.EqualValues(t, 1, d.connected().GetSeq())
		require.Len(t, d.connected().GetOpenOffers(), 1)

		d.connect(&ridepb.Resume{Epoch: epoch, Seq: 0})
		require.True(t, d.connected().GetResumed())
		require.Equal(t, offer.GetId(), d.offer().GetId())
		d.connect(&ridepb.Resume{Epoch: epoch, Seq: 1})
		require.EqualValues(t, 1, d.connected().GetSeq(), "once")
	})
}

// A trip's answer to an attach may come after its end was told; it is old news then.
func TestOldNewsIsNotTold(t *testing.T) {
	p := newPerson(&System{cfg: DefaultConfig()}, ride.Account{ID: "rob", Role: ride.RoleRider})
	trip := ride.Trip{ID: "t", Version: 6, Status: ride.StatusCompleted, Request: ride.Request{Rider: ride.RiderCard{ID: "rob"}}}
	p.onUpdate(tripUpdate{Trip: &trip, Change: ride.KindCompleted}, false)
	require.EqualValues(t, 1, p.history.seq)
	p.onUpdate(tripUpdate{Trip: &trip}, false)
	require.EqualValues(t, 1, p.history.seq, "the same version once")
	rated := trip
	rated.Version = 7
	p.onUpdate(tripUpdate{Trip: &rated}, false)
	require.EqualValues(t, 2, p.history.seq, "a newer one is news")
}
