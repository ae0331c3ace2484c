package actors

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// messageOf returns the message in a frame that arrived now. The error is an unknown for the frame
// of a later version, and wraps errFrame for one that makes no sense.
func messageOf(f *nodepb.NodeFrame, now time.Time) (message any, err error) {
	switch b := f.GetBody().(type) {
	case *nodepb.NodeFrame_TripCommand:
		message, err = tripCommandOf(b.TripCommand)
	case *nodepb.NodeFrame_TripAttach:
		m := b.TripAttach
		message = tripAttach{
			Account: ride.AccountID(m.GetAccount()), Generation: m.GetGeneration(), Offer: ride.OfferID(m.GetOffer()),
			PID: pidOf(m.GetParty()), Version: m.GetVersion(), Rider: pidOf(m.GetRider()),
		}
	case *nodepb.NodeFrame_TripWake:
		message = tripWake{}
	case *nodepb.NodeFrame_OfferQuery:
		message = offerQuery{Offer: ride.OfferID(b.OfferQuery.GetOffer()), Driver: ride.AccountID(b.OfferQuery.GetDriver())}
	case *nodepb.NodeFrame_DriverNearby:
		message = driverNearby{}
	case *nodepb.NodeFrame_OperatorAct:
		c, cerr := commandOf(b.OperatorAct.GetCommand())
		message, err = operatorAct{Command: c}, cerr
	case *nodepb.NodeFrame_CellFind:
		m := b.CellFind
		message = cellFind{
			Search: m.GetSearch(), Pickup: pointOf(m.GetPickup()), Coarse: m.GetCoarse(), Limit: int(m.GetLimit()),
			Disk: cellsOf(m.GetDisk()), Until: now.Add(m.GetWithin().AsDuration()),
			Explain: explainOf(m.GetExplain()),
		}
	case *nodepb.NodeFrame_ExchangeProposal, *nodepb.NodeFrame_ExchangeOffer, *nodepb.NodeFrame_ExchangeOutcome,
		*nodepb.NodeFrame_ExchangeAsk, *nodepb.NodeFrame_ExchangeState, *nodepb.NodeFrame_ExchangeWritten:
		message, err = exchangeMessageOf(f)
	case *nodepb.NodeFrame_CellFound:
		message, err = foundOf(b.CellFound)
	case *nodepb.NodeFrame_TakeOver:
		message = takeOver{Account: ride.AccountID(b.TakeOver.GetAccount()), Generation: b.TakeOver.GetGeneration()}
	case *nodepb.NodeFrame_TakenOver:
		message, err = takenOverOf(b.TakenOver)
	case *nodepb.NodeFrame_CityLook:
		m := b.CityLook
		message = cityLook{Account: ride.AccountID(m.GetAccount()), Watch: m.GetWatch(), Want: m.GetWant(), Received: m.GetReceived()}
	case nil:
		return nil, unknown{"body"}
	default:
		message, err = matchMessageOf(f)
	}
	if err == nil && f.GetPassedOn() {
		message = passedOn{message}
	}
	return message, err
}

// personMessageOf returns a message to a person's actor, or to a future.
func personMessageOf(f *nodepb.NodeFrame) (any, error) {
	switch b := f.GetBody().(type) {
	case *nodepb.NodeFrame_TripResult:
		m := b.TripResult
		t, err := tripOf(m.GetTrip())
		if m.GetReply() == nil {
			err = fmt.Errorf("%w: a result without a reply", errFrame)
		}
		return tripResult{Key: keyOf(m.GetKey()), Reply: m.GetReply(), Trip: t}, err
	case *nodepb.NodeFrame_TripUpdate:
		t, err := someTripOf(b.TripUpdate.GetTrip())
		return tripUpdate{Trip: t, Change: b.TripUpdate.GetChange(), Rider: pidOf(b.TripUpdate.GetRider())}, err
	case *nodepb.NodeFrame_OfferMade:
		t, err := someTripOf(b.OfferMade.GetTrip())
		if err != nil {
			return nil, err
		}
		o, err := offerOf(b.OfferMade.GetOffer())
		return offerMade{Trip: t, Offer: o}, err
	case *nodepb.NodeFrame_OfferEnded:
		o, err := offerOf(b.OfferEnded.GetOffer())
		return offerEnded{Trip: ride.TripID(b.OfferEnded.GetTrip()), Offer: o}, err
	case *nodepb.NodeFrame_DriverReleased:
		m := b.DriverReleased
		return driverReleased{Trip: ride.TripID(m.GetTrip()), Driver: ride.AccountID(m.GetDriver()), Version: m.GetVersion(), Reason: m.GetReason()}, nil
	case *nodepb.NodeFrame_TripGone:
		return tripGone{Trip: ride.TripID(b.TripGone.GetTrip())}, nil
	case *nodepb.NodeFrame_DriverMoved:
		m := b.DriverMoved
		return driverMoved{
			Trip: ride.TripID(m.GetTrip()), Driver: ride.AccountID(m.GetDriver()), Point: pointOf(m.GetPoint()), HeadingDeg: m.GetHeadingDeg(),
			ETA: m.GetEta().AsDuration(), DeviceTime: m.GetDeviceTime().AsTime(),
			LeftM: float64(m.GetLeftM()), Revision: m.GetRevision(),
		}, nil
	case *nodepb.NodeFrame_RouteMade:
		m := b.RouteMade
		if m.GetRoute() == nil {
			return nil, fmt.Errorf("%w: a route that is none", errFrame)
		}
		return routeMade{Trip: ride.TripID(m.GetTrip()), Driver: ride.AccountID(m.GetDriver()), Route: m.GetRoute()}, nil
	case *nodepb.NodeFrame_CityPart:
		m := b.CityPart
		if m.GetChanged() == nil {
			return nil, fmt.Errorf("%w: a part of the city without content", errFrame)
		}
		return cityPart{
			Account: ride.AccountID(m.GetAccount()), Watch: m.GetWatch(), Number: m.GetNumber(), More: m.GetMore(),
			Up: m.GetUp().AsDuration(), Changed: m.GetChanged(),
		}, nil
	case *nodepb.NodeFrame_OperatorDone:
		t, err := tripOf(b.OperatorDone.GetTrip())
		out := operatorDone{Trip: t}
		if out.Err = errorOf(b.OperatorDone.GetError()); out.Err == nil && t == nil {
			err = fmt.Errorf("%w: an operator's command without an outcome", errFrame)
		}
		return out, err
	}
	return nil, unknown{"body"}
}

// errorOf reads a refusal; nil for none.
func errorOf(e *ridepb.Error) error {
	if e == nil {
		return nil
	}
	return &ride.Error{Code: e.GetCode(), Message: e.GetMessage(), Field: e.GetField(), Retryable: e.GetRetryable()}
}

func tripCommandOf(m *nodepb.TripCommand) (any, error) {
	c, err := commandOf(m.GetCommand())
	if err != nil {
		return nil, err
	}
	out := tripCommand{Key: keyOf(m.GetKey()), Command: c, Searched: m.GetSearched()}
	for _, also := range m.GetAlso() {
		c, err := commandOf(also)
		if err != nil {
			return nil, err
		}
		out.Also = append(out.Also, c)
	}
	return out, nil
}

func explainOf(m *nodepb.Explain) *explain {
	if m == nil {
		return nil
	}
	out := &explain{Class: m.GetClass(), Ring: int(m.GetRing())}
	for _, driver := range m.GetExcluded() {
		out.Excluded = append(out.Excluded, ride.AccountID(driver))
	}
	return out
}

func foundOf(m *nodepb.CellFound) (any, error) {
	out := cellFound{Search: m.GetSearch(), Cells: int(m.GetCells()), Drivers: make([]cellPut, len(m.GetDrivers()))}
	for i, d := range m.GetDrivers() {
		out.Drivers[i] = cellPutOf(d)
	}
	for _, b := range m.GetPassed() {
		var p ride.Considered
		if err := json.Unmarshal(b, &p); err != nil {
			return nil, fmt.Errorf("%w: a driver passed over: %w", errFrame, err)
		}
		out.Passed = append(out.Passed, p)
	}
	return out, nil
}

func cellPutOf(d *nodepb.Driver) cellPut {
	out := cellPut{
		Driver: ride.AccountID(d.GetAccount()), PID: pidOf(d.GetActor()), Class: d.GetClass(), Point: pointOf(d.GetPoint()),
		Load: int(d.GetLoad()), Shown: geo.Cell(d.GetShown()), Generation: d.GetGeneration(),
	}
	if deg := float64(d.GetHeadingDeg()); d != nil && d.HeadingDeg != nil && deg >= 0 && deg <= 360 {
		out.Heading = geo.HeadingOf(deg)
	}
	return out
}

// tripOf reads a trip's stored form; nil for nothing.
func tripOf(b []byte) (*ride.Trip, error) {
	if len(b) == 0 {
		return nil, nil
	}
	return someTripOf(b)
}

func someTripOf(b []byte) (*ride.Trip, error) {
	t, err := ride.UnmarshalTrip(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errFrame, err)
	}
	return t, nil
}

func offerOf(b []byte) (o ride.Offer, err error) {
	if err := json.Unmarshal(b, &o); err != nil {
		return o, fmt.Errorf("%w: offer: %w", errFrame, err)
	}
	return o, nil
}

func pointOf(p *nodepb.Point) geo.Point { return geo.Point{Lat: p.GetLat(), Lng: p.GetLng()} }

func cellsOf(cells []uint64) []geo.Cell {
	out := make([]geo.Cell, len(cells))
	for i, c := range cells {
		out[i] = geo.Cell(c)
	}
	return out
}

func keyOf(k *nodepb.Key) commandKey {
	return commandKey{Account: ride.AccountID(k.GetAccount()), Role: ride.Role(k.GetRole()), ID: k.GetId(), Digest: k.GetDigest(),
		Generation: k.GetGeneration()}
}

func pidOf(a *nodepb.Actor) *actor.PID {
	if a == nil {
		return nil
	}
	return actor.NewPID(Member{Address: a.GetAddress(), Incarnation: a.GetIncarnation()}.node(), a.GetName())
}
