package dispatch

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// drawn is a random graph whose rows have up to arcs arcs; few distinct costs make ties.
func drawn(r *rand.Rand, rows, wide, arcs int, most int64) *graph {
	g := &graph{first: []int32{0}, wide: wide}
	for range rows {
		for _, j := range r.Perm(wide)[:r.IntN(min(arcs, wide)+1)] {
			g.to, g.cost = append(g.to, int32(j)), append(g.cost, r.Int64N(most)-most/10)
		}
		g.first = append(g.first, int32(len(g.to)))
		g.open = append(g.open, r.Int64N(2*most))
	}
	return g
}

// valid checks that no column has two rows.
func valid(t *testing.T, g *graph, m matching) {
	t.Helper()
	taken := map[int32]bool{}
	require.Len(t, m.arc, g.rows())
	for i, a := range m.arc {
		if a < 0 {
			continue
		}
		to, _ := g.arcs(int32(i))
		require.Less(t, int(a), len(to))
		require.False(t, taken[to[a]], "column %d has two rows", to[a])
		taken[to[a]] = true
	}
}

// brute tries every assignment.
func brute(g *graph, row int32, taken []bool) int64 {
	if int(row) == g.rows() {
		return 0
	}
	best := g.open[row] + brute(g, row+1, taken)
	to, cost := g.arcs(row)
	for k, j := range to {
		if !taken[j] {
			taken[j] = true
			best = min(best, cost[k]+brute(g, row+1, taken))
			taken[j] = false
		}
	}
	return best
}

// dense solves a graph by the Hungarian method on the whole matrix, with a column of its own for each row to stay open.
func dense(g *graph) int64 {
	const none = math.MaxInt64 / 4
	n, m := g.rows(), g.wide+g.rows()
	u, v, p, way := make([]int64, n+1), make([]int64, m+1), make([]int, m+1), make([]int, m+1)
	c := make([][]int64, n+1)
	for i := range n {
		c[i+1] = make([]int64, m+1)
		for j := range c[i+1] {
			c[i+1][j] = none / 1000
		}
		to, cost := g.arcs(int32(i))
		for k, j := range to {
			c[i+1][j+1] = cost[k]
		}
		c[i+1][g.wide+i+1] = g.open[i]
	}
	for i := 1; i <= n; i++ {
		p[0] = i
		least, used := make([]int64, m+1), make([]bool, m+1)
		for j := range least {
			least[j] = none
		}
		j0 := 0
		for p[j0] != 0 {
			used[j0] = true
			i0, delta, j1 := p[j0], int64(none), 0
			for j := 1; j <= m; j++ {
				if used[j] {
					continue
				}
				if cur := c[i0][j] - u[i0] - v[j]; cur < least[j] {
					least[j], way[j] = cur, j0
				}
				if least[j] < delta {
					delta, j1 = least[j], j
				}
			}
			for j := 0; j <= m; j++ {
				if used[j] {
					u[p[j]] += delta
					v[j] -= delta
				} else {
					least[j] -= delta
				}
			}
			j0 = j1
		}
		for j0 != 0 {
			p[j0] = p[way[j0]]
			j0 = way[j0]
		}
	}
	var sum int64
	for j := 1; j <= m; j++ {
		if p[j] > 0 {
			sum += c[p[j]][j]
		}
	}
	return sum
}

const unbounded = math.MaxInt

func TestShortestPathsFindTheLeast(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 3000 {
		g := drawn(r, 1+r.IntN(8), 1+r.IntN(8), 8, []int64{3, 20, 1e12}[r.IntN(3)])
		m, ok := shortestPaths(g, unbounded)
		require.True(t, ok)
		valid(t, g, m)
		require.Equal(t, brute(g, 0, make([]bool, g.wide)), g.total(m), "%+v", g)
	}
	for range 12 {
		g := drawn(r, 50+r.IntN(250), 20+r.IntN(300), 30, []int64{50, 1e12}[r.IntN(2)])
		m, ok := shortestPaths(g, unbounded)
		require.True(t, ok)
		valid(t, g, m)
		require.Equal(t, dense(g), g.total(m))
	}
}

// TestScarcityIsWhatTheOthersWouldLose: without a column, the total rises by its scarcity at most; and it proves that
// the matching is the least, because the bounds of all rows and columns add up to it.
func TestScarcityIsWhatTheOthersWouldLose(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	for range 500 {
		g := drawn(r, 1+r.IntN(7), 1+r.IntN(7), 7, 1000)
		m, _ := shortestPaths(g, unbounded)
		bound := int64(0)
		for i := range int32(g.rows()) {
			least := g.open[i]
			to, cost := g.arcs(i)
			for k, j := range to {
				least = min(least, cost[k]+m.scarcity[j])
			}
			bound += least
		}
		for j, price := range m.scarcity {
			require.GreaterOrEqual(t, price, int64(0))
			bound -= price
			taken := make([]bool, g.wide)
			taken[j] = true
			require.GreaterOrEqual(t, brute(g, 0, taken)-g.total(m), price, "its absence costs its price at least")
		}
		require.Equal(t, g.total(m), bound)
	}
}

// The others are never better, and the auction is close.
func TestOtherMethodsAreNeverBetter(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	worse := 0
	for range 300 {
		g := drawn(r, 1+r.IntN(60), 1+r.IntN(60), 12, []int64{5, 100 * auctionStep}[r.IntN(2)])
		best, _ := shortestPaths(g, unbounded)
		a, ok := auction(g, unbounded)
		require.True(t, ok)
		valid(t, g, a)
		require.GreaterOrEqual(t, g.total(a), g.total(best))
		require.LessOrEqual(t, g.total(a)-g.total(best), int64(g.rows())*auctionStep)
		c := greedy(g)
		valid(t, g, c)
		require.GreaterOrEqual(t, g.total(c), g.total(best))
		if g.total(c) > g.total(best) {
			worse++
		}
	}
	require.Greater(t, worse, 30, "the graphs are too easy")
}

// Work is bounded: each method gives up at its budget, and the next one takes over.
func TestSolveKeepsToItsBudgets(t *testing.T) {
	g := drawn(rand.New(rand.NewPCG(4, 1)), 200, 100, 30, 1e12)
	_, ok := shortestPaths(g, 100)
	require.False(t, ok)
	_, ok = auction(g, 100)
	require.False(t, ok)
	for _, c := range []struct {
		paths, auction int
		want           Method
	}{{unbounded, 0, ShortestPaths}, {100, unbounded, Auction}, {100, 100, Greedy}} {
		m, method := solveWithin(g, c.paths, c.auction)
		require.Equal(t, c.want, method)
		valid(t, g, m)
	}
}

// FuzzSolve feeds graphs made of bytes to all methods.
func FuzzSolve(f *testing.F) {
	f.Add([]byte{3, 2, 1, 9, 0, 5, 1, 7, 2, 0, 4, 3})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		next := func() int64 {
			if len(b) == 0 {
				return 0
			}
			x := b[0]
			b = b[1:]
			return int64(x)
		}
		rows, wide := next()%7, 1+next()%6
		g := &graph{first: []int32{0}, wide: int(wide)}
		for range rows {
			for j := range wide {
				if c := next(); c > 100 {
					g.to, g.cost = append(g.to, int32(j)), append(g.cost, c-120)
				}
			}
			g.first, g.open = append(g.first, int32(len(g.to))), append(g.open, next())
		}
		m, ok := shortestPaths(g, unbounded)
		require.True(t, ok)
		valid(t, g, m)
		require.Equal(t, brute(g, 0, make([]bool, g.wide)), g.total(m))
		a, ok := auction(g, unbounded)
		require.True(t, ok)
		valid(t, g, a)
		valid(t, g, greedy(g))
	})
}
