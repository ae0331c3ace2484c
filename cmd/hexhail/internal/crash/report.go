package crash

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/simulate"
	"github.com/hexhail/hexhail/sim/check"
	"github.com/hexhail/hexhail/sim/report"
)

// What only this proof judges, in addition to the invariants of sim/check.
const (
	acked          = "I3"       // acknowledged commands are stored, refused ones are not
	ends           = "I7"       // every request ends
	fewActivations = "L5"       // nodes do not take trips from each other
	noStranger     = "L6"       // nothing reaches another account's actor
	recovery       = "recovery" // back in service in time
	serverLife     = "server"   // only this program kills it
)

// maxFindings bounds the violations described for each invariant.
const maxFindings = 10

// verdict gathers violations. It may be used from any goroutine.
type verdict struct {
	mu       sync.Mutex
	counts   map[string]int64
	findings []string
}

func (v *verdict) add(invariant, format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.counts == nil {
		v.counts = make(map[string]int64)
	}
	v.counts[invariant]++
	if v.counts[invariant] <= maxFindings {
		v.findings = append(v.findings, invariant+": "+fmt.Sprintf(format, args...))
	}
}

// Report is the result of a run. Its JSON names are stable.
type Report struct {
	Store    string  `json:"store"`
	Rounds   int     `json:"rounds"` // kills, or faults
	Planned  int     `json:"planned_rounds"`
	Seed     uint64  `json:"seed"`
	Drivers  int     `json:"drivers"`
	Speed    float64 `json:"speed"`
	ElapsedS float64 `json:"elapsed_s"`
	// Acknowledged counts answered commands, Refused those that were refused, Lost those whose
	// answer the database does not hold, and Unanswered those that were never answered.
	Acknowledged int `json:"acknowledged"`
	Refused      int `json:"refused"`
	Lost         int `json:"lost"`
	Unanswered   int `json:"unanswered"`
	Trips        int `json:"trips"`
	// Drained says that all trips had time to end.
	Drained   bool      `json:"drained"`
	Sometimes sometimes `json:"sometimes"`
	// ToSession and ToAnswer are the times from a kill to the first session and to the first
	// answered command.
	ToSession Recovery `json:"kill_to_session_ms"`
	ToAnswer  Recovery `json:"kill_to_answer_ms"`
	Order     string   `json:"order"`
	// Violations are by invariant; Findings describes the first.
	Violations map[string]int64 `json:"violations"`
	Findings   []string         `json:"findings,omitempty"`
	City       report.Report    `json:"city"`
	// Cluster is about the faults of several nodes; nil: there was one server.
	Cluster *ClusterReport `json:"cluster,omitempty"`
}

// Recovery is a distribution of times in milliseconds.
type Recovery struct {
	P50 float64 `json:"p50"`
	Max float64 `json:"max"`
}

func recoveries(all []float64) Recovery {
	if len(all) == 0 {
		return Recovery{}
	}
	sorted := slices.Sorted(slices.Values(all))
	return Recovery{P50: sorted[(len(sorted)-1)/2], Max: sorted[len(sorted)-1]}
}

// report gathers the results.
func (p *proof) report(e *evidence, s *stored, order check.Order) Report {
	return Report{
		Store: p.o.engine(), Rounds: p.finished(), Planned: p.planned(), Seed: p.o.Seed, Drivers: p.o.Drivers, Speed: p.o.Speed,
		ElapsedS: math.Round(time.Since(p.begun).Seconds()*10) / 10, Acknowledged: s.acknowledged, Refused: s.refused,
		Lost: s.lost, Unanswered: s.unanswered, Trips: s.trips, Drained: p.drained, Sometimes: e.sometimes,
		ToSession: recoveries(p.toSession), ToAnswer: recoveries(p.toAnswer), Order: order.String(), City: p.city.Report(),
		Violations: map[string]int64{acked: 0, ends: 0, recovery: 0, serverLife: 0},
	}
}

// conclude prints the table, writes the report, and returns what is wrong.
func (p *proof) conclude(r Report) error {
	maps.Copy(r.Violations, r.City.Violations)
	if r.Cluster != nil {
		r.Violations[fewActivations], r.Violations[noStranger] = 0, 0
	}
	for k, n := range p.verdict.counts {
		r.Violations[k] += n
	}
	if n := r.City.ProtocolErrors; n > 0 {
		r.Violations["protocol"] = n
	}
	r.Findings = append(slices.Clone(r.City.Findings), p.verdict.findings...)
	r.City.Violations, r.City.Findings = nil, nil
	p.table(r)
	var err error
	if p.o.Report != "" {
		b, e := json.MarshalIndent(r, "", "  ")
		err = errors.Join(e, os.WriteFile(p.o.Report, append(b, '\n'), 0o644)) //nolint:gosec // a report is not secret
	}
	if broken := r.broken(); len(broken) > 0 {
		err = errors.Join(err, fmt.Errorf("%w: %s", simulate.ErrBroken, strings.Join(broken, ", ")))
	}
	missing := r.Sometimes.missing()
	if r.Cluster != nil {
		missing = r.Cluster.missing(r.City.Met)
	}
	if r.Rounds >= provenFrom && len(missing) > 0 {
		err = errors.Join(err, fmt.Errorf("%w in %d rounds: no %s", ErrNothingProven, r.Rounds, strings.Join(missing, ", no ")))
	}
	return err
}

// broken returns the names of the violated invariants.
func (r *Report) broken() []string {
	var out []string
	for k, n := range r.Violations {
		if n > 0 {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, byInvariant)
	return out
}

func byInvariant(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// table prints the report for people.
func (p *proof) table(r Report) {
	fmt.Fprintln(p.out)
	t := tabwriter.NewWriter(p.out, 0, 4, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("run", "%.1f s on %s: %d rounds of %d, %d drivers at speed %g, seed %d",
		r.ElapsedS, r.Store, r.Rounds, r.Planned, r.Drivers, r.Speed, r.Seed)
	row("commands answered", "%d, %d of them refused", r.Acknowledged, r.Refused)
	row("answered and lost", "%d", r.Lost)
	row("never answered", "%d", r.Unanswered)
	row("trips", "%d: %d completed, %d cancelled, %d expired", r.Trips, r.City.Completed, r.City.Cancelled, r.City.Expired)
	rows := r.Sometimes.rows()
	if r.Cluster != nil {
		r.Cluster.table(row)
		rows = r.Cluster.rows(r.City.Met)
	} else {
		row("kill to first session", "p50 %.0f ms, max %.0f ms", r.ToSession.P50, r.ToSession.Max)
		row("kill to first answer", "p50 %.0f ms, max %.0f ms", r.ToAnswer.P50, r.ToAnswer.Max)
	}
	for _, s := range rows {
		row(s.name, "%d", s.n)
	}
	row("calls and answers", "%s", r.Order)
	for _, k := range slices.SortedFunc(maps.Keys(r.Violations), byInvariant) {
		row("violations of "+k, "%d", r.Violations[k])
	}
	_ = t.Flush() // a broken terminal must not fail the run
	for _, f := range r.Findings {
		fmt.Fprintln(p.out, "  -", f)
	}
}

// finished and planned are how many faults there were and should be.
func (p *proof) finished() int {
	if p.cluster != nil {
		return len(p.cluster.episodes)
	}
	return len(p.kills)
}

func (p *proof) planned() int {
	if p.cluster != nil {
		return len(p.cluster.schedule)
	}
	return p.o.Rounds
}

func millis(d time.Duration) float64 { return math.Round(float64(d)/1e5) / 10 }

func last(all []float64) float64 { return all[len(all)-1] }
