package wire

import (
	"math"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"
)

var texts = rapid.Custom(func(t *rapid.T) string {
	return strings.ReplaceAll(rapid.String().Draw(t, "text"), "\x00", "")
})

var (
	earliest = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	latest   = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).Unix()
)

// fill sets every field of m, or with optional ones left out, to drawn values
// that the strict decoders accept.
func fill(t *rapid.T, m protoreflect.Message) {
	if ts, ok := m.Interface().(*timestamppb.Timestamp); ok {
		ts.Seconds = rapid.Int64Range(earliest, latest).Draw(t, "seconds")
		ts.Nanos = rapid.OneOf(
			rapid.Just[int32](0), rapid.Just[int32](500_000_000), rapid.Just[int32](1_000), rapid.Int32Range(0, 999_999_999),
		).Draw(t, "nanos")
		return
	}
	chosen := map[protoreflect.FullName]protoreflect.FieldNumber{}
	oneofs := m.Descriptor().Oneofs()
	for i := range oneofs.Len() {
		fields := oneofs.Get(i).Fields()
		n := rapid.IntRange(0, fields.Len()-1).Draw(t, "body")
		chosen[oneofs.Get(i).FullName()] = fields.Get(n).Number()
	}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		if o := fd.ContainingOneof(); o != nil {
			if chosen[o.FullName()] == fd.Number() {
				fill(t, m.Mutable(fd).Message())
			}
			continue
		}
		switch {
		case fd.IsList():
			list := m.Mutable(fd).List()
			for range rapid.IntRange(0, 3).Draw(t, "length") {
				if fd.Kind() == protoreflect.MessageKind {
					fill(t, list.AppendMutable().Message())
				} else {
					list.Append(drawScalar(t, fd))
				}
			}
		case fd.Kind() == protoreflect.MessageKind:
			if rapid.Bool().Draw(t, "present") {
				fill(t, m.Mutable(fd).Message())
			}
		default:
			m.Set(fd, drawScalar(t, fd))
		}
	}
}

func drawScalar(t *rapid.T, fd protoreflect.FieldDescriptor) protoreflect.Value {
	name := string(fd.Name())
	switch fd.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(texts.Draw(t, name))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(rapid.Bool().Draw(t, name))
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(rapid.Uint32().Draw(t, name))
	case protoreflect.Int32Kind, protoreflect.Sint32Kind:
		return protoreflect.ValueOfInt32(rapid.Int32().Draw(t, name))
	case protoreflect.FloatKind:
		f := rapid.Float32Range(-math.MaxFloat32, math.MaxFloat32).Draw(t, name)
		return protoreflect.ValueOfFloat32(f)
	case protoreflect.EnumKind:
		values := fd.Enum().Values()
		return protoreflect.ValueOfEnum(values.Get(rapid.IntRange(0, values.Len()-1).Draw(t, name)).Number())
	default:
		t.Fatalf("no generator for %s fields", fd.Kind())
		panic("unreachable")
	}
}
