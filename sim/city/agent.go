package city

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/sim/check"
	"github.com/hexhail/hexhail/sim/client"
)

// agent is what riders and drivers have in common. Its mutex guards the whole rider or driver;
// callbacks of the client and of timers take it.
type agent struct {
	city   *City
	name   string
	key    string // the name without the run's prefix, which determines intentions
	role   string
	client *client.Client

	mu        sync.Mutex
	account   string
	connected bool
	older     bool          // a socket that a move has left is open
	skew      time.Duration // local clock minus the server's
	replayTo  uint32
	losses    int
	moves     int
	timers    map[*time.Timer]struct{}
	closed    bool
	answers   []answer // the newest, as many as the city repeats
}

// answer is an answered command, to be repeated.
type answer struct {
	call  check.Record
	frame *ridepb.ClientFrame
}

// DriverName is the name of a driver's account: the run's prefix and the taxi's id are
// part of it.
func DriverName(prefix, taxi string) string { return prefix + "driver-" + taxi }

func newAgent(c *City, role, id string) agent {
	key := role + "-" + id
	return agent{city: c, name: c.cfg.Prefix + key, key: key, role: role, timers: make(map[*time.Timer]struct{})}
}

// later runs f with the lock held after a real time, unless the agent ends first. cancel cancels f;
// the caller must hold the lock.
func (a *agent) later(d time.Duration, f func()) (cancel func()) {
	if a.closed {
		return func() {}
	}
	var t *time.Timer
	t = time.AfterFunc(d, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if _, on := a.timers[t]; on {
			delete(a.timers, t)
			f()
		}
	})
	a.timers[t] = struct{}{}
	return func() {
		t.Stop()
		delete(a.timers, t)
	}
}

// quit stops the timers. It does not close the client.
func (a *agent) quit() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	for t := range a.timers {
		t.Stop()
	}
	clear(a.timers)
}

// start connects the agent.
func (a *agent) start(h client.Handler, n int) {
	c := a.city
	a.mu.Lock()
	defer a.mu.Unlock()
	a.client = client.Start(c.life, client.Config{
		URLs: c.cfg.URLs, First: n, Codec: c.codec(n), Name: "hexhail-sim", Handler: h, Gate: c.gate,
		Token: func() (string, error) { return c.cfg.Token(a.role, a.name) }, Older: a,
	})
	a.planLoss()
	a.planMove()
}

// started reports whether start was called.
func (a *agent) started() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.client != nil
}

// planLoss schedules the next lost connection.
func (a *agent) planLoss() {
	after, outage := a.city.will.Loss(a.key, a.losses)
	if after == 0 {
		return
	}
	a.losses++
	a.later(a.city.clock.real(after), func() {
		if !a.city.ending.Load() {
			a.client.Drop(a.city.clock.real(outage))
		}
		a.planLoss()
	})
}

// planMove schedules the next session that begins while the former socket is open.
func (a *agent) planMove() {
	after := a.city.will.Move(a.key, a.moves)
	if after == 0 {
		return
	}
	a.moves++
	a.later(a.city.clock.real(after), func() {
		if !a.city.ending.Load() && a.connected && !a.older && a.client.Move() {
			a.older = true
			a.down(true)
		}
		a.planMove()
	})
}

// OlderEvent implements client.OlderHandler.
func (a *agent) OlderEvent() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.record(check.Record{What: check.OlderNews})
}

// OlderDown implements client.OlderHandler.
func (a *agent) OlderDown(code int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.older = false
	a.record(check.Record{What: check.OlderEnded, Code: strconv.Itoa(code)})
}

// down notes that the session is over, and whether its socket is open all the same. The caller holds the
// lock.
func (a *agent) down(open bool) {
	a.connected = false
	a.city.Stats.Connected.Add(-1)
	a.record(check.Record{What: check.Lost, Older: open})
}

// record adds what this agent did or saw to the history.
func (a *agent) record(r check.Record) {
	r.Who, r.Role = a.name, a.role
	a.city.Note(r)
}

// met notes a new session. The caller holds the lock.
func (a *agent) met(c *ridepb.Connected, first bool) {
	s := &a.city.Stats
	a.city.met.Add(1)
	s.Connected.Add(1)
	if !first {
		s.Reconnects.Add(1)
		if c.GetResumed() {
			s.Resumed.Add(1)
		}
	}
	a.account, a.connected = c.GetAccountId(), true
	if first && a.city.cfg.Visitors != nil {
		a.city.own.Store(a.account, struct{}{})
	}
	a.skew = time.Since(c.GetServerTime().AsTime())
	a.replayTo = 0
	if c.GetResumed() {
		a.replayTo = c.GetSeq()
	}
	r := check.Record{
		What: check.Connected, Account: a.account, Epoch: c.GetEpoch(), Seq: c.GetSeq(), Resumed: c.GetResumed(),
		Online: c.GetOnline(), Node: a.client.Node(), Older: a.older,
	}.OfTrip(c.GetActiveTrip())
	for _, o := range c.GetOpenOffers() {
		r.Open = append(r.Open, o.GetId())
	}
	a.record(r)
	if c.GetActiveTrip() != nil {
		a.city.book.news(c.GetActiveTrip())
	}
	if !first {
		a.repeat()
	}
}

// repeat sends the newest answered commands once more. The caller holds the lock.
func (a *agent) repeat() {
	for _, x := range a.answers {
		a.client.Repeat(x.frame, func(reply *ridepb.Reply) {
			a.mu.Lock()
			defer a.mu.Unlock()
			r := x.call
			r.What, r.At, r.Code, r.Reply = check.Again, 0, reply.GetError().GetCode(), check.ReplyDigest(reply)
			a.record(r)
		})
	}
}

// news notes an event. The caller holds the lock.
func (a *agent) news(e *ridepb.Event) {
	r := check.Record{Epoch: e.GetEpoch(), Seq: e.GetSeq()}
	switch b := e.GetBody().(type) {
	case *ridepb.Event_TripUpdated:
		r.What, r.Change = check.TripNews, b.TripUpdated.GetChange()
		r.Exchange = b.TripUpdated.GetExchange() != nil
		r = r.OfTrip(b.TripUpdated.GetTrip())
		a.city.book.news(b.TripUpdated.GetTrip())
	case *ridepb.Event_OfferReceived:
		o := b.OfferReceived.GetOffer()
		r.What, r.Offer, r.Trip = check.Offered, o.GetId(), o.GetTripId()
		r.Expires = a.city.since(o.GetExpiresAt().AsTime().Add(a.skew))
	case *ridepb.Event_OfferClosed:
		o := b.OfferClosed
		r.What, r.Offer, r.Trip, r.Outcome = check.OfferEnded, o.GetOfferId(), o.GetTripId(), o.GetOutcome().String()
	case *ridepb.Event_RouteChanged:
		route := b.RouteChanged.GetRoute()
		r.What, r.Trip, r.Revision, r.Leg = check.RouteNews, route.GetTripId(), route.GetRevision(), route.GetLeg().String()
	default:
		r.What = check.OtherNews
	}
	a.record(r)
}

// Down implements client.Handler.
func (a *agent) Down(d client.Down) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.connected {
		a.down(false)
	}
	if d.Final {
		defer a.city.refused.Add(1) // after its reason, so that it is counted once the refusal is seen
	}
	if a.city.ending.Load() || a.closed {
		return
	}
	// Only a person who begins sessions while others are open knows that the newest one must stay.
	newest := a.city.cfg.Behaviour.Moves > 0
	if d.Breach || (d.Code >= 4500 && (newest || d.Code != int(ridepb.CloseReplaced))) {
		a.city.Stats.ProtocolErrors.Add(1)
	}
	switch {
	case d.Code >= 4000 || (d.Code >= 400 && d.Code < 600):
		a.city.Stats.Error("closed_" + strconv.Itoa(d.Code))
	case !d.Began:
		a.city.Stats.Error("cannot_connect")
	case d.Breach:
		a.city.Stats.Error("server_breach")
	case errors.Is(d.Err, io.EOF):
		a.city.Stats.Error("socket_ended")
	}
}

// breaches are refusals that a correct client never gets from a correct server.
var breaches = []string{
	"malformed", "invalid_argument", "invalid_point", "id_required", "id_reused", "not_connected", "already_connected",
	"wrong_role", "unknown_vehicle_class",
}

// do sends a command. The caller holds the lock; done is called with the lock held,
// unless the agent has ended.
func (a *agent) do(r check.Record, f *ridepb.ClientFrame, done func(*ridepb.Reply)) {
	r.What, r.At = check.Call, a.city.since(time.Now())
	id := a.client.Do(f, func(reply *ridepb.Reply) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.answered(r, f, reply)
		if !a.closed {
			done(reply)
		}
	})
	if id == "" {
		a.city.Stats.Error("sim_queue_full")
		return
	}
	r.ID = id
	a.record(r)
}

// answered notes a command's answer.
func (a *agent) answered(r check.Record, f *ridepb.ClientFrame, reply *ridepb.Reply) {
	r.What, r.At, r.ID, r.Code = check.Return, 0, f.GetId(), reply.GetError().GetCode()
	if n := a.city.cfg.Repeats; n > 0 {
		r.Reply = check.ReplyDigest(reply)
		a.answers = append(a.answers[max(0, len(a.answers)-n+1):], answer{r, f})
	}
	if t := reply.GetTrip(); t != nil {
		r = r.OfTrip(t)
		a.city.book.news(t)
	}
	a.record(r)
	if r.Code == "" || tooLate(r) {
		return
	}
	a.city.Stats.Error(r.Code)
	if slices.Contains(breaches, r.Code) {
		a.city.Stats.ProtocolErrors.Add(1)
	}
}

// tooLate reports that someone else was faster: the ordinary end of an offer to many drivers, not
// an error.
func tooLate(r check.Record) bool {
	return (r.Op == "accept" || r.Op == "decline") && slices.Contains([]string{"offer_taken", "offer_closed", "driver_busy"}, r.Code)
}

// pb converts a point to the protocol's form.
func pb(p geo.Point) *ridepb.Point {
	lat, lng := p.E7()
	return &ridepb.Point{LatE7: lat, LngE7: lng}
}

func fromPB(p *ridepb.Point) geo.Point { return geo.FromE7(p.GetLatE7(), p.GetLngE7()) }

// location is a position that the device measured at a time; the speed is in simulated time.
func location(p geo.Place, mps float64, at time.Time) *ridepb.Location {
	return &ridepb.Location{
		Point: pb(p.Point), HeadingDeg: float32(p.Heading.Deg), SpeedMps: float32(mps), AccuracyM: 5, DeviceTime: timestamppb.New(at),
	}
}
