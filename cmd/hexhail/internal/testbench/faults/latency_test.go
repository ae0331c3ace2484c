package faults

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// times are measurements of one thing.
type times []time.Duration

// at is a percentile, p from 0 to 100.
func (t times) at(p float64) time.Duration {
	slices.Sort(t)
	return t[min(len(t)-1, int(float64(len(t))*p/100))]
}

// disk measures one durable write of 4 KiB on the disk with a server's data.
type disk struct{ f *os.File }

func newDisk(tb testing.TB, dir string) disk {
	tb.Helper()
	f, err := os.Create(filepath.Join(dir, "fsync"))
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = f.Close() })
	return disk{f}
}

func (d disk) fsync(tb testing.TB) time.Duration {
	tb.Helper()
	var page [4096]byte
	start := time.Now()
	_, err := d.f.Write(page[:])
	require.NoError(tb, err)
	require.NoError(tb, d.f.Sync())
	return time.Since(start)
}

// The steps of a ride that people wait for.
const (
	stepFsync   = "one fsync of this disk"
	stepRequest = "request to its reply"
	stepOffer   = "request to first offer"
	stepOffers  = "request to last of three offers"
	stepReply   = "accept to the winner's reply"
	stepMatched = "accept to the rider's event"
	stepLosers  = "accept to the last loser's event"
)

var steps = []string{stepFsync, stepRequest, stepOffer, stepOffers, stepReply, stepMatched, stepLosers}

// TestLatency measures the steps of rides, one at a time, over loopback with the
// durable store, beside the fsync that each of them waits for. It asserts nothing about
// time: machines differ.
func TestLatency(t *testing.T) {
	for _, at := range stores() {
		t.Run(at.name, func(t *testing.T) {
			p := at.make(t)
			s := p.start(t, true, "--position-ttl=1m")
			l := newLane(t, s, 0, 1, 3, s.Token(ride.RoleOperator, "operator"))
			d := newDisk(t, s.Dir)
			rides := setting(t, "HEXHAIL_RIDES", 40)
			took := make(map[string]times)
			for i := range rides + rides/10 {
				one, err := l.timed(i)
				if err != nil {
					t.Log(l.newest())
				}
				require.NoError(t, err)
				if i < rides/10 {
					continue // warming up
				}
				one[stepFsync] = d.fsync(t)
				for step, x := range one {
					took[step] = append(took[step], x)
				}
			}
			t.Log(table(p.name, rides, took))
		})
	}
}

// newest returns everything that the server recorded about the newest trip, to report with a
// failure.
func (l *lane) newest() string {
	var page struct {
		Items []struct{ ID string }
	}
	_, text := l.s.Call(http.MethodGet, "/v1/admin/trips?limit=1", l.operator, "")
	if json.Unmarshal([]byte(text), &page) != nil || len(page.Items) == 0 {
		return text
	}
	_, text = l.s.Call(http.MethodGet, "/v1/admin/trips/"+page.Items[0].ID, l.operator, "")
	return text
}

// timed runs one ride and measures it.
func (l *lane) timed(i int) (map[string]time.Duration, error) {
	r, winner := l.riders[0], l.drivers[i%len(l.drivers)]
	for _, d := range l.drivers {
		d.freshen()
	}
	took := make(map[string]time.Duration)
	start := time.Now()
	request := r.command(harness.Request(r.at, around(r.at, 40)))
	offers := make([]time.Duration, len(l.drivers))
	ids := make([]string, len(l.drivers))
	err := together(len(l.drivers)+1, func(n int) error {
		if n == len(l.drivers) {
			_, err := r.TryAsk(request)
			took[stepRequest] = time.Since(start)
			return err
		}
		e, err := l.drivers[n].TryAwait("an offer", 0, func(e *ridepb.Event) bool { return e.GetOfferReceived() != nil })
		offers[n], ids[n] = time.Since(start), e.GetOfferReceived().GetOffer().GetId()
		return err
	})
	if err != nil {
		return nil, err
	}
	took[stepOffer], took[stepOffers] = slices.Min(offers), slices.Max(offers)
	trip := l.drivers[0].Events()
	id := trip[len(trip)-1].GetOfferReceived().GetOffer().GetTripId()
	if err := l.timeAccept(id, winner, ids, took); err != nil {
		return nil, err
	}
	err = l.free(r, id, winner.account)
	l.endRace()
	return took, err
}

// timeAccept lets a driver accept and measures when each party receives it.
func (l *lane) timeAccept(trip string, winner *party, offers []string, took map[string]time.Duration) error {
	r := l.riders[0]
	accept := winner.command(harness.Accept(offers[slices.Index(l.drivers, winner)]))
	ends := make([]time.Duration, len(l.drivers))
	var matched, replied time.Duration
	start := time.Now()
	err := together(len(l.drivers)+1, func(n int) error {
		switch {
		case n == len(l.drivers):
			_, err := r.status(trip, ridepb.Trip_matched)
			matched = time.Since(start)
			return err
		case l.drivers[n] == winner:
			reply, err := winner.TryAsk(accept)
			replied = time.Since(start)
			if err == nil && reply.GetTrip() == nil {
				err = fmt.Errorf("%s did not win: %v", winner.Name, reply)
			}
			return err
		default:
			_, err := l.drivers[n].end(offers[n])
			ends[n] = time.Since(start)
			return err
		}
	})
	took[stepMatched], took[stepReply], took[stepLosers] = matched, replied, slices.Max(ends)
	return err
}

// together calls f concurrently for each number below n and returns the first error.
func together(n int, f func(int) error) error {
	errs := make(chan error, n)
	for i := range n {
		go func() { errs <- f(i) }()
	}
	var first error
	for range n {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// table shows measurements in milliseconds and as multiples of an fsync.
func table(name string, rides int, took map[string]times) string {
	unit := took[stepFsync].at(50)
	out := fmt.Sprintf("%s, %d rides one at a time\n%-34s %8s %8s %8s   × fsync (p50)\n", name, rides, "ms", "p50", "p95", "p99")
	for _, step := range steps {
		x := took[step]
		out += fmt.Sprintf("%-34s %8.2f %8.2f %8.2f   %.1f\n", step, ms(x.at(50)), ms(x.at(95)), ms(x.at(99)), float64(x.at(50))/float64(unit))
	}
	return out
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
