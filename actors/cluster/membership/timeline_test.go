package membership

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// These are the faults of a cluster, one by one, each with several seeds: who counts whom when, and
// who ends.

// seeded runs a timeline with several seeds.
func seeded(t *testing.T, nodes int, f func(t *testing.T, w *world)) {
	t.Helper()
	for seed := range uint64(5) {
		w := newWorld(t, seed, nodes, DefaultLimits())
		f(t, w)
	}
}

// count reports whether each of the nodes counts exactly those nodes.
func (w *world) count(by []int, nodes ...int) bool {
	for _, i := range by {
		var got []int
		for _, id := range w.nodes[i].counted() {
			for k, p := range w.nodes {
				if p.self.ID == id {
					got = append(got, k)
				}
			}
			if !slices.ContainsFunc(w.nodes, func(p *process) bool { return p.self.ID == id }) {
				got = append(got, -1) // a former process
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, nodes) {
			return false
		}
	}
	return true
}

// nothingHappens asserts that from now on all count all, and none ends.
func (w *world) nothingHappens() { w.always("all count all", w.isWhole) }

func TestKilledNodeIsDroppedWithinFourSeconds(t *testing.T) {
	seeded(t, 3, func(t *testing.T, w *world) {
		w.nodes[1].kill()
		w.until(4*time.Second+w.limits.List, func() bool { return w.count([]int{0, 2}, 0, 2) })
		for _, i := range []int{0, 2} {
			gone := w.nodes[i].judge.View().Excluded
			require.Len(t, gone, 1)
			require.Equal(t, Silent, gone[0].Reason)
			require.Equal(t, w.nodes[1].self.ID, gone[0].ID)
		}
		w.run(10 * time.Second)
		require.True(t, w.count([]int{0, 2}, 0, 2))
		w.start(1)
		w.until(5*time.Second, w.isWhole)
	})
}

func TestFrozenNodeIsDroppedAndEndsWhenItRunsAgain(t *testing.T) {
	seeded(t, 3, func(t *testing.T, w *world) {
		frozen := w.nodes[1]
		frozen.freeze()
		w.until(4*time.Second+w.limits.List, func() bool { return w.count([]int{0, 2}, 0, 2) })
		w.run(6 * time.Second)
		frozen.thaw()
		require.False(t, frozen.alive, "it ends with its first input")
		require.Equal(t, StoodStill, frozen.ended.Rule)
		w.until(6*time.Second, w.isWhole)
	})
}

// A process may stand still for less than its lease and lose the lease all the same, because it had
// not renewed it for a while.
func TestFrozenForLessThanTheLease(t *testing.T) {
	rules := map[Rule]int{}
	seeded(t, 3, func(t *testing.T, w *world) {
		p := w.nodes[1]
		for p.alive {
			p.freeze()
			w.run(w.limits.Lease - 50*time.Millisecond)
			p.thaw()
			w.run(w.limits.List + 100*time.Millisecond)
			require.True(t, !p.alive || w.isWhole(), "it lives only if none has dropped it\n%s", w.story())
			w.run(w.limits.Silent + time.Duration(w.rand.IntN(1000))*time.Millisecond)
		}
		rules[p.ended.Rule]++
		w.until(8*time.Second, w.isWhole)
	})
	require.Positive(t, rules[Forgotten], rules)
	require.Zero(t, rules[StoodStill], rules)
}

// A virtual machine may stand still together with its clock, and so believe that nothing happened. The
// others say what did.
func TestPausedTogetherWithItsClock(t *testing.T) {
	seeded(t, 3, func(t *testing.T, w *world) {
		p := w.nodes[1]
		p.freeze()
		w.run(10 * time.Second)
		p.clock -= 10 * time.Second
		p.thaw()
		w.until(w.limits.Ping, func() bool { return !p.alive })
		require.Equal(t, CountedOut, p.ended.Rule)
		w.until(8*time.Second, w.isWhole)
	})
}

// Members that stand still for a moment do not take their own silence for that of others.
func TestOwnLagsAreNoEvidence(t *testing.T) {
	seeded(t, 3, func(t *testing.T, w *world) {
		w.sever([]int{1}, []int{etcd})
		w.run(5 * time.Second) // only its answers speak for it
		for range 5 {
			for _, i := range []int{0, 2} {
				w.nodes[i].freeze()
			}
			w.run(w.limits.Silent - 100*time.Millisecond)
			for _, i := range []int{0, 2} {
				w.nodes[i].thaw()
				require.True(t, w.count([]int{i}, 0, 1, 2), w.story())
			}
			w.run(w.limits.Lease)
			w.requireWhole()
		}
	})
}

// A node that hears none of the others may be cut off itself. It drops none, and tells none to end.
func TestCutOffNodeDropsNone(t *testing.T) {
	t.Run("while another lacks the registry", func(t *testing.T) {
		seeded(t, 3, func(t *testing.T, w *world) {
			w.nothingHappens()
			w.sever([]int{2}, []int{etcd})
			w.run(5 * time.Second)
			w.sever([]int{1}, []int{0, 2})
			w.run(w.limits.Alone - w.limits.Silent)
			w.heal()
			w.run(10 * time.Second)
		})
	})
	t.Run("while the registry loses the keys of the others", func(t *testing.T) {
		seeded(t, 3, func(t *testing.T, w *world) {
			w.nothingHappens()
			w.sever([]int{1}, []int{0, 2})
			w.reg.freeze()
			w.run(w.limits.Lease)
			delete(w.reg.keys, w.nodes[0].self.ID)
			delete(w.reg.keys, w.nodes[2].self.ID)
			w.reg.renew(w.nodes[1].self.ID)
			w.reg.thaw()
			w.run(time.Second)
			w.heal()
			w.run(10 * time.Second)
		})
	})
}

// Cut from the registry and the others for a while, with a clock that never stopped: once the
// registry answers again, the process ends before it registers again.
func TestCutFromAllForLessThanAlone(t *testing.T) {
	seeded(t, 3, func(t *testing.T, w *world) {
		p := w.nodes[1]
		w.sever([]int{1}, []int{etcd, 0, 2})
		w.until(4*time.Second+w.limits.List, func() bool { return w.count([]int{0, 2}, 0, 2) })
		delete(w.cut, link{1, etcd})
		delete(w.cut, link{etcd, 1})
		w.always("it does not come back", func() bool { return p != w.nodes[1] || w.count([]int{0, 2}, 0, 2) })
		w.until(w.limits.List+100*time.Millisecond, func() bool { return !p.alive })
		require.Equal(t, Forgotten, p.ended.Rule)
	})
}

func TestCutFromTheRegistryAlone(t *testing.T) {
	seeded(t, 3, func(t *testing.T, w *world) {
		w.nothingHappens()
		w.sever([]int{1}, []int{etcd})
		w.run(14 * time.Second)
		stale := w.nodes[1].judge.View().Warnings
		require.Len(t, stale, 1)
		require.Equal(t, RegistryStale, stale[0].Kind)
		w.heal()
		w.run(14 * time.Second)
		require.Empty(t, w.nodes[1].judge.View().Warnings)
	})
}

// While a node is cut from the registry, others come and go, and all tables agree.
func TestTablesAgreeThoughOneIsCutFromTheRegistry(t *testing.T) {
	seeded(t, 5, func(t *testing.T, w *world) {
		cut := w.nodes[1]
		w.sever([]int{1}, []int{etcd})
		w.run(5 * time.Second) // its key is gone
		require.NotContains(t, w.reg.keys, cut.self.ID)

		w.nodes[3].kill()
		w.until(5*time.Second, func() bool { return w.count([]int{0, 1, 2, 4}, 0, 1, 2, 4) })
		w.start(3)
		w.until(5*time.Second, w.isWhole)
		w.nodes[4].leave()
		w.until(2*time.Second, func() bool { return w.count([]int{0, 1, 2, 3}, 0, 1, 2, 3) })
		w.nodes[4].kill()
		w.run(10 * time.Second)
		require.True(t, w.count([]int{0, 1, 2, 3}, 0, 1, 2, 3), w.story())
		require.Same(t, cut, w.nodes[1])
		require.True(t, cut.alive)
		for _, p := range w.running() {
			for _, warning := range p.judge.View().Warnings {
				require.Equal(t, RegistryStale, warning.Kind, warning)
			}
		}
	})
}

// A node that has lost the registry and one of its links stays: another member hears it.
func TestOneBadLinkDropsNone(t *testing.T) {
	seeded(t, 3, func(t *testing.T, w *world) {
		w.nothingHappens()
		w.sever([]int{1}, []int{etcd, 0})
		w.run(20 * time.Second)
		w.heal()
		w.run(10 * time.Second)
	})
}

func TestCutFromTheOthers(t *testing.T) {
	for name, ways := range map[string][]link{
		"both ways":               {{1, 0}, {1, 2}, {0, 1}, {2, 1}},
		"it cannot reach them":    {{1, 0}, {1, 2}},
		"they cannot reach it":    {{0, 1}, {2, 1}},
		"in a different way each": {{0, 1}, {1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			seeded(t, 3, func(t *testing.T, w *world) {
				p := w.nodes[1]
				for _, l := range ways {
					w.cut[l] = true
				}
				w.run(w.limits.Alone - w.limits.Ping)
				require.True(t, p.alive, "both sides serve")
				require.Equal(t, CutOff, p.judge.View().Threat.Rule)
				require.True(t, w.count([]int{0, 1, 2}, 0, 1, 2))
				w.until(w.limits.Ping+w.limits.Tick+100*time.Millisecond, func() bool { return !p.alive })
				require.Equal(t, CutOff, p.ended.Rule)
				w.until(4*time.Second, func() bool { return w.count([]int{0, 2}, 0, 2) })
				// Its supervisor starts it again and again, or it waits: it takes over nothing.
				w.each = append(w.each, func() {
					if len(w.cut) > 0 && !w.count([]int{0, 2}, 0, 2) {
						require.Fail(t, "a node that is cut off is counted", w.story())
					}
				})
				w.run(30 * time.Second)
				back := w.nodes[1]
				require.True(t, back.alive, "%v", back.ended)
				require.NotEmpty(t, back.judge.View().Awaited)
				w.heal()
				w.until(5*time.Second, w.isWhole)
				require.Same(t, back, w.nodes[1])
				require.Empty(t, back.judge.View().Awaited)
			})
		})
	}
}

// Of two halves, that with the oldest stays.
func TestHalves(t *testing.T) {
	seeded(t, 4, func(t *testing.T, w *world) {
		old := []*process{w.nodes[0], w.nodes[3]}
		w.sever([]int{0, 3}, []int{1, 2})
		younger := []*process{w.nodes[1], w.nodes[2]}
		w.until(w.limits.Alone+time.Second, func() bool { return !younger[0].alive && !younger[1].alive })
		w.heal()
		w.until(15*time.Second, w.isWhole)
		require.Same(t, old[0], w.nodes[0])
		require.Same(t, old[1], w.nodes[3])
	})
}

// The registry loses all leases and the members do not: none is dropped, and their ages stay.
func TestRegistryAwayForAll(t *testing.T) {
	for name, back := range map[string]func(w *world){
		"frozen":                 func(w *world) { w.reg.thaw() },
		"restarted":              func(w *world) { w.reg.restart(false) },
		"restarted without data": func(w *world) { w.reg.restart(true) },
	} {
		t.Run(name, func(t *testing.T) {
			seeded(t, 3, func(t *testing.T, w *world) {
				w.nothingHappens()
				w.reg.freeze()
				w.run(time.Duration(5+w.rand.IntN(30)) * time.Second)
				back(w)
				w.run(10 * time.Second)
				w.each = nil
				// The half with the first one stays.
				w.nodes[2].kill()
				w.until(6*time.Second, func() bool { return w.count([]int{0, 1}, 0, 1) })
				first := w.nodes[0]
				w.sever([]int{0}, []int{1})
				w.run(w.limits.Alone + time.Second)
				require.True(t, first.alive)
			})
		})
	}
}

// Without the registry a killed node stays in the list: others see that it is late.
func TestKilledWhileTheRegistryIsAway(t *testing.T) {
	seeded(t, 3, func(t *testing.T, w *world) {
		w.reg.freeze()
		w.run(time.Second)
		w.nodes[1].kill()
		w.run(30 * time.Second)
		require.True(t, w.count([]int{0, 2}, 0, 1, 2))
		late := w.nodes[0].judge.View().Late
		require.Len(t, late, 1)
		require.Equal(t, w.nodes[1].self.ID, late[0].ID)
		w.reg.thaw()
		w.until(w.limits.Lease+2*time.Second, func() bool { return w.count([]int{0, 2}, 0, 2) })
	})
}

// The registry loses all leases while two nodes do not reach each other: neither drops the other.
func TestRegistryLosesAllBesideABadLink(t *testing.T) {
	seeded(t, 3, func(t *testing.T, w *world) {
		w.nothingHappens()
		w.sever([]int{0}, []int{1})
		w.reg.freeze()
		w.run(5 * time.Second)
		w.reg.restart(true)
		w.run(4 * time.Second)
		w.heal()
		w.run(5 * time.Second)
	})
}

func TestDatabase(t *testing.T) {
	t.Run("one node is cut from it", func(t *testing.T) {
		seeded(t, 3, func(t *testing.T, w *world) {
			p := w.nodes[1]
			p.database = false
			w.run(w.limits.Database - time.Second)
			require.True(t, p.alive)
			require.Equal(t, NoDatabase, p.judge.View().Threat.Rule)
			w.until(2*time.Second, func() bool { return !p.alive })
			require.Equal(t, NoDatabase, p.ended.Rule)
			w.until(10*time.Second, w.isWhole)
		})
	})
	t.Run("it is away for all, and comes back to one after the other", func(t *testing.T) {
		seeded(t, 3, func(t *testing.T, w *world) {
			w.nothingHappens()
			for _, good := range []bool{false, true} {
				for _, p := range w.nodes {
					p.database = good
					w.run(2 * time.Second)
				}
				w.run(20 * time.Second)
			}
		})
	})
	t.Run("a node alone", func(t *testing.T) {
		w := newWorld(t, 1, 1, DefaultLimits())
		w.nothingHappens()
		w.nodes[0].database = false
		w.run(20 * time.Second)
	})
}

func TestLeaving(t *testing.T) {
	seeded(t, 3, func(t *testing.T, w *world) {
		p := w.nodes[1]
		p.leave()
		require.NotContains(t, p.counted(), p.self.ID)
		w.until(w.limits.List+w.limits.Ping, func() bool { return w.count([]int{0, 2}, 0, 2) })
		require.Equal(t, Left, w.nodes[0].judge.View().Excluded[0].Reason)
		w.run(20 * time.Second) // it still hands over
		require.True(t, p.alive, "%v", p.ended)
		require.True(t, w.count([]int{0, 2}, 0, 2))
		require.Empty(t, w.nodes[0].judge.View().Warnings)
		w.reg.freeze() // its key loses its mark with its lease, and is not back as a member
		w.run(5 * time.Second)
		w.reg.thaw()
		w.run(5 * time.Second)
		require.True(t, w.count([]int{0, 2}, 0, 2))
	})
}

// A registry that is away at the start keeps nodes from joining, and nothing else.
func TestRegistryAwayAtStart(t *testing.T) {
	w := newWorld(t, 1, 1, DefaultLimits())
	w.reg.freeze()
	w.nodes = append(w.nodes, nil)
	w.start(1)
	w.run(time.Minute)
	require.True(t, w.nodes[1].alive)
	require.False(t, w.nodes[1].judge.View().Joined)
	require.Empty(t, w.nodes[1].counted(), "it owns nothing")
	require.True(t, w.count([]int{0}, 0))
	w.reg.thaw()
	w.until(5*time.Second, w.isWhole)
}

// Nodes that crash again and again leave keys behind. They do not outvote those that run.
func TestCrashLoop(t *testing.T) {
	limits := DefaultLimits()
	limits.Lease = 15 * time.Second // all keys are still there at the end of the loop
	for seed := range uint64(5) {
		w := newWorld(t, seed, 3, limits)
		first := []*process{w.nodes[0], w.nodes[2]}
		for range 5 {
			w.nodes[1].kill()
			w.start(1)
			w.until(4*time.Second, func() bool { return w.nodes[1].judge.View().Joined })
		}
		w.nodes[1].kill()
		w.reg.freeze()
		w.run(time.Minute)
		require.True(t, first[0].alive, "%v", first[0].ended)
		require.True(t, first[1].alive, "%v", first[1].ended)
		w.reg.thaw()
		w.until(limits.Lease+5*time.Second, func() bool { return w.count([]int{0, 2}, 0, 2) })
	}
}
