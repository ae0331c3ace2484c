package persistence

import (
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence/pgtest"
)

// The clock of a server on Postgres is compared with the database's, and each episode of a difference
// is logged once.
func TestClocksAreCompared(t *testing.T) {
	t.Parallel()
	var log LockedLog
	var shift atomic.Int64
	s := openAt(t, Edited(DefaultPostgres(pgtest.Start(t)), func(o *Options) {
		o.Log, o.NoHealth = slog.New(slog.NewTextHandler(&log, nil)), true // the test compares
		o.Now = func() time.Time { return time.Now().Add(time.Duration(shift.Load())) }
	}))
	said := func(text string) int { return strings.Count(log.String(), text) }
	differ, far, again := "database's differ", "too far apart", "agree again"
	for _, step := range []struct {
		shift               time.Duration
		differ, far, agreed int
	}{
		{0, 0, 0, 0},
		{time.Minute, 0, 1, 0},
		{time.Minute, 0, 1, 0},
		{0, 0, 1, 1},
		{-time.Hour, 0, 2, 1},
		{0, 0, 2, 2},
	} {
		shift.Store(int64(step.shift))
		// A machine may stand still for a moment, which makes a comparison less certain, not wrong.
		eventually(t, "a comparison", func() bool {
			s.compareClocks(t.Context())
			d := s.Clock()
			return (d.Least() > ClockDifferenceMost) == (step.shift != 0)
		})
		d := s.Clock()
		require.LessOrEqual(t, (d.Ahead - step.shift).Abs(), d.Uncertainty+50*time.Millisecond)
		require.Equal(t, step.shift == 0, d.Since.IsZero())
		require.Equal(t, []int{step.differ, step.far, step.agreed}, []int{said(differ), said(far), said(again)}, log.String())
	}
}

// What is logged at which difference: a warning once, an error when it is too much to serve clients.
func TestEpisodesOfClocks(t *testing.T) {
	var log LockedLog
	w := clockWatch{log: slog.New(slog.NewTextHandler(&log, nil))}
	now := time.Unix(1000, 0)
	for _, step := range []struct {
		ahead, uncertain time.Duration
		level            string
	}{
		{200 * time.Millisecond, 0, ""},
		{time.Second, 900 * time.Millisecond, ""},
		{-400 * time.Millisecond, 100 * time.Millisecond, "WARN"},
		{300 * time.Millisecond, 0, ""},
		{3 * time.Second, 1100 * time.Millisecond, ""},
		{3 * time.Second, 100 * time.Millisecond, "ERROR"},
		{-3 * time.Second, 0, ""},
		{time.Second, 0, ""},
		{3 * time.Second, 0, "ERROR"},
		{0, 0, "INFO"},
		{0, 0, ""},
		{300 * time.Millisecond, 0, "WARN"},
		{0, 0, "INFO"},
	} {
		before := len(log.String())
		now = now.Add(10 * time.Second)
		w.note(ClockDifference{Ahead: step.ahead, Uncertainty: step.uncertain}, now)
		said := log.String()[before:]
		if step.level == "" {
			require.Empty(t, said, "%+v", step)
		} else {
			require.Contains(t, said, "level="+step.level, "%+v", step)
		}
	}
}

// A server compares clocks by itself, from its start on; the embedded database has no other clock.
func TestClockIsWatched(t *testing.T) {
	t.Parallel()
	s := openAt(t, Edited(DefaultPostgres(pgtest.Start(t)), func(o *Options) {
		o.Now, o.Log = func() time.Time { return time.Now().Add(time.Hour) }, slog.New(slog.DiscardHandler)
	}))
	eventually(t, "compared", func() bool { return s.Clock().Least() > ClockDifferenceMost })
	require.Zero(t, openAt(t, TempSQLite(t)).Clock())
}
