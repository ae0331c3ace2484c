package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/cli"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo/streets/manhattan"
	"github.com/hexhail/hexhail/sim/check"
)

// hexhail runs a command line in this process and returns its exit code and output.
func hexhail(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = cli.Main(context.WithoutCancel(t.Context()), cli.Environment{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		LookupEnv: func(name string) (string, bool) {
			if name == "HEXHAIL_SIM_SECRET" {
				return harness.Secret, true
			}
			return "", false
		},
		Signals: make(chan os.Signal),
	}, args)
	return code, out.String(), errs.String()
}

// readReport reads what --report wrote.
func readReport(t *testing.T, file string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var r map[string]any
	require.NoError(t, json.Unmarshal(text, &r))
	return r
}

func TestDemoInOneCommand(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "r.json")
	var out string
	var r map[string]any
	for length := 4 * time.Second; r == nil || r["requested"] == 0.0; length *= 2 { // how soon someone asks for a ride depends on the machine
		require.Less(t, length, 2*time.Minute, "no one asked for a ride")
		code, said, errs := hexhail(t, "demo", "--headless", "--duration="+length.String(), "--drivers=60", "--speed=120", "--report="+file,
			"--listen=127.0.0.1:0", "--ops-listen=127.0.0.1:0")
		require.Zero(t, code, "%s\n%s", said, errs)
		out, r = said, readReport(t, file)
	}
	for _, promised := range []string{"demo-rider", "demo-driver", "demo-operator", "password", "http://", "ws://", "double matches"} {
		require.Contains(t, out, promised)
	}
	require.NotContains(t, out, "\x1b", "plain lines where there is no terminal")
	require.Positive(t, r["requested"])
	require.Zero(t, r["double_matches"])
	require.Zero(t, r["protocol_errors"])
	for invariant, n := range r["violations"].(map[string]any) {
		require.Zero(t, n, invariant)
	}
}

// noticeable is the index of the line in a history where a client receives an offer as the first
// event of its session, with another event later, so that removing it leaves a gap. -1: none yet.
func noticeable(t *testing.T, lines [][]byte) int {
	t.Helper()
	first := make(map[string]int) // by client and session
	for i, line := range lines {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var r check.Record
		require.NoError(t, json.Unmarshal(line, &r))
		session := r.Who + " " + r.Epoch
		switch r.What {
		case check.Offered, check.OfferEnded, check.TripNews, check.OtherNews:
			if at, ok := first[session]; ok && r.Seq > 1 {
				return at
			}
			if r.What == check.Offered && r.Seq == 1 {
				first[session] = i
			}
		}
	}
	return -1
}

// Cars that drive on their server's map arrive when the server said that they would: on straight lines they would be
// off by a third of the time. They wait without cruising, so that the server knows where they are.
func TestCarsDriveOnTheServersMap(t *testing.T) {
	t.Parallel()
	extract := filepath.Join(t.TempDir(), "city.osm.pbf")
	r, err := manhattan.Open()
	require.NoError(t, err)
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(extract, b, 0o600))
	s := harness.Start(t, harness.Options{Flags: []string{"--position-max-speed=24000", "--streets=" + extract}})
	file := filepath.Join(t.TempDir(), "r.json")
	var eta map[string]any
	for length := 8 * time.Second; eta == nil || eta["drives"].(float64) < 10; length *= 2 { // how many arrive depends on the machine
		require.Less(t, length, 3*time.Minute, "hardly anyone arrived: %v", eta)
		code, out, errs := hexhail(t, "sim", "--headless", "--url="+s.WS, "--issuer="+harness.Issuer, "--audience="+harness.Audience, "--report="+file,
			"--duration="+length.String(), "--drivers=100", "--speed=120", "--requests-per-minute=4", "--streets="+extract, "--drive-spread=0", "--cruise=0")
		require.Zero(t, code, "%s\n%s", out, errs)
		eta = readReport(t, file)["pickup_eta"].(map[string]any)
	}
	require.Less(t, eta["off_p50_s"].(float64), 0.15*eta["driven_mean_s"].(float64), "%v", eta)
}

// A city against a separate server, its history, and the verdict on it.
func TestSimAgainstAServer(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{Flags: []string{"--position-max-speed=24000"}})
	file := filepath.Join(t.TempDir(), "history.jsonl")
	// How long it takes until a driver has seen an offer and its end depends on the machine.
	var lines [][]byte
	missing := -1
	for length := 4 * time.Second; missing < 0; length *= 2 {
		require.Less(t, length, 2*time.Minute, "no driver was offered a trip")
		code, out, errs := hexhail(t, "sim", "--headless", "--url="+s.WS, "--issuer="+harness.Issuer, "--audience="+harness.Audience,
			"--duration="+length.String(), "--drivers=40", "--speed=120", "--requests-per-minute=2", "--encoding=both", "--record="+file)
		require.Zero(t, code, "%s\n%s", out, errs)
		require.NotContains(t, out, "http_read", "trips could be read over HTTP")
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		lines = bytes.SplitAfter(text, []byte("\n"))
		missing = noticeable(t, lines)
	}
	code, out, errs := hexhail(t, "sim", "check", file)
	require.Zero(t, code, "%s\n%s", out, errs)
	require.Contains(t, out, "an order explains them all")

	// A history with a missing event is rejected.
	lines = slices.Delete(lines, missing, missing+1)
	require.NoError(t, os.WriteFile(file, bytes.Join(lines, nil), 0o600))
	code, out, _ = hexhail(t, "sim", "check", file)
	require.NotZero(t, code, out)
	require.NotContains(t, out, "violations of I4: 0")
}

func TestSimSaysWhyItCannotBegin(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{})
	late := filepath.Join(t.TempDir(), "late.csv")
	require.NoError(t, os.WriteFile(late, []byte("lat,lng,avail_s\n40.75,-73.99,1800\n"), 0o600))
	for name, x := range map[string]struct {
		args []string
		says string
	}{
		"not trusted":  {[]string{"sim", "--headless", "--url=" + s.WS, "--drivers=100", "--duration=5s"}, "no driver could go online: the servers do not accept the drivers' tokens"},
		"no drivers":   {[]string{"sim", "--url=" + s.WS, "--drivers=1", "--seed=1", "--duration=1ms", "--taxis=" + late}, "this run has no drivers"},
		"bad speed":    {[]string{"sim", "--url=" + s.WS, "--speed=-1"}, "--speed"},
		"bad area":     {[]string{"sim", "--url=" + s.WS, "--area=1,2,3"}, "--area"},
		"no such file": {[]string{"sim", "--url=" + s.WS, "--requests=nowhere.csv"}, "nowhere.csv"},
		"not a socket": {[]string{"sim", "--url=http://127.0.0.1"}, "not the URL of a socket"},
	} {
		code, out, errs := hexhail(t, x.args...)
		require.Equal(t, 1, code, name)
		require.Contains(t, errs, x.says, name)
		require.NotContains(t, out, "double matches", "%s: a table of zeros would hide the reason", name)
	}
}
