package registry

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"

	"go.etcd.io/etcd/client/pkg/v3/transport"

	"github.com/hexhail/hexhail/actors/cluster/membership"
)

// Config says where the registry is and how it is used.
type Config struct {
	// Endpoints are the client addresses of etcd, host:port each. Any of them will do.
	Endpoints []string
	// Prefix begins all keys. Clusters that share an etcd have different ones.
	Prefix string
	// Username and Password are for etcd's own authentication; without a name there is none. With a
	// password etcd checks it for each renewal of the lease, which costs it much; certificates do not.
	Username, Password string
	// TLS encrypts, also without the files below.
	TLS bool
	// CACert is the file (PEM) of the authority that signed etcd's certificates; empty: the system's.
	CACert string
	// Cert and Key are the files (PEM) of this client's certificate. They are read again for each
	// connection.
	Cert, Key string
	// Limits has the lease and the intervals.
	Limits membership.Limits
	// Log receives what operators need to know.
	Log *slog.Logger
}

// DefaultConfig returns a valid configuration for an etcd on this machine.
func DefaultConfig() Config {
	return Config{
		Endpoints: []string{"127.0.0.1:2379"}, Prefix: "/hexhail/",
		Limits: membership.DefaultLimits(), Log: slog.Default(),
	}
}

// ParseURL is DefaultConfig with what a URL says:
//
//	etcd://[user:password@]host:port[,host:port…][/prefix][?cacert=FILE&cert=FILE&key=FILE|?tls=true]
//
// Its errors do not contain the password.
func ParseURL(text string) (Config, error) {
	c := DefaultConfig()
	rest, ok := strings.CutPrefix(text, "etcd://")
	if !ok {
		return c, errors.New("a registry's URL begins with etcd://")
	}
	// net/url takes one host only.
	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	account, hosts := "", authority
	if i := strings.LastIndex(authority, "@"); i >= 0 {
		account, hosts = authority[:i+1], authority[i+1:]
	}
	u, err := url.Parse("etcd://" + account + "host" + tail)
	if err != nil {
		return c, errors.New("the registry's URL cannot be read: a name, password, prefix or file has characters that must be escaped")
	}
	c.Endpoints = strings.Split(hosts, ",")
	if u.User != nil {
		c.Username = u.User.Username()
		c.Password, _ = u.User.Password()
	}
	if prefix := strings.Trim(u.Path, "/"); prefix != "" {
		c.Prefix = "/" + prefix + "/"
	}
	if u.Fragment != "" {
		return c, errors.New("a registry's URL has no fragment")
	}
	if err := c.query(u.Query()); err != nil {
		return c, err
	}
	return c, c.Validate()
}

func (c *Config) query(q url.Values) error {
	for name, values := range q {
		value := values[len(values)-1]
		switch name {
		case "cacert":
			c.CACert = value
		case "cert":
			c.Cert = value
		case "key":
			c.Key = value
		case "tls":
			if value != "true" && value != "false" {
				return errors.New("tls in a registry's URL is true or false")
			}
			c.TLS = value == "true"
			continue
		default:
			return fmt.Errorf("a registry's URL has no parameter %q", name)
		}
		c.TLS = true
	}
	if q.Get("tls") == "false" && (c.CACert != "" || c.Cert != "" || c.Key != "") {
		return errors.New("a registry's URL names certificates and says tls=false")
	}
	return nil
}

// Validate reports what is out of bounds.
func (c Config) Validate() error {
	if len(c.Endpoints) == 0 {
		return errors.New("registry: no endpoint")
	}
	for _, e := range c.Endpoints {
		if host, port, err := net.SplitHostPort(e); err != nil || host == "" || port == "" {
			return fmt.Errorf("registry: an endpoint is host:port, not %q", e)
		}
	}
	switch {
	case !strings.HasPrefix(c.Prefix, "/") || !strings.HasSuffix(c.Prefix, "/"):
		return fmt.Errorf("registry: a prefix begins and ends with a slash, not %q", c.Prefix)
	case (c.Username == "") != (c.Password == ""):
		return errors.New("registry: a user name needs a password, and the reverse")
	case (c.Cert == "") != (c.Key == ""):
		return errors.New("registry: a certificate needs a key, and the reverse")
	case c.Log == nil:
		return errors.New("registry: a logger is missing")
	}
	return c.Limits.Validate()
}

// tls reads the files; nil: no encryption.
func (c Config) tls() (*tls.Config, error) {
	if !c.TLS {
		return nil, nil
	}
	info := transport.TLSInfo{TrustedCAFile: c.CACert, CertFile: c.Cert, KeyFile: c.Key}
	out, err := info.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("registry: TLS: %w", err)
	}
	out.MinVersion = tls.VersionTLS12
	return out, nil
}

// urls are the endpoints as the client wants them.
func (c Config) urls() []string {
	scheme := "http://"
	if c.TLS {
		scheme = "https://"
	}
	out := make([]string, len(c.Endpoints))
	for i, e := range c.Endpoints {
		out[i] = scheme + e
	}
	return out
}
