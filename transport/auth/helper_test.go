package auth

import (
	"context"
	"crypto/ed25519"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport"
	"github.com/hexhail/hexhail/transport/internal/memstore"
)

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// cheap makes hashing fast; what is tested is not its cost.
var cheap = func() PasswordConfig {
	c := DefaultPasswordConfig()
	c.MemoryKiB, c.Iterations = 64, 1
	return c
}()

const testSeed = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

type fixture struct {
	*Service
	store *memstore.Store
	clock *clock
	keys  Keys
}

// config is one for tests: hashing costs little, and time is the fixture's.
func (f *fixture) config() Config {
	c := DefaultConfig()
	c.Password, c.Now = cheap, f.clock.now
	return c
}

func newFixture(t testing.TB, edit ...func(*Config)) *fixture {
	t.Helper()
	return newFixtureOn(t, &memstore.Store{}, edit...)
}

// newFixtureOn is a fixture with a store that others may use as well.
func newFixtureOn(t testing.TB, store *memstore.Store, edit ...func(*Config)) *fixture {
	t.Helper()
	f := &fixture{store: store, clock: newClock()}
	var err error
	f.keys, err = ParseKeys(testSeed)
	require.NoError(t, err)
	cfg := f.config()
	for _, e := range edit {
		e(&cfg)
	}
	f.Service, err = New(cfg, f.keys, f.store)
	require.NoError(t, err)
	t.Cleanup(f.Close)
	return f
}

// rider signs up a rider.
func (f *fixture) rider(t testing.TB, username string) (ride.Account, Tokens) {
	t.Helper()
	a, tk, err := f.SignUp(context.Background(), SignUp{
		Username: username, Password: "correct horse", FirstName: "Rosa", LastName: "Reiter", Role: ride.RoleRider,
	})
	require.NoError(t, err)
	return a, tk
}

func (f *fixture) publicKey() ed25519.PublicKey { return f.keys.publics[f.keys.signID] }

// mangle changes the first character of a part of a token, 0 to 2.
func mangle(token string, part int) string {
	parts := strings.Split(token, ".")
	c := "A"
	if parts[part][0] == 'A' {
		c = "B"
	}
	parts[part] = c + parts[part][1:]
	return strings.Join(parts, ".")
}

func mustPrincipal(t testing.TB, f *fixture, tk Tokens) transport.Principal {
	t.Helper()
	p, err := f.Authenticate(context.Background(), tk.Access)
	require.NoError(t, err)
	return p
}
