package actors

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/actors/runtime"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/dispatch"
)

// matcher plans for all trips of one zone that wait for a driver: once in each window, for all of them
// together. It never blocks, and what it knows is rebuilt within seconds: trips register again and
// again, cells say who is free. A trip that does not hear from it searches by itself. So it may die, move
// or exist twice at any moment: drivers take one offer at a time, and trips one wave.
type matcher struct {
	sys  *shared
	zone geo.Cell
	rows map[ride.TripID]*openRow
	// lately are the drivers whom this matcher gave a trip a moment ago: their cells may not know yet.
	lately map[ride.AccountID]time.Time
	recent demand
	state  dispatch.State

	round  *matchRound // under way; nil: none. There is one at a time
	rounds uint64
	plans  uint64    // rounds that have ended with a plan
	began  time.Time // the last round; zero: there was none
	timers runtime.Timers
}

// openRow is a trip that waits for a driver.
type openRow struct {
	matchNeed
	trip    *actor.PID
	since   time.Time // when its search began
	seen    time.Time // when it last registered
	round   uint64    // that it was last part of; 0: none
	planned time.Time // when that began
	windows int
	why     dispatch.Reason
}

// The bounds of a matcher, beside those of its policy.
const (
	// maxOpenRows bounds the trips that register with one matcher. Others get no answer, and search by
	// themselves.
	maxOpenRows = 5000
	// maxRoundRows bounds the trips of one round. If more wait, the next round follows at once.
	maxRoundRows = 500
	// maxRoundDrivers bounds the drivers of one round.
	maxRoundDrivers = 10_000
	// firstRows is for how long a request that is not committed yet counts as waiting.
	firstRows = 2 * time.Second
	// keepRows is how long a trip stays that does not register again.
	keepRows = 2*registerEvery + 2*time.Second
	// keepLately is for how long a driver who was given a trip is not planned for again.
	keepLately = 3 * time.Second
	// gatherPart of a window passes before the first round of a matcher that had nothing to do.
	gatherPart = 5
	// keepIdle is how long a matcher without trips stays.
	keepIdle = time.Minute
)

// matchWindow is the time for a round. matchIdle asks whether a matcher may stop.
type (
	matchWindow struct{}
	matchIdle   struct{}
)

func newMatcher(s *shared, zone geo.Cell) *matcher {
	return &matcher{sys: s, zone: zone, rows: make(map[ride.TripID]*openRow), lately: make(map[ride.AccountID]time.Time)}
}

func (m *matcher) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case matchNeed:
		m.onNeed(ctx, msg, time.Now())
	case matchWindow:
		m.begin(ctx, time.Now())
	case cellFound:
		if m.round != nil && m.round.query.add(msg) {
			m.plan(ctx)
		}
	case searchOver:
		if m.round != nil && m.round.id == msg.id {
			m.plan(ctx)
		}
	case *matchPlan:
		m.onPlan(ctx, msg, time.Now())
	case matchIdle:
		m.onIdle(ctx, time.Now())
	case *actor.Stopping:
		m.timers.Stop()
	}
}

// Recovered gives the round up: the rows stay, and the next window comes.
func (m *matcher) Recovered(ctx actor.Context) {
	m.timers.Stop()
	m.round = nil
	m.windowAfter(ctx, m.sys.cfg.Matching.Window)
}

// onNeed notes that a trip waits, or that it does not any more.
func (m *matcher) onNeed(ctx actor.Context, need matchNeed, now time.Time) {
	m.idleLater(ctx)
	trip := ctx.Sender()
	if trip == nil {
		return
	}
	if need.First || len(m.rows) >= maxOpenRows && m.rows[need.Trip] == nil {
		m.forget(now) // neither counts trips that have gone, nor keeps others out for them
	}
	row := m.rows[need.Trip]
	same := row != nil && row.Asked == need.Asked && row.trip.Equal(trip)
	switch {
	case need.Over:
		if same {
			delete(m.rows, need.Trip)
		}
		return
	case same:
		row.matchNeed, row.seen = need, now
	case row == nil && len(m.rows) >= maxOpenRows:
		return
	default:
		if need.First {
			m.recent.add(m.cellOf(need.Pickup), now)
		}
		row = &openRow{matchNeed: need, trip: trip, since: now.Add(-need.Waited), seen: now}
		m.rows[need.Trip] = row
	}
	ctx.Send(trip, m.word(row))
	if !need.First && m.round == nil && m.timers["window"] == nil {
		m.timers.Cancel("idle")
		window := m.sys.cfg.Matching.Window
		m.windowAfter(ctx, max(window/gatherPart, window-now.Sub(m.began)))
	}
}

// idleLater makes sure that a matcher that is not about to plan ends some time.
func (m *matcher) idleLater(ctx actor.Context) {
	if m.round == nil && m.timers["window"] == nil && m.timers["idle"] == nil {
		m.timers.After("idle", keepIdle, m.sys.sender(ctx.Self(), matchIdle{}))
	}
}

// onIdle ends a matcher without trips. Requests that have never come to wait are no trips by then.
func (m *matcher) onIdle(ctx actor.Context, now time.Time) {
	m.timers.Cancel("idle")
	m.forget(now)
	if len(m.rows) == 0 && m.round == nil {
		m.sys.place.RetireMatcher(m.zone, ctx.Self())
		return
	}
	m.idleLater(ctx)
}

// word is what a matcher tells a trip about its row.
func (m *matcher) word(row *openRow) matchWord {
	w := matchWord{Trip: row.Trip, Asked: row.Asked, Round: m.plans, Windows: row.windows, Why: string(row.why), ClearM: math.Inf(1)}
	if row.First {
		for _, other := range m.rows {
			if other.Trip != row.Trip {
				w.ClearM = min(w.ClearM, geo.DistanceM(other.Pickup, row.Pickup))
			}
		}
	}
	return w
}

func (m *matcher) windowAfter(ctx actor.Context, d time.Duration) {
	m.timers.After("window", d, m.sys.sender(ctx.Self(), matchWindow{}))
}

// cellOf is the cell of a place, in which drivers are found and demand is counted; 0: H3 cannot tell.
func (m *matcher) cellOf(p geo.Point) geo.Cell {
	cell, err := geo.CellAt(p, m.sys.cfg.Resolution)
	if err != nil {
		return 0
	}
	return cell
}

// forget drops what has become too old.
func (m *matcher) forget(now time.Time) {
	for id, row := range m.rows {
		keep := keepRows
		if row.First {
			keep = firstRows
		}
		if now.Sub(row.seen) > keep {
			delete(m.rows, id)
		}
	}
	for id, at := range m.lately {
		if now.Sub(at) > keepLately {
			delete(m.lately, id)
		}
	}
}

// due returns the rows of a round: those that have been part of none for about a window, the earliest
// one's first, then by id. more says that others wait for the round after it.
func (m *matcher) due(now time.Time, window time.Duration) (rows []*openRow, more bool) {
	for _, row := range m.rows {
		if !row.First && now.Sub(row.planned) >= window*9/10 {
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b *openRow) int { return cmp.Or(cmp.Compare(a.round, b.round), cmp.Compare(a.Trip, b.Trip)) })
	if len(rows) > maxRoundRows {
		return rows[:maxRoundRows], true
	}
	return rows, false
}

// begin begins a round, if one is due: it asks the cells around the trips for their drivers.
func (m *matcher) begin(ctx actor.Context, now time.Time) {
	m.timers.Cancel("window")
	if m.round != nil {
		return
	}
	m.forget(now)
	rows, more := m.due(now, m.sys.cfg.Matching.Window)
	switch {
	case len(rows) == 0 && len(m.rows) > 0:
		m.windowAfter(ctx, m.sys.cfg.Matching.Window)
		return
	case len(rows) == 0:
		m.idleLater(ctx)
		return
	}
	m.rounds++
	r := &matchRound{id: m.rounds, began: now, more: more, elapsed: now.Sub(m.began)}
	if m.began.IsZero() {
		r.elapsed = 0
	}
	for _, row := range rows {
		row.round, row.planned = r.id, now
		r.rows = append(r.rows, *row)
	}
	m.round, m.began = r, now
	r.query = &search{id: r.id, area: m.zone.Center(), disk: m.around(rows), mixed: true}
	if m.sys.ask(ctx, r.query, maxRoundDrivers, toArea, nil) {
		m.plan(ctx)
		return
	}
	m.timers.After("search", m.sys.cfg.SearchTimeout, m.sys.sender(ctx.Self(), searchOver{r.id}))
}

// around returns the cells that are in reach of any of the rows, in which drivers of other zones may be, too.
func (m *matcher) around(rows []*openRow) (cells []geo.Cell) {
	type place struct {
		cell  geo.Cell
		reach int
	}
	seen, in := make(map[place]bool), make(map[geo.Cell]bool)
	for _, row := range rows {
		at := place{m.cellOf(row.Pickup), row.Reach}
		if seen[at] {
			continue
		}
		seen[at] = true
		disk, err := at.cell.Disk(at.reach)
		if err != nil {
			continue // its row finds nobody
		}
		for _, cell := range disk {
			if !in[cell] {
				in[cell] = true
				cells = append(cells, cell)
			}
		}
	}
	return cells
}

// plan has workers plan for the drivers found so far.
func (m *matcher) plan(ctx actor.Context) {
	r := m.round
	if r.query.routing {
		return
	}
	m.timers.Cancel("search")
	r.query.routing = true
	r.query.unite()
	now := time.Now()
	job := &matchJob{
		sys: m.sys, round: r.id, policy: m.sys.cfg.Matching, rows: r.rows, drivers: r.query.drivers, cells: r.query.cells,
		state: m.state, elapsed: r.elapsed, demand: m.recent.counts(now), now: now, held: make(map[ride.AccountID]bool, len(m.lately)),
	}
	if len(job.drivers) > maxRoundDrivers {
		job.drivers = job.drivers[:maxRoundDrivers]
	}
	for id := range m.lately {
		job.held[id] = true
	}
	m.sys.stats.matching.stage(stageSearch, now.Sub(r.began))
	self, until := ctx.Self(), now.Add(m.sys.cfg.EstimateTimeout)
	accepted := m.sys.workers.do(func() {
		c, cancel := context.WithDeadline(context.Background(), until)
		defer cancel()
		m.sys.root.Send(self, job.run(c))
	})
	if !accepted { // too many estimates wait: the next window comes
		m.onPlan(ctx, &matchPlan{round: r.id, failed: true}, now)
	}
}

// onPlan sends each trip its wave, or word that it has to wait, and sets the next window.
func (m *matcher) onPlan(ctx actor.Context, p *matchPlan, now time.Time) {
	r := m.round
	if r == nil || r.id != p.round {
		return
	}
	m.round = nil
	p.count(&m.sys.stats.matching)
	if !p.failed {
		m.state = p.state
		m.plans++
		for i := range p.made {
			m.offer(ctx, &p.made[i], now)
		}
		for _, row := range m.rows {
			if why, waits := p.waits[row.Trip]; waits && row.round == p.round {
				row.windows++
				row.why = why
			}
			if !row.First {
				ctx.Send(row.trip, m.word(row))
			}
		}
	}
	next := m.sys.cfg.Matching.Window
	if p.next > 0 {
		next = p.next
	}
	if next -= now.Sub(r.began); r.more && !p.failed {
		next = 0
	}
	m.windowAfter(ctx, next)
}

// offer sends a trip its wave. A trip whose need has changed meanwhile is planned for again.
func (m *matcher) offer(ctx actor.Context, made *matchMade, now time.Time) {
	row := m.rows[made.Trip]
	if row == nil || row.Asked != made.Asked {
		return
	}
	m.lately[made.Driver.Driver] = now
	delete(m.rows, made.Trip)
	ctx.Send(row.trip, *made)
}
