package actors

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// riderActor is a rider's presence: its session, its active trip, its quotes.
type riderActor struct {
	person
	// quotes under way, by search; at most maxQuotes.
	quotes map[uint64]*pendingQuote
	next   uint64
	// pricing counts the trips whose estimate is under way; at most maxPriced.
	pricing int
	// route is the newest one of the trip; routeShown says that the client has it.
	route      routeMade
	routeShown bool
}

func newRider(s *shared, a ride.Account, claim uint64) *riderActor {
	return &riderActor{person: newPerson(s, a, claim), quotes: make(map[uint64]*pendingQuote)}
}

func (r *riderActor) Receive(ctx actor.Context) {
	if !r.moves(ctx, r) && !r.past(ctx) {
		r.receive(ctx)
	}
}

func (r *riderActor) receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case accountChanged:
		if !m.account.UpdatedAt.Before(r.account.UpdatedAt) {
			r.account = m.account
		}
	case joined:
		r.onJoin(ctx, m, r.snapshot)
	case left:
		r.onLeft(ctx, m)
	case aged:
		r.onAged()
	case newsDue:
		r.onNewsDue(ctx, m)
	case attachDue:
		r.onAttachDue(ctx, r.attachment)
	case ownersChanged:
		r.onOwnersChanged(ctx, m, r.attachment)
	case lingered:
		r.onLingered(ctx)
	case newerSession:
		r.replaced(ctx, m)
	case claimDue:
		r.onClaimDue(ctx, m)
	case framed:
		if !r.forwarded(ctx, m.inbox) && !m.expired() {
			r.onFrame(ctx, m)
		}
	case cellFound:
		if q := r.quotes[m.Search]; q != nil && q.query.add(m) {
			r.timeQuote(ctx, q)
		}
	case searchOver:
		if q := r.quotes[m.id]; q != nil {
			r.timeQuote(ctx, q)
		}
	case estimated:
		m.then(ctx)
	case personTick:
		r.timers.Cancel("tick")
		r.retry(ctx)
		if len(r.pending) > 0 {
			r.tickLater(ctx)
		}
	case *actor.Stopping:
		r.timers.Stop()
		for _, q := range r.quotes {
			q.timer.Stop()
		}
	default:
		r.fromTrip(ctx)
	}
}

// fromTrip handles what trips and the driver of one send.
func (r *riderActor) fromTrip(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case tripResult:
		if r.mine(m.Key.Account) {
			r.onTripResult(ctx, m)
		}
	case tripUpdate:
		if !r.mine(m.Trip.Request.Rider.ID) {
			return
		}
		if m.Trip.Status == ride.StatusCompleted {
			r.sys.pace.forgive(r.account.ID)
		}
		if r.current(m.Trip, r.rides) {
			r.onUpdate(m, r.rides(m.Trip))
			r.showRoute()
		}
	case driverMoved:
		r.onDriverMoved(m)
	case routeMade:
		r.onRouteMade(m)
	case tripGone:
		r.onTripGone(m)
	}
}

// rides reports whether a trip of this rider occupies the rider.
func (r *riderActor) rides(t *ride.Trip) bool { return t.Status.Live() }

func (r *riderActor) Recovered(ctx actor.Context) { r.drop(ctx) }

func (r *riderActor) onFrame(ctx actor.Context, m framed) {
	switch b := m.frame.GetBody().(type) {
	case *ridepb.ClientFrame_GetQuote:
		r.quote(ctx, m, b.GetQuote)
	case *ridepb.ClientFrame_RequestTrip:
		r.request(ctx, m, b.RequestTrip)
	case *ridepb.ClientFrame_CancelTrip:
		r.forward(ctx, m, ride.TripID(b.CancelTrip.GetTripId()),
			ride.CancelTrip{By: ride.ByRider, Account: r.account.ID, Reason: b.CancelTrip.GetReason()})
	case *ridepb.ClientFrame_RateTrip:
		r.forward(ctx, m, ride.TripID(b.RateTrip.GetTripId()), rating(r.account.ID, b.RateTrip))
	default:
		r.refuse(m, refusal(ride.ErrWrongRole))
	}
}

// request makes a new trip. It fills in what the client left out; the domain validates it.
func (r *riderActor) request(ctx actor.Context, m framed, q *ridepb.RequestTrip) {
	if m.priced == nil && r.active == nil && (r.paced(m, deedCancel) || r.paced(m, deedIdle)) {
		return
	}
	req, tariff, err := r.sys.newRequest(r.account, q)
	switch {
	case err != nil:
	case m.priced == nil && r.pricing >= maxPriced:
		err = ride.ErrTooMany
	case m.priced == nil:
		r.price(ctx, m, req, tariff)
		return
	default:
		err = m.priced.err
	}
	if err != nil {
		r.refuse(m, refusal(err))
		return
	}
	cmd, err := r.sys.requestOf(req, tariff, m.priced)
	if err != nil {
		r.refuse(m, refusal(err))
		return
	}
	r.forward(ctx, m, cmd.ID, cmd)
}

// price has a trip estimated and takes its frame again with what comes of it: by then another actor may
// have taken over, or the client may not wait any more.
func (r *riderActor) price(ctx actor.Context, m framed, req ride.Request, tariff ride.Tariff) {
	r.pricing++
	offload(r.sys, ctx, func(c context.Context) priced { return r.sys.estimate(c, req.Pickup, req.Dropoff, tariff) },
		func(ctx actor.Context, p priced) {
			r.pricing--
			m.priced = &p
			if r.sys.quick {
				r.request(ctx, m, m.frame.GetRequestTrip())
				return
			}
			ctx.Send(ctx.Self(), m)
		})
}

// newRequest returns a client's request, checked.
func (s *shared) newRequest(rider ride.Account, q *ridepb.RequestTrip) (ride.Request, ride.Tariff, error) {
	tariff, err := s.cfg.Tariffs.Find(q.GetVehicleClass())
	if err != nil {
		return ride.Request{}, tariff, ride.ErrUnknownClass.In("request_trip.vehicle_class")
	}
	req := ride.Request{
		Rider: ride.RiderCard{
			ID: rider.ID, FirstName: rider.FirstName, PhotoID: rider.PhotoID, RatingX100: rider.Rating.X100(),
		},
		Pickup: view.FromPoint(q.GetPickup()), Dropoff: view.FromPoint(q.GetDropoff()),
		PickupAddress: q.GetPickupAddress(), DropoffAddress: q.GetDropoffAddress(),
		Class: tariff.Class, Passengers: max(1, int(min(q.GetPassengers(), 1000))), Note: q.GetNote(),
	}
	if err := req.Validate(tariff); err != nil {
		return ride.Request{}, tariff, inMessage("request_trip", err)
	}
	return req, tariff, nil
}

// requestOf returns the command that makes the trip.
func (s *shared) requestOf(req ride.Request, tariff ride.Tariff, p *priced) (ride.RequestTrip, error) {
	rules := *s.rules.Load()
	rules.Tariff = tariff
	id, err := s.place.NewTrip()
	if err != nil {
		return ride.RequestTrip{}, err
	}
	cmd := ride.RequestTrip{ID: id, Request: req, Rules: rules, Estimate: p.estimate, Outline: p.outline}
	if s.cfg.PIN {
		n, err := rand.Int(rand.Reader, big.NewInt(10_000))
		if err != nil {
			return ride.RequestTrip{}, fmt.Errorf("pin: %w", err)
		}
		cmd.PIN = fmt.Sprintf("%04d", n.Int64())
	}
	return cmd, nil
}

// inMessage completes the path of the invalid field.
func inMessage(message string, err error) error {
	var e *ride.Error
	if errors.As(err, &e) && e.Field != "" {
		return e.In(message + "." + e.Field)
	}
	return err
}

func (r *riderActor) onTripResult(ctx actor.Context, m tripResult) {
	if m.Trip != nil && m.Trip.Request.Rider.ID == r.account.ID && r.current(m.Trip, r.rides) {
		r.see(m.Trip, r.rides(m.Trip))
	}
	r.onResult(m)
	r.attachToReplied(ctx, m)
	r.showRoute()
}

// onDriverMoved passes the driver's position on, but only during the rider's trip with that driver.
func (r *riderActor) onDriverMoved(m driverMoved) {
	t := r.active
	if r.out == nil || t == nil || t.ID != m.Trip || !t.Status.Occupied() || t.DriverID() != m.Driver {
		return
	}
	e := &ridepb.Event{Body: &ridepb.Event_DriverMoved{DriverMoved: &ridepb.DriverMoved{
		TripId: string(m.Trip), Point: view.Point(m.Point), HeadingDeg: m.HeadingDeg,
		EtaS: uint32(m.ETA.Round(time.Second) / time.Second), DeviceTime: view.Time(m.DeviceTime),
		LeftM: whole(m.LeftM), RouteRevision: m.Revision,
	}}}
	r.history.mark(e)
	r.out.Moved(e)
}

var _ movable = (*riderActor)(nil)

// describe implements movable.
func (r *riderActor) describe(*handover) {}

// succeed implements movable.
func (r *riderActor) succeed(_ actor.Context, h *handover) { r.person.succeed(h) }

// replaced implements movable.
func (r *riderActor) replaced(ctx actor.Context, m newerSession) { r.onNewerSession(ctx, m) }
