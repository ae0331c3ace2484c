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
	maxFindings   = 10 // described, of each invariant
	resumePatient = 10 * time.Second
)

// Checker judges a history as it happens. It is safe for concurrent use; records of one client must
// be added in order. It remembers live trips and those that ended in the last ten minutes, a few
// hundred bytes for each, and some state for each client.
type Checker struct {
	// Grace is how late the end of an offer may arrive after it expired or its trip was seen
	// matched, cancelled or expired: 5 s unless set before the first record. The promise is 2 s;
	// the rest allows for a lagging simulation.
	Grace time.Duration

	mu       sync.Mutex
	clients  map[string]*seen
	trips    map[string]*told
	counts   map[string]int64
	late     map[string]int64
	findings []string
	lags     lags
	swept    int64
}

// seen is what one client knows.
type seen struct {
	role, account string
	connected     bool
	since         int64 // when the session began
	began         bool  // epoch and seq are valid
	epoch         string
	seq, replayTo uint32
	active        string
	open          map[string]int64  // offers, with the time by which they should have ended
	answers       map[string]string // digests, by command
	order         []string          // of answers
}

// told is what clients have received about a trip, by increasing version, and who holds offers of
// it.
type told struct {
	at       int64 // when it last appeared
	facts    []fact
	offers   []shown
	versions map[*seen]uint32 // the newest that each client has received
	ended    map[string]bool  // offers
}

// shown is an offer that a client has seen.
type shown struct {
	to    *seen
	offer string
}

type fact struct {
	version        uint32
	status, driver string
}

// NewChecker makes a checker.
func NewChecker() *Checker {
	return &Checker{
		Grace: 5 * time.Second, clients: make(map[string]*seen), trips: make(map[string]*told),
		late: map[string]int64{OneEnd: 0},
		counts: map[string]int64{
			OneWinner: 0, OneTrip: 0, NoHole: 0, OneEnd: 0, SameAnswer: 0, VersionsStep: 0, FreshReads: 0,
		},
	}
}

// Violations counts violations by invariant; every invariant is present.
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

// Overdue is how many ends of offers should have arrived by now and have not. lagged says whether
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
		if c.cutOff(k, now) {
			n++
		}
	}
	return n, c.lags.within(now-int64(resumePatient), now)
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
		return
	}
	c.sweep(r.At)
	k := c.client(r)
	switch r.What {
	case Connected:
		c.connected(k, r)
	case Offered:
		c.numbered(k, r)
		if t := c.trip(r.Trip, r.At); !t.ended[r.Offer] {
			k.open[r.Offer] = r.Expires
			t.offers = append(t.offers, shown{k, r.Offer})
		}
	case OfferEnded:
		c.numbered(k, r)
		c.offerEnded(k, r)
	case TripNews:
		c.numbered(k, r)
		c.news(k, r)
	default:
		c.numbered(k, r)
	}
}

// outside handles what is not part of a session's numbered history.
func (c *Checker) outside(r Record) {
	switch r.What {
	case Lost:
		c.client(r).connected = false
	case Return:
		k := c.client(r)
		c.answered(r)
		if r.Code == "" && r.Trip != "" {
			c.tell(r, owner(k, r))
		}
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
		t = &told{versions: make(map[*seen]uint32), ended: make(map[string]bool)}
		c.trips[id] = t
	}
	t.at = max(t.at, now)
	return t
}

// hasEnded reports whether an offer's end has arrived; its trip is the part before the dot.
func (c *Checker) hasEnded(offer string) bool {
	t := c.trips[offer[:max(strings.LastIndexByte(offer, '.'), 0)]]
	return t != nil && t.ended[offer]
}

func (c *Checker) client(r Record) *seen {
	k := c.clients[r.Who]
	if k == nil {
		k = &seen{
			role: r.Role, open: make(map[string]int64),
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
	if r.Trip != "" {
		k.active = r.Trip
		t := c.trip(r.Trip, r.At)
		t.versions[k] = max(t.versions[k], r.Version)
		c.tell(r, owner(k, r))
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
	case t.ended[r.Offer]:
		c.violated(OneEnd, "%s received the end of offer %s twice", r.Who, r.Offer)
	case !open || !c.overdue(k, expires, r.At):
	case c.lags.within(max(expires, k.since), r.At):
		c.late[OneEnd]++
	default:
		c.violated(OneEnd, "%s received the end of offer %s late", r.Who, r.Offer)
	}
	delete(k.open, r.Offer)
	t.ended[r.Offer] = true
}

// overdue reports whether an offer's end should have arrived by now.
func (c *Checker) overdue(k *seen, expires, now int64) bool {
	return k.connected && k.seq >= k.replayTo && now-max(expires, k.since) > int64(c.Grace)
}

// news checks what a session receives about a trip.
func (c *Checker) news(k *seen, r Record) {
	c.tell(r, owner(k, r))
	t := c.trip(r.Trip, r.At)
	if r.Version <= t.versions[k] {
		return
	}
	t.versions[k] = r.Version
	if k.seq <= k.replayTo {
		if !live(r.Status) && k.active == r.Trip {
			k.active = ""
		}
		return // replayed: older than the snapshot, which was judged
	}
	has := occupied(r.Status) || (k.role == "rider" && r.Status == requested)
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

// owner is the driver of a record's trip, if the record names one.
func owner(k *seen, r Record) string { return r.Owner(k.account) }

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
	if _, known := steps[r.Status]; r.Trip == "" || !known {
		return
	}
	t := c.trip(r.Trip, r.At)
	i, found := slices.BinarySearchFunc(t.facts, r.Version, func(f fact, v uint32) int { return int(f.version) - int(v) })
	if found {
		c.same(r, &t.facts[i], driver)
		return
	}
	f := fact{r.Version, r.Status, driver}
	if i > 0 {
		c.checkStep(r, t.facts[i-1], f)
	} else if !walk(requested, f.status, f.version-1) {
		c.violated(VersionsStep, "trip %s cannot be %s at version %d", r.Trip, f.status, f.version)
	}
	if i < len(t.facts) {
		c.checkStep(r, f, t.facts[i])
	}
	t.facts = slices.Insert(t.facts, i, f)
	if i == len(t.facts)-1 && r.Status != requested {
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
}

// checkStep checks that one record can lead to another.
func (c *Checker) checkStep(r Record, a, b fact) {
	n := b.version - a.version
	if a.driver != "" && b.driver != "" && a.driver != b.driver {
		if !walkReleased(a.status, b.status, n) {
			c.violated(OneWinner, "trip %s: driver %s was %s at version %d, driver %s %s at version %d, and it was not given back",
				r.Trip, a.driver, a.status, a.version, b.driver, b.status, b.version)
		}
		return
	}
	if !walk(a.status, b.status, n) {
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
		!walk(last.status, r.Status, r.Version-last.version):
		c.violated(NoHole, "trip %s was %s at version %d, and is read as %s at version %d",
			r.Trip, last.status, last.version, r.Status, r.Version)
	}
}

// cutOff reports whether a client should have received everything that it missed by now.
func (c *Checker) cutOff(k *seen, now int64) bool {
	return k.connected && k.seq < k.replayTo && now-k.since > int64(resumePatient)
}

// end judges what has not happened.
func (c *Checker) end(now int64) {
	for who, k := range c.clients {
		if c.cutOff(k, now) {
			c.violated(NoHole, "%s resumed and never received the events %d to %d", who, k.seq+1, k.replayTo)
		}
		for offer, expires := range k.open {
			if c.overdue(k, expires, now) {
				c.violated(OneEnd, "%s never received the end of offer %s", who, offer)
			}
		}
	}
}
