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

// A match that was committed with an unknown outcome is reported like any other: once each to the
// rider, the winner and the losers.
func TestUnansweredMatchIsReported(t *testing.T) {
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

// The same if the store cannot be read at once either.
func TestUnansweredMatchIsReportedLater(t *testing.T) {
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

// A request that was committed with an unknown outcome reaches its rider as soon as the store can
// be read, whether or not the rider retries.
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

// A party that connected while its trip could not be loaded is brought up to date once it can.
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

// If going online was recorded but not answered, the retry brings the driver online.
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

		// Repeating a command that has been answered since is a no-op.
		require.NotNil(t, d.goOffline().GetDone())
		require.NotNil(t, d.ask(online()).GetDone())
		d.connectKeeping()
		require.False(t, d.connected().GetOnline())

		// After a crash no driver is online; one whose reply was lost asks again.
		w.crash(nil)
		d.connectKeeping()
		require.False(t, d.connected().GetOnline())
		require.NotNil(t, d.ask(online()).GetDone())
		d.connectKeeping()
		require.True(t, d.connected().GetOnline())
	})
}

// A command that certainly was not written leaves the trip as it is: a full store need not serve a
// reload.
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

// A refusal whose record is still being written is not a failure: the trip continues from its
// cache, the same id gets the recorded refusal, and no error is logged.
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
		require.Equal(t, fence, w.store.only().Fence, "the trip was not reloaded")
		require.Zero(t, errors.Load())
	})
}

// A store that keeps exceeding its time limit is overloaded: the client is asked to retry, and no
// error is logged.
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

// errorCount counts logged errors.
type errorCount struct{ atomic.Int64 }

func (*errorCount) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }
func (e *errorCount) Handle(context.Context, slog.Record) error  { e.Add(1); return nil }
func (e *errorCount) WithAttrs([]slog.Attr) slog.Handler         { return e }
func (e *errorCount) WithGroup(string) slog.Handler              { return e }

// An actor that panicked leaves like any other if its client does not reconnect.
func TestPanickedActorLeaves(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d := w.driver("d", 100)
		w.store.fail = func(ride.Transition) (error, bool) { panic("the shell's bad day") }
		d.goOffline()
		require.Equal(t, ridepb.CloseInternal, d.box.closeCode())
		d.inbox.Leave()
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
			t.Error("Stop waits for a trip that the sweeper woke meanwhile")
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

// Unanswered guesses of a PIN count, too.
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
		require.Equal(t, ride.MaxPINTries, guesses)
	})
}

// A command that was refused to its client as unanswered is not carried out later; a repeated one
// is.
func TestTimedOutCommandIsNotExecuted(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d := w.driver("d", 100)
		blocked := false
		w.store.failing(func(ride.Transition) (error, bool) {
			if !blocked {
				blocked = true
				time.Sleep(answerWithin + time.Second) // on synctest's clock
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

// A command that was sent twice gets two replies. The second may arrive when its id belongs to
// another command, and must not answer that one.
func TestLateReplyDoesNotAnswerTheNextCommand(t *testing.T) {
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
