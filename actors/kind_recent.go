package actors

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// kindSum is the counters of a kind, added up over its shards.
type kindSum struct {
	at                                                      time.Time
	spawned, stopped, posted, taken, panics, handled, nanos int64
	buckets                                                 [handleBuckets]int64
}

func (k *kind) sum() kindSum {
	sum := kindSum{at: time.Now()}
	for i := range k.shards {
		s := &k.shards[i]
		// What is taken was posted before: read in this order the depth is never negative.
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

// kindRecent is what a kind did of late. Safe for concurrent use.
type kindRecent struct {
	mu sync.Mutex
	// before is the sum of the last but one roll, last that of the last one: rates are
	// taken from before until now, so over one to two rolls.
	before, last kindSum
	depths       [deepRolls]int32 // the deepest mailbox of each roll
	rolls        int
	worst        map[reflect.Type]slowest
}

// slowest is the longest time that one type of message took.
type slowest struct {
	message string
	took    time.Duration
	at      time.Time
}

const (
	// deepRolls is how many rolls the deepest mailbox is remembered for.
	deepRolls = 6
	// Messages that took less than slowFrom are not looked at: most do, and the others
	// can afford a lock.
	slowFrom = 100 * time.Microsecond
	slowFor  = 15 * time.Minute
	maxSlow  = 8
)

// roll closes a step of sampleStep. One goroutine calls it.
func (k *kind) roll() {
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

// deepest is the deepest mailbox of about the last minute.
func (k *kind) deepest() (depth int32) {
	for i := range k.shards {
		depth = max(depth, k.shards[i].deepest.Load())
	}
	k.recent.mu.Lock()
	defer k.recent.mu.Unlock()
	return max(depth, slices.Max(k.recent.depths[:]))
}

// slow notes a message that took long. The number of types is that of the source.
func (r *kindRecent) slow(message any, took time.Duration, at time.Time) {
	t := reflect.TypeOf(message)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.worst == nil {
		r.worst = make(map[reflect.Type]slowest)
	}
	if was := r.worst[t]; took > was.took || at.Sub(was.at) > slowFor {
		name := t.String()
		r.worst[t] = slowest{name[strings.LastIndexByte(name, '.')+1:], took, at}
	}
}

// slowest returns the slowest messages by type, slowest first.
func (r *kindRecent) slowest(now time.Time) []slowest {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []slowest
	for _, s := range r.worst {
		if now.Sub(s.at) <= slowFor {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b slowest) int { return cmp.Or(cmp.Compare(b.took, a.took), cmp.Compare(a.message, b.message)) })
	return out[:min(len(out), maxSlow)]
}

// show is the kind as operators see it.
func (k *kind) show(started time.Time) *ridepb.ActorKind {
	sum := k.sum()
	k.recent.mu.Lock()
	before := k.recent.before
	k.recent.mu.Unlock()
	if before.at.IsZero() {
		before.at = started
	}
	out := &ridepb.ActorKind{
		Kind: k.name, Alive: uint32(max(0, sum.spawned-sum.stopped)), Started: uint32(sum.spawned), Stopped: uint32(sum.stopped),
		Panics: uint32(sum.panics), Waiting: uint32(max(0, sum.posted-sum.taken)), DeepestMailbox: uint32(k.deepest()),
		Messages: uint32(sum.posted),
	}
	if seconds := sum.at.Sub(before.at).Seconds(); seconds > 0 {
		out.MessagesPerS = float32(float64(sum.posted-before.posted) / seconds)
	}
	if handled := sum.handled - before.handled; handled > 0 {
		out.MeanUs = float32(float64(sum.nanos-before.nanos) / float64(handled) / 1e3)
		for b := range sum.buckets {
			sum.buckets[b] -= before.buckets[b]
		}
		out.P50Us, out.P99Us = handlingQuantile(sum.buckets, 0.5), handlingQuantile(sum.buckets, 0.99)
	}
	for _, s := range k.recent.slowest(sum.at) {
		out.Slowest = append(out.Slowest, &ridepb.SlowHandler{Message: s.message, TookUs: uint32(s.took.Microseconds()), At: view.Time(s.at)})
	}
	return out
}

// handlingQuantile is the upper bound of the bucket that holds a quantile, in microseconds.
func handlingQuantile(buckets [handleBuckets]int64, q float64) float32 {
	var total, seen int64
	for _, n := range buckets {
		total += n
	}
	for b, n := range buckets {
		if seen += n; n > 0 && float64(seen) >= q*float64(total) {
			return float32(uint64(1) << (2 * b))
		}
	}
	return 0
}

// Actors counts the actors of this node by kind.
func (s *System) Actors() []*ridepb.ActorKind {
	out := make([]*ridepb.ActorKind, 0, 5)
	for _, k := range s.kinds.all() {
		out = append(out, k.show(s.started))
	}
	return out
}
