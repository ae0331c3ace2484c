package servertls

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// lookEvery is how often a handshake looks whether the files have changed.
const lookEvery = time.Second

// Files is a certificate from two files. It starts no goroutine: handshakes look for newer files, so
// that a renewal needs no restart.
type Files struct {
	certificate, key string
	log              *slog.Logger
	now              func() time.Time

	mu        sync.Mutex
	looked    time.Time
	seen      [2]stamp // of the files when they were last read
	current   *tls.Certificate
	leaf      *x509.Certificate
	complaint string
}

var _ Certificates = (*Files)(nil)

// stamp is what changes with a file.
type stamp struct {
	modified time.Time
	size     int64
}

// FromFiles reads a certificate chain and its key in PEM. The error says what is wrong with them.
func FromFiles(certificate, key string, log *slog.Logger) (*Files, error) {
	f := &Files{certificate: certificate, key: key, log: log, now: time.Now}
	seen, err := f.stamps()
	if err != nil {
		return nil, err
	}
	if err := f.read(); err != nil {
		return nil, err
	}
	f.seen, f.looked = seen, f.now()
	return f, nil
}

func (f *Files) stamps() (out [2]stamp, err error) {
	for i, path := range []string{f.certificate, f.key} {
		var st fs.FileInfo
		if st, err = os.Stat(path); err != nil {
			return out, err
		}
		out[i] = stamp{st.ModTime(), st.Size()}
	}
	return out, nil
}

// read takes up the files if they are good. The caller holds the lock, or is alone.
func (f *Files) read() error {
	pair, err := tls.LoadX509KeyPair(f.certificate, f.key)
	if err != nil {
		return fmt.Errorf("%s and %s are not a certificate and its key: %w", f.certificate, f.key, err)
	}
	f.current, f.leaf = &pair, pair.Leaf
	return nil
}

// look takes up newer files. While they are incomplete or wrong, the former ones stay in use.
func (f *Files) look() (*tls.Certificate, *x509.Certificate) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if now.Sub(f.looked) < lookEvery {
		return f.current, f.leaf
	}
	f.looked = now
	seen, err := f.stamps()
	if err == nil && seen != f.seen {
		if err = f.read(); err == nil {
			f.seen = seen
			f.log.Info("the certificate for clients was renewed", "file", f.certificate, "expires", f.leaf.NotAfter)
		}
	}
	why := ""
	if err != nil {
		why = err.Error()
	}
	if why != "" && why != f.complaint {
		f.log.Warn("the files of the certificate for clients cannot be used; the former ones stay in use", "error", err)
	}
	f.complaint = why
	return f.current, f.leaf
}

// TLS implements Certificates.
func (f *Files) TLS() *tls.Config {
	return &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { //nolint:gosec // the minimum is Go's: TLS 1.2
		c, _ := f.look()
		return c, nil
	}}
}

// Stop implements Certificates.
func (f *Files) Stop() {}

// Check implements Certificates. An expired certificate is served all the same: clients may accept
// it, and other servers behind the balancer have it as well.
func (f *Files) Check(context.Context) *Problem {
	_, leaf := f.look()
	p := validity{leaf.NotBefore, leaf.NotAfter}.problem("the certificate in "+f.certificate, f.now())
	if p != nil {
		p.Works = true
	}
	return p
}

// Describe implements prometheus.Collector.
func (f *Files) Describe(ch chan<- *prometheus.Desc) { ch <- expires }

// Collect implements prometheus.Collector.
func (f *Files) Collect(ch chan<- prometheus.Metric) {
	_, leaf := f.look()
	ch <- expiry("", leaf.NotAfter)
}
