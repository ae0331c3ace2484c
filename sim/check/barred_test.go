package check

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// guest is a history in which the account of a client with a session is suspended at 10 s.
func guest(more ...Record) []Record {
	h := append([]Record{
		ofGuest(1, Record{What: Connected, Account: "G"}),
		ofGuest(10, Record{What: Barred, Account: "G", Code: suspendedCode}),
	}, more...)
	return append(h, Record{At: int64(time.Minute), What: End})
}

func ofGuest(at float64, r Record) Record {
	r.At, r.Who, r.Role = int64(at*float64(time.Second)), "gus", "rider"
	return r
}

func shut(at float64, code string) Record { return ofGuest(at, Record{What: Lost, Code: code}) }

// loggedOut is the history of an account that is logged out instead.
func loggedOut(h []Record) []Record {
	h[1].Code = "4504"
	return h
}

func TestAccessThatEnds(t *testing.T) {
	back := Record{What: Connected, Account: "G"}
	early := guest()
	early = slices.Insert(early, 1, shut(9.9, suspendedCode))
	for name, x := range map[string]struct {
		h         []Record
		met, late int64
	}{
		"within five seconds":               {h: guest(shut(15, suspendedCode)), met: 1},
		"before the operator learns of it":  {h: early, met: 1},
		"logged out":                        {h: loggedOut(guest(shut(11, "4504"))), met: 1},
		"logged out, and in again":          {h: loggedOut(guest(shut(11, "4504"), ofGuest(20, back))), met: 1},
		"with its node":                     {h: guest(fault(10.5, FaultBegan), shut(10.6, "1006"), fault(20, FaultEnded))},
		"five seconds after a fault":        {h: guest(fault(10.5, FaultBegan), fault(20, FaultEnded), shut(25, suspendedCode)), met: 1},
		"late on a lagging machine":         {h: guest(Record{At: int64(16 * time.Second), What: Lagged, Lag: int64(time.Second)}, shut(16, suspendedCode)), late: 1},
		"a session that began just in time": {h: guest(fault(10.5, FaultBegan), shut(10.6, "1006"), ofGuest(11, back), fault(12, FaultEnded), shut(14, suspendedCode)), met: 1},
	} {
		t.Run(name, func(t *testing.T) {
			c := judge(x.h)
			require.Empty(t, c.Findings())
			require.Equal(t, x.met, c.Met()[AccessEnds])
			late, _ := c.Late()
			require.Equal(t, x.late, late[AccessEnds])
		})
	}
}

func TestAccessThatGoesOn(t *testing.T) {
	back := Record{What: Connected, Account: "G"}
	for name, h := range map[string][]Record{
		"never closed":                     guest(),
		"closed after six seconds":         guest(shut(16, suspendedCode)),
		"closed with another code":         guest(shut(11, "4000")),
		"broken":                           guest(shut(11, "1006")),
		"closed six seconds after a fault": guest(fault(10.5, FaultBegan), fault(20, FaultEnded), shut(26, suspendedCode)),
		"a session of a suspended account": guest(shut(11, suspendedCode), ofGuest(20, back)),
		"a session that is not closed":     guest(shut(11, suspendedCode), ofGuest(12, back)),
		"logged out, and never closed":     loggedOut(guest()),
	} {
		t.Run(name, func(t *testing.T) {
			c := judge(h)
			require.EqualValues(t, 1, c.Violations()[AccessEnds], "%v", c.Findings())
		})
	}
}

// What is overdue is counted, so that a lagging machine gets time for it.
func TestAnOpenSocketIsOverdue(t *testing.T) {
	c := judge(guest()[:2])
	n, _ := c.Overdue(int64(15 * time.Second))
	require.Zero(t, n)
	n, _ = c.Overdue(int64(16 * time.Second))
	require.Equal(t, 1, n)
}
