package city

import (
	"cmp"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// Next returns what has changed since the last part, or nil; more says that the part is full and the
// next is ready. whole says that every node that answers has sent its snapshot.
func (m *Merge) Next(now time.Time, whole bool) (part *ridepb.CityChanged, more bool) {
	c := &ridepb.CityChanged{Watch: m.number, At: view.Time(now), Reset_: !m.begun, Snapshot: !m.begun || !whole, Nodes: m.list}
	news := !m.begun || m.list != nil
	m.list = nil
	room := m.nextTrips(c, partRoom)
	room = m.nextCells(c, room)
	room = m.nextDrivers(c, room)
	news = news || room < partRoom
	if room > 0 { // the last part
		news = m.nextFigures(c) || news
	}
	if !news {
		return nil, false
	}
	m.begun = true
	return c, room <= 0
}

// take returns the next that has changed, while there is room.
func (q *queue[T]) take(room int) (next T, ok bool) {
	if room <= 0 || len(q.waiting) == 0 {
		return next, false
	}
	next = q.waiting[0]
	var none T
	q.waiting[0] = none
	if q.waiting = q.waiting[1:]; len(q.waiting) == 0 {
		q.waiting = nil
	}
	return next, true
}

func (m *Merge) nextTrips(c *ridepb.CityChanged, room int) int {
	for t, ok := m.newTrips.take(room); ok; t, ok = m.newTrips.take(room) {
		t.queued = false
		switch {
		case t.holds > 0:
			t.sent = true
			c.Trips = append(c.Trips, t.shown)
			room -= tripRoom
		case t.sent:
			c.TripsGone = append(c.TripsGone, t.id)
			room--
			fallthrough
		default:
			delete(m.trips, t.id)
		}
	}
	return room
}

func (m *Merge) nextCells(c *ridepb.CityChanged, room int) int {
	for is, ok := m.newCells.take(room); ok; is, ok = m.newCells.take(room) {
		is.queued = false
		sum := is.sum()
		switch {
		case sum == nil && is.sent != nil:
			c.CellsGone = append(c.CellsGone, is.id)
			room--
			fallthrough
		case sum == nil:
			delete(m.cells, is.id)
		case !proto.Equal(sum, is.sent):
			is.sent = sum
			c.Cells = append(c.Cells, sum)
			room -= cellRoom
		}
	}
	return room
}

func (m *Merge) nextDrivers(c *ridepb.CityChanged, room int) int {
	var freed []uint32 // no part has one key twice
	for d, ok := m.newDrivers.take(room); ok; d, ok = m.newDrivers.take(room) {
		d.queued = false
		best := d.best()
		if best == nil {
			delete(m.drivers, d.id)
			if d.key != 0 {
				freed = append(freed, d.key)
				c.DriversGone = append(c.DriversGone, d.key)
				room--
			}
			continue
		}
		if d.key == 0 {
			d.key = m.newKey()
		}
		if d.sent == best && !d.whole {
			c.Moves = append(c.Moves, &ridepb.CityMove{Key: d.key, Point: best.shown.GetPoint(), HeadingDeg: best.shown.GetHeadingDeg()})
			room--
			continue
		}
		is := best.shown
		c.Drivers = append(c.Drivers, &ridepb.CityDriver{
			Key: d.key, Id: is.GetId(), State: is.GetState(), VehicleClass: is.GetVehicleClass(), TripId: is.GetTripId(),
			Point: is.GetPoint(), HeadingDeg: is.GetHeadingDeg(),
		})
		d.sent, d.whole = best, false
		room -= driverRoom
	}
	m.freeKeys = append(m.freeKeys, freed...)
	return room
}

func (m *Merge) newKey() uint32 {
	if n := len(m.freeKeys); n > 0 {
		key := m.freeKeys[n-1]
		m.freeKeys = m.freeKeys[:n-1]
		return key
	}
	m.keys++
	return m.keys
}

// nextFigures adds what concerns whole nodes and reports whether any of it is new.
func (m *Merge) nextFigures(c *ridepb.CityChanged) (news bool) {
	if totals := m.sumTotals(); m.totals == nil || !proto.Equal(totals, m.totals) {
		m.totals, c.Totals, news = totals, totals, true
	}
	if m.actors {
		m.actors = false
		for _, n := range m.nodes {
			c.Actors = append(c.Actors, n.actors...)
		}
		slices.SortStableFunc(c.Actors, func(a, b *ridepb.ActorKind) int { return cmp.Compare(a.GetNode().GetName(), b.GetNode().GetName()) })
		news = news || len(c.Actors) > 0
	}
	if len(m.samples) > 0 {
		c.Samples, m.samples, news = m.samples, nil, true
	}
	return news
}

// sumTotals adds up the totals of all nodes. A driver that several have counts once, as far as drivers
// are watched.
func (m *Merge) sumTotals() *ridepb.CityTotals {
	out := new(ridepb.CityTotals)
	for _, n := range m.nodes {
		t := n.totals
		out.DriversAvailable += t.GetDriversAvailable()
		out.DriversOffered += t.GetDriversOffered()
		out.DriversOnTrip += t.GetDriversOnTrip()
		out.DriversUnreachable += t.GetDriversUnreachable()
		out.TripsRequested += t.GetTripsRequested()
		out.TripsMatched += t.GetTripsMatched()
		out.TripsArrived += t.GetTripsArrived()
		out.TripsInProgress += t.GetTripsInProgress()
		out.Sessions += t.GetSessions()
	}
	if m.doubles == 0 {
		return out
	}
	for _, d := range m.drivers {
		best := d.best()
		for _, h := range d.held {
			if h != best {
				uncount(out, h.shown.GetState())
			}
		}
	}
	return out
}

// uncount takes a driver out of the totals.
func uncount(t *ridepb.CityTotals, s ridepb.CityDriver_State) {
	n := map[ridepb.CityDriver_State]*uint32{
		ridepb.CityDriver_available: &t.DriversAvailable, ridepb.CityDriver_offered: &t.DriversOffered,
		ridepb.CityDriver_on_trip: &t.DriversOnTrip, ridepb.CityDriver_unreachable: &t.DriversUnreachable,
	}[s]
	if n != nil && *n > 0 {
		*n--
	}
}
