package nodes

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/sim/city"
	"github.com/hexhail/hexhail/sim/demand"
	"github.com/hexhail/hexhail/sim/demand/nyc"
)

// BenchmarkCosts measures the processor time of servers, Postgres, etcd and clients not counted: of a
// node without clients, of a position of a free driver, and of a trip with all its positions. It
// compares one server alone with three nodes, for the same city and for one three times as large,
// because a process works the cheaper the more it has to do. Use it on a quiet machine:
//
//	go test -run '^$' -bench Costs -benchtime 1x -count 3 ./cmd/hexhail/internal/testbench/nodes
func BenchmarkCosts(b *testing.B) {
	for _, x := range []struct{ nodes, times int }{{1, 1}, {1, 3}, {3, 3}, {5, 3}} {
		b.Run(fmt.Sprintf("nodes=%d/city=%d", x.nodes, x.times), func(b *testing.B) {
			for range b.N {
				idle := costs(b, x.nodes, nil)
				b.ReportMetric(100*idle.perSecond(), "%core/idle")
				free := costs(b, x.nodes, &load{drivers: 500 * x.times, speed: 1})
				b.ReportMetric(free.per(free.positions, 0), "µs/position")
				b.ReportMetric(free.per(free.positions, idle.perSecond()), "µs/position-idle")
				trips := costs(b, x.nodes, &load{drivers: 300 * x.times, perMinute: 20 * float64(x.times), speed: 20})
				b.ReportMetric(trips.per(trips.trips, 0)/1000, "ms/trip")
				b.ReportMetric(trips.per(trips.trips, idle.perSecond())/1000, "ms/trip-idle")
				b.ReportMetric((trips.frames-idle.frames*trips.window.Seconds()/idle.window.Seconds())/max(trips.trips, 1), "messages/trip")
				b.ReportMetric(trips.commits/max(trips.trips, 1), "transitions/trip")
			}
			b.ReportMetric(0, "ns/op") // it is the length of the windows
		})
	}
}

// BenchmarkIdleNodes measures the processor time that each node of a cluster without clients uses, by
// the number of nodes: each pings all others.
//
//	go test -run '^$' -bench IdleNodes -benchtime 1x -count 3 ./cmd/hexhail/internal/testbench/nodes
func BenchmarkIdleNodes(b *testing.B) {
	for _, n := range []int{1, 2, 3, 5, 8} {
		b.Run(fmt.Sprintf("nodes=%d", n), func(b *testing.B) {
			for range b.N {
				b.ReportMetric(100*costs(b, n, nil).perSecond()/float64(n), "%core/node")
			}
			b.ReportMetric(0, "ns/op") // it is the length of the window
		})
	}
}

// load is a city that uses servers.
type load struct {
	drivers   int
	perMinute float64 // requests, simulated
	speed     float64
}

// cost is what servers did in a window of time.
type cost struct {
	processor        float64 // seconds
	positions, trips float64
	frames           float64 // messages from node to node
	commits          float64 // transitions that the database took
	window           time.Duration
}

func (c cost) perSecond() float64 { return c.processor / c.window.Seconds() }

// per is the time of one of n things, in microseconds, without what idle servers use.
func (c cost) per(n, idlePerSecond float64) float64 {
	return 1e6 * (c.processor - idlePerSecond*c.window.Seconds()) / max(n, 1)
}

// costs measures new servers under a load.
func costs(b *testing.B, n int, l *load) cost {
	b.Helper()
	const settle, window = 15 * time.Second, 20 * time.Second
	o := harness.Options{Child: true, Flags: []string{"--position-max-speed=20000"}}
	var s *harness.Server
	if n == 1 {
		o.Flags = append(o.Flags, "--database-url="+pgtest.Start(b))
		s = harness.Start(b, o)
	} else {
		o.Flags = append(o.Flags, harness.ClusterFlags(b)...)
		s = harness.StartCluster(b, n, o)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	if l == nil {
		ended <- nil
	} else {
		c := newCity(b, s, *l)
		go func() { ended <- c.Run(ctx) }()
	}
	defer func() {
		cancel()
		<-ended
		require.NoError(b, s.Stop())
	}()
	time.Sleep(settle) // the benchmark leaves out what comes once, such as sessions and searches for the first positions
	before := read(s)
	begun := time.Now()
	time.Sleep(window)
	after := read(s)
	return cost{
		processor: after.processor - before.processor, positions: after.positions - before.positions, trips: after.trips - before.trips,
		frames: after.frames - before.frames, commits: after.commits - before.commits,
		window: time.Since(begun),
	}
}

func read(s *harness.Server) cost {
	return cost{
		processor: s.Metric("process_cpu_seconds_total"), positions: s.Metric("hexhail_location_updates_total"),
		trips: s.Metric("hexhail_trip_changes_total", `event="completed"`), frames: s.Metric("hexhail_node_frames_total", `result="sent"`),
		commits: s.Metric("hexhail_commit_batch_size_sum"),
	}
}

func newCity(b *testing.B, s *harness.Server, l load) *city.City {
	b.Helper()
	all, taxis, err := nyc.Peak(demand.Filter{})
	require.NoError(b, err)
	for i := range taxis {
		taxis[i].From = 0
	}
	behaviour := city.DefaultBehaviour()
	behaviour.Losses = 0
	c, err := city.New(city.Config{
		URLs: sockets(s), Codecs: []wire.Codec{wire.Binary},
		Token:    func(role, name string) (string, error) { return s.Token(ride.Role(role), name), nil },
		Requests: demand.NewStream(all, max(l.perMinute, 0.001), 1), // a city without requests would end
		Taxis:    demand.Fleet(taxis, l.drivers, 1), Router: city.Straight{SpeedMPS: 16 / 3.6, Detour: 1.4},
		Seed: 1, Behaviour: behaviour, Speed: l.speed, TripInterval: time.Second, IdleInterval: time.Second,
		Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(b, err)
	return c
}

// sockets are those of each node, without the balancer between.
func sockets(s *harness.Server) (out []string) {
	if s.Nodes() == nil {
		return []string{s.WS}
	}
	for _, node := range s.Nodes() {
		out = append(out, node.WS)
	}
	return out
}
