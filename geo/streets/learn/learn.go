// Package learn learns from rides how long drives along a map's streets take: slowly, within bounds, and
// in sums that several servers can add up.
//
// A ride's time is a constant, plus the time on each kind of road, plus that of its signals, all driving
// times the factors of the hour and of the places. Each ride moves the logarithm of each factor by a
// small part of what the prediction missed, in the factor's share of the time: stochastic gradient
// descent on the relative error, with steps of 1/(n+20) as in Robbins and Monro (1951), bounded below so
// that a city may change, and errors clipped as Huber (1964) does, so that the median counts and not the
// outlier. decisions/0049 gives the figures behind the constants.
package learn

import (
	"math"
	"time"

	"github.com/hexhail/hexhail/geo/streets"
)

// The constants of learning.
const (
	// Ready is the number of rides below which nothing that was learned is used.
	Ready = 200
	// Seen is the number of rides below which what was learned of one hour or zone is neither used nor
	// shown: it must not tell of a single ride.
	Seen = 20
	// MostN bounds the n of a factor: what was learned long ago fades.
	MostN = 500
	// prior is how many rides the start value is worth.
	prior = 20
	// clip bounds the logarithm of how far a ride was off.
	clip = 0.3
)

// Step bounds how far one ride moves the logarithm of any factor.
const Step = clip / prior

// What makes a ride plausible. The bounds of the length are of driven over planned.
const (
	leastM, leastTook       = 300, 30 * time.Second
	leastDriven, mostDriven = 0.8, 1.5
	slowestMPS, fastestMPS  = 0.5, 40
	mostOff                 = streets.MostFactor
	longest                 = 6 * time.Hour
)

// Ride is a completed ride.
type Ride struct {
	Parts   streets.Breakdown // of the planned way
	Hour    int               // streets.HourOf its beginning
	DrivenM float64
	Took    time.Duration
}

// Verdict says what became of a ride.
type Verdict string

// The verdicts: a ride was learned, or it was not for a reason.
const (
	Learned     Verdict = "learned"
	Short       Verdict = "short"       // too short to tell anything
	OtherWay    Verdict = "other_way"   // the length does not fit the planned way
	Implausible Verdict = "implausible" // no car drives so fast, or so slowly
)

// Verdicts lists all.
var Verdicts = []Verdict{Learned, Short, OtherWay, Implausible}

// Kind says of what a factor is.
type Kind string

// The kinds. The key of a factor is empty, a group of roads, an hour as HourKey writes it, or a cell.
const (
	All     Kind = "all"
	PerRide Kind = "ride"
	Signal  Kind = "signal"
	Road    Kind = "road"
	Hour    Kind = "hour"
	Zone    Kind = "zone"
	Detour  Kind = "detour"
)

// Key names a factor.
type Key struct {
	Kind Kind
	Key  string
}

// Factor is what is known of a factor, or by how much that has changed.
type Factor struct {
	N   float64 // how many rides taught it, each counted by its share
	Log float64 // natural logarithm of the factor
}

// MostLog bounds the logarithm of a factor, and its inverse: that of streets.MostFactor.
const MostLog = 2 * math.Ln2

// Add returns a factor after changes, within its bounds.
func (f Factor) Add(change Factor) Factor {
	return Factor{N: max(0, min(MostN, f.N+change.N)), Log: max(-MostLog, min(MostLog, f.Log+change.Log))}
}

// HourSum is what rides of one hour took together.
type HourSum struct {
	Rides             float64
	PlannedS, ActualS float64 // seconds
}

func (h HourSum) add(o HourSum) HourSum {
	return HourSum{h.Rides + o.Rides, h.PlannedS + o.PlannedS, h.ActualS + o.ActualS}
}

// Learner is the state of learning. It is not safe for concurrent use.
type Learner struct {
	factors map[Key]Factor
	changed map[Key]Factor         // since Changes
	hours   [streets.Hours]HourSum // since Changes
}

// New makes a learner that knows nothing.
func New() *Learner {
	return &Learner{factors: map[Key]Factor{}, changed: map[Key]Factor{}}
}

// part is a factor that a ride tells something about.
type part struct {
	key   Key
	share float64 // by how much the time grows with the factor, in logarithms
	n     float64 // what the ride counts
}

// Observe learns from a ride. Planned is how long the map in use said that it would take, with the time
// of a ride beside driving; off is the logarithm of the time that it took over what this learner
// expected.
func (l *Learner) Observe(r Ride, planned time.Duration) (v Verdict, off float64) {
	plannedM := r.Parts.TotalM()
	speed := r.DrivenM / r.Took.Seconds()
	switch {
	case plannedM < leastM || r.Took < leastTook:
		return Short, 0
	case !(r.DrivenM >= leastDriven*plannedM && r.DrivenM <= mostDriven*plannedM):
		return OtherWay, 0
	case !(speed >= slowestMPS && speed <= fastestMPS) || r.Took > longest:
		return Implausible, 0
	}
	expected, parts := l.expect(r)
	off = math.Log(r.Took.Seconds() / expected)
	if math.Abs(off) > math.Log(mostOff) {
		return Implausible, off
	}
	for _, p := range parts {
		l.move(p, off)
	}
	l.move(part{Key{Kind: Detour}, 1, 1}, math.Log(r.DrivenM/plannedM)-l.factors[Key{Kind: Detour}].Log)
	sum := HourSum{1, planned.Seconds(), r.Took.Seconds()}
	l.hours[r.Hour] = l.hours[r.Hour].add(sum)
	return Learned, off
}

// move changes a factor by a ride's share.
func (l *Learner) move(p part, off float64) {
	if p.share <= 0 {
		return
	}
	now := l.factors[p.key]
	off = max(-clip, min(clip, off))
	change := Factor{N: p.n, Log: off * p.share / (now.N + prior)}
	after := now.Add(change)
	l.factors[p.key] = after
	was := l.changed[p.key]
	l.changed[p.key] = Factor{was.N + change.N, was.Log + after.Log - now.Log}
}

// expect returns how long a ride should take, in seconds, and what it will tell.
func (l *Learner) expect(r Ride) (seconds float64, parts []part) {
	hour, from, to := Key{Hour, HourKey(r.Hour)}, Key{Zone, r.Parts.From.String()}, Key{Zone, r.Parts.To.String()}
	ride := r.Parts.RideS * l.factor(Key{Kind: PerRide})
	signals := r.Parts.SignalS * l.factor(Key{Kind: Signal})
	var roads [len(groups)]float64
	driving := signals
	for i, g := range groups {
		for _, road := range g.roads {
			roads[i] += r.Parts.RoadS[road]
		}
		roads[i] *= l.factor(Key{Road, g.name})
		driving += roads[i]
	}
	places := (l.factors[from].Log + l.factors[to].Log) / 2
	factor := l.factor(Key{Kind: All}) * l.factor(hour) * math.Exp(places)
	seconds = ride + factor*driving
	share := factor * driving / seconds
	parts = append(parts,
		part{Key{Kind: All}, 1, 1}, part{hour, share, 1}, part{from, share / 2, 0.5}, part{to, share / 2, 0.5},
		part{Key{Kind: PerRide}, ride / seconds, 1}, part{Key{Kind: Signal}, factor * signals / seconds, factor * signals / seconds},
	)
	for i, g := range groups {
		s := factor * roads[i] / seconds
		parts = append(parts, part{Key{Road, g.name}, s, s})
	}
	return seconds, parts
}

func (l *Learner) factor(k Key) float64 { return math.Exp(l.factors[k].Log) }
