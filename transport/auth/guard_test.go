package auth

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// guessing is people who try passwords, on a clock that advances only while one of them waits.
type guessing struct {
	*fixture
	t *testing.T
}

// whileGuessing runs f inside a bubble: what is held there takes no time.
func whileGuessing(t *testing.T, f func(t *testing.T, g guessing)) {
	synctest.Test(t, func(t *testing.T) {
		g := guessing{newFixture(t, func(c *Config) { c.Now = time.Now }), t}
		g.store.Now = time.Now
		f(t, g)
	})
}

// try is one log-in. It returns how long it was held, and how long it must wait before the next.
func (g guessing) try(name, password string, from Place) (held, refused time.Duration, err error) {
	began := time.Now()
	_, _, err = g.LogInFrom(context.Background(), name, password, from)
	var soon *TooSoonError
	if errors.As(err, &soon) {
		refused = soon.RetryAfter
	}
	return time.Since(began), refused, err
}

// fails makes wrong guesses until one is refused, n at most, and returns how many were looked at.
func (g guessing) fails(n int, name string, from Place) (looked int) {
	g.t.Helper()
	for range n {
		_, refused, err := g.try(name, "lucky guess", from)
		if refused > 0 {
			return looked
		}
		require.ErrorIs(g.t, err, ride.ErrUnauthenticated)
		looked++
	}
	return looked
}

// gets returns how long it takes until the right password is accepted, retrying when the server
// says so.
func (g guessing) gets(name string, from Place) time.Duration {
	g.t.Helper()
	began := time.Now()
	for range 5 {
		_, refused, err := g.try(name, "correct horse", from)
		if err == nil {
			return time.Since(began)
		}
		require.Positive(g.t, refused, "%v", err)
		time.Sleep(refused)
	}
	g.t.Fatal("kept out")
	return 0
}

func at(format string, a ...any) Place { return Place{Addr: fmt.Sprintf(format, a...)} }

func TestGuessingIsSlowedDown(t *testing.T) {
	whileGuessing(t, func(t *testing.T, g guessing) {
		g.rider(t, "alice")
		for _, name := range []string{"alice", "nobody"} { // alike, whether it exists or not
			here := at("192.0.2.1")
			require.Equal(t, 10, g.fails(50, name, here))
			for _, seconds := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
				_, refused, _ := g.try(name, "lucky guess", here)
				require.Equal(t, time.Duration(seconds)*time.Second, refused)
				time.Sleep(refused)
				require.Equal(t, 1, g.fails(1, name, here))
			}
		}
		time.Sleep(time.Minute)
		require.Zero(t, g.gets("alice", at("192.0.2.1")))
		require.Equal(t, 10, g.fails(50, "alice", at("192.0.2.1")), "a success wipes the slate")
	})
}

// TestOthersFailuresKeepNobodyOut: the right password logs in at once, or within the bound, whatever
// others do to its username, at the same time or before.
func TestOthersFailuresKeepNobodyOut(t *testing.T) {
	whileGuessing(t, func(t *testing.T, g guessing) {
		g.rider(t, "alice")
		g.rider(t, "bob")
		device := Place{Addr: "192.0.2.7", Device: "a-phone-that-is-alices"}
		require.Zero(t, g.gets("alice", device))
		require.Zero(t, g.gets("alice", at("2001:db8:1:2::7")))

		g.fails(50, "alice", at("198.51.100.1"))
		require.Zero(t, g.gets("alice", at("203.0.113.1")), "one guesser is slowed down alone")

		for i := range 200 {
			g.fails(20, "alice", at("198.51.100.%d", i))
		}
		require.Zero(t, g.gets("alice", Place{Addr: "203.0.113.2", Device: device.Device}), "a known device, anywhere")
		require.Zero(t, g.gets("alice", at("192.0.2.7")), "a known network")
		require.Zero(t, g.gets("alice", at("2001:db8:1:2:ffff::1")), "a known network is a /64")
		require.LessOrEqual(t, g.gets("alice", at("203.0.113.3")), 12*time.Second, "a stranger's place")
		require.LessOrEqual(t, g.gets("alice", at("2001:db8:1:3::1")), 12*time.Second)
		require.Zero(t, g.gets("bob", at("203.0.113.4")), "another account")

		g.fails(50, "alice", at("192.0.2.7"))
		require.Zero(t, g.gets("alice", device), "a guesser behind the same address")
	})
}

// TestManyNetworksGuessSlowly: however many networks guess one password, few guesses are looked at
// at once, and each network has few of them.
func TestManyNetworksGuessSlowly(t *testing.T) {
	for _, name := range []string{"alice", "nobody"} {
		whileGuessing(t, func(t *testing.T, g guessing) {
			g.rider(t, "alice")
			looked := 0
			began := time.Now()
			for i := range 1000 {
				looked += g.fails(10, name, at("198.51.%d.%d", i/250, i%250))
			}
			spent := time.Since(began)
			require.LessOrEqual(t, looked, 35+int(spent/time.Second), "10,000 guesses")

			perNetwork := 0 // of one that comes back as often as it may, for an hour
			for end := time.Now().Add(time.Hour); time.Now().Before(end); {
				// The botnet keeps the username under attack.
				g.fails(1, name, at("203.0.%d.%d", perNetwork/250, perNetwork%250))
				if _, refused, _ := g.try(name, "lucky guess", at("198.51.9.9")); refused > 0 {
					time.Sleep(refused)
				} else {
					perNetwork++
				}
			}
			require.LessOrEqual(t, perNetwork, 25)
		})
	}
}

// TestOneNetworkTriesManyNames: spraying is paced, and one known password buys no further guesses.
func TestOneNetworkTriesManyNames(t *testing.T) {
	whileGuessing(t, func(t *testing.T, g guessing) {
		g.rider(t, "alice")
		looked := 0
		began := time.Now()
		for i := range 500 {
			looked += g.fails(1, fmt.Sprintf("name%d", i), at("2001:db8:1:2::%x", i+1))
			if i%5 == 0 {
				require.Zero(t, g.gets("alice", at("2001:db8:1:2::ffff")), "alice is known here by now")
			}
			if i == 0 {
				g.rider(t, "carol")
			}
		}
		require.LessOrEqual(t, looked, 55+int(time.Since(began)/time.Second), "the whole /64 counts as one")
		require.LessOrEqual(t, g.gets("carol", at("2001:db8:1:2:3::1")), 12*time.Second)
		require.Zero(t, g.gets("carol", at("2001:db8:1:3::1")))
	})
}

// TestAnOfficeThatMistypes: people behind one address do not lock each other out.
func TestAnOfficeThatMistypes(t *testing.T) {
	whileGuessing(t, func(t *testing.T, g guessing) {
		for i := range 14 {
			g.rider(t, fmt.Sprintf("person%d", i))
		}
		for i := range 13 {
			require.Equal(t, 1, g.fails(1, fmt.Sprintf("person%d", i), at("192.0.2.1")))
		}
		for i := range 14 {
			require.Zero(t, g.gets(fmt.Sprintf("person%d", i), at("192.0.2.1")))
		}
	})
}

// TestHeldAttempts: waiting inside the server is bounded, ends with the request, and what it
// counted is taken back.
func TestHeldAttempts(t *testing.T) {
	whileGuessing(t, func(t *testing.T, g guessing) {
		g.guard.cfg.Pace = time.Millisecond
		for i := range 30 {
			g.fails(1, "alice", at("198.51.100.%d", i))
		}
		g.fails(1, "alice", at("198.51.100.200")) // the first turn is at once
		ctx, leave := context.WithCancel(t.Context())
		ended := make(chan error, 100)
		for i := range 100 {
			go func() {
				_, _, err := g.LogInFrom(ctx, "alice", "correct horse", at("203.0.113.%d", i))
				ended <- err
			}()
		}
		synctest.Wait()
		g.guard.mu.Lock()
		held := g.guard.held
		g.guard.mu.Unlock()
		require.Equal(t, mostHeld, held)
		leave()
		synctest.Wait()
		g.guard.mu.Lock()
		name, _ := g.guard.names.Get(nameKey("alice"))
		held = g.guard.held
		g.guard.mu.Unlock()
		require.Zero(t, held)
		require.Equal(t, 31, name.n())
		refused := 0
		for range 100 {
			if errors.Is(<-ended, ride.ErrTooMany) {
				refused++
			}
		}
		require.Equal(t, 100-mostHeld, refused)
	})
}

// TestPlaces: what is stored names neither the network nor the device, is bounded and ages.
func TestPlaces(t *testing.T) {
	f := newFixture(t)
	alice, _ := f.rider(t, "alice")
	bob, _ := f.rider(t, "bob")
	from := Place{Addr: "192.0.2.77", Device: "a-secret-of-this-phone"}
	for _, name := range []string{"alice", "bob"} {
		_, _, err := f.LogInFrom(t.Context(), name, "correct horse", from)
		require.NoError(t, err)
	}
	places := func(id ride.AccountID) []string {
		got, err := f.store.KnownPlaces(t.Context(), id, f.clock.now().Add(-placeAge))
		require.NoError(t, err)
		return got
	}
	require.Len(t, places(alice.ID), 2)
	require.Len(t, places(bob.ID), 2)
	for _, p := range places(alice.ID) {
		require.NotContains(t, places(bob.ID), p, "one device does not link two accounts")
		require.NotContains(t, p, "192.0.2.77")
		require.NotContains(t, p, from.Device)
	}
	known := func(p Place) bool {
		a, err := f.attemptAt(t.Context(), "alice", alice.ID, p)
		require.NoError(t, err)
		return a.known
	}
	require.True(t, known(from))
	require.True(t, known(Place{Addr: "203.0.113.9", Device: from.Device}))
	require.False(t, known(Place{Addr: "203.0.113.9", Device: "a-secret-of-another-one"}))
	_, _, err := f.LogInFrom(t.Context(), "alice", "wrong horse", Place{Addr: "203.0.113.9", Device: "a-secret-of-another-one"})
	require.ErrorIs(t, err, ride.ErrUnauthenticated)
	require.False(t, known(Place{Addr: "203.0.113.9", Device: "a-secret-of-another-one"}), "a failure makes nothing known")

	f.clock.advance(time.Second)
	for i := range placesKept {
		_, _, err := f.LogIn(t.Context(), "alice", "correct horse", fmt.Sprintf("198.51.100.%d", i))
		require.NoError(t, err)
	}
	require.Len(t, places(alice.ID), placesKept)
	require.False(t, known(from))
	f.clock.advance(placeAge + time.Second)
	require.Empty(t, places(alice.ID))
	require.False(t, known(at("198.51.100.1")))

	_, tk, err := f.SignUp(t.Context(), SignUp{
		Username: "carol", Password: "correct horse", FirstName: "C", LastName: "C", Role: ride.RoleRider, From: from,
	})
	require.NoError(t, err)
	require.Len(t, places(mustPrincipal(t, f, tk).Account.ID), 2, "a sign-up is a log-in")
}

// TestOwnPasswordIsSlowedDownByLogIn: the holder of a token may guess as often as anyone, and
// others' guesses do not keep its owner from changing the password.
func TestOwnPasswordIsSlowedDownByLogIn(t *testing.T) {
	f := newFixture(t)
	_, stolen := f.rider(t, "alice")
	_, own, err := f.LogIn(t.Context(), "alice", "correct horse", "192.0.2.1")
	require.NoError(t, err)
	thief := mustPrincipal(t, f, stolen)
	for range 10 {
		require.ErrorIs(t, f.Confirm(t.Context(), thief, "lucky guess"), ride.ErrInvalidArgument)
	}
	require.ErrorIs(t, f.Confirm(t.Context(), thief, "correct horse"), ride.ErrTooMany)
	_, err = f.ChangePassword(t.Context(), mustPrincipal(t, f, own), "correct horse", "battery staple")
	require.NoError(t, err)
}

// TestFailuresRememberedAreBounded: a client that tries many usernames from many networks makes the
// guard forget the least recent, and keep no more.
func TestFailuresRememberedAreBounded(t *testing.T) {
	c := DefaultGuardConfig()
	c.Remember = 5
	g, err := newGuard(c, newClock().now)
	require.NoError(t, err)
	for i := range 50 {
		network := fmt.Sprintf("192.0.2.%d", i)
		g.begin(logInAttempt{username: fmt.Sprint("name", i), network: network, place: network}, storedCounts{})
	}
	require.Equal(t, []int{5, 5, 5}, []int{g.pairs.Len(), g.names.Len(), g.nets.Len()})
}
