package eval

import (
	"context"
	"math"
	"runtime"
	"sync"
	"time"
)

// drives are the fastest ways between all places: for each pair the seconds, the metres, and the place that the way
// leads to first. Three tables of two bytes for each pair: 100 MB for 4,091 places.
type drives struct {
	n       int
	seconds []uint16
	metres  []uint16
	first   []uint16
	// takes are the whole seconds of a street, by its two ends.
	takes map[[2]Place]uint16
}

// street leads from a place to another.
type street struct {
	from, to Place
	seconds  float64
	metres   float64
}

// The bounds of the tables' values.
const (
	maxPlaces  = math.MaxUint16
	maxSeconds = 60_000 // also of pairs without a way
	maxMetres  = math.MaxUint16
)

// hop is the first street of the way between two different places.
func (d *drives) hop(from, to Place) (next Place, takes time.Duration) {
	next = Place(d.first[int(from)*d.n+int(to)])
	return next, time.Duration(d.takes[[2]Place{from, next}]) * time.Second
}

// takesOf rounds streets' times; of several between two places the fastest counts.
func takesOf(streets []street) map[[2]Place]uint16 {
	out := make(map[[2]Place]uint16, len(streets))
	for _, s := range streets {
		k, v := [2]Place{s.from, s.to}, uint16(min(s.seconds, maxSeconds)+0.5)
		if old, known := out[k]; !known || v < old {
			out[k] = v
		}
	}
	return out
}

// allDrives finds the fastest way from each of n places to all others (E. W. Dijkstra, "A note on two problems in
// connexion with graphs", 1959), on as many cores as there are. The error is the context's.
func allDrives(ctx context.Context, n int, streets []street) (*drives, error) {
	d := &drives{
		n: n, seconds: make([]uint16, n*n), metres: make([]uint16, n*n), first: make([]uint16, n*n), takes: takesOf(streets),
	}
	out := make([][]street, n)
	for _, s := range streets {
		out[s.from] = append(out[s.from], s)
	}
	var all sync.WaitGroup
	cores := runtime.GOMAXPROCS(0)
	for core := range cores {
		all.Add(1)
		go func() {
			defer all.Done()
			t := newTree(n)
			for from := core; from < n && ctx.Err() == nil; from += cores {
				t.grow(Place(from), out)
				row := from * n
				for to := range n {
					d.seconds[row+to] = uint16(math.Min(t.seconds[to], maxSeconds) + 0.5)
					d.metres[row+to] = uint16(math.Min(t.metres[to], maxMetres-1) + 0.5)
					d.first[row+to] = t.first[to]
				}
			}
		}()
	}
	all.Wait()
	return d, ctx.Err()
}

// tree holds the fastest ways from one place.
type tree struct {
	seconds, metres []float64
	first           []uint16
	heap            []reached
}

type reached struct {
	seconds float64
	at      Place
}

func newTree(n int) *tree {
	return &tree{seconds: make([]float64, n), metres: make([]float64, n), first: make([]uint16, n)}
}

func (t *tree) grow(from Place, out [][]street) {
	for i := range t.seconds {
		t.seconds[i], t.metres[i], t.first[i] = math.Inf(1), 0, uint16(i)
	}
	t.seconds[from] = 0
	t.heap = append(t.heap[:0], reached{0, from})
	for len(t.heap) > 0 {
		r := t.pop()
		if r.seconds > t.seconds[r.at] {
			continue
		}
		for _, s := range out[r.at] {
			at := r.seconds + s.seconds
			if at >= t.seconds[s.to] {
				continue
			}
			t.seconds[s.to], t.metres[s.to] = at, t.metres[r.at]+s.metres
			t.first[s.to] = t.first[r.at]
			if r.at == from {
				t.first[s.to] = uint16(s.to)
			}
			t.push(reached{at, s.to})
		}
	}
}

// push and pop keep a binary heap; the standard one boxes each value.
func (t *tree) push(r reached) {
	t.heap = append(t.heap, r)
	i := len(t.heap) - 1
	for i > 0 {
		up := (i - 1) / 2
		if t.heap[up].seconds <= r.seconds {
			break
		}
		t.heap[i] = t.heap[up]
		i = up
	}
	t.heap[i] = r
}

func (t *tree) pop() reached {
	top, last := t.heap[0], t.heap[len(t.heap)-1]
	t.heap = t.heap[:len(t.heap)-1]
	n := len(t.heap)
	if n == 0 {
		return top
	}
	i := 0
	for {
		down := 2*i + 1
		if down >= n {
			break
		}
		if down+1 < n && t.heap[down+1].seconds < t.heap[down].seconds {
			down++
		}
		if last.seconds <= t.heap[down].seconds {
			break
		}
		t.heap[i] = t.heap[down]
		i = down
	}
	t.heap[i] = last
	return top
}
