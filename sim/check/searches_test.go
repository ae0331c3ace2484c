package check

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// waitingRider is a history in which ann requests a trip at 10 s while bo stands 1 km away, free since 1 s,
// and no driver is offered the trip. More records are added.
func waitingRider(more ...Record) []Record {
	h := []Record{
		{At: 1, What: Promised, Reach: &Reach{RadiusM: 1500, Within: 2 * time.Second, Offers: 8, Settle: 5 * time.Second}},
		{At: int64(time.Second), What: Connected, Who: "ann", Role: "rider", Account: "A", Epoch: "e"},
		{At: int64(time.Second), What: Connected, Who: "bo", Role: "driver", Account: "B", Epoch: "e", Online: true},
		{At: int64(10 * time.Second), What: Call, Who: "ann", Role: "rider", ID: "1", Op: "request", Lat: 40.75, Lng: -73.98},
		{At: int64(10 * time.Second), What: Return, Who: "ann", Role: "rider", ID: "1", Op: "request", Trip: "t", Version: 1, Status: requested},
	}
	for s := range 30 {
		h = append(h, Record{At: int64(s)*int64(time.Second) + 1, What: Placed, Who: "bo", Role: "driver", Lat: 40.759, Lng: -73.98})
	}
	h = append(h, more...)
	slices.SortStableFunc(h, func(a, b Record) int { return cmp.Compare(a.At, b.At) })
	return h
}

// ofBo and ofAnn are records of the two, at a time in seconds.
func ofBo(at float64, r Record) Record  { return of("bo", "driver", at, r) }
func ofAnn(at float64, r Record) Record { return of("ann", "rider", at, r) }

func of(who, role string, at float64, r Record) Record {
	r.Who, r.Role, r.At, r.Epoch = who, role, int64(at*float64(time.Second)), "e"
	return r
}

func offer(trip string, seq uint32) Record {
	return Record{What: Offered, Seq: seq, Trip: trip, Offer: trip + ".1", Expires: int64(time.Hour)}
}

// othersHold are offers of the trip to n other drivers, who are far away and leave them open.
func othersHold(n int) (out []Record) {
	for i := range n {
		who := fmt.Sprint("other", i)
		out = append(out, of(who, "driver", 1, Record{What: Connected, Account: who, Online: true}),
			of(who, "driver", 10.1, Record{What: Offered, Seq: 1, Trip: "t", Offer: fmt.Sprint("t.", i+2), Expires: int64(time.Hour)}))
	}
	return out
}

func news(seq, version uint32, status string) Record {
	return Record{What: TripNews, Seq: seq, Trip: "t", Version: version, Status: status}
}

func TestDriversWhoAreNotFound(t *testing.T) {
	for name, h := range map[string][]Record{
		"free all the time":                 waitingRider(),
		"offered after three seconds":       waitingRider(ofBo(13, offer("t", 1))),
		"free again while the rider waits":  waitingRider(ofBo(9, offer("u", 1)), ofBo(15, Record{What: OfferEnded, Seq: 2, Trip: "u", Offer: "u.1"})),
		"others hold offers, there is room": waitingRider(othersHold(3)...),
		"long after a fault":                waitingRider(Record{At: int64(2 * time.Second), What: FaultBegan}, Record{At: int64(4 * time.Second), What: FaultEnded}),
		"a driver of another trip gives this one back": waitingRider(
			ofAnn(10.5, news(1, 2, matched)), ofAnn(15, news(2, 3, requested))),
		"expired though others hold all offers": waitingRider(append(othersHold(8), ofAnn(20, news(1, 2, expired)))...),
		"a lag before it":                       waitingRider(Record{At: int64(8500 * time.Millisecond), What: Lagged, Lag: int64(time.Second)}),
	} {
		t.Run(name, func(t *testing.T) {
			c := judge(h)
			require.EqualValues(t, 1, c.Violations()[DriverFound], "%v", c.Findings())
			require.Contains(t, c.Findings()[0], "bo was free for 2s near the pickup of trip t")
		})
	}
}

func TestDriversWhoNeedNotBeFound(t *testing.T) {
	move := func(h []Record, lat float64) []Record {
		for i, r := range h {
			if r.What == Placed {
				h[i].Lat = lat
			}
		}
		return h
	}
	for name, h := range map[string][]Record{
		"offered in time":        waitingRider(ofBo(11.9, offer("t", 1))),
		"far away":               move(waitingRider(), 40.764),
		"far away for a moment":  waitingRider(ofBo(11.5, Record{What: Placed, Lat: 40.8, Lng: -73.98}), ofBo(13, offer("t", 1))),
		"without positions":      slices.DeleteFunc(waitingRider(), func(r Record) bool { return r.What == Placed && r.At > int64(8*time.Second) }),
		"offline":                waitingRider(ofBo(9, Record{What: Call, ID: "1", Op: "offline"}), ofBo(9.1, Record{What: Return, ID: "1", Op: "offline"})),
		"without a session":      waitingRider(ofBo(9, Record{What: Lost})),
		"with another offer":     waitingRider(ofBo(9, offer("u", 1))),
		"while a command is due": waitingRider(ofBo(9, Record{What: Call, ID: "1", Op: "rate"})),
		"on a trip":              waitingRider(ofBo(9, Record{What: TripNews, Seq: 1, Trip: "u", Version: 3, Status: matched})),
		"offered it before":      waitingRider(ofBo(10.1, offer("t", 1)), ofBo(10.2, Record{What: OfferEnded, Seq: 2, Trip: "t", Offer: "t.1"})),
		"an open offer in the snapshot": waitingRider(
			ofBo(10.2, Record{What: Connected, Account: "B", Online: true, Open: []string{"t.1"}}),
			ofBo(10.4, Record{What: OfferEnded, Seq: 1, Trip: "t", Offer: "t.1"})),
		"matched by then":        waitingRider(ofAnn(11, news(1, 2, matched))),
		"others hold all":        waitingRider(othersHold(8)...),
		"cancelled, not expired": waitingRider(append(othersHold(8), ofAnn(20, news(1, 2, cancelled)))...),
		"during a fault":         waitingRider(Record{At: int64(9 * time.Second), What: FaultBegan}),
		"just after a fault": waitingRider(Record{At: int64(9 * time.Second), What: FaultBegan}, Record{At: int64(10 * time.Second), What: FaultEnded},
			ofBo(16.9, offer("t", 1))),
		"without a promise": slices.DeleteFunc(waitingRider(), func(r Record) bool { return r.What == Promised }),
	} {
		t.Run(name, func(t *testing.T) {
			c := judge(h)
			require.Zero(t, c.Violations()[DriverFound], "%v", c.Findings())
		})
	}
}

// askingOne is waitingRider where one driver is asked at a time: dan from 10.1 s on, until he says no.
func askingOne(no float64, more ...Record) []Record {
	h := waitingRider(append(more,
		of("dan", "driver", 1, Record{What: Connected, Account: "D", Online: true}),
		of("dan", "driver", 10.1, Record{What: Offered, Seq: 1, Trip: "t", Offer: "t.9", Expires: int64(time.Hour)}),
		of("dan", "driver", no, Record{What: OfferEnded, Seq: 2, Trip: "t", Offer: "t.9"}))...)
	h[0].Reach.Offers = 1
	return h
}

// One driver is asked at a time: the next one's time begins when the one before has answered.
func TestDriversWhoAreAskedInTurn(t *testing.T) {
	for name, h := range map[string][]Record{
		"never asked":               askingOne(14),
		"asked three seconds later": askingOne(14, ofBo(17, offer("t", 1))),
		"expired meanwhile":         askingOne(14, ofAnn(17, news(1, 2, expired))),
	} {
		t.Run(name, func(t *testing.T) {
			c := judge(h)
			require.EqualValues(t, 1, c.Violations()[DriverFound], "%v", c.Findings())
		})
	}
	for name, h := range map[string][]Record{
		"asked in time":                   askingOne(14, ofBo(15.9, offer("t", 1))),
		"somebody is being asked":         askingOne(29),
		"expired while somebody is asked": askingOne(29, ofAnn(28, news(1, 2, expired))),
		"another one in between":          askingOne(14, of("eve", "driver", 1, Record{What: Connected, Account: "E", Online: true}), of("eve", "driver", 15.5, Record{What: Offered, Seq: 1, Trip: "t", Offer: "t.8", Expires: int64(time.Hour)}), of("eve", "driver", 17.5, Record{What: OfferEnded, Seq: 2, Trip: "t", Offer: "t.8"}), ofBo(19, offer("t", 1))),
	} {
		t.Run(name, func(t *testing.T) {
			c := judge(h)
			require.Zero(t, c.Violations()[DriverFound], "%v", c.Findings())
		})
	}
}

// A driver who is found counts, so that a run can tell whether the rule was put to the test; one who
// is found late on a lagging machine counts as late.
func TestDriversWhoAreFoundAreCounted(t *testing.T) {
	c := judge(waitingRider(ofBo(11.9, offer("t", 1))))
	require.Equal(t, map[string]int64{DriverFound: 1}, c.Met())
	c = judge(waitingRider(ofBo(9, offer("u", 1)), ofBo(11, offer("t", 2))))
	require.Equal(t, map[string]int64{DriverFound: 0}, c.Met(), "the driver was not free")
	for _, at := range []time.Duration{9500 * time.Millisecond, 11 * time.Second} {
		c = judge(waitingRider(Record{At: int64(at), What: Lagged, Lag: int64(time.Second)}))
		require.Zero(t, c.Violations()[DriverFound])
		late, _ := c.Late()
		require.EqualValues(t, 1, late[DriverFound])
	}
}
