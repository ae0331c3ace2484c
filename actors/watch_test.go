package actors

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/hexhail/hexhail/actors/city"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// console is an operator's client that maintains the picture as docs/protocol.md describes.
type console struct {
	*client
	watch   uint32
	read    int // events applied
	drivers map[uint32]*ridepb.CityDriver
	trips   map[string]*ridepb.CityTrip
	cells   map[string]*ridepb.CityCell
	totals  *ridepb.CityTotals
	samples []*ridepb.Sample
	actors  []*ridepb.ActorKind
	nodes   []*ridepb.CityNode
	whole   bool
}

func (w *world) console(want *ridepb.WatchCity) *console {
	c := &console{client: w.client(ride.RoleOperator, fmt.Sprint("operator", w.next)).connect(nil)}
	c.start(want)
	return c
}

func (c *console) start(want *ridepb.WatchCity) {
	r := c.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_WatchCity{WatchCity: want}}).GetCityWatched()
	require.NotNil(c.w.t, r)
	c.watch, c.nodes = r.GetWatch(), r.GetNodes().GetList()
	c.catchUp()
}

func (c *console) catchUp() {
	all := c.box.all()
	for _, e := range all[c.read:] {
		m := e.GetCityChanged()
		require.NotNil(c.w.t, m)
		require.Zero(c.w.t, e.GetSeq(), "not part of the history")
		if m.GetWatch() != c.watch {
			continue
		}
		if m.GetReset_() {
			c.drivers, c.trips, c.cells = map[uint32]*ridepb.CityDriver{}, map[string]*ridepb.CityTrip{}, map[string]*ridepb.CityCell{}
		}
		c.apply(m)
	}
	c.read = len(all)
}

func (c *console) apply(m *ridepb.CityChanged) {
	for _, d := range m.GetDrivers() {
		c.drivers[d.GetKey()] = proto.Clone(d).(*ridepb.CityDriver)
	}
	for _, v := range m.GetMoves() {
		d := c.drivers[v.GetKey()]
		require.NotNil(c.w.t, d, "a move of an unknown driver")
		d.Point, d.HeadingDeg = v.GetPoint(), v.GetHeadingDeg()
	}
	for _, key := range m.GetDriversGone() {
		delete(c.drivers, key)
	}
	for _, t := range m.GetTrips() {
		c.trips[t.GetId()] = t
	}
	for _, id := range m.GetTripsGone() {
		delete(c.trips, id)
	}
	for _, cell := range m.GetCells() {
		c.cells[cell.GetCell()] = cell
	}
	for _, cell := range m.GetCellsGone() {
		delete(c.cells, cell)
	}
	if m.GetTotals() != nil {
		c.totals = m.GetTotals()
	}
	if len(m.GetActors()) > 0 {
		c.actors = m.GetActors()
	}
	if m.GetNodes() != nil {
		c.nodes = m.GetNodes().GetList()
	}
	c.samples = append(c.samples, m.GetSamples()...)
	c.whole = c.whole || !m.GetSnapshot()
}

// look lets a second and a half pass and returns the drivers by id.
func (c *console) look() map[string]*ridepb.CityDriver {
	pass(1500 * time.Millisecond)
	c.catchUp()
	out := map[string]*ridepb.CityDriver{}
	for _, d := range c.drivers {
		out[d.GetId()] = d
	}
	return out
}

func everything() *ridepb.WatchCity {
	return &ridepb.WatchCity{Drivers: true, Trips: true, Cells: true}
}

// A console sees a whole ride: available drivers, offers, the match and the end.
func TestWatchARide(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		near, far := w.driver("near", 100), w.driver("far", 300)
		c := w.console(everything())
		require.Len(t, c.drivers, 2, "the snapshot comes at once")
		require.Equal(t, ridepb.CityDriver_available, c.look()["near"].GetState())
		require.Empty(t, cmp.Diff(view.Point(geo.Destination(pickup, 0, 100)), c.look()["near"].GetPoint(), protocmp.Transform()))
		require.Len(t, c.cells, 1)

		rider := w.rider("rider")
		id := rider.request().GetTrip().GetId()
		drivers := c.look()
		require.Equal(t, ridepb.CityDriver_offered, drivers["near"].GetState())
		require.Equal(t, ridepb.Trip_requested, c.trips[id].GetStatus())
		require.Equal(t, uint32(2), c.trips[id].GetSearch().GetDriversAsked())
		require.Equal(t, uint32(1), c.totals.GetTripsRequested())
		var demand, supply uint32
		for _, cell := range c.cells {
			demand, supply = demand+cell.GetDemand(), supply+cell.GetSupply()
			require.Positive(t, cell.GetMeanWaitS())
			_, err := geo.ParseCell(cell.GetCell())
			require.NoError(t, err)
		}
		require.Equal(t, [2]uint32{1, 2}, [2]uint32{demand, supply})

		near.accept(near.offer())
		drivers = c.look()
		require.Equal(t, ridepb.CityDriver_on_trip, drivers["near"].GetState())
		require.Equal(t, id, drivers["near"].GetTripId())
		require.Equal(t, ridepb.CityDriver_available, drivers["far"].GetState())
		require.Equal(t, "near", c.trips[id].GetDriverId())
		require.Equal(t, "rider", c.trips[id].GetRiderId())

		near.at(geo.Destination(pickup, 0, 60))
		require.Empty(t, cmp.Diff(view.Point(geo.Destination(pickup, 0, 60)), c.look()["near"].GetPoint(), protocmp.Transform()))
		near.arrived(id)
		near.start(id, "")
		near.complete(id)
		pass(10 * time.Second)
		require.Equal(t, ridepb.Trip_completed, func() ridepb.Trip_Status { c.look(); return c.trips[id].GetStatus() }())
		pass(2 * time.Minute)
		require.Equal(t, ridepb.CityDriver_unreachable, c.look()["far"].GetState(), "no fresh position")
		require.Empty(t, c.trips)

		far.goOffline()
		drivers = c.look()
		require.NotContains(t, drivers, "far")
		require.Equal(t, uint32(4), c.totals.GetSessions(), "near, far, the rider and the operator")
	})
}

// The watched city holds no name, address or plate.
func TestWatchRevealsNoNames(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d := w.client(ride.RoleDriver, "d")
		d.account.FirstName, d.account.Vehicle.Plate = "SecretName", "SecretPlate"
		d.connect(nil).goOnline(50)
		r := w.client(ride.RoleRider, "r")
		r.account.FirstName = "SecretName"
		r.connect(nil).request()
		c := w.console(everything())
		c.look()
		for _, e := range c.box.all() {
			b, err := proto.Marshal(e)
			require.NoError(t, err)
			require.NotContains(t, string(b), "Secret")
			require.NotContains(t, string(b), "Gangnam")
		}
	})
}

// A snapshot comes in parts of bounded size and is complete after the last.
func TestWatchComesInParts(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		const n = 1000
		markers := make([]*city.Marker, n)
		for i := range n {
			markers[i] = w.sys.city.Drivers.Enter(&city.Driver{ID: ride.AccountID(fmt.Sprint("d", i)), State: ridepb.CityDriver_available})
			markers[i].Move(geo.Destination(pickup, float64(i), 100+float64(i)), 90)
		}
		c := w.console(everything())
		require.Len(t, c.drivers, n)
		for i, e := range c.box.all() {
			m := e.GetCityChanged()
			require.LessOrEqual(t, len(m.GetDrivers()), 400)
			require.Less(t, proto.Size(m), 64<<10)
			require.Equal(t, i == 0, m.GetReset_())
			require.True(t, m.GetSnapshot())
		}
		require.GreaterOrEqual(t, len(c.box.all()), 3)
		markers[7].Move(pickup, 12)
		c.look()
		events := c.box.all()
		last := events[len(events)-1].GetCityChanged()
		require.False(t, last.GetSnapshot())
		require.Len(t, last.GetMoves(), 1)
		require.Empty(t, last.GetDrivers())
		require.Equal(t, uint32(12), last.GetMoves()[0].GetHeadingDeg())
	})
}

// A slow reader gets nothing while it does not read, and then the current state, once.
func TestWatchWaitsForItsReader(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d := w.driver("d", 100)
		c := w.console(everything())
		c.look()
		c.box.slow(1 << 20)
		before := len(c.box.all())
		for i := range 20 {
			d.at(geo.Destination(pickup, 0, float64(100+i)))
		}
		d.goOffline()
		pass(3 * time.Second)
		d.goOnline(125)
		require.Len(t, c.box.all(), before, "nothing is queued")
		c.box.slow(0)
		drivers := c.look()
		require.Empty(t, cmp.Diff(view.Point(geo.Destination(pickup, 0, 125)), drivers["d"].GetPoint(), protocmp.Transform()))
		told := 0
		for _, e := range c.box.all()[before:] {
			told += len(e.GetCityChanged().GetDrivers()) + len(e.GetCityChanged().GetMoves())
		}
		require.LessOrEqual(t, told, 2, "twenty moves are sent as one state")
	})
}

func (b *recorder) slow(bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.backlog = bytes
}

// A driver who leaves the area disappears and one who enters appears, even across the antimeridian.
func TestWatchAnArea(t *testing.T) {
	for name, middle := range map[string]geo.Point{"here": pickup, "antimeridian": {Lat: -17, Lng: 179.9999}} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				s := w.sys.city.Drivers.Enter(&city.Driver{ID: "d", State: ridepb.CityDriver_available})
				s.Move(geo.Destination(middle, 90, 5000), 0)
				want := everything()
				want.Area = &ridepb.Area{
					SouthWest: view.Point(geo.Destination(middle, 225, 1000)), NorthEast: view.Point(geo.Destination(middle, 45, 1000)),
				}
				c := w.console(want)
				require.Empty(t, c.drivers)
				s.Move(geo.Destination(middle, 90, 300), 0)
				require.Contains(t, c.look(), "d")
				s.Move(geo.Destination(middle, 270, 300), 0)
				require.Contains(t, c.look(), "d")
				s.Move(geo.Destination(middle, 270, 5000), 0)
				require.Empty(t, c.look())
			})
		})
	}
}

// A newer watch takes the older one's place; unwatching ends it; so does leaving.
func TestWatchEnds(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d := w.driver("d", 100)
		c := w.console(everything())
		c.start(&ridepb.WatchCity{Trips: true, IntervalMs: 250})
		require.Equal(t, uint32(2), c.watch)
		require.Empty(t, c.look(), "drivers are no longer wanted")
		require.NotNil(t, c.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_UnwatchCity{UnwatchCity: &ridepb.UnwatchCity{}}}).GetDone())
		before := len(c.box.all())
		w.rider("r").request()
		pass(5 * time.Second)
		require.Len(t, c.box.all(), before)

		c.start(everything())
		c.inbox.Leave()
		synctest.Wait()
		before = len(c.box.all())
		d.at(geo.Destination(pickup, 0, 150))
		pass(5 * time.Second)
		require.Len(t, c.box.all(), before)
	})
}

// Whatever drivers do, and in any order, the console's picture converges on the city's.
func TestWatchConverges(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		c := w.console(&ridepb.WatchCity{Drivers: true, IntervalMs: 250})
		random := rand.New(rand.NewPCG(1, 2))
		var markers []*city.Marker
		at := map[*city.Marker]geo.Point{}
		drivers := &w.sys.city.Drivers
		for range 400 {
			switch n := random.IntN(10); {
			case n < 3 || len(markers) == 0:
				markers = append(markers, drivers.Enter(&city.Driver{ID: ride.AccountID(fmt.Sprint(random.Int())), State: ridepb.CityDriver_available}))
				delete(at, markers[len(markers)-1])
			case n < 4:
				i := random.IntN(len(markers))
				drivers.Leave(markers[i])
				markers = append(markers[:i], markers[i+1:]...)
			case n < 6:
				was := markers[random.IntN(len(markers))]
				is := *was.Driver()
				is.State = ridepb.CityDriver_State(1 + random.IntN(4))
				drivers.Change(was, &is)
			default:
				m := markers[random.IntN(len(markers))]
				at[m] = geo.Destination(pickup, random.Float64()*360, random.Float64()*5000)
				m.Move(at[m], 0)
			}
			if random.IntN(5) == 0 {
				pass(100 * time.Millisecond)
			}
		}
		got := c.look()
		require.Len(t, got, len(markers))
		for _, m := range markers {
			is := m.Driver()
			require.Equal(t, is.State, got[string(is.ID)].GetState())
			lat, lng := at[m].E7()
			require.Equal(t, [2]int32{lat, lng}, [2]int32{got[string(is.ID)].GetPoint().GetLatE7(), got[string(is.ID)].GetPoint().GetLngE7()})
		}
		totals := w.sys.city.Totals()
		require.EqualValues(t, len(markers), totals.GetDriversAvailable()+totals.GetDriversOffered()+totals.GetDriversOnTrip()+totals.GetDriversUnreachable())
	})
}
