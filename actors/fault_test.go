package actors

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/actors/runtime"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// Every request ends, even if no client is connected and only the database survives a crash.
func TestRequestEndsWithoutClients(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		r := w.rider("r")
		r.request()
		r.inbox.Leave()
		pass(10 * time.Second)
		w.crash(nil)
		pass(w.sys.cfg.Rules.SearchFor)
		require.Equal(t, ride.StatusExpired, w.store.only().Status)
		pass(w.sys.cfg.TripIdle + time.Second)
		require.Zero(t, w.sys.kinds.trip.Alive(), "and its actor stops")
	})
}

// After a crash in any status, the ride continues where it was.
func TestCrashAnywhere(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		trip := r.request().GetTrip().GetId()
		crash := func() {
			w.crash(nil)
			d.connectKeeping()
			r.connectKeeping()
			require.False(t, r.connected().GetResumed())
		}
		crash()
		require.Len(t, d.connected().GetOpenOffers(), 1, "the open offer is shown again")
		require.Equal(t, ridepb.Trip_requested, r.connected().GetActiveTrip().GetStatus())
		require.NotNil(t, d.accept(d.connected().GetOpenOffers()[0]).GetTrip())
		crash()
		require.Equal(t, ridepb.Trip_matched, d.connected().GetActiveTrip().GetStatus())
		require.NotNil(t, d.arrived(trip).GetTrip())
		require.Equal(t, "arrived", r.changes()[len(r.changes())-1], "the rider receives it after the crash")
		crash()
		require.NotNil(t, d.start(trip, "").GetTrip())
		crash()
		d.at(pickup)
		require.NotEmpty(t, r.box.positions(), "the rider sees the driver move")
		require.NotNil(t, d.complete(trip).GetTrip().GetFare())
		crash()
		require.Nil(t, r.connected().GetActiveTrip())
		require.NotNil(t, r.rate(trip, 5).GetTrip())
		for i, e := range w.store.events[ride.TripID(trip)] {
			require.NotNil(t, e, i)
		}
		require.Len(t, w.store.events[ride.TripID(trip)], int(w.store.only().Version))
	})
}

// While the store fails, commands are refused as unavailable; the same id works once it is back.
func TestStoreFails(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		trip := r.request().GetTrip().GetId()
		d.accept(d.offer())
		frame := func() *ridepb.ClientFrame {
			return &ridepb.ClientFrame{Id: "arr", Body: &ridepb.ClientFrame_Arrived{Arrived: &ridepb.MarkArrived{TripId: trip}}}
		}
		w.store.fail = func(ride.Transition) (error, bool) { return ride.ErrUnavailable, true }
		refused := d.ask(frame()).GetError()
		require.Equal(t, "unavailable", refused.GetCode())
		require.True(t, refused.GetRetryable())
		w.store.fail = nil
		require.Equal(t, ridepb.Trip_arrived, d.ask(frame()).GetTrip().GetStatus())
	})
}

// A commit with an unknown outcome is resolved by reading it back: it is reported once and takes
// effect once.
func TestUnknownOutcome(t *testing.T) {
	for name, lost := range map[string]bool{"it happened": false, "it did not": true} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				d, r := w.driver("d", 100), w.rider("r")
				trip := r.request().GetTrip().GetId()
				d.accept(d.offer())
				broken := false
				w.store.fail = func(ride.Transition) (error, bool) {
					if broken {
						return nil, false
					}
					broken = true
					return ride.ErrUnknownOutcome, lost
				}
				require.Equal(t, ridepb.Trip_arrived, d.arrived(trip).GetTrip().GetStatus())
				require.Equal(t, ride.StatusArrived, w.store.only().Status)
				require.Equal(t, 1, countArrived(w.store.events[ride.TripID(trip)]))
				require.Equal(t, ridepb.Trip_in_progress, d.start(trip, "").GetTrip().GetStatus())
			})
		})
	}
}

func countArrived(events []ride.Event) int {
	n := 0
	for _, e := range events {
		if e.Kind() == ride.KindArrived {
			n++
		}
	}
	return n
}

// When another activation has written, this one reloads and decides again.
func TestStaleActivation(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		trip := r.request().GetTrip().GetId()
		d.accept(d.offer())
		_, err := w.store.Activate(context.Background(), ride.TripID(trip))
		require.NoError(t, err)
		require.Equal(t, ridepb.Trip_arrived, d.arrived(trip).GetTrip().GetStatus())
		require.Equal(t, "arrived", r.changes()[len(r.changes())-1])
	})
}

// A wave that cannot be written is planned again, so the trip does not hang.
func TestSearchSurvivesStoreFailure(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		r := w.rider("r")
		r.request()
		failed := 0
		w.store.fail = func(tr ride.Transition) (error, bool) {
			if len(tr.Events) > 0 && tr.Events[0].Kind() == ride.KindWavePlanned && failed < 3 {
				failed++
				return ride.ErrUnavailable, true
			}
			return nil, false
		}
		d := w.driver("d", 100)
		for range 8 {
			pass(time.Second)
			d.at(pickup)
		}
		require.Equal(t, 3, failed)
		require.Len(t, d.offers(), 1)
		require.EqualValues(t, 1, w.store.only().Fence, "a failed write leaves the cache valid: the trip is not activated again")
	})
}

// A panicking handler costs at most its own session; the trip is reloaded.
func TestPanic(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		trip := r.request().GetTrip().GetId()
		armed := true
		w.store.fail = func(tr ride.Transition) (error, bool) {
			if armed && len(tr.Events) > 0 && tr.Events[0].Kind() == ride.KindMatched {
				armed = false
				panic("the shell's bad day")
			}
			return nil, false
		}
		id := d.send(acceptFrame(d.offer()))
		pass(5 * time.Second) // the unanswered command is sent again
		require.Equal(t, ridepb.Trip_matched, d.box.reply(id).GetTrip().GetStatus())
		require.Equal(t, "matched", r.changes()[len(r.changes())-1])
		require.NotNil(t, d.arrived(trip).GetTrip())
	})
}

// A driver asks for the end of an offer if its message was lost.
func TestLostOfferEnd(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		r.request()
		o := d.offer()
		// The trip's actor stops, and with it its knowledge of the offer's holder.
		w.sys.root.StopFuture(w.sys.place.Trip(ride.TripID(o.GetTripId()))).Wait()
		w.local().mu.Lock()
		delete(w.local().trips, ride.TripID(o.GetTripId()))
		w.local().mu.Unlock()
		for range 25 {
			pass(time.Second)
			d.at(pickup)
		}
		require.Contains(t, d.ends(), "expired not_answered")
	})
}

// A request that races with its actor's retirement reaches the next one.
func TestRetiredTripIsAskedAgain(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		trip := r.request().GetTrip().GetId()
		d.accept(d.offer())
		// Messages to the stopped actor are lost, but it is still in the directory.
		pid := w.sys.place.Trip(ride.TripID(trip))
		w.sys.root.StopFuture(pid).Wait()
		id := d.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_Arrived{Arrived: &ridepb.MarkArrived{TripId: trip}}})
		pass(time.Second)
		require.Nil(t, d.box.reply(id))
		w.sys.place.Retire(ride.TripID(trip), pid)
		pass(10 * time.Second)
		require.Equal(t, ridepb.Trip_arrived, d.box.reply(id).GetTrip().GetStatus())
	})
}

func TestOperatorCancels(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		trip := ride.TripID(r.request().GetTrip().GetId())
		d.accept(d.offer())
		got, err := w.sys.CancelTrip(context.Background(), trip, "op", "flood")
		require.NoError(t, err)
		require.Equal(t, ride.StatusCancelled, got.Status)
		require.Equal(t, "cancelled", r.changes()[len(r.changes())-1])
		require.Equal(t, "cancelled", d.changes()[len(d.changes())-1])
		_, err = w.sys.CancelTrip(context.Background(), trip, "op", "again")
		require.ErrorIs(t, err, ride.ErrWrongStatus)
		_, err = w.sys.CancelTrip(context.Background(), "nowhere", "op", "")
		require.ErrorIs(t, err, ride.ErrNotFound)
	})
}

// After Stop no session joins and no actor is left.
func TestStop(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.driver("d", 100)
		w.rider("r").request()
		require.NoError(t, w.sys.Stop(context.Background()))
		for _, k := range w.sys.kinds.all() {
			require.Zero(t, k.Alive(), k.Report().Kind)
		}
		_, err := w.sys.Join(context.Background(), Join{Account: ride.Account{ID: "x", Role: ride.RoleRider}, Out: &recorder{}})
		require.ErrorIs(t, err, ride.ErrShuttingDown)
		w.boot(nil) // for the cleanup
	})
}

// A panic that follows a panic stops the actor instead of the process.
func TestGuardGivesUp(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		pid := w.sys.host.Spawn(w.sys.kinds.cell, func() runtime.Shell { return brokenShell{} })
		w.sys.root.Send(pid, "boom")
		pass(time.Second)
		require.Zero(t, w.sys.kinds.cell.Alive())
	})
}

type brokenShell struct{}

func (brokenShell) Receive(ctx actor.Context) {
	if ctx.Message() == "boom" {
		panic("first")
	}
}
func (brokenShell) Recovered(actor.Context) { panic("second") }
