package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
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
