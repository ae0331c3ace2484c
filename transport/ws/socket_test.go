package ws_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/transport/ws"
)

// request is an opening handshake by hand.
func request(header ...string) []byte {
	lines := append([]string{
		"GET /v1/ws HTTP/1.1", "Host: hexhail.example", "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	}, header...)
	return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n")
}

// rawClient sends the pieces, the first of them together with the handshake if
// eager, and returns what the server said until it closed the stream.
func rawClient(t *testing.T, address string, pieces [][]byte, eager bool) []item {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "ws://"))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	hello := request()
	if eager {
		hello, pieces = append(hello, pieces[0]...), pieces[1:]
	}
	_, err = conn.Write(hello)
	require.NoError(t, err)

	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for _, p := range pieces {
			if _, err := conn.Write(p); err != nil {
				return // the server may hang up as soon as it has seen enough
			}
		}
	}()
	defer func() { <-sent }()

	r := bufio.NewReader(conn)
	answer, err := http.ReadResponse(r, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, answer.StatusCode)
	require.Equal(t, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", answer.Header.Get("Sec-WebSocket-Accept"))
	require.Empty(t, answer.Header.Get("Sec-WebSocket-Extensions"))
	data, err := io.ReadAll(r)
	if err != nil {
		require.True(t, !errors.Is(err, net.ErrClosed) && !isTimeout(err), "%v", err)
	}
	_ = conn.Close() // the server waits for it
	items, code := feed(t, ws.NewAssembler(ws.Rules{FromServer: true}), [][]byte{data})
	require.Zero(t, code, "the server broke the protocol")
	return items
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// The table once more, over a socket: the echo server answers what is good and
// ends what is not with the right code.
func TestSocketTable(t *testing.T) {
	var count ws.Counters
	violations := 0
	up := &ws.Upgrader{Conn: adjusted(func(c *ws.Config) { c.PingInterval = time.Hour; c.Observer = &count })}
	address, ends := serve(t, up, func(c *ws.Conn) ws.Handler { return echo{c} })
	for i, c := range table() {
		stream, want := c.bytes, c.items
		wantCode, by := c.code, ws.ByServer
		if c.code == 0 {
			// A good stream is ended by the client, if the case does not do so itself.
			by, wantCode = ws.ByPeer, ws.CodeNormal
			if n := len(want); n > 0 && want[n-1].Op == ws.OpClose {
				wantCode, _ = ws.ParseClose([]byte(want[n-1].Payload))
				want = want[:n-1]
			} else {
				stream = append(bytes.Clone(stream), frame(closer, closing(1000, ""))...)
			}
		}
		run := func(mode string, pieces [][]byte, eager bool) {
			t.Run(fmt.Sprintf("%d %s/%s", i, c.name, mode), func(t *testing.T) {
				got := rawClient(t, address, pieces, eager)
				require.NotEmpty(t, got)
				end := got[len(got)-1]
				require.Equal(t, ws.OpClose, end.Op)
				code, _ := ws.ParseClose([]byte(end.Payload))
				require.Equal(t, wantCode, code)
				if by == ws.ByServer {
					// What was good before the violation has been answered.
					require.Equal(t, answers(want), sortPongs(got[:len(got)-1]))
				}
				closed := next(t, ends)
				require.Equal(t, by, closed.By)
				require.Equal(t, wantCode, closed.Code)
				var v *ws.Violation
				require.Equal(t, by == ws.ByServer, errors.As(closed.Err, &v))
				if v != nil {
					violations++
					require.Contains(t, v.Error(), closed.Reason)
				}
			})
		}
		run("whole", [][]byte{stream}, false)
		run("with the handshake", [][]byte{stream}, true)
		if len(stream) < 400 {
			run("by 1", cut(stream, 1), false)
		}
	}
	require.EqualValues(t, violations, count.Violations.Load())
	require.Zero(t, count.Open.Load())
}

// answers returns what an echo server says to items: pongs first, because
// control frames overtake messages.
func answers(items []item) []item {
	var said []item
	for _, it := range items {
		switch it.Op {
		case ws.OpPing:
			said = append(said, item{ws.OpPong, it.Payload})
		case ws.OpText, ws.OpBinary:
			said = append(said, it)
		}
	}
	return sortPongs(said)
}

func sortPongs(items []item) []item {
	var pongs, others []item
	for _, it := range items {
		if it.Op == ws.OpPong {
			pongs = append(pongs, it)
		} else {
			others = append(others, it)
		}
	}
	return append(pongs, others...)
}

func TestRefusedHandshakes(t *testing.T) {
	up := &ws.Upgrader{Subprotocols: []string{"hexhail.b", "hexhail.a"}, Origins: []string{"https://app.example.com"}, Conn: ws.DefaultConfig()}
	address, _ := serve(t, up, func(c *ws.Conn) ws.Handler { return echo{c} })
	many := make([]string, ws.MaxHeaders)
	for i := range many {
		many[i] = fmt.Sprintf("X-%d: x", i)
	}
	const offer = "Sec-WebSocket-Protocol: hexhail.a"
	cases := map[string]struct {
		request []byte
		status  int
		body    string
	}{
		"no subprotocol":      {request(), 400, "Sec-WebSocket-Protocol must offer one of: hexhail.b, hexhail.a."},
		"unknown subprotocol": {request("Sec-WebSocket-Protocol: hexhail.c, HEXHAIL.A"), 400, "must offer one of"},
		"good":                {request(offer), 101, ""},
		"several lines":       {request("Sec-WebSocket-Protocol: x", "Sec-WebSocket-Protocol: y , hexhail.a"), 101, ""},
		"allowed origin":      {request(offer, "Origin: https://app.example.com"), 101, ""},
		"same host":           {request(offer, "Origin: https://hexhail.example:443"), 101, ""},
		"same host, plain":    {request(offer, "Origin: http://HEXHAIL.example:80"), 101, ""},
		"foreign origin":      {request(offer, "Origin: https://evil.example"), 403, "origin"},
		"other scheme":        {request(offer, "Origin: http://app.example.com"), 403, "origin"},
		"other port":          {request(offer, "Origin: https://app.example.com:8443"), 403, "origin"},
		"longer host":         {request(offer, "Origin: https://app.example.com.evil.example"), 403, "origin"},
		"null origin":         {request(offer, "Origin: null"), 403, "origin"},
		"two origins":         {request(offer, "Origin: https://app.example.com", "Origin: https://evil.example"), 403, "origin"},
		"too many headers":    {request(append(many, offer)...), 431, "header"},
		"too large a header":  {request(offer, "X: "+strings.Repeat("x", 2*ws.MaxHeaderBytes)), 431, ""},
		"old version":         {bytes.Replace(request(offer), []byte("Version: 13"), []byte("Version: 8"), 1), 426, ""},
		"no key":              {bytes.Replace(request(offer), []byte("Sec-WebSocket-Key"), []byte("X-Key"), 1), 400, ""},
		"not an upgrade":      {bytes.Replace(request(offer), []byte("Upgrade: websocket"), []byte("X: y"), 1), 400, ""},
		"POST":                {bytes.Replace(request(offer), []byte("GET"), []byte("POST"), 1), 405, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", strings.TrimPrefix(address, "ws://"))
			require.NoError(t, err)
			defer conn.Close()
			require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
			_, err = conn.Write(c.request)
			require.NoError(t, err)
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			defer answer.Body.Close()
			require.Equal(t, c.status, answer.StatusCode)
			if c.status == http.StatusSwitchingProtocols {
				require.Equal(t, "hexhail.a", answer.Header.Get("Sec-WebSocket-Protocol"))
				return
			}
			body, err := io.ReadAll(answer.Body)
			require.NoError(t, err)
			require.Contains(t, string(body), c.body)
		})
	}
}

func TestHandshakeHasADeadline(t *testing.T) {
	server := &http.Server{ReadHeaderTimeout: 50 * time.Millisecond, Handler: http.NotFoundHandler()}
	ws.Harden(server)
	require.Equal(t, 50*time.Millisecond, server.ReadHeaderTimeout, "what was set stays")
	require.NotZero(t, server.MaxHeaderBytes)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() { require.NoError(t, server.Close()); <-served })

	conn, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write(request()[:40])
	require.NoError(t, err)
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	_, err = io.ReadAll(conn)
	require.False(t, isTimeout(err), "the server kept an unfinished handshake")

	fresh := new(http.Server)
	ws.Harden(fresh)
	require.Equal(t, ws.HandshakeTimeout, fresh.ReadHeaderTimeout)
}
