package actors

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// under changes the policy of new trips.
func under(kind ride.PolicyKind) func(*Config) {
	return func(c *Config) { c.Rules.Policy = c.Rules.Policy.As(kind) }
}

// most is the greatest number of offers that this session's client has had open at once.
func (c *client) most() (most int) {
	open := make(map[string]bool)
	for _, o := range c.connected().GetOpenOffers() {
		open[o.GetId()] = true
	}
	most = len(open)
	for _, e := range c.box.all() {
		if o := e.GetOfferReceived(); o != nil {
			open[o.GetOffer().GetId()] = true
		}
		if o := e.GetOfferClosed(); o != nil {
			delete(open, o.GetOfferId())
		}
		most = max(most, len(open))
	}
	return most
}

// verdicts are those of a trip's newest wave.
func (m *memStore) verdicts(trip string) map[ride.AccountID]ride.Verdict {
	out := make(map[ride.AccountID]ride.Verdict)
	for _, e := range m.history(ride.TripID(trip)) {
		if wave, ok := e.(ride.WavePlanned); ok {
			clear(out)
			for _, k := range wave.Considered {
				out[k.Driver] = k.Verdict
			}
		}
	}
	return out
}

// endsOf are the ends of a trip's offers, in the order made.
func (m *memStore) endsOf(trip string) (out []string) {
	for _, o := range m.trip(ride.TripID(trip)).Offers {
		out = append(out, fmt.Sprintf("%s %s %s", o.Driver, o.State, o.Reason))
	}
	return out
}

// The nearest to the door is asked, or the nearest to the middle of the pickup's cell: the middle is further north, so that 80 m
// are nearer to it than 50 m.
func TestTheNearestToTheDoorIsAsked(t *testing.T) {
	for door, asked := range map[bool]string{true: "door", false: "middle"} {
		inWorld(t, func(c *Config) {
			under(ride.PolicyNearest)(c)
			c.Rules.Policy.Door = door
		}, func(w *world) {
			drivers := map[string]*client{"door": w.driver("door", 50), "middle": w.driver("middle", 80)}
			w.rider("r").request()
			require.Len(t, drivers[asked].offers(), 1)
			require.Zero(t, drivers[asked].offers()[0].GetPickupDistanceM()%drivers[asked].offers()[0].GetPickupRadiusM(), "the offer says how far its area is, roughly")
			delete(drivers, asked)
			for _, other := range drivers {
				require.Empty(t, other.offers())
			}
		})
	}
}

// One driver is asked at a time, the nearest first: the next one when this one says no, and when it says
// nothing, also because its phone is gone.
func TestOneOfTheNearestIsAsked(t *testing.T) {
	inWorld(t, under(ride.PolicyNearest), func(w *world) {
		drivers := []*client{w.driver("d1", 100), w.driver("d2", 600), w.driver("d3", 700), w.driver("d4", 800)}
		trip := w.rider("r").request().GetTrip().GetId()
		asked := func() (n []int) {
			for _, d := range drivers {
				n = append(n, len(d.offers()))
			}
			return n
		}
		require.Equal(t, []int{1, 0, 0, 0}, asked())
		require.Equal(t, ride.VerdictOverCap, w.store.verdicts(trip)["d2"])
		require.NotNil(t, drivers[0].decline(drivers[0].offer()).GetDone())
		require.Equal(t, []int{1, 1, 0, 0}, asked(), "at once")
		for range w.sys.cfg.Rules.Policy.OfferTTL / (2 * time.Second) {
			drivers[2].at(geo.Destination(pickup, 0, 700))
			drivers[3].at(geo.Destination(pickup, 0, 800))
		}
		pass(time.Second)
		require.Equal(t, []int{1, 1, 1, 0}, asked(), "the second said nothing")
		drivers[2].inbox.Leave()
		for range w.sys.cfg.Rules.Policy.OfferTTL / time.Second {
			drivers[3].at(geo.Destination(pickup, 0, 800))
		}
		require.Equal(t, []int{1, 1, 1, 1}, asked(), "the third lost its connection")
		require.NotNil(t, drivers[3].accept(drivers[3].offer()).GetTrip())
		require.Equal(t, []string{"d1 declined ", "d2 expired not_answered", "d3 expired not_answered", "d4 won "}, w.store.endsOf(trip))
	})
}

// Whoever holds an offer is not found, and the record says so; once it is free again, the trip that waited for
// it asks it at once.
func TestWhoeverHoldsAnOfferIsNotFound(t *testing.T) {
	inWorld(t, under(ride.PolicyNearest), func(w *world) {
		d := w.driver("d", 100)
		first := w.rider("r1").request().GetTrip().GetId()
		second := w.rider("r2").request().GetTrip().GetId()
		require.Equal(t, ride.VerdictHeld, w.store.verdicts(second)["d"])
		require.Empty(t, w.store.endsOf(second), "no offer was spent on it")
		require.NotNil(t, d.decline(d.offer()).GetDone())
		require.Equal(t, second, d.offer().GetTripId(), "at once")
		require.Equal(t, ride.VerdictExcluded, w.store.verdicts(first)["d"])
		require.Equal(t, 1, d.most())
		require.Equal(t, ridepb.Trip_matched, d.accept(d.offer()).GetTrip().GetStatus())
	})
}

// Riders who ask at the same moment find the same drivers, on whichever nodes: each driver holds one offer, and
// each trip gets a driver.
func TestHoldsRace(t *testing.T) {
	for _, nodes := range []int{1, 3} {
		t.Run(fmt.Sprint(nodes, " nodes"), func(t *testing.T) {
			inClusterWith(t, nodes, under(ride.PolicyNearest), func(c *cluster) {
				const people = 12
				var drivers, riders []*client
				for i := range people {
					drivers = append(drivers, c.nodes[i%nodes].driver(fmt.Sprint("d", i), 100+float64(i)))
					riders = append(riders, c.nodes[(i/nodes)%nodes].rider(fmt.Sprint("r", i)))
				}
				// Writing takes time, so that all trips have chosen before any offer is out.
				c.store.failing(func(ride.Transition) (error, bool) {
					time.Sleep(10 * time.Millisecond)
					return nil, false
				})
				var asked []string
				for _, r := range riders {
					asked = append(asked, r.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: requestTrip()}}))
				}
				pass(2 * time.Second)
				handedBack := 0
				for i, r := range riders {
					trip := r.box.reply(asked[i]).GetTrip().GetId()
					pending := 0
					for _, o := range c.store.trip(ride.TripID(trip)).Offers {
						switch {
						case o.State == ride.OfferOpen:
							pending++
						case o.Reason == ride.ReasonDriverHeld:
							handedBack++
						}
					}
					require.Equal(t, 1, pending, "each trip asks one driver: %v", c.store.endsOf(trip))
				}
				require.Positive(t, handedBack, "nobody raced")
				c.store.failing(nil)
				matched := make(map[string]bool)
				for _, d := range drivers {
					require.Equal(t, 1, d.most(), d.account.ID)
					require.NotContains(t, d.ends(), "withdrawn "+ride.ReasonDriverHeld, "it never saw those")
					matched[d.accept(d.offer()).GetTrip().GetId()] = true
				}
				require.Len(t, matched, people)
			})
		})
	}
}

// An offer that is under way from another node while the driver gets one is refused when it arrives, and that
// trip goes on. It asks the driver again as soon as it is free.
func TestALateHoldIsRefused(t *testing.T) {
	inClusterWith(t, 3, under(ride.PolicyNearest), func(c *cluster) {
		d, other := c.nodes[1].driver("d", 100), c.nodes[2].driver("other", 900)
		late := c.hold(func(f *nodepb.NodeFrame) bool { return f.GetOfferMade() != nil })
		first := c.nodes[0].rider("r1").request().GetTrip().GetId()
		require.Empty(t, d.offers())
		second := c.nodes[1].rider("r2").request().GetTrip().GetId()
		require.Equal(t, second, d.offer().GetTripId())
		late.release()
		require.Len(t, d.offers(), 1)
		require.Equal(t, first, other.offer().GetTripId(), "the next one is asked at once")
		require.NotNil(t, other.decline(other.offer()).GetDone())
		require.NotNil(t, d.decline(d.offer()).GetDone())
		require.Equal(t, first, d.offer().GetTripId(), "at once")
		require.Equal(t, []string{"d withdrawn driver_held", "other declined ", "d open "}, c.store.endsOf(first))
		require.Equal(t, 1, d.most())
	})
}

// A driver who loses its connection keeps its hold, on whichever node it comes back.
func TestAHoldOutlivesTheConnection(t *testing.T) {
	inClusterWith(t, 3, under(ride.PolicyNearest), func(c *cluster) {
		d := c.nodes[1].driver("d", 100)
		trip := c.nodes[0].rider("r1").request().GetTrip().GetId()
		d.inbox.Leave()
		second := c.nodes[2].rider("r2").request().GetTrip().GetId()
		require.Empty(t, c.store.endsOf(second))
		back := d.resumeOn(c.nodes[2], nil)
		require.Len(t, back.connected().GetOpenOffers(), 1)
		require.Equal(t, trip, back.connected().GetOpenOffers()[0].GetTripId())
		for range c.nodes[0].sys.cfg.Rules.Policy.WaveEvery / time.Second {
			back.at(geo.Destination(pickup, 0, 100))
		}
		require.Empty(t, back.offers())
		require.Equal(t, ride.VerdictHeld, c.store.verdicts(second)["d"])
		require.NotNil(t, back.decline(back.connected().GetOpenOffers()[0]).GetDone())
		require.Equal(t, second, back.offer().GetTripId(), "it is free, and a trip waits")
		require.Equal(t, 1, back.most())
	})
}

// The database may show two exclusive offers of one driver: it comes back to a node that knows of none, before
// the second one's end is written. It holds the one that expires first, and hands the other back.
func TestOfTwoStoredHoldsOneRemains(t *testing.T) {
	inClusterWith(t, 3, under(ride.PolicyNearest), func(c *cluster) {
		d := c.nodes[1].driver("d", 100)
		c.net.losing(func(f *nodepb.NodeFrame) bool {
			return f.GetOfferMade() != nil || f.GetTakeOver() != nil || f.GetTakenOver() != nil
		})
		lost := c.nodes[0].rider("r1").request().GetTrip().GetId()
		pass(time.Second / 2)
		held := c.nodes[1].rider("r2").request().GetTrip().GetId()
		require.Equal(t, held, d.offer().GetTripId())
		back := d.resumeOn(c.nodes[2], nil)
		require.Len(t, back.connected().GetOpenOffers(), 1)
		require.Equal(t, lost, back.connected().GetOpenOffers()[0].GetTripId())
		synctest.Wait()
		require.Equal(t, []string{"d withdrawn driver_held"}, c.store.endsOf(held))
		require.NotNil(t, back.accept(back.connected().GetOpenOffers()[0]).GetTrip())
	})
}

// The node of a trip is gone and nobody has taken the trip over yet: its offer binds the driver until it should
// have ended, and not for longer.
func TestAHoldDoesNotOutliveItsTrip(t *testing.T) {
	inClusterWith(t, 2, under(ride.PolicyNearest), func(c *cluster) {
		d := c.nodes[1].driver("d", 100)
		c.nodes[0].rider("r1").request()
		require.Len(t, d.offers(), 1)
		c.net.losing(func(*nodepb.NodeFrame) bool { return true })
		r2 := c.nodes[1].rider("r2")
		id := r2.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: requestTrip()}})
		asked := time.Now()
		for len(d.offers()) == 1 {
			require.Less(t, time.Since(asked), time.Minute)
			d.at(geo.Destination(pickup, 0, 100))
		}
		require.Equal(t, r2.box.reply(id).GetTrip().GetId(), d.offer().GetTripId())
		require.GreaterOrEqual(t, time.Since(asked)+time.Second, c.nodes[0].sys.cfg.Rules.Policy.OfferTTL)
		require.LessOrEqual(t, time.Since(asked), c.nodes[0].sys.cfg.Rules.Policy.OfferTTL+lostOffer+3*time.Second)
	})
}

// The rules change while offers are out: an exclusive offer stands beside no other, whichever came first, and
// each trip keeps the rules that it was requested under.
func TestHoldsBesideBroadcasts(t *testing.T) {
	inWorld(t, under(ride.PolicyBroadcast), func(w *world) {
		broadcast := w.sys.Policy()
		d := w.driver("d", 100)
		shared := w.rider("r1").request().GetTrip().GetId()
		shared2 := w.rider("r2").request().GetTrip().GetId()
		require.Len(t, d.offers(), 2)
		require.NoError(t, w.sys.SetPolicy(broadcast.As(ride.PolicyNearest)))
		alone := w.rider("r3").request().GetTrip().GetId()
		require.Equal(t, ride.VerdictHeld, w.store.verdicts(alone)["d"], "it holds two")
		require.Equal(t, ride.PolicyBroadcast, w.store.trip(ride.TripID(shared)).Rules.Policy.Kind)
		for _, o := range d.offers() {
			require.NotNil(t, d.decline(o).GetDone())
		}
		pass(w.sys.cfg.Rules.Policy.WaveEvery)
		require.Equal(t, alone, d.offer().GetTripId())
		require.NoError(t, w.sys.SetPolicy(broadcast))
		shared3 := w.rider("r4").request().GetTrip().GetId()
		require.Equal(t, ride.VerdictHeld, w.store.verdicts(shared3)["d"], "it holds one, and alone")
		require.Len(t, d.offers(), 3)
		require.NotContains(t, []string{shared, shared2}, d.offer().GetTripId())
		require.ErrorIs(t, w.sys.SetPolicy(ride.Policy{}), ride.ErrInvalidArgument)
		require.Equal(t, broadcast, w.sys.Policy())
	})
}

// Whoever needs longer than the policy allows is passed over, and rings that nobody can come from in that time
// are not searched, however long the search lasts.
func TestTheLongestWay(t *testing.T) {
	inWorld(t, func(c *Config) {
		c.Rules.Policy = c.Rules.Policy.As(ride.PolicyNearest)
		c.Rules.Policy.MaxETA = 4 * time.Minute
		c.FastestMPS = geo.DefaultSpeedMPS / geo.DefaultDetour
	}, func(w *world) {
		require.Less(t, w.sys.Policy().RingMax, w.sys.cfg.Rules.Policy.RingMax)
		far, beyond := w.driver("far", 2500), w.driver("beyond", 5000)
		r := w.rider("r")
		trip := r.request().GetTrip().GetId()
		for range 20 {
			far.at(geo.Destination(pickup, 0, 2500))
			beyond.at(geo.Destination(pickup, 0, 5000))
		}
		require.Empty(t, far.offers())
		require.Equal(t, ride.VerdictBeyondETA, w.store.verdicts(trip)["far"])
		for _, e := range w.store.history(ride.TripID(trip)) {
			if wave, ok := e.(ride.WavePlanned); ok {
				require.LessOrEqual(t, wave.Ring, w.sys.Policy().RingMax)
			}
		}
		quote := r.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_GetQuote{GetQuote: &ridepb.GetQuote{
			Pickup: requestTrip().GetPickup(), Dropoff: requestTrip().GetDropoff(),
		}}}).GetQuotes().GetQuotes()[0]
		require.Zero(t, quote.GetDriversNearby(), "a quote does not count whom dispatch would not ask")
		near := w.driver("near", 900)
		require.Equal(t, trip, near.offer().GetTripId(), "no wave was due")
	})
}

// Many trips wait for one driver: whenever it is free it is asked by one of them, and no trip spends many of its
// offers while others have it.
func TestHoldsUnderScarcity(t *testing.T) {
	inClusterWith(t, 2, under(ride.PolicyNearest), func(c *cluster) {
		const people = 40
		d := c.nodes[0].driver("d", 100)
		var trips []string
		for i := range people {
			trips = append(trips, c.nodes[i%2].rider(fmt.Sprint("r", i)).request().GetTrip().GetId())
		}
		for i := range people {
			// Those that it has declined are told of it, too: then the next wave of another one finds it.
			for free := time.Now(); len(d.offers()) == i; d.at(geo.Destination(pickup, 0, 100)) {
				require.LessOrEqual(t, time.Since(free), c.nodes[0].sys.cfg.Rules.Policy.WaveEvery)
			}
			require.NotNil(t, d.decline(d.offer()).GetDone())
		}
		require.Equal(t, 1, d.most())
		for _, trip := range trips {
			require.LessOrEqual(t, len(c.store.endsOf(trip)), people, "at most one each time that it is free: %v", c.store.endsOf(trip))
		}
	})
}
