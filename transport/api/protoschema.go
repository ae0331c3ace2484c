package api

import (
	"github.com/danielgtaylor/huma/v2"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hexhail/hexhail/ride/ridepb"
)

// tripJSON is a trip exactly as the sockets show it to the same reader.
type tripJSON []byte

// MarshalJSON implements json.Marshaler.
func (t tripJSON) MarshalJSON() ([]byte, error) { return t, nil }

// Schema implements huma.SchemaProvider from the protocol's own description.
func (tripJSON) Schema(r huma.Registry) *huma.Schema {
	return messageSchema(r, (*ridepb.Trip)(nil).ProtoReflect().Descriptor())
}

// offerJSON is an offer exactly as the sockets show it.
type offerJSON []byte

// MarshalJSON implements json.Marshaler.
func (o offerJSON) MarshalJSON() ([]byte, error) { return o, nil }

// Schema implements huma.SchemaProvider.
func (offerJSON) Schema(r huma.Registry) *huma.Schema {
	return messageSchema(r, (*ridepb.Offer)(nil).ProtoReflect().Descriptor())
}

// messageSchema describes the JSON form of a message, adds it to the components and
// refers to it. Values are always written, absent messages left out.
func messageSchema(r huma.Registry, d protoreflect.MessageDescriptor) *huma.Schema {
	if d.FullName() == (*timestamppb.Timestamp)(nil).ProtoReflect().Descriptor().FullName() {
		return &huma.Schema{Type: huma.TypeString, Format: "date-time"}
	}
	name := string(d.Name())
	ref := &huma.Schema{Ref: "#/components/schemas/" + name}
	if r.Map()[name] != nil {
		return ref
	}
	s := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: map[string]*huma.Schema{}}
	r.Map()[name] = s // before its fields: messages may contain themselves
	if d.FullName() == (*ridepb.Point)(nil).ProtoReflect().Descriptor().FullName() {
		describePoint(s)
	} else {
		for i := range d.Fields().Len() {
			f := d.Fields().Get(i)
			s.Properties[string(f.Name())] = fieldSchema(r, f)
			if !f.HasPresence() {
				s.Required = append(s.Required, string(f.Name()))
			}
		}
	}
	s.PrecomputeMessages()
	return ref
}

func describePoint(s *huma.Schema) {
	degrees := func(most float64) *huma.Schema {
		least := -most
		return &huma.Schema{Type: huma.TypeNumber, Minimum: &least, Maximum: &most}
	}
	s.Description = "A WGS84 position in degrees."
	s.Properties["lat"], s.Properties["lng"] = degrees(90), degrees(180)
	s.Required = []string{"lat", "lng"}
}

func fieldSchema(r huma.Registry, f protoreflect.FieldDescriptor) *huma.Schema {
	s := valueSchema(r, f)
	if f.IsList() {
		return &huma.Schema{Type: huma.TypeArray, Items: s}
	}
	return s
}

func valueSchema(r huma.Registry, f protoreflect.FieldDescriptor) *huma.Schema {
	switch f.Kind() {
	case protoreflect.BoolKind:
		return &huma.Schema{Type: huma.TypeBoolean}
	case protoreflect.Int32Kind, protoreflect.Sint32Kind:
		return &huma.Schema{Type: huma.TypeInteger, Format: "int32"}
	case protoreflect.Uint32Kind:
		least := 0.0
		return &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: &least}
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return &huma.Schema{Type: huma.TypeNumber}
	case protoreflect.EnumKind:
		s := &huma.Schema{Type: huma.TypeString}
		for i := range f.Enum().Values().Len() {
			s.Enum = append(s.Enum, string(f.Enum().Values().Get(i).Name()))
		}
		return s
	case protoreflect.MessageKind:
		return messageSchema(r, f.Message())
	default: // strings; a test compares schema and encoder
		return &huma.Schema{Type: huma.TypeString}
	}
}
