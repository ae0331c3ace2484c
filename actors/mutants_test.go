package actors

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mutants are nodes with one rule broken. The tests of this package that run names must fail with
// each, over links that lose what the tests say.
var mutants = []struct{ name, file, old, mutated, run string }{
	{"a former actor lives on", "person_takeover.go", "\tof.replaced(ctx, newerSession{m.Generation})\n", "", "TestTakeOver"},
	{"any session takes over", "person_takeover.go", "p.gone || m.Generation <= p.newest()", "p.gone", "TestTakeOver"},
	{"what arrives late is dropped", "person_claim.go", "\t\tp.passOn(ctx, passedOn{m})\n", "\t\t_ = m\n", "TestLateMessages"},
	{"a late answer is taken", "person_takeover.go", "|| p.taking == nil || p.taking.asked != m.Generation", "", "TestFormerNodeIsSilent"},
	{"nothing waits with a session", "person_takeover.go", "\tif p.taking != nil {\n\t\tif len", "\tif false {\n\t\tif len", "TestMessagesWait"},
	{"a history with a hole is continued", "handover.go", "|| e.GetSeq() != h.seq+1", "", "TestHandoverBounds"},
	{"the generation of who attaches is ignored", "trip_speaker.go", "pid == nil || generation < s.generation", "pid == nil", "TestTheNewerActorSpeaks"},
	{"names without incarnation", "runtime/host.go", "k.name+\".\"+h.incarnation", "k.name", "TestMessagesForAFormerProcess"},
	{"a gate delivers what its node does not own", "nodes.go", "if !n.place.Owns(ride.TripID(to.Trip)) {", "if false {", "TestOddFrames"},
	{"sessions are announced once", "person_claim.go", "p.announce(claimSecond, claimThird)", "p.announce(0, 0)", "TestOlderSession"},
	{"who leaves is not heard", "members.go", "|| slices.ContainsFunc(t.leaving, is)", "", "TestPeopleOfALeavingNode"},
	{"offers are sent once", "trip_effects.go", "\t\t\ta.expectHeard(ctx, o.ID)\n", "", "TestLostOffers"},
}

func mutateFile(t *testing.T, file, old, mutated string) string {
	t.Helper()
	source, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(source), old), "%s no longer fits the mutant: %q", file, old)
	return strings.Replace(string(source), old, mutated, 1)
}

// TestMutantsFitTheirSources: each edit finds its text once.
func TestMutantsFitTheirSources(t *testing.T) {
	for _, m := range mutants {
		mutateFile(t, m.file, m.old, m.mutated)
	}
}

// TestMutants: the named tests fail with each mutant.
func TestMutants(t *testing.T) {
	if os.Getenv("HEXHAIL_MUTANTS") != "1" {
		t.Skip("HEXHAIL_MUTANTS=1 tests each mutant: some minutes")
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			path, err := filepath.Abs(m.file)
			require.NoError(t, err)
			other, overlay := filepath.Join(t.TempDir(), filepath.Base(m.file)), filepath.Join(t.TempDir(), "overlay.json")
			require.NoError(t, os.WriteFile(other, []byte(mutateFile(t, m.file, m.old, m.mutated)), 0o600))
			b, err := json.Marshal(map[string]any{"Replace": map[string]string{path: other}})
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(overlay, b, 0o600))
			cmd := exec.CommandContext(t.Context(), "go", "test", "-overlay", overlay, "-timeout=2m", "-run", m.run, ".")
			cmd.Env = append(os.Environ(), "HEXHAIL_MUTANTS=0")
			out, err := cmd.CombinedOutput()
			require.Error(t, err, "no test fails")
			require.Regexp(t, `--- FAIL|panic: `, string(out), "it does not build")
			var failed []string
			for line := range strings.Lines(string(out)) {
				if strings.HasPrefix(line, "--- FAIL") || strings.HasPrefix(line, "FAIL\t") {
					failed = append(failed, strings.TrimSpace(line))
				}
			}
			t.Log(strings.Join(failed, "; "))
		})
	}
}
