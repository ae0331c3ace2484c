package ride

import (
	"math"
	"time"
)

// PolicyKind names a way to choose drivers.
type PolicyKind string

// The policies.
const (
	// PolicyBroadcast offers to every suitable driver of the grid disk at once,
	// nearest first up to a cap; rings widen from wave to wave.
	PolicyBroadcast PolicyKind = "broadcast"
	// PolicySequential offers to one driver at a time, nearest first. Several trips may ask one
	// driver at once.
	PolicySequential PolicyKind = "sequential"
	// PolicyNearest is PolicySequential with the exclusive hold: a driver who is asked holds no other offer.
	PolicyNearest PolicyKind = "nearest"
	// PolicyBatch leaves the choice to a planner that looks at all trips of a zone together. A trip
	// whose planner is silent goes on as under PolicyNearest.
	PolicyBatch PolicyKind = "batch"
)

// Award names how a winner is chosen among acceptances.
type Award string

// The award rules.
const (
	// AwardFirst: the first acceptance to be written wins.
	AwardFirst Award = "first"
	// AwardBestETA: acceptances are gathered for a moment, the shortest way to
	// the pickup wins.
	AwardBestETA Award = "best_eta"
)

// Policy says how dispatch proceeds for one trip.
type Policy struct {
	Kind  PolicyKind `json:"kind"`
	Award Award      `json:"award"`
	// Exclusive makes each offer a hold: its driver holds no other offer meanwhile. The driver's own
	// actor is the judge, and hands back what it cannot take (ReasonDriverHeld). PolicyNearest has it always.
	Exclusive bool `json:"exclusive,omitempty"`
	// Door makes dispatch choose by the way to the pickup itself, not to the centre of its cell; see Candidate.
	// False in older trips.
	Door bool `json:"door,omitempty"`
	// MaxETA is the longest way to the pickup, from where a driver is asked to come, to the same place as the
	// ways that rank drivers. 0: no bound.
	MaxETA time.Duration `json:"max_eta_ns,omitempty"`
	// AwardWindow is how long acceptances are gathered under AwardBestETA,
	// counted from the first.
	AwardWindow time.Duration `json:"award_window_ns,omitempty"`
	// Cap bounds the offers that are open at once under broadcast.
	Cap int `json:"cap"`
	// RingStart is the grid disk's radius of the first wave, RingStep what each
	// wave adds, RingMax where it stops.
	RingStart int `json:"ring_start"`
	RingStep  int `json:"ring_step"`
	RingMax   int `json:"ring_max"`
	// WaveEvery is the time from one wave to the next while no driver accepts. The
	// next wave comes at once when all offers of a wave have ended, or when it
	// found no driver and wider rings are left.
	WaveEvery time.Duration `json:"wave_every_ns"`
	// OfferTTL is how long a driver may think.
	OfferTTL time.Duration `json:"offer_ttl_ns"`
	// AsksPerDriver is how often one driver may let the same trip's offer expire
	// before it is not asked again. A driver who declined is not asked again, and
	// one whose offer was withdrawn as busy, gone or full not within WaveEvery of that.
	AsksPerDriver int `json:"asks_per_driver"`
	// Exchanges is how often a trip may change its driver before the pickup; 0: never, as in older trips.
	Exchanges int `json:"exchanges,omitempty"`
	// ExchangeFare is what the estimated fare of a trip must be at least, in percent of that of the trip
	// that its new driver gives up for it without being asked. At 100 no driver gets a worse fare unasked.
	ExchangeFare int `json:"exchange_fare,omitempty"`
}

// Rules are the operator's rules for one trip, fixed when it is requested.
type Rules struct {
	Policy Policy `json:"policy"`
	Tariff Tariff `json:"tariff"`
	// SearchFor bounds the time from the request (or from a driver's giving
	// back) to a match.
	SearchFor time.Duration `json:"search_for_ns"`
	// PickupWithin bounds matched to arrived, BoardWithin arrived to started,
	// RideWithin started to completed. Each ends the trip when it passes.
	PickupWithin time.Duration `json:"pickup_within_ns"`
	BoardWithin  time.Duration `json:"board_within_ns"`
	RideWithin   time.Duration `json:"ride_within_ns"`
	// ArriveWithinM and CompleteWithinM are how far from pickup and dropoff, in metres, the
	// driver may say that it has arrived, or that the ride is over; 0: anywhere. Then
	// its position must not be older than PositionWithin.
	ArriveWithinM   float64       `json:"arrive_within_m,omitempty"`
	CompleteWithinM float64       `json:"complete_within_m,omitempty"`
	PositionWithin  time.Duration `json:"position_within_ns,omitempty"`
}

// DefaultPolicy asks one of the nearest drivers, then the next.
func DefaultPolicy() Policy {
	return Policy{
		Kind: PolicyNearest, Award: AwardFirst, AwardWindow: 2 * time.Second,
		Exclusive: true, Door: true, MaxETA: 10 * time.Minute,
		Cap: 8, RingStart: 1, RingStep: 1, RingMax: 6,
		WaveEvery: 5 * time.Second, OfferTTL: 15 * time.Second, AsksPerDriver: 2,
		Exchanges: 2, ExchangeFare: 100,
	}
}

// DefaultRules are what a server does before its operator says otherwise.
func DefaultRules() Rules {
	return Rules{
		Policy: DefaultPolicy(), Tariff: DefaultTariffs()[0],
		SearchFor: 5 * time.Minute, PickupWithin: time.Hour,
		BoardWithin: 20 * time.Minute, RideWithin: 12 * time.Hour,
	}
}

// Immediate reports whether each trip's wave is planned as soon as its own search has ended. The shell
// then writes the first wave with the request, in one transaction. PolicyBatch gathers several trips
// before it plans and is not immediate: its requests are committed and acknowledged first, and each wave
// follows separately, unless a request is decided at once because nobody else needs the drivers near it.
func (p Policy) Immediate() bool {
	return p.Kind == PolicyBroadcast || p.Kind == PolicyNearest || p.Kind == PolicySequential
}

// oneByOne reports whether at most one offer of a trip is open.
func (p Policy) oneByOne() bool {
	return p.Kind == PolicyNearest || p.Kind == PolicySequential || p.Kind == PolicyBatch
}

// As returns the policy with another kind, and with the hold and the place of the pickup that this kind has by
// itself. The rest stays.
func (p Policy) As(kind PolicyKind) Policy {
	p.Kind, p.Exclusive, p.Door = kind, kind == PolicyNearest || kind == PolicyBatch, kind.AsksByDoor()
	return p
}

// AsksByDoor reports whether a kind of policy plans with the pickup itself, unless an operator says otherwise. Where
// many drivers are asked together, someone who watches several could find the rider.
func (k PolicyKind) AsksByDoor() bool { return k == PolicyNearest || k == PolicyBatch }

// Within returns the policy without the rings in which no driver can be who would come within MaxETA.
// Neighbouring cells' centres are ringM apart, in metres, and no car comes nearer faster than fastestMPS, in
// metres per second along the straight line. Where either is 0, unknown, all rings stay.
//
// The centre of a cell in ring k is at least k·ringM·√3/2 from that of the pickup's cell; its drivers may be a cell's
// radius nearer, ringM/√3, and so may the pickup where ways end there. Cells may be a quarter smaller than the mean, which
// the last factor allows for.
func (p Policy) Within(ringM, fastestMPS float64) Policy {
	if !(ringM > 0) || !(fastestMPS > 0) || p.MaxETA <= 0 {
		return p
	}
	radius := ringM / math.Sqrt(3)
	reach := p.MaxETA.Seconds()*fastestMPS + radius
	if p.Door {
		reach += radius
	}
	if rings := math.Floor(reach / (ringM * math.Sqrt(3) / 2) * 4 / 3); rings < float64(p.RingMax) {
		p.RingMax = max(int(rings), p.RingStart)
	}
	return p
}

// Validate checks a policy as an operator may have written it.
func (p Policy) Validate() error {
	bad := func(format string, args ...any) error { return ErrInvalidArgument.With("policy: "+format, args...) }
	switch {
	case p.Kind != PolicyBroadcast && !p.oneByOne():
		return bad("kind must be %q, %q, %q or %q", PolicyNearest, PolicyBatch, PolicyBroadcast, PolicySequential)
	case p.Kind == PolicyNearest && !p.Exclusive:
		return bad("%q is exclusive: without the hold it is %q", PolicyNearest, PolicySequential)
	case p.Kind == PolicyBatch && !p.Exclusive:
		return bad("%q is exclusive: two plans must not ask one driver", PolicyBatch)
	case p.MaxETA < 0 || p.MaxETA > maxMaxETA:
		return bad("the longest way to a pickup must be from 0s, for any, to %s", maxMaxETA)
	case p.Award != AwardFirst && p.Award != AwardBestETA:
		return bad("award must be %q or %q", AwardFirst, AwardBestETA)
	case p.Award == AwardBestETA && (p.AwardWindow <= 0 || p.AwardWindow > time.Minute):
		return bad("the award window must be above 0 and at most 1m")
	case p.Cap < 1 || p.Cap > 500:
		return bad("cap must be from 1 to 500")
	case p.RingStart < 0 || p.RingStep < 0 || p.RingMax < p.RingStart || p.RingMax > 30:
		return bad("rings must satisfy 0 <= start <= max <= 30 and step >= 0")
	case p.WaveEvery < 100*time.Millisecond || p.WaveEvery > 10*time.Minute:
		return bad("the time between waves must be from 100ms to 10m")
	case p.OfferTTL < time.Second || p.OfferTTL > 10*time.Minute:
		return bad("an offer must last from 1s to 10m")
	case p.AsksPerDriver < 1 || p.AsksPerDriver > 10:
		return bad("asks per driver must be from 1 to 10")
	case p.Exchanges < 0 || p.Exchanges > MaxExchanges:
		return bad("exchanges must be from 0 to %d", MaxExchanges)
	case p.ExchangeFare < 0 || p.ExchangeFare > 100:
		return bad("the fare of an exchange must be from 0 to 100 percent")
	}
	return nil
}

// maxMaxETA bounds Policy.MaxETA.
const maxMaxETA = 24 * time.Hour

// maxWithinM bounds the distances of Rules, in metres.
const maxWithinM = 100_000

// maxWaves bounds the timed waves of one search: each is an event kept for ever.
const maxWaves = 10_000

// Validate checks the rules as an operator may have written them.
func (r Rules) Validate() error {
	if err := r.Policy.Validate(); err != nil {
		return err
	}
	if err := r.Tariff.Validate(); err != nil {
		return err
	}
	for _, d := range []time.Duration{r.SearchFor, r.PickupWithin, r.BoardWithin, r.RideWithin} {
		if d < time.Second || d > 7*24*time.Hour {
			return ErrInvalidArgument.With("rules: each time limit must be from 1s to 168h")
		}
	}
	for _, m := range []float64{r.ArriveWithinM, r.CompleteWithinM} {
		if !(m >= 0 && m <= maxWithinM) {
			return ErrInvalidArgument.With("rules: distances must be from 0 to %d m", maxWithinM)
		}
	}
	if r.SearchFor/r.Policy.WaveEvery > maxWaves {
		return ErrInvalidArgument.With("rules: a search may have at most %d waves: search for less long or less often", maxWaves)
	}
	return nil
}
