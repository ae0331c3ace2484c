package harness

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// Proxy forwards TCP between clients and a server, or several in turn. It can lose everything, like a
// radio out of reach (no end of stream, no reset, no bytes), or cut all connections at once, like a
// router that restarts.
type Proxy struct {
	// Server is the (first) server as clients reach it through the proxy.
	Server *Server

	behind atomic.Pointer[[]string] // addresses of the servers
	turn   int                      // of the next connection; for one goroutine
	lost   atomic.Bool
	conns  sync.Map // net.Conn → struct{}
}

// NewProxy starts a proxy, which ends with the test.
func NewProxy(tb testing.TB, s ...*Server) *Proxy {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	through := *s[0]
	p := &Proxy{Server: &through}
	p.Lead(s...)
	through.HTTP = "http://" + l.Addr().String()
	through.WS = "ws://" + l.Addr().String() + "/v1/ws"
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := p.dial()
			if err != nil {
				_ = client.Close()
				continue
			}
			p.conns.Store(client, struct{}{})
			p.conns.Store(server, struct{}{})
			running.Go(func() { p.forward(client, server) })
			running.Go(func() { p.forward(server, client) })
		}
	})
	tb.Cleanup(func() {
		_ = l.Close()
		p.Cut()
		running.Wait()
	})
	return p
}

// Lead sends further connections to these servers in turn, such as the next one on the same data. A
// server that accepts none is passed over.
func (p *Proxy) Lead(s ...*Server) {
	behind := make([]string, len(s))
	for i, one := range s {
		behind[i] = strings.TrimPrefix(one.HTTP, "http://")
	}
	p.behind.Store(&behind)
}

// dial connects to the server whose turn it is, or else to the next one that accepts.
func (p *Proxy) dial() (conn net.Conn, err error) {
	behind := *p.behind.Load()
	for range behind {
		p.turn++
		if conn, err = net.Dial("tcp", behind[p.turn%len(behind)]); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// Cut closes every open connection, on both sides, and returns the number of clients.
func (p *Proxy) Cut() (clients int) {
	n := 0
	p.conns.Range(func(c, _ any) bool {
		n++
		_ = c.(net.Conn).Close()
		return true
	})
	return n / 2
}

// Lose drops every further byte, in both directions.
func (p *Proxy) Lose() { p.lost.Store(true) }

func (p *Proxy) forward(to, from net.Conn) {
	defer func() {
		p.conns.Delete(from)
		_ = from.Close() // it has ended
	}()
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		if p.lost.Load() {
			if err != nil {
				return // the other side must not notice
			}
			continue
		}
		if n > 0 {
			if _, werr := to.Write(buf[:n]); werr != nil {
				return
			}
		}
		if err != nil {
			_ = to.Close()
			return
		}
	}
}
