package runtime

import (
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Kind counts what the actors of one kind do. protoactor's own metrics cost eighty times as much as
// a message; these cost two clock readings and a few uncontended additions. Safe for concurrent
// use.
type Kind struct {
	name   string
	since  time.Time
	shards [16]kindShard
	next   atomic.Uint32
	recent recent
}

// NewKind makes a kind without actors. The name is the metrics' label and the prefix of each
// actor's id.
func NewKind(name string) *Kind { return &Kind{name: name, since: time.Now()} }

// kindShard holds part of a kind's counters; each actor always uses the same shard.
type kindShard struct {
	spawned, stopped, posted, taken, panics atomic.Int64
	handled, nanos                          atomic.Int64
	buckets                                 [handleBuckets]atomic.Int64
	deepest                                 atomic.Int32 // mailbox, since the last roll
	_                                       [64]byte     // padding against false sharing
}

// Handling times are counted in powers of four from 1 µs: 1, 4, 16 … µs.
const handleBuckets = 12

func (k *Kind) shard() *kindShard {
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

// deepen records a mailbox depth if it is the greatest since the last roll.
func (s *kindShard) deepen(n int32) {
	for {
		was := s.deepest.Load()
		if n <= was || s.deepest.CompareAndSwap(was, n) {
			return
		}
	}
}

// Alive is the number of actors of the kind that have started and not stopped.
func (k *Kind) Alive() int64 {
	var n int64
	for i := range k.shards {
		n += k.shards[i].spawned.Load() - k.shards[i].stopped.Load()
	}
	return n
}

// Handled is the number of messages that actors of the kind have handled.
func (k *Kind) Handled() int64 {
	var n int64
	for i := range k.shards {
		n += k.shards[i].handled.Load()
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

// Describe and Collect make a Kind a prometheus.Collector; all kinds describe the same metrics.
func (k *Kind) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descSpawned, descStopped, descAlive, descMessages, descDepth, descDeepest, descSlowest, descPanics, descHandling} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (k *Kind) Collect(ch chan<- prometheus.Metric) {
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
	gauge(descDeepest, float64(k.deepestMailbox()))
	slowest := time.Duration(0)
	if all := k.recent.slowest(time.Now()); len(all) > 0 {
		slowest = all[0].Took
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
