package session

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/transport"
	"github.com/hexhail/hexhail/transport/ws"
)

// counting is an inbox that only counts.
type counting struct{ commands, locations int }

func (c *counting) Command(*ridepb.ClientFrame)  { c.commands++ }
func (c *counting) Location(ride.Position) error { c.locations++; return nil }
func (*counting) Leave()                         {}

// unlimited is a handler without limits, and without actors behind it.
func unlimited() *Handler {
	const plenty = 1 << 30
	c := DefaultConfig()
	c.LocationRate, c.LocationBurst, c.FrameRate, c.FrameBurst = plenty, plenty, plenty, plenty
	c.CommandRate, c.CommandBurst = plenty, plenty
	h, err := New(c, &fakeAuth{expiry: time.Now().Add(time.Hour)}, &fakeRouter{inboxes: make(chan *fakeInbox, 1)})
	if err != nil {
		panic(err) // the configuration is a constant
	}
	return h
}

// joined is a driver's session without limits and without a network.
func joined(tb testing.TB, codec wire.Codec) (*session, *counting) {
	tb.Helper()
	return joinedTo(tb, unlimited(), codec)
}

func joinedTo(tb testing.TB, h *Handler, codec wire.Codec) (*session, *counting) {
	tb.Helper()
	near, far := net.Pipe()
	conn := ws.NewConn(far, ws.DefaultConfig())
	tb.Cleanup(func() {
		conn.Abort()
		_ = near.Close()

	})
	s := newSession(h, conn, codec, nil)
	inbox := new(counting)
	s.inbox, s.role = inbox, ride.RoleDriver
	return s, inbox
}

func locationBytes(tb testing.TB, codec wire.Codec) []byte {
	tb.Helper()
	data, err := codec.EncodeClient(sample(kindLocation, ""))
	require.NoError(tb, err)
	return data
}

// What one location costs from the WebSocket layer to the actor.
func BenchmarkLocation(b *testing.B) {
	for _, codec := range []wire.Codec{wire.Binary, wire.JSON} {
		b.Run(encodingOf(codec), func(b *testing.B) {
			s, inbox := joined(b, codec)
			data := locationBytes(b, codec)
			b.ReportAllocs()
			for b.Loop() {
				s.OnMessage(s.op(), data)
			}
			require.Equal(b, b.N, inbox.locations)
		})
	}
}

// What one event costs up to the queue of the WebSocket layer.
func BenchmarkMoved(b *testing.B) {
	for _, codec := range []wire.Codec{wire.Binary, wire.JSON} {
		b.Run(encodingOf(codec), func(b *testing.B) {
			s, _ := joined(b, codec)
			var out transport.Outbox = s
			e := moved(7, 60)
			b.ReportAllocs()
			for b.Loop() {
				out.Moved(e)
			}
		})
	}
}

// A ping and its answer, over loopback.
func BenchmarkRoundTrip(b *testing.B) {
	for _, codec := range []wire.Codec{wire.Binary, wire.JSON} {
		b.Run(encodingOf(codec), func(b *testing.B) {
			s, _ := joined(b, codec)
			server, near := loopback(b)
			s.conn = ws.NewConn(server, ws.DefaultConfig())
			over := make(chan struct{})
			go func() { defer close(over); s.conn.Serve(s) }()
			data, err := codec.EncodeClient(sample(kindPing, "p"))
			require.NoError(b, err)
			frame, answer := masked(s.op(), data), make([]byte, 4096)
			b.ReportAllocs()
			for b.Loop() {
				_, err := near.Write(frame)
				require.NoError(b, err)
				_, err = near.Read(answer) // one write of the server, so one read
				require.NoError(b, err)
			}
			s.conn.Abort()
			<-over
		})
	}
}

// loopback returns the two ends of a TCP connection.
func loopback(b *testing.B) (server, near net.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer func() { _ = l.Close() }()
	near, err = net.Dial("tcp", l.Addr().String())
	require.NoError(b, err)
	server, err = l.Accept()
	require.NoError(b, err)
	b.Cleanup(func() { _ = near.Close() })
	return server, near
}
