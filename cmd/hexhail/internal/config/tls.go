package config

import (
	"net"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// tls checks where the certificate of the clients' address comes from.
func (ck *checker) tls(c *Config) {
	h := c.HTTP
	if (h.TLSCert == "") != (h.TLSKey == "") {
		ck.add("tls-key", "tls-cert and tls-key are needed together")
	}
	if len(h.TLSAuto) == 0 {
		for key, given := range map[string]bool{
			"tls-auto-agree": h.TLSAutoAgree, "tls-auto-email": h.TLSAutoEmail != "", "tls-auto-ca": h.TLSAutoCA != "",
		} {
			if given {
				ck.add(key, "has no effect without tls-auto, which names the hosts")
			}
		}
		return
	}
	for i, name := range h.TLSAuto {
		if slices.Contains(h.TLSAuto[:i], name) {
			ck.add("tls-auto", "names %q twice", name)
		} else {
			ck.hostname(name)
		}
	}
	ck.tlsAuto(c)
}

// tlsAuto checks how tls-auto goes with other settings.
func (ck *checker) tlsAuto(c *Config) {
	h := c.HTTP
	switch {
	case h.TLSCert != "":
		ck.add("tls-auto", "obtains the certificate itself: remove tls-cert and tls-key, or tls-auto")
	case c.Cluster.Registry != "":
		ck.add("tls-auto", "is for one server: nodes of a cluster do not share certificates. Let the balancer speak TLS, or give each node tls-cert and tls-key")
	case !h.TLSAutoAgree:
		ck.add("tls-auto-agree", "must be set: the certificate authority at %s requires you to agree to its terms of service", h.TLSAutoDirectory)
	}
	if u, err := url.Parse(h.TLSAutoDirectory); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		ck.add("tls-auto-directory", "must be the https URL of an ACME directory, not %q", h.TLSAutoDirectory)
	}
	if e := h.TLSAutoEmail; e != "" {
		if a, err := mail.ParseAddress(e); err != nil || a.Address != e {
			ck.add("tls-auto-email", "must be an e-mail address such as ops@example.org, not %q", e)
		}
	}
	switch u, err := url.Parse(h.PublicURL); {
	case h.PublicURL == "" || err != nil || u.Host == "": // the latter two are reported elsewhere
	case u.Scheme != "https":
		ck.add("public-url", "must begin with https://, because with tls-auto the server accepts nothing else")
	case !slices.Contains(h.TLSAuto, u.Hostname()):
		ck.add("public-url", "has the host %s, which is missing in tls-auto: clients would get no certificate for it", u.Hostname())
	}
}

var label = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// hostname refuses names for which no certificate authority issues a certificate by TLS-ALPN-01.
func (ck *checker) hostname(name string) {
	labels := strings.Split(name, ".")
	switch {
	case name == "":
		ck.add("tls-auto", "must not contain an empty hostname")
	case net.ParseIP(strings.Trim(name, "[]")) != nil:
		ck.add("tls-auto", "needs a hostname, not the IP address %s", name)
	case strings.Contains(name, "*"):
		ck.add("tls-auto", "cannot obtain a certificate for the wildcard %q: name each host", name)
	case name == "localhost" || strings.HasSuffix(name, ".localhost"):
		ck.add("tls-auto", "cannot obtain a certificate for %s, which no certificate authority can reach", name)
	case len(name) > 253 || len(labels) < 2 || slices.ContainsFunc(labels, func(l string) bool { return !label.MatchString(l) }):
		ck.add("tls-auto", "must be hostnames in lower case such as rides.example.org, without scheme, port or path, not %q", name)
	}
}
