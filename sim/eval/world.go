// Package eval replays a day of requests on a virtual clock and judges dispatch by it. It is not a second
// implementation of dispatch: trips are those of package ride, whole zones are decided by package ride/dispatch.
// What it adds are the people (who says yes, and when), the cars, the clock, and the figures.
// docs/benchmarks/matching.md says how it judges and what it found.
//
// All is deterministic: the same scenario, policy and seed give the same figures, whatever the machine does
// meanwhile. A value of this package has one owner unless its comment says otherwise.
package eval

import (
	"math"
	"time"

	"github.com/hexhail/hexhail/geo"
)

// Place is one of the places of a world, by its index: cars stand, and drives begin and end, only there.
type Place = int32

// World is where a scenario takes place: places, and the drives between them. It is read-only once made, and then
// safe for concurrent use.
type World struct {
	// Name says what it is made of.
	Name string
	// At are the places.
	At []geo.Point
	// drives are known times; nil where a world is driven by straight lines.
	drives *drives
	line   line
	// cells are the cells of the places, resolution as of a server's default; middles are the places nearest
	// to the centres of these cells.
	cells   []geo.Cell
	middles []Place
	flat    flat
}

// line says how long a straight line takes: what it takes beyond driving, and at which speed.
type line struct {
	start    time.Duration
	mps      float64 // of the great circle
	farM     float64 // from this length on farMPS counts; 0: never
	farMPS   float64
	longest  time.Duration
	detour   float64
	measured bool // fitted to drives along streets
}

// cellResolution is that of a server by default.
const cellResolution = 8

// newWorld completes a world that has its places and drives.
func newWorld(w World) (*World, error) {
	w.cells = make([]geo.Cell, len(w.At))
	w.flat = flatten(w.At)
	middle := make(map[geo.Cell]Place)
	w.middles = make([]Place, len(w.At))
	for i, p := range w.At {
		c, err := geo.CellAt(p, cellResolution)
		if err != nil {
			return nil, err //nolint:wrapcheck // it names the point
		}
		w.cells[i] = c
		m, known := middle[c]
		if !known {
			m = w.Nearest(c.Center())
			middle[c] = m
		}
		w.middles[i] = m
	}
	return &w, nil
}

// Drive is how long a car takes from a place to another by the truth of this world, in whole seconds.
func (w *World) Drive(from, to Place) time.Duration {
	if w.drives != nil {
		return time.Duration(w.drives.seconds[int(from)*len(w.At)+int(to)]) * time.Second
	}
	return w.line.drive(geo.DistanceM(w.At[from], w.At[to])).Truncate(time.Second)
}

// Metres is how long the way of a drive is.
func (w *World) Metres(from, to Place) float64 {
	if w.drives != nil {
		return float64(w.drives.metres[int(from)*len(w.At)+int(to)])
	}
	return geo.DistanceM(w.At[from], w.At[to]) * w.line.detour
}

// Line is what a straight line says of a drive that follows streets, with this world's mean detour and speed.
func (w *World) Line(from, to Place) time.Duration {
	return w.line.drive(geo.DistanceM(w.At[from], w.At[to]))
}

func (l line) drive(metres float64) time.Duration {
	d := l.start + time.Duration(metres/l.speed(metres)*float64(time.Second))
	if l.longest > 0 {
		d = min(d, l.longest)
	}
	return d
}

// speed is in metres per second, on a line of so many metres.
func (l line) speed(metres float64) float64 {
	if l.farM > 0 && metres > l.farM {
		return l.farMPS
	}
	return l.mps
}

// Along is where a car that left a place for another some time ago can turn off: at which place, and how long until it
// is there. On streets it is the next junction on the way. On straight lines it is the place nearest to where the car is
// on its line; it drives there as fast as on the line, ahead or back.
func (w *World) Along(from, to Place, driven time.Duration) (next Place, left time.Duration) {
	if w.drives == nil {
		whole := w.Drive(from, to)
		switch {
		case driven >= whole:
			return to, 0
		case driven <= w.line.start:
			return from, 0
		}
		a, b := w.At[from], w.At[to]
		share := float64(driven-w.line.start) / float64(whole-w.line.start)
		car := geo.Point{Lat: a.Lat + share*(b.Lat-a.Lat), Lng: a.Lng + share*(b.Lng-a.Lng)}
		next = w.Nearest(car)
		left = time.Duration(geo.DistanceM(car, w.At[next]) / w.line.speed(geo.DistanceM(a, b)) * float64(time.Second))
		if next == to {
			left = min(left, whole-driven)
		}
		return next, left
	}
	at := time.Duration(0)
	for from != to {
		next, takes := w.drives.hop(from, to)
		at += takes
		if at >= driven {
			return next, at - driven
		}
		from = next
	}
	return to, 0
}

// calibrate fits straight lines to the drives of some trips: the mean detour and speed of all of them together.
func (w *World) calibrate(from, to []Place) {
	var metres, seconds, crow float64
	for i := range from {
		if from[i] == to[i] {
			continue
		}
		metres += w.Metres(from[i], to[i])
		seconds += w.Drive(from[i], to[i]).Seconds()
		crow += geo.DistanceM(w.At[from[i]], w.At[to[i]])
	}
	w.line = line{mps: geo.DefaultSpeedMPS / geo.DefaultDetour, detour: geo.DefaultDetour}
	if crow > 0 && seconds > 0 {
		w.line = line{mps: crow / seconds, detour: metres / crow, measured: true}
	}
}

// flat are places in metres on a plane around their first one, to look for the nearest.
type flat struct {
	lat0, lng0, metresLng float64
	x, y                  []float64
}

const metresPerDegree = 111_195

func flatten(at []geo.Point) flat {
	f := flat{x: make([]float64, len(at)), y: make([]float64, len(at))}
	if len(at) == 0 {
		return f
	}
	f.lat0, f.lng0 = at[0].Lat, at[0].Lng
	f.metresLng = metresPerDegree * math.Cos(at[0].Lat*math.Pi/180)
	for i, p := range at {
		f.x[i], f.y[i] = f.plane(p)
	}
	return f
}

func (f *flat) plane(p geo.Point) (x, y float64) {
	return (p.Lng - f.lng0) * f.metresLng, (p.Lat - f.lat0) * metresPerDegree
}

// Nearest is the place nearest to a point by straight line; the first of those equally near. There must be one.
func (w *World) Nearest(p geo.Point) Place {
	x, y := w.flat.plane(p)
	best, least := Place(0), math.Inf(1)
	for i := range w.flat.x {
		dx, dy := w.flat.x[i]-x, w.flat.y[i]-y
		if d := float64(dx*dx) + float64(dy*dy); d < least {
			best, least = Place(i), d
		}
	}
	return best
}
