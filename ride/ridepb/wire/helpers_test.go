package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/durationpb"
)

// foreignMessage is of another protocol.
var foreignMessage = durationpb.Duration{Seconds: 1}

func typeOf(t *testing.T, d protoreflect.MessageDescriptor) protoreflect.MessageType {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(d.FullName())
	require.NoError(t, err)
	return kind
}
