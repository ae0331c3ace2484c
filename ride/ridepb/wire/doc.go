// Package wire turns the protocol's frames into bytes and back, in the two
// forms that a client may choose: JSON in text frames and protobuf in binary ones.
//
// The JSON form is proto-JSON with the names of the .proto file, and one
// difference: a Point is {"lat": 37.5, "lng": 127} in plain degrees. Fields
// without a value are written out, so that a client sees what there is; messages
// and timestamps that are absent are left out.
//
// What clients send is read strictly. Each field has one spelling, appears at
// most once and must be known; numbers must fit; text must be UTF-8 without NUL;
// a frame is at most 64 KiB and 32 levels deep. A parser that is lenient here
// lets two readers of one frame see different things in it. What servers send is
// read leniently: unknown fields and words are ignored, so that an old client
// survives a new server.
package wire

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/ride/ridepb"
)

// The names of the two forms in Sec-WebSocket-Protocol.
const (
	SubprotocolJSON   = "hexhail.v1.json"
	SubprotocolBinary = "hexhail.v1.proto"
)

// The bounds on what is decoded.
const (
	// MaxClientBytes bounds what a client sends.
	MaxClientBytes = 64 << 10
	// MaxServerBytes bounds what a server sends.
	MaxServerBytes = 1 << 20
	// MaxDepth bounds how deep JSON may be nested.
	MaxDepth = 32
)

// Codec is one form of the protocol. Codecs hold no state: they may be used from
// any goroutine, and nothing that they return refers to what they were given.
// Every error of the decoding methods is a *[DecodeError].
type Codec interface {
	// Subprotocol is the form's name in the handshake.
	Subprotocol() string
	// Binary reports whether frames of this form are binary messages.
	Binary() bool

	// DecodeClient reads what a client sent, strictly.
	DecodeClient(data []byte) (*ridepb.ClientFrame, error)
	// DecodeClientInto is DecodeClient into a frame that is reset first. After
	// an error the frame's content is not specified.
	DecodeClientInto(data []byte, frame *ridepb.ClientFrame) error
	// EncodeServer writes what a server sends.
	EncodeServer(frame *ridepb.ServerFrame) ([]byte, error)
	// EncodeClient and DecodeServer are the client's side.
	EncodeClient(frame *ridepb.ClientFrame) ([]byte, error)
	DecodeServer(data []byte) (*ridepb.ServerFrame, error)

	// Append writes any message of the protocol to the end of dst. After an
	// error it returns dst as it was.
	Append(dst []byte, m proto.Message) ([]byte, error)
	// Marshal is Append to a new slice.
	Marshal(m proto.Message) ([]byte, error)
	// Unmarshal reads any message of the protocol as DecodeServer does.
	Unmarshal(data []byte, m proto.Message) error
	// UnmarshalStrict reads any message of the protocol as DecodeClient does.
	UnmarshalStrict(data []byte, m proto.Message) error
}

// The two forms.
var (
	JSON   Codec = jsonCodec{}
	Binary Codec = binaryCodec{}
)

// Subprotocols returns the names of all forms, the preferred one first.
func Subprotocols() []string { return []string{SubprotocolBinary, SubprotocolJSON} }

// ForSubprotocol returns the form of that name.
func ForSubprotocol(name string) (Codec, bool) {
	switch name {
	case SubprotocolJSON:
		return JSON, true
	case SubprotocolBinary:
		return Binary, true
	default:
		return nil, false
	}
}

// checkBody refuses a client frame that asks for nothing.
func checkBody(frame *ridepb.ClientFrame) error {
	if frame.Body == nil {
		return &DecodeError{ID: usableID(frame.Id), Reason: ReasonNoBody}
	}
	return nil
}

// foreign reports a message that is not of this protocol: a mistake in the
// program, not in its input.
func foreign(m proto.Message) error {
	return fmt.Errorf("wire: %s is not a message of the protocol", m.ProtoReflect().Descriptor().FullName())
}
