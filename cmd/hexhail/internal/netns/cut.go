package netns

import (
	"errors"
	"fmt"
	"slices"
)

// absent is a hardware address that no interface has: what is sent to it is lost.
const absent = "02:00:00:00:00:ff"

// loss is an entry of a neighbour table with the absent address.
type loss struct {
	in    *space // nil: this process's own
	entry string
}

func (l loss) begin() error {
	return l.in.ip("neigh replace " + l.entry + " lladdr " + absent + " nud permanent")
}
func (l loss) end() error { return l.in.ip("neigh del " + l.entry) }

// Cut loses the packets from a host or server to another, silently, so that TCP sends them again. On open connections
// what is sent the other way still arrives.
func (n *Network) Cut(from, to string) error {
	l, err := n.way(from, to)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := l.begin(); err != nil {
		return err
	}
	n.lost[l] = true
	return nil
}

// Heal ends all cuts.
func (n *Network) Heal() (err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for l := range n.lost {
		err = errors.Join(err, l.end())
	}
	clear(n.lost)
	return err
}

// way is the entry that leads from a host or server to another.
func (n *Network) way(from, to string) (loss, error) {
	if server := slices.Index(n.servers, from); server >= 0 {
		number, _, err := n.find(to)
		return loss{nil, fmt.Sprintf("%s dev %s", n.address(perHost*(number+1)+1+server), n.device)}, err
	}
	_, sender, err := n.find(from)
	if err != nil {
		return loss{}, err
	}
	if server := n.Address(to); server != "" {
		return loss{sender, server + " dev eth0"}, nil
	}
	number, _, err := n.find(to)
	return loss{sender, n.address(perHost*(number+1)) + " dev eth0"}, err
}

// Close ends the network. Processes that still run at its hosts lose it. More calls do nothing.
func (n *Network) Close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, h := range n.hosts {
		h.space.close()
	}
	n.hosts = nil
	if n.hub != nil {
		n.hub.close()
		n.hub = nil
	}
}
