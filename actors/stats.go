package actors

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// stats are the metrics of what the actors do for riders and drivers. Safe for
// concurrent use.
type stats struct {
	trips       *prometheus.GaugeVec
	events      *prometheus.CounterVec
	offersMade  prometheus.Counter
	offersEnded *prometheus.CounterVec
	toMatch     prometheus.Histogram
	positions   *prometheus.CounterVec
	taken       prometheus.Counter // accepted positions
	ignored     prometheus.Counter
	sessions    *prometheus.CounterVec
	deadLetters prometheus.Counter
	crumbs      *prometheus.CounterVec
	swept       prometheus.Counter
	misdirected prometheus.Counter
	stale       prometheus.Counter
	takeovers   *prometheus.CounterVec
	hurried     prometheus.Counter // estimates that no worker had room for
	streets     *prometheus.CounterVec
	matching    matchStats
}

func newStats() *stats {
	name := func(n string) string { return "hexhail_" + n }
	s := &stats{
		trips: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: name("trips"), Help: "Trips with an actor on this node, by status.",
		}, []string{"status"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: name("trip_changes_total"), Help: "Committed transitions of trips, by their newest event.",
		}, []string{"event"}),
		offersMade: prometheus.NewCounter(prometheus.CounterOpts{
			Name: name("offers_made_total"), Help: "Offers sent to drivers.",
		}),
		offersEnded: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: name("offers_ended_total"), Help: "Offers ended, by outcome.",
		}, []string{"outcome"}),
		toMatch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: name("time_to_match_seconds"), Help: "From a trip's request to its match.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 40, 60, 90, 120},
		}),
		positions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: name("location_updates_total"), Help: "Positions of drivers, taken or ignored as old, out of order or too far.",
		}, []string{"result"}),
		sessions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: name("sessions_joined_total"), Help: "Sessions joined: new, resumed, or with their history lost.",
		}, []string{"how"}),
		deadLetters: prometheus.NewCounter(prometheus.CounterOpts{
			Name: name("dead_letters_total"), Help: "Messages to actors that no longer exist.",
		}),
		crumbs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: name("breadcrumbs_total"), Help: "Recorded positions of trips: written, or dropped because the queue was full.",
		}, []string{"result"}),
		swept: prometheus.NewCounter(prometheus.CounterOpts{
			Name: name("trips_swept_total"), Help: "Overdue trips that the sweeper woke.",
		}),
		misdirected: prometheus.NewCounter(prometheus.CounterOpts{
			Name: name("messages_misdirected_total"), Help: "Messages that reached another account's actor, and were dropped.",
		}),
		stale: prometheus.NewCounter(prometheus.CounterOpts{
			Name: name("stale_commits_total"), Help: "Transitions that the database refused, because another activation of the trip had taken over.",
		}),
		takeovers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: name("sessions_moved_total"), Help: "Sessions that came from another node, by what became of their history.",
		}, []string{"history"}),
	}
	s.hurried = prometheus.NewCounter(prometheus.CounterOpts{
		Name: name("estimates_hurried_total"), Help: "Estimates of drives made from straight lines because too many others were waiting.",
	})
	s.streets = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: name("streets_checks_total"), Help: "Completed rides whose length along streets was compared with that of their positions, by verdict.",
	}, []string{"verdict"})
	s.matching = newMatchStats()
	s.taken, s.ignored = s.positions.WithLabelValues("taken"), s.positions.WithLabelValues("ignored")
	s.draw()
	return s
}

// draw makes every series appear with 0, so that rates and alerts do not miss its first increment.
func (s *stats) draw() {
	for _, verdict := range ride.StreetVerdicts {
		s.streets.WithLabelValues(string(verdict))
	}
	for _, status := range ride.Statuses() {
		s.trips.WithLabelValues(string(status))
	}
	for _, kind := range ride.EventKinds() {
		s.events.WithLabelValues(kind)
	}
	for n, outcome := range ridepb.OfferClosed_Outcome_name { // named as the domain names them
		if ridepb.OfferClosed_Outcome(n) != ridepb.OfferClosed_outcome_unspecified {
			s.offersEnded.WithLabelValues(outcome)
		}
	}
	for _, how := range []string{joinedNew, joinedResumed, joinedLost} {
		s.sessions.WithLabelValues(how)
	}
	for _, result := range []string{movedTaken, movedNone, movedSilent, movedGone} {
		s.takeovers.WithLabelValues(result)
	}
	for _, verdict := range ride.StreetVerdicts {
		s.streets.WithLabelValues(string(verdict))
	}
	for _, result := range []string{crumbWritten, crumbDropped} {
		s.crumbs.WithLabelValues(result)
	}
}

// Label values: how sessions joined, and what became of recorded positions.
const (
	joinedNew     = "new"
	joinedResumed = "resumed"
	joinedLost    = "history_lost"
	crumbWritten  = "written"
	crumbDropped  = "dropped"
	movedTaken    = "taken"
	movedNone     = "none"   // the former node has none, or a newer session's
	movedSilent   = "silent" // the former node did not answer in time
	movedGone     = "gone"   // the former node has ended, or leaves pings unanswered
)

func (s *stats) collectors() []prometheus.Collector {
	return append(s.matching.collectors(),
		s.trips, s.events, s.offersMade, s.offersEnded, s.toMatch, s.positions, s.sessions, s.deadLetters, s.crumbs, s.swept, s.misdirected, s.stale, s.takeovers, s.hurried, s.streets,
	)
}

// transition counts a committed transition.
func (s *stats) transition(before, after *ride.Trip) {
	s.events.WithLabelValues(after.Change).Inc()
	if before.Status != after.Status && after.Status == ride.StatusMatched {
		s.toMatch.Observe(after.MatchedAt.Sub(after.RequestedAt).Seconds())
	}
	if before.Fare == nil && after.Fare != nil && after.Fare.Streets != nil {
		s.streets.WithLabelValues(string(after.Fare.Streets.Verdict)).Inc()
	}
}

// tripStatus moves a trip from one status to another; the empty status is no trip.
func (s *stats) tripStatus(from, to ride.Status) {
	if from == to {
		return
	}
	if from != ride.StatusNone {
		s.trips.WithLabelValues(string(from)).Dec()
	}
	if to != ride.StatusNone {
		s.trips.WithLabelValues(string(to)).Inc()
	}
}

func (s *stats) offerMade() { s.offersMade.Inc() }
func (s *stats) offerEnded(outcome ride.OfferState) {
	s.offersEnded.WithLabelValues(string(outcome)).Inc()
}
func (s *stats) positionTaken()   { s.taken.Inc() }
func (s *stats) positionIgnored() { s.ignored.Inc() }

func (s *stats) joined(resumed, asked bool) {
	how := joinedNew
	switch {
	case resumed:
		how = joinedResumed
	case asked:
		how = joinedLost
	}
	s.sessions.WithLabelValues(how).Inc()
}

// positionsTaken reads the counter of accepted positions.
func (s *stats) positionsTaken() float64 {
	var m dto.Metric
	if s.taken.Write(&m) != nil {
		return 0
	}
	return m.GetCounter().GetValue()
}
