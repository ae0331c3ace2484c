// Package report counts what happens in a simulated city and shows it: live on a terminal, as plain
// lines, as a table at the end and as JSON.
package report

import (
	"maps"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Stats are the counters of a run. The zero value is ready to use; everything is safe for
// concurrent use.
//
// Latencies count from the time at which an action was due, in real microseconds: a client that
// acts late, because the machine or the server is slow, does not hide that.
type Stats struct {
	// Due counts the requests that riders wanted to make, Requested those that the
	// server acknowledged.
	Due, Requested atomic.Int64
	// Held counts the requests that were made late, because the machine lagged.
	Held atomic.Int64
	// Matched counts the trips that were matched at least once; Completed, Cancelled and Expired
	// count how trips ended.
	Matched, Completed, Cancelled, Expired atomic.Int64
	// Offers counts offers shown to drivers; LostRaces acceptances that came too late.
	Offers, Accepts, Declines, LostRaces atomic.Int64
	// Reconnects counts sessions after a client's first, Resumed those that did not lose history.
	Reconnects, Resumed atomic.Int64
	// LocationUpdates counts positions sent, Skipped those that a lagging simulator left out.
	LocationUpdates, Skipped atomic.Int64
	// OffMap counts drives to places to which the map has no route.
	OffMap atomic.Int64
	// ProtocolErrors counts refusals and closes that a correct client never gets from a correct
	// server.
	ProtocolErrors atomic.Int64
	// Online and Connected are the current numbers of such drivers and clients, Searching and
	// Riding those of trips.
	Online, Connected, Searching, Riding atomic.Int64

	// Wait is from a request to the driver's arrival, in simulated milliseconds.
	Wait Histogram
	// From a request to the first offer of it, and to its match.
	TimeToOffer, TimeToMatch Histogram
	// From an acceptance to the rider's update.
	AcceptToNotified Histogram
	// From a driver's position to its rider.
	LocationLatency Histogram

	// What the server estimated, against what the drive then took.
	PickupETA, RideETA Estimates

	mu     sync.Mutex
	errors map[string]int64
}

// Error counts a refusal or a close by its code.
func (s *Stats) Error(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.errors == nil {
		s.errors = make(map[string]int64)
	}
	s.errors[code]++
}

// Errors returns the refusals and closes by code.
func (s *Stats) Errors() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.errors)
}

// Since records the time since due.
func Since(h *Histogram, due time.Time) { h.Add(time.Since(due).Microseconds()) }

// Quantiles are in the unit given by the field's name.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}

// Wait is in simulated seconds.
type Wait struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
}

// Estimates compares estimated with actual durations of drives. The zero value is ready to use; it is safe for
// concurrent use.
type Estimates struct {
	off               Histogram // how far apart they were, in simulated milliseconds
	estimated, driven atomic.Int64
}

// Add counts a drive, in simulated time.
func (p *Estimates) Add(estimated, driven time.Duration) {
	p.off.Add((estimated - driven).Abs().Milliseconds())
	p.estimated.Add(estimated.Milliseconds())
	p.driven.Add(driven.Milliseconds())
}

// ETA sums up how estimates compare with drives, in simulated seconds.
type ETA struct {
	Drives    int64   `json:"drives"`
	Estimated float64 `json:"estimated_mean_s"`
	Driven    float64 `json:"driven_mean_s"`
	Off       float64 `json:"off_p50_s"` // the median of how far apart the two are
	Bias      float64 `json:"bias"`      // the sum of estimates over the sum of drives, minus 1: above 0, estimates were too long
}

func (p *Estimates) eta() ETA {
	e := ETA{Drives: p.off.N(), Off: round(p.off.Quantile(0.5) / 1e3)}
	if estimated, driven := float64(p.estimated.Load()), float64(p.driven.Load()); e.Drives > 0 && driven > 0 {
		n := 1e3 * float64(e.Drives)
		e.Estimated, e.Driven, e.Bias = round(estimated/n), round(driven/n), round(estimated/driven-1)
	}
	return e
}

// Run describes a run.
type Run struct {
	Seed     uint64        `json:"seed"`
	Speed    float64       `json:"speed"`
	Drivers  int           `json:"drivers"`
	Elapsed  time.Duration `json:"-"`
	ElapsedS float64       `json:"elapsed_s"`
}

// Report is the result of a run. Its JSON names are stable.
type Report struct {
	Run
	Due              int64            `json:"due"`
	Held             int64            `json:"held"`
	Requested        int64            `json:"requested"`
	Matched          int64            `json:"matched"`
	Completed        int64            `json:"completed"`
	Cancelled        int64            `json:"cancelled"`
	Expired          int64            `json:"expired"`
	Searching        int64            `json:"searching"`
	Riding           int64            `json:"riding"`
	Online           int64            `json:"-"` // drivers, now
	WaitS            Wait             `json:"wait_s"`
	TimeToOfferMs    Quantiles        `json:"time_to_offer_ms"`
	TimeToMatchMs    Quantiles        `json:"time_to_match_ms"`
	AcceptToNotified Quantiles        `json:"accept_to_notified_ms"`
	Offers           int64            `json:"offers"`
	OffersPerTrip    float64          `json:"offers_per_trip"`
	LostRaces        int64            `json:"lost_races"`
	DoubleMatches    int64            `json:"double_matches"`
	ProtocolErrors   int64            `json:"protocol_errors"`
	Errors           map[string]int64 `json:"errors"`
	Reconnects       int64            `json:"reconnects"`
	Resumed          int64            `json:"resumed"`
	LocationUpdates  int64            `json:"location_updates"`
	Skipped          int64            `json:"positions_skipped"`
	OffMap           int64            `json:"off_map"` // drives along a straight line, because the map has no route
	LocationLatency  Quantiles        `json:"location_latency_ms"`
	PickupETA        ETA              `json:"pickup_eta"`
	RideETA          ETA              `json:"ride_eta"`
	Violations       map[string]int64 `json:"violations"`
	// Met counts, by invariant, how often a rule that needs an occasion was met: L2 drivers who were free near a
	// pickup and were offered the trip, L3 older sockets that were closed.
	Met map[string]int64 `json:"met,omitempty"`
	// Late counts, by invariant, what arrived later than promised while this machine lagged;
	// TimerLagMs is the longest lag of a timer that counts as one.
	Late       map[string]int64 `json:"late"`
	TimerLagMs float64          `json:"timer_lag_ms"`
	// Findings describes the first violations.
	Findings []string `json:"findings,omitempty"`
}

// Report sums up the counters. Violations are by invariant; I1 is the number of double matches.
func (s *Stats) Report(run Run, violations map[string]int64, findings []string) Report {
	run.ElapsedS = round(run.Elapsed.Seconds())
	r := Report{
		Run: run, Due: s.Due.Load(), Held: s.Held.Load(), Requested: s.Requested.Load(), Matched: s.Matched.Load(),
		Completed: s.Completed.Load(), Cancelled: s.Cancelled.Load(), Expired: s.Expired.Load(),
		Searching: s.Searching.Load(), Riding: s.Riding.Load(), Online: s.Online.Load(),
		WaitS: Wait{
			Mean: round(s.Wait.Mean() / 1e3), P50: round(s.Wait.Quantile(0.5) / 1e3), P90: round(s.Wait.Quantile(0.9) / 1e3),
		},
		TimeToOfferMs: millis(&s.TimeToOffer), TimeToMatchMs: millis(&s.TimeToMatch),
		AcceptToNotified: millis(&s.AcceptToNotified), LocationLatency: millis(&s.LocationLatency),
		Offers: s.Offers.Load(), LostRaces: s.LostRaces.Load(), DoubleMatches: violations["I1"],
		ProtocolErrors: s.ProtocolErrors.Load(), Errors: s.Errors(), Reconnects: s.Reconnects.Load(),
		Resumed: s.Resumed.Load(), LocationUpdates: s.LocationUpdates.Load(),
		Skipped: s.Skipped.Load(), OffMap: s.OffMap.Load(), PickupETA: s.PickupETA.eta(), RideETA: s.RideETA.eta(), Violations: violations, Findings: findings,
	}
	if r.Errors == nil {
		r.Errors = map[string]int64{}
	}
	if r.Requested > 0 {
		r.OffersPerTrip = round(float64(r.Offers) / float64(r.Requested))
	}
	return r
}

// Broken reports whether an invariant was violated or the protocol was broken.
func (r Report) Broken() bool {
	for _, n := range r.Violations {
		if n > 0 {
			return true
		}
	}
	return r.ProtocolErrors > 0
}

func millis(h *Histogram) Quantiles {
	return Quantiles{
		P50: round(h.Quantile(0.5) / 1e3), P95: round(h.Quantile(0.95) / 1e3), P99: round(h.Quantile(0.99) / 1e3),
	}
}

// round keeps three decimals.
func round(x float64) float64 { return math.Round(x*1e3) / 1e3 }
