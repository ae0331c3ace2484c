package geo

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// seen is one fix of a table: metres east of Helsinki and seconds after noon, received when it was
// taken unless given otherwise.
type seen struct {
	east, at float64
	want     Verdict
}

func (s seen) point() Point    { return Destination(helsinki, 90, s.east) }
func (s seen) time() time.Time { return noon.Add(time.Duration(s.at * float64(time.Second))) }

func TestFilterStories(t *testing.T) {
	for name, story := range map[string][]seen{
		"a drive at 50 km/h":     {{0, 0, Accepted}, {14, 1, Accepted}, {28, 2, Accepted}, {70, 5, Accepted}},
		"199 km/h is a fast car": {{0, 0, Accepted}, {552.7, 10, Accepted}},
		"201 km/h is a jump":     {{0, 0, Accepted}, {558.3, 10, Quarantined}},
		"a glitch is forgotten": {{0, 0, Accepted}, {5000, 1, Quarantined}, {20, 2, Accepted},
			{5000, 3, Quarantined}, {40, 4, Accepted}, {60, 5, Accepted}},
		"glitches far apart do not add up": {{0, 0, Accepted}, {5000, 1, Quarantined}, {5010, 2, Quarantined},
			{10, 3, Accepted}, {5020, 4, Quarantined}, {5030, 5, Quarantined}, {5040, 6, Accepted}},
		"out of a tunnel": {{0, 0, Accepted}, {9000, 60, Quarantined}, {9010, 61, Quarantined},
			{9020, 62, Accepted}, {9030, 63, Accepted}, {0, 64, Quarantined}},
		"jumping on and on is never believed": {{0, 0, Accepted}, {5000, 1, Quarantined}, {-5000, 2, Quarantined},
			{5000, 3, Quarantined}, {-5000, 4, Quarantined}, {5000, 5, Quarantined}},
		"a jump from the jump starts over": {{0, 0, Accepted}, {5000, 1, Quarantined}, {5010, 2, Quarantined},
			{9000, 3, Quarantined}, {9010, 4, Quarantined}, {9020, 5, Accepted}},
		"time enough makes it possible": {{0, 0, Accepted}, {5000, 1, Quarantined}, {5000, 100, Accepted}},
		"the same time twice":           {{0, 0, Accepted}, {1, 0, OutOfOrder}, {0, 0, OutOfOrder}, {10, 1, Accepted}},
		"an older one":                  {{0, 10, Accepted}, {0, 9, OutOfOrder}, {10, 11, Accepted}},
		"an older one than the jump": {{0, 0, Accepted}, {5000, 10, Quarantined}, {5000, 9, OutOfOrder},
			{5000, 10, OutOfOrder}, {5000, 11, Quarantined}, {5000, 12, Accepted}},
		"an older one at the old place breaks no quarantine": {{0, 0, Accepted}, {5000, 10, Quarantined},
			{0, 9, Accepted}, {5000, 11, Quarantined}, {5000, 12, Quarantined}, {5000, 13, Accepted}},
		"a burst's noise is not a jump": {{0, 0, Accepted}, {5, 0.01, Accepted}, {50, 0.02, Accepted}, {120, 0.03, Quarantined}},
	} {
		t.Run(name, func(t *testing.T) {
			var f PositionFilter
			for i, s := range story {
				require.Equal(t, s.want, f.Check(s.point(), s.time(), s.time()), "fix %d", i)
			}
		})
	}
}

func TestFilterOnDeviceTimes(t *testing.T) {
	for name, tc := range map[string]struct {
		device time.Time
		want   Verdict
	}{
		"now":                 {noon, Accepted},
		"absent":              {time.Time{}, Accepted},
		"2 min old":           {noon.Add(-2 * time.Minute), Accepted},
		"just over 2 min old": {noon.Add(-2*time.Minute - 1), TooOld},
		"30 s ahead":          {noon.Add(30 * time.Second), Accepted},
		"just over 30 s":      {noon.Add(30*time.Second + 1), FromFuture},
		"another zone":        {noon.In(time.FixedZone("", 9*3600)), Accepted},
		"1970":                {time.Unix(0, 0), TooOld},
		"negative":            {time.Unix(-1, 0), TooOld},
		"year 1":              {time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC), TooOld},
		"year -292 million":   {time.UnixMilli(math.MinInt64), TooOld},
		"year 9999":           {time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), FromFuture},
		"year 292 million":    {time.UnixMilli(math.MaxInt64), FromFuture},
	} {
		t.Run(name, func(t *testing.T) {
			var f PositionFilter
			require.Equal(t, tc.want, f.Check(helsinki, tc.device, noon))
			_, at, ok := f.Last()
			require.Equal(t, tc.want == Accepted, ok)
			switch {
			case !ok:
			case tc.device.IsZero() || tc.device.After(noon):
				require.True(t, at.Equal(noon), "no fix is taken after it was received")
			default:
				require.True(t, at.Equal(tc.device))
			}
			require.Equal(t, Accepted, f.Check(helsinki, noon.Add(40*time.Second), noon.Add(40*time.Second)),
				"a bad clock leaves no trace")
		})
	}
}

func TestFilterRefusesInvalidPoints(t *testing.T) {
	var f PositionFilter
	require.Equal(t, Accepted, f.Check(helsinki, noon, noon))
	want := f
	for name, p := range invalidPoints {
		require.Equal(t, Invalid, f.Check(p, noon.Add(time.Second), noon.Add(time.Second)), name)
		require.Equal(t, want, f, name)
	}
}

// A time ahead of the server's clock does not block later fixes.
func TestFilterForgetsTheFuture(t *testing.T) {
	var f PositionFilter
	require.Equal(t, Accepted, f.Check(helsinki, noon.Add(MaxFixAhead), noon))
	for s := 1; s < 5; s++ {
		now := noon.Add(time.Duration(s) * time.Second)
		require.Equal(t, Accepted, f.Check(helsinki, now, now))
	}
	// Nor is that of a jump which is held back.
	now := noon.Add(5 * time.Second)
	require.Equal(t, Quarantined, f.Check(newYork, now.Add(MaxFixAhead), now))
	for range jumpConfirmations {
		now = now.Add(time.Second)
		f.Check(newYork, now, now)
	}
	got, _, _ := f.Last()
	require.Equal(t, newYork, got)
}

// A device's clock that is set back costs a few seconds, not as long as it was set back by.
func TestFilterOutlivesADeviceClockSetBack(t *testing.T) {
	for _, back := range []time.Duration{2 * time.Second, 30 * time.Second, MaxFixAge - time.Second} {
		for _, every := range []time.Duration{200 * time.Millisecond, time.Second, 5 * time.Second} {
			var f PositionFilter
			require.Equal(t, Accepted, f.Check(helsinki, noon, noon))
			now, within := noon, min(back, max(3*every, 4*time.Second))
			for now.Sub(noon) <= within {
				now = now.Add(every)
				f.Check(helsinki, now.Add(-back), now)
			}
			now = now.Add(every)
			require.Equal(t, Accepted, f.Check(helsinki, now.Add(-back), now), "%s back, every %s", back, every)
			_, at, _ := f.Last()
			require.False(t, at.After(now))
			// And forth again.
			now = now.Add(every)
			require.Equal(t, Accepted, f.Check(helsinki, now, now))
		}
	}
}

// A device whose clock is wrong by more than a fix may be is followed once its fixes have kept pace
// for a while, and accepted at once when its clock is right again.
func TestFilterOutlivesAWrongDeviceClock(t *testing.T) {
	for _, off := range []time.Duration{-24 * time.Hour, -time.Hour, -MaxFixAge - time.Second, MaxFixAhead + time.Second, time.Hour, 9000 * time.Hour} {
		for _, every := range []time.Duration{time.Second, 5 * time.Second} {
			for _, before := range []bool{false, true} {
				var f PositionFilter
				if before { // it was right, and was set
					require.Equal(t, Accepted, f.Check(helsinki, noon, noon))
				}
				unlike, now := map[bool]Verdict{true: TooOld, false: FromFuture}[off < 0], noon
				for now.Sub(noon) < wrongOver+every {
					now = now.Add(every)
					if v := f.Check(helsinki, now.Add(off), now); now.Sub(noon) < wrongOver {
						require.Equal(t, unlike, v, "%s off", off)
					}
				}
				now = now.Add(every)
				require.Equal(t, Accepted, f.Check(helsinki, now.Add(off), now), "%s off, every %s", off, every)
				_, at, _ := f.Last()
				require.False(t, at.After(now))
				now = now.Add(every)
				require.Equal(t, Accepted, f.Check(helsinki, now, now), "right again")
				now = now.Add(every)
				require.Equal(t, Accepted, f.Check(helsinki, now.Add(off), now), "and wrong again")
			}
		}
	}
}

// Late fixes are late: neither a backlog, nor a stopped clock, nor a jumping one counts as a wrong
// clock.
func TestFilterFollowsNoClockThatDoesNotRun(t *testing.T) {
	for name, taken := range map[string]func(s int) time.Time{
		"backlog":  func(s int) time.Time { return noon.Add(-3*time.Hour + time.Duration(s)*time.Minute) },
		"stands":   func(int) time.Time { return noon.Add(-time.Hour) },
		"slow":     func(s int) time.Time { return noon.Add(-time.Hour + time.Duration(s)*100*time.Millisecond) },
		"backward": func(s int) time.Time { return noon.Add(time.Hour - time.Duration(s)*time.Second) },
		"jumps":    func(s int) time.Time { return noon.Add(time.Duration(s%2+1) * time.Hour) },
	} {
		var f PositionFilter
		for s := range 60 {
			now := noon.Add(time.Duration(s) * time.Second)
			require.NotEqual(t, Accepted, f.Check(helsinki, taken(s), now), "%s, %d", name, s)
		}
		now := noon.Add(time.Minute)
		require.Equal(t, Accepted, f.Check(helsinki, now, now), name)
	}
}

// So does the server's.
func TestFilterOutlivesAServerClockSetBack(t *testing.T) {
	var f PositionFilter
	require.Equal(t, Accepted, f.Check(helsinki, noon.Add(24*time.Hour), noon.Add(24*time.Hour)))
	require.Equal(t, Quarantined, f.Check(newYork, noon.Add(25*time.Hour), noon.Add(25*time.Hour).Add(-time.Second)))
	require.Equal(t, Accepted, f.Check(helsinki, noon, noon))
	next := noon.Add(time.Second)
	require.Equal(t, Accepted, f.Check(helsinki, next, next))
}

// A backlog that arrives after the newest fix is not accepted, however long it is.
func TestFilterRefusesABacklog(t *testing.T) {
	var f PositionFilter
	require.Equal(t, Accepted, f.Check(helsinki, noon, noon))
	for s := range 100 {
		taken, now := noon.Add(time.Duration(s-100)*time.Second), noon.Add(time.Duration(s+1)*100*time.Millisecond)
		require.Equal(t, OutOfOrder, f.Check(helsinki, taken, now))
	}
}

// After any history, a driver who stays somewhere is accepted within the lag of its clock and three
// fixes, and the accepted times only increase.
func TestFilterNeverLocksOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var f PositionFilter
		now, last := noon, time.Time{}
		for range rapid.IntRange(0, 30).Draw(t, "fixes") {
			now = now.Add(time.Duration(rapid.Int64Range(0, 5e9).Draw(t, "later")))
			device := now.Add(time.Duration(rapid.Int64Range(-150e9, 60e9).Draw(t, "clock")))
			p := genPoint().Draw(t, "point")
			if f.Check(p, device, now) != Accepted {
				continue
			}
			got, at, ok := f.Last()
			require.True(t, ok)
			require.Equal(t, p, got)
			require.True(t, at.After(last))
			last = at
		}
		home := genPoint().Draw(t, "home")
		now = now.Add(MaxFixAhead)
		verdict := Invalid
		for range jumpConfirmations + 1 {
			now = now.Add(time.Second)
			verdict = f.Check(home, now, now)
		}
		require.Equal(t, Accepted, verdict)
	})
}

func TestFilterIsAValueAndDoesNotAllocate(t *testing.T) {
	var f PositionFilter
	require.Equal(t, Accepted, f.Check(helsinki, noon, noon))
	twin, want := f, f
	require.Equal(t, Quarantined, twin.Check(newYork, noon.Add(time.Second), noon.Add(time.Second)))
	require.Equal(t, want, f)

	now, i := noon, 0
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		now, i = now.Add(time.Second), i+1
		f.Check([]Point{helsinki, newYork}[i&1], now, now)
	}))
}

func TestFilterTakesAnotherSpeedLimit(t *testing.T) {
	there := Destination(helsinki, 90, 500) // in a second: 1,800 km/h
	slow, fast := PositionFilter{}, PositionFilter{MaxSpeed: 600}
	for _, f := range []*PositionFilter{&slow, &fast} {
		require.Equal(t, Accepted, f.Check(helsinki, noon, noon))
	}
	next := noon.Add(time.Second)
	require.Equal(t, Quarantined, slow.Check(there, next, next))
	require.Equal(t, Accepted, fast.Check(there, next, next))
	next = next.Add(time.Second)
	require.Equal(t, Accepted, fast.Check(helsinki, next, next), "the limit holds after the first fix")
}

func TestVerdictsHaveNames(t *testing.T) {
	names := map[string]bool{}
	for v := Invalid; v <= Quarantined; v++ {
		names[v.String()] = true
	}
	require.Len(t, names, 6)
	require.Equal(t, "invalid", Verdict(200).String())
}
