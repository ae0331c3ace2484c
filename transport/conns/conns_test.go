package conns

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const patience = 30 * time.Second

// addressed is a connection whose peer is where the test says.
type addressed struct {
	net.Conn
	peer   string
	closed atomic.Bool
}

func (a *addressed) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(a.peer))
}

func (a *addressed) Close() error { a.closed.Store(true); return nil }

// steps plays a server's connections without a network.
type steps struct{ *Limit }

func (s steps) opens(peer string) *addressed {
	c := &addressed{peer: peer}
	s.State(c, http.StateNew)
	return c
}

// rests opens a connection that is idle after its first request.
func (s steps) rests(peer string) *addressed {
	c := s.opens(peer)
	s.State(c, http.StateActive)
	s.State(c, http.StateIdle)
	return c
}

func TestConnectionsOfOneAddressAreBounded(t *testing.T) {
	s := steps{New(Config{PerNetwork: 3, Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})}
	for _, net := range []struct{ one, more, other string }{
		{"192.0.2.1:1", "192.0.2.1:2", "192.0.2.2:1"},
		{"[2001:db8:1:2::1]:1", "[2001:db8:1:2:ffff::1]:1", "[2001:db8:1:3::1]:1"},
	} {
		a, b := s.rests(net.one), s.rests(net.one)
		busy := s.opens(net.one)
		s.State(busy, http.StateActive)
		s.State(a, http.StateActive)
		s.State(a, http.StateIdle) // b is idle for longer now
		require.False(t, s.opens(net.more).closed.Load())
		require.True(t, b.closed.Load(), "the one that was idle longest makes room")
		require.False(t, s.rests(net.other).closed.Load(), "others are not concerned")
		require.False(t, s.opens(net.more).closed.Load())
		require.True(t, a.closed.Load())
		require.True(t, s.opens(net.more).closed.Load(), "none is idle")
		require.False(t, busy.closed.Load())
		s.State(busy, http.StateHijacked)
		require.False(t, s.opens(net.more).closed.Load(), "a socket counts elsewhere")
		for _, c := range []*addressed{a, b, busy} {
			s.State(c, http.StateClosed) // once more, as the server does
		}
		require.True(t, s.opens(net.more).closed.Load())
	}
	for range 50 {
		require.False(t, s.rests("10.1.2.3:4").closed.Load(), "a trusted proxy")
	}
	require.Len(t, s.networks, 4)
}

func TestConnectionsAreBoundedInTotal(t *testing.T) {
	sockets := 0
	s := steps{New(Config{PerNetwork: 100, Total: 10, Others: func() int { return sockets }})}
	first := s.rests("192.0.2.1:1")
	for range 9 {
		s.rests("192.0.2.2:1")
	}
	require.False(t, s.opens("192.0.2.3:1").closed.Load())
	require.True(t, first.closed.Load(), "of all the one that was idle longest")
	sockets = 3
	require.False(t, s.opens("192.0.2.3:1").closed.Load())
	open, evicted, refused := s.Counts()
	require.Equal(t, []uint64{10, 2, 0}, []uint64{uint64(open), evicted, refused})
	for range 20 {
		s.opens("192.0.2.4:1")
	}
	_, evicted, refused = s.Counts()
	require.Equal(t, []uint64{10, 12}, []uint64{evicted, refused})
	require.Len(t, s.networks, 2, "networks without a connection are forgotten")
	require.Len(t, s.largest, 2)
}

// TestOneNetworkDoesNotCrowdOutOthers: with connections that are all busy, such as with headers that
// come slowly, one place takes what is left over by others, and no more.
func TestOneNetworkDoesNotCrowdOutOthers(t *testing.T) {
	s := steps{New(Config{PerNetwork: 100, Total: 10, Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})}
	var slow []*addressed
	for range 10 {
		slow = append(slow, s.opens("192.0.2.1:1"))
	}
	require.True(t, s.opens("192.0.2.1:2").closed.Load(), "no more than all")
	first := s.opens("192.0.2.2:1")
	require.False(t, first.closed.Load())
	require.True(t, slow[0].closed.Load(), "its oldest makes room")
	require.False(t, s.opens("10.0.0.1:1").closed.Load(), "a proxy's customers, too")
	for range 100 {
		s.opens("192.0.2.1:3")
		s.opens("192.0.2.3:1")
	}
	require.False(t, first.closed.Load(), "who has little keeps it")
	open := map[string]int{}
	for k := range s.open {
		open[k.RemoteAddr().(*net.TCPAddr).IP.String()]++
	}
	require.Equal(t, map[string]int{"192.0.2.1": 4, "192.0.2.2": 1, "192.0.2.3": 4, "10.0.0.1": 1}, open)
	for k := range s.open {
		s.State(k, http.StateClosed)
	}
	require.Empty(t, s.networks)
	require.Empty(t, s.largest)
}

// TestIdleConnectionsMakeRoom: with a real server, far more idle connections than it holds do not
// keep a further client out.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	limit := New(Config{PerNetwork: 8})
	// Before a client has its answer to the next request, the server may not have noted that the
	// connection is idle: the test waits for that.
	idle := make(chan net.Conn, 100)
	srv.Config.ConnState = func(c net.Conn, s http.ConnState) {
		limit.State(c, s)
		if s == http.StateIdle {
			idle <- c
		}
	}
	srv.Start()
	defer srv.Close()
	var all []net.Conn
	for range 40 {
		c, err := net.Dial("tcp", srv.Listener.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
		_, err = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, err)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, resp.StatusCode)
		<-idle
		all = append(all, c)
	}
	for _, c := range all[:32] {
		_, err := io.Copy(io.Discard, c)
		require.NoError(t, err, "closed, and not by the deadline")
	}
	open, evicted, refused := limit.Counts()
	require.Equal(t, []uint64{8, 32, 0}, []uint64{uint64(open), evicted, refused})
}

// TestSlowReadersAreCut: who takes nothing of an answer is cut off; who takes it slowly is not.
func TestSlowReadersAreCut(t *testing.T) {
	ended := make(chan error, 2)
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		b := make([]byte, 1<<20)
		for { // more than any buffer holds
			if _, err := w.Write(b); err != nil {
				ended <- err
				return
			}
		}
	})
	srv := httptest.NewServer(Stall(50*time.Millisecond, handler))
	defer srv.Close()
	c, err := net.Dial("tcp", srv.Listener.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	_, err = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	select {
	case err := <-ended:
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	case <-time.After(patience):
		t.Fatal("the handler still writes")
	}
}

// TestLongAnswersGoOn: each part of an answer has a separate deadline.
func TestLongAnswersGoOn(t *testing.T) {
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	Stall(time.Hour, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(make([]byte, 100<<10))
		_, _ = io.WriteString(w, "the end")
	})).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	require.Len(t, w.set, 1+1+4+1+1, "at the start, the header, four parts, the end, and for what the server writes after it")
	for i, at := range w.set[1:] {
		require.False(t, at.Before(w.set[i]))
	}
	require.Equal(t, 100<<10+len("the end"), w.Body.Len())
}

type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (d *deadlines) SetWriteDeadline(t time.Time) error { d.set = append(d.set, t); return nil }
