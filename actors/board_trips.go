package actors

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// tripBoard holds the trips that have an actor here, and for each cell what became of
// the requests of the last minutes. It is written when a trip changes, which costs a
// commit anyway. Safe for concurrent use.
type tripBoard struct {
	mu    sync.RWMutex
	by    map[ride.TripID]boardTrip
	cells map[geo.Cell]*cellPast
	// count is of trips by status, as they are known to the metrics.
	count [ridepb.Trip_expired + 1]atomic.Int64
}

// boardTrip is a trip on the board. Its message is shared and never changed.
type boardTrip struct {
	owner *tripActor
	shown *ridepb.CityTrip
	cell  geo.Cell // of the pickup
}

// show puts the newest state of a trip on the board.
func (b *tripBoard) show(owner *tripActor, t *ride.Trip, cell geo.Cell) {
	shown := &ridepb.CityTrip{
		Id: string(t.ID), Version: uint32(t.Version), Status: view.Status(t.Status),
		Pickup: view.Point(t.Request.Pickup), Dropoff: view.Point(t.Request.Dropoff), VehicleClass: t.Request.Class,
		RiderId: string(t.Request.Rider.ID), DriverId: string(t.DriverID()), Search: view.Search(t),
		RequestedAt: view.Time(t.RequestedAt), MatchedAt: view.Time(t.MatchedAt), ArrivedAt: view.Time(t.ArrivedAt),
		StartedAt: view.Time(t.StartedAt), EndedAt: view.Time(t.EndedAt),
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.by == nil {
		b.by = make(map[ride.TripID]boardTrip)
	}
	b.by[t.ID] = boardTrip{owner, shown, cell}
}

// hide takes a trip off, unless another actor of it has put it there since.
func (b *tripBoard) hide(owner *tripActor, id ride.TripID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.by[id].owner == owner {
		delete(b.by, id)
	}
}

// all returns the trips of this moment.
func (b *tripBoard) all() []boardTrip {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]boardTrip, 0, len(b.by))
	for _, t := range b.by {
		out = append(out, t)
	}
	return out
}

// live is the number of trips that have not ended.
func (b *tripBoard) live() (n int64) {
	for _, s := range []ridepb.Trip_Status{ridepb.Trip_requested, ridepb.Trip_matched, ridepb.Trip_arrived, ridepb.Trip_in_progress} {
		n += b.count[s].Load()
	}
	return n
}

// status moves a trip from one status to another; the empty status is no trip.
func (b *tripBoard) status(from, to ride.Status) {
	if from == to {
		return
	}
	if from != ride.StatusNone {
		b.count[view.Status(from)].Add(-1)
	}
	if to != ride.StatusNone {
		b.count[view.Status(to)].Add(1)
	}
}

// pastMinutes is for how long a cell remembers its requests.
const pastMinutes = 10

// cellPast is what became of a cell's requests, by minute.
type cellPast struct {
	minutes [pastMinutes]pastMinute
}

type pastMinute struct {
	minute          int64 // since 1970
	requests, ended uint32
	waited          time.Duration
}

// note counts a transition for its cell: a request, or the end of a wait.
func (b *tripBoard) note(before, after *ride.Trip, cell geo.Cell) {
	requested := before.Status == ride.StatusNone
	ended := before.Status == ride.StatusRequested && after.Status != ride.StatusRequested
	if cell == 0 || !requested && !ended {
		return
	}
	minute := after.UpdatedAt.Unix() / 60
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cells == nil {
		b.cells = make(map[geo.Cell]*cellPast)
	}
	past := b.cells[cell]
	if past == nil {
		past = new(cellPast)
		b.cells[cell] = past
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

// prune forgets cells in which nothing happened of late.
func (b *tripBoard) prune(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for cell, past := range b.cells {
		if _, _, _, some := past.sum(now); !some {
			delete(b.cells, cell)
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

// cityCell is a cell as watches see it.
type cityCell struct {
	supply, demand, requests uint32
	wait                     float32 // mean, in seconds, to a tenth
}

// cityCells adds up what is in every cell where there is anything.
func (b *board) cityCells(now time.Time) map[geo.Cell]cityCell {
	out := make(map[geo.Cell]cityCell)
	for _, s := range b.all() {
		if who := s.who.Load(); who != nil && who.cell != 0 {
			c := out[who.cell]
			c.supply++
			out[who.cell] = c
		}
	}
	type waits struct {
		n   uint32
		sum time.Duration
	}
	waiting := make(map[geo.Cell]waits)
	t := &b.trips
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, trip := range t.by {
		if trip.shown.Status == ridepb.Trip_requested && trip.cell != 0 {
			c, w := out[trip.cell], waiting[trip.cell]
			c.demand++
			out[trip.cell] = c
			waiting[trip.cell] = waits{w.n + 1, w.sum + max(0, now.Sub(trip.shown.RequestedAt.AsTime()))}
		}
	}
	for cell, past := range t.cells {
		if requests, ended, waited, some := past.sum(now); some {
			c, w := out[cell], waiting[cell]
			c.requests = requests
			out[cell] = c
			waiting[cell] = waits{w.n + ended, w.sum + waited}
		}
	}
	for cell, w := range waiting {
		if w.n > 0 {
			c := out[cell]
			c.wait = float32((w.sum / time.Duration(w.n)).Round(100 * time.Millisecond).Seconds())
			out[cell] = c
		}
	}
	return out
}
