package ws

import (
	"encoding/binary"
	"unicode/utf8"

	gobwas "github.com/gobwas/ws"
)

// MaxControlPayload is the largest payload of a control frame, in bytes.
const MaxControlPayload = 125

// Rules are what an [Assembler] holds a peer to.
type Rules struct {
	// MaxFrame is the largest payload of one data frame in bytes; 0 means 64 KiB.
	MaxFrame int
	// MaxMessage is the largest sum of a message's fragments in bytes; 0 means 64 KiB.
	MaxMessage int
	// FromServer is for reading what a server sent: frames must not be masked.
	FromServer bool
}

// Item is one thing that a peer sent in full: a message (OpText, OpBinary) or a
// control frame (OpClose, OpPing, OpPong).
type Item struct {
	// Op is OpContinuation (0) when there is no item yet.
	Op Op
	// Payload is valid until the next call of Feed.
	Payload []byte
}

// Assembler turns the bytes of one peer into messages and control frames. What
// it yields does not depend on how the bytes were cut. It allocates for what has
// arrived, never for what was announced, and holds at most one message.
//
// It is not safe for concurrent use. Make it with [NewAssembler].
type Assembler struct {
	maxFrame, maxMessage uint64
	fromServer           bool

	// The header being read: hdrNeed is known in steps.
	hdr              [14]byte
	hdrLen, hdrNeed  uint8
	inPayload, final bool
	op               Op
	mask             [4]byte
	done, size       uint64 // bytes of this frame's payload: seen, announced

	msgOp   Op // 0 while no message is open
	msg     []byte
	deliver bool // msg was handed out and is released at the next Feed
	text    utf8Stream

	ctl [MaxControlPayload]byte

	ended bool // a close frame was read
	err   *Violation
}

// NewAssembler returns an assembler at the start of a stream.
func NewAssembler(r Rules) *Assembler {
	a := new(Assembler)
	a.init(r)
	return a
}

func (a *Assembler) init(r Rules) {
	const fallback = 64 << 10
	a.maxFrame, a.maxMessage, a.fromServer = fallback, fallback, r.FromServer
	if r.MaxFrame > 0 {
		a.maxFrame = uint64(r.MaxFrame)
	}
	if r.MaxMessage > 0 {
		a.maxMessage = uint64(r.MaxMessage)
	}
}

// Feed consumes bytes up to the end of the next item and returns the bytes it
// did not use; call it again with them until rest is empty. It unmasks p in
// place. The error is always a *[Violation], and it is final. After a close frame all
// further bytes are ignored, as RFC 6455 asks.
func (a *Assembler) Feed(p []byte) (rest []byte, it Item, err error) {
	a.release()
	for a.err == nil && !a.ended {
		if !a.inPayload {
			if p = a.header(p); !a.inPayload {
				break
			}
		}
		n := min(a.size-a.done, uint64(len(p)))
		it, ok := a.payload(p[:n])
		p = p[n:]
		if ok {
			return p, it, nil
		}
		if len(p) == 0 {
			break
		}
	}
	if a.err != nil {
		return nil, Item{}, a.err
	}
	return nil, Item{}, nil
}

// header reads the frame's header, checking each byte as soon as it is there.
func (a *Assembler) header(p []byte) []byte {
	for len(p) > 0 && a.err == nil {
		a.hdr[a.hdrLen] = p[0]
		a.hdrLen++
		p = p[1:]
		switch a.hdrLen {
		case 1:
			a.err = a.firstByte(a.hdr[0])
			continue
		case 2:
			a.err = a.secondByte(a.hdr[1])
		}
		ext := a.extendedLength()
		if a.err == nil && a.hdrLen == 2+ext {
			a.err = a.length(ext)
		}
		if a.err == nil && a.hdrLen == a.hdrNeed {
			copy(a.mask[:], a.hdr[2+ext:])
			a.inPayload, a.hdrLen = true, 0
			return p
		}
	}
	return p
}

func (a *Assembler) firstByte(b byte) *Violation {
	a.final, a.op = b&0x80 != 0, Op(b&0x0f)
	switch {
	case b&0x70 != 0:
		return errReservedBits
	case !a.op.isKnown():
		return errReservedOp
	case a.op.isControl():
		if !a.final {
			return errControlSplit
		}
	case a.op == OpContinuation && a.msgOp == 0:
		return errLoneContinued
	case a.op != OpContinuation && a.msgOp != 0:
		return errInterrupted
	}
	return nil
}

func (a *Assembler) secondByte(b byte) *Violation {
	masked := b&0x80 != 0
	a.hdrNeed = 2 + a.extendedLength()
	if masked {
		a.hdrNeed += 4
	}
	switch {
	case !masked && !a.fromServer:
		return errNotMasked
	case masked && a.fromServer:
		return errMasked
	case a.op.isControl() && b&0x7f > MaxControlPayload:
		return errControlLong
	}
	return nil
}

// extendedLength returns how many bytes of length follow the second byte.
func (a *Assembler) extendedLength() uint8 {
	switch a.hdr[1] & 0x7f {
	case 126:
		return 2
	case 127:
		return 8
	default:
		return 0
	}
}

func (a *Assembler) length(ext uint8) *Violation {
	a.done = 0
	switch ext {
	case 0:
		a.size = uint64(a.hdr[1] & 0x7f)
	case 2:
		a.size = uint64(binary.BigEndian.Uint16(a.hdr[2:]))
		if a.size < 126 {
			return errLengthForm
		}
	case 8:
		a.size = binary.BigEndian.Uint64(a.hdr[2:])
		if a.size>>63 != 0 {
			return errLengthSign
		}
		if a.size <= 0xffff {
			return errLengthForm
		}
	}
	switch {
	case a.op.isControl():
		return nil
	case a.size > a.maxFrame:
		return errFrameTooBig
	case a.size+uint64(len(a.msg)) > a.maxMessage:
		return errMessageTooBig
	}
	return nil
}

// payload takes the next piece of the current frame's payload. It reports an
// item when that completes one.
func (a *Assembler) payload(p []byte) (Item, bool) {
	if !a.fromServer {
		gobwas.Cipher(p, a.mask, int(a.done&3))
	}
	first := a.done == 0
	a.done += uint64(len(p))
	complete := a.done == a.size
	if complete {
		a.inPayload = false
	}
	if a.op.isControl() {
		return a.control(p, complete)
	}
	if complete && first && a.final && a.msgOp == 0 {
		// The common case: one frame, whole in the caller's buffer. No copy.
		if a.op == OpText && !utf8.Valid(p) {
			a.err = errText
			return Item{}, false
		}
		return Item{a.op, p}, true
	}
	return a.fragment(p, complete)
}

func (a *Assembler) fragment(p []byte, complete bool) (Item, bool) {
	if a.msgOp == 0 {
		a.msgOp = a.op
	}
	if a.msgOp == OpText && !a.text.write(p) {
		a.err = errText
		return Item{}, false
	}
	a.keep(p)
	if !complete || !a.final {
		return Item{}, false
	}
	op := a.msgOp
	a.msgOp, a.deliver = 0, true
	if !a.text.complete() {
		a.err = errText
		return Item{}, false
	}
	return Item{op, a.msg}, true
}

func (a *Assembler) control(p []byte, complete bool) (Item, bool) {
	copy(a.ctl[a.done-uint64(len(p)):], p)
	if !complete {
		return Item{}, false
	}
	payload := a.ctl[:a.size]
	if a.op == OpClose {
		if a.err = checkClose(payload); a.err != nil {
			return Item{}, false
		}
		a.ended = true
	}
	return Item{a.op, payload}, true
}
