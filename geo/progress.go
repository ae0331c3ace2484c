package geo

import (
	"math"
	"time"
)

const (
	// strayM is how far from the line of its plan a car may be, in metres, if its position is good.
	strayM = 40
	// backM is how far back along the line a car may go before it counts as having turned round: more
	// than a position jitters, and than a car moves back to park.
	backM = 60
	// endsM is the part of the line at both ends in which a car may be as far away as the place it
	// came from or goes to: a yard, or a car park.
	endsM = 60
	// strays is how many positions in a row show that a car has left its plan. One may be an outlier.
	strays = 2
	// lookBackM and lookAheadM bound the part of the line in which a car is looked for, besides what it
	// may have driven since. A line may pass a place twice: what is near on the line comes first, by
	// lapWeight metres for each metre along it.
	lookBackM  = 80
	lookAheadM = 60
	lapWeight  = 0.05
)

// Progress is how far along the line of a plan a car has come. It looks only at the part of the line
// where the car can be, so a position costs the same on a long line, unless the car seems to have left it.
// It does not allocate, and is not safe for concurrent use.
type Progress struct {
	whole      Route
	line       []Point
	atM        []float64 // the length of the line up to each point
	steps      []progressStep
	fromM, toM float64 // how far the car and the goal are from the line's ends
	mostMPS    float64

	segment   int // of the line, where the car is
	alongM    float64
	farthestM float64
	seen      time.Time // when the car was last on the line
	strayed   int       // positions in a row that were not
}

// progressStep is where a step begins: metres along the line, and the time for what comes before.
type progressStep struct {
	atM    float64
	before time.Duration
}

// NewProgress returns the progress of a car that is at a place at the beginning of a plan, which leads to a
// goal. The plan's line has at least two points, and its duration is that of its steps, if it has any.
// The car drives at most at mostMPS metres per second. It keeps the line.
func NewProgress(p Plan, from, goal Point, at time.Time, mostMPS float64) *Progress {
	g := &Progress{whole: p.Route, line: p.Line, atM: make([]float64, len(p.Line)), mostMPS: mostMPS, seen: at}
	for i := 1; i < len(p.Line); i++ {
		g.atM[i] = g.atM[i-1] + DistanceM(p.Line[i-1], p.Line[i])
	}
	var before time.Duration
	for _, s := range p.Steps {
		g.steps = append(g.steps, progressStep{g.atM[min(s.Index, len(g.atM)-1)], before})
		before += s.Route.Duration
	}
	g.fromM, g.toM = DistanceM(from, p.Line[0]), DistanceM(goal, p.Line[len(p.Line)-1])
	return g
}

// Move takes the next position of the car, and reports whether the car has left the plan: some
// positions in a row are far from the line, or it drives back along it. Then what is left stays as it was.
func (g *Progress) Move(s Spot) (left bool) {
	gap := math.Max(0, s.At.Sub(g.seen).Seconds())
	on := g.find(s.Point, g.alongM-lookBackM, g.alongM+lookAheadM+g.mostMPS*gap)
	if !g.fits(on, s) {
		if g.strayed++; g.strayed < strays {
			return false
		}
		if on = g.find(s.Point, g.alongM-lookBackM, math.Inf(1)); !g.fits(on, s) { // a short cut leads back to the line
			return true
		}
	}
	g.segment, g.alongM, g.seen, g.strayed = on.segment, on.alongM, s.At, 0
	g.farthestM = math.Max(g.farthestM, on.alongM)
	return false
}

// fits reports whether a car that reports a position can be at that place on the line.
func (g *Progress) fits(on onLine, s Spot) bool {
	good := math.Max(strayM, stepsM*s.AccuracyM)
	if on.alongM < endsM {
		good = math.Max(good, g.fromM+strayM)
	}
	if g.lengthM()-on.alongM < endsM {
		good = math.Max(good, g.toM+strayM)
	}
	return on.awayM <= good && on.alongM >= g.farthestM-math.Max(backM, stepsM*s.AccuracyM)
}

// Left is what the car has yet to drive.
func (g *Progress) Left() Route {
	out := g.whole
	length := g.lengthM()
	if length <= 0 {
		return out
	}
	out.DistanceM *= 1 - g.alongM/length
	out.Duration = max(0, out.Duration-g.driven(length))
	return out
}

// Astray reports whether the car's newest position was not on the plan.
func (g *Progress) Astray() bool { return g.strayed > 0 }

// Rest is the line from where the car is, at least two points. The caller owns it.
func (g *Progress) Rest() []Point {
	a, b := g.line[g.segment], g.line[g.segment+1]
	share := 0.0
	if l := g.atM[g.segment+1] - g.atM[g.segment]; l > 0 {
		share = math.Min(1, (g.alongM-g.atM[g.segment])/l)
	}
	here := Destination(a, BearingDeg(a, b), share*DistanceM(a, b))
	return append([]Point{here}, g.line[g.segment+1:]...)
}

func (g *Progress) lengthM() float64 { return g.atM[len(g.atM)-1] }

// driven is the planned time for what lies behind the car.
func (g *Progress) driven(lengthM float64) time.Duration {
	if len(g.steps) == 0 {
		return time.Duration(g.alongM / lengthM * float64(g.whole.Duration))
	}
	now := len(g.steps) - 1
	for now > 0 && g.steps[now].atM > g.alongM {
		now--
	}
	begin := g.steps[now]
	end := progressStep{lengthM, g.whole.Duration}
	if now+1 < len(g.steps) {
		end = g.steps[now+1]
	}
	if end.atM <= begin.atM {
		return begin.before
	}
	share := math.Min(1, math.Max(0, (g.alongM-begin.atM)/(end.atM-begin.atM)))
	return begin.before + time.Duration(share*float64(end.before-begin.before))
}

// onLine is a place on the line: its segment, the length up to there, and how far from it a car is.
type onLine struct {
	segment       int
	alongM, awayM float64
}

// find returns the place on the line that is nearest to a point, between two lengths along the line.
func (g *Progress) find(p Point, fromM, toM float64) (found onLine) {
	first := g.segment
	for first > 0 && g.atM[first] > fromM {
		first--
	}
	flat := flatAt(p)
	best := math.Inf(1)
	ax, ay := flat.at(g.line[first])
	for i := first; i+1 < len(g.line) && (i <= g.segment || g.atM[i] < toM); i++ {
		bx, by := flat.at(g.line[i+1])
		share, away := nearest(ax, ay, bx, by)
		ax, ay = bx, by
		along := g.atM[i] + share*(g.atM[i+1]-g.atM[i])
		if cost := away + lapWeight*math.Abs(along-g.alongM); cost < best {
			best, found = cost, onLine{i, along, away}
		}
	}
	return found
}

// flat is the neighbourhood of a point as a plane, in metres.
type flat struct {
	origin         Point
	perLat, perLng float64 // metres a degree
}

func flatAt(p Point) flat {
	const perDeg = earthRadiusM * radians
	return flat{origin: p, perLat: perDeg, perLng: perDeg * math.Cos(p.Lat*radians)}
}

func (f flat) at(p Point) (x, y float64) {
	lng := p.Lng - f.origin.Lng
	if lng > 180 { // over the antimeridian
		lng -= 360
	} else if lng < -180 {
		lng += 360
	}
	return lng * f.perLng, (p.Lat - f.origin.Lat) * f.perLat
}

// nearest returns which share of the way from a to b is nearest to the origin, and how far that is.
func (f flat) nearest(a, b Point) (share, awayM float64) {
	ax, ay := f.at(a)
	bx, by := f.at(b)
	return nearest(ax, ay, bx, by)
}

// nearest is flat.nearest in the plane.
func nearest(ax, ay, bx, by float64) (share, away float64) {
	dx, dy := bx-ax, by-ay
	if l := dx*dx + dy*dy; l > 0 {
		share = math.Min(1, math.Max(0, -(ax*dx+ay*dy)/l))
	}
	x, y := ax+share*dx, ay+share*dy
	return share, math.Sqrt(x*x + y*y)
}
