package ws_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/transport/ws"
)

// echo answers every message with itself.
type echo struct{ conn *ws.Conn }

func (e echo) OnMessage(op ws.Op, payload []byte) {
	_ = e.conn.Send(op, bytes.Clone(payload)) // an error ends the connection, which the test sees
}

// serve starts a server whose connections are handled by what handle returns,
// and gives its ws:// address and the ends of its connections.
func serve(t testing.TB, up *ws.Upgrader, handle func(*ws.Conn) ws.Handler) (string, <-chan ws.Closed) {
	t.Helper()
	ends := make(chan ws.Closed, 1024)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := up.Upgrade(w, r)
		if err != nil {
			return
		}
		go func() { ends <- conn.Serve(handle(conn)) }()
	}))
	ws.Harden(server.Config)
	server.Start()
	t.Cleanup(server.Close)
	return "ws" + strings.TrimPrefix(server.URL, "http"), ends
}

func next[T any](t testing.TB, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(time.Minute):
		t.Fatal("nothing came within a minute")
		panic("unreachable")
	}
}

func dial(t testing.TB, address string, opts *websocket.DialOptions) *websocket.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, _, err := websocket.Dial(ctx, address, opts)
	require.NoError(t, err)
	c.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

func TestAnotherImplementationAgrees(t *testing.T) {
	up := &ws.Upgrader{Subprotocols: []string{"b", "a"}, Conn: ws.DefaultConfig()}
	address, ends := serve(t, up, func(c *ws.Conn) ws.Handler { return echo{c} })
	client := dial(t, address, &websocket.DialOptions{
		Subprotocols:    []string{"a", "b"},
		CompressionMode: websocket.CompressionContextTakeover,
	})
	require.Equal(t, "b", client.Subprotocol(), "the server's preference counts")
	talk(t, client)
	require.Equal(t, ws.Closed{By: ws.ByPeer, Code: ws.CodeNormal, Reason: "done"}, next(t, ends))
}

// Over TLS every frame is copied, because net.Buffers would be many writes.
func TestAnotherImplementationAgreesOverTLS(t *testing.T) {
	conns, ends := make(chan *ws.Conn, 1), make(chan ws.Closed, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := (&ws.Upgrader{Subprotocols: []string{"a"}, Conn: ws.DefaultConfig()}).Upgrade(w, r)
		if err != nil {
			t.Errorf("upgrade: %v", err)
			return
		}
		conns <- conn
		go func() { ends <- conn.Serve(echo{conn}) }()
	}))
	ws.Harden(server.Config)
	server.StartTLS()
	defer server.Close()
	client := dial(t, server.URL, &websocket.DialOptions{Subprotocols: []string{"a"}, HTTPClient: server.Client()})
	conn := next(t, conns)
	require.Equal(t, "a", conn.Subprotocol())
	require.NotEmpty(t, conn.RemoteAddr().String())
	talk(t, client)
	require.Equal(t, ws.ByPeer, next(t, ends).By)
}

// talk exchanges messages of all sizes with an echo server, and closes.
func talk(t *testing.T, client *websocket.Conn) {
	ctx := t.Context()
	for _, size := range []int{0, 1, 125, 126, 511, 512, 513, 1023, 1024, 4096, 16 << 10, 65535, 65536} {
		sent := bytes.Repeat([]byte("x"), size)
		require.NoError(t, client.Write(ctx, websocket.MessageText, sent))
		kind, got, err := client.Read(ctx)
		require.NoError(t, err)
		require.Equal(t, websocket.MessageText, kind)
		require.True(t, bytes.Equal(sent, got), "size %d", size)
	}
	reading := client.CloseRead(ctx)
	require.NoError(t, client.Ping(reading))
	require.NoError(t, client.Close(websocket.StatusNormalClosure, "done"))
}

func TestServerClosesAfterWhatIsQueued(t *testing.T) {
	conns := make(chan *ws.Conn, 1)
	address, ends := serve(t, &ws.Upgrader{Conn: ws.DefaultConfig()}, func(c *ws.Conn) ws.Handler { conns <- c; return echo{c} })
	client := dial(t, address, nil)
	conn := next(t, conns)
	require.NoError(t, conn.Send(ws.OpBinary, []byte("first")))
	require.NoError(t, conn.Send(ws.OpText, []byte("second")))
	conn.Close(4001, "enough")
	require.ErrorIs(t, conn.Send(ws.OpText, []byte("late")), ws.ErrClosed)

	for _, want := range []string{"first", "second"} {
		_, got, err := client.Read(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
	_, _, err := client.Read(t.Context())
	var closed websocket.CloseError
	require.ErrorAs(t, err, &closed)
	require.Equal(t, websocket.CloseError{Code: 4001, Reason: "enough"}, closed)
	require.Equal(t, ws.Closed{By: ws.ByServer, Code: 4001, Reason: "enough"}, next(t, ends))
}
