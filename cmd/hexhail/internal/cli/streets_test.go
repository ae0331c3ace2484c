package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/server"
	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/manhattan"
	"github.com/hexhail/hexhail/geo/streets/pbf/pbftest"
)

// extractFile writes Manhattan's extract, or its beginning, to a file.
func extractFile(t *testing.T, name string, bytesOf int) string {
	t.Helper()
	f, err := manhattan.Open()
	require.NoError(t, err)
	b, err := io.ReadAll(f)
	require.NoError(t, err)
	if bytesOf > 0 {
		b = b[:bytesOf]
	}
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, b, 0o600))
	return path
}

func TestStreetsBuildAndInfo(t *testing.T) {
	extract := extractFile(t, "city.osm.pbf", 0)
	t.Chdir(t.TempDir())
	s := newStage()
	require.Equal(t, exitOK, s.run(t, "streets", "build", extract), s.err.String())
	require.Regexp(t, `^Wrote the map to city\.hxst \(1\.\d MiB\) in `, s.out.String())
	require.Contains(t, s.out.String(), "10862 streets, 6911 junctions, 822 names")
	require.Contains(t, s.out.String(), "2 places, 15 addresses")

	s = newStage()
	require.Equal(t, exitOK, s.run(t, "streets", "info", "city.hxst"), s.err.String())
	for _, line := range []string{
		`(?m)^map +[0-9a-f]{16}$`, `(?m)^extract +city\.osm\.pbf$`, `(?m)^area +-74\.0183,40\.7011,-73\.9005,40\.8867$`,
		`(?m)^  motorway +74\.5 km$`, `(?m)^areas +897 areas, without a shoreline$`, `(?m)^turn restrictions +0 used$`, `(?m)^left out +266 ways not open to all cars$`,
		`(?m)^licence +ODbL-1\.0, https://opendatacommons\.org/licenses/odbl/1-0/$`,
		`(?m)^attribution +© OpenStreetMap contributors, linked to https://www\.openstreetmap\.org/copyright$`,
	} {
		require.Regexp(t, line, s.out.String())
	}

	s = newStage()
	require.Equal(t, exitOK, s.run(t, "streets", "info", extract), s.err.String())
	require.Contains(t, s.out.String(), "An OpenStreetMap extract.")
	require.Regexp(t, `(?m)^licence +ODbL-1\.0`, s.out.String())
}

// TestHangupsReload: a signal loads the map again while the server runs, and the server goes on.
func TestHangupsReload(t *testing.T) {
	s := newStage()
	hangups, reloads, stopped := make(chan os.Signal, 1), make(chan struct{}), false
	s.hangups = func() (<-chan os.Signal, func()) { return hangups, func() { stopped = true } }
	assemble := s.parts.assemble
	s.parts.assemble = func(ctx context.Context, in server.Base) (*server.Server, error) {
		out, err := assemble(ctx, in)
		out.HasOperator = func(context.Context) (bool, error) { return true, nil }
		out.ReloadStreets = func(context.Context) (string, error) {
			reloads <- struct{}{}
			return "", errors.New("the map is damaged")
		}
		return out, err
	}
	done := make(chan int, 1)
	go func() { done <- s.run(t, "serve", "--streets=city.hxst") }()
	for range 2 {
		hangups <- syscall.SIGHUP
		<-reloads
	}
	s.signals <- syscall.SIGTERM
	require.Equal(t, exitOK, <-done)
	require.True(t, stopped)
}

func TestStreetsCutOut(t *testing.T) {
	extract := extractFile(t, "city.osm.pbf", 0)
	to := filepath.Join(t.TempDir(), "part")
	s := newStage()
	require.Equal(t, exitOK, s.run(t, "streets", "build", extract, "-o", to, "--bbox=-74.0,40.74,-73.97,40.76"), s.err.String())
	m, err := streets.Load(to)
	require.NoError(t, err)
	require.Less(t, m.Counts().Streets, 2000)
	require.Greater(t, m.Counts().Streets, 300)
	require.Nil(t, m.Meta().Shore)

	shore := filepath.Join(t.TempDir(), "shore.geojson")
	b, err := io.ReadAll(manhattan.Shoreline())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(shore, b, 0o600))
	s = newStage()
	require.Equal(t, exitOK, s.run(t, "streets", "build", extract, "-o", filepath.Join(t.TempDir(), "whole"), "--shoreline", shore), s.err.String())
	require.Regexp(t, `(?m)^areas +956 areas, with the shoreline$`, s.out.String())

	clip := filepath.Join(t.TempDir(), "part.geojson")
	require.NoError(t, os.WriteFile(clip, []byte(`{"type":"Polygon","coordinates":[[[-74,40.74],[-73.97,40.74],[-73.97,40.76],[-74,40.76]]]}`), 0o600))
	other := filepath.Join(t.TempDir(), "part")
	s = newStage()
	require.Equal(t, exitOK, s.run(t, "streets", "build", extract, "-o", other, "--clip", clip), s.err.String())
	n, err := streets.Load(other)
	require.NoError(t, err)
	require.Equal(t, m.ID(), n.ID())
}

// TestStreetsErrors: what is wrong is said in one sentence, and nothing is left behind.
func TestStreetsErrors(t *testing.T) {
	write := func(name string, b []byte) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, b, 0o600))
		return path
	}
	cut := extractFile(t, "cut.osm.pbf", 300_000)
	text := write("text.osm.pbf", []byte("this is not a map, and long enough"))
	xml := write("city.osm", []byte("<?xml version='1.0'?>"))
	none := write("none.osm.pbf", pbftest.File{}.Bytes())
	missing := filepath.Join(t.TempDir(), "missing.osm.pbf")
	whole := extractFile(t, "city.osm.pbf", 0)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"build", cut}, "build " + cut + ": the PBF file ends too early: download it again"},
		{[]string{"build", text}, "build " + text + ": this is not an OpenStreetMap PBF file"},
		{[]string{"build", xml}, "build " + xml + ": this is not an OpenStreetMap PBF file: it looks like XML, which osmium can convert"},
		{[]string{"build", none}, "build " + none + ": there are no roads for cars in it"},
		{[]string{"build", missing}, "build " + missing + ": open " + missing + ": no such file or directory"},
		{[]string{"build", t.TempDir()}, "it is a folder"},
		{[]string{"build", whole, "--bbox=1,2,3"}, "--bbox: it must be four numbers: west,south,east,north"},
		{[]string{"build", whole, "--bbox=1,2,3,x"}, `--bbox: "x" is not a number`},
		{[]string{"build", whole, "--bbox=3,2,1,4"}, "--bbox: the area cannot be used: its north must be above its south and its east beyond its west"},
		{[]string{"build", whole, "--bbox=1,2,3,4"}, "build " + whole + ": there are no roads for cars in it"},
		{[]string{"build", whole, "--clip", text}, "--clip " + text + ": the area cannot be used: it is not GeoJSON"},
		{[]string{"build", whole, "--clip", missing}, "--clip: open " + missing + ": no such file or directory"},
		{[]string{"build", whole, "--shoreline", text}, "--shoreline " + text + ": the area cannot be used: it is not GeoJSON"},
		{[]string{"build", whole, "--shoreline", missing}, "--shoreline: open " + missing + ": no such file or directory"},
		{[]string{"build", whole, "-o", filepath.Join(missing, "x")}, "no such file or directory"},
		{[]string{"info", text}, text + ": this is neither a map of hexhail streets build nor an OpenStreetMap extract in PBF format"},
		{[]string{"info", write("cut.hxst", []byte("HXST\r\n\x1a\n"))}, "this is not a map built by hexhail streets build"},
		{[]string{"reload", "--ops=127.0.0.1:1"}, "streets reload: "},
		{[]string{"info", missing}, "no such file or directory"},
	} {
		s := newStage()
		t.Chdir(t.TempDir())
		require.Equal(t, exitFailed, s.run(t, append([]string{"streets"}, c.args...)...), c.args)
		require.Contains(t, s.err.String(), c.want)
		require.Equal(t, 1, bytes.Count([]byte(s.err.String()), []byte("\n")), "one line: %s", s.err.String())
		left, err := os.ReadDir(".")
		require.NoError(t, err)
		require.Empty(t, left)
	}
	s := newStage()
	require.Equal(t, exitUsage, s.run(t, "streets", "build", whole, "--bbox=1,2,3,4", "--clip", "x"))
}

// TestStreetsForget: what was learned is forgotten in the configured database.
func TestStreetsForget(t *testing.T) {
	s := newStage()
	var at string
	var fails error
	s.parts.forgetSpeeds = func(_ context.Context, c *config.Config) error {
		at = c.Store.DataDir
		return fails
	}
	require.Equal(t, exitOK, s.run(t, "streets", "forget", "--data-dir=here"))
	require.Equal(t, "here", at)
	require.Contains(t, s.out.String(), "is forgotten; running servers follow within a minute")
	fails = errors.New("gone")
	require.Equal(t, exitFailed, s.run(t, "streets", "forget"))
	require.Contains(t, s.err.String(), "forget travel times: gone")
}
