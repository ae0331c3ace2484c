package nodetls

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"
)

// Files are the paths of a node's PEM files.
type Files struct {
	Certificate string // the node's certificate, then any intermediate ones
	Key         string // its private key, closed to all but its owner and group
	CA          string // the certificates of the cluster's CA: two while one replaces the other
}

const (
	maxFile         = 64 << 10
	maxCertificates = 16
)

// contents are the bytes of the three files.
type contents struct{ certificate, key, ca []byte }

func (c contents) equal(d contents) bool {
	return bytes.Equal(c.certificate, d.certificate) && bytes.Equal(c.key, d.key) && bytes.Equal(c.ca, d.ca)
}

// identity is what the files give. It is not changed after its construction.
type identity struct {
	certificate tls.Certificate
	roots       *x509.CertPool
	// expires is when the certificate or its CA ends, whichever is first; lifetime, in all, how
	// long the certificate is valid.
	expires  time.Time
	lifetime time.Duration
}

func (f Files) complete() error {
	if f.Certificate == "" || f.Key == "" || f.CA == "" {
		return errors.New("a node needs its certificate, the key and the cluster's CA together")
	}
	return nil
}

func (f Files) read() (contents, error) {
	certificate, err := readFile(f.Certificate)
	if err != nil {
		return contents{}, err
	}
	key, err := ReadKey(f.Key)
	if err != nil {
		return contents{}, err
	}
	ca, err := readFile(f.CA)
	return contents{certificate, key, ca}, err
}

// check returns what the contents give, or why other nodes would refuse it.
func (f Files) check(read contents, host string, now time.Time) (*identity, error) {
	chain, err := parseCertificates(f.Certificate, read.certificate)
	if err != nil {
		return nil, err
	}
	cas, err := parseCertificates(f.CA, read.ca)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	for _, ca := range cas {
		if !ca.IsCA {
			return nil, fmt.Errorf("%s: the certificate of %s is not a CA's", f.CA, ca.Subject)
		}
		roots.AddCert(ca)
	}
	pair, err := tls.X509KeyPair(read.certificate, read.key)
	if err != nil {
		return nil, fmt.Errorf("%s and %s are not a certificate and its key: %w", f.Certificate, f.Key, err)
	}
	leaf := chain[0]
	if err := CheckUsages(leaf); err != nil {
		return nil, fmt.Errorf("%s: the certificate %w", f.Certificate, err)
	}
	switch {
	case now.Before(leaf.NotBefore):
		return nil, fmt.Errorf("%s is not valid before %s", f.Certificate, date(leaf.NotBefore))
	case now.After(leaf.NotAfter):
		return nil, fmt.Errorf("%s expired on %s", f.Certificate, date(leaf.NotAfter))
	}
	expires, err := f.trust(chain, roots, now)
	if err != nil {
		return nil, err
	}
	if host != "" && leaf.VerifyHostname(host) != nil {
		return nil, fmt.Errorf("%s does not name %s, at which the other nodes reach this one; it names %s",
			f.Certificate, host, strings.Join(Names(leaf), ", "))
	}
	return &identity{certificate: pair, roots: roots, expires: expires, lifetime: leaf.NotAfter.Sub(leaf.NotBefore)}, nil
}

// trust verifies a chain as both sides of a connection will, and returns until when they do.
func (f Files) trust(chain []*x509.Certificate, roots *x509.CertPool, now time.Time) (until time.Time, err error) {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		chains, err := chain[0].Verify(x509.VerifyOptions{
			Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{usage},
		})
		var unknown x509.UnknownAuthorityError
		if errors.As(err, &unknown) {
			return until, fmt.Errorf("%s was not signed by the CA in %s", f.Certificate, f.CA)
		}
		if err != nil {
			return until, fmt.Errorf("%s is not trusted by the CA in %s: %w", f.Certificate, f.CA, err)
		}
		until = time.Time{}
		for _, c := range chains { // the best one counts
			first := slices.MinFunc(c, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
			if first.NotAfter.After(until) {
				until = first.NotAfter
			}
		}
	}
	return until, nil
}

// Names lists the DNS names and IP addresses that a certificate is for.
func Names(c *x509.Certificate) []string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, net.IP.String(ip))
	}
	return names
}

// ReadCertificates reads a PEM file with one or more certificates, the holder's first. Other blocks
// are ignored.
func ReadCertificates(path string) ([]*x509.Certificate, error) {
	b, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return parseCertificates(path, b)
}

func parseCertificates(path string, text []byte) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for {
		var b *pem.Block
		if b, text = pem.Decode(text); b == nil {
			break
		}
		if b.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if out = append(out, c); len(out) > maxCertificates {
			return nil, fmt.Errorf("%s has more than %d certificates", path, maxCertificates)
		}
	}
	switch {
	case bytes.Contains(text, []byte("-----BEGIN")):
		return nil, fmt.Errorf("%s: the last PEM block is incomplete", path)
	case len(out) == 0:
		return nil, fmt.Errorf("%s has no certificate in PEM", path)
	}
	return out, nil
}

// ReadKey reads a file with a private key. It refuses a file that others than its owner and group
// can touch.
func ReadKey(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("node certificate files: %w", err)
	}
	if info.Mode().Perm()&0o027 != 0 {
		return nil, fmt.Errorf("%s is open to others (mode %04o); run chmod 600 on it", path, info.Mode().Perm())
	}
	return readFile(path)
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("node certificate files: %w", err)
	case !info.Mode().IsRegular() || info.Size() > maxFile: // a pipe would block
		return nil, fmt.Errorf("%s is not a certificate or key file", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("node certificate files: %w", err)
	}
	return b, nil
}

func date(t time.Time) string { return t.UTC().Format(time.RFC3339) }
