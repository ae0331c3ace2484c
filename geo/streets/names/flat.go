package names

import (
	"math"

	"github.com/hexhail/hexhail/geo"
)

// flat measures distances around a point as if the Earth were flat there: names are ranked by it.
type flat struct {
	at     geo.Point
	perLng float64
}

const perLatM = 111_195.0 // metres in a degree of latitude

func flatAt(p geo.Point) flat {
	return flat{at: p, perLng: perLatM * math.Cos(p.Lat*math.Pi/180)}
}

func (f flat) toM(p geo.Point) float64 {
	return math.Hypot((p.Lat-f.at.Lat)*perLatM, (p.Lng-f.at.Lng)*f.perLng)
}

// cell is a square of a grid over the Earth.
type cell struct{ y, x int32 }

// cellOf is the cell of a point, for cells of so many degrees.
func cellOf(p geo.Point, deg float64) cell {
	return cell{int32(math.Floor(p.Lat / deg)), int32(math.Floor(p.Lng / deg))}
}

// compare orders cells by row and column.
func (c cell) compare(d cell) int {
	if c.y != d.y {
		return int(c.y) - int(d.y)
	}
	return int(c.x) - int(d.x)
}
