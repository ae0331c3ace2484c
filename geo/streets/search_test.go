package streets

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets/names"
	"github.com/hexhail/hexhail/geo/streets/pbf"
)

var timesSquare = geo.Point{Lat: 40.7580, Lng: -73.9855}

// found are the names that a search finds.
func found(t testing.TB, m *Map, q names.Query) (out []string) {
	t.Helper()
	a, err := m.Search(t.Context(), q)
	require.NoError(t, err)
	for _, h := range a.Hits {
		out = append(out, h.Name)
		require.NoError(t, h.At.Validate())
	}
	return out
}

func TestManhattanIsFoundAsPeopleWriteIt(t *testing.T) {
	m := manhattanMap(t)
	for query, want := range map[string]string{
		"E 42 St": "East 42nd Street", "east 42nd street": "East 42nd Street", "E. 42nd": "East 42nd Street",
		"5th av": "5th Avenue", "Fifth Avenue": "5th Avenue", "brodway": "Broadway", "Broadwya": "Broadway",
		"lexingtn": "Lexington Avenue", "w 34": "West 34th Street", "fdr": "FDR Drive", "St Marks Pl": "Saint Mark's Place",
		"Malcolm": "Malcolm X Boulevard", "wall": "Wall Street", "park ave s": "Park Avenue South", "avenue of the americas": "6th Avenue",
		"350 5th Avenue, New York": "5th Avenue", "columbus circle": "Columbus Circle",

		"5th Avenue & West 34th Street": "5th Avenue & West 34th Street", "5 av & w 34th": "5th Avenue & West 34th Street",
		"w 34 st and 5 ave": "West 34th Street & 5th Avenue", "34 5th": "West 34th Street & 5th Avenue",
		"broadway at w 42nd st": "Broadway & West 42nd Street", "broadway / w 42": "Broadway & West 42nd Street",
		"lexington e 86": "Lexington Avenue & East 86th Street", "canal bowery": "Canal Street & Bowery",
		"bway and houston": "Broadway & West Houston Street", "E 42 St Lexingtn Ave": "East 42nd Street & Lexington Avenue",
		"50th & 8th": "West 50th Street & 8th Avenue",
	} {
		got := found(t, m, names.Query{Text: query, Near: &timesSquare})
		require.NotEmpty(t, got, query)
		require.Equal(t, want, got[0], "%q found %q", query, got)
	}
	a, err := m.Search(t.Context(), names.Query{Text: "5th ave & 6th ave"})
	require.NoError(t, err)
	require.Equal(t, [2]string{"5th Avenue", "6th Avenue"}, a.Apart)
	require.Len(t, a.Hits, 2)
	_, err = m.Search(t.Context(), names.Query{Text: strings.Repeat("x", names.MaxQuery+1)})
	require.ErrorIs(t, err, names.ErrTooLong)
}

// TestEveryStreetFindsItself holds how often a name finds its street first, and with a letter dropped in
// its longest word among the first eight.
func TestEveryStreetFindsItself(t *testing.T) {
	m := manhattanMap(t)
	all, first, dropped := 0, 0, 0
	for _, s := range m.finder().named.list {
		all++
		if got := found(t, m, names.Query{Text: s.Name}); len(got) > 0 && got[0] == s.Name {
			first++
		}
		if slices.Contains(found(t, m, names.Query{Text: withoutALetter(s.Name), Limit: 8}), s.Name) {
			dropped++
		}
	}
	require.Greater(t, all, 800)
	require.GreaterOrEqual(t, first*100, all*99, "%d of %d", first, all)
	require.GreaterOrEqual(t, dropped*100, all*98, "%d of %d", dropped, all)
	t.Logf("of %d streets %d find themselves first, %d with a letter dropped among the first eight", all, first, dropped)
}

// withoutALetter drops a letter in the middle of the longest word that is no number.
func withoutALetter(name string) string {
	r := []rune(name)
	at, longest, from := 0, 0, 0
	for i := 0; i <= len(r); i++ {
		if i == len(r) || !unicode.IsLetter(r[i]) {
			if i-from > longest {
				longest, at = i-from, from+(i-from)/2
			}
			from = i + 1
		}
	}
	return string(slices.Delete(r, at, at+1))
}

// TestEveryCrossingIsFoundInBothOrders asks for each crossing by both names.
func TestEveryCrossingIsFoundInBothOrders(t *testing.T) {
	m := manhattanMap(t)
	f := m.finder()
	r := rand.New(rand.NewPCG(3, 3))
	for range 300 {
		v := f.named.meets[r.IntN(len(f.named.meets))]
		a, b := f.named.list[v.A].Name, f.named.list[v.B].Name
		for _, pair := range [][2]string{{a, b}, {b, a}} {
			text, want := pair[0]+" and "+pair[1], pair[0]+" & "+pair[1]
			if len(text) > names.MaxQuery {
				continue
			}
			answer, err := m.Search(t.Context(), names.Query{Text: text, Near: &v.At})
			require.NoError(t, err)
			i := slices.IndexFunc(answer.Hits, func(h names.Hit) bool { return h.Kind == names.Crossing && h.Name == want })
			require.GreaterOrEqual(t, i, 0, "%q", text)
			require.Less(t, geo.DistanceM(answer.Hits[i].At, v.At), 300.0, "%q", text)
		}
	}
}

func TestReverse(t *testing.T) {
	m := manhattanMap(t)
	for _, c := range []struct {
		at                  geo.Point
		kind                names.Kind
		street, cross, near string
	}{
		{timesSquare, names.Crossing, "7th Avenue", "West 45th Street", ""},
		{geo.Point{Lat: 40.7489, Lng: -73.9844}, names.Street, "5th Avenue", "", "East 35th Street"},
		{geo.Point{Lat: 40.7484, Lng: -73.9857}, names.Street, "West 33rd Street", "", "5th Avenue"},
	} {
		s, ok, err := m.Reverse(c.at, "")
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, c.kind, s.Kind)
		require.Equal(t, []string{c.street, c.cross, c.near}, []string{s.Street, s.Cross, s.Near})
		require.InDelta(t, geo.DistanceM(c.at, s.At), s.AwayM, 0.1)
	}
	_, ok, err := m.Reverse(geo.Point{Lat: 40.5, Lng: -74.0170}, "")
	require.NoError(t, err)
	require.False(t, ok, "the sea has no street")
	_, _, err = m.Reverse(geo.Point{Lat: 91}, "")
	require.Error(t, err)
}

// TestReverseNamesServiceRoads: a name counts on any road, however many lie around.
func TestReverseNamesServiceRoads(t *testing.T) {
	m := newTown(t, "a  b\nc  d").way("ac", "highway=residential name=Left").way("ab", "highway=service name=Alley").
		way("cd", "highway=residential name=Other").mapped()
	for _, c := range []struct {
		north, east  float64
		street, near string
	}{{1, 1, "Alley", "Left"}, {1.2, 2.9, "Alley", "Left"}, {0.4, 1.5, "Other", "Left"}, {2.4, 2, "Alley", "Left"}} {
		s, ok, err := m.Reverse(townAt(c.north, c.east), "")
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, []string{c.street, c.near}, []string{s.Street, s.Near}, "%v north, %v east", c.north, c.east)
	}
	_, ok, err := m.Reverse(townAt(2.6, 2), "")
	require.NoError(t, err)
	require.False(t, ok, "160 m are too far")
}

// lettered is a town with places and addresses.
func lettered(t testing.TB) *town {
	c := newTown(t, `
a b c
d e f
g h i
`)
	street := func(letters, name string, more ...pbf.Tag) {
		c.way(letters, "")
		tags := pbf.Tags{{Key: "highway", Value: "residential"}, {Key: "name", Value: name}}
		c.file.Ways[len(c.file.Ways)-1].Tags = append(tags, more...)
	}
	street("abc", "테헤란로", pbf.Tag{Key: "name:en", Value: "Teheran-ro"}, pbf.Tag{Key: "name:pronunciation", Value: "no language"})
	street("def", "Main Street", pbf.Tag{Key: "alt_name", Value: "High Street;Main Street"}, pbf.Tag{Key: "old_name", Value: "King's Road"})
	street("ghi", "North Street")
	street("adg", "강남대로", pbf.Tag{Key: "name:en", Value: "Gangnam-daero"})
	street("beh", "Side Street")
	street("cfi", "", pbf.Tag{Key: "ref", Value: "B 7"})
	for i, p := range []struct {
		north, east float64
		tags        string
	}{
		{2.1, 1, "addr:housenumber=152 addr:street=테헤란로"}, // 10 m off its street
		{1.5, 1, "addr:housenumber=7 addr:place=Hof"},
		{0.5, 1, "amenity=hospital name=Charité name:en=Charity"},
		{0.5, 1, "amenity=bench name=Bench"}, {0.5, 1, "amenity=hospital"}, {1, 3, "place=suburb name=Old~Town"},
	} {
		lat, lng := townAt(p.north, p.east).E7()
		c.file.Nodes = append(c.file.Nodes, pbf.Node{ID: int64(5000 + i), Lat: lat, Lng: lng, Tags: tags(p.tags)})
	}
	var corners []int64
	for i, p := range [][2]float64{{1.1, 3.1}, {1.1, 3.3}, {1.3, 3.3}, {1.3, 3.1}} {
		lat, lng := townAt(p[0], p[1]).E7()
		c.file.Nodes = append(c.file.Nodes, pbf.Node{ID: int64(6000 + i), Lat: lat, Lng: lng})
		corners = append(corners, int64(6000+i))
	}
	c.file.Ways = append(c.file.Ways, pbf.Way{
		ID: 7000, Refs: append(corners, corners[0]), Tags: tags("building=yes addr:housenumber=9a addr:street=Main~Street tourism=hotel name=Ritz"),
	})
	return c
}

func TestPlacesAndAddressesOfAnExtract(t *testing.T) {
	c := lettered(t)
	built := c.mapped()
	loaded, err := Read(bytes.NewReader(written(t, built)))
	require.NoError(t, err)
	require.Equal(t, 3, built.Meta().Report.Places)
	require.Equal(t, 3, built.Meta().Report.Addresses)
	for _, m := range []*Map{built, loaded} {
		for query, want := range map[string]string{
			"high st": "Main Street", "kings road": "Main Street", "teheran": "테헤란로", "b 7": "B 7", "charite": "Charité", "charity": "Charité",
			"ritz": "Ritz", "old town": "Old Town", "테헤란로와 강남대로": "테헤란로 & 강남대로",
		} {
			got := found(t, m, names.Query{Text: query})
			require.NotEmpty(t, got, query)
			require.Equal(t, want, got[0], query)
		}
		for _, query := range []string{"bench", "no language", "hof"} {
			require.Empty(t, found(t, m, names.Query{Text: query}), query)
		}
		a, err := m.Search(t.Context(), names.Query{Text: "9a main street", Lang: "en"})
		require.NoError(t, err)
		require.Equal(t, names.Address, a.Hits[0].Kind)
		require.Equal(t, "9a", a.Hits[0].Number)
		require.Equal(t, "Old Town", a.Hits[0].District)
		require.InDelta(t, 0, geo.DistanceM(townAt(1.2, 3.2), a.Hits[0].At), 1, "the middle of the house")

		s, ok, err := m.Reverse(townAt(2.1, 1.1), "en")
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, names.Address, s.Kind)
		require.Equal(t, []string{"152", "Teheran-ro"}, []string{s.Number, s.Street})
		s, ok, err = m.Reverse(townAt(1.6, 0), "en")
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, []string{"Gangnam-daero", "Teheran-ro"}, []string{s.Street, s.Near})
	}
	require.NotEqual(t, squares(t).mapped().ID(), built.ID())
}

// TestPlacesOutsideOfTheAreaAreLeftOut cuts the town to its western half.
func TestPlacesOutsideOfTheAreaAreLeftOut(t *testing.T) {
	c := lettered(t)
	area, err := BoxArea(townAt(-1, -1), townAt(5, 2.5))
	require.NoError(t, err)
	m, err := Build(t.Context(), opening(c.file.Bytes()), BuildOptions{Name: "town", Builder: "test", Area: area})
	require.NoError(t, err)
	require.Equal(t, 1, m.Meta().Report.Places)
	require.Equal(t, 2, m.Meta().Report.Addresses)
	require.NotContains(t, m.graph.places.texts, "9a")
	require.Empty(t, found(t, m, names.Query{Text: "ritz"}))
}

func TestStreetsOfOneNameFarApartAreTwo(t *testing.T) {
	c := newTown(t, "a b")
	c.way("ab", "name=Long")
	for i := range 60 { // each piece 1 km; the first and the last third have one name
		a, b := int64(9000+i), int64(9001+i)
		if i == 0 {
			a = c.id['b']
		}
		lat, lng := townAt(0, 10*float64(i+1)).E7()
		c.file.Nodes = append(c.file.Nodes, pbf.Node{ID: b, Lat: lat, Lng: lng})
		name := "High"
		if i >= 20 && i < 40 {
			name = "Low"
		}
		c.file.Ways = append(c.file.Ways, pbf.Way{ID: int64(9500 + i), Refs: []int64{a, b}, Tags: tags("highway=primary name=" + name)})
	}
	m := c.mapped()
	require.Len(t, found(t, m, names.Query{Text: "high"}), 2)
	require.Len(t, found(t, m, names.Query{Text: "low"}), 1)
	east := townAt(0, 700)
	a, err := m.Search(t.Context(), names.Query{Text: "high", Near: &east})
	require.NoError(t, err)
	require.Less(t, geo.DistanceM(a.Hits[0].At, east), geo.DistanceM(a.Hits[1].At, east))
}

func TestSearchesShareOneIndex(t *testing.T) {
	m := squares(t).mapped()
	done := make(chan names.Counts)
	for range 4 {
		go func() { done <- m.NameCounts() }()
	}
	for range 4 {
		require.Equal(t, 6, (<-done).Names)
	}
	other, err := m.WithModel(DefaultModel())
	require.NoError(t, err)
	require.Same(t, m.finder().index, other.finder().index, "a model changes no name")
}

// BenchmarkSearch asks for Manhattan's names, once as they are and once with a mistake. Its floor looks at every
// name once: a search by comparing bytes.
func BenchmarkSearch(b *testing.B) {
	m := manhattanMap(b)
	begun := time.Now()
	fresh := *m
	fresh.names = new(finder)
	fresh.PrepareSearch()
	b.Logf("index made in %v", time.Since(begun))
	m.PrepareSearch()
	var queries []string
	list := m.finder().named.list
	for i, s := range list {
		queries = append(queries, s.Name, withoutALetter(s.Name), s.Name[:min(len(s.Name), 6)], s.Name+" "+list[(i*7+1)%len(list)].Name)
	}
	b.Run("search", func(b *testing.B) {
		timed(b, func(i int) {
			_, _ = m.Search(b.Context(), names.Query{Text: queries[i%len(queries)], Near: &timesSquare, Limit: 6})
		})
	})
	b.Run("floor", func(b *testing.B) {
		n := 0
		timed(b, func(i int) {
			q := strings.ToLower(queries[i%len(queries)])
			for _, s := range list {
				if strings.Contains(strings.ToLower(s.Name), q) {
					n++
				}
			}
		})
		require.Positive(b, n)
	})
	b.Run("reverse", func(b *testing.B) {
		r := rand.New(rand.NewPCG(7, 7))
		at := make([]geo.Point, 1000)
		for i := range at {
			at[i] = somewhere(r, m)
		}
		timed(b, func(i int) { _, _, _ = m.Reverse(at[i%len(at)], "") })
	})
}
