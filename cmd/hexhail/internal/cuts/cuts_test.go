package cuts_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/cuts"
)

// patience is how long what must happen may take on a busy machine.
const patience = 30 * time.Second

// line is a connection from the host a to the host b, and b's end of it.
func line(t *testing.T, n *cuts.Network) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	address, err := n.Lead("b", func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) }, func(net.Conn) string { return "a" })
	require.NoError(t, err)
	near, err = net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = near.Close() })
	far, err = l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = far.Close() })
	return near, far
}

func say(t *testing.T, c net.Conn, text string) {
	t.Helper()
	_, err := c.Write([]byte(text))
	require.NoError(t, err)
}

// hear reads a text, and returns how long it took.
func hear(t *testing.T, c net.Conn, text string) time.Duration {
	t.Helper()
	begun, got := time.Now(), make([]byte, len(text))
	require.NoError(t, c.SetReadDeadline(begun.Add(patience)))
	_, err := io.ReadFull(c, got)
	require.NoError(t, err)
	require.Equal(t, text, string(got))
	return time.Since(begun)
}

// silent asserts that nothing has arrived. A moment is enough: the test fails on slow machines no more
// often than on fast ones, and rather too seldom.
func silent(t *testing.T, c net.Conn) {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	_, err := c.Read(make([]byte, 1))
	var slow net.Error
	require.ErrorAs(t, err, &slow)
	require.True(t, slow.Timeout(), "%v", err)
}

// One way is lost while the other goes on, and what waited arrives after the cut, in order.
func TestOneWay(t *testing.T) {
	n := cuts.New()
	defer n.Close()
	a, b := line(t, n)
	say(t, a, "1")
	hear(t, b, "1")
	n.Cut("a", "b")
	say(t, a, "2")
	say(t, a, "3")
	say(t, b, "back")
	hear(t, a, "back")
	silent(t, b)
	n.Heal()
	hear(t, b, "23")
}

// While a host is cut off both ways no connection opens.
func TestParted(t *testing.T) {
	n := cuts.New()
	defer n.Close()
	dialled := make(chan struct{}, 1)
	address, err := n.Lead("b", func() (net.Conn, error) {
		dialled <- struct{}{}
		return nil, io.EOF
	}, func(net.Conn) string { return "a" })
	require.NoError(t, err)
	n.Part("b", "a")
	c, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer c.Close()
	silent(t, c)
	require.Empty(t, dialled)
	n.Heal()
	select {
	case <-dialled:
	case <-time.After(patience):
		t.Fatal("the connection never opened")
	}
}

func TestSlow(t *testing.T) {
	n := cuts.New()
	defer n.Close()
	a, b := line(t, n)
	const by = 200 * time.Millisecond
	n.Slow("b", "a", by)
	begun := time.Now()
	say(t, b, "1")
	say(t, b, "2")
	hear(t, a, "12")
	require.GreaterOrEqual(t, time.Since(begun), by)
	n.Heal()
	say(t, b, "3")
	hear(t, a, "3")
}

// What flows on the connections of a host without power is lost, after a heal as well; new ones work.
func TestAbandoned(t *testing.T) {
	n := cuts.New()
	defer n.Close()
	a, b := line(t, n)
	n.Abandon("b")
	say(t, a, "1")
	n.Heal()
	silent(t, b)
	a, b = line(t, n)
	say(t, a, "2")
	hear(t, b, "2")
}

// An end arrives like everything else: after the cut.
func TestEndsArrive(t *testing.T) {
	n := cuts.New()
	defer n.Close()
	a, b := line(t, n)
	n.Cut("a", "b")
	require.NoError(t, a.Close())
	silent(t, b)
	n.Heal()
	require.NoError(t, b.SetReadDeadline(time.Now().Add(patience)))
	_, err := b.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

// Close ends connections that are just being opened, though both their ends would keep them open.
func TestCloseWhileOpening(t *testing.T) {
	for name, atDial := range map[string]bool{"before it is known": false, "while dialling": true} {
		t.Run(name, func(t *testing.T) {
			server, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer server.Close()
			n := cuts.New()
			opening, closing := make(chan struct{}), make(chan struct{})
			var once sync.Once // the connections that look for the listener wait with the first
			wait := func() {
				once.Do(func() {
					close(opening)
					<-closing
				})
			}
			address, err := n.Lead("b", func() (net.Conn, error) {
				if atDial {
					wait()
				}
				return net.Dial("tcp", server.Addr().String()) // the backlog keeps it open
			}, func(net.Conn) string {
				if !atDial {
					wait()
				}
				return "a"
			})
			require.NoError(t, err)
			near, err := net.Dial("tcp", address)
			require.NoError(t, err)
			defer near.Close()
			<-opening
			if atDial {
				n.Cut("a", "b")
			}
			closed := make(chan struct{})
			go func() {
				defer close(closed)
				n.Close()
			}()
			require.Eventually(t, func() bool { // Close has begun
				c, err := net.Dial("tcp", address)
				if err == nil {
					_ = c.Close()
				}
				return err != nil
			}, patience, time.Millisecond)
			close(closing)
			select {
			case <-closed:
			case <-time.After(patience):
				t.Fatal("Close has not returned")
			}
		})
	}
}
