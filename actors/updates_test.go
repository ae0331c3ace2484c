package actors

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// An offer that a join finds in the database is an event like any other, because a resuming client
// applies the history, not the snapshot.
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

// A trip's reply to an attach may arrive after its end has been sent; it is then ignored.
func TestOldUpdateIsNotSent(t *testing.T) {
	p := newPerson(&shared{cfg: DefaultConfig()}, ride.Account{ID: "rob", Role: ride.RoleRider}, 1)
	trip := ride.Trip{ID: "t", Version: 6, Status: ride.StatusCompleted, Request: ride.Request{Rider: ride.RiderCard{ID: "rob"}}}
	p.onUpdate(tripUpdate{Trip: &trip, Change: ride.KindCompleted}, false)
	require.EqualValues(t, 1, p.history.seq)
	p.onUpdate(tripUpdate{Trip: &trip}, false)
	require.EqualValues(t, 1, p.history.seq, "the same version is sent once")
	rated := trip
	rated.Version = 7
	p.onUpdate(tripUpdate{Trip: &rated}, false)
	require.EqualValues(t, 2, p.history.seq, "a newer one is news")
}

// Each trip has its own actor, so updates of the next trip can overtake the end of the last one. A
// client never sees two trips at once.
func TestEndIsSentBeforeTheNextTrip(t *testing.T) {
	for name, x := range map[string]struct {
		end  func(d, r *client, trip string)
		want string
	}{
		"the rider cancels": {func(_, r *client, trip string) {
			r.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_CancelTrip{CancelTrip: &ridepb.CancelTrip{TripId: trip}}})
		}, ride.KindCancelled},
		"the driver gives it back": {func(d, _ *client, trip string) {
			d.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_CancelTrip{CancelTrip: &ridepb.CancelTrip{TripId: trip}}})
		}, ride.KindReleased},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				d, r, other := w.driver("d", 100), w.rider("r"), w.rider("other")
				first := r.request().GetTrip().GetId()
				second := other.request().GetTrip().GetId()
				offers := d.offers()
				require.Len(t, offers, 2)
				// The second trip's match waits before it is committed; meanwhile the first one's
				// end is committed and waits before it is sent.
				w.store.failing(func(c ride.Transition) (error, bool) {
					if string(c.Trip.ID) == second && c.Events[0].Kind() == ride.KindMatched {
						time.Sleep(2 * time.Second)
					}
					return nil, false
				})
				w.store.afterwards(func(c ride.Transition) {
					if string(c.Trip.ID) == first && c.Events[0].Kind() == x.want {
						time.Sleep(4 * time.Second)
					}
				})
				for _, o := range offers {
					d.send(acceptFrame(o))
				}
				pass(time.Second)
				x.end(d, r, first)
				pass(10 * time.Second)
				var told []string
				for _, e := range d.box.all() {
					if u := e.GetTripUpdated(); u != nil {
						told = append(told, u.GetTrip().GetId()+" "+u.GetChange())
					}
				}
				require.Equal(t, []string{first + " matched", first + " " + x.want, second + " matched"}, told, "in order, and once")
			})
		})
	}
}

// The same for a rider's next trip: the end of the last one comes first, and once.
func TestARidersNextTripDoesNotOvertake(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		first := r.request().GetTrip().GetId()
		d.accept(d.offer())
		w.store.afterwards(func(c ride.Transition) {
			if string(c.Trip.ID) == first && c.Events[0].Kind() == ride.KindCancelled {
				time.Sleep(4 * time.Second)
			}
		})
		r.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_CancelTrip{CancelTrip: &ridepb.CancelTrip{TripId: first}}})
		pass(time.Second)
		second := r.request().GetTrip().GetId()
		pass(10 * time.Second)
		var trips, ends []string
		for _, e := range r.box.all() {
			if u := e.GetTripUpdated(); u != nil {
				trips = append(trips, u.GetTrip().GetId())
				if u.GetChange() == ride.KindCancelled {
					ends = append(ends, u.GetTrip().GetId())
				}
			}
		}
		require.Equal(t, []string{first}, ends, "once")
		require.Equal(t, []string{first, second}, slices.Compact(trips), "one after the other")
	})
}

// What a node that stood still sends once it goes on is old: it neither takes a person's next trip
// away nor brings an ended one back.
func TestLateNewsAreNotBelieved(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		first := ride.TripID(r.request().GetTrip().GetId())
		d.accept(d.offer())
		matched := w.store.trip(first)
		require.Equal(t, ride.StatusMatched, matched.Status)
		late := func(change string) {
			for _, account := range []string{"d", "r"} {
				w.sys.root.Send(w.actorOf(account), tripUpdate{Trip: &matched, Change: change})
				w.sys.root.Send(w.actorOf(account), tripResult{Key: commandKey{Account: ride.AccountID(account), ID: "old"}, Trip: &matched})
			}
			pass(time.Second)
		}
		changes := func() int { return len(d.changes()) + len(r.changes()) }

		// The same again, while the trip goes on.
		before := changes()
		late(ride.KindMatched)
		require.Equal(t, before, changes(), "each step is sent once")

		r.cancel(string(first))
		pass(time.Minute)
		before = changes()
		late(ride.KindMatched)
		require.Equal(t, before, changes(), "an ended trip does not come back")

		d.goOnline(100)
		second := r.request().GetTrip().GetId()
		d.accept(d.offers()[len(d.offers())-1])
		require.Equal(t, "matched", d.shown(second))
		before = changes()
		late(ride.KindMatched)
		late("") // as the answer to a question
		require.Equal(t, before, changes(), "the next trip stays")
		require.Equal(t, ridepb.Trip_arrived, d.arrived(second).GetTrip().GetStatus())
		pass(time.Minute)
		require.Equal(t, "arrived", r.shown(second))
	})
}

// A frame of a lost session that its reader hands over late, when the session after it has repeated the
// frame, does not take the reply away.
func TestALateFrameTakesNoReplyAway(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		r := w.rider("r")
		w.store.failing(func(ride.Transition) (error, bool) {
			time.Sleep(time.Second) // of the simulated clock: the reply waits
			return nil, false
		})
		frame := func() *ridepb.ClientFrame {
			return &ridepb.ClientFrame{Id: "request", Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: requestTrip()}}
		}
		lost := r.inbox
		r.connect(nil)
		r.send(frame())
		lost.Command(frame())
		pass(5 * time.Second)
		require.NotNil(t, r.box.reply("request").GetTrip())
	})
}
