package nodetls_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/nodetls"
)

func TestNodesAcceptEachOther(t *testing.T) {
	cluster := newCA("cluster")
	a, b := open(t, cluster.files(t)), open(t, cluster.files(t))
	for _, host := range []string{"127.0.0.1", "localhost"} {
		atServer, atClient := meet(t, a.Server(), dial(t, b, host))
		for _, s := range []side{atServer, atClient} {
			require.NoError(t, s.err, host)
			require.Equal(t, uint16(tls.VersionTLS13), s.state.Version)
			require.Equal(t, "h2", s.state.NegotiatedProtocol)
			require.False(t, s.state.DidResume)
			require.Len(t, s.state.PeerCertificates, 1)
		}
	}
}

// The foreign CA in the following tests is one that the system trusts; so what refuses it is that
// nodes do not look there.
func TestForeignCAIsTrustedByTheSystem(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only on Linux does SSL_CERT_FILE replace the system's roots")
	}
	_, err := foreign.pair().Leaf.Verify(x509.VerifyOptions{})
	require.NoError(t, err)
}

func TestServerRefuses(t *testing.T) {
	cluster := newCA("cluster")
	server := open(t, cluster.files(t))
	show := func(p tls.Certificate) func(*tls.Config) {
		return func(c *tls.Config) { // whatever CAs the server asks for
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &p, nil }
		}
	}
	for name, c := range map[string]struct {
		client func(*tls.Config)
		want   string // of the server's error; empty: accepted
	}{
		"nothing":            {show(cluster.pair()), ""},
		"foreign CA":         {show(foreign.pair()), "certificate signed by unknown authority"},
		"no certificate":     {func(*tls.Config) {}, "client didn't provide a certificate"},
		"client usage alone": {show(cluster.pair(only(x509.ExtKeyUsageClientAuth))), "must have both extended key usages"},
		"server usage alone": {show(cluster.pair(only(x509.ExtKeyUsageServerAuth))), "incompatible key usage"},
		"no usage":           {show(cluster.pair(noUsage)), "must have both extended key usages"},
		"a CA":               {show(cluster.pair(isCA)), "is a CA's, not a node's"},
		"expired":            {show(cluster.pair(past)), "has expired"},
		"not yet valid":      {show(cluster.pair(future)), "is not yet valid"},
		"TLS 1.2": {func(c *tls.Config) {
			show(cluster.pair())(c)
			c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
		}, "unsupported versions"},
		"no ALPN": {func(c *tls.Config) {
			show(cluster.pair())(c)
			c.NextProtos = nil
		}, "does not offer h2"},
		"HTTP/1.1": {func(c *tls.Config) { // which crypto/tls lets pass
			show(cluster.pair())(c)
			c.NextProtos = []string{"http/1.1"}
		}, "does not offer h2"},
		"another protocol": {func(c *tls.Config) {
			show(cluster.pair())(c)
			c.NextProtos = []string{"postgresql"}
		}, "unsupported application protocols"},
	} {
		t.Run(name, func(t *testing.T) {
			atServer, atClient := meet(t, server.Server(), func(string) *tls.Config {
				config := &tls.Config{RootCAs: cluster.pool(), ServerName: "127.0.0.1", NextProtos: []string{"h2"}}
				c.client(config)
				return config
			})
			if c.want == "" {
				require.NoError(t, atServer.err)
				require.NoError(t, atClient.err)
				return
			}
			require.ErrorContains(t, atServer.err, c.want)
			require.Error(t, atClient.err)
		})
	}
}

func TestClientRefuses(t *testing.T) {
	cluster := newCA("cluster")
	client := open(t, cluster.files(t))
	for name, c := range map[string]struct {
		pair   tls.Certificate
		server func(*tls.Config)
		want   string // of the client's error; empty: accepted
	}{
		"nothing":            {cluster.pair(), nil, ""},
		"foreign CA":         {foreign.pair(), nil, "certificate signed by unknown authority"},
		"client usage alone": {cluster.pair(only(x509.ExtKeyUsageClientAuth)), nil, "incompatible key usage"},
		"server usage alone": {cluster.pair(only(x509.ExtKeyUsageServerAuth)), nil, "must have both extended key usages"},
		"no usage":           {cluster.pair(noUsage), nil, "must have both extended key usages"},
		"a CA":               {cluster.pair(isCA), nil, "is a CA's, not a node's"},
		"expired":            {cluster.pair(past), nil, "has expired"},
		"not yet valid":      {cluster.pair(future), nil, "is not yet valid"},
		"wrong address":      {cluster.pair(elsewhere), nil, "certificate is valid for 127.0.0.2, not 127.0.0.1"},
		"TLS 1.2":            {cluster.pair(), func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, "protocol version not supported"},
		"no ALPN":            {cluster.pair(), func(c *tls.Config) { c.NextProtos = nil }, "does not offer h2"},
	} {
		t.Run(name, func(t *testing.T) {
			config := &tls.Config{Certificates: []tls.Certificate{c.pair}, ClientAuth: tls.RequireAnyClientCert, NextProtos: []string{"h2"}}
			if c.server != nil {
				c.server(config)
			}
			atServer, atClient := meet(t, config, dial(t, client, "127.0.0.1"))
			if c.want == "" {
				require.NoError(t, atServer.err)
				require.NoError(t, atClient.err)
				return
			}
			require.ErrorContains(t, atClient.err, c.want)
			require.Error(t, atServer.err)
		})
	}
	t.Run("wrong name", func(t *testing.T) {
		_, atClient := meet(t, open(t, cluster.files(t, elsewhere)).Server(), dial(t, client, "localhost"))
		require.ErrorContains(t, atClient.err, "certificate is valid for b.example.org, not localhost")
	})
}

// A client that would resume its session is verified again.
func TestSessionsAreNotResumed(t *testing.T) {
	cluster := newCA("cluster")
	server := open(t, cluster.files(t)).Server()
	cache := tls.NewLRUClientSessionCache(1)
	for range 3 {
		atServer, atClient := meet(t, server, func(string) *tls.Config {
			return &tls.Config{RootCAs: cluster.pool(), ServerName: "127.0.0.1", NextProtos: []string{"h2"},
				Certificates: []tls.Certificate{cluster.pair()}, ClientSessionCache: cache}
		})
		require.NoError(t, atServer.err)
		require.NoError(t, atClient.err)
		require.False(t, atServer.state.DidResume)
	}
}

func TestPlaintextIsRefused(t *testing.T) {
	c := open(t, newCA("cluster").files(t))
	speak := func(conn net.Conn) side {
		_, err := conn.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
		must(err)
		answer, _ := io.ReadAll(conn)
		require.NotContains(t, string(answer), "SM")
		return side{}
	}
	atServer, _ := connect(t, func(conn net.Conn) side {
		defer conn.Close()
		return talk(tls.Server(conn, c.Server()))
	}, speak)
	require.ErrorContains(t, atServer.err, "first record does not look like a TLS handshake")

	_, atClient := connect(t, speak, func(conn net.Conn) side {
		defer conn.Close()
		return talk(tls.Client(conn, dial(t, c, "127.0.0.1")("1")))
	})
	require.ErrorContains(t, atClient.err, "first record does not look like a TLS handshake")
}

// A configuration that lost its callback, as a careless copy does, must not fall back to the
// system's roots or to no check at all.
func TestServerWithoutItsCallbackTrustsNoOne(t *testing.T) {
	cluster := newCA("cluster")
	c := open(t, cluster.files(t))
	bare := c.Server().Clone()
	bare.GetConfigForClient = nil
	bare.Certificates = []tls.Certificate{cluster.pair()}
	for _, from := range []*ca{cluster, foreign} {
		pair := from.pair()
		atServer, _ := meet(t, bare, func(string) *tls.Config {
			return &tls.Config{RootCAs: cluster.pool(), ServerName: "127.0.0.1", NextProtos: []string{"h2"},
				GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }}
		})
		require.ErrorContains(t, atServer.err, "certificate signed by unknown authority")
	}
}

// HTTP/2 is what gRPC speaks.
func TestHTTP2BetweenNodes(t *testing.T) {
	cluster := newCA("cluster")
	a, b := open(t, cluster.files(t)), open(t, cluster.files(t))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{
		TLSConfig: a.Server(), ReadHeaderTimeout: patience, ErrorLog: log.New(io.Discard, "", 0),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.Proto+" from "+r.TLS.PeerCertificates[0].Subject.CommonName)
		}),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.ServeTLS(l, "", "") }()
	transport := &http.Transport{
		ForceAttemptHTTP2: true,
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			config, err := b.Client(address)
			if err != nil {
				return nil, err
			}
			return (&tls.Dialer{Config: config}).DialContext(ctx, network, address)
		},
	}
	res, err := (&http.Client{Transport: transport, Timeout: patience}).Get("https://" + l.Addr().String())
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, "HTTP/2.0 from node", string(body))
	transport.CloseIdleConnections()
	require.NoError(t, server.Close())
	require.ErrorIs(t, <-ended, http.ErrServerClosed)
}

func TestClientNeedsAHostAndPort(t *testing.T) {
	c := open(t, newCA("cluster").files(t))
	for _, bad := range []string{"", "127.0.0.1", ":8090", "a:b:c"} {
		_, err := c.Client(bad)
		require.ErrorContains(t, err, "must be HOST:PORT", bad)
	}
	config, err := c.Client("[fe80::1%eth0]:8090")
	require.NoError(t, err)
	require.Equal(t, "fe80::1", config.ServerName)
}

func TestPlaintextAllowed(t *testing.T) {
	require.NoError(t, nodetls.PlaintextAllowed("127.0.0.1:8090", "127.1.2.3:0", "[::1]:8090", "localhost:8090", "[::ffff:127.0.0.1]:1", "[::1%lo]:1"))
	for _, open := range []string{":8090", "0.0.0.0:8090", "[::]:8090", "10.0.0.1:8090", "a.example.org:8090", "localhost.example.org:1", "[fe80::1%lo]:1"} {
		require.ErrorContains(t, nodetls.PlaintextAllowed("127.0.0.1:8090", open), "hexhail cluster certs init", open)
	}
	require.ErrorContains(t, nodetls.PlaintextAllowed("127.0.0.1"), "must be HOST:PORT")
}
