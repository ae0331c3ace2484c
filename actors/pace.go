package actors

import (
	"sync"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// deed is something that costs others when an account does it over and over.
type deed uint8

const (
	deedCancel deed = iota // a rider cancels after drivers were asked, or a driver gives a trip back
	deedOnline             // a driver goes online
	deedIdle               // a rider cancels before any driver was asked: each leaves a trip on disk
)

const (
	// paceFirst is the first wait; each further one is twice as long, up to paceMost.
	paceFirst = 5 * time.Second
	paceMost  = 10 * time.Minute
	// maxPaced bounds the entries.
	maxPaced = 65_536
	// onlineShare is how many times CancelsFree a driver may go online, and idleShare how many
	// times CancelsFree a rider may cancel requests that no driver has seen.
	onlineShare, idleShare = 4, 8
)

// pace counts recent deeds by account and sets how long each account waits before the next: not at
// all for the first few, then longer each time. It outlives sessions, so reconnecting does not
// reset it. Safe for concurrent use.
type pace struct {
	free   int
	forget time.Duration

	mu sync.Mutex
	by map[paceKey]paced
}

type paceKey struct {
	account ride.AccountID
	deed    deed
}

type paced struct {
	times int
	last  time.Time // of the newest deed
	since time.Time // when the oldest counted deed began to be forgotten
}

func newPace(free int, forget time.Duration) *pace {
	return &pace{free: free, forget: forget, by: make(map[paceKey]paced)}
}

// now returns an entry without the deeds that are forgotten by now.
func (p *pace) now(k paceKey, now time.Time) paced {
	e := p.by[k]
	if gone := int(now.Sub(e.since) / p.forget); e.times > 0 && gone > 0 {
		e.times = max(0, e.times-gone)
		e.since = e.since.Add(time.Duration(gone) * p.forget)
	}
	return e
}

func (p *pace) most(d deed) int {
	switch d {
	case deedOnline:
		return onlineShare * p.free
	case deedIdle:
		return idleShare * p.free
	}
	return p.free
}

// count adds one deed.
func (p *pace) count(account ride.AccountID, d deed, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := paceKey{account, d}
	e := p.now(k, now)
	if e.times == 0 {
		e.since = now
		p.makeRoom(now)
	}
	e.times, e.last = e.times+1, now
	p.by[k] = e
}

// wait is how long the account has to wait before its next deed; 0 means not at all.
func (p *pace) wait(account ride.AccountID, d deed, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.now(paceKey{account, d}, now)
	over := e.times - p.most(d)
	if over < 0 {
		return 0
	}
	wait := min(paceMost, paceFirst<<min(over, 10))
	return max(0, e.last.Add(wait).Sub(now))
}

// forgive forgets an account's cancellations.
func (p *pace) forgive(account ride.AccountID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.by, paceKey{account, deedCancel})
	delete(p.by, paceKey{account, deedIdle})
}

// makeRoom keeps the map bounded: expired entries go first, then any.
func (p *pace) makeRoom(now time.Time) {
	if len(p.by) < maxPaced {
		return
	}
	for k := range p.by {
		if p.now(k, now).times == 0 {
			delete(p.by, k)
		}
	}
	for k := range p.by { // many at once, so that this scan is rare
		if len(p.by) < maxPaced*7/8 {
			return
		}
		delete(p.by, k)
	}
}
