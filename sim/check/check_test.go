package check

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride/ridepb"
)

// ride is a correct history: a rider, a winner and a loser.
func ride() []Record {
	n := int64(0)
	at := func(r Record) Record { n += int64(time.Millisecond); r.At = n; return r }
	r := func(x Record) Record { x.Who, x.Role = "ann", "rider"; return at(x) }
	d := func(x Record) Record { x.Who, x.Role = "bo", "driver"; return at(x) }
	l := func(x Record) Record { x.Who, x.Role = "cy", "driver"; return at(x) }
	news := func(seq, version uint32, status, driver string) Record {
		return Record{What: TripNews, Epoch: "e", Seq: seq, Trip: "t", Version: version, Status: status, Driver: driver}
	}
	return []Record{
		r(Record{What: Connected, Account: "A", Epoch: "e"}),
		d(Record{What: Connected, Account: "B", Epoch: "e"}),
		l(Record{What: Connected, Account: "C", Epoch: "e"}),
		r(Record{What: Call, ID: "1", Op: "request"}),
		r(Record{What: Return, ID: "1", Op: "request", Trip: "t", Version: 1, Status: requested}),
		r(news(1, 2, requested, "")),
		d(Record{What: Offered, Epoch: "e", Seq: 1, Trip: "t", Offer: "t.1", Expires: int64(15 * time.Second)}),
		l(Record{What: Offered, Epoch: "e", Seq: 1, Trip: "t", Offer: "t.2", Expires: int64(15 * time.Second)}),
		d(Record{What: Call, ID: "2", Op: "accept", Trip: "t", Offer: "t.1"}),
		l(Record{What: Call, ID: "9", Op: "accept", Trip: "t", Offer: "t.2"}),
		d(Record{What: Return, ID: "2", Op: "accept", Trip: "t", Version: 3, Status: matched}),
		l(Record{What: Return, ID: "9", Op: "accept", Trip: "t", Code: "offer_taken"}),
		d(Record{What: OfferEnded, Epoch: "e", Seq: 2, Trip: "t", Offer: "t.1", Outcome: "won"}),
		l(Record{What: OfferEnded, Epoch: "e", Seq: 2, Trip: "t", Offer: "t.2", Outcome: "withdrawn"}),
		d(news(3, 3, matched, "")),
		r(news(2, 3, matched, "B")),
		d(Record{What: Call, ID: "3", Op: "arrived", Trip: "t"}),
		d(Record{What: Return, ID: "3", Op: "arrived", Trip: "t", Version: 4, Status: arrived}),
		r(news(3, 4, arrived, "B")),
		{At: int64(time.Minute), What: Read, Trip: "t", Version: 4, Status: arrived, Versions: []uint32{1, 2, 3, 4}},
		{At: int64(time.Minute), What: End},
	}
}

func judge(history []Record) *Checker {
	c := NewChecker()
	for _, r := range history {
		c.Add(r)
	}
	return c
}

func TestARightHistoryPasses(t *testing.T) {
	c := judge(ride())
	require.Empty(t, c.Findings())
	require.Len(t, c.Violations(), 8)
	o := Linearizable(ride(), time.Minute)
	require.True(t, o.OK, o.String())
	require.Equal(t, 1, o.Trips)
	require.Equal(t, 4, o.Commands)
}

// Each mutant is what a broken server would produce.
func TestMutantsAreCaught(t *testing.T) {
	index := func(h []Record, match func(Record) bool) int {
		for i, r := range h {
			if match(r) {
				return i
			}
		}
		t.Fatal("the mutant does not fit the history")
		return 0
	}
	loserWins := func(h []Record, version uint32) {
		i := index(h, func(r Record) bool { return r.Code == "offer_taken" })
		h[i].Code, h[i].Version, h[i].Status = "", version, matched
	}
	cut := func(h []Record, i int) []Record { return append(h[:i:i], h[i+1:]...) }
	for name, m := range map[string]struct {
		caught string
		mutate func([]Record) []Record
	}{
		"two winners of one version": {OneWinner, func(h []Record) []Record { loserWins(h, 3); return h }},
		"two winners in a row":       {OneWinner, func(h []Record) []Record { loserWins(h, 4); h[18].Version = 5; h[17].Version = 5; return h }},
		"a skipped seq": {NoHole, func(h []Record) []Record {
			return cut(h, index(h, func(r Record) bool { return r.Who == "ann" && r.Seq == 2 }))
		}},
		"an offer that ends twice": {OneEnd, func(h []Record) []Record {
			x := h[index(h, func(r Record) bool { return r.What == OfferEnded && r.Who == "cy" })]
			x.Seq = 3
			return append(h[:len(h)-1:len(h)-1], x, h[len(h)-1])
		}},
		"an offer that never ends": {OneEnd, func(h []Record) []Record {
			return cut(h, index(h, func(r Record) bool { return r.What == OfferEnded && r.Who == "cy" }))
		}},
		"an end that comes late": {OneEnd, func(h []Record) []Record {
			i := index(h, func(r Record) bool { return r.What == OfferEnded && r.Who == "cy" })
			h[i].At = int64(40 * time.Second)
			return h
		}},
		"a version jump": {VersionsStep, func(h []Record) []Record {
			h[17].Version, h[18].Version = 5, 5
			h[19].Version = 5
			return h
		}},
		"an older version after a newer one": {VersionsStep, func(h []Record) []Record {
			x := h[index(h, func(r Record) bool { return r.What == TripNews && r.Who == "ann" && r.Version == 3 })]
			i := index(h, func(r Record) bool { return r.What == TripNews && r.Who == "ann" && r.Version == 4 })
			x.Seq = h[i].Seq + 1
			return slices.Insert(h, i+1, x)
		}},
		"an older version that is replayed after a newer one": {VersionsStep, func(h []Record) []Record {
			i := index(h, func(r Record) bool { return r.What == TripNews && r.Who == "ann" && r.Version == 4 })
			x, y := h[i], h[i]
			x.What, x.Account, x.Resumed, x.Version, x.Status, x.Seq = Connected, "A", true, 4, arrived, y.Seq+1
			y.Seq, y.Version, y.Status = y.Seq+1, 3, matched
			return slices.Insert(h, i+1, Record{At: x.At, What: Lost, Who: "ann", Role: "rider"}, x, y)
		}},
		"a snapshot that is older than what came before": {VersionsStep, func(h []Record) []Record {
			x := Record{At: int64(time.Second), What: Connected, Who: "ann", Role: "rider", Account: "A", Epoch: "f", Trip: "t", Version: 3, Status: matched, Driver: "B"}
			return append(h[:len(h)-2:len(h)-2], x)
		}},
		"a step that is not an edge": {VersionsStep, func(h []Record) []Record { h[17].Status, h[18].Status = completed, completed; return h }},
		"a history with a gap":       {VersionsStep, func(h []Record) []Record { h[19].Versions = []uint32{1, 2, 4}; return h }},
		"a loser who learns of it only when the offer would have expired": {OneEnd, func(h []Record) []Record {
			i := index(h, func(r Record) bool { return r.What == OfferEnded && r.Who == "cy" })
			h[i].At = int64(8 * time.Second)
			return h
		}},
		"an offer that ended and is open again": {OneEnd, func(h []Record) []Record {
			x := Record{At: int64(time.Second), What: Connected, Who: "cy", Role: "driver", Account: "C", Epoch: "f", Open: []string{"t.2"}}
			return append(h[:len(h)-2:len(h)-2], x)
		}},
		"another answer to a repeated command": {SameAnswer, func(h []Record) []Record {
			i := index(h, func(r Record) bool { return r.What == Return && r.ID == "3" })
			h[i].Reply = "one"
			again := h[i]
			again.What, again.Reply = Again, "another"
			return append(h[:len(h)-1:len(h)-1], again)
		}},
		"an old read": {FreshReads, func(h []Record) []Record {
			x := Record{What: Look, Trip: "t", Version: 3, Status: matched, Driver: "B", Least: 4}
			return append(h[:len(h)-2:len(h)-2], x)
		}},
		"two trips at once": {OneTrip, func(h []Record) []Record {
			x := Record{What: TripNews, Who: "bo", Role: "driver", Epoch: "e", Seq: 4, Trip: "u", Version: 3, Status: matched}
			return append(h[:len(h)-1:len(h)-1], x, h[len(h)-1])
		}},
		"HTTP behind the sockets": {NoHole, func(h []Record) []Record { h[19].Version, h[19].Status = 3, matched; return h }},
		"a resume that loses": {NoHole, func(h []Record) []Record {
			x := Record{What: Connected, Who: "bo", Role: "driver", Epoch: "e", Seq: 2, Resumed: true}
			return append(h, x)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c := judge(m.mutate(ride()))
			require.Positive(t, c.Violations()[m.caught], "%v", c.Violations())
			require.NotEmpty(t, c.Findings())
		})
	}
}

// What arrives late is late only if this machine lagged meanwhile; what never arrives is a
// violation all the same.
func TestLateIsWhatALaggingMachineMakesLate(t *testing.T) {
	const bound = Lagging
	for name, x := range map[string]struct {
		at, lag          time.Duration // of a timer
		never            bool
		late, violations int64
	}{
		"it lagged":                 {at: 30 * time.Second, lag: bound + time.Millisecond, late: 1},
		"it lagged at the end":      {at: 40 * time.Second, lag: bound + time.Millisecond, late: 1},
		"it lagged less than that":  {at: 30 * time.Second, lag: bound, violations: 1},
		"it lagged before":          {at: time.Millisecond, lag: time.Hour, violations: 1},
		"it did not lag":            {violations: 1},
		"it never came":             {never: true, violations: 1},
		"it never came for all lag": {at: 50 * time.Second, lag: 10 * time.Second, never: true, violations: 1},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after []Record
			for _, r := range ride() {
				switch {
				case r.What == OfferEnded && r.Who == "cy":
					if r.At = int64(40 * time.Second); !x.never {
						after = append(after, r)
					}
				case r.What == Read || r.What == End:
					after = append(after, r)
				default:
					before = append(before, r)
				}
			}
			c := judge(before)
			c.Add(Record{What: Lagged, At: int64(x.at), Lag: int64(x.lag)})
			waits, lagged := c.Overdue(int64(x.at))
			require.Equal(t, x.at > time.Second, waits == 1)
			require.Equal(t, x.lag > bound, lagged, "it may still arrive")
			if lagged { // and goes on to be awaited when the machine is calm again
				calm := int64(x.at + time.Minute)
				waits, lagged = c.Overdue(calm)
				require.False(t, lagged)
				require.Equal(t, 1, waits)
			}
			for _, r := range after {
				c.Add(r)
			}
			late, worst := c.Late()
			require.Equal(t, map[string]int64{OneEnd: x.late, EndArrives: 0}, late)
			require.Equal(t, x.violations, c.Violations()[OneEnd])
			if x.lag > bound {
				require.Equal(t, x.lag, worst)
			}
		})
	}
}

// However long a run is, what was judged is forgotten ten minutes later, and forgetting causes no
// findings.
func TestWhatWasJudgedIsForgotten(t *testing.T) {
	c := NewChecker()
	seq := map[string]uint32{}
	at := int64(0)
	says := func(who, role string, r Record) {
		at += int64(time.Millisecond)
		r.At, r.Who, r.Role, r.Epoch = at, who, role, "e"
		switch r.What {
		case Connected:
			r.Account = who
		case Return:
		default:
			seq[who]++
			r.Seq = seq[who]
		}
		c.Add(r)
	}
	says("ann", "rider", Record{What: Connected})
	says("bo", "driver", Record{What: Connected})
	says("cy", "driver", Record{What: Connected})
	const trips, pace = 20_000, time.Second
	most := 0
	for n := range trips {
		at = int64(n) * int64(pace)
		id := fmt.Sprintf("t%d", n)
		news := func(version uint32, status string) Record {
			return Record{What: TripNews, Trip: id, Version: version, Status: status}
		}
		says("ann", "rider", Record{What: Return, ID: id, Op: "request", Trip: id, Version: 1, Status: requested, Reply: "said"})
		for i, d := range []string{"bo", "cy"} {
			says(d, "driver", Record{What: Offered, Trip: id, Offer: fmt.Sprint(id, ".", i), Expires: at + int64(15*time.Second)})
		}
		says("bo", "driver", Record{What: OfferEnded, Trip: id, Offer: id + ".0", Outcome: "won"})
		says("cy", "driver", Record{What: OfferEnded, Trip: id, Offer: id + ".1", Outcome: "withdrawn"})
		says("bo", "driver", news(2, matched))
		says("ann", "rider", news(2, matched))
		says("bo", "driver", news(3, cancelled))
		says("ann", "rider", news(3, cancelled))
		if n%500 == 499 {
			most = max(most, c.Retained())
		}
	}
	require.Empty(t, c.Findings())
	const each, minutes = 9, 11 // of a trip: itself, 3 versions, 2 ends, 2 clients; and how long it is kept
	require.LessOrEqual(t, most, each*minutes*int(time.Minute/pace)+3*keepWords+100)
	require.Greater(t, most, trips/20, "recent trips are still there")
}

func TestPorcupineCatchesTwoWinners(t *testing.T) {
	h := ride()
	for i := range h {
		if h[i].Code == "offer_taken" {
			h[i].Code, h[i].Version, h[i].Status = "", 4, matched
		}
	}
	o := Linearizable(h, time.Minute)
	require.False(t, o.OK)
	require.Equal(t, []string{"t"}, o.Wrong)
}

func TestAnUnansweredCommandMayHaveHappened(t *testing.T) {
	var h []Record
	for _, r := range ride() {
		if r.What != Return || r.Op != "accept" || r.Who != "bo" {
			h = append(h, r)
		}
	}
	require.True(t, Linearizable(h, time.Minute).OK, "the arrival shows that the acceptance counted")
}

func TestAReplayIsNoSecondTrip(t *testing.T) {
	h := []Record{
		{What: Connected, Who: "bo", Role: "driver", Account: "B", Epoch: "e"},
		{What: TripNews, Who: "bo", Role: "driver", Epoch: "e", Seq: 1, Trip: "t", Version: 3, Status: matched},
		{What: Lost, Who: "bo", Role: "driver"},
		{What: Connected, Who: "bo", Role: "driver", Account: "B", Epoch: "e", Seq: 4, Resumed: true, Trip: "u", Version: 3, Status: matched},
		{What: TripNews, Who: "bo", Role: "driver", Epoch: "e", Seq: 2, Trip: "t", Version: 4, Status: arrived},
		{What: TripNews, Who: "bo", Role: "driver", Epoch: "e", Seq: 3, Trip: "t", Version: 5, Status: cancelled},
		{What: TripNews, Who: "bo", Role: "driver", Epoch: "e", Seq: 4, Trip: "u", Version: 3, Status: matched},
	}
	require.Empty(t, judge(h).Findings())
}

func TestRecordedHistoriesComeBack(t *testing.T) {
	var b bytes.Buffer
	r := NewRecorder(&b)
	for _, x := range ride() {
		r.Add(x)
	}
	require.NoError(t, r.Close())
	b.WriteString(`{"at":1,"wh`) // a kill in the middle of a line
	got, err := ReadHistory(&b)
	require.NoError(t, err)
	require.Equal(t, ride(), got)
}

// The same reply to another frame has the same digest; a different reply does not.
func TestReplyDigest(t *testing.T) {
	says := func(id, trip string, version uint32) *ridepb.Reply {
		return &ridepb.Reply{Id: id, Result: &ridepb.Reply_Trip{Trip: &ridepb.Trip{Id: trip, Version: version}}}
	}
	require.Equal(t, ReplyDigest(says("1", "t", 3)), ReplyDigest(says("2", "t", 3)))
	require.NotEqual(t, ReplyDigest(says("1", "t", 3)), ReplyDigest(says("1", "t", 4)))
}

func TestOpenOffersAreCounted(t *testing.T) {
	c := NewChecker()
	var open []int
	for _, r := range ride() {
		c.Add(r)
		open = append(open, c.OpenOffers())
	}
	require.Equal(t, []int{0, 0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0}, open)
}

// The checker's graph has every status of the protocol.
func TestGraphHasEveryStatus(t *testing.T) {
	require.Len(t, steps, len(ridepb.Trip_Status_name)-1)
	for n, name := range ridepb.Trip_Status_name {
		if ridepb.Trip_Status(n) == ridepb.Trip_status_unspecified {
			continue
		}
		require.Contains(t, steps, name)
		ends := !slices.ContainsFunc(steps[name], func(next string) bool { return next != name })
		require.Equal(t, !ends, live(name), name)
	}
}
