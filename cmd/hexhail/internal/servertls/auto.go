package servertls

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/prometheus/client_golang/prometheus"
)

// AutoConfig says which certificates to obtain, and from whom.
type AutoConfig struct {
	// Names are the hostnames, each of which gets a certificate. Clients that name no host see the
	// first one's.
	Names []string
	// Directory is the URL of the certificate authority's ACME directory, and Agreed whether the
	// operator agrees to its terms. Without that it gives none.
	Directory string
	Agreed    bool
	// Email is where the certificate authority reports trouble; may be empty.
	Email string
	// Roots vouch for the directory's own certificate; nil: the system's.
	Roots *x509.CertPool
	// At is the address of the listener, which is open.
	At net.Addr
	// Dir keeps keys, certificates and the account, readable to its owner alone.
	Dir string
	Log *slog.Logger

	// Tests make renewal come soon, and look soon for names that are given up.
	renewalWindow float64
	checkEvery    time.Duration
	reviveEvery   time.Duration
}

const (
	// reviveEvery is how often Auto looks for names without a certificate that certmagic has given up.
	reviveEvery = 10 * time.Minute
	// longSilence is longer than certmagic waits between two attempts: 6 hours, and what an attempt takes.
	longSilence = 7 * time.Hour
)

// Auto obtains certificates and renews them when a third of their life is left. The certificate
// authority proves each name by the challenge TLS-ALPN-01, on the clients' own address: no second
// port is needed. It retries at growing intervals, for as long as it takes: where certmagic gives a name
// without a certificate up, such as after 30 days or while the disk is full, Auto begins again.
type Auto struct {
	cfg   AutoConfig
	magic *certmagic.Config
	cache *certmagic.Cache
	stop  context.CancelFunc
	tasks sync.WaitGroup

	failures prometheus.Counter

	mu    sync.Mutex
	fates map[string]*fate // by name
}

// fate is what has become of a name.
type fate struct {
	begun    time.Time // when certmagic was last asked to manage it
	heard    time.Time // the latest event; zero: none
	trying   bool      // by that event an attempt has begun
	obtained bool      // by that event there is a certificate, so certmagic no longer tries
	why      string    // the latest failure since the last success
}

// givenUp reports whether certmagic no longer tries to obtain a first certificate. It does not say so
// itself, and some failures of storage are no event.
func (f *fate) givenUp(now time.Time) bool {
	return f.heard.Before(f.begun) || f.obtained || now.Sub(f.heard) > longSilence
}

// reason is why there is no certificate.
func (f *fate) reason() string {
	switch {
	case f.why != "":
		return f.why
	case f.heard.Before(f.begun):
		return fmt.Sprintf("nothing has been tried since %s: see the log", date(f.begun))
	case f.obtained:
		return fmt.Sprintf("the one obtained at %s cannot be used: see the log", date(f.heard))
	}
	return fmt.Sprintf("the attempt that began at %s has no result yet: see the log", date(f.heard))
}

var _ Certificates = (*Auto)(nil)

// Obtain begins to obtain certificates, or to use those that were obtained before. It waits for
// none. The caller calls Stop.
func Obtain(cfg AutoConfig) *Auto {
	a := &Auto{cfg: cfg, fates: map[string]*fate{}, failures: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "hexhail_tls_certificate_failures_total", Help: "Attempts to obtain or renew a certificate that failed.",
	})}
	var life context.Context
	life, a.stop = context.WithCancel(context.Background())
	log := zapTo(cfg.Log)
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert:   func(certmagic.Certificate) (*certmagic.Config, error) { return a.magic, nil },
		RenewCheckInterval: cfg.checkEvery, Logger: log,
	})
	a.magic = certmagic.New(a.cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: cfg.Dir}, DefaultServerName: cfg.Names[0], Logger: log, OnEvent: a.hear,
		RenewalWindowRatio: cfg.renewalWindow, DisableARI: cfg.renewalWindow > 0,
	})
	issuer := certmagic.ACMEIssuer{
		CA: cfg.Directory, Email: cfg.Email, Agreed: cfg.Agreed, TrustedRoots: cfg.Roots, Logger: log,
		DisableHTTPChallenge: true, DisableDistributedSolvers: true,
	}
	if tcp, ok := cfg.At.(*net.TCPAddr); ok { // where certmagic finds that the challenge's port is served already
		issuer.AltTLSALPNPort = tcp.Port
		if !tcp.IP.IsUnspecified() {
			issuer.ListenHost = tcp.IP.String()
		}
	}
	a.magic.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(a.magic, issuer)}
	for _, name := range cfg.Names {
		a.fates[name] = &fate{}
		a.manage(life, name)
	}
	a.tasks.Go(func() { a.tend(life) })
	return a
}

// manage asks certmagic to obtain a name's certificate, or to use the stored one. It waits for neither.
func (a *Auto) manage(life context.Context, name string) {
	a.mu.Lock()
	a.fates[name].begun = time.Now()
	a.mu.Unlock()
	if err := a.magic.ManageAsync(life, []string{name}); err != nil { // of on-demand certificates alone
		a.cfg.Log.Error("cannot manage certificates for clients", "name", name, "error", err)
	}
}

// tend begins again with names that certmagic has given up, until life ends.
func (a *Auto) tend(life context.Context) {
	every := a.cfg.reviveEvery
	if every == 0 {
		every = reviveEvery
	}
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for {
		select {
		case <-life.Done():
			return
		case now := <-ticks.C:
			for _, name := range a.cfg.Names {
				a.revive(life, name, now)
			}
		}
	}
}

// revive begins again with a name without a certificate if certmagic has given it up.
func (a *Auto) revive(life context.Context, name string, now time.Time) {
	if _, ok := a.newest(name); ok {
		return
	}
	a.mu.Lock()
	f := *a.fates[name]
	a.mu.Unlock()
	if !f.givenUp(now) {
		return
	}
	if f.heard.Before(f.begun) {
		a.failures.Inc() // hear counts those of which there is an event
	}
	a.manage(life, name)
}

// TLS implements Certificates.
func (a *Auto) TLS() *tls.Config { return a.magic.TLSConfig() }

// Stop implements Certificates. Attempts under way end soon after it.
func (a *Auto) Stop() {
	a.stop()
	a.tasks.Wait()
	a.cache.Stop()
}

// hear follows what becomes of each name. certmagic calls it, from goroutines of its own.
func (a *Auto) hear(_ context.Context, event string, data map[string]any) error {
	name, _ := data["identifier"].(string)
	a.mu.Lock()
	defer a.mu.Unlock()
	f := a.fates[name]
	if f == nil { // of no name
		return nil
	}
	switch event {
	case "cert_obtaining":
		if f.trying {
			a.failures.Inc() // the attempt before got a certificate, but could not store it
		}
		f.heard, f.trying, f.obtained = time.Now(), true, false
	case "cert_obtained":
		f.heard, f.trying, f.obtained, f.why = time.Now(), false, true, ""
		a.cfg.Log.Info("obtained a certificate for clients", "name", name, "renewal", data["renewal"])
	case "cert_failed":
		f.heard, f.trying, f.why = time.Now(), false, fmt.Sprint(data["error"])
		a.failures.Inc()
	}
	return nil
}

// newest is the validity of the certificate that a name's clients see; false while there is none.
func (a *Auto) newest(name string) (v validity, ok bool) {
	for _, c := range a.cache.AllMatchingCertificates(name) {
		if c.Leaf != nil && c.Leaf.NotAfter.After(v.until) {
			v, ok = validity{c.Leaf.NotBefore, c.Leaf.NotAfter}, true
		}
	}
	return v, ok
}

// Check implements Certificates: the worst of its names counts.
func (a *Auto) Check(context.Context) *Problem {
	var worst *Problem
	for _, name := range a.cfg.Names {
		v, ok := a.newest(name)
		p := &Problem{Text: "there is no certificate for " + name + " yet"}
		if ok {
			p = v.problem("the certificate for "+name, time.Now())
		}
		if p == nil || worst != nil && (p.Works || !worst.Works) {
			continue
		}
		a.mu.Lock()
		why := a.fates[name].why
		if !ok {
			why = a.fates[name].reason()
		}
		a.mu.Unlock()
		if why != "" {
			p.Text += ": " + why
		}
		worst = p
	}
	return worst
}

// Describe implements prometheus.Collector.
func (a *Auto) Describe(ch chan<- *prometheus.Desc) {
	ch <- expires
	a.failures.Describe(ch)
}

// Collect implements prometheus.Collector.
func (a *Auto) Collect(ch chan<- prometheus.Metric) {
	for _, name := range a.cfg.Names {
		if v, ok := a.newest(name); ok {
			ch <- expiry(name, v.until)
		}
	}
	a.failures.Collect(ch)
}
