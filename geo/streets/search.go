package streets

import (
	"context"
	"fmt"
	"sync"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets/names"
)

// How near to a point something must be to name it, in metres.
const (
	houseM    = 30
	streetM   = 150
	atCornerM = 25
	nearbyM   = 500
)

// finder is a map's index of names. It is made when it is first needed: a map that only routes does
// without.
type finder struct {
	once  sync.Once
	named *named
	index *names.Index
}

func (m *Map) finder() *finder {
	f := m.names
	f.once.Do(func() {
		f.named = namedStreets(m.graph)
		f.index = names.New(names.Input{
			Streets: f.named.list, Meetings: f.named.meets, Places: m.graph.places.named(), Houses: m.graph.places.houses(),
		})
	})
	return f
}

// PrepareSearch makes the index of names, which otherwise the first search does, in the calling goroutine.
// docs/streets.md says how long that takes.
func (m *Map) PrepareSearch() { m.finder() }

// Search finds streets, crossings, addresses and places by name. Any goroutine may call it. It takes a few
// milliseconds at most, once the index is made. The error wraps names.ErrTooLong or the context's, or geo's for a
// point that is not on the Earth.
func (m *Map) Search(ctx context.Context, q names.Query) (names.Answer, error) {
	return m.finder().index.Search(ctx, q) //nolint:wrapcheck // it says what it did
}

// Spot is what a place is called.
type Spot struct {
	names.Hit
	// Near is a street that crosses Street near the place, but not at it, where Hit is a street: "5th Avenue
	// near West 34th Street". It is "" if there is none within half a kilometre.
	Near  string
	AwayM float64 // from the place to Hit.At, in metres
}

// Reverse names a place in a language, or the local one: the address within 30 m, or else the crossing or
// the street within 150 m. ok is false if there is none. The error is geo's for a point that is not on the
// Earth.
func (m *Map) Reverse(p geo.Point, lang string) (s Spot, ok bool, err error) {
	if err := p.Validate(); err != nil {
		return Spot{}, false, fmt.Errorf("name a place: %w", err)
	}
	f := m.finder()
	if h, ok := f.index.HouseAt(p, houseM, lang); ok {
		return Spot{Hit: h, AwayM: geo.DistanceM(p, h.At)}, true, nil
	}
	at, segment, ok := m.nearestNamed(p)
	if !ok {
		return Spot{}, false, nil
	}
	h, away := f.index.StreetAt(f.named.of[segment], at, nearbyM, lang)
	s = Spot{Hit: h, AwayM: geo.DistanceM(p, at)}
	if away <= atCornerM {
		s.Kind, s.Name = names.Crossing, h.Street+" & "+h.Cross
	} else {
		s.Near, s.Cross = h.Cross, ""
	}
	return s, true, nil
}

// nearestNamed returns the nearest point of a street that has a name.
func (m *Map) nearestNamed(p geo.Point) (geo.Point, int32, bool) {
	h, ok := m.grid.nearestOf(p, streetM, func(s int32) bool { return m.nameOf(s) != "" })
	if !ok {
		return geo.Point{}, 0, false
	}
	a, b := m.graph.shape[h.piece.at].geo(), m.graph.shape[h.piece.at+1].geo()
	return geo.Point{Lat: a.Lat + h.t*(b.Lat-a.Lat), Lng: a.Lng + h.t*(b.Lng-a.Lng)}, h.piece.segment, true
}

// NameCounts returns the sizes of the index of names, which it makes if needed.
func (m *Map) NameCounts() names.Counts { return m.finder().index.Counts() }
