package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// The invariants that clients can judge. docs/simulation.md says what is checked.
const (
	OneWinner     = "I1"
	OneTrip       = "I2"
	NoHole        = "I4"
	OneEnd        = "I5"
	SameAnswer    = "I9"
	VersionsStep  = "I11"
	FreshReads    = "I15"
	EndArrives    = "L1"
	DriverFound   = "L2"
	OneSession    = "L3"
	AccessEnds    = "L4"
	maxFindings   = 10 // described, of each invariant
	resumePatient = 10 * time.Second
)

// Checker judges a history as it happens. It is safe for concurrent use; records of one client must
// be added in order. It remembers live trips and those that ended in the last ten minutes, a few
// hundred bytes for each, and some state for each client.
type Checker struct {
	// Grace is how late the end of an offer may arrive after it expired or its trip was seen
	// matched, cancelled or expired: 5 s unless set before the first record. The promise is 2 s;
	// the rest allows for a lagging simulation. The end of a trip has 15 s more.
	Grace time.Duration

	mu       sync.Mutex
	clients  map[string]*seen
	trips    map[string]*told
	counts   map[string]int64
	late     map[string]int64
	met      map[string]int64
	findings []string
	lags     lags
	faults   faults
	search   searches
	swept    int64
	// walks are exchanging from when a trip was first seen for which a closer driver was asked, or whose drivers were
	// exchanged. Its rider hears of either.
	walks *walks
}

// seen is what one client knows.
type seen struct {
	name          string
	role, account string
	connected     bool
	since         int64 // when the session began
	began         bool  // epoch and seq are valid
	epoch         string
	seq, replayTo uint32
	active        string
	own           map[string]*party // trips that it has, as far as it knows
	calls         map[string]int64  // when it sent each command that is unanswered
	open          map[string]int64  // offers, with the time by which they should have ended
	answers       map[string]string // digests, by command
	order         []string          // of answers

	free   freedom // of a driver
	older  older
	lost   string // close code of the last session that ended
	barred barred
}

// told is what clients have received about a trip, by increasing version, which of them have it, and
// who holds offers of it.
type told struct {
	at      int64 // when it last appeared
	facts   []fact
	offers  []shown
	parties map[*seen]*party
	ended   int64           // when the history first showed its end; 0: not yet
	closed  map[string]bool // offers whose end has arrived
	hunt    *hunt           // the search for a driver; nil: it is not judged
	asked   map[*seen]bool  // drivers who were offered the trip, if searches are judged
}

// shown is an offer that a client has seen.
type shown struct {
	to    *seen
	offer string
}

// fact is a version of a trip. The change that led to it is empty where no event has told it.
type fact struct {
	version        uint32
	status, driver string
	change         string
}

// NewChecker makes a checker.
func NewChecker() *Checker {
	return &Checker{
		Grace: 5 * time.Second, clients: make(map[string]*seen), trips: make(map[string]*told),
		late:  map[string]int64{OneEnd: 0, EndArrives: 0},
		walks: plain,
		met:   make(map[string]int64), search: searches{trips: make(map[string]*told)},
		counts: map[string]int64{
			OneWinner: 0, OneTrip: 0, NoHole: 0, OneEnd: 0, SameAnswer: 0, VersionsStep: 0, FreshReads: 0, EndArrives: 0,
		},
	}
}

// judges lists an invariant that not every history is judged by.
func (c *Checker) judges(invariant string) {
	for _, m := range []map[string]int64{c.counts, c.late, c.met} {
		m[invariant] += 0
	}
}

// Violations counts violations by invariant; every invariant is present that the history is judged
// by.
func (c *Checker) Violations() map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[string]int64, len(c.counts))
	for k, n := range c.counts {
		out[k] = n
	}
	return out
}

// Late counts, by invariant, what arrived after its bound while this machine lagged: see Lagging.
// worst is the longest lag of a timer.
func (c *Checker) Late() (late map[string]int64, worst time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.late), time.Duration(c.lags.worst)
}

// Overdue is how many ends of offers and trips should have arrived by now and have not. lagged says whether
// the machine lagged before that: then they may still arrive, even once the machine is calm again
// and works off its backlog.
func (c *Checker) Overdue(now int64) (n int, lagged bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.clients {
		for _, expires := range k.open {
			if c.overdue(k, expires, now) {
				n++
			}
		}
		for _, p := range k.own {
			if c.behind(k, p, now) {
				n++
			}
		}
		if c.cutOff(k, now) {
			n++
		}
		if c.olderLate(k, now) {
			n++
		}
		if c.barredLate(k, now) {
			n++
		}
	}
	return n, c.lags.within(now-int64(resumePatient), now)
}

// Met counts, by invariant, how often its condition was met and what it requires happened: a rule that
// was never put to the test proves nothing.
func (c *Checker) Met() map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.met)
}

// Lag is how long timers of this machine were late in all between two moments.
func (c *Checker) Lag(from, to int64) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Duration(c.lags.total(from, to))
}

// Findings describes the first violations of each invariant.
func (c *Checker) Findings() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.findings)
}

// OpenOffers is the number of offers, shown to clients with a session, whose end has not arrived.
func (c *Checker) OpenOffers() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, k := range c.clients {
		if k.connected {
			n += len(k.open)
		}
	}
	return n
}

func (c *Checker) violated(invariant, format string, args ...any) {
	c.counts[invariant]++
	if c.counts[invariant] <= maxFindings {
		c.findings = append(c.findings, invariant+": "+fmt.Sprintf(format, args...))
	}
}

// Add judges one more record.
func (c *Checker) Add(r Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch r.What {
	case Call, Lost, End, Read, Return, Again, Look, Killed, Lagged:
		c.outside(r)
	case Promised, Placed, FaultBegan, FaultEnded, OlderNews, OlderEnded, Barred, Committed:
		c.around(r)
	default:
		c.session(r)
	}
	c.searched(r)
}

// around handles what happens beside the sessions' histories.
func (c *Checker) around(r Record) {
	switch r.What {
	case Promised:
		c.search.reach = r.Reach
		c.judges(DriverFound)
	case Placed:
		c.client(r).free.placed(r)
	case FaultBegan:
		c.faults.begin(r.At)
	case FaultEnded:
		c.faults.end(r.At)
	case OlderNews:
		c.olderNews(c.client(r), r)
	case OlderEnded:
		c.olderEnded(c.client(r), r)
	case Barred:
		c.bar(c.client(r), r)
	case Committed:
		c.ends(c.trip(r.Trip, r.At), r)
	}
}

// session handles a session's beginning and its numbered events.
func (c *Checker) session(r Record) {
	c.sweep(r.At)
	k := c.client(r)
	switch r.What {
	case Connected:
		c.connected(k, r)
	case Offered:
		c.numbered(k, r)
		if t := c.trip(r.Trip, r.At); !t.closed[r.Offer] {
			k.open[r.Offer] = r.Expires
			t.offers = append(t.offers, shown{k, r.Offer})
		}
	case OfferEnded:
		c.numbered(k, r)
		c.offerEnded(k, r)
	case TripNews:
		c.numbered(k, r)
		c.news(k, r)
	case RouteNews:
		c.routed(k, r)
	default:
		c.numbered(k, r)
	}
}

// outside handles what is not part of a session's numbered history.
func (c *Checker) outside(r Record) {
	switch r.What {
	case Call:
		c.client(r).called(r)
	case Lost:
		k := c.client(r)
		k.connected = false
		if r.Older {
			c.left(k)
		}
		c.barredLost(k, r)
	case Return:
		k := c.client(r)
		c.answered(r)
		if r.Code == "" && r.Trip != "" {
			c.tell(r, owner(k, r))
		}
		c.replied(k, r)
	case Again:
		c.answered(r)
	case Look:
		if r.Version < r.Least {
			c.violated(FreshReads, "trip %s was read at version %d after version %d had been sent", r.Trip, r.Version, r.Least)
		}
		c.tell(r, r.Driver)
	case Read:
		c.read(r)
	case Lagged:
		c.lags.add(r.At, r.Lag)
	case End:
		c.end(r.At)
	}
}

// answered compares a command's answer with an earlier one, if answers are compared.
func (c *Checker) answered(r Record) {
	if r.Reply == "" {
		return
	}
	k := c.client(r)
	switch before, ok := k.answers[r.ID]; {
	case !ok:
		if k.answers == nil {
			k.answers = make(map[string]string)
		}
		k.answers[r.ID] = r.Reply
		if k.order = append(k.order, r.ID); len(k.order) > keepWords {
			delete(k.answers, k.order[0])
			k.order = k.order[1:]
		}
	case before != r.Reply:
		c.violated(SameAnswer, "%s got another answer to its command %s (%s of trip %s) when it repeated it", r.Who, r.ID, r.Op, r.Trip)
	}
}

// trip returns the state of a trip that appears now.
func (c *Checker) trip(id string, now int64) *told {
	t := c.trips[id]
	if t == nil {
		t = &told{parties: make(map[*seen]*party), closed: make(map[string]bool)}
		c.trips[id] = t
	}
	t.at = max(t.at, now)
	return t
}

// hasEnded reports whether an offer's end has arrived: its trip is the part of its id before the dot.
func (c *Checker) hasEnded(offer string) bool {
	t := c.trips[tripOf(offer)]
	return t != nil && t.closed[offer]
}

// tripOf is the trip of an offer.
func tripOf(offer string) string { return offer[:max(strings.LastIndexByte(offer, '.'), 0)] }

func (c *Checker) client(r Record) *seen {
	k := c.clients[r.Who]
	if k == nil {
		k = &seen{
			name: r.Who, role: r.Role, open: make(map[string]int64), own: make(map[string]*party), calls: make(map[string]int64),
		}
		c.clients[r.Who] = k
	}
	return k
}

// connected begins a session.
func (c *Checker) connected(k *seen, r Record) {
	k.role, k.account, k.connected, k.since, k.replayTo = r.Role, r.Account, true, r.At, r.Seq
	if r.Resumed {
		if !k.began || r.Epoch != k.epoch || r.Seq < k.seq {
			c.violated(NoHole, "%s resumed %s/%d and is at %s/%d", r.Who, k.epoch, k.seq, r.Epoch, r.Seq)
		}
	} else {
		k.epoch, k.seq = r.Epoch, r.Seq
		k.open = make(map[string]int64)
		for _, o := range r.Open {
			if c.hasEnded(o) {
				c.violated(OneEnd, "%s received the end of offer %s, and later a snapshot in which it is open", r.Who, o)
			}
			k.open[o] = r.At + int64(time.Minute) // at most: the snapshot does not say when
		}
	}
	k.began = true
	k.active = ""
	if r.Older {
		k.older = older{open: true, since: r.At}
	}
	c.barredBegan(k, r)
	if !r.Resumed { // otherwise the event that says how a trip ended follows
		k.snapshot(r.Trip)
	}
	if r.Trip != "" {
		k.active = r.Trip
		p := c.trip(r.Trip, r.At).party(k)
		if r.Version < p.received {
			c.violated(VersionsStep, "%s had received version %d of trip %s, and later a snapshot at version %d", r.Who, p.received, r.Trip, r.Version)
		}
		p.received = max(p.received, r.Version)
		c.tell(r, owner(k, r))
		c.inform(k, r)
	}
}

// numbered checks that an event is the next one.
func (c *Checker) numbered(k *seen, r Record) {
	if !k.began || r.Epoch != k.epoch || r.Seq != k.seq+1 {
		c.violated(NoHole, "%s was at %s/%d and got event %s/%d", r.Who, k.epoch, k.seq, r.Epoch, r.Seq)
	}
	k.began, k.epoch, k.seq = true, r.Epoch, r.Seq
}

func (c *Checker) offerEnded(k *seen, r Record) {
	t := c.trip(r.Trip, r.At)
	switch expires, open := k.open[r.Offer]; {
	case t.closed[r.Offer]:
		c.violated(OneEnd, "%s received the end of offer %s twice", r.Who, r.Offer)
	case !open || !c.overdue(k, expires, r.At):
	case c.lags.within(max(expires, k.since), r.At):
		c.late[OneEnd]++
	default:
		c.violated(OneEnd, "%s received the end of offer %s late", r.Who, r.Offer)
	}
	delete(k.open, r.Offer)
	t.closed[r.Offer] = true
}

// overdue reports whether an offer's end should have arrived by now.
func (c *Checker) overdue(k *seen, expires, now int64) bool {
	return k.connected && k.seq >= k.replayTo && now-c.faults.after(max(expires, k.since), now) > int64(c.Grace)
}

// news checks what a session receives about a trip.
func (c *Checker) news(k *seen, r Record) {
	c.tell(r, owner(k, r))
	replayed, has := k.seq <= k.replayTo, k.owns(r.Status)
	if !replayed || !has {
		c.inform(k, r)
	}
	p := c.trip(r.Trip, r.At).party(k)
	c.forward(p, r)
	if r.Version <= p.received {
		return
	}
	p.received = r.Version
	if replayed {
		if !live(r.Status) && k.active == r.Trip {
			k.active = ""
		}
		return // older than the snapshot, which was judged
	}
	switch {
	case has && k.active != "" && k.active != r.Trip:
		c.violated(OneTrip, "%s %s has the trips %s and %s at once", k.role, r.Who, k.active, r.Trip)
		k.active = r.Trip
	case has:
		k.active = r.Trip
	case k.active == r.Trip:
		k.active = ""
	}
}

// forward checks that the events of an epoch, replayed or not, never bring an older version of a trip after
// a newer one. The snapshot beside them may be ahead of them: it is read from the database.
func (c *Checker) forward(p *party, r Record) {
	if p.epoch != r.Epoch {
		p.epoch, p.event = r.Epoch, 0
	}
	if r.Version < p.event {
		c.violated(VersionsStep, "%s received an event of trip %s at version %d after one at version %d", r.Who, r.Trip, r.Version, p.event)
	}
	p.event = max(p.event, r.Version)
}

// owner is the driver of a record's trip, if the record names one.
func owner(k *seen, r Record) string { return r.Owner(k.account) }

// stops reports whether a version that is the newest shows that a trip has stopped searching: for a driver, or, where
// it has one, for a closer one.
func (t *told) stops(i int) bool {
	f := t.facts[i]
	switch {
	case i < len(t.facts)-1 || f.status == requested:
		return false
	case f.status != matched || i == 0:
		return true
	}
	before := t.facts[i-1]
	return before.status != matched || f.driver != "" && before.driver != "" && f.driver != before.driver
}

// decided notes, the first time any client sees it, that a trip has stopped searching: holders of
// its offers must receive their end now, not when the offer would have expired. A driver can give a
// trip back, and new offers follow, only after the driver has received the match; so all offers
// that are open when the match first appears are older.
func decided(t *told, r Record) {
	for _, o := range t.offers {
		if by, open := o.to.open[o.offer]; open {
			o.to.open[o.offer] = min(by, r.At)
		}
	}
	t.offers = nil
}

// tell compares what a client received about a trip with what all clients received before.
func (c *Checker) tell(r Record, driver string) {
	if _, known := steps[r.Status]; r.Trip == "" || !known || r.lost() {
		return
	}
	if r.What == TripNews && r.Status == matched && r.Change != "" && r.Change != matched {
		c.walks = exchanging
	}
	t := c.trip(r.Trip, r.At)
	i, found := slices.BinarySearchFunc(t.facts, r.Version, func(f fact, v uint32) int { return int(f.version) - int(v) })
	if found {
		f := &t.facts[i]
		learnt := f.change == "" && r.change() != ""
		c.same(r, f, driver)
		if learnt && i > 0 {
			c.checkStep(r, t.facts[i-1], *f)
		}
		return
	}
	f := fact{r.Version, r.Status, driver, r.change()}
	if i > 0 {
		c.checkStep(r, t.facts[i-1], f)
	} else if !c.walks.walk(requested, f.status, f.version-1) {
		c.violated(VersionsStep, "trip %s cannot be %s at version %d", r.Trip, f.status, f.version)
	}
	if i < len(t.facts) {
		c.checkStep(r, f, t.facts[i])
	}
	t.facts = slices.Insert(t.facts, i, f)
	c.ends(t, r)
	if t.stops(i) {
		decided(t, r)
	}
}

// same compares two records of one version.
func (c *Checker) same(r Record, f *fact, driver string) {
	if f.status != r.Status {
		c.violated(VersionsStep, "trip %s was both %s and %s at version %d", r.Trip, f.status, r.Status, r.Version)
	}
	if f.driver != "" && driver != "" && f.driver != driver {
		c.violated(OneWinner, "trip %s had the drivers %s and %s at version %d", r.Trip, f.driver, driver, r.Version)
	}
	if f.driver == "" {
		f.driver = driver
	}
	if f.change == "" {
		f.change = r.change()
	}
}

// checkStep checks that one record can lead to another.
func (c *Checker) checkStep(r Record, a, b fact) {
	n := b.version - a.version
	if a.driver != "" && b.driver != "" && a.driver != b.driver {
		exchange := c.walks == exchanging && c.walks.exchanged(a.status, b.status, n) && (n > 1 || b.change == "" || b.change == exchanged)
		if !exchange && !c.walks.released(a.status, b.status, n) {
			c.violated(OneWinner, "trip %s: driver %s was %s at version %d, driver %s %s at version %d, and it was neither given back nor exchanged",
				r.Trip, a.driver, a.status, a.version, b.driver, b.status, b.version)
		}
		return
	}
	if !c.walks.walk(a.status, b.status, n) {
		c.violated(VersionsStep, "trip %s: %s at version %d cannot be %s at version %d", r.Trip, a.status, a.version, b.status, b.version)
	}
}

// read compares the HTTP API's view with what sockets received.
func (c *Checker) read(r Record) {
	for i, v := range r.Versions {
		if v != uint32(i)+1 {
			c.violated(VersionsStep, "trip %s: event %d of its history has the version %d", r.Trip, i+1, v)
			break
		}
	}
	t := c.trips[r.Trip]
	if t == nil || len(t.facts) == 0 {
		return
	}
	last := t.facts[len(t.facts)-1]
	switch {
	case r.Version < last.version:
		c.violated(NoHole, "trip %s was %s at version %d, and is read at version %d", r.Trip, last.status, last.version, r.Version)
	case r.Version == last.version && r.Status != last.status,
		!c.walks.walk(last.status, r.Status, r.Version-last.version):
		c.violated(NoHole, "trip %s was %s at version %d, and is read as %s at version %d",
			r.Trip, last.status, last.version, r.Status, r.Version)
	}
	c.compare(t, r)
}
