package actors

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/actors/city"
	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// states are the nodes that a console shows, by name.
func (c *console) states() map[string]ridepb.CityNode_State {
	out := make(map[string]ridepb.CityNode_State)
	for _, n := range c.nodes {
		out[n.GetName()] = n.GetState()
	}
	return out
}

// cut loses every frame to and from a node, until it is called with "".
func (c *cluster) cut(address string) {
	c.net.losing(func(f *nodepb.NodeFrame) bool {
		return address != "" && (f.GetActor().GetAddress() == address || f.GetFrom().GetAddress() == address)
	})
}

// An operator sees drivers, trips, cells, totals and actors of all nodes, whichever node they are on.
func TestOperatorsSeeAllNodes(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		var drivers []*client
		for i, w := range c.nodes {
			drivers = append(drivers, w.driver(fmt.Sprint("d", i), float64(100+100*i)))
		}
		r := c.nodes[2].rider("r")
		want := everything()
		want.Actors = true
		consoles := []*console{c.nodes[0].console(want), c.nodes[1].console(want)}
		for _, k := range consoles {
			require.Len(t, k.drivers, 3, "the snapshot comes at once")
			require.Len(t, k.nodes, 3)
		}
		trip := r.request().GetTrip().GetId()
		require.NotNil(t, drivers[1].accept(drivers[1].offer()).GetTrip())
		drivers[1].at(geo.Destination(pickup, 0, 150))
		for _, k := range consoles {
			shown := k.look()
			require.True(t, k.whole)
			require.Len(t, shown, 3)
			require.Equal(t, ridepb.CityDriver_on_trip, shown["d1"].GetState())
			lat, _ := geo.Destination(pickup, 0, 150).E7()
			require.Equal(t, lat, shown["d1"].GetPoint().GetLatE7())
			require.Equal(t, "d1", k.trips[trip].GetDriverId())
			require.True(t, proto.Equal(&ridepb.CityTotals{DriversAvailable: 2, DriversOnTrip: 1, TripsMatched: 1, Sessions: 6}, k.totals), "%v", k.totals)
			var supply, requests uint32
			for _, cell := range k.cells {
				supply, requests = supply+cell.GetSupply(), requests+cell.GetRequests()
			}
			require.Equal(t, [2]uint32{2, 1}, [2]uint32{supply, requests})
			require.Len(t, k.states(), 3)
			pass(2 * time.Second)
			k.catchUp()
			alive := map[string]uint32{}
			for _, kind := range k.actors {
				if kind.GetKind() == "driver" {
					alive[kind.GetNode().GetName()] = kind.GetAlive()
				}
			}
			require.Equal(t, map[string]uint32{c.list[0].Address: 1, c.list[1].Address: 1, c.list[2].Address: 1}, alive)
			for _, n := range k.nodes {
				require.Equal(t, ridepb.CityNode_answering, n.GetState())
				require.NotNil(t, n.GetStartedAt())
			}
		}
		kinds, nodes := c.nodes[0].sys.Actors(context.Background())
		require.Len(t, kinds, 3*8)
		require.Len(t, nodes, 3)
		got, err := c.nodes[0].sys.CancelTrip(context.Background(), ride.TripID(trip), "operator", "from another node")
		require.NoError(t, err)
		require.Equal(t, ride.StatusCancelled, got.Status)
		for _, k := range consoles {
			k.look()
			require.Equal(t, ridepb.Trip_cancelled, k.trips[trip].GetStatus())
		}
	})
}

// A node that does not answer is shown as missing after a second, with what it last said, and delays no other node. When
// it is back, it goes on where it was.
func TestANodeThatDoesNotAnswerIsMissing(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		away, d := c.nodes[1].driver("away", 100), c.nodes[2].driver("d", 200)
		k := c.nodes[0].console(everything())
		k.look()
		lost := c.list[1].Address
		c.cut(lost)
		pass(2200 * time.Millisecond)
		k.catchUp()
		require.Equal(t, map[string]ridepb.CityNode_State{
			c.list[0].Address: ridepb.CityNode_answering, lost: ridepb.CityNode_missing, c.list[2].Address: ridepb.CityNode_answering,
		}, k.states())
		for _, n := range k.nodes {
			if n.GetName() == lost {
				require.WithinDuration(t, time.Now(), n.GetHeardAt().AsTime(), 4*time.Second)
			}
		}
		d.at(geo.Destination(pickup, 0, 230))
		away.at(geo.Destination(pickup, 0, 130))
		shown := k.look()
		lat, _ := geo.Destination(pickup, 0, 230).E7()
		require.Equal(t, lat, shown["d"].GetPoint().GetLatE7(), "the others go on")
		lat, _ = geo.Destination(pickup, 0, 100).E7()
		require.Equal(t, lat, shown["away"].GetPoint().GetLatE7(), "as it was")
		require.EqualValues(t, 2, k.totals.GetDriversAvailable())
		began := time.Now()
		kinds, nodes := c.nodes[0].sys.Actors(context.Background())
		require.Less(t, time.Since(began), 2*time.Second)
		require.Len(t, kinds, 2*8)
		require.Equal(t, ridepb.CityNode_missing, nodes[1].GetState())
		late := c.nodes[0].console(everything())
		require.NotContains(t, late.look(), "away")

		c.cut("")
		shown = k.look()
		lat, _ = geo.Destination(pickup, 0, 130).E7()
		require.Equal(t, lat, shown["away"].GetPoint().GetLatE7())
		require.Equal(t, ridepb.CityNode_answering, k.states()[lost])
		late.look()
		require.Contains(t, late.look(), "away")
	})
}

// A node that does not answer and leaves the cluster is listed as gone, without what it had; one that says
// goodbye is not listed. A new process in its place is.
func TestANodeThatIsGone(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		c.nodes[1].driver("away", 100)
		c.nodes[2].driver("left", 200)
		k := c.nodes[0].console(everything())
		require.Len(t, k.look(), 2)
		lost := c.list[1].Address
		c.cut(lost)
		pass(2200 * time.Millisecond)
		c.nodes[0].sys.SetMembers([]Member{c.list[0], c.list[2]})
		c.nodes[2].sys.SetMembers([]Member{c.list[0], c.list[2]})
		require.Equal(t, []string{"left"}, idsOf(k.look()))
		require.EqualValues(t, 1, k.totals.GetDriversAvailable())
		require.Equal(t, ridepb.CityNode_gone, k.states()[lost])
		c.nodes[0].sys.SetMembers(c.list[:1])
		require.Empty(t, k.look())
		require.Len(t, k.states(), 2, "it left in order")
		pass(goneFor)
		k.look()
		require.Len(t, k.states(), 1)

		c.cut("")
		c.join(c.list...)
		require.Len(t, k.look(), 2)
		require.Equal(t, map[string]ridepb.CityNode_State{
			c.list[0].Address: ridepb.CityNode_answering, lost: ridepb.CityNode_answering, c.list[2].Address: ridepb.CityNode_answering,
		}, k.states())
	})
}

// A console that opens after that lists the node, too, for as long as one that was open: until it is back, or
// some minutes have passed.
func TestAConsoleOpensAfterANodeIsGone(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		lost, other := c.list[1], c.list[2]
		at := time.Now()
		c.nodes[0].sys.cfg.Cluster.Dropped = func() []Dropped {
			return []Dropped{
				{Member: Member{lost.Address, "before"}, Name: lost.Address, Version: "v1", At: at.Add(-time.Minute)},
				{Member: lost, Name: lost.Address, Version: "v2", At: at},
				{Member: Member{other.Address, "before"}, Name: other.Address, At: at}, // it is back
				{Member: Member{c.list[0].Address, "before"}, Name: c.list[0].Address, At: at},
				{Member: Member{"10.0.0.9:7946", "x"}, Name: "renamed", At: at.Add(-goneFor - time.Second)},
			}
		}
		c.nodes[0].sys.SetMembers([]Member{c.list[0], other})
		k := c.nodes[0].console(everything())
		k.look()
		want := map[string]ridepb.CityNode_State{
			c.list[0].Address: ridepb.CityNode_answering, lost.Address: ridepb.CityNode_gone, other.Address: ridepb.CityNode_answering,
		}
		require.Equal(t, want, k.states())
		for _, n := range k.nodes {
			if n.GetState() == ridepb.CityNode_gone {
				require.Equal(t, "v2", n.GetVersion())
			}
		}
		pass(goneFor / 2)
		again := c.nodes[0].console(everything())
		require.Equal(t, want, again.states())

		pass(goneFor/2 + time.Minute)
		k.look()
		delete(want, lost.Address)
		require.Equal(t, want, k.states())
		require.Equal(t, want, c.nodes[0].console(everything()).states())

		at = time.Now()
		require.Len(t, c.nodes[0].console(everything()).states(), 3)
		c.join(c.list...)
		require.Equal(t, ridepb.CityNode_answering, c.nodes[0].console(everything()).states()[lost.Address])
	})
}

func idsOf(drivers map[string]*ridepb.CityDriver) (out []string) {
	for id := range drivers {
		out = append(out, id)
	}
	return out
}

// Over links that lose a third of everything, the picture still converges.
func TestOperatorsOverLossyLinks(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		n := 0
		c.net.losing(func(f *nodepb.NodeFrame) bool {
			n++
			return (f.GetCityLook() != nil || f.GetCityPart() != nil) && n%3 == 0
		})
		k := c.nodes[0].console(everything())
		var last *client
		for i := range 20 {
			d := c.nodes[1].driver(fmt.Sprint("d", i), float64(100+i))
			k.look()
			if i%3 == 1 {
				d.goOffline()
			} else {
				last = d
			}
		}
		last.at(geo.Destination(pickup, 0, 140))
		pass(5 * time.Second)
		shown := k.look()
		require.Len(t, shown, 13)
		lat, _ := geo.Destination(pickup, 0, 140).E7()
		require.Equal(t, lat, shown["d18"].GetPoint().GetLatE7())
		require.EqualValues(t, 13, k.totals.GetDriversAvailable()+k.totals.GetDriversUnreachable())
		require.Greater(t, c.net.lost, 5)
	})
}

// A console gets one event in each interval, however many nodes there are, and a snapshot of a node in parts.
func TestPartsOfSeveralNodesComeTogether(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		var markers []*city.Marker
		for n, w := range c.nodes {
			for i := range 700 {
				m := w.sys.city.Drivers.Enter(&city.Driver{ID: ride.AccountID(fmt.Sprint(n, "-", i)), State: ridepb.CityDriver_available})
				m.Move(pickup, 0)
				markers = append(markers, m)
			}
		}
		k := c.nodes[0].console(everything())
		require.Len(t, k.look(), 2100)
		for _, e := range k.box.all() {
			require.LessOrEqual(t, len(e.GetCityChanged().GetDrivers()), 400)
		}
		before := len(k.box.all())
		for range 10 {
			for _, m := range markers[:30] {
				m.Move(geo.Destination(pickup, 0, 10), 0)
			}
			for _, m := range markers[700:730] {
				m.Move(geo.Destination(pickup, 0, 10), 0)
			}
			pass(time.Second)
		}
		require.LessOrEqual(t, len(k.box.all())-before, 12)
		k.box.slow(1 << 20)
		pass(2 * time.Second)
		before = len(k.box.all())
		for range 5 {
			markers[700].Move(geo.Destination(pickup, 0, 20), 0)
			pass(time.Second)
		}
		require.Len(t, k.box.all(), before, "nothing is queued for a slow reader")
		k.box.slow(0)
		lat, _ := geo.Destination(pickup, 0, 20).E7()
		require.Equal(t, lat, k.look()["1-0"].GetPoint().GetLatE7())
	})
}

// Watches that no one looks at any more are forgotten, and a node bounds how many it has.
func TestWatchesOfOtherNodesEnd(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		w := newWatcher(c.nodes[1].sys.shared)
		now := time.Now()
		w.watches[watchKey{"a", 1}] = &remoteWatch{looked: now.Add(-unwatchAfter - time.Second)}
		w.watches[watchKey{"b", 1}] = &remoteWatch{looked: now}
		w.forget(now)
		require.Len(t, w.watches, 1)
	})
}

// A server alone says nothing of nodes.
func TestAServerAloneHasNoNodes(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.driver("d", 100)
		k := w.console(&ridepb.WatchCity{Drivers: true, Actors: true, Samples: true})
		pass(25 * time.Second)
		k.catchUp()
		require.NotEmpty(t, k.samples)
		require.Len(t, k.actors, 6)
		for _, e := range k.box.all() {
			require.Nil(t, e.GetCityChanged().GetNodes())
			for _, kind := range e.GetCityChanged().GetActors() {
				require.Nil(t, kind.GetNode())
			}
			for _, s := range e.GetCityChanged().GetSamples() {
				require.Nil(t, s.GetMissing())
			}
		}
		require.Empty(t, k.nodes)
		_, nodes := w.sys.Actors(context.Background())
		require.Nil(t, nodes)
	})
}
