package city

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// past is a store of past trips.
type pastTrips struct{ trips []ride.Trip }

func (p *pastTrips) ListTrips(_ context.Context, f ride.TripFilter) (out []ride.Trip, _ string, _ error) {
	for _, t := range p.trips {
		if !t.RequestedAt.Before(f.From) && t.RequestedAt.Before(f.To) {
			out = append(out, t)
		}
	}
	return out, "", nil
}

// chartNode is a node whose steps the test carries.
type chartNode struct {
	*City
	name string
	stop func()

	mu  sync.Mutex
	out []*nodepb.ChartStep
}

func (n *chartNode) share(m *nodepb.ChartStep) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.out = append(n.out, m)
}

// take returns what the node has shared since the last call.
func (n *chartNode) take() []*nodepb.ChartStep {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := n.out
	n.out = nil
	return out
}

// chartCluster runs a test with nodes that share charts.
func chartCluster(t *testing.T, store *pastTrips, test func(start func(name string) *chartNode)) {
	synctest.Test(t, func(t *testing.T) {
		var all []*chartNode
		test(func(name string) *chartNode {
			n := &chartNode{name: name}
			n.City = New(Config{
				Resolution: 8, Positions: func() float64 { return 0 }, Trips: store, StoreTimeout: time.Second, Log: slog.New(slog.DiscardHandler),
				Node: name, Share: n.share,
			})
			ctx, cancel := context.WithCancel(context.Background())
			n.stop = cancel
			all = append(all, n)
			go n.Run(ctx)
			return n
		})
		for _, n := range all {
			n.stop()
		}
		synctest.Wait()
	})
}

// exchange gives each node what the others have sent since.
func exchange(nodes ...*chartNode) {
	synctest.Wait()
	for _, from := range nodes {
		for _, m := range from.take() {
			for _, to := range nodes {
				if to != from {
					to.AddStep(from.name, m)
				}
			}
		}
	}
}

// live lets time pass, second by second, while the nodes exchange their steps.
func live(s int, nodes ...*chartNode) {
	for range s {
		time.Sleep(time.Second)
		exchange(nodes...)
	}
}

func drivers(c *City, n int) {
	for range n {
		c.Drivers.Enter(&Driver{State: ridepb.CityDriver_available})
	}
}

func matchOn(c *City, waited time.Duration) {
	now := time.Now()
	requested := &ride.Trip{Status: ride.StatusRequested, RequestedAt: now.Add(-waited)}
	c.charts.transition(&ride.Trip{}, requested)
	c.charts.transition(requested, &ride.Trip{Status: ride.StatusMatched, RequestedAt: now.Add(-waited), MatchedAt: now})
}

func only(t *testing.T, c *City, since time.Time) *ridepb.Sample {
	t.Helper()
	got := c.Samples(since, Step)
	require.NotEmpty(t, got)
	return got[len(got)-1]
}

// The charts of each node are those of all nodes, each thing counted once.
func TestEachNodeHasTheChartsOfAll(t *testing.T) {
	chartCluster(t, &pastTrips{}, func(start func(string) *chartNode) {
		begun := time.Now()
		a, b := start("a"), start("b")
		a.SetNodes([]string{"a", "b"})
		b.SetNodes([]string{"a", "b"})
		drivers(a.City, 3)
		drivers(b.City, 4)
		live(22, a, b)
		matchOn(a.City, time.Second)
		matchOn(b.City, 3*time.Second)
		matchOn(b.City, 3*time.Second)
		live(12, a, b)
		for _, n := range []*chartNode{a, b} {
			s := only(t, n.City, begun)
			require.Equal(t, []uint32{3, 3}, []uint32{s.GetRequests(), s.GetMatches()})
			require.InDelta(t, 7000.0/3, s.GetMatchMeanMs(), 1)
			require.InEpsilon(t, 3000, s.GetMatchP50Ms(), 0.25)
			require.InDelta(t, 7, s.GetDriversOnline(), 0.01)
			require.Nil(t, s.GetMissing())
			require.False(t, s.GetTripsOnly())
		}
		long := a.Samples(begun, time.Minute)
		require.Len(t, long, 1)
		require.InDelta(t, 7, long[0].GetDriversOnline(), 0.01, "a mean over steps is not their sum")
	})
}

// A step that lacks a node's figures says so, until they come.
func TestAStepSaysWhoseFiguresItLacks(t *testing.T) {
	chartCluster(t, &pastTrips{}, func(start func(string) *chartNode) {
		begun := time.Now()
		a, b := start("a"), start("b")
		for _, n := range []*chartNode{a, b} {
			n.SetNodes([]string{"a", "b"})
			drivers(n.City, 5)
		}
		live(24, a, b)
		require.Nil(t, only(t, a.City, begun).GetMissing())
		live(10, a) // b is frozen, as far as a can see
		s := only(t, a.City, begun)
		require.EqualValues(t, 1, s.GetMissing().GetCount())
		require.InDelta(t, 5, s.GetDriversOnline(), 0.01)
		exchange(a, b)
		s = only(t, a.City, begun)
		require.Nil(t, s.GetMissing(), "it came late")
		require.InDelta(t, 10, s.GetDriversOnline(), 0.01)
		require.Len(t, a.Samples(begun, Step), 2)
	})
}

// A node that is restarted leaves a gap where figures are missing, and no dent: neither on the others,
// nor on itself, whose past is the database's.
func TestARestartMakesNoDent(t *testing.T) {
	store := &pastTrips{}
	chartCluster(t, store, func(start func(string) *chartNode) {
		begun := time.Now()
		a, b := start("a"), start("b")
		a.SetNodes([]string{"a", "b"})
		b.SetNodes([]string{"a", "b"})
		drivers(a.City, 2)
		drivers(b.City, 8)
		live(22, a, b)
		for range 4 {
			matchOn(a.City, time.Second)
			matchOn(b.City, time.Second)
			for range 2 {
				store.trips = append(store.trips, ride.Trip{Status: ride.StatusMatched, RequestedAt: time.Now().Add(-time.Second), MatchedAt: time.Now()})
			}
		}
		live(14, a, b)
		b.stop() // killed; its drivers reconnect to a in mid-step
		drivers(a.City, 8)
		a.SetNodes([]string{"a"})
		live(7, a)
		again := start("b2")
		a.SetNodes([]string{"a", "b2"})
		again.SetNodes([]string{"a", "b2"})
		live(30, a, again)

		dents, gaps := 0, 0
		requests := uint32(0)
		for _, s := range a.Samples(begun, Step) {
			requests += s.GetRequests()
			switch {
			case s.GetMissing() != nil:
				gaps++
			case s.GetDriversOnline() < 9.9:
				dents++
			}
		}
		require.Zero(t, dents)
		require.Equal(t, 1, gaps, "the step in which the node ended")
		require.EqualValues(t, 8, requests)

		requests = 0
		for _, s := range again.Samples(begun.Add(-time.Hour), Step) {
			requests += s.GetRequests()
			require.True(t, s.GetTripsOnly() || s.GetDriversOnline() > 9.9, "%v", s)
		}
		require.EqualValues(t, 8, requests, "from the database, once")
	})
}

// Figures of a step that has no place are left out.
func TestOddStepsAreLeftOut(t *testing.T) {
	chartCluster(t, &pastTrips{}, func(start func(string) *chartNode) {
		begun := time.Now()
		a := start("a")
		a.AddStep("b", &nodepb.ChartStep{End: begun.Unix(), Requests: 1})
		a.SetNodes([]string{"a"})
		live(24, a)
		now := time.Now().Truncate(Step)
		for _, end := range []time.Time{now.Add(time.Second), now.Add(time.Hour), now.Add(-time.Hour), begun.Add(-time.Minute), {}} {
			a.AddStep("b", &nodepb.ChartStep{End: end.Unix(), Requests: 1})
		}
		step := &nodepb.ChartStep{End: now.Unix(), Requests: 1, Waits: make([]uint32, 99)}
		a.AddStep("b", step)
		a.AddStep("b", step)
		requests := uint32(0)
		for _, s := range a.Samples(begun.Add(-time.Hour), Step) {
			requests += s.GetRequests()
		}
		require.EqualValues(t, 1, requests, "once")
	})
}
