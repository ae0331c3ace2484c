package actors

import (
	"math/rand/v2"
	"time"

	"github.com/hexhail/hexhail/geo"
)

// showWithin bounds how long a driver who has left a cell is still shown in it: a random time
// between half of it and all of it.
const showWithin = 30 * time.Second

// shown is the cell in which quotes show a driver. It follows the driver with an unpredictable
// delay: if it changed the moment the driver crossed an edge, it would reveal that the driver is on
// that edge, and frequent quotes would locate a driver beside an edge, whose position jitters, to
// within a few metres.
type shown struct {
	cell   geo.Cell
	left   time.Time     // when it was first seen outside the cell; zero: it is inside
	within time.Duration // how long it may stay outside
	beyond float64       // how far from the cell's centre it may be meanwhile, in metres
}

// update notes where the driver is and returns the cell to show.
func (s *shown) update(cell geo.Cell, at geo.Point, now time.Time) geo.Cell {
	switch {
	case s.cell == cell:
		s.left = time.Time{}
	case s.cell == 0:
		s.cell = cell
	case s.left.IsZero():
		s.left = now
		s.within = showWithin/2 + rand.N(showWithin/2)
		// A fast driver is moved on by distance, before its time is up.
		s.beyond = s.cell.RadiusM() * (1.2 + 0.8*rand.Float64())
		if geo.DistanceM(s.cell.Center(), at) > 2*s.beyond { // it was offline, or jumped
			*s = shown{cell: cell}
		}
	case now.Sub(s.left) >= s.within || geo.DistanceM(s.cell.Center(), at) > s.beyond:
		*s = shown{cell: cell}
	}
	return s.cell
}
