package actors

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// propose sends a proposal as dispatch does, and waits for what becomes of it.
func (w *world) propose(to ride.TripID, message any) error {
	w.t.Helper()
	r, err := w.sys.root.RequestFuture(w.sys.place.Trip(to), message, time.Minute).Result()
	require.NoError(w.t, err)
	return r.(exchangeOutcome).Err
}

// pair is two rides on the way to their pickups.
type pair struct {
	r, d [2]*client
	trip [2]string // in the order of their ids
}

// ridesOf has two trips matched, the rider and the driver of each on the worlds given.
func ridesOf(w *world, riders, drivers [2]*world) pair {
	var p pair
	for i := range p.trip {
		name := string(rune('a' + i))
		p.d[i], p.r[i] = drivers[i].driver("d"+name, 100+float64(i)*20), riders[i].rider("r"+name)
		p.trip[i] = p.r[i].request().GetTrip().GetId()
		require.NotNil(w.t, p.d[i].accept(p.d[i].offer()).GetTrip())
	}
	if p.trip[0] > p.trip[1] {
		p = pair{[2]*client{p.r[1], p.r[0]}, [2]*client{p.d[1], p.d[0]}, [2]string{p.trip[1], p.trip[0]}}
	}
	return p
}

// swap is the proposal that both drivers change places.
func (p *pair) swap(store *memStore) exchangeProposal {
	var m exchangeProposal
	for i, trip := range p.trip {
		t := store.trip(ride.TripID(trip))
		m.Moves = append(m.Moves, exchangeMove{
			Trip: t.ID, Version: t.Version, Driver: p.d[1-i].account.ID, Way: time.Minute, Left: 2 * time.Minute,
		})
	}
	return m
}

func exchanges(tr ride.Transition) bool {
	return len(tr.Events) > 0 && tr.Events[0].Kind() == ride.KindExchanged
}

// news returns the newest update of the client's trip.
func (c *client) news() *ridepb.TripUpdated {
	c.w.t.Helper()
	var out *ridepb.TripUpdated
	for _, e := range c.box.all() {
		if u := e.GetTripUpdated(); u != nil {
			out = u
		}
	}
	require.NotNil(c.w.t, out)
	return out
}

// swapped checks that both parties of both trips know of an exchange, and takes the rides to their ends.
func (p *pair) swapped(t *testing.T) {
	for i, trip := range p.trip {
		r, d := p.r[i], p.d[1-i]
		n := r.news()
		require.Equal(t, ride.KindExchanged, n.GetChange())
		require.Equal(t, trip, n.GetTrip().GetId())
		require.Equal(t, string(d.account.ID), n.GetTrip().GetDriver().GetId())
		require.EqualValues(t, 60, n.GetTrip().GetPickupEtaS())
		require.Equal(t, ride.ReasonCloserCar, n.GetExchange().GetReason())
		require.EqualValues(t, 60, n.GetExchange().GetSoonerS())

		require.Equal(t, []string{ride.KindMatched, ride.KindReleased, ride.KindExchanged}, d.changes())
		n = d.news()
		require.Equal(t, trip, n.GetTrip().GetId())
		require.Equal(t, r.account.FirstName, n.GetTrip().GetRider().GetFirstName())
		require.Equal(t, ride.ReasonCloserCar, n.GetExchange().GetReason())
		require.Zero(t, n.GetExchange().GetSoonerS(), "where the other driver was is none of its business")
		require.Equal(t, "not_found", d.arrived(p.trip[1-i]).GetError().GetCode(), "it is a stranger to its former trip")
	}
	for i, trip := range p.trip {
		finishRide(t, p.d[1-i], p.r[i], trip)
	}
}

func TestDriversChangePlaces(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		p := ridesOf(w, [2]*world{w, w}, [2]*world{w, w})
		stranger := w.driver("c", 300)
		require.NoError(t, w.propose(ride.TripID(p.trip[0]), p.swap(w.store)))
		for _, d := range p.d {
			released := d.box.all()[len(d.box.all())-2].GetTripUpdated()
			require.Equal(t, ride.ReasonCloserCar, released.GetExchange().GetReason(), "it is told why")
			require.Nil(t, released.GetTrip().GetDriver(), "and not who has it now")
			require.Nil(t, released.GetTrip().GetRider())
		}
		p.swapped(t)
		require.Empty(t, stranger.offers())
	})
}

// TestFormerDriverIsAStranger: from the exchange on a rider sees the positions and the route of the new driver alone.
func TestFormerDriverIsAStranger(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		p := ridesOf(w, [2]*world{w, w}, [2]*world{w, w})
		for _, d := range p.d {
			d.at(geo.Destination(pickup, 0, 150))
		}
		require.NoError(t, w.propose(ride.TripID(p.trip[0]), p.swap(w.store)))
		var seen [2]int
		for i, r := range p.r {
			seen[i] = len(r.box.positions())
		}
		p.d[0].at(geo.Destination(pickup, 0, 120))
		require.Len(t, p.r[0].box.positions(), seen[0], "its former driver's")
		moved := p.r[1].box.positions()
		require.Greater(t, len(moved), seen[1])
		require.Equal(t, p.trip[1], moved[len(moved)-1].GetTripId())
		for i, r := range p.r {
			routes := r.box.shownRoutes()
			require.NotEmpty(t, routes)
			require.Equal(t, p.trip[i], routes[len(routes)-1].GetTripId())
		}
		// The chart of the city agrees.
		for i, d := range p.d {
			active, err := w.store.ActiveTrip(t.Context(), d.account.ID, ride.RoleDriver)
			require.NoError(t, err)
			require.Equal(t, ride.TripID(p.trip[1-i]), active.ID)
		}
	})
}

func TestAFreeDriverReplacesOneOnItsWay(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		far, r := w.driver("far", 130), w.rider("r")
		trip := r.request().GetTrip().GetId()
		far.accept(far.offer())
		near := w.driver("near", 80)
		offer := exchangeOffer{Offer: ride.OfferExchange{Considered: ride.Considered{Driver: "near", DistanceM: 50, ETA: 10 * time.Second}, Left: 3 * time.Minute}, PID: w.actorOf("near")}
		require.NoError(t, w.propose(ride.TripID(trip), offer))
		require.ErrorIs(t, w.propose(ride.TripID(trip), offer), ride.ErrInvalidArgument, "it has the offer")
		require.Equal(t, ridepb.Trip_matched, near.accept(near.offer()).GetTrip().GetStatus())
		require.Equal(t, []string{"won "}, near.ends())
		require.Equal(t, "near", r.news().GetTrip().GetDriver().GetId())
		require.Equal(t, ride.KindExchanged, r.news().GetChange())
		require.Equal(t, ride.KindReleased, far.news().GetChange())
		require.Equal(t, ride.ReasonCloserCar, far.news().GetExchange().GetReason())
		require.Equal(t, "not_found", far.arrived(trip).GetError().GetCode())

		// It is free at once, and may be asked again.
		other := w.rider("other")
		second := other.request().GetTrip().GetId()
		require.NotNil(t, far.accept(far.offer()).GetTrip())
		finishRide(t, far, other, second)
		finishRide(t, near, r, trip)
	})
}

func TestADriverWhoAcceptedTwoExchangesGetsOne(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		p := ridesOf(w, [2]*world{w, w}, [2]*world{w, w})
		free := w.driver("free", 50)
		for _, trip := range p.trip {
			require.NoError(t, w.propose(ride.TripID(trip), exchangeOffer{
				Offer: ride.OfferExchange{Considered: ride.Considered{Driver: "free", ETA: time.Second}, Left: 3 * time.Minute}, PID: w.actorOf("free"),
			}))
		}
		offers := free.offers()
		require.Len(t, offers, 2)
		free.send(acceptFrame(offers[0]))
		free.send(acceptFrame(offers[1]))
		pass(time.Second)
		won := 0
		for i, trip := range p.trip {
			now := w.store.trip(ride.TripID(trip))
			if now.DriverID() == "free" {
				won++
				require.Equal(t, ride.KindReleased, p.d[i].news().GetChange())
			} else {
				require.Equal(t, p.d[i].account.ID, now.DriverID(), "nobody else loses its trip")
				require.NotContains(t, p.d[i].changes(), ride.KindReleased)
			}
		}
		require.Equal(t, 1, won)
		require.Len(t, free.ends(), 2, "each offer has one end")
	})
}

func TestExchangesThatAreNotDecided(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		p := ridesOf(w, [2]*world{w, w}, [2]*world{w, w})
		first, second := ride.TripID(p.trip[0]), ride.TripID(p.trip[1])
		swap := p.swap(w.store)
		require.ErrorIs(t, w.propose(second, swap), ride.ErrInvalidArgument, "the first one decides")
		require.ErrorIs(t, w.propose(first, exchangeProposal{Moves: swap.Moves[:1]}), ride.ErrInvalidArgument)
		require.ErrorIs(t, w.propose("0190b4d6-0000-7000-8000-000000000abc", swap), ride.ErrNotFound)
		unknown := p.swap(w.store)
		unknown.Moves[1].Trip = "ffffffff-ffff-7fff-bfff-ffffffffffff"
		require.ErrorIs(t, w.propose(first, unknown), ride.ErrUnavailable, "one does not answer")
		stranger := p.swap(w.store)
		w.driver("c", 300)
		stranger.Moves[0].Driver = "c"
		require.ErrorIs(t, w.propose(first, stranger), ride.ErrInvalidArgument, "who must be asked")
		longer := p.swap(w.store)
		longer.Moves[0].Way, longer.Moves[0].Left = 3*time.Minute, 5*time.Minute
		require.ErrorIs(t, w.propose(first, longer), ride.ErrInvalidArgument)
		for _, d := range p.d {
			require.Equal(t, []string{ride.KindMatched}, d.changes())
		}
		require.NotNil(t, p.d[1].arrived(p.trip[1]).GetTrip())
		require.ErrorIs(t, w.propose(first, swap), ride.ErrWrongStatus, "it has moved on")
		require.Error(t, w.propose(first, p.swap(w.store)), "too late")
		require.NotNil(t, p.d[0].arrived(p.trip[0]).GetTrip(), "nothing was changed or locked")
	})
}

// TestAnExchangeIsRacedByItsTrips: a trip that is cancelled while the exchange is decided wins, and nothing else
// happens.
func TestAnExchangeIsRacedByItsTrips(t *testing.T) {
	for name, culprit := range map[string]int{"the one that decides": 0, "the other": 1} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				p := ridesOf(w, [2]*world{w, w}, [2]*world{w, w})
				once := false
				w.store.failing(func(tr ride.Transition) (error, bool) {
					if !exchanges(tr) || once {
						return nil, false
					}
					once = true
					return &ride.TripError{Trip: ride.TripID(p.trip[culprit]), Err: ride.ErrStale}, true
				})
				require.Error(t, w.propose(ride.TripID(p.trip[0]), p.swap(w.store)))
				pass(exchangeKnown + time.Second)
				for i, d := range p.d {
					require.Equal(t, []string{ride.KindMatched}, d.changes())
					now := w.store.trip(ride.TripID(p.trip[i]))
					require.Equal(t, d.account.ID, now.DriverID())
				}
				require.NoError(t, w.propose(ride.TripID(p.trip[0]), p.swap(w.store)), "the next one is decided on what is there")
				p.swapped(t)
			})
		})
	}
}

// TestExchangeAcrossNodes: whichever nodes the two trips, their riders and their drivers are on, and also when the word that
// it is written is lost, everybody is told, in order.
func TestExchangeAcrossNodes(t *testing.T) {
	for name, lost := range map[string]bool{"told": false, "not told": true} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, 3, func(c *cluster) {
				n := c.nodes
				p := ridesOf(n[0], [2]*world{n[0], n[1]}, [2]*world{n[2], n[0]})
				require.NotSame(t, c.owner(p.trip[0]), c.owner(p.trip[1]))
				c.net.losing(func(f *nodepb.NodeFrame) bool { return lost && f.GetExchangeWritten() != nil })
				require.NoError(t, n[2].propose(ride.TripID(p.trip[0]), p.swap(c.store)))
				c.net.losing(nil)
				pass(exchangeKnown + time.Second)
				p.swapped(t)
			})
		})
	}
}

// TestAnExchangeWhoseDeciderIsLost: the other trip finds out by itself, and its parties go on.
func TestAnExchangeWhoseDeciderIsLost(t *testing.T) {
	inCluster(t, 3, func(c *cluster) {
		n := c.nodes
		p := ridesOf(n[0], [2]*world{n[0], n[1]}, [2]*world{n[2], n[2]})
		decider := c.owner(p.trip[0])
		require.NotSame(t, decider, c.owner(p.trip[1]))
		c.store.afterwards(func(tr ride.Transition) { // written, and then not a word more
			if exchanges(tr) {
				c.net.losing(func(f *nodepb.NodeFrame) bool { return f.GetExchangeWritten() != nil || f.GetExchangeOutcome() != nil })
			}
		})
		decider.sys.root.Send(decider.sys.place.Trip(ride.TripID(p.trip[0])), p.swap(c.store))
		pass(exchangeKnown + time.Second)
		require.Equal(t, ride.KindExchanged, p.r[1].news().GetChange())
		require.Equal(t, ride.KindExchanged, p.d[0].news().GetChange())
	})
}
