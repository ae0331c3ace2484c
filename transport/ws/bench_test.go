package ws_test

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/transport/ws"
)

// location is about as long as a driver's position is in JSON.
var location = strings.Repeat("x", 160)

func BenchmarkAssembler(b *testing.B) {
	for name, stream := range map[string][]byte{
		"small":      frame(text, location),
		"fragmented": join(frame(text0, location[:80]), frame(last, location[80:])),
		"16KiB":      frame(bin, strings.Repeat("x", 16<<10)),
	} {
		b.Run(name, func(b *testing.B) {
			a := ws.NewAssembler(ws.Rules{})
			buf := make([]byte, len(stream))
			b.ReportAllocs()
			b.SetBytes(int64(len(stream)))
			for b.Loop() {
				copy(buf, stream)
				for rest := buf; len(rest) > 0; {
					next, _, err := a.Feed(rest)
					if err != nil {
						b.Fatal(err)
					}
					rest = next
				}
			}
		})
	}
}

// pair is a served connection over loopback, and the peer's end of it.
func pair(b *testing.B, cfg ws.Config, h ws.Handler) (*ws.Conn, net.Conn) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer listener.Close()
	peer, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(b, err)
	near, err := listener.Accept()
	require.NoError(b, err)
	conn := ws.NewConn(near, cfg)
	done := make(chan struct{})
	go func() { defer close(done); conn.Serve(h) }()
	b.Cleanup(func() {
		conn.Abort()
		<-done
		_ = peer.Close()
	})
	return conn, peer
}

// BenchmarkSend floods one reader and reports how many frames share a write.
func BenchmarkSend(b *testing.B) {
	var count ws.Counters
	conn, peer := pair(b, adjusted(func(c *ws.Config) { c.Observer = &count }), &recorder{})
	go func() { _, _ = io.Copy(io.Discard, peer) }()
	payload := []byte(location)
	b.ReportAllocs()
	for b.Loop() {
		for conn.Queued() > 128<<10 {
			runtime.Gosched() // as fast as the reader, not faster
		}
		if err := conn.Send(ws.OpText, payload); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(count.FramesOut.Load())/float64(max(1, count.Writes.Load())), "frames/write")
}

// BenchmarkSendOne waits for each frame, so that nothing can be coalesced.
func BenchmarkSendOne(b *testing.B) {
	conn, peer := pair(b, ws.DefaultConfig(), &recorder{})
	payload := []byte(location)
	buf := make([]byte, 4+len(payload))
	b.ReportAllocs()
	for b.Loop() {
		if err := conn.Send(ws.OpText, payload); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(peer, buf); err != nil {
			b.Fatal(err)
		}
	}
}

type counted struct{ wg sync.WaitGroup }

func (c *counted) OnMessage(ws.Op, []byte) { c.wg.Done() }

// BenchmarkReceive measures a small message from the peer's write to the handler.
func BenchmarkReceive(b *testing.B) {
	h := new(counted)
	_, peer := pair(b, ws.DefaultConfig(), h)
	message := frame(text, location)
	b.ReportAllocs()
	for b.Loop() {
		h.wg.Add(1)
		if _, err := peer.Write(message); err != nil {
			b.Fatal(err)
		}
		h.wg.Wait()
	}
}

// BenchmarkIdle reports what a connection costs that has spoken and is silent
// now: the heap and the stacks of its two goroutines, without the kernel's part.
func BenchmarkIdle(b *testing.B) {
	const conns = 5000
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer listener.Close()
	for b.Loop() {
		var wg sync.WaitGroup
		peers := make([]net.Conn, conns)
		served := make([]*ws.Conn, conns)
		heap0, stacks0 := memory()
		for i := range conns {
			far, err := net.Dial("tcp", listener.Addr().String())
			require.NoError(b, err)
			near, err := listener.Accept()
			require.NoError(b, err)
			peers[i] = far
			conn := ws.NewConn(near, adjusted(func(c *ws.Config) { c.PingInterval = time.Hour; c.SilenceTimeout = time.Hour }))
			served[i] = conn
			wg.Add(1)
			go func() { defer wg.Done(); conn.Serve(echo{conn}) }()
		}
		message, buf := frame(text, location), make([]byte, 4+len(location))
		for _, peer := range peers {
			_, err := peer.Write(message)
			require.NoError(b, err)
			_, err = io.ReadFull(peer, buf)
			require.NoError(b, err)
			require.True(b, bytes.HasSuffix(buf, []byte(location)))
		}
		heap, stacks := memory()
		b.ReportMetric(float64(heap-heap0)/conns, "heap-B/conn")
		b.ReportMetric(float64(stacks-stacks0)/conns, "stack-B/conn")
		for _, conn := range served {
			conn.Abort()
		}
		wg.Wait()
		for _, peer := range peers {
			_ = peer.Close()
		}
	}
}

// memory returns the bytes in use by the heap and by stacks, pools emptied.
func memory() (heap, stacks int64) {
	var m runtime.MemStats
	for range 3 { // a sync.Pool survives one collection
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), int64(m.StackInuse)
}
