package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/internal/memstore"
)

// onServers runs f inside a bubble with servers of one store, on a clock that advances only while one
// of them waits. Each has accounts alice and bob.
func onServers(t *testing.T, n int, f func(t *testing.T, servers []guessing)) {
	synctest.Test(t, func(t *testing.T) { f(t, newServers(t, n)) })
}

func newServers(t *testing.T, n int, edit ...func(*Config)) []guessing {
	t.Helper()
	store := &memstore.Store{Now: time.Now}
	all := make([]guessing, n)
	for i := range all {
		all[i] = guessing{newFixtureOn(t, store, append(edit, func(c *Config) { c.Now = time.Now })...), t}
	}
	all[0].rider(t, "alice")
	all[0].rider(t, "bob")
	return all
}

// TestFailuresCountOnAllServers: what is guessed through one server is slowed down on the others, and
// on the next one after all have ended.
func TestFailuresCountOnAllServers(t *testing.T) {
	onServers(t, 2, func(t *testing.T, servers []guessing) {
		a, b := servers[0], servers[1]
		for _, name := range []string{"alice", "no-such-name"} {
			here := at("192.0.2.1")
			require.Equal(t, 5, a.fails(5, name, here))
			require.Equal(t, 5, b.fails(50, name, here))
			for i, seconds := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
				for range 2 {
					for _, s := range servers {
						_, refused, _ := s.try(name, "lucky guess", here)
						require.Equal(t, time.Duration(seconds)*time.Second, refused)
					}
				}
				time.Sleep(time.Duration(seconds) * time.Second)
				require.Equal(t, 1, servers[i%2].fails(1, name, here))
			}
		}
		require.Zero(t, b.gets("bob", at("192.0.2.2")))
		again := guessing{newFixtureOn(t, a.store, func(c *Config) { c.Now = time.Now }), t}
		_, refused, _ := again.try("no-such-name", "lucky guess", at("192.0.2.1"))
		require.Equal(t, time.Minute, refused, "a restart does not wipe the slate")
		time.Sleep(DefaultGuardConfig().Forget)
		for _, s := range append(servers, again) {
			require.Equal(t, 1, s.fails(1, "alice", at("192.0.2.1")), "forgotten")
		}
	})
}

// TestNamesAndNetworksCountOnAllServers: so do failures of one username from many networks, and of
// one network with many usernames.
func TestNamesAndNetworksCountOnAllServers(t *testing.T) {
	onServers(t, 2, func(t *testing.T, servers []guessing) {
		for i := range 30 {
			require.Equal(t, 1, servers[i%2].fails(1, "alice", at("198.51.100.%d", i)))
		}
		for _, s := range servers {
			require.Equal(t, 1, s.fails(1, "alice", at("203.0.113.1")), "the first turn is at once")
			held, _, err := s.try("alice", "lucky guess", at("203.0.113.2"))
			require.ErrorIs(t, err, ride.ErrUnauthenticated)
			require.Positive(t, held, "each server has turns of its own")
		}
		// A place that has failed three times waits for longer while the username is under attack.
		for i := range 3 {
			time.Sleep(10 * time.Second)
			require.Equal(t, 1, servers[i%2].fails(1, "alice", at("203.0.113.3")))
		}
		_, refused, _ := servers[1].try("alice", "correct horse", at("203.0.113.3"))
		require.Equal(t, time.Second, refused)
		_, refused, _ = servers[0].try("alice", "correct horse", at("203.0.113.3"))
		require.Equal(t, time.Second, refused)
	})
	onServers(t, 2, func(t *testing.T, servers []guessing) {
		for i := range 51 {
			require.Equal(t, 1, servers[i%2].fails(1, "name"+string(rune('a'+i)), at("198.51.100.1")))
		}
		for _, s := range servers {
			s.fails(1, "bob", at("198.51.100.1"))
			held, _, err := s.try("alice", "lucky guess", at("198.51.100.1"))
			require.ErrorIs(t, err, ride.ErrUnauthenticated)
			require.Positive(t, held)
		}
	})
}

// TestSuccessWipesTheSlateOnAllServers: what the database said before the log-in does not bring the
// failures back.
func TestSuccessWipesTheSlateOnAllServers(t *testing.T) {
	onServers(t, 2, func(t *testing.T, servers []guessing) {
		a, b := servers[0], servers[1]
		here := at("192.0.2.1")
		alice, _, err := a.store.AccountByUsername(t.Context(), "alice")
		require.NoError(t, err)
		for range 3 {
			require.Equal(t, 9, a.fails(9, "alice", here))
			attempt, err := a.attemptAt(t.Context(), "alice", alice.ID, here)
			require.NoError(t, err)
			before, err := a.readFailures(t.Context(), a.countKeys(attempt))
			require.NoError(t, err)
			require.Equal(t, 9, before.pair.N)
			require.Zero(t, b.gets("alice", here))
			require.Equal(t, 9, a.fails(9, "alice", here), "forgotten")
			require.Zero(t, a.gets("alice", here))

			// A log-in that was under way on b when the tenth failed on a.
			require.Equal(t, 10, a.fails(10, "alice", here))
			require.NoError(t, a.store.ForgetLogInFailures(t.Context(), a.countKeys(attempt).pair))
			require.Zero(t, a.gets("alice", here))

			refuse, _ := a.guard.begin(attempt, before)
			require.Zero(t, refuse)
			f, _ := a.guard.pairs.Get(attempt.pair())
			require.Equal(t, 1, f.n())
			a.guard.undo(attempt)
		}
	})
}

// logIn is an attempt, and what happens between it and the next one.
type logIn struct {
	name, password string
	from           Place
	server         int
	pause          time.Duration
}

// drawLogIns draws fewer attempts than a username or a network has free: beyond that, each server has
// turns of its own.
func drawLogIns(t *rapid.T) []logIn {
	free := DefaultGuardConfig().NameFree - 1
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) logIn {
		return logIn{
			name:     rapid.SampledFrom([]string{"alice", "alice", "alice", "no-such-name"}).Draw(t, "name"),
			password: rapid.SampledFrom([]string{"lucky guess", "lucky guess", "lucky guess", "lucky guess", "lucky guess", "correct horse"}).Draw(t, "password"),
			from:     at("192.0.2.%d", rapid.SampledFrom([]int{1, 1, 1, 1, 2}).Draw(t, "place")),
			server:   rapid.IntRange(0, 1).Draw(t, "server"),
			pause:    rapid.SampledFrom([]time.Duration{0, 0, 0, 0, 0, time.Second, 4 * time.Second, time.Minute, 16 * time.Minute}).Draw(t, "pause"),
		}
	}), free/2, free).Draw(t, "log-ins")
}

// TestTwoServersRefuseAsOne: whatever the order of attempts over two servers, each is answered as a
// server that is alone answers it.
func TestTwoServersRefuseAsOne(t *testing.T) {
	refusals, wrong, right := 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		all := drawLogIns(rt)
		difference := ""
		synctest.Test(t, func(t *testing.T) {
			strict := func(c *Config) { c.Guard.Free = 2 }
			one, two := newServers(t, 1, strict), newServers(t, 2, strict)
			for i, l := range all {
				_, want, wantErr := one[0].try(l.name, l.password, l.from)
				_, got, err := two[l.server].try(l.name, l.password, l.from)
				if want != got || !sameKind(wantErr, err) {
					difference = fmt.Sprintf("attempt %d: one server: %v, %v; two: %v, %v", i, want, wantErr, got, err)
					return
				}
				switch {
				case want > 0:
					refusals++
				case err != nil:
					wrong++
				default:
					right++
				}
				time.Sleep(l.pause)
			}
		})
		if difference != "" {
			rt.Fatal(difference)
		}
	})
	require.Positive(t, min(refusals, wrong, right), "the attempts show nothing")
	t.Logf("%d refused, %d wrong, %d right", refusals, wrong, right)
}

// pairGuess is an attempt on one pair, step by step: what the database does happens between what the
// guard does, and other attempts in between.
type pairGuess struct {
	g      *guard
	step   int
	counts storedCounts
	passed bool
}

var onePair = logInAttempt{username: "alice", place: "here", known: true}

// next does the next step of the attempt on a row of the database, whose Last rises by a second with
// each failure, and returns whether it was the last one.
func (p *pairGuess) next(row *ride.FailureCount) (over bool) {
	switch p.step++; p.step {
	case 1, 4:
		p.counts.asked = p.g.ask()
	case 2:
		p.counts.pair = *row
	case 3:
		refuse, _ := p.g.begin(onePair, p.counts)
		p.passed = refuse == 0
		return !p.passed
	case 5:
		row.N, row.Last = row.N+1, row.Last.Add(time.Second)
		p.counts.pair = *row
	case 6:
		p.g.recorded(onePair, p.counts)
		return true
	}
	return false
}

// TestInterleavedGuesses: whatever the order in which answers of the database come, each server lets no
// more guesses pass than are free, and knows the count once it has asked.
func TestInterleavedGuesses(t *testing.T) {
	cfg := DefaultGuardConfig()
	cfg.Free, cfg.First, cfg.Max = 3, time.Hour, time.Hour
	rapid.Check(t, func(t *rapid.T) {
		var guards [2]*guard
		var open []*pairGuess
		for i := range guards {
			var err error
			guards[i], err = newGuard(cfg, newClock().now)
			require.NoError(t, err)
			for range 12 {
				open = append(open, &pairGuess{g: guards[i]})
			}
		}
		row := ride.FailureCount{Last: time.Unix(1e9, 0)}
		passed := map[*guard]int{}
		for len(open) > 0 {
			i := rapid.IntRange(0, len(open)-1).Draw(t, "who")
			if p := open[i]; p.next(&row) {
				if p.passed {
					passed[p.g]++
				}
				open = slices.Delete(open, i, i+1)
			}
		}
		for _, g := range guards {
			require.LessOrEqual(t, passed[g], cfg.Free)
			late := pairGuess{g: g}
			for range 3 {
				late.next(&row)
			}
			require.False(t, late.passed)
			f, _ := g.pairs.Get(onePair.pair())
			require.Equal(t, row.N, f.n())
		}
	})
}

// TestAnswersThatCross: what other servers do between the steps of an attempt counts, and what is over by
// the time that its answer comes does not.
func TestAnswersThatCross(t *testing.T) {
	cfg := DefaultGuardConfig()
	cfg.Free, cfg.First, cfg.Max = 3, time.Hour, time.Hour
	var guards [2]*guard
	for i := range guards {
		var err error
		guards[i], err = newGuard(cfg, newClock().now)
		require.NoError(t, err)
	}
	a, b := guards[0], guards[1]
	row := ride.FailureCount{Last: time.Unix(1e9, 0)}
	steps := func(p *pairGuess, n int) *pairGuess {
		for range n {
			p.next(&row)
		}
		return p
	}
	slow := steps(&pairGuess{g: a}, 3)
	require.True(t, slow.passed)
	for range 2 {
		require.True(t, steps(&pairGuess{g: b}, 6).passed)
	}
	steps(slow, 3)
	require.False(t, steps(&pairGuess{g: a}, 3).passed, "two failed meanwhile")
	require.False(t, steps(&pairGuess{g: b}, 3).passed)

	row = ride.FailureCount{Last: row.Last} // a log-in on a third server
	right := steps(&pairGuess{g: a}, 3)
	require.True(t, right.passed)
	require.True(t, steps(&pairGuess{g: b}, 6).passed)
	old := steps(&pairGuess{g: a}, 2)
	row = ride.FailureCount{Last: row.Last} // the right one wipes the slate
	a.succeed(onePair)
	require.True(t, steps(old, 1).passed)
	f, _ := a.pairs.Get(onePair.pair())
	require.Equal(t, 1, f.n(), "the attempt under way")
}

func sameKind(a, b error) bool {
	for _, kind := range []error{ride.ErrUnauthenticated, ride.ErrTooMany} {
		if errors.Is(a, kind) != errors.Is(b, kind) {
			return false
		}
	}
	return (a == nil) == (b == nil)
}

// TestFailuresThatCannotBeStored count on their server; without the stored counts there is no log-in.
func TestFailuresThatCannotBeStored(t *testing.T) {
	onServers(t, 1, func(t *testing.T, servers []guessing) {
		s := servers[0]
		gone, leave := context.WithCancel(t.Context())
		leave()
		s.recordFailure(gone, logInAttempt{username: "bob", place: "here", known: true}, countKeys{pair: "p"})
		stored, err := s.store.LogInFailures(t.Context(), []string{"p"})
		require.NoError(t, err)
		require.Equal(t, 1, stored["p"].N, "a client that hangs up is counted")

		broken := errors.New("disk on fire")
		failing := ""
		s.store.Fail = func(method string) error {
			if method == failing {
				return broken
			}
			return nil
		}
		failing = "LogInFailures"
		_, _, err = s.try("alice", "correct horse", at("192.0.2.1"))
		require.ErrorIs(t, err, broken)
		failing = "AddLogInFailure"
		require.Equal(t, 10, s.fails(50, "alice", at("192.0.2.1")))
		failing = ""
		time.Sleep(time.Second)
		require.Equal(t, 1, s.fails(50, "alice", at("192.0.2.1")))
		time.Sleep(2 * time.Second)
		failing = "ForgetLogInFailures"
		require.Zero(t, s.gets("alice", at("192.0.2.1")), "the log-in counts")
	})
}

// TestStoredFailuresNameNoOne: the keys of the counts tell neither the username nor the network, and
// differ from server key to server key.
func TestStoredFailuresNameNoOne(t *testing.T) {
	f := newFixture(t)
	a := logInAttempt{username: "alice", network: "192.0.2.1", place: "192.0.2.1"}
	keys := f.countKeys(a).all()
	require.Len(t, keys, 3)
	for _, key := range keys {
		require.Regexp(t, `^[0-9a-f]{32}$`, key)
		require.NotEqual(t, nameKey("alice"), key)
	}
	var err error
	f.keys, err = GenerateKeys()
	require.NoError(t, err)
	other, err := New(f.config(), f.keys, f.store)
	require.NoError(t, err)
	defer other.Close()
	require.NotContains(t, keys, other.countKeys(a).name)
	require.NotContains(t, keys, other.countKeys(a).net)
}
