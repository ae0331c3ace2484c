package actors

import (
	"encoding/json"
	"fmt"
	"math"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/ride"
)

// toMatch fills in a message between a trip and its matcher.
func toMatch(f *nodepb.NodeFrame, message any) error {
	switch m := message.(type) {
	case matchNeed:
		out := &nodepb.MatchNeed{
			Trip: string(m.Trip), Asked: m.Asked, Wave: uint32(m.Wave), Reach: uint32(m.Reach), Class: m.Class, Pickup: framePoint(m.Pickup), Door: m.Door,
			Waited: durationpb.New(m.Waited), First: m.First, Over: m.Over,
		}
		for _, driver := range m.Refused {
			out.Refused = append(out.Refused, string(driver))
		}
		f.Body = &nodepb.NodeFrame_MatchNeed{MatchNeed: out}
	case matchWord:
		f.Body = &nodepb.NodeFrame_MatchWord{MatchWord: &nodepb.MatchWord{
			Trip: string(m.Trip), Asked: m.Asked, ClearM: m.ClearM, Round: m.Round, Windows: uint32(m.Windows), Why: m.Why,
		}}
	case matchMade:
		wave, err := json.Marshal(m.Wave)
		if err != nil {
			return fmt.Errorf("%w: %w", errFrame, err)
		}
		f.Body = &nodepb.NodeFrame_MatchMade{MatchMade: &nodepb.MatchMade{
			Trip: string(m.Trip), Asked: m.Asked, Wave: wave, Driver: frameCellPut(m.Driver),
		}}
	}
	return nil
}

// matchMessageOf returns a message between a trip and its matcher.
func matchMessageOf(f *nodepb.NodeFrame) (any, error) {
	switch b := f.GetBody().(type) {
	case *nodepb.NodeFrame_MatchNeed:
		m := b.MatchNeed
		out := matchNeed{
			Trip: ride.TripID(m.GetTrip()), Asked: m.GetAsked(), Wave: int(m.GetWave()), Reach: int(m.GetReach()), Class: m.GetClass(),
			Pickup: pointOf(m.GetPickup()), Door: m.GetDoor(), Waited: max(0, m.GetWaited().AsDuration()), First: m.GetFirst(), Over: m.GetOver(),
		}
		for _, driver := range m.GetRefused() {
			out.Refused = append(out.Refused, ride.AccountID(driver))
		}
		if err := out.Pickup.Validate(); err != nil && !out.Over {
			return nil, fmt.Errorf("%w: %w", errFrame, err)
		}
		return out, nil
	case *nodepb.NodeFrame_MatchWord:
		m := b.MatchWord
		if math.IsNaN(m.GetClearM()) {
			return nil, fmt.Errorf("%w: a distance that is none", errFrame)
		}
		return matchWord{
			Trip: ride.TripID(m.GetTrip()), Asked: m.GetAsked(), ClearM: m.GetClearM(), Round: m.GetRound(), Windows: int(m.GetWindows()), Why: m.GetWhy(),
		}, nil
	case *nodepb.NodeFrame_MatchMade:
		m := b.MatchMade
		out := matchMade{Trip: ride.TripID(m.GetTrip()), Asked: m.GetAsked(), Driver: cellPutOf(m.GetDriver())}
		if err := json.Unmarshal(m.GetWave(), &out.Wave); err != nil {
			return nil, fmt.Errorf("%w: a planned wave: %w", errFrame, err)
		}
		return out, nil
	}
	return personMessageOf(f)
}
