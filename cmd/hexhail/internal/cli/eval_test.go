package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/sim/eval"
)

// smallDay is a scenario of three requests and two drivers.
const smallDay = `kind,unix_s,lat,lng,to_lat,to_lng,ride_s
request,1000,52.5,13.4,52.52,13.42,600
request,1060,52.51,13.41,52.5,13.4,500
request,1120,52.52,13.42,52.5,13.38,700
driver,0,52.5,13.39,,,
driver,0,52.51,13.42,,,
`

func TestEvalReplaysAFile(t *testing.T) {
	dir := t.TempDir()
	day, policy := filepath.Join(dir, "day.csv"), filepath.Join(dir, "mine.json")
	require.NoError(t, os.WriteFile(day, []byte(smallDay), 0o600))
	require.NoError(t, os.WriteFile(policy, []byte(`{"name":"mine","window_ns":10000000000}`), 0o600))
	args := []string{"eval", "--scenario", day, "--policy", "auto,nearest," + policy, "--seeds", "1,2", "--cache", filepath.Join(dir, "cache"), "--json"}
	s := newStage()
	require.Equal(t, exitOK, s.run(t, args...), s.err.String())
	var rows []eval.Row
	require.NoError(t, json.Unmarshal([]byte(s.out.String()), &rows))
	require.Len(t, rows, 3)
	require.Equal(t, "mine", rows[2].Policy)
	require.Len(t, rows[0].Runs, 2)
	require.Positive(t, rows[0].Runs[0].Bound)
	require.Equal(t, 3, rows[0].Runs[0].Requests)

	again := newStage()
	require.Equal(t, exitOK, again.run(t, append(args, "--at-once", "1")...))
	require.Equal(t, s.out.String(), again.out.String(), "the same bytes")

	table := newStage()
	require.Equal(t, exitOK, table.run(t, "eval", "compare", "auto", "broadcast", "--scenario", day, "--seeds", "1..3", "--cache", filepath.Join(dir, "cache")))
	require.Contains(t, table.out.String(), "95 % interval")
	require.Contains(t, table.out.String(), "seeds of answers: the requests are the same under each")
	require.Contains(t, table.out.String(), "| served % |")
}

func TestEvalRefusesWhatItCannotReplay(t *testing.T) {
	for _, c := range []struct{ args, says string }{
		{"--scenario S2", "--data"},
		{"--scenario S99", "there is no scenario"},
		{"--seeds 5..1", "--seeds must be like"},
		{"--seeds 0", "--seeds must be like"},
		{"--model shy", "falling"},
		{"--eta crow", "noise=0.2"},
		{"--every 0", "--every"},
		{"--scenario gone.csv", "gone.csv"},
	} {
		s := newStage()
		require.Equal(t, exitFailed, s.run(t, append([]string{"eval"}, strings.Fields(c.args)...)...), c.args)
		require.Contains(t, s.err.String(), c.says)
	}
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.json")
	require.NoError(t, os.WriteFile(bad, []byte(`{"windw":1}`), 0o600))
	day := filepath.Join(dir, "day.csv")
	require.NoError(t, os.WriteFile(day, []byte(smallDay), 0o600))
	for policy, says := range map[string]string{"best": "there is no policy", bad: "windw", filepath.Join(dir, "gone.json"): "gone.json"} {
		s := newStage()
		require.Equal(t, exitFailed, s.run(t, "eval", "--scenario", day, "--policy", policy))
		require.Contains(t, s.err.String(), says)
	}
}

func TestEvalExportWritesADay(t *testing.T) {
	s := newStage()
	file := filepath.Join(t.TempDir(), "day.csv")
	require.Equal(t, exitOK, s.run(t, "eval", "export", file, "--from", "2026-03-01", "--to", "2026-03-02"), s.err.String())
	require.True(t, s.export.Day)
	require.Equal(t, 1, s.export.Filter.From.Day())
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "lines", string(b))
	require.Equal(t, exitFailed, s.run(t, "eval", "export", file, "--from", "2026-03-02", "--to", "2026-03-01"))
	require.Equal(t, exitFailed, s.run(t, "eval", "export", file, "--from", "2026-03-02", "--to", "2026-05-01"))
	require.Contains(t, s.err.String(), "31 days")
}
