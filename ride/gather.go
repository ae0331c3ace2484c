package ride

import (
	"slices"
	"time"
)

// QuietFor is how long a search may wait for a planner that gathers trips before it records that nobody
// was found. The sweeper looks at the trip no earlier.
const QuietFor = 30 * time.Second

// MaxDecision bounds the record of a planner that gathers trips, in bytes.
const MaxDecision = 4096

// waitsFor reports whether the trip waits for a wave. A planner that gathers trips looks as far as the
// policy allows at once.
func (t *Trip) waitsFor(wave, ring int) bool {
	next := t.find()
	if !t.Rules.Policy.Immediate() && ring > next.Ring && ring <= t.Rules.Policy.RingMax {
		next.Ring = ring
	}
	return next == FindCandidates{wave, ring}
}

// Wanted returns the wave that the trip waits for, and whether it does: a trip that looks for a driver
// waits for the next one unless an offer is open or an award is pending.
func (t *Trip) Wanted() (FindCandidates, bool) {
	waits := t.Status == StatusRequested && t.Search.AwardAt.IsZero() && !slices.ContainsFunc(t.Offers, Offer.pending)
	return t.find(), waits
}

// SearchBegan is when the present search began.
func (t *Trip) SearchBegan() time.Time { return t.Deadline.Add(-t.Rules.SearchFor) }

// Refused returns the drivers whom the trip would not ask at a time, sorted.
func (t *Trip) Refused(at time.Time) []AccountID {
	n, out := t.Need(at), []AccountID(nil)
	for _, drivers := range []map[AccountID]bool{n.Excluded, n.Open, n.Resting} {
		for d := range drivers {
			out = append(out, d)
		}
	}
	for d, times := range n.Ignored {
		if times >= t.Rules.Policy.AsksPerDriver {
			out = append(out, d)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
