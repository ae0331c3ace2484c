package wire

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hexhail/hexhail/ride/ridepb"
)

// jsonCodec is the JSON form.
type jsonCodec struct{}

func (jsonCodec) Subprotocol() string { return SubprotocolJSON }
func (jsonCodec) Binary() bool        { return false }

func (c jsonCodec) EncodeServer(frame *ridepb.ServerFrame) ([]byte, error) { return c.Marshal(frame) }
func (c jsonCodec) EncodeClient(frame *ridepb.ClientFrame) ([]byte, error) { return c.Marshal(frame) }

func (c jsonCodec) Marshal(m proto.Message) ([]byte, error) {
	return c.Append(make([]byte, 0, 512), m)
}

func (jsonCodec) Append(dst []byte, m proto.Message) ([]byte, error) {
	r := m.ProtoReflect()
	p := planOf(r)
	if p == nil {
		return dst, foreign(m)
	}
	out, err := appendMessage(dst, r, p)
	if err != nil {
		return dst, fmt.Errorf("wire: encode %s: %w", r.Descriptor().Name(), err)
	}
	return out, nil
}

func appendMessage(dst []byte, m protoreflect.Message, p *plan) ([]byte, error) {
	switch p.form {
	case formPoint:
		return appendPoint(dst, m.Interface().(*ridepb.Point)), nil
	case formTime:
		return appendTime(dst, m.Interface().(*timestamppb.Timestamp))
	}
	dst = append(dst, '{')
	first := true
	for i := range p.fields {
		f := &p.fields[i]
		if f.desc.HasPresence() && !m.Has(f.desc) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, f.label...)
		var err error
		if f.list {
			dst, err = appendList(dst, m.Get(f.desc).List(), f)
		} else {
			dst, err = appendValue(dst, m.Get(f.desc), f)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return append(dst, '}'), nil
}

func appendList(dst []byte, list protoreflect.List, f *field) ([]byte, error) {
	dst = append(dst, '[')
	for i := range list.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendValue(dst, list.Get(i), f); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

func appendValue(dst []byte, v protoreflect.Value, f *field) ([]byte, error) {
	switch f.kind {
	case protoreflect.StringKind:
		return jsontext.AppendQuote(dst, v.String())
	case protoreflect.BoolKind:
		return strconv.AppendBool(dst, v.Bool()), nil
	case protoreflect.Int32Kind, protoreflect.Sint32Kind:
		return strconv.AppendInt(dst, v.Int(), 10), nil
	case protoreflect.Uint32Kind:
		return strconv.AppendUint(dst, v.Uint(), 10), nil
	case protoreflect.FloatKind:
		x := v.Float()
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, fmt.Errorf("%v has no JSON form", x)
		}
		return jsontext.AppendFloat(dst, x, 32), nil
	case protoreflect.EnumKind:
		word, ok := f.numbers[v.Enum()]
		if !ok {
			return nil, fmt.Errorf("%d is not a value of %s", v.Enum(), f.desc.Enum().Name())
		}
		return append(append(append(dst, '"'), word...), '"'), nil
	case protoreflect.MessageKind:
		return appendMessage(dst, v.Message(), f.sub)
	default:
		return nil, fmt.Errorf("fields of kind %s are not part of the protocol", f.kind)
	}
}

func appendPoint(dst []byte, p *ridepb.Point) []byte {
	dst = appendE7(append(dst, `{"lat":`...), p.GetLatE7())
	dst = appendE7(append(dst, `,"lng":`...), p.GetLngE7())
	return append(dst, '}')
}

// appendE7 writes 1e-7 degrees as the shortest decimal of degrees, exactly.
func appendE7(dst []byte, v int32) []byte {
	n := int64(v)
	if n < 0 {
		dst = append(dst, '-')
		n = -n
	}
	const scale = 10_000_000
	dst = strconv.AppendInt(dst, n/scale, 10)
	fraction := n % scale
	if fraction == 0 {
		return dst
	}
	digits := strconv.AppendInt(dst, scale+fraction, 10) // a leading 1 keeps the zeros
	digits[len(dst)] = '.'
	for digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	return digits
}

// appendTime writes RFC 3339 in UTC with 0, 3, 6 or 9 digits of seconds.
func appendTime(dst []byte, ts *timestamppb.Timestamp) ([]byte, error) {
	if err := ts.CheckValid(); err != nil {
		return nil, err
	}
	layout := "2006-01-02T15:04:05Z"
	switch n := ts.Nanos; {
	case n == 0:
	case n%1e6 == 0:
		layout = "2006-01-02T15:04:05.000Z"
	case n%1e3 == 0:
		layout = "2006-01-02T15:04:05.000000Z"
	default:
		layout = "2006-01-02T15:04:05.000000000Z"
	}
	t := time.Unix(ts.Seconds, int64(ts.Nanos)).UTC()
	return append(t.AppendFormat(append(dst, '"'), layout), '"'), nil
}
