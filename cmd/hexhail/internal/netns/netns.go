// Package netns is a network between named hosts on one machine, each in a Linux network namespace of its own:
// packets from one host to another can be lost, below TCP. It needs root and the program ip of iproute2.
package netns

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// ErrUnavailable means that this machine or this account cannot have such a network. The message says why.
var ErrUnavailable = errors.New("network namespaces are not available")

// The last bytes of addresses. A host has one address for the other hosts and for clients, and one more for each server,
// so that what a server sends to it can be lost alone.
const (
	ownByte     = 1  // this process's namespace
	firstServer = 2  // further ones of it
	perHost     = 16 // a host's addresses begin at a multiple
	maxHosts    = 256/perHost - 1
	maxServers  = perHost - firstServer
)

// Network joins hosts by a switch. The switch has a namespace, too, so that no firewall of this machine filters what
// passes between hosts. Servers are addresses of this process's own namespace, from which all hosts can be reached.
// The namespaces have no names and end with this process, however it ends. Methods may be called from any goroutine.
type Network struct {
	subnet  netip.Prefix
	device  string // of this process's namespace
	hub     *space // the switch
	servers []string

	mu    sync.Mutex
	hosts []host
	lost  map[loss]bool
}

type host struct {
	name  string
	space *space
}

// New makes a network with servers of some names and without hosts. The caller must close it. The error wraps
// ErrUnavailable if it is not for a mistake of the caller's.
func New(servers ...string) (*Network, error) {
	if why := missing(); why != "" {
		return nil, fmt.Errorf("%w: %s", ErrUnavailable, why)
	}
	if len(servers) > maxServers {
		return nil, fmt.Errorf("%d servers are too many", len(servers))
	}
	n := &Network{servers: servers, lost: make(map[loss]bool)}
	if err := n.start(); err != nil {
		n.Close()
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return n, nil
}

func (n *Network) start() (err error) {
	if n.subnet, err = freeSubnet(); err != nil {
		return err
	}
	if n.hub, err = newSpace(); err != nil {
		return err
	}
	n.device = uniqueName()
	if err := n.hub.ip("link add hub type bridge", "link set hub up"); err != nil {
		return err
	}
	var own *space
	commands := []string{
		fmt.Sprintf("link add %s type veth peer name own netns %d", n.device, n.hub.pid()),
		fmt.Sprintf("addr add %s/%d dev %s", n.address(ownByte), n.subnet.Bits(), n.device),
	}
	for i := range n.servers {
		commands = append(commands, fmt.Sprintf("addr add %s/32 dev %s", n.address(firstServer+i), n.device))
	}
	if err := own.ip(append(commands, "link set "+n.device+" up")...); err != nil {
		return err
	}
	if err := n.hub.ip("link set own master hub", "link set own up"); err != nil {
		return err
	}
	l := loss{own, n.address(perHost) + " dev " + n.device} // so that it is known before a fault whether cuts work
	return errors.Join(l.begin(), l.end())
}

// address is the one of the network's that ends with a byte.
func (n *Network) address(last int) string {
	a := n.subnet.Addr().As4()
	a[3] = byte(last)
	return netip.AddrFrom4(a).String()
}

// Subnet is the network's own, as 10.1.2.0/24.
func (n *Network) Subnet() string { return n.subnet.String() }

// Join adds a host and returns the address at which the other hosts and this process reach it. The error wraps
// ErrUnavailable if the host does not reach a server's address.
func (n *Network) Join(name string) (address string, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.hosts) == maxHosts {
		return "", errors.New("the network has no room for another host")
	}
	s, err := newSpace()
	if err != nil {
		return "", err
	}
	number := len(n.hosts)
	n.hosts = append(n.hosts, host{name, s})
	first := perHost * (number + 1)
	commands := []string{
		fmt.Sprintf("link add eth0 type veth peer name host%d netns %d", number, n.hub.pid()),
		fmt.Sprintf("addr add %s/%d dev eth0", n.address(first), n.subnet.Bits()),
		"link set eth0 up",
	}
	for i := range n.servers {
		own := n.address(first + 1 + i)
		commands = append(commands, fmt.Sprintf("addr add %s/32 dev eth0", own), fmt.Sprintf("route add %s/32 dev eth0 src %s", n.address(firstServer+i), own))
	}
	if err := s.ip(commands...); err != nil {
		return "", err
	}
	if err := n.hub.ip(fmt.Sprintf("link set host%d master hub", number), fmt.Sprintf("link set host%d up", number)); err != nil {
		return "", err
	}
	return n.address(first), n.reaches(s)
}

// reachWithin bounds the time until a new host reaches a server's address.
const reachWithin = 10 * time.Second

// reaches dials the servers' addresses from a new host: a firewall of this machine may be in between.
func (n *Network) reaches(from *space) error {
	for i := range n.servers {
		l, err := net.Listen("tcp4", net.JoinHostPort(n.address(firstServer+i), "0")) //nolint:noctx // it does not wait
		if err != nil {
			return fmt.Errorf("address of a server: %w", err)
		}
		err = from.within(func() error {
			c, err := net.DialTimeout("tcp4", l.Addr().String(), reachWithin) //nolint:noctx // bounded by itself
			if err != nil {
				return err
			}
			return c.Close()
		})
		_ = l.Close()
		if err != nil {
			return fmt.Errorf("%w: a namespace does not reach this machine, perhaps because of a firewall: %w", ErrUnavailable, err)
		}
	}
	return nil
}

// Address is the address of a server in this process's namespace; empty: there is no such server.
func (n *Network) Address(server string) string {
	i := slices.Index(n.servers, server)
	if i < 0 {
		return ""
	}
	return n.address(firstServer + i)
}

// HostOf names the host that has an address; empty: none.
func (n *Network) HostOf(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return ""
	}
	ip := tcp.IP.To4()
	if ip == nil || !n.subnet.Contains(netip.AddrFrom4([4]byte(ip))) {
		return ""
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	number := int(ip[3])/perHost - 1
	if number < 0 || number >= len(n.hosts) {
		return ""
	}
	return n.hosts[number].name
}

// Command is what to put before a command line that is to run at a host. The process that it starts becomes that command.
func (n *Network) Command(host string) ([]string, error) {
	_, s, err := n.find(host)
	if err != nil {
		return nil, err
	}
	return s.command(), nil
}

// Within runs a function at a host: sockets that it opens on the goroutine on which it is called are the host's.
func (n *Network) Within(host string, f func() error) error {
	_, s, err := n.find(host)
	if err != nil {
		return err
	}
	return s.within(f)
}

func (n *Network) find(name string) (number int, s *space, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	number = slices.IndexFunc(n.hosts, func(h host) bool { return h.name == name })
	if number < 0 {
		return 0, nil, fmt.Errorf("the network has no host %s", name)
	}
	return number, n.hosts[number].space, nil
}
