package actors

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// A driver who is offline, disconnected, silent or busy gets no offer.
func TestWhoGetsOffers(t *testing.T) {
	cases := map[string]struct {
		make func(w *world) *client
		want bool
	}{
		"online with a position": {func(w *world) *client { return w.driver("d", 100) }, true},
		"never online":           {func(w *world) *client { return w.client(ride.RoleDriver, "d").connect(nil) }, false},
		"online without a position": {func(w *world) *client {
			d := w.client(ride.RoleDriver, "d").connect(nil)
			d.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_GoOnline{GoOnline: &ridepb.GoOnline{}}})
			return d
		}, false},
		"online, position later": {func(w *world) *client {
			d := w.client(ride.RoleDriver, "d").connect(nil)
			d.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_GoOnline{GoOnline: &ridepb.GoOnline{}}})
			d.at(geo.Destination(pickup, 90, 50))
			return d
		}, true},
		"went offline": {func(w *world) *client {
			d := w.driver("d", 100)
			d.goOffline()
			return d
		}, false},
		"socket gone": {func(w *world) *client {
			d := w.driver("d", 100)
			d.inbox.Leave()
			return d
		}, false},
		"reconnected": {func(w *world) *client {
			d := w.driver("d", 100)
			d.inbox.Leave()
			pass(2 * time.Second)
			return d.connect(nil)
		}, true},
		"silent for long": {func(w *world) *client {
			d := w.driver("d", 100)
			pass(w.sys.cfg.PositionTTL)
			return d
		}, false},
		"silent, then active again": {func(w *world) *client {
			d := w.driver("d", 100)
			pass(w.sys.cfg.PositionTTL * 2)
			d.at(geo.Destination(pickup, 0, 110))
			return d
		}, true},
		"sending positions throughout": {func(w *world) *client {
			d := w.driver("d", 100)
			for range 20 {
				d.at(geo.Destination(pickup, 0, 100))
			}
			return d
		}, true},
		"another class": {func(w *world) *client {
			d := w.client(ride.RoleDriver, "d")
			d.account.Vehicle.Class = "van"
			d.connect(nil).goOnline(100)
			return d
		}, false},
		"too far": {func(w *world) *client { return w.driver("d", 20_000) }, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				d := c.make(w)
				w.rider("r").request()
				require.Equal(t, c.want, len(d.offers()) == 1)
			})
		})
	}
}

// A driver who moves from cell to cell is in exactly one, and out of all in the end.
func TestCellsFollowDrivers(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d := w.driver("d", 0)
		for i := range 40 {
			pass(9 * time.Second)
			d.at(geo.Destination(pickup, 90, float64(i)*200))
			require.Equal(t, 1, w.sys.place.CellsHere())
			require.EqualValues(t, 1, w.sys.kinds.cell.Alive())
		}
		d.goOffline()
		require.Zero(t, w.sys.place.CellsHere())
		require.EqualValues(t, 0, d.alive())
	})
}

func (c *client) alive() int64 { return c.w.sys.kinds.cell.Alive() }

// A driver 50 m away across a cell's edge gets the offer, even where cells are irregular.
func TestOffersCrossCellEdges(t *testing.T) {
	places := map[string]geo.Point{
		"Seoul":               pickup,
		"the antimeridian":    {Lat: -16.8, Lng: 179.9999},
		"near the north pole": {Lat: 89.99, Lng: 10},
	}
	pentagon, err := geo.ParseCell("8808000001fffff") // one of the twelve of resolution 8
	require.NoError(t, err)
	require.True(t, pentagon.Pentagon())
	places["a pentagon"] = pentagon.Center()
	for name, p := range places {
		for i, bearing := range []float64{0, 60, 120, 180, 240, 300, 60, 240} {
			policy := ride.PolicyBroadcast
			if i >= 6 {
				policy = ride.PolicyNearest
			}
			t.Run(fmt.Sprintf("%s, %s", name, policy), func(t *testing.T) {
				inWorld(t, under(policy), func(w *world) {
					here, err := geo.CellAt(p, w.sys.cfg.Resolution)
					require.NoError(t, err)
					// Walk to the cell's edge, then 25 m to either side of it.
					edge := 0.0
					for c := here; c == here; edge++ {
						c, err = geo.CellAt(geo.Destination(p, bearing, edge), w.sys.cfg.Resolution)
						require.NoError(t, err)
					}
					from, over := geo.Destination(p, bearing, edge-25), geo.Destination(p, bearing, edge+25)
					d := w.client(ride.RoleDriver, "d").connect(nil)
					d.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_GoOnline{GoOnline: &ridepb.GoOnline{
						Location: &ridepb.Location{Point: view.Point(over)},
					}}})
					w.rider("r").ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: &ridepb.RequestTrip{
						Pickup: view.Point(from), Dropoff: view.Point(geo.Destination(from, 180, 3000)),
					}}})
					require.Len(t, d.offers(), 1)
				})
			})
		}
	}
}

func TestGoingOfflineHandsOffersBack(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d := w.driver("d", 100)
		w.rider("r").request()
		o := d.offer()
		d.goOffline()
		require.Equal(t, []string{"withdrawn went_offline"}, d.ends())
		require.Equal(t, "offer_closed", d.accept(o).GetError().GetCode())
	})
}

// A driver holds a bounded number of offers; further ones go to other drivers.
func TestOffersPerDriver(t *testing.T) {
	inWorld(t, func(c *Config) { c.MaxOffers = 3 }, func(w *world) {
		d := w.driver("d", 100)
		for _, name := range []string{"a", "b", "c", "e", "f"} {
			w.rider(name).request()
		}
		require.Len(t, d.offers(), 3)
		d.decline(d.offers()[0])
		pass(w.sys.cfg.Rules.Policy.WaveEvery + time.Second)
		d.at(geo.Destination(pickup, 0, 101))
		pass(w.sys.cfg.Rules.Policy.WaveEvery)
		require.Len(t, d.offers(), 4, "there is room again")
	})
}

// Offers that are handed back at the same time are committed together.
func TestOffersThatComeBackAreOneTransition(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		drivers := []*client{w.driver("a", 10), w.driver("b", 20), w.driver("c", 30)}
		w.rider("r").request()
		var mu sync.Mutex
		var back []int // offers that ended in one transition
		w.store.failing(func(tr ride.Transition) (error, bool) {
			mu.Lock()
			defer mu.Unlock()
			n := 0
			for _, e := range tr.Events {
				if e, ok := e.(ride.OffersEnded); ok {
					n += len(e.Offers)
				}
			}
			if n > 0 {
				back = append(back, n)
			}
			return nil, false
		})
		for _, d := range drivers {
			require.Len(t, d.offers(), 1)
			d.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_GoOffline{GoOffline: &ridepb.GoOffline{}}})
		}
		pass(time.Second)
		for _, d := range drivers {
			require.Equal(t, []string{"withdrawn went_offline"}, d.ends())
		}
		mu.Lock()
		defer mu.Unlock()
		require.Equal(t, []int{3}, back)
	})
}

// An actor without a session leaves, and hands back its offers.
func TestLingering(t *testing.T) {
	inWorld(t, func(c *Config) { c.Rules.Policy.OfferTTL = 5 * time.Minute; c.Rules.SearchFor = 10 * time.Minute }, func(w *world) {
		d := w.driver("d", 100)
		r := w.rider("r")
		r.request()
		require.Len(t, d.offers(), 1)
		d.inbox.Leave()
		pass(w.sys.cfg.Linger / 2)
		d.connect(nil)
		require.True(t, d.connected().GetOnline(), "the choice to be online survives a short absence")
		require.Len(t, d.connected().GetOpenOffers(), 1)
		d.inbox.Leave()
		pass(w.sys.cfg.Linger + lastWords)
		require.Zero(t, w.sys.kinds.driver.Alive())
		stored := w.store.only()
		require.Equal(t, ride.OfferWithdrawn, stored.Offers[0].State)
		d.connect(nil)
		require.False(t, d.connected().GetOnline())
	})
}

// A session that joins an actor that is just leaving reaches the next one, with everything that it
// sends at once.
func TestJoinRacesLeaving(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d := w.driver("d", 100)
		old := w.sys.place.PeopleHere()[0]
		d.inbox.Leave()
		pass(time.Second)
		// The message to leave is ahead of the join and its first frames.
		w.sys.root.Send(old, lingered{})
		d.box = &recorder{}
		var err error
		d.inbox, err = w.sys.Join(t.Context(), Join{Account: d.account, ConnectID: "connect", Out: d.box})
		require.NoError(t, err)
		d.send(&ridepb.ClientFrame{Id: "on", Body: &ridepb.ClientFrame_GoOnline{GoOnline: &ridepb.GoOnline{}}})
		require.NoError(t, d.inbox.Location(ride.Position{Point: pickup, DeviceTime: time.Now()}))
		require.NotNil(t, d.box.reply("connect").GetConnected())
		require.NotNil(t, d.box.reply("on").GetDone())
		w.rider("r").request()
		require.Len(t, d.offers(), 1)
		pass(lastWords)
		require.EqualValues(t, 1, w.sys.kinds.driver.Alive())
	})
}

// A waiting trip is offered to a driver who becomes available at once, not with its next wave; a
// driver of another class, or far away, is ignored.
func TestWaitingTripHearsOfDrivers(t *testing.T) {
	inWorld(t, func(c *Config) { c.Rules.Policy.WaveEvery = time.Minute }, func(w *world) {
		r := w.rider("r")
		trip := r.request().GetTrip().GetId()
		pass(10 * time.Second)
		waves := len(r.changes())
		van := w.client(ride.RoleDriver, "van")
		van.account.Vehicle.Class = "van"
		van.connect(nil).goOnline(100)
		far := w.driver("far", 20_000)
		require.Len(t, r.changes(), waves, "neither starts a search")
		d := w.driver("d", 100)
		require.Len(t, d.offers(), 1)
		require.Empty(t, van.offers())
		require.Empty(t, far.offers())

		// A driver who becomes available again finds waiting trips, too.
		other := w.rider("other")
		d.accept(d.offer())
		other.request()
		d.arrived(trip)
		d.start(trip, "")
		d.complete(trip)
		require.Len(t, d.offers(), 2)
		w.local().waitMu.RLock()
		defer w.local().waitMu.RUnlock()
		require.Len(t, w.local().wait, 1, "the finished trip no longer waits")
	})
}

func TestQuote(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.driver("a", 100)
		w.driver("b", 900)
		r := w.rider("r")
		quote := func(g *ridepb.GetQuote) *ridepb.Reply {
			return r.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_GetQuote{GetQuote: g}})
		}
		all := quote(&ridepb.GetQuote{Pickup: view.Point(pickup), Dropoff: view.Point(dropoff)}).GetQuotes().GetQuotes()
		require.Len(t, all, 3)
		require.Equal(t, "standard", all[0].GetVehicleClass())
		require.EqualValues(t, 2, all[0].GetDriversNearby())
		require.EqualValues(t, 60, all[0].GetPickupEtaS(), "19 s, rounded up")
		require.Zero(t, all[1].GetDriversNearby())
		require.Less(t, all[0].GetFare().GetMinor(), all[1].GetFare().GetMinor())

		one := quote(&ridepb.GetQuote{Pickup: view.Point(pickup), Dropoff: view.Point(dropoff), VehicleClass: "van"}).GetQuotes().GetQuotes()
		require.Len(t, one, 1)
		require.Equal(t, "unknown_vehicle_class", quote(&ridepb.GetQuote{Pickup: view.Point(pickup), Dropoff: view.Point(dropoff), VehicleClass: "boat"}).GetError().GetCode())
		require.Equal(t, "invalid_point", quote(&ridepb.GetQuote{Dropoff: view.Point(dropoff)}).GetError().GetCode())
		require.Equal(t, "no_route", quote(&ridepb.GetQuote{Pickup: view.Point(pickup), Dropoff: view.Point(geo.Point{Lat: 48, Lng: 2})}).GetError().GetCode())
	})
}
