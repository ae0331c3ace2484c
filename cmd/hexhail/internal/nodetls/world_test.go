package nodetls_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/nodetls"
)

// patience bounds waits that only a fault makes long.
const patience = time.Minute

// foreign is a CA that the system trusts, and the cluster does not.
var foreign = newCA("foreign")

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "nodetls")
	must(err)
	file := filepath.Join(dir, "roots.pem")
	must(os.WriteFile(file, foreign.pem(), 0o600))
	must(os.Setenv("SSL_CERT_FILE", file))
	must(os.Setenv("SSL_CERT_DIR", dir))
	code := m.Run()
	must(os.RemoveAll(dir))
	if err := goleak.Find(); code == 0 && err != nil {
		panic(err)
	}
	os.Exit(code)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// ca signs whatever a test needs.
type ca struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

var serials struct {
	sync.Mutex
	last int64
}

func template(name string) *x509.Certificate {
	serials.Lock()
	defer serials.Unlock()
	serials.last++
	return &x509.Certificate{
		SerialNumber: big.NewInt(serials.last), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0), BasicConstraintsValid: true,
	}
}

func newCA(name string, change ...func(*x509.Certificate)) *ca {
	return (*ca)(nil).intermediate(name, change...)
}

// intermediate makes a CA that this one signs. Nil: it signs itself.
func (a *ca) intermediate(name string, change ...func(*x509.Certificate)) *ca {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(err)
	return a.authority(name, key, change...)
}

func (a *ca) authority(name string, key crypto.Signer, change ...func(*x509.Certificate)) *ca {
	c := template(name)
	c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign
	for _, f := range change {
		f(c)
	}
	parent, signer := c, key
	if a != nil {
		parent, signer = a.certificate, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	must(err)
	c, err = x509.ParseCertificate(der)
	must(err)
	return &ca{c, key}
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func (a *ca) pem() []byte { return block("CERTIFICATE", a.certificate.Raw) }

func (a *ca) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.certificate)
	return p
}

// issue signs a node's certificate for this machine, as changed.
func (a *ca) issue(change ...func(*x509.Certificate)) (certificate, key []byte) {
	c := template("node")
	c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	c.DNSNames, c.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)}
	for _, f := range change {
		f(c)
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	must(err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	must(err)
	return a.sign(c, private), block("PRIVATE KEY", secret)
}

func (a *ca) sign(c *x509.Certificate, key crypto.Signer) []byte {
	der, err := x509.CreateCertificate(rand.Reader, c, a.certificate, key.Public(), a.key)
	must(err)
	return block("CERTIFICATE", der)
}

func (a *ca) pair(change ...func(*x509.Certificate)) tls.Certificate {
	p, err := tls.X509KeyPair(a.issue(change...))
	must(err)
	return p
}

// files stores a node's three files.
func (a *ca) files(t *testing.T, change ...func(*x509.Certificate)) nodetls.Files {
	dir := t.TempDir()
	f := nodetls.Files{
		Certificate: filepath.Join(dir, "node.pem"), Key: filepath.Join(dir, "node-key.pem"), CA: filepath.Join(dir, "ca.pem"),
	}
	certificate, key := a.issue(change...)
	put(t, f.Certificate, certificate)
	put(t, f.Key, key)
	put(t, f.CA, a.pem())
	return f
}

// put replaces a file at once, as tools that renew certificates do.
func put(t *testing.T, path string, data []byte) {
	require.NoError(t, os.WriteFile(path+".new", data, 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

// The ways in which a certificate differs from a node's.
func only(u x509.ExtKeyUsage) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{u} }
}
func noUsage(c *x509.Certificate) { c.ExtKeyUsage = nil }
func past(c *x509.Certificate)    { c.NotAfter = time.Now().Add(-time.Minute) }
func future(c *x509.Certificate)  { c.NotBefore = time.Now().Add(24 * time.Hour) }
func elsewhere(c *x509.Certificate) {
	c.DNSNames, c.IPAddresses = []string{"b.example.org"}, []net.IP{net.IPv4(127, 0, 0, 2)}
}
func isCA(c *x509.Certificate) { c.IsCA = true }

// logged is a log that tests read.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func open(t *testing.T, f nodetls.Files) *nodetls.Credentials {
	c, err := nodetls.New(nodetls.Options{Files: f})
	require.NoError(t, err)
	return c
}

// side is what one end of a connection says in the end.
type side struct {
	err   error
	state tls.ConnectionState
}

// serial is the number of the certificate that the other end showed.
func (s side) serial() int64 { return s.state.PeerCertificates[0].SerialNumber.Int64() }

// meet connects a client to a server over loopback and passes a byte each way: in TLS 1.3 a client
// learns only by reading whether the server took its certificate. client gets the server's port.
func meet(t *testing.T, server *tls.Config, client func(port string) *tls.Config) (atServer, atClient side) {
	return connect(t, func(c net.Conn) side { return talk(tls.Server(c, server)) },
		func(c net.Conn) side {
			_, port, err := net.SplitHostPort(c.RemoteAddr().String())
			must(err)
			return talk(tls.Client(c, client(port)))
		})
}

func connect(t *testing.T, server, client func(net.Conn) side) (atServer, atClient side) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	done := make(chan side, 1)
	go func() {
		c, err := l.Accept()
		must(err)
		defer c.Close()
		must(c.SetDeadline(time.Now().Add(patience)))
		done <- server(c)
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	must(c.SetDeadline(time.Now().Add(patience)))
	atClient = client(c)
	c.Close()
	return <-done, atClient
}

func talk(c *tls.Conn) side {
	err := c.Handshake()
	if err == nil {
		_, err = c.Write([]byte("."))
	}
	if err == nil {
		_, err = c.Read(make([]byte, 1))
	}
	return side{err, c.ConnectionState()}
}

// dial is the configuration of a node's own client.
func dial(t *testing.T, c *nodetls.Credentials, host string) func(port string) *tls.Config {
	return func(port string) *tls.Config {
		config, err := c.Client(net.JoinHostPort(host, port))
		require.NoError(t, err)
		return config
	}
}
