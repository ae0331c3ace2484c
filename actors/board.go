package actors

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// board is what this node's drivers and trips look like at this moment. The actors
// write to it, whether anybody looks or not, so writing is cheap: a position is two
// stores. Watches, charts and the record of a wave read it without asking anybody. Safe
// for concurrent use.
type board struct {
	mu    sync.RWMutex // guards what follows, not the seats themselves
	seats []*seat      // by key less one; only grows
	free  []*seat

	drivers  [5]atomic.Int64 // seats by state
	sessions atomic.Int64

	trips tripBoard
	ringM float64 // how far a ring of cells reaches, in metres
}

// seat is the place of one driver on the board.
type seat struct {
	key uint32
	who atomic.Pointer[seated] // nil: free
	// point is latitude and longitude in 1e-7 degrees, 0 while there is none; moved
	// counts the positions, above 9 bits of heading in degrees. The point is written
	// first, so whoever sees a count sees that position or a newer one.
	point, moved atomic.Uint64
}

// seated is what changes seldom about a driver. It is never changed, only replaced: the
// same pointer means the same content.
type seated struct {
	driver ride.AccountID
	class  string
	state  ridepb.CityDriver_State
	trip   ride.TripID
	cell   geo.Cell // where it is available; 0: nowhere
}

const headingBits = 9

// enter gives a driver a seat; only that driver's actor writes to it from then on.
func (b *board) enter(who *seated) *seat {
	b.mu.Lock()
	defer b.mu.Unlock()
	var s *seat
	if n := len(b.free); n > 0 {
		s, b.free = b.free[n-1], b.free[:n-1]
	} else {
		s = &seat{key: uint32(len(b.seats) + 1)}
		b.seats = append(b.seats, s)
	}
	s.point.Store(0)
	s.who.Store(who)
	b.drivers[who.state].Add(1)
	return s
}

// change says something new about a driver.
func (b *board) change(s *seat, who *seated) {
	b.drivers[s.who.Swap(who).state].Add(-1)
	b.drivers[who.state].Add(1)
}

// leave gives a seat back.
func (b *board) leave(s *seat) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drivers[s.who.Swap(nil).state].Add(-1)
	b.free = append(b.free, s)
}

// all returns the seats of this moment, taken and free. The caller must not change it.
func (b *board) all() []*seat {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.seats
}

// move says where the driver is.
func (s *seat) move(p geo.Point, headingDeg float32) {
	lat, lng := p.E7()
	s.point.Store(uint64(uint32(lat))<<32 | uint64(uint32(lng)))
	heading := uint64(headingDeg) & (1<<headingBits - 1)
	s.moved.Store((s.moved.Load()>>headingBits+1)<<headingBits | heading)
}

// unpackE7 reads a stored point.
func unpackE7(p uint64) (lat, lng int32) { return int32(uint32(p >> 32)), int32(uint32(p)) }

// online is the number of drivers on the board.
func (b *board) online() (n int64) {
	for i := range b.drivers {
		n += b.drivers[i].Load()
	}
	return n
}

// near is a driver close to a pickup.
type near struct {
	who       *seated
	point     uint64
	distance2 float64 // comparable among those of one search only
}

// passedOver returns drivers of a class around a pickup whom a search did not find, with
// the reason, nearest first, for the record of a wave. It looks as far as the ring after
// the last that was searched.
func (b *board) passedOver(q *search, ring int, class string, excluded []ride.AccountID) []ride.Considered {
	if q.center == 0 {
		return nil
	}
	reach := float64(ring+2) * b.ringM
	lat0, lng0 := q.pickup.E7()
	const metresPerE7 = 0.0111195
	shrink := math.Cos(q.pickup.Lat * math.Pi / 180)
	var best []near
	for _, s := range b.all() {
		// By distance first: it is read without leaving the seat's own memory.
		point := s.point.Load()
		lat, lng := unpackE7(point)
		dy := float64(int64(lat)-int64(lat0)) * metresPerE7
		if dy > reach || dy < -reach {
			continue
		}
		dx := float64(acrossE7(lng0, lng)) * metresPerE7 * shrink
		d := dx*dx + dy*dy
		full := len(best) == ride.MaxPassed
		if point == 0 || d > reach*reach || full && d >= best[len(best)-1].distance2 {
			continue
		}
		who := s.who.Load()
		if who == nil || who.class != class || q.has(who.driver) {
			continue
		}
		if full {
			best = best[:len(best)-1]
		}
		at, _ := slices.BinarySearchFunc(best, d, func(n near, d float64) int { return cmp.Compare(n.distance2, d) })
		best = slices.Insert(best, at, near{who, point, d})
	}
	out := make([]ride.Considered, len(best))
	for i, n := range best {
		out[i] = ride.Considered{Driver: n.who.driver, Point: geo.FromE7(unpackE7(n.point)), Verdict: n.verdict(q)}
		if slices.Contains(excluded, n.who.driver) {
			out[i].Verdict = ride.VerdictExcluded
		}
	}
	return out
}

// acrossE7 is the way from one meridian to another, the shorter one.
func acrossE7(from, to int32) int64 {
	const turn = 3_600_000_000
	d := int64(to) - int64(from)
	switch {
	case d > turn/2:
		d -= turn
	case d < -turn/2:
		d += turn
	}
	return d
}

// verdict says why a search did not find this driver.
func (n near) verdict(q *search) ride.Verdict {
	switch {
	case n.who.state == ridepb.CityDriver_on_trip:
		return ride.VerdictBusy
	case n.who.state == ridepb.CityDriver_unreachable:
		return ride.VerdictStale
	case n.who.cell == 0:
		return ride.VerdictFull
	case slices.Contains(q.disk, n.who.cell):
		return ride.VerdictOverCap // its cell named others, or came too late
	default:
		return ride.VerdictTooFar
	}
}
