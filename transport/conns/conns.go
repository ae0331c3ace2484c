// Package conns bounds the connections of an HTTP server, in all and of one network, so that
// idle connections never take what others need.
package conns

import (
	"container/heap"
	"container/list"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"github.com/hexhail/hexhail/transport/clientaddr"
)

// Config says how many connections there may be.
type Config struct {
	// PerNetwork bounds the connections of one IPv4 address or IPv6 /64; 0: no bound. Connections
	// that have become sockets do not count: those have separate bounds.
	PerNetwork int
	// Trusted are the networks of the operator's own proxies, which PerNetwork does not bound:
	// all clients behind a proxy share its address.
	Trusted []netip.Prefix
	// Total bounds all connections together with what Others returns; 0: no bound.
	Total int
	// Others, if not nil, counts what else uses up the total, such as open sockets.
	Others func() int
}

// Limit bounds connections. Its State is an http.Server's ConnState. Safe for concurrent use.
//
// A connection too many takes the place of the one that has been idle longest, which its client
// opens again when it needs it. Where none is idle, it is closed itself; but when there are too
// many in all, the network that has the most gives one up for one that has fewer, so that slow
// requests from one place do not keep everyone else out.
type Limit struct {
	cfg      Config
	mu       sync.Mutex
	open     map[net.Conn]*conn
	networks map[netip.Prefix]*network
	largest  byOpen     // the networks, the one with the most connections first
	idle     *list.List // of *conn, longest first
	refused  uint64
	evicted  uint64
}

type conn struct {
	net.Conn
	of     *network      // nil: not bounded
	at     *list.Element // in the list of its network
	idle   *list.Element // in the list of all that are idle; nil: busy
	idleOf *list.Element // in that of its network
}

type network struct {
	prefix netip.Prefix
	open   *list.List // of *conn, oldest first
	idle   *list.List // of those that are idle, longest first
	place  int        // in the heap
}

// byOpen is a heap of networks.
type byOpen []*network

func (h byOpen) Len() int           { return len(h) }
func (h byOpen) Less(i, j int) bool { return h[i].open.Len() > h[j].open.Len() }
func (h byOpen) Swap(i, j int)      { h[i], h[j] = h[j], h[i]; h[i].place, h[j].place = i, j }

// Push implements heap.Interface.
func (h *byOpen) Push(n any) { n.(*network).place = len(*h); *h = append(*h, n.(*network)) }

// Pop implements heap.Interface.
func (h *byOpen) Pop() any {
	last := len(*h) - 1
	n := (*h)[last]
	*h = (*h)[:last]
	return n
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
	if n != nil && l.cfg.PerNetwork > 0 && n.open.Len() >= l.cfg.PerNetwork && !l.evict(n.idle) ||
		l.cfg.Total > 0 && len(l.open)+others >= l.cfg.Total && !l.evict(l.idle) && !l.level(n) {
		l.refused++
		_ = c.Close() // the server's next read ends it
		return
	}
	k := &conn{Conn: c, of: n}
	l.open[c] = k
	if n == nil {
		return
	}
	k.at = n.open.PushBack(k)
	if l.networks[n.prefix] == n {
		heap.Fix(&l.largest, n.place)
		return
	}
	l.networks[n.prefix] = n // a new one, or an eviction has emptied it
	heap.Push(&l.largest, n)
}

// evict closes the connection that has been idle longest; false if none is.
func (l *Limit) evict(idle *list.List) bool {
	first := idle.Front()
	if first == nil {
		return false
	}
	l.close(first.Value.(*conn))
	return true
}

// level closes the oldest connection of the network that has the most, if it has more than n
// will have; false if it has not.
func (l *Limit) level(n *network) bool {
	fewer := 0 // the operator's own proxies
	if n != nil {
		fewer = n.open.Len()
	}
	if len(l.largest) == 0 || l.largest[0].open.Len() < fewer+2 {
		return false
	}
	l.close(l.largest[0].open.Front().Value.(*conn))
	return true
}

func (l *Limit) close(k *conn) {
	l.forget(k)
	l.evicted++
	_ = k.Close()
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
	n := k.of
	if n == nil {
		return
	}
	n.open.Remove(k.at)
	if n.open.Len() > 0 {
		heap.Fix(&l.largest, n.place)
		return
	}
	heap.Remove(&l.largest, n.place)
	delete(l.networks, n.prefix)
}

// networkOf is the network that a connection counts with; nil if it is not bounded.
func (l *Limit) networkOf(c net.Conn) *network {
	ap, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return nil // of no network, such as a pipe
	}
	a := clientaddr.Plain(ap.Addr())
	for _, p := range l.cfg.Trusted {
		if p.Contains(a) {
			return nil
		}
	}
	p := clientaddr.Network(a)
	if n := l.networks[p]; n != nil {
		return n
	}
	return &network{prefix: p, open: list.New(), idle: list.New()}
}
