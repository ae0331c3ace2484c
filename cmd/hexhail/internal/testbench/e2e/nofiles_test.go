package e2e

import (
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// Without free file descriptors, open sockets keep working, including the store; new ones wait and
// are served once descriptors are free again: the accept loop survives.
func TestOutOfFileDescriptors(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{Child: true, Flags: []string{"--log-level=error"}})
	w := newWorld(t, s, codecs[0])
	rider, d := w.rider(), w.driver(20)
	trip := w.match(rider, d)

	give := s.TakeFiles(t)
	u, err := url.Parse(s.WS)
	require.NoError(t, err)
	var waiting []net.Conn
	for range 20 {
		c, err := net.Dial("tcp", u.Host)
		require.NoError(t, err, "the kernel accepts connections")
		waiting = append(waiting, c)
	}
	require.Equal(t, ridepb.Trip_arrived, d.Ask(harness.Arrived(trip.GetId())).GetTrip().GetStatus())
	rider.Status(trip.GetId(), ridepb.Trip_arrived)
	require.NotNil(t, rider.Ask(harness.Ping()).GetPong())
	one := waiting[0]
	_, err = one.Write([]byte("GET /v1/nowhere HTTP/1.1\r\nHost: x\r\n\r\n"))
	require.NoError(t, err)
	require.NoError(t, one.SetReadDeadline(time.Now().Add(300*time.Millisecond)))
	_, err = one.Read(make([]byte, 1))
	require.Error(t, err, "the server cannot have accepted it yet")

	began := time.Now()
	give()
	require.NoError(t, one.SetReadDeadline(time.Now().Add(harness.Patience)))
	_, err = one.Read(make([]byte, 1))
	require.NoError(t, err, "the waiting connection is served")
	t.Logf("served %s after descriptors were free", time.Since(began).Round(time.Millisecond))
	for _, c := range waiting {
		require.NoError(t, c.Close())
	}
	again, _ := harness.Connect(t, s, w.codec, s.Token(ride.RoleRider, w.name(ride.RoleRider)), nil)
	require.NotNil(t, again.Ask(harness.Ping()).GetPong())
}
