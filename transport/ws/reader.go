package ws

import (
	"encoding/binary"
	"errors"
	"os"
	"sync"
	"time"
)

// largeRead is the size of the pooled read buffers.
const largeRead = 16 << 10

var readPool = sync.Pool{New: func() any { return new([largeRead]byte) }}

// readLoop feeds the handler until the peer's close frame, a violation or the
// end of the stream. It returns with the end recorded.
func (c *Conn) readLoop(h Handler) {
	early := c.early
	c.early = nil
	if len(early) > 0 && !c.receive(early, h) {
		return
	}
	var large *[largeRead]byte
	defer func() {
		if large != nil {
			readPool.Put(large)
		}
	}()
	for {
		buf := c.small[:]
		if large != nil {
			buf = large[:]
		}
		n, err := c.read(buf)
		if n > 0 && !c.receive(buf[:n], h) {
			return
		}
		if err != nil {
			c.readFailed(err)
			return
		}
		switch {
		case large == nil && n == len(buf):
			large = readPool.Get().(*[largeRead]byte)
		case large != nil && n <= len(c.small):
			readPool.Put(large)
			large = nil
		}
	}
}

// read waits for bytes, no longer than the peer may be silent. The deadline is
// set for each read, so time spent in the handler is not held against the peer.
func (c *Conn) read(buf []byte) (int, error) {
	if err := c.conn.SetReadDeadline(time.Now().Add(c.cfg.SilenceTimeout)); err != nil {
		return 0, err
	}
	return c.conn.Read(buf)
}

func (c *Conn) readFailed(err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		// It may be reading all the same, or again one day.
		c.giveUp(Closed{By: ByServer, Code: c.cfg.SilentCode, Reason: "heartbeat_timeout", Err: ErrSilent})
		return
	}
	c.cut(Closed{By: ByNetwork, Code: CodeAbnormal, Err: err})
}

// receive handles the bytes of one read. It returns false when reading is over.
func (c *Conn) receive(p []byte, h Handler) bool {
	total, messages := len(p), 0
	more := true
	for more && len(p) > 0 {
		rest, it, err := c.asm.Feed(p)
		if err != nil {
			c.violated(err)
			more = false
			break
		}
		p = rest
		switch it.Op {
		case OpText, OpBinary:
			messages++
			// Once the connection is ending, messages are no longer delivered.
			if !c.ending.Load() {
				h.OnMessage(it.Op, it.Payload)
			}
		case OpPing:
			c.out.putPong(it.Payload)
		case OpPong:
			c.ponged(it.Payload, h)
		case OpClose:
			c.peerClosed(it.Payload)
			more = false
		}
	}
	c.cfg.Observer.Received(total, messages)
	return more
}

// violated tells the peer what it did wrong and waits for the writer to say so.
// Nothing that the peer sends now can be understood, but it has to be read:
// closing a socket with unread bytes would reset it and destroy our close frame.
func (c *Conn) violated(err error) {
	var v *Violation
	if !errors.As(err, &v) {
		v = &Violation{CodeInternal, err.Error()}
	}
	c.lingering.Store(true) // before the writer can look
	if c.conclude(Closed{By: ByServer, Code: v.Code, Reason: v.Reason, Err: v}) {
		c.out.seal(v.Code, v.Reason, false)
	}
	for {
		if _, err := c.read(c.small[:]); err != nil {
			return
		}
	}
}

// peerClosed answers the peer's close frame, or accepts it as the answer to ours.
func (c *Conn) peerClosed(payload []byte) {
	code, reason := ParseClose(payload)
	if c.conclude(Closed{By: ByPeer, Code: code, Reason: reason}) {
		// The peer does not want what is queued. The answer repeats its code.
		c.out.seal(code, "", true)
	}
}

func (c *Conn) ponged(payload []byte, h Handler) {
	rtt, ok := h.(RTTHandler)
	if !ok || len(payload) != 8 || binary.BigEndian.Uint64(payload) != c.pingID.Load() {
		return
	}
	// Each ping counts once.
	if sent := c.pingSent.Swap(0); sent != 0 {
		rtt.OnRTT(time.Since(epoch) - time.Duration(sent))
	}
}
