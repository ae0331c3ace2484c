package packaging

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// connect opens a session through a proxy.
func (p proxied) connect(t testing.TB, codec wire.Codec, name string) *harness.Client {
	t.Helper()
	c := harness.Dial(t, p.Server, codec, &websocket.DialOptions{HTTPClient: p.client})
	require.NotNil(t, c.Ask(harness.Connecting(p.Token(ride.RoleRider, name), nil)).GetConnected())
	return c
}

// tryConnect is connect, or nil where a busy server needs longer for a session than the proxy waits.
func (p proxied) tryConnect(t *testing.T, codec wire.Codec, name string) (c *harness.Client) {
	t.Helper()
	if err := harness.Try(t, func(tb testing.TB) { c = p.connect(tb, codec, name) }); err != nil {
		t.Log(err)
		return nil
	}
	c.TB = t
	return c
}

// Sessions in both encodings, with and without TLS, outlive the time after which the proxy cuts what is
// silent: the server's pings pass it.
func TestSessionsOutliveTheProxysPatience(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{Flags: []string{"--socket-ping-interval=1s"}})
	for _, kind := range proxyKinds {
		for _, codec := range []wire.Codec{wire.JSON, wire.Binary} {
			t.Run(kind+" "+codec.Subprotocol(), func(t *testing.T) {
				t.Parallel()
				for idle := 1500 * time.Millisecond; ; idle *= 2 { // a busy machine pings late
					require.Less(t, idle, harness.Patience, "the proxy cuts sessions")
					c := behindProxy(t, kind, proxyOptions{idle: idle, secure: codec.Binary()}, s).tryConnect(t, codec, kind+codec.Subprotocol())
					if c == nil {
						continue
					}
					time.Sleep(idle + idle/2)
					r, err := c.TryReply(c.Send(harness.Ping()), 1)
					if err == nil {
						require.Nil(t, r.GetError())
						return
					}
					t.Log(err)
				}
			})
		}
	}
}

// Without pings the proxies do cut what is silent, so the test above can fail.
func TestProxiesCutSilentSockets(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{Flags: []string{"--socket-ping-interval=2m", "--socket-pong-timeout=5m"}})
	for _, kind := range proxyKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var c *harness.Client
			for idle := time.Second; c == nil; idle *= 2 {
				require.Less(t, idle, harness.Patience, "no session begins")
				c = behindProxy(t, kind, proxyOptions{idle: idle}, s).tryConnect(t, wire.JSON, kind)
			}
			require.Equal(t, -1, c.Closed(), "the server closed it")
		})
	}
}

// The server counts requests by the client's address, which only a proxy that it trusts may name: not
// even a client behind that proxy.
func TestProxiesNameTheClient(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs 127.0.0.2 and 127.0.0.3")
	}
	t.Parallel()
	for _, kind := range proxyKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			few := []string{"--limit-requests-per-second=0.1", "--limit-requests-burst=2"} // two, then one in ten seconds
			trusting := harness.Start(t, harness.Options{Flags: append(few, "--trusted-proxies=127.0.0.1/32")})
			p := behindProxy(t, kind, proxyOptions{}, trusting)
			forged := 0
			exceed := func(p proxied, from string) { // a slow machine is allowed another one meanwhile
				t.Helper()
				harness.Until(t, "a request beyond the limit", func() bool {
					forged++
					return p.ask(t, from, fmt.Sprintf("2001:db8:%x::1", forged))[0] == http.StatusTooManyRequests // each in a /64 of its own
				})
			}
			require.Equal(t, []int{200, 200}, p.ask(t, "127.0.0.2", "198.51.100.1", "198.51.100.2"))
			exceed(p, "127.0.0.2")
			require.Equal(t, []int{200, 200}, p.ask(t, "127.0.0.3", "198.51.100.1", "127.0.0.2"), "another client")
			exceed(p, "127.0.0.3")

			alone := behindProxy(t, kind, proxyOptions{}, harness.Start(t, harness.Options{Flags: few}))
			limited := false
			for another := 4; !limited && another < 250; another++ { // one that has not asked yet
				exceed(alone, "127.0.0.2")
				limited = alone.ask(t, fmt.Sprintf("127.0.0.%d", another), "")[0] == http.StatusTooManyRequests
			}
			require.True(t, limited, "without trust all have the proxy's address")
		})
	}
}

// ask makes requests from an address of this machine, each with an X-Forwarded-For of the client's own,
// and returns their statuses.
func (p proxied) ask(t *testing.T, from string, forged ...string) (statuses []int) {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
	for _, name := range forged {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.HTTP+"/v1/config", nil)
		require.NoError(t, err)
		if name != "" {
			request.Header.Set("X-Forwarded-For", name)
		}
		answer, err := client.Do(request)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		statuses = append(statuses, answer.StatusCode)
	}
	return statuses
}

// A server that answers a handshake with 503, as while it stops or when it is full, costs no session:
// the proxy asks the other.
func TestProxiesAskAnotherServer(t *testing.T) {
	t.Parallel()
	for _, kind := range proxyKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			roomy, full := harness.Start(t, harness.Options{}), harness.Start(t, harness.Options{Flags: []string{"--socket-max=1"}})
			harness.Dial(t, full, wire.JSON, nil)
			p := behindProxy(t, kind, proxyOptions{}, full, roomy)
			for _, name := range []string{"a", "b", "c", "d", "e"} { // all stay, so the other has more connections
				p.connect(t, wire.Binary, name)
			}
			require.Positive(t, full.Metric("hexhail_sessions_refused_total", `reason="full"`), "it was never asked")
		})
	}
}

// A request that may have taken effect is never sent twice; a read that was refused is.
func TestProxiesRepeatReadsAlone(t *testing.T) {
	t.Parallel()
	for _, kind := range proxyKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			refusing := func() *harness.Server {
				s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path != "/healthz" {
						asked.Add(1)
						w.WriteHeader(http.StatusServiceUnavailable)
					}
				}))
				t.Cleanup(s.Close)
				return &harness.Server{HTTP: s.URL}
			}
			p := behindProxy(t, kind, proxyOptions{}, refusing(), refusing(), refusing())
			ask := func(method string) int64 {
				asked.Store(0)
				request, err := http.NewRequestWithContext(t.Context(), method, p.HTTP+"/v1/me", nil)
				require.NoError(t, err)
				answer, err := p.client.Do(request)
				require.NoError(t, err)
				require.NoError(t, answer.Body.Close())
				require.Equal(t, http.StatusServiceUnavailable, answer.StatusCode, method)
				return asked.Load()
			}
			require.EqualValues(t, 1, ask(http.MethodPost)) // nginx leaves that server out for a moment now
			require.Greater(t, ask(http.MethodGet), int64(1))
		})
	}
}

// While one of two servers stops, new sessions go to the other, without one failing. One that the server
// took just before it began to stop ends as the older ones do; the next comes after, so it is the only one.
func TestProxiesLeadAwayFromAStoppingServer(t *testing.T) {
	t.Parallel()
	for _, kind := range proxyKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			stays := harness.Start(t, harness.Options{})
			stops := harness.Start(t, harness.Options{})
			p := behindProxy(t, kind, proxyOptions{}, stays, stops)
			var clients []*harness.Client
			for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
				clients = append(clients, p.connect(t, wire.JSON, name))
			}
			left := stays.Metric("hexhail_sessions_open", `role="rider"`)
			require.Positive(t, left)
			require.Less(t, left, float64(len(clients)), "all sessions are on one server")
			ended := make(chan error, 1)
			go func() { ended <- stops.Stop() }()
			for after, cutShort := 0, 0; after < 5; { // sessions after its end
				select {
				case err := <-ended:
					require.NoError(t, err)
					after = 1
				default:
					if after > 0 {
						after++
					}
				}
				c := harness.Dial(t, p.Server, wire.JSON, &websocket.DialOptions{HTTPClient: p.client})
				r, err := c.TryAsk(harness.Connecting(p.Token(ride.RoleRider, "late"), nil))
				if err != nil {
					require.Equal(t, int(ridepb.CloseShutdown), c.Closed(), "%v", err)
					cutShort++
					require.Equal(t, 1, cutShort, "the stopping server takes new sessions")
					continue
				}
				require.NotNil(t, r.GetConnected(), "%v", r)
				c.Drop()
			}
			alive := 0.0
			for _, c := range clients {
				if r, err := c.TryReply(c.Send(harness.Ping()), 1); err == nil {
					require.Nil(t, r.GetError())
					alive++
					continue
				}
				require.Equal(t, int(ridepb.CloseShutdown), c.Closed())
			}
			require.Equal(t, left, alive)
		})
	}
}
