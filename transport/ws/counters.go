package ws

import (
	"errors"
	"sync/atomic"
)

// Counters is an [Observer] that counts. The zero value is ready; its fields may
// be read at any time. FramesOut ÷ Writes is how well the writer coalesces.
type Counters struct {
	// Open is the number of connections being served now.
	Open atomic.Int64
	// Reads and Writes count calls, BytesIn and BytesOut the stream with headers.
	Reads, BytesIn, MessagesIn  atomic.Uint64
	Writes, BytesOut, FramesOut atomic.Uint64
	// ReplacedFrames were overtaken by a newer message with the same key.
	ReplacedFrames atomic.Uint64
	// SlowCloses, SilentCloses and Violations count ends by their cause.
	SlowCloses, SilentCloses, Violations atomic.Uint64
}

var _ Observer = (*Counters)(nil)

// Opened implements [Observer].
func (c *Counters) Opened() { c.Open.Add(1) }

// Received implements [Observer].
func (c *Counters) Received(bytes, messages int) {
	c.Reads.Add(1)
	c.BytesIn.Add(uint64(bytes))
	c.MessagesIn.Add(uint64(messages))
}

// Wrote implements [Observer].
func (c *Counters) Wrote(bytes, frames int) {
	c.Writes.Add(1)
	c.BytesOut.Add(uint64(bytes))
	c.FramesOut.Add(uint64(frames))
}

// Replaced implements [Observer].
func (c *Counters) Replaced() { c.ReplacedFrames.Add(1) }

// Ended implements [Observer].
func (c *Counters) Ended(end Closed) {
	c.Open.Add(-1)
	var v *Violation
	switch {
	case errors.Is(end.Err, ErrSlowConsumer):
		c.SlowCloses.Add(1)
	case errors.Is(end.Err, ErrSilent):
		c.SilentCloses.Add(1)
	case errors.As(end.Err, &v):
		c.Violations.Add(1)
	}
}
