package ws

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Handler receives what the peer of one connection sends.
type Handler interface {
	// OnMessage is called on the goroutine of Serve for each message, OpText or
	// OpBinary, in order. The payload is valid only during the call. While it
	// runs nothing is read from the peer, which is the back-pressure: it may
	// block, but briefly.
	OnMessage(op Op, payload []byte)
}

// RTTHandler may be implemented by a [Handler] that wants to know how long the
// peer takes to answer a ping. It is called on the goroutine of Serve.
type RTTHandler interface {
	OnRTT(time.Duration)
}

// Side is who ended a connection.
type Side string

// The sides.
const (
	// ByNetwork: the stream ended or broke without a close frame.
	ByNetwork Side = "network"
	// ByServer: we closed it, for any reason.
	ByServer Side = "server"
	// ByPeer: the peer sent its close frame first.
	ByPeer Side = "peer"
)

// Closed says how a connection ended. The first cause counts.
type Closed struct {
	By Side
	// Code is the code of the first close frame; CodeNone if it had none, and
	// CodeAbnormal if there was none.
	Code   Code
	Reason string
	// Err is the cause, if the end was not asked for: ErrSlowConsumer,
	// ErrSilent, ErrAborted, a *Violation, or an error of the network.
	Err error
}

// Conn is the server's end of one WebSocket connection. Send, SendLatest, Close
// and Abort may be called from any goroutine, also before Serve; they never
// block. Serve must be called exactly once, or else Abort.
type Conn struct {
	conn     net.Conn
	cfg      Config
	protocol string
	early    []byte // bytes that came with the handshake
	vectored bool   // conn writes net.Buffers with one system call

	out        outbox
	readerDone chan struct{}

	ending atomic.Bool // end is being set, or is set
	endMu  sync.Mutex
	end    Closed
	hurry  bool // writes get CloseTimeout instead of WriteTimeout
	// lingering: after a violation the reader only waits for the stream to end.
	lingering atomic.Bool

	pingID   atomic.Uint64
	pingSent atomic.Int64 // when pingID was queued, since epoch

	asm Assembler
	// small is the read buffer of a connection that says little. A peer that
	// fills it gets a pooled large one until it says little again.
	small [512]byte
}

// epoch is the origin of the monotonic times kept in atomics.
var epoch = time.Now()

// NewConn makes a connection of a stream on which the opening handshake is
// done, by a valid cfg. [Upgrader] is the usual way to get one.
func NewConn(conn net.Conn, cfg Config) *Conn {
	if cfg.Observer == nil {
		cfg.Observer = noObserver{}
	}
	c := &Conn{conn: conn, cfg: cfg, readerDone: make(chan struct{})}
	c.out.limit, c.out.wake = cfg.MaxQueue, make(chan struct{}, 1)
	c.asm.init(Rules{MaxFrame: cfg.MaxFrame, MaxMessage: cfg.MaxMessage})
	switch conn.(type) {
	case *net.TCPConn, *net.UnixConn:
		c.vectored = true
	}
	if tcp, ok := conn.(*net.TCPConn); ok && cfg.SendBuffer > 0 {
		// A refusal only means that the kernel keeps its own size.
		_ = tcp.SetWriteBuffer(cfg.SendBuffer)
	}
	return c
}

// Subprotocol returns what the handshake agreed on, or "".
func (c *Conn) Subprotocol() string { return c.protocol }

// RemoteAddr returns the peer's address as the listener saw it.
func (c *Conn) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }

// Queued returns the bytes that are queued or being written, with the charge per
// frame. It never exceeds Config.MaxQueue.
func (c *Conn) Queued() int { return c.out.queued() }

// Send queues a message, OpText or OpBinary. The payload is shared, not copied:
// it must never be changed afterwards, and may be sent to other connections too.
// It returns ErrSlowConsumer if the queue is full, which closes the connection,
// and ErrClosed once the connection is closing.
func (c *Conn) Send(op Op, payload []byte) error {
	_, err := c.out.put(outFrame{op, payload}, "", false)
	return c.sent(err)
}

// SendLatest is Send for a message that makes its predecessors of the same key
// worthless: one that still waits is replaced, keeping its place in the order.
func (c *Conn) SendLatest(key string, op Op, payload []byte) error {
	replaced, err := c.out.put(outFrame{op, payload}, key, true)
	if replaced {
		c.cfg.Observer.Replaced()
	}
	return c.sent(err)
}

func (c *Conn) sent(err error) error {
	if errors.Is(err, ErrSlowConsumer) {
		c.giveUp(Closed{By: ByServer, Code: c.cfg.SlowCode, Reason: "slow_consumer", Err: ErrSlowConsumer})
	}
	return err
}

// Close begins a graceful close: further messages are refused, those queued are
// written, then a close frame; the peer gets Config.CloseTimeout to answer it.
// Serve returns when that is over. Only the first end of a connection counts;
// later calls do nothing. A reason over 123 bytes is cut.
func (c *Conn) Close(code Code, reason string) {
	if c.conclude(Closed{By: ByServer, Code: code, Reason: reason}) {
		c.out.seal(code, reason, false)
	}
}

// Abort cuts the connection at once, without a close frame. Use it also to
// dispose of a connection that will not be served.
func (c *Conn) Abort() {
	c.cut(Closed{By: ByServer, Code: CodeAbnormal, Err: ErrAborted})
}

// cut records the end and closes the stream, which stops both goroutines.
func (c *Conn) cut(end Closed) {
	c.conclude(end)
	c.out.seal(end.Code, "", true)
	_ = c.conn.Close() // nothing is left to be done about a failure
}

// giveUp drops what is queued and gives the write in flight and the close frame
// no more than CloseTimeout each.
func (c *Conn) giveUp(end Closed) {
	if !c.conclude(end) {
		return
	}
	c.out.seal(end.Code, end.Reason, true)
	c.endMu.Lock()
	defer c.endMu.Unlock()
	c.hurry = true
	_ = c.conn.SetWriteDeadline(time.Now().Add(c.cfg.CloseTimeout))
}

// conclude records how the connection ends and reports whether it was the first
// to say so.
func (c *Conn) conclude(end Closed) bool {
	if !c.ending.CompareAndSwap(false, true) {
		return false
	}
	c.endMu.Lock()
	c.end = end
	c.endMu.Unlock()
	return true
}

// Serve reads from the peer until the connection has ended, and says how it
// did. All goroutines of the connection are gone when it returns, also when the
// handler panics.
//
// It is best called on a fresh goroutine and not within an HTTP handler, so
// that net/http can give back its buffers for the connection.
func (c *Conn) Serve(h Handler) Closed {
	c.cfg.Observer.Opened()
	writerDone := make(chan struct{})
	go func() {
		defer close(writerDone)
		c.writeLoop()
	}()
	finished := false
	defer func() {
		if !finished {
			c.Abort() // the handler panicked
		}
		close(c.readerDone)
		<-writerDone
		_ = c.conn.Close()
		c.asm.Reset()
		c.cfg.Observer.Ended(c.ended())
	}()
	c.readLoop(h)
	finished = true
	return c.ended()
}

func (c *Conn) ended() Closed {
	c.endMu.Lock()
	defer c.endMu.Unlock()
	return c.end
}
