package names

import (
	"iter"
	"slices"
	"sort"
	"strings"

	"github.com/hexhail/hexhail/geo"
)

const (
	// astrayM is how far from its street a house may lie, in metres. Beyond, its street is another of that
	// name, which cars do not use.
	astrayM = 1_000
	// houseCell is the side of the cells by which houses are found, in degrees: about 45 m.
	houseCell = 0.0004
	// sameHouseM is how far apart two houses of one address may be, in metres, to count as one.
	sameHouseM = 150
)

// house is an address.
type house struct {
	doc      int32 // its street
	number   int32 // in numbers
	lat, lng int32 // 1e-7 degrees
}

func (h house) at() geo.Point { return geo.FromE7(h.lat, h.lng) }

// houses are the addresses of an index.
type houses struct {
	all     []house  // by street and number
	numbers []string // as they are written, by keys
	keys    []string // folded
	places  []int32  // houses by cell
}

// addHouses adds the addresses, and the streets that only they have.
func (b *builder) addHouses(list iter.Seq[House]) {
	x := b.x
	byKey := map[string][]int32{}
	for i, s := range x.in.Streets {
		for _, text := range append([]string{s.Name}, textsOf(s.Aliases)...) {
			key := fullKey(text)
			if !slices.Contains(byKey[key], int32(i)) {
				byKey[key] = append(byKey[key], int32(i))
			}
		}
	}
	keys, hidden, number := map[string]string{}, map[string]int32{}, map[string]int32{}
	for h := range list {
		key, ok := keys[h.Street]
		if !ok {
			key = fullKey(h.Street)
			keys[h.Street] = key
		}
		doc, ok := x.streetAt(byKey[key], h.At)
		if !ok {
			if doc, ok = hidden[key]; !ok {
				doc = int32(len(x.in.Streets) + len(x.in.Places) + len(x.hidden))
				hidden[key] = doc
				x.hidden = append(x.hidden, StreetName{Name: h.Street, Middle: h.At})
				b.add(doc, h.Street, nil)
			}
		}
		n, ok := number[h.Number]
		if !ok {
			n = int32(len(number))
			number[h.Number] = n
		}
		lat, lng := h.At.E7()
		x.houses.all = append(x.houses.all, house{doc, n, lat, lng})
	}
	x.houses.finish(number)
}

func textsOf(aliases []Alias) (out []string) {
	for _, a := range aliases {
		out = append(out, a.Text)
	}
	return out
}

// fullKey is equal for names that are the same when nothing is abbreviated.
func fullKey(name string) string {
	words := fold(name)
	for i, t := range words {
		if len(t.forms) > 0 {
			words[i].text = t.forms[0]
		}
	}
	return keyOf(words)
}

// streetAt returns the nearest of some streets, if it is not too far away.
func (x *Index) streetAt(streets []int32, at geo.Point) (int32, bool) {
	best, least := int32(-1), float64(astrayM)
	for _, s := range streets {
		if m := x.farM(s, flatAt(at)); m < least {
			best, least = s, m
		}
	}
	return best, best >= 0
}

// finish sorts the houses and makes their indexes.
func (hs *houses) finish(number map[string]int32) {
	hs.numbers = make([]string, len(number))
	for text := range number {
		hs.numbers[number[text]] = text
	}
	order := make([]int32, len(number))
	keys := make([]string, len(number))
	for i, text := range hs.numbers {
		order[i], keys[i] = int32(i), keyOf(fold(text))
	}
	slices.SortFunc(order, func(a, b int32) int {
		if c := strings.Compare(keys[a], keys[b]); c != 0 {
			return c
		}
		return strings.Compare(hs.numbers[a], hs.numbers[b])
	})
	rank, texts := make([]int32, len(order)), make([]string, len(order))
	hs.keys = make([]string, len(order))
	for r, i := range order {
		rank[i], texts[r], hs.keys[r] = int32(r), hs.numbers[i], keys[i]
	}
	hs.numbers = texts
	for i := range hs.all {
		hs.all[i].number = rank[hs.all[i].number]
	}
	slices.SortStableFunc(hs.all, func(a, b house) int {
		if a.doc != b.doc {
			return int(a.doc - b.doc)
		}
		return int(a.number - b.number)
	})
	hs.all = slices.Clip(hs.all)
	hs.places = make([]int32, len(hs.all))
	for i := range hs.places {
		hs.places[i] = int32(i)
	}
	slices.SortStableFunc(hs.places, func(a, b int32) int { return hs.cell(a).compare(hs.cell(b)) })
}

func (hs *houses) cell(i int32) cell { return cellOf(hs.all[i].at(), houseCell) }

// numbered returns the houses of a street with a folded number; those that lie together once.
func (hs *houses) numbered(doc int32, key string) (out []house) {
	lo := int32(sort.SearchStrings(hs.keys, key))
	i := sort.Search(len(hs.all), func(i int) bool {
		h := hs.all[i]
		return h.doc > doc || h.doc == doc && h.number >= lo
	})
	for ; i < len(hs.all) && hs.all[i].doc == doc && hs.keys[hs.all[i].number] == key; i++ {
		f := flatAt(hs.all[i].at())
		if !slices.ContainsFunc(out, func(h house) bool { return f.toM(h.at()) <= sameHouseM }) {
			out = append(out, hs.all[i])
		}
	}
	return out
}

// nearest returns the house nearest to a point within some metres, at most 30.
func (hs *houses) nearest(p geo.Point, withinM float64) (house, bool) {
	f, c := flatAt(p), cellOf(p, houseCell)
	best, least := int32(-1), withinM
	reach := int32(1)
	for reach < 8 && float64(reach)*houseCell*f.perLng < withinM { // cells are narrow far from the equator
		reach++
	}
	for y := c.y - 1; y <= c.y+1; y++ {
		from, to := cell{y, c.x - reach}, cell{y, c.x + reach}
		i := sort.Search(len(hs.places), func(i int) bool { return hs.cell(hs.places[i]).compare(from) >= 0 })
		for ; i < len(hs.places) && hs.cell(hs.places[i]).compare(to) <= 0; i++ {
			if m := f.toM(hs.all[hs.places[i]].at()); m <= least {
				best, least = hs.places[i], m
			}
		}
	}
	if best < 0 {
		return house{}, false
	}
	return hs.all[best], true
}
