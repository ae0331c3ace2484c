package nodecerts

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/nodetls"
)

// Describe writes what certificates say, for people.
func Describe(w io.Writer, certificates []*x509.Certificate, now time.Time) error {
	for i, c := range certificates {
		if i > 0 {
			fmt.Fprintln(w)
		}
		t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
		for _, line := range describe(c, now) {
			fmt.Fprintf(t, "%s\t%s\n", line[0], line[1])
		}
		if err := t.Flush(); err != nil {
			return fmt.Errorf("describe a certificate: %w", err)
		}
	}
	return nil
}

func describe(c *x509.Certificate, now time.Time) [][2]string {
	lines := [][2]string{{"Subject", c.Subject.String()}}
	if c.IsCA {
		lines = append(lines, [2]string{"Kind", "CA"}, [2]string{"Vouches for", vouches(c)})
	} else {
		lines = append(lines, [2]string{"Kind", kindOf(c)}, [2]string{"Names", strings.Join(nodetls.Names(c), ", ")})
	}
	lines = append(lines,
		[2]string{"Valid from", date(c.NotBefore)}, [2]string{"Valid until", date(c.NotAfter) + ", " + left(c, now)})
	if c.IsCA {
		lines = append(lines, [2]string{"Key id", keyID(c.SubjectKeyId)})
	} else {
		lines = append(lines, [2]string{"CA", c.Issuer.String()}, [2]string{"CA's key id", keyID(c.AuthorityKeyId)})
	}
	sum := sha256.Sum256(c.Raw)
	return append(lines, [2]string{"Algorithm", c.PublicKeyAlgorithm.String()},
		[2]string{"Serial number", fmt.Sprintf("%032x", c.SerialNumber)}, [2]string{"SHA-256", fmt.Sprintf("%x", sum)})
}

// kindOf says whether nodes accept a certificate from each other.
func kindOf(c *x509.Certificate) string {
	if err := nodetls.CheckUsages(c); err != nil {
		return "no node's: it " + err.Error()
	}
	return "node"
}

func vouches(ca *x509.Certificate) string {
	permitted := append([]string(nil), ca.PermittedDNSDomains...)
	for _, n := range ca.PermittedIPRanges {
		permitted = append(permitted, (*net.IPNet).String(n))
	}
	if len(permitted) == 0 {
		return "any name"
	}
	return strings.Join(permitted, ", ")
}

func left(c *x509.Certificate, now time.Time) string {
	switch {
	case now.After(c.NotAfter):
		return "expired"
	case now.Before(c.NotBefore):
		return "not valid yet"
	}
	switch days := int(c.NotAfter.Sub(now).Hours() / 24); days {
	case 0:
		return "less than a day left"
	case 1:
		return "1 day left"
	default:
		return fmt.Sprintf("%d days left", days)
	}
}

// keyID links a certificate to its CA, which others may share the subject with.
func keyID(id []byte) string {
	if len(id) == 0 {
		return "unknown"
	}
	return fmt.Sprintf("%x", id)
}

func date(t time.Time) string { return t.UTC().Format(time.RFC3339) }
