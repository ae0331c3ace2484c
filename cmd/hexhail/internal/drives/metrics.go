package drives

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hexhail/hexhail/geo"
)

type metrics struct {
	routes    *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	fallbacks *prometheus.CounterVec
	snaps     *prometheus.CounterVec
	// onStreet and off are those of snaps, because a driver's every position counts.
	onStreet, off prometheus.Counter
}

func newMetrics(sources []Named) *metrics {
	m := &metrics{
		routes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hexhail_streets_routes_total", Help: "Estimated drives, by who estimated them: crow is the straight line.",
		}, []string{"by"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hexhail_streets_route_seconds", Help: "Time of one call of a source, for one drive or for all drivers of a search.",
			Buckets: prometheus.ExponentialBuckets(0.00002, 4, 9),
		}, []string{"by"}),
		fallbacks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hexhail_streets_fallbacks_total", Help: "Drives that a source left to the next one, and why: no_route, late or failed.",
		}, []string{"by", "reason"}),
		snaps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hexhail_streets_snaps_total", Help: "Positions of drivers that were looked up on the map, by whether there is a street nearby.",
		}, []string{"found"}),
	}
	m.routes.WithLabelValues(geo.ByCrow.String())
	for _, s := range sources {
		m.routes.WithLabelValues(s.By.String())
		m.seconds.WithLabelValues(s.By.String())
		for _, reason := range []string{noRoute, late, failed} {
			m.fallbacks.WithLabelValues(s.By.String(), reason)
		}
	}
	m.onStreet, m.off = m.snaps.WithLabelValues("yes"), m.snaps.WithLabelValues("no")
	return m
}

func (m *metrics) asked(by geo.Source, took time.Duration) {
	m.seconds.WithLabelValues(by.String()).Observe(took.Seconds())
}

func (m *metrics) answered(by geo.Source, n int) {
	if n > 0 {
		m.routes.WithLabelValues(by.String()).Add(float64(n))
	}
}

func (m *metrics) fellBack(by geo.Source, reason string, n int) {
	m.fallbacks.WithLabelValues(by.String(), reason).Add(float64(n))
}

func (m *metrics) snapped(found bool) {
	if found {
		m.onStreet.Inc()
	} else {
		m.off.Inc()
	}
}

// Describe and Collect make Drives a prometheus.Collector.
func (d *Drives) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range d.metrics.all() {
		c.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (d *Drives) Collect(ch chan<- prometheus.Metric) {
	for _, c := range d.metrics.all() {
		c.Collect(ch)
	}
}

func (m *metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.routes, m.seconds, m.fallbacks, m.snaps}
}
