package actors

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/actors/runtime"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// Cluster makes a System one of several on one database.
type Cluster struct {
	// Self is this process.
	Self Member
	// Link carries frames to the other processes.
	Link Link
	// Describe returns what operators call a process, and its version; empty: it is not known. It may be
	// called from any goroutine. Nil: processes go by their addresses.
	Describe func(Member) (name, version string)
	// Dropped returns the processes that left because they did not answer, in the order in which they
	// left, whatever has become of them since. It may be called from any goroutine. Nil: it is not known.
	Dropped func() []Dropped
}

// Dropped is a process that left the cluster because it did not answer.
type Dropped struct {
	Member
	Name, Version string
	At            time.Time
}

func (c *Cluster) valid() bool {
	in := c.Self.Incarnation
	return c.Link != nil && c.Self.Address != "" && in != "" && !strings.Contains(c.Self.Address+in, "/")
}

// Link carries frames between nodes. Send may be called from any goroutine and never blocks; it
// owns the frame from then on. Frames may be lost; those from one node to another that arrive,
// arrive in order.
type Link interface {
	Send(to Member, f *nodepb.NodeFrame)
	// Late reports whether a node has stopped answering, so that what it does not need to hear can
	// be left out.
	Late(m Member) bool
}

// repeatEvery is the interval at which nodes repeat where their drivers are, and which trips wait on
// them.
const repeatEvery = 5 * time.Second

// nodes connects this node's actors with those of the other nodes. Its methods may be called from
// any goroutine.
type nodes struct {
	self   Member
	link   Link
	table  atomic.Pointer[memberTable]
	host   *runtime.Host
	place  *spread
	finder *actor.PID
	// watcher shows this node's part of the city to the others.
	watcher *actor.PID
	// addStep takes a step of another node's charts.
	addStep func(node string, m *nodepb.ChartStep)
	log     *slog.Logger
	frames  *prometheus.CounterVec
}

// What becomes of frames, as the metrics name it. All but the first two are lost; a sender that needs an
// answer asks again.
const (
	frameSent      = "sent"
	frameReceived  = "received"
	frameUnsent    = "unsent"  // it cannot be encoded, or its receiver is no member
	frameUnknown   = "unknown" // of a later version
	frameMalformed = "malformed"
	frameStale     = "stale"     // for a former process at this address
	frameNotOwned  = "not_owned" // for a trip of another node
	frameNoActor   = "no_actor"  // the actor has ended
)

func newNodes(c Cluster, host *runtime.Host, here Node, log *slog.Logger) *nodes {
	n := &nodes{self: c.Self, link: c.Link, host: host, log: log, frames: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hexhail_node_frames_total", Help: "Messages to and from other nodes, by what became of them.",
	}, []string{"result"})}
	for _, result := range []string{
		frameSent, frameReceived, frameUnsent, frameUnknown, frameMalformed, frameStale, frameNotOwned, frameNoActor,
	} {
		n.frames.WithLabelValues(result)
	}
	n.table.Store(newMemberTable(c.Self, nil))
	n.place = newSpread(here, n)
	host.Join(c.Self.node(), n.resolve)
	return n
}

// start makes the actors that answer other nodes' searches and operators.
func (n *nodes) start(finders, watchers *runtime.Kind, finder, watcher func() runtime.Shell) (err error) {
	if n.finder, err = n.host.SpawnNamed(finders, finderName, finder); err != nil {
		return err
	}
	n.watcher, err = n.host.SpawnNamed(watchers, watcherName, watcher)
	return err
}

// forgetWatches is the time at which the watcher forgets the watches that have ended.
type forgetWatches struct{}

// resolve gives protoactor the processes behind PIDs of trips and of other nodes.
func (n *nodes) resolve(pid *actor.PID) (actor.Process, bool) {
	switch {
	case pid.Address == tripsAddress:
		return tripProcess{n}, true
	case pid.Address == zonesAddress:
		return zoneProcess{n}, true
	case strings.Contains(pid.Address, "/"):
		return remoteProcess{n}, true
	}
	return nil, false
}

// tripProcess stands for every trip: it looks the owner up for each message.
type tripProcess struct{ n *nodes }

func (p tripProcess) SendUserMessage(pid *actor.PID, message any) {
	id := ride.TripID(pid.Id)
	owner, ok := p.n.table.Load().owner(id)
	switch {
	case !ok:
		p.n.count(frameUnsent)
	case owner == p.n.self:
		p.n.host.Root.Send(p.n.place.local.Trip(id), message)
	default:
		_, m, sender := actor.UnwrapEnvelope(message)
		p.n.send(owner, &nodepb.NodeFrame{To: &nodepb.NodeFrame_Trip{Trip: pid.Id}}, m, sender)
	}
}

// SendSystemMessage drops what nodes do not exchange: an actor watches and stops only actors of its
// own node.
func (p tripProcess) SendSystemMessage(*actor.PID, any) {}

// Stop implements actor.Process.
func (p tripProcess) Stop(*actor.PID) {}

// zoneProcess stands for every matcher, likewise.
type zoneProcess struct{ n *nodes }

func (p zoneProcess) SendUserMessage(pid *actor.PID, message any) {
	zone, err := geo.ParseCell(pid.Id)
	if err != nil {
		p.n.count(frameUnsent)
		return
	}
	owner, ok := p.n.table.Load().shardOwner(shardOfZone(zone))
	switch {
	case !ok:
		p.n.count(frameUnsent)
	case owner == p.n.self:
		_, m, _ := actor.UnwrapEnvelope(message)
		need, _ := m.(matchNeed)
		if to := p.n.place.matcherFor(zone, need.Over); to != nil {
			p.n.host.Root.Send(to, message)
		}
	default:
		_, m, sender := actor.UnwrapEnvelope(message)
		p.n.send(owner, &nodepb.NodeFrame{To: &nodepb.NodeFrame_Zone{Zone: uint64(zone)}}, m, sender)
	}
}

// SendSystemMessage drops what nodes do not exchange; see tripProcess.
func (p zoneProcess) SendSystemMessage(*actor.PID, any) {}

// Stop implements actor.Process.
func (p zoneProcess) Stop(*actor.PID) {}

// remoteProcess stands for every actor of the other nodes.
type remoteProcess struct{ n *nodes }

func (p remoteProcess) SendUserMessage(pid *actor.PID, message any) {
	to := frameActor(pid)
	_, m, sender := actor.UnwrapEnvelope(message)
	p.n.send(Member{to.GetAddress(), to.GetIncarnation()}, &nodepb.NodeFrame{To: &nodepb.NodeFrame_Actor{Actor: to}}, m, sender)
}

// SendSystemMessage drops what nodes do not exchange; see tripProcess.
func (p remoteProcess) SendSystemMessage(*actor.PID, any) {}

// Stop implements actor.Process.
func (p remoteProcess) Stop(*actor.PID) {}

// send completes an addressed frame with its message and hands it to the link.
func (n *nodes) send(to Member, f *nodepb.NodeFrame, message any, sender *actor.PID) {
	if !n.table.Load().has(to.node()) {
		n.count(frameUnsent)
		return
	}
	body, err := newFrame(message, time.Now())
	if err != nil {
		n.count(frameUnsent)
		// A dead letter's notice may go astray; anything else is a fault of ours.
		if _, notice := message.(*actor.DeadLetterResponse); !notice {
			n.log.Error("message cannot go to another node", "message", reflect.TypeOf(message).String(), "error", err)
		}
		return
	}
	f.Body, f.PassedOn, f.From = body.GetBody(), body.GetPassedOn(), frameActor(sender)
	n.count(frameSent)
	n.link.Send(to, f)
}

// broadcast sends a frame to every other node.
func (n *nodes) broadcast(f *nodepb.NodeFrame) {
	for _, m := range n.table.Load().others {
		n.count(frameSent)
		n.link.Send(m, &nodepb.NodeFrame{
			To:   &nodepb.NodeFrame_Actor{Actor: &nodepb.Actor{Address: m.Address, Incarnation: m.Incarnation, Name: finderName}},
			From: &nodepb.Actor{Address: n.self.Address, Incarnation: n.self.Incarnation, Name: finderName},
			Body: f.GetBody(),
		})
	}
}

// receive delivers a frame, or drops it and returns why.
func (n *nodes) receive(f *nodepb.NodeFrame) (result string) {
	if refused := n.misaddressed(f); refused != "" {
		return refused
	}
	sender := pidOf(f.GetFrom())
	if f.GetWaiting() != nil || f.GetInterest() != nil || f.GetSessionClaimed() != nil || f.GetTakeOver() != nil || f.GetChartStep() != nil {
		return n.note(sender, f)
	}
	message, err := messageOf(f, time.Now())
	var later unknown
	switch {
	case errors.As(err, &later):
		return frameUnknown
	case err != nil:
		n.log.Error("frame of another node makes no sense", "error", err)
		return frameMalformed
	}
	pid := n.receiver(f)
	if pid == nil {
		return frameNoActor
	}
	if sender == nil {
		n.host.Root.Send(pid, message)
	} else {
		n.host.Root.RequestWithCustomSender(pid, message, sender)
	}
	return frameReceived
}

// misaddressed returns why a frame is not for this node; empty: it is.
func (n *nodes) misaddressed(f *nodepb.NodeFrame) (result string) {
	switch to := f.GetTo().(type) {
	case *nodepb.NodeFrame_Actor:
		if to.Actor.GetAddress() != n.self.Address || to.Actor.GetIncarnation() != n.self.Incarnation {
			return frameStale
		}
	case *nodepb.NodeFrame_Trip:
		if to.Trip == "" {
			return frameUnknown
		}
		if !n.place.Owns(ride.TripID(to.Trip)) {
			return frameNotOwned
		}
	case *nodepb.NodeFrame_Zone:
		if !geo.Cell(to.Zone).Valid() {
			return frameMalformed
		}
		if !n.table.Load().ownsShard(shardOfZone(geo.Cell(to.Zone))) {
			return frameNotOwned
		}
	default:
		return frameUnknown
	}
	return ""
}

// receiver returns the actor that a frame is for; nil: it has ended.
func (n *nodes) receiver(f *nodepb.NodeFrame) *actor.PID {
	switch to := f.GetTo().(type) {
	case *nodepb.NodeFrame_Trip:
		return n.place.local.Trip(ride.TripID(to.Trip))
	case *nodepb.NodeFrame_Zone:
		return n.place.matcherFor(geo.Cell(to.Zone), f.GetMatchNeed().GetOver())
	default:
		return n.host.Named(f.GetActor().GetName())
	}
}

// note takes what another node announces to all.
func (n *nodes) note(sender *actor.PID, f *nodepb.NodeFrame) (result string) {
	if sender == nil || !n.table.Load().has(sender.Address) {
		return frameStale
	}
	if m := f.GetWaiting(); m != nil {
		n.place.noteWaiting(sender.Address, m)
	}
	if m := f.GetInterest(); m != nil {
		n.place.interest.note(sender.Address, m)
	}
	if m := f.GetSessionClaimed(); m != nil {
		n.place.Find(ride.AccountID(m.GetAccount()), func(pid *actor.PID) { n.host.Root.Send(pid, newerSession{m.GetGeneration()}) })
	}
	if m := f.GetTakeOver(); m != nil {
		n.askPerson(sender, takeOver{Account: ride.AccountID(m.GetAccount()), Generation: m.GetGeneration()})
	}
	if m := f.GetChartStep(); m != nil {
		n.addStep(sender.Address, m)
	}
	return frameReceived
}

// askPerson brings another node's question to the account's actor here, or answers that there is none.
func (n *nodes) askPerson(asker *actor.PID, m takeOver) {
	found := false
	n.place.Find(m.Account, func(pid *actor.PID) {
		found = true
		n.host.Root.RequestWithCustomSender(pid, m, asker)
	})
	if !found {
		n.host.Root.Send(asker, takenOver{Account: m.Account, Generation: m.Generation})
	}
}

// reaches reports whether a process is likely to answer: a member that answers pings, or one that
// leaves and is not pinged any more.
func (n *nodes) reaches(m Member) bool {
	t := n.table.Load()
	return t.leaves(m) || t.has(m.node()) && !n.link.Late(m)
}

// newerSession tells a person's actor that its account has a session on another node.
type newerSession struct{ generation uint64 }

// announceSession tells the other nodes that an account has a session here.
func (n *nodes) announceSession(account ride.AccountID, generation uint64) {
	n.broadcast(&nodepb.NodeFrame{Body: &nodepb.NodeFrame_SessionClaimed{
		SessionClaimed: &nodepb.SessionClaimed{Account: string(account), Generation: generation},
	}})
}

func (n *nodes) count(result string) { n.frames.WithLabelValues(result).Inc() }

// run repeats to the other nodes what frames may have been lost of, until the context ends.
func (n *nodes) run(ctx context.Context) {
	tick := time.NewTicker(repeatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			n.repeat()
		}
	}
}

func (n *nodes) repeat() {
	n.place.interest.repeat()
	n.place.repeatWaiting()
	n.host.Root.Send(n.watcher, forgetWatches{})
}

// shareStep sends a step of this node's charts to the other nodes.
func (n *nodes) shareStep(m *nodepb.ChartStep) {
	n.broadcast(&nodepb.NodeFrame{Body: &nodepb.NodeFrame_ChartStep{ChartStep: m}})
}
