package demo

import (
	"context"
	"sync"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
	"github.com/hexhail/hexhail/transport"
)

// drivers holds the visitors who drive, by account. It knows only what passes over their sockets.
type drivers struct {
	mu  sync.RWMutex
	all map[ride.AccountID]*driver
}

// driver is the live session of one visitor. The mutex of all drivers guards it.
type driver struct {
	class  string
	online bool
	busy   bool // has a trip
	at     geo.Point
	seen   time.Time // when it was at that position; zero: never
	call   time.Time // when it should get the next request
}

// The bounds of a visitor's neighbourhood and patience. The few simulated drivers of the visitors'
// class give way to visitors throughout the search radius; if drivers of other classes did so too,
// the whole city would slow down.
const (
	nearM     = 1500
	farM      = 6000
	freshFor  = 15 * time.Second // the server's default position TTL
	firstCall = 3 * time.Second
	nextCall  = 15 * time.Second
)

// waits reports whether the driver can get offers.
func (d *driver) waits(now time.Time) bool {
	return d.online && !d.busy && now.Sub(d.seen) < freshFor
}

// near reports whether a visitor who waits for offers of a class is near a point; see
// city.Visitors.
func (h *Host) near(class string, at geo.Point) bool {
	h.drivers.mu.RLock()
	defer h.drivers.mu.RUnlock()
	if len(h.drivers.all) == 0 {
		return false
	}
	now, bound := time.Now(), float64(nearM)
	if class == VisitorClass(h.o.Tariffs) {
		bound = farM
	}
	for _, d := range h.drivers.all {
		if d.class == class && d.waits(now) && geo.DistanceM(d.at, at) < bound {
			return true
		}
	}
	return false
}

// Router returns a router that observes the sessions of visitors who drive, and passes everything
// on to next.
func (h *Host) Router(next transport.Router) transport.Router { return &router{h, next} }

type router struct {
	host *Host
	next transport.Router
}

// Join implements transport.Router.
func (r *router) Join(ctx context.Context, j transport.Join) (transport.Inbox, error) {
	a := j.Principal.Account
	if a.Role != ride.RoleDriver || r.host.Simulated(a) {
		return r.next.Join(ctx, j)
	}
	s := &watched{drivers: &r.host.drivers, account: a.ID, driver: &driver{class: a.Vehicle.Class}}
	j.Out = &outbox{j.Out, s}
	// The actor may send before Join returns.
	s.drivers.mu.Lock()
	before := s.drivers.all[a.ID]
	s.drivers.all[a.ID] = s.driver
	s.drivers.mu.Unlock()
	inbox, err := r.next.Join(ctx, j)
	if err != nil {
		s.leave(before)
		return nil, err
	}
	s.Inbox = inbox
	return s, nil
}

// watched is a visitor's session, observed on its way to the actor.
type watched struct {
	transport.Inbox
	drivers *drivers
	account ride.AccountID
	driver  *driver
}

// note updates what is known about the driver.
func (s *watched) note(f func(*driver)) {
	s.drivers.mu.Lock()
	defer s.drivers.mu.Unlock()
	waited := s.driver.waits(time.Now())
	f(s.driver)
	if now := time.Now(); !waited && s.driver.waits(now) {
		s.driver.call = now.Add(firstCall)
	}
}

// Command implements transport.Inbox.
func (s *watched) Command(f *ridepb.ClientFrame) {
	switch b := f.GetBody().(type) {
	case *ridepb.ClientFrame_GoOnline:
		at := b.GoOnline.GetLocation().GetPoint()
		s.note(func(d *driver) {
			d.online, d.at, d.seen = true, geo.FromE7(at.GetLatE7(), at.GetLngE7()), time.Now()
		})
	case *ridepb.ClientFrame_GoOffline:
		s.note(func(d *driver) { d.online = false })
	}
	s.Inbox.Command(f)
}

// Location implements transport.Inbox.
func (s *watched) Location(p ride.Position) error {
	s.note(func(d *driver) { d.at, d.seen = p.Point, time.Now() })
	return s.Inbox.Location(p)
}

// Leave implements transport.Inbox.
func (s *watched) Leave() {
	s.leave(nil)
	s.Inbox.Leave()
}

// leave forgets the session unless a newer one has replaced it.
func (s *watched) leave(before *driver) {
	s.drivers.mu.Lock()
	defer s.drivers.mu.Unlock()
	if s.drivers.all[s.account] != s.driver {
		return
	}
	delete(s.drivers.all, s.account)
	if before != nil {
		s.drivers.all[s.account] = before
	}
}

// outbox observes what the actor sends to a visitor.
type outbox struct {
	transport.Outbox
	session *watched
}

// Reply implements transport.Outbox.
func (o *outbox) Reply(r *ridepb.Reply) {
	if c := r.GetConnected(); c != nil {
		o.session.note(func(d *driver) { d.online, d.busy = c.GetOnline(), occupied(c.GetActiveTrip()) })
	}
	if t := r.GetTrip(); t != nil {
		o.session.note(func(d *driver) { d.busy = occupied(t) })
	}
	o.Outbox.Reply(r)
}

// Event implements transport.Outbox.
func (o *outbox) Event(e *ridepb.Event) {
	if t := e.GetTripUpdated().GetTrip(); t != nil {
		o.session.note(func(d *driver) { d.busy = occupied(t) })
	}
	o.Outbox.Event(e)
}

// occupied reports whether a trip occupies its driver.
func occupied(t *ridepb.Trip) bool { return view.FromStatus(t.GetStatus()).Occupied() }
