package nodecerts

import (
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"strings"
)

// addName adds a DNS name or an IP address to a certificate, once, and returns its usual spelling.
func addName(to *x509.Certificate, name string) (string, error) {
	if ip := net.ParseIP(name); ip != nil {
		if ip.IsUnspecified() || ip.IsMulticast() {
			return "", fmt.Errorf("%s is not the address of one node", name)
		}
		if !slices.ContainsFunc(to.IPAddresses, ip.Equal) {
			to.IPAddresses = append(to.IPAddresses, ip)
		}
		return ip.String(), nil
	}
	dns, ok := dnsName(name)
	if !ok {
		return "", fmt.Errorf("%q is neither a DNS name nor an IP address; a name has no port, no wildcard and no scheme", name)
	}
	if !slices.Contains(to.DNSNames, dns) {
		to.DNSNames = append(to.DNSNames, dns)
	}
	return dns, nil
}

// dnsName returns a DNS name in lower case. Underscores are allowed, as crypto/x509 allows them:
// containers have such names. A number at the end would be a mistyped address.
func dnsName(s string) (string, bool) {
	s = strings.ToLower(s)
	if len(s) > 253 {
		return "", false
	}
	labels := strings.Split(s, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return "", false
		}
	}
	return s, strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

// Permit limits what a CA may vouch for. The zero value permits every name.
type Permit struct {
	domains  []string // with all names below them
	networks []*net.IPNet
}

// ParsePermit reads domains, such as nodes.example.org, and networks, such as 10.1.0.0/16. An address
// is a network of its own.
func ParsePermit(list []string) (Permit, error) {
	var p Permit
	for _, s := range list {
		if ip := net.ParseIP(s); ip != nil {
			if four := ip.To4(); four != nil {
				ip = four
			}
			p.networks = append(p.networks, &net.IPNet{IP: ip, Mask: net.CIDRMask(8*len(ip), 8*len(ip))})
			continue
		}
		if _, network, err := net.ParseCIDR(s); err == nil {
			p.networks = append(p.networks, network)
			continue
		}
		domain, ok := dnsName(s)
		if !ok {
			return Permit{}, fmt.Errorf("%q is neither a domain nor a network such as 10.1.0.0/16", s)
		}
		p.domains = append(p.domains, domain)
	}
	return p, nil
}

// apply writes the limits into a CA's certificate. A limit on one kind of names leaves the other
// kinds free, so those without a permitted name are excluded.
func (p Permit) apply(ca *x509.Certificate) {
	if len(p.domains)+len(p.networks) == 0 {
		return
	}
	ca.PermittedDNSDomainsCritical = true
	ca.PermittedDNSDomains, ca.PermittedIPRanges = p.domains, p.networks
	if len(p.domains) == 0 {
		ca.ExcludedDNSDomains = []string{""} // all
	}
	for _, all := range []*net.IPNet{
		{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)}, {IP: net.IPv6zero, Mask: net.CIDRMask(0, 128)},
	} {
		if !slices.ContainsFunc(p.networks, func(n *net.IPNet) bool { return len(n.IP) == len(all.IP) }) {
			ca.ExcludedIPRanges = append(ca.ExcludedIPRanges, all)
		}
	}
}
