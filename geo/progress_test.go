package geo

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var (
	corner = Point{Lat: 37.5, Lng: 127}
	setOut = time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
)

// drawn is a plan along legs of a bearing and a length in metres, with a step for each of them, and a
// point every few metres.
func drawn(from Point, speedMPS float64, legs ...[2]float64) Plan {
	p := Plan{Line: []Point{from}}
	for _, leg := range legs {
		step := Step{Index: len(p.Line) - 1, Route: Route{DistanceM: leg[1], Duration: seconds(leg[1] / speedMPS), By: ByStreets}}
		start := p.Line[len(p.Line)-1]
		for m := 7.0; m < leg[1]; m += 7 {
			p.Line = append(p.Line, Destination(start, leg[0], m))
		}
		p.Line = append(p.Line, Destination(start, leg[0], leg[1]))
		p.Steps = append(p.Steps, step)
		p.DistanceM += leg[1]
		p.Duration += step.Route.Duration
	}
	p.Steps = append(p.Steps, Step{Turn: TurnArrive, Index: len(p.Line) - 1})
	return p
}

// place is the place on a line after some metres.
func place(line []Point, metres float64) Point {
	for i := 1; i < len(line); i++ {
		l := DistanceM(line[i-1], line[i])
		if metres <= l {
			return Destination(line[i-1], BearingDeg(line[i-1], line[i]), metres)
		}
		metres -= l
	}
	return line[len(line)-1]
}

func started(p Plan) *Progress { return NewProgress(p, p.Line[0], p.Line[len(p.Line)-1], setOut, 45) }

func TestProgressCountsWhatIsLeft(t *testing.T) {
	p := drawn(corner, 10, [2]float64{0, 400}, [2]float64{90, 600})
	p.Steps[1].Route.Duration *= 3 // a slow street
	p.Duration = 40*time.Second + 180*time.Second
	g := started(p)
	require.Equal(t, p.Route, g.Left())
	for m := 10.0; m <= 1000; m += 10 {
		spot := Spot{Point: Destination(place(p.Line, m), 200, 8), At: setOut.Add(time.Duration(m/10) * time.Second)}
		require.False(t, g.Move(spot), "%v", m)
		require.InDelta(t, 1000-m, g.Left().DistanceM, 18, "%v", m) // near the corner either street may be
		want := (1000 - m) * 0.3
		if m < 400 {
			want = 180 + (400-m)/10
		}
		require.InDelta(t, want, g.Left().Duration.Seconds(), 5.5, "%v", m)
		rest := g.Rest()
		require.InDelta(t, 0, DistanceM(rest[0], place(p.Line, m)), 18)
		require.Equal(t, p.Line[len(p.Line)-1], rest[len(rest)-1])
	}
}

// A line that passes a place twice: the car is where it has got to, not one lap ahead.
func TestProgressKeepsToItsLap(t *testing.T) {
	p := drawn(corner, 10, [2]float64{0, 300}, [2]float64{90, 300}, [2]float64{180, 300}, [2]float64{270, 300}, [2]float64{0, 300}, [2]float64{90, 300})
	g := started(p)
	for m := 0.0; m <= 1800; m += 8 {
		require.False(t, g.Move(Spot{Point: place(p.Line, m), At: setOut.Add(time.Duration(m/8) * time.Second)}))
		require.InDelta(t, 1800-m, g.Left().DistanceM, 12, "%v", m)
	}
}

func TestProgressOverAGap(t *testing.T) {
	p := drawn(corner, 10, [2]float64{0, 3000})
	g := started(p)
	require.False(t, g.Move(Spot{Point: place(p.Line, 100), At: setOut.Add(10 * time.Second)}))
	require.False(t, g.Move(Spot{Point: place(p.Line, 2500), At: setOut.Add(150 * time.Second)}), "a tunnel")
	require.InDelta(t, 500, g.Left().DistanceM, 1)
	require.False(t, g.Move(Spot{Point: place(p.Line, 2900), At: setOut.Add(151 * time.Second)}))
	require.True(t, g.Astray(), "too fast")
	require.False(t, g.Move(Spot{Point: place(p.Line, 2900), At: setOut.Add(152 * time.Second)}), "but there it is")
	require.InDelta(t, 100, g.Left().DistanceM, 1)
}

func TestProgressTellsWhenTheCarLeaves(t *testing.T) {
	p := drawn(corner, 10, [2]float64{0, 1000})
	at := func(alongM, asideM, accuracyM float64, s int) Spot {
		return Spot{Point: Destination(place(p.Line, alongM), 90, asideM), AccuracyM: accuracyM, At: setOut.Add(time.Duration(s) * time.Second)}
	}
	g := started(p)
	require.False(t, g.Move(at(100, 0, 5, 10)))
	require.False(t, g.Move(at(110, 80, 5, 11)), "one may be an outlier")
	require.True(t, g.Astray())
	require.False(t, g.Move(at(120, 0, 5, 12)))
	require.False(t, g.Astray())
	require.False(t, g.Move(at(130, 80, 5, 13)))
	require.True(t, g.Move(at(140, 90, 5, 14)))
	require.InDelta(t, 880, g.Left().DistanceM, 1, "as it was on the line")
	require.False(t, g.Move(at(150, 90, 40, 15)), "a poor position proves nothing")

	g = started(p)
	require.False(t, g.Move(at(400, 0, 5, 40)))
	require.False(t, g.Move(at(350, 0, 5, 45)), "it backs into a gap to park")
	require.False(t, g.Move(at(320, 0, 5, 50)))
	require.True(t, g.Move(at(310, 0, 5, 51)), "it drives back")
}

// A car that comes out of a yard, and one that goes into one, are not off their plan.
func TestProgressOffTheStreetsAtTheEnds(t *testing.T) {
	p := drawn(corner, 10, [2]float64{0, 1000})
	yard := func(alongM, asideM float64) Point { return Destination(place(p.Line, alongM), 90, asideM) }
	g := NewProgress(p, yard(0, 200), yard(1000, 150), setOut, 45)
	for i, at := range []Point{yard(0, 190), yard(0, 120), yard(0, 60), yard(30, 5), yard(500, 0), yard(980, 0), yard(1000, 50), yard(1000, 140)} {
		require.False(t, g.Move(Spot{Point: at, AccuracyM: 5, At: setOut.Add(time.Duration(20*i) * time.Second)}), "%d", i)
		require.False(t, g.Astray(), "%d", i)
	}
	require.InDelta(t, 0, g.Left().DistanceM, 0.1)
}

// What is found on the line is what a search of the whole of it finds, as long as no other part of the
// line is near.
func TestProgressFindsTheNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := genPoint().Draw(t, "from")
		if math.Abs(from.Lat) > 85 {
			t.Skip("a city is not at a pole")
		}
		bearing := rapid.Float64Range(0, 360).Draw(t, "bearing")
		p := drawn(from, 10, [2]float64{bearing, 400}, [2]float64{bearing + 40, 400}, [2]float64{bearing - 30, 400})
		g := started(p)
		along := 0.0
		for i := range 20 {
			along += rapid.Float64Range(0, 60).Draw(t, "metres")
			aside := rapid.Float64Range(-30, 30).Draw(t, "aside")
			on := place(p.Line, along)
			at := Destination(on, bearing+90, aside)
			require.False(t, g.Move(Spot{Point: at, At: setOut.Add(time.Duration(2*i+2) * time.Second)}))
			best := math.Inf(1)
			for j := 1; j < len(p.Line); j++ {
				_, away := flatAt(at).nearest(p.Line[j-1], p.Line[j])
				best = math.Min(best, away)
			}
			require.InDelta(t, best, DistanceM(at, g.Rest()[0]), 4)
			require.LessOrEqual(t, g.Left().DistanceM, p.DistanceM+1e-6)
		}
	})
}

// The cost of a position does not depend on the length of the line, and it needs no memory.
func TestProgressDoesNotAllocate(t *testing.T) {
	p := drawn(corner, 10, [2]float64{0, 2000})
	g := started(p)
	m := 0.0
	require.Zero(t, testing.AllocsPerRun(100, func() {
		m += 5
		g.Move(Spot{Point: p.Line[int(m/7)], At: setOut.Add(time.Duration(m) * time.Second / 10)})
		_ = g.Left()
	}))
}

func TestThin(t *testing.T) {
	p := drawn(corner, 10, [2]float64{0, 3000}, [2]float64{90, 3000}, [2]float64{45, 3000})
	line := p.Line
	kept := Thin(line, []int{100, 500}, 20)
	require.LessOrEqual(t, len(kept), 20)
	for _, must := range []int{0, 100, p.Steps[1].Index, 500, p.Steps[2].Index, len(line) - 1} {
		require.Contains(t, kept, must)
	}
	require.IsIncreasing(t, kept)
	thin := make([]Point, len(kept))
	for i, k := range kept {
		thin[i] = line[k]
	}
	for _, at := range line {
		best := math.Inf(1)
		for j := 1; j < len(thin); j++ {
			_, away := flatAt(at).nearest(thin[j-1], thin[j])
			best = math.Min(best, away)
		}
		require.Less(t, best, 2.0)
	}
	require.Len(t, Thin(line, nil, len(line)), len(line))
	require.Equal(t, []int{0, 3, 4, len(line) - 1}, Thin(line, []int{3, 4}, 2), "what must stay stays")
}

// BenchmarkProgress is the cost of a position on a line of 4,000 points; distance-ns is the floor, one
// distance between two points in the same run.
func BenchmarkProgress(b *testing.B) {
	p := drawn(corner, 10, [2]float64{30, 28_000})
	g := started(p)
	n := 0
	for b.Loop() {
		n = (n + 1) % len(p.Line)
		if n == 0 {
			g = started(p)
		}
		g.Move(Spot{Point: p.Line[n], At: setOut.Add(time.Duration(n) * 700 * time.Millisecond)})
	}
	each := b.Elapsed() / time.Duration(b.N)
	start := time.Now()
	for i := range 1000 {
		sink += DistanceM(p.Line[i], p.Line[i+1])
	}
	floor := time.Since(start) / 1000
	b.ReportMetric(float64(floor.Nanoseconds()), "distance-ns")
	b.ReportMetric(float64(each.Nanoseconds())/float64(max(1, floor.Nanoseconds())), "×distance")
}

var sink float64
