// Package nodecerts makes the certificates that the nodes of a cluster show each other: a small CA
// of the cluster's own, and a certificate for each node. nodetls uses them.
package nodecerts

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/nodetls"
)

// The files of a CA in its directory.
const (
	caFile    = "ca.pem"
	caKeyFile = "ca.key"
)

// clockDifference is how far back validity begins, for machines whose clocks are behind.
const clockDifference = 5 * time.Minute

// The common names, which only people read. They are not host names, because some programs apply a
// CA's limits on names to them.
const (
	caName   = "Hexhail cluster CA"
	nodeName = "Hexhail node"
)

// usages are both sides of a connection. A CA has them, too, which keeps it from vouching for
// anything else, such as programs or mail.
var usages = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}

// Made says what was made.
type Made struct {
	Certificate *x509.Certificate
	// File and KeyFile are the paths of the certificate and of its private key.
	File, KeyFile string
}

// Init makes a CA in a directory, which it creates if necessary. What exists is never replaced:
// fs.ErrExist. permit limits the names that the CA may vouch for.
func Init(dir string, valid Validity, permit Permit, now time.Time) (Made, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Made{}, fmt.Errorf("make the directory of the CA: %w", err)
	}
	template, err := newTemplate(caName, valid, now)
	if err != nil {
		return Made{}, err
	}
	template.IsCA, template.MaxPathLenZero = true, true // path length 0: it signs nodes, not further CAs
	template.KeyUsage = x509.KeyUsageCertSign
	permit.apply(template)
	made := Made{File: filepath.Join(dir, caFile), KeyFile: filepath.Join(dir, caKeyFile)}
	err = made.make(template, nil, false)
	return made, err
}

// Authority signs certificates of nodes.
type Authority struct {
	dir  string
	pair tls.Certificate
}

// Open reads the CA that Init made in a directory.
func Open(dir string) (*Authority, error) {
	file, keyFile := filepath.Join(dir, caFile), filepath.Join(dir, caKeyFile)
	cas, err := nodetls.ReadCertificates(file)
	if err != nil {
		return nil, err
	}
	key, err := nodetls.ReadKey(keyFile)
	if err != nil {
		return nil, err
	}
	// The first certificate signs; others are of former CAs.
	pair, err := tls.X509KeyPair(encode("CERTIFICATE", cas[0].Raw), key)
	if err != nil {
		return nil, fmt.Errorf("%s and %s are not a certificate and its key: %w", file, keyFile, err)
	}
	if !pair.Leaf.IsCA {
		return nil, fmt.Errorf("%s is not the certificate of a CA", file)
	}
	return &Authority{dir: dir, pair: pair}, nil
}

// Issue makes a certificate for a node in the CA's directory, named after the first of its names, which
// are DNS names and IP addresses. Existing files are fs.ErrExist unless they are to be replaced.
func (a *Authority) Issue(names []string, valid Validity, replace bool, now time.Time) (Made, error) {
	if len(names) == 0 {
		return Made{}, errors.New("a node needs a name")
	}
	template, err := newTemplate(nodeName, valid, now)
	if err != nil {
		return Made{}, err
	}
	spelt := make([]string, len(names))
	for i, n := range names {
		if spelt[i], err = addName(template, n); err != nil {
			return Made{}, err
		}
	}
	if ca := a.pair.Leaf; template.NotAfter.After(ca.NotAfter) {
		return Made{}, fmt.Errorf("the CA ends on %s, before the certificate would: make it valid for less, or make a new CA",
			date(ca.NotAfter))
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	if spelt[0]+".pem" == caFile {
		return Made{}, fmt.Errorf("the files of a node are named after its first name, and %s is the CA's own file: put another name first", caFile)
	}
	base := filepath.Join(a.dir, strings.ReplaceAll(spelt[0], ":", "-"))
	made := Made{File: base + ".pem", KeyFile: base + ".key"}
	err = made.make(template, &a.pair, replace)
	return made, err
}

func newTemplate(name string, valid Validity, now time.Time) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		return nil, fmt.Errorf("choose a serial number: %w", err)
	}
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-clockDifference), NotAfter: valid.From(now),
		BasicConstraintsValid: true, ExtKeyUsage: usages,
	}, nil
}

// make generates a key, has the issuer sign its certificate, or the key itself if there is none, and
// stores both.
func (m *Made) make(template *x509.Certificate, issuer *tls.Certificate, replace bool) error {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("generate a key: %w", err)
	}
	parent, signer := template, any(key)
	if issuer != nil {
		parent, signer = issuer.Leaf, issuer.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	if m.Certificate, err = x509.ParseCertificate(der); err != nil {
		return fmt.Errorf("read the certificate that was made: %w", err)
	}
	if issuer != nil {
		if err := trusted(m.Certificate, issuer.Leaf); err != nil {
			return err
		}
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode a key: %w", err)
	}
	return store(replace, file{m.KeyFile, encode("PRIVATE KEY", secret), 0o600}, file{m.File, encode("CERTIFICATE", der), 0o644})
}

// trusted verifies a new certificate as nodes will, so that names which the CA may not vouch for are
// noticed here. It does so as of the certificate's first moment: that the CA has ended is known by then.
func trusted(c, ca *x509.Certificate) error {
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	at := c.NotBefore
	if at.Before(ca.NotBefore) { // the CA was made a moment ago
		at = ca.NotBefore
	}
	if _, err := c.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: at}); err != nil {
		return fmt.Errorf("the CA may not vouch for this node: %w", err)
	}
	return nil
}
