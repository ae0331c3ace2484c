package session

import (
	"bufio"
	"context"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/transport/ws"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen.
const patience = time.Minute

// inBoth runs a subtest in each encoding.
func inBoth(t *testing.T, run func(t *testing.T, codec wire.Codec)) {
	for _, codec := range []wire.Codec{wire.JSON, wire.Binary} {
		t.Run(encodingOf(codec), func(t *testing.T) { run(t, codec) })
	}
}

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
		router: &fakeRouter{inboxes: make(chan *fakeInbox, 64)},
	}
	cfg := DefaultConfig()
	for _, f := range set {
		f(&cfg, w)
	}
	var err error
	w.h, err = New(cfg, w.auth, w.router)
	require.NoError(t, err)
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

// listen is newWorld with a real listener on loopback. Its time is real: on a busy machine everything may take
// longer than a session waits, so sessions wait as long as the tests.
func listen(t *testing.T, set ...func(*Config, *world)) *world {
	t.Helper()
	patient := func(c *Config, _ *world) {
		c.ConnectTimeout, c.AuthTimeout, c.JoinTimeout, c.AnswerWithin = patience, patience, patience, patience
		c.Socket.SilenceTimeout = patience
	}
	w := newWorld(t, append([]func(*Config, *world){patient}, set...)...)
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
	r := w.handshake(t, "", header)
	r.Header.Set("Sec-WebSocket-Protocol", codec.Subprotocol())
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(t.Context(), "tcp", r.URL.Host)
	require.NoError(t, err)
	require.NoError(t, r.Write(conn))
	from := bufio.NewReader(conn)
	resp, err := http.ReadResponse(from, r)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	require.Equal(t, codec.Subprotocol(), resp.Header.Get("Sec-WebSocket-Protocol"))
	return newClient(t, conn, from, codec)
}

// handshake is the request for an upgrade, header added.
func (w *world) handshake(t *testing.T, query string, header http.Header) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/v1/ws"+query, nil)
	require.NoError(t, err)
	r.Header = http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Sec-Websocket-Protocol": {wire.SubprotocolJSON},
	}
	maps.Copy(r.Header, header)
	return r
}

// pipe opens a socket without a network, for tests in a bubble of synctest.
func (w *world) pipe(t *testing.T, codec wire.Codec) *client {
	t.Helper()
	addr := addressKey("")
	require.Nil(t, w.h.registry.admit(addr))
	return w.late(t, codec, addr, nil)
}

// late is pipe for a socket that was admitted before.
func (w *world) late(t *testing.T, codec wire.Codec, addr netip.Addr, cred *credential) *client {
	t.Helper()
	near, far := net.Pipe()
	go func() {
		defer w.h.registry.release(addr)
		w.h.serve(ws.NewConn(far, w.h.cfg.Socket), codec, cred)
	}()
	return newClient(t, near, near, codec)
}

// stalled returns the two ends of a connection that is not served yet.
func (w *world) stalled(t *testing.T, codec wire.Codec) (*client, *ws.Conn) {
	t.Helper()
	near, far := net.Pipe()
	return newClient(t, near, near, codec), ws.NewConn(far, w.h.cfg.Socket)
}

// as connects a client with a role's token and returns it with its actor.
func (w *world) as(c *client, token string) (*client, *fakeInbox) {
	c.t.Helper()
	c.send(&ridepb.ClientFrame{Id: "connect", Body: &ridepb.ClientFrame_Connect{Connect: &ridepb.Connect{Token: token, Client: "test/1"}}})
	require.NotNil(c.t, c.reply("connect").GetConnected())
	return c, next(c.t, w.router.inboxes)
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
