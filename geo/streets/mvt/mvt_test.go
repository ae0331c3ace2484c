package mvt_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo/streets/mvt"
	"github.com/hexhail/hexhail/geo/streets/mvt/mvttest"
)

func TestTilesAreReadAsTheyWereWritten(t *testing.T) {
	l := mvt.NewLayer("roads")
	g := mvt.NewGeometry(mvt.Lines)
	l.Add(g) // empty
	g.AddLine([]mvt.Point{{X: 1, Y: 2}, {X: 1, Y: 2}})
	l.Add(g) // still
	g.AddLine([]mvt.Point{{X: 1, Y: 2}, {X: 1, Y: 2}, {X: -64, Y: 4160}, {X: 7, Y: 0}})
	g.AddLine([]mvt.Point{{X: 3, Y: 3}, {X: 4, Y: 4}})
	l.Add(g, mvt.Tag{Key: "kind", Value: mvt.Text("path")}, mvt.Tag{Key: "is_link", Value: mvt.True()}, mvt.Tag{Key: "rank", Value: mvt.Number(300)})
	g.Reset(mvt.Lines)
	g.AddLine([]mvt.Point{{X: 5, Y: 5}, {X: 6, Y: 5}})
	l.Add(g, mvt.Tag{Key: "kind", Value: mvt.Text("path")})

	water := mvt.NewLayer("water")
	square := []mvt.Point{{X: 0, Y: 0}, {X: 10, Y: 0}, {X: 10, Y: 10}, {X: 0, Y: 10}}
	g.Reset(mvt.Polygons)
	require.False(t, g.AddRing([]mvt.Point{{X: 0, Y: 0}, {X: 5, Y: 5}, {X: 9, Y: 9}}, false), "no area")
	require.True(t, g.AddRing(append(slices.Clone(square), square[0]), false))
	require.True(t, g.AddRing([]mvt.Point{{X: 2, Y: 2}, {X: 4, Y: 2}, {X: 4, Y: 4}}, true))
	water.Add(g)

	var tile mvt.Tile
	tile.Append(mvt.NewLayer("nothing"))
	require.Nil(t, tile.Bytes())
	tile.Append(l)
	tile.Append(water)
	got, err := mvttest.Read(tile.Bytes())
	require.NoError(t, err)
	require.Equal(t, mvttest.Layers{
		"roads": {
			{
				Kind: mvt.Lines, Tags: map[string]any{"kind": "path", "is_link": true, "rank": uint64(300)},
				Parts: [][]mvt.Point{{{X: 1, Y: 2}, {X: -64, Y: 4160}, {X: 7, Y: 0}}, {{X: 3, Y: 3}, {X: 4, Y: 4}}},
			},
			{Kind: mvt.Lines, Tags: map[string]any{"kind": "path"}, Parts: [][]mvt.Point{{{X: 5, Y: 5}, {X: 6, Y: 5}}}},
		},
		"water": {{
			Kind: mvt.Polygons, Tags: map[string]any{},
			Parts: [][]mvt.Point{square, {{X: 4, Y: 4}, {X: 4, Y: 2}, {X: 2, Y: 2}}},
		}},
	}, got, "outer rings run clockwise as tiles are seen, holes against it")
}

// TestRingsOfBothDirections: the caller need not know which way round its rings are.
func TestRingsOfBothDirections(t *testing.T) {
	g := mvt.NewGeometry(mvt.Polygons)
	ring := []mvt.Point{{X: 0, Y: 0}, {X: 9, Y: 0}, {X: 9, Y: 9}}
	for range 2 {
		for _, hole := range []bool{false, true} {
			g.Reset(mvt.Polygons)
			require.True(t, g.AddRing(slices.Clone(ring), hole))
			l := mvt.NewLayer("x")
			l.Add(g)
			var tile mvt.Tile
			tile.Append(l)
			got, err := mvttest.Read(tile.Bytes())
			require.NoError(t, err)
			require.Equal(t, hole, mvt.Area(got["x"][0].Parts[0]) < 0)
		}
		slices.Reverse(ring)
	}
}

func randomPoints(r *rand.Rand, n int, from, to int32) []mvt.Point {
	pts := make([]mvt.Point, n)
	for i := range pts {
		pts[i] = mvt.Point{X: from + r.Int32N(to-from), Y: from + r.Int32N(to-from)}
	}
	return pts
}

// TestClippedLines compares clipping with points along the line, one after another.
func TestClippedLines(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	box := mvt.Box{MinX: -10, MinY: -10, MaxX: 110, MaxY: 110}
	var buf []mvt.Point
	for range 2000 {
		line := randomPoints(r, 2+r.IntN(6), -200, 300)
		var got [][]mvt.Point
		buf = box.Line(line, buf, func(p []mvt.Point) { got = append(got, slices.Clone(p)) })
		for _, part := range got {
			for _, p := range part {
				require.True(t, p.X >= box.MinX && p.X <= box.MaxX && p.Y >= box.MinY && p.Y <= box.MaxY)
			}
		}
		for i := range len(line) - 1 {
			for s := range 101 {
				x := float64(line[i].X) + float64(line[i+1].X-line[i].X)*float64(s)/100
				y := float64(line[i].Y) + float64(line[i+1].Y-line[i].Y)*float64(s)/100
				if x > -9 && x < 109 && y > -9 && y < 109 {
					require.Less(t, toLines(got, x, y), 1.5)
				}
			}
		}
	}
}

func toLines(lines [][]mvt.Point, x, y float64) float64 {
	best := 1e18
	for _, l := range lines {
		for i := range len(l) - 1 {
			ax, ay := float64(l[i].X)-x, float64(l[i].Y)-y
			dx, dy := float64(l[i+1].X-l[i].X), float64(l[i+1].Y-l[i].Y)
			u := 0.0
			if q := dx*dx + dy*dy; q > 0 {
				u = max(0, min(1, -(ax*dx+ay*dy)/q))
			}
			ax, ay = ax+u*dx, ay+u*dy
			best = min(best, ax*ax+ay*ay)
		}
	}
	return best
}

// TestClippedRings compares clipping with asking each point of the box whether the ring goes round it.
func TestClippedRings(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	box := mvt.Box{MinX: 0, MinY: 0, MaxX: 60, MaxY: 60}
	var out, spare []mvt.Point
	for range 1500 {
		ring := randomPoints(r, 3+r.IntN(12), -100, 160)
		out, spare = box.Ring(ring, out, spare)
		for _, p := range out {
			require.True(t, p.X >= box.MinX && p.X <= box.MaxX && p.Y >= box.MinY && p.Y <= box.MaxY)
		}
		for range 60 {
			x, y := 60*r.Float64(), 60*r.Float64()
			if toLines([][]mvt.Point{append(slices.Clone(ring), ring[0]), append(slices.Clone(out), out...)}, x, y) < 4 {
				continue // clipping rounds
			}
			require.Equal(t, winds(ring, x, y), winds(out, x, y), "%v at %.1f %.1f: %v", ring, x, y, out)
		}
	}
}

// winds is how often a ring goes round a point.
func winds(ring []mvt.Point, x, y float64) (n int) {
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		if (float64(p.Y) > y) == (float64(q.Y) > y) {
			continue
		}
		at := float64(p.X) + float64(q.X-p.X)*(y-float64(p.Y))/float64(q.Y-p.Y)
		if at < x {
			continue
		}
		if q.Y > p.Y {
			n++
		} else {
			n--
		}
	}
	return n
}
