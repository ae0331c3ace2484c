package ride

import (
	"math"
	"time"

	"github.com/hexhail/hexhail/geo"
)

// Basis says how the distance of a fare was found.
type Basis string

// The bases.
const (
	// BasisMeasured: positions covered the ride.
	BasisMeasured Basis = "measured"
	// BasisStreets: positions covered the ride, and it was measured along the streets that they follow.
	BasisStreets Basis = "streets"
	// BasisPartly: gaps in the track were filled by the estimate.
	BasisPartly Basis = "partly_estimated"
	// BasisEstimated: nothing was measured.
	BasisEstimated Basis = "estimated"
)

// Whole reports whether the whole ride was measured.
func (b Basis) Whole() bool { return b == BasisMeasured || b == BasisStreets }

// Way is what is known of the way that a ride took when its driver ends it.
type Way struct {
	geo.Drive
	// MaxSpeedMPS bounds, in metres per second, what may be driven in a gap.
	MaxSpeedMPS float64
	// Streets is what matching the ride to streets gave; nil: there are none, or nothing to match.
	Streets *OnStreets
}

// metered is the length of a ride in metres and how it was found.
type metered struct {
	measured, estimated float64
	basis               Basis
	streets             *StreetCheck
}

// meter measures a ride along streets where that is plausible, and else by its positions.
func (t *Trip) meter(at time.Time, w Way) metered {
	var m metered
	m.measured, m.estimated, m.basis = t.distance(at, w)
	m.streets = w.Streets.check(m.measured, m.basis, w.MaxSpeedMPS*max(0, at.Sub(t.StartedAt)).Seconds())
	if m.streets != nil && m.streets.Verdict == StreetsCount {
		m.measured, m.basis = m.streets.LengthM, BasisStreets
	}
	return m
}

// Bounds of a detour: the estimated way over the straight line.
const (
	usualDetour, mostDetour = 1.3, 3.0
	// shortM is a straight line in metres too short to take a detour from.
	shortM = 50
)

// distance is the length of the ride by its positions in metres, in two parts. Gaps are filled by the
// estimate: never by less than the straight lines between the positions around them, never by more
// than could be driven in their time, and by the trip's whole estimate at most.
func (t *Trip) distance(at time.Time, w Way) (measured, estimated float64, basis Basis) {
	if w.Last.Point.IsZero() { // no track at all
		w.Last.Point, w.SinceLast = t.Request.Pickup, max(0, at.Sub(t.StartedAt))
	}
	detour := t.detour()
	fill := math.Min(w.GapM*detour, w.MaxSpeedMPS*w.GapTime.Seconds())
	tail, covered := t.tail(w, detour)
	estimated = math.Max(w.GapM, math.Min(fill+tail, t.Estimate.DistanceM))
	switch {
	case estimated == 0 && covered:
		basis = BasisMeasured
	case w.MeasuredM > 0:
		basis = BasisPartly
	default:
		basis = BasisEstimated
	}
	return w.MeasuredM, estimated, basis
}

// tail is the length of what may have been driven after the last accurate position, and
// whether there is no doubt about it. Without any hint of where the ride ended it was at
// the dropoff; inaccurate positions are a hint.
func (t *Trip) tail(w Way, detour float64) (metres float64, covered bool) {
	if w.Located && w.SinceLast <= geo.MaxGap {
		return 0, true
	}
	end := t.Request.Dropoff
	left := geo.DistanceM(w.Last.Point, end)
	if w.Located && left <= geo.MaxAccuracyM {
		return 0, true // a car that stands at the dropoff need not say so again
	}
	if c := w.Coarse; !c.At.IsZero() {
		fromLast, toEnd := geo.DistanceM(w.Last.Point, c.Point), geo.DistanceM(c.Point, end)
		switch {
		case toEnd <= c.AccuracyM && toEnd < fromLast:
		case fromLast > c.AccuracyM:
			left = fromLast
		default:
			return 0, false // a step smaller than its own error
		}
	}
	return math.Min(left*detour, w.MaxSpeedMPS*w.SinceLast.Seconds()), false
}

// detour is the trip's estimated way over its straight line.
func (t *Trip) detour() float64 {
	straight := geo.DistanceM(t.Request.Pickup, t.Request.Dropoff)
	if straight < shortM {
		return usualDetour
	}
	return math.Min(mostDetour, math.Max(1, t.Estimate.DistanceM/straight))
}

// Mark is where a driver was when it said that it had arrived, or that the ride was over.
type Mark struct {
	// Located: a position of the driver was known. Without one the figures mean nothing.
	Located bool `json:"located"`
	// DistanceM is the great circle from there to the pickup or the dropoff, AccuracyM what
	// the position claimed (0: nothing), Age how old it was.
	DistanceM float64       `json:"distance_m"`
	AccuracyM float64       `json:"accuracy_m,omitempty"`
	Age       time.Duration `json:"age_ns,omitempty"`
	Reason    string        `json:"reason,omitempty"` // the driver's; empty: none
}

// Fix is the driver's newest position with a command; the zero one: none is known.
type Fix struct {
	Point     geo.Point
	AccuracyM float64
	Age       time.Duration
}

// mark measures how far from a goal the driver is, and refuses what the operator's limit
// does not allow: limitM in metres, 0 for none.
func (t *Trip) mark(f Fix, goal geo.Point, limitM float64, reason string) (*Mark, error) {
	if err := checkText("reason", reason, MaxReason); err != nil {
		return nil, err
	}
	m := &Mark{Reason: reason}
	if !f.Point.IsZero() {
		m.Located, m.DistanceM, m.AccuracyM, m.Age = true, geo.DistanceM(f.Point, goal), f.AccuracyM, max(0, f.Age)
	}
	switch {
	case limitM <= 0:
	case !m.Located || m.Age > t.Rules.PositionWithin:
		return nil, ErrPositionUnknown
	case m.DistanceM-math.Min(math.Max(0, m.AccuracyM), limitM) > limitM:
		return nil, ErrTooFar.With("You are %.0f m away; at most %.0f m are allowed.", m.DistanceM, limitM)
	}
	return m, nil
}
