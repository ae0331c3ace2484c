package packaging

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/hexhail/hexhail/actors/cluster/registry/etcdtest"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/cli"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo/streets/manhattan"
	"github.com/hexhail/hexhail/persistence/pgtest"
)

// alert is a rule of deploy/prometheus/alerts.yml.
type alert struct {
	Name        string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for,omitempty"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var file struct{ Groups []struct{ Rules []alert } }
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "deploy/prometheus/alerts.yml")), &file))
	var all []alert
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	require.Greater(t, len(all), 30)
	return all
}

type panel struct {
	ID          int
	Title, Type string
	GridPos     struct{ X, Y, W, H int }
	Datasource  struct{ UID string }
	Targets     []struct{ Expr, LegendFormat string }
}

type dashboard struct {
	Panels     []panel
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	var d dashboard
	require.NoError(t, json.Unmarshal([]byte(read(t, "deploy/grafana/hexhail.json")), &d))
	return d
}

var (
	selector = regexp.MustCompile(`\b((?:hexhail|process|go)_[a-z0-9_]+|up)\b(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`([a-z_]+) *(=~|!~|!=|=) *"([^"]*)"`)
	grouping = regexp.MustCompile(`\b(?:by|on) \(([^)]*)\)`)
	legend   = regexp.MustCompile(`\{\{ *(?:\$labels\.)?([a-z_]+) *\}\}`)
	series   = regexp.MustCompile(`(?m)^([a-z_][a-z0-9_]*)(?:\{(.*)\})? \S+$`)
)

// attached are the labels that Prometheus adds to what a server gives, and le, which histograms have.
var attached = []string{"instance", "job", "le"}

// exposed is what a node of a cluster gives at /metrics: the labels of each series by name.
func exposed(t *testing.T) map[string][]map[string]string {
	t.Helper()
	etcd, database, dir := etcdtest.New(t), pgtest.Start(t), t.TempDir()
	for _, args := range [][]string{{"init"}, {"node", "127.0.0.1"}} {
		var out harness.Buffer
		code := cli.Main(t.Context(), cli.Environment{
			Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, LookupEnv: func(string) (string, bool) { return "", false },
		}, append(append([]string{"cluster", "certs"}, args...), "--dir="+dir))
		require.Zero(t, code, out.String())
	}
	extract, err := filepath.Abs("../../../../../geo/streets/manhattan/" + manhattan.Name)
	require.NoError(t, err)
	// In a child: protoactor's remoting sets gRPC's global logger when it starts, which other tests are using.
	s := harness.Start(t, harness.Options{Child: true, Flags: []string{
		"--database-url=" + database, "--signing-key-file=" + dir + "/signing-key.pem", "--cluster=etcd://" + etcd.Endpoint() + "/test",
		"--advertise=127.0.0.1:0", "--cluster-cert=" + dir + "/127.0.0.1.pem", "--cluster-key=" + dir + "/127.0.0.1.key", "--cluster-ca=" + dir + "/ca.pem",
		"--streets=" + extract, "--cluster-lease=12s", "--cluster-silence=8s", "--cluster-alone=24s", "--cluster-without-database=20s",
	}})
	s.Call(http.MethodGet, "/v1/me", "", "") // so that requests are counted
	answer, err := http.Get(s.Ops + "/metrics")
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	out := map[string][]map[string]string{
		"up": {{}}, // Prometheus makes it
		// Only a server that speaks TLS itself gives it: servertls.TestFilesAreReadAgain.
		"hexhail_tls_certificate_expires_timestamp_seconds": {{"name": ""}},
	}
	for _, m := range series.FindAllStringSubmatch(string(text), -1) {
		labels := make(map[string]string)
		for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
			labels[l[1]] = l[3]
		}
		out[m[1]] = append(out[m[1]], labels)
	}
	require.Greater(t, len(out), 80)
	return out
}

// chosen are the series of a selector.
func chosen(t *testing.T, all []map[string]string, matchers string) (out []map[string]string) {
	for _, labels := range all {
		if !slices.ContainsFunc(matcher.FindAllStringSubmatch(matchers, -1), func(m []string) bool {
			if slices.Contains(attached, m[1]) {
				return false
			}
			value, known := labels[m[1]]
			require.True(t, known, "no label %s", m[1])
			pattern := "^(?:" + m[3] + ")$"
			if !strings.HasSuffix(m[2], "~") {
				pattern = "^" + regexp.QuoteMeta(m[3]) + "$"
			}
			return regexp.MustCompile(pattern).MatchString(value) == strings.HasPrefix(m[2], "!")
		}) {
			out = append(out, labels)
		}
	}
	return out
}

// Each metric that the manual names, and each metric, label and value of a label that an alert or the
// dashboard names, is one that a node gives.
func TestMonitoringNamesWhatANodeGives(t *testing.T) {
	t.Parallel()
	given := exposed(t)
	look := func(where, expr string, shown ...string) {
		of := slices.Clone(attached)
		for _, m := range selector.FindAllStringSubmatch(expr, -1) {
			require.Contains(t, given, m[1], where)
			found := chosen(t, given[m[1]], m[2])
			require.NotEmpty(t, found, "%s: no series of %s", where, m[0])
			for name := range found[0] {
				of = append(of, name)
			}
		}
		for _, m := range grouping.FindAllStringSubmatch(expr, -1) {
			for _, name := range strings.Split(m[1], ",") {
				require.Contains(t, of, strings.TrimSpace(name), where)
			}
		}
		for _, text := range shown {
			for _, m := range legend.FindAllStringSubmatch(text, -1) {
				require.Contains(t, of, m[1], "%s: %s", where, text)
			}
		}
	}
	for _, name := range namedInTheManual(t) {
		require.True(t, given[name] != nil || given[name+"_bucket"] != nil, "the manual names %s", name)
	}
	for _, a := range alerts(t) {
		look(a.Name, a.Expr, a.Annotations["summary"], a.Annotations["description"])
	}
	for _, p := range readDashboard(t).Panels {
		for _, target := range p.Targets {
			look(p.Title, target.Expr, target.LegendFormat)
		}
	}
}

// What the manual says to look at is on the dashboard, by node.
func TestDashboardShowsWhatTheManualNames(t *testing.T) {
	d := readDashboard(t)
	var shown strings.Builder
	ids := make(map[int]bool)
	taken := make(map[[2]int]string)
	for _, p := range d.Panels {
		require.False(t, ids[p.ID], "%s has the id of another panel", p.Title)
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				require.Less(t, x, 24, p.Title)
				require.Empty(t, taken[[2]int{x, y}], "%s covers another panel", p.Title)
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		require.Equal(t, "${datasource}", p.Datasource.UID, p.Title)
		require.NotEmpty(t, p.Targets, p.Title)
		for _, target := range p.Targets {
			for _, m := range selector.FindAllStringSubmatch(target.Expr, -1) {
				require.Contains(t, m[2], `instance=~"$node"`, "%s shows nodes that were not chosen", p.Title)
			}
			shown.WriteString(target.Expr + "\n")
		}
	}
	variables := d.Templating.List
	require.True(t, slices.ContainsFunc(variables, func(v struct{ Name, Type, Definition string }) bool {
		return v.Name == "node" && v.Definition == "label_values(hexhail_build_info, instance)"
	}))
	for _, name := range namedInTheManual(t) {
		require.Regexp(t, `\b`+name+`(?:_bucket|_sum|_count)?\b`, shown.String(), "the dashboard lacks it")
	}
}

// namedInTheManual returns the metrics of the manual's table, and those that the page about clusters
// names.
func namedInTheManual(t *testing.T) (names []string) {
	t.Helper()
	_, table, ok := strings.Cut(read(t, "docs/operations.md"), "\n### What to look at\n")
	require.True(t, ok)
	table, _, _ = strings.Cut(table, "\n### ")
	metric := regexp.MustCompile("`([a-z_]+)`")
	for line := range strings.Lines(table) {
		if cells := strings.Split(line, "|"); len(cells) > 2 && strings.Contains(cells[1], "`") {
			cell, _, _ := strings.Cut(cells[1], " by ") // what follows is a label
			for _, m := range metric.FindAllStringSubmatch(cell, -1) {
				names = append(names, "hexhail_"+m[1])
			}
		}
	}
	require.Greater(t, len(names), 30)
	for _, m := range regexp.MustCompile("`(hexhail_[a-z_]+)`").FindAllStringSubmatch(read(t, "docs/cluster.md"), -1) {
		names = append(names, m[1])
	}
	return names
}

// promtool returns the path of Prometheus' own checker; without it the test is skipped, or fails when
// HEXHAIL_REQUIRE_ALL is 1.
func promtool(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil && os.Getenv("HEXHAIL_REQUIRE_ALL") == "1" {
		t.Fatalf("promtool is required here: %v", err)
	}
	if err != nil {
		t.Skipf("no promtool: %v", err)
	}
	return path
}

// Prometheus takes its configurations, and each query of the dashboard.
func TestPrometheusTakesTheFiles(t *testing.T) {
	tool, dir := promtool(t), t.TempDir()
	type rule struct {
		Record string `yaml:"record"`
		Expr   string `yaml:"expr"`
	}
	var queries []rule
	for _, p := range readDashboard(t).Panels {
		for _, target := range p.Targets {
			expr := strings.NewReplacer("$node", ".+", "$__rate_interval", "1m").Replace(target.Expr)
			queries = append(queries, rule{Record: "query", Expr: expr})
		}
	}
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": queries}}})
	require.NoError(t, err)
	file := filepath.Join(dir, "dashboard.yml")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	said, err := exec.Command(tool, "check", "rules", "--lint=none", file, repository+"/deploy/prometheus/alerts.yml").CombinedOutput()
	require.NoError(t, err, "%s", said)
	for _, name := range []string{"prometheus.yml", "cluster.yml"} {
		said, err := exec.Command(tool, "check", "config", "--syntax-only", repository+"/deploy/prometheus/"+name).CombinedOutput()
		require.NoError(t, err, "%s", said)
		require.Contains(t, read(t, "deploy/prometheus/"+name), "/etc/prometheus/alerts.yml")
	}
}
