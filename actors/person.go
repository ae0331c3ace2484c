package actors

import (
	"context"
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/actors/runtime"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// person is what the actors of riders, drivers and operators have in common: the one live session
// (operatorActor keeps several itself), the history from which a reconnecting client resumes, the
// unanswered commands, and the active trip as last reported. It lives on the node that holds the
// session and outlives it by Linger.
type person struct {
	sys     *shared
	account ride.Account
	// claim is the number of this actor's claim on the account here; see People. generation is that
	// by which it speaks to trips and cells: the claim, or in a cluster that of its newest session.
	claim, generation uint64
	// newer is the generation of a session elsewhere that has replaced this actor's; 0: none has.
	newer uint64

	out     Outbox // nil: no session
	session *Inbox
	history history
	self    *actor.PID                 // set once a session has joined
	pending map[string]*pendingCommand // nil: none yet
	// lastDelayed is the number of the newest command that was delayed.
	lastDelayed uint64
	// active is the live trip of this account; nil for none. It is shared: it is replaced, never
	// changed. Only setActive sets it.
	active *ride.Trip
	// told is the trip and version that the client was last sent. It outlives active, which a
	// trip's end clears.
	told heard
	// before is what the client was last sent about the trip before that one.
	before heard
	// inherited: this actor took over told and the history from another, and no session has joined since.
	inherited bool
	// former is the trip whose end was sent to the client ahead of the trip's own message; see
	// overtaken.
	former heard
	// unsure is the id of the newest command whose record failed or has an unknown outcome; steady
	// says that a recorded command has taken effect in this activation.
	unsure string
	steady bool
	// taking is a session that waits for what its account's former actor holds; nil: none does.
	taking *taking
	// gone is set when the actor has left the directory and is about to stop; successor is the actor
	// of another node that has taken over, if one has.
	gone      bool
	successor *actor.PID
	timers    runtime.Timers
}

// pendingCommand is a command that a trip has not answered yet.
type pendingCommand struct {
	session *Inbox // receives the reply
	trip    ride.TripID
	message tripCommand
	copies  int // frames with this command; each gets a reply
	tries   int
	due     time.Time // when to ask again
	// delayed is the number of a command that is not sent yet; 0: it is. See delay.
	delayed uint64
}

// Messages that a person's actor sends to itself.
type (
	personTick struct{}
	lingered   struct{}
	// aged is the time at which the oldest events of the history expire.
	aged struct{}
	// attachDue is the time to ask the active trip for news.
	attachDue struct{}
	// newsDue is the time to ask a trip again whose late news could not be checked.
	newsDue struct{ trip ride.TripID }
)

// accountChanged updates a person's account during a session.
type accountChanged struct{ account ride.Account }

const (
	resendAfter = 2 * time.Second
	maxTries    = 4
	// maxPending bounds one person's unanswered commands. Each session bounds its own, but while
	// the store hangs a client may reconnect and send more.
	maxPending = 128
	// lastWords is how long an actor still receives after it has left the directory.
	lastWords = time.Second
)

func newPerson(s *shared, a ride.Account, claim uint64) person {
	p := person{sys: s, account: a, claim: claim, history: newHistory(s.cfg.HistoryBytes)}
	if s.announceSession == nil {
		p.generation = claim
	}
	return p
}

// drop resets the actor after a panic: it forgets everything under way, starts a new history and
// asks the client to reconnect.
func (p *person) drop(ctx actor.Context) {
	if p.out != nil {
		p.out.Close(ridepb.CloseInternal, time.Second)
	}
	if t := p.taking; t != nil {
		t.join.join.Out.Close(ridepb.CloseInternal, time.Second)
		p.taking = nil
	}
	p.attach(nil, nil)
	p.setActive(nil)
	p.pending = nil
	p.history = newHistory(p.sys.cfg.HistoryBytes)
	p.lingerLater(ctx)
}

// attach makes a session the live one; with a nil out there is none.
func (p *person) attach(out Outbox, inbox *Inbox) {
	switch {
	case p.out == nil && out != nil:
		p.sys.city.SessionOpened()
	case p.out != nil && out == nil:
		p.sys.city.SessionClosed()
	}
	p.out, p.session = out, inbox
}

// onJoin makes a session the live one. snapshot completes the reply with the person's state from
// the database.
func (p *person) onJoin(ctx actor.Context, m joined, snapshot func(*ridepb.Connected) error) {
	if p.outdated(m.inbox) {
		m.join.Out.Close(ridepb.CloseReplaced, 0)
		return
	}
	if p.gone {
		// This actor is stopping; the join raced with its release. Pass the join on.
		p.sys.rejoin(m.join, m.inbox)
		return
	}
	if p.out != nil && p.session != m.inbox {
		p.out.Close(ridepb.CloseReplaced, 0)
	}
	p.attach(m.join.Out, m.inbox)
	if !m.join.Account.UpdatedAt.Before(p.account.UpdatedAt) { // otherwise it was read before a change
		p.account = m.join.Account
	}
	p.self = ctx.Self()
	p.timers.Cancel("linger")
	p.speakFor(m.inbox)

	c, last := p.connected(m.join), p.active
	if err := snapshot(c); err != nil {
		p.sys.cfg.Log.Log(context.Background(), logLevel(err), "session cannot start", "account", p.account.ID, "error", err)
		p.out.Reply(stamped(refusal(ride.ErrUnavailable), m.join.ConnectID))
		p.out.Close(ridepb.CloseOverloaded, 2*time.Second)
		p.attach(nil, nil)
		p.lingerLater(ctx)
		return
	}
	p.catchUp(last)
	c.Epoch, c.Seq = p.history.epoch, p.history.seq // the snapshot may have added to it
	missed, ok := p.history.since(m.join.Resume)
	c.Resumed = ok
	p.out.Reply(stamped(&ridepb.Reply{Result: &ridepb.Reply_Connected{Connected: c}}, m.join.ConnectID))
	for _, e := range missed {
		p.out.Event(e)
	}
	p.sys.stats.joined(ok, m.join.Resume != nil)
	if p.active != nil {
		ctx.Send(p.sys.place.Trip(p.active.ID), p.attachment(p.active.ID))
	}
}

// connected is the reply to a session that joins, without the snapshot.
func (p *person) connected(j Join) *ridepb.Connected {
	return &ridepb.Connected{
		SessionId: j.SessionID,
		AccountId: string(p.account.ID), Role: view.Role(p.account.Role),
		ServerTime:  view.Time(time.Now().UTC()),
		HeartbeatMs: uint32(p.sys.cfg.Heartbeat.Milliseconds()), PositionTtlMs: uint32(p.sys.cfg.PositionTTL.Milliseconds()),
		Epoch: p.history.epoch, Seq: p.history.seq,
	}
}

// readActive reads from the database which trip occupies this account.
func (p *person) readActive(c *ridepb.Connected) error {
	ctx, cancel := p.sys.storeContext()
	defer cancel()
	t, err := p.sys.store.ActiveTrip(ctx, p.account.ID, p.account.Role)
	switch {
	case errors.Is(err, ride.ErrNotFound):
		p.setActive(nil)
	case err != nil:
		return err
	default:
		p.setActive(&t)
		c.ActiveTrip = view.Trip(&t, p.reader())
	}
	return nil
}

// onLeft forgets a session whose socket is gone. It reports false for one that has been replaced.
func (p *person) onLeft(ctx actor.Context, m left) bool {
	if p.forwarded(ctx, m.inbox) || p.session != m.inbox {
		return false
	}
	p.attach(nil, nil)
	p.lingerLater(ctx)
	return true
}

func (p *person) lingerLater(ctx actor.Context) {
	p.timers.After("linger", p.sys.cfg.Linger, p.sys.sender(ctx.Self(), lingered{}))
}

// onLingered leaves the directory if no session has joined meanwhile.
func (p *person) onLingered(ctx actor.Context) bool {
	if p.out != nil || p.gone {
		return false
	}
	p.depart(ctx)
	return true
}

// depart leaves the directory, and stops a moment later.
func (p *person) depart(ctx actor.Context) {
	p.gone = true
	p.history.clear()
	p.timers.Cancel("attach")
	p.sys.place.Release(p.account.ID, p.claim)
	// A session that joined at the last moment may still send here: see forwarded.
	p.timers.After("stop", lastWords, func() { p.sys.stop(ctx.Self()) })
}

// forwarded passes a message on to the actor to which its session was passed on. It reports whether
// there was such a session.
func (p *person) forwarded(ctx actor.Context, from *Inbox) bool {
	if !p.gone {
		return false
	}
	if to := from.pid.Load(); to.GetId() != ctx.Self().GetId() {
		ctx.Send(to, ctx.Message())
	}
	return true
}

// mine reports whether a message that names an account is for this actor. One for another account is
// counted and must be dropped.
func (p *person) mine(account ride.AccountID) bool {
	if account == p.account.ID {
		return true
	}
	p.sys.stats.misdirected.Inc()
	p.sys.cfg.Log.Error("message for another account", "account", p.account.ID)
	return false
}

func (p *person) reader() view.Reader {
	return view.Reader{Account: p.account.ID, Role: p.account.Role}
}

// emit adds an event to the history and sends it to the session.
func (p *person) emit(e *ridepb.Event) {
	p.remember(e)
	if p.out != nil {
		p.out.Event(e)
	}
}

// remember adds an event to the history, where it stays until it is so old that no client can need
// it: one that missed it has either reconnected since or can no longer resume.
func (p *person) remember(e *ridepb.Event) {
	p.history.add(e)
	if p.timers["aged"] == nil && p.self != nil {
		p.timers.After("aged", p.sys.cfg.HistoryAge, p.sys.sender(p.self, aged{}))
	}
}

// onAged forgets old events.
func (p *person) onAged() {
	p.timers.Cancel("aged")
	if next, left := p.history.expire(p.sys.cfg.HistoryAge); left {
		p.timers.After("aged", next, p.sys.sender(p.self, aged{}))
	}
}

// reply answers a frame of a session, if that session is still the live one.
func (p *person) reply(to *Inbox, id string, r *ridepb.Reply) {
	if p.out != nil && p.session == to {
		p.out.Reply(stamped(r, id))
	}
}

// stamped returns a reply that carries an id; the reply given may be shared.
func stamped(r *ridepb.Reply, id string) *ridepb.Reply {
	return &ridepb.Reply{Id: id, Result: r.Result}
}

// see notes a trip's state; live says whether it occupies this account.
func (p *person) see(t *ride.Trip, live bool) {
	switch {
	case live && (p.active == nil || p.active.ID != t.ID || p.active.Version <= t.Version):
		p.setActive(t)
	case !live && p.active != nil && p.active.ID == t.ID && p.active.Version <= t.Version:
		p.setActive(nil)
	}
}

// onUpdate sends the client what happened to its trip. An update without a change only refreshes
// this actor; it is sent to the client only if the client has missed something.
func (p *person) onUpdate(m tripUpdate, live bool) {
	if p.former.covers(m.Trip.ID, m.Trip.Version) || p.told.covers(m.Trip.ID, m.Trip.Version) || p.longTold(m.Trip) {
		return
	}
	known := p.known(m.Trip.ID)
	p.see(m.Trip, live)
	change := m.Change
	if change == "" {
		if m.Trip.Version <= known {
			return
		}
		change = m.Trip.Change
	}
	if shown := view.Trip(m.Trip, p.reader()); shown != nil {
		p.tell(heard{m.Trip.ID, m.Trip.Version})
		news := &ridepb.TripUpdated{Trip: shown, Change: change}
		if change == ride.KindExchanged {
			news.Exchange = view.Exchange(m.Trip, p.reader())
		}
		p.emit(&ridepb.Event{Body: &ridepb.Event_TripUpdated{TripUpdated: news}})
	}
}

// tell notes what the client is sent now.
func (p *person) tell(next heard) {
	if p.told.Trip != next.Trip {
		p.before = p.told
	}
	p.told = next
}

// longTold reports whether the client was sent these news, or newer ones, before those of another trip. A
// node that was cut off sends what it had to send once it is heard again, and by then the trip's new owner
// may have sent its end. The history knows what is older than the trip before.
func (p *person) longTold(t *ride.Trip) bool {
	if t.ID == p.told.Trip || (p.active != nil && p.active.ID == t.ID) {
		return false
	}
	if p.before.covers(t.ID, t.Version) {
		return true
	}
	if time.Since(t.UpdatedAt) <= lateAfter {
		return false
	}
	sent := p.history.newest(string(t.ID))
	return sent != nil && int64(sent.GetVersion()) >= t.Version
}

// lateAfter is the age at which news of a trip count as late. It is longer than the difference of
// the clocks of two nodes that both serve.
const lateAfter = 3 * time.Second

// current is called before news of a trip that occupies this account are believed, and reports
// whether they may be. A node that stood still sends what it had to send once it goes on, and by then
// the trip may have another activation and this account another trip.
//
// If the client has another active trip, only one of the two can be, as the database holds one for
// each account. Either that one has ended, and its last update, which comes from another actor, is
// still in flight: then its end is sent first, so that the client never has two trips at once. Or
// the news are old. If the store cannot be read, news that are late are dropped, and the trip is asked
// for them again a moment later; for others the order is left to chance.
func (p *person) current(next *ride.Trip, occupies func(*ride.Trip) bool) bool {
	last := p.active
	if !occupies(next) || last != nil && last.ID == next.ID {
		return true
	}
	ctx, cancel := p.sys.storeContext()
	defer cancel()
	if time.Since(next.UpdatedAt) > lateAfter {
		now, err := p.sys.store.Trip(ctx, next.ID)
		if err != nil {
			p.askAgain(next.ID)
		}
		if err != nil || now.Version > next.Version {
			return false
		}
	}
	if last == nil {
		return true
	}
	t, err := p.sys.store.Trip(ctx, last.ID)
	if err == nil && !occupies(&t) && t.Version > last.Version {
		p.overtaken(last, t)
	}
	return err != nil || !occupies(&t)
}

// overtaken sends the end of the active trip before another one's news; t is its newest state.
func (p *person) overtaken(last *ride.Trip, t ride.Trip) {
	p.setActive(nil)
	p.sendEnd(heard{last.ID, last.Version}, t)
}

// sendEnd sends the end, for this account, of a trip that it had at some version; t is its newest state.
func (p *person) sendEnd(last heard, t ride.Trip) {
	version := t.Version
	if view.Trip(&t, p.reader()) != nil {
		p.onUpdate(tripUpdate{Trip: &t}, false)
	} else {
		// This driver gave it back and may not see what became of it. Only that one step has not
		// been sent.
		at, err := p.sys.releasedAt(last.Trip, p.account.ID)
		if err != nil || at.version < last.Version {
			at = loss{version: last.Version + 1} // the history is not kept
		}
		version = at.version
		p.givenBack(last.Trip, at)
	}
	p.former = heard{last.Trip, version}
}

// toldEnd reports whether the client was sent that the trip which it was last sent news of is no longer
// its own: its end, or that this driver gave it back.
func (p *person) toldEnd() bool {
	t := p.history.newest(string(p.told.Trip))
	if t == nil {
		return false
	}
	status := view.FromStatus(t.GetStatus())
	return !status.Live() || p.account.Role == ride.RoleDriver && !status.Occupied()
}

// catchUp adds the end of a trip to the history that is no longer the active one, as the snapshot has just
// shown: the update that says so may be lost, and no one asks for it again. last is what was active before;
// after a take-over only what the client was last sent is known. The client receives the event with
// what it has missed.
func (p *person) catchUp(last *ride.Trip) {
	had := heard{}
	switch {
	case last != nil:
		had = heard{last.ID, last.Version}
	case p.inherited && !p.toldEnd():
		had = p.told
	}
	p.inherited = false
	if had.Trip == "" || (p.active != nil && p.active.ID == had.Trip) {
		return
	}
	ctx, cancel := p.sys.storeContext()
	defer cancel()
	t, err := p.sys.store.Trip(ctx, had.Trip)
	if err != nil {
		// No one asks again: the client takes the snapshot, and asks over HTTP how the trip ended.
		p.history = newHistory(p.sys.cfg.HistoryBytes)
		return
	}
	if t.Version <= had.Version {
		return
	}
	out := p.out
	p.out = nil // the events follow the reply
	p.sendEnd(had, t)
	p.out = out
}

// givenBack tells the client that it no longer has a trip, whether that was for an exchange, and nothing
// else.
func (p *person) givenBack(trip ride.TripID, at loss) {
	if p.former.covers(trip, at.version) || p.told.covers(trip, at.version) {
		return
	}
	p.tell(heard{trip, at.version})
	news := &ridepb.TripUpdated{
		Change: ride.KindReleased,
		Trip:   &ridepb.Trip{Id: string(trip), Version: uint32(at.version), Status: ridepb.Trip_requested},
	}
	if at.reason != "" {
		news.Exchange = &ridepb.Exchange{Reason: at.reason}
	}
	p.emit(&ridepb.Event{Body: &ridepb.Event_TripUpdated{TripUpdated: news}})
}

// rating is a party's rating as a client sent it.
func rating(by ride.AccountID, m *ridepb.RateTrip) ride.RateTrip {
	return ride.RateTrip{By: by, Stars: int(min(m.GetStars(), 100)), Comment: m.GetComment()}
}
