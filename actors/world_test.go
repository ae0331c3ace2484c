package actors

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// world is a running system with clients, inside a synctest bubble: its time is fake
// and moves only when every actor waits.
type world struct {
	t     *testing.T
	sys   *System
	store *memStore
	next  int
}

// inWorld runs a test in a fresh world, with changes to the default configuration.
func inWorld(t *testing.T, change func(*Config), test func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, store: newMemStore()}
		w.boot(change)
		t.Cleanup(func() {
			require.NoError(t, w.sys.Stop(context.Background()))
			time.Sleep(2 * time.Second) // protoactor counts dead letters per second
		})
		test(w)
	})
}

// boot starts the system. Trips are broadcast unless the change says otherwise, so that drivers race for them.
func (w *world) boot(change func(*Config)) {
	cfg := DefaultConfig()
	cfg.Rules.Policy = cfg.Rules.Policy.As(ride.PolicyBroadcast)
	cfg.PIN = false
	cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	if change != nil {
		change(&cfg)
	}
	var err error
	w.sys, err = New(cfg, w.store)
	require.NoError(w.t, err)
	require.NoError(w.t, w.sys.Start(context.Background()))
}

// local is this node's Placement.
func (w *world) local() *local { return w.sys.place.(*local) }

// crash drops everything in memory and starts again over the same store.
func (w *world) crash(change func(*Config)) {
	require.NoError(w.t, w.sys.Stop(context.Background()))
	w.boot(change)
}

var (
	pickup  = geo.Point{Lat: 37.4979, Lng: 127.0276}
	dropoff = geo.Point{Lat: 37.5172, Lng: 127.0473}
)

// client is a rider or a driver with a session.
type client struct {
	w       *world
	account ride.Account
	inbox   *Inbox
	box     *recorder
	ids     int
}

func (w *world) client(role ride.Role, name string) *client {
	a := ride.Account{ID: ride.AccountID(name), Role: role, Status: ride.AccountActive, Username: name, FirstName: name}
	if role == ride.RoleDriver {
		a.Vehicle = ride.Vehicle{Class: "standard", Plate: "12가" + name}
	}
	return &client{w: w, account: a}
}

func (w *world) rider(name string) *client { return w.client(ride.RoleRider, name).connect(nil) }

// driver returns a driver who is connected and online, some metres north of the pickup.
func (w *world) driver(name string, metres float64) *client {
	d := w.client(ride.RoleDriver, name).connect(nil)
	require.NotNil(w.t, d.goOnline(metres).GetDone())
	return d
}

// connect opens a session and waits for its reply.
func (c *client) connect(resume *ridepb.Resume) *client {
	c.box = &recorder{}
	c.w.store.know(c.account)
	c.w.next++
	var err error
	c.inbox, err = c.w.sys.Join(context.Background(), Join{
		Account: c.account, SessionID: fmt.Sprint("s", c.w.next), ConnectID: "connect", Resume: resume, Out: c.box,
	})
	require.NoError(c.w.t, err)
	if c.box.reply("connect") == nil {
		pass(takeWithin) // its former node does not answer
	}
	require.NotNil(c.w.t, c.box.reply("connect").GetConnected(), "connect was refused")
	return c
}

func (c *client) connected() *ridepb.Connected { return c.box.reply("connect").GetConnected() }

// send sends a frame without waiting; it returns the frame's id.
func (c *client) send(f *ridepb.ClientFrame) string {
	if f.Id == "" {
		c.ids++
		f.Id = fmt.Sprintf("%s-%d", c.account.ID, c.ids)
	}
	id := f.Id
	c.inbox.Command(f)
	return id
}

// ask sends a frame and waits for its reply.
func (c *client) ask(f *ridepb.ClientFrame) *ridepb.Reply {
	id := c.send(f)
	return c.box.reply(id)
}

func (c *client) goOnline(metres float64) *ridepb.Reply {
	return c.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_GoOnline{GoOnline: &ridepb.GoOnline{
		Location: &ridepb.Location{Point: view.Point(geo.Destination(pickup, 0, metres))},
	}}})
}

func (c *client) goOffline() *ridepb.Reply {
	return c.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_GoOffline{GoOffline: &ridepb.GoOffline{}}})
}

// at moves the driver, one second later.
func (c *client) at(p geo.Point) {
	pass(time.Second)
	require.NoError(c.w.t, c.inbox.Location(ride.Position{Point: p, DeviceTime: time.Now()}))
	synctest.Wait()
}

func (c *client) request() *ridepb.Reply {
	return c.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: requestTrip()}})
}

func requestTrip() *ridepb.RequestTrip {
	return &ridepb.RequestTrip{Pickup: view.Point(pickup), Dropoff: view.Point(dropoff), PickupAddress: "Gangnam Station"}
}

func (c *client) accept(o *ridepb.Offer) *ridepb.Reply { return c.ask(acceptFrame(o)) }

func acceptFrame(o *ridepb.Offer) *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_AcceptOffer{AcceptOffer: &ridepb.AcceptOffer{OfferId: o.GetId()}}}
}

func (c *client) decline(o *ridepb.Offer) *ridepb.Reply {
	return c.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_DeclineOffer{DeclineOffer: &ridepb.DeclineOffer{OfferId: o.GetId()}}})
}

func (c *client) cancel(trip string) *ridepb.Reply {
	return c.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_CancelTrip{CancelTrip: &ridepb.CancelTrip{TripId: trip}}})
}

func (c *client) arrived(trip string) *ridepb.Reply {
	return c.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_Arrived{Arrived: &ridepb.MarkArrived{TripId: trip}}})
}

func (c *client) start(trip, pin string) *ridepb.Reply {
	return c.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_StartTrip{StartTrip: &ridepb.StartTrip{TripId: trip, Pin: pin}}})
}

func (c *client) complete(trip string) *ridepb.Reply {
	return c.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_CompleteTrip{CompleteTrip: &ridepb.CompleteTrip{TripId: trip}}})
}

func (c *client) rate(trip string, stars uint32) *ridepb.Reply {
	return c.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_RateTrip{RateTrip: &ridepb.RateTrip{TripId: trip, Stars: stars}}})
}

// offers returns the offers received so far.
func (c *client) offers() []*ridepb.Offer {
	var out []*ridepb.Offer
	for _, e := range c.box.all() {
		if o := e.GetOfferReceived(); o != nil {
			out = append(out, o.GetOffer())
		}
	}
	return out
}

// offer returns the newest offer received.
func (c *client) offer() *ridepb.Offer {
	c.w.t.Helper()
	all := c.offers()
	require.NotEmpty(c.w.t, all, "%s has no offer", c.account.ID)
	return all[len(all)-1]
}

// ends returns the offers' ends as "outcome reason" in order.
func (c *client) ends() []string {
	var out []string
	for _, e := range c.box.all() {
		if o := e.GetOfferClosed(); o != nil {
			out = append(out, o.GetOutcome().String()+" "+o.GetReason())
		}
	}
	return out
}

// changes returns what happened to the client's trip, in order.
func (c *client) changes() []string {
	var out []string
	for _, e := range c.box.all() {
		if u := e.GetTripUpdated(); u != nil {
			out = append(out, u.GetChange())
		}
	}
	return out
}

// recorder is a session's outbox, seen from the client.
type recorder struct {
	mu      sync.Mutex
	replies map[string][]*ridepb.Reply
	events  []*ridepb.Event // of the history
	moved   []*ridepb.DriverMoved
	routes  []*ridepb.TripRoute
	closed  ridepb.CloseCode
	backlog int // what Backlog returns
}

func (b *recorder) Reply(r *ridepb.Reply) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.replies == nil {
		b.replies = make(map[string][]*ridepb.Reply)
	}
	b.replies[r.GetId()] = append(b.replies[r.GetId()], r)
}

func (b *recorder) Event(e *ridepb.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r := e.GetRouteChanged(); r != nil {
		b.routes = append(b.routes, r.GetRoute())
		return
	}
	b.events = append(b.events, e)
}

func (b *recorder) Moved(e *ridepb.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.moved = append(b.moved, e.GetDriverMoved())
}

func (b *recorder) Backlog() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.backlog
}

func (b *recorder) Close(code ridepb.CloseCode, _ time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = code
}

// reply waits until every actor waits, then returns the reply to an id, or nil.
func (b *recorder) reply(id string) *ridepb.Reply {
	if rs := b.repliesTo(id); len(rs) > 0 {
		return rs[len(rs)-1]
	}
	return nil
}

func (b *recorder) repliesTo(id string) []*ridepb.Reply {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.replies[id]
}

func (b *recorder) all() []*ridepb.Event {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]*ridepb.Event(nil), b.events...)
}

func (b *recorder) closeCode() ridepb.CloseCode {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

func (b *recorder) positions() []*ridepb.DriverMoved {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]*ridepb.DriverMoved(nil), b.moved...)
}

// shownRoutes waits until every actor waits, then returns the routes.
func (b *recorder) shownRoutes() []*ridepb.TripRoute {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]*ridepb.TripRoute(nil), b.routes...)
}

// pass lets time pass; all actors run meanwhile.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
