// Package clientaddr finds the address of the client behind a request, for rate limits
// and logs, when proxies stand between.
package clientaddr

import (
	"net/http"
	"net/netip"
	"strings"
)

// Finder finds client addresses. The zero Finder trusts no proxy and takes the
// connection's address. Safe for concurrent use.
type Finder struct {
	// Trusted are the networks of the operator's own proxies. Only they may say, by
	// X-Forwarded-For, for whom they ask.
	Trusted []netip.Prefix
	// Untrusted, if not nil, is called with the address of each untrusted connection that names
	// a client: a proxy missing from Trusted, or an attacker.
	Untrusted func(peer netip.Addr)
}

// maxHops bounds how much of an X-Forwarded-For is read.
const maxHops = 16

// Of returns the address of the client, without port: the last address of the chain
// that is not a trusted proxy's. It is empty only for a request that came by no
// network.
func (f Finder) Of(r *http.Request) string {
	peer, ok := parse(r.RemoteAddr)
	if !ok {
		return ""
	}
	if f.Untrusted != nil && len(r.Header.Values("X-Forwarded-For")) > 0 && !f.trusts(peer) {
		f.Untrusted(peer)
	}
	chain := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for n := 0; n < maxHops && f.trusts(peer) && len(chain) > 0; n++ {
		next, ok := parse(strings.TrimSpace(chain[len(chain)-1]))
		if !ok {
			break
		}
		peer, chain = next, chain[:len(chain)-1]
	}
	return peer.String()
}

func (f Finder) trusts(a netip.Addr) bool {
	for _, p := range f.Trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func parse(s string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return Plain(ap.Addr()), true
	}
	a, err := netip.ParseAddr(s)
	return Plain(a), err == nil
}
