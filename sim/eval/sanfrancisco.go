package eval

import (
	"context"
	"fmt"
	"math"
	"math/rand"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/sim/demand"
)

// The evening of San Francisco: seconds since 1970 of Friday 2008-06-06 17:00 there, and how long it is. A cab counts if it
// was seen from five minutes before on.
const (
	fridayFrom = 1_212_796_800
	fridayLong = 3 * 3600
	fridaySeen = 300
)

// Places are the middles of cells of this many degrees, 220 m each way.
const (
	fridayLat = 0.002
	fridayLng = 0.0025
)

// friday is S4. No streets are at hand: cars drive straight lines, at 14.4 km/h of the great circle and at 36 km/h when it
// is far, and need half a minute to set out.
func (l *Loader) friday(_ context.Context, n int) (*Scenario, error) {
	trips, err := sfTripsFile.read(l.Data)
	if err != nil {
		return nil, err
	}
	fixes, err := sfFixesFile.read(l.Data)
	if err != nil {
		return nil, err
	}
	e := evening{index: make(map[[2]int]Place), seen: make(map[string]bool)}
	if err := rows(trips, e.addTrip, "pickup_unix", "dropoff_unix", "pickup_lat", "pickup_lng", "dropoff_lat", "dropoff_lng"); err != nil {
		return nil, fmt.Errorf("%s: %w", sfTripsFile.name, err)
	}
	if err := rows(fixes, e.addFix, "unix", "cab", "lat", "lng"); err != nil {
		return nil, fmt.Errorf("%s: %w", sfFixesFile.name, err)
	}
	w, err := newWorld(World{Name: "San Francisco by straight lines", At: e.at, line: line{
		start: 30 * time.Second, mps: 4, farM: 8000, farMPS: 10, longest: 59_000 * time.Second, detour: 1,
	}})
	if err != nil {
		return nil, err
	}
	byTime(e.requests)
	return &Scenario{
		World: w, Fixed: true, Sum: key("friday", sfTripsFile.sum, sfFixesFile.sum, n),
		Requests: func(int64) []Request { return append([]Request(nil), e.requests...) },
		Fleet: func(seed int64) []Taxi {
			var out []Taxi
			for _, i := range rand.New(rand.NewSource(seed * 31)).Perm(len(e.taxis))[:min(n, len(e.taxis))] {
				out = append(out, e.taxis[i])
			}
			return out
		},
	}, nil
}

type evening struct {
	at       []geo.Point
	index    map[[2]int]Place
	requests []Request
	taxis    []Taxi
	seen     map[string]bool
}

func (e *evening) place(p geo.Point) Place {
	k := [2]int{int(math.Floor(p.Lat / fridayLat)), int(math.Floor(p.Lng / fridayLng))}
	at, known := e.index[k]
	if !known {
		at = Place(len(e.at))
		e.index[k] = at
		e.at = append(e.at, geo.Point{Lat: (float64(k[0]) + 0.5) * fridayLat, Lng: (float64(k[1]) + 0.5) * fridayLng})
	}
	return at
}

func (e *evening) addTrip(t *demand.Table) error {
	at, err := t.Whole("pickup_unix")
	if err != nil {
		return err //nolint:wrapcheck // it names line and column
	}
	end, err := t.Whole("dropoff_unix")
	if err != nil {
		return err //nolint:wrapcheck // likewise
	}
	if at < fridayFrom || at >= fridayFrom+fridayLong {
		return nil
	}
	from, err := t.Point("pickup_lat", "pickup_lng")
	if err != nil {
		return err //nolint:wrapcheck // likewise
	}
	to, err := t.Point("dropoff_lat", "dropoff_lng")
	if err != nil {
		return err //nolint:wrapcheck // likewise
	}
	e.requests = append(e.requests, Request{
		At: time.Duration(at-fridayFrom) * time.Second, From: e.place(from), To: e.place(to), Ride: time.Duration(end-at) * time.Second,
	})
	return nil
}

func (e *evening) addFix(t *demand.Table) error {
	at, err := t.Whole("unix")
	if err != nil {
		return err //nolint:wrapcheck // it names line and column
	}
	if at < fridayFrom-fridaySeen || at > fridayFrom+fridayLong || e.seen[t.Text("cab")] {
		return nil
	}
	p, err := t.Point("lat", "lng")
	if err != nil {
		return err //nolint:wrapcheck // likewise
	}
	e.seen[t.Text("cab")] = true
	e.taxis = append(e.taxis, Taxi{From: time.Duration(max(0, at-fridayFrom)) * time.Second, At: e.place(p)})
	return nil
}
