package crash

import (
	"fmt"
	"net"
	"path/filepath"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/cuts"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/netns"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/nodecerts"
)

// namespaces give each node a network namespace of its own, in which other nodes are other machines: they show each other
// certificates, and what a cut loses is packets. Etcd and Postgres are in this process's namespace, behind proxies at
// an address for each, which delay what a fault wants late.
type namespaces struct {
	reached servers
	net     *netns.Network
	relays  *cuts.Network
	dir     string // of the certificates
	ca      string // file of the authority's
	vouches *nodecerts.Authority
}

func newNamespaces(dir string, s servers) (_ network, err error) {
	n := &namespaces{dir: filepath.Join(dir, "certificates"), relays: cuts.New()}
	if n.net, err = netns.New(hostEtcd, hostPostgres); err != nil {
		n.relays.Close()
		return nil, fmt.Errorf("--network=%s: %w", overNamespaces, err)
	}
	from := func(c net.Conn) string { return n.net.HostOf(c.RemoteAddr()) }
	n.reached, err = s.lead(n.relays, n.net.Address(hostEtcd), n.net.Address(hostPostgres), from)
	if err == nil {
		err = n.establish()
	}
	if err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

// How long certificates are valid, in days: longer than any run, and the authority's longest.
const (
	nodeValid = "7d"
	caValid   = "8d"
)

func validFor(text string) (v nodecerts.Validity, err error) {
	err = v.UnmarshalText([]byte(text))
	return v, err
}

// establish makes the authority that vouches for the nodes.
func (n *namespaces) establish() error {
	valid, err := validFor(caValid)
	if err != nil {
		return err
	}
	permit, err := nodecerts.ParsePermit([]string{n.net.Subnet()})
	if err != nil {
		return err
	}
	made, err := nodecerts.Init(n.dir, valid, permit, time.Now())
	if err != nil {
		return err
	}
	n.ca = made.File
	n.vouches, err = nodecerts.Open(n.dir)
	return err
}

func (n *namespaces) cuts() bool { return true }

func (n *namespaces) join(name string) (w wires, err error) {
	host, err := n.net.Join(name)
	if err != nil {
		return w, fmt.Errorf("--network=%s: %w", overNamespaces, err)
	}
	port, err := freePort()
	if err != nil {
		return w, err
	}
	valid, err := validFor(nodeValid)
	if err != nil {
		return w, err
	}
	made, err := n.vouches.Issue([]string{host}, valid, false, time.Now())
	if err != nil {
		return w, err
	}
	enter, err := n.net.Command(name)
	address := fmt.Sprintf("%s:%d", host, port)
	return wires{
		host: host, listen: address, address: address, registry: n.reached.registry, database: n.reached.database,
		enter: enter, env: []string{"NO_PROXY=*"}, // none is reached from there
		flags: []string{"--cluster-cert=" + made.File, "--cluster-key=" + made.KeyFile, "--cluster-ca=" + n.ca},
	}, err
}

func (n *namespaces) cut(from, to string) error { return n.net.Cut(from, to) }

func (n *namespaces) slow(from, to string, by time.Duration) error {
	n.relays.Slow(from, to, by)
	return nil
}

func (n *namespaces) heal() error {
	n.relays.Heal()
	return n.net.Heal()
}

func (n *namespaces) close() {
	n.relays.Close()
	n.net.Close()
}
