package ws_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/transport/ws"
)

// recorder records the calls to a connection's handler. hold, if set, is called within OnMessage.
type recorder struct {
	mu   sync.Mutex
	got  []item
	rtts []time.Duration
	hold func()
}

func (r *recorder) OnMessage(op ws.Op, payload []byte) {
	r.mu.Lock()
	r.got = append(r.got, item{op, string(payload)})
	r.mu.Unlock()
	if r.hold != nil {
		r.hold()
	}
}

func (r *recorder) OnRTT(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rtts = append(r.rtts, d)
}

// world is a served connection over a pipe, which stores nothing: a write waits
// until the peer has read it all. It lives in a synctest bubble, so its clock is
// ours, and a goroutine left over fails the test.
type world struct {
	t     *testing.T
	conn  *ws.Conn
	peer  net.Conn
	count *ws.Counters
	began time.Time
	ended chan ws.Closed
}

func inWorld(t *testing.T, cfg ws.Config, h ws.Handler, test func(t *testing.T, w *world)) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		w := &world{t: t, peer: far, count: new(ws.Counters), began: time.Now(), ended: make(chan ws.Closed, 1)}
		cfg.Observer = w.count
		w.conn = ws.NewConn(near, cfg)
		go func() { w.ended <- w.conn.Serve(h) }()
		test(t, w)
		require.Zero(t, w.count.Open.Load())
		require.NoError(t, far.Close())
	})
}

// end waits for the connection's end and returns it with the time since the start.
func (w *world) end() (ws.Closed, time.Duration) {
	end := <-w.ended
	return end, time.Since(w.began)
}

// say writes frames as the peer.
func (w *world) say(frames ...[]byte) {
	_, err := w.peer.Write(join(frames...))
	require.NoError(w.t, err)
}

// listen reads as the peer until the stream ends, and passes each item on.
func (w *world) listen(each func(item)) {
	a := ws.NewAssembler(ws.Rules{FromServer: true})
	buf := make([]byte, 4096)
	for {
		n, err := w.peer.Read(buf)
		items, code := feed(w.t, a, [][]byte{buf[:n]})
		require.Zero(w.t, code)
		for _, it := range items {
			each(it)
		}
		if err != nil {
			return
		}
	}
}

// hear reads as the peer until the stream ends and returns everything.
func (w *world) hear() []item {
	var items []item
	w.listen(func(it item) { items = append(items, it) })
	return items
}

// adjusted is the default configuration but for what set changes.
func adjusted(set func(*ws.Config)) ws.Config {
	c := ws.DefaultConfig()
	set(&c)
	return c
}

// quiet keeps pings out of tests that are about something else.
var quiet = adjusted(func(c *ws.Config) {
	c.PingInterval = 24 * time.Hour
	c.SilenceTimeout = 24 * time.Hour
	c.SlowCode = 4001
})

func TestSlowReaderIsClosedAtTheByteBound(t *testing.T) {
	cfg := quiet
	cfg.MaxQueue = 10_000
	inWorld(t, cfg, &recorder{}, func(t *testing.T, w *world) {
		var err error
		sent := 0
		for ; err == nil; sent++ {
			require.LessOrEqual(t, w.conn.Queued(), cfg.MaxQueue)
			err = w.conn.Send(ws.OpText, []byte(strings.Repeat("x", 100)))
			synctest.Wait()
		}
		require.ErrorIs(t, err, ws.ErrSlowConsumer)
		require.InDelta(t, 10_000/164, sent, 1)
		require.ErrorIs(t, w.conn.Send(ws.OpText, nil), ws.ErrClosed)
		require.Less(t, w.conn.Queued(), 200, "what waited is dropped")
		end, took := w.end()
		require.Equal(t, ws.ByServer, end.By)
		require.Equal(t, ws.Code(4001), end.Code)
		require.ErrorIs(t, end.Err, ws.ErrSlowConsumer)
		require.LessOrEqual(t, took, 2*time.Second)
		require.EqualValues(t, 1, w.count.SlowCloses.Load())
	})
}

func TestEmptyMessagesAreBoundedToo(t *testing.T) {
	cfg := quiet
	cfg.MaxQueue = 64_000
	inWorld(t, cfg, &recorder{}, func(t *testing.T, w *world) {
		sent := 0
		for w.conn.SendLatest(fmt.Sprint(sent), ws.OpText, nil) == nil {
			sent++
		}
		require.LessOrEqual(t, sent, 1001)
		w.end()
	})
}

func TestSlowReaderWhoRecoversLearnsWhy(t *testing.T) {
	cfg := quiet
	cfg.MaxQueue = 1000
	inWorld(t, cfg, &recorder{}, func(t *testing.T, w *world) {
		require.NoError(t, w.conn.Send(ws.OpText, []byte("being written")))
		synctest.Wait()
		require.NoError(t, w.conn.Send(ws.OpText, []byte("dropped")))
		require.ErrorIs(t, w.conn.Send(ws.OpText, make([]byte, 1000)), ws.ErrSlowConsumer)
		require.Equal(t, []item{{ws.OpText, "being written"}, {ws.OpClose, closing(4001, "slow_consumer")}}, w.hear())
		w.end()
	})
}

func TestSlowReaderIsCutAtTheWriteDeadline(t *testing.T) {
	inWorld(t, adjusted(func(c *ws.Config) { c.SlowCode = 4001; c.SilenceTimeout = time.Minute }), &recorder{}, func(t *testing.T, w *world) {
		require.NoError(t, w.conn.Send(ws.OpText, []byte("nobody reads this")))
		end, took := w.end()
		require.ErrorIs(t, end.Err, ws.ErrSlowConsumer)
		require.Equal(t, ws.Code(4001), end.Code)
		require.Equal(t, 10*time.Second, took)
	})
}

func TestSilentPeerIsCut(t *testing.T) {
	inWorld(t, adjusted(func(c *ws.Config) { c.SilentCode = 4002 }), &recorder{}, func(t *testing.T, w *world) {
		var pings []time.Duration
		var said ws.Code
		w.listen(func(it item) { // reads, but never answers
			if it.Op == ws.OpClose {
				said, _ = ws.ParseClose([]byte(it.Payload))
				return
			}
			require.Equal(t, ws.OpPing, it.Op)
			pings = append(pings, time.Since(w.began))
		})
		require.Equal(t, ws.Code(4002), said)
		end, took := w.end()
		require.ErrorIs(t, end.Err, ws.ErrSilent)
		require.Equal(t, ws.DefaultConfig().SilenceTimeout, took)
		require.Contains(t, []int{1, 2}, len(pings))
		require.GreaterOrEqual(t, pings[0], 4*time.Second)
		require.LessOrEqual(t, pings[0], 6*time.Second)
		require.EqualValues(t, 1, w.count.SilentCloses.Load())
	})
}

func TestFrozenPeerIsCutInTime(t *testing.T) {
	// It spoke once, then neither reads nor writes.
	inWorld(t, ws.DefaultConfig(), &recorder{}, func(t *testing.T, w *world) {
		time.Sleep(3 * time.Second)
		w.say(frame(text, "last words"))
		_, took := w.end()
		require.LessOrEqual(t, took-3*time.Second, 15*time.Second)
	})
}

func TestPongsKeepAPeerAlive(t *testing.T) {
	r := &recorder{}
	inWorld(t, ws.DefaultConfig(), r, func(t *testing.T, w *world) {
		go func() {
			time.Sleep(10 * time.Minute)
			w.conn.Close(ws.CodeGoingAway, "restart")
		}()
		const trip = 80 * time.Millisecond
		w.listen(func(it item) {
			switch it.Op {
			case ws.OpPing:
				time.Sleep(trip)
				w.say(frame(pong, "not this"), frame(pong, it.Payload), frame(pong, it.Payload))
			case ws.OpClose:
				w.say(frame(closer, it.Payload))
			}
		})
		end, took := w.end()
		require.Equal(t, ws.Closed{By: ws.ByServer, Code: ws.CodeGoingAway, Reason: "restart"}, end)
		require.InDelta(t, 10*time.Minute, took, float64(trip), "the close frame may find the peer busy with a ping")
	})
	require.InDelta(t, 120, len(r.rtts), 12, "one per ping, about every 5 s")
	for _, d := range r.rtts {
		require.InDelta(t, 80*time.Millisecond, d, float64(time.Millisecond))
	}
}

func TestTimeInTheHandlerIsNotSilence(t *testing.T) {
	r := &recorder{hold: func() { time.Sleep(30 * time.Second) }}
	inWorld(t, ws.DefaultConfig(), r, func(t *testing.T, w *world) {
		go func() { _, _ = io.Copy(io.Discard, w.peer) }()
		w.say(frame(text, "slow"))
		end, took := w.end()
		require.ErrorIs(t, end.Err, ws.ErrSilent)
		require.Equal(t, 30*time.Second+ws.DefaultConfig().SilenceTimeout, took)
	})
}

func TestLatestWinsInPlace(t *testing.T) {
	inWorld(t, quiet, &recorder{}, func(t *testing.T, w *world) {
		latest := func(key, payload string) {
			require.NoError(t, w.conn.SendLatest(key, ws.OpText, []byte(payload)))
		}
		latest("a", "a1")
		synctest.Wait() // a1 is being written and cannot be taken back
		latest("a", "a2")
		latest("b", "b1")
		require.NoError(t, w.conn.Send(ws.OpBinary, []byte("event")))
		latest("b", "b2, longer")
		latest("a", "a3")
		before := w.conn.Queued()
		latest("a", "a4")
		require.Equal(t, before, w.conn.Queued())
		w.conn.Close(ws.CodeNormal, "")
		require.Equal(t, []item{
			{ws.OpText, "a1"}, {ws.OpText, "a4"}, {ws.OpText, "b2, longer"}, {ws.OpBinary, "event"}, {ws.OpClose, closing(1000, "")},
		}, w.hear())
		w.end()
		require.EqualValues(t, 3, w.count.ReplacedFrames.Load())
		require.EqualValues(t, 2, w.count.Writes.Load(), "one for a1, one for all the rest")
		require.EqualValues(t, 5, w.count.FramesOut.Load())
		require.Zero(t, w.conn.Queued())
	})
}

// Each ping gets its pong, in order, however the pings were cut: with one write, between the
// fragments of a message, empty or as large as can be.
func TestEveryPingIsAnswered(t *testing.T) {
	largest := strings.Repeat("x", ws.MaxControlPayload)
	for name, payloads := range map[string][]string{
		"ten": {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, "empty": {"", "", ""}, "largest": {largest, "", largest},
	} {
		var together []byte
		var want []item
		for _, p := range payloads {
			together = append(together, frame(ping, p)...)
			want = append(want, item{ws.OpPong, p})
		}
		for way, writes := range map[string][][]byte{
			"one write": {together}, "byte by byte": cut(together, 1), "in odd pieces": cut(together, 7),
			"between fragments": {append(append(frame(text0, "a"), together...), frame(last, "b")...)},
		} {
			t.Run(name+" "+way, func(t *testing.T) {
				inWorld(t, quiet, &recorder{}, func(t *testing.T, w *world) {
					for _, b := range writes {
						w.say(bytes.Clone(b)) // it is unmasked in place
					}
					synctest.Wait()
					w.say(frame(closer, closing(1000, "")))
					require.Equal(t, append(slices.Clone(want), item{ws.OpClose, closing(1000, "")}), w.hear(), "and then the close")
					w.end()
				})
			})
		}
	}
}

// Once our close frame is queued nothing may follow it, and a peer's pings from then on go
// unanswered.
func TestNoPongAfterTheClose(t *testing.T) {
	inWorld(t, quiet, &recorder{}, func(t *testing.T, w *world) {
		w.say(frame(ping, "before"))
		synctest.Wait()
		w.conn.Close(ws.CodeNormal, "")
		w.say(frame(ping, "after"))
		require.Equal(t, []item{{ws.OpPong, "before"}, {ws.OpClose, closing(1000, "")}}, w.hear())
		w.end()
	})
}

// A flood of pings to a peer that does not read owes it a bounded number of bytes: the newest.
func TestFloodOfPingsIsBounded(t *testing.T) {
	inWorld(t, quiet, &recorder{}, func(t *testing.T, w *world) {
		const pings, bound = 10_000, 4 << 10
		for i := range pings {
			w.say(frame(ping, fmt.Sprint(i)))
		}
		synctest.Wait()
		require.Zero(t, w.conn.Queued())
		w.conn.Close(ws.CodeNormal, "")
		heard := w.hear()
		end := len(heard) - 1
		require.Equal(t, item{ws.OpClose, closing(1000, "")}, heard[end])
		// What the writer had taken already comes first; the newest follow without a gap.
		size := 0
		for i := end - 1; i >= 0 && heard[i] == (item{ws.OpPong, fmt.Sprint(pings - end + i)}); i-- {
			size += 2 + len(heard[i].Payload)
		}
		require.LessOrEqual(t, size, bound)
		require.Greater(t, size, bound-2-ws.MaxControlPayload, "as many as fit")
		require.Less(t, end, bound/2)
		w.end()
	})
}
