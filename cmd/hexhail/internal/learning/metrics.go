package learning

import (
	"fmt"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/learn"
)

// What else becomes of rides, beside the verdicts of a learner.
const (
	unmeasured = "unmeasured" // not completed, or its way was not measured as a whole
	elsewhere  = "elsewhere"  // it ended far from its dropoff
	offMap     = "off_map"    // the map has no way
	dropped    = "dropped"    // too many waited
)

// metrics are those of learning. Safe for concurrent use.
type metrics struct {
	outcomes *prometheus.CounterVec
	rides    map[string]prometheus.Counter // by outcome
	ratio    prometheus.Histogram
	failures prometheus.Counter

	mu      sync.Mutex
	known   float64
	learned streets.Learned
}

var (
	descKnown = prometheus.NewDesc("hexhail_streets_learned_rides",
		fmt.Sprintf("Rides that taught travel times, of all servers on the database; at most %d, because older ones fade. Used from %d.", learn.MostN, learn.Ready), nil, nil)
	descHour = prometheus.NewDesc("hexhail_streets_hour_factor",
		"Learned factor of travel times, by hour; 1 until enough rides have taught it.", []string{"day", "hour"}, nil)
	descDetour = prometheus.NewDesc("hexhail_streets_detour_factor",
		"Learned factor of how much farther than planned drivers drive; 1 until enough rides have taught it.", nil, nil)
)

func newMetrics() *metrics {
	m := &metrics{
		outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hexhail_streets_rides_total", Help: "Ended trips by what became of them for learning travel times.",
		}, []string{"outcome"}),
		rides: map[string]prometheus.Counter{},
		ratio: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hexhail_streets_time_ratio", Help: "Actual over planned time of the rides learned from.",
			Buckets: []float64{0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.35, 1.5, 1.75, 2, 3},
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hexhail_streets_learning_failures_total", Help: "Exchanges of learned travel times with the database that failed.",
		}),
	}
	outcomes := []string{unmeasured, elsewhere, offMap, dropped}
	for _, v := range learn.Verdicts {
		outcomes = append(outcomes, string(v))
	}
	for _, o := range outcomes {
		m.rides[o] = m.outcomes.WithLabelValues(o)
	}
	return m
}

// show takes what is known.
func (m *metrics) show(known float64, l streets.Learned) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known, m.learned = known, l
}

// Describe and Collect make a Learning a prometheus.Collector.
func (l *Learning) Describe(ch chan<- *prometheus.Desc) {
	m := l.metrics
	m.outcomes.Describe(ch)
	m.ratio.Describe(ch)
	m.failures.Describe(ch)
	for _, d := range []*prometheus.Desc{descKnown, descHour, descDetour} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (l *Learning) Collect(ch chan<- prometheus.Metric) {
	m := l.metrics
	m.outcomes.Collect(ch)
	m.ratio.Collect(ch)
	m.failures.Collect(ch)
	m.mu.Lock()
	known, learned := m.known, m.learned
	m.mu.Unlock()
	one := func(f float64) float64 {
		if f == 0 {
			return 1
		}
		return f
	}
	ch <- prometheus.MustNewConstMetric(descKnown, prometheus.GaugeValue, known)
	ch <- prometheus.MustNewConstMetric(descDetour, prometheus.GaugeValue, one(learned.Detour))
	for h, f := range learned.Hours {
		day := "weekday"
		if h >= 24 {
			day = "weekend"
		}
		ch <- prometheus.MustNewConstMetric(descHour, prometheus.GaugeValue, one(f), day, fmt.Sprintf("%02d", h%24))
	}
}
