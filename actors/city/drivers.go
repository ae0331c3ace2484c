package city

import (
	"sync"
	"sync/atomic"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// Drivers are this node's drivers as they are at this moment. Their actors write to it even if no
// operator watches, so writing is cheap: a position is two atomic stores. Safe for concurrent use.
type Drivers struct {
	mu      sync.RWMutex // guards what follows, not the markers themselves
	markers []*Marker    // by key minus one; only grows
	free    []*Marker

	states [ridepb.CityDriver_unreachable + 1]atomic.Int64 // how many are in each state
}

// Marker is one driver in the picture. Only that driver's actor writes to it.
type Marker struct {
	key    uint32
	driver atomic.Pointer[Driver] // nil: free
	// point is latitude and longitude in 1e-7 degrees, 0 while there is none; moved is a count of
	// positions above 9 bits of heading in degrees. The point is written first, so a reader that
	// sees a count sees that position or a newer one.
	point, moved atomic.Uint64
}

// Driver is what rarely changes about a driver. It is replaced, never changed: the same pointer
// means the same content.
type Driver struct {
	ID    ride.AccountID
	Class string
	State ridepb.CityDriver_State
	Trip  ride.TripID
	Cell  geo.Cell // where it is available; 0: nowhere
	Held  bool     // it holds an exclusive offer
}

const headingBits = 9

// Enter puts a driver into the picture and returns its marker, which belongs to that driver's
// actor until Leave.
func (d *Drivers) Enter(who *Driver) *Marker {
	d.mu.Lock()
	defer d.mu.Unlock()
	var m *Marker
	if n := len(d.free); n > 0 {
		m, d.free = d.free[n-1], d.free[:n-1]
	} else {
		m = &Marker{key: uint32(len(d.markers) + 1)}
		d.markers = append(d.markers, m)
	}
	m.point.Store(0)
	m.driver.Store(who)
	d.states[who.State].Add(1)
	return m
}

// Change replaces a driver's data.
func (d *Drivers) Change(m *Marker, who *Driver) {
	d.states[m.driver.Swap(who).State].Add(-1)
	d.states[who.State].Add(1)
}

// Leave takes a driver out of the picture; the marker must not be used afterwards.
func (d *Drivers) Leave(m *Marker) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.states[m.driver.Swap(nil).State].Add(-1)
	d.free = append(d.free, m)
}

// all returns the current markers, taken and free. The caller must not change the slice.
func (d *Drivers) all() []*Marker {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.markers
}

// Driver returns the driver's latest data.
func (m *Marker) Driver() *Driver { return m.driver.Load() }

// Move writes the driver's position. It does not allocate.
func (m *Marker) Move(p geo.Point, headingDeg float32) {
	lat, lng := p.E7()
	m.point.Store(uint64(uint32(lat))<<32 | uint64(uint32(lng)))
	heading := uint64(headingDeg) & (1<<headingBits - 1)
	m.moved.Store((m.moved.Load()>>headingBits+1)<<headingBits | heading)
}

// unpackE7 reads a stored point.
func unpackE7(p uint64) (lat, lng int32) { return int32(uint32(p >> 32)), int32(uint32(p)) }

// online is the number of drivers in the picture.
func (d *Drivers) online() (n int64) {
	for i := range d.states {
		n += d.states[i].Load()
	}
	return n
}
