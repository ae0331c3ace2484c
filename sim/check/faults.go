package check

import "math"

// faults are the times at which something was broken on purpose.
type faults struct {
	spans []span // in order, disjoint; the last may be open, until math.MaxInt64
}

// keepFaults bounds the faults that are remembered.
const keepFaults = 256

func (f *faults) begin(at int64) {
	f.spans = append(f.spans[max(0, len(f.spans)-keepFaults+1):], span{at, math.MaxInt64})
}

func (f *faults) end(at int64) {
	if n := len(f.spans); n > 0 {
		f.spans[n-1].to = min(f.spans[n-1].to, at)
	}
}

// touch reports whether there was a fault within a window.
func (f *faults) touch(from, to int64) bool {
	for _, s := range f.spans {
		if s.from <= to && s.to >= from {
			return true
		}
	}
	return false
}

// after is the moment from which a bound counts that would count from a moment: the end of the last
// fault between then and now; now, while a fault lasts.
func (f *faults) after(from, now int64) int64 {
	for _, s := range f.spans {
		if s.from <= now && s.to >= from {
			from = min(s.to, max(now, from))
		}
	}
	return from
}
