package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// operatorActor is an operator's presence. Operators act over HTTP; on a socket they
// watch the city.
type operatorActor struct {
	person
	watch   *watch // nil: watches nothing
	watches uint32 // so far
}

// watchDue is the time for the next look at what is watched.
type watchDue struct{ watch uint32 }

const (
	defaultWatchEvery = time.Second
	// watchBacklog is how many bytes may wait for a reader before it is told more. What
	// changes meanwhile is told once, as it is then.
	watchBacklog = 64 << 10
	// watchAgain is when to look again while a snapshot is under way or a reader is slow.
	watchAgain = 50 * time.Millisecond
)

func (o *operatorActor) receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case joined:
		o.unwatch()
		o.onJoin(ctx, m, func(*ridepb.Connected) error { return nil })
	case left:
		if o.onLeft(ctx, m) {
			o.unwatch()
		}
	case aged:
		o.onAged()
	case lingered:
		o.onLingered(ctx)
	case framed:
		if !o.forwarded(ctx, m.peer) {
			o.onFrame(ctx, m)
		}
	case watchDue:
		if o.watch != nil && o.watch.number == m.watch {
			o.tell(ctx)
		}
	case *actor.Stopping:
		o.timers.stop()
	}
}

func (o *operatorActor) recovered(ctx actor.Context) {
	o.unwatch()
	o.drop(ctx)
}

func (o *operatorActor) onFrame(ctx actor.Context, m framed) {
	if o.session != m.peer {
		return // of a session that was replaced
	}
	switch b := m.frame.GetBody().(type) {
	case *ridepb.ClientFrame_WatchCity:
		o.unwatch()
		o.watches++
		o.watch = newWatch(o.sys, o.watches, b.WatchCity)
		o.reply(m.peer, m.frame.GetId(), &ridepb.Reply{Result: &ridepb.Reply_CityWatched{CityWatched: &ridepb.CityWatched{
			Watch: o.watches, IntervalMs: uint32(o.watch.every.Milliseconds()), Resolution: uint32(o.sys.cfg.Resolution),
			NodeStartedAt: view.Time(o.sys.started),
		}}})
		o.tell(ctx)
	case *ridepb.ClientFrame_UnwatchCity:
		o.unwatch()
		o.reply(m.peer, m.frame.GetId(), done())
	default:
		o.reply(m.peer, m.frame.GetId(), refusal(ride.ErrWrongRole))
	}
}

func (o *operatorActor) unwatch() {
	o.watch = nil
	o.timers.cancel("watch")
}

// tell sends what has changed, in parts, as long as the reader keeps up. Nothing is
// queued for one that does not: the next look finds what is new by then.
func (o *operatorActor) tell(ctx actor.Context) {
	next := o.watch.every
	for {
		if o.out.Backlog() > watchBacklog {
			next = min(next, watchAgain)
			break
		}
		part, more := o.watch.look(time.Now())
		if part != nil {
			e := &ridepb.Event{Body: &ridepb.Event_CityChanged{CityChanged: part}}
			o.history.mark(e)
			o.out.Event(e)
		}
		if !more {
			break
		}
	}
	o.timers.after("watch", next, o.sys.sender(ctx.Self(), watchDue{o.watch.number}))
}
