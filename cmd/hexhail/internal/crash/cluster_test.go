package crash_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/crash"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/netns"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
)

// TestCrashProofOfACluster: what TestCrashProof proves of one server, and L2 to L6, the exit codes and the
// time until all nodes count each other, over faults of nodes, of etcd, of Postgres and of the network. It needs
// HEXHAIL_CRASH_NODES, the number of nodes. HEXHAIL_CRASH_ROUNDS asks for more faults, HEXHAIL_CRASH_SEED
// for those of a former run.
func TestCrashProofOfACluster(t *testing.T) {
	if os.Getenv("HEXHAIL_CRASH_NODES") == "" {
		t.Skip("a cluster takes a minute: set HEXHAIL_CRASH_NODES=3")
	}
	o := crash.Options{
		Rounds: 2, Nodes: number(t, "HEXHAIL_CRASH_NODES", 0), Seed: uint64(time.Now().UnixNano()), Drivers: 60, Speed: 60, Lease: 4 * time.Second,
		RoundMin: 300 * time.Millisecond, RoundMax: time.Second, Report: filepath.Join(t.TempDir(), "report.json"),
		Program: os.Args[0], Env: []string{harness.ChildEnv + "=1"},
	}
	o.Rounds = number(t, "HEXHAIL_CRASH_ROUNDS", o.Rounds)
	o.Seed = uint64(number(t, "HEXHAIL_CRASH_SEED", int(o.Seed)))
	o.Schedule = os.Getenv("HEXHAIL_CRASH_SCHEDULE")
	if dir := os.Getenv("HEXHAIL_CRASH_DATA"); dir != "" {
		o.Data, o.Record = dir, filepath.Join(t.TempDir(), "history.jsonl")
	}
	out := new(harness.Buffer)
	err := crash.Run(t.Context(), o, out, slog.New(slog.DiscardHandler))
	t.Logf("%s", out.String())
	if errors.Is(err, crash.ErrMissing) && os.Getenv("HEXHAIL_REQUIRE_ALL") != "1" {
		t.Skip(err)
	}
	require.NoError(t, err)
	r := readReport(t, o)
	require.Equal(t, r.Planned, r.Rounds)
	require.True(t, r.Drained, "trips were still under way")
	require.Positive(t, r.Acknowledged)
	require.Positive(t, r.Cluster.TripsMoved, "no trip was carried on by another node")
	require.Positive(t, r.Cluster.Across, "two nodes did not find each other's drivers")
	require.Positive(t, r.City.Met["L2"], "no driver had to be found")
	require.Positive(t, r.City.Met["L3"], "no older session had to end")
	require.Positive(t, r.City.Met["L4"], "no account lost its access")
	require.Positive(t, r.Cluster.ResumedElsewhere, "no session resumed on another node")
	require.Positive(t, r.Cluster.Frames, "the nodes' metrics were not read")
	require.Positive(t, r.Cluster.MostActivations, "the activations of trips were not read")
	for _, k := range r.Cluster.Recoveries {
		if k.Kind == "kill" {
			harness.Within(t, "the first command to a killed node's trips", time.Duration(k.ToTrips.Max*float64(time.Millisecond)), 7*time.Second)
		}
	}
	harness.Within(t, "other commands, p99", time.Duration(r.Cluster.Others.P99*float64(time.Millisecond)), time.Second)
}

// TestCrashProofInNamespaces: the same of nodes whose packets are lost, each way between them and to and from etcd and
// Postgres: in cuts for which a node ends itself, and in some that end before. It needs HEXHAIL_CRASH_NODES as well, and
// where there can be no namespaces it is skipped, whatever HEXHAIL_REQUIRE_ALL says: a permission cannot be installed.
func TestCrashProofInNamespaces(t *testing.T) {
	if os.Getenv("HEXHAIL_CRASH_NODES") == "" {
		t.Skip("a cluster takes a minute: set HEXHAIL_CRASH_NODES=3")
	}
	o := crash.Options{
		Nodes: 3, Network: "namespaces", Schedule: "cut-in n1 10s, cut-out n2 3s, cut-postgres n3 3s, cut-etcd n1 3s", Rounds: 4,
		Seed: uint64(time.Now().UnixNano()), Drivers: 40, Speed: 120, Lease: 4 * time.Second, RoundMin: 300 * time.Millisecond, RoundMax: time.Second,
		Report: filepath.Join(t.TempDir(), "report.json"), Program: os.Args[0], Env: []string{harness.ChildEnv + "=1"},
	}
	out := new(harness.Buffer)
	err := crash.Run(t.Context(), o, out, slog.New(slog.DiscardHandler))
	t.Logf("%s", out.String())
	if errors.Is(err, netns.ErrUnavailable) || errors.Is(err, crash.ErrMissing) && os.Getenv("HEXHAIL_REQUIRE_ALL") != "1" {
		t.Skip(err)
	}
	require.NoError(t, err)
	r := readReport(t, o)
	require.Equal(t, 4, r.Rounds)
	require.True(t, r.Drained, "trips were still under way")
	require.Positive(t, r.Acknowledged)
	require.Positive(t, r.Cluster.SelfEnds, "no node noticed that it was cut off")
	require.Positive(t, r.Cluster.TripsMoved, "no trip was carried on by another node")
	require.Positive(t, r.Cluster.Across, "two nodes did not find each other's drivers")
	require.Positive(t, r.Cluster.Frames, "the nodes' metrics were not read")
}

// number reads an environment variable.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "%s must be a number", name)
	return n
}
