package actors

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/actors/runtime"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// tripActor is the shell around one trip: it decides, appends durably, applies, and only then
// carries out the effects. Its state is a cache of the database's, guarded there by version and
// fence; whenever the two may differ, it reloads. It may block on the store, up to a deadline: only
// this trip waits.
type tripActor struct {
	sys *shared
	id  ride.TripID

	trip   ride.Trip
	loaded bool
	// doubtful is set while the outcome of the last commit is unknown.
	doubtful bool
	// gone is set when another node owns the trip and this actor is about to stop.
	gone bool

	// The parties' actors, from their latest messages.
	rider    speaker
	driver   driving
	former   driving                    // whom the driver has just replaced, until it is told
	offerees map[ride.AccountID]speaker // of open offers
	// unheard are the offers that drivers on other nodes have not confirmed, and how often each was
	// sent again; nil: none.
	unheard map[ride.OfferID]int

	// attaching holds parties that attached while the trip could not be loaded.
	attaching map[ride.AccountID]tripAttach

	unsearched *unsearched    // the request that made this trip, while it searches; nil after
	handedBack []ride.Command // offers handed back, to be withdrawn together

	exchange  *exchanging // that this trip decides and whose trips have not all answered yet; nil: none
	exchanges uint64      // begun so far

	search  searching
	match   matching // under a policy that gathers trips
	timers  runtime.Timers
	failed  int         // consecutive retries after a failed write
	counted ride.Status // the status under which the metrics count this trip
	waits   geo.Cell    // where it is registered as waiting for a driver; 0: nowhere
	cell    geo.Cell    // of the pickup; 0 until looked up
}

// tripTick is a timer that fired.
type tripTick struct{ timer ride.Timer }

// tripAgain makes a trip derive its pending effects again.
type tripAgain struct{}

// storePause is about how long a trip waits after a failed write; up to four times as long after
// repeated failures.
const storePause = 700 * time.Millisecond

// tripIdle asks whether a final trip's actor may stop.
type tripIdle struct{ version int64 }

func newTripActor(s *shared, id ride.TripID) *tripActor {
	return &tripActor{
		sys: s, id: id,
		offerees: make(map[ride.AccountID]speaker), attaching: make(map[ride.AccountID]tripAttach),
	}
}

func (a *tripActor) Receive(ctx actor.Context) {
	if m, ok := ctx.Message().(passedOn); ok {
		a.receive(ctx, m.message)
		return
	}
	a.receive(ctx, ctx.Message())
}

func (a *tripActor) receive(ctx actor.Context, message any) {
	switch m := message.(type) {
	case tripCommand:
		if w, ok := m.Command.(ride.WithdrawOffer); ok {
			a.onHandBack(ctx, w)
		} else {
			a.onCommand(ctx, m)
		}
	case tripHandBack:
		a.withdraw(ctx)
	case offersUnheard:
		a.repeatOffers(ctx)
	case tripTick:
		if a.load(ctx) == nil {
			a.run(ctx, tripCommand{Command: ride.Tick{Timer: m.timer}})
		}
	case cellFound:
		if a.search.query.add(m) {
			a.plan(ctx)
		}
	case matchWord:
		a.onMatchWord(ctx, m)
	case matchMade:
		a.onMatchMade(ctx, m)
	case matchDue:
		a.onMatchDue(ctx, m)
	case searchOver:
		if a.search.query != nil && a.search.query.id == m.id {
			a.plan(ctx)
		}
	case tripAttach:
		a.onAttach(ctx, m)
	case offerQuery:
		a.onOfferQuery(ctx, m)
	case operatorAct:
		a.onOperator(ctx, m)
	case tripWake:
		a.onWake(ctx)
	case tripAgain:
		a.failed++
		if a.load(ctx) == nil {
			a.carryOut(ctx, ride.Resume(a.trip))
		}
	case tripIdle:
		if a.trip.Status.Final() && a.trip.Version == m.version {
			a.retire(ctx)
		}
	case driverNearby:
		a.onDriverNearby(ctx)
	case estimated:
		m.then(ctx)
	case *actor.Stopping:
		a.timers.Stop()
		a.search.stop()
		a.noteStatus(ctx, ride.StatusNone)
		a.sys.city.Trips.Hide(a, a.id)
	default:
		a.ofExchange(ctx, message)
	}
}

// onWake loads the trip, and reloads one that is overdue although it is loaded.
func (a *tripActor) onWake(ctx actor.Context) {
	a.failed++
	if due := ride.Wake(a.trip); a.loaded && !due.IsZero() && time.Since(due) > a.sys.cfg.SweepGrace {
		a.loaded = false
	}
	switch err := a.load(ctx); {
	case err == nil:
		a.failed = 0
	case errors.Is(err, ride.ErrNotFound):
		a.retire(ctx)
	}
}

// onDriverNearby starts the next search early. A search under way may have asked that driver's cell
// already, so another one follows it.
func (a *tripActor) onDriverNearby(ctx actor.Context) {
	switch {
	case a.search.query != nil || a.unsearched != nil:
		a.search.again = true
	case a.loaded:
		a.run(ctx, tripCommand{Command: ride.DriverNearby{}})
	}
}

// noteStatus records the trip's status in the metrics, and registers or removes the trip as waiting
// for a driver.
func (a *tripActor) noteStatus(ctx actor.Context, s ride.Status) {
	a.sys.stats.tripStatus(a.counted, s)
	a.sys.city.Trips.Count(a.counted, s)
	switch {
	case s == ride.StatusRequested && a.counted != s:
		a.await(ctx, a.trip.Request)
	case s != ride.StatusRequested && a.waits != 0:
		a.sys.place.Forget(a.waits, a.id)
		a.waits = 0
	}
	a.counted = s
}

// pickupCell is the cell of the pickup; 0 for a point that H3 cannot place.
func (a *tripActor) pickupCell(pickup geo.Point) geo.Cell {
	if a.cell == 0 {
		a.cell, _ = geo.CellAt(pickup, a.sys.cfg.Resolution)
	}
	return a.cell
}

// Recovered is called after a panic in receive: the cache is no longer trusted, and the trip is
// reloaded from the database a moment later.
func (a *tripActor) Recovered(ctx actor.Context) {
	a.distrust(ctx)
}

// distrust drops the cache and makes sure that the trip is reloaded, so that its timers run again
// even if no message arrives.
func (a *tripActor) distrust(ctx actor.Context) {
	a.loaded = false
	a.unsearched = nil
	a.timers.Stop()
	a.match.forget()
	a.handedBack = nil // the offers are sent again with the reload, and handed back again
	a.search.stop()
	a.timers.After("wake", a.pause(), a.sys.sender(ctx.Self(), tripWake{}))
}

// again derives the trip's pending effects again, from a cache that is still valid.
func (a *tripActor) again(ctx actor.Context) {
	a.timers.After("again", a.pause(), a.sys.sender(ctx.Self(), tripAgain{}))
}

// pause is how long to wait after a failed write. It grows with each failure and has jitter, so
// that thousands of trips do not retry at once.
func (a *tripActor) pause() time.Duration {
	most := storePause << min(a.failed, 2)
	return most/2 + rand.N(most)
}

// load refreshes the cache: it raises the trip's fence, reads the newest state, sends out what has
// happened since the cached state, and resumes timers and offers. The error wraps ride.ErrNotFound
// or ride.ErrUnavailable, or is errElsewhere.
func (a *tripActor) load(ctx actor.Context) error {
	if a.loaded {
		return nil
	}
	if a.elsewhere(ctx) {
		return errElsewhere
	}
	c, cancel := a.sys.storeContext()
	defer cancel()
	// Reading first saves a write for an id that does not exist.
	if _, err := a.sys.store.Trip(c, a.id); err != nil {
		return a.loadFailed(ctx, err)
	}
	t, err := a.sys.store.Activate(c, a.id)
	if err != nil {
		return a.loadFailed(ctx, err)
	}
	before := a.trip
	a.trip, a.loaded, a.failed = t, true, 0
	a.noteStatus(ctx, t.Status)
	a.sys.city.Trips.Show(a, &a.trip, a.pickupCell(t.Request.Pickup))
	a.timers.Stop()
	a.match.forget()
	a.handedBack = nil
	a.carryOut(ctx, append(news(before, t), ride.Resume(t)...))
	for account, m := range a.attaching {
		delete(a.attaching, account)
		a.onAttach(ctx, m)
	}
	return nil
}

// news returns the effects that the parties have missed of a change that this activation did not
// complete: a commit with an unknown outcome, or another activation's. Timers, searches and open
// offers come from Resume.
func news(before, after ride.Trip) []ride.Effect {
	if before.Version == after.Version {
		return nil
	}
	return slices.DeleteFunc(ride.Diff(before, after), func(e ride.Effect) bool {
		switch e.(type) {
		case ride.BindDriver, ride.ReleaseDriver, ride.CloseOffer, ride.Publish:
			return false
		}
		return true
	})
}

func (a *tripActor) loadFailed(ctx actor.Context, err error) error {
	if errors.Is(err, ride.ErrNotFound) {
		return err
	}
	a.sys.cfg.Log.Log(context.Background(), logLevel(err), "trip cannot be loaded", "trip", a.id, "error", err)
	a.distrust(ctx)
	return fmt.Errorf("%w: load trip: %w", ride.ErrUnavailable, err)
}

func (a *tripActor) retire(ctx actor.Context) {
	a.timers.Stop()
	a.search.stop()
	a.sys.place.Retire(a.id, ctx.Self())
}

// onCommand takes a party's command. The first one makes the trip; all others need it to exist.
func (a *tripActor) onCommand(ctx actor.Context, m tripCommand) {
	if !a.ready(ctx, m) || a.searchFirst(ctx, m) {
		return
	}
	a.doubtful = false
	a.run(ctx, m)
	if a.gone {
		return
	}
	a.learn(m.Key, ctx.Sender())
	switch {
	case a.trip.Version == 0 && a.doubtful:
		// It may have been written: distrust reloads, and sends the result.
		a.rider.learn(ctx.Sender(), m.Key.Generation)
	case a.trip.Version == 0:
		if a.match.asked != 0 { // it has asked who else waits
			a.signOff(ctx)
		}
		a.retire(ctx) // the request was refused
	case a.trip.Status.Final():
		a.idleLater(ctx)
	}
}

// ready loads the trip for a command, unless the command makes it. If it reports false, the command
// has been handled: answered, or passed on to the trip's owner.
func (a *tripActor) ready(ctx actor.Context, m tripCommand) bool {
	_, create := m.Command.(ride.RequestTrip)
	if create && a.trip.Version == 0 {
		return !a.elsewhere(ctx)
	}
	switch err := a.load(ctx); {
	case err == nil, create && errors.Is(err, ride.ErrNotFound):
		return true
	case errors.Is(err, errElsewhere):
	case errors.Is(err, ride.ErrNotFound):
		if m.Key.ID != "" { // there is no trip, so nothing is recorded
			ctx.Respond(tripResult{Key: m.Key, Reply: a.sys.refused(m.Key, refusal(ride.ErrNotFound))})
		}
		a.retire(ctx)
	default:
		ctx.Respond(tripResult{Key: m.Key, Reply: refusal(ride.ErrUnavailable)})
	}
	return false
}

// learn remembers a party's PID from a message that it sent. It ignores messages of accounts that
// are not parties.
func (a *tripActor) learn(key commandKey, pid *actor.PID) {
	switch key.Account {
	case "":
	case a.trip.Request.Rider.ID:
		a.rider.learn(pid, key.Generation)
	case a.trip.DriverID():
		a.driver.learn(key.Account, pid, key.Generation)
	}
}

// run takes one command through decide, append, apply and effects. It replies to the sender if the
// command has a key.
func (a *tripActor) run(ctx actor.Context, m tripCommand) {
	var last error
	for range 3 {
		now := ride.Clean(time.Now())
		events, effects, refused := a.decide(m, now)
		after, reply := a.outcome(m, now, events, refused)
		if after == nil {
			a.carryOut(ctx, effects) // a tick may ask for a search without an event
			a.settle(ctx, m, refused)
			return
		}
		err := a.commit(m, now, after, events, reply)
		switch {
		case err == nil && refused != nil:
			a.trip = *after
			if m.Key.ID != "" {
				ctx.Respond(tripResult{Key: m.Key, Reply: reply})
			}
			return
		case err == nil:
			a.adopt(ctx, after, m.Key, effects, reply)
			return
		case errors.Is(err, ride.ErrDriverBusy):
			a.withdrawBusy(ctx, m, events)
			return
		case errors.Is(err, ride.ErrRiderBusy):
			a.settle(ctx, m, ride.ErrRiderBusy)
			return
		case errors.Is(err, ride.ErrCommandSeen):
			a.repeat(ctx, m)
			return
		case errors.Is(err, ride.ErrStale), errors.Is(err, ride.ErrUnknownOutcome):
			last = err
			a.distrust(ctx)
			lerr := a.load(ctx)
			if errors.Is(lerr, errElsewhere) {
				return // the owner answers
			}
			if lerr != nil && !errors.Is(lerr, ride.ErrNotFound) {
				a.doubtful = true
				a.unavailable(ctx, m, lerr)
				return
			}
		default:
			a.unavailable(ctx, m, err)
			return
		}
	}
	if errors.Is(last, ride.ErrStale) {
		last = errors.New("another activation of this trip keeps writing")
	}
	a.unavailable(ctx, m, last)
}

// decide decides a message's commands one after the other and returns the events and effects of all
// of them together.
func (a *tripActor) decide(m tripCommand, now time.Time) ([]ride.Event, []ride.Effect, error) {
	events, effects, err := ride.Decide(a.trip, now, m.Command)
	if err != nil || len(m.Also) == 0 {
		return events, effects, err
	}
	after := ride.Fold(a.trip, events)
	for _, c := range m.Also {
		more, _, err := ride.Decide(after, now, c)
		if err != nil {
			continue // a refused further command is left out of the transition
		}
		after = ride.Fold(after, more)
		events = append(events, more...)
	}
	if len(events) == 0 {
		return nil, effects, nil
	}
	return events, ride.Diff(a.trip, after), nil
}

// outcome returns the state that a decision leads to, and the reply to write with it. The state is
// nil if it stays as it is.
func (a *tripActor) outcome(m tripCommand, now time.Time, events []ride.Event, refused error) (*ride.Trip, *ridepb.Reply) {
	if refused != nil {
		after, counts := ride.Refused(a.trip, now, refused)
		if !counts {
			return nil, nil
		}
		return &after, refusal(refused)
	}
	if len(events) == 0 {
		return nil, nil
	}
	after := ride.Fold(a.trip, events)
	return &after, success(m, &after)
}

func (a *tripActor) commit(m tripCommand, now time.Time, after *ride.Trip, events []ride.Event, reply *ridepb.Reply) error {
	if a.trip.Version == 0 {
		after.Fence = 1
	}
	t := ride.Transition{
		Trip: after, Prev: a.trip.Version, Events: events,
		Offers: changedOffers(&a.trip, after), Wake: ride.Wake(*after),
	}
	if m.Key.ID != "" {
		record, err := newRecord(m.Key, now, reply)
		if err != nil {
			return err
		}
		t.Command = record
	}
	c, cancel := a.sys.storeContext()
	defer cancel()
	err := a.sys.store.Commit(c, t)
	if errors.Is(err, ride.ErrStale) {
		a.sys.stats.stale.Inc()
	}
	return err
}

// adopt makes a committed state the cache, replies, and carries out the effects. The state is shared
// with the reply from then on.
func (a *tripActor) adopt(ctx actor.Context, after *ride.Trip, key commandKey, effects []ride.Effect, reply *ridepb.Reply) {
	before := a.trip
	a.trip, a.loaded, a.failed = *after, true, 0
	a.timers.Cancel("again")
	a.noteStatus(ctx, after.Status)
	a.sys.stats.transition(&before, after)
	if a.sys.cfg.Ended != nil && after.Status.Final() && !before.Status.Final() {
		a.sys.cfg.Ended(after)
	}
	a.sys.city.TripChanged(a, &before, after, a.pickupCell(after.Request.Pickup))
	if before.DriverID() != after.DriverID() {
		a.former = a.driver
	}
	a.learn(key, ctx.Sender())
	if key.Account != "" && key.Account == before.DriverID() {
		// It may have given the trip back, to an activation that did not know it yet.
		a.driver.learn(key.Account, ctx.Sender(), key.Generation)
	}
	if key.ID != "" {
		ctx.Respond(tripResult{Key: key, Reply: reply, Trip: after})
	}
	a.carryOut(ctx, effects)
}

// settle answers a command that changes nothing, because it is refused or a no-op. The answer is
// recorded first, so that it stays the same; if the command was answered before, that answer
// stands.
func (a *tripActor) settle(ctx actor.Context, m tripCommand, refused error) {
	if m.Key.ID == "" {
		if refused != nil {
			a.sys.cfg.Log.Error("internal command refused", "trip", a.id, "command", fmt.Sprintf("%T", m.Command), "error", refused)
		}
		return
	}
	fresh := success(m, &a.trip)
	if refused != nil {
		fresh = refusal(refused)
	}
	reply, err := a.sys.record(m.Key, fresh)
	if err != nil {
		// Only the answer was to be written, so the cache is as valid as before, and an overloaded
		// store need not serve a reload as well.
		a.log(m, err)
		ctx.Respond(tripResult{Key: m.Key, Reply: refusal(ride.ErrUnavailable)})
		return
	}
	result := tripResult{Key: m.Key, Reply: reply}
	// An earlier answer shows the client an earlier state: its actor must not take the state of now
	// for shown.
	if reply == fresh && reply.GetError() == nil && a.loaded {
		t := a.trip
		result.Trip = &t
	}
	ctx.Respond(result)
}

// repeat answers a command whose outcome is already recorded.
func (a *tripActor) repeat(ctx actor.Context, m tripCommand) {
	reply, err := a.sys.recorded(m.Key)
	if err != nil {
		a.unavailable(ctx, m, err)
		return
	}
	ctx.Respond(tripResult{Key: m.Key, Reply: reply})
}

func (a *tripActor) log(m tripCommand, err error) {
	a.sys.cfg.Log.Log(context.Background(), logLevel(err), "trip command failed", "trip", a.id, "command", fmt.Sprintf("%T", m.Command), "error", err)
}

// changedOffers returns the offers that a transition created or changed.
func changedOffers(before, after *ride.Trip) []ride.OfferRow {
	var out []ride.OfferRow
	for i, o := range after.Offers {
		if i >= len(before.Offers) || before.Offers[i].State != o.State {
			out = append(out, ride.OfferRow{Trip: after.ID, Offer: o})
		}
	}
	return out
}
