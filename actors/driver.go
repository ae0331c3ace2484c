package actors

import (
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

	offers map[ride.OfferID]*heldOffer
	rider  *actor.PID // of the active trip, from the trip's last update
	ride   odometer
	pins   pinTries

	movedAt time.Time    // when the rider last got it
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
	asked   time.Time // when its trip was last asked about it
}

// pinTries limits the guesses of a trip's PIN.
type pinTries struct {
	trip   ride.TripID
	wrong  int
	locked time.Time
}

const (
	maxPINTries = 5
	pinLock     = time.Minute
	// putEveryM is how far a driver moves before its cell is updated.
	putEveryM = 25
	// movedEvery bounds how often a rider receives its driver's position.
	movedEvery = 200 * time.Millisecond
	// lostOffer is how long after an offer's expiry its trip is asked, if its end has not arrived.
	lostOffer = time.Second
)

func newDriver(s *shared, a ride.Account, generation uint64) *driverActor {
	tracker, err := geo.NewCellTracker(s.cfg.Resolution)
	if err != nil {
		panic(err) // Config.Validate has checked the resolution
	}
	return &driverActor{
		person: newPerson(s, a, generation), tracker: tracker, offers: make(map[ride.OfferID]*heldOffer),
		filter: geo.PositionFilter{MaxSpeed: s.cfg.MaxSpeedMPS},
	}
}

func (d *driverActor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *positionReady:
		if !d.forwarded(ctx, m.inbox) {
			d.onPosition(ctx, m.inbox)
		}
	case joined:
		d.onJoin(ctx, m, d.snapshot)
		d.keepOffline(ctx)
		if !d.gone { // otherwise another actor claims the offers
			d.claimOffers(ctx)
			d.syncCell(ctx)
		}
	case left:
		if d.onLeft(ctx, m) {
			d.syncCell(ctx)
		}
	case aged:
		d.onAged()
	case lingered:
		if d.onLingered(ctx) {
			d.appear(time.Now())
			d.withdrawOffers(ctx, ride.ReasonDriverGone)
		}
	case framed:
		if !d.forwarded(ctx, m.inbox) && !m.expired() {
			d.onFrame(ctx, m)
		}
	case tripResult:
		d.onTripResult(ctx, m)
	case tripUpdate:
		d.onTripUpdate(ctx, m)
	case offerMade:
		d.onOffer(ctx, m)
	case offerEnded:
		d.onOfferEnded(ctx, m)
	case driverReleased:
		d.onReleased(ctx, m)
	case accountChanged:
		d.onAccountChanged(ctx, m)
	case positionStale:
		d.timers.Cancel("stale")
		d.syncCell(ctx)
	case personTick:
		d.onTick(ctx)
	case *actor.Stopping:
		d.leaveCell(ctx)
		d.vanish()
		d.timers.Stop()
	}
}

// Recovered drops state that may be half updated: the client reconnects and gets a snapshot.
func (d *driverActor) Recovered(ctx actor.Context) {
	d.leaveCell(ctx)
	d.offers = make(map[ride.OfferID]*heldOffer)
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
	c.Online, c.Approval = d.online, view.Approval(d.account)
	for i := range open {
		o := &open[i]
		if _, held := d.offers[o.Offer.ID]; held {
			continue
		}
		if !d.hold(&o.Trip, &o.Offer) {
			break
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
		ctx.Send(d.sys.place.Trip(o.trip), tripAttach{Account: d.account.ID, Offer: id, PID: ctx.Self()})
	}
	if len(d.offers) > 0 {
		d.tickLater(ctx)
	}
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
		id, now := ride.TripID(b.CompleteTrip.GetTripId()), time.Now()
		d.forward(ctx, m, id, ride.CompleteTrip{
			Driver: me, Way: d.way(id, now), Fix: d.here(now), Reason: b.CompleteTrip.GetReason(),
		})
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
	if d.pins.trip == id && time.Now().Before(d.pins.locked) {
		d.refuse(m, &ridepb.Reply{Result: &ridepb.Reply_Error{Error: pinLocked(time.Until(d.pins.locked))}})
		return
	}
	if s.GetPin() != "" && d.guesses(id, m.frame.GetId()) >= maxPINTries {
		d.reply(m.inbox, m.frame.GetId(), refusal(ride.ErrTooMany))
		return
	}
	d.forward(ctx, m, id, ride.StartTrip{Driver: d.account.ID, PIN: s.GetPin()})
}

// guesses counts the wrong PINs for a trip plus its unanswered start commands, except the frame
// with this id. Without the latter, a burst could exceed the limit.
func (d *driverActor) guesses(trip ride.TripID, id string) int {
	n := 0
	if d.pins.trip == trip {
		n = d.pins.wrong
	}
	for other, cmd := range d.pending {
		if start, ok := cmd.message.Command.(ride.StartTrip); ok && start.PIN != "" && cmd.trip == trip && other != id {
			n++
		}
	}
	return n
}

func pinLocked(left time.Duration) *ridepb.Error {
	e := view.Error(ride.ErrPINLocked)
	e.RetryAfterMs = uint32(left.Milliseconds()) + 1
	return e
}

func (d *driverActor) countPIN(id ride.TripID, e *ridepb.Error) {
	if e.GetCode() != ride.ErrWrongPIN.Code {
		return
	}
	if d.pins.trip != id {
		d.pins = pinTries{trip: id}
	}
	if d.pins.wrong++; d.pins.wrong >= maxPINTries {
		d.pins.wrong, d.pins.locked = 0, time.Now().Add(pinLock)
	}
}

func (d *driverActor) onTripResult(ctx actor.Context, m tripResult) {
	if t := m.Trip; t != nil {
		d.take(ctx, t)
	}
	if cmd := d.onResult(m); cmd != nil {
		if _, done := cmd.message.Command.(ride.CompleteTrip); done && m.Trip != nil {
			d.sys.pace.forgive(d.account.ID)
		}
		d.countPIN(cmd.trip, m.Reply.GetError())
	}
}

func (d *driverActor) onTripUpdate(ctx actor.Context, m tripUpdate) {
	if m.Rider != nil {
		d.rider = m.Rider
	}
	d.overtaken(m.Trip, d.drives)
	free := d.active == nil
	d.onUpdate(m, d.drives(m.Trip))
	d.occupied(ctx, free)
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
	d.syncCell(ctx)
}

// drives reports whether a trip occupies this driver.
func (d *driverActor) drives(t *ride.Trip) bool {
	return t.DriverID() == d.account.ID && t.Status.Occupied()
}

// take adopts the trip's state from a reply.
func (d *driverActor) take(ctx actor.Context, t *ride.Trip) {
	d.overtaken(t, d.drives)
	free := d.active == nil
	d.see(t, d.drives(t))
	d.occupied(ctx, free)
}

// onReleased frees the driver, and notifies the client if the driver gave the trip back.
func (d *driverActor) onReleased(ctx actor.Context, m driverReleased) {
	if d.active != nil && d.active.ID == m.Trip && d.active.Version <= m.Version {
		d.active = nil
		d.bind(nil)
	}
	if m.GivenBack {
		d.givenBack(m.Trip, m.Version)
	}
	d.syncCell(ctx)
}

func (d *driverActor) onTick(ctx actor.Context) {
	d.timers.Cancel("tick")
	d.retry(ctx)
	d.askAfterOffers(ctx)
	if len(d.pending) > 0 || len(d.offers) > 0 {
		d.tickLater(ctx)
	}
}
