package dispatch

// graph is a sparse assignment: rows, columns, and the arcs between them. A row gets one column at the arc's cost, or
// stays open at its own cost.
type graph struct {
	first []int32 // where the arcs of each row begin in column and cost; one more entry than rows
	to    []int32 // columns
	cost  []int64
	open  []int64 // of leaving a row open
	wide  int     // number of columns
}

func (g *graph) rows() int { return len(g.open) }

// arcs returns a row's arcs.
func (g *graph) arcs(row int32) (to []int32, cost []int64) {
	from, end := g.first[row], g.first[row+1]
	return g.to[from:end], g.cost[from:end]
}

// matching is the solution of a graph: for each row the index of its arc within the row, or -1 where it stays open; and
// for each column the price that competition puts on it: the total would rise by as much, at least, if it were not there. Zero where not
// known.
type matching struct {
	arc      []int32
	scarcity []int64
}

func newMatching(g *graph) matching {
	m := matching{arc: make([]int32, g.rows()), scarcity: make([]int64, g.wide)}
	for i := range m.arc {
		m.arc[i] = -1
	}
	return m
}

// total is the cost of a matching.
func (g *graph) total(m matching) int64 {
	var sum int64
	for i, a := range m.arc {
		if a < 0 {
			sum += g.open[i]
		} else {
			sum += g.cost[g.first[i]+a]
		}
	}
	return sum
}

// Method is how an assignment was found.
type Method string

// The methods, from exact to fast.
const (
	ShortestPaths Method = "shortest_paths"
	Auction       Method = "auction"
	Greedy        Method = "greedy"
)

// Budgets of work, in arcs looked at. They bound the time of a decision without a clock, so that a decision is the
// same on a slow machine.
const (
	pathsBudget   = 2_500_000
	auctionBudget = 2_500_000
)

// solve assigns exactly where the budget allows, else by auction, else greedily.
func solve(g *graph) (matching, Method) { return solveWithin(g, pathsBudget, auctionBudget) }

func solveWithin(g *graph, paths, bids int) (matching, Method) {
	if m, ok := shortestPaths(g, paths); ok {
		return m, ShortestPaths
	}
	if m, ok := auction(g, bids); ok {
		return m, Auction
	}
	return greedy(g), Greedy
}
