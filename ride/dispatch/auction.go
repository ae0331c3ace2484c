package dispatch

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// auctionStep is the least rise of a price in an auction. The total cost exceeds the least one by at most as much for
// each row.
const auctionStep = int64(5 * time.Second)

// auction finds a matching by the forward auction: D. P. Bertsekas, "The Auction Algorithm: A Distributed Relaxation
// Method for the Assignment Problem", Annals of Operations Research 14, 1988. It has one phase and begins with prices of
// zero: scaling the step would leave prices on columns that no row wants any more, which is wrong where columns may stay
// free (D. P. Bertsekas and D. A. Castañón, "A Forward/Reverse Auction Algorithm for Asymmetric Assignment Problems",
// Computational Optimization and Applications 1, 1992). It gives up, and returns false, after looking at budget arcs.
func auction(g *graph, budget int) (matching, bool) {
	m := newMatching(g)
	price, rowOf := m.scarcity, make([]int32, g.wide)
	for j := range rowOf {
		rowOf[j] = -1
	}
	waiting := make([]int32, 0, g.rows())
	for row := g.rows() - 1; row >= 0; row-- {
		waiting = append(waiting, int32(row))
	}
	for work := 0; len(waiting) > 0; {
		row := waiting[len(waiting)-1]
		waiting = waiting[:len(waiting)-1]
		to, cost := g.arcs(row)
		if work += len(to) + 1; work > budget {
			return matching{}, false
		}
		best, second, arc := g.open[row], int64(math.MaxInt64), int32(-1)
		for k, j := range to {
			if c := cost[k] + price[j]; c < best {
				best, second, arc = c, best, int32(k)
			} else if c < second {
				second = c
			}
		}
		if arc < 0 {
			continue // it stays open, for prices only rise
		}
		second = min(second, g.open[row])
		j := to[arc]
		price[j] += second - best + auctionStep
		if loser := rowOf[j]; loser >= 0 {
			m.arc[loser] = -1
			waiting = append(waiting, loser)
		}
		rowOf[j], m.arc[row] = row, arc
	}
	return m, true
}

// greedy takes the cheapest arc again and again.
func greedy(g *graph) matching {
	type entry struct{ row, arc int32 }
	var all []entry
	for row := range int32(g.rows()) {
		_, cost := g.arcs(row)
		for k, c := range cost {
			if c < g.open[row] {
				all = append(all, entry{row, int32(k)})
			}
		}
	}
	cost := func(e entry) int64 { return g.cost[g.first[e.row]+e.arc] - g.open[e.row] }
	slices.SortFunc(all, func(a, b entry) int {
		return cmp.Or(cmp.Compare(cost(a), cost(b)), cmp.Compare(a.row, b.row), cmp.Compare(a.arc, b.arc))
	})
	m := newMatching(g)
	taken := make([]bool, g.wide)
	for _, e := range all {
		to, _ := g.arcs(e.row)
		if j := to[e.arc]; m.arc[e.row] < 0 && !taken[j] {
			m.arc[e.row], taken[j] = e.arc, true
		}
	}
	return m
}
