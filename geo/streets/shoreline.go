package streets

import (
	"fmt"
	"io"

	"github.com/hexhail/hexhail/geo"
)

// Shoreline is the land of a map that an extract does not have, as polygons. It is immutable.
type Shoreline struct {
	Box      Box // where land and water are known
	polygons [][][]point
}

// ReadShoreline reads GeoJSON as ReadArea does: polygons of land. What lies in the file's bbox, or in the box
// around its polygons if it has none, and in no polygon, is water. The error wraps ErrArea, or is the
// reader's.
func ReadShoreline(r io.Reader) (*Shoreline, error) {
	g, err := readGeoJSON(r)
	if err != nil {
		return nil, err
	}
	polygons, err := g.polygons(nil)
	if err != nil {
		return nil, err
	}
	s := &Shoreline{Box: emptyBox}
	for _, p := range polygons {
		var rings [][]point
		for _, ring := range p {
			pts, err := pointsOf(ring)
			if err != nil {
				return nil, err
			}
			for _, q := range pts {
				s.Box.add(q.lat, q.lng)
			}
			rings = append(rings, pts)
		}
		s.polygons = append(s.polygons, rings)
	}
	if b := g.BBox; len(b) == 4 {
		a, err := BoxArea(geo.Point{Lat: b[1], Lng: b[0]}, geo.Point{Lat: b[3], Lng: b[2]})
		if err != nil {
			return nil, err
		}
		s.Box = a.Box
	}
	if s.Box.South >= s.Box.North || s.Box.West >= s.Box.East {
		return nil, fmt.Errorf("%w: it has no polygon", ErrArea)
	}
	return s, nil
}

// pointsOf reads a ring, without its first point at the end.
func pointsOf(ring [][]float64) ([]point, error) {
	pts := make([]point, 0, len(ring))
	for _, p := range ring {
		if !onEarth(p) {
			return nil, errOutOfRange
		}
		lat, lng := geo.Point{Lat: p[1], Lng: p[0]}.E7()
		pts = append(pts, point{lat, lng})
	}
	if n := len(pts); n > 1 && pts[0] == pts[n-1] {
		pts = pts[:n-1]
	}
	return pts, nil
}
