package geo

import "math"

// CellTracker follows one driver from cell to cell. It remembers a slightly shrunken shape of the
// current cell: while the driver stays inside it, an update is pure arithmetic, without a call into
// C and without allocation. In the outer hundredth of the cell it asks H3, so the answer always
// equals CellAt.
//
// It is a value of about 170 bytes for one owner and not safe for concurrent use. The zero value
// tracks cells of resolution 0; NewCellTracker takes another.
type CellTracker struct {
	res   int
	cell  Cell
	shape shape
}

// NewCellTracker returns a tracker for cells of resolution res that is not in a cell yet. The error
// wraps ErrOutOfRange.
func NewCellTracker(res int) (CellTracker, error) {
	if err := checkResolution(res); err != nil {
		return CellTracker{}, err
	}
	return CellTracker{res: res}, nil
}

// Cell returns the cell of the last update; false before the first one.
func (t *CellTracker) Cell() (Cell, bool) { return t.cell, t.cell != 0 }

// Update moves the driver to p and returns its cell, and whether that has changed (the first always
// counts as changed). The error wraps ErrInvalidPoint; the tracker then does not change.
func (t *CellTracker) Update(p Point) (cell Cell, changed bool, err error) {
	if err := p.Validate(); err != nil {
		return t.cell, false, err
	}
	if t.shape.contains(p) {
		return t.cell, false, nil
	}
	cell, err = CellAt(p, t.res)
	if err != nil {
		return t.cell, false, err
	}
	if cell == t.cell {
		return cell, false, nil
	}
	t.cell, t.shape = cell, shapeOf(cell)
	return cell, true, nil
}

const (
	// shapeShare and shapeSlack keep a shape off its cell's edges: by a share for the
	// rounding of its small floats, and by 0.3 m in Earth radii because H3 gets a
	// latitude as an arcsine, which near a pole is wrong by up to 0.13 m.
	shapeShare = 0.99
	shapeSlack = 0.3 / earthRadiusM
	// maxCorners is H3's bound: a pentagon whose five edges each cross one of the
	// icosahedron's.
	maxCorners = 10
)

// shape is a part of a cell in the plane that touches the Earth at the cell's centre. Seen from the
// Earth's middle (the gnomonic projection) great circles are straight lines there, so the cell is a
// polygon. The shape is the intersection of the half-planes of its edges, each moved slightly
// inwards; it stays inside the cell even where a corner is concave. The zero shape is empty.
type shape struct {
	lng            float64 // of the centre, degrees
	sinLat, cosLat float64 // of the centre
	edges          [maxCorners]edge
	n              int8
}

// edge is a line of the plane by its unit normal, pointing outwards, and its distance
// from the centre in Earth radii.
type edge struct{ x, y, d float32 }

func shapeOf(c Cell) shape {
	center, corners := c.Center(), c.Boundary()
	if len(corners) == 0 || len(corners) > maxCorners {
		return shape{}
	}
	s := shape{lng: center.Lng}
	s.sinLat, s.cosLat = math.Sincos(center.Lat * radians)
	for i, corner := range corners {
		ax, ay, ok := s.project(corner)
		bx, by, ok2 := s.project(corners[(i+1)%len(corners)])
		length := math.Hypot(bx-ax, by-ay)
		if !ok || !ok2 || length == 0 {
			return shape{}
		}
		// Corners are counter-clockwise, so outwards is to the right.
		x, y := (by-ay)/length, (ax-bx)/length
		s.edges[i] = edge{float32(x), float32(y), float32((ax*x+ay*y)*shapeShare - shapeSlack)}
	}
	s.n = int8(len(corners))
	return s
}

// project returns p's coordinates in the plane in Earth radii, east and north of the centre. It
// reports false for the far half of the Earth, which the plane does not cover.
func (s *shape) project(p Point) (x, y float64, ok bool) {
	sinLat, cosLat := math.Sincos(p.Lat * radians)
	sinLng, cosLng := math.Sincos((p.Lng - s.lng) * radians)
	up := s.sinLat*sinLat + s.cosLat*cosLat*cosLng
	return cosLat * sinLng / up, (s.cosLat*sinLat - s.sinLat*cosLat*cosLng) / up, up > 0
}

func (s *shape) contains(p Point) bool {
	if s.n == 0 {
		return false
	}
	x, y, ok := s.project(p)
	if !ok {
		return false
	}
	for _, e := range s.edges[:s.n] {
		if float32(x)*e.x+float32(y)*e.y >= e.d {
			return false
		}
	}
	return true
}
