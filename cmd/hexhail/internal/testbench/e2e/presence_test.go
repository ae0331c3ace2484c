package e2e

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// The bounds of the promise: how long a ghost may get offers, and how soon a driver who returns
// gets them again.
const (
	ghostGone    = 15 * time.Second
	offeredAgain = 2 * time.Second
)

// nearby is how many drivers a quote counts around the centre.
func (w *world) nearby(rider *harness.Client) int {
	w.t.Helper()
	q := harness.Quote(w.at, w.to)
	q.GetGetQuote().VehicleClass = "standard"
	quotes := rider.Ask(q).GetQuotes().GetQuotes()
	require.Len(w.t, quotes, 1)
	return int(quotes[0].GetDriversNearby())
}

// Drivers who are gone, in any way, get no offers; once they are back, they do.
func TestGhosts(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		t.Run("lost connections", func(t *testing.T) {
			t.Parallel()
			// Positions stay fresh for long: only the sockets' silence counts.
			ghosts(newWorld(t, start("--socket-ping-interval=1s", "--socket-pong-timeout=6s", "--position-ttl=5m"), codec), false)
		})
		t.Run("old positions", func(t *testing.T) {
			t.Parallel()
			ghosts(newWorld(t, start("--position-ttl=3s"), codec), true)
		})
	})
}

// sender is a driver's socket of either kind.
type sender interface{ Position(at geo.Point) }

// moving sends the positions of drivers, each a little further on every time, until the returned
// function is called for it. So they stay fresh, however long a test takes.
func moving(w *world) (keep func(s sender, metres float64) (stop func())) {
	var mu sync.Mutex
	cars := make(map[sender]float64)
	ended, gone := make(chan struct{}), make(chan struct{})
	w.t.Cleanup(func() { close(ended); <-gone })
	go func() {
		defer close(gone)
		tick := time.NewTicker(300 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
			}
			mu.Lock()
			for s := range cars {
				cars[s]++
				s.Position(geo.Destination(w.at, 0, cars[s]))
			}
			mu.Unlock()
		}
	}()
	return func(s sender, metres float64) func() {
		mu.Lock()
		defer mu.Unlock()
		cars[s] = metres
		return func() {
			mu.Lock()
			defer mu.Unlock()
			delete(cars, s)
		}
	}
}

// ghosts loses drivers in every way; stale says that a driver without positions is among them.
func ghosts(w *world, stale bool) {
	t, codec := w.t, w.codec
	here := func(n float64) geo.Point { return geo.Destination(w.at, 0, n) }
	keep := moving(w)
	alive := w.driver(10)
	keep(alive, 10)
	dead, silent := w.driver(50), w.driver(60)
	hush := []func(){keep(dead, 50), keep(silent, 60)}
	proxy := harness.NewProxy(t, w.s)
	halfOpenName := w.name(ride.RoleDriver)
	halfOpen, _ := harness.Connect(t, proxy.Server, codec, w.s.Token(ride.RoleDriver, halfOpenName), nil)
	halfOpen.Name = halfOpenName
	halfOpen.Online(here(70))
	hush = append(hush, keep(halfOpen, 70))
	frozenName := w.name(ride.RoleDriver)
	frozen := harness.DialRaw(t, w.s, codec, 0)
	frozen.Connect(w.s.Token(ride.RoleDriver, frozenName))
	online := harness.GoOnline(here(80))
	online.Id = "online"
	frozen.Send(online)
	require.NotNil(t, frozen.Next().GetReply().GetDone())
	hush = append(hush, keep(frozen, 80))

	rider := w.rider()
	harness.Until(t, "all are counted", func() bool { return w.nearby(rider) == 5 })
	for _, stop := range hush {
		stop()
	}
	began := time.Now()
	dead.Drop()
	proxy.Lose()
	left := 1
	if !stale {
		left = 2
	}
	harness.Until(t, "the ghosts are gone", func() bool { return w.nearby(rider) == left })
	harness.Within(t, "losing the ghosts", time.Since(began), ghostGone)

	trip := w.request(rider).GetId()
	alive.Offer(trip)
	require.NotNil(t, silent.Ask(harness.Ping()).GetPong(), "it is connected, but its position is unknown")
	names := []string{dead.Name, halfOpen.Name, frozenName}
	if stale {
		names = append(names, silent.Name)
	}
	back := make([]*harness.Client, len(names))
	for i, name := range names {
		c, connected := w.as(ride.RoleDriver, name, nil)
		require.Empty(t, connected.GetOpenOffers(), name)
		require.True(t, connected.GetOnline(), name)
		back[i] = c
	}
	require.NotNil(t, rider.Ask(harness.Cancel(trip)).GetTrip())
	if stale {
		for _, e := range silent.Events() {
			require.Nil(t, e.GetOfferReceived())
		}
	}

	came := time.Now()
	for i, c := range back {
		c.Position(here(float64(51 + 10*i)))
		keep(c, float64(51+10*i))
	}
	harness.Until(t, "they are back", func() bool { return w.nearby(rider) == 5 })
	again := w.request(rider).GetId()
	for _, c := range append(back, alive) {
		c.Offer(again)
	}
	harness.Within(t, "being offered again", time.Since(came), offeredAgain)
}

// A driver 50 m away gets the offer, whatever edge lies between.
func TestOverTheEdge(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		s := start("--dispatch-ring-start=1")
		for name, near := range map[string]geo.Point{
			"a cell's edge": {Lat: 37.4979, Lng: 127.0276}, "the antimeridian": {Lat: -16.8, Lng: 179.99995},
			"a pentagon": {Lat: 58.3971459, Lng: -28.0}, "the far north": {Lat: 78.22, Lng: 15.65},
		} {
			w := newWorld(t, s, codec)
			from, to := acrossEdge(t, near)
			if name == "the antimeridian" {
				from, to = near, geo.Destination(near, 90, 50)
				require.Negative(t, to.Lng)
			}
			w.at, w.to = from, geo.Destination(from, 180, 3000)
			d, _ := w.join(ride.RoleDriver)
			d.Online(to)
			trip := w.request(w.rider())
			o := d.Offer(trip.GetId())
			require.LessOrEqual(t, o.GetPickupDistanceM(), 2*o.GetPickupRadiusM(), "%s: to the middle of the area, in steps of the radius", name)
			require.Equal(t, ridepb.Trip_matched, d.Ask(harness.Accept(o.GetId())).GetTrip().GetStatus())
		}
	})
}

// acrossEdge finds two points 50 m apart in different cells.
func acrossEdge(t *testing.T, near geo.Point) (from, to geo.Point) {
	t.Helper()
	for m := 0.0; m < 5000; m += 20 {
		from, to = geo.Destination(near, 60, m), geo.Destination(near, 60, m+50)
		a, err := geo.CellAt(from, 8)
		require.NoError(t, err)
		b, err := geo.CellAt(to, 8)
		require.NoError(t, err)
		if a != b {
			return from, to
		}
	}
	t.Fatal("no edge")
	return from, to
}
