package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/names"
	"github.com/hexhail/hexhail/ride"
)

// ownGeocoder is where clients find places by this server's own map. It answers as a Photon server does
// (https://github.com/komoot/photon), so that clients ask either in the same way.
const (
	ownGeocoder = "/v1/search"
	ownReverse  = "/v1/reverse"
)

// DemoPlace is a point of a demonstration's city that people know by a name.
type DemoPlace struct {
	Name string
	At   geo.Point
}

// foundPlaces is a GeoJSON collection of points, as Photon answers.
type foundPlaces struct {
	Type        string       `json:"type" enum:"FeatureCollection"`
	Features    []foundPlace `json:"features" doc:"The best first."`
	Apart       []string     `json:"apart,omitempty" minItems:"2" maxItems:"2" doc:"Two streets that the query names and that do not cross; features begins with both, whatever the limit."`
	Attribution string       `json:"attribution,omitempty" doc:"The credit to show with names of the map. Absent: none is from it."`
	CreditURL   string       `json:"attribution_url,omitempty" doc:"Where it leads."`
}

type foundPlace struct {
	Type       string          `json:"type" enum:"Feature"`
	Geometry   foundPoint      `json:"geometry"`
	Properties foundProperties `json:"properties"`
}

type foundPoint struct {
	Type        string    `json:"type" enum:"Point"`
	Coordinates []float64 `json:"coordinates" minItems:"2" maxItems:"2" doc:"Longitude and latitude in degrees."`
}

type foundProperties struct {
	Kind        string `json:"kind" enum:"street,crossing,address,town,district,station,airport,hospital,university,hotel,sight,park,venue,office,mall,place" doc:"place: a well-known place of a demonstration."`
	Name        string `json:"name,omitempty" doc:"Of a crossing, both streets with an ampersand between them. Absent for an address."`
	Also        string `json:"also,omitempty" doc:"Another name, by which it was found."`
	Street      string `json:"street,omitempty" doc:"Of an address or a crossing."`
	HouseNumber string `json:"housenumber,omitempty" doc:"Of an address."`
	Cross       string `json:"cross,omitempty" doc:"Of a crossing: the other street."`
	Near        string `json:"near,omitempty" doc:"When a point is named by its street: the nearest street that crosses it there."`
	District    string `json:"district,omitempty" doc:"The settlement or part of town nearby."`
	City        string `json:"city,omitempty" doc:"Of a demonstration."`
}

func (a *API) registerSearch() {
	missing := []*ride.Error{ride.ErrNotFound}
	register(a, operation{
		id: "search-places", method: http.MethodGet, path: ownGeocoder, tag: "Map", summary: "Find places by name",
		roles: anyone, doc: "Streets, crossings, addresses and places of the server's map, in the form of a Photon server's answers. " +
			"Without a map, not_found.", errors: missing,
	}, a.searchPlaces)
	register(a, operation{
		id: "name-place", method: http.MethodGet, path: ownReverse, tag: "Map", summary: "Name a point",
		roles: anyone, doc: "What the server's map calls a point: an address, a crossing or a street. No feature when it has no name. " +
			"Without a map, not_found.", errors: missing,
	}, a.namePlace)
}

// mapSources are the operator's; a server with a map is its own geocoder unless another one is configured.
func (a *API) mapSources() mapView {
	m := a.cfg.Map
	v := mapView{
		StyleURL: m.StyleURL, PMTilesURL: m.PMTilesURL, Attribution: m.Attribution, GeocoderURL: m.GeocoderURL,
		Streets: a.streetsView(),
	}
	if v.GeocoderURL == "" && a.named() {
		v.GeocoderURL = ownGeocoder
	}
	return v
}

// named reports whether the server knows names.
func (a *API) named() bool { return a.streets() != nil || a.deps.Demo != nil }

var noNames = ride.ErrNotFound.With("This server has no map to search in.")

// pointOf is the point of a query, or 0,0; a longitude has two names, the API's and Photon's. The bounds of the schema
// let pass what is not a number.
func pointOf(lat, lng, lon float64) (geo.Point, error) {
	p := geo.Point{Lat: lat, Lng: cmp.Or(lng, lon)}
	if !p.IsZero() && p.Validate() != nil {
		return p, errNoPoint
	}
	return p, nil
}

var errNoPoint = ride.ErrInvalidArgument.With("The latitude must be from -90 to 90 and the longitude from -180 to 180, and one of them not 0.")

// searching takes the place of one search, of which there are as many as can run at once; the caller gives it back
// by leave, once.
func (a *API) searching(ctx context.Context) (leave func(), err error) {
	select {
	case a.searches <- struct{}{}:
		return func() { <-a.searches }, nil
	case <-ctx.Done():
		return nil, errBusySearching
	}
}

var errBusySearching = ride.ErrUnavailable.With("Too many searches are under way; try again shortly.")

// languageOf is a map's language for a client's: that without its region, and none for what Photon calls
// the default.
func languageOf(lang string) string {
	base, _, _ := strings.Cut(lang, "-")
	if base == "default" {
		return ""
	}
	return strings.ToLower(base)
}

func (a *API) searchPlaces(ctx context.Context, in *struct {
	Words  string  `query:"q" required:"true" minLength:"1" maxLength:"120" doc:"What people type: a street, two that cross, an address, a place; the last word may be a beginning."`
	Lat    float64 `query:"lat" minimum:"-90" maximum:"90" default:"0" doc:"With lng, what to be near; both 0: nothing."`
	Lng    float64 `query:"lng" minimum:"-180" maximum:"180" default:"0"`
	Lon    float64 `query:"lon" minimum:"-180" maximum:"180" default:"0" doc:"What Photon calls lng."`
	Limit  int     `query:"limit" minimum:"1" maximum:"20" default:"6"`
	Lang   string  `query:"lang" maxLength:"20" doc:"The language of names, where the map has it; otherwise, and by default, the local one."`
	Format string  `query:"format" maxLength:"20" doc:"Accepted and ignored: clients of Nominatim send it."`
}) (*body[foundPlaces], error) {
	if !a.named() {
		return nil, noNames
	}
	at, err := pointOf(in.Lat, in.Lng, in.Lon)
	if err != nil {
		return nil, err
	}
	var near *geo.Point
	if !at.IsZero() {
		near = &at
	}
	var known []foundPlace
	if a.deps.Demo != nil {
		for _, p := range a.deps.Demo.Find(in.Words, near, in.Limit) {
			known = append(known, a.wellKnown(p))
		}
	}
	m := a.streets()
	if m == nil {
		return answer(foundPlaces{Type: "FeatureCollection", Features: orEmpty(known)}), nil
	}
	got, err := a.search(ctx, m, names.Query{Text: in.Words, Near: near, Limit: in.Limit, Lang: languageOf(in.Lang)})
	if err != nil {
		return nil, err
	}
	out := ofMap(m)
	for _, h := range got.Hits {
		out.Features = append(out.Features, foundOf(h, ""))
	}
	if got.Apart[0] != "" {
		out.Apart = got.Apart[:]
		out.Features = append(out.Features, known[:max(0, min(len(known), in.Limit-len(out.Features)))]...)
		return answer(out), nil
	}
	out.Features = merged(known, out.Features, in.Limit)
	return answer(out), nil
}

// search asks the map in its turn.
func (a *API) search(ctx context.Context, m *streets.Map, q names.Query) (names.Answer, error) {
	leave, err := a.searching(ctx)
	if err != nil {
		return names.Answer{}, err
	}
	defer leave()
	got, err := m.Search(ctx, q)
	switch {
	case errors.Is(err, names.ErrTooLong):
		return got, ride.ErrInvalidArgument.With("This cannot be searched for: %v.", err)
	case ctx.Err() != nil:
		return got, errBusySearching
	}
	return got, err //nolint:wrapcheck // it says what it did
}

// merged puts well-known places before what the map found, each name once; where there is not room for all, at
// most half are well-known places.
func merged(known, found []foundPlace, limit int) []foundPlace {
	room := max(limit-len(found), (limit+1)/2)
	first := min(len(known), room)
	out := slices.Clone(known[:first])
	for _, f := range append(slices.Clone(found), known[first:]...) {
		if len(out) == limit {
			break
		}
		if !slices.ContainsFunc(out, func(o foundPlace) bool {
			return o.Properties.Kind == "place" && strings.EqualFold(o.Properties.Name, f.Properties.Name)
		}) {
			out = append(out, f)
		}
	}
	return orEmpty(out)
}

// orEmpty makes a list that is never null in JSON.
func orEmpty(list []foundPlace) []foundPlace {
	if list == nil {
		return []foundPlace{}
	}
	return list
}

func (a *API) namePlace(ctx context.Context, in *struct {
	Lat    float64 `query:"lat" required:"true" minimum:"-90" maximum:"90"`
	Lng    float64 `query:"lng" minimum:"-180" maximum:"180" default:"0"`
	Lon    float64 `query:"lon" minimum:"-180" maximum:"180" default:"0" doc:"What Photon calls lng."`
	Lang   string  `query:"lang" maxLength:"20" doc:"As for a search."`
	Format string  `query:"format" maxLength:"20" doc:"Accepted and ignored: clients of Nominatim send it."`
}) (*body[foundPlaces], error) {
	if !a.named() {
		return nil, noNames
	}
	p, err := pointOf(in.Lat, in.Lng, in.Lon)
	if err != nil {
		return nil, err
	}
	if p.IsZero() {
		return nil, errNoPoint
	}
	if m := a.streets(); m != nil {
		spot, ok, err := a.reverse(ctx, m, p, languageOf(in.Lang))
		if err != nil {
			return nil, err
		}
		if ok {
			out := ofMap(m)
			out.Features = append(out.Features, foundOf(spot.Hit, spot.Near))
			return answer(out), nil
		}
	}
	out := foundPlaces{Type: "FeatureCollection", Features: []foundPlace{}}
	if a.deps.Demo != nil {
		if name := a.deps.Demo.NameOf(p); name != "" {
			out.Features = append(out.Features, a.wellKnown(DemoPlace{name, p}))
		}
	}
	return answer(out), nil
}

// reverse asks the map in its turn.
func (a *API) reverse(ctx context.Context, m *streets.Map, p geo.Point, lang string) (streets.Spot, bool, error) {
	leave, err := a.searching(ctx)
	if err != nil {
		return streets.Spot{}, false, err
	}
	defer leave()
	return m.Reverse(p, lang) //nolint:wrapcheck // it says what it did
}

// ofMap is an answer without features, with the map's credit.
func ofMap(m *streets.Map) foundPlaces {
	return foundPlaces{Type: "FeatureCollection", Features: []foundPlace{}, Attribution: m.Meta().Attribution, CreditURL: creditURL}
}

func foundOf(h names.Hit, near string) foundPlace {
	p := foundProperties{
		Kind: h.Kind.String(), Name: h.Name, Also: h.Also, HouseNumber: h.Number, Cross: h.Cross, Near: near, District: h.District,
	}
	if h.Kind != names.Street { // its name is the street
		p.Street = h.Street
	}
	return featureAt(h.At, p)
}

func (a *API) wellKnown(p DemoPlace) foundPlace {
	return featureAt(p.At, foundProperties{Kind: "place", Name: p.Name, City: a.deps.Demo.Describe().City.Name})
}

func featureAt(at geo.Point, p foundProperties) foundPlace {
	return foundPlace{Type: "Feature", Geometry: foundPoint{"Point", []float64{at.Lng, at.Lat}}, Properties: p}
}
