package actors

import (
	"fmt"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/ride"
)

// ofExchange fills in a message about an exchange.
func ofExchange(f *nodepb.NodeFrame, message any) error {
	switch m := message.(type) {
	case exchangeProposal:
		out := &nodepb.ExchangeProposal{}
		for _, move := range m.Moves {
			out.Moves = append(out.Moves, &nodepb.ExchangeMove{
				Trip: string(move.Trip), Version: move.Version, Driver: string(move.Driver), Way: durationpb.New(move.Way), Left: durationpb.New(move.Left),
			})
		}
		f.Body = &nodepb.NodeFrame_ExchangeProposal{ExchangeProposal: out}
	case exchangeOffer:
		c, err := frameCommand(m.Offer)
		if err != nil {
			return err
		}
		f.Body = &nodepb.NodeFrame_ExchangeOffer{ExchangeOffer: &nodepb.ExchangeOffer{Command: c, Driver: frameActor(m.PID), Generation: m.Generation}}
	case exchangeOutcome:
		f.Body = &nodepb.NodeFrame_ExchangeOutcome{ExchangeOutcome: &nodepb.ExchangeOutcome{Error: frameError(m.Err)}}
	case exchangeAsk:
		f.Body = &nodepb.NodeFrame_ExchangeAsk{ExchangeAsk: &nodepb.ExchangeAsk{Exchange: m.Exchange, Asker: string(m.Asker)}}
	case exchangeState:
		trip, err := frameTrip(m.Trip)
		if err != nil {
			return err
		}
		f.Body = &nodepb.NodeFrame_ExchangeState{ExchangeState: &nodepb.ExchangeState{Exchange: m.Exchange, Trip: trip, Fence: m.Trip.Fence}}
	case exchangeWritten:
		f.Body = &nodepb.NodeFrame_ExchangeWritten{ExchangeWritten: &nodepb.ExchangeWritten{}}
	}
	return nil
}

// exchangeMessageOf returns a message about an exchange.
func exchangeMessageOf(f *nodepb.NodeFrame) (any, error) {
	switch b := f.GetBody().(type) {
	case *nodepb.NodeFrame_ExchangeProposal:
		var out exchangeProposal
		if n := len(b.ExchangeProposal.GetMoves()); n > ride.MaxMoves {
			return nil, fmt.Errorf("%w: an exchange of %d trips", errFrame, n)
		}
		for _, m := range b.ExchangeProposal.GetMoves() {
			out.Moves = append(out.Moves, exchangeMove{
				Trip: ride.TripID(m.GetTrip()), Version: m.GetVersion(), Driver: ride.AccountID(m.GetDriver()),
				Way: m.GetWay().AsDuration(), Left: m.GetLeft().AsDuration(),
			})
		}
		return out, nil
	case *nodepb.NodeFrame_ExchangeOffer:
		c, err := commandOf(b.ExchangeOffer.GetCommand())
		if err != nil {
			return nil, err
		}
		offer, ok := c.(ride.OfferExchange)
		if !ok {
			return nil, fmt.Errorf("%w: %T offers no exchange", errFrame, c)
		}
		return exchangeOffer{Offer: offer, PID: pidOf(b.ExchangeOffer.GetDriver()), Generation: b.ExchangeOffer.GetGeneration()}, nil
	case *nodepb.NodeFrame_ExchangeOutcome:
		return exchangeOutcome{errorOf(b.ExchangeOutcome.GetError())}, nil
	case *nodepb.NodeFrame_ExchangeAsk:
		return exchangeAsk{Exchange: b.ExchangeAsk.GetExchange(), Asker: ride.TripID(b.ExchangeAsk.GetAsker())}, nil
	case *nodepb.NodeFrame_ExchangeState:
		t, err := someTripOf(b.ExchangeState.GetTrip())
		if err != nil {
			return nil, err
		}
		t.Fence = b.ExchangeState.GetFence()
		return exchangeState{Exchange: b.ExchangeState.GetExchange(), Trip: t}, nil
	case *nodepb.NodeFrame_ExchangeWritten:
		return exchangeWritten{}, nil
	}
	return nil, unknown{"body"}
}
