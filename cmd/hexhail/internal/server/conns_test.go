package server

import (
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
)

func TestDescriptorsAreKeptInReserve(t *testing.T) {
	for _, c := range []struct {
		files uint64
		pool  int
		want  int
	}{{0, 20, 0}, {1024, 0, 896}, {1024, 200, 760}, {128, 100, 64}, {1 << 20, 50, 917504}, {1 << 40, 0, 0}, {1, 0, 1}} {
		require.Equal(t, c.want, mostConns(c.files, c.pool), "%d files, %d to the database", c.files, c.pool)
	}
}

// TestConnectionsFollowTheSettings: the bound of an address is never below that of its sockets.
func TestConnectionsFollowTheSettings(t *testing.T) {
	most := func(conns, sockets int, demo bool) int {
		c := &config.Config{}
		c.HTTP.ConnectionsPerAddress, c.Sockets.MaxPerAddress = conns, sockets
		l := clientConns(c, demo, func() int { return 0 })
		for range 50 {
			ours, theirs := net.Pipe()
			t.Cleanup(func() { _ = theirs.Close() })
			l.State(at{ours}, http.StateNew)
		}
		open, _, _ := l.Counts()
		return open
	}
	require.Equal(t, 7, most(7, 2, false))
	require.Equal(t, 9, most(7, 9, false))
	require.Equal(t, 50, most(7, 9, true))
}

// TestSocketsLeaveRoom: where descriptors are few, for requests and for other addresses.
func TestSocketsLeaveRoom(t *testing.T) {
	c := &config.Config{}
	c.Sockets.Max, c.Sockets.MaxPerAddress = 1<<30, 1<<30
	total := mostConns(openFiles(), poolSize(c))
	all, ofAddress := mostSockets(c, false)
	require.Equal(t, []int{total / 4 * 3, total / 2}, []int{all, ofAddress})
	all, ofAddress = mostSockets(c, true)
	require.Equal(t, []int{1 << 30, 1 << 30}, []int{all, ofAddress}, "a simulated city comes from one address")
	c.Sockets.Max, c.Sockets.MaxPerAddress = 7, 5
	all, ofAddress = mostSockets(c, false)
	require.Equal(t, []int{7, 5}, []int{all, ofAddress})
}

type at struct{ net.Conn }

func (at) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1} }
