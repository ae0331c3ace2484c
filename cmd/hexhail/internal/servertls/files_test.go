package servertls

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

// pair writes a self-signed certificate and its key.
func pair(t *testing.T, cert, key string, serial int64, from, until time.Time) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"}, DNSNames: []string{"rides.example.org"}, NotBefore: from, NotAfter: until,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
}

// TestFilesAreReadAgain: a renewed certificate is shown without a restart, and a broken one is not.
func TestFilesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	now := time.Now()
	pair(t, cert, key, 1, now.Add(-time.Hour), now.Add(90*24*time.Hour))
	var out bytes.Buffer
	f, err := FromFiles(cert, key, slog.New(slog.NewTextHandler(&out, nil)))
	require.NoError(t, err)
	f.now = func() time.Time { return now }
	serial := func() int64 {
		c, err := f.TLS().GetCertificate(nil)
		require.NoError(t, err)
		return c.Leaf.SerialNumber.Int64()
	}
	later := func(path string) { // files of one moment may have one time
		require.NoError(t, os.Chtimes(path, now, now))
	}
	require.EqualValues(t, 1, serial())
	require.Nil(t, f.Check(t.Context()))

	require.NoError(t, os.WriteFile(cert, []byte("half"), 0o600))
	now = now.Add(time.Minute)
	later(cert)
	require.EqualValues(t, 1, serial(), "the former one stays")
	now = now.Add(time.Minute)
	require.EqualValues(t, 1, serial())
	require.Equal(t, 1, strings.Count(out.String(), "cannot be used"), "said once")
	require.NoError(t, os.Remove(cert))
	now = now.Add(time.Minute)
	require.EqualValues(t, 1, serial())

	pair(t, cert, key, 2, now.Add(-time.Hour), now.Add(6*24*time.Hour))
	require.EqualValues(t, 1, serial(), "files are not looked at for each handshake")
	now = now.Add(lookEvery)
	later(cert)
	require.EqualValues(t, 2, serial())
	require.Contains(t, out.String(), "was renewed")
	require.InDelta(t, float64(now.Add(6*24*time.Hour).Unix()), testutil.ToFloat64(f), 120)

	require.Nil(t, f.Check(t.Context()), "a short life is not always about to end")
	now = now.Add(6*24*time.Hour - time.Hour)
	p := f.Check(t.Context())
	require.Contains(t, p.Text, "has not been renewed")
	require.True(t, p.Works)
	now = now.Add(2 * time.Hour)
	p = f.Check(t.Context())
	require.Contains(t, p.Text, "expired on")
	require.True(t, p.Works, "clients decide")
}

// TestFilesMustFit: a server does not start with files that it cannot use.
func TestFilesMustFit(t *testing.T) {
	dir := t.TempDir()
	cert, key, other := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "other.pem")
	pair(t, cert, other, 1, time.Now(), time.Now().Add(time.Hour))
	pair(t, filepath.Join(dir, "unused.pem"), key, 2, time.Now(), time.Now().Add(time.Hour))
	_, err := FromFiles(cert, key, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "are not a certificate and its key")
	_, err = FromFiles(cert, filepath.Join(dir, "none.pem"), slog.New(slog.DiscardHandler))
	require.ErrorIs(t, err, os.ErrNotExist)
}
