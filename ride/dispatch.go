package ride

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/hexhail/hexhail/geo"
)

// Candidate is an available driver with the way to one trip's pickup: an edge
// of the graph between trips and drivers. Distances are in metres.
// Drivers see whom dispatch asks, and in which order. Unless Policy.Door says otherwise, dispatch therefore
// chooses candidates by the way to the centre of the pickup's cell; the way to the door decides only
// among those who accept, who learn the pickup anyway.
type Candidate struct {
	Trip      TripID
	Driver    AccountID
	Class     string
	Point     geo.Point     // where the driver was
	DistanceM float64       // to the centre of the pickup's cell
	ETA       time.Duration // likewise
	By        string        // who estimated these, as geo.Source names it
	// DoorM and DoorETA are the way to the pickup itself; 0 when it was not looked for.
	DoorM   float64
	DoorETA time.Duration
	// Load is how many open offers the driver holds.
	Load int
}

// Verdict says why a candidate was or was not offered a trip.
type Verdict string

// The verdicts.
const (
	VerdictOffered     Verdict = "offered"
	VerdictWrongClass  Verdict = "wrong_class"
	VerdictExcluded    Verdict = "excluded"     // declined, or gave the trip back
	VerdictAskedEnough Verdict = "asked_enough" // let it expire too often
	VerdictOpen        Verdict = "offer_open"   // holds an open offer already
	VerdictResting     Verdict = "resting"      // was busy, gone or full a moment ago
	VerdictNoWay       Verdict = "no_way"       // has no way to the pickup
	VerdictBeyondETA   Verdict = "beyond_eta"   // needs longer to the pickup than the policy allows
	VerdictHeld        Verdict = "held"         // holds another trip's offer, and one of the two is exclusive
	VerdictOverCap     Verdict = "over_cap"     // others were nearer
	VerdictNeeded      Verdict = "needed"       // another trip needs the driver more

	// Those of drivers close by whom the search did not reach; see OfferWave.Passed.
	VerdictTooFar Verdict = "too_far"        // outside the cells that were searched
	VerdictBusy   Verdict = "busy"           // on a trip
	VerdictStale  Verdict = "position_stale" // no connection, or no fresh position
	VerdictFull   Verdict = "offers_full"    // holds as many offers as one may
)

// Considered is one candidate with its verdict, for the trip's record.
type Considered struct {
	Driver AccountID `json:"driver"`
	// Point is where the driver was; zero in records of before it was kept.
	Point geo.Point `json:"point,omitzero"`
	// DistanceM and ETA are the way to the centre of the pickup's cell, DoorM and DoorETA that to the pickup
	// itself; 0 where none was looked for. Policy.Door says by which of them candidates are ranked.
	DistanceM float64       `json:"distance_m"`
	ETA       time.Duration `json:"eta_ns"`
	DoorM     float64       `json:"door_m,omitempty"`
	DoorETA   time.Duration `json:"door_eta_ns,omitempty"`
	// By names who estimated DistanceM and ETA, as geo.Source does; empty where no way was looked for, and in
	// older records, which are of straight lines.
	By      string  `json:"by,omitempty"`
	Verdict Verdict `json:"verdict"`
}

// checked returns k, or VerdictNoWay without figures where one of its ways is none: figures
// that are not finite cannot be recorded.
func (k Considered) checked() Considered {
	if isWay(k.DistanceM, k.ETA) && isWay(k.DoorM, k.DoorETA) {
		return k
	}
	return Considered{Driver: k.Driver, Point: k.Point, Verdict: VerdictNoWay}
}

// wayOf is the way by which the policy judges a candidate.
func (p Policy) wayOf(k Considered) time.Duration {
	if p.Door && k.DoorM > 0 {
		return k.DoorETA
	}
	return k.ETA
}

func isWay(m float64, d time.Duration) bool { return d >= 0 && m >= 0 && !math.IsInf(m, 0) }

// The bounds on the record of one wave; the best, and of those passed over the nearest,
// are kept.
const (
	maxConsidered = 64
	MaxPassed     = 16
)

// Plan chooses whom to ask. It is deterministic: candidates are ranked by
// how rarely they were asked, then by ETA, distance and id, so the order of the
// candidates does not matter. The result has one entry for each need, in order; every candidate
// of a need appears in it once. Each entry is the Considered of that trip's OfferWave.
//
// The caller is the shell: it gathers the needs (see Trip.Need) and the candidates. The
// policies of today look at each need alone, so each trip's shell plans for itself. A policy
// that assigns drivers to many trips at once takes all needs and all edges in one call.
func Plan(p Policy, needs []Need, candidates []Candidate) [][]Considered {
	out := make([][]Considered, len(needs))
	byTrip := make(map[TripID][]Candidate, len(needs))
	for _, c := range candidates {
		byTrip[c.Trip] = append(byTrip[c.Trip], c)
	}
	for i, n := range needs {
		out[i] = planOne(p, n, byTrip[n.Trip])
	}
	return out
}

// ranked is a candidate with what ranks it: how often it was asked, and its way.
type ranked struct {
	Candidate
	asked  int
	eta    time.Duration
	metres float64
}

// compare looks no further than the first difference, unlike cmp.Or: this is where
// a large Plan spends its time.
func (a ranked) compare(b ranked) int {
	if c := cmp.Compare(a.asked, b.asked); c != 0 {
		return c
	}
	if c := cmp.Compare(a.eta, b.eta); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(a.metres, b.metres), cmp.Compare(a.Driver, b.Driver), cmp.Compare(a.Class, b.Class))
}

func planOne(p Policy, n Need, cands []Candidate) []Considered {
	ranks := make([]ranked, len(cands))
	for i, c := range cands {
		ranks[i] = ranked{c, n.Asked[c.Driver], c.ETA, c.DistanceM}
		if p.Door && c.DoorM > 0 {
			ranks[i].eta, ranks[i].metres = c.DoorETA, c.DoorM
		}
	}
	slices.SortFunc(ranks, ranked.compare)
	out := make([]Considered, 0, len(cands))
	seen := make(map[AccountID]bool, len(cands))
	for _, r := range ranks {
		c := r.Candidate
		if seen[c.Driver] { // reported by two cells while moving between them
			continue
		}
		seen[c.Driver] = true
		k := Considered{Driver: c.Driver, Point: c.Point, DistanceM: c.DistanceM, ETA: c.ETA, DoorM: c.DoorM, DoorETA: c.DoorETA, By: c.By, Verdict: VerdictOffered}.checked()
		switch {
		case k.Verdict == VerdictNoWay:
		case c.Class != n.Class:
			k.Verdict = VerdictWrongClass
		default:
			k.Verdict = n.verdict(p, k)
			if p.Exclusive && c.Load > 0 && (k.Verdict == VerdictOffered || k.Verdict == VerdictOverCap) {
				k.Verdict = VerdictHeld
			}
		}
		if k.Verdict == VerdictOffered {
			n.Room--
		}
		out = append(out, k)
	}
	return out
}
