package city

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/sim/check"
)

// A late timer is noted, even by a look before it fires; a timely one is not.
func TestTheProbeSeesALateTimer(t *testing.T) {
	var p probe
	now := time.Now()
	require.Zero(t, p.look(now.Add(time.Hour), false), "it has not begun")
	require.Zero(t, p.look(now, true))
	require.Zero(t, p.look(now.Add(probeEvery+check.Lagging), true), "not more than the bound")
	now = now.Add(probeEvery + check.Lagging)
	late := now.Add(probeEvery + time.Second)
	require.Equal(t, time.Second, p.look(late, false), "a look before the timer fires")
	require.Zero(t, p.look(late.Add(time.Millisecond), true), "the same lag counts once")
}

// On a machine that is not late the probe of a city notes nothing.
func TestTheProbeIsQuietOnAQuietMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(example("ws://127.0.0.1:1", ""))
		require.NoError(t, err)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); c.watchTimer(ctx) }()
		time.Sleep(time.Minute)
		c.lagged(time.Now())
		stop()
		<-done
		r := c.Report()
		require.Zero(t, r.TimerLagMs)
		require.Equal(t, map[string]int64{check.OneEnd: 0, check.EndArrives: 0}, r.Late)
	})
}

// A driver who answers an offer after another has lost a race; that is not an error.
func TestLostRaceIsNotAnError(t *testing.T) {
	for code, lost := range map[string]bool{"offer_taken": true, "offer_closed": true, "driver_busy": true, "wrong_role": false, "unavailable": false} {
		require.Equal(t, lost, tooLate(check.Record{Op: "accept", Code: code}), code)
		require.Equal(t, lost, tooLate(check.Record{Op: "decline", Code: code}), code)
		require.False(t, tooLate(check.Record{Op: "start", Code: code}), code)
	}
}
