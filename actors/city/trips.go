package city

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// Trips are the trips that have an actor on this node, and for each cell the outcome of the
// requests of the last minutes. They are written when a trip changes, which costs a commit anyway.
// Safe for concurrent use.
type Trips struct {
	mu    sync.RWMutex
	by    map[ride.TripID]trip
	cells map[geo.Cell]*cellPast
	// count is the number of trips by status, the same as in the metrics.
	count map[ride.Status]*atomic.Int64
}

// trip is a trip in the picture. Its message is shared and never changed.
type trip struct {
	owner any
	shown *ridepb.CityTrip
	cell  geo.Cell // of the pickup
}

// init makes the maps on first use.
func (t *Trips) init() {
	t.by, t.cells = make(map[ride.TripID]trip), make(map[geo.Cell]*cellPast)
	t.count = make(map[ride.Status]*atomic.Int64)
	for _, s := range ride.Statuses() {
		t.count[s] = new(atomic.Int64)
	}
}

// Show puts the newest state of a trip into the picture. The owner is the trip's actor;
// cell is that of the pickup, 0 for none.
func (t *Trips) Show(owner any, is *ride.Trip, cell geo.Cell) {
	shown := &ridepb.CityTrip{
		Id: string(is.ID), Version: uint32(is.Version), Status: view.Status(is.Status),
		Pickup: view.Point(is.Request.Pickup), Dropoff: view.Point(is.Request.Dropoff), VehicleClass: is.Request.Class,
		RiderId: string(is.Request.Rider.ID), DriverId: string(is.DriverID()), Search: view.Search(is),
		RequestedAt: view.Time(is.RequestedAt), MatchedAt: view.Time(is.MatchedAt), ArrivedAt: view.Time(is.ArrivedAt),
		StartedAt: view.Time(is.StartedAt), EndedAt: view.Time(is.EndedAt),
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.by[is.ID] = trip{owner, shown, cell}
}

// Hide takes a trip out of the picture, unless another actor of it has shown it since.
func (t *Trips) Hide(owner any, id ride.TripID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by[id].owner == owner {
		delete(t.by, id)
	}
}

// all returns the current trips.
func (t *Trips) all() []trip {
	t.mu.RLock()
	defer t.mu.RUnlock()
	out := make([]trip, 0, len(t.by))
	for _, is := range t.by {
		out = append(out, is)
	}
	return out
}

// live is the number of trips that have not ended.
func (t *Trips) live() (n int64) {
	for s, count := range t.count {
		if s.Live() {
			n += count.Load()
		}
	}
	return n
}

// Count moves a trip from one status to another; ride.StatusNone stands for no trip.
func (t *Trips) Count(from, to ride.Status) {
	if from == to {
		return
	}
	if from != ride.StatusNone {
		t.count[from].Add(-1)
	}
	if to != ride.StatusNone {
		t.count[to].Add(1)
	}
}

// pastMinutes is how many minutes a cell remembers its requests.
const pastMinutes = 10

// cellPast holds the outcome of a cell's requests, by minute.
type cellPast struct {
	minutes [pastMinutes]pastMinute
}

type pastMinute struct {
	minute          int64 // since 1970
	requests, ended uint32
	waited          time.Duration
}

// note counts a transition in its cell: a request, or the end of a wait.
func (t *Trips) note(before, after *ride.Trip, cell geo.Cell) {
	requested := before.Status == ride.StatusNone
	ended := before.Status == ride.StatusRequested && after.Status != ride.StatusRequested
	if cell == 0 || !requested && !ended {
		return
	}
	minute := after.UpdatedAt.Unix() / 60
	t.mu.Lock()
	defer t.mu.Unlock()
	past := t.cells[cell]
	if past == nil {
		past = new(cellPast)
		t.cells[cell] = past
	}
	m := &past.minutes[minute%pastMinutes]
	if m.minute != minute {
		*m = pastMinute{minute: minute}
	}
	if requested {
		m.requests++
	} else {
		m.ended++
		m.waited += after.UpdatedAt.Sub(after.RequestedAt)
	}
}

// prune forgets cells in which nothing has happened recently.
func (t *Trips) prune(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for cell, past := range t.cells {
		if _, _, _, some := past.sum(now); !some {
			delete(t.cells, cell)
		}
	}
}

// sum adds up the minutes that still count.
func (p *cellPast) sum(now time.Time) (requests, ended uint32, waited time.Duration, some bool) {
	oldest := now.Unix()/60 - pastMinutes
	for i := range p.minutes {
		if m := &p.minutes[i]; m.minute > oldest {
			requests += m.requests
			ended += m.ended
			waited += m.waited
			some = true
		}
	}
	return requests, ended, waited, some
}

// cell is an H3 cell as watches see it.
type cell struct {
	supply, demand, requests uint32
	wait                     float32 // mean, in seconds, to a tenth
}

// cells returns every cell that has anything in it, with its totals.
func (c *City) cells(now time.Time) map[geo.Cell]cell {
	out := make(map[geo.Cell]cell)
	for _, m := range c.Drivers.all() {
		if d := m.driver.Load(); d != nil && d.Cell != 0 {
			is := out[d.Cell]
			is.supply++
			out[d.Cell] = is
		}
	}
	type waits struct {
		n   uint32
		sum time.Duration
	}
	waiting := make(map[geo.Cell]waits)
	t := &c.Trips
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, trip := range t.by {
		if trip.shown.Status == ridepb.Trip_requested && trip.cell != 0 {
			is, w := out[trip.cell], waiting[trip.cell]
			is.demand++
			out[trip.cell] = is
			waiting[trip.cell] = waits{w.n + 1, w.sum + max(0, now.Sub(trip.shown.RequestedAt.AsTime()))}
		}
	}
	for cell, past := range t.cells {
		if requests, ended, waited, some := past.sum(now); some {
			is, w := out[cell], waiting[cell]
			is.requests = requests
			out[cell] = is
			waiting[cell] = waits{w.n + ended, w.sum + waited}
		}
	}
	for cell, w := range waiting {
		if w.n > 0 {
			is := out[cell]
			is.wait = float32((w.sum / time.Duration(w.n)).Round(100 * time.Millisecond).Seconds())
			out[cell] = is
		}
	}
	return out
}
