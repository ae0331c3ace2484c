package crash

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/cuts"
)

// The hosts of a cluster's network besides the nodes.
const (
	hostEtcd     = "etcd"
	hostPostgres = "postgres"
)

// The proxies' own times.
const (
	dialWithin = 10 * time.Second
	slowBy     = 500 * time.Millisecond // how late the answers of a slow server are
)

// The values of --network.
const (
	overProxies    = "proxies"
	overNamespaces = "namespaces"
)

// loopback is the host of what this machine alone reaches.
const loopback = "127.0.0.1"

// network connects the nodes of a cluster with each other, with etcd and with Postgres. The hosts are called as the nodes
// are named.
type network interface {
	// cuts says that the network can lose and delay what flows on it.
	cuts() bool
	// join gives a node its place, before it starts for the first time.
	join(name string) (wires, error)
	// cut loses what flows from one host to another.
	cut(from, to string) error
	// slow delays what flows from etcd or Postgres to a node.
	slow(from, to string, by time.Duration) error
	// heal ends all cuts and delays.
	heal() error
	// close ends the network, after the nodes.
	close()
}

// wires are a node's place in a network.
type wires struct {
	host     string   // where its clients and the readers of its metrics reach it
	listen   string   // where it listens for the other nodes
	address  string   // where they reach it
	registry string   // host:port
	database string   // URL; empty: the embedded one
	enter    []string // command line before its own
	env      []string // more variables
	flags    []string // more flags
}

// servers are what the nodes share.
type servers struct {
	database             string // URL; a Unix socket if it is ours
	registry             string // host:port
	ourPostgres, ourEtcd bool
}

// lead opens proxies before the servers that are ours, at a host for each, and returns with which addresses nodes
// reach all of them.
func (s servers) lead(lines *cuts.Network, etcdAt, postgresAt string, from func(net.Conn) string) (reached servers, err error) {
	if s.ourEtcd {
		if s.registry, err = lines.LeadAt(etcdAt, hostEtcd, dialler("tcp", s.registry), from); err != nil {
			return s, err
		}
	}
	if !s.ourPostgres {
		return s, nil
	}
	u, err := url.Parse(s.database)
	if err != nil {
		return s, fmt.Errorf("the database's URL: %w", err)
	}
	q := u.Query()
	if u.Host, err = lines.LeadAt(postgresAt, hostPostgres, dialler("unix", filepath.Join(q.Get("host"), ".s.PGSQL.5432")), from); err != nil {
		return s, err
	}
	q.Del("host")
	u.RawQuery = q.Encode()
	s.database = u.String()
	return s, nil
}

// connect makes the network that the options name. Files that it needs are in a directory.
func (o *Options) connect(dir string, s servers) (network, error) {
	switch {
	case o.Network == overNamespaces:
		return newNamespaces(dir, s)
	case cuts.KnowsDialler:
		return &proxies{s, cuts.New()}, nil
	}
	return &proxies{servers: s}, nil
}

// proxies lead what a node sends, and what the other nodes send to it, through this process: the servers' answers as well,
// as far as these are ours.
type proxies struct {
	servers
	lines *cuts.Network // nil: this system does not tell who dials, so there are none
}

func (p *proxies) cuts() bool { return p.lines != nil }

func (p *proxies) join(name string) (w wires, err error) {
	port, err := freePort()
	if err != nil {
		return w, err
	}
	own := fmt.Sprintf("%s:%d", loopback, port)
	w = wires{host: loopback, listen: own, address: own, registry: p.registry, database: p.database}
	if p.lines == nil {
		return w, nil
	}
	reached, err := p.lead(p.lines, loopback, loopback, func(net.Conn) string { return name })
	if err != nil {
		return w, err
	}
	w.registry, w.database = reached.registry, reached.database
	w.address, err = p.lines.Lead(name, dialler("tcp", own), func(c net.Conn) string { return cuts.DialledBy(c, "--node-name") })
	return w, err
}

func (p *proxies) cut(from, to string) error {
	p.lines.Cut(from, to)
	return nil
}

func (p *proxies) slow(from, to string, by time.Duration) error {
	p.lines.Slow(from, to, by)
	return nil
}

func (p *proxies) heal() error {
	p.lines.Heal()
	return nil
}

func (p *proxies) close() {
	if p.lines != nil {
		p.lines.Close()
	}
}

func dialler(network, address string) func() (net.Conn, error) {
	return func() (net.Conn, error) { return net.DialTimeout(network, address, dialWithin) } //nolint:noctx // bounded by itself
}

// sever begins a fault of the network.
func (c *cluster) sever(f fault) (err error) {
	name := c.nodes[f.node].name
	others := make([]string, 0, len(c.nodes))
	for _, n := range c.nodes {
		if n.name != name {
			others = append(others, n.name)
		}
	}
	switch f.kind {
	case cutPostgres:
		others = []string{hostPostgres}
	case cutEtcd:
		others = []string{hostEtcd}
	case slowPostgres, slowEtcd:
		host := map[faultKind]string{slowPostgres: hostPostgres, slowEtcd: hostEtcd}[f.kind]
		for _, n := range c.nodes {
			err = errors.Join(err, c.network.slow(host, n.name, slowBy))
		}
		return err
	}
	for _, o := range others {
		if f.kind != cutIn {
			err = errors.Join(err, c.network.cut(name, o))
		}
		if f.kind != cutOut {
			err = errors.Join(err, c.network.cut(o, name))
		}
	}
	return err
}
