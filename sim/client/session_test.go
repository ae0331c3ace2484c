package client

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// patience bounds every wait of these tests; nothing takes that long.
const patience = time.Minute

// fake is a server that a test controls, socket by socket.
type fake struct {
	t       *testing.T
	url     string
	sockets chan *socket
}

type socket struct {
	t    *testing.T
	conn net.Conn
}

func newFake(t *testing.T) *fake {
	f := &fake{t: t, sockets: make(chan *socket, 8)}
	up := ws.HTTPUpgrader{Protocol: func(p string) bool { return p == wire.JSON.Subprotocol() }}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, _, _, err := up.Upgrade(r, w); err == nil {
			f.sockets <- &socket{t, c}
		}
	}))
	t.Cleanup(s.Close)
	f.url = "ws" + strings.TrimPrefix(s.URL, "http")
	return f
}

// next waits for the client's next socket and reads its connect.
func (f *fake) next() (*socket, *ridepb.ClientFrame) {
	f.t.Helper()
	select {
	case s := <-f.sockets:
		f.t.Cleanup(func() { _ = s.conn.Close() })
		hello := s.read()
		require.NotNil(f.t, hello.GetConnect(), "the first message is connect")
		return s, hello
	case <-time.After(patience):
		f.t.Fatal("the client did not connect")
		return nil, nil
	}
}

func (s *socket) read() *ridepb.ClientFrame {
	s.t.Helper()
	require.NoError(s.t, s.conn.SetReadDeadline(time.Now().Add(patience)))
	b, _, err := wsutil.ReadClientData(s.conn)
	require.NoError(s.t, err)
	f, err := wire.JSON.DecodeClient(b)
	require.NoError(s.t, err)
	return f
}

func (s *socket) send(f *ridepb.ServerFrame) {
	s.t.Helper()
	b, err := wire.JSON.EncodeServer(f)
	require.NoError(s.t, err)
	require.NoError(s.t, wsutil.WriteServerText(s.conn, b))
}

func (s *socket) reply(r *ridepb.Reply) {
	s.t.Helper()
	s.send(&ridepb.ServerFrame{Kind: &ridepb.ServerFrame_Reply{Reply: r}})
}

func (s *socket) welcome(hello *ridepb.ClientFrame, resumed bool, seq uint32) {
	s.t.Helper()
	s.reply(&ridepb.Reply{Id: hello.GetId(), Result: &ridepb.Reply_Connected{Connected: &ridepb.Connected{
		Epoch: "e", Seq: seq, Resumed: resumed, HeartbeatMs: 60_000,
	}}})
}

func (s *socket) event(seq uint32) {
	s.t.Helper()
	s.send(&ridepb.ServerFrame{Kind: &ridepb.ServerFrame_Event{Event: &ridepb.Event{
		Epoch: "e", Seq: seq, Body: &ridepb.Event_OfferClosed{OfferClosed: &ridepb.OfferClosed{OfferId: "t.1"}},
	}}})
}

// ear is a handler that passes events to a test.
type ear struct {
	seqs  chan uint32
	downs chan Down
}

func (e *ear) Connected(*ridepb.Connected, bool) {}
func (e *ear) Event(v *ridepb.Event)             { e.seqs <- v.GetSeq() }
func (e *ear) Down(d Down)                       { e.downs <- d }

func start(t *testing.T, f *fake) (*Client, *ear) {
	e := &ear{seqs: make(chan uint32, 64), downs: make(chan Down, 64)}
	c := Start(t.Context(), Config{
		URLs: []string{f.url}, Codec: wire.JSON, Name: "test", Handler: e, Token: func() (string, error) { return "token", nil },
	})
	t.Cleanup(c.Close)
	return c, e
}

func await[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case x := <-c:
		return x
	case <-time.After(patience):
		t.Fatal("waited in vain for " + what)
		panic("unreachable")
	}
}

func online() *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_GoOffline{GoOffline: &ridepb.GoOffline{}}}
}

func TestARefusalForTheMomentIsRepeatedWithItsID(t *testing.T) {
	f := newFake(t)
	c, _ := start(t, f)
	s, hello := f.next()
	require.Nil(t, hello.GetConnect().GetResume(), "there is nothing to resume yet")
	s.welcome(hello, false, 0)
	answers := make(chan *ridepb.Reply, 4)
	id := c.Do(online(), func(r *ridepb.Reply) { answers <- r })
	require.Equal(t, id, s.read().GetId())
	s.reply(&ridepb.Reply{Id: id, Result: &ridepb.Reply_Error{Error: &ridepb.Error{Code: "unavailable", Retryable: true, RetryAfterMs: 1}}})
	require.Equal(t, id, s.read().GetId(), "the same command again")
	require.Equal(t, 1, c.Pending())
	done := &ridepb.Reply{Id: id, Result: &ridepb.Reply_Done{Done: &ridepb.Done{}}}
	s.reply(done)
	s.reply(done) // a server that repeats itself is heard once
	require.NotNil(t, await(t, "the answer", answers).GetDone())
	s.event(1)
	require.Empty(t, answers)
	require.Zero(t, c.Pending())
}

func TestALostSocketIsResumedAndItsCommandsRepeated(t *testing.T) {
	f := newFake(t)
	c, e := start(t, f)
	s, hello := f.next()
	s.welcome(hello, false, 4)
	s.event(5)
	s.event(6)
	require.EqualValues(t, 5, await(t, "an event", e.seqs))
	require.EqualValues(t, 6, await(t, "an event", e.seqs))
	id := c.Do(online(), func(*ridepb.Reply) {})
	require.Equal(t, id, s.read().GetId())
	require.NoError(t, s.conn.Close())
	d := await(t, "the loss", e.downs)
	require.Equal(t, 1006, d.Code)
	require.True(t, d.Began)
	require.False(t, d.Final)

	s, hello = f.next()
	require.Equal(t, "e", hello.GetConnect().GetResume().GetEpoch())
	require.EqualValues(t, 6, hello.GetConnect().GetResume().GetSeq())
	s.welcome(hello, true, 7)
	require.Equal(t, id, s.read().GetId(), "the command that had no answer")
	s.event(6) // replayed though it was seen
	s.event(7)
	require.EqualValues(t, 7, await(t, "the missed event", e.seqs), "the one before was seen already")
}

func TestAnAnsweredCommandIsRepeatedOnDemand(t *testing.T) {
	f := newFake(t)
	c, _ := start(t, f)
	s, hello := f.next()
	s.welcome(hello, false, 0)
	answers := make(chan *ridepb.Reply, 4)
	frame := online()
	id := c.Do(frame, func(r *ridepb.Reply) { answers <- r })
	require.Equal(t, id, s.read().GetId())
	again := func(r *ridepb.Reply) { answers <- r }
	require.False(t, c.Repeat(frame, again), "its answer is still pending")
	done := &ridepb.Reply{Id: id, Result: &ridepb.Reply_Done{Done: &ridepb.Done{}}}
	s.reply(done)
	await(t, "the answer", answers)
	require.True(t, c.Repeat(frame, again))
	require.Equal(t, id, s.read().GetId(), "the same id")
	s.reply(done)
	await(t, "the answer to the repetition", answers)
	require.Zero(t, c.Pending())
}

func TestAHoleIsABreachAndLosesTheHistory(t *testing.T) {
	f := newFake(t)
	_, e := start(t, f)
	s, hello := f.next()
	s.welcome(hello, false, 0)
	s.event(1)
	s.event(3)
	require.True(t, await(t, "the breach", e.downs).Breach)
	s, hello = f.next()
	require.Nil(t, hello.GetConnect().GetResume(), "a history with a gap is useless")
	s.welcome(hello, false, 3)
}

func TestAFinalCloseCodeEndsTheClient(t *testing.T) {
	f := newFake(t)
	c, e := start(t, f)
	s, hello := f.next()
	s.welcome(hello, false, 0)
	require.NoError(t, wsutil.WriteServerMessage(s.conn, ws.OpClose, ws.NewCloseFrameBody(4500, "go away")))
	d := await(t, "the end", e.downs)
	require.True(t, d.Final)
	require.Equal(t, 4500, d.Code)
	await(t, "the client's end", c.Done())
	require.Empty(t, c.Do(online(), func(*ridepb.Reply) {}), "the client is stopped")
}

// moved is an ear for the older socket.
type moved struct {
	events chan struct{}
	codes  chan int
}

func (m *moved) OlderEvent()        { m.events <- struct{}{} }
func (m *moved) OlderDown(code int) { m.codes <- code }

// A client that moves leaves its socket open: what arrives there does not count, and its end is
// reported, as is what the server sends after it. A command without an answer is repeated.
func TestMoveLeavesTheSocketOpen(t *testing.T) {
	a, b := newFake(t), newFake(t)
	e, m := &ear{seqs: make(chan uint32, 64), downs: make(chan Down, 64)}, &moved{make(chan struct{}, 8), make(chan int, 8)}
	c := Start(t.Context(), Config{
		URLs: []string{a.url, b.url}, Codec: wire.JSON, Name: "test", Handler: e, Older: m, Token: func() (string, error) { return "token", nil },
	})
	t.Cleanup(c.Close)
	require.False(t, c.Move(), "there is no session")
	older, hello := a.next()
	older.welcome(hello, false, 4)
	older.event(5)
	require.EqualValues(t, 5, await(t, "an event", e.seqs))
	require.Zero(t, c.Node())
	answers := make(chan *ridepb.Reply, 2)
	id := c.Do(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_GoOffline{GoOffline: &ridepb.GoOffline{}}}, func(r *ridepb.Reply) { answers <- r })
	require.Equal(t, id, older.read().GetId())

	require.True(t, c.Move())
	newer, hello := b.next()
	require.EqualValues(t, 5, hello.GetConnect().GetResume().GetSeq())
	older.event(6)
	await(t, "an event on the older socket", m.events)
	older.reply(&ridepb.Reply{Id: id, Result: &ridepb.Reply_Done{Done: &ridepb.Done{}}})
	newer.welcome(hello, true, 5)
	require.Equal(t, id, newer.read().GetId(), "repeated")
	require.Equal(t, 1, c.Node())
	newer.event(6)
	require.EqualValues(t, 6, await(t, "the event on the newer socket", e.seqs))

	require.NoError(t, ws.WriteFrame(older.conn, ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusCode(ridepb.CloseReplaced), ""))))
	older.event(7) // right behind it, since the client reads on for a second only
	require.Equal(t, int(ridepb.CloseReplaced), await(t, "its end", m.codes))
	await(t, "an event after its end", m.events)
	require.NoError(t, older.conn.Close())
	newer.reply(&ridepb.Reply{Id: id, Result: &ridepb.Reply_Done{Done: &ridepb.Done{}}})
	require.NotNil(t, await(t, "the answer", answers).GetDone())
	require.Empty(t, answers)
	require.Empty(t, e.downs, "the client never lost its session")
}

// A client that moves back and forth, and loses sockets meanwhile, has one session in the end.
func TestMovesAndLosses(t *testing.T) {
	f := newFake(t)
	e, m := &ear{seqs: make(chan uint32, 64), downs: make(chan Down, 64)}, &moved{make(chan struct{}, 64), make(chan int, 64)}
	c := Start(t.Context(), Config{
		URLs: []string{f.url}, Codec: wire.JSON, Name: "test", Handler: e, Older: m, Token: func() (string, error) { return "token", nil },
	})
	s, hello := f.next()
	s.welcome(hello, false, 1)
	for n := range 6 {
		s.event(uint32(n + 2))
		await(t, "an event", e.seqs)
		require.True(t, c.Move())
		if n%2 == 0 {
			require.NoError(t, s.conn.Close())
			require.Equal(t, 1006, await(t, "the end of the older socket", m.codes))
		}
		s, hello = f.next()
		s.welcome(hello, true, uint32(n+2))
	}
	s.event(8)
	require.EqualValues(t, 8, await(t, "an event", e.seqs))
	c.Close()
	require.Empty(t, e.downs)
}
