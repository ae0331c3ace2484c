package wire

import (
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hexhail/hexhail/ride/ridepb"
)

// plan is what the codecs know of one type of message, worked out once.
type plan struct {
	form   form
	fields []field // in the order of the .proto file
	// byName and byNumber find a field's index.
	byName   map[string]int
	byNumber map[protoreflect.FieldNumber]int
}

// form is how a message looks in JSON.
type form uint8

const (
	formObject form = iota
	formPoint       // {"lat": degrees, "lng": degrees}
	formTime        // "2006-01-02T15:04:05Z"
)

type field struct {
	desc  protoreflect.FieldDescriptor
	name  string
	label string // the name as JSON, with its colon
	kind  protoreflect.Kind
	list  bool
	oneof protoreflect.OneofDescriptor // nil for most
	sub   *plan                        // of a message
	// words and numbers are of an enum.
	words   map[string]protoreflect.EnumNumber
	numbers map[protoreflect.EnumNumber]string
}

func (p *plan) named(name []byte) *field {
	if i, ok := p.byName[string(name)]; ok {
		return &p.fields[i]
	}
	return nil
}

// plans holds all messages of the protocol. It is not changed after this.
var plans = makePlans()

func planOf(m protoreflect.Message) *plan { return plans[m.Descriptor().FullName()] }

func makePlans() map[protoreflect.FullName]*plan {
	all := map[protoreflect.FullName]*plan{}
	messages := ridepb.File_hexhail_proto.Messages()
	for i := range messages.Len() {
		addPlan(all, messages.Get(i))
	}
	return all
}

func addPlan(all map[protoreflect.FullName]*plan, d protoreflect.MessageDescriptor) *plan {
	if p, ok := all[d.FullName()]; ok {
		return p
	}
	p := &plan{byName: map[string]int{}, byNumber: map[protoreflect.FieldNumber]int{}}
	all[d.FullName()] = p
	switch d.FullName() {
	case (*ridepb.Point)(nil).ProtoReflect().Descriptor().FullName():
		p.form = formPoint
	case (*timestamppb.Timestamp)(nil).ProtoReflect().Descriptor().FullName():
		p.form = formTime
	}
	fields := d.Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		f := field{
			desc: fd, name: string(fd.Name()), label: `"` + string(fd.Name()) + `":`,
			kind: fd.Kind(), list: fd.IsList(), oneof: fd.ContainingOneof(),
		}
		switch f.kind {
		case protoreflect.MessageKind:
			f.sub = addPlan(all, fd.Message())
		case protoreflect.EnumKind:
			f.words, f.numbers = enumWords(fd.Enum())
		}
		p.byName[f.name], p.byNumber[fd.Number()] = i, i
		p.fields = append(p.fields, f)
	}
	return p
}

func enumWords(d protoreflect.EnumDescriptor) (map[string]protoreflect.EnumNumber, map[protoreflect.EnumNumber]string) {
	words, numbers := map[string]protoreflect.EnumNumber{}, map[protoreflect.EnumNumber]string{}
	for i := range d.Values().Len() {
		v := d.Values().Get(i)
		words[string(v.Name())], numbers[v.Number()] = v.Number(), string(v.Name())
	}
	return words, numbers
}
