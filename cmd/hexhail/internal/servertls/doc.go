// Package servertls has the certificates of the clients' address: from files, which it reads again
// when they change, or obtained and renewed from an ACME certificate authority (RFC 8555).
package servertls

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Certificates are what the clients' address shows. The owner calls Stop once; all other methods are
// safe for concurrent use. They are a prometheus.Collector.
type Certificates interface {
	prometheus.Collector
	// TLS is the configuration of the listener.
	TLS() *tls.Config
	// Stop ends what keeps them fresh.
	Stop()
	// Check says what is wrong, or nil. It asks no one.
	Check(ctx context.Context) *Problem
}

// Problem is why clients cannot connect, or soon will not.
type Problem struct {
	Text string
	// Works means that clients can connect now.
	Works bool
}

// validity is the life of a certificate.
type validity struct{ from, until time.Time }

// warnBefore is how long before its end a certificate is reported, unless a sixth of its life is
// shorter: renewal begins when a third is left.
const warnBefore = 7 * 24 * time.Hour

// problem says whether a certificate is over, or about to be. what names it.
func (v validity) problem(what string, now time.Time) *Problem {
	switch left := v.until.Sub(now); {
	case left < 0:
		return &Problem{Text: fmt.Sprintf("%s expired on %s", what, date(v.until))}
	case left < min(warnBefore, v.until.Sub(v.from)/6):
		return &Problem{Text: fmt.Sprintf("%s expires on %s and has not been renewed", what, date(v.until)), Works: true}
	}
	return nil
}

func date(t time.Time) string { return t.UTC().Format(time.RFC3339) }

var expires = prometheus.NewDesc("hexhail_tls_certificate_expires_timestamp_seconds",
	"When the certificate that clients see expires (Unix time), by hostname with tls-auto. Absent while there is none.", []string{"name"}, nil)

func expiry(name string, at time.Time) prometheus.Metric {
	return prometheus.MustNewConstMetric(expires, prometheus.GaugeValue, float64(at.Unix()), name)
}
