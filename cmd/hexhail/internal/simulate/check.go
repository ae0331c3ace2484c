package simulate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hexhail/hexhail/sim/check"
	"github.com/hexhail/hexhail/sim/demand"
)

// Verdict is the judgement on a history.
type Verdict struct {
	OK   bool
	Text string // for people
}

// CheckFile judges a recorded history.
func CheckFile(path string, timeout time.Duration) (Verdict, error) {
	history, err := demand.ReadFile(path, check.ReadHistory)
	if err != nil {
		return Verdict{}, err
	}
	c := check.NewChecker()
	for _, r := range history {
		c.Add(r)
	}
	v := Verdict{OK: true}
	var b strings.Builder
	fmt.Fprintf(&b, "%d records\n", len(history))
	counts := c.Violations()
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&b, "violations of %s: %d\n", k, counts[k])
		v.OK = v.OK && counts[k] == 0
	}
	late, lag := c.Late()
	for _, k := range slices.Sorted(maps.Keys(late)) {
		fmt.Fprintf(&b, "late in %s: %d (a timer lagged by %d ms at worst)\n", k, late[k], lag.Milliseconds())
	}
	for _, f := range c.Findings() {
		fmt.Fprintln(&b, "  -", f)
	}
	order := check.Linearizable(history, timeout)
	fmt.Fprintf(&b, "calls and answers of %d trips, %d commands: %s\n", order.Trips, order.Commands, order)
	v.OK = v.OK && order.OK
	v.Text = b.String()
	return v, nil
}
