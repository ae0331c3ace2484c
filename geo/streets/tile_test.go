package streets

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo/streets/mvt"
	"github.com/hexhail/hexhail/geo/streets/mvt/mvttest"
)

func tileOf(t testing.TB, m *Map, z, x, y int) mvttest.Layers {
	t.Helper()
	b, err := m.Tile(z, x, y)
	require.NoError(t, err)
	got, err := mvttest.Read(b)
	require.NoError(t, err)
	return got
}

// tileAt returns the numbers of the tile with a point.
func tileAt(p point, z int) (x, y int) {
	w := worldOf(p)
	return int(w.x >> (worldBits - z)), int(w.y >> (worldBits - z))
}

// tilesOf are the tiles of a zoom that a map has points in, in order.
func tilesOf(m *Map, z int) (out [][2]int) {
	for _, p := range m.graph.shape {
		x, y := tileAt(p, z)
		out = append(out, [2]int{x, y})
	}
	slices.SortFunc(out, func(a, b [2]int) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	return slices.Compact(out)
}

func TestTileOfATown(t *testing.T) {
	c := newTown(t, block).way("abc", "oneway=-1 name=North").way("def", "highway=primary bridge=yes").way("ghi", "highway=service tunnel=no").
		way("adg", "").way("beh", "highway=tertiary_link tunnel=yes").way("cfi", "")
	m := c.mapped()
	x, y := tileAt(m.graph.shape[0], 15)
	roads := tileOf(t, m, 15, x, y)["roads"]
	tagged := map[string]map[string]any{}
	for _, f := range roads {
		name, _ := f.Tags["name"].(string)
		tagged[name] = f.Tags
		require.Equal(t, mvt.Lines, f.Kind)
		require.Len(t, f.Parts, 1, "the pieces of a street are joined")
		require.Len(t, f.Parts[0], 2, "and straight")
		if name == "North" {
			require.Greater(t, f.Parts[0][0].X, f.Parts[0][1].X, "a one-way street runs in its direction")
		}
	}
	road := func(kind, detail string, rank, zoom uint64, more ...any) map[string]any {
		out := map[string]any{"kind": kind, "kind_detail": detail, "sort_rank": rank, "min_zoom": zoom}
		for i := 0; i < len(more); i += 2 {
			out[more[i].(string)] = more[i+1]
		}
		return out
	}
	require.Equal(t, map[string]map[string]any{
		"North": road("minor_road", "residential", 330, 13, "oneway", "yes", "name", "North"),
		"def":   road("major_road", "primary", 380, 9, "is_bridge", true, "name", "def"),
		"ghi":   road("minor_road", "service", 200, 14, "name", "ghi"),
		"adg":   road("minor_road", "residential", 330, 13, "name", "adg"),
		"beh":   road("major_road", "tertiary_link", 306, 11, "is_tunnel", true, "is_link", true, "name", "beh"),
		"cfi":   road("minor_road", "residential", 330, 13, "name", "cfi"),
	}, tagged)
	ranks := make([]uint64, len(roads))
	for i, f := range roads {
		ranks[i] = f.Tags["sort_rank"].(uint64)
	}
	require.True(t, slices.IsSorted(ranks), "large roads lie on small ones")

	x, y = tileAt(m.graph.shape[0], 9)
	roads = tileOf(t, m, 9, x, y)["roads"]
	require.Len(t, roads, 1, "each road has its first zoom")
	require.NotContains(t, roads[0].Tags, "name", "and names are of no use there")
	b, err := m.Tile(5, 0, 0)
	require.NoError(t, err)
	require.Nil(t, b)
}

func TestTileOfGround(t *testing.T) {
	m := green(squares(t)).mapped()
	x, y := tileAt(m.graph.shape[0], 15)
	got := tileOf(t, m, 15, x, y)
	require.NotContains(t, got, "earth")
	require.Len(t, got["landuse"], 1)
	require.Equal(t, map[string]any{"kind": "park"}, got["landuse"][0].Tags)
	require.Equal(t, map[string]any{"kind": "lake"}, got["water"][0].Tags)
	require.Len(t, got["water"][0].Parts[0], 3)
	kinds := map[any]any{}
	for _, f := range got["roads"] {
		kinds[f.Tags["name"]] = f.Tags["kind_detail"]
	}
	require.Equal(t, "pedestrian", kinds["Walk"])
	require.Equal(t, "residential", kinds["Yard"])
	require.Empty(t, tileOf(t, m, 8, x>>7, y>>7), "what is smaller than a pixel is left out")
}

func TestTilesThatAreNone(t *testing.T) {
	m := squares(t).mapped()
	for _, n := range [][3]int{{-1, 0, 0}, {16, 0, 0}, {0, 1, 0}, {0, 0, 1}, {3, -1, 0}, {3, 0, 8}, {3, 0, math.MaxInt}, {64, 0, 0}} {
		_, err := m.Tile(n[0], n[1], n[2])
		require.ErrorIs(t, err, ErrTile, "%v", n)
	}
}

// TestTilesGatherWhatTheyShow: a tile looks at the chunks that its zoom shows and at no others, however many
// streets there are.
func TestTilesGatherWhatTheyShow(t *testing.T) {
	m := manhattanMap(t)
	m.drawing.ready()
	d := m.drawing
	least := MaxZoom + 1
	for i := range d.strokes {
		least = min(least, d.strokes[i].look.minZoom())
	}
	for z := range MaxZoom + 1 {
		for _, n := range tilesOf(m, z) {
			near := newTileMaker(d, z, n[0], n[1]).near
			got := map[int32]bool{}
			for _, i := range d.chunks.near(near, z, nil) {
				got[i] = true
				require.LessOrEqual(t, d.strokes[d.chunks.list[i].path].look.minZoom(), z)
			}
			for i, c := range d.chunks.list {
				box := emptyWorld
				for _, w := range d.lines.pts[c.first : c.last+1] {
					box.add(w)
				}
				if d.strokes[c.path].look.minZoom() <= z && box.meets(near) {
					require.True(t, got[int32(i)], "zoom %d", z)
				}
			}
		}
	}
	require.Empty(t, d.chunks.near(worldBox{0, 0, 1 << worldBits, 1 << worldBits}, least-1, nil))
	b, err := squares(t).mapped().Tile(12, 0, 0)
	require.NoError(t, err)
	require.Nil(t, b, "residential streets begin at zoom 13")
}

// BenchmarkEmptyTile makes tiles of zooms that show none of 400,000 residential streets.
func BenchmarkEmptyTile(b *testing.B) {
	d := &drawing{graph: &graph{}, ground: &ground{}}
	for i := range 400_000 {
		lat, lng := 407e6+int32(i%600)*900, -740e6+int32(i/600)*900
		d.strokes = append(d.strokes, stroke{look: look{kind: carStreet, road: Residential}, path: int32(i)})
		d.lines.add([]point{{lat, lng}, {lat + 800, lng}})
	}
	d.index()
	d.once.Do(func() {})
	m := &Map{drawing: d}
	for _, z := range []int{0, 6, 8, 12} {
		x, y := tileAt(point{407e6, -740e6}, z)
		b.Run(fmt.Sprint(z), func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				_, _ = m.Tile(z, x, y)
			}
		})
	}
}

// TestStrokesHaveTheStreetsLength: joining loses nothing and doubles nothing.
func TestStrokesHaveTheStreetsLength(t *testing.T) {
	m := manhattanMap(t)
	d := &drawing{graph: m.graph, ground: &ground{features: []feature{{}}}}
	j := newStrokeJoiner(40.75)
	for s := range m.graph.segmentCount() {
		d.addSegment(j, s)
	}
	byName := map[string]float64{}
	for s := range m.Streets() {
		byName[fmt.Sprint(s.Name, s.Road)] += s.LengthM
	}
	strokes := 0
	j.each(func(l look, pts []point) {
		strokes++
		for k := range len(pts) - 1 {
			byName[fmt.Sprint(l.name, l.road)] -= metres(pts[k], pts[k+1])
		}
	})
	for name, left := range byName {
		require.InDelta(t, 0, left, 1, name)
	}
	require.Less(t, strokes*3, m.Counts().Streets)
}

// TestTilesShowAllStreets: at the last zoom, each point of each street lies on a line of its tile.
func TestTilesShowAllStreets(t *testing.T) {
	m := manhattanMap(t)
	tiles := map[[2]int]mvttest.Layers{}
	for i := 0; i < len(m.graph.shape); i += 3 {
		x, y := tileAt(m.graph.shape[i], MaxZoom)
		got, ok := tiles[[2]int{x, y}]
		if !ok {
			got = tileOf(t, m, MaxZoom, x, y)
			tiles[[2]int{x, y}] = got
		}
		w := worldOf(m.graph.shape[i])
		px, py := float64(w.x)/8-float64(x)*mvt.Extent, float64(w.y)/8-float64(y)*mvt.Extent
		require.Less(t, away(got["roads"], px, py), simplifyUnits+1.5, "%v", m.graph.shape[i])
	}
}

// away is how far a point is from the nearest line, in units.
func away(roads []mvttest.Feature, x, y float64) float64 {
	best := math.Inf(1)
	for _, f := range roads {
		for _, l := range f.Parts {
			for i := range len(l) - 1 {
				ax, ay := float64(l[i].X)-x, float64(l[i].Y)-y
				dx, dy := float64(l[i+1].X-l[i].X), float64(l[i+1].Y-l[i].Y)
				u := 0.0
				if q := dx*dx + dy*dy; q > 0 {
					u = max(0, min(1, -(ax*dx+ay*dy)/q))
				}
				best = min(best, math.Hypot(ax+u*dx, ay+u*dy))
			}
		}
	}
	return best
}

// crossings are the places where roads cross a line x = at of a tile, with what they are.
func crossings(roads []mvttest.Feature, at float64) map[string][]float64 {
	out := map[string][]float64{}
	for _, f := range roads {
		what := fmt.Sprint(f.Tags)
		for _, l := range f.Parts {
			for i := range len(l) - 1 {
				a, b := l[i], l[i+1]
				if (float64(a.X) < at) == (float64(b.X) < at) {
					continue
				}
				y := float64(a.Y) + float64(b.Y-a.Y)*(at-float64(a.X))/float64(b.X-a.X)
				if y >= 0 && y <= mvt.Extent {
					out[what] = append(out[what], y)
				}
			}
		}
	}
	for _, list := range out {
		slices.Sort(list)
	}
	return out
}

// TestTilesMeet: what leaves a tile in the east enters the next one at the same place.
func TestTilesMeet(t *testing.T) {
	m := manhattanMap(t)
	met := 0
	for _, z := range []int{10, 12, 13, 14, 15} {
		for _, n := range tilesOf(m, z) {
			here, next := crossings(tileOf(t, m, z, n[0], n[1])["roads"], mvt.Extent-0.5), crossings(tileOf(t, m, z, n[0]+1, n[1])["roads"], -0.5)
			require.Len(t, next, len(here), "z%d %v", z, n)
			for what, list := range here {
				require.Len(t, next[what], len(list), "z%d %v: %s", z, n, what)
				for i, y := range list {
					met++
					require.InDelta(t, y, next[what][i], 2)
				}
			}
		}
	}
	require.Greater(t, met, 500)
}

// TestSameTilesSameBytes: another build of the same streets, a file, and another model make the same tiles.
func TestSameTilesSameBytes(t *testing.T) {
	m := manhattanMap(t)
	again, err := Read(bytes.NewReader(written(t, m)))
	require.NoError(t, err)
	model := DefaultModel()
	model.Ride *= 2
	other, err := m.WithModel(model)
	require.NoError(t, err)
	for _, z := range []int{0, 9, 12, 14} {
		x, y := tileAt(m.graph.shape[len(m.graph.shape)/2], z)
		want, err := m.Tile(z, x, y)
		require.NoError(t, err)
		for _, o := range []*Map{again, other} {
			got, err := o.Tile(z, x, y)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}
}

func TestLevels(t *testing.T) {
	require.Equal(t, []uint8{0, 0}, levels([]world{{0, 0}, {5, 5}}))
	unit := int32(1) << (unitBits - 10) // of zoom 10
	require.Equal(t, []uint8{0, 10, 0}, levels([]world{{0, 0}, {100 * unit, 3 * unit}, {200 * unit, 0}}))
	require.Equal(t, []uint8{0, MaxZoom + 1, MaxZoom + 1, 0}, levels([]world{{0, 0}, {100, 0}, {200, 0}, {300, 0}}))
}

// BenchmarkTile encodes all tiles of Manhattan at zoom 14 in turn. The floor is to pack what was encoded.
func BenchmarkTile(b *testing.B) {
	m := manhattanMap(b)
	tiles := tilesOf(m, 14)
	m.drawing.ready()
	encoded := make([][]byte, len(tiles))
	var sizes []int
	for i, n := range tiles {
		var err error
		encoded[i], err = m.Tile(14, n[0], n[1])
		require.NoError(b, err)
		sizes = append(sizes, len(packed(encoded[i])))
	}
	slices.Sort(sizes)
	b.Run("encode", func(b *testing.B) {
		timed(b, func(i int) {
			n := tiles[i%len(tiles)]
			_, _ = m.Tile(14, n[0], n[1])
		})
		b.ReportMetric(float64(sizes[len(sizes)/2]), "gzip-bytes-p50")
		b.ReportMetric(float64(sizes[len(sizes)-1]), "gzip-bytes-max")
	})
	b.Run("pack", func(b *testing.B) { timed(b, func(i int) { packed(encoded[i%len(encoded)]) }) })
}

func packed(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(b)
	_ = z.Close()
	return out.Bytes()
}
