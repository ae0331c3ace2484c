package city

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// near is a driver close to a pickup.
type near struct {
	driver    *Driver
	point     uint64
	distance2 float64 // comparable among those of one search only
}

// Search is what a wave searched for, and the drivers it found.
type Search struct {
	Pickup   geo.Point
	Center   geo.Cell // the pickup's; 0: the search could not begin
	Disk     []geo.Cell
	Ring     int // the outermost ring searched
	Class    string
	Excluded []ride.AccountID
	Found    interface {
		Has(driver ride.AccountID) bool
	}
}

// PassedOver returns the nearest drivers of the class around a pickup that a search did not find,
// at most ride.MaxPassed, nearest first and with the reason, for the record of a wave. It looks one
// ring further than the search.
func (c *City) PassedOver(q Search) []ride.Considered {
	if q.Center == 0 {
		return nil
	}
	reach := float64(q.Ring+2) * c.ringM
	lat0, lng0 := q.Pickup.E7()
	const metresPerE7 = 0.0111195
	shrink := math.Cos(q.Pickup.Lat * math.Pi / 180)
	var best []near
	for _, m := range c.Drivers.all() {
		// Distance first: it needs only the marker's own memory.
		point := m.point.Load()
		lat, lng := unpackE7(point)
		dy := float64(int64(lat)-int64(lat0)) * metresPerE7
		if dy > reach || dy < -reach {
			continue
		}
		dx := float64(acrossE7(lng0, lng)) * metresPerE7 * shrink
		d := dx*dx + dy*dy
		full := len(best) == ride.MaxPassed
		if point == 0 || d > reach*reach || full && d >= best[len(best)-1].distance2 {
			continue
		}
		driver := m.driver.Load()
		if driver == nil || driver.Class != q.Class || q.Found.Has(driver.ID) {
			continue
		}
		if full {
			best = best[:len(best)-1]
		}
		at, _ := slices.BinarySearchFunc(best, d, func(n near, d float64) int { return cmp.Compare(n.distance2, d) })
		best = slices.Insert(best, at, near{driver, point, d})
	}
	out := make([]ride.Considered, len(best))
	for i, n := range best {
		out[i] = ride.Considered{Driver: n.driver.ID, Point: geo.FromE7(unpackE7(n.point)), Verdict: n.verdict(&q)}
		if slices.Contains(q.Excluded, n.driver.ID) {
			out[i].Verdict = ride.VerdictExcluded
		}
	}
	return out
}

// DriverCells returns the cells in which drivers are, each once, whether they are available or not.
func (c *City) DriverCells() []geo.Cell {
	cells := make(map[geo.Cell]bool)
	for _, m := range c.Drivers.all() {
		point := m.point.Load()
		if point == 0 || m.driver.Load() == nil {
			continue
		}
		if cell, err := geo.CellAt(geo.FromE7(unpackE7(point)), c.cfg.Resolution); err == nil {
			cells[cell] = true
		}
	}
	return slices.Collect(maps.Keys(cells))
}

// acrossE7 is the shorter distance from one meridian to another.
func acrossE7(from, to int32) int64 {
	const turn = 3_600_000_000
	d := int64(to) - int64(from)
	switch {
	case d > turn/2:
		d -= turn
	case d < -turn/2:
		d += turn
	}
	return d
}

// verdict says why a search did not find this driver.
func (n near) verdict(q *Search) ride.Verdict {
	switch {
	case n.driver.State == ridepb.CityDriver_on_trip:
		return ride.VerdictBusy
	case n.driver.State == ridepb.CityDriver_unreachable:
		return ride.VerdictStale
	case n.driver.Held:
		return ride.VerdictHeld
	case n.driver.Cell == 0:
		return ride.VerdictFull
	case slices.Contains(q.Disk, n.driver.Cell):
		return ride.VerdictOverCap // its cell returned others, or replied too late
	default:
		return ride.VerdictTooFar
	}
}
