package membership

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Judge holds what this process knows of the cluster. It is not safe for concurrent use: one owner
// calls all methods. Times are of this process's clock and never go backwards; a time before the
// latest one counts as the latest one. After the verdict to end, inputs change nothing.
type Judge struct {
	limits Limits
	self   Member
	now    time.Time // of the latest input

	joined, leaving, leaseLost bool

	// listed is the registry's latest word on the others: its own, or that of members which reach it
	// while we do not.
	listed   map[ID]Member
	listedAt time.Time // when our latest listing was asked for; zero: never
	arrived  time.Time // when it arrived
	// The registry may lose the keys of processes that run: when it was away for a while, or when it
	// has lost ours (lapsed: our latest listing lacked ourselves). For as long as a lease lasts they
	// have time to register again: until amnesty a missing key means nothing.
	lapsed  bool
	amnesty time.Time

	noDatabase bool
	worse      time.Time // since when others reach the database and we do not; zero: not so

	others  map[ID]*other // those that we count
	heardOf map[ID]Member // those that only others count, and that have not answered us
	gone    []Exclusion   // the newest last
	end     End
	pause   time.Duration // the longest one
}

// other is another member that we count.
type other struct {
	Member
	// answered is when the latest ping that it answered was sent, or when we first counted it.
	// heard is the same, but does not grow older while we stand still.
	answered, heard time.Time
	// said is its latest answer, to a ping that was sent at saidAt; zero: none yet.
	said   Answer
	saidAt time.Time
	// differs is since when its table is not ours; zero: it is ours.
	differs time.Time
}

// list takes what the registry says of a member. Its settings may have changed since it registered.
func (o *other) list(m Member) {
	o.Member = m
	if !o.saidAt.IsZero() {
		o.Settings = o.said.From.Settings
	}
}

// New returns a Judge for a process that has not registered yet.
func New(self Member, limits Limits, now time.Time) (*Judge, error) {
	if err := limits.Validate(); err != nil {
		return nil, err
	}
	if self.Node == "" || self.Incarnation == "" {
		return nil, fmt.Errorf("membership: a member needs a node's name and an incarnation, not %q", self.ID)
	}
	return &Judge{
		limits: limits, self: self, now: now,
		listed: map[ID]Member{}, others: map[ID]*other{}, heardOf: map[ID]Member{},
	}, nil
}

// Tick says that this process runs. Its owner calls it every Limits.Tick.
func (j *Judge) Tick(now time.Time) {
	j.advance(now)
	j.decide()
}

// Listed reports a listing of the registry that was asked for at a time: all members with a key, this
// process among them if it has one.
func (j *Judge) Listed(now, asked time.Time, members []Member) {
	j.advance(now)
	if !asked.After(j.listedAt) {
		j.decide()
		return
	}
	away := !j.listedAt.IsZero() && j.now.Sub(j.arrived) > j.limits.away()
	j.listedAt, j.arrived = asked, j.now
	next := make(map[ID]Member, len(members))
	present := false
	for _, m := range members {
		if m.ID == j.self.ID {
			present = true
			j.self.Joined = m.Joined
			j.self.Joining = j.self.Joining && m.Joining
			j.joined = j.joined || !m.Leaving && !m.Joining
			continue
		}
		next[m.ID] = m
	}
	if away || j.joined && !present && !j.lapsed {
		j.amnesty = j.now.Add(j.limits.Lease)
	}
	j.lapsed = !present
	if j.now.Before(j.amnesty) {
		for id, m := range j.listed {
			if _, ok := next[id]; !ok {
				next[id] = m
			}
		}
	}
	j.listed = next
	j.decide()
}

// ListFailed reports that a listing failed: the last one holds.
func (j *Judge) ListFailed(now time.Time) { j.Tick(now) }

// Answered reports what a member replied to a ping that was sent to it at a time. The answer of
// another process at the same address is ignored.
func (j *Judge) Answered(now, asked time.Time, to ID, a Answer) {
	j.advance(now)
	if a.From.ID != to {
		j.decide()
		return
	}
	o := j.others[to]
	if _, known := j.heardOf[to]; o == nil && known && !a.From.Leaving && !a.From.Joining {
		delete(j.heardOf, to)
		o = &other{Member: a.From, answered: asked, heard: asked}
		j.others[to] = o
	}
	if o != nil && !asked.Before(o.saidAt) {
		o.said, o.saidAt = a, asked
		o.Settings = a.From.Settings
		o.answered, o.heard = later(o.answered, asked), later(o.heard, asked)
		if a.You == Out && !j.leaving {
			j.endBy(CountedOut, fmt.Sprintf("%v has dropped it as a member", to))
		}
	}
	j.decide()
}

// Settings reports those of this process; see Member.Settings. They may change while it runs: the others
// hear of it with its next answers.
func (j *Judge) Settings(now time.Time, settings string) {
	j.advance(now)
	j.self.Settings = settings
	j.decide()
}

// LeaseLost reports that the registry no longer knows our lease. The caller asks View for a verdict
// before it registers again.
func (j *Judge) LeaseLost(now time.Time) {
	j.advance(now)
	j.leaseLost = true
	j.decide()
}

// LeaseGranted reports that this process is registered, for the first time or again.
func (j *Judge) LeaseGranted(now time.Time) {
	j.advance(now)
	j.leaseLost = false
	j.decide()
}

// Database reports whether this process reaches the database. Until the first report it does.
func (j *Judge) Database(now time.Time, good bool) {
	j.advance(now)
	j.noDatabase = !good
	j.decide()
}

// Leave reports that this process hands over its work: it no longer counts itself, and no longer
// ends because others have dropped it.
func (j *Judge) Leave(now time.Time) {
	j.advance(now)
	j.leaving, j.self.Leaving = true, true
	j.decide()
}

// Answer returns the reply to a ping of another process. It is false once this process must end: then
// it stays silent.
func (j *Judge) Answer(now time.Time, to ID) (Answer, bool) {
	j.Tick(now)
	a := Answer{
		From: j.self, You: j.standing(to), Database: !j.noDatabase,
		Fresh: j.fresh(j.listedAt) && j.joined,
	}
	if j.counts() {
		a.Counted = append(a.Counted, Counted{Member: j.self, Heard: true})
	}
	for _, id := range sorted(j.others) {
		o := j.others[id]
		a.Counted = append(a.Counted, Counted{Member: o.Member, Heard: j.answers(o)})
	}
	return a, j.end.Rule == Stay
}

// standing is what this process says of another. Before it has joined it has no say: what it knows may
// be old.
func (j *Judge) standing(id ID) Standing {
	switch {
	case !j.joined:
		return Unknown
	case j.others[id] != nil:
		return In
	case j.excluded(id) != nil:
		return Out
	default:
		return Unknown
	}
}

// View returns what follows from the inputs so far.
func (j *Judge) View() View {
	v := View{
		Joined: j.joined, Excluded: slices.Clone(j.gone), Warnings: j.warnings(),
		Threat: j.threat(), End: j.end, Pause: j.pause,
	}
	if j.counts() {
		v.Members = append(v.Members, j.self)
	}
	for _, id := range sorted(j.others) {
		o := j.others[id]
		v.Members = append(v.Members, o.Member)
		v.Ping = append(v.Ping, o.Member)
		if j.now.Sub(o.answered) > j.limits.Late {
			v.Late = append(v.Late, Late{id, o.answered})
		}
	}
	for _, id := range sorted(j.heardOf) {
		v.Ping = append(v.Ping, j.heardOf[id])
	}
	for _, id := range sorted(j.listed) {
		m := j.listed[id]
		_, known := j.heardOf[id]
		switch {
		case j.others[id] == nil && !known && m.Joining:
			v.Ping = append(v.Ping, m)
		case !j.joined && j.others[id] != nil && !j.answers(j.others[id]):
			v.Awaited = append(v.Awaited, m)
		}
		if e := j.excluded(id); e != nil && e.Reason == Left {
			v.Leaving = append(v.Leaving, e.Member)
		}
	}
	slices.SortFunc(v.Members, func(a, b Member) int { return a.Compare(b.ID) })
	return v
}

// counts reports whether this process counts itself.
func (j *Judge) counts() bool { return j.joined && !j.leaving }

// MayJoin reports whether this process may register as a member: it does not while it reaches too few
// of the members. A node that is started again while it is cut off thus takes over nothing.
func (j *Judge) MayJoin() bool {
	_, _, enough := j.reach(j.answers)
	return enough && j.fresh(j.listedAt) && j.end.Rule == Stay
}

// answers reports whether another member has answered lately.
func (j *Judge) answers(o *other) bool { return !o.saidAt.IsZero() && j.fresh(o.answered) }

// fresh reports whether something is recent enough to count as evidence.
func (j *Judge) fresh(at time.Time) bool { return !at.IsZero() && j.now.Sub(at) <= j.limits.Silent }

func (j *Judge) excluded(id ID) *Exclusion {
	i := slices.IndexFunc(j.gone, func(e Exclusion) bool { return e.ID == id })
	if i < 0 {
		return nil
	}
	return &j.gone[i]
}

// sorted returns a map's keys in order, so that nothing depends on the order of maps.
func sorted[V any](m map[ID]V) []ID {
	return slices.SortedFunc(maps.Keys(m), ID.Compare)
}

func later(a, b time.Time) time.Time {
	if cmp.Compare(a.Sub(b), 0) > 0 {
		return a
	}
	return b
}
