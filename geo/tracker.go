package geo

import "math"

// CellTracker follows one driver from cell to cell. It remembers a circle that lies
// wholly inside the current cell: while the driver stays in it, an update is
// arithmetic alone, without the call into C and without allocation. The circle covers
// about nine tenths of a cell. Outside of it H3 is asked, so the answer always equals
// CellAt.
//
// It is a value for one owner and not safe for concurrent use. The zero one follows
// cells of resolution 0; NewCellTracker chooses another.
type CellTracker struct {
	res    int
	cell   Cell
	center Point
	cosLat float64 // of center
	maxHav float64 // haversine of the circle's radius
}

// NewCellTracker returns a tracker for cells of resolution res that is in no cell
// yet. The error wraps ErrOutOfRange.
func NewCellTracker(res int) (CellTracker, error) {
	if err := checkResolution(res); err != nil {
		return CellTracker{}, err
	}
	return CellTracker{res: res}, nil
}

// Cell returns the cell of the last update; false before the first one.
func (t *CellTracker) Cell() (Cell, bool) { return t.cell, t.cell != 0 }

// Update moves the driver to p and returns its cell, and whether that is another one
// than before (the first always is). The error wraps ErrInvalidPoint; the tracker then
// stays as it was.
func (t *CellTracker) Update(p Point) (cell Cell, changed bool, err error) {
	if err := p.Validate(); err != nil {
		return t.cell, false, err
	}
	if t.cell != 0 && haversine(t.center, p, t.cosLat) < t.maxHav {
		return t.cell, false, nil
	}
	cell, err = CellAt(p, t.res)
	if err != nil {
		return t.cell, false, err
	}
	if cell == t.cell {
		return cell, false, nil
	}
	t.enter(cell)
	return cell, true, nil
}

func (t *CellTracker) enter(c Cell) {
	t.cell = c
	t.center = c.Center()
	t.cosLat = math.Cos(t.center.Lat * radians)
	sin := math.Sin(c.inRadiusM() / (2 * earthRadiusM))
	t.maxHav = sin * sin
}

// inRadiusShare keeps the circle off the cell's edges by more than the rounding of
// H3's own geometry.
const inRadiusShare = 0.99

// inRadiusM returns the radius in metres of a circle around the centre that is surely
// inside the cell: a little less than the distance to the nearest great circle that an
// edge lies on. Because it stays on one side of each of them, it cannot leave the cell
// even where a corner is bent inwards.
func (c Cell) inRadiusM() float64 {
	center, corners := c.Center().vec(), c.Boundary()
	if len(corners) == 0 {
		return 0
	}
	sin := 1.0
	a := corners[len(corners)-1].vec()
	for _, p := range corners {
		b := p.vec()
		// The centre's distance to the plane of the edge, from differences: of the
		// whole vectors too few digits would remain for cells of a metre.
		edge := b.sub(a)
		if length := a.cross(edge).norm(); length > 0 {
			height := center.dot(a.sub(center).cross(b.sub(center))) / length
			sin = math.Min(sin, math.Max(0, height))
		}
		a = b
	}
	return math.Asin(sin) * earthRadiusM * inRadiusShare
}
