package tiles

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/pbf"
	"github.com/hexhail/hexhail/geo/streets/pbf/pbftest"
)

// town is a map of a square of streets, as large as some tiles of zoom 15; with a shore it knows land and water.
func town(t testing.TB, name string, shore bool) *streets.Map {
	t.Helper()
	var f pbftest.File
	way := pbf.Way{ID: 1, Tags: pbftest.Tags(map[string]string{"highway": "primary", "name": name})}
	for i, at := range []geo.Point{{Lat: 40, Lng: -74}, {Lat: 40.03, Lng: -74}, {Lat: 40.03, Lng: -73.96}, {Lat: 40, Lng: -73.96}} {
		lat, lng := at.E7()
		f.Nodes = append(f.Nodes, pbf.Node{ID: int64(i + 1), Lat: lat, Lng: lng})
		way.Refs = append(way.Refs, int64(i+1))
	}
	way.Refs = append(way.Refs, 1)
	f.Ways = []pbf.Way{way}
	o := streets.BuildOptions{Name: "town"}
	if shore {
		s, err := streets.ReadShoreline(strings.NewReader(`{"type":"Polygon","bbox":[-75,39,-73,41],"coordinates":[[[-74.5,39.5],[-73.5,39.5],[-73.5,40.5],[-74.5,39.5]]]}`))
		require.NoError(t, err)
		o.Shoreline = s
	}
	m, err := streets.Build(t.Context(), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.Bytes())), nil }, o)
	require.NoError(t, err)
	return m
}

// townTile is a tile of zoom 13 with streets.
const townZ, townX, townY = 13, 2412, 3100

func newCache(t testing.TB, edit ...func(*Config)) *Cache {
	t.Helper()
	cfg := DefaultConfig()
	for _, e := range edit {
		e(&cfg)
	}
	c, err := New(cfg)
	require.NoError(t, err)
	return c
}

func TestTilesAreKept(t *testing.T) {
	c, m := newCache(t), town(t, "Main Street", false)
	want, err := m.Tile(townZ, townX, townY)
	require.NoError(t, err)
	require.NotEmpty(t, want)
	first, err := c.Tile(t.Context(), m, townZ, townX, townY)
	require.NoError(t, err)
	plain, err := first.Plain()
	require.NoError(t, err)
	require.Equal(t, want, plain)
	again, err := c.Tile(t.Context(), m, townZ, townX, townY)
	require.NoError(t, err)
	require.Same(t, &first.Gzip()[0], &again.Gzip()[0])

	nothing, err := c.Tile(t.Context(), m, 13, 0, 0)
	require.NoError(t, err)
	require.True(t, nothing.Empty())
	plain, err = nothing.Plain()
	require.NoError(t, err)
	require.Empty(t, plain)
	_, err = c.Tile(t.Context(), m, 3, 9, 0)
	require.ErrorIs(t, err, streets.ErrTile)
	require.Empty(t, c.made)
}

// TestAnotherMap: tiles of a map that was swapped are not given out for the new one, and are dropped.
func TestAnotherMap(t *testing.T) {
	c, old, next := newCache(t), town(t, "Old Street", false), town(t, "New Street", false)
	for _, m := range []*streets.Map{old, next, old} {
		got, err := c.Tile(t.Context(), m, townZ, townX, townY)
		require.NoError(t, err)
		b, err := got.Plain()
		require.NoError(t, err)
		require.Equal(t, m == old, bytes.Contains(b, []byte("Old Street")))
		require.Equal(t, 1, c.kept.Len())
		require.Equal(t, len(got.Gzip())+overhead, c.bytes)
	}
}

// TestBytesAreBounded asks for more tiles than there is room for: those asked for last stay.
func TestBytesAreBounded(t *testing.T) {
	m := town(t, "Main Street", false)
	c := newCache(t, func(c *Config) { c.Bytes = 10 * overhead })
	for x := range 100 {
		_, err := c.Tile(t.Context(), m, 10, x, 0)
		require.NoError(t, err)
		require.LessOrEqual(t, c.bytes, c.cfg.Bytes)
	}
	require.Equal(t, 10, c.kept.Len())
	require.True(t, c.kept.Contains(number{m.ID(), 10, 99, 0}))
	require.False(t, c.kept.Contains(number{m.ID(), 10, 0, 0}))

	c = newCache(t, func(c *Config) { c.Bytes = 0 })
	_, err := c.Tile(t.Context(), m, townZ, townX, townY)
	require.NoError(t, err, "without a cache it works as well")
	require.Zero(t, c.kept.Len())
	for _, bad := range []Config{{Bytes: -1, Encoders: 1}, {Bytes: 1}} {
		_, err := New(bad)
		require.ErrorIs(t, err, ErrConfig)
	}
}

// TestOneEncodingForAll: while a tile waits for an encoder, others who want it wait for the same one; who gives
// up does not fail them.
func TestOneEncodingForAll(t *testing.T) {
	c, m := newCache(t, func(c *Config) { c.Encoders = 1 }), town(t, "Main Street", false)
	c.encoders <- struct{}{} // somebody encodes
	first, giveUp := context.WithCancel(t.Context())
	gaveUp := make(chan error, 1)
	go func() {
		_, err := c.Tile(first, m, townZ, townX, townY)
		gaveUp <- err
	}()
	for begun := false; !begun; {
		c.mu.Lock()
		begun = len(c.made) == 1
		c.mu.Unlock()
	}
	var all sync.WaitGroup
	got := make([]Tile, 20)
	errs := make([]error, len(got))
	for i := range got {
		all.Go(func() { got[i], errs[i] = c.Tile(t.Context(), m, townZ, townX, townY) })
	}
	late, end := context.WithCancel(t.Context())
	end()
	_, err := c.Tile(late, m, townZ, townX, townY)
	require.ErrorIs(t, err, context.Canceled)
	giveUp()
	require.ErrorIs(t, <-gaveUp, context.Canceled)
	<-c.encoders
	all.Wait()
	for i := range got {
		require.NoError(t, errs[i])
		require.Same(t, &got[0].Gzip()[0], &got[i].Gzip()[0], "encoded once")
	}
	require.Empty(t, c.made)
	require.Empty(t, c.encoders)
}

func TestSource(t *testing.T) {
	m := town(t, "Main Street", false)
	s := SourceOf(m, "https://rides.example")
	require.Equal(t, []string{"https://rides.example/v1/tiles/{z}/{x}/{y}.mvt?v=" + m.ID() + "-1"}, s.Tiles)
	require.Equal(t, [4]float64{-74, 40, -73.96, 40.03}, s.Bounds)
	require.Contains(t, s.Attribution, "© OpenStreetMap contributors")
	require.Contains(t, s.Attribution, `href="https://www.openstreetmap.org/copyright"`)
	ids := func(s TileSource) (out []string) {
		for _, l := range s.VectorLayers {
			out = append(out, l.ID)
		}
		return out
	}
	require.Equal(t, []string{"landuse", "water", "roads"}, ids(s))
	s = SourceOf(town(t, "Main Street", true), "")
	require.Equal(t, []string{"earth", "landuse", "water", "roads"}, ids(s))
	require.Equal(t, [4]float64{-75, 39, -73, 41}, s.Bounds)
}

// TestStyles: each style is whole, with colours of its own scheme alone, and never a city under water.
func TestStyles(t *testing.T) {
	colour := regexp.MustCompile(`#[0-9a-f]{6}`)
	for _, shore := range []bool{false, true} {
		m := town(t, "Main Street", shore)
		var others []string
		for _, scheme := range []Scheme{Light, Dark} {
			b, err := StyleOf(m, scheme, "https://rides.example")
			require.NoError(t, err)
			require.NotContains(t, string(b), `"$`)
			var style struct {
				Version int
				Sources map[string]struct {
					Tiles       []string
					Attribution string
				}
				Layers []struct {
					ID, Type, Source string
					SourceLayer      string `json:"source-layer"`
					Paint            map[string]any
				}
				Glyphs   *string
				Metadata map[string]any
			}
			require.NoError(t, json.Unmarshal(b, &style))
			require.Equal(t, 8, style.Version)
			require.Nil(t, style.Glyphs)
			require.Contains(t, style.Metadata["hexhail:glyphs"], "no glyphs")
			require.Contains(t, style.Sources["streets"].Attribution, "OpenStreetMap")
			want := palettes[scheme]["land"]
			if shore {
				want = palettes[scheme]["water"]
			}
			require.Equal(t, want, style.Layers[0].Paint["background-color"])
			seen := map[string]bool{}
			for _, l := range style.Layers {
				require.False(t, seen[l.ID], l.ID)
				seen[l.ID] = true
				if l.Type != "background" {
					require.Equal(t, "streets", l.Source, l.ID)
					require.Contains(t, []string{"earth", "landuse", "water", "roads"}, l.SourceLayer, l.ID)
				}
			}
			last := style.Layers[len(style.Layers)-1]
			require.Equal(t, "symbol", last.Type, "names lie on everything else")
			used := colour.FindAllString(string(b), -1)
			for _, c := range used {
				require.False(t, slices.Contains(others, c) && palettes[Light]["land"] == c, "%s in %s", c, scheme)
			}
			others = used
		}
		_, err := StyleOf(m, "sepia", "")
		require.Error(t, err)
	}
	require.Equal(t, keysOf(palettes[Light]), keysOf(palettes[Dark]))
	for name := range palettes[Light] {
		require.Contains(t, styleTemplate, `"$`+name+`"`, "a colour that nothing has")
	}
}

func keysOf(m map[string]string) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func BenchmarkCachedTile(b *testing.B) {
	c, m := newCache(b), town(b, "Main Street", false)
	for b.Loop() {
		if _, err := c.Tile(b.Context(), m, townZ, townX, townY); err != nil {
			b.Fatal(fmt.Errorf("cached tile: %w", err))
		}
	}
}
