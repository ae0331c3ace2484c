package harness

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// Patience is how long a client waits for something that must arrive. It is a safety net, not a
// measurement: even a busy machine must not reach it.
const Patience = time.Minute

// ErrEnded means that a socket ended before the expected message arrived.
var ErrEnded = errors.New("the socket ended")

// Client is an app's socket. It collects what the server sends; its methods may be called from any
// goroutine.
type Client struct {
	TB    testing.TB
	Name  string
	codec wire.Codec
	conn  *websocket.Conn

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced whenever something arrived
	ids      int
	replies  map[string][]*ridepb.Reply
	last     *ridepb.Reply
	events   []*ridepb.Event
	raw      [][]byte
	received int
	err      error
}

// Dial opens a socket and sends nothing.
func Dial(tb testing.TB, s *Server, codec wire.Codec, opts *websocket.DialOptions) *Client {
	tb.Helper()
	if opts == nil {
		opts = &websocket.DialOptions{}
	}
	opts.Subprotocols = []string{codec.Subprotocol()}
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, s.WS, opts)
	if err != nil {
		tb.Fatalf("dial: %v", err)
	}
	conn.SetReadLimit(1 << 20)
	c := &Client{TB: tb, codec: codec, conn: conn, changed: make(chan struct{}), replies: make(map[string][]*ridepb.Reply)}
	go c.read()
	tb.Cleanup(func() { _ = conn.CloseNow() })
	return c
}

// Connect opens a socket with a token and waits for connected.
func Connect(tb testing.TB, s *Server, codec wire.Codec, token string, resume *ridepb.Resume) (*Client, *ridepb.Connected) {
	tb.Helper()
	c := Dial(tb, s, codec, nil)
	r := c.Ask(Connecting(token, resume))
	if r.GetConnected() == nil {
		tb.Fatalf("connect was refused: %v", r)
	}
	return c, r.GetConnected()
}

func (c *Client) read() {
	for {
		_, b, err := c.conn.Read(context.Background())
		f := new(ridepb.ServerFrame)
		if err == nil {
			f, err = c.codec.DecodeServer(b)
		}
		c.mu.Lock()
		if err != nil {
			c.err = err
		} else {
			c.received += len(b)
			c.raw = append(c.raw, b)
			switch k := f.GetKind().(type) {
			case *ridepb.ServerFrame_Reply:
				c.last = k.Reply
				c.replies[k.Reply.GetId()] = append(c.replies[k.Reply.GetId()], k.Reply)
			case *ridepb.ServerFrame_Event:
				c.events = append(c.events, k.Event)
			}
		}
		close(c.changed)
		c.changed = make(chan struct{})
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Send sends a frame, giving it an id if it has none, and returns the id.
func (c *Client) Send(f *ridepb.ClientFrame) string {
	c.TB.Helper()
	if f.Id == "" {
		c.mu.Lock()
		c.ids++
		f.Id = fmt.Sprintf("c%d-%d", time.Now().UnixNano(), c.ids)
		c.mu.Unlock()
	}
	b, err := c.codec.EncodeClient(f)
	if err != nil {
		c.TB.Fatalf("encode: %v", err)
	}
	c.SendRaw(b)
	return f.GetId()
}

// SendRaw sends a message in the session's encoding unchanged. A closed socket is not a failure
// here: a later wait for the reply will notice.
func (c *Client) SendRaw(b []byte) {
	kind := websocket.MessageText
	if c.codec.Subprotocol() == wire.Binary.Subprotocol() {
		kind = websocket.MessageBinary
	}
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	_ = c.conn.Write(ctx, kind, b)
}

// askings is how often Ask asks: a busy machine's database may be slow more than once.
const askings = 4

// Ask sends a frame and returns its reply. Like an app it sends the frame again, under its
// id, when the service is not able to answer now.
func (c *Client) Ask(f *ridepb.ClientFrame) *ridepb.Reply {
	c.TB.Helper()
	r, err := c.TryAsk(f)
	if err != nil {
		c.TB.Fatal(err)
	}
	return r
}

// TryAsk is Ask for tests in which the socket may end first.
func (c *Client) TryAsk(f *ridepb.ClientFrame) (*ridepb.Reply, error) {
	c.TB.Helper()
	for n := 1; ; n++ {
		r, err := c.TryReply(c.Send(f), n)
		if err != nil || r.GetError().GetCode() != ride.ErrUnavailable.Code || n == askings {
			return r, err
		}
		time.Sleep(time.Duration(r.GetError().GetRetryAfterMs()) * time.Millisecond)
	}
}

// AskOnce is Ask for tests of a service that cannot answer.
func (c *Client) AskOnce(f *ridepb.ClientFrame) *ridepb.Reply {
	c.TB.Helper()
	return c.Reply(c.Send(f), 1)
}

// Reply waits for the n-th reply to an id, n from 1.
func (c *Client) Reply(id string, n int) *ridepb.Reply {
	c.TB.Helper()
	r, err := c.TryReply(id, n)
	if err != nil {
		c.TB.Fatal(err)
	}
	return r
}

// TryReply is Reply for tests in which the socket may end first.
func (c *Client) TryReply(id string, n int) (*ridepb.Reply, error) {
	var r *ridepb.Reply
	err := c.tryWait("reply to "+id, func() bool {
		if len(c.replies[id]) < n {
			return false
		}
		r = c.replies[id][n-1]
		return true
	})
	return r, err
}

// Await waits for the first matching event, after skipping skip of them, and returns it. match must
// not use the client.
func (c *Client) Await(what string, skip int, match func(*ridepb.Event) bool) *ridepb.Event {
	c.TB.Helper()
	e, err := c.TryAwait(what, skip, match)
	if err != nil {
		c.TB.Fatal(err)
	}
	return e
}

// TryAwait is Await for tests in which the socket may end first.
func (c *Client) TryAwait(what string, skip int, match func(*ridepb.Event) bool) (*ridepb.Event, error) {
	var found *ridepb.Event
	err := c.tryWait(what, func() bool {
		for _, e := range c.events[min(skip, len(c.events)):] {
			if match(e) {
				found = e
				return true
			}
		}
		return false
	})
	return found, err
}

// Offer waits for the offer of a trip.
func (c *Client) Offer(trip string) *ridepb.Offer {
	c.TB.Helper()
	return c.Await("offer of "+trip, 0, func(e *ridepb.Event) bool {
		return e.GetOfferReceived().GetOffer().GetTripId() == trip
	}).GetOfferReceived().GetOffer()
}

// OfferEnd waits for the end of an offer.
func (c *Client) OfferEnd(offer string) *ridepb.OfferClosed {
	c.TB.Helper()
	return c.Await("end of offer "+offer, 0, func(e *ridepb.Event) bool {
		return e.GetOfferClosed().GetOfferId() == offer
	}).GetOfferClosed()
}

// Status waits for an update of the trip with this status.
func (c *Client) Status(trip string, s ridepb.Trip_Status) *ridepb.Trip {
	c.TB.Helper()
	return c.Await("status "+s.String(), 0, func(e *ridepb.Event) bool {
		t := e.GetTripUpdated().GetTrip()
		return t.GetId() == trip && t.GetStatus() == s
	}).GetTripUpdated().GetTrip()
}

// Closed waits for the socket's end and returns its close code.
func (c *Client) Closed() int {
	c.TB.Helper()
	var code int
	c.wait("close", func() bool {
		if c.err == nil {
			return false
		}
		var ce websocket.CloseError
		if errors.As(c.err, &ce) {
			code = int(ce.Code)
		} else {
			code = -1
		}
		return true
	})
	return code
}

// wait waits until done, which is called under the lock whenever something has arrived.
func (c *Client) wait(what string, done func() bool) {
	c.TB.Helper()
	if err := c.tryWait(what, done); err != nil {
		c.TB.Fatal(err)
	}
}

// tryWait is wait, but returns an error instead of failing.
func (c *Client) tryWait(what string, done func() bool) error {
	timeout := time.NewTimer(Patience)
	defer timeout.Stop()
	for {
		c.mu.Lock()
		ok, changed, err := done(), c.changed, c.err
		c.mu.Unlock()
		if ok {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: waiting for %s: %w: %w", c.Name, what, ErrEnded, err)
		}
		select {
		case <-changed:
		case <-timeout.C:
			return fmt.Errorf("%s: %s did not come", c.Name, what)
		}
	}
}

// Events returns the events received so far.
func (c *Client) Events() []*ridepb.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*ridepb.Event(nil), c.events...)
}

// Take returns the events received so far and forgets them, the replies and the raw messages, so
// that a client can be used for many rides.
func (c *Client) Take() []*ridepb.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.events
	c.events, c.raw = nil, nil
	clear(c.replies)
	return taken
}

// Replies returns the replies received so far, in no particular order.
func (c *Client) Replies() []*ridepb.Reply {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []*ridepb.Reply
	for _, of := range c.replies {
		out = append(out, of...)
	}
	return out
}

// Last returns the latest reply; nil if there is none.
func (c *Client) Last() *ridepb.Reply {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// Raw returns the messages received so far, as they came.
func (c *Client) Raw() [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([][]byte(nil), c.raw...)
}

// Conn is the socket itself.
func (c *Client) Conn() *websocket.Conn { return c.conn }

// Drop cuts the socket without a close frame.
func (c *Client) Drop() { _ = c.conn.CloseNow() }

// Position reports a driver's position.
func (c *Client) Position(p geo.Point) {
	c.TB.Helper()
	c.Send(At(p))
}

// Online makes a driver available at a place.
func (c *Client) Online(p geo.Point) {
	c.TB.Helper()
	r := c.Ask(GoOnline(p))
	if r.GetDone() == nil {
		c.TB.Fatalf("go online was refused: %v", r)
	}
}
