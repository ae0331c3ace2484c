package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// The guard of each server counts in memory what is under way there. Failures are also counted in the
// database, so that several servers do not give several times the guesses, and a restart gives none.
// Each attempt reads those counts first, and the guard goes by what is higher.

// recordWithin bounds the recording of an attempt's outcome, also for a client that has hung up.
const recordWithin = 5 * time.Second

// countKeys are the keys of an attempt's counts in the database. name and net are empty for an
// attempt from a known place, which only its pair counts.
type countKeys struct{ pair, name, net string }

func (s *Service) countKeys(a logInAttempt) countKeys {
	key := func(kind, value string) string {
		m := hmac.New(sha256.New, s.failsKey)
		m.Write([]byte(kind + "\x00" + value)) // never fails
		return hex.EncodeToString(m.Sum(nil)[:16])
	}
	k := countKeys{pair: key("pair", a.pair())}
	if !a.known {
		k.name, k.net = key("name", a.name()), key("network", a.network)
	}
	return k
}

func (k countKeys) all() []string {
	if k.name == "" {
		return []string{k.pair}
	}
	return []string{k.pair, k.name, k.net}
}

// storedCounts is what the database knew of an attempt's counts when it was asked.
type storedCounts struct {
	asked           uint64 // see guard.learned
	pair, name, net ride.FailureCount
}

// readFailures reads the stored counts of an attempt.
func (s *Service) readFailures(ctx context.Context, k countKeys) (storedCounts, error) {
	asked := s.guard.ask()
	counts, err := s.failures.LogInFailures(ctx, k.all())
	if err != nil {
		return storedCounts{}, fmt.Errorf("read failed log-ins: %w", err)
	}
	return storedCounts{asked, counts[k.pair], counts[k.name], counts[k.net]}, nil
}

// recordFailure records an attempt with a wrong password. A client that hangs up is counted as well. If
// the failure cannot be stored, it counts in memory alone.
func (s *Service) recordFailure(ctx context.Context, a logInAttempt, k countKeys) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
	defer cancel()
	asked := s.guard.ask()
	counts, err := s.failures.AddLogInFailure(ctx, k.all(), s.cfg.Guard.Forget)
	if err != nil {
		s.cfg.Log.Warn("a failed log-in counts on this server only, because it could not be stored", "error", err)
		return
	}
	s.guard.recorded(a, storedCounts{asked, counts[k.pair], counts[k.name], counts[k.net]})
}

// recordSuccess takes an attempt back and wipes the slate of its pair. The log-in counts whether or not
// the stored count can be removed.
func (s *Service) recordSuccess(ctx context.Context, a logInAttempt, k countKeys) {
	if s.guard.hasStored(a) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
		defer cancel()
		if err := s.failures.ForgetLogInFailures(ctx, k.pair); err != nil {
			s.cfg.Log.Warn("former failures of a log-in still count, because they could not be removed", "error", err)
			s.guard.undo(a)
			return
		}
	}
	s.guard.succeed(a)
}

// ask numbers a question to the database before it is put.
func (g *guard) ask() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.learned++
	return g.learned
}

// follow takes over a stored count, which other servers change as well, unless the answer may be from
// before what is known. It is not if it was asked for after that was learned; of answers that crossed,
// the one with the later failure is newer. follow returns whether there is news, and whether the
// count fell: then a log-in on another server has wiped the slate, or it is forgotten.
func (g *guard) follow(f *failures, row ride.FailureCount, asked uint64, now time.Time) (news, fell bool) {
	crossed := asked < f.learned
	if crossed && (asked < f.wiped || row.N == 0 || !row.Last.After(f.storedLast)) {
		return false, false
	}
	news, fell = row.N != f.stored || row.N > 0 && !row.Last.Equal(f.storedLast), row.N < f.stored
	f.stored, f.learned = row.N, g.learned
	if row.N > 0 {
		f.storedLast = row.Last
		if last := now.Add(-row.Age); last.After(f.last) {
			f.last = last
		}
	}
	return news, fell
}

// postpone moves the time before which a pair has no attempt, after news of its count.
func (g *guard) postpone(f *failures, row ride.FailureCount, fell, strict bool, now time.Time) {
	until := now
	if row.N > 0 {
		until = now.Add(g.delay(row.N, strict) - row.Age)
	}
	if fell || until.After(f.until) {
		f.until = until
	}
}

// recorded takes over the stored counts after a failure, which begin has counted in advance.
func (g *guard) recorded(a logInAttempt, counts storedCounts) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	g.learned++
	strict := false
	if !a.known {
		name, net := g.get(g.names, a.name(), now), g.get(g.nets, a.network, now)
		name.ahead, net.ahead = max(0, name.ahead-1), max(0, net.ahead-1)
		g.follow(&name, counts.name, counts.asked, now)
		g.follow(&net, counts.net, counts.asked, now)
		g.names.Add(a.name(), name)
		g.nets.Add(a.network, net)
		strict = name.n() >= g.cfg.NameFree
	}
	pair := g.get(g.pairs, a.pair(), now)
	pair.ahead = max(0, pair.ahead-1)
	own := counts.pair.N == pair.stored+1 // begin has set its time
	if news, fell := g.follow(&pair, counts.pair, counts.asked, now); news && !own {
		g.postpone(&pair, counts.pair, fell, strict, now)
	}
	g.pairs.Add(a.pair(), pair)
}

// hasStored tells whether the pair has failures in the database, as far as this server knows.
func (g *guard) hasStored(a logInAttempt) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	f, ok := g.pairs.Get(a.pair())
	return !ok || f.stored > 0
}
