package actors

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// network is the links between the nodes of a test: in order, at once, and lossy on demand.
type network struct {
	mu    sync.Mutex
	nodes map[Member]*System
	queue map[[2]Member]chan []byte
	// lose, when set, decides for each frame whether it is lost.
	lose func(f *nodepb.NodeFrame) bool
	lost int
	late map[Member]bool
	done sync.WaitGroup
}

func newNetwork() *network {
	return &network{nodes: make(map[Member]*System), queue: make(map[[2]Member]chan []byte), late: make(map[Member]bool)}
}

// netEnd is a node's end of the network.
type netEnd struct {
	net  *network
	from Member
}

func (w netEnd) Send(to Member, f *nodepb.NodeFrame) {
	b, err := proto.Marshal(f)
	if err != nil {
		panic(err)
	}
	n := w.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lose != nil && n.lose(f) {
		n.lost++
		return
	}
	way := [2]Member{w.from, to}
	q := n.queue[way]
	if q == nil {
		q = make(chan []byte, 100_000)
		n.queue[way] = q
		n.done.Go(func() { n.carry(to, q) })
	}
	q <- b // it never fills
}

func (w netEnd) Late(m Member) bool {
	w.net.mu.Lock()
	defer w.net.mu.Unlock()
	return w.net.late[m]
}

// carry delivers what one node sends another, to whichever process is at the address by then.
func (n *network) carry(to Member, q chan []byte) {
	for b := range q {
		f := new(nodepb.NodeFrame)
		if err := proto.Unmarshal(b, f); err != nil {
			panic(err)
		}
		n.mu.Lock()
		var s *System
		for m, there := range n.nodes {
			if m.Address == to.Address {
				s = there
			}
		}
		n.mu.Unlock()
		if s != nil {
			s.Receive(f)
		}
	}
}

func (n *network) losing(lose func(f *nodepb.NodeFrame) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lose = lose
}

// cluster is a few worlds over one store, each a node.
type cluster struct {
	t     *testing.T
	net   *network
	store *memStore
	list  []Member
	nodes []*world

	change func(*Config)
}

func inCluster(t *testing.T, n int, test func(c *cluster)) {
	inClusterWith(t, n, nil, test)
}

// inClusterWith is inCluster with changes to the default configuration.
func inClusterWith(t *testing.T, n int, change func(*Config), test func(c *cluster)) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{t: t, net: newNetwork(), store: newMemStore(), list: members(n), change: change}
		for _, m := range c.list {
			w := &world{t: t, store: c.store}
			c.nodes = append(c.nodes, w)
			c.boot(w, m)
		}
		c.join(c.list...)
		test(c)
		for _, w := range c.nodes {
			require.Zero(t, counted(t, w.sys.stats.misdirected), "a message reached another account's actor")
			require.NoError(t, w.sys.Stop(context.Background()))
		}
		c.net.mu.Lock()
		for _, q := range c.net.queue {
			close(q)
		}
		c.net.queue = nil
		c.net.mu.Unlock()
		c.net.done.Wait()
		time.Sleep(2 * time.Second) // protoactor counts dead letters per second
	})
}

func (c *cluster) boot(w *world, m Member) {
	w.boot(func(cfg *Config) {
		cfg.Cluster = &Cluster{Self: m, Link: netEnd{c.net, m}}
		if c.change != nil {
			c.change(cfg)
		}
	})
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	for was := range c.net.nodes {
		if was.Address == m.Address {
			delete(c.net.nodes, was)
		}
	}
	c.net.nodes[m] = w.sys
}

// join gives all nodes a new list of members.
func (c *cluster) join(list ...Member) {
	for _, w := range c.nodes {
		w.sys.SetMembers(list)
	}
	synctest.Wait()
}

func (c *cluster) owner(trip string) *world {
	for _, w := range c.nodes {
		if w.sys.place.Owns(ride.TripID(trip)) {
			return w
		}
	}
	c.t.Fatal("the trip has no owner")
	return nil
}

// finishRide takes a matched trip to its end.
func finishRide(t *testing.T, d, r *client, trip string) {
	d.at(geo.Destination(pickup, 0, 90))
	require.NotEmpty(t, r.box.positions(), "the rider sees the driver move")
	require.NotNil(t, d.arrived(trip).GetTrip())
	require.NotNil(t, d.start(trip, "").GetTrip())
	require.Equal(t, ridepb.Trip_completed, d.complete(trip).GetTrip().GetStatus())
	require.NotNil(t, r.rate(trip, 5).GetTrip())
	require.NotNil(t, d.rate(trip, 4).GetTrip())
	require.Subset(t, r.changes(), []string{ride.KindMatched, ride.KindArrived, ride.KindStarted, ride.KindCompleted})
}

// A whole ride with the rider on one node, the driver on another and a loser on a third.
func TestRideAcrossNodes(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		near, far := c.nodes[1].driver("near", 100), c.nodes[2].driver("far", 600)
		r := c.nodes[0].rider("r")
		trip := r.request().GetTrip().GetId()
		require.Same(t, c.nodes[0], c.owner(trip), "a trip is born beside its rider")
		require.NotNil(t, far.decline(far.offer()).GetDone())
		require.NotNil(t, near.accept(near.offer()).GetTrip())
		finishRide(t, near, r, trip)
		require.Equal(t, []string{"declined "}, far.ends())
		require.EqualValues(t, 1, c.store.trip(ride.TripID(trip)).Fence, "it was activated once")
	})
}

// A trip moves when the members change, once, and its parties go on.
func TestTripMovesToItsNewOwner(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		c.join(c.list[:2]...)
		type party struct {
			r, d *client
			trip string
		}
		var moved []party
		for i := 0; len(moved) < 3; i++ {
			require.Less(t, i, 200)
			d, r := c.nodes[1].driver(fmt.Sprint("d", i), 100), c.nodes[0].rider(fmt.Sprint("r", i))
			trip := r.request().GetTrip().GetId()
			require.NotNil(t, d.accept(d.offer()).GetTrip())
			if newMemberTable(c.list[2], c.list).owns(ride.TripID(trip)) {
				moved = append(moved, party{r, d, trip})
			} else {
				require.NotNil(t, r.cancel(trip).GetTrip())
				require.NotNil(t, d.goOffline().GetDone())
			}
		}
		c.join(c.list...)
		pass(resendAfter + time.Second)
		for _, p := range moved {
			require.Same(t, c.nodes[2], c.owner(p.trip))
			finishRide(t, p.d, p.r, p.trip)
			require.EqualValues(t, 2, c.store.trip(ride.TripID(p.trip)).Fence, "it was activated once more")
		}
		require.GreaterOrEqual(t, c.nodes[2].sys.kinds.trip.Alive(), int64(len(moved)))
	})
}

// The trips of a node that is gone go on elsewhere, without a message from anybody.
func TestTripsOfALostNodeGoOn(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		r := c.nodes[0].rider("r")
		id := ride.TripID(r.request().GetTrip().GetId())
		lost := c.nodes[0]
		c.net.losing(func(*nodepb.NodeFrame) bool { return true })
		c.nodes[1].sys.SetMembers(c.list[1:])
		lost.sys.SetMembers(nil) // it learns that it is out
		pass(lost.sys.cfg.Rules.SearchFor + time.Second)
		require.Equal(t, ride.StatusExpired, c.store.trip(id).Status)
		require.EqualValues(t, 2, c.store.trip(id).Fence)
	})
}

// A waiting trip hears of a driver who turns up on another node, also when the first word of it
// was lost.
func TestWaitingTripsAreKnownElsewhere(t *testing.T) {
	for name, lost := range map[string]bool{"at once": false, "repeated": true, "nearest, at once": false, "nearest, repeated": true} {
		t.Run(name, func(t *testing.T) {
			change := under(ride.PolicyBroadcast)
			if strings.HasPrefix(name, "nearest") {
				change = under(ride.PolicyNearest)
			}
			inClusterWith(t, 2, change, func(c *cluster) {
				c.net.losing(func(f *nodepb.NodeFrame) bool { return lost && f.GetWaiting() != nil })
				r := c.nodes[0].rider("r")
				trip := r.request().GetTrip().GetId()
				c.net.losing(nil)
				if lost {
					pass(repeatEvery + time.Second)
				}
				d := c.nodes[1].driver("d", 100)
				require.Equal(t, trip, d.offer().GetTripId(), "no wave was due")
				require.NotNil(t, r.cancel(trip).GetTrip())
				disk, err := c.nodes[0].sys.pickupDisk(t).Disk(3)
				require.NoError(t, err)
				for _, w := range c.nodes {
					require.Empty(t, w.sys.place.Waiting(disk, "standard", 8))
				}
			})
		})
	}
}

// A search asks the nodes with drivers about there, and no node that does not answer.
func TestSearchesAskOnlyWhereDriversAre(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		asked := make(map[string]int)
		c.net.losing(func(f *nodepb.NodeFrame) bool {
			if f.GetCellFind() != nil {
				asked[f.GetActor().GetAddress()]++
			}
			return false
		})
		riders := 0
		search := func() map[string]int {
			clear(asked)
			riders++
			r := c.nodes[0].rider(fmt.Sprint("r", riders))
			require.NotNil(t, r.cancel(r.request().GetTrip().GetId()).GetTrip())
			return asked
		}
		require.Empty(t, search(), "there is no driver anywhere")
		d := c.nodes[1].driver("d", 100)
		there := c.list[1].Address
		require.Equal(t, map[string]int{there: 1}, search())
		require.NotEmpty(t, d.offers())
		c.net.late[c.list[1]] = true
		require.Empty(t, search())
		delete(c.net.late, c.list[1])
		require.NotNil(t, d.goOffline().GetDone())
		pass(repeatEvery + time.Second) // that an area has been left is said with the next whole list
		require.Empty(t, search())

		// What was lost is repeated.
		c.net.losing(func(f *nodepb.NodeFrame) bool { return f.GetInterest() != nil })
		require.NotNil(t, d.goOnline(100).GetDone())
		require.Empty(t, search())
		c.net.losing(nil)
		pass(repeatEvery + time.Second)
		before := len(d.offers())
		search()
		require.Greater(t, len(d.offers()), before)
	})
}

func (s *System) pickupDisk(t *testing.T) geo.Cell {
	cell, err := geo.CellAt(pickup, s.cfg.Resolution)
	require.NoError(t, err)
	return cell
}

// What was meant for a process does not reach the next one at its address.
func TestMessagesForAFormerProcessReachNoActor(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		c.nodes[1].driver("victim", 100)
		var kept *actor.PID
		c.nodes[1].sys.place.Find("victim", func(pid *actor.PID) { kept = pid })
		again := Member{c.list[1].Address, "again"}
		require.NoError(t, c.nodes[1].sys.Stop(context.Background()))
		c.boot(c.nodes[1], again)
		c.join(c.list[0], again)
		stranger := c.nodes[1].driver("stranger", 100)
		before := len(stranger.box.all())
		for _, w := range c.nodes { // what the change of processes has cost
			for _, result := range []string{frameUnsent, frameNoActor, frameStale} {
				takeCount(t, w.sys, result)
			}
		}

		trip := &ride.Trip{ID: "t", Driver: &ride.DriverCard{ID: "victim"}}
		// One that goes by the address it kept, and one that names the new process all the same.
		for _, pid := range []*actor.PID{kept, actor.NewPID(again.node(), kept.GetId())} {
			c.nodes[0].sys.root.Send(pid, tripUpdate{Trip: trip, Change: ride.KindArrived})
		}
		late, err := newFrame(tripUpdate{Trip: trip}, time.Now())
		require.NoError(t, err)
		late.To = &nodepb.NodeFrame_Actor{Actor: frameActor(kept)}
		netEnd{c.net, c.list[0]}.Send(again, late)
		synctest.Wait()
		require.Len(t, stranger.box.all(), before)
		require.Equal(t, 1.0, counted(t, c.nodes[0].sys.nodes.frames.WithLabelValues(frameUnsent)))
		require.Equal(t, 1.0, counted(t, c.nodes[1].sys.nodes.frames.WithLabelValues(frameNoActor)))
		require.Equal(t, 1.0, counted(t, c.nodes[1].sys.nodes.frames.WithLabelValues(frameStale)))
	})
}

// A message that reaches another account's actor all the same is dropped and counted.
func TestActorsTakeOnlyTheirOwn(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		driver, rider := 0, 0
		other := &ride.Trip{ID: "t", Status: ride.StatusMatched, Request: ride.Request{Rider: ride.RiderCard{ID: "x"}}, Driver: &ride.DriverCard{ID: "y"}}
		offer := ride.Offer{ID: "t.1", Driver: "y"}
		for _, m := range []any{
			tripUpdate{Trip: other, Change: ride.KindMatched}, tripResult{Key: commandKey{Account: "x", ID: "1"}, Reply: done(), Trip: other},
		} {
			w.sys.place.Find("r", func(pid *actor.PID) { w.sys.root.Send(pid, m) })
			rider++
		}
		for _, m := range []any{
			tripUpdate{Trip: other, Change: ride.KindMatched}, tripResult{Key: commandKey{Account: "x", ID: "1"}, Reply: done(), Trip: other},
			offerMade{Trip: other, Offer: offer}, offerEnded{Trip: "t", Offer: offer}, driverReleased{Trip: "t", Driver: "y"},
		} {
			w.sys.place.Find("d", func(pid *actor.PID) { w.sys.root.Send(pid, m) })
			driver++
		}
		require.Empty(t, append(d.box.all(), r.box.all()...))
		require.Equal(t, float64(driver+rider), counted(t, w.sys.stats.misdirected))
	})
}

// A frame that no node of today sends changes nothing, and is counted.
func TestOddFramesAreCounted(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		r := c.nodes[0].rider("r")
		trip := r.request().GetTrip().GetId()
		before := c.store.trip(ride.TripID(trip))
		here, there := c.list[0], c.list[1]
		wake := &nodepb.NodeFrame_TripWake{TripWake: &nodepb.TripWake{}}
		at := func(m Member, name string) *nodepb.NodeFrame_Actor {
			return &nodepb.NodeFrame_Actor{Actor: &nodepb.Actor{Address: m.Address, Incarnation: m.Incarnation, Name: name}}
		}
		later := new(nodepb.NodeFrame)
		// Field 1 is the trip; field 900 is a body of a later version.
		require.NoError(t, proto.Unmarshal(append([]byte{0x0a, byte(len(trip))}, append([]byte(trip), 0xa2, 0x38, 0x02, 0x08, 0x01)...), later))
		for _, x := range []struct {
			frame *nodepb.NodeFrame
			want  string
		}{
			{&nodepb.NodeFrame{}, frameUnknown}, {&nodepb.NodeFrame{Body: wake}, frameUnknown}, {later, frameUnknown},
			{&nodepb.NodeFrame{To: at(there, "x"), Body: wake}, frameStale},
			{&nodepb.NodeFrame{To: at(here, "x"), Body: wake}, frameNoActor},
			{&nodepb.NodeFrame{To: at(here, "x"), Body: &nodepb.NodeFrame_TripUpdate{}}, frameMalformed},
			{&nodepb.NodeFrame{To: at(here, finderName), Body: &nodepb.NodeFrame_Waiting{Waiting: &nodepb.Waiting{Whole: true}}}, frameStale},
		} {
			c.nodes[0].sys.Receive(x.frame)
			require.Equal(t, 1.0, takeCount(t, c.nodes[0].sys, x.want), "%v", x.frame)
		}
		c.nodes[1].sys.Receive(&nodepb.NodeFrame{To: &nodepb.NodeFrame_Trip{Trip: trip}, Body: wake})
		require.Equal(t, 1.0, takeCount(t, c.nodes[1].sys, frameNotOwned))
		synctest.Wait()
		require.Equal(t, before, c.store.trip(ride.TripID(trip)))
	})
}

// takeCount reads a counter of frames and resets it.
func takeCount(t *testing.T, s *System, result string) float64 {
	n := counted(t, s.nodes.frames.WithLabelValues(result))
	s.nodes.frames.DeleteLabelValues(result)
	return n
}

// Over links that lose a quarter of everything, rides still come to their ends, each offer ends
// once, and a trip is activated once.
func TestRidesOverLossyLinks(t *testing.T) {
	patient := func(cfg *Config) { cfg.Rules.SearchFor = 5 * time.Minute }
	inClusterWith(t, 2, patient, func(c *cluster) {
		random := rand.New(rand.NewPCG(1, 2))
		c.net.losing(func(*nodepb.NodeFrame) bool { return random.IntN(4) == 0 })
		for i := range 10 {
			here, there := c.nodes[i%2], c.nodes[1-i%2]
			d, r := there.driver(fmt.Sprint("d", i), 100), here.rider(fmt.Sprint("r", i))
			trip := untilTrip(t, r, requestFrame()).GetId()
			untilMatched(t, d)
			untilTrip(t, d, &ridepb.ClientFrame{Body: &ridepb.ClientFrame_Arrived{Arrived: &ridepb.MarkArrived{TripId: trip}}})
			untilTrip(t, d, &ridepb.ClientFrame{Body: &ridepb.ClientFrame_StartTrip{StartTrip: &ridepb.StartTrip{TripId: trip}}})
			untilTrip(t, d, &ridepb.ClientFrame{Body: &ridepb.ClientFrame_CompleteTrip{CompleteTrip: &ridepb.CompleteTrip{TripId: trip}}})
			stored := c.store.trip(ride.TripID(trip))
			require.Equal(t, ride.StatusCompleted, stored.Status)
			require.EqualValues(t, 1, stored.Fence)
			require.NotNil(t, d.goOffline().GetDone())
			pass(time.Minute)
			require.Len(t, d.ends(), len(d.offers()), "each offer ends once")
			last := r.changes()[len(r.changes())-1]
			require.Equal(t, ride.KindCompleted, last, "the rider hears of the end")
		}
		require.Greater(t, c.net.lost, 50)
	})
}

func requestFrame() *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: requestTrip()}}
}

// untilMatched accepts offers until one of them wins its trip.
func untilMatched(t *testing.T, d *client) {
	t.Helper()
	for n, tried := 0, 0; n < 250; n++ {
		d.at(geo.Destination(pickup, 0, float64(100+n%2*30)))
		if len(d.offers()) == tried {
			continue
		}
		tried = len(d.offers())
		if untilAnswer(t, d, acceptFrame(d.offer())).GetTrip() != nil {
			return
		}
	}
	t.Fatal("no match")
}

// untilTrip is untilAnswer for a command that must succeed.
func untilTrip(t *testing.T, c *client, f *ridepb.ClientFrame) *ridepb.Trip {
	t.Helper()
	r := untilAnswer(t, c, f)
	require.NotNil(t, r.GetTrip(), "%v", r)
	return r.GetTrip()
}

// untilAnswer repeats a frame under its id until the answer is final, as apps do.
func untilAnswer(t *testing.T, c *client, f *ridepb.ClientFrame) *ridepb.Reply {
	t.Helper()
	id := c.send(f)
	for range 120 {
		r := c.box.reply(id)
		if r != nil && !r.GetError().GetRetryable() {
			return r
		}
		if r != nil {
			f = proto.Clone(f).(*ridepb.ClientFrame)
			c.send(f)
		}
		pass(time.Second)
	}
	t.Fatal("no answer in 120 s")
	return nil
}

// counted is what a counter shows.
func counted(t *testing.T, c prometheus.Counter) float64 {
	var m dto.Metric
	require.NoError(t, c.Write(&m))
	return m.GetCounter().GetValue()
}
