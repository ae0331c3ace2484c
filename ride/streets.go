package ride

// OnStreets is what matching the positions of a ride to the streets of the map gave.
type OnStreets struct {
	// LengthM is the length along streets in metres, with the straight line between positions where it could
	// not be matched. Share is how much of it was, 0 to 1.
	LengthM, Share float64
	// Late: there was no answer in time, and the rest means nothing.
	Late bool
}

// StreetVerdict says whether the length along streets is that of a ride, or why it is not.
type StreetVerdict string

// The verdicts.
const (
	// StreetsCount: the distance is that along streets.
	StreetsCount StreetVerdict = "counts"
	// StreetsGaps: positions do not cover the ride.
	StreetsGaps StreetVerdict = "gaps"
	// StreetsOff: too much of the way is off the streets of the map, or positions jump.
	StreetsOff StreetVerdict = "off_streets"
	// StreetsShorter and StreetsLonger: the length along streets is too far from what positions measured.
	StreetsShorter StreetVerdict = "shorter"
	StreetsLonger  StreetVerdict = "longer"
	// StreetsLate: matching took too long.
	StreetsLate StreetVerdict = "late"
)

// StreetVerdicts are all of them.
var StreetVerdicts = []StreetVerdict{StreetsCount, StreetsGaps, StreetsOff, StreetsShorter, StreetsLonger, StreetsLate}

// StreetCheck records how a ride was compared with streets.
type StreetCheck struct {
	Verdict StreetVerdict `json:"verdict"`
	// LengthM is the length along streets and PositionsM the one that positions measured, in metres; Share of
	// the way was matched. LengthM and Share are 0 if nothing was.
	LengthM    float64 `json:"length_m,omitempty"`
	PositionsM float64 `json:"positions_m"`
	Share      float64 `json:"share,omitempty"`
}

// The length along streets counts if at least leastOnStreets of the way was matched, and if it is between
// shortestShare and longestShare times what positions measured. Positions cut corners, and err when a car is
// slow, by some percent; more than that is another way than the one driven.
const (
	leastOnStreets = 0.9
	shortestShare  = 0.8
	longestShare   = 1.25
)

// check compares a ride with streets, with what positions measured of it and how they cover it; nil: there is nothing
// to compare. mostM is what could be driven in its time.
func (s *OnStreets) check(measuredM float64, basis Basis, mostM float64) *StreetCheck {
	if s == nil || !(measuredM > 0) {
		return nil
	}
	c := &StreetCheck{PositionsM: measuredM, Verdict: StreetsLate}
	if s.Late {
		return c
	}
	if s.LengthM > 0 && s.LengthM <= maxDistanceM && s.Share > 0 && s.Share <= 1 { // false for NaN
		c.LengthM, c.Share = s.LengthM, s.Share
	}
	switch {
	case basis != BasisMeasured:
		c.Verdict = StreetsGaps
	case c.Share < leastOnStreets:
		c.Verdict = StreetsOff
	case c.LengthM < shortestShare*measuredM:
		c.Verdict = StreetsShorter
	case c.LengthM > longestShare*measuredM, c.LengthM > mostM:
		c.Verdict = StreetsLonger
	default:
		c.Verdict = StreetsCount
	}
	return c
}
