package link

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"github.com/hexhail/hexhail/actors"
)

const (
	// connectWithin bounds the opening of a connection, handshake included, at both ends.
	connectWithin = 5 * time.Second
	// probeAfter is how long a connection may be silent before it is probed, and probeWithin how long
	// that may take. The machine at the other end may have lost its power, and then no end of the
	// connection ever arrives. gRPC does not probe more often than every 10 s.
	probeAfter  = 10 * time.Second
	probeWithin = 5 * time.Second
)

// dialOptions are those of connections to other nodes.
func (l *Link) dialOptions() []grpc.DialOption {
	security := grpc.WithTransportCredentials(insecure.NewCredentials())
	if l.cfg.Client != nil {
		security = grpc.WithTransportCredentials(byAddress{l.cfg.Client, l.refuses})
	}
	return []grpc.DialOption{
		security, grpc.WithContextDialer(l.dial),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: connectWithin}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: probeAfter, Timeout: probeWithin}),
	}
}

// serverOptions are those of connections of other nodes.
func (l *Link) serverOptions() []grpc.ServerOption {
	security := insecure.NewCredentials()
	if l.cfg.Server != nil {
		security = counted{credentials.NewTLS(l.cfg.Server), l.cfg.Refused}
	}
	return []grpc.ServerOption{
		grpc.Creds(security), grpc.StreamInterceptor(l.recovering), grpc.ConnectionTimeout(connectWithin),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: probeAfter, Timeout: probeWithin}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: probeAfter / 2}),
	}
}

// dial connects to another node. It uses no proxy, whatever the environment names.
func (l *Link) dial(ctx context.Context, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	l.note(address, err)
	return conn, err
}

// refuses notes what became of a handshake with another node.
func (l *Link) refuses(address string, err error) {
	l.note(address, err)
	if err != nil && l.cfg.Refuses != nil {
		l.cfg.Refuses(address, err)
	}
}

// note keeps why the latest connection to an address did not open.
func (l *Link) note(address string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if errors.Is(err, context.DeadlineExceeded) {
		err = errNoConnection
	}
	if err == nil {
		delete(l.failures, address)
	} else if len(l.failures) < maxFailures {
		l.failures[address] = err
	}
}

var errNoConnection = errors.New("no connection in " + connectWithin.String())

// maxFailures bounds the addresses that are remembered.
const maxFailures = 1000

// Failure returns why the latest attempt to connect to a node failed; nil: it did not.
func (l *Link) Failure(m actors.Member) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failures[m.Address]
}

// byAddress are the credentials of the side that connects: a configuration of its own for each
// address, because what it trusts is read again for each connection.
type byAddress struct {
	config func(address string) (*tls.Config, error)
	note   func(address string, err error)
}

// ClientHandshake implements credentials.TransportCredentials.
func (b byAddress) ClientHandshake(ctx context.Context, address string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	secured, info, err := b.handshake(ctx, address, conn)
	b.note(address, err)
	return secured, info, err
}

func (b byAddress) handshake(ctx context.Context, address string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	cfg, err := b.config(address)
	if err != nil {
		return nil, nil, err
	}
	return credentials.NewTLS(cfg).ClientHandshake(ctx, address, conn)
}

// ServerHandshake implements credentials.TransportCredentials.
func (b byAddress) ServerHandshake(net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("link between nodes: these credentials only connect")
}

// Info implements credentials.TransportCredentials.
func (b byAddress) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls", SecurityVersion: "1.3"}
}

// Clone implements credentials.TransportCredentials.
func (b byAddress) Clone() credentials.TransportCredentials { return b }

// OverrideServerName implements credentials.TransportCredentials.
func (b byAddress) OverrideServerName(string) error { return nil }
