package streets

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
)

// recording is how positions of a drive are recorded.
type recording struct {
	every  time.Duration
	noiseM float64 // standard deviation along one axis
}

// record drives along a line at a speed and returns all fixes, with the accuracy that the noise has.
func (c recording) record(r *rand.Rand, line []geo.Point, mps float64) (out []geo.Spot) {
	at := time.Date(2030, 5, 2, 8, 0, 0, 0, time.UTC)
	left, step := 0.0, mps*c.every.Seconds()
	add := func(p geo.Point) {
		off := c.noiseM * math.Hypot(r.NormFloat64(), r.NormFloat64())
		out = append(out, geo.Spot{Point: geo.Destination(p, 360*r.Float64(), off), AccuracyM: c.noiseM / perRadius, At: at})
		at = at.Add(c.every)
	}
	for i := 1; i < len(line); i++ {
		d := geo.DistanceM(line[i-1], line[i])
		for ; left < d; left += step {
			t := left / d
			add(geo.Point{Lat: line[i-1].Lat + t*(line[i].Lat-line[i-1].Lat), Lng: line[i-1].Lng + t*(line[i].Lng-line[i-1].Lng)})
		}
		left -= d
	}
	add(line[len(line)-1])
	return out
}

// kept is what a trail keeps of fixes, and what it measures.
func kept(fixes []geo.Spot) ([]geo.Spot, float64) {
	t := geo.Trail{Most: 4096}
	t.Begin(fixes[0].At, fixes[0].Point)
	for _, s := range fixes {
		t.Add(s)
	}
	return t.Kept(), t.At(fixes[len(fixes)-1].At).MeasuredM
}

// TestMatchedLengthIsThatOfTheWay: on Manhattan's streets a matched drive is as long as the way that was driven, whatever
// the noise, and its lines are as long as it says.
func TestMatchedLengthIsThatOfTheWay(t *testing.T) {
	m := manhattanMap(t)
	for _, tc := range []struct {
		every        int // seconds
		noiseM       float64
		median, most float64 // share of the length
	}{
		{1, 0, 0.001, 0.01}, {4, 0, 0.001, 0.01}, {15, 0, 0.001, 0.04},
		{1, 5, 0.002, 0.01}, {4, 5, 0.002, 0.01}, {15, 5, 0.002, 0.04},
		{1, 15, 0.006, 0.04}, {4, 15, 0.006, 0.04}, {15, 15, 0.006, 0.07},
	} {
		t.Run(fmt.Sprintf("every %d s, %.0f m of noise", tc.every, tc.noiseM), func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, 5))
			var off, positions []float64
			for len(off) < 30 {
				p, err := m.Plan(t.Context(), geo.Place{Point: somewhere(r, m)}, geo.Place{Point: somewhere(r, m)}, time.Time{})
				if err != nil || p.DistanceM < 1500 {
					continue
				}
				track, measured := kept(recording{time.Duration(tc.every) * time.Second, tc.noiseM}.record(r, p.Line, 9))
				got, err := m.Match(t.Context(), track)
				require.NoError(t, err)
				checkMatch(t, got)
				require.Greater(t, got.Share, 0.95)
				off = append(off, math.Abs(got.LengthM+got.OffM-p.DistanceM)/p.DistanceM)
				positions = append(positions, math.Abs(measured-p.DistanceM)/p.DistanceM)
			}
			slices.Sort(off)
			slices.Sort(positions)
			t.Logf("median and worst error along streets %.2f %% %.2f %%, of positions alone %.2f %% %.2f %%",
				100*off[len(off)/2], 100*off[len(off)-1], 100*positions[len(off)/2], 100*positions[len(off)-1])
			require.Less(t, off[len(off)/2], tc.median)
			require.Less(t, off[len(off)-1], tc.most)
		})
	}
}

// checkMatch checks what must be true of every match.
func checkMatch(t require.TestingT, got geo.Match) {
	length := 0.0
	for _, line := range got.Lines {
		require.GreaterOrEqual(t, len(line), 2)
		length += lineM(line)
	}
	require.InDelta(t, length, got.LengthM, 0.1+length/500)
	require.GreaterOrEqual(t, got.OffM, 0.0)
	require.False(t, math.IsNaN(got.LengthM+got.OffM) || math.IsInf(got.LengthM+got.OffM, 0))
	require.True(t, got.Share >= 0 && got.Share <= 1)
	require.GreaterOrEqual(t, got.Breaks, len(got.Lines)-1)
}

// fishbone is a street with streets beside it: the letters stand 100 m apart.
func fishbone(t *testing.T) *Map {
	return newTown(t, `
abcdefghij
klmnopqrst
`).way("abcdefghij", "").way("klmnopqrst", "").way("ak", "").way("dn", "").way("gq", "").way("jt", "").mapped()
}

// along10 is a line along letters, with their places in steps of the town's grid: north and east.
func along10(at ...[2]float64) (line []geo.Point) {
	for _, x := range at {
		line = append(line, townAt(x[0], x[1]))
	}
	return line
}

// drives matches a drive along a line at 10 m/s, recorded every second with some noise.
func drives(t *testing.T, m *Map, noiseM float64, line []geo.Point) (geo.Match, error) {
	t.Helper()
	track, _ := kept(recording{time.Second, noiseM}.record(rand.New(rand.NewPCG(1, 2)), line, 10))
	return m.Match(t.Context(), track)
}

func TestMatchTurnsRound(t *testing.T) {
	m := fishbone(t)
	for _, noise := range []float64{0, 3, 6} {
		line := along10([2]float64{1, 0.5}, [2]float64{1, 5.5}, [2]float64{1, 1.5}) // in the middle of a street
		got, err := drives(t, m, noise, line)
		require.NoError(t, err)
		checkMatch(t, got)
		// A trail has its last position up to a step and the next fix before the place where it turned.
		require.InDelta(t, lineM(line), got.LengthM, 2*(10+max(15, 3*noise/perRadius)), "%v m of noise", noise)
		require.Equal(t, 1.0, got.Share)
		require.Zero(t, got.Breaks)
	}
}

func TestMatchKeepsToItsStreet(t *testing.T) {
	m := fishbone(t)
	line := along10([2]float64{1, 0.3}, [2]float64{1, 3}, [2]float64{0, 3}, [2]float64{0, 9}, [2]float64{1, 9}, [2]float64{1, 7.5})
	for _, noise := range []float64{0, 5, 15} {
		got, err := drives(t, m, noise, line)
		require.NoError(t, err)
		checkMatch(t, got)
		require.InDelta(t, lineM(line), got.LengthM, 4+2.5*noise, "%v m of noise", noise)
		require.Len(t, got.Lines, 1)
		for _, p := range got.Lines[0] {
			north := (p.Lat - townLat) / townStep
			east := (p.Lng - townLng) / townStep
			onStreet := math.Abs(north-math.Round(north)) < 0.01 || math.Abs(east-3) < 0.01 || math.Abs(east-9) < 0.01
			require.True(t, onStreet, "%v north, %v east", north, east)
		}
	}
}

// A street 25 m beside takes no position of a drive, service road or not.
func TestMatchKnowsParallelStreets(t *testing.T) {
	for _, tags := range []string{"", "highway=service"} {
		c := newTown(t, "abcdefghij\nklmnopqrst").way("abcdefghij", "").way("klmnopqrst", tags).way("ak", "").way("jt", "")
		for i := range c.file.Nodes {
			if n := &c.file.Nodes[i]; n.ID >= c.id['k'] && n.ID <= c.id['t'] {
				n.Lat, _ = townAt(0.75, 0).E7()
			}
		}
		m := c.mapped()
		line := along10([2]float64{1, 0.3}, [2]float64{1, 8.7})
		got, err := drives(t, m, 5, line)
		require.NoError(t, err)
		require.InDelta(t, lineM(line), got.LengthM, 15)
		for _, p := range got.Lines[0] {
			require.InDelta(t, townAt(1, 0).Lat, p.Lat, 1e-6)
		}
	}
}

// A car that stands for ten minutes drives nowhere meanwhile.
func TestMatchOfAParkedCar(t *testing.T) {
	m := fishbone(t)
	r := rand.New(rand.NewPCG(3, 4))
	for _, noise := range []float64{3, 10} {
		c := recording{time.Second, noise}
		first, second := along10([2]float64{1, 0.5}, [2]float64{1, 4}), along10([2]float64{1, 4}, [2]float64{1, 8.5})
		fixes := c.record(r, first, 10)
		for range 600 {
			fixes = append(fixes, c.record(r, first[1:], 10)...)
		}
		fixes = append(fixes, c.record(r, second, 10)...)
		for i := range fixes {
			fixes[i].At = fixes[0].At.Add(time.Duration(i) * time.Second)
		}
		track, _ := kept(fixes)
		got, err := m.Match(t.Context(), track)
		require.NoError(t, err)
		require.InDelta(t, lineM(first)+lineM(second), got.LengthM, 5+4*noise)
		require.Equal(t, 1.0, got.Share)
	}
}

func TestMatchOfPartsOffTheMap(t *testing.T) {
	m := fishbone(t)
	away := along10([2]float64{20, 0}, [2]float64{20, 9})
	_, err := drives(t, m, 0, away)
	require.ErrorIs(t, err, geo.ErrNoRoute)

	ferry := along10([2]float64{1, 0.5}, [2]float64{1, 4}, [2]float64{6, 5}, [2]float64{1, 6}, [2]float64{1, 8.5})
	got, err := drives(t, m, 0, ferry)
	require.NoError(t, err)
	checkMatch(t, got)
	require.Less(t, got.Share, 0.5)
	require.Equal(t, 1, got.Breaks)
	require.InDelta(t, lineM(ferry), got.LengthM+got.OffM, 80)

	// A single position far away is skipped.
	track, _ := kept(recording{time.Second, 0}.record(rand.New(rand.NewPCG(1, 2)), along10([2]float64{1, 0.5}, [2]float64{1, 8.5}), 18))
	track[10].Point = townAt(2.5, 2.3)
	got, err = m.Match(t.Context(), track)
	require.NoError(t, err)
	require.InDelta(t, 800*math.Cos(townLat*math.Pi/180), got.LengthM, 20)
	require.Zero(t, got.Breaks)
	require.Less(t, got.Share, 1.0)
}

func TestMatchOfGaps(t *testing.T) {
	m := fishbone(t)
	line := along10([2]float64{1, 0.3}, [2]float64{1, 3}, [2]float64{0, 3}, [2]float64{0, 8.5})
	r := rand.New(rand.NewPCG(1, 2))
	fixes := recording{time.Second, 0}.record(r, line, 10)
	// A tunnel of 20 s round two corners: the streets say how long the way was.
	tunnel := slices.Delete(slices.Clone(fixes), 15, 35)
	track, measured := kept(tunnel)
	got, err := m.Match(t.Context(), track)
	require.NoError(t, err)
	require.InDelta(t, lineM(line), got.LengthM, 15)
	require.Less(t, measured, lineM(line)-30)
	require.Zero(t, got.Breaks)

	// Two minutes are too long.
	for i := 15; i < len(tunnel); i++ {
		tunnel[i].At = tunnel[i].At.Add(2 * time.Minute)
	}
	track, _ = kept(tunnel)
	got, err = m.Match(t.Context(), track)
	require.NoError(t, err)
	checkMatch(t, got)
	require.Equal(t, 1, got.Breaks)
	require.Len(t, got.Lines, 2)
	require.Positive(t, got.OffM)

	// Positions that jump across the map.
	jump := slices.Clone(fixes)
	for i := 25; i < len(jump); i++ {
		jump[i].Point.Lng += 3 * townStep
	}
	track, _ = kept(jump)
	got, err = m.Match(t.Context(), track)
	require.NoError(t, err)
	checkMatch(t, got)
}

func TestMatchOfNextToNothing(t *testing.T) {
	m := fishbone(t)
	at := geo.Spot{Point: townAt(1, 2.5), At: time.Now()}
	for _, track := range [][]geo.Spot{nil, {at}, {at, at}, {at, at, at, at}} {
		_, err := m.Match(t.Context(), track)
		require.ErrorIs(t, err, geo.ErrNoRoute)
	}
	_, err := m.Match(t.Context(), []geo.Spot{at, {Point: geo.Point{Lat: math.NaN()}}})
	require.ErrorIs(t, err, geo.ErrInvalidPoint)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = m.Match(ctx, []geo.Spot{at, at})
	require.ErrorIs(t, err, context.Canceled)
	_, err = new(City).Match(t.Context(), []geo.Spot{at, at})
	require.ErrorIs(t, err, ErrNoMap)
	c := new(City)
	c.Swap(m)
	got, err := c.Match(t.Context(), []geo.Spot{at, {Point: townAt(1, 2.8), At: at.At.Add(time.Second)}})
	require.NoError(t, err)
	require.InDelta(t, 30*math.Cos(townLat*math.Pi/180), got.LengthM, 0.5)
}

// On a one-way street driven the wrong way, no length comes out of thin air.
func TestMatchAgainstAOneWayStreet(t *testing.T) {
	m := newTown(t, "abcdefghij\nklmnopqrst").way("abcdefghij", "oneway=yes").way("tsrqponmlk", "oneway=yes").way("ak", "").way("jt", "").mapped()
	line := along10([2]float64{1, 8.5}, [2]float64{1, 0.5})
	got, err := drives(t, m, 0, line)
	if err == nil {
		checkMatch(t, got)
		require.True(t, got.Share < 0.9 || got.LengthM+got.OffM > 1.25*lineM(line), "it looks plausible: %+v", got)
	}
}

// FuzzMatch: no track, however strange, makes matching panic or its result inconsistent.
func FuzzMatch(f *testing.F) {
	f.Add([]byte{0, 0, 1, 5, 10, 10, 1, 5, 20, 20, 1, 5})
	f.Add([]byte{100, 10, 1, 0, 100, 30, 1, 0, 100, 60, 200, 0, 100, 90, 1, 99})
	f.Add([]byte{255, 255, 0, 255, 0, 0, 0, 0, 128, 128, 255, 128})
	m := newTown(f, "abcd\nefgh\nijkl").way("abcd", "oneway=yes").way("efgh", "").way("lkji", "oneway=yes").
		way("aei", "").way("bfj", "highway=service").way("dhl", "junction=roundabout").turn("no_left_turn", "aei", 'e', "efgh").mapped()
	f.Fuzz(func(t *testing.T, data []byte) {
		var track []geo.Spot
		at := time.Unix(1_900_000_000, 0)
		for ; len(data) >= 4 && len(track) < 200; data = data[4:] {
			at = at.Add(time.Duration(int8(data[2])) * time.Second) // times may fall
			s := geo.Spot{Point: townAt(float64(data[0])/64-1, float64(data[1])/64-1), AccuracyM: float64(data[3]), At: at}
			if data[3] == 255 {
				s.AccuracyM = math.NaN()
			}
			track = append(track, s)
		}
		got, err := m.Match(t.Context(), track)
		if err != nil {
			require.ErrorIs(t, err, geo.ErrNoRoute)
			return
		}
		checkMatch(t, got)
		straight := 0.0
		for i := 1; i < len(track); i++ {
			straight += geo.DistanceM(track[i-1].Point, track[i].Point)
		}
		require.Less(t, got.LengthM, 3*straight+float64(len(track))*(detourM+2*farthestM))
	})
}

// BenchmarkMatch matches rides of 300 kept positions on Manhattan's streets. The floor is one plan between the
// same ends: plans/op is the ratio of processor times.
func BenchmarkMatch(b *testing.B) {
	m := manhattanMap(b)
	for _, noise := range []float64{3, 6} {
		b.Run(fmt.Sprintf("%.0f-m-of-noise", noise), func(b *testing.B) {
			r := rand.New(rand.NewPCG(9, 9))
			type ridden struct {
				from, to geo.Place
				track    []geo.Spot
			}
			var rides []ridden
			for len(rides) < 32 {
				x := ridden{from: geo.Place{Point: somewhere(r, m)}, to: geo.Place{Point: somewhere(r, m)}}
				p, err := m.Plan(b.Context(), x.from, x.to, time.Time{})
				if err != nil {
					continue
				}
				if x.track, _ = kept(recording{time.Second, noise}.record(r, p.Line, 9)); len(x.track) < 300 {
					continue
				}
				x.track = x.track[:300]
				x.to = geo.Place{Point: x.track[299].Point}
				rides = append(rides, x)
			}
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			const plans = 2000
			used := threadNS()
			for i := range plans {
				x := rides[i%len(rides)]
				if _, err := m.Plan(b.Context(), x.from, x.to, time.Time{}); err != nil {
					b.Fatal(err)
				}
			}
			plan := (threadNS() - used) / plans
			b.ReportAllocs()
			used = threadNS()
			timed(b, func(i int) {
				if _, err := m.Match(b.Context(), rides[i%len(rides)].track); err != nil {
					b.Fatal(err)
				}
			})
			if plan > 0 {
				b.ReportMetric((threadNS()-used)/float64(b.N)/plan, "plans/op")
			}
		})
	}
}
