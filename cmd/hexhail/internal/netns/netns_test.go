package netns_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/netns"
)

// patience is how long what must happen may take on a busy machine. TCP sends again what was lost at ever longer intervals.
const patience = time.Minute

// childEnv makes this binary a process that has a network until it is killed.
const childEnv = "HEXHAIL_NETNS_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		os.Exit(m.Run())
	}
	n, err := netns.New("s")
	if err == nil {
		_, err = n.Join("a")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(n.Subnet())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// network is one of the hosts a and b and of the servers s and t. Where it cannot be had the test is skipped, whatever
// HEXHAIL_REQUIRE_ALL says: a permission cannot be installed.
func network(t *testing.T) (n *netns.Network, b string) {
	t.Helper()
	n, err := netns.New("s", "t")
	if errors.Is(err, netns.ErrUnavailable) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(n.Close)
	for _, name := range []string{"a", "b"} {
		b, err = n.Join(name)
		if errors.Is(err, netns.ErrUnavailable) {
			t.Skip(err)
		}
		require.NoError(t, err)
	}
	return n, b
}

// listen opens a listener at a host, or for the empty name, in this process's namespace.
func listen(t *testing.T, n *netns.Network, host, address string) (l net.Listener) {
	t.Helper()
	open := func() (err error) {
		l, err = net.Listen("tcp4", net.JoinHostPort(address, "0"))
		return err
	}
	if host == "" {
		require.NoError(t, open())
	} else {
		require.NoError(t, n.Within(host, open))
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// dial opens a connection from a host.
func dial(n *netns.Network, host string, to net.Listener, within time.Duration) (c net.Conn, err error) {
	err = n.Within(host, func() (err error) {
		c, err = net.DialTimeout("tcp4", to.Addr().String(), within)
		return err
	})
	return c, err
}

// line is a connection from the host a to a listener, and the listener's end of it.
func line(t *testing.T, n *netns.Network, to net.Listener) (near, far net.Conn) {
	t.Helper()
	near, err := dial(n, "a", to, patience)
	require.NoError(t, err)
	t.Cleanup(func() { _ = near.Close() })
	far, err = to.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = far.Close() })
	return near, far
}

func say(t *testing.T, c net.Conn, text string) {
	t.Helper()
	_, err := c.Write([]byte(text))
	require.NoError(t, err)
}

func hear(t *testing.T, c net.Conn, text string) {
	t.Helper()
	got := make([]byte, len(text))
	require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
	_, err := io.ReadFull(c, got)
	require.NoError(t, err)
	require.Equal(t, text, string(got))
}

// silent asserts that nothing has arrived. A moment is enough: the test fails on slow machines no more
// often than on fast ones, and rather too seldom.
func silent(t *testing.T, c net.Conn) {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	_, err := c.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
}

// One way between hosts is lost while the other goes on, and TCP brings what was lost once the way is open again.
func TestOneWay(t *testing.T) {
	n, address := network(t)
	l := listen(t, n, "b", address)
	a, b := line(t, n, l)
	say(t, a, "1")
	hear(t, b, "1")
	require.NoError(t, n.Cut("a", "b"))
	say(t, a, "2")
	for range 3 { // again and again, though none is acknowledged
		say(t, b, "back")
		hear(t, a, "back")
	}
	silent(t, b)
	_, err := dial(n, "a", l, 50*time.Millisecond)
	var slow net.Error
	require.ErrorAs(t, err, &slow)
	require.True(t, slow.Timeout(), "it must be silent: %v", err)
	require.NoError(t, n.Heal())
	hear(t, b, "2")
	line(t, n, l)
}

// A server can be lost both ways, or one, and another server and other hosts not with it.
func TestServers(t *testing.T) {
	n, address := network(t)
	s, other, host := listen(t, n, "", n.Address("s")), listen(t, n, "", n.Address("t")), listen(t, n, "b", address)
	as, sa := line(t, n, s)
	at, ta := line(t, n, other)
	ab, ba := line(t, n, host)
	require.Equal(t, []string{"a", "a"}, []string{n.HostOf(sa.RemoteAddr()), n.HostOf(ta.RemoteAddr())})
	require.Empty(t, n.HostOf(s.Addr()))
	outside, err := net.Dial("tcp4", host.Addr().String()) // as the clients of a host do
	require.NoError(t, err)
	defer outside.Close()
	inside, err := host.Accept()
	require.NoError(t, err)
	defer inside.Close()

	require.NoError(t, n.Cut("s", "a"))
	say(t, as, "to")
	hear(t, sa, "to")
	say(t, sa, "lost")
	silent(t, as)
	require.NoError(t, n.Cut("a", "s"))
	say(t, as, "lost")
	silent(t, sa)
	for _, pair := range [][2]net.Conn{{at, ta}, {ab, ba}, {outside, inside}} {
		say(t, pair[0], "to")
		hear(t, pair[1], "to")
		say(t, pair[1], "back")
		hear(t, pair[0], "back")
	}
	require.NoError(t, n.Heal())
	hear(t, as, "lost")
	hear(t, sa, "lost")
}

// What is not there cannot be cut.
func TestUnknownHosts(t *testing.T) {
	n, _ := network(t)
	for _, pair := range [][2]string{{"a", "x"}, {"x", "a"}, {"s", "x"}, {"x", "s"}} {
		require.ErrorContains(t, n.Cut(pair[0], pair[1]), "no host x")
	}
	require.Error(t, n.Within("x", func() error { return nil }))
	_, err := n.Command("x")
	require.Error(t, err)
	require.Empty(t, n.Address("x"))
	require.NoError(t, n.Heal())
}

// A network leaves nothing behind: when it is closed, and when its process is killed.
func TestNothingIsLeft(t *testing.T) {
	n, address := network(t)
	gone := func(address string) {
		t.Helper()
		subnet := netip.PrefixFrom(netip.MustParseAddr(address), 24)
		require.Eventually(t, func() bool {
			all, err := net.InterfaceAddrs()
			if err != nil {
				return false
			}
			for _, a := range all {
				if ip, ok := a.(*net.IPNet); ok && subnet.Contains(netip.MustParseAddr(ip.IP.String())) {
					return false
				}
			}
			return true
		}, patience, 10*time.Millisecond)
	}
	n.Close()
	n.Close()
	gone(address)

	child := exec.Command(os.Args[0])
	child.Env, child.Stderr = append(os.Environ(), childEnv+"=1"), os.Stderr
	in, err := child.StdinPipe()
	require.NoError(t, err)
	defer in.Close()
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	var subnet string
	_, err = fmt.Fscanln(out, &subnet)
	require.NoError(t, errors.Join(err, child.Process.Kill()))
	_ = child.Wait() // it was killed
	gone(netip.MustParsePrefix(subnet).Addr().String())
}
