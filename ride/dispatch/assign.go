package dispatch

import (
	"math"
	"time"
)

// Choice is a column that a row may get, and what that costs: from 0 to an hour or so.
type Choice struct {
	Column int32
	Price  time.Duration
}

// Assign gives each row one of its choices, each column to one row at most, or leaves rows open at a price, so that the
// total is least. It returns the index of each row's choice, or -1. Columns are numbered from 0 to columns-1. It is exact and
// has no budget of work, so it is for bounds that are computed at leisure, not for plans; the method is that of Decide.
func Assign(rows [][]Choice, columns int, open time.Duration) []int32 {
	g := &graph{first: make([]int32, 1, len(rows)+1), open: make([]int64, len(rows)), wide: columns}
	for i, choices := range rows {
		for _, c := range choices {
			g.to, g.cost = append(g.to, c.Column), append(g.cost, int64(c.Price))
		}
		g.first = append(g.first, int32(len(g.to)))
		g.open[i] = int64(open)
	}
	m, _ := shortestPaths(g, math.MaxInt)
	return m.arc
}
