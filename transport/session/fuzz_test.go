package session

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/transport/ws"
)

// Every frame from a client is either handed over or answered, exactly once.
func FuzzFrames(f *testing.F) {
	for _, codec := range []wire.Codec{wire.JSON, wire.Binary} {
		for k := kindConnect; k < kinds; k++ {
			data, err := codec.EncodeClient(sample(k, "id"))
			require.NoError(f, err)
			f.Add(codec.Binary(), codec.Binary(), data)
		}
		f.Add(codec.Binary(), !codec.Binary(), []byte(`{"id":"1","ping":{}}`))
	}
	h := unlimited()
	f.Cleanup(h.cancel)
	f.Fuzz(func(t *testing.T, binarySession, binaryFrame bool, data []byte) {
		codec, op := wire.JSON, ws.OpText
		if binarySession {
			codec = wire.Binary
		}
		if binaryFrame {
			op = ws.OpBinary
		}
		s, inbox := joinedTo(t, h, codec)
		s.OnMessage(op, data)
		answers := 0
		if s.conn.Queued() > 0 {
			answers = 1
		}
		require.Equal(t, 1, inbox.commands+inbox.locations+answers)
		require.Equal(t, s.unanswered.open(), inbox.commands)
		require.False(t, s.ended)
	})
}
