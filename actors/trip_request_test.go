package actors

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// The request and its first wave are one transaction: drivers get the offers after one disk sync.
func TestFirstWaveIsWrittenWithTheRequest(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		var kinds [][]string
		w.store.failing(func(tr ride.Transition) (error, bool) {
			var written []string
			for _, e := range tr.Events {
				written = append(written, e.Kind())
			}
			kinds = append(kinds, written)
			return nil, false
		})
		trip := r.request().GetTrip()
		require.Equal(t, [][]string{{ride.KindRequested, ride.KindWavePlanned}}, kinds)
		require.Equal(t, ridepb.Trip_requested, trip.GetStatus())
		require.EqualValues(t, 2, trip.GetVersion())
		require.Equal(t, trip.GetId(), d.offer().GetTripId())
	})
}

// A refused request leaves no offer and does not wait for a driver.
func TestRefusedRequestOffersNothing(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		first := r.request().GetTrip().GetId()
		d.decline(d.offer())
		require.Equal(t, "rider_busy", r.request().GetError().GetCode())
		require.Len(t, d.offers(), 1)
		r.cancel(first)
		late := w.driver("late", 50)
		pass(time.Second)
		require.Empty(t, late.offers())
	})
}

// A driver who turns up while the first wave is being committed is asked right after.
func TestDriverDuringFirstWave(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		r := w.rider("r")
		w.store.failing(func(tr ride.Transition) (error, bool) {
			if len(tr.Events) > 0 && tr.Events[0].Kind() == ride.KindRequested {
				time.Sleep(time.Second)
			}
			return nil, false
		})
		r.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: requestTrip()}})
		pass(200 * time.Millisecond)
		d := w.driver("d", 100)
		require.Empty(t, d.offers())
		pass(time.Second)
		require.Len(t, d.offers(), 1, "asked before the second wave is due")
	})
}

// A driver whom a search under way has missed is found by another search, right after it.
func TestDriverBehindTheSearch(t *testing.T) {
	for name, ask := range map[string]func(r *client){
		"first wave": func(r *client) {
			r.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: requestTrip()}})
		},
		"later wave": func(r *client) {
			r.request()
			pass(r.w.sys.cfg.SearchTimeout + 5*time.Second) // the second search has begun
		},
	} {
		t.Run(name, func(t *testing.T) {
			// One ring only: otherwise the next, wider search would follow at once.
			oneRing := func(c *Config) { c.Rules.Policy.RingStart, c.Rules.Policy.RingMax = 1, 1 }
			inWorld(t, oneRing, func(w *world) {
				// A nearby cell never replies.
				near, err := geo.CellAt(pickup, w.sys.cfg.Resolution)
				require.NoError(t, err)
				ring, err := near.Disk(1)
				require.NoError(t, err)
				silent := w.sys.root.Spawn(actor.PropsFromFunc(func(actor.Context) {}))
				w.local().cells.mu.Lock()
				w.local().cells.by[ring[len(ring)-1]] = &cellRef{pid: silent, drivers: 1}
				w.local().cells.mu.Unlock()
				ask(w.rider("r"))
				pass(100 * time.Millisecond)
				d := w.driver("d", 10)
				pass(time.Millisecond)
				require.Empty(t, d.offers(), "the search still waits for the silent cell")
				pass(2 * w.sys.cfg.SearchTimeout)
				require.Len(t, d.offers(), 1, "asked before the next wave is due")
			})
		})
	}
}

// A request repeated during its first search is one request, and the search is not lost.
func TestRequestRepeatedDuringItsSearch(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		near, err := geo.CellAt(pickup, w.sys.cfg.Resolution)
		require.NoError(t, err)
		ring, err := near.Disk(1)
		require.NoError(t, err)
		w.local().cells.mu.Lock()
		w.local().cells.by[ring[len(ring)-1]] = &cellRef{pid: w.sys.root.Spawn(actor.PropsFromFunc(func(actor.Context) {})), drivers: 1}
		w.local().cells.mu.Unlock()

		wanted, tariff, err := w.sys.newRequest(r.account, requestTrip())
		require.NoError(t, err)
		estimate := w.sys.estimate(t.Context(), wanted.Pickup, wanted.Dropoff, tariff)
		request, err := w.sys.requestOf(wanted, tariff, &estimate)
		require.NoError(t, err)
		answers := make(chan tripResult, 2)
		asker := w.sys.root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if m, ok := ctx.Message().(tripResult); ok {
				answers <- m
			}
		}))
		ask := tripCommand{Key: commandKey{Account: "r", Role: ride.RoleRider, ID: "q", Digest: "d"}, Command: request}
		for range 2 {
			w.sys.root.RequestWithCustomSender(w.sys.place.Trip(request.ID), ask, asker)
			pass(w.sys.cfg.SearchTimeout / 5)
		}
		require.Empty(t, answers, "the search waits for a silent cell")
		pass(w.sys.cfg.SearchTimeout)
		require.Len(t, answers, 1)
		require.NotNil(t, (<-answers).Reply.GetTrip())
		require.Len(t, d.offers(), 1)
		require.Len(t, w.store.trips, 1)
	})
}
