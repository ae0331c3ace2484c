package check

import "github.com/hexhail/hexhail/ride/ridepb"

// steps is the published graph of a trip's statuses (docs/protocol.md, "The life of a
// trip"): from each status, those that one event can lead to. While a trip is searched
// for, and when it is rated, events leave its status as it is. So they do when a closer driver is asked or drivers
// are exchanged; see exchanging.
var steps = map[string][]string{
	requested:  {requested, matched, cancelled, expired},
	matched:    {arrived, requested, cancelled},
	arrived:    {inProgress, requested, cancelled},
	inProgress: {completed, cancelled},
	completed:  {completed},
	cancelled:  nil,
	expired:    nil,
}

var (
	requested  = ridepb.Trip_requested.String()
	matched    = ridepb.Trip_matched.String()
	arrived    = ridepb.Trip_arrived.String()
	inProgress = ridepb.Trip_in_progress.String()
	completed  = ridepb.Trip_completed.String()
	cancelled  = ridepb.Trip_cancelled.String()
	expired    = ridepb.Trip_expired.String()
)

// exchanged is the change by which a trip comes to another driver before the pickup.
const exchanged = "exchanged"

// occupied reports a status in which a trip occupies its driver.
func occupied(s string) bool { return s == matched || s == arrived || s == inProgress }

// live reports a status that has not ended.
func live(s string) bool { return s == requested || occupied(s) }

// longWalk is a number of steps beyond which more of them make no difference.
const longWalk = 16

// walks are, for each number of events and each status, the statuses that they can lead to.
type walks [longWalk + 1]map[string]map[string]bool

// plain are the walks of trips that keep their drivers; exchanging those where other drivers may be asked and
// exchanged before the pickup.
var plain, exchanging = walksOf(nil), walksOf([]string{matched})

// walksOf follows the steps; further events may leave a trip in the statuses of rest.
func walksOf(rest []string) *walks {
	var out walks
	for k := range out {
		out[k] = make(map[string]map[string]bool, len(steps))
		for s := range steps {
			out[k][s] = make(map[string]bool)
			if k == 0 {
				out[k][s][s] = true
				continue
			}
			for before := range out[k-1][s] {
				for _, next := range steps[before] {
					out[k][s][next] = true
				}
				for _, same := range rest {
					if before == same {
						out[k][s][same] = true
					}
				}
			}
		}
	}
	return &out
}

// walk reports whether exactly n events can lead from one status to another.
func (w *walks) walk(from, to string, n uint32) bool { return w[min(n, longWalk)][from][to] }

// released is walk with the trip given back on the way. When another driver has it afterwards, it must be that, or an
// exchange.
func (w *walks) released(from, to string, n uint32) bool {
	n = min(n, longWalk)
	for k := uint32(1); k < n; k++ {
		if w.walk(from, requested, k) && w.walk(requested, to, n-k) {
			return true
		}
	}
	return false
}

// exchanged is walk with an exchange of drivers on the way.
func (w *walks) exchanged(from, to string, n uint32) bool {
	n = min(n, longWalk)
	for k := range n {
		if w.walk(from, matched, k) && w.walk(matched, to, n-k-1) {
			return true
		}
	}
	return false
}
