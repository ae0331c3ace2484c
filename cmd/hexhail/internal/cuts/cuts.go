// Package cuts is a network between named hosts on one machine, made of TCP proxies: what flows from one
// host to another can be lost or delayed. It needs no rights that an ordinary user lacks.
package cuts

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// Network is a network between named hosts that can lose what flows from one to another, as a switch that has failed
// or a firewall that drops packets does: nothing is reset, nothing arrives, new connections do not open, and once healed,
// what waited goes on. It can also be slow. Its methods may be called from any goroutine.
type Network struct {
	done chan struct{} // closed by Close
	once sync.Once
	all  sync.WaitGroup

	mu      sync.Mutex
	changed chan struct{} // closed and replaced by each change
	cut     map[direction]bool
	slow    map[direction]time.Duration
	conns   map[*flow]struct{}
}

// direction is from one host to another.
type direction struct{ from, to string }

// flow is one connection through a Network.
type flow struct {
	client, server string // hosts
	dead           bool   // nothing passes any more, ever
	near, far      net.Conn
}

// New returns a network without cuts. The caller must close it.
func New() *Network {
	return &Network{
		done: make(chan struct{}), changed: make(chan struct{}),
		cut: make(map[direction]bool), slow: make(map[direction]time.Duration), conns: make(map[*flow]struct{}),
	}
}

// Close ends all connections and listeners and waits for them. Further calls do nothing.
func (n *Network) Close() {
	n.once.Do(func() {
		close(n.done)
		n.mu.Lock()
		for f := range n.conns {
			f.close()
		}
		n.mu.Unlock()
	})
	n.all.Wait()
}

// Lead opens a loopback address that leads to a host, which dial reaches, and returns it as host:port.
// from names the host at the other end of a connection; empty: the connection is refused. It must not
// be called after Close.
func (n *Network) Lead(to string, dial func() (net.Conn, error), from func(client net.Conn) string) (address string, err error) {
	return n.LeadAt("127.0.0.1", to, dial, from)
}

// LeadAt is Lead for another address of this machine.
func (n *Network) LeadAt(host, to string, dial func() (net.Conn, error), from func(client net.Conn) string) (address string, err error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", fmt.Errorf("proxy before %s: %w", to, err)
	}
	n.all.Go(func() {
		<-n.done
		_ = l.Close()
	})
	n.all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			n.all.Go(func() { n.open(client, from(client), to, dial) })
		}
	})
	return l.Addr().String(), nil
}

// Cut loses what flows from one host to another.
func (n *Network) Cut(from, to string) {
	n.change(func() { n.cut[direction{from, to}] = true })
}

// Part cuts both ways between a host and others.
func (n *Network) Part(host string, others ...string) {
	for _, o := range others {
		n.Cut(host, o)
		n.Cut(o, host)
	}
}

// Slow delays what flows from one host to another. What is on the way keeps its order.
func (n *Network) Slow(from, to string, by time.Duration) {
	n.change(func() { n.slow[direction{from, to}] = by })
}

// Heal ends all cuts and delays.
func (n *Network) Heal() {
	n.change(func() {
		clear(n.cut)
		clear(n.slow)
	})
}

// Abandon loses all that flows on a host's open connections for good, without an end: what others see of a machine
// that loses its power. New connections are not concerned.
func (n *Network) Abandon(host string) {
	n.change(func() {
		for f := range n.conns {
			f.dead = f.dead || f.client == host || f.server == host
		}
	})
}

func (n *Network) change(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
	close(n.changed)
	n.changed = make(chan struct{})
}

// closed reports whether Close has begun. Asked under mu, false means that Close will still see what is in conns.
func (n *Network) closed() bool {
	select {
	case <-n.done:
		return true
	default:
		return false
	}
}

// open serves a new connection. As with TCP, it opens only while both ways are open.
func (n *Network) open(near net.Conn, from, to string, dial func() (net.Conn, error)) {
	f := &flow{client: from, server: to, near: near}
	n.mu.Lock()
	n.conns[f] = struct{}{}
	closed := n.closed()
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		delete(n.conns, f)
		n.mu.Unlock()
		f.close()
	}()
	if closed || from == "" || !n.pass(f, direction{from, to}) || !n.pass(f, direction{to, from}) {
		return
	}
	far, err := dial()
	if err != nil {
		return
	}
	n.mu.Lock()
	f.far = far
	closed = n.closed()
	n.mu.Unlock()
	if closed {
		return
	}
	var ways sync.WaitGroup
	ways.Go(func() { n.forward(f, far, near, direction{from, to}) })
	ways.Go(func() { n.forward(f, near, far, direction{to, from}) })
	ways.Wait()
}

// The buffers of one way of a connection: reads of at most readBytes, onTheWay of them.
const (
	readBytes = 16 << 10
	onTheWay  = 64
)

// chunk is what one read has brought.
type chunk struct {
	at   time.Time
	data []byte // nil: the way has ended
}

// forward copies one way until an end arrives.
func (n *Network) forward(f *flow, dst, src net.Conn, way direction) {
	chunks := make(chan chunk, onTheWay)
	gone := make(chan struct{}) // the writer has given up
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(chunks)
		for buf := make([]byte, readBytes); ; {
			got, err := src.Read(buf)
			if got > 0 {
				select {
				case chunks <- chunk{time.Now(), append([]byte(nil), buf[:got]...)}:
				case <-gone:
					return
				}
			}
			if err != nil {
				return
			}
		}
	})
	defer reader.Wait()
	defer close(gone)
	for c := range chunks {
		if !n.arrive(f, way, c.at) {
			_ = src.Close()
			return
		}
		if _, err := dst.Write(c.data); err != nil {
			_ = src.Close()
			return
		}
	}
	if n.arrive(f, way, time.Now()) {
		_ = dst.Close()
	}
}

// arrive waits until what was sent at a moment arrives; false: the network has ended.
func (n *Network) arrive(f *flow, way direction, sent time.Time) bool {
	n.mu.Lock()
	by := n.slow[way]
	n.mu.Unlock()
	if late := time.Until(sent.Add(by)); by > 0 && late > 0 {
		t := time.NewTimer(late)
		defer t.Stop()
		select {
		case <-t.C:
		case <-n.done:
			return false
		}
	}
	return n.pass(f, way)
}

// pass waits until a way is open; false: the network has ended.
func (n *Network) pass(f *flow, way direction) bool {
	for {
		n.mu.Lock()
		open, changed := !f.dead && !n.cut[way], n.changed
		n.mu.Unlock()
		if open {
			return true
		}
		select {
		case <-changed:
		case <-n.done:
			return false
		}
	}
}

func (f *flow) close() {
	_ = f.near.Close()
	if f.far != nil {
		_ = f.far.Close()
	}
}
