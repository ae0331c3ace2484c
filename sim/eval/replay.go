package eval

import (
	"context"
	"fmt"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/dispatch"
)

// Options say how a scenario is replayed.
type Options struct {
	Policy dispatch.Policy
	People People
	Seed   int64
	// SearchFor bounds the search for a driver, besides the riders' patience. 0: it does not.
	SearchFor time.Duration
	// Plans says on which ways dispatch plans. Cars drive by the truth of the world, whatever it plans on.
	Plans Plans
	// Goal says where the ways end by which dispatch chooses.
	Goal Goal
	// Zones is how many zones the city is cut into, each of which plans for itself: at least 1.
	Zones int
	// SoonSpread is the spread of a log-normal error in when rides end, Stale how old the positions of moving cars are.
	SoonSpread float64
	Stale      time.Duration
}

// epoch is the moment of the virtual clock at which scenarios begin. Any would do.
var epoch = time.Date(2013, 11, 18, 16, 0, 0, 0, time.UTC)

// tariff is that of all trips, its class that of all drivers.
var tariff = ride.DefaultTariffs()[0]

// job is a command that a trip has yet to carry out, at this moment.
type job struct {
	trip    int32
	command ride.Command
}

// replay is one run. It has one owner.
type replay struct {
	o           Options
	w           *World
	seed        uint64
	rules       ride.Rules
	exclusive   bool
	requests    []Request
	trips       []trip
	drivers     []driver
	now         time.Duration
	agenda      agenda
	jobs, spare []job   // spare is the memory of the former ones
	open        []int32 // trips that look for a driver, by number; some may have found one
	onWay       []int32 // trips whose driver is on its way; some may have arrived
	cells       map[geo.Cell][]int32
	disks       map[disk][]geo.Cell
	zones       []zone
	zoneOf      []int32 // of each place
	seen        []Place // of each driver, where its next way begins, as the zone that plans sees it
	exchanging  bool    // drivers who are bound were called off other trips, and set out at once
	demand      demandLately
	tally       tally
	fault       error // the first refusal that should not happen
}

// Run replays a scenario and returns its figures. The error is the context's, or says which command a trip refused
// that it should not have.
func Run(ctx context.Context, s *Scenario, o Options) (Figures, error) {
	if err := o.Policy.Validate(); err != nil {
		return Figures{}, err //nolint:wrapcheck // a sentence of its own
	}
	r := newReplay(s, o)
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return Figures{}, ctx.Err()
		}
		e, ok := r.agenda.next()
		if !ok || r.fault != nil {
			break
		}
		r.now = e.at
		r.happen(e)
		r.work()
	}
	if r.fault != nil {
		return Figures{}, r.fault
	}
	return r.figures(), nil
}

func newReplay(s *Scenario, o Options) *replay {
	r := &replay{
		o: o, w: s.World, seed: seedOf(o.Seed), requests: s.Requests(o.Seed),
		cells: make(map[geo.Cell][]int32), disks: make(map[disk][]geo.Cell),
	}
	r.rules = r.tripRules()
	r.exclusive = o.Policy.Zoned() || r.rules.Policy.Exclusive
	r.trips = make([]trip, len(r.requests))
	for i, q := range r.requests {
		r.trips[i].driver = none
		r.agenda.add(event{at: q.At, what: tripAsked, who: int32(i)})
	}
	fleet := s.Fleet(o.Seed)
	r.drivers = make([]driver, len(fleet))
	for i, t := range fleet {
		d := &r.drivers[i]
		d.place, d.trip, d.next, d.freeAt = t.At, none, none, t.From
		d.card = ride.DriverCard{ID: ride.AccountID(fmt.Sprintf("d%06d", i)), FirstName: "D", Class: tariff.Class, Plate: "D"}
		d.state = riding
		if t.From <= 0 {
			r.appear(int32(i))
		} else {
			r.agenda.add(event{at: t.From, what: driverFree, who: int32(i)})
		}
	}
	r.makeZones()
	return r
}

// tripRules are the rules of every trip.
func (r *replay) tripRules() ride.Rules {
	rules := ride.DefaultRules()
	rules.Policy = r.o.Policy.Trip
	if r.o.Goal != AsServer {
		rules.Policy.Door = r.o.Goal == Door
	}
	if r.o.Policy.Zoned() { // the zone asks, perhaps two at once
		rules.Policy.Kind, rules.Policy.Cap = ride.PolicyBroadcast, 2
		rules.Policy.MaxETA = 0 // it has a bound of its own
		rules.Policy.Exchanges = 0
		if x := r.o.Policy.Exchange; x.On {
			rules.Policy.Exchanges = x.PerTrip
		}
	}
	rules.SearchFor = r.o.People.Patience
	if r.o.SearchFor > 0 {
		rules.SearchFor = min(rules.SearchFor, r.o.SearchFor)
	}
	return rules
}

func (r *replay) happen(e event) {
	switch e.what {
	case tripAsked:
		r.request(e.who)
	case tripTimer:
		r.tick(e)
	case offerAnswered:
		r.answered(e)
	case driverAtDoor:
		r.atDoor(e)
	case driverFree:
		r.freed(e)
	case zonePlans:
		if r.zones[e.who].gen == e.gen {
			r.plan(e.who)
		}
	}
}

// work carries out what the moment's events have led to, until nothing is left.
func (r *replay) work() {
	for len(r.jobs) > 0 {
		now := r.jobs
		r.jobs = r.spare[:0]
		for _, j := range now {
			r.do(j.trip, j.command)
		}
		r.spare = now
	}
}

// later has a trip carry out a command at this moment, after what is under way.
func (r *replay) later(trip int32, c ride.Command) { r.jobs = append(r.jobs, job{trip, c}) }

// clock is the time that trips see.
func (r *replay) clock() time.Time { return epoch.Add(r.now) }

// fail ends the run: something that cannot happen has happened.
func (r *replay) fail(trip int32, err error) {
	if r.fault == nil {
		r.fault = fmt.Errorf("trip %d at %s: %w", trip, r.now, err)
	}
}

// number is the index in the ids that this package makes: "t000012", "d000003". They sort as numbers do, which is how
// dispatch takes them.
func number[T ~string](id T) (n int32) {
	for i := 1; i < len(id); i++ {
		n = 10*n + int32(id[i]-'0')
	}
	return n
}
