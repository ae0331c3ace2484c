package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// closeScenarios has an entry for every close code that Hexhail defines.
var closeScenarios = map[ridepb.CloseCode]scenario{
	ridepb.CloseShutdown:   {by: TestShutdown},
	ridepb.CloseOverloaded: {by: TestStoreFails},
	ridepb.CloseInternal:   {never: "it stands for a panic in Hexhail itself"},
	ridepb.CloseSlowConsumer: {
		flags: []string{"--socket-outbox-bytes=4096", "--socket-ping-interval=30s", "--log-level=error"},
		test:  slowConsumer,
	},
	ridepb.CloseHeartbeat: {
		flags: []string{"--socket-ping-interval=1s", "--socket-pong-timeout=2s"},
		test:  heartbeat,
	},
	ridepb.CloseTokenExpired: {test: tokenExpired},
	ridepb.CloseConnectTimeout: {
		flags: []string{"--socket-connect-within=1s"},
		test:  func(w *world) { w.ends(harness.Dial(w.t, w.s, w.codec, nil), ridepb.CloseConnectTimeout) },
	},
	ridepb.CloseProtocolError: {test: func(w *world) {
		c := harness.Dial(w.t, w.s, w.codec, nil)
		c.Send(harness.GoOffline())
		w.ends(c, ridepb.CloseProtocolError)
	}},
	ridepb.CloseUnauthenticated: {test: func(w *world) {
		c := harness.Dial(w.t, w.s, w.codec, nil)
		c.Send(harness.Connecting("", nil))
		w.ends(c, ridepb.CloseUnauthenticated)
	}},
	ridepb.CloseSuspended: {test: func(w *world) {
		c, connected := w.join(ride.RoleDriver)
		suspend(w, connected.GetAccountId())
		w.ends(c, ridepb.CloseSuspended)
	}},
	ridepb.CloseReplaced: {test: func(w *world) {
		c := w.rider()
		again, _ := w.as(ride.RoleRider, c.Name, nil)
		w.ends(c, ridepb.CloseReplaced)
		require.NotNil(w.t, again.Ask(harness.Ping()).GetPong())
	}},
	ridepb.CloseRevoked: {test: func(w *world) {
		in := w.s.SignUp(w.t, ride.RoleRider, w.name(ride.RoleRider))
		c, _ := harness.Connect(w.t, w.s, w.codec, in.Tokens.Access, nil)
		status, body := w.s.Call(http.MethodPost, "/v1/logout", in.Tokens.Access, "")
		require.Equal(w.t, http.StatusNoContent, status, body)
		w.ends(c, ridepb.CloseRevoked)
	}},
	ridepb.CloseTooManyErrors: {test: func(w *world) {
		c := w.rider()
		for range 21 {
			c.Send(harness.GoOnline(w.at))
		}
		w.ends(c, ridepb.CloseTooManyErrors)
	}},
}

// slowConsumer reads nothing while it repeatedly requests the same long answer. It stays only a few
// frames ahead of what the server has written, so that the server's backlog, which is long while a
// store is slow, does not close the session before the outbox does; and it stays below the message
// rate, whatever the kernel's buffers hold.
func slowConsumer(w *world) {
	const (
		ahead = 40  // below the 64 commands without a reply
		burst = 300 // below the 400 messages at once
		rate  = 150 // below the 200 messages a second
	)
	c := harness.DialRaw(w.t, w.s, w.codec, 4096)
	c.Connect(w.s.Token(ride.RoleRider, w.name(ride.RoleRider)))
	f := harness.Request(w.at, w.to)
	f.Id = "long-answer"
	f.GetRequestTrip().Note = strings.Repeat("n", ride.MaxNote)
	f.GetRequestTrip().PickupAddress = strings.Repeat("p", ride.MaxAddress)
	written := func() int { return int(w.s.Metric("hexhail_socket_frames_total", `direction="out"`)) }
	began, before, sent := time.Now(), written(), 0
	harness.Until(w.t, "the slow consumer's end", func() bool {
		may := min(written()-before+ahead, burst+int(time.Since(began).Seconds()*rate))
		for ; sent < may; sent++ {
			c.Send(f)
		}
		return w.s.Metric("hexhail_sessions_closed_total") > 0
	})
	require.Positive(w.t, w.s.Metric("hexhail_sessions_closed_total", `code="4001"`), "it was closed for another reason")
}

// heartbeat: a client that does not answer pings is closed; one that does is not. If the machine
// stalls for longer than the limit, the client is silent too, so the test tries several times.
func heartbeat(w *world) {
	for range 5 {
		awake := w.rider() // answers its pings
		silent := harness.DialRaw(w.t, w.s, w.codec, 0)
		silent.Connect(w.s.Token(ride.RoleRider, w.name(ride.RoleRider)))
		require.EqualValues(w.t, ridepb.CloseHeartbeat, silent.CloseCode())
		if r, err := awake.TryReply(awake.Send(harness.Ping()), 1); err == nil {
			require.NotNil(w.t, r.GetPong())
			return
		}
	}
	w.t.Fatal("a client that answers pings is closed like one that does not")
}

// tokenExpired: a socket ends with its token. How long a token must be valid to open a socket
// depends on the machine.
func tokenExpired(w *world) {
	for ttl := 2 * time.Second; ttl < time.Minute; ttl *= 2 {
		c := harness.Dial(w.t, w.s, w.codec, nil)
		r, err := c.TryReply(c.Send(harness.Connecting(tokenFor(w.s, w.name(ride.RoleRider), ttl), nil)), 1)
		if err != nil { // it expired before the answer
			require.EqualValues(w.t, ridepb.CloseTokenExpired, c.Closed())
			continue
		}
		if r.GetConnected() != nil {
			w.ends(c, ridepb.CloseTokenExpired)
			return
		}
		refused(w.t, ride.ErrUnauthenticated, r) // it had expired before it arrived
	}
	w.t.Fatal("no token lasted long enough")
}

// ends requires a socket to be closed with a code, announced by disconnecting.
func (w *world) ends(c *harness.Client, code ridepb.CloseCode) {
	w.t.Helper()
	require.EqualValues(w.t, code, c.Closed())
	said := disconnecting(c)
	require.NotNil(w.t, said, "the end was not announced")
	require.EqualValues(w.t, code, said.GetCloseCode())
	require.Equal(w.t, code.Reason(), said.GetReason())
	if !code.Reconnect() {
		require.Zero(w.t, said.GetRetryAfterMs())
	}
}

// disconnecting returns the announcement of a socket's end; nil if there was none.
func disconnecting(c *harness.Client) *ridepb.Disconnecting {
	for _, e := range c.Events() {
		if d := e.GetDisconnecting(); d != nil {
			return d
		}
	}
	return nil
}

func TestCloseCodes(t *testing.T) {
	byName := make(map[string]scenario)
	for c, sc := range closeScenarios {
		byName[c.Reason()] = sc
	}
	runScenarios(t, byName)
}

func TestEveryCloseCodeHasATest(t *testing.T) {
	for c, reason := range ridepb.CloseCodes() {
		sc, ok := closeScenarios[c]
		complete(t, reason, sc, ok)
	}
	require.Len(t, closeScenarios, len(ridepb.CloseCodes()))
}

// A server that is shutting down tells its clients when to reconnect, and refuses new sockets.
func TestShutdown(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		for range 5 { // it refuses for a second, in which a busy machine may not let this test ask
			if shutsDown(t, start("--shutdown-retry-after=3s"), codec) {
				return
			}
		}
		t.Fatal("the server exits before it refuses")
	})
}

// shutsDown stops a server, and reports whether it was seen to refuse a socket before it exited.
func shutsDown(t *testing.T, s *harness.Server, codec wire.Codec) bool {
	t.Helper()
	w := newWorld(t, s, codec)
	rider, d := w.rider(), w.driver(20)
	w.match(rider, d)
	// A socket that does not answer the close frame keeps the server for a second.
	harness.DialRaw(t, s, codec, 0).Connect(s.Token(ride.RoleRider, w.name(ride.RoleRider)))
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop() }()
	seen := ""
	harness.Until(t, "the refusal, or the exit", func() bool {
		resp, err := http.Get(s.HTTP + "/v1/ws")
		if err != nil {
			return true
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			return true
		}
		if resp.StatusCode != http.StatusServiceUnavailable {
			return false
		}
		require.NotEmpty(t, resp.Header.Get("Retry-After"))
		seen = string(b)
		return true
	})
	if seen != "" {
		problem(t, http.StatusServiceUnavailable, ride.ErrShuttingDown, http.StatusServiceUnavailable, seen)
	}
	for _, c := range []*harness.Client{rider, d} {
		w.ends(c, ridepb.CloseShutdown)
		require.GreaterOrEqual(t, disconnecting(c).GetRetryAfterMs(), uint32(3000))
	}
	require.NoError(t, <-stopped)
	return seen != ""
}
