// Package nodetls secures the connections between the nodes of a cluster: both sides show a
// certificate of the cluster's CA and refuse every other. The holder of such a certificate
// is trusted wholly, so the CA must vouch for nodes and nothing else.
package nodetls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// protocol is what gRPC requires by ALPN. Requiring it of both sides keeps every other TLS
// service that uses the same CA from being taken for a node.
const protocol = "h2"

// Options say who a node is.
type Options struct {
	Files
	// Advertise is the address, as HOST:PORT, at which the other nodes reach this one. The
	// certificate must name its host. Empty: not checked.
	Advertise string
	// Log gets a line when the files change, when they cannot be used, and when the certificate
	// nears its end. Nil: none.
	Log *slog.Logger
	// Now is the clock for dates in certificates. Nil: time.Now.
	Now func() time.Time
}

// Credentials make the TLS configurations of one node. They read the files again at each
// handshake, so that a renewed certificate or CA counts from the next connection on. While the
// files are missing, incomplete or do not fit together, the last good ones stay in use.
//
// All methods are safe for concurrent use. Credentials are a prometheus.Collector with the time at
// which the certificate expires.
type Credentials struct {
	files  Files
	host   string
	log    *slog.Logger
	now    func() time.Time
	expiry prometheus.Collector

	mu        sync.Mutex
	good      contents
	identity  *identity
	complaint string // why the newest files cannot be used, as last logged
	warned    stage
}

// New reads the files. The error is a sentence for the operator: which file is missing, open to
// others, no pair with its key, from another CA, expired or for another host.
func New(o Options) (*Credentials, error) {
	c := &Credentials{files: o.Files, log: o.Log, now: o.Now}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.now == nil {
		c.now = time.Now
	}
	if o.Advertise != "" {
		var err error
		if c.host, err = hostOf(o.Advertise); err != nil {
			return nil, err
		}
	}
	if err := o.Files.complete(); err != nil {
		return nil, err
	}
	read, err := c.files.read()
	if err != nil {
		return nil, err
	}
	if c.identity, err = c.files.check(read, c.host, c.now()); err != nil {
		return nil, err
	}
	c.good = read
	c.expiry = newExpiry(c)
	c.warn()
	return c, nil
}

// Server returns the configuration of the listener for other nodes. It serves all connections.
func (c *Credentials) Server() *tls.Config {
	// The rest comes from GetConfigForClient. An empty pool trusts no one; nil would be the
	// system's roots.
	base := serverConfig(x509.NewCertPool())
	base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		now := c.current()
		config := serverConfig(now.roots)
		config.Certificates = []tls.Certificate{now.certificate}
		return config, nil
	}
	return base
}

func serverConfig(roots *x509.CertPool) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{protocol},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: roots,
		VerifyConnection: verify,
		// A resumed session would keep a CA trusted after its removal.
		SessionTicketsDisabled: true,
	}
}

// Client returns the configuration of one connection to the node at an address, HOST:PORT. Ask for
// another one for each connection: it holds the files' contents of this moment, and the host that
// the other node's certificate must name.
//
// gRPC passes the address to ClientHandshake of its transport credentials, as the authority.
//
// One configuration for all connections is not possible: tls.Config has no callback for its roots,
// and a VerifyConnection in their place does not learn the server's name when that is an IP address.
func (c *Credentials) Client(address string) (*tls.Config, error) {
	host, err := hostOf(address)
	if err != nil {
		return nil, err
	}
	now := c.current()
	return &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{protocol},
		RootCAs: now.roots, ServerName: host, VerifyConnection: verify,
		// Certificates would be left out if the server did not list their CA, and the server would
		// then miss a certificate instead of naming what is wrong with it.
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &now.certificate, nil },
	}, nil
}

// verify adds to what crypto/tls has verified by then: the chain to the CA, the dates, the usage of
// this side, and for a client the server's name.
func verify(s tls.ConnectionState) error {
	if s.NegotiatedProtocol != protocol {
		return errors.New("the other side does not offer " + protocol + " by ALPN: it is not a node")
	}
	if len(s.PeerCertificates) == 0 {
		return errors.New("the other side shows no certificate")
	}
	if err := CheckUsages(s.PeerCertificates[0]); err != nil {
		return fmt.Errorf("the other side's certificate %w", err)
	}
	return nil
}

// CheckUsages returns an error unless a certificate is a node's: good for both sides of a
// connection, and not a CA's. The error continues a sentence that begins with the certificate.
func CheckUsages(c *x509.Certificate) error {
	if c.IsCA {
		return errors.New("is a CA's, not a node's")
	}
	server, client := false, false
	for _, u := range c.ExtKeyUsage {
		server = server || u == x509.ExtKeyUsageServerAuth
		client = client || u == x509.ExtKeyUsageClientAuth
	}
	if !server || !client {
		return errors.New("must have both extended key usages, serverAuth and clientAuth: a node is server and client")
	}
	return nil
}

// hostOf returns the host of HOST:PORT as certificates name it: without the zone of an IPv6 address.
func hostOf(address string) (string, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return "", fmt.Errorf("the address of a node must be HOST:PORT, not %q", address)
	}
	host, _, _ = strings.Cut(host, "%")
	return host, nil
}
