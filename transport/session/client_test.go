package session

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/transport/ws"
)

// message is a data frame or a close frame of the server.
type message struct {
	op      ws.Op
	payload []byte
}

// client is a WebSocket client that reads whatever comes and answers pings.
type client struct {
	t     *testing.T
	conn  net.Conn
	codec wire.Codec
	in    chan message
	mu    sync.Mutex    // of writing
	mute  atomic.Bool   // answer no pings
	idle  atomic.Bool   // read nothing
	over  chan struct{} // the test is
}

func newClient(t *testing.T, conn net.Conn, from io.Reader, codec wire.Codec) *client {
	c := &client{t: t, conn: conn, codec: codec, in: make(chan message, 4096), over: make(chan struct{})}
	pumped := make(chan struct{})
	go func() {
		defer close(pumped)
		defer close(c.in)
		c.pump(from)
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		close(c.over)
		<-pumped
	})
	return c
}

func (c *client) pump(from io.Reader) {
	frames := ws.NewAssembler(ws.Rules{MaxFrame: wire.MaxServerBytes, MaxMessage: wire.MaxServerBytes, FromServer: true})
	buf := make([]byte, 4096)
	for {
		if c.idle.Load() {
			<-c.over
			return
		}
		n, err := from.Read(buf)
		for rest := buf[:n]; len(rest) > 0; {
			var it ws.Item
			var bad error
			if rest, it, bad = frames.Feed(rest); bad != nil || !c.take(it) {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// take keeps what the server sent and answers control frames. It returns false
// after a close frame.
func (c *client) take(it ws.Item) bool {
	switch it.Op {
	case ws.OpText, ws.OpBinary, ws.OpClose:
		c.in <- message{it.Op, bytes.Clone(it.Payload)}
	case ws.OpPing:
		if !c.mute.Load() {
			c.raw(ws.OpPong, it.Payload)
		}
	}
	if it.Op == ws.OpClose {
		c.raw(ws.OpClose, it.Payload)
		return false
	}
	return true
}

// stall stops reading after the next frame.
func (c *client) stall() { c.idle.Store(true) }

// send sends a frame in the client's encoding, raw anything.
func (c *client) send(f *ridepb.ClientFrame) {
	c.t.Helper()
	data, err := c.codec.EncodeClient(f)
	require.NoError(c.t, err)
	c.raw(c.op(), data)
}

func (c *client) op() ws.Op {
	if c.codec.Binary() {
		return ws.OpBinary
	}
	return ws.OpText
}

func (c *client) raw(op ws.Op, payload []byte) { c.write(masked(op, payload)) }

// write sends bytes. A failure shows in what is read.
func (c *client) write(data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = c.conn.Write(data)
}

// close sends a close frame.
func (c *client) close(code ws.Code, reason string) {
	c.raw(ws.OpClose, append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...))
}

// masked compiles a frame of a client.
func masked(op ws.Op, payload []byte) []byte {
	key := [4]byte{0xca, 0xfe, 0xf0, 0x0d}
	out := []byte{0x80 | byte(op)}
	switch n := len(payload); {
	case n < 126:
		out = append(out, 0x80|byte(n))
	case n <= 0xffff:
		out = binary.BigEndian.AppendUint16(append(out, 0x80|126), uint16(n))
	default:
		out = binary.BigEndian.AppendUint64(append(out, 0x80|127), uint64(n))
	}
	out = append(out, key[:]...)
	for i, b := range payload {
		out = append(out, b^key[i&3])
	}
	return out
}

// next returns the next frame, which must not be the end.
func (c *client) next() *ridepb.ServerFrame {
	c.t.Helper()
	f, ok := nextOf(c.t, c.in)
	require.True(c.t, ok, "the stream ended")
	require.Equal(c.t, c.op(), f.op, "%q", f.payload)
	frame, err := c.codec.DecodeServer(f.payload)
	require.NoError(c.t, err)
	return frame
}

func (c *client) reply(id string) *ridepb.Reply {
	c.t.Helper()
	frame := c.next()
	require.NotNil(c.t, frame.GetReply(), "%v", frame)
	require.Equal(c.t, id, frame.GetReply().GetId(), "%v", frame)
	return frame.GetReply()
}

// refused expects an error reply of that kind.
func (c *client) refused(id string, want *ride.Error, field string) *ridepb.Error {
	c.t.Helper()
	r := c.reply(id)
	e := r.GetError()
	require.NotNil(c.t, e, "%v", r)
	require.Equal(c.t, want.Code, e.GetCode(), "%v", e)
	require.Equal(c.t, field, e.GetField(), "%v", e)
	require.Equal(c.t, want.Retryable, e.GetRetryable())
	require.NotEmpty(c.t, e.GetMessage())
	return e
}

// closed expects the disconnecting event and the close frame.
func (c *client) closed(code ridepb.CloseCode) *ridepb.Event {
	c.t.Helper()
	e := c.next().GetEvent()
	require.NotNil(c.t, e.GetDisconnecting(), "%v", e)
	require.Equal(c.t, uint32(code), e.GetDisconnecting().GetCloseCode(), "%v", e)
	require.Equal(c.t, code.Reason(), e.GetDisconnecting().GetReason())
	c.cut(ws.Code(code), code.Reason())
	return e
}

// cut expects a close frame and nothing after it.
func (c *client) cut(code ws.Code, reason string) {
	c.t.Helper()
	f, ok := nextOf(c.t, c.in)
	require.True(c.t, ok, "the stream ended without a close frame")
	require.Equal(c.t, ws.OpClose, f.op, "%q", f.payload)
	gotCode, gotReason := ws.ParseClose(f.payload)
	require.Equal(c.t, code, gotCode, gotReason)
	require.Equal(c.t, reason, gotReason)
	_, ok = nextOf(c.t, c.in)
	require.False(c.t, ok)
}
