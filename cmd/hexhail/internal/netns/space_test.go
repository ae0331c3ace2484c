package netns

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// Subnets, addresses and routes of any type are taken; those that lead to all addresses are not.
func TestSubnetsOfRoutes(t *testing.T) {
	const routes = `default via 192.0.2.1 dev eth0
0.0.0.0/1 via 192.0.2.1 dev tun0
10.0.0.0/8 dev tun0
10.1.0.0/16 dev tun0 scope link
unreachable 10.2.3.0/24
local 10.4.5.6 dev eth0 table local proto kernel scope host src 10.4.5.6

`
	require.Equal(t, []netip.Prefix{
		netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("10.2.3.0/24"), netip.MustParsePrefix("10.4.5.6/32"),
	}, subnetsIn(routes))
}
