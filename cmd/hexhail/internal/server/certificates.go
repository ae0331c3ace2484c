package server

import (
	"context"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/ops"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/servertls"
)

// certify gives the clients' listener its certificates, if it has any. The listener is open.
func (p *parts) certify() error {
	h := p.cfg.HTTP
	switch {
	case len(h.TLSAuto) > 0:
		roots, err := rootsOf(h.TLSAutoCA)
		if err != nil {
			return err
		}
		p.tls = servertls.Obtain(servertls.AutoConfig{
			Names: h.TLSAuto, Directory: h.TLSAutoDirectory, Agreed: h.TLSAutoAgree, Email: h.TLSAutoEmail, Roots: roots,
			At: p.listener.Addr(), Dir: p.cfg.CertificatesPath(), Log: p.log,
		})
	case h.TLSCert != "":
		files, err := servertls.FromFiles(h.TLSCert, h.TLSKey, p.log)
		if err != nil {
			return err
		}
		p.tls = files
	default:
		return nil
	}
	p.http.TLSConfig = p.tls.TLS()
	p.ops.Registry.MustRegister(p.tls)
	return nil
}

// rootsOf reads the certificates that vouch for an ACME directory; nil for the system's.
func rootsOf(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read tls-auto-ca: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("tls-auto-ca: %s has no certificate in PEM", path)
	}
	return roots, nil
}

// checkCertificate is a condition of readiness: clients cannot connect without a certificate.
func (p *parts) checkCertificate(ctx context.Context) error {
	if p.tls == nil {
		return nil
	}
	if found := p.tls.Check(ctx); found != nil {
		return &ops.Finding{Cause: "certificate", Text: found.Text, Works: found.Works}
	}
	return nil
}
