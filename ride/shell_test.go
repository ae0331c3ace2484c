package ride_test

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// dawn is when every test's clock starts.
var dawn = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

// shell is the smallest thing that can run a trip: what an actor does, without a disk, a network or
// a real clock. Stories and properties run through it.
type shell struct {
	trip    ride.Trip
	now     time.Time
	timers  map[ride.TimerKind]time.Time // armed and not fired
	search  *ride.FindCandidates         // not answered yet
	history []ride.Event
	// busy drivers have another active trip: the store refuses to match them.
	busy map[ride.AccountID]bool
	// note sees each decision that was written, or refused with an error.
	note func(events []ride.Event, effects []ride.Effect, err error)
}

func newShell() *shell {
	return &shell{
		now: dawn, timers: map[ride.TimerKind]time.Time{}, busy: map[ride.AccountID]bool{},
		note: func([]ride.Event, []ride.Effect, error) {},
	}
}

// do takes a command through decide, append, apply and effects.
func (s *shell) do(c ride.Command) error {
	events, effects, err := ride.Decide(s.trip, s.now, c)
	if err != nil {
		s.trip, _ = ride.Refused(s.trip, s.now, err)
		s.note(nil, nil, err)
		return err
	}
	for _, e := range events {
		if m, ok := e.(ride.Matched); ok && s.busy[m.Card.ID] {
			s.note(nil, nil, ride.ErrDriverBusy)
			return errors.Join(ride.ErrDriverBusy, s.do(ride.WithdrawOffer{Offer: m.Offer, Reason: ride.ReasonDriverBusy}))
		}
	}
	for _, e := range events {
		s.trip = ride.Apply(s.trip, e)
	}
	s.history = append(s.history, events...)
	s.carryOut(effects)
	s.note(events, effects, nil)
	return nil
}

// exchange lets the trip and another one, with the same fare, exchange their drivers; way and left are the trip's,
// theirs the other's. A driver who is not asked is on its way to the other trip.
func (s *shell) exchange(d ride.AccountID, way, left, theirWay, theirLeft time.Duration) error {
	moves := []ride.Move{
		{Trip: s.trip, Card: card(d), Way: way, Left: left},
		{Trip: matched("other", d, s.trip.Rules), Card: card(s.trip.DriverID()), Way: theirWay, Left: theirLeft},
	}
	if s.trip.DriverID() == "" { // the other gets a driver who said yes
		moves[1].Trip.Rules.Policy.Exchanges = 1
		moves[1].Trip, moves[1].Card = ride.Fold(moves[1].Trip, proposed(moves[1].Trip, "idle", s.now)), card("idle")
		moves[1].Offer = moves[1].Trip.Offers[len(moves[1].Trip.Offers)-1].ID
	}
	moved, err := ride.DecideExchange(s.now, moves)
	if err != nil {
		s.note(nil, nil, err)
		return err
	}
	s.trip = ride.Fold(s.trip, moved[0].Events)
	s.history = append(s.history, moved[0].Events...)
	s.carryOut(moved[0].Effects)
	s.note(moved[0].Events, moved[0].Effects, nil)
	return nil
}

// matched is a trip whose driver is on its way.
func matched(id ride.TripID, d ride.AccountID, rules ride.Rules) ride.Trip {
	r := request(rules)
	r.Request.Rider.ID = "rider of " + ride.AccountID(id)
	offer := ride.Offer{ID: ride.NewOfferID(id, 1), Driver: d, Wave: 1, ETA: 5 * time.Minute, MadeAt: dawn, ExpiresAt: dawn.Add(time.Minute), State: ride.OfferOpen}
	return ride.Replay([]ride.Event{
		ride.Requested{At: dawn, ID: id, Request: r.Request, Rules: rules, Estimate: r.Estimate},
		ride.WavePlanned{At: dawn, Wave: 1, Ring: 1, Offers: []ride.Offer{offer}},
		ride.Matched{At: dawn, Offer: offer.ID, Card: card(d)},
	})
}

// proposed is an offer of an exchange that is open.
func proposed(t ride.Trip, d ride.AccountID, at time.Time) []ride.Event {
	events, _, err := ride.Decide(t, at, ride.OfferExchange{Considered: ride.Considered{Driver: d, ETA: time.Second}, Left: 10 * time.Minute})
	if err != nil {
		panic(err)
	}
	return events
}

func (s *shell) carryOut(effects []ride.Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case ride.SetTimer:
			s.timers[e.Timer.Kind] = e.Timer.At
		case ride.StopTimer:
			delete(s.timers, e.Kind)
		case ride.FindCandidates:
			s.search = &e
		}
	}
}

// earliest is the timer that fires next, by kind where several are due at once.
func (s *shell) earliest() (ride.Timer, bool) {
	var next ride.Timer
	for _, kind := range slices.Sorted(maps.Keys(s.timers)) {
		if at := s.timers[kind]; next.Kind == "" || at.Before(next.At) {
			next = ride.Timer{Kind: kind, At: at}
		}
	}
	return next, next.Kind != ""
}

// fire lets the next timer fire, if it is due by then, and moves the clock there.
func (s *shell) fire(by time.Time) bool {
	t, ok := s.earliest()
	if !ok || t.At.After(by) {
		return false
	}
	delete(s.timers, t.Kind)
	if t.At.After(s.now) {
		s.now = t.At
	}
	// A tick is refused only when the award goes to a driver who is busy by now.
	_ = s.do(ride.Tick{Timer: t})
	return true
}

// advance moves the clock and lets timers fire, each at its time.
func (s *shell) advance(d time.Duration) {
	end := s.now.Add(d)
	for s.fire(end) {
	}
	s.now = end
}

// crash forgets all that is not on disk, then comes back.
func (s *shell) crash(t require.TestingT) []ride.Effect {
	b, err := ride.MarshalTrip(&s.trip)
	require.NoError(t, err)
	trip, err := ride.UnmarshalTrip(b)
	require.NoError(t, err)
	s.trip, s.search = *trip, nil
	clear(s.timers)
	effects := ride.Resume(s.trip)
	s.carryOut(effects)
	return effects
}

// planned is a wave for these candidates, planned as the trip stands.
func (s *shell) planned(wave, ring int, candidates []ride.Candidate) ride.OfferWave {
	return ride.OfferWave{Wave: wave, Ring: ring, Considered: plan(s.trip, s.now, candidates)}
}

func plan(t ride.Trip, at time.Time, candidates []ride.Candidate) []ride.Considered {
	return ride.Plan(t.Rules.Policy, []ride.Need{t.Need(at)}, candidates)[0]
}

// offerOf is the newest offer to a driver.
func (s *shell) offerOf(d ride.AccountID) ride.OfferID {
	for _, o := range slices.Backward(s.trip.Offers) {
		if o.Driver == d {
			return o.ID
		}
	}
	return "trip.999"
}

var (
	pickup  = geo.Point{Lat: 37.5665, Lng: 126.978}
	dropoff = geo.Point{Lat: 37.5512, Lng: 126.9882}
)

// request is a request that nothing is wrong with.
func request(rules ride.Rules) ride.RequestTrip {
	fare, _ := rules.Tariff.Price(3200, 11*time.Minute)
	return ride.RequestTrip{
		ID: "trip", Rules: rules,
		Request: ride.Request{
			Rider: ride.RiderCard{ID: "rider", FirstName: "Ada"}, Pickup: pickup, Dropoff: dropoff,
			Class: rules.Tariff.Class, Passengers: 1,
		},
		Estimate: ride.Estimate{DistanceM: 3200, Duration: 11 * time.Minute, Fare: fare},
	}
}

func card(d ride.AccountID) ride.DriverCard {
	return ride.DriverCard{ID: d, FirstName: string(d), Class: "standard", Plate: "HX 1"}
}
