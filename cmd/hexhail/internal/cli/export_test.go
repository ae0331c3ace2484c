package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/server"
	"github.com/hexhail/hexhail/ride"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	got, err := time.Parse(time.RFC3339, s)
	require.NoError(t, err)
	return got
}

func TestExportFilters(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want ride.TripFilter
	}{
		"all":            {nil, ride.TripFilter{}},
		"dates":          {[]string{"--from=2026-11-01", "--to=2026-12-01"}, ride.TripFilter{From: at(t, "2026-11-01T00:00:00Z"), To: at(t, "2026-12-01T00:00:00Z")}},
		"local midnight": {[]string{"--from=2026-11-01T00:00:00+09:00"}, ride.TripFilter{From: at(t, "2026-10-31T15:00:00Z")}},
		"one microsecond before midnight": {[]string{"--to=2026-11-30T23:59:59.999999Z"},
			ride.TripFilter{To: at(t, "2026-12-01T00:00:00Z").Add(-time.Microsecond)}},
		"statuses": {[]string{"--status=completed,cancelled", "--status=expired"},
			ride.TripFilter{Statuses: []ride.Status{ride.StatusCompleted, ride.StatusCancelled, ride.StatusExpired}}},
		"others": {[]string{"--live", "--account=r1", "--search=mill"}, ride.TripFilter{Live: true, Account: "r1", Text: "mill"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage()
			require.Equal(t, exitOK, s.run(t, append([]string{"export"}, c.args...)...), s.err.String())
			got := s.export.Filter
			require.True(t, got.From.Equal(c.want.From) && got.To.Equal(c.want.To), "%v to %v", got.From, got.To)
			got.From, got.To, c.want.From, c.want.To = time.Time{}, time.Time{}, time.Time{}, time.Time{}
			require.Equal(t, c.want, got)
			require.Equal(t, "csv", string(s.export.Format))
			require.Equal(t, "lines", s.out.String(), "words would spoil it")
		})
	}
	for want, args := range map[string][]string{
		"neither a date such as":  {"--from=yesterday"},
		"must be before --to":     {"--from=2026-11-02", "--to=2026-11-02"},
		`no status "lost"`:        {"--status=lost"},
		"cannot be combined":      {"--live", "--status=completed"},
		"--format must be one of": {"--format=xlsx"},
	} {
		s := newStage()
		require.NotEqual(t, exitOK, s.run(t, append([]string{"export"}, args...)...))
		require.Contains(t, s.err.String(), want)
		require.Empty(t, s.events)
	}
}

func TestExportToAFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "trips.jsonl")
	s := newStage()
	require.Equal(t, exitOK, s.run(t, "export", "--format=jsonl", file), s.err.String())
	require.Equal(t, "3 trips written to "+file+".\n", s.out.String())
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "lines", string(b))
	st, err := os.Stat(file)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, st.Mode().Perm())

	s = newStage()
	require.Equal(t, exitFailed, s.run(t, "export", file))
	require.Contains(t, s.err.String(), "--force replaces it")
	require.Empty(t, s.events, "nothing was read in vain")
	require.Equal(t, exitOK, s.run(t, "export", "--force", file))
	require.Equal(t, exitFailed, s.run(t, "export", filepath.Join(dir, "none", "trips.csv")))
}

// TestExportReplacesNoOthers: a file that came while the export was read stays, and so does what is no
// file, even with --force.
func TestExportReplacesNoOthers(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "trips.csv")
	s := newStage()
	s.parts.exportTrips = func(context.Context, *config.Config, server.TripsExport) (int, error) {
		return 1, os.WriteFile(file, []byte("theirs"), 0o600)
	}
	require.Equal(t, exitFailed, s.run(t, "export", file))
	require.Contains(t, s.err.String(), "--force replaces it")
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "theirs", string(b))

	device := filepath.Join(dir, "null")
	require.NoError(t, os.Symlink(os.DevNull, device))
	s = newStage()
	require.Equal(t, exitFailed, s.run(t, "export", "--force", device))
	require.Contains(t, s.err.String(), "is not a regular file")
	require.Empty(t, s.events, "nothing was read in vain")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 2)
}

// TestExportFails: half a file does not look like a whole one.
func TestExportFails(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "trips.csv")
	require.NoError(t, os.WriteFile(file, []byte("older"), 0o600))
	s := newStage()
	s.parts.exportTrips = func(_ context.Context, _ *config.Config, o server.TripsExport) (int, error) {
		fmt.Fprint(o.To, "half")
		return 200, errors.New("disk full")
	}
	require.Equal(t, exitFailed, s.run(t, "export", "--force", file))
	require.Contains(t, s.err.String(), "nothing was written to "+file+": disk full")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "older", string(b))

	require.Equal(t, exitFailed, s.run(t, "export"))
	require.Contains(t, s.err.String(), "stopped after 200 trips: disk full")
}
