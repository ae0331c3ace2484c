package servertls

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/servertls/acmetest"
)

// patience is how long a test waits for what must happen. An attempt that fails is repeated after a minute.
const patience = 3 * time.Minute

// site is a listener with automatic certificates.
type site struct {
	t       *testing.T
	at      net.Listener
	names   []string
	auto    *Auto
	issued  *x509.CertPool
	log     *syncBuffer
	stopped sync.Once
	served  chan struct{}
	server  *http.Server
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}

// open serves a listener, as the product does.
func open(t *testing.T, l net.Listener, from *acmetest.Authority, dir string, edit ...func(*AutoConfig)) *site {
	t.Helper()
	from.ProveAt(l.Addr().String())
	// Names of their own: certmagic remembers failures by name, for the process.
	host := strings.ToLower(rand.Text()) + ".example.org"
	s := &site{t: t, at: l, issued: from.Roots(), log: &syncBuffer{}, served: make(chan struct{})}
	cfg := AutoConfig{
		Names: []string{host, "www." + host}, Directory: from.Directory(), Agreed: true, Email: "ops@example.org",
		Roots: from.DirectoryRoots(), At: l.Addr(), Dir: dir, Log: slog.New(slog.NewTextHandler(s.log, nil)),
	}
	for _, e := range edit {
		e(&cfg)
	}
	s.names, s.auto = cfg.Names, Obtain(cfg)
	s.server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hexhail") }), TLSConfig: s.auto.TLS(),
		ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: patience,
	}
	go func() {
		defer close(s.served)
		_ = s.server.ServeTLS(l, "", "")
	}()
	t.Cleanup(s.close)
	return s
}

func (s *site) close() {
	s.stopped.Do(func() {
		s.auto.Stop()
		_ = s.server.Close()
		<-s.served
	})
}

// certificate is what a client of a name sees, verified.
func (s *site) certificate(name string) (*x509.Certificate, error) {
	d := tls.Dialer{Config: &tls.Config{ServerName: name, RootCAs: s.issued}}
	c, err := d.DialContext(s.t.Context(), "tcp", s.at.Addr().String())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.(*tls.Conn).ConnectionState().PeerCertificates[0], nil
}

// until waits for a name's certificate that is another one than before.
func (s *site) until(name string, before *x509.Certificate) *x509.Certificate {
	s.t.Helper()
	var got *x509.Certificate
	require.Eventually(s.t, func() bool {
		c, err := s.certificate(name)
		if err != nil || before != nil && c.SerialNumber.Cmp(before.SerialNumber) == 0 {
			return false
		}
		got = c
		return true
	}, patience, 20*time.Millisecond, s.log)
	return got
}

// TestCertificatesAreObtained: over TLS-ALPN-01 on the clients' own port, and after a restart the
// stored ones are used without asking.
func TestCertificatesAreObtained(t *testing.T) {
	l := listen(t)
	from := acmetest.New(t)
	dir := filepath.Join(t.TempDir(), "tls")
	s := open(t, l, from, dir)
	first := s.until(s.names[0], nil)
	s.until(s.names[1], nil)
	require.Nil(t, s.auto.Check(t.Context()), "both names have one")
	require.Equal(t, 2, testutil.CollectAndCount(s.auto, "hexhail_tls_certificate_expires_timestamp_seconds"))
	require.Contains(t, s.log.String(), `msg="obtained a certificate for clients" name=`+s.names[0]+` renewal=false`)
	_, err := s.certificate("other.example.org")
	require.Error(t, err, "other names have no certificate")

	answer, err := s.client().Get("https://" + s.names[0] + "/")
	require.NoError(t, err)
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, failed(err, answer.Body.Close()))
	require.Equal(t, "hexhail", string(body))
	require.NoError(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			require.Zero(t, info.Mode().Perm()&0o077, path)
		}
		return err
	}))

	s.close()
	orders := from.Orders()
	from.Break(true)
	s = open(t, listen(t), from, dir, func(c *AutoConfig) { c.Names = s.names })
	again := s.until(s.names[0], nil)
	require.Zero(t, first.SerialNumber.Cmp(again.SerialNumber))
	require.Equal(t, orders, from.Orders())
}

func failed(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *site) client() *http.Client {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, s.at.Addr().String())
		},
		TLSClientConfig: &tls.Config{ServerName: s.names[0], RootCAs: s.issued},
	}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// TestCertificatesAreRenewed: the listener shows the new one without a restart.
func TestCertificatesAreRenewed(t *testing.T) {
	l := listen(t)
	from := acmetest.New(t)
	s := open(t, l, from, t.TempDir(), func(c *AutoConfig) {
		c.Names, c.renewalWindow, c.checkEvery = c.Names[:1], 1, 50*time.Millisecond
	})
	first := s.until(s.names[0], nil)
	second := s.until(s.names[0], first)
	require.True(t, second.NotAfter.After(time.Now()))
	require.Eventually(t, func() bool { return strings.Contains(s.log.String(), "renewal=true") }, patience, 10*time.Millisecond)
}

// TestAuthorityFails: the server goes on, and says in log, metric and readiness that and why there is
// no certificate.
func TestAuthorityFails(t *testing.T) {
	l := listen(t)
	from := acmetest.New(t)
	from.Break(true)
	s := open(t, l, from, t.TempDir(), func(c *AutoConfig) { c.Names = c.Names[:1] })
	p := s.auto.Check(t.Context())
	require.NotNil(t, p)
	require.False(t, p.Works)
	require.Contains(t, p.Text, "there is no certificate for "+s.names[0]+" yet")
	require.Eventually(t, func() bool { return testutil.ToFloat64(s.auto.failures) >= 1 }, patience, 10*time.Millisecond)
	require.Contains(t, s.auto.Check(t.Context()).Text, "503")
	require.Eventually(t, func() bool { return strings.Contains(s.log.String(), "level=WARN") }, patience, 10*time.Millisecond)
	require.Zero(t, testutil.CollectAndCount(s.auto, "hexhail_tls_certificate_expires_timestamp_seconds"))
	_, err := s.certificate(s.names[0])
	require.Error(t, err)
}

// TestStorageFails: certmagic gives up without an event while its storage fails. Readiness and the
// metric say so, and the certificate comes once the storage works.
func TestStorageFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	require.NoError(t, os.WriteFile(dir, nil, 0o600))
	s := open(t, listen(t), acmetest.New(t), dir, func(c *AutoConfig) { c.reviveEvery = 100 * time.Millisecond })
	require.Eventually(t, func() bool { return testutil.ToFloat64(s.auto.failures) >= 4 }, patience, 10*time.Millisecond)
	require.Contains(t, s.auto.Check(t.Context()).Text, " yet: nothing has been tried since ")
	require.Contains(t, s.log.String(), "level=WARN")
	require.NoError(t, os.Remove(dir))
	s.until(s.names[0], nil)
	s.until(s.names[1], nil)
	require.Nil(t, s.auto.Check(t.Context()))
}

// TestFailuresAreCounted: also those of which certmagic has no event, when a certificate cannot be stored.
func TestFailuresAreCounted(t *testing.T) {
	s := open(t, listen(t), acmetest.New(t), t.TempDir(), func(c *AutoConfig) { c.Names = c.Names[:1] })
	name := s.names[0]
	s.until(name, nil)
	before := testutil.ToFloat64(s.auto.failures) // a first attempt may have failed on a busy machine
	for i, c := range []struct {
		event  string
		counts float64
	}{
		{"cert_obtaining", 0},
		{"cert_failed", 1},
		{"cert_obtaining", 1},
		{"cert_obtaining", 2},
		{"cert_obtained", 2},
		{"cert_obtaining", 2},
		{"other", 2},
	} {
		require.NoError(t, s.auto.hear(t.Context(), c.event, map[string]any{"identifier": name, "error": "503"}))
		require.Equal(t, before+c.counts, testutil.ToFloat64(s.auto.failures), "%d %s", i, c.event)
	}
	require.NoError(t, s.auto.hear(t.Context(), "tls_get_certificate", nil))
}

// TestNamesAreGivenUp: certmagic is at work on a name while it may say more about it.
func TestNamesAreGivenUp(t *testing.T) {
	begun := time.Now()
	for name, c := range map[string]struct {
		fate    fate
		after   time.Duration
		givenUp bool
		reason  string
	}{
		"no event":     {fate{begun: begun}, time.Minute, true, "nothing has been tried since "},
		"trying":       {fate{begun: begun, heard: begun}, time.Minute, false, "has no result yet"},
		"waiting":      {fate{begun: begun, heard: begun, why: "503"}, 6*time.Hour + time.Minute, false, "503"},
		"ended":        {fate{begun: begun, heard: begun, why: "503"}, longSilence + 1, true, "503"},
		"began again":  {fate{begun: begun, heard: begun.Add(-longSilence), why: "503"}, time.Minute, true, "503"},
		"not loadable": {fate{begun: begun, heard: begun, obtained: true}, time.Minute, true, "cannot be used"},
	} {
		require.Equal(t, c.givenUp, c.fate.givenUp(begun.Add(c.after)), name)
		require.Contains(t, c.fate.reason(), c.reason, name)
	}
}

// TestRenewalFails: the stored certificate stays in use while the authority fails.
func TestRenewalFails(t *testing.T) {
	from, dir := acmetest.New(t), t.TempDir()
	first := open(t, listen(t), from, dir)
	first.until(first.names[0], nil)
	first.until(first.names[1], nil)
	first.close()
	from.Break(true)
	s := open(t, listen(t), from, dir, func(c *AutoConfig) {
		c.Names, c.renewalWindow, c.checkEvery = first.names, 1, 50*time.Millisecond
	})
	require.Eventually(t, func() bool { return testutil.ToFloat64(s.auto.failures) >= 1 }, patience, 10*time.Millisecond)
	s.until(s.names[0], nil)
	require.Nil(t, s.auto.Check(t.Context()), "its end is far away")
}

// TestEndsAreReported: in time, and not for all of a short life.
func TestEndsAreReported(t *testing.T) {
	now := time.Now()
	long := validity{now.Add(-80 * 24 * time.Hour), now.Add(10 * 24 * time.Hour)}
	require.Nil(t, long.problem("it", now))
	require.True(t, long.problem("it", now.Add(4*24*time.Hour)).Works)
	require.False(t, long.problem("it", now.Add(11*24*time.Hour)).Works)
	short := validity{now.Add(-24 * time.Hour), now.Add(5 * 24 * time.Hour)}
	require.Nil(t, short.problem("it", now))
	require.NotNil(t, short.problem("it", now.Add(4*24*time.Hour+time.Hour)))
}
