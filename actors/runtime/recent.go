package runtime

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

// kindSum is the counters of a kind, added up over its shards.
type kindSum struct {
	at                                                      time.Time
	spawned, stopped, posted, taken, panics, handled, nanos int64
	buckets                                                 [handleBuckets]int64
}

func (k *Kind) sum() kindSum {
	sum := kindSum{at: time.Now()}
	for i := range k.shards {
		s := &k.shards[i]
		// A message is posted before it is taken: read in this order, the depth is never negative.
		sum.taken += s.taken.Load()
		sum.posted += s.posted.Load()
		sum.stopped += s.stopped.Load()
		sum.spawned += s.spawned.Load()
		sum.panics += s.panics.Load()
		sum.handled += s.handled.Load()
		sum.nanos += s.nanos.Load()
		for b := range sum.buckets {
			sum.buckets[b] += s.buckets[b].Load()
		}
	}
	return sum
}

// recent is what a kind did recently. Safe for concurrent use.
type recent struct {
	mu sync.Mutex
	// before is the sum at the last roll but one, last that at the last roll. Rates are taken from
	// before until now, so over one to two rolls.
	before, last kindSum
	depths       [deepRolls]int32 // the deepest mailbox of each roll
	rolls        int
	worst        map[reflect.Type]Slow
}

// Slow is the longest time that one type of message took recently, and when.
type Slow struct {
	Message string // the type's name, without its package
	Took    time.Duration
	At      time.Time
}

const (
	// deepRolls is how many rolls the deepest mailbox is remembered for.
	deepRolls = 6
	// Messages that took less than slowFrom are ignored: that is most of them, and the others can
	// afford a lock.
	slowFrom = 100 * time.Microsecond
	slowFor  = 15 * time.Minute
	maxSlow  = 8
)

// Roll closes a step of what is remembered as recent. One goroutine calls it, every ten
// seconds.
func (k *Kind) Roll() {
	var depth int32
	for i := range k.shards {
		depth = max(depth, k.shards[i].deepest.Swap(0))
	}
	sum := k.sum()
	r := &k.recent
	r.mu.Lock()
	defer r.mu.Unlock()
	r.before, r.last = r.last, sum
	r.depths[r.rolls%deepRolls] = depth
	r.rolls++
}

// deepestMailbox is the most messages that waited in one mailbox within about the last
// minute.
func (k *Kind) deepestMailbox() (depth int32) {
	for i := range k.shards {
		depth = max(depth, k.shards[i].deepest.Load())
	}
	k.recent.mu.Lock()
	defer k.recent.mu.Unlock()
	return max(depth, slices.Max(k.recent.depths[:]))
}

// slow records a slow message. The map is bounded by the number of message types in the source.
func (r *recent) slow(message any, took time.Duration, at time.Time) {
	t := reflect.TypeOf(message)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.worst == nil {
		r.worst = make(map[reflect.Type]Slow)
	}
	if was := r.worst[t]; took > was.Took || at.Sub(was.At) > slowFor {
		name := t.String()
		r.worst[t] = Slow{name[strings.LastIndexByte(name, '.')+1:], took, at}
	}
}

// slowest returns the slowest messages by type, slowest first.
func (r *recent) slowest(now time.Time) []Slow {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Slow
	for _, s := range r.worst {
		if now.Sub(s.At) <= slowFor {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b Slow) int { return cmp.Or(cmp.Compare(b.Took, a.Took), cmp.Compare(a.Message, b.Message)) })
	return out[:min(len(out), maxSlow)]
}

// Report is what the actors of a kind have done.
type Report struct {
	Kind string
	// Since the node's start.
	Spawned, Stopped, Panics, Posted int64
	// Alive actors, and Waiting messages, at this moment; DeepestMailbox within about the
	// last minute.
	Alive, Waiting, DeepestMailbox int64
	// Over the last one or two rolls: messages each second, and how long handling one took.
	// The quantiles are upper bounds by powers of four.
	PerSecond      float64
	Mean, P50, P99 time.Duration
	Slowest        []Slow // of the last 15 minutes, slowest first
}

// Report reads the counters.
func (k *Kind) Report() Report {
	sum := k.sum()
	k.recent.mu.Lock()
	before := k.recent.before
	k.recent.mu.Unlock()
	if before.at.IsZero() {
		before.at = k.since
	}
	out := Report{
		Kind: k.name, Spawned: sum.spawned, Stopped: sum.stopped, Panics: sum.panics, Posted: sum.posted,
		Alive: max(0, sum.spawned-sum.stopped), Waiting: max(0, sum.posted-sum.taken), DeepestMailbox: int64(k.deepestMailbox()),
		Slowest: k.recent.slowest(sum.at),
	}
	if seconds := sum.at.Sub(before.at).Seconds(); seconds > 0 {
		out.PerSecond = float64(sum.posted-before.posted) / seconds
	}
	if handled := sum.handled - before.handled; handled > 0 {
		out.Mean = time.Duration(sum.nanos-before.nanos) / time.Duration(handled)
		for b := range sum.buckets {
			sum.buckets[b] -= before.buckets[b]
		}
		out.P50, out.P99 = handlingQuantile(sum.buckets, 0.5), handlingQuantile(sum.buckets, 0.99)
	}
	return out
}

// handlingQuantile is the upper bound of the bucket that holds a quantile.
func handlingQuantile(buckets [handleBuckets]int64, q float64) time.Duration {
	var total, seen int64
	for _, n := range buckets {
		total += n
	}
	for b, n := range buckets {
		if seen += n; n > 0 && float64(seen) >= q*float64(total) {
			return time.Duration(1<<(2*b)) * time.Microsecond
		}
	}
	return 0
}
