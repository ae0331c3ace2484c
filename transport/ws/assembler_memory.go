package ws

import "sync"

// smallMessage is the capacity of the pooled buffers. Larger ones are left to
// the garbage collector, so that a burst of large messages does not stay.
const smallMessage = 4 << 10

var messagePool = sync.Pool{New: func() any { return new([smallMessage]byte) }}

// keep appends to the unfinished message, growing it at most to the limit.
func (a *Assembler) keep(p []byte) {
	if a.msg == nil {
		a.msg = messagePool.Get().(*[smallMessage]byte)[:0]
	}
	if need := len(a.msg) + len(p); need > cap(a.msg) {
		grown := make([]byte, len(a.msg), min(max(need, 2*cap(a.msg)), max(int(a.maxMessage), need)))
		copy(grown, a.msg)
		a.recycle()
		a.msg = grown
	}
	a.msg = append(a.msg, p...)
}

// release gives the buffer of the last delivered message back.
func (a *Assembler) release() {
	if a.deliver {
		a.recycle()
		a.deliver = false
	}
}

func (a *Assembler) recycle() {
	if cap(a.msg) == smallMessage {
		messagePool.Put((*[smallMessage]byte)(a.msg[:smallMessage]))
	}
	a.msg = nil
}

// Reset gives all memory back and starts over, for the next stream.
func (a *Assembler) Reset() {
	a.recycle()
	*a = Assembler{maxFrame: a.maxFrame, maxMessage: a.maxMessage, fromServer: a.fromServer}
}

// Held returns how many bytes of unfinished message the assembler keeps.
func (a *Assembler) Held() int { return cap(a.msg) }
