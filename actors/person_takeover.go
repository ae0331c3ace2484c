package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/ride/ridepb"
)

// A session that comes from another node continues there: its actor first asks the former one for
// what that holds, so that the client resumes without a gap, and a driver stays online. The former
// actor answers, ends, and for a moment passes on what still arrives for it; so at any time one
// actor writes a history. Without an answer the session starts as after a restart.

// takeWithin is how long a session waits for its account's former actor.
const takeWithin = 500 * time.Millisecond

// maxKept bounds the messages that wait with a session. Those beyond are lost, and asked for again.
const maxKept = 256

// movable is what the actors of riders and drivers differ in when they move.
type movable interface {
	Receive(ctx actor.Context)
	// receive handles a message without regard to moves.
	receive(ctx actor.Context)
	// replaced ends the actor if the session elsewhere is newer than its own.
	replaced(ctx actor.Context, m newerSession)
	// describe completes what the actor leaves to its successor.
	describe(h *handover)
	// succeed makes the actor its predecessor's successor; nil: nothing is left of that.
	succeed(ctx actor.Context, h *handover)
}

// taking is a session that waits for what its account's former actor holds. Whatever else arrives
// waits with it.
type taking struct {
	join joined
	// generation is the session's, asked that of the question, which an older session may have begun.
	generation, asked uint64
	kept              []letter
	// next is the question of an even newer session on another node; its sender is nil if there is none.
	next letter
}

// letter is a message with its sender.
type letter struct {
	message any
	sender  *actor.PID
}

// takeDue is the time at which a session waits no longer.
type takeDue struct{ asked uint64 }

// replayed is the context of a message that has waited.
type replayed struct {
	actor.Context
	letter
}

// Message implements actor.Context.
func (r replayed) Message() any { return r.message }

// Sender implements actor.Context.
func (r replayed) Sender() *actor.PID { return r.sender }

// moves handles what concerns moves between nodes, and reports whether the message is handled.
func (p *person) moves(ctx actor.Context, of movable) bool {
	switch m := ctx.Message().(type) {
	case joined:
		return p.takeFirst(ctx, of, m)
	case takeOver:
		p.onTakeOver(ctx, of, m)
		return true
	case takenOver:
		p.onTakenOver(ctx, of, m)
		return true
	case takeDue:
		if p.taking != nil && p.taking.asked == m.asked {
			p.sys.stats.takeovers.WithLabelValues(movedSilent).Inc()
			p.taken(ctx, of, nil)
		}
		return true
	case newerSession, *actor.Stopping, *actor.Stopped:
		return false
	}
	if p.taking != nil {
		if len(p.taking.kept) < maxKept {
			p.taking.kept = append(p.taking.kept, letter{ctx.Message(), ctx.Sender()})
		}
		return true
	}
	if m, ok := ctx.Message().(passedOn); ok && p.newer == 0 {
		p.onPassedOn(ctx, of, m)
		return true
	}
	return false
}

// takeFirst makes a session wait for what the actor of the former one holds, if that is on another
// node. It reports whether the session waits, or has been refused.
func (p *person) takeFirst(ctx actor.Context, of movable, m joined) bool {
	if t := p.taking; t != nil {
		older := m
		if m.inbox.generation > t.generation {
			older, t.join, t.generation = t.join, m, m.inbox.generation
		}
		older.join.Out.Close(ridepb.CloseReplaced, 0)
		return true
	}
	if m.inbox.former == (Member{}) || p.gone || p.outdated(m.inbox) {
		return false
	}
	p.self = ctx.Self()
	if !p.sys.reaches(m.inbox.former) {
		p.sys.stats.takeovers.WithLabelValues(movedGone).Inc()
		of.succeed(ctx, nil)
		return false
	}
	asked := m.inbox.generation
	p.taking = &taking{join: m, generation: asked, asked: asked}
	ctx.Request(actor.NewPID(m.inbox.former.node(), finderName), takeOver{Account: p.account.ID, Generation: asked})
	p.timers.After("take", takeWithin, p.sys.sender(ctx.Self(), takeDue{asked}))
	return true
}

// onTakenOver takes the answer of the former actor, unless it comes too late.
func (p *person) onTakenOver(ctx actor.Context, of movable, m takenOver) {
	if !p.mine(m.Account) || p.taking == nil || p.taking.asked != m.Generation {
		return
	}
	result := movedTaken
	if m.Handover == nil {
		result = movedNone
	}
	p.sys.stats.takeovers.WithLabelValues(result).Inc()
	p.taken(ctx, of, m.Handover)
}

// taken lets the session that waits join, and then whatever waited with it. If a newer session
// elsewhere waits for this actor, it gets everything instead.
func (p *person) taken(ctx actor.Context, of movable, h *handover) {
	t := p.taking
	p.taking = nil
	p.timers.Cancel("take")
	of.succeed(ctx, h)
	if t.next.sender == nil {
		of.receive(replayed{ctx, letter{t.join, nil}})
	} else {
		t.join.join.Out.Close(ridepb.CloseReplaced, 0)
		p.handOver(ctx, of, t.next)
	}
	for _, l := range t.kept {
		of.Receive(replayed{ctx, l})
	}
}

// abandon refuses the session that waits: there is a newer one elsewhere.
func (p *person) abandon(ctx actor.Context) {
	t := p.taking
	if t == nil {
		return
	}
	p.taking = nil
	t.join.join.Out.Close(ridepb.CloseReplaced, 0)
	if t.next.sender != nil {
		p.refuseTakeOver(ctx, t.next)
	}
}

// newest is the highest generation of the account's sessions that this actor knows.
func (p *person) newest() uint64 {
	newest := max(p.generation, p.newer)
	if p.taking != nil {
		newest = max(newest, p.taking.generation)
	}
	return newest
}

// onTakeOver answers the actor of a newer session with what this one holds, and ends. If this one
// waits itself, so does the other.
func (p *person) onTakeOver(ctx actor.Context, of movable, m takeOver) {
	question := letter{m, ctx.Sender()}
	switch {
	case question.sender == nil || !p.mine(m.Account):
	case p.gone || m.Generation <= p.newest():
		p.refuseTakeOver(ctx, question)
	case p.taking == nil:
		p.handOver(ctx, of, question)
	default:
		older := p.taking.next
		if waiting, ok := older.message.(takeOver); !ok || waiting.Generation < m.Generation {
			p.taking.next = question
		} else {
			older = question
		}
		if older.sender != nil {
			p.refuseTakeOver(ctx, older)
		}
	}
}

// refuseTakeOver answers that there is nothing to take.
func (p *person) refuseTakeOver(ctx actor.Context, question letter) {
	if m, ok := question.message.(takeOver); ok {
		ctx.Send(question.sender, takenOver{Account: m.Account, Generation: m.Generation})
	}
}

// handOver answers a newer session's question, and ends this actor.
func (p *person) handOver(ctx actor.Context, of movable, question letter) {
	m, ok := question.message.(takeOver)
	if !ok {
		return
	}
	h := &handover{
		Epoch: p.history.epoch, Seq: p.history.seq, Events: p.history.handOver(),
		Told: p.told, Former: p.former, Unsure: p.unsure, Steady: p.steady,
	}
	of.describe(h)
	p.successor = question.sender
	of.replaced(ctx, newerSession{m.Generation})
	ctx.Send(question.sender, takenOver{Account: m.Account, Generation: m.Generation, Handover: h})
}

// passOn sends a message to the actor that has taken over, if there is one.
func (p *person) passOn(ctx actor.Context, m passedOn) {
	if p.successor != nil {
		ctx.Send(p.successor, m)
	}
}

// onPassedOn takes what a trip sent to the former actor. News that the trip has sent here meanwhile
// is newer. Where an offer's end is to go, the trip may not know yet.
func (p *person) onPassedOn(ctx actor.Context, of movable, m passedOn) {
	if u, ok := m.message.(tripUpdate); ok && p.told.covers(u.Trip.ID, u.Trip.Version) {
		return
	}
	of.receive(replayed{ctx, letter{m.message, ctx.Sender()}})
	if o, ok := m.message.(offerMade); ok && o.Offer.Driver == p.account.ID {
		ctx.Send(p.sys.place.Trip(o.Trip.ID), tripAttach{
			Account: p.account.ID, Generation: p.generation, Offer: o.Offer.ID, PID: ctx.Self(),
		})
	}
}

// succeed forgets what this actor knew, which is older than its predecessor's, and takes that over. It
// reports whether there was something to take.
func (p *person) succeed(h *handover) bool {
	p.setActive(nil)
	p.pending, p.told, p.before, p.former, p.unsure, p.steady, p.inherited = nil, heard{}, heard{}, heard{}, "", false, false
	p.history = newHistory(p.sys.cfg.HistoryBytes)
	if h == nil {
		return false
	}
	history, ok := historyOf(p.sys.cfg.HistoryBytes, h)
	if !ok {
		p.sys.cfg.Log.Error("history of another node makes no sense", "account", p.account.ID)
		return false
	}
	p.history, p.told, p.former, p.unsure, p.steady, p.inherited = history, h.Told, h.Former, h.Unsure, h.Steady, true
	if len(history.kept) > 0 {
		p.onAged() // sets the timer
	}
	return true
}
