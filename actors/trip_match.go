package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// Under a policy that gathers trips, a trip does not search for drivers itself: it registers with the
// matcher of its zone, and again every few seconds, for as long as it waits. The matcher's wave may come at any time.
// A trip whose registration is not answered, or that hears of no plan for it for three windows, searches by
// itself, and goes on registering.

// matching is what a trip knows of its matcher.
type matching struct {
	next  uint64
	asked uint64              // names the present need; 0: none
	first bool                // it only asked who else waits
	wave  ride.FindCandidates // that it is for
	// due is the wave that the trip looks for now. Others come with their timers.
	due ride.FindCandidates

	acked   bool // since it registered last
	unheard bool // the matcher leaves registrations unanswered
	silent  bool // it answers them, and plans nothing for this trip
	word    matchWord
	heard   time.Time // when it heard of a plan for this trip, or began to wait for one
}

// lost reports whether the trip has to search by itself.
func (m *matching) lost() bool { return m.unheard || m.silent }

const (
	// heardWithin is how long a matcher may take to answer that.
	heardWithin = time.Second
	// silentWindows is for how many windows a matcher may tell nothing of a plan for the trip, and leastSilence how
	// long at least: a plan under load takes longer than a short window, and trips that search by themselves add to
	// the load. It is never longer than one silentPart of the search.
	silentWindows = 3
	leastSilence  = 10 * time.Second
	silentPart    = 3
	// firstWithin is how long a request waits to hear who else waits nearby.
	firstWithin = 150 * time.Millisecond
	// ampleDrivers must be nearer than any that another trip might need, for a request to be decided at once.
	ampleDrivers = 3
)

// matchDue is a time at which a trip looks after the need of that number.
type matchDue struct {
	what  string // the timer's name
	asked uint64
}

const (
	dueFirst  = "match first"
	dueAnswer = "match answer"
	dueAgain  = "match again"
	dueWord   = "match word"
	dueQuiet  = "match quiet"
)

func (a *tripActor) matchAfter(ctx actor.Context, what string, d time.Duration) {
	a.timers.After(what, d, a.sys.sender(ctx.Self(), matchDue{what, a.match.asked}))
}

// zone is the zone of a pickup.
func (a *tripActor) zone(pickup geo.Point) geo.Cell {
	cell := a.pickupCell(pickup)
	zone, err := cell.Parent(min(a.sys.cfg.ZoneResolution, cell.Resolution()))
	if err != nil {
		zone = cell // 0, whose trips find nobody
	}
	return zone
}

// need is what the matcher must know of a trip.
func (a *tripActor) need(t *ride.Trip, now time.Time) matchNeed {
	return matchNeed{
		Trip: a.id, Asked: a.match.asked, Wave: a.match.wave.Wave, Reach: t.Rules.Policy.RingMax, Class: t.Request.Class,
		Pickup: t.Request.Pickup, Door: t.Rules.Policy.Door, Waited: max(0, now.Sub(t.SearchBegan())), Refused: t.Refused(now),
	}
}

// askFirst asks who else waits near a request that is not committed yet.
func (a *tripActor) askFirst(ctx actor.Context, wave ride.FindCandidates) {
	a.match.next++
	a.match.asked, a.match.wave, a.match.first = a.match.next, wave, true
	need := a.need(&a.unsearched.trip, time.Now())
	need.First = true
	ctx.Request(a.sys.place.Matcher(a.zone(need.Pickup)), need)
	a.matchAfter(ctx, dueFirst, firstWithin)
}

// followMatch registers a trip that has come to wait for a driver, and signs off one that waits no more.
func (a *tripActor) followMatch(ctx actor.Context) {
	t := &a.trip
	if t.Rules.Policy.Immediate() {
		return
	}
	wave, waits := t.Wanted()
	switch {
	case waits && a.loaded && (a.match.wave != wave || a.match.asked == 0 || a.match.first):
		a.match.wave = wave
		a.registerAnew(ctx)
	case !waits && a.match.asked != 0:
		a.signOff(ctx)
	}
}

// registerAnew registers the trip's present need.
func (a *tripActor) registerAnew(ctx actor.Context) {
	if a.match.asked == 0 || a.match.first {
		a.match.heard = time.Now()
	}
	a.match.next++
	a.match.asked, a.match.first, a.match.word = a.match.next, false, matchWord{}
	a.register(ctx)
	a.matchAfter(ctx, dueWord, a.silence()-time.Since(a.match.heard))
}

// silence is how long a matcher may leave the trip out of its plans: always a part of the search alone, so that the
// trip has time to search by itself.
func (a *tripActor) silence() time.Duration {
	return min(max(silentWindows*a.sys.cfg.Matching.Window, leastSilence), a.trip.Rules.SearchFor/silentPart)
}

func (a *tripActor) register(ctx actor.Context) {
	a.match.acked = false
	ctx.Request(a.sys.place.Matcher(a.zone(a.trip.Request.Pickup)), a.need(&a.trip, time.Now()))
	a.matchAfter(ctx, dueAnswer, heardWithin)
	a.matchAfter(ctx, dueAgain, registerEvery)
}

// signOff tells the matcher that the trip needs no driver. If that is lost, the row expires.
func (a *tripActor) signOff(ctx actor.Context) {
	if to := a.sys.place.FindMatcher(a.zone(a.trip.Request.Pickup)); to != nil {
		ctx.Request(to, matchNeed{Trip: a.id, Asked: a.match.asked, Over: true})
	}
	a.match.asked = 0
	for _, what := range []string{dueFirst, dueAnswer, dueAgain, dueWord, dueQuiet} {
		a.timers.Cancel(what)
	}
}

// forget drops what the trip knows of its matcher, together with its timers.
func (m *matching) forget() { *m = matching{next: m.next} }

// leave leaves the search for a wave to the matcher. It reports false if the trip has to search itself.
func (a *tripActor) leave(ctx actor.Context, wave ride.FindCandidates) bool {
	if a.match.due != wave {
		a.match.due = wave
		a.timers.After(dueQuiet, ride.QuietFor, a.sys.sender(ctx.Self(), matchDue{what: dueQuiet}))
	}
	return !a.match.lost()
}

// onMatchWord takes the matcher's answer to a registration, or to a plan.
func (a *tripActor) onMatchWord(ctx actor.Context, m matchWord) {
	if m.Asked != a.match.asked {
		return
	}
	if b := a.unsearched; b != nil {
		if a.search.query == nil {
			a.timers.Cancel(dueFirst)
			b.clearM = m.ClearM
			a.find(ctx, a.match.wave, &b.trip, searchLimit(&b.trip))
		}
		return
	}
	a.match.acked, a.match.unheard = true, false
	// A plan for this very trip counts. Others do not: the waves that are made for it may be lost.
	if m.Windows > a.match.word.Windows {
		a.match.silent, a.match.heard = false, time.Now()
		a.matchAfter(ctx, dueWord, a.silence())
	}
	a.match.word = m
}

// onMatchMade takes the matcher's wave.
func (a *tripActor) onMatchMade(ctx actor.Context, m matchMade) {
	if m.Asked != a.match.asked || a.unsearched != nil || a.load(ctx) != nil {
		return
	}
	a.match.silent, a.match.heard = false, time.Now()
	a.search.found = map[ride.AccountID]speaker{m.Driver.Driver: {pid: m.Driver.PID, generation: m.Driver.Generation}}
	a.run(ctx, tripCommand{Command: m.Wave})
	if a.loaded && a.match.asked == m.Asked { // the trip could not use it, and the matcher has crossed it out
		a.registerAnew(ctx)
	}
}

// onMatchDue looks after the registration.
func (a *tripActor) onMatchDue(ctx actor.Context, m matchDue) {
	switch {
	case m.what == dueQuiet:
		a.recordQuiet(ctx)
	case m.asked != a.match.asked:
	case m.what == dueFirst:
		if a.unsearched != nil && a.search.query == nil {
			a.requestAlone(ctx)
		}
	case !a.loaded: // a reload registers again
	case m.what == dueAgain:
		a.register(ctx)
	case m.what == dueAnswer && !a.match.acked:
		a.fallBack(ctx, &a.match.unheard, fellUnheard)
	case m.what == dueWord:
		a.fallBack(ctx, &a.match.silent, fellSilent)
	}
}

// fallBack notes a loss, and makes the trip search by itself if a search is due.
func (a *tripActor) fallBack(ctx actor.Context, loss *bool, why string) {
	before := a.match.lost()
	*loss = true
	wave, waits := a.trip.Wanted()
	if before || !waits {
		return
	}
	a.sys.stats.matching.fell.WithLabelValues(why).Inc()
	if a.match.due == wave && a.search.query == nil {
		t := a.trip
		a.find(ctx, wave, &t, searchLimit(&t))
	}
}

// recordQuiet records that plans have found no driver for a while.
func (a *tripActor) recordQuiet(ctx actor.Context) {
	wave, waits := a.trip.Wanted()
	if !a.loaded || !waits || wave != a.match.due || a.match.lost() {
		return
	}
	a.run(ctx, tripCommand{Command: ride.OfferWave{
		Wave: wave.Wave, Ring: a.trip.Rules.Policy.RingMax, Windows: a.match.word.Windows, Why: a.match.word.Why,
	}})
}
