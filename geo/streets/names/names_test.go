package names

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
)

// at is a point some metres north and east of a town's corner.
func at(north, east float64) geo.Point {
	p := geo.Point{Lat: 37.5, Lng: 127}
	return geo.Destination(geo.Destination(p, 0, north), 90, east)
}

// town makes an index of streets: those named with n: lead from west to east, n·100 m north of the corner;
// the others from south to north. They meet where both are 1 km long.
func town(across, along []string, more Input) *Index {
	in := more
	aliased := func(text string) (string, []Alias) {
		parts := strings.Split(text, "|")
		var also []Alias
		for _, p := range parts[1:] {
			lang, name, _ := strings.Cut(p, "=")
			also = append(also, Alias{lang, name})
		}
		return parts[0], also
	}
	for i, s := range across {
		name, also := aliased(s)
		y := float64(i) * 100
		in.Streets = append(in.Streets, StreetName{Name: name, Aliases: also, Middle: at(y, 500), South: at(y, 0), North: at(y, 1000)})
	}
	for i, s := range along {
		name, also := aliased(s)
		x := float64(i) * 100
		in.Streets = append(in.Streets, StreetName{Name: name, Aliases: also, Middle: at(500, x), South: at(0, x), North: at(1000, x)})
		for k := range across {
			in.Meetings = append(in.Meetings, Meeting{A: int32(k), B: int32(len(across) + i), At: at(float64(k)*100, x)})
		}
	}
	return New(in)
}

// hitNames are the names of an answer.
func hitNames(t testing.TB, x *Index, q Query) (out []string) {
	t.Helper()
	a, err := x.Search(t.Context(), q)
	require.NoError(t, err)
	for _, h := range a.Hits {
		out = append(out, described(h))
	}
	return out
}

func described(h Hit) string {
	text := h.Name
	if h.Kind == Address {
		text = h.Number + " @ " + h.Street
	}
	if h.Also != "" {
		text += " (" + h.Also + ")"
	}
	return text
}

func newYork() *Index {
	houses := []House{
		{"350", "5th Avenue", at(120, 10)}, {"350", "Fifth Ave", at(121, 11)}, {"12-3", "Broadway", at(200, 210)},
		{"12A", "Hidden Mews", at(333, 333)}, {"7", "5th Avenue", at(9000, 9000)},
	}
	return town(
		[]string{"West 33rd Street", "West 34th Street", "East 34th Street", "Houston Street", "Saint Mark's Place|=St. Marks Pl", "Łódź Straße"},
		[]string{"5th Avenue|ru=Пятая авеню", "6th Avenue|=Avenue of the Americas|en=Sixth Avenue", "Broadway", "Lexington Avenue", "Avenue A", "F.D.R. Drive"},
		Input{
			Places: []Place{
				{Kind: Station, Name: "Penn Station", Aliases: []Alias{{"ko", "펜 역"}}, At: at(150, 150)},
				{Kind: Hotel, Name: "Broadway Plaza Hotel", At: at(250, 250)}, {Kind: District, Name: "Midtown", At: at(100, 100)},
			},
			Houses: slices.Values(houses),
		})
}

func TestSearch(t *testing.T) {
	x := newYork()
	apart := []string{"5th Avenue", "6th Avenue"}
	for _, c := range []struct {
		query string
		want  []string // the first hits
	}{
		{"5 av", []string{"5th Avenue"}},
		{"FIFTH AVE.", []string{"5th Avenue"}},
		{"пятая", []string{"5th Avenue (Пятая авеню)"}},
		{"w 34 st", []string{"West 34th Street"}},
		{"34", []string{"East 34th Street", "West 34th Street"}},
		{"lexingtn", []string{"Lexington Avenue"}},
		{"lexigntno", nil},
		{"lex", []string{"Lexington Avenue"}},
		{"fdr drive", []string{"F.D.R. Drive"}},
		{"st marks pl", []string{"Saint Mark's Place"}},
		{"saint mark’s", []string{"Saint Mark's Place"}},
		{"lodz strasse", []string{"Łódź Straße"}},
		{"łódź str", []string{"Łódź Straße"}},
		{"americas", []string{"6th Avenue (Avenue of the Americas)"}},
		{"5 av & w 34th", []string{"5th Avenue & West 34th Street"}},
		{"w 34th st and 5th ave", []string{"West 34th Street & 5th Avenue"}},
		{"broadway at w 34th st", []string{"Broadway & West 34th Street"}},
		{"34 lexingtn", []string{"East 34th Street & Lexington Avenue", "West 34th Street & Lexington Avenue"}},
		{"5th houston", []string{"5th Avenue & Houston Street"}},
		{"ave a/houston", []string{"Avenue A & Houston Street"}},
		{"5th ave &", []string{"5th Avenue"}},
		{"5th & ho", []string{"5th Avenue & Houston Street"}},
		{"5th ave and 6th ave", apart},
		{"5th 6th", apart},
		{"350 5th ave", []string{"350 @ 5th Avenue"}},
		{"fifth avenue 350, new york", []string{"350 @ 5th Avenue"}},
		{"351 5th ave", []string{"5th Avenue"}},
		{"broadway 12-3", []string{"12-3 @ Broadway"}},
		{"12a hidden mews", []string{"12A @ Hidden Mews"}},
		{"hidden mews", nil}, // no street that cars use
		{"7 fifth avenue", []string{"7 @ 5th Avenue"}},
		{"penn", []string{"Penn Station"}},
		{"펜역", []string{"Penn Station (펜 역)"}},
		{"broadway", []string{"Broadway", "Broadway Plaza Hotel"}},
		{"Penn Station, NY", []string{"Penn Station"}},
		{"", nil}, {"&&&", nil}, {"  ", nil}, {"xyzzy", nil},
	} {
		got := hitNames(t, x, Query{Text: c.query})
		if c.want == nil {
			require.Empty(t, got, "%q", c.query)
			continue
		}
		require.GreaterOrEqual(t, len(got), len(c.want), "%q found %q", c.query, got)
		require.ElementsMatch(t, c.want, got[:len(c.want)], "%q found %q", c.query, got)
	}
}

func TestStreetsThatDoNotMeetAreOffered(t *testing.T) {
	x := newYork()
	a, err := x.Search(t.Context(), Query{Text: "5th ave & 6th ave", Lang: "en"})
	require.NoError(t, err)
	require.Equal(t, [2]string{"5th Avenue", "Sixth Avenue"}, a.Apart)
	require.Len(t, a.Hits, 2)
	a, err = x.Search(t.Context(), Query{Text: "5th ave & houston"})
	require.NoError(t, err)
	require.Empty(t, a.Apart[0])
}

func TestNearnessDecidesBetweenEquals(t *testing.T) {
	x := newYork()
	for _, c := range []struct {
		near geo.Point
		want string
	}{{at(0, 0), "West 34th Street"}, {at(900, 0), "East 34th Street"}} {
		require.Equal(t, c.want, hitNames(t, x, Query{Text: "34", Near: &c.near})[0])
	}
	require.Len(t, hitNames(t, x, Query{Text: "34", Limit: 1}), 1)
	_, err := x.Search(t.Context(), Query{Text: "34", Near: &geo.Point{Lat: 91}})
	require.Error(t, err)
}

func TestLanguages(t *testing.T) {
	x := newYork()
	require.Equal(t, "Sixth Avenue (Avenue of the Americas)", hitNames(t, x, Query{Text: "americas", Lang: "en"})[0])
	require.Equal(t, "Пятая авеню", hitNames(t, x, Query{Text: "5 av", Lang: "ru"})[0])
	require.Equal(t, "펜 역", hitNames(t, x, Query{Text: "penn", Lang: "ko"})[0])
	a, err := x.Search(t.Context(), Query{Text: "broadway"})
	require.NoError(t, err)
	require.Equal(t, "Midtown", a.Hits[0].District)
	require.Equal(t, Street, a.Hits[0].Kind)
	require.Equal(t, "Broadway", a.Hits[0].Street)
}

func TestKorean(t *testing.T) {
	houses := []House{{"152", "테헤란로", at(0, 300)}, {"10-2", "강남대로12길", at(100, 100)}, {"9", "논현로85번길", at(5, 5)}}
	x := town([]string{"테헤란로|en=Teheran-ro", "강남대로12길", "서울 숲길", "과천대로"}, []string{"강남대로|en=Gangnam-daero", "논현로", "봉은사로"}, Input{
		Places: []Place{{Kind: Station, Name: "강남역", At: at(0, 10)}}, Houses: slices.Values(houses),
	})
	for _, c := range []struct{ query, want string }{
		{"테헤란로", "테헤란로"},
		{"태헤란로", "테헤란로"},  // ㅐ for ㅔ
		{"테헤라", "테헤란로"},   // half a syllable
		{"테헬", "테헤란로"},    // ㄹ typed, shown as the end of the syllable before
		{"ㅌㅎㄹㄹ", "테헤란로"},  // initials
		{"ㄱㄴㄷㄹ", "강남대로"},  // of several, the one without more words
		{"ㅌㅎ", "테헤란로"},    // beginning of initials
		{"테헤란 로", "테헤란로"}, // a blank too many
		{"서울숲길", "서울 숲길"}, // one too few
		{"서울숲", "서울 숲길"},  //
		{"ㅅㅇㅅㄱ", "서울 숲길"}, //
		{"강남 대로12길", "강남대로12길"},
		{"강남대로 12 길", "강남대로12길"},
		{"강남대로12", "강남대로12길"},
		{"강남역", "강남역"},
		{"테헤란로와 강남대로", "테헤란로 & 강남대로"},
		{"강남대로와 테헤란로", "강남대로 & 테헤란로"},
		{"봉은사로랑 테헤란로", "봉은사로 & 테헤란로"},
		{"테헤란로 논현로", "테헤란로 & 논현로"},
		{"테헤란 논현", "테헤란로 & 논현로"},
		{"ㅌㅎㄹㄹ ㄴㅎㄹ", "테헤란로 & 논현로"},
		{"과천대로와 논현로", "과천대로 & 논현로"},
		{"teheran & gangnam", "테헤란로 & 강남대로"},
		{"테헤란로 152", "152 @ 테헤란로"},
		{"테헤란로152", "152 @ 테헤란로"},
		{"강남대로12길 10-2", "10-2 @ 강남대로12길"},
		{"논현로85번길 9", "9 @ 논현로85번길"},
	} {
		got := hitNames(t, x, Query{Text: c.query})
		require.NotEmpty(t, got, c.query)
		first, _, _ := strings.Cut(got[0], " (")
		require.Equal(t, c.want, first, "%q found %q", c.query, got)
	}
	require.Equal(t, "Teheran-ro & Gangnam-daero", hitNames(t, x, Query{Text: "테헤란로와 강남대로", Lang: "en"})[0])
}

func TestDualCarriagewaysMeetInTheirMiddle(t *testing.T) {
	in := Input{Streets: []StreetName{{Name: "Park Avenue"}, {Name: "East 42nd Street"}}}
	for _, p := range []geo.Point{at(0, 0), at(0, 20), at(20, 0), at(20, 20), at(5000, 0)} {
		in.Meetings = append(in.Meetings, Meeting{0, 1, p})
	}
	near := at(100, 0)
	a, err := New(in).Search(t.Context(), Query{Text: "park & 42", Near: &near})
	require.NoError(t, err)
	require.Len(t, a.Hits, 2, "they meet twice")
	require.InDelta(t, 0, geo.DistanceM(at(10, 10), a.Hits[0].At), 0.5)
	require.InDelta(t, 0, geo.DistanceM(at(5000, 0), a.Hits[1].At), 0.5)
}

func TestHousesAndStreetsAtAPoint(t *testing.T) {
	x := newYork()
	h, ok := x.HouseAt(at(122, 12), 30, "")
	require.True(t, ok)
	require.Equal(t, "350 @ 5th Avenue", described(h))
	_, ok = x.HouseAt(at(180, 12), 30, "")
	require.False(t, ok)
	s, away := x.StreetAt(6, at(130, 0), 500, "en")
	require.Equal(t, "5th Avenue", s.Street)
	require.Equal(t, "West 34th Street", s.Cross)
	require.InDelta(t, 30, away, 0.5)
	s, _ = x.StreetAt(6, at(130, 0), 5, "en")
	require.Empty(t, s.Cross)
}

func TestLongQueriesAreRefused(t *testing.T) {
	x := newYork()
	_, err := x.Search(t.Context(), Query{Text: strings.Repeat("한", MaxQuery)})
	require.NoError(t, err)
	_, err = x.Search(t.Context(), Query{Text: strings.Repeat("a", MaxQuery+1)})
	require.ErrorIs(t, err, ErrTooLong)
	require.EqualError(t, err, "a search has at most 120 characters")
}

func TestAnEmptyIndexFindsNothing(t *testing.T) {
	x := New(Input{})
	require.Empty(t, hitNames(t, x, Query{Text: "5th & 34th"}))
	_, ok := x.HouseAt(at(0, 0), 30, "")
	require.False(t, ok)
	require.Equal(t, Counts{}, x.Counts())
}

func TestKindsHaveNames(t *testing.T) {
	for k := range kinds {
		require.NotEmpty(t, k.String())
		require.Equal(t, k > Address, k.IsPlace())
	}
	require.Equal(t, "unknown", kinds.String())
	require.False(t, kinds.IsPlace())
}

func TestManyNamesOfOnePlaceAreBounded(t *testing.T) {
	var also []Alias
	for i := range 100 {
		also = append(also, Alias{Text: fmt.Sprintf("Name %d", i)})
	}
	x := New(Input{Places: []Place{{Kind: Park, Name: "Park", Aliases: also}}})
	require.Equal(t, maxAliases+1, x.Counts().Names)
}
