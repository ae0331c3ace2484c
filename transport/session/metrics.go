package session

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/transport/ws"
)

// Metrics counts what sessions do. It is a [prometheus.Collector] to be
// registered once; all labels are from fixed lists, never from clients' text.
type Metrics struct {
	open       *prometheus.GaugeVec
	acceptedBy *prometheus.CounterVec
	refusedBy  *prometheus.CounterVec
	closedBy   *prometheus.CounterVec
	errors     *prometheus.CounterVec
	frames     *prometheus.CounterVec
	drops      prometheus.Counter
	auth       *prometheus.HistogramVec

	byKind  [kinds]prometheus.Counter     // of frames
	byError map[string]prometheus.Counter // of errors
	codes   map[ws.Code]string            // close codes that have a label of their own
}

var _ prometheus.Collector = (*Metrics)(nil)

// other is the label of values outside a fixed list, noRole the role of a
// socket before connect.
const (
	other  = "other"
	noRole = "none"
)

// The results of an authentication.
const (
	resultAccepted = "accepted"
	resultRefused  = "refused"
)

// NewMetrics returns counters at zero.
func NewMetrics() *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &Metrics{
		open: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hexhail_sessions_open", Help: "Open sockets; role none before connect.",
		}, []string{"encoding", "role"}),
		acceptedBy: counter("hexhail_sessions_accepted_total", "Sockets that became sessions.", "encoding", "role"),
		refusedBy:  counter("hexhail_sessions_refused_total", "Sockets refused before the upgrade.", "reason"),
		closedBy:   counter("hexhail_sessions_closed_total", "Sockets that ended, by close code.", "code"),
		errors:     counter("hexhail_session_errors_total", "Error replies sent, by code.", "code"),
		frames:     counter("hexhail_session_frames_received_total", "Frames received, by message.", "message"),
		drops: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hexhail_session_locations_dropped_total", Help: "Locations dropped by the rate limit.",
		}),
		auth: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hexhail_session_authentication_seconds", Help: "Time to authenticate, with the wait for a turn.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 8),
		}, []string{"result"}),
		byError: map[string]prometheus.Counter{},
		codes:   map[ws.Code]string{},
	}
	for k, r := range frameSpecs {
		m.byKind[k] = m.frames.WithLabelValues(r.name)
	}
	for _, reason := range refusalReasons {
		m.refusedBy.WithLabelValues(reason)
	}
	for _, codec := range []wire.Codec{wire.Binary, wire.JSON} {
		m.open.WithLabelValues(encodingOf(codec), noRole)
		for _, role := range []ride.Role{ride.RoleRider, ride.RoleDriver, ride.RoleOperator} {
			m.open.WithLabelValues(encodingOf(codec), string(role))
			m.acceptedBy.WithLabelValues(encodingOf(codec), string(role))
		}
	}
	for _, result := range []string{resultAccepted, resultRefused} {
		m.auth.WithLabelValues(result)
	}
	m.drawCodes()
	return m
}

// drawCodes makes the labels of all known close codes and error codes.
func (m *Metrics) drawCodes() {
	known := []ws.Code{
		ws.CodeNormal, ws.CodeGoingAway, ws.CodeProtocolError, ws.CodeNone, ws.CodeAbnormal,
		ws.CodeInvalidData, ws.CodePolicy, ws.CodeTooBig, ws.CodeInternal,
	}
	for code := range ridepb.CloseCodes() {
		known = append(known, ws.Code(code))
	}
	for _, code := range known {
		m.codes[code] = strconv.Itoa(int(code))
		m.closedBy.WithLabelValues(m.codes[code])
	}
	m.closedBy.WithLabelValues(other)
	for _, e := range ride.Errors() {
		m.byError[e.Code] = m.errors.WithLabelValues(e.Code)
	}
	m.errors.WithLabelValues(other)
}

func (m *Metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.open, m.acceptedBy, m.refusedBy, m.closedBy, m.errors, m.frames, m.drops, m.auth}
}

// Describe implements [prometheus.Collector].
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range m.collectors() {
		c.Describe(ch)
	}
}

// Collect implements [prometheus.Collector].
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range m.collectors() {
		c.Collect(ch)
	}
}

func (m *Metrics) opened(c wire.Codec) { m.open.WithLabelValues(encodingOf(c), noRole).Inc() }

func (m *Metrics) accepted(c wire.Codec, role ride.Role) {
	m.open.WithLabelValues(encodingOf(c), noRole).Dec()
	m.open.WithLabelValues(encodingOf(c), string(role)).Inc()
	m.acceptedBy.WithLabelValues(encodingOf(c), string(role)).Inc()
}

func (m *Metrics) closed(c wire.Codec, role ride.Role, code ws.Code) {
	of := noRole
	if role != "" {
		of = string(role)
	}
	m.open.WithLabelValues(encodingOf(c), of).Dec()
	label, ok := m.codes[code]
	if !ok { // the client's own idea
		label = other
	}
	m.closedBy.WithLabelValues(label).Inc()
}

func (m *Metrics) refused(reason string) { m.refusedBy.WithLabelValues(reason).Inc() }

func (m *Metrics) received(k kind) { m.byKind[k].Inc() }

func (m *Metrics) dropped() { m.drops.Inc() }

func (m *Metrics) errorSent(code string) {
	c, ok := m.byError[code]
	if !ok {
		c = m.errors.WithLabelValues(other)
	}
	c.Inc()
}

func (m *Metrics) authenticated(took time.Duration, refused *ride.Error) {
	result := resultAccepted
	if refused != nil {
		result = resultRefused
	}
	m.auth.WithLabelValues(result).Observe(took.Seconds())
}

// encodingOf names a codec in metrics and logs.
func encodingOf(c wire.Codec) string {
	if c.Binary() {
		return "proto"
	}
	return "json"
}
