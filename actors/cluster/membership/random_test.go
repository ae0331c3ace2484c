package membership

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// rounds is how many random runs of each sort there are; HEXHAIL_MEMBERSHIP asks for more.
func rounds(t *testing.T) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(os.Getenv("HEXHAIL_MEMBERSHIP"), 10, 32)
	if err != nil {
		return 5
	}
	return n
}

// minority is the most nodes that are fewer than half.
func minority(nodes int) int { return (nodes - 1) / 2 }

// chaos lets faults come and go for a while. The registry's strike all; the others strike as many
// victims, which are the last nodes.
func (w *world) chaos(length time.Duration, victims int) {
	end := w.now.Add(length)
	first := len(w.nodes) - victims
	scale := int(w.limits.Silent / DefaultLimits().Silent)
	within := func(ms int) time.Duration { return time.Duration(w.rand.IntN(scale*ms)) * time.Millisecond }
	for w.now.Before(end) {
		i := first + w.rand.IntN(len(w.nodes)-first)
		all := []int{etcd}
		for k := range w.nodes {
			if k != i {
				all = append(all, k)
			}
		}
		p := w.nodes[i]
		switch w.rand.IntN(12) {
		case 0:
			if p.alive {
				p.kill()
				w.at(within(5000), func() { w.start(i) })
			}
		case 1, 2:
			if p.alive && !p.frozen {
				w.note("%v is frozen", p.self.ID)
				p.freeze()
				w.at(within(8000), func() {
					if p.alive && p.frozen {
						w.note("%v is thawed", p.self.ID)
						p.thaw()
					}
				})
			}
		case 3:
			w.sever([]int{i}, []int{etcd})
		case 4:
			w.sever([]int{i}, all)
		case 5:
			w.sever([]int{i}, all[1:])
		case 6:
			k := all[w.rand.IntN(len(all))]
			w.cut[link{i, k}] = true
			w.note("cut %d -> %d", i, k)
		case 7:
			p.database = !p.database
			w.note("%v reaches the database: %v", p.self.ID, p.database)
		case 8, 9:
			if w.reg.running {
				w.reg.freeze()
			} else if w.rand.IntN(2) == 0 {
				w.reg.thaw()
			} else {
				w.reg.restart(w.rand.IntN(2) == 0)
			}
		default:
			w.heal()
		}
		w.run(within(3000))
	}
	w.heal()
	if !w.reg.running {
		w.reg.thaw()
	}
	for _, p := range w.nodes {
		p.database = true
		if p.alive && p.frozen {
			p.thaw()
		}
	}
}

// apart watches how long of two running processes both have dropped each other, or with mutual false
// how long one has dropped the other, which must not be longer than Limits.Apart. A process that has not
// joined owns nothing and does not matter.
func (w *world) apart(mutual bool) (longest *time.Duration) {
	type pair struct{ a, b ID }
	since := map[pair]time.Time{}
	longest = new(time.Duration)
	w.each = append(w.each, func() {
		up := w.running()
		now := map[pair]bool{}
		for _, a := range up {
			for _, b := range up {
				if a == b || !b.judge.counts() || a.judge.standing(b.self.ID) != Out || mutual && b.judge.standing(a.self.ID) != Out {
					continue
				}
				key := pair{a.self.ID, b.self.ID}
				now[key] = true
				if since[key].IsZero() {
					since[key] = w.now
				}
				*longest = max(*longest, w.now.Sub(since[key]))
				if *longest > w.limits.Apart() {
					require.Fail(w.t, "too long apart", "%v has dropped %v, which runs\n%s", a.self.ID, b.self.ID, w.story())
				}
			}
		}
		for key := range since {
			if !now[key] {
				delete(since, key)
			}
		}
	})
	return longest
}

// settles waits until all count all and there are no warnings.
func (w *world) settles() {
	w.t.Helper()
	w.until(15*w.limits.Silent, w.isWhole)
	w.until(2*w.limits.Silent, func() bool {
		for _, p := range w.nodes {
			if len(p.judge.View().Warnings) > 0 {
				return false
			}
		}
		return true
	})
	w.run(w.limits.Alone)
	w.requireWhole()
}

// TestMinorityOfFaults: whatever happens to fewer than half of the nodes and to the registry, the
// others never end; a process that another has dropped does not run for long; and afterwards all
// count all again.
func TestMinorityOfFaults(t *testing.T) {
	for _, c := range []struct {
		nodes, scale int
		lags         bool
	}{{3, 1, false}, {5, 1, true}, {3, 1, true}, {3, 3, true}} {
		t.Run(fmt.Sprintf("%d nodes, limits times %d, lags %v", c.nodes, c.scale, c.lags), func(t *testing.T) {
			ends, longest := map[Rule]int{}, time.Duration(0)
			for seed := range rounds(t) {
				w := newWorld(t, seed, c.nodes, DefaultLimits().Scale(c.scale))
				w.ends = ends
				healthy := slices.Clone(w.nodes[:c.nodes-minority(c.nodes)])
				if c.lags {
					w.lag = w.limits.Lag()
					for _, p := range w.nodes {
						p.lagAgain()
					}
				}
				apart := w.apart(false)
				w.always("a healthy node ended", func() bool {
					for i, p := range healthy {
						if w.nodes[i] != p || !p.alive {
							return false
						}
					}
					return true
				})
				w.chaos(time.Duration(c.scale)*60*time.Second, minority(c.nodes))
				w.lag = 0
				w.settles()
				longest = max(longest, *apart)
			}
			t.Logf("ends by rule: %v; longest time apart %v of %v", ends, longest, DefaultLimits().Scale(c.scale).Apart())
		})
	}
}

// TestAnyFaults: whatever happens to all nodes, no two running processes drop each other for long, and
// afterwards all count all again.
func TestAnyFaults(t *testing.T) {
	for _, nodes := range []int{2, 3, 5} {
		t.Run(fmt.Sprintf("%d nodes", nodes), func(t *testing.T) {
			ends, longest := map[Rule]int{}, time.Duration(0)
			for seed := range rounds(t) {
				w := newWorld(t, seed, nodes, DefaultLimits())
				w.ends = ends
				apart := w.apart(true)
				w.chaos(60*time.Second, nodes)
				w.settles()
				longest = max(longest, *apart)
			}
			t.Logf("ends by rule: %v; longest time apart %v of %v", ends, longest, DefaultLimits().Apart())
		})
	}
}

// TestSameSeedSameRun: a judge depends on its inputs alone.
func TestSameSeedSameRun(t *testing.T) {
	var stories []string
	for range 2 {
		w := newWorld(t, 7, 5, DefaultLimits())
		w.chaos(20*time.Second, 2)
		stories = append(stories, w.story())
	}
	require.Equal(t, stories[0], stories[1])
}
