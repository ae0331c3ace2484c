package ride

import (
	"encoding/json"
	"slices"
	"time"
)

// maxOffers bounds the offers of one trip over its whole life.
const maxOffers = 500

// decideWave turns a finished plan into offers. The plan may have been made for an older
// state, or by a caller that this trip has no reason to trust: a wave that the trip does not
// wait for is stale, and an offer that the trip's state or its policy does not allow is not
// made. The record then holds the trip's verdict instead of the plan's. The ids of the offers
// and their times follow from the trip and from at alone.
func decideWave(t Trip, at time.Time, c OfferWave) []Event {
	if t.Status != StatusRequested || !t.waitsFor(c.Wave, c.Ring) || !t.Search.AwardAt.IsZero() {
		return nil
	}
	p, n := t.Rules.Policy, t.Need(at)
	passed := c.Passed[:min(len(c.Passed), MaxPassed)]
	kept := min(len(c.Considered), maxConsidered)
	e := WavePlanned{
		At: at, Wave: c.Wave, Ring: c.Ring, Cells: c.Cells, More: len(c.Considered) - kept,
		Considered: make([]Considered, 0, kept+len(passed)), Windows: c.Windows, Why: c.Why,
	}
	if len(c.Decision) <= MaxDecision && json.Valid(c.Decision) {
		e.Decision = c.Decision
	}
	offered := 0
	for i := range c.Considered {
		if c.Considered[i].Verdict == VerdictOffered {
			offered++
		}
	}
	e.Offers = slices.Grow(e.Offers, min(offered, n.Room))
	for i, k := range c.Considered {
		k = k.checked()
		if k.Verdict == VerdictOffered {
			k.Verdict = n.verdict(p, k)
		}
		if k.Verdict == VerdictOffered {
			n.ask(k.Driver)
			e.Offers = append(e.Offers, Offer{
				ID: NewOfferID(t.ID, len(t.Offers)+len(e.Offers)+1), Driver: k.Driver, Wave: c.Wave,
				DistanceM: k.DistanceM, ETA: k.ETA, DoorM: k.DoorM, DoorETA: k.DoorETA, MadeAt: at, ExpiresAt: at.Add(p.OfferTTL), State: OfferOpen,
				Exclusive: p.Exclusive,
			})
		}
		if i < kept {
			e.Considered = append(e.Considered, k)
		}
	}
	e.Considered = append(e.Considered, passed...)
	return one(e)
}

// Need is what Plan must know of one trip that looks for a driver.
type Need struct {
	Trip  TripID
	Class string
	// Room is how many more offers may be open at once.
	Room int
	// Excluded drivers declined, or gave the trip back.
	Excluded map[AccountID]bool
	// Asked counts earlier offers by driver, but for those that another driver's
	// win took away, or that the driver never saw because it held another; Ignored counts the ones that the driver let expire.
	Asked, Ignored map[AccountID]int
	// Open says who holds an open offer of this trip.
	Open map[AccountID]bool
	// Resting drivers had an offer withdrawn less than a wave's interval ago because they were
	// busy, gone or full. Asking them again at once would lead to the same, for ever.
	Resting map[AccountID]bool
}

// Need is what dispatch must know of this trip at a time. It shares nothing with the trip,
// so that a caller may keep it and plan several trips together.
func (t *Trip) Need(at time.Time) Need {
	n := Need{Trip: t.ID, Class: t.Request.Class, Room: t.Rules.Policy.Cap}
	if t.Rules.Policy.oneByOne() {
		n.Room = 1
	}
	for _, d := range t.Excluded {
		put(&n.Excluded, d, true)
	}
	for i := range t.Offers {
		o := &t.Offers[i]
		if o.State == OfferWithdrawn && (o.Reason == ReasonTaken || o.Reason == ReasonDriverHeld) {
			continue // the driver did nothing
		}
		put(&n.Asked, o.Driver, n.Asked[o.Driver]+1)
		switch {
		case o.pending():
			n.ask(o.Driver)
		case o.State == OfferExpired:
			put(&n.Ignored, o.Driver, n.Ignored[o.Driver]+1)
		}
	}
	for _, r := range t.Search.Resting {
		if remaining(r.Until, at, t.Rules.Policy.WaveEvery) > 0 {
			put(&n.Resting, r.Driver, true)
		}
	}
	n.Room = max(0, min(n.Room, maxOffers-len(t.Offers)))
	return n
}

// ask takes note of an open offer to a driver.
func (n *Need) ask(d AccountID) {
	put(&n.Open, d, true)
	n.Room--
}

// put writes into a map that is made when it is first written to: most first waves need none.
func put[V any](m *map[AccountID]V, d AccountID, v V) {
	if *m == nil {
		*m = make(map[AccountID]V)
	}
	(*m)[d] = v
}

// verdict says whether a suitable driver may be asked now. Plan and Decide share it, so that
// Decide accepts every choice that Plan made for the same state.
func (n *Need) verdict(p Policy, k Considered) Verdict {
	switch d := k.Driver; {
	case n.Excluded[d]:
		return VerdictExcluded
	case n.Open[d]:
		return VerdictOpen
	case n.Ignored[d] >= p.AsksPerDriver:
		return VerdictAskedEnough
	case n.Resting[d]:
		return VerdictResting
	case p.MaxETA > 0 && p.wayOf(k) > p.MaxETA:
		return VerdictBeyondETA
	case n.Room <= 0:
		return VerdictOverCap
	}
	return VerdictOffered
}
