package nodes

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/server"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
)

// status asks a node how it sees its cluster.
func status(tb testing.TB, s *harness.Server) (out server.ClusterStatus) {
	tb.Helper()
	code, said := harness.Command(tb.Context(), "cluster", "status", "--json", "--ops="+strings.TrimPrefix(s.Ops, "http://"))
	require.Zero(tb, code, said)
	require.NoError(tb, json.Unmarshal([]byte(said), &out))
	return out
}

// pairOf loads the certificate that secured has made.
func pairOf(tb testing.TB, flags []string) tls.Certificate {
	tb.Helper()
	pair, err := tls.LoadX509KeyPair(strings.TrimPrefix(flags[0], "--cluster-cert="), strings.TrimPrefix(flags[1], "--cluster-key="))
	require.NoError(tb, err)
	return pair
}

// dialAs are a client's settings with certificates, or without.
func dialAs(pairs ...tls.Certificate) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}, Certificates: pairs}
}

const refusedMetric = "hexhail_node_handshakes_refused_total"

// A stranger, such as a port scanner or a node of another cluster, is refused and counted, and
// changes nothing. Neither does one of this cluster that sends what makes no sense.
func TestStrangersAreRefused(t *testing.T) {
	t.Parallel()
	certs := secured(t)
	c := newCluster(t, 2, certs...)
	n := c.nodes[0]
	// calm is the status once all members answer: on a busy machine, pings are late.
	calm := func() (s server.ClusterStatus) {
		harness.Until(t, "members that answer, and no warning", func() bool {
			s = status(t, n)
			return len(s.Warnings) == 0 && !slices.ContainsFunc(s.Members, func(m server.MemberStatus) bool { return m.Late || m.Failure != "" })
		})
		return s
	}
	identities := func(s server.ClusterStatus) (out []string) {
		for _, m := range s.Members {
			out = append(out, m.Node+" "+m.Incarnation+" "+m.Address)
		}
		return out
	}
	before := calm()
	require.Len(t, before.Members, 2)
	require.Equal(t, "n0", before.Members[0].Node)
	address := before.Members[0].Address
	dial := func() net.Conn {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	refused := func() float64 { return n.Metric(refusedMetric, `direction="in"`) }
	for name, do := range map[string]func(net.Conn){
		"plain text":     func(conn net.Conn) { _, _ = conn.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")) },
		"garbage":        func(conn net.Conn) { _, _ = conn.Write([]byte(rand.Text() + rand.Text())) },
		"no certificate": func(conn net.Conn) { _ = tls.Client(conn, dialAs()).HandshakeContext(t.Context()) },
		"another CA": func(conn net.Conn) {
			_ = tls.Client(conn, dialAs(pairOf(t, secured(t)))).HandshakeContext(t.Context())
		},
	} {
		was := refused()
		conn := dial()
		do(conn)
		harness.Until(t, "a refusal: "+name, func() bool { return refused() > was })
		require.NoError(t, conn.Close())
	}

	// Connections by the hundred that never say what they want.
	const many = 300
	was := refused()
	for i := range many {
		if conn := dial(); i%2 == 0 {
			_, _ = conn.Write([]byte{22, 3, 1, 2, 0, 1}) // a handshake begins
		}
	}

	// Garbage from one with a certificate.
	conn := tls.Client(dial(), dialAs(pairOf(t, certs)))
	_, err := conn.Write([]byte(rand.Text() + rand.Text() + rand.Text()))
	require.NoError(t, err)
	_, err = conn.Read(make([]byte, 1<<10))
	for err == nil {
		_, err = conn.Read(make([]byte, 1<<10)) // it closes
	}
	harness.Until(t, "all are closed and counted", func() bool { return refused() >= was+many })
	c.counts(2)
	require.Zero(t, n.Metric("hexhail_node_streams_broken_total"))
	after := calm()
	require.Equal(t, identities(before), identities(after))
	require.Empty(t, after.Dropped)
}

// One with a certificate of the CA, at the address of a node but without its name, is refused by
// the other nodes, and they say so.
func TestAnotherNameIsRefused(t *testing.T) {
	t.Parallel()
	certs := secured(t)
	dir := filepath.Dir(strings.TrimPrefix(certs[0], "--cluster-cert="))
	code, said := harness.Command(t.Context(), "cluster", "certs", "node", "elsewhere.example", "--dir="+dir)
	require.Zero(t, code, said)
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "elsewhere.example.pem"), filepath.Join(dir, "elsewhere.example.key"))
	require.NoError(t, err)

	c := newCluster(t, 2, certs...)
	n := c.nodes[0]
	address := status(t, c.nodes[1]).Members[1].Address
	c.nodes[1].Kill()
	l, err := tls.Listen("tcp", address, &tls.Config{NextProtos: []string{"h2"}, Certificates: []tls.Certificate{pair}})
	require.NoError(t, err)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.(*tls.Conn).HandshakeContext(t.Context())
			_ = conn.Close()
		}
	}()
	harness.Until(t, "a refusal", func() bool { return n.Metric(refusedMetric, `direction="out"`) > 0 })
	harness.Until(t, "the reason", func() bool {
		for _, m := range status(t, n).Members {
			if m.Late && strings.Contains(m.Failure, "certificate") {
				return true
			}
		}
		return false
	})
	require.NoError(t, l.Close())
	c.counts(1, n)
	c.nodes[1] = c.start("n1")
	c.counts(2)
}
