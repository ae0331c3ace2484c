package dispatch

import (
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// Shortlist returns the pairs whose ways Decide needs for this snapshot: of each request that takes part, the nearest
// suitable drivers by line. Pairs are sorted by trip, those of a trip by state (drivers without a trip first) and
// distance. Snapshot.Ways are not read. Requests and drivers at an invalid point are passed over.
func Shortlist(p Policy, s *Snapshot) []Pair {
	p, _ = p.now(s)
	if !p.Zoned() {
		return nil
	}
	m := newMarket(p, s)
	var idle, moving fleet
	for i, d := range m.drivers {
		if in, _ := m.column(int32(i)); !in || d.Point.Validate() != nil {
			continue
		}
		if m.matchOf[i] != nil {
			moving.add(d)
		} else {
			idle.add(d)
		}
	}
	idle.lay()
	moving.lay()
	var out []Pair
	for _, r := range m.requests {
		if in, _ := m.row(r); !in || r.Pickup.Validate() != nil {
			continue
		}
		within := p.MaxETA
		if r.Match != nil {
			within = min(within, r.Match.Remaining-p.gain(r.Match.Remaining))
		}
		out = idle.near(p, r, within, out)
		out = moving.near(p, r, within, out)
	}
	return out
}

// fleet are drivers on a grid.
type fleet struct {
	drivers []*Driver
	grid    *grid
	buf     []found
}

func (f *fleet) add(d *Driver) { f.drivers = append(f.drivers, d) }

func (f *fleet) lay() {
	if len(f.drivers) == 0 {
		return
	}
	points := make([]geo.Point, len(f.drivers))
	for i, d := range f.drivers {
		points[i] = d.Point
	}
	f.grid = newGrid(points)
}

// near appends the pairs of a request with this fleet.
func (f *fleet) near(p Policy, r *Request, within time.Duration, out []Pair) []Pair {
	if f.grid == nil {
		return out
	}
	var own ride.AccountID
	if r.Match != nil {
		own = r.Match.Driver
	}
	f.buf = f.grid.near(r.Pickup, p.Near, func(i int32) bool {
		d := f.drivers[i]
		ok, _ := suits(r, d)
		return ok && d.ID != own && d.Lead < within
	}, f.buf)
	for _, at := range f.buf {
		d := f.drivers[at.at]
		out = append(out, Pair{Trip: r.Trip, Driver: d.ID, Within: within - max(0, d.Lead)})
	}
	return out
}
