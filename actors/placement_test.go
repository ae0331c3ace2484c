package actors

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// divided is a Placement that has lost trips to another node: this node does not own them and
// reaches them through other.
type divided struct {
	Placement
	mu   sync.Mutex
	lost map[ride.TripID]bool
	// other stands for the other node: it records messages and their senders.
	other    *actor.PID
	received []any
	senders  []*actor.PID
}

func (p *divided) configure(c *Config) {
	c.Placement = func(n Node) Placement {
		p.Placement = Local(n)
		return p
	}
}

func (p *divided) Trip(id ride.TripID) *actor.PID {
	if p.Owns(id) {
		return p.Placement.Trip(id)
	}
	return p.other
}

func (p *divided) Owns(id ride.TripID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.lost[id]
}

func (p *divided) lose(id ride.TripID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lost[id] = true
}

func (p *divided) sent() ([]any, []*actor.PID) {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.received, p.senders
}

// inDividedWorld runs a test over a Placement that can lose trips, and may have lost some.
func inDividedWorld(t *testing.T, test func(w *world, p *divided)) {
	p := &divided{lost: map[ride.TripID]bool{}}
	inWorld(t, p.configure, func(w *world) {
		p.other = w.sys.root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch ctx.Message().(type) {
			case actor.SystemMessage, actor.AutoReceiveMessage, *actor.Started:
				return
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			p.received, p.senders = append(p.received, ctx.Message()), append(p.senders, ctx.Sender())
		}))
		test(w, p)
	})
}

// Another node's trips are not woken here, neither at start-up nor by the sweeper, and their fences
// do not change.
func TestOthersTripsAreNotWoken(t *testing.T) {
	inDividedWorld(t, func(w *world, p *divided) {
		lost, own := ride.TripID(w.rider("a").request().GetTrip().GetId()), ride.TripID(w.rider("b").request().GetTrip().GetId())
		require.NoError(t, w.sys.Stop(context.Background()))
		p.lose(lost)
		before := w.store.trip(lost)
		w.boot(p.configure)
		pass(time.Second)
		require.Len(t, w.sys.place.TripsHere(), 1)
		pass(w.sys.cfg.Rules.SearchFor + w.sys.cfg.SweepGrace + 3*w.sys.cfg.SweepEvery)
		require.Equal(t, before, w.store.trip(lost))
		require.Equal(t, ride.StatusExpired, w.store.trip(own).Status)
		sent, _ := p.sent()
		require.Empty(t, sent)
	})
}

// A trip that has moved away is not taken back: its actor stops, leaves the fence alone and passes
// requests on to the owner, whose reply reaches the original sender.
func TestTripMovesAway(t *testing.T) {
	inDividedWorld(t, func(w *world, p *divided) {
		d, r := w.driver("d", 100), w.rider("r")
		trip := r.request().GetTrip().GetId()
		id := ride.TripID(trip)
		d.accept(d.offer())
		_, err := w.store.Activate(context.Background(), id) // the other node's activation
		require.NoError(t, err)
		p.lose(id)
		local := p.TripsHere()[0]
		before := w.store.trip(id)
		// The actor has been overtaken and finds out when it writes.
		w.sys.root.RequestWithCustomSender(local, tripCommand{
			Key: commandKey{Account: "r", Role: ride.RoleRider, ID: "x", Digest: "x"}, Command: ride.CancelTrip{By: ride.ByRider, Account: "r"},
		}, p.other)
		sent, senders := p.sent()
		require.Len(t, sent, 1)
		require.Equal(t, "x", sent[0].(passedOn).message.(tripCommand).Key.ID)
		require.Equal(t, p.other.GetId(), senders[0].GetId(), "the reply goes to the original sender")
		require.Equal(t, before, w.store.trip(id))
		require.Equal(t, 1, staleCommits(t, w), "its commit was refused")
		require.Zero(t, w.sys.kinds.trip.Alive())
		require.Empty(t, p.TripsHere())

		// From now on, all requests for the trip reach the owner.
		asked := r.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_CancelTrip{CancelTrip: &ridepb.CancelTrip{TripId: trip}}})
		sent, senders = p.sent()
		require.Len(t, sent, 2)
		w.sys.root.Send(senders[1], tripResult{Key: sent[1].(tripCommand).Key, Reply: done()})
		require.NotNil(t, r.box.reply(asked).GetDone())
	})
}

// An actor that has lost its trip finds out when a party asks it for news, even if nothing is to be
// written.
func TestLostTripIsFoundByAsking(t *testing.T) {
	inDividedWorld(t, func(w *world, p *divided) {
		r := w.rider("r")
		id := ride.TripID(r.request().GetTrip().GetId())
		local := p.TripsHere()[0]
		before := w.store.trip(id)
		p.lose(id)
		ask := tripAttach{Account: "r", Generation: 1, PID: p.other}
		w.sys.root.Send(local, ask)
		sent, _ := p.sent()
		require.Equal(t, []any{passedOn{ask}}, sent)
		require.Empty(t, p.TripsHere())
		require.Equal(t, before, w.store.trip(id))
	})
}

// A node passes a request for another node's trip on once: two nodes that disagree do not send it
// back and forth.
func TestPassedOnOnce(t *testing.T) {
	inDividedWorld(t, func(w *world, p *divided) {
		w.driver("d", 100)
		id := ride.TripID(w.rider("r").request().GetTrip().GetId())
		fence := w.store.trip(id).Fence
		for _, ask := range []any{
			tripCommand{Command: ride.CancelTrip{By: ride.BySystem}}, tripCommand{Command: ride.RequestTrip{ID: "new"}},
			tripAttach{Account: "r", PID: p.other}, offerQuery{Offer: "x", Driver: "d"}, operatorAct{Command: ride.Redispatch{}},
		} {
			for _, trip := range []ride.TripID{id, "new"} {
				p.lose(trip)
				was, _ := p.sent()
				// As another node would reach it.
				p.Placement.Retire(trip, p.Placement.Trip(trip))
				w.sys.root.RequestWithCustomSender(p.Placement.Trip(trip), ask, p.other)
				sent, _ := p.sent()
				require.Len(t, sent, len(was)+1, "%T", ask)
				require.Equal(t, passedOn{ask}, sent[len(was)])

				w.sys.root.RequestWithCustomSender(p.Placement.Trip(trip), passedOn{ask}, p.other)
				sent, _ = p.sent()
				require.Len(t, sent, len(was)+1, "%T is passed on again", ask)
			}
		}
		require.Equal(t, fence, w.store.trip(id).Fence)
		require.Zero(t, w.sys.kinds.trip.Alive())
	})
}

// remote is a Placement such as a cluster's: trips are reached through virtual PIDs, and one actor
// replies for all cells of a search.
type remote struct {
	*local
	root  func() *actor.RootContext
	mu    sync.Mutex
	trips map[ride.TripID]*actor.PID
}

func (p *remote) Trip(id ride.TripID) *actor.PID {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.trips[id] == nil {
		p.trips[id] = p.root().Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*actor.Started); !ok {
				ctx.Forward(p.local.Trip(id))
			}
		}))
	}
	return p.trips[id]
}

func (p *remote) Cells(disk []geo.Cell) []*actor.PID {
	cells := p.local.Cells(disk)
	if len(cells) == 0 {
		return nil
	}
	var asker *actor.PID
	var merged cellFound
	return []*actor.PID{p.root().Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case cellFind:
			asker, merged.Search = ctx.Sender(), m.Search
			for _, cell := range cells {
				ctx.Request(cell, m)
			}
		case cellFound:
			merged.Drivers = append(merged.Drivers, m.Drivers...)
			if cells = cells[1:]; len(cells) == 0 {
				ctx.Send(asker, merged)
				ctx.Stop(ctx.Self())
			}
		}
	}))}
}

// The System and its actors use the interface, not an implementation.
func TestPlacementIsTheOnlySeam(t *testing.T) {
	system := reflect.TypeFor[System]()
	for i := range system.NumField() {
		f := system.Field(i)
		require.False(t, f.Name != "place" && f.Type.Implements(reflect.TypeFor[Placement]()), f.Name)
		require.NotContains(t, []reflect.Type{reflect.TypeFor[people](), reflect.TypeFor[*people](), reflect.TypeFor[cells](), reflect.TypeFor[*cells]()}, f.Type, f.Name)
	}
	place, ok := system.FieldByName("place")
	require.True(t, ok)
	require.Equal(t, reflect.TypeFor[Placement](), place.Type)

	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasPrefix(file, "place") || strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NotRegexp(t, `\*local\b|&local\{`, string(source), file)
	}
}

// A whole ride over another Placement, such as a cluster's.
func TestRideOverAnotherPlacement(t *testing.T) {
	var sys *System
	inWorld(t, func(c *Config) {
		c.Placement = func(n Node) Placement {
			return &remote{local: Local(n).(*local), root: func() *actor.RootContext { return sys.root }, trips: map[ride.TripID]*actor.PID{}}
		}
	}, func(w *world) {
		sys = w.sys
		near, far, r := w.driver("near", 100), w.driver("far", 600), w.rider("r")
		trip := r.request().GetTrip().GetId()
		require.NotNil(t, far.decline(far.offer()).GetDone())
		require.NotNil(t, near.accept(near.offer()).GetTrip())
		near.at(geo.Destination(pickup, 0, 90))
		require.NotEmpty(t, r.box.positions())
		require.NotNil(t, near.arrived(trip).GetTrip())
		require.NotNil(t, near.start(trip, "").GetTrip())
		require.Equal(t, ridepb.Trip_completed, near.complete(trip).GetTrip().GetStatus())
		pass(2 * w.sys.cfg.TripIdle)
		require.Zero(t, w.sys.kinds.trip.Alive())
		require.NotNil(t, r.rate(trip, 5).GetTrip(), "its actor is made again")
		_, err := w.sys.CancelTrip(context.Background(), ride.TripID(trip), "op", "")
		require.ErrorIs(t, err, ride.ErrWrongStatus)

		// A waiting trip is notified of a new driver.
		second := w.rider("second")
		second.account.ID = "second"
		near.goOffline()
		require.NotNil(t, far.goOffline().GetDone())
		second.request()
		pass(time.Second)
		near.goOnline(50)
		require.Len(t, near.offers(), 2)
	})
}

// The older of an account's two actors does not release the newer one.
func TestGenerationsRise(t *testing.T) {
	place := Local(Node{})
	var pids []*actor.PID
	var generations []uint64
	spawn := func(generation uint64) *actor.PID {
		generations = append(generations, generation)
		return actor.NewPID("here", string(rune('a'+len(pids))))
	}
	claim := func() {
		place.Claim("d", spawn, func(pid *actor.PID) { pids = append(pids, pid) })
	}
	claim()
	claim()
	require.Equal(t, pids[0], pids[1])
	place.Release("d", generations[0])
	place.Find("d", func(*actor.PID) { t.Fatal("released") })
	claim()
	require.Len(t, generations, 2)
	require.Greater(t, generations[1], generations[0])
	place.Release("d", generations[0])
	found := false
	place.Find("d", func(pid *actor.PID) { found = pid == pids[2] })
	require.True(t, found)
	require.Len(t, place.PeopleHere(), 1)
}
