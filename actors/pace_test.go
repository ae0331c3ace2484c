package actors

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// A rider who requests and cancels repeatedly soon has to wait, longer each time, and so disturbs
// drivers only as often. A new session does not help.
func TestCancellingHasAPrice(t *testing.T) {
	inWorld(t, func(c *Config) { c.Linger = 0 }, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		rings, waits := 0, []time.Duration{}
		for begin := time.Now(); time.Since(begin) < 15*time.Second; {
			reply := r.request()
			if e := reply.GetError(); e != nil {
				require.Equal(t, "too_many_requests", e.GetCode())
				require.True(t, e.GetRetryable())
				waits = append(waits, time.Duration(e.GetRetryAfterMs())*time.Millisecond)
				r.inbox.Leave()
				pass(time.Duration(e.GetRetryAfterMs()) * time.Millisecond)
				r.connect(nil)
				d.at(geo.Destination(pickup, 0, 100))
				continue
			}
			require.NotNil(t, r.cancel(reply.GetTrip().GetId()).GetTrip())
			rings++
			pass(100 * time.Millisecond)
		}
		require.Len(t, d.offers(), rings)
		require.LessOrEqual(t, rings, 7, "131 before")
		require.GreaterOrEqual(t, len(waits), 2)
		for i := 1; i < len(waits); i++ {
			require.Greater(t, waits[i], waits[i-1]*3/2, "growing")
		}
		// Cancellations are forgotten over time.
		pass(time.Hour)
		r.inbox.Leave()
		r.connect(nil)
		require.NotNil(t, r.request().GetTrip())
	})
}

// Cancelling costs little if no driver was asked; a completed ride clears the record.
func TestCancellingOftenAllowed(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		r := w.rider("r")
		for range 20 {
			require.NotNil(t, r.cancel(r.request().GetTrip().GetId()).GetTrip())
		}
		d := w.driver("d", 30)
		for range 3 {
			for range 4 {
				require.NotNil(t, r.cancel(r.request().GetTrip().GetId()).GetTrip())
			}
			trip := r.request().GetTrip().GetId()
			require.NotNil(t, d.accept(d.offer()).GetTrip())
			d.arrived(trip)
			d.start(trip, "")
			require.NotNil(t, d.complete(trip).GetTrip())
		}
	})
}

// Each trip that a rider requests and cancels stays on disk, even if no driver was asked.
func TestCancellingUnofferedTripsIsSlowedDown(t *testing.T) {
	inWorld(t, func(c *Config) { c.CancelsFree = 2 }, func(w *world) {
		r := w.rider("r")
		trips, begin := 0, time.Now()
		for time.Since(begin) < time.Hour {
			reply := r.request()
			if e := reply.GetError(); e != nil {
				require.Equal(t, "too_many_requests", e.GetCode())
				pass(time.Duration(e.GetRetryAfterMs()) * time.Millisecond)
				continue
			}
			require.NotNil(t, r.cancel(reply.GetTrip().GetId()).GetTrip())
			if trips++; time.Since(begin) == 0 {
				require.LessOrEqual(t, trips, 16, "8 times as many as when drivers are asked")
			}
		}
		require.GreaterOrEqual(t, trips, 16)
		require.LessOrEqual(t, trips, 16+40, "one in 2 minutes is forgotten")
	})
}

// A driver who accepts and gives back repeatedly has to wait before the next acceptance.
func TestGivingBackHasAPrice(t *testing.T) {
	inWorld(t, func(c *Config) { c.CancelsFree = 3 }, func(w *world) {
		d := w.driver("d", 30)
		for i := range 4 {
			r := w.rider(fmt.Sprint("r", i))
			trip := r.request().GetTrip().GetId()
			reply := d.accept(d.offer())
			if i < 3 {
				require.NotNil(t, reply.GetTrip())
				require.NotNil(t, d.cancel(trip).GetDone())
				continue
			}
			require.Equal(t, "too_many_requests", reply.GetError().GetCode())
			pass(5 * time.Second)
			require.NotNil(t, d.accept(d.offer()).GetTrip(), "the same offer can be accepted later")
		}
	})
}

// Toggling between online and offline is slowed down, but going offline never waits.
func TestTogglingIsSlowedDown(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d := w.client(ride.RoleDriver, "d").connect(nil)
		on := 0
		for range 50 {
			reply := d.goOnline(50)
			if e := reply.GetError(); e != nil {
				require.Equal(t, "too_many_requests", e.GetCode())
				require.Positive(t, e.GetRetryAfterMs())
			} else {
				on++
			}
			require.NotNil(t, d.goOffline().GetDone())
		}
		require.Equal(t, 20, on)
		pass(5 * time.Second)
		require.NotNil(t, d.goOnline(50).GetDone())
		require.NotNil(t, d.goOnline(50).GetDone(), "going online when online does not count")
	})
}

func TestPaceIsBounded(t *testing.T) {
	p, now := newPace(1, time.Hour), time.Now()
	for i := range maxPaced + 1000 {
		p.count(ride.AccountID(fmt.Sprint(i)), deedCancel, now)
	}
	require.LessOrEqual(t, len(p.by), maxPaced)
	for range 100 {
		p.count("often", deedCancel, now)
	}
	require.Equal(t, paceMost, p.wait("often", deedCancel, now))
	require.Zero(t, p.wait("often", deedOnline, now))
	require.Zero(t, p.wait("often", deedCancel, now.Add(101*time.Hour)))
}

// A refusal without a trip's decision is not recorded, for any command; a trip's decision is.
func TestRefusalsOfNoTripAreNotKept(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		r, d := w.rider("r"), w.driver("d", 100)
		kept := func() int {
			w.store.mu.Lock()
			defer w.store.mu.Unlock()
			return len(w.store.commands)
		}
		before := kept()
		for i := range 50 {
			trip := fmt.Sprintf("0199d2a4-5f11-7a52-8f02-%012d", i)
			require.Equal(t, "not_found", r.cancel(trip).GetError().GetCode())
			require.Equal(t, "not_found", r.rate(trip, 5).GetError().GetCode())
			require.Equal(t, "not_found", d.cancel(trip).GetError().GetCode())
			require.Equal(t, "not_found", d.arrived(trip).GetError().GetCode())
			require.Equal(t, "not_found", d.start(trip, "1").GetError().GetCode())
			require.Equal(t, "not_found", d.complete(trip).GetError().GetCode())
			require.Equal(t, "not_found", d.accept(&ridepb.Offer{Id: trip + ".1"}).GetError().GetCode())
			require.Equal(t, "not_found", d.decline(&ridepb.Offer{Id: trip}).GetError().GetCode())
			require.Equal(t, "wrong_role", r.goOffline().GetError().GetCode())
			bad := requestTrip()
			bad.VehicleClass = "boat"
			require.Equal(t, "unknown_vehicle_class", r.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: bad}}).GetError().GetCode())
		}
		require.Equal(t, before, kept())

		trip := r.request().GetTrip().GetId()
		require.Equal(t, before+1, kept())
		cancel := &ridepb.ClientFrame{Id: "same", Body: &ridepb.ClientFrame_CancelTrip{CancelTrip: &ridepb.CancelTrip{TripId: trip}}}
		first := r.ask(cancel)
		require.NotNil(t, first.GetTrip())
		require.NotNil(t, r.ask(&ridepb.ClientFrame{Id: "same", Body: cancel.Body}).GetTrip())
		require.Equal(t, before+2, kept())
		other := &ridepb.ClientFrame{Id: "same", Body: &ridepb.ClientFrame_CancelTrip{CancelTrip: &ridepb.CancelTrip{TripId: "no-such-trip"}}}
		require.Equal(t, "id_reused", r.ask(other).GetError().GetCode())
	})
}
