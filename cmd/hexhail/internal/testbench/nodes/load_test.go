package nodes

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
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

// TestNoHealthyNodeEndsUnderLoad: beside 15 busy loops for each processor, with the limits that these
// tests use, no node ends and none is dropped, and commands get answers. What happens with the default
// limits is only reported. HEXHAIL_NODES_LOAD says for how long, such as 30s.
func TestNoHealthyNodeEndsUnderLoad(t *testing.T) {
	lasts, err := time.ParseDuration(os.Getenv("HEXHAIL_NODES_LOAD"))
	if err != nil {
		t.Skip("HEXHAIL_NODES_LOAD=30s runs three nodes beside busy loops")
	}
	t.Run("wide limits", func(t *testing.T) { underLoad(t, lasts) })
	t.Run("default limits", func(t *testing.T) {
		err := harness.Try(t, func(tb testing.TB) {
			underLoad(tb, lasts, "--cluster-lease=3s", "--cluster-silence=2s", "--cluster-alone=6s", "--cluster-without-database=5s")
		})
		t.Logf("with the default limits: %v", err)
	})
}

// underLoad runs three nodes with people on them beside busy loops.
func underLoad(tb testing.TB, lasts time.Duration, more ...string) {
	tb.Helper()
	c := newCluster(tb, 3, append(secured(tb), more...)...)
	before := status(tb, c.nodes[0]).Members
	var crowd []*commuter
	for _, n := range c.nodes {
		for i := range 5 {
			crowd = append(crowd, newCommuter(tb, n, host(i)+n.HTTP))
		}
	}
	stop := loops(tb, 15*runtime.GOMAXPROCS(0))
	begun := time.Now()
	most := 0.0
	done := make(chan struct{})
	var all sync.WaitGroup
	for _, p := range crowd {
		all.Go(func() { p.travel(done) })
	}
	for time.Since(begun) < lasts { // the length of the load
		time.Sleep(time.Second)
		most = max(most, loadAverage())
	}
	var took []time.Duration
	unanswered := 0
	close(done)
	all.Wait()
	stop()
	for _, p := range crowd {
		require.NoError(tb, p.err)
		took = append(took, p.took...)
		unanswered += p.unavailable
	}
	slices.Sort(took)
	pause := 0.0
	for _, n := range c.nodes {
		pause = max(pause, n.Metric("hexhail_node_longest_pause_seconds"))
	}
	require.NotEmpty(tb, took)
	tb.Logf("load average %.0f; %d commands answered, p50 %v, p99 %v, at worst %v; %d refused as unavailable; longest pause of a node %.2f s of %.2f s",
		most, len(took), took[len(took)/2].Round(time.Millisecond), took[len(took)*99/100].Round(time.Millisecond),
		took[len(took)-1].Round(time.Millisecond), unanswered, pause, c.nodes[0].Metric("hexhail_node_tolerated_pause_seconds"))
	c.counts(3)
	for _, n := range c.nodes {
		s := status(tb, n)
		require.Empty(tb, s.Dropped)
		for i, m := range s.Members {
			require.Equal(tb, before[i].Incarnation, m.Incarnation)
		}
	}
}

// loops keeps processors busy until the returned function is called.
func loops(tb testing.TB, n int) (stop func()) {
	tb.Helper()
	var all []*exec.Cmd
	for range n {
		cmd := exec.CommandContext(tb.Context(), "/bin/sh", "-c", "while :; do :; done")
		require.NoError(tb, cmd.Start())
		all = append(all, cmd)
	}
	stop = sync.OnceFunc(func() {
		for _, cmd := range all {
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // it is killed
		}
	})
	tb.Cleanup(stop)
	return stop
}

// commuter is a driver who reports positions and a rider who asks for trips and cancels them, both on
// one node.
type commuter struct {
	driver, rider *harness.Client
	took          []time.Duration
	unavailable   int
	err           error
}

func newCommuter(tb testing.TB, n *harness.Server, name string) *commuter {
	tb.Helper()
	p := &commuter{}
	p.driver, _ = harness.Connect(tb, n, wire.Binary, n.Token(ride.RoleDriver, "driver "+name), nil)
	p.driver.Online(geo.Destination(pickup, 0, 2000))
	p.rider, _ = harness.Connect(tb, n, wire.Binary, n.Token(ride.RoleRider, "rider "+name), nil)
	return p
}

// travel sends commands, one after the other, until done.
func (p *commuter) travel(done <-chan struct{}) {
	for trip := ""; ; {
		select {
		case <-done:
			return
		case <-time.After(200 * time.Millisecond):
		}
		p.driver.Position(geo.Destination(pickup, 0, 2000))
		f := harness.Request(pickup, dropoff)
		if trip != "" {
			f = harness.Cancel(trip)
		}
		begun := time.Now()
		var r *ridepb.Reply
		if r, p.err = p.rider.TryReply(p.rider.Send(f), 1); p.err != nil {
			return
		}
		if r.GetError().GetCode() == ride.ErrUnavailable.Code {
			p.unavailable++
			continue
		}
		p.took = append(p.took, time.Since(begun))
		was := trip
		if trip = r.GetTrip().GetId(); trip == was {
			trip = ""
		}
	}
}

// loadAverage is the load of the last minute; 0 where it is unknown.
func loadAverage() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	var load float64
	_, _ = fmt.Sscan(string(text), &load)
	return load
}
