package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

func TestLoadOrCreateKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "signing.key")
	var wg sync.WaitGroup
	ids := make(chan string, 8)
	for range cap(ids) { // processes that start together agree on one key
		wg.Go(func() {
			if k, err := LoadOrCreateKey(path); err == nil {
				ids <- k.signID
			}
		})
	}
	wg.Wait()
	close(ids)
	first, ok := <-ids
	require.True(t, ok)
	n := 1
	for id := range ids {
		require.Equal(t, first, id)
		n++
	}
	require.Equal(t, 8, n)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing left behind")

	require.NoError(t, os.Chmod(path, 0o644))
	_, err = LoadOrCreateKey(path)
	require.ErrorIs(t, err, ErrConfig)
}

func TestParseKeys(t *testing.T) {
	one, err := ParseKeys(testSeed)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(one.sign)
	require.NoError(t, err)
	two, err := GenerateKeys()
	require.NoError(t, err)
	pub, err := x509.MarshalPKIXPublicKey(two.publics[two.signID])
	require.NoError(t, err)
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub})

	both, err := ParseKeys(string(public) + string(private))
	require.NoError(t, err)
	require.Equal(t, one.signID, both.signID)
	require.Len(t, both.publics, 2)

	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	wrong, err := x509.MarshalPKCS8PrivateKey(ec)
	require.NoError(t, err)
	for name, text := range map[string]string{
		"empty": "", "not base64": "&&&", "short seed": "AAEC", "only public": string(public),
		"another curve": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: wrong})),
		"another block": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		"broken block":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der[:10]})),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseKeys(text)
			require.ErrorIs(t, err, ErrConfig)
		})
	}
}

// Another service checks our tokens with the public set, as a key set of any issuer is checked.
func TestPublicSetChecksTokens(t *testing.T) {
	former, err := GenerateKeys()
	require.NoError(t, err)
	now, err := GenerateKeys()
	require.NoError(t, err)
	both := newKeys([]ed25519.PrivateKey{now.sign, former.sign}, nil)
	raw, err := both.PublicSet()
	require.NoError(t, err)
	require.NotContains(t, string(raw), `"d":`, "a private part")
	set, err := keyfunc.NewJWKSetJSON(raw)
	require.NoError(t, err)
	for _, keys := range []Keys{now, former} {
		cfg := DefaultConfig()
		cfg.Now = time.Now
		token, _, err := newTokens(cfg, keys).issue(ride.Account{ID: "anna", Role: ride.RoleRider}, "family")
		require.NoError(t, err)
		parsed, err := jwt.Parse(token, set.Keyfunc, jwt.WithValidMethods([]string{"EdDSA"}))
		require.NoError(t, err)
		require.True(t, parsed.Valid)
	}
}
