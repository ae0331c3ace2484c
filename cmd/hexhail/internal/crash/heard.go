package crash

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/hexhail/hexhail/sim/check"
	"github.com/hexhail/hexhail/sim/report"
)

// committed adds to a history when trips ended, as the database holds it, and keeps the result where the
// history is recorded for the user.
func (p *proof) committed(history, ends []check.Record) ([]check.Record, error) {
	merged := merge(history, ends)
	if p.o.Record == "" {
		return merged, nil
	}
	f, err := os.Create(p.o.Record)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	recorder := check.NewRecorder(f)
	for _, r := range merged {
		recorder.Add(r)
	}
	return merged, errors.Join(recorder.Close(), f.Close())
}

// merge puts further records into a history, each before the first record that is later. The history's own
// order stays, in which records of different clients may be a moment out of order.
func merge(history, more []check.Record) []check.Record {
	slices.SortFunc(more, func(a, b check.Record) int { return int(a.At - b.At) })
	out := make([]check.Record, 0, len(history)+len(more))
	for _, r := range history {
		for len(more) > 0 && (more[0].At < r.At || r.What == check.End) {
			out, more = append(out, more[0]), more[1:]
		}
		out = append(out, r)
	}
	return append(out, more...)
}

// heard is L1 as judged with the commits of the database: a trip's end counts from there, whether or not any
// client has seen it.
type heard struct {
	violations, late int64
	findings         []string
}

// endsHeard judges a history by L1.
func endsHeard(history []check.Record) heard {
	c := check.NewChecker()
	for _, r := range history {
		c.Add(r)
	}
	late, _ := c.Late()
	return heard{
		violations: c.Violations()[check.EndArrives], late: late[check.EndArrives],
		findings: slices.DeleteFunc(c.Findings(), func(f string) bool { return !strings.HasPrefix(f, check.EndArrives+":") }),
	}
}

// replace puts this verdict in the place of the one that clients' records alone allow, which finds no more.
func (h heard) replace(r *report.Report) {
	r.Findings = append(slices.DeleteFunc(slices.Clone(r.Findings), func(f string) bool { return strings.HasPrefix(f, check.EndArrives+":") }), h.findings...)
	r.Violations[check.EndArrives] = h.violations
	if r.Late != nil {
		r.Late[check.EndArrives] = h.late
	}
}
