package api

import (
	"bytes"
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/manhattan"
	"github.com/hexhail/hexhail/ride"
)

// file is a CityMap that answers as a test says.
type file struct {
	state  CityMapState
	reload func(ctx context.Context) error
}

func (f *file) State() CityMapState              { return f.state }
func (f *file) Reload(ctx context.Context) error { return f.reload(ctx) }

// newStreets is a world with Manhattan.
func newStreets(t *testing.T) (*world, *file) {
	t.Helper()
	m, err := streets.Build(t.Context(), manhattan.Open, streets.BuildOptions{Name: manhattan.Name, Builder: "test"})
	require.NoError(t, err)
	w, f := newWorld(t), &file{state: CityMapState{LoadedAt: time.Unix(1, 0)}}
	w.deps.Streets, w.deps.CityMap = new(streets.City), f
	w.deps.Streets.Swap(m)
	return w, f
}

func TestStreetsSource(t *testing.T) {
	w, _ := newStreets(t)
	m := w.deps.Streets.Map()
	var v sourceView
	w.do(request{method: "GET", path: sourcePath}).ok(200, &v)
	require.Equal(t, "ODbL-1.0", v.Licence)
	require.Equal(t, "© OpenStreetMap contributors", v.Attribution)
	require.Equal(t, manhattan.Name, v.Extract)
	require.Equal(t, m.ID(), v.ID)
	require.Equal(t, sourceFilePath, v.FileURL)

	got := w.do(request{method: "GET", path: v.FileURL}).ok(200, nil)
	require.Contains(t, got.Header().Get("Content-Disposition"), m.ID())
	read, err := streets.Read(bytes.NewReader(got.Body.Bytes()))
	require.NoError(t, err)
	require.Equal(t, m.ID(), read.ID(), "the very map that routes are made on")

	for range maxDownloads {
		w.downloads <- struct{}{}
	}
	w.do(request{method: "GET", path: sourceFilePath}).refused(ride.ErrUnavailable, 503)
	<-w.downloads
	gone, leave := context.WithCancel(t.Context())
	leave()
	require.PanicsWithError(t, http.ErrAbortHandler.Error(), func() { w.do(request{method: "GET", path: sourceFilePath, ctx: gone}) })
	w.do(request{method: "GET", path: sourceFilePath}).ok(200, nil)
	require.Len(t, w.downloads, maxDownloads-1, "places are given back")
}

func TestOperatorsReloadTheMap(t *testing.T) {
	w, f := newStreets(t)
	reload := request{method: "POST", path: "/v1/admin/streets/reload", as: "operator", json: `{"reason":"spring"}`}
	f.reload = func(context.Context) error { return nil }
	var v cityMapView
	w.do(reload).ok(200, &v)
	require.Equal(t, manhattan.Name, v.Source.Extract)
	require.Equal(t, time.Unix(1, 0).UTC(), *v.LoadedAt)
	require.Nil(t, v.FailedAt)
	require.False(t, v.Loading)

	f.reload = func(context.Context) error { return ride.ErrInvalidArgument.With("It is damaged.") }
	p := w.do(reload).refused(ride.ErrInvalidArgument, 422)
	require.Equal(t, "It is damaged.", p.Detail)
	f.state.Failure, f.state.FailedAt = "It is damaged.", time.Unix(2, 0)
	w.do(request{method: "GET", path: "/v1/admin/streets", as: "operator"}).ok(200, &v)
	require.Equal(t, "It is damaged.", v.Failure)
	require.Equal(t, time.Unix(2, 0).UTC(), *v.FailedAt)

	// A build outlasts the request, which does not fail for that.
	f.reload = func(context.Context) error { return context.DeadlineExceeded }
	f.state.Loading, f.state.Percent = true, 40
	w.do(reload).ok(200, &v)
	require.True(t, v.Loading)
	require.Equal(t, 40, v.Percent)

	var actions []string
	for _, e := range w.audit() {
		actions = append(actions, e.Action)
	}
	require.Equal(t, []string{"streets.reload", "streets.reload.failed", "streets.reload", "streets.reload"}, actions)
}
