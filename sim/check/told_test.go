package check

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// whole is a correct history of a ride to its end; cancels, instead, one that the rider cancels.
func whole(cancels bool) []Record {
	h := ride()
	h = h[:len(h)-2]
	n := h[len(h)-1].At
	add := func(r Record) {
		n += int64(time.Millisecond)
		r.At, r.Trip = n, "t"
		r.Role = map[string]string{"ann": "rider", "bo": "driver"}[r.Who]
		if r.What == TripNews {
			r.Epoch = "e"
		}
		h = append(h, r)
	}
	last := Record{Version: 6, Status: completed, Versions: []uint32{1, 2, 3, 4, 5, 6}}
	if cancels {
		last = Record{Version: 5, Status: cancelled, Versions: []uint32{1, 2, 3, 4, 5}}
		add(Record{What: Call, Who: "ann", ID: "8", Op: "cancel"})
		add(Record{What: Return, Who: "ann", ID: "8", Op: "cancel", Version: 5, Status: cancelled})
		add(Record{What: TripNews, Who: "bo", Seq: 4, Version: 5, Status: cancelled})
	} else {
		add(Record{What: Call, Who: "bo", ID: "4", Op: "start"})
		add(Record{What: Return, Who: "bo", ID: "4", Op: "start", Version: 5, Status: inProgress})
		add(Record{What: TripNews, Who: "ann", Seq: 4, Version: 5, Status: inProgress, Driver: "B"})
		add(Record{What: Call, Who: "bo", ID: "5", Op: "complete"})
		add(Record{What: Return, Who: "bo", ID: "5", Op: "complete", Version: 6, Status: completed})
		add(Record{What: TripNews, Who: "ann", Seq: 5, Version: 6, Status: completed, Driver: "B"})
	}
	last.At, last.What, last.Trip = int64(time.Minute), Read, "t"
	return append(h, last, Record{At: int64(time.Minute), What: End})
}

// find is the last record that matches.
func find(t *testing.T, h []Record, match func(Record) bool) int {
	t.Helper()
	for i, r := range slices.Backward(h) {
		if match(r) {
			return i
		}
	}
	t.Fatal("the mutant does not fit the history")
	return 0
}

// hears is the record by which a client hears of the end.
func hears(t *testing.T, h []Record, who string) int {
	t.Helper()
	return find(t, h, func(r Record) bool { return r.What == TripNews && r.Who == who && !live(r.Status) })
}

func without(h []Record, i int) []Record { return append(h[:i:i], h[i+1:]...) }

// moved is a history in which a record comes at another time.
func moved(h []Record, i int, at time.Duration) []Record {
	r := h[i]
	r.At = int64(at)
	h = without(h, i)
	j := len(h) - 2 // before the read
	return slices.Insert(h, j, r)
}

func TestEndsThatArrive(t *testing.T) {
	rider := func(r Record) Record { r.Who, r.Role = "ann", "rider"; return r }
	driver := func(r Record) Record { r.Who, r.Role = "bo", "driver"; return r }
	away := func(h []Record, i int, back Record) []Record {
		return slices.Insert(without(h, i), i, Record{At: h[i-1].At, What: Lost, Who: back.Who, Role: back.Role}, back)
	}
	for name, h := range map[string]func() []Record{
		"completed": func() []Record { return whole(false) },
		"cancelled": func() []Record { return whole(true) },
		"within 20 s": func() []Record {
			h := whole(false)
			return moved(h, hears(t, h, "ann"), 20*time.Second)
		},
		"by a snapshot without a trip": func() []Record {
			h := whole(false)
			return away(h, hears(t, h, "ann"), rider(Record{At: int64(50 * time.Second), What: Connected, Account: "A", Epoch: "f"}))
		},
		"by a snapshot with another trip": func() []Record {
			h := whole(true)
			return away(h, hears(t, h, "bo"), driver(Record{At: int64(50 * time.Second), What: Connected, Account: "B", Epoch: "f", Trip: "u", Version: 3, Status: matched}))
		},
		"not to a client without a session": func() []Record {
			h := whole(false)
			i := hears(t, h, "ann")
			h[i] = rider(Record{At: h[i].At, What: Lost})
			return h
		},
		"before the old answer of a repeated request": func() []Record {
			return []Record{
				rider(Record{At: 1, What: Connected, Account: "A", Epoch: "e"}),
				rider(Record{At: 2, What: Call, ID: "1", Op: "request"}),
				rider(Record{At: 3, What: Lost}),
				rider(Record{At: 4, What: Connected, Account: "A", Epoch: "f"}),
				rider(Record{At: 5, What: Return, ID: "1", Op: "request", Trip: "t", Version: 1, Status: requested}),
				{At: 6, What: Read, Trip: "t", Version: 2, Status: expired, Versions: []uint32{1, 2}},
				{At: int64(time.Minute), What: End},
			}
		},
		"after a driver gave it back": func() []Record {
			h := whole(false)
			h = h[:len(h)-8] // arrived
			return append(h,
				driver(Record{At: h[len(h)-1].At, What: Call, ID: "7", Op: "cancel", Trip: "t"}),
				driver(Record{At: h[len(h)-1].At, What: Return, ID: "7", Op: "cancel", Trip: "t", Version: 5, Status: requested}),
				rider(Record{At: int64(time.Second), What: TripNews, Epoch: "e", Seq: 4, Trip: "t", Version: 5, Status: requested}),
				rider(Record{At: int64(2 * time.Second), What: TripNews, Epoch: "e", Seq: 5, Trip: "t", Version: 6, Status: expired}),
				Record{At: int64(time.Minute), What: Read, Trip: "t", Version: 6, Status: expired, Versions: []uint32{1, 2, 3, 4, 5, 6}},
				Record{At: int64(time.Minute), What: End})
		},
		"of a trip that only the read shows as ended, just now": func() []Record {
			h := whole(false)
			h = without(without(h, hears(t, h, "ann")), find(t, h, func(r Record) bool { return r.What == Return && r.Status == completed }))
			h[len(h)-1].At += int64(20 * time.Second)
			return h
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := judge(h())
			require.Empty(t, c.Findings())
		})
	}
}

// Each mutant is what a server would produce that does not tell a party how its trip goes on.
func TestEndsThatDoNotArriveAreCaught(t *testing.T) {
	for name, mutant := range map[string]func() []Record{
		"a rider who never hears of the completion": func() []Record {
			h := whole(false)
			return without(h, hears(t, h, "ann"))
		},
		"a driver who never hears of the cancellation": func() []Record {
			h := whole(true)
			return without(h, hears(t, h, "bo"))
		},
		"parties who hear of it late, and no one else knows": func() []Record {
			h := whole(true)
			cancelled := find(t, h, func(r Record) bool { return r.What == Return && r.Op == "cancel" })
			h = moved(h, cancelled, 22*time.Second)
			h = moved(h, hears(t, h, "bo"), 22*time.Second)
			return slices.Insert(h, find(t, h, func(r Record) bool { return r.Op == "cancel" && r.What == Call })+1,
				Record{At: int64(time.Second), What: Committed, Trip: "t", Version: 5, Status: "cancelled"})
		},
		"a rider who resumes without the trip and never hears how it ended": func() []Record {
			h := whole(false)
			i := hears(t, h, "ann")
			back := Record{At: h[i].At, What: Connected, Who: "ann", Role: "rider", Account: "A", Epoch: "e", Seq: h[i].Seq - 1, Resumed: true}
			return slices.Insert(without(h, i), i, Record{At: h[i].At, What: Lost, Who: "ann", Role: "rider"}, back)
		},
		"a rider who hears of it late": func() []Record {
			h := whole(false)
			return moved(h, hears(t, h, "ann"), 21*time.Second)
		},
		"a driver who hears of it late": func() []Record {
			h := whole(true)
			return moved(h, hears(t, h, "bo"), 40*time.Second)
		},
		"a rider who never hears that no driver was found": func() []Record {
			var h []Record
			for _, r := range ride()[:6] {
				if r.Who == "ann" && r.What != TripNews {
					h = append(h, r)
				}
			}
			return append(h, Record{At: int64(30 * time.Second), What: Read, Trip: "t", Version: 3, Status: expired, Versions: []uint32{1, 2, 3}},
				Record{At: int64(51 * time.Second), What: End})
		},
		"a driver whose acceptance is answered, and nothing after it": func() []Record {
			h := whole(true)
			var out []Record
			for _, r := range h {
				if r.Who != "bo" || (r.What != TripNews && r.Op != "arrived") {
					out = append(out, r)
				}
			}
			return out
		},
		"a snapshot that brings an ended trip back": func() []Record {
			h := whole(true)
			x := Record{At: int64(5 * time.Second), What: Connected, Who: "bo", Role: "driver", Account: "B", Epoch: "f", Trip: "t", Version: 4, Status: arrived}
			h[hears(t, h, "bo")] = x
			return h
		},
		"a state that the database does not have": func() []Record {
			h := whole(false)
			h[len(h)-2].Status = cancelled
			return h
		},
		"a version that the database does not have": func() []Record {
			h := whole(true)
			h[len(h)-2].Version, h[len(h)-2].Status, h[len(h)-2].Versions = 4, arrived, []uint32{1, 2, 3, 4}
			return h
		},
		"a rider who never hears that the ride began": func() []Record {
			h := whole(false)
			h = without(without(h, find(t, h, func(r Record) bool { return r.Who == "ann" && r.Status == inProgress })), len(h)-5)
			var out []Record
			for _, r := range h {
				if r.Status != completed && r.Op != "complete" {
					out = append(out, r)
				}
			}
			return append(out[:len(out)-1:len(out)-1],
				Record{At: int64(time.Minute), What: Read, Trip: "t", Version: 5, Status: inProgress, Driver: "B", Versions: []uint32{1, 2, 3, 4, 5}},
				Record{At: int64(81 * time.Second), What: End})
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := judge(mutant())
			require.EqualValues(t, 1, min(c.Violations()[EndArrives], 1), "%v", c.Violations())
			require.NotEmpty(t, c.Findings())
		})
	}
}

// The end of a trip that arrives late is late only if this machine lagged meanwhile.
func TestLateEndsOnALaggingMachine(t *testing.T) {
	for name, x := range map[string]struct {
		at, lag          time.Duration
		never            bool
		late, violations int64
	}{
		"it lagged":                 {at: 30 * time.Second, lag: Lagging + time.Millisecond, late: 1},
		"it lagged less than that":  {at: 30 * time.Second, lag: Lagging, violations: 1},
		"it lagged before":          {at: time.Millisecond, lag: time.Hour, violations: 1},
		"it did not lag":            {violations: 1},
		"it never came for all lag": {at: 50 * time.Second, lag: 10 * time.Second, never: true, violations: 1},
	} {
		t.Run(name, func(t *testing.T) {
			h := whole(false)
			i := hears(t, h, "ann")
			news := h[i]
			news.At = int64(40 * time.Second)
			c := judge(h[:i])
			c.Add(Record{What: Lagged, At: int64(x.at), Lag: int64(x.lag)})
			require.Equal(t, 1, c.Outdated())
			n, _ := c.Overdue(int64(20 * time.Second))
			require.Zero(t, n)
			n, _ = c.Overdue(int64(40 * time.Second))
			require.Equal(t, 1, n)
			if !x.never {
				c.Add(news)
				require.Zero(t, c.Outdated())
			}
			for _, r := range h[i+1:] {
				c.Add(r)
			}
			late, _ := c.Late()
			require.Equal(t, map[string]int64{OneEnd: 0, EndArrives: x.late}, late)
			require.Equal(t, x.violations, c.Violations()[EndArrives])
		})
	}
}

// A trip is judged before it is forgotten, and once; a client without answers does not grow.
func TestOutdatedTripsAreForgotten(t *testing.T) {
	c := judge(whole(false)[:len(whole(false))-3]) // without the rider's news
	require.Equal(t, 1, c.Outdated())
	for n := range 1000 {
		c.Add(Record{At: int64(time.Second), What: Call, Who: "ann", Role: "rider", ID: fmt.Sprint("x", n), Op: "rate"})
	}
	for m := range 3 {
		at := int64(time.Duration(11+m) * time.Minute)
		c.Add(Record{At: at, What: OtherNews, Who: "bo", Role: "driver", Epoch: "e", Seq: uint32(4 + m)})
	}
	require.EqualValues(t, 1, c.Violations()[EndArrives])
	require.Zero(t, c.Outdated())
	require.Empty(t, c.trips)
	require.Less(t, c.Retained(), keepWords+10)
	c.Add(Record{At: int64(20 * time.Minute), What: End})
	require.EqualValues(t, 1, c.Violations()[EndArrives])
}

// Routes come while a driver has the trip, for its leg, and never go back.
func TestRoutesOfATrip(t *testing.T) {
	at := func(status string, version uint32, routes ...Record) int {
		h := []Record{
			{What: Connected, Who: "bo", Role: "driver", Account: "B", Epoch: "e"},
			{What: TripNews, Who: "bo", Role: "driver", Epoch: "e", Seq: 1, Trip: "t", Version: version, Status: status},
		}
		for _, r := range routes {
			r.What, r.Who, r.Role, r.Epoch, r.Seq, r.Trip = RouteNews, "bo", "driver", "e", 1, "t"
			h = append(h, r)
		}
		return len(judge(h).Findings())
	}
	require.Zero(t, at(matched, 3, Record{Revision: 1, Leg: "pickup"}, Record{Revision: 1, Leg: "pickup"}, Record{Revision: 5, Leg: "pickup"}))
	require.Zero(t, at(inProgress, 5, Record{Revision: 9, Leg: "ride"}))
	require.Positive(t, at(matched, 3, Record{Revision: 5, Leg: "pickup"}, Record{Revision: 4, Leg: "pickup"}))
	require.Positive(t, at(matched, 3, Record{Revision: 1, Leg: "ride"}))
	require.Positive(t, at(inProgress, 5, Record{Revision: 1, Leg: "pickup"}))
	require.Positive(t, at(requested, 2, Record{Revision: 1, Leg: "pickup"}))
	require.Positive(t, at(completed, 6, Record{Revision: 1, Leg: "ride"}))

	// The answer to a start that was sent before the reconnect is not news of the trip, but what follows from it is.
	h := []Record{
		{At: 1, What: Connected, Who: "bo", Role: "driver", Account: "B", Epoch: "e"},
		{At: 2, What: TripNews, Who: "bo", Role: "driver", Epoch: "e", Seq: 1, Trip: "t", Version: 4, Status: "arrived"},
		{At: 3, What: Return, Who: "bo", Role: "driver", ID: "before", Op: "start", Trip: "t", Version: 5, Status: inProgress},
		{At: 4, What: RouteNews, Who: "bo", Role: "driver", Epoch: "e", Seq: 1, Trip: "t", Revision: 2, Leg: "ride"},
	}
	require.Empty(t, judge(h).Findings())
	require.NotEmpty(t, judge(append(h[:2:2], h[3])).Findings())
}
