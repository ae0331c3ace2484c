package auth

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport"
)

// signRaw signs a payload byte for byte, as no library would write it.
func (g *forged) signRaw(t testing.TB, payload string) string {
	t.Helper()
	head, _, _ := strings.Cut(g.sign(t), ".")
	text := head + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	sig, err := g.method.Sign(text, g.key)
	require.NoError(t, err)
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// TestInvalidDatesAreRefused: numbers beyond an integer's range wrap in the library, so that "not
// before the year 300 billion" would be true today. With each claim, in tokens of both kinds.
func TestInvalidDatesAreRefused(t *testing.T) {
	f := newFixture(t, withSSO(nil))
	alice, tk := f.rider(t, "alice")
	now := f.clock.now().Unix()
	kinds := map[string]struct {
		*forged
		claims string
	}{
		"own":     {f.forge(alice, tk.Family), fmt.Sprintf(`"iss":"hexhail","aud":"hexhail","sub":%q,"role":"rider","sid":%q`, alice.ID, tk.Family)},
		"outside": {f.sso(), fmt.Sprintf(`"iss":%q,"aud":"hexhail","sub":"42","role":"rider"`, ssoIssuer)},
	}
	values := []string{
		"1e19", "9.3e18", "9.3E+18", "1e300", "-1e19", "-1", "-0", "0.5e1", "1e9", "9223372036854775807", "9223372036854775808",
		"18446744073709551616", "10000000000000000000", "253402300800", "999999999999", "1000000000000", "1893450000000", // milliseconds
		"1." + strings.Repeat("0", 10), strings.Repeat("9", 400), "null", "true", `"1893450000"`, `"1e19"`, `""`, "[1893450000]", `{"n":1}`,
		"NaN", "Infinity", "+1", "0x10", "01", "1.", ".5",
	}
	for kind, k := range kinds {
		token := func(exp, nbf, iat string) string {
			return k.signRaw(t, fmt.Sprintf(`{%s,"exp":%s,"nbf":%s,"iat":%s}`, k.claims, exp, nbf, iat))
		}
		in, ago := fmt.Sprint(now+60), fmt.Sprint(now-60)
		_, err := f.Authenticate(t.Context(), token(in, ago, ago))
		require.NoError(t, err, "the unchanged token must count, or the table proves nothing")
		_, err = f.Authenticate(t.Context(), token(in+".25", ago+".000001", ago+".5"))
		require.NoError(t, err, "fractions of a second are dates")
		for _, v := range values {
			for claim, bad := range map[string]string{"exp": token(v, ago, ago), "nbf": token(in, v, ago), "iat": token(in, ago, v)} {
				_, err := f.Authenticate(t.Context(), bad)
				require.ErrorIs(t, err, ride.ErrUnauthenticated, "%s: %s %s", kind, claim, v)
			}
		}
	}
}

func TestOutsideTokensHaveALongestLife(t *testing.T) {
	f := newFixture(t, withSSO(nil), func(c *Config) { c.OutsideTTL = 2 * time.Hour })
	now := f.clock.now()
	for name, c := range map[string]struct {
		iat, exp any
		ok       bool
	}{
		"two hours":                     {now.Unix(), now.Add(2 * time.Hour).Unix(), true},
		"a second more":                 {now.Unix(), now.Add(2*time.Hour + time.Second).Unix(), false},
		"most of it is over":            {now.Add(-3 * time.Hour).Unix(), now.Add(time.Minute).Unix(), false},
		"made at an unknown time":       {nil, now.Add(time.Hour).Unix(), true},
		"made at an unknown time, long": {nil, now.Add(3 * time.Hour).Unix(), false},
		"made in 1970":                  {int64(0), now.Add(time.Hour).Unix(), false},
		"for ever":                      {now.Unix(), int64(lastSecond), false},
	} {
		g := f.sso()
		delete(g.claims, "iat")
		if c.iat != nil {
			g.claims["iat"] = c.iat
		}
		g.claims["exp"] = c.exp
		_, err := f.Authenticate(t.Context(), g.sign(t))
		if c.ok {
			require.NoError(t, err, name)
		} else {
			require.ErrorIs(t, err, ride.ErrUnauthenticated, name)
		}
	}
	c := DefaultConfig()
	c.OutsideTTL = time.Second
	err := c.Validate()
	require.ErrorIs(t, err, ErrConfig)
}

// TestOutsideLogOut: after a log-out no token from before counts, however it is presented.
func TestOutsideLogOut(t *testing.T) {
	for name, end := range map[string]func(*fixture, transport.Principal) error{
		"by its owner":   func(f *fixture, p transport.Principal) error { return f.LogOut(t.Context(), p) },
		"by an operator": func(f *fixture, p transport.Principal) error { return f.LogOutAccount(t.Context(), p.Account.ID) },
		"by a suspension that was taken back": func(f *fixture, p transport.Principal) error {
			if err := f.store.SetAccountStatus(t.Context(), p.Account.ID, ride.AccountSuspended); err != nil {
				return err
			}
			return f.store.SetAccountStatus(t.Context(), p.Account.ID, ride.AccountActive)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withSSO(nil))
			f.store.Now = f.clock.now
			before := f.sso()
			without := f.sso()
			delete(without.claims, "iat")
			p, err := f.Authenticate(t.Context(), before.sign(t))
			require.NoError(t, err)
			_, err = f.Authenticate(t.Context(), without.sign(t))
			require.NoError(t, err)
			ticket, _, err := f.IssueTicket(t.Context(), p)
			require.NoError(t, err)

			f.clock.advance(1500 * time.Millisecond)
			require.NoError(t, end(f, p))
			for what, token := range map[string]string{"the token": before.sign(t), "one without iat": without.sign(t)} {
				_, err = f.Authenticate(t.Context(), token)
				require.ErrorIs(t, err, ride.ErrUnauthenticated, what)
			}
			_, err = f.RedeemTicket(t.Context(), ticket)
			require.ErrorIs(t, err, ride.ErrUnauthenticated)
			_, err = f.recheck(t.Context(), p)
			require.ErrorIs(t, err, ride.ErrUnauthenticated)

			f.clock.advance(time.Second)
			_, err = f.Authenticate(t.Context(), f.sso().sign(t))
			require.NoError(t, err, "a later log-in counts")
			other := f.sso()
			other.claims["sub"], other.claims["iat"] = "43", before.claims["iat"]
			_, err = f.Authenticate(t.Context(), other.sign(t))
			require.NoError(t, err, "no other account is logged out")
		})
	}
}

// TestOutsideLogOutWithAClockAhead: the issuer's clock may be ahead of ours by the leeway, and
// its tokens end with a log-out all the same.
func TestOutsideLogOutWithAClockAhead(t *testing.T) {
	f := newFixture(t, withSSO(nil))
	g := f.sso()
	g.claims["iat"] = f.clock.now().Add(8 * time.Second).Unix()
	p, err := f.Authenticate(t.Context(), g.sign(t))
	require.NoError(t, err)
	require.NoError(t, f.LogOutAccount(t.Context(), p.Account.ID))
	_, err = f.Authenticate(t.Context(), g.sign(t))
	require.ErrorIs(t, err, ride.ErrUnauthenticated)
	f.clock.advance(time.Second)
	g.claims["iat"] = f.clock.now().Add(8 * time.Second).Unix()
	_, err = f.Authenticate(t.Context(), g.sign(t))
	require.NoError(t, err)
}

// TestOwnTokensIgnoreTheInstant: our own log-ins end by their families, and a log-in of the same
// second as a log-out counts.
func TestOwnTokensIgnoreTheInstant(t *testing.T) {
	f := newFixture(t)
	alice, tk := f.rider(t, "alice")
	f.clock.advance(500 * time.Millisecond)
	require.NoError(t, f.LogOutAccount(t.Context(), alice.ID))
	_, err := f.Authenticate(t.Context(), tk.Access)
	require.ErrorIs(t, err, ride.ErrUnauthenticated)
	_, again, err := f.LogIn(t.Context(), "alice", "correct horse", "192.0.2.1")
	require.NoError(t, err)
	_, err = f.Authenticate(t.Context(), again.Access)
	require.NoError(t, err)
}
