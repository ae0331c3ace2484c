package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"

	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// The limits of one socket.
const (
	dialTimeout  = 10 * time.Second
	firstTimeout = 15 * time.Second // for the answer to connect
	writeTimeout = 10 * time.Second
	leaveTimeout = time.Second // for the answer to our close frame
	readBuffer   = 1 << 10

	usualHeartbeat = 5 * time.Second // until the server says its own
	maxControl     = 125
)

var errTooBig = errors.New("a message from the server is too big")

// conn is one socket. One goroutine reads; any may write.
type conn struct {
	net   net.Conn
	br    *bufio.Reader
	codec wire.Codec
	hello string // id of the connect message
	node  int    // index of the URL
	left  bool   // by a Move; guarded by the client's mutex
	older bool   // likewise, and its frames do not count; guarded by the client's turn

	// Owned by the reader goroutine.
	head       [ws.MaxHeaderSize]byte
	message    []byte
	code       int // of the server's close frame
	announced  int // close code of the disconnecting event
	retryAfter time.Duration
	heartbeat  time.Duration

	leaving atomic.Bool

	wmu    sync.Mutex
	out    []byte
	closed bool
}

// dial opens a socket and agrees on the encoding.
func dial(ctx context.Context, url string, codec wire.Codec) (*conn, Down) {
	down := Down{}
	d := ws.Dialer{
		Timeout: dialTimeout, Protocols: []string{codec.Subprotocol()}, ReadBufferSize: 1 << 10, WriteBufferSize: 1 << 10,
		OnStatusError: func(status int, _ []byte, r io.Reader) { down.Code, down.RetryAfter = status, retryAfter(r) },
	}
	c, br, shake, err := d.Dial(ctx, url)
	if err != nil {
		down.Err = err
		down.Final = down.Code >= 400 && down.Code < 500 && down.Code != http.StatusTooManyRequests
		return nil, down
	}
	if shake.Protocol != codec.Subprotocol() {
		_ = c.Close() // useless now
		return nil, Down{Err: fmt.Errorf("the server uses %q", shake.Protocol), Final: true}
	}
	if br == nil {
		br = bufio.NewReaderSize(c, readBuffer)
	}
	return &conn{net: c, br: br, codec: codec, heartbeat: usualHeartbeat}, Down{}
}

// retryAfter reads the header of a refused handshake.
func retryAfter(r io.Reader) time.Duration {
	resp, err := http.ReadResponse(bufio.NewReader(r), nil)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close() // the body is not read
	s, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || s < 0 || s > 3600 {
		return 0
	}
	return time.Duration(s) * time.Second
}

// awaitFirst waits until the server has sent something.
func (c *conn) awaitFirst(ctx context.Context) error {
	stop := context.AfterFunc(ctx, c.cut)
	defer stop()
	c.patience(firstTimeout)
	_, err := c.br.Peek(1)
	return err
}

// patience bounds how long the next read may take.
func (c *conn) patience(d time.Duration) {
	if c.leaving.Load() {
		d = min(d, leaveTimeout)
	}
	_ = c.net.SetReadDeadline(time.Now().Add(d))
}

// read returns the next message, valid until the next call. It answers pings and the
// close frame; an error ends the socket.
func (c *conn) read() ([]byte, error) {
	c.message = c.message[:0]
	for {
		h, err := ws.ReadHeaderBuffer(c.br, c.head[:ws.MaxHeaderSize-2])
		if err != nil {
			return nil, err
		}
		switch {
		case h.Masked || h.Rsv != 0:
			return nil, fmt.Errorf("%w: it is masked or has reserved bits", errForeign)
		case h.OpCode.IsControl():
			if err := c.control(h); err != nil {
				return nil, err
			}
			continue
		case h.Length+int64(len(c.message)) > wire.MaxServerBytes:
			return nil, errTooBig
		}
		n := len(c.message)
		c.message = append(c.message, make([]byte, h.Length)...)
		if _, err := io.ReadFull(c.br, c.message[n:]); err != nil {
			return nil, err
		}
		if h.Fin {
			return c.message, nil
		}
	}
}

// control handles a ping, a pong or a close frame.
func (c *conn) control(h ws.Header) error {
	if h.Length > maxControl || !h.Fin {
		return fmt.Errorf("%w: a control frame is too long", errForeign)
	}
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(c.br, payload); err != nil {
		return err
	}
	switch h.OpCode {
	case ws.OpPing:
		// A server that pings is alive, even if it sends nothing else.
		c.patience(firstTimeout)
		return c.write(ws.OpPong, func(b []byte) ([]byte, error) { return append(b, payload...), nil })
	case ws.OpClose:
		code, reason := ws.ParseCloseFrameData(payload)
		c.code = int(code)
		_ = c.write(ws.OpClose, func(b []byte) ([]byte, error) { return append(b, payload[:min(2, len(payload))]...), nil })
		return fmt.Errorf("closed with %d %s: %w", code, reason, io.EOF)
	}
	return nil
}

func (c *conn) send(f *ridepb.ClientFrame) error {
	op := ws.OpText
	if c.codec.Binary() {
		op = ws.OpBinary
	}
	return c.write(op, func(b []byte) ([]byte, error) { return c.codec.Append(b, f) })
}

// write sends one frame whose payload fill appends.
func (c *conn) write(op ws.OpCode, fill func([]byte) ([]byte, error)) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	b, start, err := frame(c.out[:0], op, fill)
	if err != nil {
		return err
	}
	c.out = b
	if cap(c.out) > 4<<10 {
		c.out = nil // do not keep a rare large buffer in each of thousands of clients
	}
	_ = c.net.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err = c.net.Write(b[start:]); err != nil {
		c.closed = true
		_ = c.net.Close() // wakes the reader
	}
	return err
}

// frame makes a masked frame in b; it begins at start.
func frame(b []byte, op ws.OpCode, fill func([]byte) ([]byte, error)) (out []byte, start int, err error) {
	const room = 8 // two bytes, an extended length of two, the mask
	b = append(b, make([]byte, room)...)
	if b, err = fill(b); err != nil {
		return nil, 0, err
	}
	payload := b[room:]
	n := len(payload)
	if n > 0xffff {
		return nil, 0, fmt.Errorf("%w: %d bytes", errTooBig, n)
	}
	start = room - 6
	if n >= 126 {
		start = room - 8
		b[start+1], b[start+2], b[start+3] = 0x80|126, byte(n>>8), byte(n)
	} else {
		b[start+1] = 0x80 | byte(n)
	}
	b[start] = 0x80 | byte(op)
	m := rand.Uint32()
	mask := [4]byte{byte(m), byte(m >> 8), byte(m >> 16), byte(m >> 24)}
	copy(b[room-4:room], mask[:])
	ws.Cipher(payload, mask, 0)
	return b, start, nil
}

// goodbye starts the closing handshake: the server answers, and the reader ends.
func (c *conn) goodbye() {
	if c.leaving.Swap(true) {
		return
	}
	_ = c.write(ws.OpClose, func(b []byte) ([]byte, error) { return append(b, 1000>>8, 1000&0xff), nil })
	c.patience(leaveTimeout)
}

// cut closes the socket without a close frame.
func (c *conn) cut() {
	c.wmu.Lock()
	c.closed = true
	c.wmu.Unlock()
	_ = c.net.Close()
}
