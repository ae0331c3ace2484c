package streets

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/hexhail/hexhail/geo"
)

// Bounds of what can be learned.
const (
	// MostFactor bounds each factor, and its inverse.
	MostFactor = 4.0
	// ZoneResolution is the H3 resolution of zones: hexagons of about 5 km².
	ZoneResolution = 7
	// Hours is the number of hours with a factor of their own: 24 of weekdays and 24 of weekends.
	Hours = 48
)

// Learned is what rides have taught about travel times, as factors: 0 counts as 1, all others are from
// 1/MostFactor to MostFactor. The zero Learned is nothing. It must not change once a map has it.
type Learned struct {
	All    float64        // of all driving
	Ride   float64        // of Model.Ride
	Signal float64        // of Model.Signal
	Roads  [Roads]float64 // of the time on roads, by road
	// Hours are factors by HourOf, in TimeZone; nil is UTC.
	Hours    [Hours]float64
	TimeZone *time.Location
	// Zones are factors by cell of ZoneResolution. A drive has half of the zone where it begins and half of
	// the one where it ends: the root of their product.
	Zones map[geo.Cell]float64
	// Detour is how much farther than planned drivers drive. Routes do not contain it, because
	// their length is that of their geometry: multiply when quoting a ride.
	Detour float64
}

// HourOf numbers the hour of a time in its own location: from 0 on weekdays, from 24 on Saturdays and
// Sundays.
func HourOf(t time.Time) int {
	h := t.Hour()
	if d := t.Weekday(); d == time.Saturday || d == time.Sunday {
		h += 24
	}
	return h
}

func (l *Learned) isZero() bool {
	return l.All == 0 && l.Ride == 0 && l.Signal == 0 && l.Detour == 0 && l.Roads == [Roads]float64{} &&
		l.Hours == [Hours]float64{} && len(l.Zones) == 0
}

func (l *Learned) validate() error {
	check := func(what string, f float64) error {
		if f == 0 || f >= 1/MostFactor && f <= MostFactor {
			return nil
		}
		return fmt.Errorf("%w: the factor of %s is %v", ErrModel, what, f)
	}
	for _, x := range []struct {
		what   string
		values []float64
	}{
		{"all", []float64{l.All}}, {"a ride", []float64{l.Ride}}, {"a signal", []float64{l.Signal}}, {"detours", []float64{l.Detour}},
		{"a road", l.Roads[:]}, {"an hour", l.Hours[:]},
	} {
		for _, v := range x.values {
			if err := check(x.what, v); err != nil {
				return err
			}
		}
	}
	for z, v := range l.Zones {
		if err := check("zone "+z.String(), v); err != nil {
			return err
		}
	}
	return nil
}

func orOne(f float64) float64 {
	if f == 0 {
		return 1
	}
	return f
}

// of is a model with the learned times of a ride and of a signal.
func (l *Learned) of(m Model) Model {
	m.Ride = time.Duration(float64(m.Ride) * orOne(l.Ride))
	m.Signal = time.Duration(float64(m.Signal) * orOne(l.Signal))
	return m
}

// factors are what Learned means for one map, ready to multiply with.
type factors struct {
	learned Learned
	roads   [Roads]float64
	hours   [Hours]float64 // with the factor of all
	timed   bool           // hours differ
	zone    []float64      // by number of the zone: the root of its factor; nil: all are 1
	zones   *zoning
}

func (l Learned) factorsOf(zones *zoning, g *graph) *factors {
	f := &factors{learned: l, zones: zones}
	for i, v := range l.Roads {
		f.roads[i] = orOne(v)
	}
	for i, v := range l.Hours {
		f.hours[i] = orOne(v) * orOne(l.All)
		f.timed = f.timed || f.hours[i] != f.hours[0]
	}
	if len(l.Zones) == 0 {
		return f
	}
	zones.prepare(g)
	f.zone = make([]float64, len(zones.cells))
	for i, c := range zones.cells {
		f.zone[i] = math.Sqrt(orOne(l.Zones[c]))
	}
	return f
}

// hour is the factor of a time; the zero time is now.
func (f *factors) hour(at time.Time) float64 {
	if !f.timed {
		return f.hours[0]
	}
	if at.IsZero() {
		at = time.Now()
	}
	zone := f.learned.TimeZone
	if zone == nil {
		zone = time.UTC
	}
	return f.hours[HourOf(at.In(zone))]
}

// ends is the factor of the places where a drive begins and ends.
func (f *factors) ends(from, to int32) float64 {
	if f.zone == nil {
		return 1
	}
	return f.zone[f.zones.of[from]] * f.zone[f.zones.of[to]]
}

// zoning is the zone of each street, found when it is first needed.
type zoning struct {
	once  sync.Once
	of    []uint16 // by segment
	cells []geo.Cell
}

// mostZones bounds the zones of a map; streets of further ones share the last.
const mostZones = math.MaxUint16

func (z *zoning) prepare(g *graph) {
	z.once.Do(func() {
		z.of = make([]uint16, g.segmentCount())
		number := map[geo.Cell]uint16{}
		for i := range z.of {
			pts := g.points(int32(i))
			c, err := geo.CellAt(pts[len(pts)/2].geo(), ZoneResolution)
			if err != nil { // a map has no invalid points, but H3 has the last word
				c = 0
			}
			n, ok := number[c]
			if !ok {
				n = uint16(min(len(z.cells), mostZones-1))
				number[c] = n
				if int(n) == len(z.cells) {
					z.cells = append(z.cells, c)
				}
			}
			z.of[i] = n
		}
	})
}

// cell is the zone of a street.
func (z *zoning) cell(g *graph, segment int32) geo.Cell {
	z.prepare(g)
	return z.cells[z.of[segment]]
}
