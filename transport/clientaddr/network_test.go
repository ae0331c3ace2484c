package clientaddr

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNetwork(t *testing.T) {
	for _, c := range []struct{ addr, network, text string }{
		{"192.0.2.1", "192.0.2.1/32", "192.0.2.1"},
		{"::ffff:192.0.2.1", "192.0.2.1/32", "192.0.2.1"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1:2::/64"},
		{"fe80::1%eth0", "fe80::/64", "fe80::/64"},
		{"::1", "::/64", "::/64"},
	} {
		require.Equal(t, netip.MustParsePrefix(c.network), Network(netip.MustParseAddr(c.addr)), c.addr)
		require.Equal(t, c.text, NetworkOf(c.addr), c.addr)
	}
	require.False(t, Network(netip.Addr{}).IsValid())
	require.Equal(t, "no address", NetworkOf("no address"))
	require.Len(t, NetworkOf(strings.Repeat("x", 100)), 64)
	require.Empty(t, NetworkOf(""))
}
