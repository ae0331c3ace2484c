package ws_test

import (
	"encoding/binary"
	"strings"

	"github.com/hexhail/hexhail/transport/ws"
)

// rfcCase is what a client sends in full, what a server must make of it, and
// the close code that ends it, if any.
type rfcCase struct {
	name  string
	bytes []byte
	items []item
	// code is of the violation; 0 when the stream is fine so far.
	code ws.Code
}

// item is a ws.Item that can be kept.
type item struct {
	Op      ws.Op
	Payload string
}

// frame builds a masked frame by hand. first is its first byte.
func frame(first byte, payload string) []byte {
	return raw(first, uint64(len(payload)), payload)
}

// raw is frame with a given announced length.
func raw(first byte, length uint64, payload string) []byte {
	b := []byte{first}
	switch {
	case length < 126:
		b = append(b, 0x80|byte(length))
	case length <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(length))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), length)
	}
	return append(b, masked(payload)...)
}

// masked is a masking key and the payload masked with it.
func masked(payload string) []byte {
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	b := key[:]
	for i := range len(payload) {
		b = append(b, payload[i]^key[i%4])
	}
	return b
}

func join(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// First bytes of frames.
const (
	fin    = 0x80
	text   = fin | byte(ws.OpText)
	bin    = fin | byte(ws.OpBinary)
	closer = fin | byte(ws.OpClose)
	ping   = fin | byte(ws.OpPing)
	pong   = fin | byte(ws.OpPong)
	more   = 0x00 // a continuation that is not the last
	last   = fin  // a continuation that is
	text0  = byte(ws.OpText)
	bin0   = byte(ws.OpBinary)
)

func closing(code ws.Code, reason string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(code))) + reason
}

// table is our reading of RFC 6455. The socket test answers pings and echoes messages.
func table() []rfcCase {
	x125, x126 := strings.Repeat("x", 125), strings.Repeat("x", 126)
	x64k := strings.Repeat("x", 64<<10)
	x32k := x64k[:32<<10]
	cases := []rfcCase{
		// Whole messages of every form of length.
		{"empty text", frame(text, ""), []item{{ws.OpText, ""}}, 0},
		{"empty binary", frame(bin, ""), []item{{ws.OpBinary, ""}}, 0},
		{"text 125", frame(text, x125), []item{{ws.OpText, x125}}, 0},
		{"text 126", frame(text, x126), []item{{ws.OpText, x126}}, 0},
		{"binary 65535", frame(bin, x64k[1:]), []item{{ws.OpBinary, x64k[1:]}}, 0},
		{"binary 65536", frame(bin, x64k), []item{{ws.OpBinary, x64k}}, 0},
		{"binary is not text", frame(bin, "\xff\xfe"), []item{{ws.OpBinary, "\xff\xfe"}}, 0},
		{"three messages", join(frame(text, "a"), frame(bin, "b"), frame(text, "c")), []item{{ws.OpText, "a"}, {ws.OpBinary, "b"}, {ws.OpText, "c"}}, 0},

		// Fragmentation.
		{"two fragments", join(frame(text0, "Hel"), frame(last, "lo")), []item{{ws.OpText, "Hello"}}, 0},
		{"many fragments", join(frame(bin0, "a"), frame(more, "b"), frame(more, ""), frame(more, "c"), frame(last, "")), []item{{ws.OpBinary, "abc"}}, 0},
		{"empty fragments", join(frame(text0, ""), frame(more, ""), frame(last, "")), []item{{ws.OpText, ""}}, 0},
		{"large fragments", join(frame(bin0, x32k), frame(last, x32k)), []item{{ws.OpBinary, x64k}}, 0},
		{"two fragmented", join(frame(text0, "a"), frame(last, "b"), frame(bin0, "c"), frame(last, "d")), []item{{ws.OpText, "ab"}, {ws.OpBinary, "cd"}}, 0},
		{"continuation first", frame(last, "x"), nil, ws.CodeProtocolError},
		{"open continuation first", frame(more, "x"), nil, ws.CodeProtocolError},
		{"continuation after a message", join(frame(text, "a"), frame(last, "b")), []item{{ws.OpText, "a"}}, ws.CodeProtocolError},
		{"continuation after the last", join(frame(text0, "a"), frame(last, "b"), frame(last, "c")), []item{{ws.OpText, "ab"}}, ws.CodeProtocolError},
		{"text inside a message", join(frame(text0, "a"), frame(text, "b")), nil, ws.CodeProtocolError},
		{"binary inside a message", join(frame(text0, "a"), frame(bin0, "b")), nil, ws.CodeProtocolError},

		// Control frames, alone and in between.
		{"empty ping", frame(ping, ""), []item{{ws.OpPing, ""}}, 0},
		{"ping 125", frame(ping, x125), []item{{ws.OpPing, x125}}, 0},
		{"ping binary", frame(ping, "\x00\xff"), []item{{ws.OpPing, "\x00\xff"}}, 0},
		{"unasked pong", join(frame(pong, "p"), frame(text, "a")), []item{{ws.OpPong, "p"}, {ws.OpText, "a"}}, 0},
		{"ping between fragments", join(frame(text0, "a"), frame(ping, "p"), frame(last, "b")), []item{{ws.OpPing, "p"}, {ws.OpText, "ab"}}, 0},
		{"ping inside a code point", join(frame(text0, "\xe2\x82"), frame(ping, "\xff"), frame(last, "\xac")), []item{{ws.OpPing, "\xff"}, {ws.OpText, "€"}}, 0},
		{"close between fragments", join(frame(text0, "a"), frame(closer, closing(1000, ""))), []item{{ws.OpClose, closing(1000, "")}}, 0},
		{"ping 126", frame(ping, x126), nil, ws.CodeProtocolError},
		{"pong 126", frame(pong, x126), nil, ws.CodeProtocolError},
		{"close 126", frame(closer, closing(1000, x125[:124])), nil, ws.CodeProtocolError},
		{"ping with a 64-bit length", raw(ping, 1<<20, ""), nil, ws.CodeProtocolError},
		{"fragmented ping", frame(byte(ws.OpPing), "p"), nil, ws.CodeProtocolError},
		{"fragmented pong", frame(byte(ws.OpPong), "p"), nil, ws.CodeProtocolError},
		{"fragmented close", frame(byte(ws.OpClose), ""), nil, ws.CodeProtocolError},

		// Masking, lengths.
		{"unmasked text", []byte{text, 1, 'a'}, nil, ws.CodeProtocolError},
		{"unmasked ping", []byte{ping, 0}, nil, ws.CodeProtocolError},
		{"unmasked after good", join(frame(text, "a"), []byte{text, 1, 'b'}), []item{{ws.OpText, "a"}}, ws.CodeProtocolError},
		{"125 in 16 bits", join([]byte{text, 0x80 | 126, 0, 125}, masked(x125)), nil, ws.CodeProtocolError},
		{"65535 in 64 bits", join([]byte{bin, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, masked("")), nil, ws.CodeProtocolError},
		{"2^63 bytes announced", raw(bin, 1<<63, ""), nil, ws.CodeProtocolError},

		// Sizes.
		{"frame one over", frame(bin, x64k+"x"), nil, ws.CodeTooBig},
		{"262 MB announced", raw(bin, 262<<20, ""), nil, ws.CodeTooBig},
		{"2^63-1 announced", raw(bin, 1<<63-1, ""), nil, ws.CodeTooBig},
		{"sum one over", join(frame(bin0, x32k), frame(more, x32k), frame(last, "x")), nil, ws.CodeTooBig},
		{"sum far over", join(frame(bin0, x64k), frame(more, x64k)), nil, ws.CodeTooBig},
		{"full message, then empty last", join(frame(bin0, x64k), frame(last, "")), []item{{ws.OpBinary, x64k}}, 0},

		// Close frames.
		{"close without a code", frame(closer, ""), []item{{ws.OpClose, ""}}, 0},
		{"close with a reason", frame(closer, closing(1001, "bye €")), []item{{ws.OpClose, closing(1001, "bye €")}}, 0},
		{"close 125", frame(closer, closing(1000, x125[:123])), []item{{ws.OpClose, closing(1000, x125[:123])}}, 0},
		{"nothing counts after close", join(frame(closer, closing(1000, "")), frame(text, "a"), []byte{0xff, 0xff}), []item{{ws.OpClose, closing(1000, "")}}, 0},
		{"close with one byte", frame(closer, "\x03"), nil, ws.CodeProtocolError},
		{"close reason not UTF-8", frame(closer, closing(1000, "\xff")), nil, ws.CodeInvalidData},
		{"close reason cut", frame(closer, closing(1000, "\xe2\x82")), nil, ws.CodeInvalidData},
	}
	for _, bits := range []byte{0x40, 0x20, 0x10, 0x70} {
		cases = append(cases,
			rfcCase{"reserved bits of text", frame(text|bits, "a"), nil, ws.CodeProtocolError},
			rfcCase{"reserved bits of ping", frame(ping|bits, ""), nil, ws.CodeProtocolError},
			rfcCase{"reserved bits of the rest", join(frame(text0, "a"), frame(last|bits, "b")), nil, ws.CodeProtocolError})
	}
	for _, op := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		cases = append(cases, rfcCase{"reserved opcode", frame(fin|op, ""), nil, ws.CodeProtocolError})
	}
	for _, code := range []ws.Code{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		cases = append(cases, rfcCase{"close code", frame(closer, closing(code, "")), []item{{ws.OpClose, closing(code, "")}}, 0})
	}
	for _, code := range []ws.Code{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		cases = append(cases, rfcCase{"close code that may not travel", frame(closer, closing(code, "")), nil, ws.CodeProtocolError})
	}
	return append(cases, utf8Cases()...)
}

func utf8Cases() []rfcCase {
	var cases []rfcCase
	for _, s := range []string{
		"κόσμε", "\x00", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\uffff", "\U00010000", "\U0010ffff",
		"Hello-µ@ßöäüàá-UTF-8!!", strings.Repeat("€", 500), strings.Repeat("🚕", 300),
	} {
		parts := [][]byte{frame(text0, "")}
		for i := range len(s) {
			parts = append(parts, frame(more, s[i:i+1]))
		}
		cases = append(cases,
			rfcCase{"good UTF-8", frame(text, s), []item{{ws.OpText, s}}, 0},
			rfcCase{"good UTF-8, a fragment per byte", join(append(parts, frame(last, ""))...), []item{{ws.OpText, s}}, 0})
	}
	for _, s := range []string{
		"\x80", "\xbf", "a\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", // overlong
		"\xed\xa0\x80", "\xed\xbf\xbf", "\xed\xa0\x80\xed\xb0\x80", // surrogates
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfe", "\xff", // beyond Unicode
		"\xc3\x28", "\xe2\x82\x28", "\xe2\x28\xa1", "\xf0\x9f\x9a\x28", "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
		"\xc3", "\xe2\x82", "\xf0\x9f\x9a", "good then cut \xe2\x82", // unfinished
	} {
		cases = append(cases,
			rfcCase{"bad UTF-8", frame(text, s), nil, ws.CodeInvalidData},
			rfcCase{"bad UTF-8 in fragments", join(frame(text0, s[:len(s)/2]), frame(last, s[len(s)/2:])), nil, ws.CodeInvalidData},
			rfcCase{"bad UTF-8 after good", join(frame(text, "ok"), frame(text, s)), []item{{ws.OpText, "ok"}}, ws.CodeInvalidData})
	}
	// Failing early: the message is not finished, and never will be.
	return append(cases,
		rfcCase{"bad UTF-8 in the first fragment", frame(text0, "a\xff"), nil, ws.CodeInvalidData},
		rfcCase{"bad UTF-8 in an unfinished frame", raw(text, 1000, "abc\xf5"), nil, ws.CodeInvalidData},
		rfcCase{"a code point split wrongly", join(frame(text0, "\xe2"), frame(more, "\x28")), nil, ws.CodeInvalidData})
}
