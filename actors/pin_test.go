package actors

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// atThePickup runs a test with a driver who has arrived, the trip and its PIN.
func atThePickup(t *testing.T, test func(w *world, d, r *client, trip, pin string)) {
	withPIN := func(c *Config) { c.PIN = true }
	inWorld(t, withPIN, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		trip := r.request().GetTrip().GetId()
		d.accept(d.offer())
		d.arrived(trip)
		test(w, d, r, trip, w.store.only().PIN)
	})
}

// guess is a start with a PIN that is not the rider's.
func (c *client) guess(trip, pin string) *ridepb.Error {
	wrong := "0000"
	if pin == wrong {
		wrong = "1111"
	}
	return c.start(trip, wrong).GetError()
}

// Neither another actor, a crash nor another activation gives a driver more guesses. The rider hears
// nothing of them: they are no events, and the trip's version stays.
func TestWrongPINsCountInTheTrip(t *testing.T) {
	atThePickup(t, func(w *world, d, r *client, trip, pin string) {
		heard, version := len(r.box.all()), w.store.only().Version
		require.Equal(t, "wrong_pin", d.guess(trip, pin).GetCode())

		d.inbox.Leave() // its actor leaves, and a new one takes its place
		pass(w.sys.cfg.Linger + lastWords)
		require.Zero(t, w.sys.kinds.driver.Alive())
		d.connect(nil)
		require.Equal(t, "wrong_pin", d.guess(trip, pin).GetCode())

		_, err := w.store.Activate(t.Context(), ride.TripID(trip)) // another process has the trip
		require.NoError(t, err)
		require.Equal(t, "wrong_pin", d.guess(trip, pin).GetCode())
		require.Len(t, r.box.all(), heard)

		w.crash(func(c *Config) { c.PIN = true })
		d.connect(nil)
		r.connect(nil)
		require.Equal(t, version, w.store.only().Version)
		require.Equal(t, 3, w.store.only().PINTries.Wrong)
		require.Equal(t, "wrong_pin", d.guess(trip, pin).GetCode())
		require.Equal(t, "wrong_pin", d.guess(trip, pin).GetCode())

		w.crash(func(c *Config) { c.PIN = true })
		d.connect(nil)
		r.connect(nil)
		locked := d.start(trip, pin).GetError()
		require.Equal(t, "pin_locked", locked.GetCode())
		require.LessOrEqual(t, time.Duration(locked.GetRetryAfterMs())*time.Millisecond, ride.PINLock+time.Millisecond)
		require.Empty(t, r.box.all())
		require.Len(t, w.store.events[ride.TripID(trip)], int(version))
		pass(time.Duration(locked.GetRetryAfterMs()) * time.Millisecond)
		require.Equal(t, ridepb.Trip_in_progress, d.start(trip, pin).GetTrip().GetStatus())
		require.Zero(t, w.store.only().PINTries)
	})
}

// A command counts once, however often it is sent, and keeps its answer while the trip is locked.
// One with an unknown outcome counts once, too; one that the store refused does not count.
func TestAGuessCountsOnce(t *testing.T) {
	atThePickup(t, func(w *world, d, _ *client, trip, pin string) {
		start := func(id, pin string) *ridepb.ClientFrame {
			return &ridepb.ClientFrame{Id: id, Body: &ridepb.ClientFrame_StartTrip{StartTrip: &ridepb.StartTrip{TripId: trip, Pin: pin}}}
		}
		for range 2 * ride.MaxPINTries {
			require.Equal(t, "wrong_pin", d.ask(start("one", "no")).GetError().GetCode())
		}
		require.Equal(t, 1, w.store.only().PINTries.Wrong)

		w.store.failing(func(ride.Transition) (error, bool) { return ride.ErrStoreFull, true })
		require.Equal(t, "unavailable", d.ask(start("two", "no")).GetError().GetCode(), "it learns nothing")
		w.store.failing(nil)
		require.Equal(t, 1, w.store.only().PINTries.Wrong)
		require.Equal(t, "wrong_pin", d.ask(start("two", "no")).GetError().GetCode())
		require.Equal(t, 2, w.store.only().PINTries.Wrong)

		for n, written := range []bool{true, false} {
			broken := false
			w.store.failing(func(ride.Transition) (error, bool) {
				if broken {
					return nil, false
				}
				broken = true
				return ride.ErrUnknownOutcome, !written
			})
			require.Equal(t, "wrong_pin", d.ask(start(fmt.Sprint("unknown", n), "no")).GetError().GetCode())
			w.store.failing(nil)
			require.Equal(t, 3+n, w.store.only().PINTries.Wrong, "written: %t", written)
		}
		require.Equal(t, "id_reused", d.ask(start("one", pin)).GetError().GetCode())
		require.Equal(t, "wrong_pin", d.ask(start("last", "no")).GetError().GetCode())
		require.Equal(t, "pin_locked", d.ask(start("right", pin)).GetError().GetCode())
		require.Equal(t, "wrong_pin", d.ask(start("one", "no")).GetError().GetCode(), "as before")
		pass(ride.PINLock)
		require.Equal(t, ridepb.Trip_in_progress, d.ask(start("right", pin)).GetTrip().GetStatus(), "pin_locked is not kept")
	})
}

// The next driver starts with no wrong PINs.
func TestTheNextDriverMayGuess(t *testing.T) {
	atThePickup(t, func(w *world, d, _ *client, trip, pin string) {
		for range ride.MaxPINTries {
			require.Equal(t, "wrong_pin", d.guess(trip, pin).GetCode())
		}
		next := w.driver("next", 50)
		d.cancel(trip)
		pass(time.Second)
		require.NotNil(t, next.accept(next.offer()).GetTrip())
		next.arrived(trip)
		require.Equal(t, "wrong_pin", next.guess(trip, pin).GetCode())
		require.Equal(t, ridepb.Trip_in_progress, next.start(trip, pin).GetTrip().GetStatus())
	})
}
