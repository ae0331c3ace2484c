// Package conns bounds the connections of an HTTP server, in all and of one network, so that
// nobody's idle connections take what others need.
package conns

import (
	"container/list"
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// Config says how many connections there may be.
type Config struct {
	// PerNetwork bounds the connections of one IPv4 address or IPv6 /64; 0: no bound. Connections
	// that have become sockets do not count: those have bounds of their own.
	PerNetwork int
	// Trusted are the networks of the operator's own proxies, which have no bound of their own:
	// behind one everybody is one address.
	Trusted []netip.Prefix
	// Total bounds all connections together with what Others returns; 0: no bound.
	Total int
	// Others, if not nil, counts what else uses up the total, such as open sockets.
	Others func() int
}

// Limit bounds connections. Its State is an http.Server's ConnState. Safe for concurrent use.
//
// A connection too many takes the place of the one that has been idle longest, which its client
// opens again when it needs it. Where none is idle, it is closed itself.
type Limit struct {
	cfg      Config
	mu       sync.Mutex
	open     map[net.Conn]*conn
	networks map[netip.Prefix]*network
	idle     *list.List // of *conn, longest first
	refused  uint64
	evicted  uint64
}

type conn struct {
	net.Conn
	of     *network      // nil: not bounded
	idle   *list.Element // in the list of all; nil: busy
	idleOf *list.Element // in that of its network
}

type network struct {
	prefix netip.Prefix
	open   int
	idle   *list.List
}

// New makes a limit.
func New(cfg Config) *Limit {
	return &Limit{cfg: cfg, open: map[net.Conn]*conn{}, networks: map[netip.Prefix]*network{}, idle: list.New()}
}

// State follows a connection of the server.
func (l *Limit) State(c net.Conn, s http.ConnState) {
	others := 0
	if s == http.StateNew && l.cfg.Others != nil {
		others = l.cfg.Others()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch s {
	case http.StateNew:
		l.add(c, others)
	case http.StateActive:
		l.busy(l.open[c])
	case http.StateIdle:
		l.rest(l.open[c])
	case http.StateHijacked, http.StateClosed:
		l.forget(l.open[c])
	}
}

// Counts returns how many connections are open, how many were closed for others while they were
// idle, and how many were refused.
func (l *Limit) Counts() (open int, evicted, refused uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.open), l.evicted, l.refused
}

func (l *Limit) add(c net.Conn, others int) {
	n := l.networkOf(c)
	if n != nil && n.open >= l.cfg.PerNetwork && !l.evict(n.idle) ||
		l.cfg.Total > 0 && len(l.open)+others >= l.cfg.Total && !l.evict(l.idle) {
		l.refused++
		if n != nil && n.open == 0 {
			delete(l.networks, n.prefix)
		}
		_ = c.Close() // the server's next read ends it
		return
	}
	k := &conn{Conn: c, of: n}
	l.open[c] = k
	if n != nil {
		n.open++
		l.networks[n.prefix] = n // an eviction may have emptied it
	}
}

// evict closes the connection that has been idle longest; false if none is.
func (l *Limit) evict(idle *list.List) bool {
	first := idle.Front()
	if first == nil {
		return false
	}
	k := first.Value.(*conn)
	l.forget(k)
	l.evicted++
	_ = k.Close()
	return true
}

func (l *Limit) rest(k *conn) {
	if k == nil || k.idle != nil {
		return
	}
	k.idle = l.idle.PushBack(k)
	if k.of != nil {
		k.idleOf = k.of.idle.PushBack(k)
	}
}

func (l *Limit) busy(k *conn) {
	if k == nil || k.idle == nil {
		return
	}
	l.idle.Remove(k.idle)
	if k.of != nil {
		k.of.idle.Remove(k.idleOf)
	}
	k.idle, k.idleOf = nil, nil
}

// forget no longer counts a connection; nil is one that does not count.
func (l *Limit) forget(k *conn) {
	if k == nil {
		return
	}
	l.busy(k)
	delete(l.open, k.Conn)
	if k.of == nil {
		return
	}
	if k.of.open--; k.of.open == 0 {
		delete(l.networks, k.of.prefix)
	}
}

// networkOf is the network that a connection counts with; nil if it is not bounded.
func (l *Limit) networkOf(c net.Conn) *network {
	if l.cfg.PerNetwork <= 0 {
		return nil
	}
	ap, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return nil // of no network, such as a pipe
	}
	a := ap.Addr().Unmap().WithZone("")
	for _, p := range l.cfg.Trusted {
		if p.Contains(a) {
			return nil
		}
	}
	bits := 64
	if a.Is4() {
		bits = 32
	}
	p, _ := a.Prefix(bits) // cannot fail: the family has so many
	n := l.networks[p]
	if n == nil {
		n = &network{prefix: p, idle: list.New()}
		l.networks[p] = n
	}
	return n
}
