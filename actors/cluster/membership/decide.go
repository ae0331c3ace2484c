package membership

import (
	"fmt"
	"time"
)

// advance moves the clock. A gap between two inputs beyond the interval of ticks is time in which
// this process did not run. What others failed to do meanwhile is no evidence against them.
func (j *Judge) advance(now time.Time) {
	gap := now.Sub(j.now)
	if gap <= 0 {
		return
	}
	j.now = now
	lag := gap - j.limits.Tick
	if lag <= 0 {
		return
	}
	j.pause = max(j.pause, lag)
	if j.joined && lag > j.limits.Lease {
		j.endBy(StoodStill, fmt.Sprintf("it stood still for %v, longer than its lease of %v", lag.Round(time.Millisecond), j.limits.Lease))
	}
	for _, o := range j.others {
		o.heard = o.heard.Add(lag)
		if !o.differs.IsZero() {
			o.differs = o.differs.Add(lag)
		}
	}
	if !j.worse.IsZero() {
		j.worse = j.worse.Add(lag)
	}
}

// decide draws the consequences of an input.
func (j *Judge) decide() {
	if j.end.Rule != Stay {
		return
	}
	j.adopt()
	j.drop()
	j.admit()
	j.compare()
	j.judge()
}

// adopt replaces a listing that has become old by what members that reach the registry count, if
// any do. Otherwise the last listing holds.
func (j *Judge) adopt() {
	if j.listedAt.IsZero() || j.fresh(j.listedAt) {
		return
	}
	next := map[ID]Member{}
	for _, id := range sorted(j.others) {
		o := j.others[id]
		if !j.fresh(o.saidAt) || !o.said.Fresh {
			continue
		}
		for _, c := range o.said.Counted {
			if c.ID != j.self.ID {
				next[c.ID] = c.Member
			}
		}
	}
	if len(next) > 0 { // a member counts itself
		j.listed = next
	}
}

// drop removes the members that are gone. While we do not reach enough of the listed ones, silence
// may be our own fault and is no reason.
func (j *Judge) drop() {
	_, _, hears := j.reach(j.heardWithin(j.limits.Silent))
	for _, id := range sorted(j.others) {
		if reason := j.isGone(j.others[id], hears); reason != 0 {
			j.gone = append(j.gone, Exclusion{Member: j.others[id].Member, Reason: reason, At: j.now})
			delete(j.others, id)
		}
	}
	if n := len(j.gone) - j.limits.Excluded; n > 0 {
		j.gone = append(j.gone[:0], j.gone[n:]...)
	}
}

// isGone returns why a member is gone, or 0. hears says whether silence counts.
func (j *Judge) isGone(o *other, hears bool) Reason {
	m, listed := j.listed[o.ID]
	switch {
	case m.Leaving || o.said.From.Leaving:
		return Left
	case !listed && hears && j.isSilent(o):
		return Silent
	default:
		return 0
	}
}

// isSilent reports whether neither we nor any member that answers us has heard from a member lately.
// Without the word of others, one bad link would be enough to drop a member that has lost the
// registry.
func (j *Judge) isSilent(o *other) bool {
	if j.now.Sub(o.heard) <= j.limits.Silent {
		return false
	}
	for _, p := range j.others {
		if p == o || !j.fresh(p.saidAt) {
			continue
		}
		if _, heard := p.said.lists(o.ID); heard {
			return false
		}
	}
	return true
}

// admit counts those that are listed, and gathers those that only others count: they are counted
// once they answer.
func (j *Judge) admit() {
	for _, id := range sorted(j.listed) {
		m := j.listed[id]
		e := j.excluded(id)
		switch {
		case j.others[id] != nil:
			j.others[id].list(m)
		case m.Joining || m.Leaving || e != nil && e.Reason == Left:
		default:
			j.others[id] = &other{Member: m, answered: j.now, heard: j.now}
			j.readmit(id)
		}
	}
	clear(j.heardOf)
	for _, id := range sorted(j.others) {
		o := j.others[id]
		if !j.fresh(o.saidAt) {
			continue
		}
		for _, c := range o.said.Counted {
			if c.ID != j.self.ID && j.others[c.ID] == nil && j.excluded(c.ID) == nil {
				j.heardOf[c.ID] = c.Member
			}
		}
	}
}

// readmit forgets that a member was dropped.
func (j *Judge) readmit(id ID) {
	kept := j.gone[:0]
	for _, e := range j.gone {
		if e.ID != id {
			kept = append(kept, e)
		}
	}
	j.gone = kept
}

// compare notes since when other members' tables are not ours.
func (j *Judge) compare() {
	for _, o := range j.others {
		if !j.fresh(o.saidAt) {
			continue
		}
		switch {
		case j.agrees(o):
			o.differs = time.Time{}
		case o.differs.IsZero():
			o.differs = j.now
		}
	}
}

// agrees reports whether another member counts the same members.
func (j *Judge) agrees(o *other) bool {
	n := len(j.others)
	if j.counts() {
		n++
	}
	for _, c := range o.said.Counted {
		if c.ID == j.self.ID && !j.counts() || c.ID != j.self.ID && j.others[c.ID] == nil {
			return false
		}
	}
	return len(o.said.Counted) == n
}

// difference returns the members that only we count, and those that only the other does.
func (j *Judge) difference(o *other) (ours, theirs []ID) {
	if listed, _ := o.said.lists(j.self.ID); j.counts() && !listed {
		ours = append(ours, j.self.ID)
	}
	for _, id := range sorted(j.others) {
		if listed, _ := o.said.lists(id); !listed {
			ours = append(ours, id)
		}
	}
	for _, c := range o.said.Counted {
		if c.ID == j.self.ID && !j.counts() || c.ID != j.self.ID && j.others[c.ID] == nil {
			theirs = append(theirs, c.ID)
		}
	}
	return ours, theirs
}

func (j *Judge) warnings() []Warning {
	var out []Warning
	if j.joined && !j.fresh(j.listedAt) {
		out = append(out, Warning{Kind: RegistryStale, Since: j.listedAt})
	}
	for _, id := range sorted(j.others) {
		o := j.others[id]
		if o.Node == j.self.Node && !o.saidAt.IsZero() && j.fresh(o.answered) {
			out = append(out, Warning{Kind: NameTwice, Member: id})
		}
		if names := differing(o.Settings, j.self.Settings); len(names) > 0 {
			out = append(out, Warning{Kind: SettingsDiffer, Member: id, Settings: names})
		}
		if !o.differs.IsZero() && j.fresh(o.saidAt) && j.now.Sub(o.differs) > j.limits.Differ {
			ours, theirs := j.difference(o)
			out = append(out, Warning{Kind: TablesDiffer, Member: id, Since: o.differs, Ours: ours, Theirs: theirs})
		}
	}
	return out
}
