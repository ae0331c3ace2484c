package city

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The ring keeps the last day, in order, however much came before.
func TestChartsAreBounded(t *testing.T) {
	s := New(Config{Resolution: 8})
	for i := range sampleRing + 100 {
		s.charts.push(sample{end: int64(10 * (i + 1)), matches: 1})
	}
	got := s.Samples(time.Unix(0, 0), Step)
	require.Len(t, got, sampleRing)
	require.EqualValues(t, 1010, got[0].GetAt().AsTime().Unix())
	require.EqualValues(t, 10*(sampleRing+100), got[len(got)-1].GetAt().AsTime().Unix())
	s.charts.prepend(map[int64]*sample{10: {end: 10}, 20: {end: 20}})
	require.Len(t, s.charts.ring, sampleRing)
	got = s.Samples(time.Unix(0, 0), Step)
	require.EqualValues(t, 1010, got[0].GetAt().AsTime().Unix())
}
