package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// usage is what a server process holds, from its metrics after a garbage collection.
type usage struct{ goroutines, fds, heap, cpu, trips float64 }

func (u usage) String() string {
	return fmt.Sprintf("%.0f goroutines, %.0f fds, %.2f MB heap, %.0f trips in memory, %.2f s CPU",
		u.goroutines, u.fds, u.heap/1e6, u.trips, u.cpu)
}

// measure reads a server's usage; with collect, garbage and pools are dropped first.
func measure(tb testing.TB, s *harness.Server, collect bool) usage {
	tb.Helper()
	if collect {
		for range 2 { // pools survive one collection
			get(tb, s.Ops+"/debug/pprof/heap?gc=1&debug=1")
		}
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(get(tb, s.Ops+"/metrics")))
	require.NoError(tb, err)
	value := func(name string) float64 {
		m := families[name].GetMetric()
		require.Len(tb, m, 1, "metric %s", name)
		return m[0].GetGauge().GetValue() + m[0].GetCounter().GetValue()
	}
	u := usage{
		goroutines: value("go_goroutines"), fds: value("process_open_fds"),
		heap: value("go_memstats_heap_alloc_bytes"), cpu: value("process_cpu_seconds_total"),
	}
	for _, m := range families["hexhail_actors"].GetMetric() {
		if m.GetLabel()[0].GetValue() == "trip" {
			u.trips = m.GetGauge().GetValue()
		}
	}
	return u
}

func get(tb testing.TB, url string) string {
	tb.Helper()
	resp, err := http.Get(url)
	require.NoError(tb, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(tb, err)
	require.Equal(tb, http.StatusOK, resp.StatusCode, url)
	return string(b)
}

// fleet is the drivers and riders of one town under load.
type fleet struct {
	drivers, riders []*harness.Client
	locations       atomic.Int64
	driving         atomic.Bool  // whether drivers send positions
	riding          atomic.Bool  // whether riders request
	open            atomic.Int64 // rides that have not ended

	mu    sync.Mutex
	trips times // how long the ended rides took
}

// town is where the fleet drives, a few kilometres across.
var town = geo.Point{Lat: 37.4979, Lng: 127.0276}

func newFleet(tb testing.TB, s *harness.Server, drivers, riders int) *fleet {
	tb.Helper()
	f := new(fleet)
	join := func(role ride.Role, i int) *harness.Client {
		name := fmt.Sprintf("%s%d", role, i)
		c, _ := harness.Connect(tb, s, wire.Binary, s.Token(role, name), nil)
		c.Name = name
		return c
	}
	for i := range drivers {
		c := join(ride.RoleDriver, i)
		c.Online(f.position(i))
		f.drivers = append(f.drivers, c)
	}
	for i := range riders {
		f.riders = append(f.riders, join(ride.RoleRider, i))
	}
	return f
}

// position is the i-th driver's current position: on a circle, at 10 m/s.
func (f *fleet) position(i int) geo.Point {
	centre := geo.Destination(town, float64(i*97%360), float64(i*37%3000))
	seconds := float64(time.Now().UnixMilli()%1_000_000) / 1000
	return geo.Destination(centre, seconds*10/200*57.3, 200)
}

// run runs the fleet until the context ends, then disconnects everyone.
func (f *fleet) run(ctx context.Context, failed func(error)) {
	var all sync.WaitGroup
	watch := func(err error) {
		if err != nil && !errors.Is(err, harness.ErrEnded) {
			failed(err)
		}
	}
	for i, d := range f.drivers {
		all.Go(func() { f.locate(ctx, i, d) })
		all.Go(func() { watch(f.drive(d)) })
	}
	for i, r := range f.riders {
		all.Go(func() { watch(f.ride(ctx, i, r)) })
	}
	<-ctx.Done()
	for _, c := range append(append([]*harness.Client(nil), f.drivers...), f.riders...) {
		c.Drop()
	}
	all.Wait()
}

// locate sends a driver's position each second.
func (f *fleet) locate(ctx context.Context, i int, d *harness.Client) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if f.driving.Load() {
			d.Send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_Location{Location: harness.Location(f.position(i))}})
			f.locations.Add(1)
		}
	}
}

// drive accepts every offer and completes the trip.
func (f *fleet) drive(d *harness.Client) error {
	handled := make(map[string]bool)
	for {
		e, err := nextOffer(d, handled)
		if err != nil {
			return err
		}
		trip := e.GetTripId()
		won, err := d.TryAsk(harness.Accept(e.GetId()))
		if err != nil {
			return err
		}
		if won.GetTrip() != nil {
			for _, step := range []*ridepb.ClientFrame{harness.Arrived(trip), harness.StartTrip(trip, ""), harness.Complete(trip)} {
				if r, err := d.TryAsk(step); err != nil || r.GetTrip() == nil {
					return errors.Join(err, fmt.Errorf("%s: %v was answered with %v", d.Name, step, r))
				}
			}
		}
	}
}

// nextOffer waits for an offer that has not been handled, until the socket ends.
func nextOffer(d *harness.Client, handled map[string]bool) (*ridepb.Offer, error) {
	for {
		e, err := d.TryAwait("an offer", 0, func(e *ridepb.Event) bool {
			return e.GetOfferReceived() != nil && !handled[e.GetOfferReceived().GetOffer().GetId()]
		})
		if err == nil || errors.Is(err, harness.ErrEnded) {
			handled[e.GetOfferReceived().GetOffer().GetId()] = true
			return e.GetOfferReceived().GetOffer(), err
		}
	}
}

// ride requests a trip every fourth second and follows it to its end.
func (f *fleet) ride(ctx context.Context, i int, r *harness.Client) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for second := i; ; second++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if !f.riding.Load() || second%4 != 0 {
			continue
		}
		f.open.Add(1)
		start := time.Now()
		from := geo.Destination(town, float64(i*53%360), float64(100+i*41%2500))
		reply, err := r.TryAsk(harness.Request(from, town))
		if err != nil {
			return err
		}
		trip := reply.GetTrip().GetId()
		if trip == "" {
			return fmt.Errorf("%s: the request was refused: %v", r.Name, reply)
		}
		if _, err = r.TryAwait("the end of "+trip, 0, func(e *ridepb.Event) bool {
			return e.GetTripUpdated().GetTrip().GetId() == trip && e.GetTripUpdated().GetTrip().GetStatus() == ridepb.Trip_completed
		}); err != nil {
			return err
		}
		f.mu.Lock()
		f.trips = append(f.trips, time.Since(start))
		f.mu.Unlock()
		f.open.Add(-1)
		r.Take()
	}
}

// TestLoad: I14. After a load, the server holds no more than before. It also logs the cost of a
// location.
func TestLoad(t *testing.T) {
	beside(t, "HEXHAIL_LOAD") // the server is a separate process
	length, long := lasts(t, "HEXHAIL_LOAD", 2*time.Second), os.Getenv("HEXHAIL_LOAD") != ""
	drivers, riders := 60, 10
	if long {
		drivers, riders = 300, 100
	}
	s := sqlite.make(t).start(t, true, "--socket-session-linger=1s")
	under(t, s, drivers, riders, min(length, 5*time.Second)) // allocate now what is allocated only once
	before := settled(t, s, long)
	under(t, s, drivers, riders, length)
	var after usage
	var asked time.Time
	until(t, 100*time.Second, func() error { // trips stay for a minute after their end
		if time.Since(asked) < time.Second { // each collection costs CPU
			return errors.New("too soon")
		}
		asked, after = time.Now(), measure(t, s, true)
		if grown(after.goroutines, before.goroutines, 2) || grown(after.fds, before.fds, 2) || grown(after.heap, before.heap, 256<<10) {
			return fmt.Errorf("before: %s; after: %s", before, after)
		}
		return nil
	})
	t.Logf("before: %s; after: %s", before, after)
}

// grown reports more than a tenth of growth, and more than a few.
func grown(after, before, few float64) bool { return after > before*1.1 && after > before+few }

// settled waits until the sockets of the last load are gone and, with trips, its trips too: they
// stay in memory for a minute after their end.
func settled(t *testing.T, s *harness.Server, trips bool) usage {
	t.Helper()
	var u usage
	var asked time.Time
	until(t, 100*time.Second, func() error {
		if time.Since(asked) < time.Second { // each collection costs CPU
			return errors.New("too soon")
		}
		last := u
		asked, u = time.Now(), measure(t, s, true)
		if u.goroutines != last.goroutines || u.fds != last.fds || trips && u.trips > 0 {
			return fmt.Errorf("still changing: %s, then %s", last, u)
		}
		return nil
	})
	return u
}

// under runs a load in three parts, connected only, with positions, and with rides as
// well, and logs what each costs the server.
func under(t *testing.T, s *harness.Server, drivers, riders int, length time.Duration) {
	t.Helper()
	f := newFleet(t, s, drivers, riders)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.run(ctx, func(err error) { t.Error(err) })
	}()
	part := func() (cpu float64) {
		start := measure(t, s, false)
		lasts := time.NewTimer(length / 2)
		defer lasts.Stop()
		<-lasts.C
		return measure(t, s, false).cpu - start.cpu
	}
	idle := part()
	f.driving.Store(true)
	located := part()
	n := f.locations.Load()
	require.Positive(t, n)
	f.riding.Store(true)
	ridden := part()
	held := measure(t, s, true)
	f.riding.Store(false)
	until(t, patience, func() error { // no one disconnects during a ride
		if n := f.open.Load(); n > 0 {
			return fmt.Errorf("%d rides do not end", n)
		}
		return nil
	})
	cancel()
	<-done
	require.NotEmpty(t, f.trips)
	t.Logf("%d drivers, %d riders, parts of %s: idle %.2f s CPU; %d locations %.2f s CPU (%.0f µs each); with %d rides (p50 %v) %.2f s CPU; held %s",
		drivers, riders, length/2, idle, n, located, (located-idle)/float64(n)*1e6, len(f.trips), f.trips.at(50), ridden, held)
}
