package actors

import (
	"sync"
	"testing"
	"testing/synctest"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// lossy is a Placement behind which messages between trips and people are lost, as when an actor
// stops, moves or panics. Trips know people only through relays, which drop what the test says.
type lossy struct {
	*local
	root func() *actor.RootContext

	mu     sync.Mutex
	trips  map[ride.TripID]*actor.PID
	relays map[string]*actor.PID // by the person's actor
	// drop says whether to lose a message from a trip to a person. It is called by one relay at a
	// time.
	drop func(to string, m any) bool
	// asked are the attaches that reached a trip; sent counts what trips sent, lost or not.
	asked []tripAttach
	sent  int
}

// inLossyWorld runs a test in a world whose trips and people lose messages once drop is set.
func inLossyWorld(t *testing.T, change func(*Config), test func(w *world, p *lossy)) {
	var sys *System
	p := &lossy{
		root:  func() *actor.RootContext { return sys.root },
		trips: map[ride.TripID]*actor.PID{}, relays: map[string]*actor.PID{},
	}
	inWorld(t, func(c *Config) {
		if change != nil {
			change(c)
		}
		c.Placement = func(n Node) Placement {
			p.local = Local(n).(*local)
			return p
		}
	}, func(w *world) {
		sys = w.sys
		test(w, p)
	})
}

func (p *lossy) losing(drop func(to string, m any) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop = drop
}

// messages is how many messages trips have sent to people.
func (p *lossy) messages() int {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent
}

// asks returns the attaches for a trip, but for those with offers.
func (p *lossy) asks() (out []tripAttach) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.asked {
		if m.Offer == "" {
			out = append(out, m)
		}
	}
	return out
}

// Trip leads to a trip through a relay, which puts people's relays in the place of their PIDs.
func (p *lossy) Trip(id ride.TripID) *actor.PID {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.trips[id] == nil {
		p.trips[id] = p.root().Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *actor.Started:
			case tripAttach:
				m.PID = p.relay(m.PID)
				p.mu.Lock()
				p.asked = append(p.asked, m)
				p.mu.Unlock()
				ctx.Send(p.local.Trip(id), m)
			default:
				if ctx.Sender() == nil {
					ctx.Send(p.local.Trip(id), m)
					return
				}
				ctx.RequestWithCustomSender(p.local.Trip(id), m, p.relay(ctx.Sender()))
			}
		}))
	}
	return p.trips[id]
}

// relay is where a trip sends what is for a person's actor.
func (p *lossy) relay(to *actor.PID) *actor.PID {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.relays[to.GetId()] == nil {
		p.relays[to.GetId()] = p.root().Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*actor.Started); ok {
				return
			}
			p.mu.Lock()
			p.sent++
			lost := p.drop != nil && p.drop(to.GetId(), ctx.Message())
			p.mu.Unlock()
			if !lost {
				ctx.Forward(to)
			}
		}))
	}
	return p.relays[to.GetId()]
}

// EnterCell leads to a cell through a relay: trips learn drivers' PIDs from cells, too.
func (p *lossy) EnterCell(cell geo.Cell) *actor.PID {
	real := p.local.EnterCell(cell)
	return p.root().Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started:
		case cellPut:
			m.PID = p.relay(m.PID)
			ctx.Send(real, m)
		case cellDrop:
			ctx.Send(real, m)
			ctx.Stop(ctx.Self()) // LeaveCell follows
		}
	}))
}
