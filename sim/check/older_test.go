package check

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// twoSockets is a history in which bo begins a second session at 10 s.
func twoSockets(more ...Record) []Record {
	h := append([]Record{
		ofBo(1, Record{What: Connected, Account: "B"}),
		ofBo(9.9, Record{What: Lost, Older: true}),
		ofBo(10, Record{What: Connected, Account: "B", Node: 1, Older: true}),
	}, more...)
	return append(h, Record{At: int64(time.Minute), What: End})
}

// before is such a history in which more happens before the client learns that its session has begun.
func before(more ...Record) []Record {
	h := twoSockets()
	h[2].Older = false
	return slices.Insert(h, 2, more...)
}

func closes(at float64, code string) Record { return ofBo(at, Record{What: OlderEnded, Code: code}) }
func fault(at float64, what What) Record {
	return Record{At: int64(at * float64(time.Second)), What: what, Op: "kill n1 0s"}
}

func TestOlderSessionsThatEnd(t *testing.T) {
	older := Record{What: OlderNews}
	for name, x := range map[string]struct {
		h         []Record
		met, late int64
	}{
		"within a second":                 {h: twoSockets(closes(11, "4503")), met: 1},
		"with events until then":          {h: twoSockets(ofBo(10.5, older), closes(11, "4503")), met: 1},
		"before the newer session begins": {h: before(closes(9.95, "4503")), met: 1},
		"events before the newer session": {h: before(ofBo(9.92, older), closes(9.95, "4503")), met: 1},
		"with its node":                   {h: twoSockets(fault(10.1, FaultBegan), closes(10.2, "1006"), fault(15, FaultEnded))},
		"just after its node was lost":    {h: twoSockets(fault(8, FaultBegan), fault(9, FaultEnded), closes(10.2, "1006"))},
		"ten seconds after a fault":       {h: twoSockets(fault(10.1, FaultBegan), fault(15, FaultEnded), closes(25, "4503")), met: 1},
		"late on a lagging machine": {
			h: twoSockets(Record{At: int64(12 * time.Second), What: Lagged, Lag: int64(time.Second)}, ofBo(12.5, older), closes(13, "4503")), late: 2},
		"late on a machine with a backlog": {
			h: append([]Record{{At: int64(9500 * time.Millisecond), What: Lagged, Lag: int64(time.Second)}}, twoSockets(closes(11.5, "4503"))...), late: 1},
	} {
		t.Run(name, func(t *testing.T) {
			c := judge(x.h)
			require.Empty(t, c.Findings())
			require.Equal(t, x.met, c.Met()[OneSession])
			late, _ := c.Late()
			require.Equal(t, x.late, late[OneSession])
		})
	}
}

func TestOlderSessionsThatLiveOn(t *testing.T) {
	older := Record{What: OlderNews}
	for name, h := range map[string][]Record{
		"never closed":                         twoSockets(),
		"broken before the newer session":      before(closes(9.95, "1006")),
		"an event after it was closed early":   before(closes(9.95, "4503"), ofBo(10.6, older))[1:],
		"closed after two seconds":             twoSockets(closes(12, "4503")),
		"closed with another code":             twoSockets(closes(10.5, "4000")),
		"broken":                               twoSockets(closes(10.5, "1006")),
		"an event after two seconds":           twoSockets(ofBo(12, older), closes(12.1, "4503"))[:4],
		"an event after it was closed":         twoSockets(closes(10.5, "4503"), ofBo(10.6, older)),
		"closed twelve seconds after a fault":  twoSockets(fault(10.1, FaultBegan), fault(15, FaultEnded), closes(27, "4503")),
		"never closed, long after a fault":     twoSockets(fault(10.1, FaultBegan), fault(15, FaultEnded)),
		"never closed on a lagging machine":    twoSockets(Record{At: int64(12 * time.Second), What: Lagged, Lag: int64(time.Second)}),
		"broken long after a fault":            twoSockets(closes(10.5, "1006"))[:4],
		"closed late, before the machine lags": twoSockets(closes(12, "4503"), Record{At: int64(14 * time.Second), What: Lagged, Lag: int64(time.Second)}),
	} {
		t.Run(name, func(t *testing.T) {
			c := judge(h)
			require.EqualValues(t, 1, c.Violations()[OneSession], "%v", c.Findings())
		})
	}
}

// A bound that a fault falls into counts from the fault's end.
func TestBoundsCountFromTheEndOfAFault(t *testing.T) {
	var f faults
	require.EqualValues(t, 5, f.after(5, 100))
	f.begin(10)
	require.EqualValues(t, 100, f.after(5, 100), "it lasts")
	require.EqualValues(t, 5, f.after(5, 9), "it has not begun")
	f.end(20)
	require.EqualValues(t, 20, f.after(5, 100))
	require.EqualValues(t, 25, f.after(25, 100))
	f.begin(50)
	f.end(60)
	require.EqualValues(t, 60, f.after(5, 100))
	require.True(t, f.touch(15, 16) && f.touch(5, 10) && f.touch(20, 30))
	require.False(t, f.touch(21, 49) || f.touch(61, 70))
	for range 2 * keepFaults {
		f.begin(100)
		f.end(100)
	}
	require.LessOrEqual(t, len(f.spans), keepFaults)
}

// News that is late because of a fault is not, for as long again after it.
func TestAFaultDelaysTheEndOfAnOffer(t *testing.T) {
	for name, x := range map[string]struct {
		ended      float64 // the fault, in seconds
		violations int64
	}{"just before": {ended: 36}, "long before": {ended: 34, violations: 1}} {
		t.Run(name, func(t *testing.T) {
			var h []Record
			for _, r := range ride() {
				if r.What == OfferEnded && r.Who == "cy" {
					h = append(h, fault(1, FaultBegan), fault(x.ended, FaultEnded))
					r.At = int64(40 * time.Second)
				}
				h = append(h, r)
			}
			require.Equal(t, x.violations, judge(h).Violations()[OneEnd])
		})
	}
}

// The lag of a window is the part of the lags that falls into it.
func TestLagOfAWindow(t *testing.T) {
	var l lags
	l.add(int64(10*time.Second), int64(2*time.Second))
	require.Equal(t, int64(2*time.Second), l.total(0, int64(time.Minute)))
	require.Equal(t, int64(time.Second), l.total(int64(9*time.Second), int64(time.Minute)))
	require.Zero(t, l.total(int64(10*time.Second), int64(time.Minute)))
}
