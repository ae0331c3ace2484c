package actors

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// failOnce returns a failure that hits the first commit with an event of a kind.
func failOnce(kind string, err error, lost bool) func(ride.Transition) (error, bool) {
	done := false
	return func(t ride.Transition) (error, bool) {
		if done || len(t.Events) == 0 || t.Events[0].Kind() != kind {
			return nil, false
		}
		done = true
		return err, lost
	}
}

// A match whose commit was not answered, but written, is told like any other: to the
// rider, to the winner and to the losers, each once.
func TestUnansweredMatchIsTold(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, loser, r := w.driver("d", 100), w.driver("loser", 300), w.rider("r")
		r.request()
		loser.offer()
		w.store.fail = failOnce(ride.KindMatched, ride.ErrUnknownOutcome, false)
		require.Equal(t, ridepb.Trip_matched, d.accept(d.offer()).GetTrip().GetStatus())
		require.Equal(t, []string{"withdrawn taken"}, loser.ends())
		require.Equal(t, []string{"won "}, d.ends())
		require.Equal(t, []string{"matched"}, d.changes())
		require.Equal(t, []string{"wave_planned", "matched"}, r.changes())
	})
}

// The same when the store cannot be read back at once either.
func TestUnansweredMatchIsToldLater(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, loser, r := w.driver("d", 100), w.driver("loser", 300), w.rider("r")
		r.request()
		loser.offer()
		w.store.fail = failOnce(ride.KindMatched, ride.ErrUnknownOutcome, false)
		w.store.refuse(true, false)
		require.Equal(t, "unavailable", d.accept(d.offer()).GetError().GetCode())
		pass(3 * time.Second)
		w.store.refuse(false, false)
		pass(5 * time.Second)
		require.Equal(t, []string{"withdrawn taken"}, loser.ends())
		require.Equal(t, []string{"matched"}, d.changes())
		require.Equal(t, []string{"wave_planned", "matched"}, r.changes())
	})
}

// A request that was written, though nobody could say so, finds its rider as soon as
// the store can be read, with or without the rider's asking again.
func TestUnansweredRequestFindsItsRider(t *testing.T) {
	for name, again := range map[string]bool{"asks again": true, "waits": false} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				d, r := w.driver("d", 100), w.rider("r")
				w.store.fail = failOnce(ride.KindRequested, ride.ErrUnknownOutcome, false)
				w.store.refuse(true, false)
				frame := func() *ridepb.ClientFrame {
					return &ridepb.ClientFrame{Id: "q", Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: requestTrip()}}
				}
				require.Equal(t, "unavailable", r.ask(frame()).GetError().GetCode())
				w.store.refuse(false, false)
				if again {
					require.Equal(t, ridepb.Trip_requested, r.ask(frame()).GetTrip().GetStatus())
				}
				pass(1500 * time.Millisecond)
				require.NotEmpty(t, r.changes())
				d.accept(d.offer())
				require.Equal(t, "matched", r.changes()[len(r.changes())-1])
				d.at(pickup)
				require.NotEmpty(t, r.box.positions())
				require.Len(t, w.store.trips, 1)
			})
		})
	}
}

// A party that connected while its trip could not be loaded is told once it can.
func TestAttachOutlivesStoreFailure(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		r.request()
		o := d.offer()
		w.store.refuse(false, true) // the trips cannot be activated, but read
		w.crash(nil)
		d.connectKeeping()
		r.connectKeeping()
		require.NotNil(t, r.connected().GetActiveTrip())
		pass(2 * time.Second)
		w.store.refuse(false, false)
		pass(2 * time.Second)
		require.NotNil(t, d.accept(o).GetTrip())
		require.Equal(t, "matched", r.changes()[len(r.changes())-1])
	})
}

// Going online works when it was recorded but could not be answered: the repetition
// brings the driver online.
func TestUnansweredGoOnline(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d := w.client(ride.RoleDriver, "d").connect(nil)
		online := func() *ridepb.ClientFrame {
			return &ridepb.ClientFrame{Id: "on", Body: &ridepb.ClientFrame_GoOnline{GoOnline: &ridepb.GoOnline{
				Location: &ridepb.Location{Point: requestTrip().GetPickup()},
			}}}
		}
		w.store.fail = func(ride.Transition) (error, bool) {
			w.store.refuse(true, false)
			return ride.ErrUnknownOutcome, false
		}
		require.Equal(t, "unavailable", d.ask(online()).GetError().GetCode())
		w.store.failing(nil)
		w.store.refuse(false, false)
		require.NotNil(t, d.ask(online()).GetDone())
		r := w.rider("r")
		r.request()
		d.offer()

		// A repetition of what was answered since changes nothing.
		require.NotNil(t, d.goOffline().GetDone())
		require.NotNil(t, d.ask(online()).GetDone())
		d.connectKeeping()
		require.False(t, d.connected().GetOnline())

		// After a crash nobody is online; a driver whose reply was lost asks again.
		w.crash(nil)
		d.connectKeeping()
		require.False(t, d.connected().GetOnline())
		require.NotNil(t, d.ask(online()).GetDone())
		d.connectKeeping()
		require.True(t, d.connected().GetOnline())
	})
}

// What the store certainly did not write leaves the trip as it is: a store that is
// full is not asked to load it again.
func TestRefusalsDoNotReload(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		trip := r.request().GetTrip().GetId()
		d.accept(d.offer())
		fence := w.store.only().Fence
		w.store.fail = func(ride.Transition) (error, bool) { return ride.ErrStoreFull, true }
		require.Equal(t, "unavailable", d.arrived(trip).GetError().GetCode())
		w.store.failing(nil)
		pass(3 * time.Second)
		require.Equal(t, ridepb.Trip_arrived, d.arrived(trip).GetTrip().GetStatus())
		require.Equal(t, fence, w.store.only().Fence)
	})
}

// A refusal whose record is still on its way to the disk is no failure: the trip goes on
// from what it knows, the same id gets the refusal that counts, and nothing is an error.
func TestRefusalOnItsWayToTheDisk(t *testing.T) {
	var errors errorCount
	inWorld(t, func(c *Config) { c.Log = slog.New(&errors) }, func(w *world) {
		winner, d, r := w.driver("winner", 100), w.driver("d", 200), w.rider("r")
		trip := r.request().GetTrip().GetId()
		late := d.offer()
		winner.accept(winner.offer())
		fence := w.store.only().Fence
		arrives := make(chan struct{})
		w.store.failing(func(tr ride.Transition) (error, bool) {
			if tr.Trip != nil || tr.Command == nil {
				return nil, false
			}
			go func() { // the committer has taken it, and the caller did not wait
				<-arrives
				w.store.mu.Lock()
				defer w.store.mu.Unlock()
				_ = w.store.commit(tr)
			}()
			return ride.ErrUnknownOutcome, true
		})
		frame := func() *ridepb.ClientFrame {
			f := acceptFrame(late)
			f.Id = "late"
			return f
		}
		require.Equal(t, "unavailable", d.ask(frame()).GetError().GetCode())
		close(arrives)
		synctest.Wait()
		w.store.failing(nil)
		require.Equal(t, "offer_taken", d.ask(frame()).GetError().GetCode())
		require.Equal(t, ridepb.Trip_arrived, winner.arrived(trip).GetTrip().GetStatus())
		require.Equal(t, fence, w.store.only().Fence, "the trip was not loaded again")
		require.Zero(t, errors.Load())
	})
}

// A store that does not answer in time, however often it is asked, is overloaded: the client is to
// come again, and nothing is an error of the server's.
func TestOutcomesThatNeverCome(t *testing.T) {
	var errors errorCount
	inWorld(t, func(c *Config) { c.Log = slog.New(&errors) }, func(w *world) {
		r := w.rider("r")
		frame := func() *ridepb.ClientFrame {
			return &ridepb.ClientFrame{Id: "q", Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: requestTrip()}}
		}
		w.store.failing(func(ride.Transition) (error, bool) { return ride.ErrUnknownOutcome, true })
		require.Equal(t, "unavailable", r.ask(frame()).GetError().GetCode())
		require.Zero(t, errors.Load())
		w.store.failing(nil)
		require.Equal(t, ridepb.Trip_requested, r.ask(frame()).GetTrip().GetStatus())
		require.Zero(t, errors.Load())
	})
}

// errorCount counts what is logged as an error.
type errorCount struct{ atomic.Int64 }

func (*errorCount) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }
func (e *errorCount) Handle(context.Context, slog.Record) error  { e.Add(1); return nil }
func (e *errorCount) WithAttrs([]slog.Attr) slog.Handler         { return e }
func (e *errorCount) WithGroup(string) slog.Handler              { return e }

// An actor that panicked leaves like any other when its client does not come back.
func TestPanickedActorLeaves(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d := w.driver("d", 100)
		w.store.fail = func(ride.Transition) (error, bool) { panic("the shell's bad day") }
		d.goOffline()
		require.Equal(t, ridepb.CloseInternal, d.box.closeCode())
		d.peer.Leave()
		pass(w.sys.cfg.Linger + 5*time.Second)
		require.Zero(t, w.sys.kinds.driver.Alive())
	})
}

// The sweeper wakes no trips while the system stops.
func TestStopWithOverdueTrips(t *testing.T) {
	inWorld(t, func(c *Config) { c.SweepEvery = time.Second }, func(w *world) {
		r := w.rider("r")
		r.request()
		slow := make(chan struct{})
		w.store.failing(func(ride.Transition) (error, bool) { <-slow; return ride.ErrUnavailable, true })
		pass(5500 * time.Millisecond) // the next wave hangs in the store
		stopped := make(chan error, 1)
		go func() { stopped <- w.sys.Stop(context.Background()) }()
		pass(100 * time.Millisecond)
		w.store.refuse(true, false)
		w.store.mu.Lock()
		w.store.phantom = "phantom"
		w.store.mu.Unlock()
		pass(5 * time.Second)
		close(slow)
		pass(time.Second)
		select {
		case err := <-stopped:
			require.NoError(t, err)
		default:
			t.Error("the stop waits for a trip that the sweeper woke meanwhile")
			for _, pid := range w.sys.place.TripsHere() {
				w.sys.stop(pid)
			}
		}
		synctest.Wait()
		w.store.failing(nil)
		w.store.refuse(false, false)
		w.store.phantom = ""
		w.boot(nil) // for the cleanup
	})
}

// Guesses of a PIN count while they are under way, too.
func TestPINGuessesAtOnce(t *testing.T) {
	inWorld(t, func(c *Config) { c.PIN = true }, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		trip := r.request().GetTrip().GetId()
		d.accept(d.offer())
		d.arrived(trip)
		var ids []string
		for range 40 {
			ids = append(ids, d.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_StartTrip{StartTrip: &ridepb.StartTrip{TripId: trip, Pin: "wrong"}}}))
		}
		guesses := 0
		for _, id := range ids {
			require.Len(t, d.box.repliesTo(id), 1)
			if d.box.reply(id).GetError().GetCode() == "wrong_pin" {
				guesses++
			}
		}
		require.Equal(t, maxPINTries, guesses)
	})
}

// A command that waited here until its client was refused is not carried out behind its
// back; one that is asked for again is.
func TestWhatWasRefusedForWantOfTimeIsNotDone(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d := w.driver("d", 100)
		blocked := false
		w.store.failing(func(ride.Transition) (error, bool) {
			if !blocked {
				blocked = true
				time.Sleep(answerWithin + time.Second) // of synctest's clock
			}
			return nil, false
		})
		online := &ridepb.ClientFrame{Id: "first", Body: &ridepb.ClientFrame_GoOnline{GoOnline: &ridepb.GoOnline{}}}
		offline := func() *ridepb.ClientFrame {
			return &ridepb.ClientFrame{Id: "late", Body: &ridepb.ClientFrame_GoOffline{GoOffline: &ridepb.GoOffline{}}}
		}
		d.send(online)
		d.send(offline())
		pass(answerWithin + 5*time.Second)
		require.NotNil(t, d.box.reply("first").GetDone(), "it had begun")
		require.Nil(t, d.box.reply("late"))
		d.connectKeeping()
		require.True(t, d.connected().GetOnline())
		require.NotNil(t, d.ask(offline()).GetDone())
	})
}

// A command that was asked twice has two answers. The second one may come when its id stands
// for another command, whose answer it is not.
func TestLateAnswerIsNotTheNextCommands(t *testing.T) {
	p := newPerson(&shared{cfg: DefaultConfig()}, ride.Account{ID: "rob", Role: ride.RoleRider}, 1)
	cancel := commandKey{Account: "rob", Role: ride.RoleRider, ID: "x", Digest: "cancel"}
	rate := cancel
	rate.Digest = "rate"
	waiting := &pendingCommand{message: tripCommand{Key: rate}}
	p.pending = map[string]*pendingCommand{"x": waiting}
	require.Nil(t, p.onResult(tripResult{Key: cancel, Reply: done()}))
	require.Same(t, waiting, p.pending["x"])
	require.Same(t, waiting, p.onResult(tripResult{Key: rate, Reply: done()}))
	require.Empty(t, p.pending)
}
