package geo

import (
	"math"
	"time"
)

const (
	// MaxGap is the longest time between two fixes before the distance between them counts as
	// unknown.
	MaxGap = 30 * time.Second
	// MaxAccuracyM is the accuracy radius in metres above which a fix measures nothing: a position
	// from cell towers locates the part of town, not the route.
	MaxAccuracyM = 100
	// usualAccuracyM stands for an unknown accuracy.
	usualAccuracyM = 5
	// stepsM is how many accuracy radii a car must be away to have moved. An accuracy is
	// the radius of 68 % of all fixes; a tenth of those of a standing car are two of them
	// apart from each other, and one in 170 is three.
	stepsM = 3
	// coarseWeight is the share of each new fix in the mean of inaccurate ones.
	coarseWeight = 0.3
)

// Spot is the place and time of a fix; the zero Spot is none.
type Spot struct {
	Point     Point
	AccuracyM float64   // 0: unknown
	At        time.Time // when the server received it
}

// stepM is the minimum distance in metres that shows that a car has moved to or from s.
func (s Spot) stepM() float64 {
	if s.AccuracyM > usualAccuracyM { // false for NaN
		return stepsM * s.AccuracyM
	}
	return stepsM * usualAccuracyM
}

// Track measures a drive from accepted fixes. The position of a parked car jitters by its accuracy
// and would add up to kilometres. So a fix counts only if both it and the next one are farther from
// the last counted fix than three times the accuracy of either. Fixes less accurate than
// MaxAccuracyM measure nothing. Where fixes are missing for longer than MaxGap, the straight line
// is counted separately.
//
// It is a value: the zero one is ready, a copy is independent, it reads no clock and does
// not allocate. It is not safe for concurrent use.
type Track struct {
	began    time.Time // zero: the drive has not begun
	located  bool      // origin is from a fix
	origin   Spot      // where it began, if known
	anchor   Spot      // the last counted fix
	next     Spot      // far enough from anchor, pending confirmation by the next fix
	last     Spot      // the newest accurate fix
	coarse   Spot      // the mean of inaccurate fixes since
	measured float64
	gap      float64
	gapTime  time.Duration
}

// Drive is what a Track has measured of a drive, in metres.
type Drive struct {
	// MeasuredM is the distance along positions. GapM is the straight line across gaps between
	// positions, and so the minimum driven there, in GapTime altogether.
	MeasuredM float64
	GapM      float64
	GapTime   time.Duration
	// Last is the newest accurate place, or where the drive began; SinceLast is its age at the end
	// of the drive. Located says that it comes from a fix. Coarse is the mean of less accurate
	// fixes since.
	Last      Spot
	SinceLast time.Duration
	Located   bool
	Coarse    Spot
}

// Before takes a fix from before the drive begins.
func (t *Track) Before(s Spot) {
	if t.began.IsZero() && usable(s) {
		t.origin = s
	}
}

// Begin begins the drive at a time: at the last accurate fix before it, or else at the given place.
func (t *Track) Begin(at time.Time, place Point) {
	located := !t.origin.At.IsZero()
	if !located {
		t.origin.Point = place
	}
	*t = Track{began: at, origin: t.origin, located: located}
	t.origin.At = at
}

// Begun reports whether the drive has begun.
func (t *Track) Begun() bool { return !t.began.IsZero() }

// Add takes the next accepted fix of the drive. Its point must be valid.
func (t *Track) Add(s Spot) {
	if !usable(s) {
		t.addCoarse(s)
		return
	}
	defer func() { t.last, t.coarse = s, Spot{} }()
	switch {
	case t.last.At.IsZero() && s.At.Sub(t.began) <= MaxGap:
		t.anchor = s // measure from here on
	case t.last.At.IsZero():
		t.overGap(t.origin, s)
	case s.At.Sub(t.last.At) > MaxGap:
		t.confirm()
		t.overGap(t.last, s)
	default:
		t.step(s)
	}
}

// usable reports whether a fix can measure; one of unknown accuracy can.
func usable(s Spot) bool { return !(s.AccuracyM > MaxAccuracyM) }

func (t *Track) addCoarse(s Spot) {
	if t.coarse.At.IsZero() {
		t.coarse = s
		return
	}
	mean := t.coarse.Point
	t.coarse.Point = Destination(mean, BearingDeg(mean, s.Point), coarseWeight*DistanceM(mean, s.Point))
	t.coarse.AccuracyM += coarseWeight * (s.AccuracyM - t.coarse.AccuracyM)
	t.coarse.At = s.At
}

// step takes an accurate fix soon after another.
func (t *Track) step(s Spot) {
	if !t.apart(s) {
		t.next = Spot{} // an outlier, or the car is back
		return
	}
	if t.next.At.IsZero() {
		t.next = s
		return
	}
	t.confirm()
	if t.apart(s) {
		t.next = s
	}
}

// apart reports whether a fix is too far from the last counted one for a parked car.
func (t *Track) apart(s Spot) bool {
	return DistanceM(t.anchor.Point, s.Point) >= math.Max(t.anchor.stepM(), s.stepM())
}

// confirm counts the pending step.
func (t *Track) confirm() {
	if t.next.At.IsZero() {
		return
	}
	t.measured += DistanceM(t.anchor.Point, t.next.Point)
	t.anchor, t.next = t.next, Spot{}
}

// overGap continues the measurement at a fix after a gap. A car that is still at the same place has
// not moved.
func (t *Track) overGap(from, to Spot) {
	if d := DistanceM(from.Point, to.Point); d >= math.Max(from.stepM(), to.stepM()) {
		t.gap += d
		t.gapTime += to.At.Sub(from.At)
		t.anchor = to
	} else if t.anchor.At.IsZero() {
		t.anchor = to
	}
}

// At returns what has been measured of the drive until now.
func (t *Track) At(now time.Time) Drive {
	end := *t
	end.confirm()
	d := Drive{MeasuredM: end.measured, GapM: end.gap, GapTime: end.gapTime, Last: end.last, Located: true, Coarse: end.coarse}
	if d.Last.At.IsZero() {
		d.Last, d.Located = end.origin, end.located
	} else {
		d.MeasuredM += end.restM()
	}
	d.SinceLast = max(0, now.Sub(d.Last.At))
	return d
}

// restM is how far the newest fix is from the last counted one, if a car must have moved to get there: that is less
// than a step, but counts only once.
func (t *Track) restM() float64 {
	if rest := DistanceM(t.anchor.Point, t.last.Point); rest >= 2*t.last.stepM()/stepsM {
		return rest
	}
	return 0
}
