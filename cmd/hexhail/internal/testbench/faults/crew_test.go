package faults

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// deed is a command with its answer; none if the server died first.
type deed struct {
	by    *hand
	frame *ridepb.ClientFrame
	reply *ridepb.Reply
}

// hand is a rider or a driver who outlives a server and reconnects to the next one.
type hand struct {
	*harness.Client
	name, account string
	role          ride.Role
	next          int
	active        *ridepb.Trip // from the last connect
}

// crew is a rider and two drivers in a separate place who ride until the server dies, and remember
// every command.
type crew struct {
	n     int
	rider *hand
	cars  []*hand
	deeds []deed // on this server
	acked func() // is called with every answer
}

func newCrew(n int, acked func()) *crew {
	h := func(role ride.Role, i int) *hand { return &hand{name: fmt.Sprintf("%s%d-%d", role, n, i), role: role} }
	return &crew{n: n, rider: h(ride.RoleRider, 0), cars: []*hand{h(ride.RoleDriver, 0), h(ride.RoleDriver, 1)}, acked: acked}
}

func (c *crew) hands() []*hand { return []*hand{c.rider, c.cars[0], c.cars[1]} }

// connect joins the next server.
func (c *crew) connect(tb testing.TB, s *harness.Server) {
	tb.Helper()
	for _, h := range c.hands() {
		client, hello := harness.Connect(tb, s, wire.Binary, s.Token(h.role, h.name), nil)
		client.Name = h.name
		h.Client, h.account, h.active = client, hello.GetAccountId(), hello.GetActiveTrip()
	}
}

// do sends a new command and remembers it, whatever the outcome.
func (c *crew) do(h *hand, f *ridepb.ClientFrame) (*ridepb.Reply, error) {
	h.next++
	f.Id = fmt.Sprintf("%s-%d", h.name, h.next)
	c.deeds = append(c.deeds, deed{by: h, frame: f})
	reply, err := h.TryAsk(f)
	if err != nil {
		return nil, err
	}
	c.deeds[len(c.deeds)-1].reply = reply
	c.acked()
	return reply, nil
}

// work ends what the last server left open and then rides, until the socket ends. Any other error
// is a failure.
func (c *crew) work() error {
	err := c.begin()
	for err == nil {
		err = c.ride()
		for _, h := range c.hands() {
			h.Take()
		}
	}
	if errors.Is(err, harness.ErrEnded) {
		return nil
	}
	return err
}

// begin ends the trip that the last server left open and puts the drivers online.
func (c *crew) begin() error {
	if t := c.rider.active; t != nil {
		if err := c.finish(t); err != nil {
			return err
		}
	}
	for i, car := range c.cars {
		if _, err := c.do(car, online(c.n, i)); err != nil {
			return err
		}
	}
	return nil
}

func online(n, i int) *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_GoOnline{GoOnline: &ridepb.GoOnline{
		Location: harness.Location(around(spot(n), i)),
	}}}
}

// finish ends a trip that was found open: the rider cancels it or, once the ride has started, the
// driver completes it.
func (c *crew) finish(t *ridepb.Trip) error {
	if t.GetStatus() != ridepb.Trip_in_progress {
		return c.expect(c.rider, harness.Cancel(t.GetId()), ridepb.Trip_cancelled)
	}
	for _, car := range c.cars {
		if car.account == t.GetDriver().GetId() {
			return c.expect(car, harness.Complete(t.GetId()), ridepb.Trip_completed)
		}
	}
	return fmt.Errorf("trip %s is driven by %q, who is none of us", t.GetId(), t.GetDriver().GetId())
}

// expect does a command that must lead to a status.
func (c *crew) expect(h *hand, f *ridepb.ClientFrame, s ridepb.Trip_Status) error {
	reply, err := c.do(h, f)
	if err == nil && reply.GetTrip().GetStatus() != s {
		err = fmt.Errorf("%s: %v was answered with %v", h.name, f, reply)
	}
	return err
}

// ride is one trip: two drivers accept, one drives, some give up on the way, and some commands must
// be refused.
func (c *crew) ride() error {
	reply, err := c.do(c.rider, harness.Request(spot(c.n), around(spot(c.n), 40)))
	if err != nil {
		return err
	}
	trip := reply.GetTrip().GetId()
	if trip == "" {
		return fmt.Errorf("%s: the request was refused: %v", c.rider.name, reply)
	}
	driver, err := c.match(trip)
	if err != nil {
		return err
	}
	if err := c.refused(driver, harness.Complete(trip), ride.ErrWrongStatus); err != nil {
		return err
	}
	if rand.IntN(4) == 0 {
		return c.expect(c.rider, harness.Cancel(trip), ridepb.Trip_cancelled)
	}
	if err := c.expect(driver, harness.Arrived(trip), ridepb.Trip_arrived); err != nil {
		return err
	}
	if err := c.expect(driver, harness.StartTrip(trip, ""), ridepb.Trip_in_progress); err != nil {
		return err
	}
	if err := c.refused(c.rider, harness.Cancel(trip), ride.ErrWrongStatus); err != nil {
		return err
	}
	if err := c.expect(driver, harness.Complete(trip), ridepb.Trip_completed); err != nil {
		return err
	}
	return c.expect(c.rider, harness.Rate(trip, 5), ridepb.Trip_completed)
}

// match lets both drivers accept, in any order, and returns the one who won.
func (c *crew) match(trip string) (*hand, error) {
	offer := func(h *hand) (string, error) {
		e, err := h.TryAwait("offer of "+trip, 0, func(e *ridepb.Event) bool {
			return e.GetOfferReceived().GetOffer().GetTripId() == trip
		})
		return e.GetOfferReceived().GetOffer().GetId(), err
	}
	first := rand.IntN(2)
	won, lost := c.cars[first], c.cars[1-first]
	o, err := offer(won)
	if err != nil {
		return nil, err
	}
	other, err := offer(lost)
	if err != nil {
		return nil, err
	}
	if err := c.expect(won, harness.Accept(o), ridepb.Trip_matched); err != nil {
		return nil, err
	}
	return won, c.refused(lost, harness.Accept(other), ride.ErrOfferTaken)
}

// refused does a command that must be refused.
func (c *crew) refused(h *hand, f *ridepb.ClientFrame, want *ride.Error) error {
	reply, err := c.do(h, f)
	if err == nil && reply.GetError().GetCode() != want.Code {
		err = fmt.Errorf("%s: %v was answered with %v", h.name, f, reply)
	}
	return err
}

// repeat sends the last server's commands again. Those answered then must get the same answer now;
// the others get an answer now, which the crew remembers.
func (c *crew) repeat(same func(d deed, again *ridepb.Reply)) error {
	last := c.deeds
	c.deeds = nil
	for _, d := range last {
		again, err := d.by.TryAsk(d.frame)
		if err != nil {
			return err
		}
		if d.reply == nil {
			c.deeds = append(c.deeds, deed{d.by, d.frame, again})
		}
		same(d, again)
	}
	for _, h := range c.hands() { // an answer may have changed its trip
		h.Take()
	}
	return nil
}

// patience bounds the time of one server.
const patience = 2 * time.Minute
