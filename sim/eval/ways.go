package eval

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/hexhail/hexhail/geo"
)

// Plans says on which ways dispatch plans.
type Plans struct {
	// Line: on straight lines, with the world's mean detour and speed.
	Line bool
	// Noise is the spread of a log-normal error of each pair of places; 0: the ways are those that cars drive.
	Noise float64
}

// ParsePlans reads line, streets or noise=SPREAD.
func ParsePlans(text string) (Plans, error) {
	switch {
	case text == "streets":
		return Plans{}, nil
	case text == "line":
		return Plans{Line: true}, nil
	}
	if spread, ok := strings.CutPrefix(text, "noise="); ok {
		x, err := strconv.ParseFloat(spread, 64)
		if err == nil && x > 0 && x <= 2 {
			return Plans{Noise: x}, nil
		}
	}
	return Plans{}, fmt.Errorf("ways must be line, streets or noise=SPREAD with a spread above 0 and at most 2, such as noise=0.2, not %q", text)
}

// String is what ParsePlans reads.
func (p Plans) String() string {
	switch {
	case p.Line:
		return "line"
	case p.Noise > 0:
		return "noise=" + strconv.FormatFloat(p.Noise, 'g', -1, 64)
	}
	return "streets"
}

// Goal is where the ways end by which dispatch chooses drivers.
type Goal string

// The goals. AsServer is the one of the policy.
const (
	AsServer Goal = ""
	Door     Goal = "door" // the pickup itself
	Cell     Goal = "cell" // the middle of its cell
)

// goal is where the ways to a pickup end.
func (r *replay) goal(pickup Place) Place {
	if r.rules.Policy.Door {
		return pickup
	}
	return r.w.middles[pickup]
}

// way is what dispatch knows of a drive.
func (r *replay) way(from, to Place) geo.Route {
	return geo.Route{DistanceM: r.w.Metres(from, to), Duration: r.takes(from, to), By: r.by()}
}

// takes is how long dispatch is told that a drive takes.
func (r *replay) takes(from, to Place) time.Duration {
	switch {
	case r.o.Plans.Line:
		return r.w.Line(from, to)
	case r.o.Plans.Noise > 0:
		z := normal(draw(r.seed, int(from), int(to), 1, drawTimes), draw(r.seed, int(from), int(to), 2, drawTimes))
		return scaled(r.w.Drive(from, to), r.o.Plans.Noise*z)
	}
	return r.w.Drive(from, to)
}

func (r *replay) by() geo.Source {
	if r.o.Plans.Line || r.w.drives == nil {
		return geo.ByCrow
	}
	return geo.ByStreets
}

// scaled multiplies a time by e to the power of x, in whole seconds.
func scaled(d time.Duration, x float64) time.Duration {
	return time.Duration(d.Seconds()*math.Exp(x)) * time.Second
}
