package actors

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// When a stadium empties, thousands of requests come from one cell at once: as many trips are
// matched as there are drivers, no driver twice, each offer has one end, and all other requests end
// in time. The cost is bounded and logged.
func TestStadium(t *testing.T) {
	requests, drivers := 200, 20
	if testing.Short() {
		requests, drivers = 100, 10
	}
	for _, policy := range []ride.PolicyKind{ride.PolicyBroadcast, ride.PolicyNearest} {
		t.Run(string(policy), func(t *testing.T) { stadium(t, under(policy), requests, drivers) })
	}
}

func stadium(t *testing.T, change func(*Config), requests, drivers int) {
	inWorld(t, change, func(w *world) {
		var mu sync.Mutex
		commits, bytes, largest := 0, 0, 0
		w.store.failing(func(tr ride.Transition) (error, bool) {
			mu.Lock()
			defer mu.Unlock()
			if tr.Trip != nil && commits%16 == 0 { // a sample: encoding them all would dominate
				state, err := ride.MarshalTrip(tr.Trip)
				require.NoError(t, err)
				bytes += 16 * len(state)
				largest = max(largest, len(state))
			}
			commits++
			return nil, false
		})
		var taxis, fans []*client
		for i := range drivers {
			taxis = append(taxis, w.driver(fmt.Sprintf("d%03d", i), float64(i)))
		}
		for i := range requests {
			fans = append(fans, w.client(ride.RoleRider, fmt.Sprintf("r%04d", i)).connect(nil))
		}
		for _, r := range fans {
			r.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: requestTrip()}})
		}
		for range 10 { // seconds
			for i, d := range taxis {
				require.NoError(t, d.inbox.Location(ride.Position{Point: geo.Destination(pickup, 0, float64(i)), DeviceTime: time.Now()}))
				for _, o := range d.offers() {
					d.send(acceptFrame(o))
				}
			}
			pass(time.Second)
		}
		synctest.Wait()
		require.Equal(t, drivers, w.matched(), "one trip for each driver")
		pass(w.sys.cfg.Rules.SearchFor)
		for _, d := range taxis {
			require.Len(t, d.ends(), len(d.offers()), "each offer ends once")
		}
		live := 0
		for _, trip := range w.store.trips {
			if trip.Status == ride.StatusRequested {
				live++
			}
		}
		require.Zero(t, live, "every request has ended")
		t.Logf("%d requests, %d drivers: %d commits, %d MB of trip states, the largest of %d kB",
			requests, drivers, commits, bytes>>20, largest>>10)
	})
}

// matched counts drivers with a trip; a driver with two fails the test.
func (w *world) matched() int {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	by := make(map[ride.AccountID]ride.TripID)
	for id, t := range w.store.trips {
		if t.Status.Occupied() {
			require.Empty(w.t, by[t.DriverID()], "driver %s has two trips", t.DriverID())
			by[t.DriverID()] = id
		}
	}
	return len(by)
}

// A cell finds the same drivers as sorting them all would.
func TestCellFindsTheBest(t *testing.T) {
	for _, limit := range []int{0, 1, 7, 50, 80} {
		c := &cellActor{drivers: make(map[ride.AccountID]*cellPut)}
		var all []nearby
		for i := range 50 {
			d := &cellPut{Driver: ride.AccountID(fmt.Sprintf("d%02d", i)), Point: geo.Destination(pickup, 0, float64(i*37%11)), Load: i * 13 % 4}
			c.drivers[d.Driver] = d
			all = append(all, nearby{d, d.Load, geo.DistanceM(d.Point, pickup)})
		}
		slices.SortFunc(all, nearby.compare)
		found := c.find(cellFind{Pickup: pickup, Limit: limit})
		require.Len(t, found, min(limit, 50))
		for i, d := range found {
			require.Equal(t, all[i].Driver, d.Driver)
		}
	}
}

// A request costs its cell one look at each driver there.
func BenchmarkCellFind(b *testing.B) {
	for _, n := range []int{20, 500} {
		b.Run(fmt.Sprint(n, " drivers"), func(b *testing.B) {
			c := &cellActor{drivers: make(map[ride.AccountID]*cellPut)}
			for i := range n {
				id := ride.AccountID(fmt.Sprint("d", i))
				c.drivers[id] = &cellPut{Driver: id, Class: "standard", Point: geo.Destination(pickup, float64(i), float64(7*i%500)), Load: i % 5}
			}
			find := cellFind{Pickup: pickup, Limit: 32}
			for b.Loop() {
				c.find(find)
			}
		})
	}
}

// A cell spends no time on searches that have given up.
func TestLateQuestionsAreDropped(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.driver("d", 0)
		cell, err := geo.CellAt(pickup, w.sys.cfg.Resolution)
		require.NoError(t, err)
		pids := w.sys.place.Cells([]geo.Cell{cell})
		require.Len(t, pids, 1)
		ask := func(until time.Time) error {
			_, err := w.sys.root.RequestFuture(pids[0], cellFind{Pickup: pickup, Limit: 1, Until: until}, time.Second).Result()
			return err
		}
		require.NoError(t, ask(time.Now().Add(time.Millisecond)))
		require.ErrorIs(t, ask(time.Now().Add(-time.Millisecond)), actor.ErrTimeout)
	})
}
