package api

import (
	"context"
	"net/http"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// demoGeocoder is where a demonstration finds places; it answers as a Photon server does
// (https://github.com/komoot/photon), so that apps need to know nothing of it.
const demoGeocoder = "/v1/demo/geocoder/api"

// DemoPlace is a point of a demonstration's city that people know by a name.
type DemoPlace struct {
	Name string
	At   geo.Point
}

// foundPlaces is a GeoJSON collection of points.
type foundPlaces struct {
	Type     string       `json:"type" enum:"FeatureCollection"`
	Features []foundPlace `json:"features"`
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
	Name string `json:"name"`
	City string `json:"city"`
}

func (a *API) registerDemoSearch() {
	missing := []*ride.Error{ride.ErrNotFound}
	register(a, operation{
		id: "search-demo-places", method: http.MethodGet, path: demoGeocoder, tag: "Demonstration", summary: "Find places by name",
		roles: anyone, doc: "A small gazetteer of the simulated city that answers as a Photon server does.", errors: missing,
	}, a.searchPlaces)
	register(a, operation{
		id: "name-demo-place", method: http.MethodGet, path: "/v1/demo/geocoder/reverse", tag: "Demonstration", summary: "Name a point",
		roles: anyone, doc: "The name of a point, as a Photon server gives it; no feature when it has no name.", errors: missing,
	}, a.namePlace)
}

// mapSources are the operator's; a demonstration without a geocoder is its own.
func (a *API) mapSources() mapView {
	m := a.cfg.Map
	v := mapView{
		StyleURL: m.StyleURL, PMTilesURL: m.PMTilesURL, Attribution: m.Attribution, GeocoderURL: m.GeocoderURL,
		Streets: a.streetsView(),
	}
	if a.deps.Demo != nil && v.GeocoderURL == "" {
		v.GeocoderURL = demoGeocoder
	}
	return v
}

func (a *API) searchPlaces(_ context.Context, in *struct {
	Words string  `query:"q" required:"true" minLength:"1" maxLength:"200" doc:"Beginnings of words of the name."`
	Lat   float64 `query:"lat" minimum:"-90" maximum:"90" default:"0" doc:"With lon, what to be near; both 0: the middle of the city."`
	Lon   float64 `query:"lon" minimum:"-180" maximum:"180" default:"0"`
	Limit int     `query:"limit" minimum:"1" maximum:"20" default:"6"`
	Lang  string  `query:"lang" maxLength:"20" doc:"Accepted and ignored: places have one name here."`
}) (*body[foundPlaces], error) {
	if a.deps.Demo == nil {
		return nil, noDemo
	}
	var near *geo.Point
	if in.Lat != 0 || in.Lon != 0 {
		near = &geo.Point{Lat: in.Lat, Lng: in.Lon}
	}
	return a.found(a.deps.Demo.Find(in.Words, near, in.Limit)), nil
}

func (a *API) namePlace(_ context.Context, in *struct {
	Lat  float64 `query:"lat" required:"true" minimum:"-90" maximum:"90"`
	Lon  float64 `query:"lon" required:"true" minimum:"-180" maximum:"180"`
	Lang string  `query:"lang" maxLength:"20" doc:"Accepted and ignored: places have one name here."`
}) (*body[foundPlaces], error) {
	if a.deps.Demo == nil {
		return nil, noDemo
	}
	p := geo.Point{Lat: in.Lat, Lng: in.Lon}
	if name := a.deps.Demo.NameOf(p); name != "" {
		return a.found([]DemoPlace{{name, p}}), nil
	}
	return a.found(nil), nil
}

func (a *API) found(places []DemoPlace) *body[foundPlaces] {
	v := foundPlaces{Type: "FeatureCollection", Features: make([]foundPlace, len(places))}
	city := a.deps.Demo.Describe().City.Name
	for i, p := range places {
		v.Features[i] = foundPlace{
			Type: "Feature", Properties: foundProperties{p.Name, city},
			Geometry: foundPoint{"Point", []float64{p.At.Lng, p.At.Lat}},
		}
	}
	return answer(v)
}
