// Package acmetest starts an ACME certificate authority in the test's process: Pebble, Let's
// Encrypt's own for tests. Only tests import it.
package acmetest

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

// Authority proves names by TLS-ALPN-01 at an address that the test names, as a router forwards port
// 443. It knows every name. Safe for concurrent use.
type Authority struct {
	server *httptest.Server
	issuer *ca.CAImpl
	router *router
	orders atomic.Int64
	broken atomic.Bool
}

// New starts an authority, which ends with the test. The test must not be parallel: Pebble reads the
// environment.
func New(t testing.TB) *Authority {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "0")
	silent, store := log.New(io.Discard, "", 0), db.NewMemoryStore()
	a := &Authority{
		issuer: ca.New(silent, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "default"}}),
		router: newRouter(t),
	}
	proofs := va.New(silent, 1, a.router.port(), true, names(t), store)
	front := wfe.New(silent, store, proofs, a.issuer, []string{"pebble.example"}, true, false, 1, 1)
	handler := front.Handler()
	a.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.broken.Load() {
			http.Error(w, "closed", http.StatusServiceUnavailable)
			return
		}
		if r.URL.Path == "/order-plz" {
			a.orders.Add(1)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(a.server.Close)
	return a
}

// Directory is the URL of the authority's ACME directory.
func (a *Authority) Directory() string { return a.server.URL + wfe.DirectoryPath }

// DirectoryRoots vouch for the directory's own certificate.
func (a *Authority) DirectoryRoots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.server.Certificate())
	return pool
}

// DirectoryFile writes those roots to a file in PEM and returns its path.
func (a *Authority) DirectoryFile(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "directory.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.server.Certificate().Raw})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Roots vouch for the certificates that the authority issues.
func (a *Authority) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.issuer.GetRootCert(0).Cert)
	return pool
}

// ProveAt says where the authority reaches port 443 of every name. Proofs wait for the first call.
func (a *Authority) ProveAt(address string) {
	a.router.to.Store(address)
	a.router.begin.Do(func() { close(a.router.ready) })
}

// Break makes the authority answer everything with 503, or no more.
func (a *Authority) Break(broken bool) { a.broken.Store(broken) }

// Orders is how many certificates have been ordered.
func (a *Authority) Orders() int64 { return a.orders.Load() }

// names answers each question about a name with this machine's address, and returns where to ask.
func names(t testing.TB) string {
	t.Helper()
	l := listen(t)
	server := &dns.Server{Listener: l, Net: "tcp", Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			head := dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}
			m.Answer = []dns.RR{&dns.A{Hdr: head, A: net.IPv4(127, 0, 0, 1)}}
		}
		_ = w.WriteMsg(m)
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.ActivateAndServe()
	}()
	t.Cleanup(func() {
		_ = l.Close() // Shutdown fails on a server that has not yet begun
		<-done
	})
	return l.Addr().String()
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// router forwards connections.
type router struct {
	l     net.Listener
	to    atomic.Value // string
	conns sync.WaitGroup
	// ready is closed once it is known where to, or the test ends.
	ready chan struct{}
	begin sync.Once
}

func newRouter(t testing.TB) *router {
	r := &router{l: listen(t), ready: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := r.l.Accept()
			if err != nil {
				return
			}
			r.conns.Go(func() { r.forward(c) })
		}
	}()
	t.Cleanup(func() {
		_ = r.l.Close()
		<-done
		r.begin.Do(func() { close(r.ready) })
		r.conns.Wait()
	})
	return r
}

func (r *router) port() int { return r.l.Addr().(*net.TCPAddr).Port }

func (r *router) forward(in net.Conn) {
	defer func() { _ = in.Close() }()
	<-r.ready
	to, _ := r.to.Load().(string)
	out, err := new(net.Dialer).DialContext(context.Background(), "tcp", to)
	if err != nil {
		return
	}
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(in, out)
		_ = in.Close()
	})
	_, _ = io.Copy(out, in)
	_ = out.Close()
	back.Wait()
}
