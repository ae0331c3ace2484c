package membership

import (
	"fmt"
	"time"
)

// endBy makes the verdict. The first one stays.
func (j *Judge) endBy(rule Rule, reason string) {
	if j.end.Rule == Stay {
		j.end = End{Rule: rule, Reason: reason}
	}
}

// judge applies the rules that depend on what is known now.
func (j *Judge) judge() {
	if !j.joined {
		return
	}
	if j.forgotten() {
		j.endBy(Forgotten, fmt.Sprintf("its place in etcd has run out, and no other node has answered it for %v: it stood still, or was cut off", j.limits.Silent))
	}
	if reached, listed, enough := j.reach(j.heardWithin(j.limits.Alone)); !enough {
		j.endBy(CutOff, fmt.Sprintf("only %d of %d nodes, itself included, have answered it within %v", reached, listed, j.limits.Alone))
	}
	if j.withoutDatabase() {
		j.endBy(NoDatabase, fmt.Sprintf("the database has not answered it for %v, and answers other nodes", j.limits.Database))
	}
}

// threat is the verdict that follows if what is missing now stays away.
func (j *Judge) threat() End {
	if !j.joined || j.end.Rule != Stay {
		return End{}
	}
	if reached, listed, enough := j.reach(j.heardWithin(j.limits.Silent)); !enough {
		return End{CutOff, fmt.Sprintf("Only %d of %d nodes, itself included, answer this node. It ends itself when that has lasted for %v.", reached, listed, j.limits.Alone)}
	}
	if !j.worse.IsZero() {
		return End{NoDatabase, fmt.Sprintf("The database answers other nodes and not this one. It ends itself when that has lasted for %v.", j.limits.Database)}
	}
	return End{}
}

// heardWithin reports of a member whether it has answered within a time in which this process ran.
func (j *Judge) heardWithin(d time.Duration) func(*other) bool {
	return func(o *other) bool { return j.now.Sub(o.heard) <= d }
}

// forgotten tells a process that stood still from one whose registry did: the other members do not
// answer the former. Here our own lag counts, for it is what the rule looks for. Alone, a process
// stays.
func (j *Judge) forgotten() bool {
	if !j.leaseLost || len(j.others) == 0 {
		return false
	}
	for _, o := range j.others {
		if j.fresh(o.answered) {
			return false
		}
	}
	return true
}

// reach counts the listed nodes, this one among them, and those of which the newest process answers.
// It is enough to reach more than half, or half with the oldest: of several parts of a cluster that
// cannot reach each other at most one stays.
func (j *Judge) reach(answers func(*other) bool) (reached, listed int, enough bool) {
	newest := map[string]*other{}
	for id := range j.listed {
		o := j.others[id]
		if o == nil || o.Node == j.self.Node {
			continue
		}
		if n := newest[o.Node]; n == nil || n.older(o.Member) {
			newest[o.Node] = o
		}
	}
	oldest, near := j.self, true
	reached = 1
	for _, o := range newest {
		answering := answers(o)
		if answering {
			reached++
		}
		if o.older(oldest) {
			oldest, near = o.Member, answering
		}
	}
	listed = 1 + len(newest)
	return reached, listed, 2*reached > listed || 2*reached == listed && near
}

// withoutDatabase reports whether the database has been out of our reach for too long while another
// member reached it. If none does, all stay and keep their sockets.
func (j *Judge) withoutDatabase() bool {
	others := false
	for _, o := range j.others {
		others = others || j.fresh(o.saidAt) && o.said.Database
	}
	if !j.noDatabase || !others {
		j.worse = time.Time{}
		return false
	}
	if j.worse.IsZero() {
		j.worse = j.now
	}
	return j.now.Sub(j.worse) >= j.limits.Database
}
