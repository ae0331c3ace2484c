package streets

import (
	"iter"
	"slices"

	"github.com/hexhail/hexhail/geo/streets/names"
	"github.com/hexhail/hexhail/geo/streets/pbf"
)

// The bounds of what can be found beside streets. What is beyond them is left out.
const (
	maxPlaces = 300_000
	maxHouses = 2_000_000
)

// place is something with a name that people go to.
type place struct {
	kind names.Kind
	at   point
	name string
	also []names.Alias
}

// address is a number in a street.
type address struct {
	at             point
	number, street int32 // in places.texts
}

// places are what can be found beside streets.
type places struct {
	list      []place
	texts     []string // of addresses
	addresses []address
}

// named are the places for an index of names.
func (p *places) named() []names.Place {
	out := make([]names.Place, len(p.list))
	for i, s := range p.list {
		out[i] = names.Place{Kind: s.kind, Name: s.name, Aliases: s.also, At: s.at.geo()}
	}
	return out
}

// houses iterates over the addresses.
func (p *places) houses() iter.Seq[names.House] {
	if len(p.addresses) == 0 {
		return nil
	}
	return func(yield func(names.House) bool) {
		for _, a := range p.addresses {
			if !yield(names.House{Number: p.texts[a.number], Street: p.texts[a.street], At: a.at.geo()}) {
				return
			}
		}
	}
}

// sort says that some values of a key are places of a kind.
type sort struct {
	key  string
	kind names.Kind
	of   []string
}

// sorts says which values of which keys are places: those that people ask a driver for. Shops, cafés and
// offices are many, change often and have addresses.
var sorts = []sort{
	{"place", names.Town, []string{"city", "town", "village"}},
	{"place", names.District, []string{"borough", "suburb", "quarter", "neighbourhood", "hamlet", "island"}},
	{"place", names.Sight, []string{"square"}},
	{"railway", names.Station, []string{"station", "halt"}},
	{"public_transport", names.Station, []string{"station"}},
	{"amenity", names.Station, []string{"bus_station", "ferry_terminal"}},
	{"aeroway", names.Airport, []string{"aerodrome", "terminal", "heliport"}},
	{"amenity", names.Hospital, []string{"hospital"}},
	{"amenity", names.University, []string{"university", "college"}},
	{"tourism", names.Hotel, []string{"hotel", "hostel", "motel", "guest_house"}},
	{"tourism", names.Sight, []string{"attraction", "museum", "gallery", "zoo", "aquarium", "theme_park", "viewpoint"}},
	{"historic", names.Sight, []string{"monument", "castle", "palace", "fort"}},
	{"leisure", names.Park, []string{"park", "nature_reserve", "golf_course"}},
	{"leisure", names.Venue, []string{"stadium"}},
	{"amenity", names.Venue, []string{"theatre", "cinema", "arts_centre", "conference_centre", "exhibition_centre", "events_venue", "casino"}},
	{"amenity", names.Office, []string{"townhall", "courthouse", "embassy", "library"}},
	{"office", names.Office, []string{"diplomatic"}},
	{"amenity", names.Mall, []string{"marketplace"}},
	{"shop", names.Mall, []string{"mall", "department_store"}},
}

// kindOf says what kind of place tags describe.
func kindOf(tags pbf.Tags) (names.Kind, bool) {
	for _, s := range sorts {
		if v := tags.Get(s.key); v != "" && slices.Contains(s.of, v) {
			return s.kind, true
		}
	}
	return 0, false
}

// addressOf returns an address: the street, or where houses have none the place that they are numbered in.
func addressOf(tags pbf.Tags) (number, street string, ok bool) {
	number, street = clean(tags.Get("addr:housenumber")), clean(tags.Get("addr:street"))
	if street == "" {
		street = clean(tags.Get("addr:place"))
	}
	return number, street, number != "" && street != ""
}
