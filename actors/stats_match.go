package actors

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hexhail/hexhail/ride/dispatch"
)

// matchStats are the metrics of the matchers of this node, and of the trips here that leave their search
// to one. Safe for concurrent use.
type matchStats struct {
	plans   *prometheus.CounterVec
	size    *prometheus.HistogramVec
	stages  *prometheus.HistogramVec
	trips   *prometheus.CounterVec
	fell    *prometheus.CounterVec
	firstBy *prometheus.CounterVec
}

// Label values: the stages of a plan, what became of it, why trips search by themselves, and who decided a
// request first.
const (
	stageSearch = "search"
	stageWays   = "ways"
	stageDecide = "decide"

	planMade   = "made"
	planFailed = "failed"

	matchOffered = "offered"

	fellUnheard = "unanswered"
	fellSilent  = "silent"

	firstAtOnce = "at_once"
	firstWindow = "window"
)

func newMatchStats() matchStats {
	name := func(n string) string { return "hexhail_match_" + n }
	m := matchStats{
		plans: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: name("plans_total"), Help: "Plans of zones, made or failed because too many estimates waited.",
		}, []string{"result"}),
		size: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: name("plan_size"), Help: "Trips (rows) and drivers (columns) of a zone's plan.",
			Buckets: []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000},
		}, []string{"of"}),
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: name("stage_seconds"), Help: "Time of the stages of a zone's plan: search for drivers, ways, decision.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}, []string{"stage"}),
		trips: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: name("outcomes_total"), Help: "Trips in plans of zones: offered, or the reason why they wait.",
		}, []string{"outcome"}),
		fell: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: name("fallbacks_total"), Help: "Trips that began to search by themselves, because their matcher left them unanswered or was silent.",
		}, []string{"why"}),
		firstBy: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: name("first_total"), Help: "Requests that were decided at once, or left to their zone's next window.",
		}, []string{"by"}),
	}
	for _, result := range []string{planMade, planFailed} {
		m.plans.WithLabelValues(result)
	}
	for _, of := range []string{"rows", "columns"} {
		m.size.WithLabelValues(of)
	}
	for _, stage := range []string{stageSearch, stageWays, stageDecide} {
		m.stages.WithLabelValues(stage)
	}
	for _, outcome := range []string{
		matchOffered, string(dispatch.NoDriver), string(dispatch.TooFar), string(dispatch.NeededMore),
	} {
		m.trips.WithLabelValues(outcome)
	}
	for _, why := range []string{fellUnheard, fellSilent} {
		m.fell.WithLabelValues(why)
	}
	for _, by := range []string{firstAtOnce, firstWindow} {
		m.firstBy.WithLabelValues(by)
	}
	return m
}

func (m *matchStats) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.plans, m.size, m.stages, m.trips, m.fell, m.firstBy}
}

func (m *matchStats) stage(stage string, took time.Duration) {
	m.stages.WithLabelValues(stage).Observe(took.Seconds())
}
