package server

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/ops"
	"github.com/hexhail/hexhail/persistence"
)

var (
	descQueued = prometheus.NewDesc("hexhail_commit_queue_depth",
		"Transitions that are waiting for the group committer.", nil, nil)
	descQueueBound = prometheus.NewDesc("hexhail_commit_queue_capacity",
		"Maximum number of waiting transitions; beyond it clients are refused.", nil, nil)
	descLogBytes = prometheus.NewDesc("hexhail_database_log_bytes",
		"Length of the embedded database's write-ahead log; 0 on Postgres.", nil, nil)
	descLogBlocked = prometheus.NewDesc("hexhail_database_log_blocked_seconds",
		"How long another process's read transaction has kept the embedded database's log from being reset; 0: none does.", nil, nil)
	descReady = prometheus.NewDesc("hexhail_database_ready",
		"1 while the database can be read and written, 0 while it cannot.", nil, nil)
	descTrouble = prometheus.NewDesc("hexhail_database_trouble",
		"1 for the cause that keeps the database from working, or slows it down; 0 for all others.", []string{"cause"}, nil)
	descPurges = prometheus.NewDesc("hexhail_purges_total",
		"Purges of expired records by this server. Servers that share a database take turns.", nil, nil)
	descWrote = prometheus.NewDesc("hexhail_database_last_write_seconds",
		"Time since the last successful write.", nil, nil)
	descClock = prometheus.NewDesc("hexhail_database_clock_difference_seconds",
		"How far this server's clock is ahead of Postgres' (negative: behind), to within half a round trip; 0 on the embedded database.", nil, nil)
)

// storeMetrics reads the store's counters on each scrape.
type storeMetrics struct{ store *persistence.Store }

// Describe implements prometheus.Collector.
func (storeMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descQueued, descQueueBound, descLogBytes, descLogBlocked, descReady, descTrouble, descPurges, descWrote, descClock} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m storeMetrics) Collect(ch chan<- prometheus.Metric) {
	st := m.store.Stats()
	blocked := 0.0
	if !st.BlockedSince.IsZero() {
		blocked = time.Since(st.BlockedSince).Seconds()
	}
	h := m.store.Health()
	ready, wrote := 1.0, 0.0
	if h.Failing {
		ready = 0
	}
	if !h.Wrote.IsZero() {
		wrote = time.Since(h.Wrote).Seconds()
	}
	for _, c := range persistence.Causes() {
		is := 0.0
		if c == h.Cause {
			is = 1
		}
		ch <- prometheus.MustNewConstMetric(descTrouble, prometheus.GaugeValue, is, string(c))
	}
	ch <- prometheus.MustNewConstMetric(descPurges, prometheus.CounterValue, float64(st.Purges))
	for d, v := range map[*prometheus.Desc]float64{
		descQueued: float64(st.Queued), descQueueBound: float64(st.Capacity),
		descLogBytes: float64(st.LogBytes), descLogBlocked: blocked,
		descReady: ready, descWrote: wrote, descClock: m.store.Clock().Ahead.Seconds(),
	} {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
}

// finding is what /readyz reports about the store; nil if all is well.
func finding(h persistence.Health) error {
	if h.Cause == persistence.CauseNone {
		return nil
	}
	return &ops.Finding{Cause: string(h.Cause), Text: h.Cause.Sentence(), Since: h.Since.UTC(), Works: !h.Failing}
}
