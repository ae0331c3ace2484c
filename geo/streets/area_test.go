package streets

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
)

func TestAreas(t *testing.T) {
	const ring = `[[0,0],[10,0],[10,10],[0,10],[0,0]]`
	const hole = `[[4,4],[6,4],[6,6],[4,6],[4,4]]`
	const other = `[[20,20],[30,20],[25,30]]` // not closed
	for text, want := range map[string]string{
		`{"type":"Polygon","coordinates":[` + ring + `]}`:                                                                                                            "a h",
		`{"type":"Polygon","coordinates":[` + ring + `,` + hole + `]}`:                                                                                               "a",
		`{"type":"MultiPolygon","coordinates":[[` + ring + `,` + hole + `],[` + other + `]]}`:                                                                        "a o",
		`{"type":"Feature","geometry":{"type":"Polygon","coordinates":[` + other + `]},"properties":{}}`:                                                             "o",
		`{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null},{"type":"Feature","geometry":{"type":"Polygon","coordinates":[` + ring + `]}}]}`: "a h",
		`{"type":"GeometryCollection","geometries":[{"type":"Polygon","coordinates":[` + other + `]}]}`:                                                              "o",
	} {
		a, err := ReadArea(strings.NewReader(text))
		require.NoError(t, err, text)
		for name, p := range map[string]geo.Point{"a": {Lat: 2, Lng: 2}, "h": {Lat: 5, Lng: 5}, "o": {Lat: 22, Lng: 25}, "x": {Lat: 29, Lng: 21}, "y": {Lat: -1, Lng: 5}, "z": {Lat: 5, Lng: 11}} {
			lat, lng := p.E7()
			require.Equal(t, strings.Contains(want, name), a.Contains(lat, lng), "%s %s", name, text)
		}
	}
	for _, text := range []string{
		"", "text", `{}`, `{"type":"Point","coordinates":[1,2]}`, `{"type":"Polygon"}`, `{"type":"Polygon","coordinates":[[[1]]]}`,
		`{"type":"Polygon","coordinates":[[[0,0],[999,0],[0,5]]]}`, `{"type":"FeatureCollection","features":[]}`, `{"type":"MultiPolygon","coordinates":[[1]]}`,
		`{"type":"Polygon","coordinates":[[[0,5],[1,5]]]}`, `{"type":"Polygon","coordinates":[[[5,0],[5,1]]]}`,
	} {
		_, err := ReadArea(strings.NewReader(text))
		require.ErrorIs(t, err, ErrArea, text)
	}
	mine := errors.New("mine")
	_, err := ReadArea(iotest.ErrReader(mine))
	require.ErrorIs(t, err, mine)
	for _, c := range [][2]geo.Point{{{Lat: 1, Lng: 1}, {Lat: 1, Lng: 2}}, {{Lat: 1, Lng: 2}, {Lat: 2, Lng: 1}}, {{Lat: 1, Lng: 1}, {Lat: 99, Lng: 2}}} {
		_, err := BoxArea(c[0], c[1])
		require.ErrorIs(t, err, ErrArea)
	}
	whole, err := BoxArea(geo.Point{Lat: -90, Lng: -180}, geo.Point{Lat: 90, Lng: 180})
	require.NoError(t, err)
	require.True(t, whole.Contains(9e8, -18e8))
}

// TestWideAreas: the sides of an area may be longer than half the world.
func TestWideAreas(t *testing.T) {
	a, err := ReadArea(strings.NewReader(`{"type":"Polygon","coordinates":[[[-170,-10],[170,0],[-170,10],[-170,-10]]]}`))
	require.NoError(t, err)
	for p, inside := range map[geo.Point]bool{
		{Lat: 0, Lng: 0}: true, {Lat: 0, Lng: 160}: true, {Lat: -4, Lng: 0}: true, {Lat: 9, Lng: -160}: true,
		{Lat: 9, Lng: 0}: false, {Lat: -6, Lng: 0}: false, {Lat: 1, Lng: 160}: false, {Lat: 9, Lng: -100}: false,
	} {
		lat, lng := p.E7()
		require.Equal(t, inside, a.Contains(lat, lng), "%v", p)
	}
}
