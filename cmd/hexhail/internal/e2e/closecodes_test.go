package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/harness"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// closeScenarios has an entry for every close code of Hexhail's own.
var closeScenarios = map[ridepb.CloseCode]scenario{
	ridepb.CloseShutdown:   {by: TestShutdown},
	ridepb.CloseOverloaded: {by: TestStoreFails},
	ridepb.CloseInternal:   {never: "it stands for a panic in Hexhail itself"},
	ridepb.CloseSlowConsumer: {
		flags: []string{"--socket-outbox-bytes=4096", "--log-level=error"},
		test: func(w *world) {
			c := harness.DialRaw(w.t, w.s, w.codec, 4096)
			c.Connect(w.s.Token(ride.RoleRider, w.name(ride.RoleRider)))
			// The same command again and again: each gets the same long answer, which
			// nobody reads.
			f := harness.Request(w.at, w.to)
			f.Id = "long-answer"
			f.GetRequestTrip().Note = strings.Repeat("n", ride.MaxNote)
			f.GetRequestTrip().PickupAddress = strings.Repeat("p", ride.MaxAddress)
			sent := 0
			harness.Until(w.t, "the slow consumer's end", func() bool {
				n := 1 // the limit of frames per second is far
				if sent < 300 {
					n = 20 // and that of commands under way
				}
				for range n {
					c.Send(f)
				}
				sent += n
				return w.s.Metric("hexhail_sessions_closed_total", `code="4001"`) > 0
			})
		},
	},
	ridepb.CloseHeartbeat: {
		flags: []string{"--socket-ping-interval=1s", "--socket-pong-timeout=2s"},
		test: func(w *world) {
			c := harness.DialRaw(w.t, w.s, w.codec, 0)
			c.Connect(w.s.Token(ride.RoleRider, w.name(ride.RoleRider)))
			awake := w.rider() // answers its pings
			require.EqualValues(w.t, ridepb.CloseHeartbeat, c.CloseCode())
			require.NotNil(w.t, awake.Ask(harness.Ping()).GetPong())
		},
	},
	ridepb.CloseTokenExpired: {test: func(w *world) {
		name := w.name(ride.RoleRider)
		c, _ := harness.Connect(w.t, w.s, w.codec, tokenFor(w.s, name, 2*time.Second), nil)
		w.ends(c, ridepb.CloseTokenExpired)
	}},
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

// disconnecting is the announcement of a socket's end, nil if there was none.
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

// A server that is told to end tells its clients when to come back, and refuses new
// sockets.
func TestShutdown(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		s := start("--shutdown-retry-after=3s")
		w := newWorld(t, s, codec)
		rider, d := w.rider(), w.driver(20)
		w.match(rider, d)
		// A socket that does not answer the close frame keeps the server for a second.
		harness.DialRaw(t, s, codec, 0).Connect(s.Token(ride.RoleRider, w.name(ride.RoleRider)))
		stopped := make(chan error, 1)
		go func() { stopped <- s.Stop() }()
		seen := ""
		harness.Until(t, "the refusal", func() bool {
			resp, err := http.Get(s.HTTP + "/v1/ws")
			require.NoError(t, err, "the server went before it refused")
			defer resp.Body.Close()
			b, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			if resp.StatusCode != http.StatusServiceUnavailable {
				return false
			}
			require.NotEmpty(t, resp.Header.Get("Retry-After"))
			seen = string(b)
			return true
		})
		problem(t, http.StatusServiceUnavailable, ride.ErrShuttingDown, http.StatusServiceUnavailable, seen)
		for _, c := range []*harness.Client{rider, d} {
			w.ends(c, ridepb.CloseShutdown)
			require.GreaterOrEqual(t, disconnecting(c).GetRetryAfterMs(), uint32(3000))
		}
		require.NoError(t, <-stopped)
	})
}
