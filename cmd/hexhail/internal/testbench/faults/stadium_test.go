package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/sim/client"
)

// stadiumRes is the resolution of the server's cells, its default.
const stadiumRes = 8

// TestStadium: all fans leave a stadium at once, ten for each driver, in one cell. As many are
// matched as there are drivers, all other requests end, each fan receives the outcome once, and
// people in the next cell hardly notice.
func TestStadium(t *testing.T) {
	beside(t, "HEXHAIL_STADIUM")
	for _, at := range stores() {
		t.Run(at.name, func(t *testing.T) {
			fans, search := setting(t, "HEXHAIL_STADIUM", 0), time.Minute
			if fans == 0 {
				t.Parallel()
				fans, search = 100, 40*time.Second // small enough for the race detector, too
			}
			harness.RaiseFiles(t, uint64(2*fans+2000))
			place := at.make(t)
			s := place.start(t, true, "--trip-search-for="+search.String(), "--socket-max-per-address=100000")
			cell, err := geo.CellAt(spot(7), stadiumRes)
			require.NoError(t, err)
			st := newStadium(t, s, cell, fans, fans/10, search/2)
			next, err := cell.Ring(1)
			require.NoError(t, err)
			pair := newNeighbours(t, s, next[0])

			quiet := pair.ride(t, func(rides int) bool { return rides < 150 })
			began := time.Now()
			st.leave()
			loud := pair.ride(t, func(rides int) bool { return rides < 20 || !st.over() && time.Since(began) < 2*patience })
			t.Logf("%s: %d fans and %d drivers in one cell: all over after %s; matched p50 %.0f ms, last %.0f ms; %d offers; "+
				"request to first offer in the next cell: p50 %.1f ms, p99 %.1f ms before (%d rides), p50 %.1f ms, p99 %.1f ms meanwhile (%d rides), %.1f times, at worst %.0f ms",
				at.name, fans, fans/10, time.Since(began).Round(time.Millisecond), ms(st.waits.at(50)), ms(st.waits.at(100)), st.offers.Load(),
				ms(quiet.at(50)), ms(quiet.at(99)), len(quiet), ms(loud.at(50)), ms(loud.at(99)), len(loud), float64(loud.at(99))/float64(quiet.at(99)), ms(loud.at(100)))
			st.verdict(t)
			if fans <= 500 { // with more, it says more about the machine, which the fans share
				harness.Within(t, "serving the neighbours of a stadium", loud.at(99), 20*quiet.at(99)+3*time.Second)
			}
			st.close()
			s.Kill()
			place.look(t, func(store *persistence.Store) { st.recorded(t, store) })
		})
	}
}

// stadium is fans and drivers in one cell.
type stadium struct {
	cell    geo.Cell
	fans    []*fan
	drivers []*taxi
	offers  atomic.Int64
	// patience is how long every other fan waits; the rest wait until the server gives up.
	patience time.Duration
	began    time.Time
	stop     chan struct{}
	moving   sync.WaitGroup

	mu    sync.Mutex
	waits times // the fans' times to match
}

// fan requests one trip and records what it receives about it.
type fan struct {
	of      *stadium
	client  *client.Client
	ready   chan struct{}
	patient bool

	mu    sync.Mutex
	trip  string
	told  []string // changes, in order
	ended bool
}

// taxi accepts every offer and then stays with its first trip.
type taxi struct {
	of     *stadium
	client *client.Client
	ready  chan struct{}
	at     geo.Point

	mu    sync.Mutex
	trips map[string]bool // won
}

func newStadium(t *testing.T, s *harness.Server, cell geo.Cell, fans, drivers int, patience time.Duration) *stadium {
	t.Helper()
	st := &stadium{cell: cell, patience: patience, stop: make(chan struct{})}
	gate := make(chan struct{}, 32)
	join := func(role ride.Role, i int, h client.Handler) *client.Client {
		return client.Start(t.Context(), client.Config{
			URLs: []string{s.WS}, Codec: []wire.Codec{wire.Binary, wire.JSON}[i%2], Name: "stadium", Handler: h, Gate: gate,
			Token: func() (string, error) { return s.Token(role, fmt.Sprintf("%s-%d", role, i)), nil },
		})
	}
	for i := range drivers {
		d := &taxi{of: st, ready: make(chan struct{}), at: st.place(i), trips: make(map[string]bool)}
		d.client = join(ride.RoleDriver, i, d)
		st.drivers = append(st.drivers, d)
	}
	for i := range fans {
		f := &fan{of: st, ready: make(chan struct{}), patient: i%2 == 0}
		f.client = join(ride.RoleRider, i, f)
		st.fans = append(st.fans, f)
	}
	t.Cleanup(st.close)
	for _, d := range st.drivers {
		awaits(t, d.ready)
	}
	for _, f := range st.fans {
		awaits(t, f.ready)
	}
	st.moving.Go(st.locate)
	return st
}

func awaits(t *testing.T, ready <-chan struct{}) {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-ready:
	case <-late.C:
		require.Fail(t, "some clients could not connect")
	}
}

// place is the i-th of many places in the cell.
func (st *stadium) place(i int) geo.Point {
	return geo.Destination(st.cell.Center(), float64(i*67%360), float64(10+i*13%250))
}

// locate sends the drivers' positions every few seconds.
func (st *stadium) locate() {
	tick := time.NewTicker(3 * time.Second)
	defer tick.Stop()
	for {
		for _, d := range st.drivers {
			d.client.SendLocation(harness.Location(d.at))
		}
		select {
		case <-st.stop:
			return
		case <-tick.C:
		}
	}
}

// leave lets all fans request at once.
func (st *stadium) leave() {
	st.began = time.Now()
	for i, f := range st.fans {
		request := harness.Request(st.place(i*7+3), geo.Destination(st.cell.Center(), 45, 8000))
		f.client.Do(request, func(r *ridepb.Reply) { f.asked(r) })
	}
}

// asked notes the trip and, for every other fan, schedules its cancellation.
func (f *fan) asked(r *ridepb.Reply) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.GetTrip() == nil {
		f.told, f.ended = append(f.told, "refused "+r.GetError().GetCode()), true
		return
	}
	f.trip = r.GetTrip().GetId()
	if f.patient {
		return
	}
	time.AfterFunc(f.of.patience, func() {
		f.mu.Lock()
		waits := !f.ended && !slices.Contains(f.told, "matched")
		f.mu.Unlock()
		if waits {
			f.client.Do(harness.Cancel(f.trip), func(*ridepb.Reply) {}) // a match may come first
		}
	})
}

// Connected implements client.Handler.
func (f *fan) Connected(_ *ridepb.Connected, first bool) {
	if first {
		close(f.ready)
	}
}

// Event implements client.Handler.
func (f *fan) Event(e *ridepb.Event) {
	u := e.GetTripUpdated()
	if u == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, u.GetChange())
	switch u.GetTrip().GetStatus() {
	case ridepb.Trip_matched:
		f.of.mu.Lock()
		f.of.waits = append(f.of.waits, time.Since(f.of.began))
		f.of.mu.Unlock()
	case ridepb.Trip_cancelled, ridepb.Trip_expired:
		f.ended = true
	}
}

// Down implements client.Handler.
func (f *fan) Down(client.Down) {}

// Connected implements client.Handler.
func (d *taxi) Connected(_ *ridepb.Connected, first bool) {
	if first {
		d.client.Do(harness.GoOnline(d.at), func(*ridepb.Reply) { close(d.ready) })
	}
}

// Event implements client.Handler.
func (d *taxi) Event(e *ridepb.Event) {
	switch b := e.GetBody().(type) {
	case *ridepb.Event_OfferReceived:
		d.of.offers.Add(1)
		d.client.Do(harness.Accept(b.OfferReceived.GetOffer().GetId()), func(*ridepb.Reply) {})
	case *ridepb.Event_TripUpdated:
		d.mu.Lock()
		defer d.mu.Unlock()
		switch b.TripUpdated.GetChange() {
		case "matched":
			d.trips[b.TripUpdated.GetTrip().GetId()] = true
		case "cancelled": // the fan had just given up: the driver is free again
			delete(d.trips, b.TripUpdated.GetTrip().GetId())
		}
	}
}

// Down implements client.Handler.
func (d *taxi) Down(client.Down) {}

// over reports whether every fan knows the outcome of its request.
func (st *stadium) over() bool {
	for _, f := range st.fans {
		f.mu.Lock()
		open := !f.ended && !slices.Contains(f.told, "matched")
		f.mu.Unlock()
		if open {
			return false
		}
	}
	return true
}

// verdict requires that everything the clients received is right.
func (st *stadium) verdict(t *testing.T) {
	t.Helper()
	if !st.over() {
		how := make(map[string]int)
		for _, f := range st.fans {
			f.mu.Lock()
			how[fmt.Sprintf("trip %t, told %v", f.trip != "", f.told)]++
			f.mu.Unlock()
		}
		require.Fail(t, "every request ends", "%v", how)
	}
	ends := make(map[string]int)
	for _, f := range st.fans {
		last := f.told[len(f.told)-1]
		ends[last]++
		for _, once := range []string{"matched", "cancelled", "expired"} {
			n := 0
			for _, c := range f.told {
				if c == once {
					n++
				}
			}
			require.LessOrEqual(t, n, 1, "%v", f.told)
		}
	}
	require.Equal(t, len(st.drivers), ends["matched"], "%v", ends)
	require.Equal(t, len(st.fans), ends["matched"]+ends["cancelled"]+ends["expired"], "%v", ends)
	require.Positive(t, ends["cancelled"])
	require.Positive(t, ends["expired"])
	all := make(map[string]bool)
	for _, d := range st.drivers {
		require.Len(t, d.trips, 1, "one trip for each driver")
		for trip := range d.trips {
			require.False(t, all[trip], "two drivers of one trip")
			all[trip] = true
		}
	}
	t.Logf("ends: %v", ends)
}

// recorded requires the database to agree.
func (st *stadium) recorded(t *testing.T, store *persistence.Store) {
	t.Helper()
	for _, f := range st.fans {
		trip, err := store.Trip(t.Context(), ride.TripID(f.trip))
		require.NoError(t, err)
		require.Equal(t, f.told[len(f.told)-1], string(trip.Status))
	}
}

func (st *stadium) close() {
	select {
	case <-st.stop:
		return
	default:
		close(st.stop)
	}
	st.moving.Wait()
	for _, d := range st.drivers {
		d.client.Stop()
	}
	for _, f := range st.fans {
		f.client.Stop()
	}
	for _, d := range st.drivers {
		<-d.client.Done()
	}
	for _, f := range st.fans {
		<-f.client.Done()
	}
}

// neighbourPace is the time between two requests of the neighbours.
const neighbourPace = 20 * time.Millisecond

// neighbours are a rider and a driver of another vehicle class in the next cell: they share
// everything with the stadium except its trips.
type neighbours struct {
	at            geo.Point
	rider, driver *harness.Client
}

func newNeighbours(t *testing.T, s *harness.Server, cell geo.Cell) *neighbours {
	t.Helper()
	n := &neighbours{at: cell.Center()}
	n.rider, _ = harness.Connect(t, s, wire.Binary, s.Token(ride.RoleRider, "neighbour"), nil)
	n.driver, _ = harness.Connect(t, s, wire.Binary, s.Sign(map[string]any{
		"iss": harness.Issuer, "aud": harness.Audience, "sub": "van", "role": "driver", "name": "van", "preferred_username": "van",
		"vehicle_class": "van", "plate": "HX VAN", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}), nil)
	here := geo.Destination(n.at, 0, 50)
	n.driver.Online(here)
	ctx, stop := context.WithCancel(t.Context())
	var located sync.WaitGroup
	located.Go(func() {
		tick := time.NewTicker(3 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				n.driver.Send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_Location{Location: harness.Location(here)}})
			}
		}
	})
	t.Cleanup(func() {
		stop()
		located.Wait()
	})
	return n
}

// ride repeatedly requests, receives the offer and cancels, and returns how long the offers took.
func (n *neighbours) ride(t *testing.T, more func(rides int) bool) times {
	t.Helper()
	var took times
	for more(len(took)) {
		request := harness.Request(n.at, geo.Destination(n.at, 90, 3000))
		request.GetRequestTrip().VehicleClass = "van"
		began := time.Now()
		id := n.rider.Send(request)
		again := 1
		until(t, patience, func() error {
			reply := n.reply(t, id, again)
			if reply.GetError() == nil {
				return nil
			}
			require.True(t, reply.GetError().GetRetryable(), "%v", reply)
			n.rider.Send(request) // with the same id
			again++
			return fmt.Errorf("%v", reply)
		})
		n.await(t, "an offer", func(e *ridepb.Event) bool { return e.GetOfferReceived() != nil })
		// A waiting pair sends no requests. Count the requests that it would have sent as well;
		// otherwise a long stall would be just one measurement among many (coordinated omission).
		for late := time.Since(began); late > 0; late -= neighbourPace {
			took = append(took, late)
		}
		trip := n.reply(t, id, again).GetTrip().GetId()
		require.NotEmpty(t, trip)
		cancel := harness.Cancel(trip)
		until(t, patience, func() error {
			cancel.Id = ""
			if reply := n.reply(t, n.rider.Send(cancel), 1); reply.GetTrip() == nil {
				return fmt.Errorf("%v", reply)
			}
			return nil
		})
		n.await(t, "its end", func(e *ridepb.Event) bool { return e.GetOfferClosed() != nil })
		n.driver.Take()
		n.rider.Take()
		time.Sleep(neighbourPace) // a pair without pauses would measure itself
	}
	return took
}

// await waits for an event to the driver, longer than a test's client would: it measures the cost
// of the crowd next door, however high.
func (n *neighbours) await(t *testing.T, what string, match func(*ridepb.Event) bool) {
	t.Helper()
	patiently(t, func() error {
		_, err := n.driver.TryAwait(what, 0, match)
		return err
	})
}

// reply is await for the n-th reply to the rider.
func (n *neighbours) reply(t *testing.T, id string, nth int) (r *ridepb.Reply) {
	t.Helper()
	patiently(t, func() (err error) {
		r, err = n.rider.TryReply(id, nth)
		return err
	})
	return r
}

func patiently(t *testing.T, try func() error) {
	t.Helper()
	var err error
	for began := time.Now(); time.Since(began) < patience; {
		if err = try(); err == nil || errors.Is(err, harness.ErrEnded) {
			break
		}
	}
	require.NoError(t, err)
}
