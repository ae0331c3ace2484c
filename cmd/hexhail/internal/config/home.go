package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

const defaultHomeZoom = 12

// Home is a view of a map, written LAT,LNG or LAT,LNG,ZOOM: degrees, and a zoom of web
// maps from 1 to 18. The zero value means that no view is set.
type Home struct {
	Lat, Lng, Zoom float64
}

// IsZero reports whether no view is set.
func (h Home) IsZero() bool { return h == Home{} }

// UnmarshalText reads a view; an empty text is none.
func (h *Home) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*h = Home{}
		return nil
	}
	bad := fmt.Errorf("must be latitude, longitude and optionally a zoom from 1 to 18, such as 37.5665,126.9780,12, not %q", text)
	parts := strings.Split(string(text), ",")
	if len(parts) != 2 && len(parts) != 3 {
		return bad
	}
	v := [3]float64{2: defaultHomeZoom}
	for i, part := range parts {
		n, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return bad
		}
		v[i] = n
	}
	if math.Abs(v[0]) > 85 || math.Abs(v[1]) > 180 || v[2] < 1 || v[2] > 18 {
		return bad
	}
	*h = Home{Lat: v[0], Lng: v[1], Zoom: v[2]}
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (h Home) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

func (h Home) String() string {
	if h.IsZero() {
		return ""
	}
	return fmt.Sprintf("%v,%v,%v", h.Lat, h.Lng, h.Zoom)
}
