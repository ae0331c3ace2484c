package check

import "time"

// Lagging is the lag of a timer at which this machine is too busy to judge how late others are:
// what arrives late meanwhile counts as late, not as a violation.
const Lagging = 250 * time.Millisecond

// keepLags is how long lags are remembered.
const keepLags = 10 * time.Minute

// lags are the times at which a timer beside the simulation fired late.
type lags struct {
	spans []span // in order, disjoint
	worst int64
}

// span is a time during which a timer was due and did not fire, in nanoseconds.
type span struct{ from, to int64 }

// add notes that a timer fired at time at, late by late nanoseconds.
func (l *lags) add(at, late int64) {
	if late <= int64(Lagging) {
		return
	}
	l.worst = max(l.worst, late)
	s := span{at - late, at}
	if n := len(l.spans); n > 0 && s.from-l.spans[n-1].to < int64(time.Second) {
		l.spans[n-1].to = max(l.spans[n-1].to, s.to)
	} else {
		l.spans = append(l.spans, s)
	}
	for len(l.spans) > 1 && at-l.spans[0].to > int64(keepLags) {
		l.spans = l.spans[1:]
	}
}

// backlog is how long a machine that has lagged may take to work off what has piled up. It matters
// beside bounds of a second or two.
const backlog = time.Second

// near is within for a window that begins with a backlog.
func (l *lags) near(from, to int64) bool { return l.within(from-int64(backlog), to) }

// within reports whether the machine lagged at any time within a window.
func (l *lags) within(from, to int64) bool {
	for _, s := range l.spans {
		if s.from <= to && s.to >= from {
			return true
		}
	}
	return false
}

// total is how much of a window the machine lagged.
func (l *lags) total(from, to int64) (sum int64) {
	for _, s := range l.spans {
		sum += max(0, min(to, s.to)-max(from, s.from))
	}
	return sum
}
