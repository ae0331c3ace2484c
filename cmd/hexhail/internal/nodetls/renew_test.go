package nodetls_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/nodetls"
)

const (
	renewed  = "was renewed"
	unusable = "cannot be used"
)

// pairOf is a node whose files change, and one beside it. seen is the certificate that each side of a
// connection shows, whichever of the two is the server.
type pairOf struct {
	t     *testing.T
	files nodetls.Files
	log   logged
	node  *nodetls.Credentials
	other *nodetls.Credentials
}

func newPair(t *testing.T, cluster *ca) *pairOf {
	p := &pairOf{t: t, files: cluster.files(t), other: open(t, cluster.files(t))}
	var err error
	p.node, err = nodetls.New(nodetls.Options{Files: p.files, Log: p.log.logger()})
	require.NoError(t, err)
	return p
}

// seen returns the serial number that the node shows in both roles.
func (p *pairOf) seen() int64 {
	atServer, atClient := meet(p.t, p.node.Server(), dial(p.t, p.other, "127.0.0.1"))
	require.NoError(p.t, atServer.err)
	require.NoError(p.t, atClient.err)
	asServer := atClient.serial()
	atServer, atClient = meet(p.t, p.other.Server(), dial(p.t, p.node, "127.0.0.1"))
	require.NoError(p.t, atServer.err)
	require.NoError(p.t, atClient.err)
	require.Equal(p.t, asServer, atServer.serial())
	return asServer
}

func serialOf(certificate []byte) int64 {
	b, _ := pem.Decode(certificate)
	c, err := x509.ParseCertificate(b.Bytes)
	must(err)
	return c.SerialNumber.Int64()
}

func TestRenewedFilesCountFromTheNextHandshake(t *testing.T) {
	cluster := newCA("cluster")
	p := newPair(t, cluster)
	server := p.node.Server() // made before the change, as listeners are
	first := p.seen()
	certificate, key := cluster.issue()
	put(t, p.files.Key, key)
	put(t, p.files.Certificate, certificate)
	require.Equal(t, serialOf(certificate), p.seen())
	require.NotEqual(t, first, serialOf(certificate))
	_, atClient := meet(t, server, dial(t, p.other, "127.0.0.1"))
	require.NoError(t, atClient.err)
	require.Equal(t, serialOf(certificate), atClient.serial())
	require.Equal(t, 1, p.log.count(renewed))
	require.Zero(t, p.log.count(unusable))
}

// Files that are being replaced, or are wrong, leave the former ones in use, with one line in the log.
func TestBrokenFilesKeepTheFormerOnes(t *testing.T) {
	for name, broken := range map[string]func(t *testing.T, cluster *ca, f nodetls.Files){
		"half a certificate": func(t *testing.T, cluster *ca, f nodetls.Files) {
			c, _ := cluster.issue()
			put(t, f.Certificate, c[:len(c)/2])
		},
		"an empty certificate": func(t *testing.T, _ *ca, f nodetls.Files) { put(t, f.Certificate, nil) },
		"half an intermediate certificate": func(t *testing.T, cluster *ca, f nodetls.Files) {
			c, err := os.ReadFile(f.Certificate)
			require.NoError(t, err)
			put(t, f.Certificate, append(c, cluster.pem()[:100]...))
		},
		"the key first": func(t *testing.T, cluster *ca, f nodetls.Files) {
			_, k := cluster.issue()
			put(t, f.Key, k)
		},
		"the certificate first": func(t *testing.T, cluster *ca, f nodetls.Files) {
			c, _ := cluster.issue()
			put(t, f.Certificate, c)
		},
		"no key":  func(t *testing.T, _ *ca, f nodetls.Files) { require.NoError(t, os.Remove(f.Key)) },
		"no CA":   func(t *testing.T, _ *ca, f nodetls.Files) { put(t, f.CA, []byte("\n")) },
		"half CA": func(t *testing.T, cluster *ca, f nodetls.Files) { put(t, f.CA, cluster.pem()[:100]) },
		"of another CA": func(t *testing.T, _ *ca, f nodetls.Files) {
			c, k := foreign.issue()
			put(t, f.Certificate, c)
			put(t, f.Key, k)
		},
		"expired": func(t *testing.T, cluster *ca, f nodetls.Files) {
			c, k := cluster.issue(past)
			put(t, f.Certificate, c)
			put(t, f.Key, k)
		},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newCA("cluster")
			p := newPair(t, cluster)
			first := p.seen()
			broken(t, cluster, p.files)
			for range 3 {
				require.Equal(t, first, p.seen())
			}
			require.Equal(t, 1, p.log.count(unusable))

			certificate, key := cluster.issue()
			put(t, p.files.Certificate, certificate)
			put(t, p.files.Key, key)
			put(t, p.files.CA, cluster.pem())
			require.Equal(t, serialOf(certificate), p.seen())
			require.Equal(t, 1, p.log.count(renewed))
		})
	}
}

// One CA replaces another while nodes run: first both count, then the new one alone.
func TestReplacingTheCA(t *testing.T) {
	former, next := newCA("cluster"), newCA("cluster")
	p := newPair(t, former)
	newcomer := open(t, next.files(t))
	accepted := func(n *nodetls.Credentials) error {
		atServer, _ := meet(t, p.node.Server(), func(port string) *tls.Config {
			config := dial(t, n, "127.0.0.1")(port)
			config.RootCAs = former.pool()
			config.RootCAs.AddCert(next.certificate)
			return config
		})
		return atServer.err
	}
	require.NoError(t, accepted(p.other))
	require.ErrorContains(t, accepted(newcomer), "unknown authority")

	put(t, p.files.CA, append(former.pem(), next.pem()...))
	require.NoError(t, accepted(p.other))
	require.NoError(t, accepted(newcomer))

	certificate, key := next.issue()
	put(t, p.files.Key, key)
	put(t, p.files.Certificate, certificate)
	put(t, p.files.CA, next.pem())
	require.ErrorContains(t, accepted(p.other), "unknown authority")
	require.NoError(t, accepted(newcomer))
}

func TestHandshakesDuringRenewals(t *testing.T) {
	cluster := newCA("cluster")
	files := cluster.files(t)
	node := open(t, files)
	stop, wg := make(chan struct{}), sync.WaitGroup{}
	for range 3 {
		wg.Go(func() {
			for {
				atServer, atClient := meet(t, node.Server(), func(port string) *tls.Config {
					config, err := node.Client("127.0.0.1:" + port)
					must(err)
					return config
				})
				if atServer.err != nil || atClient.err != nil {
					t.Errorf("server: %v, client: %v", atServer.err, atClient.err)
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	var last []byte
	for range 30 {
		certificate, key := cluster.issue()
		put(t, files.Key, key)
		require.NoError(t, os.WriteFile(files.Certificate, certificate, 0o600)) // in place: readers may see half of it
		last = certificate
	}
	close(stop)
	wg.Wait()
	_, atClient := meet(t, node.Server(), dial(t, node, "127.0.0.1"))
	require.NoError(t, atClient.err)
	require.Equal(t, serialOf(last), atClient.serial())
}

func TestExpiryIsReportedInTime(t *testing.T) {
	const soon, over = "expires soon", "has expired"
	now := time.Now()
	day := 24 * time.Hour
	lives := func(d time.Duration) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-time.Hour), now.Add(d) }
	}
	cluster := newCA("cluster", lives(3650*day))
	for name, c := range map[string]struct {
		life, quiet, warned time.Duration // after quiet nothing is logged, after warned the warning
	}{
		"a year": {365 * day, 357 * day, 358*day + time.Hour},
		"a day":  {day, 15 * time.Hour, 17 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			clock := now
			files, log := cluster.files(t, lives(c.life)), logged{}
			node, err := nodetls.New(nodetls.Options{Files: files, Log: log.logger(), Now: func() time.Time { return clock }})
			require.NoError(t, err)
			registry := prometheus.NewPedanticRegistry()
			require.NoError(t, registry.Register(node))
			after := func(d time.Duration) {
				clock = now.Add(d)
				for range 2 { // each scrape looks, one logs
					value := gather(t, registry)
					require.InDelta(t, float64(now.Add(c.life).Unix()), value, 1)
				}
			}
			after(c.quiet)
			require.Zero(t, log.count(soon))
			after(c.warned)
			require.Equal(t, 1, log.count(soon))
			require.Zero(t, log.count(over))
			after(c.life + time.Hour)
			require.Equal(t, 1, log.count(over))
			require.Equal(t, 1, log.count(soon))

			// Once renewed, by a scrape alone, the next end is reported again.
			certificate, key := cluster.issue(func(x *x509.Certificate) { x.NotBefore, x.NotAfter = clock.Add(-time.Hour), clock.Add(day) })
			put(t, files.Key, key)
			put(t, files.Certificate, certificate)
			require.InDelta(t, float64(clock.Add(day).Unix()), gather(t, registry), 1)
			clock = clock.Add(day - time.Minute)
			_ = node.Expires()
			require.Equal(t, 2, log.count(soon))
		})
	}
	t.Run("at start", func(t *testing.T) {
		log := logged{}
		_, err := nodetls.New(nodetls.Options{Files: cluster.files(t, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = now.Add(-100*day), now.Add(6*day)
		}), Log: log.logger()})
		require.NoError(t, err)
		require.Equal(t, 1, log.count(soon))
	})
	t.Run("the CA ends first", func(t *testing.T) {
		short := newCA("cluster", lives(30*day))
		require.WithinDuration(t, now.Add(30*day), open(t, short.files(t)).Expires(), 2*time.Second)
	})
}

func gather(t *testing.T, r *prometheus.Registry) float64 {
	families, err := r.Gather()
	require.NoError(t, err)
	require.Len(t, families, 1)
	require.Equal(t, "hexhail_node_certificate_expires_timestamp_seconds", families[0].GetName())
	return families[0].GetMetric()[0].GetGauge().GetValue()
}
