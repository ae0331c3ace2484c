package mutants

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/crash"
)

// edit replaces a text in a source file, where it must occur exactly once: a mutant that no longer
// fits its source fails instead of testing nothing.
type edit struct{ file, old, mutated string }

// mutant is a server that breaks a promise.
type mutant struct {
	name string
	// caught are the invariants that the proof must report as broken, kept those that must hold.
	// With neither, the proof must pass. Of either, one at least is reported.
	caught, either, kept []string
	// more are flags of its run, for what seldom happens.
	more []string

	edits []edit
}

// twins gives each trip two activations on one node, as may happen by accident in a cluster: each
// message goes to one of them at random.
var twins = []edit{
	{"actors/place.go", "\t\"cmp\"\n", "\t\"cmp\"\n\t\"math/rand/v2\"\n"},
	{"actors/place.go", "\tpid := l.trips[id]\n\tif pid == nil {\n\t\tpid = l.spawnTrip(id)\n\t\tl.trips[id] = pid\n\t}\n",
		"\tkey := id\n\tif rand.IntN(2) == 0 {\n\t\tkey += \"'\"\n\t}\n" +
			"\tpid := l.trips[key]\n\tif pid == nil {\n\t\tpid = l.spawnTrip(id)\n\t\tl.trips[key] = pid\n\t}\n"},
	{"actors/place.go", "\tif l.trips[id] == pid {\n\t\tdelete(l.trips, id)\n\t}\n",
		"\tfor _, key := range []ride.TripID{id, id + \"'\"} {\n\t\tif l.trips[key] == pid {\n\t\t\tdelete(l.trips, key)\n\t\t}\n\t}\n"},
}

// noCompareAndSet writes a trip regardless of version and fence. Other guards would each catch that
// as well, so it removes them, too: the primary keys of events and waves, and the rule that a final
// trip does not change, which is part of the same condition.
var noCompareAndSet = []edit{
	{"persistence/engine.go", "driver_id = $6, ended_at = $7\n\t\tWHERE id = $8 AND version = $9 AND fence = $10 AND (ended_at IS NULL OR status = $1)",
		"driver_id = $6, ended_at = $7\n\t\tWHERE id = $8 AND $9 >= 0 AND $10 >= 0"},
	{"persistence/engine.go", "state = $5\n\t\tWHERE id = $8 AND version = $9 AND fence = $10 AND (ended_at IS NULL OR status = $1)",
		"state = $5\n\t\tWHERE id = $8 AND $9 >= 0 AND $10 >= 0"},
	{"persistence/engine.go", "(trip_id, version, at, data) VALUES ($1, $2, $3, $4)`", "(trip_id, version, at, data) VALUES ($1, $2, $3, $4)\n" +
		"\t\tON CONFLICT (trip_id, version) DO UPDATE SET at = excluded.at, data = excluded.data`"},
	{"persistence/engine.go", "kind, at, data) VALUES ($1, $2, $3, $4, $5)`", "kind, at, data) VALUES ($1, $2, $3, $4, $5)\n" +
		"\t\tON CONFLICT (trip_id, version) DO UPDATE SET kind = excluded.kind, at = excluded.at, data = excluded.data`"},
}

var mutants = []mutant{
	{name: "none"},
	// A second writer alone does not corrupt the data, because the compare-and-set stops it.
	// Updates do get lost, because each activation notifies only those who have sent it messages:
	// an app may miss an end (I2, I5, I7).
	{name: "two activations of each trip", kept: []string{"I1", "I3", "I9", "I11", "I15"}, edits: twins},
	// On one node only one actor writes a trip, so the condition on the version is never needed: a
	// mutant without it also needs a second writer.
	{name: "compare-and-set removed", caught: []string{"I1"}, edits: append(twins[:len(twins):len(twins)], noCompareAndSet...)},
	{name: "answer before commit", caught: []string{"I3"}, edits: []edit{
		{"actors/trip.go", "\t\terr := a.commit(m, now, after, events, reply)\n",
			"\t\tif m.Key.ID != \"\" {\n\t\t\tctx.Respond(tripResult{Key: m.Key, Reply: reply})\n" +
				"\t\t\ttime.Sleep(20 * time.Millisecond)\n\t\t}\n\t\terr := a.commit(m, now, after, events, reply)\n"},
	}},
	// The losers never learn the end of their offers. The mutant drops it in the driver's actor: if
	// the trip did not send it, the driver's actor would ask once the offer should have expired.
	{name: "dropped withdrawal", caught: []string{"I5"}, edits: []edit{
		{"actors/driver_offers.go", "\tdelete(d.offers, m.Offer.ID)\n",
			"\tdelete(d.offers, m.Offer.ID)\n\tif m.Offer.State == ride.OfferWithdrawn {\n\t\td.syncCell(ctx)\n\t\treturn\n\t}\n"},
	}},
	// A driver never learns that its trip was cancelled. Its actor knows, so that it does not ask.
	// If it gets another trip before the end of the run, it has two at once. Few riders cancel after the match,
	// and a restart of the server hides it: the run is longer, and its city is larger.
	{name: "dropped cancellation", either: []string{"L1", "I2"}, more: []string{"--drivers=120", "--round-min=1s", "--round-max=2s"}, edits: []edit{
		{"actors/driver.go", "\td.onUpdate(m, d.drives(m.Trip))\n",
			"\tif m.Trip.Status == ride.StatusCancelled {\n\t\td.see(m.Trip, false)\n\t} else {\n\t\td.onUpdate(m, d.drives(m.Trip))\n\t}\n"},
	}},
	{name: "skipped seq", caught: []string{"I4"}, edits: []edit{
		{"actors/history.go", "\th.seq++\n", "\th.seq++\n\tif h.seq%4 == 0 {\n\t\th.seq++\n\t}\n"},
	}},
	{name: "outcome not stored", caught: []string{"I3", "I9"}, edits: []edit{
		{"persistence/engine.go", "\tc := it.command\n\tif c == nil {\n\t\treturn nil\n", "\tc := it.command\n\tif c == nil || it.trip != nil {\n\t\treturn nil\n"},
	}},
}

// TestMutants: each mutant is caught by the invariant that it breaks; the unmodified server passes
// the same run.
func TestMutants(t *testing.T) {
	if os.Getenv("HEXHAIL_MUTANTS") != "1" {
		t.Skip("HEXHAIL_MUTANTS=1 builds eight servers and kills each of them a few times: some minutes")
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			r, failed, out := proveMutant(t, build(t, m), m.more...)
			t.Log(out)
			if len(m.kept) == 0 {
				require.Equal(t, len(m.caught)+len(m.either) > 0, failed, "the proof failed")
			}
			if len(m.either) > 0 {
				require.True(t, slices.ContainsFunc(m.either, func(invariant string) bool { return r.Violations[invariant] > 0 }), "violations of %v", m.either)
			}
			for _, invariant := range m.caught {
				require.Positive(t, r.Violations[invariant], "violations of %s", invariant)
			}
			for _, invariant := range m.kept {
				require.Zero(t, r.Violations[invariant], "violations of %s", invariant)
			}
		})
	}
}

// TestMutantsFitTheirSources: each edit finds its text and leaves valid Go, so that a change to
// that text is noticed at once, not only by the long run.
func TestMutantsFitTheirSources(t *testing.T) {
	for _, m := range mutants {
		for file, text := range mutate(t, m) {
			_, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
			require.NoError(t, err, m.name)
		}
	}
}

// root is the module's folder.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../../../..")
	require.NoError(t, err)
	return dir
}

// mutate returns the mutant's edited files, by path.
func mutate(t *testing.T, m mutant) map[string]string {
	t.Helper()
	texts := make(map[string]string)
	for _, e := range m.edits {
		file := filepath.Join(root(t), e.file)
		if _, ok := texts[file]; !ok {
			source, err := os.ReadFile(file)
			require.NoError(t, err)
			texts[file] = string(source)
		}
		require.Equal(t, 1, strings.Count(texts[file], e.old), "%s no longer fits the mutant: %q", e.file, e.old)
		texts[file] = strings.Replace(texts[file], e.old, e.mutated, 1)
	}
	return texts
}

// build builds a mutant's binary.
func build(t *testing.T, m mutant) string {
	t.Helper()
	dir := t.TempDir()
	overlay := struct{ Replace map[string]string }{make(map[string]string)}
	for file, text := range mutate(t, m) {
		mutated := filepath.Join(dir, strings.ReplaceAll(strings.TrimPrefix(file, root(t)), string(filepath.Separator), "-"))
		require.NoError(t, os.WriteFile(mutated, []byte(text), 0o600))
		overlay.Replace[file] = mutated
	}
	list, err := json.Marshal(overlay)
	require.NoError(t, err)
	overlayFile, binary := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "hexhail")
	require.NoError(t, os.WriteFile(overlayFile, list, 0o600))
	cmd := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlayFile, "-ldflags=-s -w", "-o", binary, "./cmd/hexhail")
	cmd.Dir = root(t)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return binary
}

// proveMutant runs the crash proof on a binary.
func proveMutant(t *testing.T, binary string, more ...string) (r crash.Report, failed bool, out string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	flags := []string{"sim", "crash", "--rounds=3", "--drivers=60", "--speed=400", "--round-min=300ms", "--round-max=1s", "--drain=20s", "--report=" + file}
	cmd := exec.CommandContext(t.Context(), binary, append(flags, more...)...)
	text, err := cmd.CombinedOutput()
	report, readErr := os.ReadFile(file)
	require.NoError(t, readErr, "the run did not write its report: %v\n%s", err, text)
	require.NoError(t, json.Unmarshal(report, &r))
	return r, err != nil, string(text)
}
