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

// shown is the newest status that a client has been sent of a trip, in an event or a reply; "" for
// none.
func (c *client) shown(trip string) (status string) {
	var newest uint32
	see := func(t *ridepb.Trip) {
		if t.GetId() == trip && t.GetVersion() >= newest {
			newest, status = t.GetVersion(), t.GetStatus().String()
		}
	}
	for _, e := range c.box.all() {
		see(e.GetTripUpdated().GetTrip())
	}
	c.box.mu.Lock()
	defer c.box.mu.Unlock()
	for _, replies := range c.box.replies {
		for _, r := range replies {
			see(r.GetTrip())
		}
	}
	return status
}

// losses are messages that a trip sends unasked. What is lost reaches its parties only because they
// ask.
var losses = map[string]func(m any, first bool) bool{
	"nothing":          func(any, bool) bool { return false },
	"updates":          func(m any, _ bool) bool { u, ok := m.(tripUpdate); return ok && u.Change != "" },
	"releases":         func(m any, first bool) bool { _, ok := m.(driverReleased); return ok && first },
	"ends of offers":   func(m any, first bool) bool { _, ok := m.(offerEnded); return ok && first },
	"replies":          func(m any, first bool) bool { _, ok := m.(tripResult); return ok && first },
	"everything, once": func(m any, first bool) bool { _, made := m.(offerMade); return first && !made },
}

// once wraps a loss: first is true for the first message of its content to each person.
func once(lose func(m any, first bool) bool) func(string, any) bool {
	seen := map[string]bool{}
	return func(to string, m any) bool {
		key := fmt.Sprintf("%s %T", to, m)
		switch m := m.(type) {
		case operatorDone, driverMoved: // to no party, and no news
			return false
		case tripUpdate:
			key += fmt.Sprint(m.Trip.Version)
		case offerEnded:
			key += string(m.Offer.ID)
		case tripResult:
			key += m.Key.ID
		}
		first := !seen[key]
		seen[key] = true
		return lose(m, first)
	}
}

// If any message of a trip is lost, its rider and its driver learn each of its steps within the
// interval; so they do under each award, whether the trip is driven, cancelled or taken away.
func TestLostMessagesCostAnInterval(t *testing.T) {
	const every = 5 * time.Second
	for _, award := range []ride.Award{ride.AwardFirst, ride.AwardBestETA} {
		for name, lose := range losses {
			t.Run(fmt.Sprintf("%s/%s", award, name), func(t *testing.T) {
				inLossyWorld(t, func(c *Config) {
					c.AttachEvery, c.Rules.Policy.Award, c.PositionTTL = every, award, 5*time.Minute
					c.Rules.Policy.AwardWindow = time.Second
				}, func(w *world, p *lossy) {
					p.losing(once(lose))
					// A reply that is lost is asked for again after 2 s, and an end of an offer 1 s after
					// its expiry: then comes the interval.
					learn := func(d, r *client, trip, want string) {
						t.Helper()
						pass(every + w.sys.cfg.Rules.Policy.OfferTTL + 5*time.Second)
						require.Equal(t, want, string(w.store.trip(ride.TripID(trip)).Status))
						require.Equal(t, want, r.shown(trip), "the rider")
						require.Equal(t, want, d.shown(trip), "the driver")
					}
					match := func(d, r *client) string {
						t.Helper()
						r.send(&ridepb.ClientFrame{Id: "request", Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: requestTrip()}})
						d.send(acceptFrame(d.offer()))
						pass(4 * time.Second)
						trip := r.box.reply("request").GetTrip().GetId()
						learn(d, r, trip, "matched")
						require.Len(t, d.ends(), len(d.offers()), "each offer has ended")
						return trip
					}
					d, r := w.driver("d", 100), w.rider("r")
					trip := match(d, r)
					d.at(pickup)
					require.NotEmpty(t, r.box.positions(), "the driver's positions reach the rider")
					d.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_Arrived{Arrived: &ridepb.MarkArrived{TripId: trip}}})
					learn(d, r, trip, "arrived")
					d.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_StartTrip{StartTrip: &ridepb.StartTrip{TripId: trip}}})
					learn(d, r, trip, "in_progress")
					d.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_CompleteTrip{CompleteTrip: &ridepb.CompleteTrip{TripId: trip}}})
					learn(d, r, trip, "completed")

					other := w.rider("other")
					trip = match(d, other)
					other.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_CancelTrip{CancelTrip: &ridepb.CancelTrip{TripId: trip}}})
					learn(d, other, trip, "cancelled")

					third := w.rider("third")
					trip = match(d, third)
					_, err := w.sys.Redispatch(context.Background(), ride.TripID(trip), "")
					require.NoError(t, err)
					learn(d, third, trip, "requested")
					require.Equal(t, ride.KindReleased, d.changes()[len(d.changes())-1])
					require.Equal(t, 1, count(d.changes(), ride.KindReleased), "it is released once")
				})
			})
		}
	}
}

// A driver whose acceptance was not answered repeats it, and knows from the answer which trip it has:
// it is not asked for another one meanwhile.
func TestRepeatedAcceptanceOccupiesTheDriver(t *testing.T) {
	inLossyWorld(t, nil, func(w *world, p *lossy) {
		d, r, other := w.driver("d", 100), w.rider("r"), w.rider("other")
		r.request()
		p.losing(once(func(m any, first bool) bool {
			switch m := m.(type) {
			case tripUpdate:
				return m.Change != ""
			case tripResult:
				return first
			case offerEnded:
				return true
			}
			return false
		}))
		d.send(acceptFrame(d.offer()))
		pass(2*resendAfter + time.Second)
		p.losing(nil)
		other.request()
		pass(time.Second)
		require.Len(t, d.offers(), 1)
	})
}

// A driver that repeats an acceptance which it has given back since hears of that again, with the
// version that it has had from the start, and only if it may have forgotten: versions never change.
func TestRepeatedAcceptanceOfATripGivenBack(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		trip := r.request().GetTrip().GetId()
		accept := acceptFrame(d.offer())
		accept.Id = "accept"
		require.NotNil(t, d.ask(accept).GetTrip())
		require.NotNil(t, d.arrived(trip).GetTrip())
		require.NotNil(t, d.cancel(trip).GetDone())
		pass(time.Minute) // further waves
		var released uint32
		for _, e := range w.store.events[ride.TripID(trip)] {
			if released++; e.Kind() == ride.KindReleased {
				break
			}
		}
		require.Greater(t, w.store.trip(ride.TripID(trip)).Version, int64(released))
		releases := func() (versions []uint32) {
			for _, e := range d.box.all() {
				if u := e.GetTripUpdated(); u.GetChange() == ride.KindReleased {
					versions = append(versions, u.GetTrip().GetVersion())
				}
			}
			return versions
		}
		require.Equal(t, []uint32{released}, releases())
		again := func() {
			accept = proto.Clone(accept).(*ridepb.ClientFrame)
			require.Equal(t, ridepb.Trip_matched, d.ask(accept).GetTrip().GetStatus(), "the recorded reply")
			pass(time.Second)
		}
		again()
		require.Equal(t, []uint32{released}, releases(), "it knows")

		other := w.rider("other")
		second := other.request().GetTrip().GetId()
		d.at(pickup)
		require.NotNil(t, d.accept(d.offer()).GetTrip())
		require.NotNil(t, other.cancel(second).GetTrip())
		again()
		require.Equal(t, []uint32{released, released}, releases())
	})
}

func count(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

// A driver that gives its trip back to an activation which has not heard of it before, as after a move to
// another node, receives the event all the same.
func TestGivingBackToANewActivation(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		trip := r.request().GetTrip().GetId()
		require.NotNil(t, d.accept(d.offer()).GetTrip())
		require.NoError(t, w.sys.root.StopFuture(w.sys.place.Trip(ride.TripID(trip))).Wait())
		w.local().mu.Lock()
		delete(w.local().trips, ride.TripID(trip))
		w.local().mu.Unlock()
		require.NotNil(t, d.cancel(trip).GetDone())
		synctest.Wait()
		require.Equal(t, 1, count(d.changes(), ride.KindReleased), "%v", d.changes())
		pass(w.sys.cfg.AttachEvery)
		require.Equal(t, 1, count(d.changes(), ride.KindReleased), "once")
	})
}

// Asking costs nothing when there is no news: no event, no read, no write and no activation. It ends
// with the trip, does not keep its actor alive, and goes on for a client that has lost its socket.
func TestAskingWithoutNews(t *testing.T) {
	inLossyWorld(t, func(c *Config) { c.PositionTTL = 5 * time.Minute }, func(w *world, p *lossy) {
		d, r := w.driver("d", 100), w.rider("r")
		pass(time.Minute)
		require.Empty(t, p.asks(), "there is no trip to ask")
		trip := r.request().GetTrip().GetId()
		d.accept(d.offer())
		fence := w.store.only().Fence
		shown := len(d.box.all()) + len(r.box.all())
		asked, sent := len(p.asks()), p.messages()
		w.store.refuse(true, true)
		d.inbox.Leave()
		pass(time.Minute)
		w.store.refuse(false, false)
		require.Equal(t, sent, p.messages(), "the trip does not reply")
		require.InDelta(t, 2*4, len(p.asks())-asked, 2, "each asks every 15 s")
		require.Equal(t, fence, w.store.only().Fence)
		require.Equal(t, shown, len(d.box.all())+len(r.box.all()))
		for _, m := range p.asks()[asked:] {
			require.Equal(t, w.store.only().Version, m.Version)
		}

		d.connect(nil)
		require.NotNil(t, r.cancel(trip).GetTrip())
		pass(w.sys.cfg.AttachEvery)
		asked = len(p.asks())
		pass(w.sys.cfg.TripIdle + time.Second)
		require.Len(t, p.asks(), asked)
		require.Zero(t, w.sys.kinds.trip.Alive())
	})
}

// A party that keeps asking does not keep the actor of a trip that has ended.
func TestAFinalTripIsNotKeptAwake(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		r := w.rider("r")
		trip := ride.TripID(r.request().GetTrip().GetId())
		r.cancel(string(trip))
		for range int(w.sys.cfg.TripIdle/time.Second) + 1 {
			w.sys.root.Send(w.sys.place.Trip(trip), tripAttach{Account: "r", Generation: 1, PID: w.sys.place.PeopleHere()[0], Version: 2})
			pass(time.Second)
			if w.sys.kinds.trip.Alive() == 0 {
				return
			}
		}
		require.Fail(t, "its actor stays")
	})
}

// People who were cut off together do not ask together.
func TestAsksAreSpread(t *testing.T) {
	inLossyWorld(t, func(c *Config) { c.AttachEvery = 10 * time.Second }, func(w *world, p *lossy) {
		const people = 200
		for i := range people {
			w.client(ride.RoleRider, fmt.Sprint("r", i)).connect(nil).send(&ridepb.ClientFrame{
				Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: requestTrip()},
			})
		}
		for second := range 10 {
			before := len(p.asks())
			pass(time.Second)
			require.InDelta(t, people/10, len(p.asks())-before, people/10, "in second %d", second)
		}
		require.Len(t, p.asks(), people)
	})
}

// A position that comes before the driver's actor knows the rider's is shown as soon as it does. One from
// before the match is not.
func TestAPositionWaitsForItsRider(t *testing.T) {
	for _, moves := range []int{0, 1} {
		inLossyWorld(t, func(c *Config) { c.PositionTTL = 5 * time.Minute }, func(w *world, p *lossy) {
			d, r := w.driver("d", 100), w.rider("r")
			r.request()
			p.losing(func(_ string, m any) bool { u, ok := m.(tripUpdate); return ok && u.Rider != nil })
			require.NotNil(t, d.accept(d.offer()).GetTrip())
			for range moves {
				d.at(geo.Destination(pickup, 0, 90))
			}
			require.Empty(t, r.box.positions())
			p.losing(nil)
			pass(w.sys.cfg.AttachEvery)
			require.Len(t, r.box.positions(), moves)
		})
	}
}

// A trip that does not exist any more is dropped, and so are the offers of it; the client gets a
// snapshot, because there is nothing to show it of the trip. Nothing is asked for ever.
func TestATripThatIsGone(t *testing.T) {
	inLossyWorld(t, nil, func(w *world, p *lossy) {
		d, holder, r := w.driver("d", 100), w.driver("holder", 200), w.rider("r")
		r.request()
		offer := holder.offer()
		p.losing(func(_ string, m any) bool { _, ok := m.(offerEnded); return ok })
		d.accept(d.offer())
		p.losing(nil)
		for _, pid := range w.sys.place.TripsHere() {
			w.sys.stop(pid)
		}
		synctest.Wait()
		p.local.mu.Lock()
		clear(p.local.trips)
		p.local.mu.Unlock()
		w.store.mu.Lock()
		clear(w.store.trips)
		w.store.mu.Unlock()

		pass(w.sys.cfg.AttachEvery + 5*time.Second)
		require.Equal(t, ridepb.CloseInternal, r.box.closeCode())
		require.Equal(t, ridepb.CloseInternal, d.box.closeCode())
		require.Contains(t, holder.ends(), "withdrawn trip_cancelled")
		require.Zero(t, holder.box.closeCode())
		require.Zero(t, w.sys.kinds.trip.Alive())
		r.connect(nil)
		d.connect(nil)
		require.Nil(t, r.connected().GetActiveTrip())
		require.Nil(t, d.connected().GetActiveTrip())
		asked := len(p.asks())
		pass(time.Minute)
		require.Len(t, p.asks(), asked)
		require.Equal(t, "not_found", holder.accept(offer).GetError().GetCode())
		other := w.rider("other")
		other.request()
		holder.at(geo.Destination(pickup, 0, 150))
		pass(w.sys.cfg.Rules.Policy.WaveEvery)
		require.Len(t, holder.offers(), 2, "it is free")
	})
}

// The driver's positions reach the rider's new actor although the message that says so is lost.
func TestRidersActorIsLearntByAsking(t *testing.T) {
	inLossyWorld(t, func(c *Config) { c.Linger = time.Second; c.PositionTTL = 5 * time.Minute }, func(w *world, p *lossy) {
		d, r := w.driver("d", 100), w.rider("r")
		r.request()
		d.accept(d.offer())
		p.losing(func(_ string, m any) bool { u, ok := m.(tripUpdate); return ok && u.Rider != nil })
		r.inbox.Leave()
		pass(w.sys.cfg.Linger + 2*lastWords)
		r.connect(nil)
		d.at(pickup)
		require.Empty(t, r.box.positions())
		p.losing(nil)
		events := len(d.box.all())
		pass(w.sys.cfg.AttachEvery)
		d.at(geo.Destination(pickup, 0, 10))
		require.NotEmpty(t, r.box.positions())
		require.Len(t, d.box.all(), events, "the driver is sent nothing")
	})
}

// Of two actors of one account, the one of the higher generation is heard: what the other sends late
// does not take the account's news, offers or place in a cell away.
func TestTheNewerActorSpeaks(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d, r := w.driver("d", 0), w.rider("r")
		old := w.sys.root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case tripUpdate, offerMade, offerEnded:
				t.Errorf("an actor that was replaced gets %T", m)
			}
		}))
		for _, c := range []*client{d, r} { // the second claim of each account
			c.inbox.Leave()
		}
		pass(w.sys.cfg.Linger + lastWords)
		d.connect(nil).goOnline(0)
		r.connect(nil)
		cell, err := geo.CellAt(pickup, w.sys.cfg.Resolution)
		require.NoError(t, err)
		cells := w.sys.place.Cells([]geo.Cell{cell})
		require.Len(t, cells, 1)
		w.sys.root.Send(cells[0], cellPut{Driver: "d", Generation: 1, PID: old, Class: "standard", Point: pickup})
		w.sys.root.Send(cells[0], cellDrop{Driver: "d", Generation: 1})
		trip := r.request().GetTrip().GetId()
		pid := w.sys.place.Trip(ride.TripID(trip))
		intrude := func(account ride.AccountID, role ride.Role, c ride.Command) {
			w.sys.root.Send(pid, tripAttach{Account: account, Generation: 1, PID: old})
			key := commandKey{Account: account, Role: role, ID: fmt.Sprintf("%s%T%d", account, c, w.store.only().Version), Digest: "x", Generation: 1}
			w.sys.root.RequestWithCustomSender(pid, tripCommand{Key: key, Command: c}, old)
			synctest.Wait()
		}
		w.sys.root.Send(pid, tripAttach{Account: "d", Generation: 1, Offer: ride.OfferID(d.offer().GetId()), PID: old})
		intrude("r", ride.RoleRider, ride.MarkArrived{Driver: "r"})
		require.NotNil(t, d.accept(d.offer()).GetTrip())
		require.Equal(t, []string{"won "}, d.ends())
		intrude("d", ride.RoleDriver, ride.StartTrip{Driver: "d"})
		intrude("r", ride.RoleRider, ride.MarkArrived{Driver: "r"})
		require.NotNil(t, d.arrived(trip).GetTrip())
		require.Equal(t, "arrived", r.shown(trip))
		d.at(geo.Destination(pickup, 0, 20))
		require.NotEmpty(t, r.box.positions())

		// A driver who comes after another does not compare with it.
		require.NotNil(t, d.cancel(trip).GetDone())
		d2 := w.driver("d2", 50)
		require.NotNil(t, d2.accept(d2.offer()).GetTrip())
		require.Equal(t, "matched", d2.shown(trip))
	})
}

// A trip's actor that another activation has overtaken learns so from a party that knows more, and
// the other party hears of it; it does not take a driver for a former one because its own state is old.
func TestAskingFindsAnOldState(t *testing.T) {
	quiet := func(c *Config) { // no timer of the trip makes it write
		c.Rules.Policy.WaveEvery, c.Rules.Policy.OfferTTL = 10*time.Minute, 10*time.Minute
		c.Rules.Policy.RingStart = c.Rules.Policy.RingMax
		c.Rules.SearchFor = time.Hour
	}
	inWorld(t, quiet, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		trip := ride.TripID(r.request().GetTrip().GetId())
		offer := d.offer()
		people := map[ride.AccountID]*actor.PID{}
		for _, c := range []*client{d, r} {
			w.sys.place.Find(c.account.ID, func(pid *actor.PID) { people[c.account.ID] = pid })
		}
		elsewhere := func(c ride.Command) ride.Trip { // as another process would carry it out
			before, err := w.store.Activate(t.Context(), trip)
			require.NoError(t, err)
			events, _, err := ride.Decide(before, time.Now(), c)
			require.NoError(t, err)
			after := ride.Fold(before, events)
			require.NoError(t, w.store.Commit(t.Context(), ride.Transition{Trip: &after, Prev: before.Version, Events: events, Wake: ride.Wake(after)}))
			return after
		}
		matched := elsewhere(ride.AcceptOffer{Offer: ride.OfferID(offer.GetId()), Card: ride.DriverCard{ID: "d"}})
		w.sys.root.Send(people["d"], tripUpdate{Trip: &matched, Change: ride.KindMatched})
		// A driver that knows of its win alone, and not of the trip, is in no old state.
		w.sys.root.Send(w.sys.place.Trip(trip), tripAttach{Account: "d", Generation: 1, PID: w.sys.root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(driverReleased); ok {
				t.Error("the driver is released")
			}
		}))})
		synctest.Wait()
		require.Equal(t, "requested", r.shown(string(trip)))
		pass(w.sys.cfg.AttachEvery)
		require.Equal(t, "matched", d.shown(string(trip)))
		require.Equal(t, "matched", r.shown(string(trip)))
		fence := w.store.only().Fence
		pass(3 * w.sys.cfg.AttachEvery)
		require.Equal(t, fence, w.store.only().Fence, "once")
		require.NotNil(t, d.arrived(string(trip)).GetTrip())
	})
}

func TestSpeakers(t *testing.T) {
	a, b := actor.NewPID("n", "a"), actor.NewPID("n", "b")
	var s speaker
	require.False(t, s.learn(nil, 9))
	require.True(t, s.learn(a, 2))
	require.True(t, s.learn(b, 2), "the latest message of one generation counts")
	require.False(t, s.learn(a, 1))
	require.Equal(t, speaker{b, 2}, s)
	var d driving
	require.True(t, d.learn("d1", a, 5))
	require.True(t, d.learn("d2", b, 1), "another driver")
	require.False(t, d.learn("d3", nil, 0))
	require.Equal(t, driving{driver: "d3"}, d, "nothing of the one before")
	require.True(t, sameActor(nil, nil))
	require.True(t, sameActor(a, actor.NewPID("n", "a")))
	require.False(t, sameActor(a, nil))
	require.False(t, sameActor(nil, a))
	require.False(t, sameActor(a, b))
}

// News that come late while the database cannot be read are not believed. Both parties have the right state
// within AttachEvery after it can be read again, also a driver whose actor does not know that it has a trip.
func TestLateNewsWhileTheStoreCannotBeRead(t *testing.T) {
	inCluster(t, 2, func(c *cluster) {
		d, r := c.nodes[1].driver("d", 100), c.nodes[0].rider("r")
		trip := ride.TripID(r.request().GetTrip().GetId())
		c.net.losing(func(f *nodepb.NodeFrame) bool { return f.GetTripUpdate() != nil || f.GetTripResult() != nil })
		accepting := d.send(acceptFrame(d.offer()))
		pass(time.Minute)
		require.NotNil(t, d.box.reply(accepting).GetError(), "the answers are lost")
		require.Equal(t, ride.StatusMatched, c.store.trip(trip).Status)
		require.Empty(t, d.changes())

		c.store.refuse(true, false)
		c.net.losing(nil)
		late := c.store.trip(trip)
		c.nodes[1].sys.place.Find(d.account.ID, func(pid *actor.PID) {
			c.nodes[1].sys.root.Send(pid, tripUpdate{Trip: &late, Change: late.Change})
		})
		pass(2 * c.nodes[1].sys.cfg.AttachEvery)
		require.Empty(t, d.changes(), "it may have another trip by now")

		c.store.refuse(false, false)
		pass(c.nodes[1].sys.cfg.AttachEvery)
		require.Equal(t, []string{ride.KindMatched}, d.changes())
		require.Contains(t, r.changes(), ride.KindMatched)
		require.NotNil(t, d.arrived(string(trip)).GetTrip())
		require.Contains(t, r.changes(), ride.KindArrived)
	})
}
