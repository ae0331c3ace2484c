// Package client is a lean client of Hexhail's socket protocol, for simulations that
// hold thousands of them in one process. A client has one goroutine, and for a while two
// after Move. It keeps its
// session alive over lost sockets as docs/protocol.md asks of every app: it resumes by
// epoch and seq, repeats unanswered commands with their ids, waits with jitter or for as
// long as the server says, and stops for good where a close code says so.
package client

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// ErrFinal means that the server has asked this client not to reconnect.
var ErrFinal = errors.New("the server does not want this client back")

// Handler receives a client's events. Its methods are called one at a time, from the client's
// goroutine; they may call the client's methods except Close, and must not block for long.
type Handler interface {
	// Connected is called for each new session; first is false after a reconnect.
	Connected(c *ridepb.Connected, first bool)
	// Event is called for each new event, including replayed ones. After a gap in seq it is called
	// for the event after the gap, and the client then reconnects without its history.
	Event(e *ridepb.Event)
	// Down is called when the session has ended.
	Down(d Down)
}

// Down says how a session ended, or why none began.
type Down struct {
	// Code is the close code, 1006 when the socket broke, or the HTTP status of a
	// refused handshake.
	Code int
	// Err is what the socket reported.
	Err error
	// RetryAfter is when the server wants this client to reconnect; 0: not given.
	RetryAfter time.Duration
	// Final: the client will not reconnect.
	Final bool
	// Began is false when the session never came to connected.
	Began bool
	// Breach: the server broke the protocol as this client understands it.
	Breach bool
}

// OlderHandler receives what becomes of the socket that a Move leaves open, until the server closes
// it. Its methods are called like those of Handler.
type OlderHandler interface {
	// OlderEvent is called for each event that still arrives on it.
	OlderEvent()
	// OlderDown is called once, when it has ended: with the close code, or 1006 when it broke.
	OlderDown(code int)
}

// Config configures a client. All fields except Gate and Older are required.
type Config struct {
	// URLs are those of the servers' sockets, such as ws://127.0.0.1:8080/v1/ws. Each
	// attempt takes the next one.
	URLs []string
	// First is the index of the first URL to use.
	First int
	// Codec is the encoding to use.
	Codec wire.Codec
	// Name goes to the operator's log.
	Name string
	// Token returns an access token; it is called before each connect.
	Token func() (string, error)
	// Handler receives all events.
	Handler Handler
	// Older receives what arrives on a socket that Move left. Nil: Move does nothing.
	Older OlderHandler
	// Gate bounds the concurrent handshakes: each client holds one element during its handshake.
	// Nil: no bound.
	Gate chan struct{}
}

// Client is one account's app. Its methods may be called from any goroutine.
type Client struct {
	cfg    Config
	life   context.Context //nolint:containedctx // of the goroutines that Move starts
	cancel context.CancelFunc
	done   chan struct{}
	prefix string
	ids    atomic.Uint64

	// turn is held while the handlers are called.
	turn sync.Mutex

	mu       sync.Mutex
	conn     *conn // of the live session, nil while there is none
	runs     int   // goroutines
	node     int   // index of the URL of the live session, or of the last one
	outage   time.Duration
	dropped  bool
	pending  map[string]*pending
	stopped  bool
	epoch    string
	seq      uint32
	resumes  bool // epoch and seq may be resumed from
	attempts int  // consecutive attempts without a session
}

// Start makes a client and connects it. It runs until ctx ends, Close is called or the server asks
// it not to reconnect.
func Start(ctx context.Context, cfg Config) *Client {
	ctx, cancel := context.WithCancel(ctx)
	c := &Client{
		cfg: cfg, cancel: cancel, done: make(chan struct{}), prefix: rand.Text()[:10] + "-",
		pending: make(map[string]*pending), life: ctx, runs: 1,
	}
	go c.run(ctx, cfg.First)
	return c
}

// Move begins a new session at the next URL while the socket of the present one stays open until the
// server closes it, like that of a device that has changed networks. It reports false if there is no
// session or no OlderHandler.
func (c *Client) Move() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	older := c.conn
	if older == nil || c.stopped || c.cfg.Older == nil {
		return false
	}
	c.conn = nil
	older.left = true
	c.runs++ // the older socket's goroutine still runs, because c.conn was not nil
	next := c.node + 1
	go func() {
		c.turn.Lock()
		older.older = true
		c.turn.Unlock()
		c.run(c.life, next)
	}()
	return true
}

// Node is the index of the URL of the present session, or of the last one.
func (c *Client) Node() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.node
}

// Close closes the session cleanly and waits until the client's goroutine has ended. Pending
// commands stay unanswered.
func (c *Client) Close() {
	c.Stop()
	<-c.done
}

// Stop is Close without waiting; a handler may call it.
func (c *Client) Stop() {
	c.cancel()
	c.mu.Lock()
	conn := c.conn
	for _, p := range c.pending {
		p.stop()
	}
	c.stopped = true
	c.mu.Unlock()
	if conn != nil {
		conn.goodbye()
	}
}

// Done is closed when the client's goroutine has ended.
func (c *Client) Done() <-chan struct{} { return c.done }

// Drop cuts the socket without a close frame, like a tunnel, and stays offline for a while.
func (c *Client) Drop(outage time.Duration) {
	c.mu.Lock()
	conn := c.conn
	if conn != nil {
		c.dropped, c.outage = true, outage
	}
	c.mu.Unlock()
	if conn != nil {
		conn.cut()
	}
}

// SendLocation sends a position if there is a session, and drops it otherwise: a newer one will
// follow. It reports whether the position was sent.
func (c *Client) SendLocation(l *ridepb.Location) bool {
	c.mu.Lock()
	conn := c.conn
	c.mu.Unlock()
	if conn == nil {
		return false
	}
	return conn.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_Location{Location: l}}) == nil
}

// nextID is unique for the account with overwhelming probability.
func (c *Client) nextID() string { return c.prefix + strconv.FormatUint(c.ids.Add(1), 36) }

// run keeps a session, first at the n-th URL, until ctx ends, the server does not want the client back,
// or a Move has left its socket.
func (c *Client) run(ctx context.Context, n int) {
	defer c.ended()
	for ; ; n++ {
		n %= len(c.cfg.URLs)
		down, older := c.session(ctx, n)
		if ctx.Err() != nil || older {
			return
		}
		c.turn.Lock()
		c.cfg.Handler.Down(down)
		c.turn.Unlock()
		if down.Final {
			c.Stop()
			return
		}
		t := time.NewTimer(c.pause(down))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
	}
}

// ended ends the client with its last goroutine.
func (c *Client) ended() {
	c.mu.Lock()
	c.runs--
	last := c.runs == 0
	c.mu.Unlock()
	if last {
		c.cancel()
		close(c.done)
	}
}

// pause is how long to wait before the next attempt.
func (c *Client) pause(d Down) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dropped {
		c.dropped = false
		return c.outage
	}
	n := c.attempts
	c.attempts++
	if d.RetryAfter > 0 {
		return d.RetryAfter + jitter(d.RetryAfter/4)
	}
	return backoff(n)
}

// session runs one socket. older reports that a Move has left it.
func (c *Client) session(ctx context.Context, node int) (down Down, older bool) {
	conn, down := c.open(ctx, c.cfg.URLs[node])
	if conn == nil {
		return down, false
	}
	conn.node = node
	stop := context.AfterFunc(ctx, conn.goodbye)
	defer stop()
	defer conn.cut()
	began, err := c.serve(conn)
	c.mu.Lock()
	if c.conn == conn {
		c.conn = nil
	}
	older = conn.left
	c.mu.Unlock()
	down = c.verdict(conn, began, err)
	if older && ctx.Err() == nil {
		c.left(conn, down.Code)
	}
	return down, older
}

// left reports the end of a socket that a Move has left, and what arrives after it.
func (c *Client) left(conn *conn, code int) {
	tell := func(f func()) {
		c.turn.Lock()
		defer c.turn.Unlock()
		f()
	}
	tell(func() { c.cfg.Older.OlderDown(code) })
	conn.leaving.Store(true)
	for closed := conn.code != 0; closed; {
		conn.patience(leaveTimeout)
		if _, err := conn.read(); err != nil {
			return
		}
		tell(c.cfg.Older.OlderEvent)
	}
}

// errHole and errForeign are breaches of the protocol by the server.
var (
	errHole    = errors.New("the numbers of events leave a hole")
	errForeign = errors.New("a frame cannot be read")
)

func (c *Client) verdict(conn *conn, began bool, err error) Down {
	d := Down{Code: conn.code, Err: err, RetryAfter: conn.retryAfter, Began: began}
	d.Breach = errors.Is(err, errHole) || errors.Is(err, errForeign)
	if d.Code == 0 {
		d.Code = 1006
		if conn.announced != 0 {
			d.Code = conn.announced
		}
	}
	d.Final = d.Code >= 4500 && d.Code < 5000
	return d
}

// open shakes hands and sends connect.
func (c *Client) open(ctx context.Context, url string) (*conn, Down) {
	if c.cfg.Gate != nil {
		select {
		case c.cfg.Gate <- struct{}{}:
			defer func() { <-c.cfg.Gate }()
		case <-ctx.Done():
			return nil, Down{Err: ctx.Err()}
		}
	}
	token, err := c.cfg.Token()
	if err != nil {
		return nil, Down{Err: err, Final: true}
	}
	conn, down := dial(ctx, url, c.cfg.Codec)
	if conn == nil {
		return nil, down
	}
	hello := &ridepb.Connect{Token: token, Client: c.cfg.Name}
	c.mu.Lock()
	if c.resumes {
		hello.Resume = &ridepb.Resume{Epoch: c.epoch, Seq: c.seq}
	}
	c.mu.Unlock()
	conn.hello = c.nextID()
	err = conn.send(&ridepb.ClientFrame{Id: conn.hello, Body: &ridepb.ClientFrame_Connect{Connect: hello}})
	if err == nil {
		// The gate is held until the server has answered, which is where its work is.
		err = conn.awaitFirst(ctx)
	}
	if err != nil {
		conn.cut()
		return nil, Down{Code: 1006, Err: err}
	}
	return conn, Down{}
}

// serve reads until the socket ends.
func (c *Client) serve(conn *conn) (began bool, err error) {
	for {
		conn.patience(2 * conn.heartbeat)
		b, err := conn.read()
		if err != nil {
			return began, err
		}
		f, err := c.cfg.Codec.DecodeServer(b)
		if err != nil {
			return began, errors.Join(errForeign, err)
		}
		c.turn.Lock()
		began, err = c.frame(conn, f, began)
		c.turn.Unlock()
		if err != nil {
			return began, err
		}
	}
}

// frame handles one frame. The caller holds the turn.
func (c *Client) frame(conn *conn, f *ridepb.ServerFrame, began bool) (bool, error) {
	switch k := f.GetKind().(type) {
	case *ridepb.ServerFrame_Reply:
		switch {
		case conn.older: // the newer session repeats its command
		case !began && k.Reply.GetId() == conn.hello:
			return c.connected(conn, k.Reply), nil
		default:
			c.replied(k.Reply)
		}
	case *ridepb.ServerFrame_Event:
		if !conn.older || k.Event.GetDisconnecting() != nil {
			return began, c.event(conn, k.Event)
		}
		c.cfg.Older.OlderEvent()
	}
	return began, nil
}

// connected begins a session, or notes its refusal: the close frame follows.
func (c *Client) connected(conn *conn, r *ridepb.Reply) bool {
	hi := r.GetConnected()
	if hi == nil {
		conn.retryAfter = time.Duration(r.GetError().GetRetryAfterMs()) * time.Millisecond
		return false
	}
	if ms := hi.GetHeartbeatMs(); ms > 0 {
		conn.heartbeat = time.Duration(ms) * time.Millisecond
	}
	c.mu.Lock()
	first := !c.resumes && c.epoch == ""
	if !hi.GetResumed() {
		c.epoch, c.seq = hi.GetEpoch(), hi.GetSeq()
	}
	c.resumes, c.attempts, c.node = true, 0, conn.node
	c.mu.Unlock()
	c.cfg.Handler.Connected(hi, first)
	c.mu.Lock()
	c.conn = conn
	again := make([]*pending, 0, len(c.pending))
	for _, p := range c.pending {
		p.stop()
		again = append(again, p)
	}
	c.mu.Unlock()
	for _, p := range again {
		_ = conn.send(p.frame) // a broken socket is seen by its reader
	}
	return true
}

// event checks an event's number and hands it on.
func (c *Client) event(conn *conn, e *ridepb.Event) error {
	switch body := e.GetBody().(type) {
	case *ridepb.Event_Disconnecting:
		conn.announced = int(body.Disconnecting.GetCloseCode())
		conn.retryAfter = time.Duration(body.Disconnecting.GetRetryAfterMs()) * time.Millisecond
		return nil
	case *ridepb.Event_DriverMoved, *ridepb.Event_RouteChanged:
		c.cfg.Handler.Event(e)
		return nil
	}
	c.mu.Lock()
	if e.GetEpoch() != c.epoch || e.GetSeq() <= c.seq {
		c.mu.Unlock()
		return nil
	}
	hole := e.GetSeq() != c.seq+1
	c.seq = e.GetSeq()
	if hole {
		c.resumes = false
	}
	c.mu.Unlock()
	c.cfg.Handler.Event(e)
	if hole {
		return errHole
	}
	return nil
}
