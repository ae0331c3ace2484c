package names

import "github.com/hexhail/hexhail/geo"

// A name gets the settlement that it is in, as far as the nearest one says so: extracts seldom have
// usable borders.
const (
	districtM = 2_000
	townM     = 10_000
	townCell  = 0.1 // degrees
)

// towns finds the settlement of a point.
type towns struct{ cells map[cell][]int32 } // of places

func newTowns(places []Place) towns {
	t := towns{cells: map[cell][]int32{}}
	for i := range places {
		if places[i].Kind == Town || places[i].Kind == District {
			c := cellOf(places[i].At, townCell)
			t.cells[c] = append(t.cells[c], int32(i))
		}
	}
	return t
}

// district returns the name of the part of town or the settlement that a point is in, "" if none is near.
func (x *Index) district(p geo.Point, lang string) string {
	if len(x.towns.cells) == 0 {
		return ""
	}
	f := flatAt(p)
	best, least := int32(-1), 1.0
	c := cellOf(p, townCell)
	for y := c.y - 1; y <= c.y+1; y++ {
		for lng := c.x - 1; lng <= c.x+1; lng++ {
			for _, i := range x.towns.cells[cell{y, lng}] {
				within := float64(townM)
				if x.in.Places[i].Kind == District {
					within = districtM
				}
				if d := f.toM(x.in.Places[i].At) / within; d < least {
					best, least = i, d
				}
			}
		}
	}
	if best < 0 {
		return ""
	}
	return x.called(int32(len(x.in.Streets))+best, lang)
}
