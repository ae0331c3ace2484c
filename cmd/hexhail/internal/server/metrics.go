package server

import (
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hexhail/hexhail/transport/ws"
)

// metrics holds the metrics that no part keeps itself: those of the committer, of the sockets'
// bytes and of HTTP requests. Safe for concurrent use.
type metrics struct {
	batchSize    prometheus.Histogram
	batchTime    prometheus.Histogram
	batchFailed  prometheus.Counter
	requests     *prometheus.HistogramVec
	bytes        *prometheus.CounterVec
	frames       *prometheus.CounterVec
	socketWrites prometheus.Counter
	replaced     prometheus.Counter
	sockets      socketObserver
	commits      commits
}

// commits counts the transactions since the last reading. Safe for concurrent use.
type commits struct {
	mu           sync.Mutex
	n            int64
	all, longest time.Duration
}

func (c *commits) add(took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	c.all += took
	c.longest = max(c.longest, took)
}

func (c *commits) take() (n int64, all, longest time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, all, longest = c.n, c.all, c.longest
	c.n, c.all, c.longest = 0, 0, 0
	return n, all, longest
}

func newMetrics() *metrics {
	m := &metrics{
		batchSize: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hexhail_commit_batch_size", Help: "Transitions written in one transaction.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 10),
		}),
		batchTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hexhail_commit_seconds", Help: "Time of one transaction of the group committer, until it is on disk.",
			Buckets: prometheus.ExponentialBuckets(0.00025, 2, 14),
		}),
		batchFailed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hexhail_commit_failures_total", Help: "Transactions of the group committer that failed as a whole.",
		}),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hexhail_http_request_seconds", Help: "Time to answer an HTTP request, by route and status.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}, []string{"route", "status"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hexhail_socket_bytes_total", Help: "Bytes of sockets, by direction.",
		}, []string{"direction"}),
		frames: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hexhail_socket_frames_total", Help: "Messages received and frames written on sockets, by direction.",
		}, []string{"direction"}),
		socketWrites: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hexhail_socket_writes_total", Help: "Writes to sockets; one write carries all waiting frames.",
		}),
		replaced: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hexhail_socket_frames_replaced_total", Help: "Waiting frames that a newer one replaced.",
		}),
	}
	m.sockets = socketObserver{
		inBytes: m.bytes.WithLabelValues("in"), outBytes: m.bytes.WithLabelValues("out"),
		inFrames: m.frames.WithLabelValues("in"), outFrames: m.frames.WithLabelValues("out"),
		writes: m.socketWrites, replaced: m.replaced,
	}
	return m
}

func (m *metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.batchSize, m.batchTime, m.batchFailed, m.requests, m.bytes, m.frames, m.socketWrites, m.replaced}
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range m.all() {
		c.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range m.all() {
		c.Collect(ch)
	}
}

// commit is called for every batch of the group committer.
func (m *metrics) commit(size int, took time.Duration, err error) {
	if err != nil {
		m.batchFailed.Inc()
		return
	}
	m.batchSize.Observe(float64(size))
	m.batchTime.Observe(took.Seconds())
	m.commits.add(took)
}

// request is called for every answered HTTP request. Routes are patterns, so their number is
// bounded.
func (m *metrics) request(route string, status int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
}

// socketObserver counts the sockets' traffic.
type socketObserver struct {
	inBytes, outBytes, inFrames, outFrames, writes, replaced prometheus.Counter
}

func (o socketObserver) Opened() {}
func (o socketObserver) Received(bytes, messages int) {
	o.inBytes.Add(float64(bytes))
	o.inFrames.Add(float64(messages))
}
func (o socketObserver) Wrote(bytes, frames int) {
	o.outBytes.Add(float64(bytes))
	o.outFrames.Add(float64(frames))
	o.writes.Inc()
}
func (o socketObserver) Replaced()       { o.replaced.Inc() }
func (o socketObserver) Ended(ws.Closed) {}
