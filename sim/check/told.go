package check

import "time"

// endGrace is how much later than the end of an offer the end of a trip may arrive: with the usual
// Grace it has 20 s.
const endGrace = 15 * time.Second

// party is what a client knows about a trip of its own.
type party struct {
	received uint32 // the newest version that came as an event or in a snapshot
	event    uint32 // the newest that came as an event of this epoch
	epoch    string
	version  uint32 // the newest that came at all, also in the answer to a command
	status   string // at that version
	// since is when the history first showed that the status is outdated; 0: it has not. The client
	// must receive the version want or a newer one, or that the trip is no longer its own.
	since int64
	want  uint32
	// revision is that of the newest route. unsure is set by an answer that may say more than the client
	// knew of the trip's status, until it hears of that.
	revision uint32
	unsure   bool
}

func (t *told) party(k *seen) *party {
	p := t.parties[k]
	if p == nil {
		p = &party{}
		t.parties[k] = p
	}
	return p
}

// owns reports whether a client with a trip in this status has it as its active one.
func (k *seen) owns(status string) bool {
	return occupied(status) || (k.role == "rider" && status == requested)
}

// inform notes what a client has received about a trip, and judges how late it came.
func (c *Checker) inform(k *seen, r Record) {
	if _, known := steps[r.Status]; r.Trip == "" || !known {
		return
	}
	t := c.trip(r.Trip, r.At)
	p := t.party(k)
	if r.Version < p.version {
		return
	}
	if r.lost() {
		c.settle(k, r, p)
		delete(k.own, r.Trip)
		delete(t.parties, k)
		return
	}
	p.version, p.status, p.unsure = r.Version, r.Status, false
	own := k.owns(r.Status)
	if !own || r.Version >= p.want {
		c.settle(k, r, p)
	}
	if !own {
		delete(k.own, r.Trip)
		return
	}
	k.own[r.Trip] = p
	if t.ended > 0 && p.since == 0 { // the end is on the way
		p.since, p.want = t.ended, r.Version+1
	}
}

// routed checks that routes do not go back, and come only while a driver has the trip, for the leg that it
// is on.
func (c *Checker) routed(k *seen, r Record) {
	p := c.trip(r.Trip, r.At).party(k)
	if r.Revision < p.revision {
		c.violated(VersionsStep, "%s received route %d of trip %s after route %d", k.name, r.Revision, r.Trip, p.revision)
	}
	p.revision = r.Revision
	leg := "pickup"
	if p.status == inProgress {
		leg = "ride"
	}
	if !p.unsure && k.seq >= k.replayTo && (!occupied(p.status) || r.Leg != leg) {
		c.violated(VersionsStep, "%s received a route (%s) of trip %s, which was %q", k.name, r.Leg, r.Trip, p.status)
	}
}

// settle judges how late a client received what it had to.
func (c *Checker) settle(k *seen, r Record, p *party) {
	switch {
	case !c.behind(k, p, r.At):
	case c.lags.within(max(p.since, k.since), r.At):
		c.late[EndArrives]++
	default:
		c.violated(EndArrives, "%s received late that trip %s was %s", k.name, r.Trip, r.Status)
	}
	p.since = 0
}

// snapshot notes that a new session began, and with which trip: the client has no other.
func (k *seen) snapshot(trip string) {
	for id, p := range k.own {
		if id != trip {
			p.since = 0
			delete(k.own, id)
		}
	}
}

// called notes when a client sent a command.
func (k *seen) called(r Record) {
	if len(k.calls) >= keepWords {
		clear(k.calls) // of a client that gets no answers
		clear(k.free.pickups)
	}
	k.calls[r.ID] = r.At
	k.free.called(r)
}

// replied informs a client by the answer to its command. The stored answer of a command from before
// the session may be older than the session's snapshot: it does not say what the client has.
func (c *Checker) replied(k *seen, r Record) {
	at, ok := k.calls[r.ID]
	delete(k.calls, r.ID)
	if fresh := ok && k.connected && at >= k.since; r.Code == "" && (fresh || !k.owns(r.Status)) {
		c.inform(k, r)
	} else if t := c.trips[r.Trip]; t != nil && r.Code == "" {
		t.party(k).unsure = true
	}
}

// ends notes, the first time that a record shows it, that a trip has ended: from now on the clients
// that have it must receive the end.
func (c *Checker) ends(t *told, r Record) {
	if t.ended > 0 || live(r.Status) {
		return
	}
	t.ended = max(r.At, 1)
	for k, p := range t.parties {
		if _, has := k.own[r.Trip]; has {
			p.since, p.want = t.ended, r.Version
		}
	}
}

// compare judges what clients last received about a trip by what the database holds.
func (c *Checker) compare(t *told, r Record) {
	c.ends(t, r)
	for k, p := range t.parties {
		_, has := k.own[r.Trip]
		other := r.Status != p.status || (k.role == "driver" && r.Driver != "" && r.Driver != k.account)
		switch {
		case p.version == 0:
		case r.Version < p.version, r.Status != p.status && (r.Version == p.version || !live(p.status)):
			c.violated(EndArrives, "%s last received trip %s as %s at version %d, and it is read as %s at version %d",
				k.name, r.Trip, p.status, p.version, r.Status, r.Version)
		case has && other && p.since == 0:
			p.since, p.want = r.At, r.Version // it may be on the way
		}
	}
}

// behind reports whether a client should have received by now what it lacks.
func (c *Checker) behind(k *seen, p *party, now int64) bool {
	return p.since > 0 && k.connected && k.seq >= k.replayTo && now-c.faults.after(max(p.since, k.since), now) > int64(c.Grace+endGrace)
}

// outdated judges what a client has not received by now about a trip of its own.
func (c *Checker) outdated(k *seen, id string, now int64) {
	if p := k.own[id]; p != nil && c.behind(k, p, now) {
		c.violated(EndArrives, "%s last received trip %s as %s at version %d, and never what followed", k.name, id, p.status, p.version)
	}
}

// Outdated is how many clients with a session have a trip whose end, or newer status, they have not
// received.
func (c *Checker) Outdated() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, k := range c.clients {
		for _, p := range k.own {
			if k.connected && p.since > 0 {
				n++
			}
		}
	}
	return n
}
