package city

import (
	"errors"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// Behaviour is how the people of a city act. Times are simulated; probabilities are from 0 to 1.
// docs/simulation.md explains the model.
type Behaviour struct {
	// Accept and Decline are the probabilities of a driver's answers to an offer; the remaining
	// offers are ignored.
	Accept, Decline float64
	// Reply is the median time in which a driver decides on an offer, ReplySpread the standard
	// deviation of its logarithm.
	Reply       time.Duration
	ReplySpread float64
	// GiveBack is how often a driver gives a trip back on its way to the pickup.
	GiveBack float64
	// Patience is the median time that a rider waits for a match, PatienceSpread the
	// standard deviation of its logarithm; then the rider cancels.
	Patience       time.Duration
	PatienceSpread float64
	// RiderCancel is how often a rider cancels though a driver is on its way, within
	// RiderCancelWithin of the match.
	RiderCancel       float64
	RiderCancelWithin time.Duration
	// BoardMin and BoardMax bound the time from arrival to start.
	BoardMin, BoardMax time.Duration
	// DriveSpread is the standard deviation of the logarithm of how long a drive takes, against what the router
	// says: drivers and traffic differ.
	DriveSpread float64
	// Rate is how often riders and drivers rate each other.
	Rate float64
	// Cruise is how often an idle driver drives somewhere within CruiseM metres instead of waiting;
	// either way it decides again after WaitMin to WaitMax.
	Cruise           float64
	CruiseM          float64
	WaitMin, WaitMax time.Duration
	// Losses is how often each client loses its connection per hour, Outage how long the loss lasts
	// on average.
	Losses float64
	Outage time.Duration
	// Moves is how often each client begins a new session, at the next URL, while its socket is open,
	// per hour.
	Moves float64
}

// DefaultBehaviour is a patient city on a good day.
func DefaultBehaviour() Behaviour {
	return Behaviour{
		Accept: 0.85, Decline: 0.1, Reply: 4 * time.Second, ReplySpread: 0.5,
		GiveBack: 0.01, Patience: 6 * time.Minute, PatienceSpread: 0.4,
		RiderCancel: 0.02, RiderCancelWithin: 2 * time.Minute, BoardMin: 10 * time.Second, BoardMax: 50 * time.Second,
		DriveSpread: 0.1, Rate: 0.3, Cruise: 0.5, CruiseM: 600, WaitMin: time.Minute, WaitMax: 5 * time.Minute,
		Losses: 0.5, Outage: 30 * time.Second,
	}
}

// Validate reports the values that are out of bounds.
func (b Behaviour) Validate() error {
	for _, p := range []float64{b.Accept, b.Decline, b.Accept + b.Decline, b.GiveBack, b.RiderCancel, b.Rate, b.Cruise} {
		if !(p >= 0 && p <= 1+1e-9) {
			return errors.New("behaviour: probabilities must be from 0 to 1, and so must the sum of accepting and declining")
		}
	}
	for _, x := range []float64{b.ReplySpread, b.PatienceSpread, b.DriveSpread, b.CruiseM, b.Losses, b.Moves} {
		if !(x >= 0) || math.IsInf(x, 0) {
			return errors.New("behaviour: spreads, distances and rates must be numbers of at least 0")
		}
	}
	for _, d := range []time.Duration{b.Reply, b.Patience, b.RiderCancelWithin, b.BoardMin, b.BoardMax - b.BoardMin, b.WaitMin, b.WaitMax - b.WaitMin, b.Outage} {
		if d < 0 {
			return errors.New("behaviour: times must not be negative, nor a maximum below its minimum")
		}
	}
	return nil
}

// Answer is a driver's answer to an offer.
type Answer int

// The answers.
const (
	Ignore Answer = iota
	Accept
	Decline
)

// OfferPlan is what a driver intends on seeing an offer.
type OfferPlan struct {
	Answer Answer
	After  time.Duration
	// GiveBackAt is the share of the way to the pickup after which the driver gives
	// the trip back; 0: it does not.
	GiveBackAt float64
	// Stars for the rider in the end; 0: none.
	Stars uint32
}

// RiderPlan is what a rider intends with a request.
type RiderPlan struct {
	// Patience is how long to wait for a match.
	Patience time.Duration
	// CancelAfter is how long after the match to cancel all the same; 0: not at all.
	CancelAfter time.Duration
	// Board is how long the driver waits at the pickup.
	Board time.Duration
	// Stars for the driver in the end; 0: none.
	Stars uint32
}

// Intentions decides what everyone in a city intends: the same seed gives the same intentions. What
// happens then depends on the server and on timing.
type Intentions struct {
	Seed      uint64
	Behaviour Behaviour
}

// chance is the random source for one decision of one person.
func (in Intentions) chance(kind, who string, n int) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(kind + "\x00" + who + "\x00" + strconv.Itoa(n))) // cannot fail
	return rand.New(rand.NewPCG(in.Seed, h.Sum64()))
}

// Offer is what a driver intends with the n-th offer that it sees.
func (in Intentions) Offer(driver string, n int) OfferPlan {
	rng, b := in.chance("offer", driver, n), in.Behaviour
	p := OfferPlan{After: logNormal(rng, b.Reply, b.ReplySpread)}
	switch x := rng.Float64(); {
	case x < b.Accept:
		p.Answer = Accept
	case x < b.Accept+b.Decline:
		p.Answer = Decline
	}
	if rng.Float64() < b.GiveBack {
		p.GiveBackAt = 0.1 + 0.8*rng.Float64()
	}
	p.Stars = stars(rng, b.Rate)
	return p
}

// Request is what a rider intends with a request.
func (in Intentions) Request(id string) RiderPlan {
	rng, b := in.chance("request", id, 0), in.Behaviour
	p := RiderPlan{Patience: logNormal(rng, b.Patience, b.PatienceSpread), Board: between(rng, b.BoardMin, b.BoardMax)}
	if rng.Float64() < b.RiderCancel {
		p.CancelAfter = between(rng, time.Second, max(b.RiderCancelWithin, time.Second))
	}
	p.Stars = stars(rng, b.Rate)
	return p
}

// Idle is what a driver intends in its n-th idle period: to cruise in a direction for some metres,
// or (0 metres) to wait.
func (in Intentions) Idle(driver string, n int) (bearing, metres float64, wait time.Duration) {
	rng, b := in.chance("idle", driver, n), in.Behaviour
	wait = between(rng, b.WaitMin, b.WaitMax)
	if rng.Float64() < b.Cruise {
		return 360 * rng.Float64(), b.CruiseM * (0.2 + 0.8*rng.Float64()), wait
	}
	return 0, 0, wait
}

// Drive is how many times longer than usual a driver's n-th drive takes: from a half to two.
func (in Intentions) Drive(driver string, n int) float64 {
	if in.Behaviour.DriveSpread == 0 {
		return 1
	}
	x := in.chance("drive", driver, n).NormFloat64()
	return min(max(math.Exp(in.Behaviour.DriveSpread*x), 0.5), 2)
}

// Loss is when a person loses the connection for the n-th time, counted from the previous time, and
// for how long; 0: never.
func (in Intentions) Loss(who string, n int) (after, outage time.Duration) {
	b := in.Behaviour
	if b.Losses == 0 {
		return 0, 0
	}
	rng := in.chance("loss", who, n)
	after = time.Duration(rng.ExpFloat64() / b.Losses * float64(time.Hour))
	return max(after, time.Millisecond), time.Duration(rng.ExpFloat64() * float64(b.Outage))
}

// Move is when a person begins a session while another is open for the n-th time, counted from the
// previous time; 0: never.
func (in Intentions) Move(who string, n int) time.Duration {
	if in.Behaviour.Moves == 0 {
		return 0
	}
	after := time.Duration(in.chance("move", who, n).ExpFloat64() / in.Behaviour.Moves * float64(time.Hour))
	return max(after, time.Millisecond)
}

func stars(rng *rand.Rand, often float64) uint32 {
	given, x := rng.Float64() < often, rng.Float64()
	switch {
	case !given:
		return 0
	case x < 0.75:
		return 5
	case x < 0.95:
		return 4
	}
	return 1 + uint32(rng.IntN(3))
}

// logNormal draws a time with a median, at most ten times it.
func logNormal(rng *rand.Rand, median time.Duration, spread float64) time.Duration {
	return time.Duration(min(math.Exp(spread*rng.NormFloat64()), 10) * float64(median))
}

func between(rng *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(rng.Float64()*float64(high-low))
}
