package crash_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/crash"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/persistence/pgtest"
)

func TestMain(m *testing.M) { harness.Main(m, 0) }

// options are a short run with a server that is this test binary. HEXHAIL_CRASH_ROUNDS
// asks for more rounds.
func options(t *testing.T) crash.Options {
	t.Helper()
	return crash.Options{
		Rounds: number(t, "HEXHAIL_CRASH_ROUNDS", 4), Seed: uint64(time.Now().UnixNano()), Drivers: 60, Speed: 400,
		RoundMin: 300 * time.Millisecond, RoundMax: time.Second,
		RecoverWithin: harness.Patience, // a busy machine takes longer than the bound
		AimWithin:     harness.Patience,
		Report:        filepath.Join(t.TempDir(), "report.json"), Program: os.Args[0], Env: []string{harness.ChildEnv + "=1"},
	}
}

// prove runs the proof and returns its report.
func prove(ctx context.Context, t *testing.T, o crash.Options) crash.Report {
	t.Helper()
	return proveTo(ctx, t, o, new(bytes.Buffer))
}

func proveTo(ctx context.Context, t *testing.T, o crash.Options, out interface {
	io.Writer
	String() string
}) crash.Report {
	t.Helper()
	err := crash.Run(ctx, o, out, slog.New(slog.DiscardHandler))
	t.Logf("%s", out.String())
	require.NoError(t, err)
	return readReport(t, o)
}

func readReport(t *testing.T, o crash.Options) (r crash.Report) {
	t.Helper()
	text, err := os.ReadFile(o.Report)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &r))
	return r
}

// TestCrashProof: I1 to I5, I7, I9, I11, I15 and the time of recovery, over kills.
func TestCrashProof(t *testing.T) {
	for name, make := range map[string]func(*testing.T) crash.Options{
		"sqlite": options,
		"postgres": func(t *testing.T) crash.Options {
			o := options(t)
			o.DatabaseURL = pgtest.Start(t)
			return o
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := make(t)
			r := prove(t.Context(), t, o)
			require.Equal(t, o.Rounds, r.Rounds)
			require.True(t, r.Drained, "trips were still under way")
			require.Positive(t, r.Acknowledged)
			require.Positive(t, r.Trips)
			require.Positive(t, r.Sometimes.CommandsMet, "no kill hit a command")
			require.Positive(t, r.Sometimes.AcceptsMet, "no kill hit an acceptance")
			require.Positive(t, r.Sometimes.Repeated)
			require.Positive(t, r.Sometimes.Fresh)
			harness.Within(t, "the slowest recovery", time.Duration(r.ToAnswer.Max*float64(time.Millisecond)), 10*time.Second)
		})
	}
}

// reader does something once it has read a text.
type reader struct {
	bytes.Buffer
	after string
	then  func()
}

func (r *reader) Write(p []byte) (int, error) {
	if strings.Contains(string(p), r.after) {
		r.then()
	}
	return r.Buffer.Write(p)
}

// An interrupted run reports what is known so far.
func TestAnInterruptedRunIsJudged(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	o := options(t)
	o.Rounds = 1000
	r := proveTo(ctx, t, o, &reader{after: "round   2", then: interrupt})
	require.Less(t, r.Rounds, 1000)
	require.False(t, r.Drained)
	require.Positive(t, r.Acknowledged)
}

func TestAServerThatCannotStartIsAnError(t *testing.T) {
	o := options(t)
	o.Env = append(o.Env, "HEXHAIL_DISPATCH_CAP=none")
	err := crash.Run(t.Context(), o, io.Discard, slog.New(slog.DiscardHandler))
	require.ErrorIs(t, err, crash.ErrServer)
}
