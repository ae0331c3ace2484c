package auth

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// forged is a token under construction: valid until it is changed.
type forged struct {
	method jwt.SigningMethod
	header map[string]any
	claims jwt.MapClaims
	key    any
}

func (f *fixture) forge(a ride.Account, family string) *forged {
	now := f.clock.now()
	return &forged{
		method: jwt.SigningMethodEdDSA,
		header: map[string]any{"kid": f.keys.signID, "typ": tokenType},
		claims: jwt.MapClaims{
			"iss": "hexhail", "aud": "hexhail", "sub": string(a.ID), "role": string(a.Role), "sid": family,
			"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
		},
		key: f.keys.sign,
	}
}

func (g *forged) sign(t testing.TB) string {
	t.Helper()
	tok := jwt.NewWithClaims(g.method, g.claims)
	for k, v := range g.header {
		tok.Header[k] = v
	}
	s, err := tok.SignedString(g.key)
	require.NoError(t, err)
	return s
}

// TestTokenAttacks makes tokens that are right but for one thing.
func TestTokenAttacks(t *testing.T) {
	f := newFixture(t)
	alice, tk := f.rider(t, "alice")
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	der, err := x509.MarshalPKIXPublicKey(f.publicKey())
	require.NoError(t, err)
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	now := f.clock.now()
	drop := func(claim string) func(*forged) { return func(g *forged) { delete(g.claims, claim) } }
	set := func(claim string, v any) func(*forged) { return func(g *forged) { g.claims[claim] = v } }
	head := func(name string, v any) func(*forged) { return func(g *forged) { g.header[name] = v } }

	_, err = f.Authenticate(t.Context(), f.forge(alice, tk.Family).sign(t))
	require.NoError(t, err, "the unchanged forgery must be a valid token, or the table proves nothing")

	for name, change := range map[string]func(*forged){
		"alg none": func(g *forged) { g.method, g.key = jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType },
		"HS256 with the public key": func(g *forged) {
			g.method, g.key = jwt.SigningMethodHS256, []byte(f.publicKey())
		},
		"HS256 with the public key as PEM": func(g *forged) {
			g.method, g.key = jwt.SigningMethodHS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		},
		"RS256":                 func(g *forged) { g.method, g.key = jwt.SigningMethodRS256, rsaKey },
		"someone else's key":    func(g *forged) { g.key = stranger },
		"no exp":                drop("exp"),
		"no aud":                drop("aud"),
		"no iss":                drop("iss"),
		"no sub":                drop("sub"),
		"no sid":                drop("sid"),
		"no role":               drop("role"),
		"no iat":                drop("iat"),
		"other aud":             set("aud", "elsewhere"),
		"empty aud":             set("aud", ""),
		"other iss":             set("iss", "https://elsewhere.example"),
		"iss in another case":   set("iss", "HexHail"),
		"iss is a list":         set("iss", []string{"hexhail"}),
		"unknown sub":           set("sub", "0190-nobody"),
		"another role":          set("role", "operator"),
		"no such role":          set("role", "root"),
		"expired":               set("exp", now.Add(-time.Minute).Unix()),
		"exp is text":           set("exp", "never"),
		"exp huge":              set("exp", 1e300),
		"not yet":               set("nbf", now.Add(time.Hour).Unix()),
		"issued in the future":  set("iat", now.Add(time.Hour).Unix()),
		"no kid":                func(g *forged) { delete(g.header, "kid") },
		"unknown kid":           head("kid", "0000000000000000"),
		"kid is a path":         head("kid", "../../../../dev/null"),
		"kid is a URL":          head("kid", "https://elsewhere.example/key"),
		"kid is SQL":            head("kid", "' UNION SELECT 'x"),
		"kid is not text":       head("kid", 1),
		"brings its own key":    head("jwk", map[string]any{"kty": "OKP"}),
		"names a key set":       head("jku", "https://elsewhere.example/jwks"),
		"names a certificate":   head("x5u", "https://elsewhere.example/cert"),
		"critical extension":    head("crit", []string{"b64"}),
		"another type of token": head("typ", "JWT"),
		"giant":                 set("pad", strings.Repeat("x", maxTokenBytes)),
	} {
		t.Run(name, func(t *testing.T) {
			g := f.forge(alice, tk.Family)
			change(g)
			_, err := f.Authenticate(t.Context(), g.sign(t))
			require.ErrorIs(t, err, ride.ErrUnauthenticated)
		})
	}
}

// TestTokenShapes sends values that are not tokens, or a valid token in another form.
func TestTokenShapes(t *testing.T) {
	f := newFixture(t)
	_, tk := f.rider(t, "alice")
	good := tk.Access
	parts := strings.Split(good, ".")
	for name, token := range map[string]string{
		"empty":            "",
		"space before":     " " + good,
		"space after":      good + " ",
		"newline inside":   parts[0] + ".\n" + parts[1] + "." + parts[2],
		"newline after":    good + "\r\n",
		"padding":          good + "=",
		"no signature":     parts[0] + "." + parts[1] + ".",
		"two parts":        parts[0] + "." + parts[1],
		"four parts":       good + ".x",
		"header changed":   mangle(good, 0),
		"claims changed":   mangle(good, 1),
		"signature change": mangle(good, 2),
		"dots":             "..",
		"NUL":              good + "\x00",
		"bearer twice":     "Bearer " + good,
		"a refresh token":  tk.Refresh,
		"megabyte":         strings.Repeat("a", 1<<20),
		"standard base64":  "+/+/.+/+/.+/+/",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.Authenticate(t.Context(), token)
			require.ErrorIs(t, err, ride.ErrUnauthenticated)
		})
	}
	_, err := f.Authenticate(t.Context(), good)
	require.NoError(t, err)
}

// TestFormerKeyStillCounts changes the signing key, and then drops the former one.
func TestFormerKeyStillCounts(t *testing.T) {
	f := newFixture(t)
	_, tk := f.rider(t, "alice")
	_, fresh, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)

	both, err := New(f.config(),
		newKeys([]ed25519.PrivateKey{fresh}, []ed25519.PublicKey{f.publicKey()}), f.store)
	require.NoError(t, err)
	defer both.Close()
	_, err = both.Authenticate(t.Context(), tk.Access)
	require.NoError(t, err)

	only, err := New(f.config(), newKeys([]ed25519.PrivateKey{fresh}, nil), f.store)
	require.NoError(t, err)
	defer only.Close()
	_, err = only.Authenticate(t.Context(), tk.Access)
	require.ErrorIs(t, err, ride.ErrUnauthenticated)
}

func FuzzAuthenticate(f *testing.F) {
	fx := newFixture(f, func(c *Config) {
		c.Outside = []OutsideIssuer{{Issuer: "https://sso.example", Secret: []byte(strings.Repeat("k", 32)), Audience: "hexhail", AllowCreate: true}}
	})
	alice, tk := fx.rider(f, "alice")
	f.Add(tk.Access)
	f.Add(mangle(tk.Access, 1))
	none := fx.forge(alice, tk.Family)
	none.method, none.key = jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType
	f.Add(none.sign(f))
	hs := fx.forge(alice, tk.Family)
	hs.method, hs.key = jwt.SigningMethodHS256, []byte(fx.publicKey())
	f.Add(hs.sign(f))
	f.Add("eyJhbGciOiJFZERTQSJ9.e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		p, err := fx.Authenticate(context.Background(), token)
		if err != nil {
			require.ErrorIs(t, err, ride.ErrUnauthenticated)
			return
		}
		require.Equal(t, tk.Access, token, "only the token that we signed counts, byte for byte")
		require.Equal(t, alice.ID, p.Account.ID)
	})
}
