package streets

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets/pbf"
	"github.com/hexhail/hexhail/geo/streets/pbf/pbftest"
)

const block = `
a b c
d e f
g h i
`

// squares is a town of four blocks; letters stand 200 m apart.
func squares(t testing.TB) *town {
	return newTown(t, block).way("abc", "").way("def", "").way("ghi", "").way("adg", "").way("beh", "").way("cfi", "")
}

func (c *town) plan(m *Map, from, to geo.Place) geo.Plan {
	c.t.Helper()
	p, err := m.Plan(c.t.Context(), from, to, time.Time{})
	require.NoError(c.t, err)
	return p
}

func TestShortestWay(t *testing.T) {
	c := squares(t)
	m := c.mapped()
	p := c.plan(m, c.between('d', 'e'), c.between('c', 'f'))
	require.Equal(t, "ef", c.letters(p))
	require.Equal(t, "def", p.FromName)
	require.Equal(t, "cfi", p.ToName)
	require.Equal(t, m.ID(), p.MapID)
	require.Equal(t, []string{"depart def 245 m", "left cfi 60 m", "arrive cfi 0 m"}, steps(p))
	require.InDelta(t, 0.6*153.2+153.2+0.6*100.1, p.DistanceM, 1)
}

// TestCornersAreJoined: where there is nothing to choose there is no junction. Of nine letters, the
// middle and those of the sides are left.
func TestCornersAreJoined(t *testing.T) {
	c := newTown(t, block).way("abc", "name=ring").way("cfi", "name=ring").way("ihg", "name=ring").way("gda", "name=ring").way("def", "name=x").way("beh", "name=y")
	counts := c.mapped().Counts()
	require.Equal(t, 5, counts.Junctions)
	require.Equal(t, 8, counts.Streets)
	require.Equal(t, 16, counts.Edges)
	require.InDelta(t, 6*153.2+6*100.1, counts.LengthM[Residential], 1.5)

	alone := newTown(t, block).way("abcfihgda", "oneway=yes").mapped()
	require.Equal(t, 1, alone.Counts().Junctions, "a ring needs one junction to begin at")
}

func TestOneWayStreets(t *testing.T) {
	c := newTown(t, block).way("abc", "oneway=yes").way("cf", "oneway=yes").way("def", "oneway=-1").way("ad", "oneway=-1")
	m := c.mapped()
	require.Equal(t, "bcfed", c.letters(c.plan(m, c.between('a', 'b'), c.between('a', 'd'))))
	// Behind on the same street: once around.
	require.Equal(t, "bcfeda", c.letters(c.plan(m, c.between('b', 'a'), c.between('a', 'b')))[:6])
	// Ahead on the same street: no junction.
	p := c.plan(m, c.between('a', 'b'), c.between('b', 'a'))
	require.Empty(t, c.letters(p))
	require.Len(t, p.Line, 2)
	require.Equal(t, []string{"depart abc 31 m", "arrive abc 0 m"}, steps(p))
}

func TestBarriers(t *testing.T) {
	c := squares(t).node('e', "barrier=bollard")
	p := c.plan(c.mapped(), c.between('d', 'e'), c.between('f', 'e'))
	require.Len(t, c.letters(p), 5, "around the block: %s", c.letters(p))
	require.NotContains(t, c.letters(p), "e")

	c = squares(t).node('e', "barrier=gate")
	require.Equal(t, "e", c.letters(c.plan(c.mapped(), c.between('d', 'e'), c.between('f', 'e'))))
}

func TestServiceRoadsAreNoShortcuts(t *testing.T) {
	c := newTown(t, block).way("abc", "").way("cfi", "").way("ad", "").way("dgh", "").way("hi", "").way("def", "highway=service")
	m := c.mapped()
	p := c.plan(m, c.between('a', 'd'), c.between('c', 'f'))
	require.Equal(t, "abc", c.letters(p))
	s, err := m.Snap(c.between('d', 'e'))
	require.NoError(t, err)
	require.NotEqual(t, "def", m.Street(s.Segment).Name, "nor do rides begin there")
}

func TestWhatIsNotJoinedIsLeftOut(t *testing.T) {
	c := squares(t)
	c.file.Nodes = append(c.file.Nodes, pbf.Node{ID: 1, Lat: 405_000_000, Lng: -740_000_000}, pbf.Node{ID: 2, Lat: 405_010_000, Lng: -740_000_000})
	c.file.Ways = append(c.file.Ways, pbf.Way{ID: 1, Refs: []int64{1, 2}, Tags: tags("highway=primary")})
	m := c.mapped()
	require.InDelta(t, 111, m.Meta().Report.LeftOutM, 1)
	_, err := m.Snap(geo.Place{Point: geo.Point{Lat: 40.5, Lng: -74}})
	require.ErrorIs(t, err, geo.ErrNoRoute)
	require.EqualError(t, err, "no route: there is no street within 300 m")

	// A street that only leads in is left out as well.
	m = squares(t).way("ea", "oneway=yes").way("ci", "oneway=yes").mapped()
	require.Zero(t, m.Meta().Report.LeftOutM)
	c = newTown(t, "ab\ndc\n  e").way("abcda", "").way("ce", "oneway=yes")
	require.InDelta(t, 126, c.mapped().Meta().Report.LeftOutM, 1)
}

func TestMissingNodesInterruptAWay(t *testing.T) {
	c := squares(t).way("aZi", "").way("Ze", "").way("XY", "")
	m := c.mapped()
	require.Equal(t, 3, m.Meta().Report.MissingNodes)
	require.Equal(t, 12, m.Meta().Report.Ways+3)
	require.Equal(t, squares(t).mapped().Counts().Edges, m.Counts().Edges)
}

// TestTheAntimeridianInterruptsAWay: no street leads round the world instead, near to every place of
// its latitude.
func TestTheAntimeridianInterruptsAWay(t *testing.T) {
	c := squares(t)
	for i := range c.file.Nodes {
		n := &c.file.Nodes[i]
		n.Lng = []int32{1_799_970_000, 1_799_990_000, -1_799_990_000}[i%3]
	}
	m := c.mapped()
	for lng, ok := range map[float64]bool{179.997: true, 179.999: true, 0: false, -179.9: false, -179.999: false} {
		_, err := m.Snap(geo.Place{Point: geo.Point{Lat: townAt(1, 0).Lat, Lng: lng}})
		require.Equal(t, ok, err == nil, "%v: %v", lng, err)
	}
	require.InDelta(t, 2*100.1, m.Meta().Report.LeftOutM, 1, "the other side")
	require.Equal(t, [2]int32{1_799_970_000, 1_799_990_000}, [2]int32{m.Meta().Box.West, m.Meta().Box.East})
}

func TestReportCountsWhatIsLeftOut(t *testing.T) {
	c := squares(t).way("ai", "access=private").way("bd", "oneway=reversible").way("ei", "area=yes").way("fg", "highway=footway").node('a', "barrier=block")
	r := c.mapped().Meta().Report
	require.Equal(t, Report{Ways: 6, Nodes: 9, NotOpen: 1, Areas: 1, Reversible: 1, Blocked: 1}, r)
}

func TestTurnRestrictions(t *testing.T) {
	// The four streets at e are ways of their own, as mappers split them.
	cross := func() *town {
		return newTown(t, block).way("abc", "").way("ghi", "").way("adg", "").way("cfi", "").
			way("de", "name=middle").way("ef", "name=middle oneway=yes").way("eb", "name=up oneway=yes").way("he", "name=up")
	}
	for _, c := range []struct {
		town *town
		want string
		used int
	}{
		{cross(), "e", 0},
		{cross().turn("no_left_turn", "de", 'e', "eb"), "dghe", 1},
		{cross().turn("no_left_turn", "de", 'e', "ef"), "e", 1},
		{cross().turn("only_straight_on", "de", 'e', "ef"), "dghe", 1},
		{cross().turn("only_right_turn", "de", 'e', "he"), "dghe", 1},
		{cross().turn("only_left_turn", "de", 'e', "eb"), "e", 1},
		{cross().turn("no_u_turn", "de", 'e', "de"), "e", 1},
		{cross().turn("no_straight_on", "de", 'e', "ef").turn("no_left_turn", "de", 'e', "eb"), "dghe", 2},
	} {
		m := c.town.mapped()
		require.Equal(t, c.used, m.Meta().Report.Turns.Used)
		p := c.town.plan(m, c.town.between('d', 'e'), c.town.between('b', 'e'))
		require.Equal(t, c.want, c.town.letters(p))
		// The turn is open to those who come from elsewhere.
		require.Equal(t, "e", c.town.letters(c.town.plan(m, c.town.between('h', 'e'), c.town.between('b', 'e'))))
	}
}

func TestTurnRestrictionsThatDoNotCount(t *testing.T) {
	c := squares(t).turn("no_left_turn", "def", 'e', "beh") // passes through
	c.turn("no_left_turn", "abc", 'a', "adg")               // used
	c.turn("no_left_turn", "abc", 'e', "adg")               // not at that node
	c.file.Relations = append(c.file.Relations,
		pbf.Relation{Tags: tags("type=restriction restriction=no_left_turn"), Members: []pbf.Member{{Type: pbf.WayMember, Role: "via"}}},
		pbf.Relation{Tags: tags("type=restriction restriction:conditional=no")},
		pbf.Relation{Tags: tags("type=restriction restriction=no_left_turn")})
	m := c.mapped()
	require.Equal(t, TurnReport{Used: 1, ViaWays: 1, Conditional: 1, Broken: 2, Elsewhere: 1}, m.Meta().Report.Turns)
	require.Equal(t, squares(t).mapped().Counts().Junctions+2, m.Counts().Junctions, "a copy of one corner, and one without the way back")
}

func TestTheSameExtractGivesTheSameMap(t *testing.T) {
	var files [2]bytes.Buffer
	for i := range files {
		_, err := squares(t).turn("no_left_turn", "abc", 'a', "adg").turn("only_left_turn", "abc", 'c', "cfi").mapped().WriteTo(&files[i])
		require.NoError(t, err)
	}
	require.Equal(t, files[0].Bytes(), files[1].Bytes())
}

func TestCutOut(t *testing.T) {
	c := squares(t)
	area, err := BoxArea(townAt(-0.5, -0.5), townAt(2.5, 2.5)) // without c, f, i
	require.NoError(t, err)
	m, err := Build(t.Context(), opening(c.file.Bytes()), BuildOptions{Area: area})
	require.NoError(t, err)
	require.Equal(t, 6, m.Meta().Report.Nodes)
	_, err = m.Snap(c.between('c', 'f'))
	require.NoError(t, err, "200 m away")
	area, err = BoxArea(townAt(10, 10), townAt(20, 20))
	require.NoError(t, err)
	_, err = Build(t.Context(), opening(c.file.Bytes()), BuildOptions{Area: area})
	require.ErrorIs(t, err, ErrNoRoads)
}

// TestWhatLiesOutsideLeavesNothing, of ways with one node inside as well: neither names, which would keep much of the extract in memory, nor
// counts of what is left out of other places.
func TestWhatLiesOutsideLeavesNothing(t *testing.T) {
	c := squares(t).way("ai", "access=private").way("bd", "oneway=reversible").way("ei", "area=yes").node('a', "barrier=block").
		turn("no_left_turn", "abc", 'a', "adg").turn("no_left_turn", "abc", 'e', "adg").turn("wrong", "abc", 'a', "adg")
	c.file.Relations = append(c.file.Relations, pbf.Relation{
		Tags: tags("type=restriction restriction:conditional=no"), Members: []pbf.Member{{Type: pbf.WayMember, ID: c.names["ghi"], Role: "from"}},
	})
	read := func(south, west, north, east float64) *extract {
		area, err := BoxArea(townAt(south, west), townAt(north, east))
		require.NoError(t, err)
		var inside []int64
		for _, n := range c.file.Nodes {
			if area.Contains(n.Lat, n.Lng) {
				inside = append(inside, n.ID)
			}
		}
		x := newExtract(nil)
		require.NoError(t, x.readWays(t.Context(), opening(c.file.Bytes()), true, inside, nil))
		return x
	}
	for _, x := range []*extract{read(10, 10, 20, 20), read(-0.5, 1.5, 0.5, 2.5)} {
		require.Equal(t, []string{""}, x.names)
		require.Zero(t, x.report)
		require.Empty(t, x.ways)
		require.Empty(t, x.restrictions)
	}
	x := read(0.5, -0.5, 2.5, 4.5) // without g, h, i
	require.Equal(t, []string{"", "abc", "def", "adg", "beh", "cfi"}, x.names)
	require.Equal(t, Report{Ways: 5, NotOpen: 1, Areas: 1, Reversible: 1, Turns: TurnReport{Broken: 1}}, x.report)
	require.Len(t, x.restrictions, 2)
}

func TestBuildFails(t *testing.T) {
	build := func(b []byte) error {
		_, err := Build(t.Context(), opening(b), BuildOptions{})
		return err
	}
	good := squares(t).file.Bytes()
	require.EqualError(t, build(pbftest.File{}.Bytes()), "there are no roads for cars in it")
	require.ErrorIs(t, build(newTown(t, block).way("abc", "highway=footway").file.Bytes()), ErrNoRoads)
	require.ErrorIs(t, build(newTown(t, block).way("abc", "oneway=yes").file.Bytes()), ErrNoRoads, "no way back")
	require.ErrorIs(t, build(newTown(t, block).way("XYZ", "").file.Bytes()), ErrNoRoads, "no nodes")
	require.ErrorIs(t, build(good[:len(good)-1]), pbf.ErrCut)
	require.ErrorIs(t, build([]byte("text, text, text")), pbf.ErrNotPBF)

	mine := errors.New("mine")
	_, err := Build(t.Context(), func() (io.ReadCloser, error) { return nil, mine }, BuildOptions{})
	require.ErrorIs(t, err, mine)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Build(ctx, opening(good), BuildOptions{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestProgress(t *testing.T) {
	var seen []string
	area, err := BoxArea(townAt(-1, -1), townAt(9, 9))
	require.NoError(t, err)
	c := squares(t)
	_, err = Build(t.Context(), opening(c.file.Bytes()), BuildOptions{Area: area, Progress: func(step string, done, _ int64) {
		require.GreaterOrEqual(t, done, int64(0))
		if len(seen) == 0 || seen[len(seen)-1] != step {
			seen = append(seen, step)
		}
	}})
	require.NoError(t, err)
	require.Equal(t, "Finding nodes in the area, Reading streets, Reading nodes", strings.Join(seen, ", "))
}
