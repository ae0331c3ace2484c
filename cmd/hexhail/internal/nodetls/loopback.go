package nodetls

import (
	"fmt"
	"net"
	"strings"
)

// PlaintextAllowed returns an error unless all addresses, HOST:PORT, can be reached from this machine
// only. A node without certificates may listen on and advertise no other: anyone who reaches it
// controls it. Names other than localhost count as reachable, because what they resolve to can change.
func PlaintextAllowed(addresses ...string) error {
	for _, a := range addresses {
		host, _, err := net.SplitHostPort(a)
		if err != nil {
			return fmt.Errorf("the address of a node must be HOST:PORT, not %q", a)
		}
		host, _, _ = strings.Cut(host, "%")
		if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
			continue
		}
		return fmt.Errorf("other machines can reach %q, and without certificates any of them could control this node: "+
			"make certificates with `hexhail cluster certs init` and `hexhail cluster certs node NAME`, "+
			"or use an address of this machine alone, such as 127.0.0.1", a)
	}
	return nil
}
