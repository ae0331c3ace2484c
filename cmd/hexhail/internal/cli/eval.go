package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/hexhail/hexhail/ride/dispatch"
	"github.com/hexhail/hexhail/sim/eval"
)

type evalCmd struct {
	Run     evalRunCmd     `cmd:"" default:"withargs" help:"Replay scenarios under policies and print a table."`
	Compare evalCompareCmd `cmd:"" help:"Compare two policies, seed by seed."`
	Export  evalExportCmd  `cmd:"" help:"Write trips of one's own as a scenario, without names and exact places. The server may be running."`
}

// evalOptions say what is replayed, and how.
type evalOptions struct {
	Scenario []string      `help:"Scenarios: S1, S2, S3, S4a, S4b, S5a, S5b (they need --data), S1m, or files of hexhail eval export. Default: all of --data; without it S1m."`
	Seeds    string        `default:"1..5" help:"Seeds: 1..5, or 1,3,7."`
	Data     string        `placeholder:"DIR" help:"Folder of the data that is not shipped; docs/benchmarks/matching.md says where it comes from. [$$HEXHAIL_EVAL_DATA]"`
	Cache    string        `placeholder:"DIR" help:"Folder that keeps travel times and bounds. Default: hexhail/eval in the user's cache."`
	Model    string        `default:"falling" help:"How people answer: falling (the longer the way, the fewer say yes), flat, certain, prompt or willing."`
	ETA      string        `name:"eta" default:"streets" help:"Ways that dispatch plans on: streets, line, or noise=0.2. Cars drive along streets whatever it plans on."`
	Goal     string        `default:"server" enum:"server,door,cell" help:"Where the ways end by which drivers are chosen: at the door, in the middle of the pickup's cell, or as a server does under the policy."`
	Search   time.Duration `name:"search-for" default:"5m" help:"Longest search for a driver; riders wait for 5m at most."`
	Every    int           `default:"1" help:"Replay every n-th request with an n-th of the drivers."`
	AtOnce   int           `name:"at-once" default:"0" help:"Runs at the same time; 0: one for each core. Figures do not depend on it, except for decision times."`
	Timing   bool          `help:"Report what decisions take on this machine."`
	NoBound  bool          `name:"no-bound" help:"Do not compute the hindsight bound."`
	JSON     bool          `name:"json" help:"Print JSON instead of a table."`
}

type evalRunCmd struct {
	evalOptions `embed:""`

	Policy []string `default:"auto" help:"Policies: auto, exchange, batch (as a server plans), nearest, broadcast, ny, or files of policy documents in JSON."`
	Zones  []int    `default:"1" help:"Numbers of zones that the city is cut into, such as 1,4,16."`
	Robust bool     `help:"Add rows in which times, positions or people are other than dispatch takes them for."`
}

// Run is called by kong.
func (e *evalRunCmd) Run(in *call) error {
	return e.each(in, func(ctx context.Context, j eval.Judge, s *eval.Scenario, o eval.Options) ([]eval.Row, error) {
		var rows []eval.Row
		for _, name := range e.Policy {
			p, err := policyOf(name)
			if err != nil {
				return nil, err
			}
			o.Policy = p
			for _, c := range e.cases(eval.Case{Scenario: s, Options: o}) {
				row, err := j.Row(ctx, c)
				if err != nil {
					return nil, err //nolint:wrapcheck // it names scenario and policy
				}
				rows = append(rows, row)
			}
		}
		return rows, nil
	})
}

// cases are the variants of one.
func (e *evalRunCmd) cases(c eval.Case) []eval.Case {
	var out []eval.Case
	for _, zones := range e.Zones {
		zoned := c
		zoned.Options.Zones = zones
		if zones > 1 {
			zoned.Variant = count(zones, "zone")
		}
		out = append(out, zoned)
	}
	if e.Robust {
		out = append(out, eval.Disturbances(c)...)
	}
	return out
}

type evalCompareCmd struct {
	evalOptions `embed:""`

	A string `arg:"" help:"Policy, or file of a policy document."`
	B string `arg:"" help:"Likewise."`
}

// Run is called by kong.
func (e *evalCompareCmd) Run(in *call) error {
	a, err := policyOf(e.A)
	if err != nil {
		return err
	}
	b, err := policyOf(e.B)
	if err != nil {
		return err
	}
	return e.each(in, func(ctx context.Context, j eval.Judge, s *eval.Scenario, o eval.Options) ([]eval.Row, error) {
		o.Policy = a
		left, err := j.Row(ctx, eval.Case{Scenario: s, Options: o})
		if err != nil {
			return nil, err //nolint:wrapcheck // it names scenario and policy
		}
		o.Policy = b
		right, err := j.Row(ctx, eval.Case{Scenario: s, Options: o})
		if err != nil {
			return nil, err //nolint:wrapcheck // likewise
		}
		d, err := eval.Compare(left, right)
		if err != nil {
			return nil, err //nolint:wrapcheck // a sentence of its own
		}
		if !e.JSON {
			eval.WriteDifference(in.env.Stdout, left, right, d)
		}
		return []eval.Row{left, right}, nil
	})
}

// each replays each scenario, and prints all rows.
func (e *evalOptions) each(in *call, run func(context.Context, eval.Judge, *eval.Scenario, eval.Options) ([]eval.Row, error)) error {
	o, j, loader, err := e.prepare(in)
	if err != nil {
		return err
	}
	ctx, stop := in.interruptible()
	defer stop()
	names := e.Scenario
	if len(names) == 0 {
		names = eval.Names(loader.Data != "")
	}
	rows := []eval.Row{}
	for _, name := range names {
		s, err := loader.Open(ctx, name)
		if err != nil {
			return err //nolint:wrapcheck // it names the scenario
		}
		more, err := run(ctx, j, s.Thin(e.Every), o)
		if err != nil {
			return err
		}
		rows = append(rows, more...)
	}
	if e.JSON {
		return writeIndented(in.env.Stdout, rows)
	}
	eval.WriteTable(in.env.Stdout, rows)
	fmt.Fprintln(in.env.Stdout)
	eval.WriteBounds(in.env.Stdout, rows)
	eval.WriteModes(in.env.Stdout, rows)
	return nil
}

func writeIndented(w io.Writer, v any) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	if err := out.Encode(v); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func (e *evalOptions) prepare(in *call) (o eval.Options, j eval.Judge, l *eval.Loader, err error) {
	if o.People, err = eval.Model(e.Model); err != nil {
		return o, j, l, err //nolint:wrapcheck // a sentence of its own
	}
	if o.Plans, err = eval.ParsePlans(e.ETA); err != nil {
		return o, j, l, err //nolint:wrapcheck // likewise
	}
	if e.Search <= 0 || e.Every < 1 {
		return o, j, l, errors.New("--search-for and --every must be above 0")
	}
	if e.Goal != "server" {
		o.Goal = eval.Goal(e.Goal)
	}
	o.SearchFor = e.Search
	j = eval.Judge{AtOnce: e.AtOnce, Bounds: !e.NoBound, Timing: e.Timing, Cache: eval.Cache(e.cacheIn(in))}
	if j.Seeds, err = parseSeeds(e.Seeds); err != nil {
		return o, j, l, err
	}
	data := e.Data
	if data == "" {
		data, _ = in.env.LookupEnv("HEXHAIL_EVAL_DATA")
	}
	return o, j, &eval.Loader{Data: data, Cache: j.Cache, Note: func(s string) { fmt.Fprintln(in.env.Stderr, s) }}, nil
}

// cacheIn is the folder of the cache; empty: there is none.
func (e *evalOptions) cacheIn(in *call) string {
	if e.Cache != "" {
		return e.Cache
	}
	for _, place := range [][2]string{{"XDG_CACHE_HOME", ""}, {"HOME", ".cache"}, {"LocalAppData", ""}} {
		if dir, ok := in.env.LookupEnv(place[0]); ok && dir != "" {
			return filepath.Join(dir, place[1], "hexhail", "eval")
		}
	}
	return ""
}

// maxSeeds bounds the seeds of one call.
const maxSeeds = 1000

// parseSeeds reads 1..5 or 1,3,7.
func parseSeeds(text string) ([]int64, error) {
	bad := fmt.Errorf("--seeds must be like 1..5 or 1,3,7, of whole numbers above 0 and at most %d of them, not %q", maxSeeds, text)
	whole := func(s string) (int64, bool) {
		n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 32)
		return n, err == nil && n > 0
	}
	if low, high, ok := strings.Cut(text, ".."); ok {
		a, okA := whole(low)
		b, okB := whole(high)
		if !okA || !okB || b < a || b-a >= maxSeeds {
			return nil, bad
		}
		out := make([]int64, 0, b-a+1)
		for s := a; s <= b; s++ {
			out = append(out, s)
		}
		return out, nil
	}
	var out []int64
	for _, part := range strings.Split(text, ",") {
		n, ok := whole(part)
		if !ok || len(out) == maxSeeds {
			return nil, bad
		}
		out = append(out, n)
	}
	return out, nil
}

// policyOf is a preset or a policy document.
func policyOf(name string) (dispatch.Policy, error) {
	if p, ok := dispatch.Preset(name); ok {
		return p, nil
	}
	if !strings.HasSuffix(name, ".json") {
		return dispatch.Policy{}, fmt.Errorf("there is no policy %q: choose from %s, or give a file that ends in .json", name, strings.Join(dispatch.Presets(), ", "))
	}
	doc, err := os.ReadFile(name)
	if err != nil {
		return dispatch.Policy{}, fmt.Errorf("policy: %w", err)
	}
	p, err := dispatch.Parse(doc)
	if err != nil {
		return p, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}
