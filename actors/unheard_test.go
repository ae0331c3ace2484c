package actors

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// An offer that is lost on its way to another node comes again, once, and a confirmation that is lost
// does no harm.
func TestLostOffersComeAgain(t *testing.T) {
	for name, is := range map[string]func(f *nodepb.NodeFrame) bool{
		"the offer":         func(f *nodepb.NodeFrame) bool { return f.GetOfferMade() != nil },
		"the confirmation":  func(f *nodepb.NodeFrame) bool { return f.GetTripAttach().GetOffer() != "" },
		"all of it for now": func(f *nodepb.NodeFrame) bool { return f.GetOfferMade() != nil || f.GetTripAttach() != nil },
	} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, 2, func(c *cluster) {
				d, r := c.nodes[1].driver("d", 100), c.nodes[0].rider("r")
				sent := 0
				lose := true
				c.net.losing(func(f *nodepb.NodeFrame) bool {
					if f.GetOfferMade() != nil {
						sent++
					}
					return lose && is(f)
				})
				trip := ride.TripID(r.request().GetTrip().GetId())
				pass(repeatOfferAfter + repeatOfferAfter/2)
				require.Equal(t, 2, sent)
				c.net.mu.Lock()
				lose = false
				c.net.mu.Unlock()
				pass(repeatOfferAfter)
				require.Len(t, d.offers(), 1)
				require.Equal(t, 3, sent)
				pass(2 * repeatOfferAfter)
				require.Equal(t, 3, sent, "it is confirmed")
				require.Len(t, c.store.trip(trip).Offers, 1, "the driver was asked once")
				require.NotNil(t, d.accept(d.offer()).GetTrip())
				finishRide(t, d, r, string(trip))
			})
		})
	}
}

// Offers are confirmed at once. Those to a node that does not answer are not sent for ever, and those on
// the trip's own node need no confirmation.
func TestOffersAreConfirmed(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		c.nodes[1].driver("d", 100)
		r := c.nodes[0].rider("r")
		sent, attached, lost := 0, 0, false
		c.net.losing(func(f *nodepb.NodeFrame) bool {
			if f.GetOfferMade() != nil {
				sent++
			}
			if f.GetTripAttach().GetOffer() != "" {
				attached++
			}
			return lost && f.GetOfferMade() != nil
		})
		counts := func() (int, int) {
			synctest.Wait()
			c.net.mu.Lock()
			defer c.net.mu.Unlock()
			defer func() { sent, attached = 0, 0 }()
			return sent, attached
		}
		trip := r.request().GetTrip().GetId()
		pass(3 * repeatOfferAfter)
		offers, confirmed := counts()
		require.Equal(t, []int{1, 1}, []int{offers, confirmed})
		require.NotNil(t, r.cancel(trip).GetTrip())

		c.net.mu.Lock()
		lost = true
		c.net.mu.Unlock()
		trip = r.request().GetTrip().GetId()
		pass(c.nodes[0].sys.cfg.Rules.Policy.OfferTTL - time.Second)
		offers, _ = counts()
		require.LessOrEqual(t, offers, 1+maxRepeats)
		require.NotNil(t, r.cancel(trip).GetTrip())

		pass(time.Second)
		counts()
		here := c.nodes[0].driver("e", 50)
		require.NotNil(t, r.request().GetTrip())
		require.NotEmpty(t, here.offers())
	})
}

// The record of a wave names the drivers of other nodes who were passed over, and why, nearest first.
func TestPassedOverOnOtherNodes(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		busy, r0 := c.nodes[1].driver("busy", 120), c.nodes[1].rider("r0")
		r0.request()
		require.NotNil(t, busy.accept(busy.offer()).GetTrip())
		c.nodes[2].driver("far", 200)
		c.nodes[1].driver("near", 100)
		here, r1 := c.nodes[0].driver("here", 50), c.nodes[0].rider("r1")
		r1.request()
		require.NotNil(t, here.accept(here.offer()).GetTrip())

		r := c.nodes[0].rider("r")
		trip := ride.TripID(r.request().GetTrip().GetId())
		verdicts := map[ride.AccountID]ride.Verdict{}
		var passed []ride.AccountID
		for _, e := range c.store.history(trip) {
			if w, ok := e.(ride.WavePlanned); ok && w.Wave == 1 {
				for _, d := range w.Considered {
					require.NotZero(t, d.Point, "%s", d.Driver)
					verdicts[d.Driver] = d.Verdict
					if d.Verdict != ride.VerdictOffered {
						passed = append(passed, d.Driver)
					}
				}
			}
		}
		require.Equal(t, map[ride.AccountID]ride.Verdict{
			"near": ride.VerdictOffered, "far": ride.VerdictOffered, "here": ride.VerdictBusy, "busy": ride.VerdictBusy,
		}, verdicts)
		require.Equal(t, []ride.AccountID{"here", "busy"}, passed)
	})
}

// So does a node on which no driver is available: whether the driver there has just taken a trip, has been on
// it for long, or came to that node during it. A node without drivers is not asked.
func TestPassedOverWhereNoDriverIsAvailable(t *testing.T) {
	inCluster(t, 4, func(c *cluster) {
		mayKnow := func(node int) bool {
			center, err := geo.CellAt(pickup, c.nodes[0].sys.cfg.Resolution)
			require.NoError(t, err)
			return c.nodes[0].sys.nodes.place.interest.has(c.list[node].node(), []geo.Cell{areaOf(center)})
		}
		wave := func(rider string) map[ride.AccountID]ride.Verdict {
			t.Helper()
			r := c.nodes[0].rider(rider)
			trip := ride.TripID(r.request().GetTrip().GetId())
			synctest.Wait()
			verdicts := map[ride.AccountID]ride.Verdict{}
			for _, e := range c.store.history(trip) {
				if w, ok := e.(ride.WavePlanned); ok && w.Wave == 1 {
					for _, d := range w.Considered {
						verdicts[d.Driver] = d.Verdict
					}
				}
			}
			require.NotNil(t, r.cancel(string(trip)).GetTrip())
			return verdicts
		}
		busy, r0 := c.nodes[1].driver("busy", 120), c.nodes[1].rider("r0")
		r0.request()
		require.NotNil(t, busy.accept(busy.offer()).GetTrip())
		want := map[ride.AccountID]ride.Verdict{"busy": ride.VerdictBusy}
		require.Equal(t, want, wave("r1"))

		pass(3 * repeatEvery)
		here := geo.Destination(pickup, 0, 120)
		busy.at(here)
		require.Equal(t, want, wave("r2"))
		require.Equal(t, []bool{true, false, false}, []bool{mayKnow(1), mayKnow(2), mayKnow(3)})

		busy = c.nodes[2].client(ride.RoleDriver, "busy").connect(nil)
		busy.at(here)
		pass(2 * repeatEvery)
		busy.at(here)
		require.Equal(t, want, wave("r3"))
		require.Equal(t, []bool{false, true, false}, []bool{mayKnow(1), mayKnow(2), mayKnow(3)})
	})
}

// An offer that comes after its end, because its trip sent it again or a former actor passed it on, does not open
// a second time; neither does one that its end has overtaken.
func TestEndedOffersStayEnded(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		d, r := c.nodes[1].driver("d", 100), c.nodes[0].rider("r")
		trip := r.request().GetTrip().GetId()
		require.Len(t, d.offers(), 1)
		late := func(trip string) offerMade {
			stored := c.store.trip(ride.TripID(trip))
			o := stored.Offers[0]
			o.State = ride.OfferOpen // as it was sent
			return offerMade{Trip: &stored, Offer: o}
		}
		require.NotNil(t, r.cancel(trip).GetTrip())
		require.Len(t, d.ends(), 1)
		c.nodes[0].sys.root.Send(c.nodes[1].actorOf("d"), late(trip))
		pass(lostOffer)
		require.Len(t, d.offers(), 1)
		require.Len(t, d.ends(), 1)

		old := c.nodes[1].actorOf("d")
		moved := d.moveTo(c.nodes[2])
		c.nodes[0].sys.root.Send(old, late(trip))
		pass(lostOffer)
		require.Empty(t, moved.offers())

		made := c.hold(func(f *nodepb.NodeFrame) bool { return f.GetOfferMade() != nil })
		trip = r.request().GetTrip().GetId()
		require.NotNil(t, r.cancel(trip).GetTrip())
		made.release()
		pass(lostOffer)
		require.Empty(t, moved.offers())
		require.Empty(t, moved.ends())

		// The end goes to the new actor, the offer to the former one, which passes it on.
		trip = r.request().GetTrip().GetId()
		require.Len(t, moved.offers(), 1)
		old = c.nodes[2].actorOf("d")
		back := moved.moveTo(c.nodes[1])
		require.NotNil(t, r.cancel(trip).GetTrip())
		require.Len(t, back.ends(), 1)
		c.nodes[0].sys.root.Send(old, late(trip))
		pass(lostOffer)
		require.Empty(t, back.offers(), "it was in the snapshot")
		require.Len(t, back.ends(), 1)
	})
}

func TestEndsAreRememberedForAWhile(t *testing.T) {
	var e endedOffers
	now := time.Unix(1000, 0)
	require.False(t, e.has("a"))
	e.add("a", now)
	e.add("b", now.Add(endedKept))
	require.True(t, e.has("a"), "for a minute at least")
	e.add("c", now.Add(2*endedKept))
	require.False(t, e.has("a"), "not for ever")
	require.True(t, e.has("b"))
	require.True(t, e.has("c"))
}
