package config

import (
	"cmp"
	"net"
	"os"
	"time"
)

// Cluster makes the server one of several on one Postgres. Without Registry it is alone.
type Cluster struct {
	Registry  Secret `name:"cluster" secret:"true" placeholder:"URL" help:"Join a cluster: etcd://host:port,…/prefix, where the nodes find each other. Nodes of one cluster share the database, the signing key and the prefix. See docs/cluster.md."`
	Advertise string `name:"advertise" placeholder:"HOST:PORT" help:"Address at which the other nodes reach this one. Port 0 takes a free one."`
	Listen    string `name:"cluster-listen" placeholder:"HOST:PORT" help:"Address for the other nodes. Default: the port of advertise on every address, or advertise itself when there are no certificates."`
	Node      string `name:"node-name" placeholder:"NAME" help:"Name of this node in logs and in the cluster; the nodes of a cluster have different ones. Default: the host name."`
	Cert      string `name:"cluster-cert" placeholder:"FILE" help:"Certificate (PEM) of this node, made by hexhail cluster certs. Without it only addresses of this machine may be used."`
	Key       string `name:"cluster-key" placeholder:"FILE" help:"Private key (PEM) of --cluster-cert."`
	CA        string `name:"cluster-ca" placeholder:"FILE" help:"Certificate (PEM) of the cluster's own authority."`

	Lease           time.Duration `name:"cluster-lease" default:"3s" range:"3s..5m" help:"How long the registry keeps a node that does not renew its place. A node that stood still for longer ends itself (exit code 75). Equal on all nodes, as are the next three. On machines that are often late, make all four longer, by the same factor."`
	Silence         time.Duration `name:"cluster-silence" default:"2s" range:"2s..5m" help:"How long a node may leave pings unanswered before it counts as silent. A silent node whose place has run out is dropped."`
	Alone           time.Duration `name:"cluster-alone" default:"6s" range:"3s..10m" help:"How long a node stays that reaches fewer than half of the others."`
	WithoutDatabase time.Duration `name:"cluster-without-database" default:"5s" range:"1s..10m" help:"How long a node stays that does not reach the database while others do."`
	Missing         time.Duration `name:"cluster-missing" default:"1s" range:"250ms..1m" help:"How long another node may take to answer an operator's console before the console shows it as missing."`
}

// ListenAddress is where the node listens for the others.
func (c Cluster) ListenAddress() string {
	if c.Listen != "" || c.Cert == "" {
		return cmp.Or(c.Listen, c.Advertise)
	}
	_, port, err := net.SplitHostPort(c.Advertise)
	if err != nil {
		return c.Advertise // the check has complained
	}
	return net.JoinHostPort("", port)
}

// NodeName is the name of this node.
func (c Cluster) NodeName() string {
	if c.Node != "" {
		return c.Node
	}
	name, err := os.Hostname()
	if err != nil {
		return c.Advertise
	}
	return name
}

// cluster checks the settings of a node.
func (ck *checker) cluster(c *Config, serves bool) {
	n := c.Cluster
	if n.Registry == "" {
		for key, value := range map[string]string{
			"advertise": n.Advertise, "cluster-listen": n.Listen, "cluster-cert": n.Cert, "cluster-key": n.Key, "cluster-ca": n.CA,
		} {
			if value != "" {
				ck.add(key, "needs a cluster to join: set cluster")
			}
		}
		return
	}
	if c.Store.DatabaseURL == "" {
		ck.add("cluster", "needs a Postgres that all nodes share: set database-url")
	}
	if c.Store.SigningKeyFile == "" {
		ck.add("cluster", "needs the signing key that all nodes share: set signing-key-file")
	}
	if host, port, err := net.SplitHostPort(n.Advertise); (serves || n.Advertise != "") && (err != nil || host == "" || port == "") {
		ck.add("advertise", "must be the host and port at which the other nodes reach this one, not %q", n.Advertise)
	}
	if set := (n.Cert != "") || (n.Key != "") || (n.CA != ""); set && (n.Cert == "" || n.Key == "" || n.CA == "") {
		ck.add("cluster-cert", "goes together with cluster-key and cluster-ca")
	}
	switch {
	case n.Lease%time.Second != 0:
		ck.add("cluster-lease", "must be whole seconds, not %s", n.Lease)
	case n.Alone <= n.Silence:
		ck.add("cluster-alone", "must be longer than cluster-silence (%s)", n.Silence)
	}
}
