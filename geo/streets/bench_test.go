package streets

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets/ch"
	"github.com/hexhail/hexhail/geo/streets/pbf"
	"github.com/hexhail/hexhail/geo/streets/pbf/pbftest"
)

// Run them with
//
//	go test ./geo/streets -run '^$' -bench . -benchtime 2000x
//	go test ./geo/streets -run '^$' -bench Metropolis -benchtime 300x -metropolis 710 -timeout 30m
//
// The second builds a city of 710 x 710 junctions. Dijkstra's algorithm is the floor: same streets, same
// questions, no preparation. docs/benchmarks/streets.md has the figures.

var metropolis = flag.Int("metropolis", 0, "side of the synthetic city of BenchmarkMetropolis, in junctions; 0: none")

// timed runs fn b.N times and reports the median, the 99th percentile, and the processor time of
// the mean, which a busy machine changes less.
func timed(b *testing.B, fn func(i int)) {
	b.Helper()
	took := make([]time.Duration, b.N)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	used := threadNS()
	b.ResetTimer()
	for i := range b.N {
		begun := time.Now()
		fn(i)
		took[i] = time.Since(begun)
	}
	b.StopTimer()
	if now := threadNS(); now > used {
		b.ReportMetric((now-used)/float64(b.N)/1e3, "cpu-µs/op")
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1e3, "p99-µs")
}

// threadNS is the processor time of the calling thread in nanoseconds, 0 where the system does not
// tell.
func threadNS() float64 {
	text, _ := os.ReadFile("/proc/thread-self/schedstat")
	first, _, _ := strings.Cut(string(text), " ")
	ns, _ := strconv.ParseFloat(first, 64)
	return ns
}

// questions are what the benchmarks ask: the same for each of them.
type questions struct {
	m      *Map
	oracle *ch.Graph
	places []geo.Place // with a street nearby, not yet snapped
	cars   []geo.Place // snapped, as an index holds them
}

func ask(m *Map, cars int) *questions {
	q := &questions{m: m, oracle: ch.NewGraph(len(m.graph.nodes), m.graph.arcs())}
	r := rand.New(rand.NewPCG(7, 7))
	draw := func() geo.Place {
		for {
			p := geo.Place{Point: geo.Destination(m.graph.shape[r.IntN(len(m.graph.shape))].geo(), r.Float64()*360, r.Float64()*30)}
			if _, err := m.Snap(p); err == nil {
				return p
			}
		}
	}
	for range 4001 {
		q.places = append(q.places, draw())
	}
	for range cars {
		p := draw()
		p.Snap, _ = m.Snap(p)
		q.cars = append(q.cars, p)
	}
	return q
}

func (q *questions) pair(i int) (from, to geo.Place) {
	return q.places[i%len(q.places)], q.places[(i*7+1)%len(q.places)]
}

// nearest are the 64 cars that are nearest to a place by the crow, as an index of cells gives them.
func (q *questions) nearest(p geo.Place) []geo.Place {
	all := slices.Clone(q.cars)
	slices.SortFunc(all, func(a, b geo.Place) int {
		x, y := geo.DistanceM(a.Point, p.Point), geo.DistanceM(b.Point, p.Point)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	return slices.Clone(all[:64])
}

// run runs all benchmarks of routing.
func (q *questions) run(b *testing.B) {
	m := q.m
	b.Run("dijkstra-without-geometry", func(b *testing.B) {
		timed(b, func(i int) {
			from, to := q.pair(i)
			x, _ := m.Snap(from)
			y, _ := m.Snap(to)
			if _, ok := m.slow(q.oracle, x, y); !ok {
				b.Fatal("no way")
			}
		})
	})
	b.Run("plan", func(b *testing.B) {
		b.ReportAllocs()
		timed(b, func(i int) {
			from, to := q.pair(i)
			if _, err := m.Plan(b.Context(), from, to, time.Time{}); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("snap", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			if _, err := m.Snap(q.places[i%len(q.places)]); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, sorted := range []bool{true, false} {
		name, ask := "64-anywhere", make([][]geo.Place, 64)
		for i := range ask {
			begin := i * 13 % (len(q.cars) - 64)
			ask[i] = q.cars[begin : begin+64]
			if sorted {
				ask[i] = q.nearest(q.places[i])
			}
		}
		if sorted {
			name = fmt.Sprintf("64-nearest-of-%d", len(q.cars))
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			timed(b, func(i int) {
				if _, err := m.To(b.Context(), ask[i%64], q.places[i%64], time.Time{}); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

func BenchmarkManhattan(b *testing.B) {
	ask(manhattanMap(b), 1000).run(b)
}

// processMB returns a figure of the process in MB, 0 where the system does not tell.
func processMB(key string) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			kb, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kb * 1024 / 1e6
		}
	}
	return 0
}

func heapMB() float64 {
	runtime.GC()
	debug.FreeOSMemory()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return float64(s.HeapAlloc) / 1e6
}

func BenchmarkMetropolis(b *testing.B) {
	if *metropolis == 0 {
		b.Skip("-metropolis is not set")
	}
	folder := b.TempDir()
	extract := filepath.Join(folder, "metropolis.osm.pbf")
	require.NoError(b, writeMetropolis(extract, *metropolis))
	debug.FreeOSMemory()
	before := heapMB()

	begun, contracting, reading := time.Now(), time.Time{}, 0.0
	m, err := Build(b.Context(), func() (io.ReadCloser, error) { return os.Open(extract) }, BuildOptions{Progress: func(step string, _, _ int64) {
		if step == "Preparing routes" && contracting.IsZero() {
			contracting, reading = time.Now(), processMB("VmHWM")
		}
	}})
	require.NoError(b, err)
	built := time.Now()
	peak := processMB("VmHWM")
	path := filepath.Join(folder, "metropolis.hxst")
	require.NoError(b, m.Save(path))
	info, err := os.Stat(path)
	require.NoError(b, err)
	loading := time.Now()
	m, err = Load(path)
	require.NoError(b, err)
	loaded := time.Since(loading)
	after := heapMB()
	c := m.Counts()
	fmt.Fprintf(os.Stderr, "%d junctions, %d edges, %d arcs; read in %.1f s and %.0f MB of memory, contracted in %.1f s and %.0f MB; file %.0f MB, loaded in %.1f s, %.0f MB of heap\n",
		c.Junctions, c.Edges, c.Arcs, contracting.Sub(begun).Seconds(), reading, built.Sub(contracting).Seconds(), peak, float64(info.Size())/1e6, loaded.Seconds(), after-before)
	for _, cars := range []int{1000, 30_000} {
		b.Run(fmt.Sprintf("%d-cars", cars), ask(m, cars).run)
	}
}

// writeMetropolis writes a city as a bent grid with lines 90 m apart: most are one-way streets, every
// eighth is a main road, every 64th a fast one, and 6 % of the small ones
// are missing. It writes block by block, so that it needs little memory.
func writeMetropolis(path string, side int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	r := rand.New(rand.NewPCG(1, 1))
	header := pbftest.File{}.Bytes()
	if _, err := w.Write(header); err != nil {
		return err
	}
	flush := func(part pbftest.File) error {
		_, err := w.Write(bytes.TrimPrefix(part.Bytes(), header))
		return err
	}
	for y := range side {
		var part pbftest.File
		for x := range side {
			north, east := float64(y)*90+r.NormFloat64()*15, float64(x)*90+r.NormFloat64()*15
			lat, lng := geo.Point{Lat: 40 + north/111_195, Lng: -74 + east/85_000}.E7()
			part.Nodes = append(part.Nodes, pbf.Node{ID: int64(y*side + x + 1), Lat: lat, Lng: lng})
		}
		if err := flush(part); err != nil {
			return err
		}
	}
	for y := range side {
		var part pbftest.File
		add := func(from, to, line int, across string) {
			text := fmt.Sprintf("highway=residential maxspeed=%d", 20+r.IntN(11))
			switch {
			case line%64 == 0:
				text = "highway=trunk maxspeed=85"
			case line%8 == 0:
				text = "highway=secondary maxspeed=45"
			case r.Float64() < 0.06:
				return
			case r.Float64() < 0.65:
				text += []string{" oneway=yes", " oneway=-1"}[line%2]
			}
			part.Ways = append(part.Ways, pbf.Way{
				ID: int64(from)*10 + int64(len(across)), Refs: []int64{int64(from + 1), int64(to + 1)},
				Tags: tags(fmt.Sprintf("%s name=%s~%d", text, across, line)),
			})
		}
		for x := range side {
			at := y*side + x
			if x+1 < side {
				add(at, at+1, y, "Street")
			}
			if y+1 < side {
				add(at, at+side, x, "Avenue")
			}
		}
		if err := flush(part); err != nil {
			return err
		}
	}
	return w.Flush()
}
