package ws

import (
	"encoding/binary"
	"unicode/utf8"
)

// Op is the opcode of a frame (RFC 6455, section 5.2).
type Op byte

// The opcodes in use; all others are reserved.
const (
	OpContinuation Op = 0x0
	OpText         Op = 0x1
	OpBinary       Op = 0x2
	OpClose        Op = 0x8
	OpPing         Op = 0x9
	OpPong         Op = 0xA
)

func (o Op) isControl() bool { return o&0x8 != 0 }

func (o Op) isKnown() bool {
	return o <= OpBinary || (o >= OpClose && o <= OpPong)
}

// Code is a close code (RFC 6455, section 7.4). Hexhail's own codes are 4000 to
// 4999; their meaning belongs to the caller.
type Code uint16

// The close codes that this package itself uses or reports.
const (
	CodeNormal        Code = 1000
	CodeGoingAway     Code = 1001
	CodeProtocolError Code = 1002
	// CodeNone and CodeAbnormal never travel: they report a close frame without
	// a code, and a connection that ended without a close frame.
	CodeNone     Code = 1005
	CodeAbnormal Code = 1006
	// CodeInvalidData is text that is not UTF-8.
	CodeInvalidData Code = 1007
	CodePolicy      Code = 1008
	CodeTooBig      Code = 1009
	CodeInternal    Code = 1011
)

// MayTravel reports whether a close frame may carry the code: the codes of RFC
// 6455 and of the IANA registry that are meant for the wire, and 3000 to 4999.
func (c Code) MayTravel() bool {
	switch {
	case c >= 1000 && c <= 1003, c >= 1007 && c <= 1014:
		return true
	default:
		return c >= 3000 && c <= 4999
	}
}

// Violation is a breach of RFC 6455 or of our limits by the peer.
type Violation struct {
	// Code is the close code that the peer is owed: 1002, 1007 or 1009.
	Code Code
	// Reason is a short sentence for the close frame.
	Reason string
}

func (v *Violation) Error() string { return "websocket: " + v.Reason }

// The violations are values, so that a hostile peer cannot make us allocate.
var (
	errReservedBits  = &Violation{CodeProtocolError, "reserved bit set"}
	errReservedOp    = &Violation{CodeProtocolError, "reserved opcode"}
	errNotMasked     = &Violation{CodeProtocolError, "frame not masked"}
	errMasked        = &Violation{CodeProtocolError, "frame of a server is masked"}
	errControlSplit  = &Violation{CodeProtocolError, "control frame is fragmented"}
	errControlLong   = &Violation{CodeProtocolError, "control frame over 125 bytes"}
	errLoneContinued = &Violation{CodeProtocolError, "continuation of nothing"}
	errInterrupted   = &Violation{CodeProtocolError, "new message inside a fragmented one"}
	errLengthForm    = &Violation{CodeProtocolError, "length not in its shortest form"}
	errLengthSign    = &Violation{CodeProtocolError, "length over 63 bits"}
	errCloseLength   = &Violation{CodeProtocolError, "close frame with one byte"}
	errCloseCode     = &Violation{CodeProtocolError, "close code may not travel"}
	errCloseReason   = &Violation{CodeInvalidData, "close reason is not UTF-8"}
	errText          = &Violation{CodeInvalidData, "text is not UTF-8"}
	errFrameTooBig   = &Violation{CodeTooBig, "frame too big"}
	errMessageTooBig = &Violation{CodeTooBig, "message too big"}
)

func checkClose(p []byte) *Violation {
	switch {
	case len(p) == 0:
		return nil
	case len(p) == 1:
		return errCloseLength
	case !Code(binary.BigEndian.Uint16(p)).MayTravel():
		return errCloseCode
	case !utf8.Valid(p[2:]):
		return errCloseReason
	}
	return nil
}

// ParseClose reads the payload of a close frame that an [Assembler] yielded.
// A frame without a code reports CodeNone.
func ParseClose(p []byte) (Code, string) {
	if len(p) < 2 {
		return CodeNone, ""
	}
	return Code(binary.BigEndian.Uint16(p)), string(p[2:])
}
