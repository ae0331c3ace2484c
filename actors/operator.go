package actors

import (
	"slices"
	"strconv"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// operatorActor is an operator's presence. Operators act over HTTP; on a socket they watch the
// city. Unlike riders and drivers, they may do so on several screens at once, so this actor uses
// neither person's session nor the events of its history.
type operatorActor struct {
	person
	screens []*screen // oldest first, at most OperatorSessions
	watches uint32    // started so far, over all screens
}

// screen is one session of an operator.
type screen struct {
	out   Outbox
	inbox *Inbox
	watch *cityWatch // nil: none
}

// watchDue is the time of a watch's next look.
type watchDue struct{ watch uint32 }

func (o *operatorActor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case joined:
		o.onJoin(ctx, m)
	case left:
		o.onLeft(ctx, m)
	case lingered:
		if len(o.screens) == 0 {
			o.onLingered(ctx)
		}
	case framed:
		if !o.forwarded(ctx, m.inbox) && !m.expired() {
			o.onFrame(ctx, m)
		}
	case watchDue:
		if s := o.watching(m.watch); s != nil {
			o.tell(ctx, s)
		}
	case nodesDue:
		if s := o.watching(m.watch); s != nil {
			o.onNodesDue(ctx, s)
		}
	case cityPart:
		o.onCityPart(ctx, m)
	case *actor.Stopping:
		o.timers.Stop()
	}
}

// Recovered drops state that may be half updated: the clients reconnect and watch again.
func (o *operatorActor) Recovered(ctx actor.Context) {
	for len(o.screens) > 0 {
		o.drop(0, ridepb.CloseInternal, time.Second)
	}
	o.history = newHistory(o.sys.cfg.HistoryBytes)
	o.lingerLater(ctx)
}

// onJoin adds a session, and closes the oldest if there are too many.
func (o *operatorActor) onJoin(ctx actor.Context, m joined) {
	if o.gone {
		o.sys.rejoin(m.join, m.inbox)
		return
	}
	for len(o.screens) >= o.sys.cfg.OperatorSessions {
		o.drop(0, ridepb.CloseReplaced, 0)
	}
	s := &screen{out: m.join.Out, inbox: m.inbox}
	o.screens = append(o.screens, s)
	o.sys.city.SessionOpened()
	o.account = m.join.Account
	o.timers.Cancel("linger")
	c := o.connected(m.join)
	_, c.Resumed = o.history.since(m.join.Resume) // there is nothing to replay
	s.reply(m.join.ConnectID, &ridepb.Reply{Result: &ridepb.Reply_Connected{Connected: c}})
	o.sys.stats.joined(c.Resumed, m.join.Resume != nil)
}

// onLeft forgets the session whose socket is gone, unless it has been closed to make room.
func (o *operatorActor) onLeft(ctx actor.Context, m left) {
	if o.forwarded(ctx, m.inbox) {
		return
	}
	if i := o.of(m.inbox); i >= 0 {
		o.forget(i)
		if len(o.screens) == 0 {
			o.lingerLater(ctx)
		}
	}
}

// of returns the index of a session's screen, or -1 if it has been forgotten.
func (o *operatorActor) of(p *Inbox) int {
	return slices.IndexFunc(o.screens, func(s *screen) bool { return s.inbox == p })
}

// drop closes a session and forgets it.
func (o *operatorActor) drop(i int, code ridepb.CloseCode, retryAfter time.Duration) {
	out := o.screens[i].out
	o.forget(i)
	out.Close(code, retryAfter)
}

func (o *operatorActor) forget(i int) {
	o.unwatch(o.screens[i])
	o.screens = slices.Delete(o.screens, i, i+1)
	o.sys.city.SessionClosed()
}

func (s *screen) reply(id string, r *ridepb.Reply) { s.out.Reply(stamped(r, id)) }

func (o *operatorActor) onFrame(ctx actor.Context, m framed) {
	i := o.of(m.inbox)
	if i < 0 {
		return // from a session that was replaced
	}
	s, id := o.screens[i], m.frame.GetId()
	switch b := m.frame.GetBody().(type) {
	case *ridepb.ClientFrame_WatchCity:
		o.unwatch(s)
		s.watch = o.watchCity(b.WatchCity)
		s.reply(id, &ridepb.Reply{Result: &ridepb.Reply_CityWatched{CityWatched: &ridepb.CityWatched{
			Watch: o.watches, IntervalMs: uint32(s.watch.Every().Milliseconds()), Resolution: uint32(o.sys.cfg.Resolution),
			NodeStartedAt: view.Time(o.sys.city.Started()), Nodes: o.shownNodes(s.watch),
		}}})
		o.tell(ctx, s)
	case *ridepb.ClientFrame_UnwatchCity:
		o.unwatch(s)
		s.reply(id, done())
	default:
		s.reply(id, refusal(ride.ErrWrongRole))
	}
}

func (o *operatorActor) unwatch(s *screen) {
	if s.watch != nil {
		o.timers.Cancel(s.timer())
		o.timers.Cancel(s.nodesTimer())
		s.watch = nil
	}
}

// timer and nodesTimer name the timers of a screen's watch.
func (s *screen) timer() string { return "watch " + strconv.FormatUint(uint64(s.watch.Number()), 10) }

func (s *screen) nodesTimer() string { return "nodes of " + s.timer() }

// tell sends a screen the changes and schedules the next look.
func (o *operatorActor) tell(ctx actor.Context, s *screen) {
	var next time.Duration
	if s.watch.merge != nil {
		next = o.tellAll(ctx, s)
	} else {
		next = s.watch.Tell(s.out.Backlog, func(part *ridepb.CityChanged) { o.send(s, part) })
	}
	o.timers.After(s.timer(), next, o.sys.sender(ctx.Self(), watchDue{s.watch.Number()}))
}

// send sends a screen a part of the city.
func (o *operatorActor) send(s *screen, part *ridepb.CityChanged) {
	e := &ridepb.Event{Body: &ridepb.Event_CityChanged{CityChanged: part}}
	o.history.mark(e)
	s.out.Event(e)
}
