package actors

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// zoneOwner is the node whose matcher plans for the usual pickup.
func (c *cluster) zoneOwner() *world {
	cell, err := geo.CellAt(pickup, c.nodes[0].sys.cfg.Resolution)
	require.NoError(c.t, err)
	zone, err := cell.Parent(c.nodes[0].sys.cfg.ZoneResolution)
	require.NoError(c.t, err)
	for _, w := range c.nodes {
		if w.sys.nodes.table.Load().ownsShard(shardOfZone(zone)) {
			return w
		}
	}
	c.t.Fatal("the zone has no owner")
	return nil
}

// others are the nodes without the matcher.
func (c *cluster) others() (out []*world) {
	for _, w := range c.nodes {
		if w != c.zoneOwner() {
			out = append(out, w)
		}
	}
	return out
}

// matchers counts the matchers of all nodes.
func (c *cluster) matchers() (n int) {
	for _, w := range c.nodes {
		n += len(w.sys.place.MatchersHere())
	}
	return n
}

// A rider and a driver on two nodes are matched by the matcher on a third, and nobody else has one.
func TestAMatcherServesAllNodes(t *testing.T) {
	inClusterWith(t, 3, gathering, func(c *cluster) {
		others := c.others()
		d, r := others[0].driver("d", 100), others[1].rider("r")
		trip := r.request().GetTrip().GetId()
		require.Empty(t, d.offers())
		pass(others[0].gather())
		require.Equal(t, trip, d.offer().GetTripId())
		require.NotEmpty(t, others[0].waves(trip)[0].Decision)
		require.Len(t, c.zoneOwner().sys.place.MatchersHere(), 1)
		require.Equal(t, 1, c.matchers())
		require.NotNil(t, d.accept(d.offer()).GetTrip())
		finishRide(t, d, r, trip)
		require.EqualValues(t, 1, c.store.trip(ride.TripID(trip)).Fence)
	})
}

// cutOff are roads by which nobody more than 500 m from where they end gets there; or nobody nearer.
type cutOff struct {
	roads
	nearer bool
}

var _ geo.Fan = cutOff{}

func (c cutOff) To(ctx context.Context, from []geo.Place, to geo.Place, at time.Time) ([]geo.Route, error) {
	all, err := c.roads.To(ctx, from, to, at)
	for i := range all {
		if (all[i].DistanceM > 500) != c.nearer {
			all[i] = geo.Unreachable()
		}
	}
	return all, err
}

// A driver without a way does not keep the wave for another one from its trip, which is on another node.
func TestADriverWithoutAWayIsNotPartOfAPlan(t *testing.T) {
	inClusterWith(t, 3, func(c *Config) {
		gathering(c)
		c.ETA = cutOff{}
	}, func(c *cluster) {
		others := c.others()
		near := others[0].driver("near", 100)
		others[0].driver("cut off", 700)
		trip := others[1].rider("r").request().GetTrip().GetId()
		pass(others[0].gather())
		require.Equal(t, trip, near.offer().GetTripId())
		wave := others[0].waves(trip)[0]
		require.NotEmpty(t, wave.Decision)
		require.Len(t, wave.Offers, 1)
	})
}

// The node of a matcher is gone: trips search by themselves until another node has the zone, and its matcher
// knows them within seconds.
func TestAMatcherIsLostWithItsNode(t *testing.T) {
	inClusterWith(t, 3, gathering, func(c *cluster) {
		lost, others := c.zoneOwner(), c.others()
		trip := others[0].rider("r").request().GetTrip().GetId()
		pass(others[0].gather() + time.Second)
		gone := lost.sys.nodes.self
		c.net.losing(func(f *nodepb.NodeFrame) bool {
			return f.GetMatchNeed() != nil || f.GetMatchWord() != nil || f.GetMatchMade() != nil
		})
		pass(registerEvery + heardWithin)
		require.Equal(t, 1., counted(t, others[0].sys.stats.matching.fell.WithLabelValues(fellUnheard)))
		d := others[1].driver("d", 100)
		pass(time.Second)
		require.Equal(t, trip, d.offer().GetTripId(), "it has found the driver itself")
		require.NotNil(t, d.decline(d.offer()).GetDone())

		var left []Member
		for _, m := range c.list {
			if m != gone {
				left = append(left, m)
			}
		}
		c.net.losing(nil)
		lost.sys.SetMembers(nil) // it learns that it is out
		for _, w := range others {
			w.sys.SetMembers(left)
		}
		pass(registerEvery + time.Second)
		second := others[1].driver("second", 300)
		stay(others[0].sys.cfg.Matching.Window+time.Second, map[*client]float64{second: 300})
		require.Equal(t, trip, second.offer().GetTripId())
		require.Equal(t, 1, c.matchers())
		waves := c.nodes[0].waves(trip)
		require.NotEmpty(t, waves[len(waves)-1].Decision, "the new matcher has planned it")
	})
}

// A zone moves to a node that joins, and the former matcher ends.
func TestAMatcherMovesWithItsZone(t *testing.T) {
	inClusterWith(t, 3, gathering, func(c *cluster) {
		owner := c.zoneOwner()
		var without []Member
		for _, m := range c.list {
			if m != owner.sys.nodes.self {
				without = append(without, m)
			}
		}
		stayed := c.others()[0]
		owner.sys.SetMembers(nil)
		for _, w := range c.nodes {
			if w != owner {
				w.sys.SetMembers(without)
			}
		}
		trip := stayed.rider("r").request().GetTrip().GetId()
		pass(stayed.gather() + time.Second)
		require.Equal(t, 1, c.matchers())
		c.join(c.list...)
		pass(registerEvery + time.Second)
		require.Len(t, owner.sys.place.MatchersHere(), 1)
		require.Equal(t, 1, c.matchers())
		d := stayed.driver("d", 100)
		stay(stayed.sys.cfg.Matching.Window+time.Second, map[*client]float64{d: 100})
		require.Equal(t, trip, d.offer().GetTripId())
	})
}

// Two nodes believe that a zone is theirs. Each plans for the trips that it hears of, and a driver is asked once
// at a time.
func TestAZoneWithTwoMatchers(t *testing.T) {
	inClusterWith(t, 2, gathering, func(c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		d := a.driver("d", 100)
		a.sys.SetMembers(c.list[:1]) // it counts the other one out, and is still heard by it
		r1, r2 := a.rider("r1"), b.rider("r2")
		first, second := r1.request().GetTrip().GetId(), r2.request().GetTrip().GetId()
		stay(2*a.sys.cfg.Matching.Window, map[*client]float64{d: 100})
		require.Contains(t, []string{first, second}, d.offer().GetTripId())
		require.Equal(t, 1, d.most())
		c.join(c.list...)
		require.NotNil(t, d.accept(d.offer()).GetTrip())
		require.Equal(t, 1, c.nodes[0].matched())
	})
}

// Over links that lose a quarter of everything, zones are planned and rides come to their ends.
func TestPlansOverLossyLinks(t *testing.T) {
	inClusterWith(t, 2, gathering, func(c *cluster) {
		random := rand.New(rand.NewPCG(3, 4))
		c.net.losing(func(*nodepb.NodeFrame) bool { return random.IntN(4) == 0 })
		for i := range 8 {
			here, there := c.nodes[i%2], c.nodes[1-i%2]
			d, r := there.driver(fmt.Sprint("d", i), 100), here.rider(fmt.Sprint("r", i))
			trip := untilTrip(t, r, requestFrame()).GetId()
			untilMatched(t, d)
			require.Equal(t, ride.StatusMatched, c.store.trip(ride.TripID(trip)).Status)
			require.EqualValues(t, 1, c.store.trip(ride.TripID(trip)).Fence)
			require.NotNil(t, untilTrip(t, r, &ridepb.ClientFrame{Body: &ridepb.ClientFrame_CancelTrip{CancelTrip: &ridepb.CancelTrip{TripId: trip}}}))
			require.NotNil(t, d.goOffline().GetDone())
			pass(time.Minute)
			require.Len(t, d.ends(), len(d.offers()), "each offer ends once")
			require.Equal(t, 1, d.most())
		}
		require.Greater(t, c.net.lost, 50)
	})
}
