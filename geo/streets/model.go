package streets

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Model says how long a drive along given streets takes. It never chooses the way: speeds learned from
// rides would send cars on detours around slow side streets that drivers do not take. Measured in
// Manhattan, lengths came out 0.6 points worse.
type Model struct {
	// SignShare is the share of the signed or usual speed at which cars drive: more than 0, at most 2.
	SignShare float64
	// Kmh are speeds by road that replace the signs, in km/h: 0 is none, at most 200.
	Kmh [Roads]float64
	// Signal is the time that a traffic light takes on average, at most 5 minutes.
	Signal time.Duration
	// Ride is the time that a ride takes beside driving: getting in, paying, getting out. Routes do
	// not contain it: add it when quoting a ride. At most an hour.
	Ride time.Duration
}

// FastestKmh is a speed that no valid Model exceeds on any street, in km/h: twice the fastest sign.
const FastestKmh = 2 * 130

// ErrModel means that a model has a value out of its range.
var ErrModel = errors.New("the model of travel times is not valid")

// DefaultModel returns what a city begins with.
func DefaultModel() Model {
	return Model{SignShare: 0.85, Signal: 3 * time.Second, Ride: 45 * time.Second}
}

// Validate returns an error wrapping ErrModel for values out of range.
func (m Model) Validate() error {
	if !(m.SignShare > 0 && m.SignShare <= 2) {
		return fmt.Errorf("%w: SignShare is %v", ErrModel, m.SignShare)
	}
	for r, v := range m.Kmh {
		if !(v >= 0 && v <= 200) || v != 0 && v < 0.1 {
			return fmt.Errorf("%w: the speed of %v is %v km/h", ErrModel, Road(r), v)
		}
	}
	if m.Signal < 0 || m.Signal > 5*time.Minute || m.Ride < 0 || m.Ride > time.Hour {
		return fmt.Errorf("%w: Signal is %v, Ride %v", ErrModel, m.Signal, m.Ride)
	}
	return nil
}

// driving is the time on a whole segment, without its signals, on a map without times of its own.
func (m *Model) driving(s *segment) float64 {
	if v := m.Kmh[s.road]; v > 0 {
		return s.lengthM() * 3.6 / v
	}
	return float64(s.freeMS) / 1000 / m.SignShare
}

// signals counts the lights of an edge: between its ends, and at the end that it leads to.
func (g *graph) signals(e edge) int {
	n := int(g.segments[e.segment()].signals)
	if g.nodes[e.to].signal {
		n++
	}
	return n
}

func duration(s float64) time.Duration { return time.Duration(math.Round(s * float64(time.Second))) }
