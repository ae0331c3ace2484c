package api

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/mvt/mvttest"
	"github.com/hexhail/hexhail/geo/streets/pbf"
	"github.com/hexhail/hexhail/geo/streets/pbf/pbftest"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/tiles"
)

// tileSquare is a map of one street round a square.
func tileSquare(t testing.TB, name string) *streets.Map {
	t.Helper()
	var f pbftest.File
	way := pbf.Way{ID: 1, Refs: []int64{1, 2, 3, 4, 1}, Tags: pbftest.Tags(map[string]string{"highway": "primary", "name": name})}
	for i, at := range []geo.Point{{Lat: 40.01, Lng: -73.99}, {Lat: 40.02, Lng: -73.99}, {Lat: 40.02, Lng: -73.98}, {Lat: 40.01, Lng: -73.98}} {
		lat, lng := at.E7()
		f.Nodes = append(f.Nodes, pbf.Node{ID: int64(i + 1), Lat: lat, Lng: lng})
	}
	f.Ways = []pbf.Way{way}
	m, err := streets.Build(t.Context(), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.Bytes())), nil }, streets.BuildOptions{})
	require.NoError(t, err)
	return m
}

const squareTile = "/v1/tiles/13/2412/3100.mvt"

func drawnWorld(t testing.TB, edit ...func(*Config)) (*world, *streets.Map) {
	w := newWorld(t, edit...)
	m := tileSquare(t, "Main Street")
	w.deps.Streets = new(streets.City)
	w.deps.Streets.Swap(m)
	return w, m
}

func TestTiles(t *testing.T) {
	w, m := drawnWorld(t)
	get := func(path string, header map[string]string) *response {
		return w.do(request{method: "GET", path: path, header: header})
	}
	plain := get(squareTile, nil)
	require.Equal(t, 200, plain.Code, plain.Body)
	require.Equal(t, "application/vnd.mapbox-vector-tile", plain.Header().Get("Content-Type"))
	require.Equal(t, "public, max-age=300", plain.Header().Get("Cache-Control"))
	require.Equal(t, "Accept-Encoding", plain.Header().Get("Vary"))
	layers, err := mvttest.Read(plain.Body.Bytes())
	require.NoError(t, err)
	require.Equal(t, "Main Street", layers["roads"][0].Tags["name"])

	packed := get(squareTile, map[string]string{"Accept-Encoding": "br, gzip"})
	require.Equal(t, "gzip", packed.Header().Get("Content-Encoding"))
	z, err := gzip.NewReader(bytes.NewReader(packed.Body.Bytes()))
	require.NoError(t, err)
	b, err := io.ReadAll(z)
	require.NoError(t, err)
	require.Equal(t, plain.Body.Bytes(), b)
	require.Empty(t, get(squareTile, map[string]string{"Accept-Encoding": "gzip;q=0"}).Header().Get("Content-Encoding"))

	etag := plain.Header().Get("ETag")
	again := get(squareTile, map[string]string{"If-None-Match": `"x", ` + etag})
	require.Equal(t, 304, again.Code)
	require.Empty(t, again.Body.Bytes())
	require.Equal(t, etag, again.Header().Get("ETag"))
	require.Contains(t, get(squareTile+"?v="+tiles.Version(m), nil).Header().Get("Cache-Control"), "immutable")
	require.Equal(t, "public, max-age=300", get(squareTile+"?v=other", nil).Header().Get("Cache-Control"))

	empty := get("/v1/tiles/13/0/0.mvt", nil)
	require.Equal(t, 204, empty.Code)
	require.Empty(t, empty.Body.Bytes())

	w.deps.Streets.Swap(tileSquare(t, "Other Street"))
	other := get(squareTile, map[string]string{"If-None-Match": etag})
	require.Equal(t, 200, other.Code, "a map that was swapped has other tiles")
	require.Contains(t, other.Body.String(), "Other Street")
	require.NotEqual(t, etag, other.Header().Get("ETag"))
}

func TestTilesThatAreNone(t *testing.T) {
	w, _ := drawnWorld(t)
	for _, path := range []string{"/v1/tiles/16/0/0.mvt", "/v1/tiles/0/1/0.mvt", "/v1/tiles/0/0/1.mvt", "/v1/tiles/3/8/0.mvt", "/v1/tiles/3/0/999999999.mvt"} {
		w.do(request{method: "GET", path: path}).refused(ride.ErrNotFound, 404)
	}
	for _, path := range []string{"/v1/tiles/x/0/0.mvt", "/v1/tiles/-1/0/0.mvt", "/v1/tiles/99/0/0.mvt", "/v1/tiles/0/0/x.mvt", "/v1/tiles/0/0/0", "/v1/tiles/0/0/-1.mvt", "/v1/tiles/0/0/0.png", "/v1/style.json?scheme=sepia"} {
		w.do(request{method: "GET", path: path}).refused(ride.ErrInvalidArgument, 422)
	}
	w.do(request{method: "GET", path: "/v1/tiles/0/0"}).refused(ride.ErrNotFound, 404)
	w.do(request{method: "POST", path: squareTile}).refused(ride.ErrMalformed, 405)
}

func TestTileSourceAndStyle(t *testing.T) {
	w, m := drawnWorld(t)
	var s tiles.TileSource
	got := w.do(request{method: "GET", path: "/v1/tiles.json"}).ok(200, &s)
	require.Equal(t, "no-cache", got.Header().Get("Cache-Control"))
	require.Equal(t, tiles.SourceOf(m, "http://example.com"), s)
	for _, scheme := range []string{"light", "dark"} {
		var style struct {
			Sources map[string]struct{ Tiles []string }
		}
		w.do(request{method: "GET", path: "/v1/style.json?scheme=" + scheme}).ok(200, &style)
		require.Equal(t, s.Tiles, style.Sources["streets"].Tiles)
	}
	w.cfg.PublicURL = "https://rides.example"
	w.do(request{method: "GET", path: "/v1/tiles.json"}).ok(200, &s)
	require.Equal(t, "https://rides.example/v1/tiles/{z}/{x}/{y}.mvt?v="+tiles.Version(m), s.Tiles[0])
}

// TestTilesHaveTheirOwnRate: a map on the screen does not keep its rider from asking for a car.
func TestTilesHaveTheirOwnRate(t *testing.T) {
	w, _ := drawnWorld(t, func(c *Config) {
		c.Rates = Rates{Address: Rate{1, 2}, Tiles: Rate{1, 40}, Remember: 100}
	})
	for range 40 {
		require.Equal(t, 200, w.do(request{method: "GET", path: squareTile}).Code)
	}
	w.do(request{method: "GET", path: squareTile}).refused(ride.ErrTooMany, 429)
	w.do(request{method: "GET", path: "/v1/config"}).ok(200, nil)
	require.Equal(t, 200, w.do(request{method: "GET", path: "/v1/config"}).Code)
	w.do(request{method: "GET", path: "/v1/config"}).refused(ride.ErrTooMany, 429)
}
