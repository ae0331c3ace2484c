package pgtest

import (
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Slow stands in front of a server and lets each of its answers wait.
type Slow struct {
	// URL leads through it.
	URL string

	delay atomic.Int64 // ns
}

// NewSlow starts one in front of a server at a URL, which ends with the test. It delays
// nothing until SetDelay.
func NewSlow(tb testing.TB, base string) *Slow {
	tb.Helper()
	conf, err := pgx.ParseConfig(base)
	if err != nil {
		tb.Fatalf("read URL: %v", err)
	}
	network, address := pgconn.NetworkAddress(conf.Host, conf.Port)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("slow proxy: %v", err)
	}
	u, err := url.Parse(base)
	if err != nil {
		tb.Fatalf("read URL: %v", err)
	}
	q := u.Query()
	q.Del("host")
	u.Host, u.RawQuery = l.Addr().String(), q.Encode()
	s := &Slow{URL: u.String()}
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	var running sync.WaitGroup
	keep := func(c net.Conn) { mu.Lock(); defer mu.Unlock(); open[c] = true }
	running.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				_ = client.Close()
				continue
			}
			keep(client)
			keep(server)
			running.Go(func() { s.forward(server, client, false) })
			running.Go(func() { s.forward(client, server, true) })
		}
	})
	tb.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return s
}

// SetDelay is how long every answer waits from now on: one round trip takes so much longer.
func (s *Slow) SetDelay(d time.Duration) { s.delay.Store(int64(d)) }

func (s *Slow) forward(to, from net.Conn, late bool) {
	defer func() { _ = from.Close(); _ = to.Close() }()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if late {
			time.Sleep(time.Duration(s.delay.Load()))
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}
