package wire

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hexhail/hexhail/ride/ridepb"
)

// binaryCodec is the protobuf form.
type binaryCodec struct{}

func (binaryCodec) Subprotocol() string { return SubprotocolBinary }
func (binaryCodec) Binary() bool        { return true }

func (c binaryCodec) EncodeServer(frame *ridepb.ServerFrame) ([]byte, error) { return c.Marshal(frame) }
func (c binaryCodec) EncodeClient(frame *ridepb.ClientFrame) ([]byte, error) { return c.Marshal(frame) }

func (c binaryCodec) Marshal(m proto.Message) ([]byte, error) { return c.Append(nil, m) }

func (binaryCodec) Append(dst []byte, m proto.Message) ([]byte, error) {
	if planOf(m.ProtoReflect()) == nil {
		return dst, foreign(m)
	}
	out, err := proto.MarshalOptions{}.MarshalAppend(dst, m)
	if err != nil {
		return dst, fmt.Errorf("wire: encode %s: %w", m.ProtoReflect().Descriptor().Name(), err)
	}
	return out, nil
}

func (c binaryCodec) DecodeClient(data []byte) (*ridepb.ClientFrame, error) {
	frame := new(ridepb.ClientFrame)
	if err := c.DecodeClientInto(data, frame); err != nil {
		return nil, err
	}
	return frame, nil
}

func (c binaryCodec) DecodeClientInto(data []byte, frame *ridepb.ClientFrame) error {
	if err := c.UnmarshalStrict(data, frame); err != nil {
		var bad *DecodeError
		if errors.As(err, &bad) && bad.Reason != ReasonTooLarge {
			bad.ID = sniffBinary(data)
		}
		return err
	}
	return checkBody(frame)
}

func (c binaryCodec) DecodeServer(data []byte) (*ridepb.ServerFrame, error) {
	frame := new(ridepb.ServerFrame)
	if err := c.Unmarshal(data, frame); err != nil {
		return nil, err
	}
	return frame, nil
}

func (binaryCodec) Unmarshal(data []byte, m proto.Message) error {
	if planOf(m.ProtoReflect()) == nil {
		return foreign(m)
	}
	if len(data) > MaxServerBytes {
		return &DecodeError{Reason: ReasonTooLarge}
	}
	if (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, m) != nil {
		return &DecodeError{Reason: ReasonSyntax}
	}
	return nil
}

func (binaryCodec) UnmarshalStrict(data []byte, m proto.Message) error {
	p := planOf(m.ProtoReflect())
	if p == nil {
		return foreign(m)
	}
	if len(data) > MaxClientBytes {
		return &DecodeError{Reason: ReasonTooLarge}
	}
	s := scanners.Get().(*scanner)
	defer scanners.Put(s)
	s.at, s.unknown = s.at[:0], false
	if err := s.message(data, p); err != nil {
		return err
	}
	if proto.Unmarshal(data, m) != nil {
		return &DecodeError{Reason: ReasonSyntax}
	}
	if s.unknown {
		forgetUnknown(m.ProtoReflect(), p)
	}
	return nil
}

// forgetUnknown puts numbers in the place of floats that are none, and the zero Timestamp in
// the place of times that are none, as the JSON form does.
func forgetUnknown(m protoreflect.Message, p *plan) {
	if ts, ok := m.Interface().(*timestamppb.Timestamp); ok {
		if ts.CheckValid() != nil {
			ts.Seconds, ts.Nanos = 0, 0
		}
		return
	}
	for i := range p.fields {
		f := &p.fields[i]
		switch {
		case !m.Has(f.desc):
		case f.list && f.sub != nil:
			for list, k := m.Get(f.desc).List(), 0; k < list.Len(); k++ {
				forgetUnknown(list.Get(k).Message(), f.sub)
			}
		case f.list:
		case f.sub != nil:
			forgetUnknown(m.Get(f.desc).Message(), f.sub)
		case f.kind == protoreflect.FloatKind:
			m.Set(f.desc, protoreflect.ValueOfFloat32(finite(float32(m.Get(f.desc).Float()))))
		}
	}
}

// scanner checks what protobuf itself lets pass: unknown and repeated fields,
// numbers that are cut to fit, NUL and words that do not exist. It needs
// no bound on depth, because the protocol's messages are not recursive.
type scanner struct {
	at      path
	unknown bool // a float that is not a number was seen, or an invalid time
}

var scanners = sync.Pool{New: func() any { return new(scanner) }}

func (s *scanner) fail(r Reason) error {
	return &DecodeError{Field: s.at.String(), Reason: r}
}

func (s *scanner) message(b []byte, p *plan) error {
	var seen uint64 // by index in p.fields
	body := false
	for len(b) > 0 {
		number, wireType, n := protowire.ConsumeTag(b)
		if n < 0 {
			return s.fail(ReasonSyntax)
		}
		b = b[n:]
		i, ok := p.byNumber[number]
		if !ok {
			return &DecodeError{Field: s.at.String(), Name: strconv.Itoa(int(number)), Reason: ReasonUnknownField}
		}
		f := &p.fields[i]
		s.at = append(s.at, step{f.name, -1})
		switch {
		case wireType != f.wireType():
			return s.fail(ReasonWrongType)
		case !f.list && seen&(1<<i) != 0:
			return s.fail(ReasonDuplicate)
		case f.oneof != nil && body:
			return s.fail(ReasonSeveralBodies)
		}
		seen |= 1 << i
		body = body || f.oneof != nil
		n, err := s.values(b, f)
		if err != nil {
			return err
		}
		b = b[n:]
		s.at = s.at[:len(s.at)-1]
	}
	return nil
}

// wireType is that of the whole field: lists of numbers are packed.
func (f *field) wireType() protowire.Type {
	if f.list {
		return protowire.BytesType
	}
	return wireTypeOf(f.kind)
}

func wireTypeOf(k protoreflect.Kind) protowire.Type {
	switch k {
	case protoreflect.StringKind, protoreflect.MessageKind:
		return protowire.BytesType
	case protoreflect.FloatKind:
		return protowire.Fixed32Type
	default:
		return protowire.VarintType
	}
}

// values checks a field's value, or a packed list of them, and returns its length.
func (s *scanner) values(b []byte, f *field) (int, error) {
	if !f.list || wireTypeOf(f.kind) == protowire.BytesType {
		return s.value(b, f)
	}
	content, length := protowire.ConsumeBytes(b)
	if length < 0 {
		return 0, s.fail(ReasonSyntax)
	}
	for len(content) > 0 {
		n, err := s.value(content, f)
		if err != nil {
			return 0, err
		}
		content = content[n:]
	}
	return length, nil
}

// value checks one value and returns its length.
func (s *scanner) value(b []byte, f *field) (int, error) {
	switch wireTypeOf(f.kind) {
	case protowire.Fixed32Type:
		bits, n := protowire.ConsumeFixed32(b)
		if n < 0 {
			return 0, s.fail(ReasonSyntax)
		}
		s.unknown = s.unknown || finite(math.Float32frombits(bits)) != math.Float32frombits(bits)
		return n, nil
	case protowire.VarintType:
		x, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return 0, s.fail(ReasonSyntax)
		}
		return n, s.varint(x, f)
	}
	content, n := protowire.ConsumeBytes(b)
	switch {
	case n < 0:
		return 0, s.fail(ReasonSyntax)
	case f.kind == protoreflect.MessageKind:
		return n, s.nested(content, f.sub)
	case !utf8.Valid(content):
		return 0, s.fail(ReasonNotUTF8)
	case bytes.IndexByte(content, 0) >= 0:
		return 0, s.fail(ReasonNUL)
	}
	return n, nil
}

func (s *scanner) nested(b []byte, p *plan) error {
	if err := s.message(b, p); err != nil {
		return err
	}
	if p.form == formTime {
		seconds, nanos := timeParts(b)
		if seconds < minSeconds || seconds > maxSeconds || nanos < 0 || nanos > 999_999_999 {
			s.unknown = true
		}
	}
	return nil
}

// The range of a Timestamp, the years 1 to 9999, in seconds since 1970.
const (
	minSeconds = -62135596800
	maxSeconds = 253402300799
)

// timeParts reads a Timestamp that was scanned already.
func timeParts(b []byte) (seconds, nanos int64) {
	for len(b) > 0 {
		number, _, n := protowire.ConsumeTag(b)
		x, m := protowire.ConsumeVarint(b[n:])
		b = b[n+m:]
		if number == 1 {
			seconds = int64(x)
		} else {
			nanos = int64(x)
		}
	}
	return seconds, nanos
}

func (s *scanner) varint(x uint64, f *field) error {
	fits := true
	switch f.kind {
	case protoreflect.BoolKind:
		fits = x <= 1
	case protoreflect.Uint32Kind:
		fits = x <= math.MaxUint32
	case protoreflect.Sint32Kind:
		fits = x <= math.MaxUint32 // zigzag
	case protoreflect.Int32Kind:
		fits = int64(x) >= math.MinInt32 && int64(x) <= math.MaxInt32
	case protoreflect.EnumKind:
		if n := int64(x); n < math.MinInt32 || n > math.MaxInt32 || f.numbers[protoreflect.EnumNumber(n)] == "" {
			return s.fail(ReasonUnknownWord)
		}
	}
	if !fits {
		return s.fail(ReasonOutOfRange)
	}
	return nil
}

// sniffBinary looks for the id of a frame that is bad elsewhere.
func sniffBinary(b []byte) string {
	for len(b) > 0 {
		number, wireType, n := protowire.ConsumeTag(b)
		if n < 0 {
			return ""
		}
		b = b[n:]
		if number == 1 && wireType == protowire.BytesType {
			id, n := protowire.ConsumeBytes(b)
			if n < 0 || !utf8.Valid(id) {
				return ""
			}
			return usableID(string(id))
		}
		if n = protowire.ConsumeFieldValue(number, wireType, b); n < 0 {
			return ""
		}
		b = b[n:]
	}
	return ""
}
