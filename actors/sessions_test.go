package actors

import (
	"context"
	"fmt"
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

// moveTo opens another session of the account on a node. The client it is called on keeps the older.
func (c *client) moveTo(w *world) *client {
	c.w.t.Helper()
	moved := *c
	moved.w, moved.ids = w, c.ids+1000
	return moved.connect(nil)
}

// requireReplaced fails the test unless a session was closed because of a newer one.
func requireReplaced(t *testing.T, c *client) {
	t.Helper()
	require.Equal(t, ridepb.CloseReplaced, c.box.closeCode())
}

func requireLive(t *testing.T, c *client) {
	t.Helper()
	require.Zero(t, c.box.closeCode())
}

// loseClaims loses the frames that tell other nodes of sessions, or no frames at all.
func (c *cluster) loseClaims(lost bool) {
	c.net.losing(func(f *nodepb.NodeFrame) bool {
		return lost && (f.GetSessionClaimed() != nil || f.GetTakeOver() != nil)
	})
}

// actorOf is an account's actor on a node.
func (w *world) actorOf(account string) (pid *actor.PID) {
	w.sys.place.Find(ride.AccountID(account), func(found *actor.PID) { pid = found })
	return pid
}

// A driver in mid-trip moves to another node: the older socket is closed, the ride goes on.
func TestDriverMovesToAnotherNodeInMidTrip(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		d, r := c.nodes[1].driver("d", 100), c.nodes[0].rider("r")
		trip := r.request().GetTrip().GetId()
		require.NotNil(t, d.accept(d.offer()).GetTrip())
		moved := d.moveTo(c.nodes[2])
		requireReplaced(t, d)
		require.Equal(t, trip, moved.connected().GetActiveTrip().GetId())
		require.True(t, moved.connected().GetOnline())
		require.Nil(t, c.nodes[1].actorOf("d"))
		require.True(t, proto.Equal(new(ridepb.CityTotals), c.nodes[1].sys.city.Totals()), "the older node's picture has nothing of the driver")
		require.Len(t, c.nodes[1].console(everything()).drivers, 1, "operators see the driver once")
		pass(lastWords + time.Second)
		require.Zero(t, c.nodes[1].sys.kinds.driver.Alive(), "the older actor stops")

		before := len(d.box.all())
		require.Empty(t, r.box.positions())
		finishRide(t, moved, r, trip)
		require.Len(t, d.box.all(), before)
		require.Equal(t, 1, count(r.changes(), ride.KindArrived))
	})
}

// A rider in mid-trip moves: the driver's positions and the trip's news follow.
func TestRiderMovesToAnotherNodeInMidTrip(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		d, r := c.nodes[1].driver("d", 100), c.nodes[0].rider("r")
		trip := r.request().GetTrip().GetId()
		require.NotNil(t, d.accept(d.offer()).GetTrip())
		moved := r.moveTo(c.nodes[2])
		requireReplaced(t, r)
		require.Equal(t, trip, moved.connected().GetActiveTrip().GetId())
		before := len(r.box.all())
		d.at(geo.Destination(pickup, 0, 90))
		require.NotEmpty(t, moved.box.positions())
		require.NotNil(t, d.arrived(trip).GetTrip())
		require.NotNil(t, d.start(trip, "").GetTrip())
		require.NotNil(t, d.complete(trip).GetTrip())
		require.Equal(t, []string{ride.KindArrived, ride.KindStarted, ride.KindCompleted}, moved.changes())
		require.Len(t, r.box.all(), before)
		require.Empty(t, r.box.positions())
	})
}

// While the word of a newer session is lost, both sockets live; only the newer one is offered trips
// and hears of them. A repetition closes the older.
func TestOlderSessionIsClosedByARepetition(t *testing.T) {
	for _, lostFor := range []time.Duration{time.Second, 5 * time.Second} {
		t.Run(lostFor.String(), func(t *testing.T) {
			inCluster(t, 3, func(c *cluster) {
				c.loseClaims(true)
				d, r := c.nodes[1].driver("d", 100), c.nodes[0].rider("r")
				moved := d.moveTo(c.nodes[2])
				require.NotNil(t, moved.goOnline(100).GetDone())
				requireLive(t, d)
				trip := r.request().GetTrip().GetId()
				require.Len(t, moved.offers(), 1)
				require.Empty(t, d.offers())
				require.Len(t, c.store.trip(ride.TripID(trip)).Offers, 1)
				require.NotNil(t, moved.accept(moved.offer()).GetTrip())
				pass(lostFor)
				c.loseClaims(false)
				require.NotNil(t, moved.arrived(trip).GetTrip())
				requireLive(t, d)
				require.Empty(t, d.changes())
				pass(claimSecond + claimThird)
				requireReplaced(t, d)
				requireLive(t, moved)
				finish := len(d.box.all())
				require.NotNil(t, moved.start(trip, "").GetTrip())
				require.NotNil(t, moved.complete(trip).GetTrip())
				require.Contains(t, r.changes(), ride.KindCompleted)
				require.Len(t, d.box.all(), finish)
			})
		})
	}
}

// What began through the older session while the word of the newer one was lost, the newer learns.
func TestNewerSessionLearnsWhatTheOlderBegan(t *testing.T) {
	t.Run("a request", func(t *testing.T) {
		inCluster(t, 2, func(c *cluster) {
			c.loseClaims(true)
			r := c.nodes[0].rider("r")
			moved := r.moveTo(c.nodes[1])
			trip := r.request().GetTrip().GetId()
			require.Empty(t, moved.changes())
			c.loseClaims(false)
			pass(claimSecond)
			requireReplaced(t, r)
			require.Len(t, moved.changes(), 1)
			require.NotNil(t, moved.cancel(trip).GetTrip())
		})
	})
	t.Run("an offer", func(t *testing.T) {
		inCluster(t, 2, func(c *cluster) {
			c.loseClaims(true)
			d := c.nodes[0].driver("d", 100)
			moved := d.moveTo(c.nodes[1])
			r := c.nodes[1].rider("r")
			r.request()
			require.Len(t, d.offers(), 1, "the newer is not online")
			c.loseClaims(false)
			pass(claimSecond)
			requireReplaced(t, d)
			require.Len(t, moved.offers(), 1)
			require.NotNil(t, moved.accept(moved.offer()).GetTrip())
			require.Equal(t, []string{"won "}, moved.ends())
			require.Empty(t, d.ends())
		})
	})
	t.Run("a match", func(t *testing.T) {
		inCluster(t, 2, func(c *cluster) {
			c.loseClaims(true)
			d := c.nodes[0].driver("d", 100)
			moved := d.moveTo(c.nodes[1])
			r := c.nodes[1].rider("r")
			trip := r.request().GetTrip().GetId()
			require.NotNil(t, d.accept(d.offer()).GetTrip())
			require.Empty(t, moved.changes())
			c.loseClaims(false)
			pass(claimSecond)
			requireReplaced(t, d)
			require.Equal(t, []string{ride.KindMatched}, moved.changes())
			finishRide(t, moved, r, trip)
		})
	})
}

// Of sessions that join at once, one remains: the last to be claimed, however late the others arrive.
func TestOneOfSeveralJoinsRemains(t *testing.T) {
	join := func(w *world, c *client) <-chan struct{} {
		c.w, c.box = w, &recorder{}
		done := make(chan struct{})
		go func() {
			defer close(done)
			var err error
			c.inbox, err = w.sys.Join(context.Background(), Join{Account: c.account, SessionID: "s", ConnectID: "connect", Out: c.box})
			if err != nil {
				panic(err)
			}
		}()
		return done
	}
	for name, nodes := range map[string][2]int{"on two nodes": {1, 2}, "on one": {1, 1}} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, 3, func(c *cluster) {
				goOn := make(chan struct{})
				c.store.mu.Lock()
				c.store.claimed = func(_ ride.AccountID, generation uint64) {
					if generation == 1 {
						<-goOn
					}
				}
				c.store.mu.Unlock()
				first, second := c.nodes[0].client(ride.RoleDriver, "d"), c.nodes[0].client(ride.RoleDriver, "d")
				c.store.know(first.account)
				one := join(c.nodes[nodes[0]], first)
				synctest.Wait()
				<-join(c.nodes[nodes[1]], second)
				require.NotNil(t, second.connected())
				close(goOn)
				<-one
				pass(claimSecond + claimThird)
				requireReplaced(t, first)
				requireLive(t, second)
				require.NotNil(t, second.goOnline(100).GetDone(), "the one that remains works")
			})
		})
	}
	t.Run("any order", func(t *testing.T) {
		inCluster(t, 3, func(c *cluster) {
			for round := range 10 {
				var all []*client
				var joins []<-chan struct{}
				for _, w := range c.nodes {
					d := w.client(ride.RoleDriver, fmt.Sprint("d", round))
					c.store.know(d.account)
					all, joins = append(all, d), append(joins, join(w, d))
				}
				for _, done := range joins {
					<-done
				}
				pass(claimSecond + claimThird)
				open := 0
				for _, d := range all {
					if d.box.closeCode() == 0 {
						open++
					} else {
						requireReplaced(t, d)
					}
				}
				require.Equal(t, 1, open)
			}
		})
	})
}

// An accept in flight while its driver moves counts once, and the newer session hears how it went.
func TestAcceptInFlightDuringAMove(t *testing.T) {
	for name, lose := range map[string]func(*nodepb.NodeFrame) bool{
		"answered": func(*nodepb.NodeFrame) bool { return false },
		"lost":     func(f *nodepb.NodeFrame) bool { return f.GetTripCommand() != nil },
		"news lost": func(f *nodepb.NodeFrame) bool {
			return f.GetTripResult() != nil || f.GetTripUpdate() != nil || f.GetOfferEnded() != nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, 3, func(c *cluster) {
				d, r := c.nodes[1].driver("d", 100), c.nodes[0].rider("r")
				trip := r.request().GetTrip().GetId()
				accept := acceptFrame(d.offer())
				c.net.losing(lose)
				id := d.send(accept)
				moved := d.moveTo(c.nodes[2])
				c.net.losing(nil)
				requireReplaced(t, d)
				again := acceptFrame(d.offer())
				again.Id = id
				require.Equal(t, trip, untilTrip(t, moved, again).GetId())
				require.Equal(t, 1, count(r.changes(), ride.KindMatched))
				require.Len(t, c.store.trip(ride.TripID(trip)).Offers, 1)
				pass(moved.w.sys.cfg.AttachEvery) // where the rider is may have been lost
				finishRide(t, moved, r, trip)
			})
		})
	}
}

// Offers that are open at a move are shown by the new session and end there, once.
func TestOpenOffersMove(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		d, r := c.nodes[1].driver("d", 100), c.nodes[0].rider("r")
		trip := ride.TripID(r.request().GetTrip().GetId())
		old := c.nodes[1].actorOf("d")
		offer := d.offer()
		moved := d.moveTo(c.nodes[2])
		requireReplaced(t, d)
		require.Len(t, moved.connected().GetOpenOffers(), 1)
		require.Equal(t, offer.GetId(), moved.connected().GetOpenOffers()[0].GetId())
		stored := c.store.trip(trip)
		// What still arrives for the older actor does not make it act, and tells the newer nothing twice.
		c.nodes[0].sys.root.Send(old, offerMade{Trip: &stored, Offer: stored.Offers[0]})
		pass(lastWords / 2)
		require.Equal(t, ride.OfferOpen, c.store.trip(trip).Offers[0].State, "nothing is withdrawn")
		require.NotNil(t, r.cancel(string(trip)).GetTrip())
		require.Len(t, moved.ends(), 1)
		pass(time.Minute)
		require.Len(t, moved.ends(), 1)
		require.Empty(t, moved.offers(), "it was in the snapshot")
		require.Empty(t, d.ends())
	})
}

// After a move a driver gets offers without a word; and a session that returns to the first node is the
// newer one there.
func TestMovedDriverStaysOnline(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		d := c.nodes[0].driver("d", 100)
		moved := d.moveTo(c.nodes[1])
		r := c.nodes[0].rider("r")
		trip := r.request().GetTrip().GetId()
		require.Empty(t, d.offers())
		require.Len(t, moved.offers(), 1)
		require.NotNil(t, moved.decline(moved.offer()).GetDone())
		back := moved.moveTo(c.nodes[0])
		requireReplaced(t, moved)
		require.Nil(t, c.nodes[1].actorOf("d"))
		require.True(t, back.connected().GetOnline())
		require.NotNil(t, r.cancel(trip).GetTrip())
		require.NotNil(t, r.request().GetTrip())
		require.Len(t, back.offers(), 1)
		require.Empty(t, d.offers())
	})
}

// A session that replaces another one on its node has a higher generation, too, and its driver's
// cell hears of it.
func TestSessionsOfOneNodeAreClaimed(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		d := c.nodes[0].driver("d", 100)
		again := d.moveTo(c.nodes[0])
		requireReplaced(t, d)
		require.True(t, again.connected().GetOnline(), "it is the same actor")
		disk, err := c.nodes[0].sys.pickupDisk(t).Disk(1)
		require.NoError(t, err)
		found := make(chan cellFound, 1)
		asker := c.nodes[0].sys.root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if m, ok := ctx.Message().(cellFound); ok {
				found <- m
			}
		}))
		for _, cell := range c.nodes[0].sys.nodes.place.local.Cells(disk) {
			c.nodes[0].sys.root.RequestWithCustomSender(cell, cellFind{Limit: 3, Until: time.Now().Add(time.Second)}, asker)
		}
		require.EqualValues(t, 2, (<-found).Drivers[0].Generation)
		require.NoError(t, c.nodes[0].sys.root.StopFuture(asker).Wait())
	})
}

// Operators may have sessions on several nodes.
func TestOperatorsAreOnSeveralNodes(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		o := c.nodes[0].client(ride.RoleOperator, "o").connect(nil)
		other := o.moveTo(c.nodes[1])
		pass(claimSecond + claimThird)
		requireLive(t, o)
		requireLive(t, other)
		require.Empty(t, c.store.sessions)
	})
}

// A session that cannot be claimed is refused, and the one before stays.
func TestSessionsAreRefusedWhileTheStoreIsDown(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		d := c.nodes[0].driver("d", 100)
		c.store.refuse(true, false)
		_, err := c.nodes[1].sys.Join(context.Background(), Join{Account: d.account, SessionID: "s", ConnectID: "connect", Out: &recorder{}})
		require.ErrorIs(t, err, ride.ErrUnavailable)
		pass(claimSecond + claimThird)
		requireLive(t, d)
		require.Nil(t, c.nodes[1].actorOf("d"))
		c.store.refuse(false, false)
		d.moveTo(c.nodes[1])
		requireReplaced(t, d)
	})
}

// A single node neither asks the database about sessions nor waits for it.
func TestOneNodeClaimsNoSessions(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d := w.driver("d", 100)
		d.moveTo(w)
		requireReplaced(t, d)
		require.Empty(t, w.store.sessions)
	})
}

// A driver that a search finds twice counts once, by the higher generation.
func TestDriverFoundTwiceCountsOnce(t *testing.T) {
	put := func(driver ride.AccountID, generation uint64, node string) cellPut {
		return cellPut{Driver: driver, Generation: generation, PID: actor.NewPID(node, "x")}
	}
	older, newer, other := put("d", 3, "b"), put("d", 4, "c"), put("e", 1, "a")
	for _, answers := range [][]cellFound{
		{{Search: 7, Drivers: []cellPut{other, older}}, {Search: 7, Drivers: []cellPut{newer}, Cells: 1}},
		{{Search: 7, Drivers: []cellPut{other, newer}}, {Search: 7, Drivers: []cellPut{older}, Cells: 1}},
	} {
		q := &search{id: 7, waiting: 2}
		require.False(t, q.add(answers[0]))
		require.True(t, q.add(answers[1]))
		q.unite()
		require.Equal(t, []cellPut{other, newer}, q.drivers)
	}
}
