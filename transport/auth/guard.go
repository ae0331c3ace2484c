package auth

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// GuardConfig says when guessing passwords is slowed down. Begin with [DefaultGuardConfig].
type GuardConfig struct {
	// Free is how many failures cost nothing, per username and place together. A place is
	// a network, or a device that signed in before.
	Free int
	// First is the delay after the first failure beyond, doubled by each further
	// one up to Max.
	First, Max time.Duration
	// NameFree and NetworkFree are how many failures of one username from all places, and of
	// one network with all usernames, cost others nothing. Beyond, log-ins from
	// places that the account is not known at take turns.
	NameFree, NetworkFree int
	// Pace is the time between two turns, Hold how long an attempt is kept waiting for one, and
	// Longest when it has one for sure if it comes back. So other people's
	// failures never keep a right password out for longer.
	Pace, Hold, Longest time.Duration
	// StrictFree and StrictMax take the places of Free and Max for such log-ins while their
	// username is being guessed.
	StrictFree int
	StrictMax  time.Duration
	// Forget is how long a failure counts.
	Forget time.Duration
	// Remember bounds the pairs, the usernames and the networks kept, each.
	Remember int
}

// mostHeld bounds the attempts that wait inside the server for their turn.
const mostHeld = 64

// DefaultGuardConfig is a complete GuardConfig.
func DefaultGuardConfig() GuardConfig {
	return GuardConfig{
		Free: 10, First: time.Second, Max: time.Minute,
		NameFree: 30, NetworkFree: 50,
		Pace: time.Second, Hold: 2 * time.Second, Longest: 10 * time.Second,
		StrictFree: 3, StrictMax: 5 * time.Minute,
		Forget: 15 * time.Minute, Remember: 20_000,
	}
}

func (c GuardConfig) validate() error {
	switch {
	case min(c.Free, c.NameFree, c.NetworkFree, c.StrictFree) < 0 || c.Remember <= 0:
		return fmt.Errorf("%w: failures must be counted", ErrConfig)
	case min(c.First, c.Max, c.Pace, c.Hold, c.Longest, c.StrictMax, c.Forget) <= 0:
		return fmt.Errorf("%w: the delays after failures must be positive", ErrConfig)
	}
	return nil
}

// guard counts failed log-ins, together with what the database has counted for all servers; see
// Service.readFailures. It counts usernames whether they exist or not, so that
// its delays tell nothing. Safe for concurrent use.
// A failure slows down further attempts with the same username from the same place. That
// alone would let a botnet guess one password from many networks, or one network try many
// usernames. So those are counted as well, and beyond a bound strangers take turns; places where
// the account has signed in before are not strangers and pass.
type guard struct {
	cfg   GuardConfig
	now   func() time.Time
	mu    sync.Mutex
	pairs *simplelru.LRU[string, failures]
	names *simplelru.LRU[string, failures]
	nets  *simplelru.LRU[string, failures]
	held  int
	// learned numbers the questions to the database and what was heard from it, in order, so that
	// an old answer is known as one.
	learned uint64
}

// failures is a count of a pair, a username or a network.
type failures struct {
	// ahead are attempts under way here, and failures that could not be stored.
	ahead int
	// stored is the count in the database and storedLast when its last failure was, by the clock
	// there, as far as this server has learned.
	stored     int
	storedLast time.Time
	learned    uint64    // when that was; see guard.learned
	wiped      uint64    // when a log-in here has wiped the slate
	last       time.Time // by this server's clock
	// Of a pair: no attempt before until; and from promised on one that has its turn.
	until, promised time.Time
	next            time.Time // of a username or a network: the next turn
}

// n is how many failures count.
func (f failures) n() int { return f.stored + f.ahead }

// logInAttempt is one attempt to sign in with a password.
type logInAttempt struct {
	username string
	network  string // by clientaddr.NetworkOf
	// place is what the failures of this username are counted at: the network, or what proved
	// to be known.
	place string
	known bool // the account has signed in there before
}

func (a logInAttempt) name() string { return nameKey(a.username) }
func (a logInAttempt) pair() string { return nameKey(a.username) + "|" + a.place }

func newGuard(cfg GuardConfig, now func() time.Time) (*guard, error) {
	g := &guard{cfg: cfg, now: now}
	for _, of := range []**simplelru.LRU[string, failures]{&g.pairs, &g.names, &g.nets} {
		var err error
		if *of, err = simplelru.NewLRU[string, failures](cfg.Remember, nil); err != nil {
			return nil, fmt.Errorf("%w: failures to remember: %w", ErrConfig, err)
		}
	}
	return g, nil
}

// get reads a count, unless it is so old that it is forgotten.
func (g *guard) get(from *simplelru.LRU[string, failures], key string, now time.Time) failures {
	f, ok := from.Get(key)
	if !ok || now.Sub(f.last) > g.cfg.Forget {
		return failures{}
	}
	return f
}

// begin counts an attempt as failed, in advance: attempts made at the same time cannot slip past
// the count. If refuse is not 0 the attempt must come again after it, and was not counted. If
// hold is not 0 it goes on after it; see rest. The counts in the database are those of before.
func (g *guard) begin(a logInAttempt, from storedCounts) (refuse, hold time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	g.learned++
	var name, net failures
	strict := false
	if !a.known {
		name, net = g.get(g.names, a.name(), now), g.get(g.nets, a.network, now)
		g.follow(&name, from.name, from.asked, now)
		g.follow(&net, from.net, from.asked, now)
		strict = name.n() >= g.cfg.NameFree
	}
	pair := g.get(g.pairs, a.pair(), now)
	news, fell := g.follow(&pair, from.pair, from.asked, now)
	if news {
		g.postpone(&pair, from.pair, fell, strict, now)
	}
	if wait := pair.until.Sub(now); wait > 0 {
		g.pairs.Add(a.pair(), pair)
		return wait, 0
	}
	if !a.known {
		hold = g.turn(&pair, &name, &net, now)
		promised := !pair.promised.IsZero()
		if !promised {
			name.ahead, name.last, net.ahead, net.last = name.ahead+1, now, net.ahead+1, now
		}
		g.names.Add(a.name(), name)
		g.nets.Add(a.network, net)
		if promised {
			pair.last = now
			g.pairs.Add(a.pair(), pair)
			return hold, 0
		}
	}
	g.pairs.Add(a.pair(), g.failed(pair, strict, now))
	if hold > 0 {
		g.held++
	}
	return 0, hold
}

// turn finds how long a stranger waits for a turn. If that is too long to be kept waiting, the
// pair is promised one, and has it as soon as that time has come.
func (g *guard) turn(pair, name, net *failures, now time.Time) time.Duration {
	if p := pair.promised; !p.IsZero() {
		if now.Before(p) {
			return p.Sub(now)
		}
		pair.promised = time.Time{}
		return 0
	}
	wait := max(g.queue(name, g.cfg.NameFree, now), g.queue(net, g.cfg.NetworkFree, now))
	if wait > g.cfg.Hold || wait > 0 && g.held >= mostHeld {
		pair.promised = now.Add(wait)
	}
	return wait
}

// queue takes the next turn of a username or a network that has failed too often.
func (g *guard) queue(f *failures, free int, now time.Time) time.Duration {
	if f.n() < free {
		return 0
	}
	turn := f.next
	if turn.Before(now) {
		turn = now
	}
	f.next = turn.Add(g.cfg.Pace)
	if most := now.Add(g.cfg.Longest); f.next.After(most) {
		f.next = most
	}
	return turn.Sub(now)
}

// rest keeps an attempt waiting for its turn. It tells whether its time has come; otherwise the
// attempt is taken back.
func (g *guard) rest(ctx context.Context, a logInAttempt, hold time.Duration) bool {
	timer := time.NewTimer(hold)
	defer timer.Stop()
	defer func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.held--
	}()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		g.undo(a)
		return false
	}
}

func (g *guard) failed(f failures, strict bool, now time.Time) failures {
	f.ahead++
	f.last = now
	if wait := g.delay(f.n(), strict); wait > 0 {
		f.until = now.Add(wait)
	}
	return f
}

// delay is how long a pair has no attempt after its nth failure.
func (g *guard) delay(n int, strict bool) time.Duration {
	free, longest := g.cfg.Free, g.cfg.Max
	if strict {
		free, longest = g.cfg.StrictFree, g.cfg.StrictMax
	}
	if n < max(free, 1) {
		return 0
	}
	return min(longest, g.cfg.First<<min(n-free, 20))
}

// succeed takes the attempt back and wipes the slate of its username at its place. The network
// and the username elsewhere keep their other failures, or one known password would buy
// unlimited guesses.
func (g *guard) succeed(a logInAttempt) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.learned++
	f, _ := g.pairs.Get(a.pair())
	g.pairs.Add(a.pair(), failures{last: g.now(), storedLast: f.storedLast, learned: g.learned, wiped: g.learned})
	if !a.known {
		lessen(g.names, a.name())
		lessen(g.nets, a.network)
	}
}

// undo takes the attempt back when no answer was found.
func (g *guard) undo(a logInAttempt) {
	g.mu.Lock()
	defer g.mu.Unlock()
	lessen(g.pairs, a.pair())
	if !a.known {
		lessen(g.names, a.name())
		lessen(g.nets, a.network)
	}
}

func lessen(of *simplelru.LRU[string, failures], key string) {
	if f, ok := of.Get(key); ok {
		f.ahead, f.until = max(0, f.ahead-1), time.Time{}
		of.Add(key, f)
	}
}

// nameKey bounds what a client can make us remember.
func nameKey(username string) string { return tokenHash(strings.ToLower(username))[:32] }
