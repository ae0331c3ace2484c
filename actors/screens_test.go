package actors

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride/ridepb"
)

// screen is one more session of the same operator.
func (c *console) screen(want *ridepb.WatchCity) *console {
	s := &console{client: &client{w: c.w, account: c.account}}
	s.connect(nil)
	s.start(want)
	return s
}

// An operator watches on several independent screens. The oldest is closed when there are too many,
// and leaving twice is a no-op.
func TestOperatorsHaveSeveralScreens(t *testing.T) {
	inWorld(t, func(c *Config) { c.OperatorSessions = 3 }, func(w *world) {
		want := &ridepb.WatchCity{Drivers: true, IntervalMs: 1000}
		first := w.console(want)
		second, third := first.screen(want), first.screen(want)
		require.Len(t, map[uint32]bool{first.watch: true, second.watch: true, third.watch: true}, 3, "each has a separate watch")
		sessions := func() uint32 { return w.sys.city.Totals().GetSessions() }
		require.EqualValues(t, 3, sessions())

		w.driver("d", 100)
		pass(2 * time.Second)
		for _, c := range []*console{first, second, third} {
			require.Zero(t, c.box.closeCode())
			c.catchUp()
			require.Len(t, c.drivers, 1)
		}
		require.NotNil(t, second.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_UnwatchCity{UnwatchCity: &ridepb.UnwatchCity{}}}).GetDone())
		w.driver("e", 200)
		pass(2 * time.Second)
		for c, n := range map[*console]int{first: 2, second: 1, third: 2} {
			c.catchUp()
			require.Len(t, c.drivers, n, "only one stopped watching")
		}

		fourth := first.screen(want)
		require.Equal(t, ridepb.CloseReplaced, first.box.closeCode(), "the oldest is closed")
		require.EqualValues(t, 5, sessions())
		seen := len(first.box.all())
		first.inbox.Leave() // as a session does
		first.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_WatchCity{WatchCity: want}})
		pass(3 * time.Second)
		require.Len(t, first.box.all(), seen, "it receives nothing more")
		for _, c := range []*console{second, third, fourth} {
			require.Zero(t, c.box.closeCode())
		}
		require.EqualValues(t, 5, sessions())

		second.inbox.Leave()
		fifth := third.screen(want)
		require.Zero(t, third.box.closeCode(), "there was room")
		for _, c := range []*console{third, fourth, fifth} {
			c.inbox.Leave()
		}
		pass(10 * time.Minute)
		require.EqualValues(t, 2, sessions())
		require.Zero(t, w.sys.kinds.operator.Alive(), "gone with the last screen")
	})
}

// Riders and drivers still have one live session.
func TestOthersHaveOneSession(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		for _, c := range []*client{w.rider("rob"), w.driver("ann", 100)} {
			old := c.box
			c.connect(nil)
			require.Equal(t, ridepb.CloseReplaced, old.closeCode(), c.account.Role)
		}
	})
}

// faulty is an outbox that panics when written to.
type faulty struct{ recorder }

func (*faulty) Reply(*ridepb.Reply) { panic("broken") }

// A panic closes all screens of one operator, who can reconnect at once.
func TestPanicEndsAllScreens(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		want := &ridepb.WatchCity{Drivers: true}
		first := w.console(want)
		second := first.screen(want)
		_, err := w.sys.Join(t.Context(), Join{Account: first.account, SessionID: "bad", ConnectID: "connect", Out: &faulty{}})
		require.NoError(t, err)
		for _, c := range []*console{first, second} {
			require.Equal(t, ridepb.CloseInternal, c.box.closeCode())
		}
		require.Zero(t, w.sys.city.Totals().GetSessions())
		first.screen(want)
		require.EqualValues(t, 1, w.sys.city.Totals().GetSessions())
	})
}
