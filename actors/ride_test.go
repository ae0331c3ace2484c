package actors

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// A whole ride: three drivers get the offer, one wins, and rider and driver follow it to its end.
func TestOneRide(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		near, mid, far := w.driver("near", 100), w.driver("mid", 300), w.driver("far", 600)
		rider := w.rider("rider")

		trip := rider.request().GetTrip()
		require.Equal(t, ridepb.Trip_requested, trip.GetStatus())
		for _, d := range []*client{near, mid, far} {
			o := d.offer()
			require.Equal(t, trip.GetId(), o.GetTripId())
			require.Greater(t, o.GetPickupRadiusM(), uint32(100), "the pickup in an offer is coarse")
		}

		won := mid.accept(mid.offer()).GetTrip()
		require.Equal(t, ridepb.Trip_matched, won.GetStatus())
		require.Equal(t, "rider", won.GetRider().GetFirstName())
		require.Equal(t, []string{"won "}, mid.ends())
		require.Equal(t, []string{"withdrawn taken"}, near.ends())
		require.Equal(t, []string{"withdrawn taken"}, far.ends())
		require.Equal(t, "offer_taken", near.accept(near.offer()).GetError().GetCode())

		mid.at(geo.Destination(pickup, 0, 290))
		moves := rider.box.positions()
		require.Len(t, moves, 1)
		require.Positive(t, moves[0].GetEtaS())

		require.Equal(t, ridepb.Trip_arrived, mid.arrived(trip.GetId()).GetTrip().GetStatus())
		require.Equal(t, ridepb.Trip_in_progress, mid.start(trip.GetId(), "").GetTrip().GetStatus())
		for i := range 5 {
			pass(10 * time.Second)
			mid.at(geo.Destination(pickup, 45, float64(i)*200))
		}
		done := mid.complete(trip.GetId()).GetTrip()
		require.Equal(t, ridepb.Trip_completed, done.GetStatus())
		require.InDelta(t, 800, done.GetFare().GetDistanceM(), 10, "the distance was measured")
		require.NotNil(t, rider.rate(trip.GetId(), 5).GetTrip())
		require.NotNil(t, mid.rate(trip.GetId(), 4).GetTrip())
		require.Equal(t, "already_rated", mid.rate(trip.GetId(), 1).GetError().GetCode())
		require.Equal(t, []string{"wave_planned", "matched", "arrived", "started", "completed", "rated", "rated"}, rider.changes())

		// The rider's last update equals the database.
		stored := w.store.only()
		want := view.Trip(&stored, view.Reader{Account: "rider", Role: ride.RoleRider})
		events := rider.box.all()
		got := events[len(events)-1].GetTripUpdated().GetTrip()
		require.Empty(t, cmp.Diff(want, got, protocmp.Transform()))
		for i, e := range events {
			require.Equal(t, uint32(i+1), e.GetSeq(), "seq has no gap")
		}

		// The winner is free again.
		other := w.rider("other")
		other.request()
		require.Len(t, mid.offers(), 2)
	})
}

// A driver who accepts many offers gets exactly one trip.
func TestDriverAcceptsAll(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d := w.driver("d", 100)
		riders := []*client{w.rider("a"), w.rider("b"), w.rider("c")}
		for _, r := range riders {
			require.NotNil(t, r.request().GetTrip())
		}
		offers := d.offers()
		require.Len(t, offers, 3)
		ids := make([]string, len(offers))
		for i, o := range offers {
			ids[i] = d.send(acceptFrame(o))
		}
		won := 0
		for _, id := range ids {
			r := d.box.reply(id)
			if r.GetTrip().GetStatus() == ridepb.Trip_matched {
				won++
			} else {
				require.Contains(t, []string{"driver_busy", "offer_closed"}, r.GetError().GetCode())
			}
		}
		require.Equal(t, 1, won)
		require.Len(t, d.ends(), 3, "each offer has one end")
	})
}

func TestRiderBusy(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		r := w.rider("r")
		first := r.request().GetTrip()
		require.Equal(t, "rider_busy", r.request().GetError().GetCode())
		require.Equal(t, ridepb.Trip_cancelled, r.cancel(first.GetId()).GetTrip().GetStatus())
		require.NotNil(t, r.request().GetTrip())
	})
}

// The same command id gets the same answer and has one effect, whichever session repeats it and
// whatever has happened since.
func TestSameCommandSameAnswer(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		request := func() *ridepb.ClientFrame {
			return &ridepb.ClientFrame{Id: "req", Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: requestTrip()}}
		}
		first := r.ask(request())
		again := r.ask(request())
		require.Empty(t, cmp.Diff(first, again, protocmp.Transform()))
		require.Len(t, d.offers(), 1)

		accept := func() *ridepb.ClientFrame {
			f := acceptFrame(d.offer())
			f.Id = "yes"
			return f
		}
		won := d.ask(accept())
		d.arrived(won.GetTrip().GetId())
		w.crash(nil)
		d.connectKeeping()
		require.Empty(t, cmp.Diff(won, d.ask(accept()), protocmp.Transform()), "after a crash, too")

		other := d.ask(&ridepb.ClientFrame{Id: "yes", Body: &ridepb.ClientFrame_Arrived{Arrived: &ridepb.MarkArrived{TripId: won.GetTrip().GetId()}}})
		require.Equal(t, "id_reused", other.GetError().GetCode())

		// Refusals are answers too.
		stray := func(id string) *ridepb.ClientFrame {
			return &ridepb.ClientFrame{Id: id, Body: &ridepb.ClientFrame_StartTrip{StartTrip: &ridepb.StartTrip{TripId: "nowhere"}}}
		}
		require.Equal(t, "not_found", d.ask(stray("no")).GetError().GetCode())
		require.Equal(t, "not_found", d.ask(stray("no")).GetError().GetCode())
	})
}

// connectKeeping reconnects and keeps the client's state.
func (c *client) connectKeeping() *client {
	old := c.box
	c.connect(nil)
	c.box.mu.Lock()
	defer c.box.mu.Unlock()
	c.box.events = append(append([]*ridepb.Event(nil), old.events...), c.box.events...)
	return c
}

// A duplicate frame on one session gets two equal replies.
func TestTwinFrames(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		r := w.rider("r")
		for range 3 {
			r.send(&ridepb.ClientFrame{Id: "req", Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: requestTrip()}})
		}
		replies := r.box.repliesTo("req")
		require.Len(t, replies, 3)
		for _, x := range replies {
			require.Equal(t, replies[0].GetTrip().GetId(), x.GetTrip().GetId())
			require.NotEmpty(t, x.GetTrip().GetId())
		}
	})
}

func TestResume(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		trip := r.request().GetTrip().GetId()
		d.accept(d.offer())
		seen := r.box.all()
		at := seen[len(seen)-1]

		r.inbox.Leave()
		d.arrived(trip)
		d.start(trip, "")

		r.connect(&ridepb.Resume{Epoch: at.GetEpoch(), Seq: at.GetSeq()})
		require.True(t, r.connected().GetResumed())
		require.Equal(t, ridepb.Trip_in_progress, r.connected().GetActiveTrip().GetStatus())
		missed := r.box.all()
		require.Equal(t, []string{"arrived", "started"}, r.changes())
		require.Equal(t, at.GetSeq()+1, missed[0].GetSeq())
		require.Equal(t, missed[len(missed)-1].GetSeq(), r.connected().GetSeq())

		for name, resume := range map[string]*ridepb.Resume{
			"another epoch": {Epoch: "0123456789abcdef", Seq: at.GetSeq()},
			"the future":    {Epoch: at.GetEpoch(), Seq: 1000},
		} {
			r.connect(resume)
			require.False(t, r.connected().GetResumed(), name)
			require.Empty(t, r.box.all(), name)
			require.NotNil(t, r.connected().GetActiveTrip(), name)
		}
	})
}

func TestReplacedSession(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		r := w.rider("r")
		old := r.box
		r.connect(nil)
		require.Equal(t, ridepb.CloseReplaced, old.closeCode())
		require.Zero(t, r.box.closeCode())
		require.NotNil(t, r.request().GetTrip())
	})
}

func TestDriverGivesBack(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		a, b, r := w.driver("a", 100), w.driver("b", 200), w.rider("r")
		trip := r.request().GetTrip().GetId()
		a.accept(a.offer())
		require.NotNil(t, a.cancel(trip).GetDone())
		require.Equal(t, "released", a.changes()[len(a.changes())-1])
		require.Len(t, b.offers(), 2, "offered to the other again")
		require.Len(t, a.offers(), 1, "but not to the driver who gave it back")
		require.Equal(t, ridepb.Trip_matched, b.accept(b.offer()).GetTrip().GetStatus())
		require.Equal(t, "not_found", a.arrived(trip).GetError().GetCode())
	})
}

func TestPIN(t *testing.T) {
	inWorld(t, func(c *Config) { c.PIN = true }, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		trip := r.request().GetTrip().GetId()
		won := d.accept(d.offer()).GetTrip()
		require.Empty(t, won.GetPin(), "the driver does not see the PIN")
		d.arrived(trip)
		events := r.box.all()
		pin := events[len(events)-1].GetTripUpdated().GetTrip().GetPin()
		require.Regexp(t, `^\d{4}$`, pin)
		wrong := "0000"
		if pin == wrong {
			wrong = "1111"
		}
		for range 2 * ride.MaxPINTries { // these are not guesses
			require.Equal(t, "pin_required", d.start(trip, "").GetError().GetCode())
		}
		for range ride.MaxPINTries {
			require.Equal(t, "wrong_pin", d.start(trip, wrong).GetError().GetCode())
		}
		locked := d.start(trip, pin).GetError()
		require.Equal(t, "pin_locked", locked.GetCode())
		require.True(t, locked.GetRetryable())
		require.EqualValues(t, 60_001, locked.GetRetryAfterMs())
		pass(ride.PINLock)
		require.Equal(t, ridepb.Trip_in_progress, d.start(trip, pin).GetTrip().GetStatus())
	})
}
