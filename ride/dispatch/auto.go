package dispatch

import (
	"fmt"
	"slices"
	"time"
)

// Mode is what kind of market a zone has, as Auto sees it.
type Mode string

// The modes, from many drivers to few. Fixed is that of a policy that does not adapt.
const (
	Fixed    Mode = "fixed"
	Ample    Mode = "ample"
	Balanced Mode = "balanced"
	Scarce   Mode = "scarce"
	Sparse   Mode = "sparse" // few drivers over a wide area: ways are long although enough drivers are free
)

// State is what a zone remembers from one plan to the next. The zero State is that of a zone's first plan.
type State struct {
	Mode Mode `json:"mode,omitempty"`
	// Why says in words what led to the mode.
	Why string `json:"why,omitempty"`
	// For is how long the zone has been in this mode.
	For time.Duration `json:"for_ns,omitempty"`
	// Pressure is the number of open requests for each thousand drivers who are free or will be within a minute,
	// Way the median time to the pickup of those who were chosen. Both are smoothed over a minute.
	Pressure int64         `json:"pressure_permille,omitempty"`
	Way      time.Duration `json:"way_ns,omitempty"`
}

// The thresholds between modes; the way back lies lower by a quarter, so that a market on a threshold does not swing.
const (
	stepEvery     = time.Minute
	smoothOver    = time.Minute
	balancedFrom  = 300  // ‰
	scarceFrom    = 1000 // ‰
	mostPressure  = 10_000
	sparseFrom    = 240 * time.Second
	stayedPercent = 75
)

// now returns the policy that holds for a snapshot, and the state that it follows from. It looks at the numbers of
// requests and drivers and at the state, not at ways, so that Shortlist and Decide agree.
func (p Policy) now(s *Snapshot) (Policy, State) {
	if !p.Adapt || !p.Zoned() {
		return p, State{Mode: Fixed}
	}
	st := s.State
	elapsed := min(max(0, s.Elapsed), time.Hour)
	open, drivers := market0(s)
	pressure := min(mostPressure, int64(open)*1000/int64(max(1, drivers)))
	if st.Mode == "" {
		st = State{Pressure: pressure, Mode: Ample, For: stepEvery}
	} else {
		st.Pressure += smoothed(pressure-st.Pressure, elapsed)
		st.For = min(st.For+elapsed, 24*time.Hour)
	}
	st.step()
	return p.in(st.Mode), st
}

// market0 counts the open requests, and the drivers who are free or will be within a minute.
func market0(s *Snapshot) (open, drivers int) {
	for i := range s.Requests {
		if s.Requests[i].Match == nil {
			open++
		}
	}
	for i := range s.Drivers {
		d := &s.Drivers[i]
		if d.State == Free || d.State == InRide && !d.Next && d.Lead <= time.Minute {
			drivers++
		}
	}
	return open, drivers
}

// smoothed is the part of a difference that has been taken over after some time.
func smoothed(difference int64, elapsed time.Duration) int64 {
	return difference * int64(min(max(0, elapsed), smoothOver)/time.Millisecond) / int64(smoothOver/time.Millisecond)
}

// step changes the mode, by one step a minute at most.
func (st *State) step() {
	to := st.target()
	if to == st.Mode && st.Why != "" {
		return
	}
	if st.For < stepEvery {
		return
	}
	ladder := []Mode{Ample, Balanced, Scarce}
	if from, want := slices.Index(ladder, st.Mode), slices.Index(ladder, to); from >= 0 && want >= 0 && from != want {
		if want > from {
			to = ladder[from+1]
		} else {
			to = ladder[from-1]
		}
	}
	if to != st.Mode {
		st.For = 0
	}
	st.Mode, st.Why = to, st.reason(to)
}

// target is the mode that the figures ask for.
func (st *State) target() Mode {
	over := func(mode Mode, figure, threshold int64) bool {
		if st.Mode == mode {
			threshold = threshold * stayedPercent / 100
		}
		return figure >= threshold
	}
	switch {
	case over(Sparse, int64(st.Way), int64(sparseFrom)):
		return Sparse
	case over(Scarce, st.Pressure, scarceFrom):
		return Scarce
	case over(Balanced, st.Pressure, balancedFrom) || st.Mode == Scarce && st.Pressure >= balancedFrom*stayedPercent/100:
		return Balanced
	}
	return Ample
}

func (st *State) reason(m Mode) string {
	market := fmt.Sprintf("%d open requests for each 100 drivers who are free or will be within a minute, %s to a pickup",
		(st.Pressure+5)/10, st.Way.Round(time.Second))
	switch m {
	case Ample:
		return "there are many drivers: " + market
	case Balanced:
		return "drivers are just enough: " + market
	case Scarce:
		return "drivers are too few: " + market
	case Sparse:
		return "drivers are far apart: " + market
	case Fixed:
	}
	return market
}

// saw takes note of the ways of a plan.
func (st *State) saw(ways []time.Duration, elapsed time.Duration) {
	if len(ways) == 0 || st.Mode == Fixed {
		return
	}
	slices.Sort(ways)
	way := ways[len(ways)/2]
	if st.Way == 0 {
		st.Way = way
		return
	}
	st.Way += time.Duration(smoothed(int64((way-st.Way)/time.Millisecond), elapsed)) * time.Millisecond
}

// in is the policy in a mode. The policy's own figures are those of a dense market. Where drivers are far apart, ways are
// long whatever is done, more drivers decline or stay silent, and a better plan is worth a longer wait: replays of a dense
// and of a wide city gave these factors. In a dense market second offers cost more lost races than they save.
func (p Policy) in(m Mode) Policy {
	if m != Sparse {
		p.SecondAfter = 0
		return p
	}
	p.MaxETA = min(p.MaxETA*3/2, mostMaxETA)
	p.Window = min(p.Window*4, mostWindow)
	p.Exchange.GainPercent = max(p.Exchange.GainPercent, 20)
	return p
}
