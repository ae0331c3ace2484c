package actors

import (
	"math/rand/v2"
	"time"

	"github.com/hexhail/hexhail/geo"
)

// showWithin bounds how long a driver who has left a cell is still shown in it: between
// half of it and all of it, at random.
const showWithin = 30 * time.Second

// shown is the cell in which riders who ask for quotes may take a driver to be. It follows
// the driver with a delay that nobody can foretell: would it change the moment an edge is
// crossed, it would tell that the driver is on that edge, and a driver who stands beside
// one, whose position wanders, would be found to a few metres by asking often.
type shown struct {
	cell   geo.Cell
	left   time.Time     // when it was seen outside of the cell first; zero: it is in it
	within time.Duration // how long that may be so
	beyond float64       // how far from the middle of the cell that may be so, in metres
}

// follow takes note of where the driver is and returns the cell to show.
func (s *shown) follow(cell geo.Cell, at geo.Point, now time.Time) geo.Cell {
	switch {
	case s.cell == cell:
		s.left = time.Time{}
	case s.cell == 0:
		s.cell = cell
	case s.left.IsZero():
		s.left = now
		s.within = showWithin/2 + rand.N(showWithin/2)
		// Fast ones are not left far behind, whatever the time.
		s.beyond = s.cell.RadiusM() * (1.2 + 0.8*rand.Float64())
		if geo.DistanceM(s.cell.Center(), at) > 2*s.beyond { // it was away, or leapt
			*s = shown{cell: cell}
		}
	case now.Sub(s.left) >= s.within || geo.DistanceM(s.cell.Center(), at) > s.beyond:
		*s = shown{cell: cell}
	}
	return s.cell
}
