package actors

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/ride"
)

// people is this node's directory of riders', drivers' and operators' actors, by
// account. Safe for concurrent use.
type people struct {
	mu   sync.Mutex
	by   map[ride.AccountID]claim
	last uint64 // newest generation
}

// claim is an account's actor.
type claim struct {
	pid        *actor.PID
	generation uint64
}

// Claim calls use with the account's actor, which spawn makes if need be. The actor cannot leave
// the directory while use runs.
func (p *people) Claim(account ride.AccountID, spawn func(generation uint64) *actor.PID, use func(*actor.PID)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, ok := p.by[account]
	if !ok {
		p.last++
		c = claim{pid: spawn(p.last), generation: p.last}
		p.by[account] = c
	}
	use(c.pid)
}

// Release forgets an actor, if it is still the account's.
func (p *people) Release(account ride.AccountID, generation uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, ok := p.by[account]; ok && c.generation == generation {
		delete(p.by, account)
	}
}

// Find calls use with the account's actor if there is one.
func (p *people) Find(account ride.AccountID, use func(*actor.PID)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, ok := p.by[account]; ok {
		use(c.pid)
	}
}

// PeopleHere returns all actors of the directory.
func (p *people) PeopleHere() []*actor.PID {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]*actor.PID, 0, len(p.by))
	for _, c := range p.by {
		out = append(out, c.pid)
	}
	return out
}
