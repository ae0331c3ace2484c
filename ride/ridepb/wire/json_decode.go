package wire

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/hexhail/hexhail/ride/ridepb"
)

func (c jsonCodec) DecodeClient(data []byte) (*ridepb.ClientFrame, error) {
	frame := new(ridepb.ClientFrame)
	if err := c.DecodeClientInto(data, frame); err != nil {
		return nil, err
	}
	return frame, nil
}

func (jsonCodec) DecodeClientInto(data []byte, frame *ridepb.ClientFrame) error {
	if err := decodeJSON(data, frame, MaxClientBytes, true); err != nil {
		var bad *DecodeError
		if errors.As(err, &bad) && bad.Reason != ReasonTooLarge {
			bad.ID = sniffJSON(data)
		}
		return err
	}
	return checkBody(frame)
}

func (c jsonCodec) DecodeServer(data []byte) (*ridepb.ServerFrame, error) {
	frame := new(ridepb.ServerFrame)
	if err := c.Unmarshal(data, frame); err != nil {
		return nil, err
	}
	return frame, nil
}

func (jsonCodec) Unmarshal(data []byte, m proto.Message) error {
	return decodeJSON(data, m, MaxServerBytes, false)
}

func (jsonCodec) UnmarshalStrict(data []byte, m proto.Message) error {
	return decodeJSON(data, m, MaxClientBytes, true)
}

// jsonDecoder reads one message. The decoder below checks the syntax, UTF-8 and
// that no name occurs twice in an object.
type jsonDecoder struct {
	*jsontext.Decoder
	input  bytes.Buffer
	at     path
	strict bool
}

var jsonDecoders = sync.Pool{New: func() any {
	return &jsonDecoder{Decoder: jsontext.NewDecoder(new(bytes.Buffer))}
}}

// decodeJSON resets m and reads it from data. Its errors are *DecodeError,
// except for a message that is not of the protocol.
func decodeJSON(data []byte, m proto.Message, most int, strict bool) error {
	r := m.ProtoReflect()
	p := planOf(r)
	if p == nil {
		return foreign(m)
	}
	proto.Reset(m)
	switch {
	case len(data) > most:
		return &DecodeError{Reason: ReasonTooLarge}
	case !utf8.Valid(data):
		return &DecodeError{Reason: ReasonNotUTF8}
	case tooDeep(data):
		return &DecodeError{Reason: ReasonTooDeep}
	}
	d := borrowDecoder(data, strict)
	defer d.giveBack()
	err := d.message(r, p)
	if err == nil {
		err = d.nothingFollows()
	}
	return err
}

func borrowDecoder(data []byte, strict bool) *jsonDecoder {
	d := jsonDecoders.Get().(*jsonDecoder)
	d.input = *bytes.NewBuffer(data) // read in place, never written
	d.at, d.strict = d.at[:0], strict
	d.Reset(&d.input)
	return d
}

// giveBack drops the reference to the caller's bytes.
func (d *jsonDecoder) giveBack() {
	d.input = bytes.Buffer{}
	d.Reset(&d.input)
	jsonDecoders.Put(d)
}

// fail makes the error for a field's value.
func (d *jsonDecoder) fail(r Reason) error {
	return &DecodeError{Field: d.at.String(), Reason: r}
}

// syntax makes the error for one of the underlying decoder.
func (d *jsonDecoder) syntax(err error) error {
	if errors.Is(err, jsontext.ErrDuplicateName) {
		twice := &DecodeError{Field: d.at.String(), Reason: ReasonDuplicate}
		var where *jsontext.SyntacticError
		if errors.As(err, &where) {
			twice.Name = nameOf([]byte(where.JSONPointer.LastToken()))
		}
		return twice
	}
	return &DecodeError{Reason: ReasonSyntax}
}

func (d *jsonDecoder) nothingFollows() error {
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return &DecodeError{Reason: ReasonTrailingData}
	}
	return nil
}

// next returns the kind of the next value, which is not consumed.
func (d *jsonDecoder) next() (jsontext.Kind, error) {
	k := d.PeekKind()
	if k == jsontext.KindInvalid {
		_, err := d.ReadToken() // says why
		return k, d.syntax(err)
	}
	return k, nil
}

// open consumes the start of an object.
func (d *jsonDecoder) open() error {
	k, err := d.next()
	if err != nil {
		return err
	}
	if k != '{' {
		return d.fail(ReasonWrongType)
	}
	_, err = d.ReadToken()
	return d.syntaxOrNil(err)
}

// member returns the next name of the object that was opened, valid until the
// next call of any method, or false at the object's end, which it consumes.
// After a name the caller must consume the value.
func (d *jsonDecoder) member() (name []byte, more bool, err error) {
	k, err := d.next()
	if err != nil {
		return nil, false, err
	}
	if k == '}' {
		_, err = d.ReadToken()
		return nil, false, d.syntaxOrNil(err)
	}
	raw, err := d.ReadValue()
	if err != nil {
		return nil, false, d.syntax(err)
	}
	name = raw[1 : len(raw)-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		if name, err = jsontext.AppendUnquote(nil, raw); err != nil {
			return nil, false, d.syntax(err)
		}
	}
	return name, true, nil
}

func (d *jsonDecoder) syntaxOrNil(err error) error {
	if err == nil {
		return nil
	}
	return d.syntax(err)
}

// unknown deals with a member that is not of the protocol.
func (d *jsonDecoder) unknown(name []byte) error {
	if d.strict {
		return &DecodeError{Field: d.at.String(), Name: nameOf(name), Reason: ReasonUnknownField}
	}
	return d.syntaxOrNil(d.SkipValue())
}

func (d *jsonDecoder) message(m protoreflect.Message, p *plan) error {
	switch p.form {
	case formPoint:
		return d.point(m.Interface().(*ridepb.Point))
	case formTime:
		return d.time(m)
	}
	if err := d.open(); err != nil {
		return err
	}
	for {
		name, more, err := d.member()
		if err != nil || !more {
			return err
		}
		f := p.named(name)
		if f == nil {
			if err := d.unknown(name); err != nil {
				return err
			}
			continue
		}
		d.at = append(d.at, step{f.name, -1})
		if err := d.field(m, f); err != nil {
			return err
		}
		d.at = d.at[:len(d.at)-1]
	}
}

// field reads one member. As in all proto-JSON, null means absent.
func (d *jsonDecoder) field(m protoreflect.Message, f *field) error {
	k, err := d.next()
	if err != nil {
		return err
	}
	if k == 'n' {
		return d.syntaxOrNil(d.SkipValue())
	}
	if f.oneof != nil && m.WhichOneof(f.oneof) != nil {
		return d.fail(ReasonSeveralBodies)
	}
	switch {
	case f.list:
		return d.list(m.Mutable(f.desc).List(), f)
	case f.kind == protoreflect.MessageKind:
		return d.message(m.Mutable(f.desc).Message(), f.sub)
	}
	v, err := d.scalar(f, k)
	if err == nil {
		m.Set(f.desc, v)
	}
	return err
}

func (d *jsonDecoder) list(list protoreflect.List, f *field) error {
	if d.PeekKind() != '[' {
		return d.fail(ReasonWrongType)
	}
	if _, err := d.ReadToken(); err != nil {
		return d.syntax(err)
	}
	for i := 0; ; i++ {
		k, err := d.next()
		if err != nil {
			return err
		}
		if k == ']' {
			_, err = d.ReadToken()
			return d.syntaxOrNil(err)
		}
		d.at[len(d.at)-1].index = i
		if f.sub != nil {
			err = d.message(list.AppendMutable().Message(), f.sub)
		} else if v, serr := d.scalar(f, k); serr != nil {
			err = serr
		} else {
			list.Append(v)
		}
		if err != nil {
			return err
		}
	}
}
