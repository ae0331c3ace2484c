package demand

import (
	"cmp"
	"io"
	"slices"
	"strings"

	"github.com/hexhail/hexhail/geo"
)

// Place is a point with a name.
type Place struct {
	Name string
	At   geo.Point
}

// Gazetteer names points and finds them by name. It is immutable, so any goroutine may use it. The
// zero value has no places.
type Gazetteer struct {
	places []Place
	words  [][]string // of each place's name, as match compares them
}

// How near a place must be to give a point its name, in metres: to be "at" the place, and to be
// "near" it.
const (
	atM   = 100
	nearM = 500
)

// ReadPlaces reads a gazetteer. Columns: name, lat, lng.
func ReadPlaces(r io.Reader) (Gazetteer, error) {
	t, err := NewTable(r)
	if err != nil {
		return Gazetteer{}, err
	}
	if err := t.Need("name", "lat", "lng"); err != nil {
		return Gazetteer{}, err
	}
	var g Gazetteer
	for {
		ok, err := t.Next()
		if err != nil || !ok {
			return g, err
		}
		at, err := t.Point("lat", "lng")
		if err != nil {
			return Gazetteer{}, err
		}
		name := t.Text("name")
		if name == "" || len(name) > maxAddress {
			return Gazetteer{}, t.Bad("name")
		}
		g.places = append(g.places, Place{name, at})
		g.words = append(g.words, words(name))
	}
}

// NameOf returns a point's name, such as "near Bryant Park"; empty if no place is within half a
// kilometre.
func (g Gazetteer) NameOf(p geo.Point) string {
	place, m, ok := g.Nearest(p)
	switch {
	case !ok || m > nearM:
		return ""
	case m > atM:
		return "near " + place.Name
	}
	return place.Name
}

// Nearest returns the place nearest to a point and its distance in metres; it reports false if the
// gazetteer is empty.
func (g Gazetteer) Nearest(p geo.Point) (Place, float64, bool) {
	if len(g.places) == 0 {
		return Place{}, 0, false
	}
	best, least := 0, geo.DistanceM(p, g.places[0].At)
	for i := range g.places {
		if m := geo.DistanceM(p, g.places[i].At); m < least {
			best, least = i, m
		}
	}
	return g.places[best], least, true
}

// Find returns at most limit places whose names have words that begin with each word asked for,
// nearest to a point first.
func (g Gazetteer) Find(asked string, near geo.Point, limit int) []Place {
	want := words(asked)
	if len(want) == 0 {
		return nil
	}
	var out []Place
	for i, place := range g.places {
		if matches(g.words[i], want) {
			out = append(out, place)
		}
	}
	slices.SortStableFunc(out, func(a, b Place) int {
		return cmp.Compare(geo.DistanceM(near, a.At), geo.DistanceM(near, b.At))
	})
	return out[:min(len(out), max(0, limit))]
}

func matches(name, want []string) bool {
	for _, w := range want {
		if !slices.ContainsFunc(name, func(n string) bool { return strings.HasPrefix(n, w) }) {
			return false
		}
	}
	return true
}

// dropped is punctuation inside words, so that "macys" finds Macy's.
var dropped = strings.NewReplacer("'", "", "’", "", ".", "")

func words(s string) []string {
	return strings.FieldsFunc(dropped.Replace(strings.ToLower(s)), func(r rune) bool {
		return strings.ContainsRune(" ,–-&/()\t", r)
	})
}

// Named fills in missing addresses of requests. It does not change the given slice.
func (g Gazetteer) Named(all []Request) []Request {
	out := slices.Clone(all)
	for i := range out {
		q := &out[i]
		q.PickupAddress = cmp.Or(q.PickupAddress, g.NameOf(q.Pickup))
		q.DropoffAddress = cmp.Or(q.DropoffAddress, g.NameOf(q.Dropoff))
	}
	return out
}
