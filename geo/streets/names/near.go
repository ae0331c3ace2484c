package names

import (
	"math"
	"slices"

	"github.com/hexhail/hexhail/geo"
)

// HouseAt returns the address nearest to a point, within withinM metres of it.
func (x *Index) HouseAt(p geo.Point, withinM float64, lang string) (Hit, bool) {
	h, ok := x.houses.nearest(p, withinM)
	if !ok {
		return Hit{}, false
	}
	return Hit{
		Kind: Address, Street: x.called(h.doc, lang), Number: x.houses.numbers[h.number], At: h.at(), District: x.district(h.at(), lang),
	}, true
}

// StreetAt names a street by its number at a point of it, with the crossing nearest to the point: Cross is
// "" if the street crosses none within withinM metres. away is how far the crossing is, in metres.
func (x *Index) StreetAt(street int32, p geo.Point, withinM float64, lang string) (h Hit, away float64) {
	name := x.called(street, lang)
	h = Hit{Kind: Street, Name: name, Street: name, At: p, District: x.district(p, lang)}
	f := flatAt(p)
	best, least := int32(-1), withinM
	own := x.core(street)
	for _, v := range x.meet.of(street) {
		if m := f.toM(geo.FromE7(v.lat, v.lng)); m < least && !goesOn(own, x.core(v.with)) {
			best, least = v.with, m
		}
	}
	if best < 0 {
		return h, math.Inf(1)
	}
	h.Cross = x.called(best, lang)
	nearest := slices.MinFunc(middles(x.meet.between(street, best)), func(a, b geo.Point) int {
		if f.toM(a) < f.toM(b) {
			return -1
		}
		return 1
	})
	return h, min(least, f.toM(nearest))
}

// core returns the words of a street's name that tell which one it is.
func (x *Index) core(street int32) (out []string) {
	for _, t := range fold(x.in.Streets[street].Name) {
		if !isGeneric(t) {
			out = append(out, t.text)
		}
	}
	return out
}

// goesOn reports whether two streets are one that goes on under much the same name, as East 33rd Street
// does as West 33rd Street: that is no crossing to find one's way by.
func goesOn(a, b []string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return len(a) > 0 && !slices.ContainsFunc(a, func(w string) bool { return !slices.Contains(b, w) })
}

// Counts are the sizes of an index.
type Counts struct{ Names, Words, Crossings, Houses, Places int }

// Counts counts what the index holds. Crossings are pairs of streets that meet.
func (x *Index) Counts() Counts {
	c := Counts{Names: len(x.labels), Words: len(x.dict.words), Houses: len(x.houses.all), Places: len(x.in.Places)}
	for s := range x.in.Streets {
		last := int32(s) // each pair once
		for _, v := range x.meet.of(int32(s)) {
			if v.with > last {
				c.Crossings++
				last = v.with
			}
		}
	}
	return c
}
