package actors

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// errFrame says that a message cannot cross, or that a frame makes no sense here.
var errFrame = errors.New("actors: bad frame")

// newFrame makes the frame of a message to another node, without its addresses. A moment of this
// node's clock crosses as the time that is left at now.
func newFrame(message any, now time.Time) (*nodepb.NodeFrame, error) {
	f := &nodepb.NodeFrame{}
	if m, ok := message.(passedOn); ok {
		f.PassedOn, message = true, m.message
	}
	var err error
	switch m := message.(type) {
	case tripCommand, tripAttach, tripWake, offerQuery, driverNearby, operatorAct:
		err = toTrip(f, message)
	case exchangeProposal, exchangeOffer, exchangeOutcome, exchangeAsk, exchangeState, exchangeWritten:
		err = ofExchange(f, message)
	case tripResult, tripUpdate, offerMade, offerEnded, driverReleased, driverMoved, routeMade, operatorDone, tripGone, cityPart:
		err = toPerson(f, message)
	case matchNeed, matchWord, matchMade:
		err = toMatch(f, message)
	case cellFind:
		f.Body = &nodepb.NodeFrame_CellFind{CellFind: &nodepb.CellFind{
			Search: m.Search, Pickup: framePoint(m.Pickup), Coarse: m.Coarse, Limit: uint32(m.Limit),
			Disk: frameCells(m.Disk), Within: durationpb.New(m.Until.Sub(now)),
			Explain: frameExplain(m.Explain),
		}}
	case cellFound:
		out := frameFound(m)
		for _, p := range m.Passed {
			b, perr := json.Marshal(p)
			if perr != nil {
				return nil, fmt.Errorf("%w: %w", errFrame, perr)
			}
			out.Passed = append(out.Passed, b)
		}
		f.Body = &nodepb.NodeFrame_CellFound{CellFound: out}
	case takeOver:
		f.Body = &nodepb.NodeFrame_TakeOver{TakeOver: &nodepb.TakeOver{Account: string(m.Account), Generation: m.Generation}}
	case takenOver:
		f.Body = &nodepb.NodeFrame_TakenOver{TakenOver: frameTakenOver(m)}
	case cityLook:
		f.Body = &nodepb.NodeFrame_CityLook{CityLook: &nodepb.CityLook{
			Account: string(m.Account), Watch: m.Watch, Want: m.Want, Received: m.Received,
		}}
	default:
		err = fmt.Errorf("%w: %T stays on its node", errFrame, message)
	}
	return f, err
}

// toTrip fills in a message to a trip.
func toTrip(f *nodepb.NodeFrame, message any) (err error) {
	switch m := message.(type) {
	case tripCommand:
		out := &nodepb.TripCommand{Key: frameKey(m.Key), Searched: m.Searched}
		if out.Command, err = frameCommand(m.Command); err != nil {
			return err
		}
		for _, c := range m.Also {
			also, err := frameCommand(c)
			if err != nil {
				return err
			}
			out.Also = append(out.Also, also)
		}
		f.Body = &nodepb.NodeFrame_TripCommand{TripCommand: out}
	case tripAttach:
		f.Body = &nodepb.NodeFrame_TripAttach{TripAttach: &nodepb.TripAttach{
			Account: string(m.Account), Generation: m.Generation, Offer: string(m.Offer), Party: frameActor(m.PID),
			Version: m.Version, Rider: frameActor(m.Rider),
		}}
	case tripWake:
		f.Body = &nodepb.NodeFrame_TripWake{TripWake: &nodepb.TripWake{}}
	case offerQuery:
		f.Body = &nodepb.NodeFrame_OfferQuery{OfferQuery: &nodepb.OfferQuery{Offer: string(m.Offer), Driver: string(m.Driver)}}
	case driverNearby:
		f.Body = &nodepb.NodeFrame_DriverNearby{DriverNearby: &nodepb.DriverNearby{}}
	case operatorAct:
		c, err := frameCommand(m.Command)
		if err != nil {
			return err
		}
		f.Body = &nodepb.NodeFrame_OperatorAct{OperatorAct: &nodepb.OperatorAct{Command: c}}
	}
	return nil
}

// toPerson fills in a message to a person's actor, or to a future.
func toPerson(f *nodepb.NodeFrame, message any) error {
	var err error
	switch m := message.(type) {
	case tripResult:
		out := &nodepb.TripResult{Key: frameKey(m.Key), Reply: m.Reply}
		out.Trip, err = frameTrip(forParty(m.Trip))
		f.Body = &nodepb.NodeFrame_TripResult{TripResult: out}
	case tripUpdate:
		out := &nodepb.TripUpdate{Change: m.Change, Rider: frameActor(m.Rider)}
		out.Trip, err = frameTrip(forParty(m.Trip))
		f.Body = &nodepb.NodeFrame_TripUpdate{TripUpdate: out}
	case offerMade:
		out := &nodepb.OfferMade{}
		if out.Trip, err = frameTrip(forParty(m.Trip)); err == nil {
			out.Offer, err = json.Marshal(m.Offer)
		}
		f.Body = &nodepb.NodeFrame_OfferMade{OfferMade: out}
	case offerEnded:
		out := &nodepb.OfferEnded{Trip: string(m.Trip)}
		out.Offer, err = json.Marshal(m.Offer)
		f.Body = &nodepb.NodeFrame_OfferEnded{OfferEnded: out}
	case driverReleased:
		f.Body = &nodepb.NodeFrame_DriverReleased{DriverReleased: &nodepb.DriverReleased{
			Trip: string(m.Trip), Driver: string(m.Driver), Version: m.Version, Reason: m.Reason,
		}}
	case tripGone:
		f.Body = &nodepb.NodeFrame_TripGone{TripGone: &nodepb.TripGone{Trip: string(m.Trip)}}
	case driverMoved:
		f.Body = &nodepb.NodeFrame_DriverMoved{DriverMoved: &nodepb.DriverMoved{
			Trip: string(m.Trip), Driver: string(m.Driver), Point: framePoint(m.Point), HeadingDeg: m.HeadingDeg,
			Eta: durationpb.New(m.ETA), DeviceTime: timestamppb.New(m.DeviceTime), LeftM: float32(m.LeftM), Revision: m.Revision,
		}}
	case routeMade:
		f.Body = &nodepb.NodeFrame_RouteMade{RouteMade: &nodepb.RouteMade{Trip: string(m.Trip), Driver: string(m.Driver), Route: m.Route}}
	case cityPart:
		f.Body = &nodepb.NodeFrame_CityPart{CityPart: &nodepb.CityPart{
			Account: string(m.Account), Watch: m.Watch, Number: m.Number, More: m.More, Up: durationpb.New(m.Up), Changed: m.Changed,
		}}
	case operatorDone:
		out := &nodepb.OperatorDone{}
		out.Trip, err = frameTrip(m.Trip)
		out.Error = frameError(m.Err)
		f.Body = &nodepb.NodeFrame_OperatorDone{OperatorDone: out}
	}
	return err
}

// frameError is what a refusal tells another node; nil for none.
func frameError(err error) *ridepb.Error {
	if err == nil {
		return nil
	}
	refused := ride.ErrInternal
	errors.As(err, &refused)
	return view.Error(refused)
}

func frameExplain(x *explain) *nodepb.Explain {
	if x == nil {
		return nil
	}
	out := &nodepb.Explain{Class: x.Class, Ring: uint32(x.Ring)}
	for _, driver := range x.Excluded {
		out.Excluded = append(out.Excluded, string(driver))
	}
	return out
}

func frameFound(m cellFound) *nodepb.CellFound {
	out := &nodepb.CellFound{Search: m.Search, Cells: uint32(m.Cells), Drivers: make([]*nodepb.Driver, len(m.Drivers))}
	for i, d := range m.Drivers {
		out.Drivers[i] = frameCellPut(d)
	}
	return out
}

func frameCellPut(d cellPut) *nodepb.Driver {
	out := &nodepb.Driver{
		Account: string(d.Driver), Actor: frameActor(d.PID), Class: d.Class, Point: framePoint(d.Point),
		Load: uint32(d.Load), Shown: uint64(d.Shown), Generation: d.Generation,
	}
	if d.Heading.Known {
		out.HeadingDeg = proto.Float32(float32(d.Heading.Deg))
	}
	return out
}

// forParty returns a trip without what only its own actor uses: that is most of its bytes, and
// reading it is most of what a frame costs.
func forParty(t *ride.Trip) *ride.Trip {
	if t == nil {
		return nil
	}
	out := *t
	out.Rules, out.Offers, out.Excluded = ride.Rules{}, nil, nil
	return &out
}

// frameTrip is a trip's stored form; nothing for none.
func frameTrip(t *ride.Trip) ([]byte, error) {
	if t == nil {
		return nil, nil
	}
	return ride.MarshalTrip(t)
}

func framePoint(p geo.Point) *nodepb.Point { return &nodepb.Point{Lat: p.Lat, Lng: p.Lng} }

func frameCells(cells []geo.Cell) []uint64 {
	out := make([]uint64, len(cells))
	for i, c := range cells {
		out[i] = uint64(c)
	}
	return out
}

// frameKey is nil for a command that does not come from a client.
func frameKey(k commandKey) *nodepb.Key {
	if k == (commandKey{}) {
		return nil
	}
	return &nodepb.Key{Account: string(k.Account), Role: string(k.Role), Id: k.ID, Digest: k.Digest, Generation: k.Generation}
}

// frameActor names an actor of a node; nil for none.
func frameActor(pid *actor.PID) *nodepb.Actor {
	if pid == nil {
		return nil
	}
	address, incarnation, _ := strings.Cut(pid.Address, "/")
	return &nodepb.Actor{Address: address, Incarnation: incarnation, Name: pid.Id}
}
