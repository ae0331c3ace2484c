package routers

import (
	"fmt"
	"math"

	polyline "github.com/twpayne/go-polyline"

	"github.com/hexhail/hexhail/geo"
)

// drive is one as a server describes it.
type drive struct {
	metres float64
	parts  []part // the last is the arrival
}

// part is one thing to do and the way after it.
type part struct {
	turn    geo.Turn
	leaves  bool // it is the exit of a roundabout, which belongs to the part that enters it
	street  string
	exit    int
	seconds float64
	line    []geo.Point // it begins where the line of the part before ends; the arrival's does not matter
}

// plan makes a plan of a drive.
func (d drive) plan(by geo.Source) (geo.Plan, error) {
	n := len(d.parts)
	if n < 2 || d.parts[0].turn != geo.TurnDepart || d.parts[n-1].turn != geo.TurnArrive {
		return geo.Plan{}, fmt.Errorf("%w: a drive without beginning or end", errAnswer)
	}
	p := geo.Plan{MapID: by.String(), FromName: d.parts[0].street, ToName: d.parts[n-1].street}
	p.By = by
	for _, x := range d.parts[:n-1] {
		if err := add(&p, x); err != nil {
			return geo.Plan{}, err
		}
	}
	if p.ToName == "" {
		p.ToName = p.Steps[len(p.Steps)-1].Street
	}
	p.Steps = append(p.Steps, geo.Step{Turn: geo.TurnArrive, Street: p.ToName, Index: len(p.Line) - 1, Route: geo.Route{By: by}})
	for i := range p.Steps {
		s := &p.Steps[i]
		s.Position, s.Route.By = p.Line[s.Index], by
		p.DistanceM, p.Duration = p.DistanceM+s.Route.DistanceM, p.Duration+s.Route.Duration
	}
	if math.Abs(p.DistanceM-d.metres) > 50+d.metres/20 {
		return geo.Plan{}, fmt.Errorf("%w: a line that is not as long as its drive", errAnswer)
	}
	return p, nil
}

// add appends a part of a drive to its plan.
func add(p *geo.Plan, x part) error {
	const gapM = 5
	if len(x.line) == 0 || len(p.Line) == 0 && len(x.line) < 2 || x.turn == geo.TurnArrive {
		return fmt.Errorf("%w: a part without a line", errAnswer)
	}
	begin := max(0, len(p.Line)-1)
	if len(p.Line) == 0 {
		p.Line = append(p.Line, x.line[0])
	} else if geo.DistanceM(p.Line[begin], x.line[0]) > gapM {
		return fmt.Errorf("%w: a line with a gap", errAnswer)
	}
	p.Line = append(p.Line, x.line[1:]...)
	took := routeOf(0, x.seconds)
	if !took.Reachable() {
		return fmt.Errorf("%w: an impossible time", errAnswer)
	}
	took.DistanceM = lengthM(p.Line[begin:])
	if last := len(p.Steps) - 1; x.leaves && last >= 0 && p.Steps[last].Turn == geo.TurnRoundabout {
		s := &p.Steps[last]
		s.Street = x.street
		s.Route.DistanceM, s.Route.Duration = s.Route.DistanceM+took.DistanceM, s.Route.Duration+took.Duration
		return nil
	}
	p.Steps = append(p.Steps, geo.Step{Turn: x.turn, Street: x.street, Exit: x.exit, Index: begin, Route: took})
	return nil
}

func lengthM(line []geo.Point) (metres float64) {
	for i := 1; i < len(line); i++ {
		metres += geo.DistanceM(line[i-1], line[i])
	}
	return metres
}

// decodeLine reads a line in the encoded polyline format with 6 decimals.
func decodeLine(s string) ([]geo.Point, error) {
	coords, rest, err := polyline.Codec{Dim: 2, Scale: 1e6}.DecodeCoords([]byte(s))
	if err != nil || len(rest) > 0 {
		return nil, fmt.Errorf("%w: a line that cannot be read", errAnswer)
	}
	out := make([]geo.Point, len(coords))
	for i, c := range coords {
		out[i] = geo.Point{Lat: c[0], Lng: c[1]}
		if out[i].Validate() != nil {
			return nil, fmt.Errorf("%w: a line that leaves the earth", errAnswer)
		}
	}
	return out, nil
}

// exitOf bounds the number of an exit.
func exitOf(turn geo.Turn, exit int) int {
	if turn != geo.TurnRoundabout || exit < 0 || exit > 20 {
		return 0
	}
	return exit
}
