package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/ops"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/transport/session"
)

// facts is a database with one account, which is suspended at some read, and whose ways to its readers
// can be broken.
type facts struct {
	mu        sync.Mutex
	suspended bool
	reads     int
	at        int // the first read after the suspension; 0: never

	changes                []persistence.AccountChange
	noPoll, noRead, silent bool
	standings              int
	offset                 time.Duration // of its clock
	listens                bool
	hangUp                 chan struct{}
	more                   bool
}

func (f *facts) set(edit func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	edit()
}

func (f *facts) Notifies() bool { return f.listens }

func (f *facts) ChangedAccounts(_ context.Context, within time.Duration, _ int) (persistence.AccountChanges, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.noPoll {
		return persistence.AccountChanges{}, errors.New("away")
	}
	out := persistence.AccountChanges{Now: time.Now().Add(f.offset), More: f.more}
	for _, c := range f.changes {
		if c.At.Sub(out.Now).Abs() <= within {
			out.Changes = append(out.Changes, c)
		}
	}
	return out, nil
}

// Standings: a suspension ends every log-in in the same transaction.
func (f *facts) Standings(_ context.Context, logIns map[ride.AccountID][]string) (map[ride.AccountID]persistence.Standing, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.standings++
	if f.noRead {
		return nil, errors.New("away")
	}
	if f.reads++; f.reads == f.at {
		f.suspended = true
	}
	out := map[ride.AccountID]persistence.Standing{}
	for id, of := range logIns {
		st := persistence.Standing{Account: ride.Account{ID: id, Status: ride.AccountActive}, Live: of}
		if f.suspended {
			st.Account.Status, st.Live = ride.AccountSuspended, nil
		}
		for _, c := range f.changes {
			if c.ID == id {
				st.ChangedAt = c.At
			}
		}
		out[id] = st
	}
	return out, nil
}

// ListenAccounts gives a sign of life every two seconds.
func (f *facts) ListenAccounts(ctx context.Context, l persistence.AccountListener) error {
	f.mu.Lock()
	silent, hangUp := f.silent, f.hangUp
	f.mu.Unlock()
	if silent {
		return errors.New("refused")
	}
	l.Listening()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-hangUp:
			return errors.New("cut")
		case <-time.After(2 * time.Second):
			l.Alive()
		}
	}
}

// silence cuts the listener's session and refuses others.
func (f *facts) silence() {
	f.set(func() { f.silent = true; close(f.hangUp); f.hangUp = make(chan struct{}) })
}

// closes is a set of sessions of an account that records close codes.
type closes struct {
	mu        sync.Mutex
	codes     []ridepb.CloseCode
	checks    int
	changed   int
	logIns    []session.LogIn
	overtaken func(ride.AccountID)
}

func (c *closes) Disconnect(_ ride.AccountID, _ string, code ridepb.CloseCode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.codes = append(c.codes, code)
}

func (c *closes) DisconnectOutside(id ride.AccountID, _ time.Time, code ridepb.CloseCode) {
	c.Disconnect(id, "outside", code)
}

func (c *closes) AccountChanged(ride.Account) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changed++
}

func (c *closes) Check(ride.AccountID) []session.LogIn {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.checks++
	return c.logIns
}

func (c *closes) CheckAll() map[ride.AccountID][]session.LogIn {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.checks++
	if len(c.logIns) == 0 {
		return map[ride.AccountID][]session.LogIn{}
	}
	return map[ride.AccountID][]session.LogIn{"a": c.logIns}
}

func (c *closes) OnOvertaken(f func(ride.AccountID)) { c.overtaken = f }

// compared is how often the account was found to be as its sessions have it.
func (c *closes) compared() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

func twoLogIns() *closes { return &closes{logIns: []session.LogIn{{Family: "f1"}, {Family: "f2"}}} }

// following starts notices in a bubble of synctest.
func following(t *testing.T, f *facts, c *closes) *notices {
	t.Helper()
	f.hangUp = make(chan struct{})
	n := newNotices(f, c, slog.New(slog.DiscardHandler))
	require.NoError(t, n.start(t.Context()))
	t.Cleanup(func() { require.NoError(t, n.close(t.Context())) })
	return n
}

// A suspension before or between any two reads is never taken for a log-out, after which the client
// would log in again.
func TestSuspensionIsNotTakenForALogOut(t *testing.T) {
	for at := 1; at <= 2; at++ {
		live := twoLogIns()
		n := newNotices(&facts{at: at}, live, slog.New(slog.DiscardHandler))
		for range 2 {
			require.NoError(t, n.reconcile(t.Context(), map[ride.AccountID][]session.LogIn{"a": live.logIns}, nil))
		}
		require.NotEmpty(t, live.codes)
		for _, code := range live.codes {
			require.Equal(t, ridepb.CloseSuspended, code, "suspended before read %d", at)
		}
	}
}

// cause is what /readyz says; empty if all is well.
func cause(n *notices) string {
	var f *ops.Finding
	if errors.As(n.state.finding(time.Now()), &f) {
		return f.Cause
	}
	return ""
}

// A server is ready while announcements or polls work, and 10 s after both have failed it is not. It is
// ready again as soon as one works.
func TestReadyWhileChangesArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &facts{listens: true}
		n := following(t, f, twoLogIns())
		lasts := func(d time.Duration, want string) {
			t.Helper()
			for end := time.Now().Add(d); time.Now().Before(end); {
				time.Sleep(100 * time.Millisecond)
				require.Equal(t, want, cause(n), "%s before the end", time.Until(end))
			}
		}
		lasts(time.Minute, "")
		f.set(func() { f.noPoll = true })
		lasts(time.Minute, "")
		f.set(func() { f.noPoll = false })
		lasts(10*time.Second, "")
		f.silence()
		lasts(time.Minute, "")
		f.set(func() { f.noPoll = true })
		lasts(6*time.Second, "") // the last poll was 3 s ago at most
		time.Sleep(4500 * time.Millisecond)
		lasts(time.Minute, "account_changes")
		f.set(func() { f.silent = false })
		time.Sleep(listenPauseMost)
		lasts(time.Minute, "")
		f.silence()
		time.Sleep(11 * time.Second)
		lasts(time.Second, "account_changes")
		f.set(func() { f.noPoll = false })
		time.Sleep(noticeRetry)
		lasts(time.Second, "")

		// Knowing of a change is not enough: it must be applied.
		f.set(func() { f.noRead = true })
		n.Changed("a")
		lasts(9*time.Second, "")
		time.Sleep(2 * time.Second)
		lasts(time.Minute, "account_changes")
		f.set(func() { f.noRead = false })
		time.Sleep(noticeRetry + time.Millisecond)
		lasts(time.Second, "")
	})
}

// A change is applied once, by whichever way it comes first; after a gap in which some may have been
// missed, every session is compared.
func TestChangesAreAppliedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c := &facts{listens: true}, twoLogIns()
		n := following(t, f, c)
		steps := func(d time.Duration, want int, why string) {
			t.Helper()
			before := c.compared()
			time.Sleep(d)
			synctest.Wait()
			require.Equal(t, want, c.compared()-before, why)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, 1, c.compared(), "all, when the listener is connected")
		change := func() { f.set(func() { f.changes = []persistence.AccountChange{{ID: "a", At: time.Now()}} }) }
		change()
		steps(time.Minute, 1, "by the poll, once")
		change()
		n.Changed("a")
		steps(time.Millisecond, 1, "announced, at once")
		steps(time.Minute, 0, "the poll finds it applied")
		change()
		steps(pollEveryPostgres, 1, "within the time between two polls")
		c.overtaken("a")
		steps(time.Millisecond, 1, "a session that a check missed")
		f.silence()
		steps(10*time.Second, 0, "a listener that is away")
		f.set(func() { f.silent = false })
		steps(10*time.Second, 1, "all, when it is back")
		f.set(func() { f.noPoll = true })
		steps(25*time.Second, 0, "polls that fail for a while")
		f.set(func() { f.noPoll = false })
		steps(5*time.Second, 0, "and work again")
		f.set(func() { f.noPoll = true })
		steps(40*time.Second, 0, "polls that fail for longer")
		f.set(func() { f.noPoll = false })
		steps(10*time.Second, 1, "all, after the gap")
		f.set(func() { f.offset = -time.Second })
		steps(10*time.Second, 0, "a clock that hardly moved back stays ahead of the last poll")
		f.set(func() { f.offset = -time.Hour })
		steps(10*time.Second, 1, "all, after the database's clock was set back")
		f.set(func() { f.more = true })
		steps(pollEveryPostgres, 1, "all, when there were too many")
		f.set(func() { f.more = false })
		before := f.standings
		c.mu.Lock()
		c.logIns = nil
		c.mu.Unlock()
		change()
		n.Changed("a")
		steps(time.Minute, 0, "without sessions")
		require.Equal(t, before, f.standings, "nothing is read for accounts without sessions")
	})
}

// The accounts that are due are bounded: beyond the bound all are.
func TestDueAccountsAreBounded(t *testing.T) {
	f, c := &facts{}, twoLogIns()
	n := newNotices(f, c, slog.New(slog.DiscardHandler))
	for i := range 3 * noticeMost {
		n.Changed(ride.AccountID(fmt.Sprint("x", i)))
	}
	require.Len(t, n.due, noticeMost)
	require.True(t, n.all)
	f.noRead = true
	require.Error(t, n.apply(t.Context()))
	require.True(t, n.all, "what was not done stays due")
	f.noRead = false
	require.NoError(t, n.apply(t.Context()))
	require.Equal(t, 1, c.compared())
	require.Empty(t, n.due)
	require.Equal(t, 2, c.checks, "one check for all")

	for i := range 2 * noticeChunk {
		n.Changed(ride.AccountID(fmt.Sprint("x", i)))
	}
	n.Changed("a")
	n.Changed("a")
	require.NoError(t, n.apply(t.Context()))
	require.Equal(t, 2, c.compared())
	require.Equal(t, 3, c.checks, "many are checked as one")
	for i := range 5 * noticeMost {
		n.follows(ride.AccountID(fmt.Sprint("y", i)), time.Now())
	}
	require.LessOrEqual(t, len(n.applied), 2*noticeMost)
}

// Which clocks are too far apart, and what /readyz says then.
func TestClocksTooFarApart(t *testing.T) {
	for _, near := range []persistence.ClockDifference{
		{}, {Ahead: 2 * time.Second}, {Ahead: -2 * time.Second}, {Ahead: 5 * time.Second, Uncertainty: 3 * time.Second},
	} {
		require.NoError(t, clockFinding(near))
	}
	for text, far := range map[string]persistence.ClockDifference{
		"2.001s ahead of": {Ahead: 2001 * time.Millisecond},
		"1m0s behind":     {Ahead: -time.Minute},
		"5s ahead of":     {Ahead: 5 * time.Second, Uncertainty: 2 * time.Second},
	} {
		var f *ops.Finding
		require.ErrorAs(t, clockFinding(far), &f)
		require.Equal(t, "clock_difference", f.Cause)
		require.Contains(t, f.Text, text+" the database's")
	}
}
