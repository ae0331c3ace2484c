package actors

import (
	"math/bits"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"
)

// shell is an actor of ours: receive is called with one message at a time; recovered
// after receive has panicked, to bring the state back to something true.
type shell interface {
	receive(ctx actor.Context)
	recovered(ctx actor.Context)
}

// kind counts what the actors of one kind do. protoactor's own metrics cost eighty
// times a message; these cost two clock readings and a few uncontended additions.
type kind struct {
	name   string
	shards [16]kindShard
	next   atomic.Uint32
	recent kindRecent
}

// kindShard holds a part of a kind's counters; each actor always uses the same one.
type kindShard struct {
	spawned, stopped, posted, taken, panics atomic.Int64
	handled, nanos                          atomic.Int64
	buckets                                 [handleBuckets]atomic.Int64
	deepest                                 atomic.Int32 // mailbox, since the last roll
	_                                       [64]byte     // keeps neighbours off this cache line
}

// Handling times are counted in powers of four from 1 µs: 1, 4, 16 … µs.
const handleBuckets = 12

func (k *kind) shard() *kindShard {
	return &k.shards[int(k.next.Add(1))%len(k.shards)]
}

func (s *kindShard) handle(d time.Duration) {
	s.handled.Add(1)
	s.nanos.Add(int64(d))
	s.buckets[min((bits.Len64(uint64(d)/1000)+1)/2, handleBuckets-1)].Add(1)
}

// mailbox counts one actor's mailbox; protoactor calls its methods.
type mailbox struct {
	shard   *kindShard
	waiting atomic.Int32
}

func (m *mailbox) MailboxStarted() {}
func (m *mailbox) MailboxEmpty()   {}

func (m *mailbox) MessagePosted(any) {
	m.shard.posted.Add(1)
	if n := m.waiting.Add(1); n > m.shard.deepest.Load() {
		m.shard.deepen(n)
	}
}

func (m *mailbox) MessageReceived(any) {
	m.waiting.Add(-1)
	m.shard.taken.Add(1)
}

// deepen notes a mailbox that is deeper than any since the last roll.
func (s *kindShard) deepen(n int32) {
	for {
		was := s.deepest.Load()
		if n <= was || s.deepest.CompareAndSwap(was, n) {
			return
		}
	}
}

// guard is the actor that protoactor sees: it counts, and recovers inside Receive,
// where protoactor's own restart would lose the state and the mailbox's order.
type guard struct {
	sys   *System
	kind  *kind
	shard *kindShard
	shell shell
}

func (g *guard) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		g.shard.spawned.Add(1)
	case *actor.Stopped:
		g.shard.stopped.Add(1)
	}
	begin := time.Now()
	g.call(ctx)
	took := time.Since(begin)
	g.shard.handle(took)
	if took >= slowFrom {
		g.kind.recent.slow(ctx.Message(), took, begin)
	}
}

func (g *guard) call(ctx actor.Context) {
	defer func() {
		if cause := recover(); cause != nil {
			g.shard.panics.Add(1)
			g.sys.cfg.Log.Error("actor panicked", "kind", g.kind.name, "actor", ctx.Self().GetId(),
				"cause", cause, "stack", string(debug.Stack()))
			g.recover(ctx)
		}
	}()
	g.shell.receive(ctx)
}

// recover gives the shell its chance; a panic in there stops the actor, whose state can
// then be had from the database only.
func (g *guard) recover(ctx actor.Context) {
	defer func() {
		if cause := recover(); cause != nil {
			g.sys.cfg.Log.Error("actor cannot recover", "kind", g.kind.name, "actor", ctx.Self().GetId(), "cause", cause)
			ctx.Stop(ctx.Self())
		}
	}()
	g.shell.recovered(ctx)
}

// spawn starts an actor of a kind. Callers that share its name with others hold a lock:
// protoactor publishes a name before the mailbox behind it is ready.
func (s *System) spawn(k *kind, make func() shell) *actor.PID {
	shard := k.shard()
	return s.root.SpawnPrefix(actor.PropsFromProducer(
		func() actor.Actor { return &guard{sys: s, kind: k, shard: shard, shell: make()} },
		actor.WithMailbox(actor.Unbounded(&mailbox{shard: shard})), actor.WithDispatcher(s.warm),
	), k.name)
}

// alive is the number of actors of the kind that have started and not stopped.
func (k *kind) alive() int64 {
	var n int64
	for i := range k.shards {
		n += k.shards[i].spawned.Load() - k.shards[i].stopped.Load()
	}
	return n
}

var (
	kindLabel    = []string{"kind"}
	descSpawned  = prometheus.NewDesc("hexhail_actors_spawned_total", "Actors started, by kind.", kindLabel, nil)
	descStopped  = prometheus.NewDesc("hexhail_actors_stopped_total", "Actors stopped, by kind.", kindLabel, nil)
	descAlive    = prometheus.NewDesc("hexhail_actors", "Actors alive, by kind.", kindLabel, nil)
	descMessages = prometheus.NewDesc("hexhail_actor_messages_total", "Messages put into mailboxes, by kind.", kindLabel, nil)
	descDepth    = prometheus.NewDesc("hexhail_actor_mailbox_depth", "Messages waiting in mailboxes or being handled, by kind.", kindLabel, nil)
	descDeepest  = prometheus.NewDesc("hexhail_actor_mailbox_deepest", "The most messages that waited in one mailbox within the last minute, by kind.", kindLabel, nil)
	descSlowest  = prometheus.NewDesc("hexhail_actor_slowest_seconds", "The longest time to handle one message within the last 15 minutes, by kind; 0 below 0.1 ms.", kindLabel, nil)
	descPanics   = prometheus.NewDesc("hexhail_actor_panics_total", "Panics recovered while handling a message, by kind.", kindLabel, nil)
	descHandling = prometheus.NewDesc("hexhail_actor_handling_seconds", "Time to handle a message, by kind.", kindLabel, nil)
)

func (k *kind) describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descSpawned, descStopped, descAlive, descMessages, descDepth, descDeepest, descSlowest, descPanics, descHandling} {
		ch <- d
	}
}

func (k *kind) collect(ch chan<- prometheus.Metric) {
	sum := k.sum()
	counter := func(d *prometheus.Desc, v int64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), k.name)
	}
	gauge := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, k.name)
	}
	counter(descSpawned, sum.spawned)
	counter(descStopped, sum.stopped)
	gauge(descAlive, float64(sum.spawned-sum.stopped))
	counter(descMessages, sum.posted)
	gauge(descDepth, float64(sum.posted-sum.taken))
	gauge(descDeepest, float64(k.deepest()))
	slowest := time.Duration(0)
	if all := k.recent.slowest(time.Now()); len(all) > 0 {
		slowest = all[0].took
	}
	gauge(descSlowest, slowest.Seconds())
	counter(descPanics, sum.panics)
	buckets := make(map[float64]uint64, handleBuckets)
	var total uint64
	for b, n := range sum.buckets {
		total += uint64(n)
		if b < handleBuckets-1 {
			buckets[1e-6*float64(uint64(1)<<(2*b))] = total
		}
	}
	ch <- prometheus.MustNewConstHistogram(descHandling, total, float64(sum.nanos)/1e9, buckets, k.name)
}
