package actors

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/ride"
)

// A command crosses as its kind and its fields in JSON, so that the domain's types are defined once.
// Between versions of Hexhail, the rules of stored events hold for it: fields are added, never
// renamed.

// crossing are the commands that cross, by their kind. The others are a trip's own.
var crossing = map[string]func(data []byte) (ride.Command, error){
	"request_trip":   commandFrom[ride.RequestTrip],
	"offer_exchange": commandFrom[ride.OfferExchange],
	"accept_offer":   commandFrom[ride.AcceptOffer],
	"decline_offer":  commandFrom[ride.DeclineOffer],
	"withdraw_offer": commandFrom[ride.WithdrawOffer],
	"cancel_trip":    commandFrom[ride.CancelTrip],
	"redispatch":     commandFrom[ride.Redispatch],
	"mark_arrived":   commandFrom[ride.MarkArrived],
	"start_trip":     commandFrom[ride.StartTrip],
	"complete_trip":  commandFrom[ride.CompleteTrip],
	"rate_trip":      commandFrom[ride.RateTrip],
}

// crossingKinds is crossing the other way round.
var crossingKinds = func() map[reflect.Type]string {
	out := make(map[reflect.Type]string, len(crossing))
	for kind, from := range crossing {
		c, err := from([]byte("{}"))
		if err != nil {
			panic(err) // of a type that JSON cannot fill
		}
		out[reflect.TypeOf(c)] = kind
	}
	return out
}()

func commandFrom[C ride.Command](data []byte) (ride.Command, error) {
	var c C
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, err
	}
	return c, nil
}

func frameCommand(c ride.Command) (*nodepb.Command, error) {
	kind, ok := crossingKinds[reflect.TypeOf(c)]
	if !ok {
		return nil, fmt.Errorf("%w: command %T stays with its trip", errFrame, c)
	}
	data, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errFrame, err)
	}
	return &nodepb.Command{Kind: kind, Data: data}, nil
}

// unknown is a frame of a later version, in its body or in its command.
type unknown struct{ what string }

func (u unknown) Error() string { return "actors: unknown " + u.what }

func commandOf(m *nodepb.Command) (ride.Command, error) {
	from, ok := crossing[m.GetKind()]
	if !ok {
		return nil, unknown{"command"}
	}
	c, err := from(m.GetData())
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errFrame, m.GetKind(), err)
	}
	return c, nil
}
