package session

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gobwas "github.com/gobwas/ws"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/transport"
	"github.com/hexhail/hexhail/transport/ws"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// inBoth runs a subtest in each encoding.
func inBoth(t *testing.T, run func(t *testing.T, codec wire.Codec)) {
	for _, codec := range []wire.Codec{wire.JSON, wire.Binary} {
		t.Run(encodingOf(codec), func(t *testing.T) { run(t, codec) })
	}
}

// ---------------------------------------------------------------- authentication

// fakeAuth knows a token and a ticket for each role, named like it, and some
// that fail.
type fakeAuth struct {
	mu     sync.Mutex
	expiry time.Time
	// before runs in each authentication.
	before func(ctx context.Context) error
	asked  atomic.Int32
}

func person(role ride.Role) ride.Account {
	return ride.Account{ID: ride.AccountID("account-" + string(role)), Role: role, Status: ride.AccountActive, FirstName: "Secret"}
}

func (a *fakeAuth) Authenticate(ctx context.Context, token string) (transport.Principal, error) {
	a.asked.Add(1)
	a.mu.Lock()
	before, expiry := a.before, a.expiry
	a.mu.Unlock()
	if before != nil {
		if err := before(ctx); err != nil {
			return transport.Principal{}, err
		}
	}
	p := transport.Principal{Family: "family-" + token, ExpiresAt: expiry}
	switch token {
	case "rider", "driver", "operator":
		p.Account = person(ride.Role(token))
	case "suspended":
		return p, ride.ErrSuspended
	case "suspended account":
		p.Account = person(ride.RoleRider)
		p.Account.Status = ride.AccountSuspended
	case "expired":
		p.Account, p.ExpiresAt = person(ride.RoleRider), time.Now()
	case "eternal":
		p.Account, p.ExpiresAt = person(ride.RoleRider), time.Time{}
	case "nobody":
		p.Account = ride.Account{Role: ride.RoleRider}
	case "down":
		return p, ride.ErrUnavailable
	case "broken":
		return p, errors.New("secret detail")
	default:
		return p, ride.ErrUnauthenticated
	}
	return p, nil
}

func (a *fakeAuth) RedeemTicket(ctx context.Context, ticket string) (transport.Principal, error) {
	token, ok := strings.CutPrefix(ticket, "ticket-")
	if !ok {
		return transport.Principal{}, ride.ErrUnauthenticated
	}
	return a.Authenticate(ctx, token)
}

// ---------------------------------------------------------------- actors

// fakeRouter answers a connect like an actor, with the events that it holds.
type fakeRouter struct {
	err    error
	before func(ctx context.Context, j transport.Join) error
	hold   bool // commands get no reply
	peers  chan *fakePeer
}

func (r *fakeRouter) Join(ctx context.Context, j transport.Join) (transport.Peer, error) {
	if r.before != nil {
		if err := r.before(ctx, j); err != nil {
			return nil, err
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	j.Out.Reply(&ridepb.Reply{Id: j.ConnectID, Result: &ridepb.Reply_Connected{Connected: &ridepb.Connected{
		SessionId: j.SessionID, Epoch: "epoch", Seq: 7, AccountId: string(j.Principal.Account.ID),
	}}})
	p := &fakePeer{
		join: j, hold: r.hold, left: make(chan struct{}),
		commands: make(chan *ridepb.ClientFrame, 4096), locations: make(chan ride.Position, 4096),
	}
	r.peers <- p
	return p, nil
}

type fakePeer struct {
	join      transport.Join
	hold      bool
	commands  chan *ridepb.ClientFrame
	locations chan ride.Position
	left      chan struct{} // closed by Leave; closing it twice panics
}

func (p *fakePeer) Command(f *ridepb.ClientFrame) {
	p.commands <- f
	switch {
	case f.GetGoOffline() != nil && f.Id == "panic":
		panic("an actor's mistake")
	case !p.hold:
		p.join.Out.Reply(done(f.Id))
	}
}

func done(id string) *ridepb.Reply {
	return &ridepb.Reply{Id: id, Result: &ridepb.Reply_Done{Done: &ridepb.Done{}}}
}

func (p *fakePeer) Location(pos ride.Position) error {
	if pos.HeadingDeg == 13 {
		return ride.ErrInvalidArgument.With("Not today.").In("location.heading_deg")
	}
	p.locations <- pos
	return nil
}

func (p *fakePeer) Leave() { close(p.left) }

// ---------------------------------------------------------------- the world

type world struct {
	auth   *fakeAuth
	router *fakeRouter
	h      *Handler
	url    string // http://…, empty without a listener
}

// newWorld makes a handler among fakes. set may change the configuration.
func newWorld(t *testing.T, set ...func(*Config, *world)) *world {
	t.Helper()
	w := &world{
		auth:   &fakeAuth{expiry: time.Now().Add(time.Hour)},
		router: &fakeRouter{peers: make(chan *fakePeer, 64)},
	}
	var cfg Config
	for _, f := range set {
		f(&cfg, w)
	}
	w.h = New(cfg, w.auth, w.router)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, w.h.Drain(ctx))
		require.Zero(t, w.h.registry.Len())
		require.Empty(t, w.h.registry.byAccount)
		require.Empty(t, w.h.registry.byAddress)
	})
	return w
}

// listen is newWorld with a real listener on loopback.
func listen(t *testing.T, set ...func(*Config, *world)) *world {
	t.Helper()
	w := newWorld(t, set...)
	server := httptest.NewUnstartedServer(w.h)
	ws.Harden(server.Config)
	server.Start()
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

// dial opens a socket over loopback.
func (w *world) dial(t *testing.T, codec wire.Codec, header http.Header) *client {
	t.Helper()
	d := gobwas.Dialer{Timeout: patience, Protocols: []string{codec.Subprotocol()}, Header: gobwas.HandshakeHeaderHTTP(header)}
	conn, early, hs, err := d.Dial(t.Context(), "ws"+strings.TrimPrefix(w.url, "http")+"/v1/ws")
	require.NoError(t, err)
	require.Equal(t, codec.Subprotocol(), hs.Protocol)
	var from io.Reader = conn
	if early != nil {
		from = early
	}
	return newClient(t, conn, from, codec)
}

// pipe opens a socket without a network, for tests in a bubble of synctest.
func (w *world) pipe(t *testing.T, codec wire.Codec) *client {
	t.Helper()
	addr := addressKey(w.h.cfg.ClientAddr(fromNowhere()))
	require.Nil(t, w.h.registry.admit(addr))
	return w.late(t, codec, addr)
}

func fromNowhere() *http.Request { return &http.Request{} }

// late is pipe for a socket that was admitted before.
func (w *world) late(t *testing.T, codec wire.Codec, addr netip.Addr) *client {
	t.Helper()
	near, far := net.Pipe()
	go func() {
		defer w.h.registry.release(addr)
		w.h.serve(ws.NewConn(far, w.h.cfg.Socket), codec, nil)
	}()
	return newClient(t, near, near, codec)
}

// stalled returns the two ends of a connection that nobody serves yet.
func (w *world) stalled(t *testing.T, codec wire.Codec) (*client, *ws.Conn) {
	t.Helper()
	near, far := net.Pipe()
	return newClient(t, near, near, codec), ws.NewConn(far, w.h.cfg.Socket)
}

// as connects a client with a role's token and returns it with its actor.
func (w *world) as(c *client, token string) (*client, *fakePeer) {
	c.t.Helper()
	c.send(&ridepb.ClientFrame{Id: "connect", Body: &ridepb.ClientFrame_Connect{Connect: &ridepb.Connect{Token: token, Client: "test/1"}}})
	require.NotNil(c.t, c.reply("connect").GetConnected())
	return c, next(c.t, w.router.peers)
}

// ---------------------------------------------------------------- the client

// client is a WebSocket client that reads whatever comes and answers pings.
type client struct {
	t     *testing.T
	conn  net.Conn
	codec wire.Codec
	in    chan gobwas.Frame
	mu    sync.Mutex    // of writing
	mute  atomic.Bool   // answer no pings
	idle  atomic.Bool   // read nothing
	over  chan struct{} // the test is
}

func newClient(t *testing.T, conn net.Conn, from io.Reader, codec wire.Codec) *client {
	c := &client{t: t, conn: conn, codec: codec, in: make(chan gobwas.Frame, 4096), over: make(chan struct{})}
	pumped := make(chan struct{})
	go func() {
		defer close(pumped)
		defer close(c.in)
		c.pump(bufio.NewReader(from))
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		close(c.over)
		<-pumped
	})
	return c
}

func (c *client) pump(from io.Reader) {
	for {
		if c.idle.Load() {
			<-c.over
			return
		}
		f, err := gobwas.ReadFrame(from) //nolint:staticcheck // unbounded, but from our own server
		switch {
		case err != nil:
			return
		case f.Header.OpCode != gobwas.OpPing:
			c.in <- f
		case !c.mute.Load():
			c.write(gobwas.NewPongFrame(f.Payload))
		}
		if f.Header.OpCode == gobwas.OpClose {
			c.write(gobwas.NewCloseFrame(f.Payload))
			return
		}
	}
}

// stall stops reading after the next frame.
func (c *client) stall() { c.idle.Store(true) }

func (c *client) write(f gobwas.Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = gobwas.WriteFrame(c.conn, gobwas.MaskFrame(f)) // a failure shows in what is read
}

// send sends a frame in the client's encoding, raw anything.
func (c *client) send(f *ridepb.ClientFrame) {
	c.t.Helper()
	data, err := c.codec.EncodeClient(f)
	require.NoError(c.t, err)
	c.raw(c.op(), data)
}

func (c *client) op() gobwas.OpCode {
	if c.codec.Binary() {
		return gobwas.OpBinary
	}
	return gobwas.OpText
}

func (c *client) raw(op gobwas.OpCode, payload []byte) {
	c.write(gobwas.NewFrame(op, true, append([]byte(nil), payload...)))
}

// next returns the next frame, which must not be the end.
func (c *client) next() *ridepb.ServerFrame {
	c.t.Helper()
	f, ok := nextOf(c.t, c.in)
	require.True(c.t, ok, "the stream ended")
	require.Equal(c.t, c.op(), f.Header.OpCode, "%q", f.Payload)
	frame, err := c.codec.DecodeServer(f.Payload)
	require.NoError(c.t, err)
	return frame
}

func (c *client) reply(id string) *ridepb.Reply {
	c.t.Helper()
	frame := c.next()
	require.NotNil(c.t, frame.GetReply(), "%v", frame)
	require.Equal(c.t, id, frame.GetReply().GetId(), "%v", frame)
	return frame.GetReply()
}

// refused expects an error reply of that kind.
func (c *client) refused(id string, want *ride.Error, field string) *ridepb.Error {
	c.t.Helper()
	r := c.reply(id)
	e := r.GetError()
	require.NotNil(c.t, e, "%v", r)
	require.Equal(c.t, want.Code, e.GetCode(), "%v", e)
	require.Equal(c.t, field, e.GetField(), "%v", e)
	require.Equal(c.t, want.Retryable, e.GetRetryable())
	require.NotEmpty(c.t, e.GetMessage())
	return e
}

// closed expects the disconnecting event and the close frame.
func (c *client) closed(code ridepb.CloseCode) *ridepb.Event {
	c.t.Helper()
	e := c.next().GetEvent()
	require.NotNil(c.t, e.GetDisconnecting(), "%v", e)
	require.Equal(c.t, uint32(code), e.GetDisconnecting().GetCloseCode(), "%v", e)
	require.Equal(c.t, code.Reason(), e.GetDisconnecting().GetReason())
	c.cut(gobwas.StatusCode(code), code.Reason())
	return e
}

// cut expects a close frame and nothing after it.
func (c *client) cut(code gobwas.StatusCode, reason string) {
	c.t.Helper()
	f, ok := nextOf(c.t, c.in)
	require.True(c.t, ok, "the stream ended without a close frame")
	require.Equal(c.t, gobwas.OpClose, f.Header.OpCode, "%q", f.Payload)
	gotCode, gotReason := gobwas.ParseCloseFrameData(f.Payload)
	require.Equal(c.t, code, gotCode, gotReason)
	require.Equal(c.t, reason, gotReason)
	_, ok = nextOf(c.t, c.in)
	require.False(c.t, ok)
}

func next[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	v, ok := nextOf(t, ch)
	require.True(t, ok, "closed")
	return v
}

func nextOf[T any](t *testing.T, ch <-chan T) (T, bool) {
	t.Helper()
	select {
	case v, ok := <-ch:
		return v, ok
	case <-time.After(patience):
		require.FailNow(t, "nothing came in time")
		panic("unreachable")
	}
}

// gone waits for a channel to be closed.
func gone(t *testing.T, ch <-chan struct{}) {
	t.Helper()
	_, ok := nextOf(t, ch)
	require.False(t, ok)
}

// none checks that nothing has come. What should not cause it must have been
// answered before.
func none[T any](t *testing.T, ch <-chan T) {
	t.Helper()
	select {
	case v := <-ch:
		require.Failf(t, "something came", "%v", v)
	default:
	}
}
