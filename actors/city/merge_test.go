package city

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// reader is a client that keeps its picture as docs/protocol.md says.
type reader struct {
	t       *testing.T
	drivers map[uint32]*ridepb.CityDriver
	trips   map[string]*ridepb.CityTrip
	cells   map[string]*ridepb.CityCell
	totals  *ridepb.CityTotals
	parts   int
}

func newReader(t *testing.T) *reader {
	return &reader{
		t: t, drivers: map[uint32]*ridepb.CityDriver{}, trips: map[string]*ridepb.CityTrip{}, cells: map[string]*ridepb.CityCell{},
	}
}

// read takes what a merge has for its reader.
func (r *reader) read(m *Merge) {
	for more := true; more; {
		var part *ridepb.CityChanged
		if part, more = m.Next(time.Now(), true); part == nil {
			continue
		}
		require.Equal(r.t, r.parts == 0, part.GetReset_())
		r.parts++
		require.Less(r.t, proto.Size(part), 64<<10)
		for _, d := range part.GetDrivers() {
			r.drivers[d.GetKey()] = proto.Clone(d).(*ridepb.CityDriver)
		}
		for _, v := range part.GetMoves() {
			require.NotNil(r.t, r.drivers[v.GetKey()], "a move of an unknown driver")
			r.drivers[v.GetKey()].Point = v.GetPoint()
		}
		for _, key := range part.GetDriversGone() {
			require.Contains(r.t, r.drivers, key)
			delete(r.drivers, key)
		}
		for _, t := range part.GetTrips() {
			r.trips[t.GetId()] = t
		}
		for _, id := range part.GetTripsGone() {
			require.Contains(r.t, r.trips, id)
			delete(r.trips, id)
		}
		for _, c := range part.GetCells() {
			r.cells[c.GetCell()] = c
		}
		for _, id := range part.GetCellsGone() {
			delete(r.cells, id)
		}
		if part.GetTotals() != nil {
			r.totals = part.GetTotals()
		}
	}
}

// driver returns the one entry of a driver; nil for none.
func (r *reader) driver(id string) (found *ridepb.CityDriver) {
	for _, d := range r.drivers {
		if d.GetId() == id {
			require.Nil(r.t, found, "%s is shown twice", id)
			found = d
		}
	}
	return found
}

func at(lat int32) *ridepb.Point { return &ridepb.Point{LatE7: lat, LngE7: 1} }

func shownDriver(key uint32, id string, s ridepb.CityDriver_State, lat int32) *ridepb.CityDriver {
	return &ridepb.CityDriver{Key: key, Id: id, State: s, Point: at(lat)}
}

// A driver who changes nodes is one, with one key, where it drives; when the newer node forgets it, what the older
// has is shown again.
func TestADriverOnTwoNodesIsOne(t *testing.T) {
	const available, away = ridepb.CityDriver_available, ridepb.CityDriver_unreachable
	m, r := NewMerge(1), newReader(t)
	take := func(node string, c *ridepb.CityChanged) {
		m.Take(node, c, false)
		r.read(m)
	}
	take("a", &ridepb.CityChanged{Reset_: true, Drivers: []*ridepb.CityDriver{shownDriver(1, "d", available, 10), shownDriver(2, "x", available, 1)},
		Totals: &ridepb.CityTotals{DriversAvailable: 2}})
	take("b", &ridepb.CityChanged{Reset_: true, Drivers: []*ridepb.CityDriver{shownDriver(1, "y", available, 1)}, Totals: &ridepb.CityTotals{DriversAvailable: 1}})
	require.Len(t, r.drivers, 3, "one key on two nodes is two drivers")
	key := r.driver("d").GetKey()
	take("b", &ridepb.CityChanged{Drivers: []*ridepb.CityDriver{shownDriver(2, "d", available, 20)}, Totals: &ridepb.CityTotals{DriversAvailable: 2}})
	require.EqualValues(t, 3, r.totals.GetDriversAvailable(), "counted once")
	take("a", &ridepb.CityChanged{Moves: []*ridepb.CityMove{{Key: 1, Point: at(11)}}})
	require.EqualValues(t, 20, r.driver("d").GetPoint().GetLatE7(), "the newer node knows better")
	take("a", &ridepb.CityChanged{Drivers: []*ridepb.CityDriver{shownDriver(1, "d", away, 11)}, Totals: &ridepb.CityTotals{DriversAvailable: 1, DriversUnreachable: 1}})
	require.Equal(t, available, r.driver("d").GetState(), "not where it drives")
	require.EqualValues(t, 3, r.totals.GetDriversAvailable())
	require.Zero(t, r.totals.GetDriversUnreachable())
	take("b", &ridepb.CityChanged{Moves: []*ridepb.CityMove{{Key: 2, Point: at(21)}}})
	require.EqualValues(t, 21, r.driver("d").GetPoint().GetLatE7())
	require.Equal(t, key, r.driver("d").GetKey())
	m.Drop("b")
	r.read(m)
	require.Equal(t, away, r.driver("d").GetState())
	require.Nil(t, r.driver("y"))
	require.EqualValues(t, 1, r.totals.GetDriversAvailable())
	take("a", &ridepb.CityChanged{DriversGone: []uint32{1}})
	require.Nil(t, r.driver("d"))
	require.Len(t, r.drivers, 1)
}

// A trip that changes nodes is shown in its newest version, and is gone when no node has it.
func TestATripOnTwoNodesIsOne(t *testing.T) {
	m, r := NewMerge(1), newReader(t)
	trip := func(v uint32) []*ridepb.CityTrip { return []*ridepb.CityTrip{{Id: "t", Version: v}} }
	m.Take("a", &ridepb.CityChanged{Reset_: true, Trips: trip(3)}, false)
	m.Take("b", &ridepb.CityChanged{Reset_: true, Trips: trip(4)}, false)
	r.read(m)
	m.Take("a", &ridepb.CityChanged{Trips: trip(3)}, false)
	r.read(m)
	require.EqualValues(t, 4, r.trips["t"].GetVersion())
	m.Take("a", &ridepb.CityChanged{TripsGone: []string{"t"}}, false)
	r.read(m)
	require.Contains(t, r.trips, "t")
	m.Take("b", &ridepb.CityChanged{TripsGone: []string{"t"}}, false)
	r.read(m)
	require.Empty(t, r.trips)
	m.Take("b", &ridepb.CityChanged{Trips: trip(5), TripsGone: []string{"never"}}, false)
	m.Drop("b")
	r.read(m)
	require.Empty(t, r.trips, "it came and went between two looks")
}

// What several nodes have of a cell is added up; the mean wait is weighed by requests.
func TestCellsAddUp(t *testing.T) {
	m, r := NewMerge(1), newReader(t)
	cell := func(supply, requests uint32, wait float32) []*ridepb.CityCell {
		return []*ridepb.CityCell{{Cell: "8", Supply: supply, Demand: 1, Requests: requests, MeanWaitS: wait}}
	}
	m.Take("a", &ridepb.CityChanged{Reset_: true, Cells: cell(2, 3, 10)}, false)
	m.Take("b", &ridepb.CityChanged{Reset_: true, Cells: cell(5, 1, 2)}, false)
	r.read(m)
	require.True(t, proto.Equal(&ridepb.CityCell{Cell: "8", Supply: 7, Demand: 2, Requests: 4, MeanWaitS: 8}, r.cells["8"]), "%v", r.cells["8"])
	m.Drop("a")
	r.read(m)
	require.EqualValues(t, 5, r.cells["8"].GetSupply())
	m.Take("b", &ridepb.CityChanged{CellsGone: []string{"8"}}, false)
	r.read(m)
	require.Empty(t, r.cells)
}

// A node that begins a new snapshot changes only what is different in it.
func TestANewSnapshotKeepsWhatIsTheSame(t *testing.T) {
	m, r := NewMerge(1), newReader(t)
	part := func(reset bool, ids ...string) *ridepb.CityChanged {
		c := &ridepb.CityChanged{Reset_: reset}
		for _, id := range ids {
			c.Drivers = append(c.Drivers, shownDriver(uint32(id[0]), id, ridepb.CityDriver_available, 1))
			c.Trips = append(c.Trips, &ridepb.CityTrip{Id: id, Version: 1})
			c.Cells = append(c.Cells, &ridepb.CityCell{Cell: id, Supply: 1})
		}
		return c
	}
	m.Take("a", part(true, "x", "y"), false)
	r.read(m)
	key := r.driver("y").GetKey()
	m.Take("a", part(true, "y"), true)
	r.read(m)
	require.Len(t, r.drivers, 2, "the snapshot is not whole yet")
	m.Take("a", part(false), false)
	r.read(m)
	require.Len(t, r.drivers, 1)
	require.Equal(t, key, r.driver("y").GetKey())
	require.Len(t, r.trips, 1)
	require.Len(t, r.cells, 1)
}

// Whatever the nodes' drivers do, the reader's picture converges on theirs, in parts of bounded size.
func TestMergeConverges(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	m, r := NewMerge(1), newReader(t)
	type node struct {
		city    *City
		watch   *Watch
		markers []*Marker
	}
	var nodes [3]*node
	for i := range nodes {
		c := New(Config{Resolution: 8})
		nodes[i] = &node{city: c, watch: c.Watch(1, &ridepb.WatchCity{Drivers: true})}
	}
	look := func(i int) {
		for more := true; more; {
			var part *ridepb.CityChanged
			if part, more = nodes[i].watch.Look(time.Now()); part != nil {
				m.Take(fmt.Sprint(i), part, more)
			}
		}
	}
	for id := range 3000 {
		n := nodes[id%3]
		n.markers = append(n.markers, n.city.Drivers.Enter(&Driver{ID: ride.AccountID(fmt.Sprint(id)), State: ridepb.CityDriver_available}))
	}
	for range 2000 {
		n := nodes[random.IntN(3)]
		i := random.IntN(len(n.markers))
		switch random.IntN(4) {
		case 0: // to another node, which knows it before the former one forgets
			is := *n.markers[i].Driver()
			other := nodes[random.IntN(3)]
			if other == n {
				continue
			}
			other.markers = append(other.markers, other.city.Drivers.Enter(&is))
			if random.IntN(2) == 0 {
				look(slices.Index(nodes[:], other))
			}
			n.city.Drivers.Leave(n.markers[i])
			n.markers = slices.Delete(n.markers, i, i+1)
		default:
			n.markers[i].Move(geo.Destination(pickup, random.Float64()*360, random.Float64()*5000), 0)
		}
		if random.IntN(20) == 0 {
			look(random.IntN(3))
			r.read(m)
		}
	}
	for i := range nodes {
		look(i)
	}
	r.read(m)
	require.Len(t, r.drivers, 3000)
	require.Greater(t, r.parts, 8)
	for _, n := range nodes {
		for _, marker := range n.markers {
			got := r.driver(string(marker.Driver().ID))
			require.NotNil(t, got)
			lat, lng := unpackE7(marker.point.Load())
			require.Equal(t, [2]int32{lat, lng}, [2]int32{got.GetPoint().GetLatE7(), got.GetPoint().GetLngE7()})
		}
	}
	require.EqualValues(t, 3000, r.totals.GetDriversAvailable())
	m.Drop("0")
	r.read(m)
	require.Len(t, r.drivers, len(nodes[1].markers)+len(nodes[2].markers))
}

// BenchmarkMerge is one look at three nodes with 5,000 drivers each, all of whom have moved.
func BenchmarkMerge(b *testing.B) {
	m := NewMerge(1)
	var watches [3]*Watch
	var markers [3][]*Marker
	for i := range watches {
		c, all := crowd(5000)
		for _, one := range all {
			is := *one.Driver()
			is.ID = ride.AccountID(fmt.Sprint(i, is.ID))
			c.Drivers.Change(one, &is)
		}
		watches[i], markers[i] = c.Watch(1, &ridepb.WatchCity{Drivers: true}), all
	}
	look := func() {
		for i, w := range watches {
			for more := true; more; {
				var part *ridepb.CityChanged
				if part, more = w.Look(time.Now()); part != nil {
					m.Take(fmt.Sprint(i), part, more)
				}
			}
		}
		for more := true; more; {
			_, more = m.Next(time.Now(), true)
		}
	}
	look()
	for n := 0; b.Loop(); n++ {
		for _, all := range markers {
			for i, one := range all {
				one.Move(geo.Point{Lat: 37.5 + float64(i)/1e5, Lng: 127 + float64(n%1000)/1e6}, 90)
			}
		}
		look()
	}
}
