package geo

import "math"

const (
	// MinStepM is the least distance in metres that counts as having moved.
	MinStepM = 10
	// MaxStepM bounds how far a claimed inaccuracy may delay counting: a device that
	// says "within 10 km" must not drive for nothing.
	MaxStepM = 100
)

// Odometer measures a drive from accepted fixes. The position of a standing car
// wanders by its accuracy and would add up to kilometres at the kerb; so a fix counts
// only once it is farther from the last counted one than the accuracy it claims (at
// least MinStepM, at most MaxStepM). The price is small: corners are cut within one
// step, and less than one step is missing at the end.
//
// It is a value: the zero one is ready. It is not safe for concurrent use and does not
// allocate.
type Odometer struct {
	anchor  Point
	started bool
	totalM  float64
}

// Add takes the next accepted fix with its accuracy radius in metres (0, negative or
// NaN when unknown), and returns the metres that it added. The point must be valid.
func (o *Odometer) Add(p Point, accuracyM float64) float64 {
	if !o.started {
		o.anchor, o.started = p, true
		return 0
	}
	step := float64(MinStepM)
	if accuracyM > step { // false for NaN
		step = math.Min(accuracyM, MaxStepM)
	}
	d := DistanceM(o.anchor, p)
	if d < step {
		return 0
	}
	o.anchor = p
	o.totalM += d
	return d
}

// TotalM returns the metres counted so far.
func (o *Odometer) TotalM() float64 { return o.totalM }
