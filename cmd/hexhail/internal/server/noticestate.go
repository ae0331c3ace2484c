package server

import (
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/ops"
	"github.com/hexhail/hexhail/persistence"
)

// noticeLapse is how long changes of accounts may stay unknown to this server, or known and not
// applied, before it is not ready.
const noticeLapse = 10 * time.Second

// noticeState is how well this server follows changes of accounts. Safe for concurrent use.
type noticeState struct {
	mu        sync.Mutex
	worked    time.Time // when an announcement's session or a poll worked last
	failing   time.Time // since when applying has failed; zero: it does not
	connected bool      // the listener
	reported  bool      // that this server is not ready
}

// begin counts as a success, so that a server has time to find its first one.
func (s *noticeState) begin(now time.Time) { s.works(now) }

func (s *noticeState) works(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.worked = now
}

func (s *noticeState) listening(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.worked, s.connected = now, true
}

// lost reports whether the listener was connected until now.
func (s *noticeState) lost() (was bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was, s.connected = s.connected, false
	return was
}

// tried notes what became of an attempt to apply what was due.
func (s *noticeState) tried(now time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.failing = time.Time{}
	case s.failing.IsZero():
		s.failing = now
	}
}

// finding is what /readyz reports; nil while sessions follow their accounts.
func (s *noticeState) finding(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	since := s.worked
	if !s.failing.IsZero() && s.failing.Before(since) {
		since = s.failing
	}
	if now.Sub(since) <= noticeLapse {
		return nil
	}
	return &ops.Finding{
		Cause: "account_changes", Since: since.UTC(),
		Text: "Log-outs and suspensions made elsewhere do not reach this server: neither announcements nor reads of changed accounts work.",
	}
}

// report logs when the server ceases to be ready for this, and when it is again.
func (s *noticeState) report(now time.Time, log *slog.Logger) {
	err := s.finding(now)
	s.mu.Lock()
	was := s.reported
	s.reported = err != nil
	s.mu.Unlock()
	switch {
	case err != nil && !was:
		log.Error("not ready: " + err.Error())
	case err == nil && was:
		log.Info("ready again: changes of accounts reach this server")
	}
}

// clockFinding is what /readyz reports about the clocks; nil if they agree well enough.
func clockFinding(d persistence.ClockDifference) error {
	if d.Least() <= persistence.ClockDifferenceMost {
		return nil
	}
	where := "ahead of"
	if d.Ahead < 0 {
		where = "behind"
	}
	return &ops.Finding{
		Cause: "clock_difference", Since: d.Since.UTC(),
		Text: "This server's clock is " + d.Ahead.Abs().Round(time.Millisecond).String() + " " + where +
			" the database's: synchronise both, for example with NTP.",
	}
}

// noticeMetrics counts what notices does.
type noticeMetrics struct{ applied *prometheus.CounterVec }

func newNoticeMetrics() *noticeMetrics {
	m := &noticeMetrics{applied: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hexhail_account_changes_applied_total",
		Help: "Accounts with sessions here that were compared with the database after a change, by the way in which this server learnt of it.",
	}, []string{"way"})}
	for _, way := range []string{wayNotify, wayPoll, wayCatchUp} {
		m.applied.WithLabelValues(way)
	}
	return m
}

var (
	descListening = prometheus.NewDesc("hexhail_account_listener_connected",
		"1 while Postgres announces changes of accounts to this server; 0 while it does not, and on the embedded database.", nil, nil)
	descNoticed = prometheus.NewDesc("hexhail_account_changes_last_success_seconds",
		"Time since this server last proved that it would learn of a changed account.", nil, nil)
)

// Describe implements prometheus.Collector.
func (n *notices) Describe(ch chan<- *prometheus.Desc) {
	n.metrics.applied.Describe(ch)
	ch <- descListening
	ch <- descNoticed
}

// Collect implements prometheus.Collector.
func (n *notices) Collect(ch chan<- prometheus.Metric) {
	n.metrics.applied.Collect(ch)
	n.state.mu.Lock()
	connected, worked := 0.0, n.state.worked
	if n.state.connected {
		connected = 1
	}
	n.state.mu.Unlock()
	ch <- prometheus.MustNewConstMetric(descListening, prometheus.GaugeValue, connected)
	ch <- prometheus.MustNewConstMetric(descNoticed, prometheus.GaugeValue, time.Since(worked).Seconds())
}
