// Package link carries frames between the nodes of a cluster, over protoactor's remoting.
//
// Remoting runs in an actor system of its own, in which the only actors of ours are the gates:
// a node that connects can reach nothing else by name, neither a person's actor nor a trip's.
package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/hexhail/hexhail/actors"
	"github.com/hexhail/hexhail/actors/nodepb"
)

// ErrConfig says that a configuration makes no sense.
var ErrConfig = errors.New("link between nodes")

// Config configures a Link. Begin with DefaultConfig.
type Config struct {
	// Listen is the host:port to listen at; port 0 takes a free one. Advertise is the host:port at
	// which the other nodes reach it; empty: the same.
	Listen, Advertise string
	// Server secures the connections of other nodes, and Client those to the host and port of
	// another. Without both, Listen and Advertise must be loopback addresses.
	Server *tls.Config
	Client func(address string) (*tls.Config, error)
	// Refused is called for each connection whose handshake fails, from any goroutine; nil: it is not
	// counted.
	Refused func(error)
	// Refuses is called for each handshake with another node at an address that fails at this end, as
	// with a certificate of another name, from any goroutine; nil: it is not counted.
	Refuses func(address string, err error)
	// Broken is called for each stream of another node that is ended because of what it holds, such as a
	// message of an unknown type, from any goroutine; nil: it is not counted.
	Broken func(error)
	// LateAfter is how many pings in a row a late node has left unanswered.
	LateAfter int
	// Unanswered bounds the frames on the way to one node, as far as its answers to pings show.
	Unanswered int
	// Log receives what operators need to know.
	Log *slog.Logger
}

// DefaultConfig returns a configuration without addresses.
func DefaultConfig() Config {
	return Config{LateAfter: 2, Unanswered: 20_000, Log: slog.Default()}
}

// Validate returns an error that wraps ErrConfig unless a Link can work by c.
func (c Config) Validate() error {
	switch {
	case c.LateAfter < 1 || c.Unanswered < 1:
		return fmt.Errorf("%w: what is unanswered must be bounded", ErrConfig)
	case (c.Server == nil) != (c.Client == nil):
		return fmt.Errorf("%w: both sides of a connection are secured, or neither", ErrConfig)
	case c.Log == nil:
		return fmt.Errorf("%w: a logger is missing", ErrConfig)
	}
	for _, address := range []string{c.Listen, c.Advertise} {
		if address == "" && c.Listen != "" {
			continue
		}
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrConfig, err)
		}
		if ip := net.ParseIP(host); c.Server == nil && host != "localhost" && !ip.IsLoopback() {
			return fmt.Errorf("%w: without certificates, nodes reach each other on one machine only, not at %s", ErrConfig, address)
		}
	}
	return nil
}

// Link is this node's end of the links to all others. Its methods may be called from any goroutine.
type Link struct {
	cfg    Config
	self   actors.Member
	system *actor.ActorSystem
	remote *remote.Remote

	mu      sync.Mutex
	deliver func(*nodepb.NodeFrame)                 // nil: not yet
	answer  func(from actors.Member) ([]byte, bool) // nil: not yet
	peers   map[actors.Member]*peer
	// failures are why the latest connections to addresses did not open.
	failures map[string]error
	closed   sync.Once
}

// Start listens for other nodes. It delivers nothing before Deliver is called, answers no ping before
// Answer is, and exchanges frames only with nodes that it pings. Close ends it.
func Start(cfg Config) (*Link, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	l := &Link{cfg: cfg, peers: make(map[actors.Member]*peer), failures: make(map[string]error)}
	quiet := slog.New(slog.DiscardHandler) // it logs every message that it cannot deliver, contents and all
	l.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }))
	if err := l.listen(); err != nil {
		l.system.Shutdown()
		return nil, err
	}
	l.self = actors.Member{Address: l.system.Address(), Incarnation: actors.NewIncarnation()}
	return l, nil
}

// listen starts remoting, which panics where others return an error.
func (l *Link) listen() (err error) {
	host, text, _ := net.SplitHostPort(l.cfg.Listen)
	port, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("%w: port %q", ErrConfig, text)
	}
	options := remote.Configure(host, port,
		remote.WithAdvertisedHost(l.cfg.Advertise),
		// It allocates as much at once, and grows by itself.
		remote.WithEndpointWriterQueueSize(1024), remote.WithEndpointManagerQueueSize(1024),
		remote.WithDialOptions(l.dialOptions()...), remote.WithServerOptions(l.serverOptions()...),
	)
	options.MaxRetryCount = 1 // it closes the connection of its last attempt only; the next ping tries again
	l.remote = remote.NewRemote(l.system, options)
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("link between nodes: %v", cause)
		}
	}()
	l.remote.Start()
	return nil
}

// recovering ends a stream whose handling panicked, and not the process.
func (l *Link) recovering(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			l.cfg.Log.Error("connection of another node ended in a panic", "cause", cause)
			err = fmt.Errorf("internal error")
		}
		if err != nil && status.Code(err) == codes.Unknown && l.cfg.Broken != nil { // others are ends of connections
			l.cfg.Broken(err)
		}
	}()
	return handle(srv, stream)
}

// Self is this node.
func (l *Link) Self() actors.Member { return l.self }

// Deliver sets where the frames of other nodes go; one node's arrive one after the other.
func (l *Link) Deliver(to func(*nodepb.NodeFrame)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deliver = to
}

// Answer sets what this node answers to the pings of another; false: nothing.
func (l *Link) Answer(with func(from actors.Member) ([]byte, bool)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answer = with
}

// idleFor is how long a node that is not pinged any more is remembered: until then it gets answers
// to its own pings, which may tell it that it is out.
const idleFor = time.Minute

// Meet takes the frames of another node from now on, which would be lost until it is pinged.
func (l *Link) Meet(m actors.Member) { l.meet(m) }

// Ping asks another node for its answer. From then on the two exchange frames, until the node has
// not been pinged for a minute. It returns when the context ends at the latest.
func (l *Link) Ping(ctx context.Context, to actors.Member) ([]byte, error) {
	return l.meet(to).ping(ctx)
}

// meet returns the peer for a node and forgets those that are idle.
func (l *Link) meet(m actors.Member) *peer {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for other, p := range l.peers {
		if p.idle(now) {
			l.system.Root.Stop(p.gate)
			delete(l.peers, other)
		}
	}
	p := l.peers[m]
	if p == nil {
		p = l.newPeer(m)
		l.peers[m] = p
	}
	return p
}

func (l *Link) peer(m actors.Member) *peer {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.peers[m]
}

// Send implements actors.Link. A frame to a node that leaves too many on the way is lost.
func (l *Link) Send(to actors.Member, f *nodepb.NodeFrame) {
	if p := l.peer(to); p != nil && p.room() {
		l.system.Root.Send(p.theirs, f)
	}
}

// Late implements actors.Link.
func (l *Link) Late(m actors.Member) bool {
	p := l.peer(m)
	return p == nil || p.late()
}

// Close ends all links. It is safe to call again.
func (l *Link) Close() {
	l.closed.Do(func() {
		l.remote.Shutdown(false)
		l.system.Shutdown()
	})
}

// counted reports the connections that are refused.
type counted struct {
	credentials.TransportCredentials
	refused func(error)
}

// ServerHandshake implements credentials.TransportCredentials.
func (c counted) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	secured, info, err := c.TransportCredentials.ServerHandshake(conn)
	if err != nil && c.refused != nil {
		c.refused(err)
	}
	return secured, info, err
}

// Clone implements credentials.TransportCredentials.
func (c counted) Clone() credentials.TransportCredentials {
	return counted{c.TransportCredentials.Clone(), c.refused}
}
