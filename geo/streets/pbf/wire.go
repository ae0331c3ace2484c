package pbf

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

func corrupt(what string) error { return fmt.Errorf("%w: %s", ErrCorrupt, what) }

// field is the value of a protobuf field: bytes of length-delimited ones, the number of varints.
// One of another type than the schema says is empty or 0, as if it were missing.
type field struct {
	bytes  []byte // never nil for a length-delimited field
	number uint64
}

// eachField calls fn for each field of a message.
func eachField(b []byte, fn func(num protowire.Number, f field) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return corrupt("a message has no field")
		}
		b = b[n:]
		var f field
		switch typ {
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(b)
			if n >= 0 && f.bytes == nil {
				f.bytes = []byte{}
			}
		case protowire.VarintType:
			f.number, n = protowire.ConsumeVarint(b)
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return corrupt("a message is cut")
		}
		b = b[n:]
		if err := fn(num, f); err != nil {
			return err
		}
	}
	return nil
}

// varints reads a packed field.
type varints []byte

// next returns the next number; ok is false at the end and at a broken number, which leaves bytes.
func (v *varints) next() (x uint64, ok bool) {
	x, n := protowire.ConsumeVarint(*v)
	if n < 0 {
		return 0, false
	}
	*v = (*v)[n:]
	return x, true
}

// signed returns the next number in zigzag encoding.
func (v *varints) signed() (int64, bool) {
	x, ok := v.next()
	return protowire.DecodeZigZag(x), ok
}

// done returns an error if something is left.
func (v *varints) done() error {
	if len(*v) > 0 {
		return corrupt("lists of an object differ in length")
	}
	return nil
}
