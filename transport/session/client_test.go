package session

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	gobwas "github.com/gobwas/ws"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// client is a WebSocket client that reads whatever comes and answers pings.
type client struct {
	t     *testing.T
	conn  net.Conn
	codec wire.Codec
	in    chan gobwas.Frame
	mu    sync.Mutex    // of writing
	mute  atomic.Bool   // answer no pings
	idle  atomic.Bool   // read nothing
	over  chan struct{} // the test is
}

func newClient(t *testing.T, conn net.Conn, from io.Reader, codec wire.Codec) *client {
	c := &client{t: t, conn: conn, codec: codec, in: make(chan gobwas.Frame, 4096), over: make(chan struct{})}
	pumped := make(chan struct{})
	go func() {
		defer close(pumped)
		defer close(c.in)
		c.pump(bufio.NewReader(from))
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		close(c.over)
		<-pumped
	})
	return c
}

func (c *client) pump(from io.Reader) {
	for {
		if c.idle.Load() {
			<-c.over
			return
		}
		f, err := readFrame(from)
		switch {
		case err != nil:
			return
		case f.Header.OpCode != gobwas.OpPing:
			c.in <- f
		case !c.mute.Load():
			c.write(gobwas.NewPongFrame(f.Payload))
		}
		if f.Header.OpCode == gobwas.OpClose {
			c.write(gobwas.NewCloseFrame(f.Payload))
			return
		}
	}
}

// stall stops reading after the next frame.
func (c *client) stall() { c.idle.Store(true) }

func (c *client) write(f gobwas.Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = gobwas.WriteFrame(c.conn, gobwas.MaskFrame(f)) // a failure shows in what is read
}

// send sends a frame in the client's encoding, raw anything.
func (c *client) send(f *ridepb.ClientFrame) {
	c.t.Helper()
	data, err := c.codec.EncodeClient(f)
	require.NoError(c.t, err)
	c.raw(c.op(), data)
}

func (c *client) op() gobwas.OpCode {
	if c.codec.Binary() {
		return gobwas.OpBinary
	}
	return gobwas.OpText
}

func (c *client) raw(op gobwas.OpCode, payload []byte) {
	c.write(gobwas.NewFrame(op, true, append([]byte(nil), payload...)))
}

// next returns the next frame, which must not be the end.
func (c *client) next() *ridepb.ServerFrame {
	c.t.Helper()
	f, ok := nextOf(c.t, c.in)
	require.True(c.t, ok, "the stream ended")
	require.Equal(c.t, c.op(), f.Header.OpCode, "%q", f.Payload)
	frame, err := c.codec.DecodeServer(f.Payload)
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
	c.cut(gobwas.StatusCode(code), code.Reason())
	return e
}

// cut expects a close frame and nothing after it.
func (c *client) cut(code gobwas.StatusCode, reason string) {
	c.t.Helper()
	f, ok := nextOf(c.t, c.in)
	require.True(c.t, ok, "the stream ended without a close frame")
	require.Equal(c.t, gobwas.OpClose, f.Header.OpCode, "%q", f.Payload)
	gotCode, gotReason := gobwas.ParseCloseFrameData(f.Payload)
	require.Equal(c.t, code, gotCode, gotReason)
	require.Equal(c.t, reason, gotReason)
	_, ok = nextOf(c.t, c.in)
	require.False(c.t, ok)
}

// readFrame reads one frame of a server that is not expected to be hostile.
func readFrame(from io.Reader) (gobwas.Frame, error) {
	header, err := gobwas.ReadHeader(from)
	if err != nil {
		return gobwas.Frame{}, err
	}
	if header.Length > wire.MaxServerBytes {
		return gobwas.Frame{}, fmt.Errorf("a frame of %d bytes", header.Length)
	}
	f := gobwas.Frame{Header: header, Payload: make([]byte, header.Length)}
	_, err = io.ReadFull(from, f.Payload)
	return f, err
}
