package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

const ssoIssuer = "https://sso.example"

var ssoSecret = []byte(strings.Repeat("s", 32))

func withSSO(edit func(*OutsideIssuer)) func(*Config) {
	return func(c *Config) {
		o := OutsideIssuer{Issuer: ssoIssuer, Secret: ssoSecret, Audience: "hexhail", AllowCreate: true}
		if edit != nil {
			edit(&o)
		}
		c.Outside = append(c.Outside, o)
	}
}

func (f *fixture) sso() *forged {
	now := f.clock.now()
	return &forged{
		method: jwt.SigningMethodHS256, key: ssoSecret, header: map[string]any{},
		claims: jwt.MapClaims{
			"iss": ssoIssuer, "aud": "hexhail", "sub": "42", "role": "rider", "given_name": "Ada",
			"preferred_username": "ada lovelace", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		},
	}
}

func TestOutsideIssuerMakesAccountsOnce(t *testing.T) {
	f := newFixture(t, withSSO(nil))
	p, err := f.Authenticate(t.Context(), f.sso().sign(t))
	require.NoError(t, err)
	require.Equal(t, ride.RoleRider, p.Account.Role)
	require.Equal(t, "Ada", p.Account.FirstName)
	require.Equal(t, "-", p.Account.LastName)
	require.NoError(t, CheckUsername(p.Account.Username))
	require.Contains(t, p.Account.Username, "adalovelace-")
	require.Empty(t, p.Family)
	again, err := f.Authenticate(t.Context(), f.sso().sign(t))
	require.NoError(t, err)
	require.Equal(t, p.Account, again.Account)

	other := f.sso()
	other.claims["sub"] = "43"
	q, err := f.Authenticate(t.Context(), other.sign(t))
	require.NoError(t, err)
	require.NotEqual(t, p.Account.Username, q.Account.Username, "the same name elsewhere is not the same name here")

	_, _, err = f.LogIn(t.Context(), p.Account.Username, "", "192.0.2.1")
	require.ErrorIs(t, err, ride.ErrUnauthenticated, "an account without a password has no password")

	require.NoError(t, f.store.SetAccountStatus(t.Context(), p.Account.ID, ride.AccountSuspended))
	_, err = f.Authenticate(t.Context(), f.sso().sign(t))
	require.ErrorIs(t, err, ride.ErrSuspended)
}

func TestOutsideIssuerRefusals(t *testing.T) {
	f := newFixture(t, withSSO(nil))
	known, err := f.Authenticate(t.Context(), f.sso().sign(t))
	require.NoError(t, err)
	now := f.clock.now()
	set := func(claim string, v any) func(*forged) { return func(g *forged) { g.claims[claim] = v } }
	for name, change := range map[string]func(*forged){
		"claims our iss":           set("iss", "hexhail"),
		"an untrusted issuer":      set("iss", "https://other.example"),
		"operator, not allowed":    func(g *forged) { g.claims["sub"], g.claims["role"] = "new", "operator" },
		"another role than before": set("role", "driver"),
		"no role":                  set("role", nil),
		"two roles":                set("role", []string{"rider", "driver"}),
		"role is a number":         set("role", 1),
		"expired":                  set("exp", now.Add(-time.Hour).Unix()),
		"no exp":                   func(g *forged) { delete(g.claims, "exp") },
		"no sub":                   func(g *forged) { delete(g.claims, "sub") },
		"sub with control chars":   set("sub", "a\nb"),
		"other aud":                set("aud", "another"),
		"none":                     func(g *forged) { g.method, g.key = jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType },
		"HS512":                    func(g *forged) { g.method = jwt.SigningMethodHS512 },
		"signed with our key":      func(g *forged) { g.method, g.key = jwt.SigningMethodEdDSA, f.keys.sign },
		"our token, our subject, its signature": func(g *forged) {
			g.claims["iss"], g.claims["sub"], g.claims["sid"] = "hexhail", string(known.Account.ID), "x"
			g.header["kid"], g.header["typ"] = f.keys.signID, tokenType
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := f.sso()
			change(g)
			_, err := f.Authenticate(t.Context(), g.sign(t))
			require.ErrorIs(t, err, ride.ErrUnauthenticated)
		})
	}
}

func TestOutsideIssuerOptions(t *testing.T) {
	t.Run("no accounts made", func(t *testing.T) {
		f := newFixture(t, withSSO(func(o *OutsideIssuer) { o.AllowCreate = false }))
		_, err := f.Authenticate(t.Context(), f.sso().sign(t))
		require.ErrorIs(t, err, ride.ErrUnauthenticated)
	})
	t.Run("operators when listed", func(t *testing.T) {
		f := newFixture(t, withSSO(func(o *OutsideIssuer) { o.Roles = []ride.Role{ride.RoleOperator} }))
		g := f.sso()
		g.claims["role"] = "operator"
		p, err := f.Authenticate(t.Context(), g.sign(t))
		require.NoError(t, err)
		require.Equal(t, ride.RoleOperator, p.Account.Role)
		g.claims["sub"], g.claims["role"] = "43", "rider"
		_, err = f.Authenticate(t.Context(), g.sign(t))
		require.ErrorIs(t, err, ride.ErrUnauthenticated)
	})
	for _, path := range []string{"realm.roles", "https://sso.example/role"} {
		t.Run("role at "+path, func(t *testing.T) {
			f := newFixture(t, withSSO(func(o *OutsideIssuer) { o.RoleClaim = path }))
			g := f.sso()
			delete(g.claims, "role")
			g.claims["realm"] = map[string]any{"roles": []string{"offline_access", "driver"}}
			g.claims["https://sso.example/role"] = "driver"
			p, err := f.Authenticate(t.Context(), g.sign(t))
			require.NoError(t, err)
			require.Equal(t, ride.RoleDriver, p.Account.Role)
		})
	}
}

func TestOutsideIssuerByJWKS(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	var fetched atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fetched.Add(1)
		raw, err := key.PublicKey.Bytes() // 0x04, x, y
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		b64 := base64.RawURLEncoding.EncodeToString
		fmt.Fprintf(w, `{"keys":[{"kty":"EC","crv":"P-256","kid":"k1","alg":"ES256","use":"sig","x":%q,"y":%q}]}`,
			b64(raw[1:33]), b64(raw[33:]))
	}))
	defer srv.Close()
	f := newFixture(t, withSSO(func(o *OutsideIssuer) {
		o.Secret, o.JWKSURL, o.Algorithms = nil, srv.URL, []string{"ES256"}
	}))
	token := func(kid any, method jwt.SigningMethod, k any) string {
		g := f.sso()
		g.method, g.key = method, k
		if kid != nil {
			g.header["kid"] = kid
		}
		return g.sign(t)
	}
	_, err = f.Authenticate(t.Context(), token("k1", jwt.SigningMethodES256, key))
	require.NoError(t, err)

	for name, bad := range map[string]string{
		"no kid":                     token(nil, jwt.SigningMethodES256, key),
		"kid is a number":            token(7, jwt.SigningMethodES256, key),
		"kid is long":                token(strings.Repeat("k", 300), jwt.SigningMethodES256, key),
		"an unknown issuer's secret": token("k1", jwt.SigningMethodHS256, ssoSecret),
		"no signature":               token("k1", jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType),
		"signature tampered":         mangle(token("k1", jwt.SigningMethodES256, key), 2),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.Authenticate(t.Context(), bad)
			require.ErrorIs(t, err, ride.ErrUnauthenticated)
		})
	}
	for range 20 { // unknown keys: one more fetch, however many ask
		_, err = f.Authenticate(t.Context(), token("unknown", jwt.SigningMethodES256, key))
		require.ErrorIs(t, err, ride.ErrUnauthenticated)
	}
	require.LessOrEqual(t, fetched.Load(), int32(2))
}

func TestOutsideIssuerConfig(t *testing.T) {
	ok := OutsideIssuer{Issuer: ssoIssuer, Audience: "a", Secret: ssoSecret}
	for name, change := range map[string]func(*OutsideIssuer){
		"our own name":        func(o *OutsideIssuer) { o.Issuer = "hexhail" },
		"no audience":         func(o *OutsideIssuer) { o.Audience = "" },
		"short secret":        func(o *OutsideIssuer) { o.Secret = o.Secret[:31] },
		"neither":             func(o *OutsideIssuer) { o.Secret = nil },
		"both":                func(o *OutsideIssuer) { o.JWKSURL = "https://sso.example/jwks" },
		"secret and RS256":    func(o *OutsideIssuer) { o.Algorithms = []string{"RS256"} },
		"keys and HS256":      func(o *OutsideIssuer) { o.Secret, o.JWKSURL, o.Algorithms = nil, "https://x", []string{"HS256"} },
		"keys and none":       func(o *OutsideIssuer) { o.Secret, o.JWKSURL, o.Algorithms = nil, "https://x", []string{"none"} },
		"keys over plain web": func(o *OutsideIssuer) { o.Secret, o.JWKSURL = nil, "http://sso.example/jwks" },
		"keys from a file":    func(o *OutsideIssuer) { o.Secret, o.JWKSURL = nil, "file:///etc/passwd" },
		"no such role":        func(o *OutsideIssuer) { o.Roles = []ride.Role{"root"} },
	} {
		t.Run(name, func(t *testing.T) {
			o := ok
			change(&o)
			c := DefaultConfig()
			c.Outside = []OutsideIssuer{o}
			err := c.Validate()
			require.ErrorIs(t, err, ErrConfig)
		})
	}
	c := DefaultConfig()
	c.Outside = []OutsideIssuer{ok}
	err := c.Validate()
	require.NoError(t, err)
	c.Outside = []OutsideIssuer{ok, ok}
	err = c.Validate()
	require.ErrorIs(t, err, ErrConfig, "twice")
}
