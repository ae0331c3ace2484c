package actors

import (
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// watch is one operator's view of the city: what it wants and what it was told last. It
// keeps no queue. Each look compares the board with what was told, so that something
// that changed five times is told once. It belongs to its operator's actor.
type watch struct {
	sys    *System
	number uint32
	want   *ridepb.WatchCity
	every  time.Duration

	begun    bool // the first part was made
	complete bool // the snapshot was made whole
	drivers  []toldDriver
	next     int // where the next look at the drivers begins
	trips    map[ride.TripID]*ridepb.CityTrip
	cells    map[geo.Cell]cityCell
	totals   *ridepb.CityTotals
	actorsAt time.Time // when the actors were told
	sampled  time.Time // the newest sample told
}

// toldDriver is what the watch was told of the driver on a seat.
type toldDriver struct {
	who   *seated // nil: nothing
	moved uint64
}

// One event holds so much, counted in moves: about 25 kB of protobuf, or 100 kB of JSON.
const (
	partRoom  = 1200
	driverFee = 3
	tripFee   = 6
	cellFee   = 2
)

// actorsEvery is how often the actors are told.
const actorsEvery = 2 * time.Second

func newWatch(s *System, number uint32, want *ridepb.WatchCity) *watch {
	w := &watch{
		sys: s, number: number, want: want, every: time.Duration(want.GetIntervalMs()) * time.Millisecond,
		trips: make(map[ride.TripID]*ridepb.CityTrip), cells: make(map[geo.Cell]cityCell),
		sampled: time.Now(),
	}
	if w.every == 0 {
		w.every = defaultWatchEvery
	}
	return w
}

// look returns what has changed since the last look, nil if nothing has; more says that
// there is more to tell at once.
func (w *watch) look(now time.Time) (part *ridepb.CityChanged, more bool) {
	c := &ridepb.CityChanged{Watch: w.number, At: view.Time(now), Reset_: !w.begun, Snapshot: !w.complete}
	room := partRoom
	// In this order: what is small and matters most comes first in a large snapshot.
	if w.want.GetTrips() {
		room = w.lookAtTrips(c, room)
	}
	if w.want.GetCells() {
		room = w.lookAtCells(c, now, room)
	}
	if w.want.GetDrivers() {
		room = w.lookAtDrivers(c, room)
	}
	news := room < partRoom || !w.begun
	if room > 0 { // the last part of this look
		news = w.lookAtNode(c, now) || news
	}
	if !news {
		w.complete = true
		return nil, false
	}
	w.begun, w.complete = true, w.complete || room > 0
	return c, room <= 0
}

// lookAtDrivers goes around the seats, from where it stopped, until the room is full.
func (w *watch) lookAtDrivers(c *ridepb.CityChanged, room int) int {
	seats := w.sys.board.all()
	if n := len(seats) - len(w.drivers); n > 0 {
		w.drivers = append(w.drivers, make([]toldDriver, n)...)
	}
	for range seats {
		if room <= 0 {
			break
		}
		if w.next >= len(seats) {
			w.next = 0
		}
		room -= w.lookAtSeat(c, seats[w.next], &w.drivers[w.next])
		w.next++
	}
	return room
}

// lookAtSeat tells what is new on one seat, and returns the room that it takes.
func (w *watch) lookAtSeat(c *ridepb.CityChanged, s *seat, told *toldDriver) int {
	who, moved, point := s.who.Load(), s.moved.Load(), s.point.Load()
	if who == told.who && moved == told.moved {
		return 0
	}
	if who == nil || !w.holds(unpackE7(point)) {
		if told.who == nil {
			return 0
		}
		*told = toldDriver{}
		c.DriversGone = append(c.DriversGone, s.key)
		return 1
	}
	var at *ridepb.Point
	if point != 0 {
		lat, lng := unpackE7(point)
		at = &ridepb.Point{LatE7: lat, LngE7: lng}
	}
	heading := uint32(moved & (1<<headingBits - 1))
	before := told.who
	*told = toldDriver{who, moved}
	if before == who {
		c.Moves = append(c.Moves, &ridepb.CityMove{Key: s.key, Point: at, HeadingDeg: heading})
		return 1
	}
	c.Drivers = append(c.Drivers, &ridepb.CityDriver{
		Key: s.key, Id: string(who.driver), State: who.state, VehicleClass: who.class, TripId: string(who.trip),
		Point: at, HeadingDeg: heading,
	})
	return driverFee
}

func (w *watch) lookAtTrips(c *ridepb.CityChanged, room int) int {
	all := w.sys.board.trips.all()
	here := make(map[ride.TripID]struct{}, len(all))
	for _, t := range all {
		id := ride.TripID(t.shown.GetId())
		here[id] = struct{}{}
		if room <= 0 || w.trips[id] == t.shown || !w.holdsPoint(t.shown.GetPickup()) && !w.holdsPoint(t.shown.GetDropoff()) {
			continue
		}
		w.trips[id] = t.shown
		c.Trips = append(c.Trips, t.shown)
		room -= tripFee
	}
	for id := range w.trips {
		if _, there := here[id]; !there && room > 0 {
			delete(w.trips, id)
			c.TripsGone = append(c.TripsGone, string(id))
			room--
		}
	}
	return room
}

func (w *watch) lookAtCells(c *ridepb.CityChanged, now time.Time, room int) int {
	cells := w.sys.board.cityCells(now)
	for cell, is := range cells {
		told, known := w.cells[cell]
		if room <= 0 || known && told == is || !known && w.want.GetArea() != nil && !w.holdsPoint(view.Point(cell.Center())) {
			continue
		}
		w.cells[cell] = is
		c.Cells = append(c.Cells, &ridepb.CityCell{
			Cell: cell.String(), Supply: is.supply, Demand: is.demand, Requests: is.requests, MeanWaitS: is.wait,
		})
		room -= cellFee
	}
	for cell := range w.cells {
		if _, there := cells[cell]; !there && room > 0 {
			delete(w.cells, cell)
			c.CellsGone = append(c.CellsGone, cell.String())
			room--
		}
	}
	return room
}

// lookAtNode adds what is told of the whole node; true if there is anything new.
func (w *watch) lookAtNode(c *ridepb.CityChanged, now time.Time) (news bool) {
	if totals := w.sys.board.totals(); w.totals == nil || !proto.Equal(totals, w.totals) {
		w.totals, c.Totals, news = totals, totals, true
	}
	if w.want.GetActors() && now.Sub(w.actorsAt) >= actorsEvery {
		w.actorsAt, c.Actors, news = now, w.sys.Actors(), true
	}
	if w.want.GetSamples() {
		if c.Samples = w.sys.Samples(w.sampled, sampleStep); len(c.Samples) > 0 {
			w.sampled, news = c.Samples[len(c.Samples)-1].GetAt().AsTime(), true
		}
	}
	return news
}

func (w *watch) holdsPoint(p *ridepb.Point) bool { return w.holds(p.GetLatE7(), p.GetLngE7()) }

// holds reports whether a point is in the watched area.
func (w *watch) holds(lat, lng int32) bool {
	a := w.want.GetArea()
	if a == nil {
		return true
	}
	sw, ne := a.GetSouthWest(), a.GetNorthEast()
	if lat < sw.GetLatE7() || lat > ne.GetLatE7() {
		return false
	}
	east, west := lng <= ne.GetLngE7(), lng >= sw.GetLngE7()
	if sw.GetLngE7() > ne.GetLngE7() { // over the antimeridian
		return east || west
	}
	return east && west
}

// totals are those of the whole node.
func (b *board) totals() *ridepb.CityTotals {
	driver := func(s ridepb.CityDriver_State) uint32 { return uint32(max(0, b.drivers[s].Load())) }
	trip := func(s ridepb.Trip_Status) uint32 { return uint32(max(0, b.trips.count[s].Load())) }
	return &ridepb.CityTotals{
		DriversAvailable: driver(ridepb.CityDriver_available), DriversOffered: driver(ridepb.CityDriver_offered),
		DriversOnTrip: driver(ridepb.CityDriver_on_trip), DriversUnreachable: driver(ridepb.CityDriver_unreachable),
		TripsRequested: trip(ridepb.Trip_requested), TripsMatched: trip(ridepb.Trip_matched),
		TripsArrived: trip(ridepb.Trip_arrived), TripsInProgress: trip(ridepb.Trip_in_progress),
		Sessions: uint32(max(0, b.sessions.Load())),
	}
}
