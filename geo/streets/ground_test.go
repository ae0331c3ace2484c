package streets

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets/pbf"
)

// place adds a node some steps north and east of the town's corner, and area a way along places.
func (c *town) place(id int64, north, east float64) int64 {
	lat, lng := townAt(north, east).E7()
	c.file.Nodes = append(c.file.Nodes, pbf.Node{ID: id, Lat: lat, Lng: lng})
	return id
}

// outline adds a way along points given as north, east, north, east …; closed ones end where they begin.
func (c *town) outline(id int64, text string, closed bool, at ...float64) *town {
	w := pbf.Way{ID: id, Tags: tags(text)}
	for i := 0; i+1 < len(at); i += 2 {
		w.Refs = append(w.Refs, c.place(id*100+int64(i), at[i], at[i+1]))
	}
	if closed {
		w.Refs = append(w.Refs, w.Refs[0])
	}
	c.file.Ways = append(c.file.Ways, w)
	return c
}

// green adds everything beside streets that a map can show.
func green(c *town) *town {
	c.outline(5000, "natural=water water=lake", true, 0.2, 0.2, 0.2, 0.8, 0.8, 0.8)
	c.outline(5001, "leisure=park", true, 1.1, 1.1, 1.1, 1.9, 1.9, 1.9, 1.9, 1.1)
	c.outline(5002, "highway=pedestrian name=Walk", false, 0, 0.5, 1, 0.5)
	c.outline(5003, "highway=residential access=private name=Yard bridge=yes", false, 0.5, 0, 0.5, 1)
	return c
}

func groundOf(m *Map) *ground { return m.drawing.ground }

// shown describes the features of a map.
func shown(m *Map) (out []string) {
	g := groundOf(m)
	for i := range g.count() {
		f := g.features[i]
		text := "street"
		if !f.kind.isLine() {
			text = groundNames[f.kind]
		} else if f.kind == footway {
			text = "footway"
		}
		for _, ring := range g.parts(i) {
			text += " " + strings.Repeat("*", len(ring))
		}
		if f.name >= 0 {
			text += " " + g.names[f.name]
		}
		out = append(out, text)
	}
	return out
}

func TestGroundOfAnExtract(t *testing.T) {
	c := green(squares(t))
	c.outline(5010, "natural=water", false, 0, 0, 1, 1, 2, 2, 3, 3) // open: nothing
	c.outline(5011, "highway=service access=private", false, 0, 0, 1, 1)
	c.outline(5012, "highway=pedestrian area=yes", true, 0, 0, 0, 1, 1, 1)
	c.outline(5013, "leisure=park name=Small", true, 1.2, 1.2, 1.2, 1.3, 1.3, 1.3)
	m := c.mapped()
	require.Equal(t, []string{"park ****", "park ***", "pedestrian ***", "lake ***", "footway ** Walk", "street ** Yard"}, shown(m))
	require.Nil(t, m.Meta().Shore, "a map without a coast does not know land from water")
	require.Zero(t, m.Meta().Report.Unclosed)
	require.Equal(t, squares(t).mapped().Meta().Report.Nodes, m.Meta().Report.Nodes, "counts nodes of streets alone")
}

func TestMultipolygons(t *testing.T) {
	c := squares(t)
	// An outer ring of two ways, the second the other way round, and a hole.
	a, b := c.place(1, 0, 0), c.place(2, 0, 9)
	x, y := c.place(3, 9, 9), c.place(4, 9, 0)
	c.file.Ways = append(c.file.Ways, pbf.Way{ID: 6000, Refs: []int64{a, b, x}}, pbf.Way{ID: 6001, Refs: []int64{a, y, x}})
	c.outline(6002, "", true, 3, 3, 3, 6, 6, 6)
	relation := func(id int64, text string, members ...pbf.Member) {
		c.file.Relations = append(c.file.Relations, pbf.Relation{ID: id, Tags: tags(text), Members: members})
	}
	way := func(id int64, role string) pbf.Member { return pbf.Member{Type: pbf.WayMember, ID: id, Role: role} }
	relation(1, "type=multipolygon landuse=forest", way(6000, "outer"), way(6002, "inner"), way(6001, "outer"))
	m := c.mapped()
	require.Equal(t, []string{"forest **** ***"}, shown(m))

	relation(2, "type=multipolygon natural=water", way(6000, "outer"))                    // has a gap
	relation(3, "type=multipolygon natural=water", way(6000, "outer"), way(404, "outer")) // is cut by the extract
	relation(4, "type=boundary natural=water", way(6000, "outer"), way(6001, "outer"))
	m = c.mapped()
	require.Equal(t, []string{"forest **** ***"}, shown(m))
	require.Equal(t, 2, m.Meta().Report.Unclosed)
}

// TestGroundIsCutToTheArea: what lies outside of the area is no part of the map.
func TestGroundIsCutToTheArea(t *testing.T) {
	c := squares(t)
	c.outline(5000, "leisure=park", true, 0.5, 0.5, 0.5, 90, 1.5, 90, 1.5, 0.5)
	c.outline(5001, "leisure=park", true, 50, 50, 50, 51, 51, 51)
	area, err := BoxArea(townAt(-0.5, -0.5), townAt(3, 3))
	require.NoError(t, err)
	m, err := Build(t.Context(), opening(c.file.Bytes()), BuildOptions{Area: area})
	require.NoError(t, err)
	require.Equal(t, []string{"park ****"}, shown(m))
	for _, p := range groundOf(m).points {
		require.True(t, area.Box.contains(p.lat, p.lng))
	}
}

// coastTown is a town within a box from 0 to 10 steps, with coasts of ids from 7000.
func coastTown(t *testing.T, coasts ...[]float64) *Map {
	c := squares(t)
	c.file.South, c.file.West = townAt(0, 0).E7()
	c.file.North, c.file.East = townAt(10, 10).E7()
	for i, at := range coasts {
		closed := at[0] == at[len(at)-2] && at[1] == at[len(at)-1]
		if closed {
			at = at[:len(at)-2]
		}
		c.outline(int64(7000+i), "natural=coastline", closed, at...)
	}
	return c.mapped()
}

// onLand asks the land of a map, by the rule of odd and even.
func onLand(m *Map, north, east float64) bool {
	g, inside := groundOf(m), false
	lat, lng := townAt(north, east).E7()
	for i := range g.count() {
		for _, ring := range g.parts(i) {
			if g.features[i].kind == land && within(point{lat, lng}, ring) {
				inside = !inside
			}
		}
	}
	return inside
}

func TestCoasts(t *testing.T) {
	for name, c := range map[string]struct {
		coasts [][]float64
		land   func(north, east float64) bool
	}{
		"sea in the west, land on the left of a coast that leads south": {
			[][]float64{{12, 4, 5, 4, -2, 4}}, func(_, east float64) bool { return east > 4 },
		},
		"the other direction": {
			[][]float64{{-2, 4, 5, 4, 12, 4}}, func(_, east float64) bool { return east < 4 },
		},
		"a river in two ways each, sea at both": {
			[][]float64{{-2, 3, 12, 3}, {12, 6, -2, 6}}, func(_, east float64) bool { return east < 3 || east > 6 },
		},
		"an island that the box cuts, and one that it does not": {
			[][]float64{{-3, 2, -3, 6, 4, 6, 4, 2, -3, 2}, {7, 7, 7, 9, 9, 9, 9, 7, 7, 7}},
			func(n, e float64) bool { return n < 4 && e > 2 && e < 6 || n > 7 && n < 9 && e > 7 && e < 9 },
		},
		"a bay enclosed by land alone": {
			[][]float64{{4, 4, 6, 4, 6, 6, 4, 6, 4, 4}}, func(n, e float64) bool { return n < 4 || n > 6 || e < 4 || e > 6 },
		},
		"a corner": {
			[][]float64{{-1, 5, 5, 5, 5, -1}}, func(n, e float64) bool { return n < 5 && e < 5 },
		},
		"all but a corner": {
			[][]float64{{5, -1, 5, 5, -1, 5}}, func(n, e float64) bool { return n > 5 || e > 5 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := coastTown(t, c.coasts...)
			require.NotNil(t, m.Meta().Shore)
			for n := 0.25; n < 10; n += 0.5 {
				for e := 0.25; e < 10; e += 0.5 {
					require.Equal(t, c.land(n, e), onLand(m, n, e), "%v north, %v east", n, e)
				}
			}
		})
	}
	for name, coasts := range map[string][][]float64{
		"a coast that ends in the box": {{-2, 4, 5, 4}},
		"one that has a gap":           {{-2, 4, 5, 4}, {5.1, 4, 12, 4}},
		"two that contradict":          {{-2, 3, 12, 3}, {-2, 6, 12, 6}, {12, 8, -2, 8}},
		"one that is elsewhere":        {{20, 20, 30, 30}},
	} {
		t.Run(name, func(t *testing.T) {
			m := coastTown(t, coasts...)
			require.Nil(t, m.Meta().Shore)
			require.Zero(t, groundOf(m).count(), "no town is flooded")
		})
	}
}

// TestCoastsThatTouchTheBox: where a coast runs along the border of a box or only touches it, the other coasts
// say what is land, and without them it is unknown.
func TestCoastsThatTouchTheBox(t *testing.T) {
	box := Box{North: 100, East: 100}
	touching := []point{{-20, -20}, {0, 0}, {-20, 20}}
	outside := []point{{0, 30}, {0, 10}} // along the border, the land on the other side
	inside := []point{{0, 40}, {0, 60}}
	across := []point{{120, 50}, {-20, 50}} // the land is in the east
	island := []point{{10, 10}, {10, 20}, {20, 20}, {20, 10}, {10, 10}}
	for name, c := range map[string]struct {
		lines [][]point
		land  int // polygons; 0: unknown
		area  float64
	}{
		"touching":                  {[][]point{touching}, 0, 0},
		"touching, and another":     {[][]point{touching, across}, 1, 5000},
		"touching, and an island":   {[][]point{touching, island}, 1, 100},
		"touching at a side":        {[][]point{{{150, 50}, {100, 50}, {150, 60}}}, 0, 0},
		"along the border, outside": {[][]point{outside}, 0, 0},
		"outside, and another":      {[][]point{outside, across}, 1, 5000},
		"along the border, inside":  {[][]point{inside}, 1, 10000},
	} {
		polygons, ok := landOf(c.lines, box)
		require.Equal(t, c.land > 0, ok, name)
		require.Len(t, polygons, c.land, name)
		sum := 0.0
		for _, p := range polygons {
			sum += area(p[0]) / 2 * 1e14
		}
		require.InDelta(t, c.area, sum, 0.1, name)
	}
	for _, b := range []Box{{}, {North: 100}, {East: 100}, emptyBox, {South: 5, North: 100, West: 7, East: 7}} {
		_, ok := landOf([][]point{{{-20, 50}, {120, 50}}, {{-20, 7}, {120, 7}}}, b)
		require.False(t, ok, "%+v has no inside", b)
	}
}

func TestShorelines(t *testing.T) {
	_, err := ReadShoreline(strings.NewReader("{}"))
	require.ErrorIs(t, err, ErrArea)
	_, err = ReadShoreline(strings.NewReader(`{"type":"Polygon","coordinates":[[[0,0],[200,0],[1,1]]]}`))
	require.ErrorIs(t, err, ErrArea)
	_, err = ReadShoreline(strings.NewReader(`{"type":"FeatureCollection","features":[]}`))
	require.ErrorIs(t, err, ErrArea)
	_, err = ReadShoreline(strings.NewReader(`{"type":"Polygon","bbox":[5,5,4,4],"coordinates":[[[0,0],[2,0],[1,1]]]}`))
	require.ErrorIs(t, err, ErrArea)

	s, err := ReadShoreline(strings.NewReader(`{"type":"Polygon","coordinates":[[[-74,40],[-73.99,40],[-73.99,40.01],[-74,40]]]}`))
	require.NoError(t, err)
	require.Equal(t, Box{South: 400000000, West: -740000000, North: 400100000, East: -739900000}, s.Box)
	s, err = ReadShoreline(strings.NewReader(`{"type":"Polygon","bbox":[-75,39,-73,41],"coordinates":[[[-74,40],[-73.99,40],[-73.99,40.01],[-74,40]]]}`))
	require.NoError(t, err)
	m, err := Build(t.Context(), opening(squares(t).file.Bytes()), BuildOptions{Shoreline: s})
	require.NoError(t, err)
	require.Equal(t, []string{"earth ***"}, shown(m))
	require.Equal(t, Box{South: 390000000, West: -750000000, North: 410000000, East: -730000000}, *m.Meta().Shore)
}

// TestManhattanIsAnIsland: the shoreline is right to a few metres where the demonstration's cars drive.
func TestManhattanIsAnIsland(t *testing.T) {
	m := manhattanMap(t)
	dry, wet := 0, 0
	for i := 0; i < len(m.graph.shape); i += 10 {
		if isDry(m, m.graph.shape[i].geo()) {
			dry++
		} else {
			wet++
		}
	}
	require.Less(t, wet*40, dry, "streets are on land, but for bridges and tunnels")
	for _, p := range []geo.Point{{Lat: 40.75, Lng: -74.017}, {Lat: 40.81, Lng: -73.98}, {Lat: 40.735, Lng: -73.966}, {Lat: 40.69, Lng: -74.03}, {Lat: 40.775, Lng: -73.939}} {
		require.False(t, isDry(m, p), "%v is in the rivers", p)
	}
	for _, p := range []geo.Point{{Lat: 40.7831, Lng: -73.9712}, {Lat: 40.758, Lng: -73.9855}, {Lat: 40.762, Lng: -73.9497}, {Lat: 40.70, Lng: -73.95}, {Lat: 40.75, Lng: -74.05}} {
		require.True(t, isDry(m, p), "%v is on land", p)
	}
}

func isDry(m *Map, p geo.Point) bool {
	g := groundOf(m)
	lat, lng := p.E7()
	for i := range g.count() {
		if g.features[i].kind != land {
			continue
		}
		in := 0
		for _, ring := range g.parts(i) {
			if within(point{lat, lng}, ring) {
				in++
			}
		}
		if in%2 == 1 {
			return true
		}
	}
	return false
}

func TestJoinWays(t *testing.T) {
	rings, whole := joinWays([][]int64{{1, 2, 3}, {5, 4, 3}, {5, 1}, {7, 8, 9, 7}})
	require.True(t, whole)
	require.Equal(t, [][]int64{{1, 2, 3, 4, 5}, {7, 8, 9}}, rings)
	rings, whole = joinWays([][]int64{{1, 2, 3}, {3, 4}})
	require.False(t, whole)
	require.Empty(t, rings)
	_, whole = joinWays([][]int64{{1}})
	require.False(t, whole)
}
