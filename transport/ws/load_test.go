package ws_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/transport/ws"
)

// Messages of all sizes queued together leave in order, whether they were copied
// or referred to.
func TestOneWriteCarriesEverythingInOrder(t *testing.T) {
	var count ws.Counters
	sizes := []int{0, 1, 125, 126, 1023, 1024, 1025, 5, 4096, 65535, 65536, 3, 2000}
	payload := func(i int) string { return strings.Repeat(string(rune('a'+i)), sizes[i]) }
	address, ends := serve(t, &ws.Upgrader{Conn: adjusted(func(c *ws.Config) { c.Observer = &count })}, func(c *ws.Conn) ws.Handler {
		for i := range sizes { // before Serve, so that all of it waits
			if err := c.Send(ws.OpText, []byte(payload(i))); err != nil {
				t.Errorf("send %d: %v", i, err)
			}
		}
		c.Close(ws.CodeNormal, "")
		return &recorder{}
	})
	client := dial(t, address, nil)
	for i := range sizes {
		_, got, err := client.Read(t.Context())
		require.NoError(t, err)
		require.Equal(t, payload(i), string(got))
	}
	_, _, err := client.Read(t.Context())
	require.Equal(t, websocket.StatusNormalClosure, websocket.CloseStatus(err))
	next(t, ends)
	require.EqualValues(t, 1, count.Writes.Load())
	require.EqualValues(t, len(sizes)+1, count.FramesOut.Load())
}

// A client that never reads costs the queue's bound and the kernel's buffers,
// and is gone soon after it exceeds them.
func TestStalledSocketIsBounded(t *testing.T) {
	var count ws.Counters
	conns := make(chan *ws.Conn, 1)
	up := &ws.Upgrader{Conn: adjusted(func(c *ws.Config) {
		c.MaxQueue = 64 << 10
		c.SlowCode = 4001
		c.CloseTimeout = 200 * time.Millisecond
		c.Observer = &count
	})}
	address, ends := serve(t, up, func(c *ws.Conn) ws.Handler { conns <- c; return &recorder{} })
	stalled, err := net.Dial("tcp", strings.TrimPrefix(address, "ws://"))
	require.NoError(t, err)
	defer stalled.Close()
	require.NoError(t, stalled.(*net.TCPConn).SetReadBuffer(16<<10))
	_, err = stalled.Write(request())
	require.NoError(t, err)

	conn := next(t, conns)
	sent, chunk := 0, make([]byte, 4<<10)
	for err == nil {
		if err = conn.Send(ws.OpBinary, chunk); err == nil {
			sent += len(chunk)
		}
	}
	require.ErrorIs(t, err, ws.ErrSlowConsumer)
	require.Less(t, sent, 16<<20)
	end := next(t, ends)
	require.Equal(t, ws.Code(4001), end.Code)
	require.EqualValues(t, 1, count.SlowCloses.Load())
}

// Many senders, one close: nothing is lost before it, nothing comes after it,
// and each sender's messages stay in order.
func TestSendersRaceTheClose(t *testing.T) {
	conns := make(chan *ws.Conn, 1)
	up := &ws.Upgrader{Conn: adjusted(func(c *ws.Config) { c.MaxQueue = 4 << 20 })}
	address, ends := serve(t, up, func(c *ws.Conn) ws.Handler { conns <- c; return &recorder{} })
	client := dial(t, address, nil)
	conn := next(t, conns)

	const senders = 8
	var wg sync.WaitGroup
	accepted := make([]int, senders)
	for s := range senders {
		wg.Go(func() {
			for i := range 2000 {
				if conn.Send(ws.OpText, fmt.Appendf(nil, "%d %d", s, i)) != nil {
					return
				}
				accepted[s]++
				if s == 0 && i == 1000 {
					conn.Close(ws.CodeNormal, "")
				}
			}
		})
	}
	received := make([]int, senders)
	for {
		_, data, err := client.Read(t.Context())
		if err != nil {
			require.Equal(t, websocket.StatusNormalClosure, websocket.CloseStatus(err), "%v", err)
			break
		}
		var s, i int
		_, err = fmt.Sscan(string(data), &s, &i)
		require.NoError(t, err)
		require.Equal(t, received[s], i, "sender %d", s)
		received[s]++
	}
	wg.Wait()
	require.Equal(t, accepted, received)
	require.Equal(t, 1001, received[0])
	require.NoError(t, next(t, ends).Err)
}

// A storm of connections that all talk leaves nothing behind: TestMain looks
// for goroutines.
func TestManyConnections(t *testing.T) {
	var count ws.Counters
	patient := adjusted(func(c *ws.Config) { c.Observer, c.SilenceTimeout, c.WriteTimeout = &count, time.Minute, time.Minute })
	address, ends := serve(t, &ws.Upgrader{Conn: patient}, func(c *ws.Conn) ws.Handler { return echo{c} })
	const clients = 100
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			c, _, err := websocket.Dial(t.Context(), address, &websocket.DialOptions{HTTPClient: http.DefaultClient})
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = c.CloseNow() }()
			for j := range 20 {
				want := fmt.Sprint(i, j)
				if err := c.Write(t.Context(), websocket.MessageText, []byte(want)); err != nil {
					t.Error(err)
					return
				}
				if _, got, err := c.Read(t.Context()); err != nil || string(got) != want {
					t.Errorf("%q, %v; want %q", got, err, want)
					return
				}
			}
			if i%2 == 0 {
				_ = c.Close(websocket.StatusNormalClosure, "")
			}
		})
	}
	wg.Wait()
	for range clients {
		next(t, ends)
	}
	require.Zero(t, count.Open.Load())
	require.EqualValues(t, clients*20, count.MessagesIn.Load())
}
