package server

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hexhail/hexhail/persistence"
)

var (
	descQueued = prometheus.NewDesc("hexhail_commit_queue_depth",
		"Transitions that wait for the group committer now.", nil, nil)
	descQueueBound = prometheus.NewDesc("hexhail_commit_queue_capacity",
		"Most transitions that may wait for the group committer; beyond that clients are refused.", nil, nil)
	descLogBytes = prometheus.NewDesc("hexhail_database_log_bytes",
		"Length of the embedded database's write-ahead log; 0 on Postgres.", nil, nil)
	descLogBlocked = prometheus.NewDesc("hexhail_database_log_blocked_seconds",
		"How long another process's read transaction has kept the embedded database's log from beginning again; 0: none does.", nil, nil)
)

// storeMetrics reads the store's own counters when it is scraped.
type storeMetrics struct{ store *persistence.Store }

// Describe implements prometheus.Collector.
func (storeMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descQueued, descQueueBound, descLogBytes, descLogBlocked} {
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
	for d, v := range map[*prometheus.Desc]float64{
		descQueued: float64(st.Queued), descQueueBound: float64(st.Capacity),
		descLogBytes: float64(st.LogBytes), descLogBlocked: blocked,
	} {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
}
