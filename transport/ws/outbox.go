package ws

import (
	"encoding/binary"
	"sync"
)

// frameCharge is what each queued frame costs beside its payload, so that empty
// messages are bounded too. It is about what one takes in memory.
const frameCharge = 64

// outFrame is one message waiting to be written.
type outFrame struct {
	op      Op
	payload []byte // shared with the caller, never changed
}

// outbox holds what waits for the writer of one connection. Any goroutine may
// put, only the writer takes.
type outbox struct {
	limit int
	// wake holds a token while there may be something to take.
	wake chan struct{}

	mu     sync.Mutex
	batch  *batch
	cost   int // of batch and of what the writer is writing
	sealed bool
	// Control frames have separate places: one ping, and the pongs owed in the
	// order of their pings, as compiled frames. A flood cannot queue up: beyond
	// maxPongs the oldest are dropped, as RFC 6455 allows (section 5.5.3).
	ping  control
	pongs []byte
	// closing is the close frame to write after everything else.
	closing control
	closed  bool // closing was taken
}

// maxPongs bounds the pongs that wait for one peer, in bytes with their headers: 32 of the
// largest. keptPongs is the buffer for them that a connection keeps.
const (
	maxPongs  = 4 << 10
	keptPongs = 256
)

// control is a control frame waiting to be written.
type control struct {
	due     bool
	payload []byte
}

func (c *control) set(payload []byte) {
	c.due = true
	c.payload = append(c.payload[:0], payload...)
}

// batch is a run of messages in order.
type batch struct {
	frames []outFrame
	cost   int
	latest map[string]int // key → index in frames
}

// Batches are pooled, so that a connection with nothing to say holds none.
var batchPool = sync.Pool{New: func() any { return new(batch) }}

// release clears the batch and gives it back. Unusually large ones are left to
// the garbage collector.
func (b *batch) release() {
	if b == nil || cap(b.frames) > 1024 {
		return
	}
	clear(b.frames)
	clear(b.latest)
	b.frames, b.cost = b.frames[:0], 0
	batchPool.Put(b)
}

// put queues a message. With a key it replaces the waiting message of the same
// key, keeping its place in the order; replaced reports that.
func (o *outbox) put(f outFrame, key string, keyed bool) (replaced bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sealed {
		return false, ErrClosed
	}
	if o.batch == nil {
		o.batch = batchPool.Get().(*batch)
	}
	b := o.batch
	if keyed {
		if i, ok := b.latest[key]; ok {
			grow := len(f.payload) - len(b.frames[i].payload)
			if o.cost+grow > o.limit {
				return false, ErrSlowConsumer
			}
			b.frames[i] = f
			b.cost += grow
			o.cost += grow
			return true, nil
		}
	}
	cost := len(f.payload) + frameCharge
	if o.cost+cost > o.limit {
		return false, ErrSlowConsumer
	}
	if keyed {
		if b.latest == nil {
			b.latest = make(map[string]int)
		}
		b.latest[key] = len(b.frames)
	}
	b.frames = append(b.frames, f)
	b.cost += cost
	o.cost += cost
	o.signal()
	return false, nil
}

// putPing queues a ping in place of an older one.
func (o *outbox) putPing(payload []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closing.due && !o.closed {
		o.ping.set(payload)
		o.signal()
	}
}

// putPong queues the answer to a ping.
func (o *outbox) putPong(payload []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closing.due || o.closed {
		return
	}
	for len(o.pongs)+pongHeader+len(payload) > maxPongs {
		oldest := pongHeader + int(o.pongs[1])
		o.pongs = o.pongs[:copy(o.pongs, o.pongs[oldest:])]
	}
	o.pongs = appendFrame(o.pongs, OpPong, payload)
	o.signal()
}

// pongHeader is the length of a pong's header, whose second byte is the payload's.
const pongHeader = 2

// takePongs moves the pongs owed to the end of dst and returns their number.
func (o *outbox) takePongs(dst []byte) ([]byte, int) {
	n := 0
	for at := 0; at < len(o.pongs); n++ {
		at += pongHeader + int(o.pongs[at+1])
	}
	dst = append(dst, o.pongs...)
	if o.pongs = o.pongs[:0]; cap(o.pongs) > keptPongs {
		o.pongs = nil
	}
	return dst, n
}

// seal refuses further messages and queues the close frame after those that
// wait, or, with drop, in their place. Only the first close frame counts. It
// reports whether this was the first call.
func (o *outbox) seal(code Code, reason string, drop bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if drop && o.batch != nil {
		o.cost -= o.batch.cost
		o.batch.release()
		o.batch = nil
	}
	if o.sealed {
		return false
	}
	o.sealed = true
	o.closing.due = true
	o.closing.payload = closePayload(code, reason)
	o.signal()
	return true
}

// closePayload cuts the reason to what fits, at a code point.
func closePayload(code Code, reason string) []byte {
	if !code.MayTravel() {
		return nil
	}
	const most = MaxControlPayload - 2
	if len(reason) > most {
		s := reason[:most]
		reason = s[:incompleteTail([]byte(s))]
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// work is what the writer sends with one write: controls, then the batch, then
// the close frame.
type work struct {
	head   []byte // compiled ping and pongs
	frames int    // in head
	batch  *batch
	close  []byte // payload of the close frame
	last   bool   // close is to be sent
}

// take removes everything that waits. head is appended to.
func (o *outbox) take(head []byte) work {
	o.mu.Lock()
	defer o.mu.Unlock()
	w := work{head: head, batch: o.batch}
	o.batch = nil
	if o.ping.due {
		w.head = appendFrame(w.head, OpPing, o.ping.payload)
		w.frames++
		o.ping.due = false
	}
	var pongs int
	w.head, pongs = o.takePongs(w.head)
	w.frames += pongs
	if o.closing.due {
		w.close, w.last = o.closing.payload, true
		o.closing.due, o.closed = false, true
	}
	return w
}

// written gives the cost of a batch back after its write, and the batch itself.
func (o *outbox) written(b *batch) {
	if b == nil {
		return
	}
	o.mu.Lock()
	o.cost -= b.cost
	o.mu.Unlock()
	b.release()
}

// queued returns the bytes queued or being written.
func (o *outbox) queued() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.cost
}

// appendFrame compiles an unmasked final frame.
func appendFrame(dst []byte, op Op, payload []byte) []byte {
	return append(appendHeader(dst, op, len(payload)), payload...)
}

// appendHeader compiles the header of an unmasked final frame.
func appendHeader(dst []byte, op Op, n int) []byte {
	dst = append(dst, 0x80|byte(op))
	switch {
	case n < 126:
		return append(dst, byte(n))
	case n <= 0xffff:
		return binary.BigEndian.AppendUint16(append(dst, 126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, 127), uint64(n))
	}
}
