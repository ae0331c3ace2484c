package streets

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/hexhail/hexhail/geo"
)

// ErrArea means that an area cannot be read.
var ErrArea = errors.New("the area cannot be used")

// Area is what to cut out of an extract: a box, or polygons. It is immutable.
type Area struct {
	Box   Box
	bands [][]side // by latitude; nil: the whole box
}

// Box is a rectangle of WGS84 coordinates, in 1e-7 degrees, borders included. It does not cross the
// antimeridian.
type Box struct{ South, West, North, East int32 }

// Degrees returns the box's borders in degrees.
func (b Box) Degrees() (south, west, north, east float64) {
	return float64(b.South) / 1e7, float64(b.West) / 1e7, float64(b.North) / 1e7, float64(b.East) / 1e7
}

// side is a side of a polygon, its lower end first.
type side struct{ y0, x0, y1, x1 int32 }

// bands divide an area, so that a point is compared with few sides.
const bands = 1024

// BoxArea returns the area of a box. The error wraps ErrArea.
func BoxArea(southWest, northEast geo.Point) (*Area, error) {
	if southWest.Validate() != nil || northEast.Validate() != nil {
		return nil, fmt.Errorf("%w: a corner is out of range", ErrArea)
	}
	var b Box
	b.South, b.West = southWest.E7()
	b.North, b.East = northEast.E7()
	if b.South >= b.North || b.West >= b.East {
		return nil, fmt.Errorf("%w: its north must be above its south and its east beyond its west", ErrArea)
	}
	return &Area{Box: b}, nil
}

// maxAreaBytes bounds the GeoJSON of an area.
const maxAreaBytes = 32 << 20

// geoJSON is what an area may consist of.
type geoJSON struct {
	Type        string          `json:"type"`
	Features    []geoJSON       `json:"features"`
	Geometries  []geoJSON       `json:"geometries"`
	Geometry    *geoJSON        `json:"geometry"`
	Coordinates json.RawMessage `json:"coordinates"`
	BBox        []float64       `json:"bbox"`
}

// ReadArea reads GeoJSON: a Polygon or MultiPolygon, a Feature with one, or a collection of
// them. What lies within an odd number of rings is inside, so holes are holes. The error wraps
// ErrArea, or is the reader's.
func ReadArea(r io.Reader) (*Area, error) {
	g, err := readGeoJSON(r)
	if err != nil {
		return nil, err
	}
	polygons, err := g.polygons(nil)
	if err != nil {
		return nil, err
	}
	return areaOf(slices.Concat(polygons...))
}

func readGeoJSON(r io.Reader) (*geoJSON, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxAreaBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the area: %w", err)
	}
	if len(b) > maxAreaBytes {
		return nil, fmt.Errorf("%w: it is larger than %d MiB", ErrArea, maxAreaBytes>>20)
	}
	var g geoJSON
	if err := json.Unmarshal(b, &g); err != nil {
		return nil, fmt.Errorf("%w: it is not GeoJSON", ErrArea)
	}
	return &g, nil
}

// polygons appends the polygons, each a list of rings.
func (g *geoJSON) polygons(out [][][][]float64) ([][][][]float64, error) {
	var err error
	switch g.Type {
	case "FeatureCollection", "GeometryCollection":
		for _, part := range slices.Concat(g.Features, g.Geometries) {
			if out, err = part.polygons(out); err != nil {
				return nil, err
			}
		}
		return out, nil
	case "Feature":
		if g.Geometry == nil {
			return out, nil
		}
		return g.Geometry.polygons(out)
	case "Polygon":
		var p [][][]float64
		if json.Unmarshal(g.Coordinates, &p) != nil {
			return nil, fmt.Errorf("%w: a polygon has no coordinates", ErrArea)
		}
		return append(out, p), nil
	case "MultiPolygon":
		var p [][][][]float64
		if json.Unmarshal(g.Coordinates, &p) != nil {
			return nil, fmt.Errorf("%w: a polygon has no coordinates", ErrArea)
		}
		return append(out, p...), nil
	}
	return nil, fmt.Errorf("%w: it must consist of polygons", ErrArea)
}

var errOutOfRange = fmt.Errorf("%w: its coordinates are out of range", ErrArea)

// onEarth reports whether a position of GeoJSON is one.
func onEarth(p []float64) bool { return len(p) >= 2 && math.Abs(p[0]) <= 180 && math.Abs(p[1]) <= 90 }

func areaOf(rings [][][]float64) (*Area, error) {
	a := &Area{Box: emptyBox, bands: make([][]side, bands)}
	var sides []side
	for _, ring := range rings {
		for i, p := range ring {
			if !onEarth(p) {
				return nil, errOutOfRange
			}
			lat, lng := geo.Point{Lat: p[1], Lng: p[0]}.E7()
			a.Box.add(lat, lng)
			if q := ring[(i+1)%len(ring)]; len(q) >= 2 {
				lat2, lng2 := geo.Point{Lat: q[1], Lng: q[0]}.E7()
				if lat > lat2 {
					lat, lng, lat2, lng2 = lat2, lng2, lat, lng
				}
				sides = append(sides, side{lat, lng, lat2, lng2})
			}
		}
	}
	if !a.Box.valid() {
		return nil, fmt.Errorf("%w: it has no polygon", ErrArea)
	}
	for _, s := range sides {
		for i := a.band(s.y0); i <= a.band(s.y1); i++ {
			a.bands[i] = append(a.bands[i], s)
		}
	}
	return a, nil
}

func (a *Area) band(lat int32) int {
	return int((int64(lat) - int64(a.Box.South)) * (bands - 1) / (int64(a.Box.North) - int64(a.Box.South)))
}

// Contains reports whether a point, in 1e-7 degrees, lies inside.
func (a *Area) Contains(lat, lng int32) bool {
	if !a.Box.contains(lat, lng) {
		return false
	}
	if a.bands == nil {
		return true
	}
	inside := false
	for _, s := range a.bands[a.band(lat)] {
		if s.y0 > lat || s.y1 <= lat {
			continue
		}
		x := float64(s.x0) + (float64(s.x1)-float64(s.x0))*(float64(lat)-float64(s.y0))/(float64(s.y1)-float64(s.y0))
		if float64(lng) < x {
			inside = !inside
		}
	}
	return inside
}

// emptyBox contains nothing.
var emptyBox = Box{South: math.MaxInt32, West: math.MaxInt32, North: math.MinInt32, East: math.MinInt32}

func (b *Box) contains(lat, lng int32) bool {
	return lat >= b.South && lat <= b.North && lng >= b.West && lng <= b.East
}

func (b *Box) add(lat, lng int32) {
	b.South, b.North = min(b.South, lat), max(b.North, lat)
	b.West, b.East = min(b.West, lng), max(b.East, lng)
}

// valid reports whether a box has an inside, on the Earth.
func (b *Box) valid() bool {
	return b.South >= -90e7 && b.North <= 90e7 && b.West >= -180e7 && b.East <= 180e7 && b.South < b.North && b.West < b.East
}
