package citymap

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/manhattan"
	"github.com/hexhail/hexhail/geo/streets/pbf/pbftest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func extract(t *testing.T) []byte {
	t.Helper()
	f, err := manhattan.Open()
	require.NoError(t, err)
	b, err := io.ReadAll(f)
	require.NoError(t, err)
	return b
}

// part makes a map of a part of Manhattan.
func part(t *testing.T, box string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip")
	require.NoError(t, os.WriteFile(path, []byte(box), 0o600))
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	area, err := streets.ReadArea(f)
	require.NoError(t, err)
	m, err := streets.Build(t.Context(), manhattan.Open, streets.BuildOptions{Name: manhattan.Name, Area: area})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "part.hxst")
	require.NoError(t, m.Save(file))
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	return b
}

const (
	midtown = `{"type":"Polygon","coordinates":[[[-74,40.74],[-73.97,40.74],[-73.97,40.76],[-74,40.76]]]}`
	uptown  = `{"type":"Polygon","coordinates":[[[-73.97,40.77],[-73.94,40.77],[-73.94,40.80],[-73.97,40.80]]]}`
)

// newKeeper makes a keeper of a file with some content; without any there is no file.
func newKeeper(t *testing.T, content []byte) (*Keeper, *[]int) {
	t.Helper()
	folder := t.TempDir()
	var percent []int
	o := Options{
		File: filepath.Join(folder, "city"), Dir: filepath.Join(folder, "data", "streets"), Builder: "test",
		City: new(streets.City), Log: slog.New(slog.DiscardHandler), Building: func(p int) { percent = append(percent, p) },
	}
	if content != nil {
		require.NoError(t, os.WriteFile(o.File, content, 0o600))
	}
	k := New(o)
	t.Cleanup(func() { require.NoError(t, k.Stop(context.Background())) })
	return k, &percent
}

func kept(t *testing.T, k *Keeper) (names []string) {
	t.Helper()
	all, err := os.ReadDir(k.o.Dir)
	require.NoError(t, err)
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}

func TestAnExtractIsBuiltOnce(t *testing.T) {
	k, percent := newKeeper(t, extract(t))
	require.NoError(t, k.Start(t.Context()))
	m := k.o.City.Map()
	require.Equal(t, "city", m.Meta().Source)
	require.IsIncreasing(t, *percent)
	require.GreaterOrEqual(t, (*percent)[len(*percent)-1], 90)
	first := kept(t, k)
	require.Len(t, first, 1)

	again := New(k.o)
	var built []int
	again.o.City, again.o.Building = new(streets.City), func(p int) { built = append(built, p) }
	require.NoError(t, again.Start(t.Context()))
	require.NoError(t, again.Stop(t.Context()))
	require.Equal(t, m.ID(), again.o.City.Map().ID())
	require.Empty(t, built, "it was built before")

	// What is kept may be damaged, and another program builds its own.
	require.NoError(t, os.WriteFile(filepath.Join(k.o.Dir, first[0]), []byte("HXST"), 0o600))
	changed, err := k.Reload(t.Context())
	require.NoError(t, err)
	require.False(t, changed)
	require.Equal(t, first, kept(t, k))
	newer := New(k.o)
	newer.o.Builder = "test 2"
	require.NoError(t, newer.Start(t.Context()))
	require.NoError(t, newer.Stop(t.Context()))
	second := kept(t, k)
	require.Len(t, second, 1, "the old one is removed")
	require.NotEqual(t, first, second)

	later := time.Now().Add(time.Hour)
	require.NoError(t, os.Chtimes(k.o.File, later, later))
	_, err = k.Reload(t.Context())
	require.NoError(t, err)
	require.NotEqual(t, second, kept(t, k), "a newer extract is built")
	require.EqualValues(t, 3, k.State().Loads)
}

func TestWhatCannotBeUsedIsRefusedAtTheStart(t *testing.T) {
	whole := part(t, midtown)
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"missing":      {nil, "no such file or directory"},
		"empty":        {[]byte{}, "neither a map of hexhail streets build nor an OpenStreetMap extract in PBF format: it is empty"},
		"foreign":      {[]byte("this is a text of some length"), "neither a map of hexhail streets build nor an OpenStreetMap extract"},
		"XML":          {[]byte("<?xml version='1.0'?><osm></osm>"), "it looks like XML, which osmium can convert"},
		"cut extract":  {extract(t)[:300_000], "the PBF file ends too early: download it again"},
		"without road": {pbftest.File{}.Bytes(), "there are no roads for cars in it"},
		"cut map":      {whole[:len(whole)/2], "the map is damaged"},
		"changed map":  {append(whole[:len(whole)-1:len(whole)-1], whole[len(whole)-1]^1), "the map is damaged"},
		"newer map":    {append(append([]byte{}, whole[:8]...), append([]byte{9, 0, 0, 0}, whole[12:]...)...), "another version of Hexhail built this map"},
	} {
		t.Run(name, func(t *testing.T) {
			k, _ := newKeeper(t, c.content)
			err := k.Start(t.Context())
			require.ErrorContains(t, err, k.o.File+": ")
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "\n")
			require.Nil(t, k.o.City.Map())
			require.NoDirExists(t, k.o.Dir)
		})
	}
	k, _ := newKeeper(t, nil)
	require.NoError(t, os.Mkdir(k.o.File, 0o700))
	require.ErrorContains(t, k.Start(t.Context()), "it is a folder")
}

func TestReload(t *testing.T) {
	k, _ := newKeeper(t, part(t, midtown))
	_, err := k.Reload(t.Context())
	require.ErrorIs(t, err, ErrStopped, "it has not started")
	require.NoError(t, k.Start(t.Context()))
	first := k.o.City.Map()
	changed, err := k.Reload(t.Context())
	require.NoError(t, err)
	require.False(t, changed)
	require.Same(t, first, k.o.City.Map())

	require.NoError(t, os.WriteFile(k.o.File, []byte("broken"), 0o600))
	_, err = k.Reload(t.Context())
	require.ErrorIs(t, err, ErrForeign)
	require.Same(t, first, k.o.City.Map(), "the old one stays")
	s := k.State()
	require.Equal(t, err.Error(), s.Failure)
	require.False(t, s.FailedAt.IsZero() || s.Loading)
	require.EqualValues(t, 1, s.Failures)

	require.NoError(t, os.WriteFile(k.o.File, part(t, uptown), 0o600))
	changed, err = k.Reload(t.Context())
	require.NoError(t, err)
	require.True(t, changed)
	require.NotEqual(t, first.ID(), k.o.City.Map().ID())
	require.Empty(t, k.State().Failure)

	registry := prometheus.NewRegistry()
	require.NoError(t, registry.Register(k))
	families, err := registry.Gather()
	require.NoError(t, err)
	require.Len(t, families, 5)
	require.Equal(t, k.o.City.Map().ID(), families[0].GetMetric()[0].GetLabel()[2].GetValue())

	require.NoError(t, k.Stop(t.Context()))
	_, err = k.Reload(t.Context())
	require.ErrorIs(t, err, ErrStopped)
	without := New(Options{City: new(streets.City), Log: k.o.Log})
	require.NoError(t, without.Start(t.Context()))
	_, err = without.Reload(t.Context())
	require.ErrorIs(t, err, ErrNoFile)
	require.NoError(t, without.Stop(t.Context()))
}

// TestABuildCanBeEnded: at a start by its context, later by Stop, and a reload that no one waits for goes on.
func TestABuildCanBeEnded(t *testing.T) {
	k, _ := newKeeper(t, extract(t))
	start, end := context.WithCancel(t.Context())
	k.o.Building = func(int) { end() }
	require.ErrorIs(t, k.Start(start), context.Canceled)
	require.NoDirExists(t, k.o.Dir)

	k, _ = newKeeper(t, part(t, midtown))
	require.NoError(t, k.Start(t.Context()))
	require.NoError(t, os.WriteFile(k.o.File, extract(t), 0o600))
	building, goOn := make(chan struct{}), make(chan struct{})
	k.mu.Lock()
	k.o.Building = func(p int) {
		if p == 0 {
			close(building)
			<-goOn
		}
	}
	k.mu.Unlock()
	impatient, leave := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		_, err := k.Reload(impatient)
		result <- err
	}()
	<-building
	_, err := k.Reload(t.Context())
	require.ErrorIs(t, err, ErrBusy)
	require.True(t, k.State().Loading)
	leave()
	require.ErrorIs(t, <-result, context.Canceled)
	require.True(t, k.State().Loading, "it goes on")
	before := k.o.City.Map()
	k.mu.Lock()
	end = k.end
	k.mu.Unlock()
	end()
	close(goOn)
	require.NoError(t, k.Stop(t.Context()))
	require.False(t, k.State().Loading)
	require.Same(t, before, k.o.City.Map())
	require.Contains(t, k.State().Failure, "context canceled")
}

// TestAReloadIsHeardOfThoughNoOneWaits: the others of a cluster learn of a map whose operator did not wait.
func TestAReloadIsHeardOfThoughNoOneWaits(t *testing.T) {
	k, _ := newKeeper(t, part(t, midtown))
	heard := make(chan string, 2)
	k.o.Changed = func() { heard <- k.o.City.Map().ID() }
	require.NoError(t, k.Start(t.Context()))
	require.Equal(t, k.o.City.Map().ID(), <-heard)
	require.NoError(t, os.WriteFile(k.o.File, part(t, uptown), 0o600))
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := k.Reload(gone); err != nil {
		require.ErrorIs(t, err, context.Canceled)
	}
	id := <-heard
	require.Equal(t, k.o.City.Map().ID(), id)
	_, err := k.Reload(t.Context())
	for errors.Is(err, ErrBusy) {
		_, err = k.Reload(t.Context())
	}
	require.NoError(t, err)
	require.Empty(t, heard, "it is the same map")
}

func TestAFileOnWhichReadingPanicsIsRefused(t *testing.T) {
	k := New(Options{
		BuiltIn: func(context.Context) (*streets.Map, error) { panic("a hole in the ground") },
		City:    new(streets.City), Log: slog.New(slog.DiscardHandler),
	})
	require.ErrorIs(t, k.Start(t.Context()), errPanic)
	require.Nil(t, k.o.City.Map())
	require.EqualValues(t, 1, k.State().Failures)
}

func TestProgressGoesOnThroughAllSteps(t *testing.T) {
	for _, begin := range []int{0, 1} {
		k, percent := newKeeper(t, nil)
		p := k.progress()
		for _, step := range streets.Steps()[begin:] {
			for done := range int64(11) {
				p(step, done, 10)
			}
		}
		require.Zero(t, (*percent)[0])
		require.IsIncreasing(t, *percent)
		require.Greater(t, len(*percent), 40)
		require.Equal(t, 100, (*percent)[len(*percent)-1])
	}
}

func TestABuiltInExtract(t *testing.T) {
	k := New(Options{
		BuiltIn: func(ctx context.Context) (*streets.Map, error) {
			return streets.Build(ctx, manhattan.Open, streets.BuildOptions{Name: manhattan.Name})
		},
		City: new(streets.City), Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, k.Start(t.Context()))
	require.Equal(t, manhattan.Name, k.o.City.Map().Meta().Source)
	require.NoError(t, k.Stop(t.Context()))
}

func TestAMapThatCannotBeKeptIsUsed(t *testing.T) {
	k, _ := newKeeper(t, extract(t))
	require.NoError(t, os.MkdirAll(filepath.Dir(k.o.Dir), 0o700))
	require.NoError(t, os.WriteFile(k.o.Dir, nil, 0o600))
	require.NoError(t, k.Start(t.Context()))
	require.NotNil(t, k.o.City.Map())
}
