package names

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hexhail/hexhail/geo"
)

// distance is the number of mistakes between two words, by the textbook's table: letters wrong, missing,
// too many, or swapped with the next.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	d := make([][]int, len(x)+1)
	for i := range d {
		d[i] = make([]int, len(y)+1)
		for j := range d[i] {
			switch {
			case i == 0:
				d[i][j] = j
			case j == 0:
				d[i][j] = i
			default:
				cost := 1
				if x[i-1] == y[j-1] {
					cost = 0
				}
				d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
				if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
					d[i][j] = min(d[i][j], d[i-2][j-2]+1)
				}
			}
		}
	}
	return d[len(x)][len(y)]
}

// word draws a short word of few letters, so that many are alike.
var word = rapid.StringMatching(`[abc]{1,6}|[ab]{2}é[ab]|ㄱㅏ[ㄱㄴ]ㅏ[ㄱㄴ]|[12]{1,3}`)

func TestMistakesAreThoseOfTheTextbook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfDistinct(word, rapid.ID).Draw(t, "words")
		slices.Sort(words)
		d := newDict(words)
		w := word.Draw(t, "query")
		var want []int32
		for i, c := range words {
			if mistakable(w) && mistakable(c) && distance(w, c) == 1 {
				want = append(want, int32(i))
			}
			if c != w {
				require.Equal(t, distance(w, c) == 1, oneAway(w, c), "%s %s", w, c)
			}
		}
		require.Equal(t, want, d.mistaken(w))
		lo, hi := d.beginning(w)
		for i, c := range words {
			require.Equal(t, strings.HasPrefix(c, w), lo <= int32(i) && int32(i) < hi)
		}
	})
}

// slowly finds what a query meets by comparing it with every word of every name.
func slowly(x *Index, query []token) map[int32]int {
	out := map[int32]int{}
	for l := range x.labels {
		b := &x.labels[l]
		used := make([]bool, b.words)
		total, last, turned, ok := 0, -1, 0, true
		for i, q := range query {
			best, at := -1, 0
			for _, o := range x.occursOf(int32(l)) {
				p := compared(q, x.dict.words[o.word], i == len(query)-1, x.dict)
				if p >= 0 && !used[o.at] && (best < 0 || p < best) {
					best, at = p, int(o.at)
				}
			}
			if best < 0 {
				ok = false
				break
			}
			used[at] = true
			total += best * wordWeight
			if at < last {
				turned = 1
			}
			last = at
		}
		if !ok {
			continue
		}
		for i, u := range used {
			if !u && b.plain&(1<<i) != 0 {
				total += plainWord
			} else if !u {
				total += otherWord
			}
		}
		if b.alias >= 0 {
			total++
		}
		if score, ok := out[b.doc]; !ok || total+turned < score {
			out[b.doc] = total + turned
		}
	}
	return out
}

// compared compares a word of a query with one of a name.
func compared(q token, w string, last bool, d *dict) int {
	switch {
	case q.text == w || slices.Contains(q.forms, w):
		return 0
	case !q.number && (last || len(q.text) > 1) && strings.HasPrefix(w, q.text):
		return asBeginning
	case !q.number && !slices.ContainsFunc(append([]string{q.text}, q.forms...), func(f string) bool { return slices.Contains(d.words, f) }) &&
		mistakable(q.text) && mistakable(w) && distance(q.text, w) == 1:
		return asMistake
	}
	return -1
}

var title = rapid.StringMatching(`((north|east|old|st|saint|12th|3rd|main|mian|elm|park|강남|강남대로|테헤란로) ){1,3}(street|road|st|avenue|12|ave|길)`)

func TestFindingIsComparingWithEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var in Input
		for _, name := range rapid.SliceOfN(title, 1, 30).Draw(t, "names") {
			in.Places = append(in.Places, Place{Kind: Park, Name: name, Aliases: []Alias{{Text: "the " + name}}})
		}
		x := New(in)
		query := fold(rapid.OneOf(title, rapid.StringMatching(`(n|ea|elm|mai|mani|3|saint|강|ㄱㄴ|테헤)( (s|ave|12|r|길))?`)).Draw(t, "query"))
		s := search{x: x}
		got := map[int32]int{}
		found, _ := x.find(s.wanted(query, true), maxLooked, func(int32) bool { return true })
		for _, m := range found {
			got[m.doc] = m.score
		}
		require.Equal(t, slowly(x, query), got)
	})
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"West 42nd St.", "F.D.R. Drive", "테헤란로 12길", "ㅌㅎㄹㄹ", "Straße Łódź", "é", "\xff\xfe", "日本橋1丁目", "ﷺ", "न्यू"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		words := fold(s)
		require.LessOrEqual(t, len(words), maxTokens)
		again := fold(keyOf(words))
		for _, w := range words {
			require.NotEmpty(t, w.text)
			require.NotContains(t, w.text, " ")
		}
		require.LessOrEqual(t, len(again), maxTokens, fmt.Sprint(again))
	})
}

func FuzzSearch(f *testing.F) {
	for _, s := range []string{"5th & 34th", "350 5th ave, new york", "and and and", "테헤란로와 강남대로", "ㄱㄴ", "a b c d e f g h i j k l m n o p q r", "&/@,;+", "1 2 3 4", "12-3", "st st st st"} {
		f.Add(s)
	}
	x := newYork()
	near := at(100, 100)
	f.Fuzz(func(t *testing.T, s string) {
		a, err := x.Search(t.Context(), Query{Text: s, Near: &near, Limit: 5})
		if utf8.RuneCountInString(s) > MaxQuery {
			require.ErrorIs(t, err, ErrTooLong)
			return
		}
		require.NoError(t, err)
		require.LessOrEqual(t, len(a.Hits), 5)
		for _, h := range a.Hits {
			require.NotEmpty(t, h.Name+h.Street)
			require.NoError(t, h.At.Validate())
		}
		require.Equal(t, a.Apart[0] == "", a.Apart[1] == "")
		_, ok := x.HouseAt(geo.Point{Lat: 90, Lng: 180}, 30, "")
		require.False(t, ok)
	})
}
