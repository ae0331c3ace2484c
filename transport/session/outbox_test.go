package session

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/transport/ws"
)

func offerClosed(seq uint32) *ridepb.Event {
	return &ridepb.Event{Epoch: "epoch", Seq: seq, Body: &ridepb.Event_OfferClosed{OfferClosed: &ridepb.OfferClosed{OfferId: "t.1"}}}
}

func moved(seq uint32, eta uint32) *ridepb.Event {
	return &ridepb.Event{Epoch: "epoch", Seq: seq, Body: &ridepb.Event_DriverMoved{DriverMoved: &ridepb.DriverMoved{EtaS: eta}}}
}

func TestEventsArriveInOrder(t *testing.T) {
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		c, inbox := w.as(w.dial(t, codec, nil), "rider")
		for seq := range uint32(500) {
			inbox.join.Out.Event(offerClosed(seq + 8))
			if seq%100 == 0 {
				inbox.join.Out.Reply(done("r"))
			}
		}
		for seq := range uint32(500) {
			require.Equal(t, seq+8, c.next().GetEvent().GetSeq())
			if seq%100 == 0 {
				c.reply("r")
			}
		}
	})
}

func TestClosingRepeatsTheLastNumber(t *testing.T) {
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		c, inbox := w.as(w.dial(t, codec, nil), "rider")
		out := inbox.join.Out
		out.Event(offerClosed(8))
		require.Equal(t, uint32(8), c.next().GetEvent().GetSeq())
		out.Close(ridepb.CloseShutdown, 1500*time.Microsecond)
		out.Close(ridepb.CloseReplaced, 0)
		out.Event(offerClosed(9))
		out.Moved(moved(9, 1))
		out.Reply(done("late"))
		e := c.closed(ridepb.CloseShutdown)
		require.Equal(t, "epoch", e.GetEpoch())
		require.Equal(t, uint32(8), e.GetSeq())
		require.Equal(t, uint32(2), e.GetDisconnecting().GetRetryAfterMs(), "rounded up")
		gone(t, inbox.left)
		out.Event(offerClosed(10)) // after the end: nothing, and no panic
		out.Moved(moved(10, 1))
		out.Reply(done("late"))
		out.Close(ridepb.CloseInternal, 0)
	})
}

func TestEveryCloseCodeIsDelivered(t *testing.T) {
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		for code := range ridepb.CloseCodes() {
			t.Run(code.Reason(), func(t *testing.T) {
				c, inbox := w.as(w.dial(t, codec, nil), "rider")
				inbox.join.Out.Close(code, 0)
				c.closed(code)
			})
		}
	})
}

// Positions replace each other only between two events: one that jumped the
// queue with a later number would hide an event from a client that resumes.
func TestPositionsReplaceEachOtherBetweenEvents(t *testing.T) {
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		w := newWorld(t)
		c, far := w.stalled(t, codec)
		s := newSession(w.h, far, codec, nil)
		s.Event(offerClosed(1))
		s.Moved(moved(1, 10))
		s.Moved(moved(1, 11))
		s.Event(offerClosed(2))
		s.Moved(moved(2, 20))
		s.Moved(moved(2, 21))
		s.Moved(moved(2, 22))
		over := make(chan struct{})
		go func() { defer close(over); far.Serve(s) }()

		for _, want := range []*ridepb.Event{offerClosed(1), moved(1, 11), offerClosed(2), moved(2, 22)} {
			got := c.next().GetEvent()
			require.Equal(t, want.GetSeq(), got.GetSeq())
			require.Equal(t, want.GetDriverMoved().GetEtaS(), got.GetDriverMoved().GetEtaS())
		}
		s.Close(ridepb.CloseShutdown, 0)
		require.Equal(t, uint32(2), c.closed(ridepb.CloseShutdown).GetSeq())
		gone(t, over)
	})
}

func TestSlowConsumersAreClosed(t *testing.T) {
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		w := listen(t, func(c *Config, _ *world) { c.Socket.MaxQueue = 64 << 10 })
		c, inbox := w.as(w.dial(t, codec, nil), "rider")
		c.stall()
		big := offerClosed(8)
		big.GetOfferClosed().Reason = strings.Repeat("x", 16<<10)
		deadline := time.Now().Add(patience)
		for w.h.registry.Len() > 0 && time.Now().Before(deadline) {
			inbox.join.Out.Event(big)
		}
		gone(t, inbox.left)
		require.InDelta(t, 1, metric(t, w.h.metrics, "hexhail_sessions_closed_total", "code", "4001"), 0)
	})
}

func TestWhatCannotBeEncodedEndsTheSession(t *testing.T) {
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		c, inbox := w.as(w.dial(t, codec, nil), "rider")
		bad := offerClosed(8)
		bad.Epoch = "\xff"
		inbox.join.Out.Event(bad)
		require.Equal(t, uint32(7), c.closed(ridepb.CloseInternal).GetSeq())
	})
}

func TestOutboxIsSafeFromAnyGoroutine(t *testing.T) {
	w := listen(t, func(c *Config, _ *world) { c.Socket.MaxQueue = 4 << 20 })
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		c, inbox := w.as(w.dial(t, codec, nil), "driver")
		var all sync.WaitGroup
		for i := range uint32(8) {
			all.Go(func() {
				for n := range uint32(100) {
					inbox.join.Out.Event(offerClosed(i*100 + n))
					inbox.join.Out.Moved(moved(n, n))
					inbox.join.Out.Reply(done("x"))
				}
				inbox.join.Out.Close(ridepb.CloseReplaced, 0)
			})
		}
		for range 100 {
			c.send(sample(kindLocation, ""))
		}
		all.Wait()
		gone(t, inbox.left)
		var last message
		for f := range c.in {
			last = f
		}
		code, _ := ws.ParseClose(last.payload)
		require.Equal(t, ws.Code(ridepb.CloseReplaced), code)
	})
}
