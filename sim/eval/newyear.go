package eval

import (
	"context"
	"fmt"
	"math/rand"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/sim/demand"
)

// newYearTo is when requests of New Year's night end: the records lack long trips that began later. snapM is how far a
// place may lie from a junction, in metres.
const (
	newYearTo = 35 * time.Minute
	snapM     = 250
)

// newYear is S5: the first minutes of 2013, with metered durations.
func (l *Loader) newYear(ctx context.Context, n int) (*Scenario, error) {
	csv, err := newYearFile.read(l.Data)
	if err != nil {
		return nil, err
	}
	w, err := l.graph(ctx)
	if err != nil {
		return nil, err
	}
	trips := night{w: w, seen: make(map[string]bool)}
	err = rows(csv, trips.add, "taxi", "pickup", "duration_s", "pickup_lat", "pickup_lng", "dropoff_lat", "dropoff_lng")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", newYearFile.name, err)
	}
	return &Scenario{
		World: w, Requests: trips.requests, Fleet: trips.fleet(n),
		Sum: key("new year", nodesFile.sum, edgesFile.sum, newYearFile.sum, n),
	}, nil
}

// night gathers trips, and each taxi where it was first seen.
type night struct {
	w     *World
	trips []Request // At is the minute
	taxis []Place
	seen  map[string]bool
}

func (n *night) add(t *demand.Table) error {
	at, err := time.Parse(time.DateTime, t.Text("pickup"))
	if err != nil {
		return t.Bad("pickup") //nolint:wrapcheck // it names line and column
	}
	ride, err := t.Whole("duration_s")
	if err != nil {
		return err //nolint:wrapcheck // likewise
	}
	begun := at.Sub(time.Date(2013, 1, 1, 0, 0, 0, 0, time.UTC))
	if begun < 0 || begun >= newYearTo {
		return nil
	}
	from, fromNear, err := n.place(t, "pickup_lat", "pickup_lng")
	if err != nil {
		return err
	}
	to, toNear, err := n.place(t, "dropoff_lat", "dropoff_lng")
	if err != nil || !fromNear || !toNear {
		return err
	}
	n.trips = append(n.trips, Request{begun.Truncate(time.Minute), from, to, max(shortestRide, time.Duration(ride)*time.Second)})
	if taxi := t.Text("taxi"); !n.seen[taxi] {
		n.seen[taxi] = true
		n.taxis = append(n.taxis, from)
	}
	return nil
}

func (n *night) place(t *demand.Table, lat, lng string) (Place, bool, error) {
	p, err := t.Point(lat, lng)
	if err != nil {
		return 0, false, err //nolint:wrapcheck // it names line and column
	}
	at := n.w.Nearest(p)
	return at, geo.DistanceM(n.w.At[at], p) <= snapM, nil
}

func (n *night) requests(seed int64) []Request {
	rng := rand.New(rand.NewSource(seed))
	out := make([]Request, len(n.trips))
	for i, q := range n.trips {
		q.At += time.Duration(rng.Intn(60)) * time.Second
		out[i] = q
	}
	return byTime(out)
}

// fleet draws taxis; where more are needed than were seen, some start at the same place.
func (n *night) fleet(count int) func(int64) []Taxi {
	return func(seed int64) []Taxi {
		rng := rand.New(rand.NewSource(seed * 7919))
		var out []Taxi
		for len(out) < count && len(n.taxis) > 0 {
			for _, i := range rng.Perm(len(n.taxis)) {
				if len(out) < count {
					out = append(out, Taxi{At: n.taxis[i]})
				}
			}
		}
		return out
	}
}
