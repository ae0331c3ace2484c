package auth

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

func TestCheckPassword(t *testing.T) {
	for password, ok := range map[string]bool{
		"correct horse": true, "8 bytes.": true, strings.Repeat("x", 128): true, "пароль-пароль": true,
		"seven77": false, "": false, strings.Repeat("x", 129): false, "with\x00nul.": false, "bad\xff\xfeutf8": false,
		"password": false, "PASSWORD123": false, "Alice-Smith": false, "alice-smith": false,
		" password123\u200b": false, "        ": false, "\u3000\u3000\u3000": false, "alice-smith ": false, " correct horse ": true,
	} {
		err := CheckPassword(password, "alice-smith")
		if ok {
			require.NoError(t, err, "%q", password)
		} else {
			require.ErrorIs(t, err, ride.ErrInvalidArgument, "%q", password)
		}
	}
}

func TestPasswordsAreNormalised(t *testing.T) {
	p, err := NewPasswords(cheap)
	require.NoError(t, err)
	h, err := p.Hash(t.Context(), "caf\u00e9 noir")
	require.NoError(t, err)
	ok, _, err := p.Verify(t.Context(), "cafe\u0301 noir", h)
	require.NoError(t, err)
	require.True(t, ok)
}

// TestUnknownAccountsCostTheSame shows the structure that makes timing alike: an empty
// hash is verified against a real one of the same costs, and never matches.
func TestUnknownAccountsCostTheSame(t *testing.T) {
	p, err := NewPasswords(cheap)
	require.NoError(t, err)
	_, stale, err := p.Verify(t.Context(), "anything", p.dummy)
	require.NoError(t, err)
	require.False(t, stale, "the dummy has today's costs")
	ok, _, err := p.Verify(t.Context(), "anything", "")
	require.NoError(t, err)
	require.False(t, ok)

	// Fill every turn: a look-up of an unknown account must wait like any other.
	f := newFixture(t, func(c *Config) {
		c.Password.Concurrent, c.Password.Waiting, c.Password.Wait = 1, 1, time.Nanosecond
	})
	done, err := f.passwords.enter(t.Context())
	require.NoError(t, err)
	_, _, err = f.LogIn(t.Context(), "nobody", "anything at all", "192.0.2.1")
	require.ErrorIs(t, err, ride.ErrUnavailable)
	done()
}

func TestLogInAnswersAlike(t *testing.T) {
	f := newFixture(t)
	f.rider(t, "alice")
	_, _, wrong := f.LogIn(t.Context(), "alice", "wrong horse", "192.0.2.1")
	_, _, unknown := f.LogIn(t.Context(), "nobody", "wrong horse", "192.0.2.1")
	_, _, long := f.LogIn(t.Context(), "alice", strings.Repeat("x", 4096), "192.0.2.1")
	require.ErrorIs(t, wrong, ride.ErrUnauthenticated)
	require.Equal(t, wrong, unknown)
	require.Equal(t, wrong, long)
}

func TestHashesAreRenewedWhenCostsChange(t *testing.T) {
	f := newFixture(t)
	f.rider(t, "alice")
	_, before, err := f.store.AccountByUsername(t.Context(), "alice")
	require.NoError(t, err)
	c := f.config()
	c.Password.MemoryKiB, c.Password.Iterations = 128, 2
	dear, err := New(c, f.keys, f.store)
	require.NoError(t, err)
	defer dear.Close()
	_, _, err = dear.LogIn(t.Context(), "alice", "correct horse", "192.0.2.1")
	require.NoError(t, err)
	_, after, err := f.store.AccountByUsername(t.Context(), "alice")
	require.NoError(t, err)
	require.NotEqual(t, before, after)
	require.Contains(t, after, "m=128,t=2,p=1")
	_, _, err = dear.LogIn(t.Context(), "alice", "correct horse", "192.0.2.1")
	require.NoError(t, err)
}

// TestRenewalDoesNotUndoANewPassword: a hash is renewed while its password is changed.
func TestRenewalDoesNotUndoANewPassword(t *testing.T) {
	f := newFixture(t)
	alice, _ := f.rider(t, "alice")
	c := f.config()
	c.Password.MemoryKiB, c.Password.Iterations = 128, 2
	dear, err := New(c, f.keys, f.store)
	require.NoError(t, err)
	defer dear.Close()
	meanwhile(f, "RenewPassword", func() {
		_, err := f.ResetPassword(t.Context(), alice.ID, "another horse")
		require.NoError(t, err)
	})
	_, _, err = dear.LogIn(t.Context(), "alice", "correct horse", "192.0.2.1")
	require.ErrorIs(t, err, ride.ErrUnauthenticated)
	_, _, err = f.LogIn(t.Context(), "alice", "another horse", "192.0.2.1")
	require.NoError(t, err)
	_, _, err = f.LogIn(t.Context(), "alice", "correct horse", "192.0.2.1")
	require.ErrorIs(t, err, ride.ErrUnauthenticated)
}

// TestNewPasswordEndsLogInsUnderWay: the old password was found right, and is changed
// before the log-in is written down.
func TestNewPasswordEndsLogInsUnderWay(t *testing.T) {
	f := newFixture(t)
	alice, _ := f.rider(t, "alice")
	meanwhile(f, "SaveRefreshToken", func() {
		_, err := f.ResetPassword(t.Context(), alice.ID, "another horse")
		require.NoError(t, err)
	})
	_, tk, err := f.LogIn(t.Context(), "alice", "correct horse", "192.0.2.1")
	require.ErrorIs(t, err, ride.ErrUnauthenticated)
	require.Empty(t, tk)

	_, other, err := f.LogIn(t.Context(), "alice", "another horse", "192.0.2.1")
	require.NoError(t, err)
	meanwhile(f, "SaveRefreshToken", func() { // someone else who knows it changes it, too
		_, err := f.ResetPassword(t.Context(), alice.ID, "a third horse")
		require.NoError(t, err)
	})
	_, err = f.ChangePassword(t.Context(), mustPrincipal(t, f, other), "another horse", "a fourth horse")
	require.ErrorIs(t, err, ride.ErrUnauthenticated)
}

// TestLogInsThatRenewAtOnce: another log-in renews the hash; the password is the same.
func TestLogInsThatRenewAtOnce(t *testing.T) {
	f := newFixture(t)
	alice, _ := f.rider(t, "alice")
	meanwhile(f, "SaveRefreshToken", func() {
		hash, err := f.passwords.Hash(t.Context(), "correct horse")
		require.NoError(t, err)
		require.NoError(t, f.store.SetPassword(t.Context(), alice.ID, hash))
	})
	_, tk, err := f.LogIn(t.Context(), "alice", "correct horse", "192.0.2.1")
	require.NoError(t, err)
	mustPrincipal(t, f, tk)
}

// meanwhile does something once, just before the store's method.
func meanwhile(f *fixture, method string, do func()) {
	f.store.Fail = func(called string) error {
		if called == method {
			f.store.Fail = nil
			do()
		}
		return nil
	}
}

func TestHashingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := NewPasswords(PasswordConfig{MemoryKiB: 64, Iterations: 1, Parallelism: 1, Concurrent: 1, Waiting: 2, Wait: time.Second})
		require.NoError(t, err)
		done, err := p.enter(t.Context())
		require.NoError(t, err)
		start := time.Now()
		var wg sync.WaitGroup
		var mu sync.Mutex
		waited := map[time.Duration]int{}
		for range 5 {
			wg.Go(func() {
				_, err := p.Hash(context.Background(), "correct horse")
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					waited[time.Since(start)]++
				}
			})
		}
		wg.Wait()
		require.Equal(t, map[time.Duration]int{0: 3, time.Second: 2}, waited, "two waited their second, three found no room")
		done()
		_, err = p.Hash(t.Context(), "correct horse")
		require.NoError(t, err, "room again")
	})
}

func TestChangePassword(t *testing.T) {
	f := newFixture(t)
	_, one := f.rider(t, "alice")
	_, two, err := f.LogIn(t.Context(), "alice", "correct horse", "192.0.2.1")
	require.NoError(t, err)
	p := mustPrincipal(t, f, one)
	_, err = f.ChangePassword(t.Context(), p, "wrong horse", "battery staple")
	require.ErrorIs(t, err, ride.ErrInvalidArgument)
	_, err = f.ChangePassword(t.Context(), p, "correct horse", "short")
	require.ErrorIs(t, err, ride.ErrInvalidArgument)
	three, err := f.ChangePassword(t.Context(), p, "correct horse", "battery staple")
	require.NoError(t, err)
	for _, old := range []Tokens{one, two} {
		_, err = f.Authenticate(t.Context(), old.Access)
		require.ErrorIs(t, err, ride.ErrUnauthenticated)
	}
	_, err = f.Authenticate(t.Context(), three.Access)
	require.NoError(t, err)
	_, _, err = f.LogIn(t.Context(), "alice", "correct horse", "192.0.2.1")
	require.ErrorIs(t, err, ride.ErrUnauthenticated)
	_, _, err = f.LogIn(t.Context(), "alice", "battery staple", "192.0.2.1")
	require.NoError(t, err)
}

func TestSignUpRefusals(t *testing.T) {
	f := newFixture(t)
	f.rider(t, "alice")
	ok := SignUp{Username: "bob", Password: "correct horse", FirstName: "Bo", LastName: "Bo", Role: ride.RoleRider}
	for name, c := range map[string]struct {
		change func(*SignUp)
		want   *ride.Error
	}{
		"operator":            {func(n *SignUp) { n.Role = ride.RoleOperator }, ride.ErrInvalidArgument},
		"no role":             {func(n *SignUp) { n.Role = "" }, ride.ErrInvalidArgument},
		"short username":      {func(n *SignUp) { n.Username = "bo" }, ride.ErrInvalidArgument},
		"long username":       {func(n *SignUp) { n.Username = strings.Repeat("b", 33) }, ride.ErrInvalidArgument},
		"username with space": {func(n *SignUp) { n.Username = "bo b" }, ride.ErrInvalidArgument},
		"lookalike username":  {func(n *SignUp) { n.Username = "аlice" }, ride.ErrInvalidArgument},
		"taken":               {func(n *SignUp) { n.Username = "ALICE" }, ride.ErrUsernameTaken},
		"no first name":       {func(n *SignUp) { n.FirstName = "" }, ride.ErrInvalidArgument},
		"name reads backward": {func(n *SignUp) { n.FirstName = "B\u202eo" }, ride.ErrInvalidArgument},
		"name breaks a line":  {func(n *SignUp) { n.LastName = "Bo\nlevel=ERROR" }, ride.ErrInvalidArgument},
		"long name":           {func(n *SignUp) { n.LastName = strings.Repeat("b", 65) }, ride.ErrInvalidArgument},
		"weak password":       {func(n *SignUp) { n.Password = "password1" }, ride.ErrInvalidArgument},
	} {
		t.Run(name, func(t *testing.T) {
			n := ok
			c.change(&n)
			_, _, err := f.SignUp(t.Context(), n)
			require.ErrorIs(t, err, c.want)
		})
	}
	_, _, err := f.SignUp(t.Context(), ok)
	require.NoError(t, err)
}

func TestAdminCreate(t *testing.T) {
	f := newFixture(t)
	a, err := AdminCreate(t.Context(), f.store, cheap, SignUp{
		Username: "root", Password: "correct horse", FirstName: "Olga", LastName: "Op", Role: ride.RoleRider,
	})
	require.NoError(t, err)
	require.Equal(t, ride.RoleOperator, a.Role)
	_, _, err = f.LogIn(t.Context(), "root", "correct horse", "192.0.2.1")
	require.NoError(t, err)
}

// TestCommonPasswords: at least the 3,000 most common ones that are long enough are refused, in any
// case and form of letters.
func TestCommonPasswords(t *testing.T) {
	require.Greater(t, len(commonPasswords()), 3000)
	for p := range commonPasswords() {
		require.GreaterOrEqual(t, len(p), 8, p)
		require.Equal(t, strings.ToLower(p), p)
		require.Error(t, CheckPassword(p, "somebody"), p)
	}
	for _, p := range []string{"password123", "PassWord123", "ｐａｓｓｗｏｒｄ１", "qwertyuiop", "1q2w3e4r5t", "iloveyou", "TRUSTNO1", "welcome1", "HexHail1"} {
		require.ErrorIs(t, CheckPassword(p, "somebody"), ride.ErrInvalidArgument, p)
	}
	for _, p := range []string{"correct horse", "password123 is what I say", "비밀번호비밀번호"} {
		require.NoError(t, CheckPassword(p, "somebody"), p)
	}
}
