package actors

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// losing loses all frames between nodes, or none.
func (c *cluster) losing(all bool) { c.net.losing(func(*nodepb.NodeFrame) bool { return all }) }

// farRide is a ride under way of which the trip and the driver are on the first node and the rider on the
// second.
func farRide(t *testing.T, c *cluster) (r, d *client, trip string) {
	t.Helper()
	d, r = c.nodes[0].driver("d", 100), c.nodes[0].rider("r")
	trip = r.request().GetTrip().GetId()
	require.NotNil(t, d.accept(d.offer()).GetTrip())
	require.NotNil(t, d.arrived(trip).GetTrip())
	require.NotNil(t, d.start(trip, "").GetTrip())
	return r.resumeOn(c.nodes[1], r.cursor()), d, trip
}

// The update that says how a trip ended is lost between nodes, and then its rider's session resumes: on the
// same node, on the trip's, or on a third. The snapshot shows that there is no trip; the event says how it ended,
// once.
func TestResumingAfterALostEnd(t *testing.T) {
	for name, node := range map[string]int{"on the same node": 1, "on the trip's node": 0, "on another node": 2} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, 3, func(c *cluster) {
				r, d, trip := farRide(t, c)
				r.inbox.Leave()
				seen := r.cursor()
				c.losing(true)
				require.NotNil(t, d.complete(trip).GetTrip())
				c.losing(false)
				r = r.resumeOn(c.nodes[node], seen)
				require.True(t, r.connected().GetResumed())
				require.Nil(t, r.connected().GetActiveTrip())
				require.Equal(t, seen.GetSeq()+1, r.connected().GetSeq())
				require.Equal(t, []string{ride.KindCompleted}, r.changes())
				requireFollows(t, r, seen)

				// Another session of that history has nothing to add, and neither has the trip.
				seen = r.cursor()
				r = r.resumeOn(c.nodes[(node+1)%3], seen)
				pass(c.nodes[0].sys.cfg.AttachEvery + time.Second)
				require.True(t, r.connected().GetResumed())
				require.Empty(t, r.changes())
			})
		})
	}
}

// Likewise for a driver whose rider cancels.
func TestDriverResumesAfterALostEnd(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		d, r := c.nodes[1].driver("d", 100), c.nodes[0].rider("r")
		trip := r.request().GetTrip().GetId()
		require.NotNil(t, d.accept(d.offer()).GetTrip())
		d.inbox.Leave()
		seen := d.cursor()
		c.losing(true)
		require.NotNil(t, r.cancel(trip).GetTrip())
		c.losing(false)
		d = d.resumeOn(c.nodes[0], seen)
		require.Nil(t, d.connected().GetActiveTrip())
		require.Equal(t, []string{ride.KindCancelled}, d.changes())
		require.NotEmpty(t, c.nodes[0].rider("r2").request().GetTrip().GetId())
		require.NotNil(t, d.accept(d.offer()).GetTrip(), "the driver is free")
	})
}

// A client that has received the end of a trip does not receive it again, though a rating has changed the trip since.
func TestAKnownEndIsNotRepeated(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		r, d, trip := farRide(t, c)
		require.NotNil(t, d.complete(trip).GetTrip())
		require.Equal(t, ride.KindCompleted, r.changes()[len(r.changes())-1])
		r.inbox.Leave()
		seen := r.cursor()
		c.losing(true)
		require.NotNil(t, d.rate(trip, 4).GetTrip())
		c.losing(false)
		r = r.resumeOn(c.nodes[2], seen)
		require.True(t, r.connected().GetResumed())
		require.Empty(t, r.changes())
	})
}

// A driver completes a trip of another node, and both the reply and the update are lost. The reply to the
// repetition shows the end; the driver's actor asks for the rest at once, and the driver is free.
func TestARepeatedReplyShowsTheEnd(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		d, r := c.nodes[1].driver("d", 100), c.nodes[0].rider("r")
		trip := r.request().GetTrip().GetId()
		require.NotNil(t, d.accept(d.offer()).GetTrip())
		require.NotNil(t, d.arrived(trip).GetTrip())
		require.NotNil(t, d.start(trip, "").GetTrip())
		c.net.losing(func(f *nodepb.NodeFrame) bool { return f.GetTrip() == "" }) // what goes to the trip arrives
		id := d.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_CompleteTrip{CompleteTrip: &ridepb.CompleteTrip{TripId: trip}}})
		pass(time.Second)
		require.Equal(t, ride.StatusCompleted, c.store.trip(ride.TripID(trip)).Status)
		require.Nil(t, d.box.reply(id))
		c.losing(false)
		pass(resendAfter)
		require.Equal(t, ridepb.Trip_completed, d.box.reply(id).GetTrip().GetStatus())
		require.Equal(t, ride.KindCompleted, d.changes()[len(d.changes())-1], "its actor knows, before it asks in its turn")
		require.NotEmpty(t, c.nodes[0].rider("r2").request().GetTrip().GetId())
		require.NotNil(t, d.accept(d.offer()).GetTrip(), "the driver is free")
	})
}

// A node that was cut off sends late what it had to send. Its news of a former trip, which the client has
// been sent long ago, are not sent again after those of later trips.
func TestLateNewsOfFormerTrips(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		r := w.rider("r")
		var trips []ride.Trip // as they were when they ended
		for range 3 {
			id := r.request().GetTrip().GetId()
			require.NotNil(t, r.cancel(id).GetTrip())
			trips = append(trips, w.store.trip(ride.TripID(id)))
		}
		current := r.request().GetTrip().GetId()
		sent := r.changes()
		say := func(trip ride.Trip) {
			w.sys.root.Send(w.actorOf("r"), tripUpdate{Trip: &trip, Change: trip.Change})
			synctest.Wait()
		}
		say(trips[2]) // at once
		require.Equal(t, sent, r.changes())
		pass(lateAfter + time.Second)
		sent = r.changes()
		for _, trip := range trips {
			say(trip)
			trip.Version--
			say(trip)
		}
		require.Equal(t, sent, r.changes())
		newer := trips[1]
		newer.Version++
		say(newer)
		require.Len(t, r.changes(), len(sent)+1, "what it has not been sent is news")
		require.NotNil(t, r.cancel(current).GetTrip())
	})
}

// While the database cannot say how the trip ended, the session does not resume: its client takes the snapshot
// and learns the end over HTTP.
func TestAnEndThatCannotBeReadEndsTheHistory(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		r, d, trip := farRide(t, c)
		r.inbox.Leave()
		seen := r.cursor()
		c.losing(true)
		require.NotNil(t, d.complete(trip).GetTrip())
		c.losing(false)
		c.store.claimed = func(ride.AccountID, uint64) { c.store.refuse(true, false) }
		r = r.resumeOn(c.nodes[1], seen)
		c.store.claimed = nil
		c.store.refuse(false, false)
		require.False(t, r.connected().GetResumed())
		require.Nil(t, r.connected().GetActiveTrip())
		require.NotEqual(t, seen.GetEpoch(), r.connected().GetEpoch())
		require.Empty(t, r.changes())
		require.NotEmpty(t, r.request().GetTrip().GetId(), "the rider is free")
		require.Equal(t, r.connected().GetEpoch(), r.cursor().GetEpoch())
	})
}

// A driver who gave a trip back does not hear of it again in a session on another node, at a version at which the trip
// was something else.
func TestGivenBackOnce(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		d, r := c.nodes[1].driver("d", 100), c.nodes[0].rider("r")
		trip := r.request().GetTrip().GetId()
		require.NotNil(t, d.accept(d.offer()).GetTrip())
		require.Nil(t, d.cancel(trip).GetError())
		require.Equal(t, []string{ride.KindMatched, ride.KindReleased}, d.changes())
		version := c.store.trip(ride.TripID(trip)).Version
		require.NotEmpty(t, c.nodes[0].driver("e", 200).offer(), "the search goes on")
		require.Greater(t, c.store.trip(ride.TripID(trip)).Version, version)
		for _, node := range []int{2, 0} {
			d = d.resumeOn(c.nodes[node], d.cursor())
			require.True(t, d.connected().GetResumed())
			pass(c.nodes[0].sys.cfg.AttachEvery)
			require.Empty(t, d.changes())
		}
	})
}
