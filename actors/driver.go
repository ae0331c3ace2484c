package actors

import (
	"context"
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/actors/city"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// driverActor is a driver's presence: its session, its choice to be online, where it is, the offers
// it holds and the trip it drives. It alone decides whether it is available, and registers itself
// in the cell where dispatch looks.
type driverActor struct {
	person
	online bool

	fix     fix
	filter  geo.PositionFilter
	tracker geo.CellTracker
	cell    geo.Cell   // the cell that lists this driver as available; 0: none
	pid     *actor.PID // of that cell
	put     cellPut    // as last sent to the cell
	shown   shown      // where quotes show this driver

	offers  map[ride.OfferID]*heldOffer
	surplus []surplus // to be handed back once the session has its snapshot
	ended   endedOffers
	rider   *actor.PID // of the active trip, from the trip's last update; nil: not known
	ride    odometer
	guide   guide

	movedAt time.Time    // when the rider last got it
	unshown bool         // it came during the trip, before this actor knew the rider's
	marker  *city.Marker // in the operators' picture; nil: none
}

// fix is the newest position that the filter accepted.
type fix struct {
	ride.Position
	takenAt    time.Time // from the filter: increasing, and not after receivedAt
	receivedAt time.Time // zero: none
}

// heldOffer is an offer that is open as far as this driver knows.
type heldOffer struct {
	trip    ride.TripID
	shown   *ridepb.Offer
	expires time.Time
	asked   time.Time // when its trip was last asked about it; at first, when it came
	// exclusive says that this driver gets no other offer meanwhile.
	exclusive bool
}

const (
	// putEveryM is how far a driver moves before its cell is updated.
	putEveryM = 25
	// movedEvery bounds how often a rider receives its driver's position.
	movedEvery = 200 * time.Millisecond
	// movedFarEvery is movedEvery when the rider's session is on another node.
	movedFarEvery = time.Second
	// lostOffer is how long after an offer's expiry its trip is asked, if its end has not arrived.
	lostOffer = time.Second
)

func newDriver(s *shared, a ride.Account, claim uint64) *driverActor {
	tracker, err := geo.NewCellTracker(s.cfg.Resolution)
	if err != nil {
		panic(err) // Config.Validate has checked the resolution
	}
	return &driverActor{
		person: newPerson(s, a, claim), tracker: tracker, offers: make(map[ride.OfferID]*heldOffer),
		filter: geo.PositionFilter{MaxSpeed: s.cfg.MaxSpeedMPS},
	}
}

func (d *driverActor) Receive(ctx actor.Context) {
	if m, ok := ctx.Message().(offerMade); ok && d.ended.has(m.Offer.ID) {
		return // sent again, or on another way, before it ended
	}
	if !d.moves(ctx, d) && !d.past(ctx) {
		d.receive(ctx)
	}
}

func (d *driverActor) receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *positionReady:
		if !d.forwarded(ctx, m.inbox) {
			d.onPosition(ctx, m.inbox)
		}
	case joined:
		d.onJoined(ctx, m)
	case left:
		if d.onLeft(ctx, m) {
			d.syncCell(ctx)
		}
	case aged:
		d.onAged()
	case newsDue:
		d.onNewsDue(ctx, m)
	case attachDue:
		d.onAttachDue(ctx, d.attachment)
		d.repeatRoute(ctx)
	case lingered:
		if d.onLingered(ctx) {
			d.appear(time.Now())
			d.withdrawOffers(ctx, ride.ReasonDriverGone)
		}
	case newerSession:
		d.replaced(ctx, m)
	case claimDue:
		d.onClaimDue(ctx, m)
		d.readMissed(ctx)
	case framed:
		if !d.forwarded(ctx, m.inbox) && !m.expired() {
			d.onFrame(ctx, m)
		}
	case accountChanged:
		d.onAccountChanged(ctx, m)
	case estimated:
		m.then(ctx)
	case *planned:
		d.onPlanned(ctx, m)
	case matched:
		d.onMatched(ctx, m)
	case positionStale:
		d.timers.Cancel("stale")
		d.syncCell(ctx)
	case personTick:
		d.onTick(ctx)
	case *actor.Stopping:
		d.leaveCell(ctx)
		d.vanish()
		d.timers.Stop()
	default:
		d.fromTrip(ctx)
	}
}

// onJoined makes a session the live one.
func (d *driverActor) onJoined(ctx actor.Context, m joined) {
	d.onJoin(ctx, m, d.snapshot)
	d.keepOffline(ctx)
	if !d.gone { // otherwise another actor claims the offers
		d.claimOffers(ctx)
		d.syncCell(ctx)
		d.steer(ctx)
	}
}

// fromTrip handles what trips send, and that trips have moved or may be others.
func (d *driverActor) fromTrip(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case tripResult:
		if d.mine(m.Key.Account) {
			d.onTripResult(ctx, m)
		}
	case tripUpdate:
		if d.mine(m.Trip.DriverID()) {
			d.onTripUpdate(ctx, m)
		}
	case offerMade:
		if d.mine(m.Offer.Driver) {
			d.onOffer(ctx, m)
		}
	case offerEnded:
		if d.mine(m.Offer.Driver) {
			d.onOfferEnded(ctx, m)
		}
	case driverReleased:
		if d.mine(m.Driver) {
			d.onReleased(ctx, m)
		}
	case nextDue:
		d.timers.Cancel("next")
		d.moveOn(ctx)
	case tripGone:
		d.onTripGone(ctx, m)
	case ownersChanged:
		d.onOwnersChanged(ctx, m, d.attachment)
		for id, o := range d.offers {
			if m.moved(o.trip) {
				d.claimOffer(ctx, o.trip, id)
			}
		}
	}
}

// Recovered drops state that may be half updated: the client reconnects and gets a snapshot.
func (d *driverActor) Recovered(ctx actor.Context) {
	d.leaveCell(ctx)
	d.offers = make(map[ride.OfferID]*heldOffer)
	d.guide = guide{question: d.guide.question + 1}
	d.drop(ctx)
	d.appear(time.Now())
}

// snapshot reads this driver's active trip and open offers from the database. Offers that are only
// in memory stay until their trips end them: the client has yet to receive those ends.
func (d *driverActor) snapshot(c *ridepb.Connected) error {
	if err := d.readActive(c); err != nil {
		return err
	}
	d.bind(d.active)
	ctx, cancel := d.sys.storeContext()
	defer cancel()
	open, err := d.sys.store.OpenOffers(ctx, d.account.ID)
	if err != nil {
		return err
	}
	c.Online, c.Approval, c.Route = d.online, view.Approval(d.account), d.route()
	for i := range open {
		o := &open[i]
		if _, held := d.offers[o.Offer.ID]; held {
			continue
		}
		switch d.hold(&o.Trip, &o.Offer) {
		case "":
		case ride.ReasonDriverHeld: // it was handed back before, or made to an earlier activation
			d.surplus = append(d.surplus, surplus{o.Trip.ID, o.Offer.ID})
			continue
		default:
			continue
		}
		// Its trip's message is queued behind this join, or went to an earlier activation of this
		// actor. The event belongs in the history all the same, because a client resumes from that.
		d.remember(offerReceived(d.offers[o.Offer.ID]))
	}
	for _, o := range d.offers {
		c.OpenOffers = append(c.OpenOffers, o.shown)
	}
	return nil
}

// claimOffers sends the trips of the held offers this actor's PID.
func (d *driverActor) claimOffers(ctx actor.Context) {
	for id, o := range d.offers {
		d.claimOffer(ctx, o.trip, id)
	}
	d.handBackSurplus(ctx)
	if len(d.offers) > 0 {
		d.tickLater(ctx)
	}
}

func (d *driverActor) claimOffer(ctx actor.Context, trip ride.TripID, id ride.OfferID) {
	ctx.Send(d.sys.place.Trip(trip), tripAttach{Account: d.account.ID, Generation: d.generation, Offer: id, PID: ctx.Self()})
}

// attachment is person.attachment with where this driver's positions go.
func (d *driverActor) attachment(trip ride.TripID) tripAttach {
	m := d.person.attachment(trip)
	if d.active != nil && d.active.ID == trip {
		m.Rider = d.rider
	}
	return m
}

func (d *driverActor) onFrame(ctx actor.Context, m framed) {
	me := d.account.ID
	switch b := m.frame.GetBody().(type) {
	case *ridepb.ClientFrame_GoOnline:
		d.goOnline(ctx, m, b.GoOnline)
	case *ridepb.ClientFrame_GoOffline:
		d.settle(m, done(), func() {
			d.online = false
			d.syncCell(ctx)
			d.withdrawOffers(ctx, ride.ReasonWentOffline)
		})
	case *ridepb.ClientFrame_AcceptOffer:
		if err := d.account.MayDrive(); err != nil {
			d.refuse(m, refusal(err))
			return
		}
		id := ride.OfferID(b.AcceptOffer.GetOfferId())
		if d.active == nil && d.paced(m, deedCancel) {
			return
		}
		d.forwardOffer(ctx, m, id, ride.AcceptOffer{Offer: id, Card: d.card()})
	case *ridepb.ClientFrame_DeclineOffer:
		id := ride.OfferID(b.DeclineOffer.GetOfferId())
		d.forwardOffer(ctx, m, id, ride.DeclineOffer{Offer: id, Driver: me, Reason: b.DeclineOffer.GetReason()})
	case *ridepb.ClientFrame_Arrived:
		d.forward(ctx, m, ride.TripID(b.Arrived.GetTripId()), ride.MarkArrived{
			Driver: me, Fix: d.here(time.Now()), Reason: b.Arrived.GetReason(),
		})
	case *ridepb.ClientFrame_StartTrip:
		d.start(ctx, m, b.StartTrip)
	case *ridepb.ClientFrame_CompleteTrip:
		d.complete(ctx, m, b.CompleteTrip)
	case *ridepb.ClientFrame_CancelTrip:
		d.forward(ctx, m, ride.TripID(b.CancelTrip.GetTripId()),
			ride.CancelTrip{By: ride.ByDriver, Account: me, Reason: b.CancelTrip.GetReason()})
	case *ridepb.ClientFrame_RateTrip:
		d.forward(ctx, m, ride.TripID(b.RateTrip.GetTripId()), rating(me, b.RateTrip))
	default:
		d.refuse(m, refusal(ride.ErrWrongRole))
	}
}

// card is what a matched rider sees of this driver.
func (d *driverActor) card() ride.DriverCard {
	a := d.account
	return ride.DriverCard{
		ID: a.ID, FirstName: a.FirstName, PhotoID: a.PhotoID,
		Class: a.Vehicle.Class, Plate: a.Vehicle.Plate, RatingX100: a.Rating.X100(),
		Make: a.Vehicle.Make, Model: a.Vehicle.Model, Colour: a.Vehicle.Colour,
	}
}

func (d *driverActor) goOnline(ctx actor.Context, m framed, g *ridepb.GoOnline) {
	if err := d.mayDrive(); err != nil {
		d.refuse(m, refusal(err))
		return
	}
	if _, err := d.sys.cfg.Tariffs.Find(d.account.Vehicle.Class); err != nil || d.account.Vehicle.Class == "" {
		d.refuse(m, refusal(ride.ErrUnknownClass.With("This account has no vehicle of a class that this service offers.")))
		return
	}
	if !d.online && d.paced(m, deedOnline) {
		return
	}
	d.settle(m, done(), func() {
		if !d.online {
			d.sys.pace.count(d.account.ID, deedOnline, time.Now())
		}
		d.online = true
		if loc := g.GetLocation(); loc != nil {
			d.move(ctx, view.FromLocation(loc))
		}
		d.syncCell(ctx)
	})
}

func (d *driverActor) start(ctx actor.Context, m framed, s *ridepb.StartTrip) {
	id := ride.TripID(s.GetTripId())
	if s.GetPin() != "" && d.guesses(id, m.frame.GetId()) >= ride.MaxPINTries {
		d.reply(m.inbox, m.frame.GetId(), refusal(ride.ErrTooMany))
		return
	}
	d.forward(ctx, m, id, ride.StartTrip{Driver: d.account.ID, PIN: s.GetPin()})
}

// guesses counts the unanswered start commands of a trip, except the frame with this id. The trip
// counts wrong PINs; more of them than it allows need not reach it.
func (d *driverActor) guesses(trip ride.TripID, id string) int {
	n := 0
	for other, cmd := range d.pending {
		if start, ok := cmd.message.Command.(ride.StartTrip); ok && start.PIN != "" && cmd.trip == trip && other != id {
			n++
		}
	}
	return n
}

func (d *driverActor) onTripResult(ctx actor.Context, m tripResult) {
	if t := m.Trip; t != nil {
		d.take(ctx, t)
	}
	if cmd := d.onResult(m); cmd != nil {
		if _, done := cmd.message.Command.(ride.CompleteTrip); done && m.Trip != nil {
			d.sys.pace.forgive(d.account.ID)
		}
	}
	d.attachToReplied(ctx, m)
}

func (d *driverActor) onTripUpdate(ctx actor.Context, m tripUpdate) {
	if !d.current(m.Trip, d.drives) {
		return
	}
	free := d.active == nil
	d.onUpdate(m, d.drives(m.Trip))
	d.occupied(ctx, free)
	if m.Rider != nil && d.active != nil && d.active.ID == m.Trip.ID {
		d.rider = m.Rider
		if d.unshown {
			d.showRider(ctx, time.Now())
		}
		d.steer(ctx)
	}
}

// occupied is called after the active trip may have changed; free says whether there was none
// before. A driver who has just been matched hands back the other offers, so that their trips need
// not wait.
func (d *driverActor) occupied(ctx actor.Context, free bool) {
	if free && d.active != nil {
		for id, o := range d.offers {
			if o.trip != d.active.ID {
				d.withdraw(ctx, o.trip, id, ride.ReasonDriverBusy)
			}
		}
	}
	d.bind(d.active)
	d.steer(ctx)
	d.syncCell(ctx)
}

// drives reports whether a trip occupies this driver.
func (d *driverActor) drives(t *ride.Trip) bool {
	return t.DriverID() == d.account.ID && t.Status.Occupied()
}

// take adopts the trip's state from a reply.
func (d *driverActor) take(ctx actor.Context, t *ride.Trip) {
	if !d.current(t, d.drives) {
		return
	}
	free := d.active == nil
	d.see(t, d.drives(t))
	d.occupied(ctx, free)
}

// onReleased frees the driver and notifies the client.
func (d *driverActor) onReleased(ctx actor.Context, m driverReleased) {
	if d.active != nil && d.active.ID == m.Trip && d.active.Version <= m.Version {
		d.setActive(nil)
		d.bind(nil)
		d.steer(ctx)
	}
	d.givenBack(m.Trip, loss{m.Version, m.Reason})
	if m.Reason != "" {
		d.moveOn(ctx)
	}
	d.syncCell(ctx)
}

// moveOn looks for the trip that a driver has instead of the one that an exchange took from it: it is written
// together with the loss, so what the store shows is news already. The trip then learns where its driver is.
func (d *driverActor) moveOn(ctx actor.Context) {
	if d.active != nil {
		return // that trip was faster
	}
	c, cancel := d.sys.storeContext()
	defer cancel()
	t, err := d.sys.store.ActiveTrip(c, d.account.ID, ride.RoleDriver)
	switch {
	case errors.Is(err, ride.ErrNotFound): // free
	case err != nil:
		d.sys.cfg.Log.Log(context.Background(), logLevel(err), "next trip cannot be read", "account", d.account.ID, "error", err)
		d.timers.After("next", resendAfter, d.sys.sender(ctx.Self(), nextDue{}))
	default:
		d.onTripUpdate(ctx, tripUpdate{Trip: &t, Change: t.Change})
		ctx.Send(d.sys.place.Trip(t.ID), d.attachment(t.ID))
	}
}

// nextDue is the time to look again for the trip that a driver has got by an exchange.
type nextDue struct{}

// onTripGone forgets a trip that does not exist, and the offers of it.
func (d *driverActor) onTripGone(ctx actor.Context, m tripGone) {
	if d.person.onTripGone(m) {
		d.bind(nil)
		d.steer(ctx)
		d.syncCell(ctx)
	}
	for id, o := range d.offers {
		if o.trip == m.Trip {
			d.onOfferEnded(ctx, offerEnded{Trip: m.Trip, Offer: ride.Offer{ID: id, State: ride.OfferWithdrawn, Reason: ride.ReasonTripCancelled}})
		}
	}
}

func (d *driverActor) onTick(ctx actor.Context) {
	d.timers.Cancel("tick")
	d.retry(ctx)
	d.askAfterOffers(ctx)
	d.syncCell(ctx) // a hold may be over
	if len(d.pending) > 0 || len(d.offers) > 0 {
		d.tickLater(ctx)
	}
}
