package actors

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// forward hands a command to its trip and remembers it until it is answered.
func (p *person) forward(ctx actor.Context, m framed, trip ride.TripID, c ride.Command) {
	cmd := p.expect(m, trip, c)
	switch {
	case cmd == nil:
	case p.delays(trip):
		p.delay(cmd) // commands of one trip stay in order
	default:
		p.send(ctx, cmd)
	}
}

// expect remembers a new command of a session until it is answered. It returns nil if the command is under way
// already, or has been refused.
func (p *person) expect(m framed, trip ride.TripID, c ride.Command) *pendingCommand {
	key, err := p.key(m.frame)
	if err != nil {
		p.reply(m.inbox, m.frame.GetId(), refusal(err))
		return nil
	}
	if known := p.pending[key.ID]; known != nil {
		switch {
		case known.message.Key.Digest != key.Digest:
			p.reply(m.inbox, key.ID, refusal(ride.ErrIDReused))
		case known.session == m.inbox:
			known.copies++
		case m.inbox != p.session: // a late frame of a session that was replaced: it takes no reply away
		default: // repeated by the session that replaced the first one
			known.session, known.copies = m.inbox, 1
		}
		return nil
	}
	if len(p.pending) >= maxPending {
		p.reply(m.inbox, key.ID, refusal(ride.ErrTooMany))
		return nil
	}
	cmd := &pendingCommand{session: m.inbox, trip: trip, message: tripCommand{Key: key, Command: c}, copies: 1}
	if p.pending == nil {
		p.pending = make(map[string]*pendingCommand)
	}
	p.pending[key.ID] = cmd
	return cmd
}

// delay keeps a command back until release, and returns its number.
func (p *person) delay(cmd *pendingCommand) uint64 {
	p.lastDelayed++
	cmd.delayed = p.lastDelayed
	return cmd.delayed
}

// delays reports whether a command of a trip is delayed.
func (p *person) delays(trip ride.TripID) bool {
	for _, cmd := range p.pending {
		if cmd.delayed > 0 && cmd.trip == trip {
			return true
		}
	}
	return false
}

// release sends the delayed commands of a trip, in the order in which they came.
func (p *person) release(ctx actor.Context, trip ride.TripID) {
	var waiting []*pendingCommand
	for _, cmd := range p.pending {
		if cmd.delayed > 0 && cmd.trip == trip {
			waiting = append(waiting, cmd)
		}
	}
	slices.SortFunc(waiting, func(a, b *pendingCommand) int { return cmp.Compare(a.delayed, b.delayed) })
	for _, cmd := range waiting {
		cmd.delayed = 0
		p.send(ctx, cmd)
	}
}

func (p *person) key(f *ridepb.ClientFrame) (commandKey, error) {
	d, err := digest(f)
	return commandKey{Account: p.account.ID, Role: p.account.Role, ID: f.GetId(), Digest: d, Generation: p.generation}, err
}

func (p *person) send(ctx actor.Context, cmd *pendingCommand) {
	cmd.tries++
	cmd.due = time.Now().Add(time.Duration(cmd.tries) * resendAfter)
	ctx.Request(p.sys.place.Trip(cmd.trip), cmd.message)
	if p.timers["tick"] == nil {
		p.tickLater(ctx)
	}
}

func (p *person) tickLater(ctx actor.Context) {
	p.timers.After("tick", time.Second, p.sys.sender(ctx.Self(), personTick{}))
}

// retry sends unanswered commands again, because a message to a stopping actor is lost. That is
// safe: the id makes a command idempotent.
func (p *person) retry(ctx actor.Context) {
	now := time.Now()
	for id, cmd := range p.pending {
		switch {
		case cmd.delayed > 0 || now.Before(cmd.due):
		case cmd.tries < maxTries:
			p.send(ctx, cmd)
		default:
			delete(p.pending, id)
			p.answer(cmd, refusal(ride.ErrUnavailable))
		}
	}
}

// onResult passes a trip's reply on. It returns the command, or nil if this actor no longer waits
// for that reply.
func (p *person) onResult(m tripResult) *pendingCommand {
	cmd := p.pending[m.Key.ID]
	if cmd == nil || cmd.message.Key != m.Key {
		return nil // the second reply to a command that was sent twice
	}
	delete(p.pending, m.Key.ID)
	p.answer(cmd, m.Reply)
	p.judge(cmd, m)
	return cmd
}

func (p *person) answer(cmd *pendingCommand, r *ridepb.Reply) {
	for range cmd.copies {
		p.reply(cmd.session, cmd.message.Key.ID, r)
	}
}

// refuse answers a command that is refused before any trip sees it. If it was answered before, that
// answer stands: the reason to refuse may be newer. The refusal is not stored, because it changed
// nothing and clients could fill the disk with refusals.
func (p *person) refuse(m framed, r *ridepb.Reply) {
	key, err := p.key(m.frame)
	if err != nil {
		p.reply(m.inbox, m.frame.GetId(), refusal(err))
		return
	}
	p.reply(m.inbox, key.ID, p.sys.refused(key, r))
}

// settle answers a command that no trip decides: it records the answer, then applies the effect and
// replies. A retryable refusal is not recorded. effect runs for a new command. It also runs for a
// repeated command whose effect is missing, either because the record was written but its outcome
// unknown, or because the process has restarted since.
func (p *person) settle(m framed, fresh *ridepb.Reply, effect func()) {
	key, err := p.key(m.frame)
	if err != nil {
		p.reply(m.inbox, m.frame.GetId(), refusal(err))
		return
	}
	r, err := p.sys.record(key, fresh)
	if err != nil {
		p.sys.cfg.Log.Log(context.Background(), logLevel(err), "command cannot be recorded", "account", p.account.ID, "error", err)
		p.unsure = key.ID
		p.reply(m.inbox, key.ID, refusal(ride.ErrUnavailable))
		return
	}
	undone := r.GetDone() != nil && (!p.steady || p.unsure == key.ID)
	if fresh.GetDone() != nil && (r == fresh || undone) {
		p.unsure, p.steady = "", true
		effect()
	}
	p.reply(m.inbox, key.ID, r)
}
