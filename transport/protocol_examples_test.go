package transport_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/transport/internal/manual"
)

// clientExample reads an example of what a client sends, as the server would.
func clientExample(t *testing.T, where, text string) *ridepb.ClientFrame {
	t.Helper()
	frame, err := wire.JSON.DecodeClient([]byte(text))
	require.NoError(t, err, "%s: %s", where, text)
	for _, codec := range []wire.Codec{wire.JSON, wire.Binary} {
		data, err := codec.EncodeClient(frame)
		require.NoError(t, err, where)
		again, err := codec.DecodeClient(data)
		require.NoError(t, err, where)
		require.Empty(t, cmp.Diff(frame, again, protocmp.Transform()), where)
	}
	return frame
}

// serverExample reads an example of what a server sends. It must be what the server
// would write, to the last field without a value.
func serverExample(t *testing.T, where, text string) *ridepb.ServerFrame {
	t.Helper()
	frame := new(ridepb.ServerFrame)
	require.NoError(t, wire.JSON.UnmarshalStrict([]byte(text), frame), "%s: %s", where, text)
	data, err := wire.JSON.EncodeServer(frame)
	require.NoError(t, err, where)
	require.Empty(t, cmp.Diff(anything(t, text), anything(t, string(data))), "%s: the server would write %s", where, data)

	data, err = wire.Binary.EncodeServer(frame)
	require.NoError(t, err, where)
	again, err := wire.Binary.DecodeServer(data)
	require.NoError(t, err, where)
	require.Empty(t, cmp.Diff(frame, again, protocmp.Transform()), where)
	return frame
}

func anything(t *testing.T, text string) (v any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &v), text)
	return v
}

// bodyOf is the name of the member of a message's oneof that is set.
func bodyOf(m proto.Message) string {
	r := m.ProtoReflect()
	set := r.WhichOneof(r.Descriptor().Oneofs().Get(0))
	if set == nil {
		return ""
	}
	return string(set.Name())
}

// Every example is a frame as the codec reads and writes it, stands in the section of
// its message, and no message is without one.
func TestPageExamples(t *testing.T) {
	seen := map[string]bool{}
	for _, b := range protocolPage(t).Blocks() {
		where := fmt.Sprintf("line %d", b.Line)
		section, body := "", ""
		switch b.Info {
		case "json client":
			section, body = "Client messages", bodyOf(clientExample(t, where, b.Text))
		case "json server":
			frame := serverExample(t, where, b.Text)
			if frame.GetReply() != nil {
				section, body = "Replies", bodyOf(frame.GetReply())
			} else {
				section, body = "Events", bodyOf(frame.GetEvent())
			}
		case "json":
			require.Fail(t, "an example does not say whose frame it is", where)
		default:
			continue
		}
		if b.Section == section {
			require.Equal(t, b.Title, body, where)
		}
		seen[section+" "+body] = true
	}
	for section, m := range map[string]protoreflect.MessageDescriptor{
		"Client messages": (*ridepb.ClientFrame)(nil).ProtoReflect().Descriptor(),
		"Replies":         (*ridepb.Reply)(nil).ProtoReflect().Descriptor(),
		"Events":          (*ridepb.Event)(nil).ProtoReflect().Descriptor(),
	} {
		for _, body := range bodies(m) {
			require.True(t, seen[section+" "+body], "%s has no example", body)
		}
	}
}

// party is one side of the transcript, followed as the page tells clients to.
type party struct {
	epoch string
	seq   uint32
	asked map[string]int // frames with an id that were not answered yet
}

// transcript returns the lines between the markers that a test may replace.
func transcript(t *testing.T) []string {
	t.Helper()
	page, err := manual.Load("protocol-transcript.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(page.Text(), "<!-- transcript:begin -->\n```text\n")
	require.True(t, ok, "no transcript")
	text, _, ok := strings.Cut(rest, "\n```\n<!-- transcript:end -->")
	require.True(t, ok, "the transcript does not end")
	return strings.Split(text, "\n")
}

// The transcript is made of real frames, and keeps the page's own promises: each id
// gets one reply, and seq has no hole.
func TestPageTranscript(t *testing.T) {
	parties := map[string]*party{}
	changes := []string{}
	for i, line := range transcript(t) {
		if strings.HasPrefix(line, "-- ") {
			continue
		}
		where := fmt.Sprintf("transcript line %d", i+1)
		name, rest, _ := strings.Cut(line, " ")
		p := parties[name]
		if p == nil {
			p = &party{asked: map[string]int{}}
			parties[name] = p
		}
		rest = strings.TrimLeft(rest, " ")
		if text, ok := strings.CutPrefix(rest, "→ "); ok {
			p.say(clientExample(t, where, text))
			continue
		}
		text, ok := strings.CutPrefix(rest, "← ")
		require.True(t, ok, "%s: %s", where, line)
		frame := serverExample(t, where, text)
		if r := frame.GetReply(); r != nil {
			require.Positive(t, p.asked[r.GetId()], "%s: an answer without a question", where)
			p.asked[r.GetId()]--
			p.connected(t, where, r.GetConnected())
			continue
		}
		p.event(t, where, frame.GetEvent())
		if u := frame.GetEvent().GetTripUpdated(); u != nil && name == "Ada" {
			changes = append(changes, u.GetChange())
		}
	}
	require.Len(t, parties, 3, "a rider and two drivers")
	for name, p := range parties {
		for id, n := range p.asked {
			require.Zero(t, n, "%s: %s was not answered", name, id)
		}
	}
	require.Equal(t, []string{"wave_planned", "matched", "arrived", "started", "completed", "rated"}, changes)
}

func (p *party) say(f *ridepb.ClientFrame) {
	if f.GetId() != "" {
		p.asked[f.GetId()]++
	}
	if r := f.GetConnect().GetResume(); r != nil {
		p.epoch, p.seq = r.GetEpoch(), r.GetSeq()
	}
}

// connected takes the answer to connect, nil for all other answers.
func (p *party) connected(t *testing.T, where string, c *ridepb.Connected) {
	t.Helper()
	if c == nil {
		return
	}
	if c.GetResumed() {
		require.Equal(t, p.epoch, c.GetEpoch(), where)
		return
	}
	p.epoch, p.seq = c.GetEpoch(), c.GetSeq()
}

func (p *party) event(t *testing.T, where string, e *ridepb.Event) {
	t.Helper()
	require.Equal(t, p.epoch, e.GetEpoch(), where)
	if e.GetDriverMoved() == nil && e.GetRouteChanged() == nil && e.GetDisconnecting() == nil {
		p.seq++
	}
	require.Equal(t, p.seq, e.GetSeq(), where)
}
