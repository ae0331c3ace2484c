package check

import "github.com/hexhail/hexhail/ride/ridepb"

// steps is the published graph of a trip's statuses (docs/protocol.md, "The life of a
// trip"): from each status, those that one event can lead to. While a trip is searched
// for, and when it is rated, events leave its status as it is.
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

// occupied reports a status in which a trip occupies its driver.
func occupied(s string) bool { return s == matched || s == arrived || s == inProgress }

// live reports a status that has not ended.
func live(s string) bool { return s == requested || occupied(s) }

// longWalk is a number of steps beyond which more of them make no difference.
const longWalk = 16

// reachable[k][s] are the statuses that exactly k events can lead to from s.
var reachable = func() [longWalk + 1]map[string]map[string]bool {
	var out [longWalk + 1]map[string]map[string]bool
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
			}
		}
	}
	return out
}()

// walk reports whether exactly n events can lead from one status to another.
func walk(from, to string, n uint32) bool { return reachable[min(n, longWalk)][from][to] }

// walkReleased is walk with the trip given back on the way, as it must be when another
// driver has it afterwards.
func walkReleased(from, to string, n uint32) bool {
	n = min(n, longWalk)
	for k := uint32(1); k < n; k++ {
		if walk(from, requested, k) && walk(requested, to, n-k) {
			return true
		}
	}
	return false
}
