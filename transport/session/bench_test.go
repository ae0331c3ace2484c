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

// counting is a peer that only counts.
type counting struct{ locations int }

func (*counting) Command(*ridepb.ClientFrame)    {}
func (c *counting) Location(ride.Position) error { c.locations++; return nil }
func (*counting) Leave()                         {}

// joined is a driver's session without limits and without a network.
func joined(tb testing.TB, codec wire.Codec) (*session, *counting) {
	tb.Helper()
	const plenty = 1 << 30
	h := New(Config{LocationRate: plenty, LocationBurst: plenty, FrameRate: plenty, FrameBurst: plenty},
		&fakeAuth{expiry: time.Now().Add(time.Hour)}, &fakeRouter{peers: make(chan *fakePeer, 1)})
	near, far := net.Pipe()
	conn := ws.NewConn(far, ws.Config{})
	tb.Cleanup(func() {
		conn.Abort()
		_ = near.Close()
		h.cancel()
	})
	s := newSession(h, conn, codec, nil)
	peer := new(counting)
	s.peer, s.role = peer, ride.RoleDriver
	return s, peer
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
			s, peer := joined(b, codec)
			data := locationBytes(b, codec)
			b.ReportAllocs()
			for b.Loop() {
				s.OnMessage(s.op(), data)
			}
			require.Equal(b, b.N, peer.locations)
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
