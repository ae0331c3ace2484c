package membership

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mutants are judges with one rule broken. The tests of this package must fail with each.
var mutants = []struct{ name, file, old, mutated string }{
	{"a member goes with its key, as upstream's provider has it", "decide.go", "!listed && hears && j.isSilent(o)", "!listed"},
	{"once dropped, for ever out, as upstream's list of blocked members has it", "decide.go", "e != nil && e.Reason == Left", "e != nil"},
	{"no rule of the lost lease", "end.go", "if j.forgotten() {", "if false && j.forgotten() {"},
	{"no rule of the word of others", "judge.go", "a.You == Out && !j.leaving", "false"},
	{"no rule of the smaller part", "end.go", "j.limits.Alone)); !enough {", "j.limits.Alone)); !enough && false {"},
	{"no rule of the late ticker", "decide.go", "lag > j.limits.Lease", "false"},
	{"no rule of the database", "end.go", "if j.withoutDatabase() {", "if false && j.withoutDatabase() {"},
	{"the database ends all", "end.go", "!j.noDatabase || !others", "!j.noDatabase"},
	{"both halves stay", "end.go", "2*reached == listed && near", "2*reached == listed && (near || true)"},
	{"former processes count", "end.go", "if n := newest[o.Node]; n == nil || n.older(o.Member) {\n\t\t\tnewest[o.Node] = o\n", "{\n\t\t\tnewest[o.Node+o.Incarnation] = o\n"},
	{"an answer counts from its arrival", "judge.go", "later(o.answered, asked), later(o.heard, asked)", "j.now, j.now"},
	{"a node that hears none judges", "decide.go", "!listed && hears && j", "!listed && j"},
	{"the word of others is ignored", "decide.go", "p == o || !j.fresh(p.saidAt)", "true"},
	{"a registry that lost all keys is believed", "judge.go", "if j.now.Before(j.amnesty) {", "if false {"},
	{"an old listing holds though others have a new one", "decide.go", "if len(next) > 0 {", "if false {"},
	{"who leaves comes back", "decide.go", "m.Joining || m.Leaving || e != nil && e.Reason == Left", "m.Joining || m.Leaving && e == nil && false"},
	{"who leaves ends at the word of others", "judge.go", "a.You == Out && !j.leaving", "a.You == Out"},
	{"a new lease makes younger", "judge.go", "j.self.Joined = m.Joined", "j.self.Joined = 0"},
	{"before the first listing it owns all", "judge.go", "return j.joined && !j.leaving", "return !j.leaving"},
	{"who has not joined has a say", "judge.go", "case !j.joined:\n\t\treturn Unknown", "case false:\n\t\treturn Unknown"},
	{"who must end still answers", "judge.go", "return a, j.end.Rule == Stay", "return a, true"},
	{"the answer of another process counts", "judge.go", "if a.From.ID != to {", "if false {"},
	{"a node that is cut off joins", "judge.go", "return enough && j.fresh", "return (enough || true) && j.fresh"},
	{"a node that waits to join is counted", "decide.go", "m.Joining || m.Leaving || e != nil", "m.Leaving || e != nil"},
	{"a node that waits to join gets no pings", "judge.go", "!known && m.Joining", "!known && m.Joining && false"},
	{"own lags count against others", "decide.go", "o.heard = o.heard.Add(lag)", "_ = lag"},
}

func mutate(t *testing.T, file, old, mutated string) string {
	t.Helper()
	source, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(source), old), "%s no longer fits the mutant: %q", file, old)
	return strings.Replace(string(source), old, mutated, 1)
}

// TestMutantsFitTheirSources: each edit finds its text once.
func TestMutantsFitTheirSources(t *testing.T) {
	for _, m := range mutants {
		mutate(t, m.file, m.old, m.mutated)
	}
}

// TestMutants: the tests fail with each mutant. One failure is enough, so the random runs, which take
// longest, are only for the mutants that nothing else finds.
func TestMutants(t *testing.T) {
	if os.Getenv("HEXHAIL_MUTANTS") != "1" {
		t.Skip("HEXHAIL_MUTANTS=1 tests each mutant: half a minute")
	}
	t.Run("none", func(t *testing.T) {
		binary := compile(t, nil)
		for _, arg := range stages {
			failed, out := tests(t, binary, arg)
			require.Empty(t, failed, out)
		}
	})
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			path, err := filepath.Abs(m.file)
			require.NoError(t, err)
			mutated := filepath.Join(t.TempDir(), m.file)
			require.NoError(t, os.WriteFile(mutated, []byte(mutate(t, m.file, m.old, m.mutated)), 0o600))
			binary := compile(t, map[string]string{path: mutated})
			for _, arg := range stages {
				if failed, _ := tests(t, binary, arg); failed != "" {
					t.Log(failed)
					return
				}
			}
			require.Fail(t, "no test fails")
		})
	}
}

// stages are the arguments of a test binary that choose the tests of one stage, the fast ones first.
var stages = []string{"-test.skip=Faults$", "-test.run=Faults$"}

// compile makes the package's test binary, with other files in the place of some. It leaves out what
// only debuggers and vet need, which takes longer than the rest.
func compile(t *testing.T, replaced map[string]string) (binary string) {
	t.Helper()
	dir := t.TempDir()
	binary, overlay := filepath.Join(dir, "membership.test"), filepath.Join(dir, "overlay.json")
	b, err := json.Marshal(map[string]any{"Replace": replaced})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(overlay, b, 0o600))
	out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", overlay, "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "it does not build: %s", out)
	return binary
}

// tests runs a test binary until the first test fails and returns that test's name; empty: none failed.
func tests(t *testing.T, binary, choice string) (failed, out string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, "-test.failfast", "-test.timeout=5m", choice)
	cmd.Env = append(os.Environ(), "HEXHAIL_MUTANTS=0")
	b, err := cmd.CombinedOutput()
	out = string(b)
	if err == nil {
		return "", out
	}
	for line := range strings.Lines(out) {
		if rest, ok := strings.CutPrefix(line, "--- FAIL: "); ok {
			return strings.Fields(rest)[0], out
		}
	}
	require.Fail(t, "it ended without a failed test", out)
	return "", out
}
