// Package geo is geography without rides: points, H3 cells, distances and sources of travel times.
// It is the only package that calls h3-go.
package geo

import (
	"errors"
	"fmt"
	"math"
)

// ErrInvalidPoint means that coordinates are not a place on Earth.
var ErrInvalidPoint = errors.New("invalid point")

// Point is a WGS84 position in degrees: latitude -90 to 90, longitude -180 to 180. It is a value.
// Validate refuses the zero Point, because 0,0 usually means that a position is missing.
type Point struct {
	Lat float64 `json:"lat"`
	Lng float64 `json:"lng"`
}

// e7 is the scale of the protocol's integers: 1e-7 degrees, about 11 mm.
const e7 = 1e7

// FromE7 converts the protocol's scaled integers to a Point. It does not validate.
func FromE7(lat, lng int32) Point {
	return Point{Lat: float64(lat) / e7, Lng: float64(lng) / e7}
}

// E7 returns the protocol's scaled integers, rounded to the nearest. The point
// must be valid.
func (p Point) E7() (lat, lng int32) {
	return int32(math.Round(p.Lat * e7)), int32(math.Round(p.Lng * e7))
}

// IsZero reports whether both coordinates are 0.
func (p Point) IsZero() bool { return p == Point{} }

// Validate returns an error wrapping ErrInvalidPoint for NaN, infinities, values
// out of range and 0,0. H3 must never see an unvalidated point: it maps latitude
// 91 to a cell without complaint.
func (p Point) Validate() error {
	switch {
	case math.IsNaN(p.Lat) || math.IsInf(p.Lat, 0) || math.Abs(p.Lat) > 90:
		return fmt.Errorf("%w: latitude must be a number from -90 to 90", ErrInvalidPoint)
	case math.IsNaN(p.Lng) || math.IsInf(p.Lng, 0) || math.Abs(p.Lng) > 180:
		return fmt.Errorf("%w: longitude must be a number from -180 to 180", ErrInvalidPoint)
	case p.IsZero():
		return fmt.Errorf("%w: 0,0 is what a missing position looks like", ErrInvalidPoint)
	}
	return nil
}
