package nodetls_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/nodetls"
)

func TestStartSaysWhatIsWrong(t *testing.T) {
	cluster := newCA("cluster")
	spoil := func(change func(t *testing.T, f *nodetls.Files)) func(t *testing.T) nodetls.Files {
		return func(t *testing.T) nodetls.Files {
			f := cluster.files(t)
			change(t, &f)
			return f
		}
	}
	with := func(change func(*x509.Certificate)) func(t *testing.T) nodetls.Files {
		return func(t *testing.T) nodetls.Files { return cluster.files(t, change) }
	}
	for name, c := range map[string]struct {
		files func(t *testing.T) nodetls.Files
		want  string
	}{
		"no certificate":  {spoil(func(t *testing.T, f *nodetls.Files) { require.NoError(t, os.Remove(f.Certificate)) }), "node.pem: no such file"},
		"no key":          {spoil(func(t *testing.T, f *nodetls.Files) { require.NoError(t, os.Remove(f.Key)) }), "node-key.pem: no such file"},
		"no CA":           {spoil(func(t *testing.T, f *nodetls.Files) { require.NoError(t, os.Remove(f.CA)) }), "ca.pem: no such file"},
		"no path":         {spoil(func(_ *testing.T, f *nodetls.Files) { f.CA = "" }), "together"},
		"open key":        {spoil(func(t *testing.T, f *nodetls.Files) { require.NoError(t, os.Chmod(f.Key, 0o644)) }), "open to others (mode 0644); run chmod 600"},
		"a folder":        {spoil(func(_ *testing.T, f *nodetls.Files) { f.CA = filepath.Dir(f.CA) }), "is not a certificate or key file"},
		"a large file":    {spoil(func(t *testing.T, f *nodetls.Files) { put(t, f.CA, bytes.Repeat([]byte("\n"), 65<<10)) }), "is not a certificate or key file"},
		"no PEM":          {spoil(func(t *testing.T, f *nodetls.Files) { put(t, f.CA, []byte("CA")) }), "ca.pem has no certificate"},
		"too many CAs":    {spoil(func(t *testing.T, f *nodetls.Files) { put(t, f.CA, bytes.Repeat(cluster.pem(), 17)) }), "more than 16 certificates"},
		"damaged":         {spoil(func(t *testing.T, f *nodetls.Files) { put(t, f.CA, block("CERTIFICATE", []byte("x"))) }), "ca.pem: x509:"},
		"key of another":  {spoil(func(t *testing.T, f *nodetls.Files) { _, k := cluster.issue(); put(t, f.Key, k) }), "are not a certificate and its key"},
		"foreign CA":      {spoil(func(t *testing.T, f *nodetls.Files) { put(t, f.CA, foreign.pem()) }), "node.pem was not signed by the CA in"},
		"CA is a node":    {spoil(func(t *testing.T, f *nodetls.Files) { c, _ := cluster.issue(); put(t, f.CA, c) }), "is not a CA's"},
		"node is a CA":    {with(isCA), "is a CA's, not a node's"},
		"client usage":    {with(only(x509.ExtKeyUsageClientAuth)), "must have both extended key usages"},
		"expired":         {with(past), "node.pem expired on 2"},
		"not yet valid":   {with(future), "node.pem is not valid before 2"},
		"CA for servers":  {newCA("limited", only(x509.ExtKeyUsageServerAuth)).given, "is not trusted by the CA in"},
		"CA has expired":  {newCA("old", past).given, "is not trusted by the CA in"},
		"names elsewhere": {with(elsewhere), "does not name 127.0.0.1, at which the other nodes reach this one; it names b.example.org, 127.0.0.2"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := nodetls.New(nodetls.Options{Files: c.files(t), Advertise: "127.0.0.1:8090"})
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := nodetls.New(nodetls.Options{Files: cluster.files(t), Advertise: "127.0.0.1"})
	require.ErrorContains(t, err, "must be HOST:PORT")
	_, err = nodetls.New(nodetls.Options{Files: cluster.files(t), Advertise: "localhost:8090"})
	require.NoError(t, err)
}

func (a *ca) given(t *testing.T) nodetls.Files { return a.files(t) }

// A group may read the key, as in mounted secrets.
func TestKeyOfAGroup(t *testing.T) {
	f := newCA("cluster").files(t)
	require.NoError(t, os.Chmod(f.Key, 0o440))
	open(t, f)
}

// A company's CA may sign by an intermediate one, which each node then shows beside its certificate.
func TestIntermediateCA(t *testing.T) {
	root := newCA("root")
	middle := root.intermediate("middle")
	chained := func() nodetls.Files {
		f := middle.files(t)
		certificate, err := os.ReadFile(f.Certificate)
		require.NoError(t, err)
		put(t, f.Certificate, append(certificate, middle.pem()...))
		put(t, f.CA, root.pem())
		return f
	}
	a, b := open(t, chained()), open(t, chained())
	atServer, atClient := meet(t, a.Server(), dial(t, b, "localhost"))
	require.NoError(t, atServer.err)
	require.NoError(t, atClient.err)

	alone := middle.files(t)
	put(t, alone.CA, root.pem())
	_, err := nodetls.New(nodetls.Options{Files: alone})
	require.ErrorContains(t, err, "was not signed by the CA in")
}

// Certificates of other tools have other algorithms and forms of keys.
func TestOtherAlgorithms(t *testing.T) {
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		return k
	}
	cluster := (*ca)(nil).authority("P-256", key())
	node := func() *nodetls.Credentials {
		f, k := cluster.files(t), key()
		of, err := nodetls.ReadCertificates(f.Certificate)
		require.NoError(t, err)
		secret, err := x509.MarshalECPrivateKey(k)
		require.NoError(t, err)
		put(t, f.Certificate, cluster.sign(of[0], k))
		put(t, f.Key, block("EC PRIVATE KEY", secret))
		return open(t, f)
	}
	atServer, atClient := meet(t, node().Server(), dial(t, node(), "localhost"))
	require.NoError(t, atServer.err)
	require.NoError(t, atClient.err)
	require.Equal(t, x509.ECDSA, atServer.state.PeerCertificates[0].PublicKeyAlgorithm)
}
