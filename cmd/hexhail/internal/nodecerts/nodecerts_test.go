package nodecerts

import (
	"crypto/tls"
	"crypto/x509"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/nodetls"
)

func validity(t *testing.T, text string) (v Validity) {
	require.NoError(t, v.UnmarshalText([]byte(text)))
	return v
}

// authority makes a CA for the names, or for any.
func authority(t *testing.T, permit ...string) (*Authority, Made) {
	p, err := ParsePermit(permit)
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "new", "certs")
	made, err := Init(dir, validity(t, "10y"), p, time.Now())
	require.NoError(t, err)
	a, err := Open(dir)
	require.NoError(t, err)
	return a, made
}

func issue(t *testing.T, a *Authority, names ...string) Made {
	made, err := a.Issue(names, validity(t, "1y"), false, time.Now())
	require.NoError(t, err)
	return made
}

func TestWhatIsMade(t *testing.T) {
	a, ca := authority(t)
	node := issue(t, a, "A.example.org", "10.0.0.1", "a.example.org", "fd00::1", "10.0.0.1")

	require.True(t, ca.Certificate.IsCA)
	require.True(t, ca.Certificate.MaxPathLenZero)
	require.Equal(t, x509.KeyUsageCertSign, ca.Certificate.KeyUsage)
	require.Equal(t, []string{"a.example.org", "10.0.0.1", "fd00::1"}, nodetls.Names(node.Certificate))
	require.Equal(t, "Hexhail node", node.Certificate.Subject.CommonName)
	require.Equal(t, x509.KeyUsageDigitalSignature, node.Certificate.KeyUsage)
	for _, c := range []*x509.Certificate{ca.Certificate, node.Certificate} {
		require.Equal(t, usages, c.ExtKeyUsage)
		require.Equal(t, x509.Ed25519, c.PublicKeyAlgorithm)
		require.WithinDuration(t, time.Now().Add(-clockDifference), c.NotBefore, time.Minute)
		require.LessOrEqual(t, c.SerialNumber.BitLen(), 128)
		require.Greater(t, c.SerialNumber.BitLen(), 64)
	}
	require.NotEqual(t, ca.Certificate.SerialNumber, node.Certificate.SerialNumber)
	require.WithinDuration(t, time.Now().AddDate(10, 0, 0), ca.Certificate.NotAfter, time.Minute)
	require.WithinDuration(t, time.Now().AddDate(1, 0, 0), node.Certificate.NotAfter, time.Minute)

	dir := filepath.Dir(ca.File)
	require.Equal(t, []string{"a.example.org.key", "a.example.org.pem", "ca.key", "ca.pem"}, files(t, dir))
	for path, mode := range map[string]fs.FileMode{dir: 0o700, ca.KeyFile: 0o600, node.KeyFile: 0o600, ca.File: 0o644, node.File: 0o644} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), path)
	}
}

func files(t *testing.T, dir string) (names []string) {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// What is made serves a connection in both directions, and another CA's nodes are no part of it.
func TestMadeCertificatesConnectNodes(t *testing.T) {
	open := func(a *Authority, ca Made, name string) *nodetls.Credentials {
		made := issue(t, a, name)
		c, err := nodetls.New(nodetls.Options{
			Files:     nodetls.Files{Certificate: made.File, Key: made.KeyFile, CA: ca.File},
			Advertise: net.JoinHostPort(name, "8090"),
		})
		require.NoError(t, err)
		return c
	}
	a, ca := authority(t, "localhost", "127.0.0.0/8")
	stranger, strangers := authority(t)
	one, two, three := open(a, ca, "127.0.0.1"), open(a, ca, "localhost"), open(stranger, strangers, "127.0.0.1")
	require.NoError(t, connect(t, one, two, "127.0.0.1"))
	require.NoError(t, connect(t, two, one, "localhost"))
	require.ErrorContains(t, connect(t, two, one, "127.0.0.1"), "doesn't contain any IP SANs")
	require.ErrorContains(t, connect(t, one, three, "127.0.0.1"), "unknown authority")
}

// connect returns why the server or the client refused the connection.
func connect(t *testing.T, server, client *nodetls.Credentials, host string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	at := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			_ = c.SetDeadline(time.Now().Add(time.Minute))
			err = tls.Server(c, server.Server()).Handshake()
			c.Close()
		}
		at <- err
	}()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	config, err := client.Client(net.JoinHostPort(host, port))
	require.NoError(t, err)
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
	if err := tls.Client(c, config).Handshake(); err != nil {
		c.Close()
		<-at
		return err
	}
	return <-at
}

func TestNothingIsOverwritten(t *testing.T) {
	a, ca := authority(t)
	made := issue(t, a, "a.example.org")
	before := read(t, ca.File, ca.KeyFile, made.File, made.KeyFile)

	_, err := Init(a.dir, validity(t, "10y"), Permit{}, time.Now())
	require.ErrorIs(t, err, fs.ErrExist)
	_, err = a.Issue([]string{"a.example.org"}, validity(t, "1y"), false, time.Now())
	require.ErrorIs(t, err, fs.ErrExist)
	_, err = a.Issue([]string{"ca", "a.example.org"}, validity(t, "1y"), true, time.Now())
	require.ErrorContains(t, err, "ca.pem is the CA's own file")
	require.NoError(t, os.Remove(made.KeyFile)) // one of two is enough to refuse both
	_, err = a.Issue([]string{"a.example.org"}, validity(t, "1y"), false, time.Now())
	require.ErrorIs(t, err, fs.ErrExist)
	require.NoFileExists(t, made.KeyFile)
	require.NoError(t, os.WriteFile(made.KeyFile, []byte(before[3]), 0o600))
	require.Equal(t, before, read(t, ca.File, ca.KeyFile, made.File, made.KeyFile))
	require.NoError(t, os.Remove(ca.File)) // a CA's key alone is not replaced either
	_, err = Init(a.dir, validity(t, "10y"), Permit{}, time.Now())
	require.ErrorIs(t, err, fs.ErrExist)
	require.NoFileExists(t, ca.File)
}

func read(t *testing.T, paths ...string) (out []string) {
	for _, p := range paths {
		b, err := os.ReadFile(p)
		require.NoError(t, err)
		out = append(out, string(b))
	}
	return out
}

// A running node takes the replacement up, and is never left without a certificate.
func TestReplacing(t *testing.T) {
	a, ca := authority(t)
	made := issue(t, a, "127.0.0.1")
	c, err := nodetls.New(nodetls.Options{Files: nodetls.Files{Certificate: made.File, Key: made.KeyFile, CA: ca.File}})
	require.NoError(t, err)
	again, err := a.Issue([]string{"127.0.0.1"}, validity(t, "90d"), true, time.Now())
	require.NoError(t, err)
	require.Equal(t, made.File, again.File)
	require.Equal(t, again.Certificate.NotAfter, c.Expires())
	require.NoError(t, connect(t, c, c, "127.0.0.1"))
}

func TestNames(t *testing.T) {
	a, _ := authority(t)
	for _, good := range []string{
		"a", "node-1", "hexhail_node_1", "a.b.example.org", "10.0.0.1", "::1", "fd00::1", "127.0.0.1",
		strings.Repeat("a", 63) + ".org", strings.Repeat("a.", 120) + "b",
	} {
		made := issue(t, a, good)
		require.Equal(t, []string{good}, nodetls.Names(made.Certificate))
		require.NoError(t, made.Certificate.VerifyHostname(good))
	}
	for _, bad := range []string{
		"", ".", "a.", ".a", "a..b", "-a", "a-", "a b", "a:8090", "10.0.0.1:8090", "[::1]", "[::1]:8090", "*.example.org", "https://a",
		"a/b", "../a", "ä.example.org", "10.0.0.256", "1234", "fe80::1%eth0", "10.0.0.0/8", "a@example.org",
		strings.Repeat("a", 64), strings.Repeat("a.", 126) + "bb",
	} {
		_, err := a.Issue([]string{"good.example.org", bad}, validity(t, "1y"), false, time.Now())
		require.ErrorContains(t, err, "neither a DNS name nor an IP address", bad)
	}
	for _, bad := range []string{"0.0.0.0", "::", "224.0.0.1", "ff02::1"} {
		_, err := a.Issue([]string{bad}, validity(t, "1y"), false, time.Now())
		require.ErrorContains(t, err, "is not the address of one node", bad)
	}
	_, err := a.Issue(nil, validity(t, "1y"), false, time.Now())
	require.Error(t, err)
	require.NotContains(t, files(t, a.dir), "good.example.org.pem", "nothing is written before all names are good")
	require.Contains(t, files(t, a.dir), "fd00--1.pem")
}

func TestPermittedNames(t *testing.T) {
	for name, c := range map[string]struct{ permit, good, bad []string }{
		"domains": {[]string{"nodes.example.org", "local"},
			[]string{"nodes.example.org", "a.nodes.example.org", "b.local"}, []string{"example.org", "xnodes.example.org", "10.0.0.1", "fd00::1"}},
		"networks": {[]string{"10.1.0.0/16"}, []string{"10.1.2.3"}, []string{"10.2.0.1", "fd00::1", "a.example.org"}},
		"IPv6":     {[]string{"fd00::/64"}, []string{"fd00::1"}, []string{"fd00:1::1", "10.0.0.1", "a.example.org"}},
		"both":     {[]string{"a.example.org", "10.0.0.1", "::1"}, []string{"a.example.org", "10.0.0.1", "::1"}, []string{"b.example.org", "10.0.0.2", "::2"}},
	} {
		t.Run(name, func(t *testing.T) {
			a, ca := authority(t, c.permit...)
			require.True(t, ca.Certificate.PermittedDNSDomainsCritical)
			for _, good := range c.good {
				issue(t, a, good)
			}
			for _, bad := range c.bad {
				_, err := a.Issue([]string{c.good[0], bad}, validity(t, "1y"), true, time.Now())
				require.ErrorContains(t, err, "the CA may not vouch for this node", bad)
			}
			require.Len(t, files(t, a.dir), 2+2*len(c.good))
		})
	}
	for _, bad := range []string{"", "*.example.org", "10.0.0.0/33", "a/8"} {
		_, err := ParsePermit([]string{bad})
		require.ErrorContains(t, err, "neither a domain nor a network", bad)
	}
}

func TestValidity(t *testing.T) {
	from := time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"1y":  time.Date(2029, 3, 1, 12, 0, 0, 0, time.UTC),
		"4y":  time.Date(2032, 2, 29, 12, 0, 0, 0, time.UTC),
		"90d": time.Date(2028, 5, 29, 12, 0, 0, 0, time.UTC),
		"12h": time.Date(2028, 3, 1, 0, 0, 0, 0, time.UTC),
	} {
		require.Equal(t, want, validity(t, text).From(from), text)
	}
	for _, bad := range []string{"", "1", "y", "0d", "-1y", "1.5y", "1m", "1 y", "101y", "99999999999999999999d"} {
		require.Error(t, new(Validity).UnmarshalText([]byte(bad)), bad)
	}
}

func TestNoCertificateOutlivesItsCA(t *testing.T) {
	dir := t.TempDir()
	_, err := Init(dir, validity(t, "30d"), Permit{}, time.Now())
	require.NoError(t, err)
	a, err := Open(dir)
	require.NoError(t, err)
	_, err = a.Issue([]string{"a"}, validity(t, "1y"), false, time.Now())
	require.ErrorContains(t, err, "before the certificate would")
	_, err = a.Issue([]string{"a"}, validity(t, "29d"), false, time.Now())
	require.NoError(t, err)
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(dir string, node Made)
		want  string
	}{
		"no certificate": {func(dir string, _ Made) { _ = os.Remove(filepath.Join(dir, caFile)) }, "no such file"},
		"no key":         {func(dir string, _ Made) { _ = os.Remove(filepath.Join(dir, caKeyFile)) }, "no such file"},
		"open key":       {func(dir string, _ Made) { _ = os.Chmod(filepath.Join(dir, caKeyFile), 0o644) }, "chmod 600"},
		"another's key":  {func(dir string, n Made) { _ = os.Rename(n.KeyFile, filepath.Join(dir, caKeyFile)) }, "are not a certificate and its key"},
		"a node": {func(dir string, n Made) {
			_ = os.Rename(n.KeyFile, filepath.Join(dir, caKeyFile))
			_ = os.Rename(n.File, filepath.Join(dir, caFile))
		}, "is not the certificate of a CA"},
	} {
		t.Run(name, func(t *testing.T) {
			a, _ := authority(t)
			c.spoil(a.dir, issue(t, a, "a"))
			_, err := Open(a.dir)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestDescribe(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	permit, err := ParsePermit([]string{"example.org", "10.1.0.0/16"})
	require.NoError(t, err)
	ca, err := Init(dir, validity(t, "10y"), permit, now)
	require.NoError(t, err)
	a, err := Open(dir)
	require.NoError(t, err)
	node, err := a.Issue([]string{"a.example.org", "10.1.0.1"}, validity(t, "90d"), false, now)
	require.NoError(t, err)

	var out strings.Builder
	require.NoError(t, Describe(&out, []*x509.Certificate{node.Certificate, ca.Certificate}, now))
	require.Regexp(t, `^Subject +CN=Hexhail node
Kind +node
Names +a.example.org, 10.1.0.1
Valid from +2026-03-01T07:55:00Z
Valid until +2026-05-30T08:00:00Z, 90 days left
CA +CN=Hexhail cluster CA
CA's key id +([0-9a-f]{40})
Algorithm +Ed25519
Serial number +[0-9a-f]{32}
SHA-256 +[0-9a-f]{64}

Subject +CN=Hexhail cluster CA
Kind +CA
Vouches for +example.org, 10.1.0.0/16
Valid from +2026-03-01T07:55:00Z
Valid until +2036-03-01T08:00:00Z, 3653 days left
Key id +[0-9a-f]{40}
Algorithm +Ed25519
Serial number +[0-9a-f]{32}
SHA-256 +[0-9a-f]{64}
$`, out.String())
	require.Equal(t, keyID(ca.Certificate.SubjectKeyId), keyID(node.Certificate.AuthorityKeyId))

	for after, want := range map[time.Duration]string{
		-time.Hour: "not valid yet", 89*24*time.Hour + time.Minute: "less than a day left", 88 * 24 * time.Hour: "2 days left",
		88*24*time.Hour + time.Minute: "1 day left", 91 * 24 * time.Hour: "expired",
	} {
		require.Equal(t, want, left(node.Certificate, now.Add(after)))
	}
	require.Equal(t, "any name", vouches(&x509.Certificate{IsCA: true}))
	require.Equal(t, "no node's: it must have both extended key usages, serverAuth and clientAuth: a node is server and client",
		kindOf(&x509.Certificate{ExtKeyUsage: usages[:1]}))
}
