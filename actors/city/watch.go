package city

import (
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// Watch is one operator's view of the city: what it wants and what it was last sent. It keeps no
// queue. Each look compares the picture with what was sent, so five changes between two looks are
// sent as one. It is owned by its operator's actor.
type Watch struct {
	city   *City
	number uint32
	want   *ridepb.WatchCity
	every  time.Duration

	begun    bool // the first part has been made
	complete bool // the snapshot is complete
	drivers  []sentDriver
	next     int // where the next look at the drivers starts
	trips    map[ride.TripID]*ridepb.CityTrip
	cells    map[geo.Cell]cell
	totals   *ridepb.CityTotals
	actorsAt time.Time // when the actors were sent
	sampled  time.Time // end of the newest sample sent
}

// sentDriver is what the watch was last sent about a marker's driver.
type sentDriver struct {
	driver *Driver // nil: nothing
	moved  uint64
}

// One event has room for partRoom moves, about 25 kB of protobuf or 100 kB of JSON. The other
// constants are the size of a driver, a trip and a cell, in moves.
const (
	partRoom   = 1200
	driverRoom = 3
	tripRoom   = 6
	cellRoom   = 2
)

const (
	// watchEvery is the default interval of a watch.
	watchEvery = time.Second
	// actorsEvery is how often the actors are sent.
	actorsEvery = 2 * time.Second
	// MaxBacklog is the backlog in bytes above which a reader is sent nothing more. Once it has
	// caught up, it gets the state of that time.
	MaxBacklog = 64 << 10
	// LookAgain is how soon to look again while a snapshot is under way or a reader is slow.
	LookAgain = 50 * time.Millisecond
)

// Watch starts a watch; the number identifies it to its reader.
func (c *City) Watch(number uint32, want *ridepb.WatchCity) *Watch {
	w := &Watch{
		city: c, number: number, want: want, every: time.Duration(want.GetIntervalMs()) * time.Millisecond,
		trips: make(map[ride.TripID]*ridepb.CityTrip), cells: make(map[geo.Cell]cell),
		sampled: time.Now(),
	}
	if w.every == 0 {
		w.every = watchEvery
	}
	return w
}

// Number is the number that the watch was made with.
func (w *Watch) Number() uint32 { return w.number }

// Every is the time between two looks.
func (w *Watch) Every() time.Duration { return w.every }

// Tell sends what has changed, in parts, while at most MaxBacklog bytes wait for the reader, and
// returns when to call it again. Nothing is queued for a slow reader: the next look finds the state
// of its time.
func (w *Watch) Tell(backlog func() int, send func(*ridepb.CityChanged)) (next time.Duration) {
	for {
		if backlog() > MaxBacklog {
			return min(w.every, LookAgain)
		}
		part, more := w.Look(time.Now())
		if part != nil {
			send(part)
		}
		if !more {
			return w.every
		}
	}
}

// Look returns what has changed since the last look, or nil; more says that the part is full and
// the next is ready.
func (w *Watch) Look(now time.Time) (part *ridepb.CityChanged, more bool) {
	c := &ridepb.CityChanged{Watch: w.number, At: view.Time(now), Reset_: !w.begun, Snapshot: !w.complete}
	room := partRoom
	// The order puts what is small and matters most first in a large snapshot.
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

// lookAtDrivers goes around the markers, from where it stopped, until the room is full.
func (w *Watch) lookAtDrivers(c *ridepb.CityChanged, room int) int {
	markers := w.city.Drivers.all()
	if n := len(markers) - len(w.drivers); n > 0 {
		w.drivers = append(w.drivers, make([]sentDriver, n)...)
	}
	for range markers {
		if room <= 0 {
			break
		}
		if w.next >= len(markers) {
			w.next = 0
		}
		room -= w.lookAtMarker(c, markers[w.next], &w.drivers[w.next])
		w.next++
	}
	return room
}

// lookAtMarker adds what is new about one driver and returns the room that it takes.
func (w *Watch) lookAtMarker(c *ridepb.CityChanged, m *Marker, sent *sentDriver) int {
	driver, moved, point := m.driver.Load(), m.moved.Load(), m.point.Load()
	if driver == sent.driver && moved == sent.moved {
		return 0
	}
	if driver == nil || !w.holds(unpackE7(point)) {
		if sent.driver == nil {
			return 0
		}
		*sent = sentDriver{}
		c.DriversGone = append(c.DriversGone, m.key)
		return 1
	}
	var at *ridepb.Point
	if point != 0 {
		lat, lng := unpackE7(point)
		at = &ridepb.Point{LatE7: lat, LngE7: lng}
	}
	heading := uint32(moved & (1<<headingBits - 1))
	before := sent.driver
	*sent = sentDriver{driver, moved}
	if before == driver {
		c.Moves = append(c.Moves, &ridepb.CityMove{Key: m.key, Point: at, HeadingDeg: heading})
		return 1
	}
	c.Drivers = append(c.Drivers, &ridepb.CityDriver{
		Key: m.key, Id: string(driver.ID), State: driver.State, VehicleClass: driver.Class, TripId: string(driver.Trip),
		Point: at, HeadingDeg: heading,
	})
	return driverRoom
}

func (w *Watch) lookAtTrips(c *ridepb.CityChanged, room int) int {
	all := w.city.Trips.all()
	here := make(map[ride.TripID]struct{}, len(all))
	for _, t := range all {
		id := ride.TripID(t.shown.GetId())
		here[id] = struct{}{}
		if room <= 0 || w.trips[id] == t.shown || !w.holdsPoint(t.shown.GetPickup()) && !w.holdsPoint(t.shown.GetDropoff()) {
			continue
		}
		w.trips[id] = t.shown
		c.Trips = append(c.Trips, t.shown)
		room -= tripRoom
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

func (w *Watch) lookAtCells(c *ridepb.CityChanged, now time.Time, room int) int {
	cells := w.city.cells(now)
	for cell, is := range cells {
		sent, known := w.cells[cell]
		if room <= 0 || known && sent == is || !known && w.want.GetArea() != nil && !w.holdsPoint(view.Point(cell.Center())) {
			continue
		}
		w.cells[cell] = is
		c.Cells = append(c.Cells, &ridepb.CityCell{
			Cell: cell.String(), Supply: is.supply, Demand: is.demand, Requests: is.requests, MeanWaitS: is.wait,
		})
		room -= cellRoom
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

// lookAtNode adds what concerns the whole node and reports whether any of it is new.
func (w *Watch) lookAtNode(c *ridepb.CityChanged, now time.Time) (news bool) {
	if totals := w.city.Totals(); w.totals == nil || !proto.Equal(totals, w.totals) {
		w.totals, c.Totals, news = totals, totals, true
	}
	if w.want.GetActors() && now.Sub(w.actorsAt) >= actorsEvery {
		w.actorsAt, c.Actors, news = now, w.city.Actors(), true
	}
	if w.want.GetSamples() {
		if c.Samples = w.city.Samples(w.sampled, Step); len(c.Samples) > 0 {
			w.sampled, news = c.Samples[len(c.Samples)-1].GetAt().AsTime(), true
		}
	}
	return news
}

func (w *Watch) holdsPoint(p *ridepb.Point) bool { return w.holds(p.GetLatE7(), p.GetLngE7()) }

// holds reports whether a point is in the watched area.
func (w *Watch) holds(lat, lng int32) bool {
	a := w.want.GetArea()
	if a == nil {
		return true
	}
	sw, ne := a.GetSouthWest(), a.GetNorthEast()
	if lat < sw.GetLatE7() || lat > ne.GetLatE7() {
		return false
	}
	east, west := lng <= ne.GetLngE7(), lng >= sw.GetLngE7()
	if sw.GetLngE7() > ne.GetLngE7() { // across the antimeridian
		return east || west
	}
	return east && west
}

// Totals returns the totals of this node.
func (c *City) Totals() *ridepb.CityTotals {
	driver := func(s ridepb.CityDriver_State) uint32 { return uint32(max(0, c.Drivers.states[s].Load())) }
	trip := func(s ride.Status) uint32 { return uint32(max(0, c.Trips.count[s].Load())) }
	return &ridepb.CityTotals{
		DriversAvailable: driver(ridepb.CityDriver_available), DriversOffered: driver(ridepb.CityDriver_offered),
		DriversOnTrip: driver(ridepb.CityDriver_on_trip), DriversUnreachable: driver(ridepb.CityDriver_unreachable),
		TripsRequested: trip(ride.StatusRequested), TripsMatched: trip(ride.StatusMatched),
		TripsArrived: trip(ride.StatusArrived), TripsInProgress: trip(ride.StatusInProgress),
		Sessions: uint32(max(0, c.sessions.Load())),
	}
}
