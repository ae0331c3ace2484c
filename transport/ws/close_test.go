package ws_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/transport/ws"
)

func TestCloseWaitsForThePeerButNotLong(t *testing.T) {
	inWorld(t, quiet, &recorder{}, func(t *testing.T, w *world) {
		w.conn.Close(4000, "bye")
		w.conn.Close(4500, "too late")
		require.Equal(t, []item{{ws.OpClose, closing(4000, "bye")}}, w.hear())
		end, took := w.end()
		require.Equal(t, ws.Closed{By: ws.ByServer, Code: 4000, Reason: "bye"}, end)
		require.Equal(t, time.Second, took)
	})
	inWorld(t, quiet, &recorder{}, func(t *testing.T, w *world) {
		w.conn.Close(4000, "bye")
		w.listen(func(it item) { w.say(frame(closer, it.Payload)) })
		_, took := w.end()
		require.Zero(t, took, "the peer has answered")
	})
}

func TestPeerCloses(t *testing.T) {
	for _, c := range []struct {
		payload, answer string
		code            ws.Code
	}{
		{closing(1001, "off"), closing(1001, ""), 1001},
		{"", "", ws.CodeNone},
	} {
		inWorld(t, quiet, &recorder{}, func(t *testing.T, w *world) {
			w.say(frame(closer, c.payload))
			require.Equal(t, []item{{ws.OpClose, c.answer}}, w.hear())
			end, took := w.end()
			require.Equal(t, ws.ByPeer, end.By)
			require.Equal(t, c.code, end.Code)
			require.NoError(t, end.Err)
			require.Zero(t, took)
		})
	}
}

func TestBothCloseAtOnce(t *testing.T) {
	inWorld(t, quiet, &recorder{}, func(t *testing.T, w *world) {
		w.conn.Close(4000, "")
		synctest.Wait() // our close frame is being written
		w.say(frame(closer, closing(1000, "")))
		require.Equal(t, []item{{ws.OpClose, closing(4000, "")}}, w.hear())
		end, took := w.end()
		require.Equal(t, ws.Code(4000), end.Code)
		require.Zero(t, took)
	})
}

func TestNoCallbackAfterClose(t *testing.T) {
	r := &recorder{}
	inWorld(t, quiet, r, func(t *testing.T, w *world) {
		w.say(frame(text, "before"))
		synctest.Wait()
		w.conn.Close(ws.CodeNormal, "")
		w.say(frame(text, "after"), frame(closer, closing(1000, "")))
		w.hear()
		w.end()
	})
	require.Equal(t, []item{{ws.OpText, "before"}}, r.got)
}

func TestStreamBreaks(t *testing.T) {
	inWorld(t, quiet, &recorder{}, func(t *testing.T, w *world) {
		require.NoError(t, w.conn.Send(ws.OpText, []byte("nobody reads this")))
		require.NoError(t, w.peer.Close())
		end, took := w.end()
		require.Equal(t, ws.ByNetwork, end.By)
		require.Equal(t, ws.CodeAbnormal, end.Code)
		require.True(t, errors.Is(end.Err, io.EOF) || errors.Is(end.Err, io.ErrClosedPipe), "%v", end.Err)
		require.Zero(t, took)
		require.ErrorIs(t, w.conn.Send(ws.OpText, nil), ws.ErrClosed)
	})
}

func TestAbort(t *testing.T) {
	inWorld(t, quiet, &recorder{}, func(t *testing.T, w *world) {
		require.NoError(t, w.conn.Send(ws.OpText, []byte("nobody reads this")))
		synctest.Wait()
		w.conn.Abort()
		end, took := w.end()
		require.ErrorIs(t, end.Err, ws.ErrAborted)
		require.Zero(t, took)
	})
}

func TestPanicOfTheHandlerLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		conn := ws.NewConn(near, quiet)
		caught := make(chan any, 1)
		go func() {
			defer func() { caught <- recover() }()
			conn.Serve(&recorder{hold: func() { panic("at the handler") }})
		}()
		_, err := far.Write(frame(text, "x"))
		require.NoError(t, err)
		require.Equal(t, "at the handler", <-caught)
		_, err = far.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
	})
}

func TestLongReasonIsCutAtACodePoint(t *testing.T) {
	inWorld(t, quiet, &recorder{}, func(t *testing.T, w *world) {
		w.conn.Close(4000, strings.Repeat("€", 60))
		require.Equal(t, []item{{ws.OpClose, closing(4000, strings.Repeat("€", 41))}}, w.hear())
		w.end()
	})
}

func TestPayloadsAreSharedNotChanged(t *testing.T) {
	shared := []byte(strings.Repeat("for everybody ", 300))
	kept := bytes.Clone(shared)
	for range 3 {
		inWorld(t, quiet, &recorder{}, func(t *testing.T, w *world) {
			require.NoError(t, w.conn.Send(ws.OpText, shared))
			w.conn.Close(ws.CodeNormal, "")
			require.Equal(t, string(kept), w.hear()[0].Payload)
			w.end()
		})
	}
	require.Equal(t, kept, shared)
}
