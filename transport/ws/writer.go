package ws

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

const (
	// copyBelow is the payload size in bytes from which a vectored write is
	// cheaper than copying.
	copyBelow = 1 << 10
	// pooledScratch is the largest scratch buffer worth keeping.
	pooledScratch = 64 << 10
)

// scratch is what one write is composed in.
type scratch struct {
	buf  []byte
	vec  net.Buffers
	send net.Buffers // the part of vec not yet written; WriteTo consumes it
}

var scratchPool = sync.Pool{New: func() any { return new(scratch) }}

func (s *scratch) release() {
	clear(s.vec)
	s.vec, s.send = s.vec[:0], nil
	if cap(s.buf) <= pooledScratch {
		s.buf = s.buf[:0]
		scratchPool.Put(s)
	}
}

// writeLoop writes what is queued and pings, until the close frame is written,
// a write fails or the reader is done.
func (c *Conn) writeLoop() {
	ping := time.NewTimer(c.cfg.nextPing())
	defer ping.Stop()
	for {
		reading := true
		select {
		case <-c.out.wake:
		case <-ping.C:
			c.queuePing()
			ping.Reset(c.cfg.nextPing())
		case <-c.readerDone:
			reading = false
		}
		last, err := c.flush()
		switch {
		case err != nil:
			c.writeFailed(err)
			return
		case last:
			c.awaitPeer()
			return
		case !reading:
			return
		}
	}
}

func (c *Conn) queuePing() {
	id := c.pingID.Add(1)
	c.pingSent.Store(int64(time.Since(epoch)))
	var payload [8]byte
	binary.BigEndian.PutUint64(payload[:], id)
	c.out.putPing(payload[:])
}

// flush writes all that is pending with one write. It reports whether a close
// frame was part of it.
func (c *Conn) flush() (last bool, err error) {
	s := scratchPool.Get().(*scratch)
	defer s.release()
	w := c.out.take(s.buf)
	frames := c.compose(s, w)
	if frames == 0 {
		return false, nil
	}
	n, err := c.write(s)
	c.out.written(w.batch)
	if err != nil {
		return false, err
	}
	c.cfg.Observer.Wrote(n, frames)
	return w.last, nil
}

// compose lays the frames of w out in s and returns their number. Small payloads
// are copied beside their headers; large ones are referred to, if the
// connection can write them so with one system call.
func (c *Conn) compose(s *scratch, w work) (frames int) {
	const header = 10
	size := len(w.head) + 4 + MaxControlPayload
	if w.batch != nil {
		for i := range w.batch.frames {
			size += header
			if p := w.batch.frames[i].payload; !c.byReference(p) {
				size += len(p)
			}
		}
	}
	// The slices in vec point into buf, so it must not move while it is filled.
	buf := w.head
	if cap(buf) < size {
		buf = append(make([]byte, 0, size), buf...)
	}
	frames, from := w.frames, 0
	if w.batch != nil {
		frames += len(w.batch.frames)
		for _, f := range w.batch.frames {
			buf = appendHeader(buf, f.op, len(f.payload))
			if !c.byReference(f.payload) {
				buf = append(buf, f.payload...)
				continue
			}
			s.vec = append(s.vec, buf[from:len(buf):len(buf)], f.payload)
			from = len(buf)
		}
	}
	if w.last {
		frames++
		buf = appendFrame(buf, OpClose, w.close)
	}
	if len(s.vec) > 0 && from < len(buf) {
		s.vec = append(s.vec, buf[from:])
	}
	s.buf = buf
	return frames
}

func (c *Conn) byReference(payload []byte) bool {
	return c.vectored && len(payload) >= copyBelow
}

func (c *Conn) write(s *scratch) (int, error) {
	if err := c.setWriteDeadline(); err != nil {
		return 0, err
	}
	if len(s.vec) == 0 {
		return c.conn.Write(s.buf)
	}
	s.send = s.vec
	n, err := s.send.WriteTo(c.conn)
	return int(n), err
}

func (c *Conn) setWriteDeadline() error {
	c.endMu.Lock()
	defer c.endMu.Unlock()
	timeout := c.cfg.WriteTimeout
	if c.hurry {
		timeout = c.cfg.CloseTimeout
	}
	return c.conn.SetWriteDeadline(time.Now().Add(timeout))
}

func (c *Conn) writeFailed(err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.cut(Closed{By: ByServer, Code: c.cfg.SlowCode, Err: ErrSlowConsumer})
		return
	}
	c.cut(Closed{By: ByNetwork, Code: CodeAbnormal, Err: err})
}

// awaitPeer gives the peer time to answer the close frame, then closes the stream.
func (c *Conn) awaitPeer() {
	if c.lingering.Load() {
		// The peer's answer would not be understood; the end of its stream will.
		if half, ok := c.conn.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite() // if it fails, the timeout below does the same
		}
	}
	timeout := time.NewTimer(c.cfg.CloseTimeout)
	defer timeout.Stop()
	select {
	case <-c.readerDone:
	case <-timeout.C:
	}
	_ = c.conn.Close()
}
