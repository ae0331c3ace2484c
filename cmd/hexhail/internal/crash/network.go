package crash

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/cuts"
)

// The hosts of a cluster's network besides the nodes, which are called as they are named.
const (
	hostEtcd     = "etcd"
	hostPostgres = "postgres"
)

// The proxies' own times.
const (
	dialWithin = 10 * time.Second
	slowBy     = 500 * time.Millisecond // how late the answers of a slow server are
)

// wires are what a node reaches through proxies, so that each way can be cut.
type wires struct {
	listen   string // the node's own address, behind its proxy
	address  string // the one it advertises
	registry string // host:port
	database string // URL
}

// wire leads what a node's process sends, and what the other nodes send to it, through proxies: as
// far as this system tells who dials, and as far as the servers are ours.
func (c *cluster) wire(name, database, registry string) (w wires, err error) {
	port, err := freePort()
	if err != nil {
		return w, err
	}
	w.listen = fmt.Sprintf("127.0.0.1:%d", port)
	w.address, w.registry, w.database = w.listen, registry, database
	if c.network == nil {
		return w, nil
	}
	own := func(net.Conn) string { return name }
	if c.etcd != nil {
		if w.registry, err = c.network.Lead(hostEtcd, dialler("tcp", registry), own); err != nil {
			return w, err
		}
	}
	if c.postgres != nil {
		if w.database, err = c.leadToPostgres(database, own); err != nil {
			return w, err
		}
	}
	w.address, err = c.network.Lead(name, dialler("tcp", w.listen), func(c net.Conn) string { return cuts.DialledBy(c, "--node-name") })
	return w, err
}

// leadToPostgres returns the URL of a proxy before our Postgres, which is reached over a Unix socket.
func (c *cluster) leadToPostgres(database string, own func(net.Conn) string) (string, error) {
	u, err := url.Parse(database)
	if err != nil {
		return "", fmt.Errorf("the database's URL: %w", err)
	}
	q := u.Query()
	if u.Host, err = c.network.Lead(hostPostgres, dialler("unix", filepath.Join(q.Get("host"), ".s.PGSQL.5432")), own); err != nil {
		return "", err
	}
	q.Del("host")
	u.RawQuery = q.Encode()
	return u.String(), nil
}

func dialler(network, address string) func() (net.Conn, error) {
	return func() (net.Conn, error) { return net.DialTimeout(network, address, dialWithin) } //nolint:noctx // bounded by itself
}

// sever begins a fault of the network.
func (c *cluster) sever(f fault) {
	name := c.nodes[f.node].name
	others := make([]string, 0, len(c.nodes))
	for _, n := range c.nodes {
		if n.name != name {
			others = append(others, n.name)
		}
	}
	switch f.kind {
	case cutNode:
		c.network.Part(name, others...)
	case cutIn:
		for _, o := range others {
			c.network.Cut(o, name)
		}
	case cutOut:
		for _, o := range others {
			c.network.Cut(name, o)
		}
	case cutPostgres:
		c.network.Part(name, hostPostgres)
	case cutEtcd:
		c.network.Part(name, hostEtcd)
	case slowPostgres, slowEtcd:
		host := map[faultKind]string{slowPostgres: hostPostgres, slowEtcd: hostEtcd}[f.kind]
		for _, o := range append(others, name) {
			c.network.Slow(host, o, slowBy)
		}
	}
}
