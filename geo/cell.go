package geo

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/uber/h3-go/v4"
)

const (
	// MaxResolution is the finest H3 resolution (cells of about half a metre).
	MaxResolution = h3.MaxResolution
	// MaxDiskK is the largest k that Disk and Ring take: 12,481 cells.
	MaxDiskK = 64
)

var (
	// ErrInvalidCell means that a value is not an H3 cell.
	ErrInvalidCell = errors.New("invalid cell")
	// ErrOutOfRange means that a resolution or k is out of bounds.
	ErrOutOfRange = errors.New("out of range")
)

// Cell is one H3 cell: a hexagon, or one of the 12 pentagons of its resolution. It is a comparable
// value and can be a map key; the zero Cell is invalid. All methods are safe from any goroutine.
// Those without an error result return zero values for an invalid Cell; cells from CellAt,
// ParseCell and other cells are always valid.
type Cell uint64

// CellAt returns the cell of resolution res that holds p. The error wraps
// ErrInvalidPoint or ErrOutOfRange.
func CellAt(p Point, res int) (Cell, error) {
	if err := p.Validate(); err != nil {
		return 0, err
	}
	if err := checkResolution(res); err != nil {
		return 0, err
	}
	c, err := h3.LatLngToCell(h3.LatLng{Lat: p.Lat, Lng: p.Lng}, res)
	if err != nil {
		return 0, fmt.Errorf("cell at a valid point: %w", err)
	}
	return Cell(c), nil
}

// ParseCell parses String's form: 15 lower-case hexadecimal digits. It rejects other spellings of
// the same number, so that a cell has one name. The error wraps ErrInvalidCell.
func ParseCell(s string) (Cell, error) {
	n, err := strconv.ParseUint(s, 16, 64)
	if err != nil || !Cell(n).Valid() || Cell(n).String() != s {
		return 0, fmt.Errorf("%w: want 15 lower-case hexadecimal digits of an H3 cell", ErrInvalidCell)
	}
	return Cell(n), nil
}

// Valid reports whether c is an H3 cell.
func (c Cell) Valid() bool { return h3.Cell(c).IsValid() }

// String returns the cell's name, the form that all H3 tools use.
func (c Cell) String() string { return strconv.FormatUint(uint64(c), 16) }

// MarshalText writes the name, because a JSON number would lose digits.
func (c Cell) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText is ParseCell.
func (c *Cell) UnmarshalText(text []byte) error {
	parsed, err := ParseCell(string(text))
	if err != nil {
		return err
	}
	*c = parsed
	return nil
}

// Resolution returns 0 (continents) to 15. It reads bits and does not call C.
func (c Cell) Resolution() int { return int(c >> 52 & 0xf) }

// Pentagon reports whether c is one of the 12 cells with five neighbours.
func (c Cell) Pentagon() bool { return c.Valid() && h3.Cell(c).IsPentagon() }

// Center returns the centre of the cell.
func (c Cell) Center() Point {
	if !c.Valid() {
		return Point{}
	}
	ll, err := h3.Cell(c).LatLng()
	if err != nil {
		return Point{}
	}
	return Point{Lat: ll.Lat, Lng: ll.Lng}
}

// Boundary returns the corners of the cell, counter-clockwise, without repeating
// the first: 6, or 5 for a pentagon, and a few more where the cell crosses an edge of
// H3's icosahedron. The edges between them are great circles; longitudes may change
// sign from one corner to the next at the antimeridian.
func (c Cell) Boundary() []Point {
	if !c.Valid() {
		return nil
	}
	b, err := h3.Cell(c).Boundary()
	if err != nil {
		return nil
	}
	out := make([]Point, len(b))
	for i, ll := range b {
		out[i] = Point{Lat: ll.Lat, Lng: ll.Lng}
	}
	return out
}

// RingM returns how far one more ring of cells of resolution res reaches, in metres: the
// mean distance between the centres of neighbours. It returns 0 for an invalid resolution.
func RingM(res int) float64 {
	edge, err := h3.HexagonEdgeLengthAvgM(res)
	if err != nil {
		return 0
	}
	return edge * math.Sqrt(3)
}

// RadiusM returns the distance in metres from the centre of this particular cell to its farthest
// corner: every point of the cell lies within it.
func (c Cell) RadiusM() float64 {
	center, r := c.Center(), 0.0
	for _, p := range c.Boundary() {
		r = math.Max(r, DistanceM(center, p))
	}
	return r
}

// Parent returns the cell of the coarser resolution res that c belongs to; for c's
// own resolution it is c. The error wraps ErrInvalidCell or ErrOutOfRange.
func (c Cell) Parent(res int) (Cell, error) {
	if !c.Valid() {
		return 0, ErrInvalidCell
	}
	if res < 0 || res > c.Resolution() {
		return 0, fmt.Errorf("%w: parent of resolution %d of a cell of resolution %d", ErrOutOfRange, res, c.Resolution())
	}
	p, err := h3.Cell(c).Parent(res)
	if err != nil {
		return 0, fmt.Errorf("parent of a valid cell: %w", err)
	}
	return Cell(p), nil
}

// Neighbor reports whether c and other share an edge. A cell is not its own
// neighbour, and cells of different resolutions never are.
func (c Cell) Neighbor(other Cell) bool {
	if c == other || c.Resolution() != other.Resolution() || !c.Valid() || !other.Valid() {
		return false
	}
	ok, err := h3.Cell(c).IsNeighbor(h3.Cell(other))
	return err == nil && ok
}

// Disk returns the cells at most k steps from c, c included: the filled grid disk, nearest ring
// first and each ring by cell id, so that equal calls give equal slices. Around a pentagon it is
// smaller than 3k(k+1)+1, but without holes. The caller owns the slice. The error wraps
// ErrInvalidCell or ErrOutOfRange.
func (c Cell) Disk(k int) ([]Cell, error) {
	rings, err := c.rings(k)
	if err != nil {
		return nil, err
	}
	out := make([]Cell, 0, 3*k*(k+1)+1)
	for _, ring := range rings {
		out = appendRing(out, ring)
	}
	return out, nil
}

// Ring returns the cells exactly k steps from c by cell id: the grid ring. The disk
// of k is the rings 0 to k. The caller owns the slice. Errors as for Disk.
func (c Cell) Ring(k int) ([]Cell, error) {
	rings, err := c.rings(k)
	if err != nil {
		return nil, err
	}
	return appendRing(make([]Cell, 0, len(rings[k])), rings[k]), nil
}

// rings computes the whole disk even if only one ring is needed: H3's walk along a single ring has
// had bugs near pentagons, and Ring must agree with Disk.
func (c Cell) rings(k int) ([][]h3.Cell, error) {
	if !c.Valid() {
		return nil, ErrInvalidCell
	}
	if k < 0 || k > MaxDiskK {
		return nil, fmt.Errorf("%w: k must be from 0 to %d", ErrOutOfRange, MaxDiskK)
	}
	rings, err := h3.Cell(c).GridDiskDistances(k)
	if err != nil {
		return nil, fmt.Errorf("disk of a valid cell: %w", err)
	}
	return rings, nil
}

// appendRing drops the zeros that H3 leaves around a pentagon.
func appendRing(out []Cell, ring []h3.Cell) []Cell {
	from := len(out)
	for _, c := range ring {
		if c != 0 {
			out = append(out, Cell(c))
		}
	}
	slices.Sort(out[from:])
	return out
}

func checkResolution(res int) error {
	if res < 0 || res > MaxResolution {
		return fmt.Errorf("%w: resolution must be from 0 to %d", ErrOutOfRange, MaxResolution)
	}
	return nil
}
