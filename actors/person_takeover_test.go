package actors

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// cursor is where the history of this session's client ends.
func (c *client) cursor() *ridepb.Resume {
	out := &ridepb.Resume{Epoch: c.connected().GetEpoch(), Seq: c.connected().GetSeq()}
	for _, e := range c.box.all() {
		out = &ridepb.Resume{Epoch: e.GetEpoch(), Seq: e.GetSeq()}
	}
	return out
}

// resumeOn continues on a node after a cursor.
func (c *client) resumeOn(w *world, from *ridepb.Resume) *client {
	c.w.t.Helper()
	moved := *c
	moved.w, moved.ids = w, c.ids+1000
	return moved.connect(from)
}

// join is connect without waiting for the reply.
func (c *client) join(w *world, resume *ridepb.Resume) *client {
	joined := *c
	joined.w, joined.ids, joined.box = w, c.ids+1000, &recorder{}
	w.store.know(c.account)
	w.next++
	var err error
	joined.inbox, err = w.sys.Join(context.Background(), Join{
		Account: c.account, SessionID: fmt.Sprint("s", w.next), ConnectID: "connect", Resume: resume, Out: joined.box,
	})
	require.NoError(w.t, err)
	synctest.Wait()
	return &joined
}

// requireFollows fails the test unless a session's events follow the cursor, one by one.
func requireFollows(t *testing.T, c *client, from *ridepb.Resume) {
	t.Helper()
	require.True(t, c.connected().GetResumed())
	next := from.GetSeq()
	for _, e := range c.box.all() {
		next++
		require.Equal(t, from.GetEpoch(), e.GetEpoch())
		require.Equal(t, next, e.GetSeq())
	}
	require.LessOrEqual(t, c.connected().GetSeq(), next)
}

// held are the frames of a kind that the network holds back.
type held struct {
	c  *cluster
	mu sync.Mutex
	f  []*nodepb.NodeFrame
}

// hold holds back the frames for which is reports true, from now on.
func (c *cluster) hold(is func(f *nodepb.NodeFrame) bool) *held {
	h := &held{c: c}
	c.net.losing(func(f *nodepb.NodeFrame) bool {
		if !is(f) {
			return false
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.f = append(h.f, proto.Clone(f).(*nodepb.NodeFrame))
		return true
	})
	return h
}

// release delivers what was held back, and holds back nothing more.
func (h *held) release() {
	h.c.net.losing(nil)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.f {
		if f.GetTrip() != "" {
			h.c.owner(f.GetTrip()).sys.Receive(f)
		}
		for i, m := range h.c.list {
			if m.Address == f.GetActor().GetAddress() {
				h.c.nodes[i].sys.Receive(f)
			}
		}
	}
	synctest.Wait()
}

// A rider who lost its socket comes back to one node after the other, and misses nothing: neither what
// it was sent and did not see, nor what happened while it was away.
func TestResumeOnOtherNodes(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		d, r := c.nodes[1].driver("d", 100), c.nodes[0].rider("r")
		seen := r.cursor()
		trip := r.request().GetTrip().GetId()
		require.NotNil(t, d.accept(d.offer()).GetTrip())
		for i, step := range []func(){
			func() { require.NotNil(t, d.arrived(trip).GetTrip()) },
			func() { require.NotNil(t, d.start(trip, "").GetTrip()) },
			func() { require.NotNil(t, d.complete(trip).GetTrip()) },
		} {
			r.inbox.Leave()
			step()
			r = r.resumeOn(c.nodes[(i+1)%3], seen)
			requireFollows(t, r, seen)
			if i == 0 {
				require.Equal(t, []string{ride.KindWavePlanned, ride.KindMatched, ride.KindArrived}, r.changes())
				seen = r.cursor()
				continue
			}
			require.Len(t, r.changes(), 1)
			seen = r.cursor()
		}
		require.NotNil(t, r.rate(trip, 5).GetTrip())
		require.Equal(t, 3.0, moved(t, c, movedTaken))
	})
}

// moved sums a counter of moves over the nodes.
func moved(t *testing.T, c *cluster, how string) (n float64) {
	for _, w := range c.nodes {
		n += counted(t, w.sys.stats.takeovers.WithLabelValues(how))
	}
	return n
}

// A driver who is online moves with an offer in hand: it stays online, where it was, keeps the offer and
// gets new ones. Its rider notices nothing.
func TestDriverMovesOnlineWithItsOffers(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		d, r := c.nodes[1].driver("d", 100), c.nodes[0].rider("r")
		trip := r.request().GetTrip().GetId()
		offer, heard := d.offer(), len(r.box.all())
		d.inbox.Leave()
		from := d.cursor()
		d = d.resumeOn(c.nodes[2], from)
		requireFollows(t, d, from)
		require.True(t, d.connected().GetOnline())
		require.Len(t, d.connected().GetOpenOffers(), 1)
		require.True(t, proto.Equal(offer, d.connected().GetOpenOffers()[0]))
		require.Empty(t, d.box.all(), "nothing is said twice")
		require.NotNil(t, r.cancel(trip).GetTrip())
		require.Len(t, d.ends(), 1)
		require.Len(t, r.box.all(), heard+1)

		again := r.request().GetTrip().GetId()
		require.Equal(t, again, d.offer().GetTripId(), "it is available where it was")
		require.NotNil(t, d.accept(d.offer()).GetTrip())
		from = d.cursor()
		d = d.resumeOn(c.nodes[0], from)
		requireFollows(t, d, from)
		require.Equal(t, again, d.connected().GetActiveTrip().GetId())
		finishRide(t, d, r, again)
		requireFollows(t, d, from)
	})
}

// What a trip sends to a former actor reaches the one that has taken over, once and in order.
func TestLateMessagesArePassedOn(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		d, r := c.nodes[1].driver("d", 100), c.nodes[0].rider("r")
		trip := r.request().GetTrip().GetId()
		require.NotNil(t, d.accept(d.offer()).GetTrip())
		from := r.cursor()
		attaches := c.hold(func(f *nodepb.NodeFrame) bool { return f.GetTripAttach() != nil })
		moved := r.join(c.nodes[2], from)
		require.NotNil(t, moved.connected())
		require.NotNil(t, d.arrived(trip).GetTrip(), "the trip knows the former actor alone")
		require.Equal(t, []string{ride.KindArrived}, moved.changes())
		attaches.release()
		require.NotNil(t, d.start(trip, "").GetTrip())
		require.Equal(t, []string{ride.KindArrived, ride.KindStarted}, moved.changes())
		requireFollows(t, moved, from)

		// An offer that its trip made to the former actor is the new one's, and so is its end.
		other := c.nodes[2].driver("e", 100)
		from = other.cursor()
		offers := c.hold(func(f *nodepb.NodeFrame) bool { return f.GetOfferMade() != nil })
		r2 := c.nodes[0].rider("r2")
		second := r2.request().GetTrip().GetId()
		other = other.join(c.nodes[1], from)
		require.Len(t, other.connected().GetOpenOffers(), 1, "from the database")
		offers.release()
		require.Len(t, other.offers(), 1)
		requireFollows(t, other, from)
		require.NotNil(t, r2.cancel(second).GetTrip())
		require.Len(t, other.ends(), 1)
	})
}

// If the former node does not answer, the session waits for half a second and starts with a snapshot.
// An answer that comes later changes nothing.
func TestFormerNodeIsSilent(t *testing.T) {
	for _, late := range []bool{false, true} {
		t.Run(fmt.Sprint("answers late: ", late), func(t *testing.T) {
			inCluster(t, 3, func(c *cluster) {
				d, r := c.nodes[1].driver("d", 100), c.nodes[0].rider("r")
				trip := r.request().GetTrip().GetId()
				require.NotNil(t, d.accept(d.offer()).GetTrip())
				answers := c.hold(func(f *nodepb.NodeFrame) bool { return f.GetTakenOver() != nil })
				from := d.cursor()
				d.inbox.Leave()
				moved := d.join(c.nodes[2], from)
				pass(takeWithin - time.Millisecond)
				require.Nil(t, moved.connected())
				pass(time.Millisecond)
				require.NotNil(t, moved.connected())
				require.False(t, moved.connected().GetResumed())
				require.False(t, moved.connected().GetOnline())
				require.Equal(t, trip, moved.connected().GetActiveTrip().GetId())
				if late {
					answers.release()
				}
				require.NotEqual(t, from.GetEpoch(), moved.connected().GetEpoch())
				finishRide(t, moved, r, trip)
				next := moved.connected().GetSeq()
				for _, e := range moved.box.all() {
					next++
					require.Equal(t, moved.connected().GetEpoch(), e.GetEpoch())
					require.Equal(t, next, e.GetSeq())
				}
			})
		})
	}
}

// A node that is gone, or answers no pings, is not waited for.
func TestNoWaitForAGoneNode(t *testing.T) {
	for name, gone := range map[string]func(c *cluster){
		"gone": func(c *cluster) { c.join(c.list[0], c.list[2]) },
		"late": func(c *cluster) {
			c.net.mu.Lock()
			defer c.net.mu.Unlock()
			c.net.late[c.list[1]] = true
		},
	} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, 3, func(c *cluster) {
				d := c.nodes[1].driver("d", 100)
				gone(c)
				back := d.join(c.nodes[2], d.cursor())
				require.NotNil(t, back.connected(), "at once")
				require.False(t, back.connected().GetResumed())
				require.False(t, back.connected().GetOnline())
				require.Equal(t, 1.0, moved(t, c, movedGone))
			})
		})
	}
}

// Two sessions begin at once on two nodes. The one takes over from the former actor, the other from
// the one: the last of them resumes, and the others are closed.
func TestTwoTakeOversRace(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		d, r := c.nodes[0].driver("d", 100), c.nodes[2].rider("r")
		trip := r.request().GetTrip().GetId()
		from := d.cursor()
		answers := c.hold(func(f *nodepb.NodeFrame) bool {
			return f.GetTakenOver() != nil && f.GetFrom() == nil && f.GetActor().GetAddress() == c.list[1].Address
		})
		one := d.join(c.nodes[1], from)
		require.Nil(t, one.connected())
		requireReplaced(t, d)
		two := d.join(c.nodes[2], from)
		require.Nil(t, two.connected(), "it waits for the other")
		answers.release()
		require.Nil(t, one.connected(), "it began nothing")
		requireReplaced(t, one)
		requireFollows(t, two, from)
		require.True(t, two.connected().GetOnline())
		require.Len(t, two.connected().GetOpenOffers(), 1)
		require.NotNil(t, two.accept(two.connected().GetOpenOffers()[0]).GetTrip())
		finishRide(t, two, r, trip)
		requireFollows(t, two, from)
		requireLive(t, two)
	})
}

// What arrives while a session waits for its history waits with it, and takes effect after it.
func TestMessagesWaitWithTheirSession(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		d := c.nodes[0].driver("d", 100)
		answers := c.hold(func(f *nodepb.NodeFrame) bool { return f.GetTakenOver() != nil })
		moved := d.join(c.nodes[1], d.cursor())
		id := moved.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_GoOffline{GoOffline: &ridepb.GoOffline{}}})
		require.Empty(t, moved.box.repliesTo(id))
		answers.release()
		require.True(t, moved.connected().GetOnline())
		require.NotNil(t, moved.box.reply(id).GetDone())
		require.False(t, moved.moveTo(c.nodes[2]).connected().GetOnline())
	})
}

// A question from a session that is not newer is refused, and ends nothing.
func TestTakeOverByAnOlderSessionIsRefused(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		d := c.nodes[0].driver("d", 100)
		d = d.moveTo(c.nodes[0])
		answers := make(chan takenOver, 8)
		asker := c.nodes[1].sys.root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if m, ok := ctx.Message().(takenOver); ok {
				answers <- m
			}
		}))
		for _, generation := range []uint64{0, 1, 2} {
			c.nodes[1].sys.root.RequestWithCustomSender(actor.NewPID(c.list[0].node(), finderName), takeOver{Account: "d", Generation: generation}, asker)
			require.Nil(t, (<-answers).Handover, "generation %d", generation)
		}
		requireLive(t, d)
		require.NotNil(t, d.goOffline().GetDone())
		c.nodes[1].sys.root.RequestWithCustomSender(actor.NewPID(c.list[0].node(), finderName), takeOver{Account: "unknown", Generation: 9}, asker)
		require.Equal(t, takenOver{Account: "unknown", Generation: 9}, <-answers)
		// A newer one is answered once.
		for _, taken := range []bool{true, false} {
			c.nodes[1].sys.root.RequestWithCustomSender(actor.NewPID(c.list[0].node(), finderName), takeOver{Account: "d", Generation: 3}, asker)
			require.Equal(t, taken, (<-answers).Handover != nil)
		}
		requireReplaced(t, d)
		require.NoError(t, c.nodes[1].sys.root.StopFuture(asker).Wait())
	})
}

// An old go_online that is repeated on another node takes effect no second time.
func TestRepeatedGoOnlineAfterAMove(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		d := c.nodes[0].client(ride.RoleDriver, "d").connect(nil)
		online := &ridepb.ClientFrame{Id: "once", Body: &ridepb.ClientFrame_GoOnline{GoOnline: &ridepb.GoOnline{}}}
		require.NotNil(t, d.ask(online).GetDone())
		require.NotNil(t, d.goOffline().GetDone())
		d = d.moveTo(c.nodes[1])
		require.NotNil(t, d.ask(proto.Clone(online).(*ridepb.ClientFrame)).GetDone())
		d = d.moveTo(c.nodes[0])
		require.False(t, d.connected().GetOnline())
	})
}

// A node leaves: its people are heard and answered until they have moved, and then resume.
func TestPeopleOfALeavingNode(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		d, r := c.nodes[0].driver("d", 100), c.nodes[0].rider("r")
		trip := r.request().GetTrip().GetId()
		require.Same(t, c.nodes[0], c.owner(trip))
		require.NotNil(t, d.accept(d.offer()).GetTrip())
		c.nodes[0].sys.SetMembers(c.list[1:])
		for _, w := range c.nodes[1:] {
			w.sys.SetMembers(c.list[1:], c.list[0])
		}
		pass(resendAfter + time.Second) // what reached the new owner before it knew is said again
		require.Zero(t, c.nodes[0].sys.TripActors())
		require.NotNil(t, d.arrived(trip).GetTrip())
		require.Equal(t, 1, count(r.changes(), ride.KindArrived))
		for _, p := range []**client{&d, &r} {
			from := (*p).cursor()
			(*p).inbox.Leave()
			*p = (*p).resumeOn(c.nodes[1], from)
			requireFollows(t, *p, from)
		}
		require.NotNil(t, d.start(trip, "").GetTrip())
		require.Equal(t, []string{ride.KindStarted}, r.changes())
		start := time.Now()
		c.nodes[0].sys.HandOver(context.Background(), time.Minute)
		require.LessOrEqual(t, time.Since(start), lastWords+time.Second, "everyone is gone")
		c.join(c.list[1], c.list[2])
		d.at(geo.Destination(pickup, 0, 90))
		require.NotNil(t, d.complete(trip).GetTrip())
		require.Equal(t, []string{ride.KindStarted, ride.KindCompleted}, r.changes())
	})
}

// Over links that lose a tenth of everything, riders and drivers wander among the nodes in mid-trip.
// Whatever a client sees of one history has no gap and nothing twice, and each ride comes to its end.
func TestWanderingOverLossyLinks(t *testing.T) {
	patient := func(cfg *Config) { cfg.Rules.SearchFor = 5 * time.Minute }
	inClusterWith(t, 3, patient, func(c *cluster) {
		random := rand.New(rand.NewPCG(3, 4))
		var mu sync.Mutex // actors send at once, and beside the test
		losses := rand.New(rand.NewPCG(5, 6))
		c.net.losing(func(*nodepb.NodeFrame) bool {
			mu.Lock()
			defer mu.Unlock()
			return losses.IntN(10) == 0
		})
		sessions, resumed := 0, 0
		wander := func(who *client) *client {
			from := who.cursor()
			if random.IntN(2) == 0 {
				who.inbox.Leave()
			}
			next := who.resumeOn(c.nodes[random.IntN(3)], from)
			sessions++
			if next.connected().GetResumed() {
				resumed++
				requireFollows(t, next, from)
			}
			return next
		}
		for i := range 10 {
			d, r := c.nodes[i%3].driver(fmt.Sprint("d", i), 100), c.nodes[(i+1)%3].rider(fmt.Sprint("r", i))
			trip := untilTrip(t, r, requestFrame()).GetId()
			d = wander(d)
			if !d.connected().GetOnline() {
				untilAnswer(t, d, &ridepb.ClientFrame{Body: &ridepb.ClientFrame_GoOnline{GoOnline: &ridepb.GoOnline{}}})
			}
			untilWon(t, d)
			r = wander(r)
			untilTrip(t, d, &ridepb.ClientFrame{Body: &ridepb.ClientFrame_Arrived{Arrived: &ridepb.MarkArrived{TripId: trip}}})
			d = wander(d)
			untilTrip(t, d, &ridepb.ClientFrame{Body: &ridepb.ClientFrame_StartTrip{StartTrip: &ridepb.StartTrip{TripId: trip}}})
			r, d = wander(r), wander(d)
			untilTrip(t, d, &ridepb.ClientFrame{Body: &ridepb.ClientFrame_CompleteTrip{CompleteTrip: &ridepb.CompleteTrip{TripId: trip}}})
			require.Equal(t, ride.StatusCompleted, c.store.trip(ride.TripID(trip)).Status)
			knows := func() bool {
				changes := r.changes()
				return len(changes) == 0 && r.connected().GetActiveTrip() == nil || len(changes) > 0 && changes[len(changes)-1] == ride.KindCompleted
			}
			for n := 0; n < 10 && (n == 0 || !knows()); n++ { // each question about the trip may be lost, too
				pass(time.Minute)
			}
			if changes := r.changes(); len(changes) > 0 {
				require.Equal(t, ride.KindCompleted, changes[len(changes)-1])
			} else {
				require.Nil(t, r.connected().GetActiveTrip(), "the rider knows the end")
			}
			require.NotNil(t, untilAnswer(t, d, &ridepb.ClientFrame{Body: &ridepb.ClientFrame_GoOffline{GoOffline: &ridepb.GoOffline{}}}).GetDone())
		}
		t.Logf("%d of %d sessions resumed, %d frames lost", resumed, sessions, c.net.lost)
		require.Greater(t, resumed, sessions/2)
	})
}

// untilWon is untilMatched for a driver whose offers may stand in its snapshot.
func untilWon(t *testing.T, d *client) {
	t.Helper()
	for _, o := range d.connected().GetOpenOffers() {
		if untilAnswer(t, d, acceptFrame(o)).GetTrip() != nil {
			return
		}
	}
	untilMatched(t, d)
}

// What a node of this version would not hand over is refused.
func TestHandoverBounds(t *testing.T) {
	event := func(epoch string, seq uint32) *nodepb.HandedEvent {
		b, err := proto.Marshal(&ridepb.Event{Epoch: epoch, Seq: seq})
		require.NoError(t, err)
		return &nodepb.HandedEvent{Event: b}
	}
	long := make([]byte, maxHandedText+1)
	many := make([]*nodepb.HeldOffer, maxHandedOffers+1)
	for name, h := range map[string]*nodepb.Handover{
		"a long history": {Epoch: "e", Seq: 1, Events: []*nodepb.HandedEvent{{Event: make([]byte, MaxHistory)}}},
		"many events":    {Epoch: "e", Seq: 5000, Events: make([]*nodepb.HandedEvent, MaxHistory/eventFee+1)},
		"many offers":    {Epoch: "e", Driver: &nodepb.DriverHandover{Offers: many}},
		"a long epoch":   {Epoch: string(long)},
		"a long id":      {Epoch: "e", Unsure: string(long)},
	} {
		_, err := messageOf(&nodepb.NodeFrame{Body: &nodepb.NodeFrame_TakenOver{TakenOver: &nodepb.TakenOver{Handover: h}}}, time.Now())
		require.ErrorIs(t, err, errFrame, name)
	}
	for name, c := range map[string]struct {
		h  *nodepb.Handover
		ok bool
	}{
		"whole":            {&nodepb.Handover{Epoch: "e", Seq: 7, Events: []*nodepb.HandedEvent{event("e", 6), event("e", 7)}}, true},
		"empty":            {&nodepb.Handover{Epoch: "e", Seq: 7}, true},
		"without a name":   {&nodepb.Handover{Seq: 7}, false},
		"with a hole":      {&nodepb.Handover{Epoch: "e", Seq: 7, Events: []*nodepb.HandedEvent{event("e", 5), event("e", 7)}}, false},
		"of another epoch": {&nodepb.Handover{Epoch: "e", Seq: 7, Events: []*nodepb.HandedEvent{event("f", 7)}}, false},
		"that ends early":  {&nodepb.Handover{Epoch: "e", Seq: 8, Events: []*nodepb.HandedEvent{event("e", 6), event("e", 7)}}, false},
		"with no events":   {&nodepb.Handover{Epoch: "e", Seq: 1, Events: []*nodepb.HandedEvent{{Event: []byte{255}}}}, false},
		"with too many":    {&nodepb.Handover{Epoch: "e", Seq: 1, Events: []*nodepb.HandedEvent{event("e", 0), event("e", 1)}}, false},
	} {
		m, err := messageOf(&nodepb.NodeFrame{Body: &nodepb.NodeFrame_TakenOver{TakenOver: &nodepb.TakenOver{Handover: c.h}}}, time.Now())
		require.NoError(t, err, name)
		h, ok := historyOf(MaxHistory, m.(takenOver).Handover)
		require.Equal(t, c.ok, ok, name)
		if ok {
			require.Equal(t, c.h.GetSeq(), h.seq, name)
			require.Len(t, h.kept, len(c.h.GetEvents()), name)
		}
	}
}
