package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"testing/synctest"
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

}

func TestTheMapsFileIsSentInPartsAndOnce(t *testing.T) {
	w, _ := newStreets(t)
	get := func(method string, header ...string) *response {
		q := request{method: method, path: sourceFilePath, header: map[string]string{}}
		for i := 0; i < len(header); i += 2 {
			q.header[header[i]] = header[i+1]
		}
		return w.do(q)
	}
	whole := get("GET").ok(200, nil)
	file, tag := whole.Body.Bytes(), whole.Header().Get("ETag")
	require.Equal(t, `"`+w.deps.Streets.Map().ID()+`"`, tag)
	require.Equal(t, strconv.Itoa(len(file)), whole.Header().Get("Content-Length"))
	require.Equal(t, "no-cache", whole.Header().Get("Cache-Control"))

	part := get("GET", "Range", "bytes=1000-1999", "If-Range", tag).ok(206, nil)
	require.Equal(t, file[1000:2000], part.Body.Bytes())
	require.Equal(t, fmt.Sprintf("bytes 1000-1999/%d", len(file)), part.Header().Get("Content-Range"))
	require.Equal(t, file, get("GET", "Range", "bytes=1000-1999", "If-Range", `"other"`).ok(200, nil).Body.Bytes())
	require.Equal(t, 416, get("GET", "Range", "bytes=999999999-").Code)

	// What needs no body needs no place.
	for _, network := range []string{"a", "b", "c", "d"} {
		_, err := w.downloads.enter(network)
		require.NoError(t, err)
	}
	head := get("HEAD").ok(200, nil)
	require.Equal(t, strconv.Itoa(len(file)), head.Header().Get("Content-Length"))
	require.Empty(t, head.Body.Bytes())
	require.Empty(t, get("GET", "If-None-Match", tag).ok(304, nil).Body.Bytes())
	get("GET").refused(ride.ErrUnavailable, 503)
}

func TestDownloadsAreBounded(t *testing.T) {
	w, _ := newStreets(t)
	get := request{method: "GET", path: sourceFilePath}
	var leave []func()
	for _, network := range []string{"192.0.2.1", "192.0.2.7", "2001:db8::/64"} {
		l, err := w.downloads.enter(network)
		require.NoError(t, err)
		leave = append(leave, l)
	}
	w.do(get).refused(ride.ErrTooMany, 429)
	get.addr = "[2001:db8::5]:5000"
	w.do(get).refused(ride.ErrTooMany, 429)
	get.addr = "192.0.2.8:5000"
	w.do(get).ok(200, nil)
	last, err := w.downloads.enter("192.0.2.9")
	require.NoError(t, err)
	w.do(get).refused(ride.ErrUnavailable, 503)
	last()
	gone, end := context.WithCancel(t.Context())
	end()
	get.ctx = gone
	require.PanicsWithError(t, http.ErrAbortHandler.Error(), func() { w.do(get) })
	for _, l := range leave {
		l()
	}
	require.Empty(t, w.downloads.to, "places are given back")
}

// deadlined remembers the deadlines of its connection.
type deadlined struct {
	*httptest.ResponseRecorder
	at []time.Time
}

func (d *deadlined) SetWriteDeadline(at time.Time) error {
	d.at = append(d.at, at)
	return nil
}

// TestDownloadsKeepPace: a client that reads slower than it must is given no more time.
func TestDownloadsKeepPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &deadlined{ResponseRecorder: httptest.NewRecorder()}
		begun := time.Now()
		w := &pacedWriter{ResponseWriter: d, control: http.NewResponseController(d), ctx: t.Context(), end: begun.Add(downloadGrace)}
		for range 10 {
			_, err := w.Write(make([]byte, downloadPace/2))
			require.NoError(t, err)
			time.Sleep(10 * time.Second)
		}
		require.Equal(t, begun.Add(exportStall), d.at[0])
		require.Equal(t, begun.Add(downloadGrace+5*time.Second), d.at[9], "which has passed")
		w.done()
		require.Zero(t, d.at[10])
	})
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
