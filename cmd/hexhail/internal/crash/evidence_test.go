package crash

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/sim/check"
)

// history is one driver's, with kills at 10 and 30.
func history() ([]check.Record, time.Time, []time.Time) {
	startedAt := time.Unix(1_700_000_000, 0)
	r := func(at int64, x check.Record) check.Record {
		x.At, x.Who, x.Role = at, "bo", "driver"
		return x
	}
	return []check.Record{
		r(1, check.Record{What: check.Connected, Account: "B", Epoch: "e"}),
		r(2, check.Record{What: check.Call, ID: "early", Op: "accept", Trip: "t"}),
		r(3, check.Record{What: check.Return, ID: "early", Op: "accept", Trip: "t", Version: 2, Status: "matched", Reply: "x"}),
		r(4, check.Record{What: check.Lost}),
		r(5, check.Record{What: check.Connected, Account: "B", Epoch: "e", Resumed: true}),
		r(8, check.Record{What: check.Call, ID: "met", Op: "accept", Trip: "u"}),
		r(9, check.Record{What: check.Call, ID: "late", Op: "arrived", Trip: "t"}),
		{At: 10, What: check.Killed},
		r(11, check.Record{What: check.Return, ID: "late", Op: "arrived", Trip: "t", Version: 3, Status: "arrived"}), // from the dead socket's buffer
		r(12, check.Record{What: check.Lost}),
		r(13, check.Record{What: check.Call, ID: "offline", Op: "start", Trip: "t"}),
		r(20, check.Record{What: check.Connected, Account: "B", Epoch: "f"}),
		r(21, check.Record{What: check.Again, ID: "early", Op: "accept", Trip: "t", Reply: "x"}),
		r(22, check.Record{What: check.Return, ID: "offline", Op: "start", Trip: "t", Version: 4, Status: "in_progress"}),
		{At: 23, What: check.Look, Trip: "t", Version: 4, Status: "in_progress", Driver: "B", Least: 3},
		{At: 30, What: check.Killed},
		r(31, check.Record{What: check.Lost}),
		r(40, check.Record{What: check.Connected, Account: "B", Epoch: "g"}),
		r(41, check.Record{What: check.Return, ID: "met", Op: "accept", Trip: "u", Code: "driver_busy"}),
	}, startedAt, []time.Time{startedAt.Add(10), startedAt.Add(30)}
}

func TestWhatWasUnderWayAtAKill(t *testing.T) {
	e := newEvidence(history())
	met := make(map[string][]int64)
	for _, c := range e.commands {
		require.Equal(t, "B", c.account)
		met[c.call.ID] = c.met
	}
	require.Equal(t, map[string][]int64{"early": nil, "met": {10, 30}, "late": nil, "offline": nil}, met)
	require.Equal(t, sometimes{AcceptsMet: 2, CommandsMet: 2, Repeated: 1, Fresh: 2, Resumed: 1, Looked: 1}, e.sometimes)
	require.Equal(t, []string{"unanswered commands found written", "unanswered commands found not written"}, e.sometimes.missing())
	require.Len(t, e.told["t"], 4)
	for _, r := range e.told["t"] {
		require.Equal(t, "B", r.Driver, "a driver's trip names that driver")
	}
}

// A command that two kills hit may have been written before the first, between them or after both.
func TestWhenAnUnansweredCommandWasWritten(t *testing.T) {
	for at, want := range map[int64]sometimes{
		0: {Unwritten: 2}, 9: {Written: 1}, 25: {Written: 1, Unwritten: 1}, 41: {Unwritten: 2},
	} {
		var s sometimes
		s.found(&command{met: []int64{10, 30}}, at)
		require.Equal(t, want, s, "written at %d", at)
	}
}

func TestTallyOfEvents(t *testing.T) {
	tally := NewTally()
	tally.Acknowledged("t", ride.KindRequested)
	tally.Acknowledged("t", ride.KindMatched)
	tally.Unanswered("t", ride.KindArrived)
	tally.Acknowledged("", ride.KindMatched) // without a trip
	require.Empty(t, tally.Check("t", []ride.Event{ride.Requested{}, ride.WavePlanned{}, ride.Matched{}}))
	require.Empty(t, tally.Check("t", []ride.Event{ride.Requested{}, ride.Matched{}, ride.Arrived{}}))
	require.Equal(t, []Mismatch{{ride.KindMatched, 0, 1, 1}}, tally.Check("t", []ride.Event{ride.Requested{}}))
	require.Equal(t, []Mismatch{{ride.KindCompleted, 1, 0, 0}},
		tally.Check("t", []ride.Event{ride.Requested{}, ride.Matched{}, ride.Completed{}}))
	tally.ForgetUnanswered()
	require.Len(t, tally.Check("t", []ride.Event{ride.Requested{}, ride.Matched{}, ride.Arrived{}}), 1)
}

func TestTwoTripsAtOnceOverlap(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	v := &verdict{}
	s := &stored{verdict: v}
	s.overlaps("B", []occupation{{"u", at(20), at(30)}, {"t", at(0), at(20)}})
	require.Empty(t, v.counts)
	s.overlaps("B", []occupation{{"u", at(20), at(30)}, {"t", at(0), at(25)}})
	require.EqualValues(t, 1, v.counts[check.OneTrip])
	s.overlaps("B", []occupation{{"u", at(20), at(30)}, {"t", at(0), at(40)}, {"v", at(35), at(50)}})
	require.EqualValues(t, 3, v.counts[check.OneTrip], "the first goes on after the second")
	s.overlaps("B", []occupation{{"u", at(20), at(20)}, {"t", at(19), at(40)}})
	require.EqualValues(t, 3, v.counts[check.OneTrip], "t was decided first, and written when u had ended")
	s.overlaps("B", []occupation{{"u", at(30), at(31)}, {"t", at(19), at(40)}})
	require.EqualValues(t, 4, v.counts[check.OneTrip], "a short trip in the middle of another")
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	good := Options{Rounds: 1, Drivers: 2, Speed: 1, RoundMax: time.Second}
	require.NoError(t, good.check())
	for name, spoil := range map[string]func(*Options){
		"no rounds": func(o *Options) { o.Rounds = 0 }, "one driver": func(o *Options) { o.Drivers = 1 },
		"too slow": func(o *Options) { o.Speed = 0.5 }, "max below min": func(o *Options) { o.RoundMin = time.Minute },
	} {
		o := good
		spoil(&o)
		require.Error(t, o.check(), name)
	}
}

func TestARunBeginsInAnEmptyDirectory(t *testing.T) {
	o := Options{Data: t.TempDir()}
	dir, remove, err := o.place()
	require.NoError(t, err)
	require.NoError(t, remove())
	require.DirExists(t, dir, "a directory that the user named stays")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "x"), nil, 0o600))
	_, _, err = o.place()
	require.ErrorContains(t, err, "not empty")
}
