package names

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// madeUp is a town of many streets with names that begin alike, each of which meets the next hundred.
var madeUp = sync.OnceValue(func() *Index {
	const streets, meets = 45_000, 60
	syllables := strings.Fields("ba ke lo mi su ta re no da vi sa te ro ni du")
	in := Input{Streets: make([]StreetName, streets)}
	for i := range in.Streets {
		var name strings.Builder
		for n := i; ; n /= len(syllables) {
			name.WriteString(syllables[n%len(syllables)])
			if n < len(syllables) {
				break
			}
		}
		p := at(float64(i%300)*100, float64(i/300)*100)
		in.Streets[i] = StreetName{Name: name.String() + []string{" Street", " Avenue", " Bas Street"}[i%3], Middle: p, South: p, North: p}
		for k := i + 1; k <= i+meets && k < streets; k++ {
			in.Meetings = append(in.Meetings, Meeting{A: int32(i), B: int32(k), At: p})
		}
	}
	in.Streets[7].Name, in.Streets[9].Name, in.Streets[5000].Name = "Onlyone Street", "Another Avenue", "Far Lane"
	return New(in)
})

var dear = []string{
	"ba & ke & lo & mi & s", "ba & s", "st & ba & st & ba & s", "street & street", "street", "s", "ba s", "ba ke st s", "st, st, st, st", "1 st, 2 st, st 3",
	"street street street street street street street street street street",
}

// TestSearchesAreBounded: whatever is asked, a search of a large map looks at a bounded number of names and
// meetings, and keeps some of its bound for what comes last.
func TestSearchesAreBounded(t *testing.T) {
	x := madeUp()
	near := flatAt(at(100, 100))
	for _, query := range dear {
		s := search{ctx: t.Context(), x: x, q: Query{Text: query, Limit: 6}, near: &near, meetings: maxMeetings}
		s.run()
		looked, meetings := maxLooked-s.labels, maxMeetings-s.meetings
		require.LessOrEqual(t, looked, maxLooked, query)
		require.LessOrEqual(t, meetings, maxMeetings+16*maxSide, query)
		t.Logf("%q looked at %d names and %d meetings", query, looked, meetings)
	}
	for query, want := range map[string]string{
		"onlyone street & another avenue": "Onlyone Street & Another Avenue", "another & onlyone": "Another Avenue & Onlyone Street",
		"another onlyone street": "Another Avenue & Onlyone Street", "far lane": "Far Lane", "st & far lane": "Far Lane", "onlyone st": "Onlyone Street",
	} {
		got := hitNames(t, x, Query{Text: query})
		require.True(t, slices.ContainsFunc(got, func(n string) bool { return strings.Contains(n, want) }), "%q found %q", query, got)
	}
	a, err := x.Search(t.Context(), Query{Text: "street & street"})
	require.NoError(t, err)
	require.Empty(t, a.Apart[0], "not all meetings were looked at")
}

func TestSearchesEndWithTheirContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := newYork().Search(ctx, Query{Text: "5th & 34th"})
	require.ErrorIs(t, err, context.Canceled)
	s := search{ctx: ctx, x: madeUp(), q: Query{Text: dear[0]}, meetings: maxMeetings}
	s.run()
	require.Equal(t, maxLooked, s.labels, "it looks at nothing more")
}

func BenchmarkDearSearch(b *testing.B) {
	x := madeUp()
	near := at(100, 100)
	for i, query := range dear {
		b.Run(fmt.Sprint(i), func(b *testing.B) {
			for range b.N {
				_, _ = x.Search(b.Context(), Query{Text: query, Near: &near, Limit: 6})
			}
		})
	}
}
