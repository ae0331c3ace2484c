//go:build !race

package link

// Starting protoactor's remoting sets gRPC's logger, a variable of the process. Servers start it once, before
// any connection; these tests start it several times, which the race detector would report.

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/hexhail/hexhail/actors"
	"github.com/hexhail/hexhail/actors/nodepb"
)

// sink keeps the trips' ids of the frames that arrive.
type sink struct {
	mu  sync.Mutex
	got []string
}

func (s *sink) take(f *nodepb.NodeFrame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, f.GetTrip())
}

func (s *sink) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.got...)
}

func start(t *testing.T, change func(*Config)) (*Link, *sink) {
	cfg := DefaultConfig()
	cfg.Listen, cfg.Log = "127.0.0.1:0", slog.New(slog.DiscardHandler)
	if change != nil {
		change(&cfg)
	}
	var l *Link
	until(t, "a free port", func() bool {
		var err error
		if l, err = Start(cfg); err != nil {
			require.ErrorContains(t, err, "address already in use")
		}
		return err == nil
	})
	t.Cleanup(l.Close)
	s := &sink{}
	l.Deliver(s.take)
	l.Answer(func(from actors.Member) ([]byte, bool) { return []byte("you are " + from.Incarnation), true })
	return l, s
}

// known waits until two nodes exchange frames.
func known(t *testing.T, a, b *Link) {
	t.Helper()
	until(t, "answers to pings", func() bool {
		there, back := ping(a, b.Self()), ping(b, a.Self())
		return there == nil && back == nil
	})
}

func ping(from *Link, to actors.Member) error {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	answer, err := from.Ping(ctx, to)
	if err == nil && string(answer) != "you are "+from.Self().Incarnation {
		err = errors.New(string(answer))
	}
	return err
}

func frame(trip string) *nodepb.NodeFrame {
	return &nodepb.NodeFrame{To: &nodepb.NodeFrame_Trip{Trip: trip}, Body: &nodepb.NodeFrame_TripWake{TripWake: &nodepb.TripWake{}}}
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	require.Eventually(t, holds, time.Minute, time.Millisecond, what)
}

// A node that has met another takes its frames before either has pinged.
func TestNodesThatHaveMetExchangeFrames(t *testing.T) {
	a, _ := start(t, nil)
	b, atB := start(t, nil)
	b.Meet(a.Self())
	a.Meet(b.Self())
	require.False(t, a.Late(b.Self()), "there is no ping to leave unanswered")
	a.Send(b.Self(), frame("t"))
	until(t, "the frame", func() bool { return len(atB.all()) == 1 })
}

// Frames arrive in the order in which they were sent, in both directions.
func TestFramesArriveInOrder(t *testing.T) {
	a, atA := start(t, nil)
	b, atB := start(t, nil)
	known(t, a, b)
	var want []string
	for i := range 2000 {
		id := string(rune('a'+i%26)) + string(rune('a'+i/26%26))
		want = append(want, id)
		a.Send(b.Self(), frame(id))
		b.Send(a.Self(), frame(id))
	}
	until(t, "all frames", func() bool { return len(atA.all()) == len(want) && len(atB.all()) == len(want) })
	require.Equal(t, want, atA.all())
	require.Equal(t, want, atB.all())
}

// A node that is gone is late and gets nothing more; the next process at its address is another
// node, and what was meant for the first one does not reach it.
func TestTheNextProcessIsAnotherNode(t *testing.T) {
	a, _ := start(t, nil)
	b, atB := start(t, func(c *Config) { c.Unanswered = 10 })
	known(t, a, b)
	require.False(t, a.Late(b.Self()))
	former := b.Self()
	b.Close()
	until(t, "late", func() bool { return ping(a, former) != nil && a.Late(former) })
	next, atNext := start(t, func(c *Config) { c.Listen = former.Address })
	require.Equal(t, former.Address, next.Self().Address)
	require.NotEqual(t, former, next.Self())
	a.Send(former, frame("former"))
	known(t, a, next)
	a.Send(former, frame("former"))
	a.Send(next.Self(), frame("next"))
	until(t, "the frame", func() bool { return len(atNext.all()) > 0 })
	require.Equal(t, []string{"next"}, atNext.all())
	require.Empty(t, atB.all())
	require.True(t, a.Late(former))
}

// What is on the way to a node that does not answer is bounded.
func TestFramesOnTheWayAreBounded(t *testing.T) {
	a, _ := start(t, func(c *Config) { c.Unanswered = 10 })
	b, _ := start(t, nil)
	known(t, a, b)
	for range 100 {
		a.Send(b.Self(), frame("x"))
	}
	p := a.peer(b.Self())
	require.EqualValues(t, 10, p.sent)
	until(t, "an answer", func() bool { return ping(a, b.Self()) == nil })
	require.EqualValues(t, 10, p.acked)
	a.Send(b.Self(), frame("x"))
	require.EqualValues(t, 11, p.sent)
}

// A stranger's frames reach no gate: there is one for each node that this one pings only.
func TestStrangersReachNoGate(t *testing.T) {
	a, atA := start(t, nil)
	b, _ := start(t, nil)
	stranger, _ := start(t, nil)
	known(t, a, b)
	require.Error(t, ping(stranger, a.Self()), "it gets no answer")
	for range 10 {
		stranger.Send(a.Self(), frame("x"))
	}
	known(t, a, b) // time for them to arrive
	b.Send(a.Self(), frame("y"))
	until(t, "the member's frame", func() bool { return len(atA.all()) > 0 })
	require.Equal(t, []string{"y"}, atA.all())
}

// A stream that holds what makes no sense, such as a message of a later type, is ended and counted. The others
// go on.
func TestBrokenStreamsAreEnded(t *testing.T) {
	var broken atomic.Int64
	a, atA := start(t, func(c *Config) { c.Broken = func(error) { broken.Add(1) } })
	b, _ := start(t, nil)
	known(t, a, b)
	target := []*actor.PID{actor.NewPID(a.Self().Address, "nothing")}
	frameType := string((&nodepb.NodeFrame{}).ProtoReflect().Descriptor().FullName())
	for name, batch := range map[string]*remote.MessageBatch{
		"unknown type":    {TypeNames: []string{"later.Message"}, Targets: target, Envelopes: []*remote.MessageEnvelope{{MessageData: []byte{8, 1}}}},
		"not of its type": {TypeNames: []string{frameType}, Targets: target, Envelopes: []*remote.MessageEnvelope{{MessageData: []byte{255}}}},
		"no such target":  {TypeNames: []string{frameType}, Targets: target, Envelopes: []*remote.MessageEnvelope{{Target: 7}}},
		"no such name":    {Targets: target, Envelopes: []*remote.MessageEnvelope{{TypeId: -1}}},
	} {
		was := broken.Load()
		conn, err := grpc.NewClient("passthrough:///"+a.Self().Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
		require.NoError(t, err)
		stream, err := remote.NewRemotingClient(conn).Receive(t.Context())
		require.NoError(t, err)
		require.NoError(t, stream.Send(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: batch}}))
		until(t, name, func() bool { return broken.Load() == was+1 })
		require.NoError(t, conn.Close())
	}
	b.Send(a.Self(), frame("x"))
	until(t, "a frame", func() bool { return len(atA.all()) == 1 })
	require.EqualValues(t, 4, broken.Load(), "an end of a connection does not count")
}

// A node that is away for long costs no more than one attempt at a time.
func TestAttemptsAreNotLeftBehind(t *testing.T) {
	a, _ := start(t, nil)
	b, _ := start(t, nil)
	known(t, a, b)
	b.Close()
	until(t, "a failure", func() bool { _ = ping(a, b.Self()); return a.Failure(b.Self()) != nil })
	before := runtime.NumGoroutine()
	for begun := time.Now(); time.Since(begun) < 7*time.Second; { // some attempts, 2 s apart
		_ = ping(a, b.Self())
	}
	until(t, "as few goroutines as before", func() bool { return runtime.NumGoroutine() <= before+5 })
	next, _ := start(t, func(c *Config) { c.Listen = b.Self().Address })
	known(t, a, next)
	require.NoError(t, a.Failure(next.Self()))
}

func TestConfigs(t *testing.T) {
	good := DefaultConfig()
	good.Listen = "127.0.0.1:0"
	require.NoError(t, good.Validate())
	for what, change := range map[string]func(*Config){
		"no address":        func(c *Config) { c.Listen = "" },
		"no port":           func(c *Config) { c.Listen = "127.0.0.1" },
		"beyond loopback":   func(c *Config) { c.Listen = "0.0.0.0:0" },
		"advertised beyond": func(c *Config) { c.Advertise = "10.0.0.1:7946" },
		"one side secured":  func(c *Config) { c.Server = new(tls.Config) },
		"no bound":          func(c *Config) { c.Unanswered = 0 },
		"never late":        func(c *Config) { c.LateAfter = 0 },
		"no log":            func(c *Config) { c.Log = nil },
	} {
		c := good
		change(&c)
		require.ErrorIs(t, c.Validate(), ErrConfig, what)
	}
	first, _ := start(t, nil)
	good.Listen = first.Self().Address
	_, err := Start(good)
	require.Error(t, err, "the port is taken")
}
