package clientaddr

import "net/netip"

// Plain is an address without what two addresses of one host can differ in: an IPv4 address
// within IPv6 is IPv4, and there is no zone.
func Plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// Network is the part of an address that stands for one subscriber, by which every bound
// counts: an IPv4 address whole, IPv6 by its first 64 bits. It is invalid if a is.
func Network(a netip.Addr) netip.Prefix {
	a = Plain(a)
	p, _ := a.Prefix(min(64, a.BitLen())) // fails only for an invalid address
	return p
}

// NetworkOf is Network for an address in text: an IPv4 address, or an IPv6 network such as
// 2001:db8::/64. What is not an address stands for itself, cut to 64 bytes. Hashes of known
// places are made of it, so its form must not change.
func NetworkOf(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address[:min(len(address), 64)]
	}
	p := Network(a)
	if p.Addr().Is4() {
		return p.Addr().String()
	}
	return p.String()
}
