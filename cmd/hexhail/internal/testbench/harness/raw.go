package harness

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// Raw is a socket whose frames a test writes byte by byte, to break the rules of RFC
// 6455. It does not read, answer or close on its own. For one goroutine.
type Raw struct {
	net.Conn
	TB    testing.TB
	codec wire.Codec
	in    *bufio.Reader
}

// DialRaw opens a socket. A receiveBuffer other than 0 sets the kernel's buffer, in bytes.
func DialRaw(tb testing.TB, s *Server, codec wire.Codec, receiveBuffer int) *Raw {
	tb.Helper()
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(s.HTTP, "http://"), Patience)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	if receiveBuffer > 0 {
		if err := conn.(*net.TCPConn).SetReadBuffer(receiveBuffer); err != nil {
			tb.Fatal(err)
		}
	}
	if err := conn.SetDeadline(time.Now().Add(2 * Patience)); err != nil {
		tb.Fatal(err)
	}
	r := &Raw{Conn: conn, TB: tb, codec: codec, in: bufio.NewReader(conn)}
	r.WriteRaw([]byte("GET /v1/ws HTTP/1.1\r\nHost: hexhail.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
		"Sec-WebSocket-Protocol: " + codec.Subprotocol() + "\r\n\r\n"))
	resp, err := http.ReadResponse(r.in, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		tb.Fatalf("upgrade: %v %v", resp, err)
	}
	return r
}

// WriteRaw writes bytes unchanged. It ignores errors: the server may already have cut the
// connection.
func (r *Raw) WriteRaw(b []byte) { _, _ = r.Write(b) }

// Frame lays out a masked frame: first byte (FIN, reserved bits, opcode) and payload.
func Frame(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	mask := [4]byte{0x12, 0x34, 0x56, 0x78}
	b = append(b, mask[:]...)
	for i, p := range payload {
		b = append(b, p^mask[i%4])
	}
	return b
}

// Opcode is the first byte of a whole message in the session's encoding.
func (r *Raw) Opcode() byte {
	if r.codec.Binary() {
		return 0x82
	}
	return 0x81
}

// Send sends a client frame as one message.
func (r *Raw) Send(f *ridepb.ClientFrame) {
	r.TB.Helper()
	b, err := r.codec.EncodeClient(f)
	if err != nil {
		r.TB.Fatal(err)
	}
	r.WriteRaw(Frame(r.Opcode(), b))
}

// ReadFrame reads one frame: its first byte and its payload.
func (r *Raw) ReadFrame() (first byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil {
		return 0, nil, err
	}
	n := uint64(head[1] & 0x7f)
	if n >= 126 {
		var long [8]byte
		size := 2
		if n == 127 {
			size = 8
		}
		if _, err := io.ReadFull(r.in, long[8-size:]); err != nil {
			return 0, nil, err
		}
		n = binary.BigEndian.Uint64(long[:])
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(r.in, payload)
	return head[0], payload, err
}

// Next reads up to the next message of the server and decodes it.
func (r *Raw) Next() *ridepb.ServerFrame {
	r.TB.Helper()
	for {
		first, payload, err := r.ReadFrame()
		if err != nil {
			r.TB.Fatalf("read: %v", err)
		}
		if first&0xf <= 2 {
			f, err := r.codec.DecodeServer(payload)
			if err != nil {
				r.TB.Fatalf("decode: %v", err)
			}
			return f
		}
	}
}

// CloseCode reads to the end of the stream and returns the code of the close frame, or 0 if there
// was none.
func (r *Raw) CloseCode() int {
	for {
		first, payload, err := r.ReadFrame()
		if err != nil {
			return 0
		}
		if first&0xf == 8 && len(payload) >= 2 {
			return int(binary.BigEndian.Uint16(payload))
		}
	}
}

// Position reports a driver's position.
func (r *Raw) Position(p geo.Point) {
	r.TB.Helper()
	r.Send(At(p))
}

// Connect opens a session and waits for the reply.
func (r *Raw) Connect(token string) *ridepb.Connected {
	r.TB.Helper()
	f := Connecting(token, nil)
	f.Id = "raw-connect"
	r.Send(f)
	c := r.Next().GetReply().GetConnected()
	if c == nil {
		r.TB.Fatal("connect was refused")
	}
	return c
}
