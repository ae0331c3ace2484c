package auth

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// GuardConfig says when guessing passwords is slowed down. The zero value of a field
// means its default.
type GuardConfig struct {
	// Free is how many failures cost nothing, per username and per address: 10.
	Free int
	// First is the delay after the first failure beyond, doubled by each further
	// one up to Max: 1 s and 1 min. Max is short because anybody can fail on
	// behalf of somebody else.
	First, Max time.Duration
	// Forget is how long a failure counts: 15 min.
	Forget time.Duration
	// Remember bounds the usernames and the addresses kept: 20,000 each.
	Remember int
}

func (c GuardConfig) withDefaults() GuardConfig {
	def(&c.Free, 10)
	def(&c.First, time.Second)
	def(&c.Max, time.Minute)
	def(&c.Forget, 15*time.Minute)
	def(&c.Remember, 20_000)
	return c
}

// guard counts failed log-ins. It counts usernames whether they exist or not, so that
// its delays tell nothing. Safe for concurrent use.
type guard struct {
	cfg   GuardConfig
	now   func() time.Time
	mu    sync.Mutex
	names *simplelru.LRU[string, failures]
	addrs *simplelru.LRU[string, failures]
}

type failures struct {
	n     int
	last  time.Time
	until time.Time // no attempt before
}

func newGuard(cfg GuardConfig, now func() time.Time) (*guard, error) {
	names, err := simplelru.NewLRU[string, failures](cfg.Remember, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: failures to remember: %w", ErrConfig, err)
	}
	addrs, err := simplelru.NewLRU[string, failures](cfg.Remember, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: failures to remember: %w", ErrConfig, err)
	}
	return &guard{cfg: cfg, now: now, names: names, addrs: addrs}, nil
}

// get reads a count, unless it is so old that it is forgotten.
func (g *guard) get(from *simplelru.LRU[string, failures], key string, now time.Time) failures {
	f, ok := from.Get(key)
	if !ok || now.Sub(f.last) > g.cfg.Forget {
		return failures{}
	}
	return f
}

// begin counts an attempt as failed, in advance: attempts made at the same time
// cannot slip past the count. It returns how long to wait first, 0 for not at all.
func (g *guard) begin(username, addr string) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	name, address := nameKey(username), addrKey(addr)
	fn, fa := g.get(g.names, name, now), g.get(g.addrs, address, now)
	if wait := max(fn.until.Sub(now), fa.until.Sub(now)); wait > 0 {
		return wait
	}
	g.names.Add(name, g.failed(fn, now))
	g.addrs.Add(address, g.failed(fa, now))
	return 0
}

func (g *guard) failed(f failures, now time.Time) failures {
	f.n++
	f.last = now
	if over := f.n - g.cfg.Free; over >= 0 {
		f.until = now.Add(min(g.cfg.Max, g.cfg.First<<min(over, 20)))
	}
	return f
}

// succeed takes the attempt back. The username's slate is wiped; the address keeps its
// other failures, or one known password would buy unlimited guesses.
func (g *guard) succeed(username, addr string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.names.Remove(nameKey(username))
	g.undoAddr(addr)
}

// undo takes the attempt back when no answer was found.
func (g *guard) undo(username, addr string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	name := nameKey(username)
	if f, ok := g.names.Get(name); ok {
		g.names.Add(name, failures{n: max(0, f.n-1), last: f.last})
	}
	g.undoAddr(addr)
}

func (g *guard) undoAddr(addr string) {
	address := addrKey(addr)
	if f, ok := g.addrs.Get(address); ok {
		g.addrs.Add(address, failures{n: max(0, f.n-1), last: f.last})
	}
}

// nameKey bounds what a client can make us remember.
func nameKey(username string) string { return tokenHash(strings.ToLower(username))[:32] }

// addrKey takes all of an IPv6 network as one: its owner has 2^64 addresses.
func addrKey(addr string) string { return NetworkOf(addr) }

// NetworkOf gives the part of an address that stands for one subscriber: IPv4 whole,
// IPv6 by its first 64 bits. What is no address stands for itself, cut to 64 bytes.
func NetworkOf(addr string) string {
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return addr[:min(len(addr), 64)]
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	p, _ := a.Prefix(64) // cannot fail for IPv6
	return p.String()
}
