package api

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/manhattan"
	"github.com/hexhail/hexhail/ride"
)

var theManhattan = sync.OnceValues(func() (*streets.Map, error) {
	return streets.Build(context.Background(), manhattan.Open, streets.BuildOptions{Name: manhattan.Name})
})

// withStreets is a world with a map, and perhaps a demonstration.
func withStreets(t *testing.T, demo Demo) *world {
	t.Helper()
	m, err := theManhattan()
	require.NoError(t, err)
	w := newWorld(t)
	deps := w.deps
	deps.Streets, deps.Demo = new(streets.City), demo
	deps.Streets.Swap(m)
	w.API, err = New(w.cfg, deps)
	require.NoError(t, err)
	return w
}

func (w *world) search(query string) (found foundPlaces) {
	w.t.Helper()
	w.do(request{method: "GET", path: ownGeocoder + "?" + query}).ok(200, &found)
	return found
}

func TestAServerSearchesItsMap(t *testing.T) {
	w := withStreets(t, nil)
	var c configView
	w.do(request{method: "GET", path: "/v1/config"}).ok(200, &c)
	require.Equal(t, ownGeocoder, c.Map.GeocoderURL)

	found := w.search("q=" + url.QueryEscape("5 av & w 34th") + "&lat=40.75&lng=-73.98&lang=en-US&limit=3")
	require.Equal(t, "© OpenStreetMap contributors", found.Attribution)
	require.Equal(t, "https://www.openstreetmap.org/copyright", found.CreditURL)
	require.Equal(t, foundProperties{
		Kind: "crossing", Name: "5th Avenue & West 34th Street", Street: "5th Avenue", Cross: "West 34th Street",
	}, found.Features[0].Properties)
	require.InDelta(t, -73.9847, found.Features[0].Geometry.Coordinates[0], 0.001)
	require.InDelta(t, 40.7486, found.Features[0].Geometry.Coordinates[1], 0.001)

	// As clients of Photon and of Nominatim ask.
	require.Equal(t, "street", w.search("q=broadway&lat=40.75&lon=-73.98&lang=default&format=jsonv2").Features[0].Properties.Kind)
	require.NotEmpty(t, w.search("q=lexigton").Features)
	found = w.search("q=" + url.QueryEscape("5th ave & 6th ave"))
	require.Equal(t, []string{"5th Avenue", "6th Avenue"}, found.Apart)
	require.Len(t, found.Features, 2)

	none := w.do(request{method: "GET", path: ownGeocoder + "?q=zzzzzz"})
	none.ok(200, &found)
	require.Contains(t, none.Body.String(), `"features":[]`)
	for _, query := range []string{"q=", "", "q=" + strings.Repeat("x", 121), "q=x&lat=91", "q=x&limit=21"} {
		w.do(request{method: "GET", path: ownGeocoder + "?" + query}).refused(ride.ErrInvalidArgument, 422)
	}
	w.search("q=" + url.QueryEscape(strings.Repeat("한", 120)))

	w.cfg.Map.GeocoderURL = "https://photon.example"
	deps := w.deps
	deps.Streets = new(streets.City)
	other, err := New(w.cfg, deps)
	require.NoError(t, err)
	w.API = other
	w.do(request{method: "GET", path: "/v1/config"}).ok(200, &c)
	require.Equal(t, "https://photon.example", c.Map.GeocoderURL, "the operator's comes first")
}

// TestPointsThatAreNone: numbers that are none are refused with one sentence, with a map and without.
func TestPointsThatAreNone(t *testing.T) {
	for _, w := range []*world{withStreets(t, nil), newDemo(t, &fakeDemo{})} {
		for _, query := range []string{"lat=NaN&lng=1", "lat=1&lng=NaN", "lat=1&lon=NaN"} {
			for _, path := range []string{ownGeocoder + "?q=broadway&", ownReverse + "?"} {
				p := w.do(request{method: "GET", path: path + query}).refused(ride.ErrInvalidArgument, 422)
				require.Equal(t, errNoPoint.Message, p.Detail)
			}
		}
		w.do(request{method: "GET", path: ownReverse + "?lat=0&lng=0"}).refused(ride.ErrInvalidArgument, 422)
	}
}

// TestSearchesTakeTurns: there are as many at once as can run, and those that wait for too long are refused.
func TestSearchesTakeTurns(t *testing.T) {
	w := withStreets(t, nil)
	for range cap(w.searches) {
		w.searches <- struct{}{}
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	for _, path := range []string{ownGeocoder + "?q=broadway", ownReverse + "?lat=40.75&lng=-73.98"} {
		w.do(request{method: "GET", path: path, ctx: gone}).refused(ride.ErrUnavailable, 503)
	}
	<-w.searches
	for range 3 { // places are given back
		require.NotEmpty(t, w.search("q=broadway").Features)
		w.do(request{method: "GET", path: ownReverse + "?lat=40.75&lng=-73.98"}).ok(200, nil)
	}
	require.Len(t, w.searches, cap(w.searches)-1)
}

// TestBothStreetsThatDoNotMeetAreFeatures, however few places were asked for and whatever a demonstration knows.
func TestBothStreetsThatDoNotMeetAreFeatures(t *testing.T) {
	for _, demo := range []Demo{nil, &fakeDemo{}} {
		for limit, features := range map[int]int{1: 2, 2: 2, 3: 3} {
			if demo == nil {
				features = 2
			}
			found := withStreets(t, demo).search(fmt.Sprintf("limit=%d&q=", limit) + url.QueryEscape("5th ave & 6th ave"))
			require.Equal(t, []string{"5th Avenue", "6th Avenue"}, found.Apart)
			require.Len(t, found.Features, features)
			for i, name := range found.Apart {
				require.Equal(t, name, found.Features[i].Properties.Name)
			}
		}
	}
}

func TestAServerNamesPoints(t *testing.T) {
	w := withStreets(t, nil)
	var found foundPlaces
	w.do(request{method: "GET", path: ownReverse + "?lat=40.7489&lng=-73.9844&lang=en"}).ok(200, &found)
	require.Len(t, found.Features, 1)
	require.Equal(t, foundProperties{Kind: "street", Name: "5th Avenue", Near: "East 35th Street"}, found.Features[0].Properties)
	w.do(request{method: "GET", path: ownReverse + "?lat=40.7580&lon=-73.9855"}).ok(200, &found)
	require.Equal(t, "7th Avenue & West 45th Street", found.Features[0].Properties.Name)
	w.do(request{method: "GET", path: ownReverse + "?lat=1&lng=1"}).ok(200, &found)
	require.Empty(t, found.Features)
	w.do(request{method: "GET", path: ownReverse + "?lat=91&lng=1"}).refused(ride.ErrInvalidArgument, 422)
}

// A demonstration's well-known places come before the streets of its map, and stand alone without one.
func TestADemonstrationKnowsItsPlaces(t *testing.T) {
	d := &fakeDemo{}
	w := newDemo(t, d)
	var c configView
	w.do(request{method: "GET", path: "/v1/config"}).ok(200, &c)
	require.Equal(t, ownGeocoder, c.Map.GeocoderURL)
	found := w.search("q=pick&lat=40.7&lon=-73.9&limit=3&lang=default")
	require.Equal(t, "pick &{40.7 -73.9} 3", d.asked)
	require.Equal(t, foundPlaces{Type: "FeatureCollection", Features: []foundPlace{{
		"Feature", foundPoint{"Point", []float64{pickup.Lng, pickup.Lat}}, foundProperties{Kind: "place", Name: "The Pickup", City: "Testville"},
	}}}, found)
	w.search("q=pick")
	require.Equal(t, "pick <nil> 6", d.asked)
	w.do(request{method: "GET", path: fmt.Sprintf("%s?lat=%v&lon=%v", ownReverse, pickup.Lat, pickup.Lng)}).ok(200, &found)
	require.Len(t, found.Features, 1)
	w.do(request{method: "GET", path: ownReverse + "?lat=1&lon=1"}).ok(200, &found)
	require.Empty(t, found.Features)

	both := withStreets(t, d)
	found = both.search("q=broadway&limit=2")
	require.Len(t, found.Features, 2)
	require.Equal(t, "The Pickup", found.Features[0].Properties.Name)
	require.Equal(t, "Broadway", found.Features[1].Properties.Name)
	require.NotEmpty(t, found.Attribution)

	w.cfg.Map.GeocoderURL = "https://photon.example"
	newDemoOf(t, w, d).do(request{method: "GET", path: "/v1/config"}).ok(200, &c)
	require.Equal(t, "https://photon.example", c.Map.GeocoderURL)

	ordinary := newWorld(t)
	ordinary.do(request{method: "GET", path: "/v1/config"}).ok(200, &c)
	require.Empty(t, c.Map.GeocoderURL)
	ordinary.do(request{method: "GET", path: ownGeocoder + "?q=pick"}).refused(ride.ErrNotFound, 404)
	ordinary.do(request{method: "GET", path: ownReverse + "?lat=1&lon=1"}).refused(ride.ErrNotFound, 404)
}

func TestWellKnownPlacesAndStreetsShareAnAnswer(t *testing.T) {
	list := func(kind string, names ...string) (out []foundPlace) {
		for _, n := range names {
			out = append(out, foundPlace{Properties: foundProperties{Kind: kind, Name: n}})
		}
		return out
	}
	text := func(list []foundPlace) (out []string) {
		for _, f := range list {
			out = append(out, f.Properties.Name)
		}
		return out
	}
	known, found := list("place", "A", "B", "C", "D"), list("street", "a", "x", "y", "z")
	require.Equal(t, []string{"A", "B", "x", "y"}, text(merged(known, found, 4)), "half of each, and no name twice")
	require.Equal(t, []string{"A", "B", "C"}, text(merged(known, found[:1], 3)))
	require.Equal(t, []string{"a", "x"}, text(merged(nil, found, 2)))
	require.Equal(t, []foundPlace{}, merged(nil, nil, 2))
}
