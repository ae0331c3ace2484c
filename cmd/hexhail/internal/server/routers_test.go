package server

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/ops"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/manhattan"
)

// TestWhoEstimates: the server at route-url, then the map, then straight lines.
func TestWhoEstimates(t *testing.T) {
	var down atomic.Bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/sources_to_targets" && !down.Load() {
			_, _ = io.WriteString(w, `{"sources_to_targets":[[{"distance":4.3,"time":900}]],"units":"kilometers"}`)
			return
		}
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer s.Close()
	m, err := streets.Build(t.Context(), manhattan.Open, streets.BuildOptions{})
	require.NoError(t, err)
	from, to := geo.Point{Lat: 40.7580, Lng: -73.9855}, geo.Point{Lat: 40.7812, Lng: -73.9665}
	back := geo.Point{Lat: 40.7581, Lng: -73.9855} // not one that is remembered
	for _, c := range []struct {
		built func(context.Context) (*streets.Map, error)
		then  geo.Source
	}{
		{nil, geo.ByCrow},
		{func(context.Context) (*streets.Map, error) { return m, nil }, geo.ByStreets},
	} {
		cfg := defaults(t)
		cfg.Map.RouteURL, cfg.Map.RouteEngine = config.Secret(s.URL), "valhalla"
		log := slog.New(slog.DiscardHandler)
		operations := ops.New(ops.Options{Log: log})
		p := &parts{cfg: cfg, log: log, ops: operations, streets: new(streets.City)}
		require.NoError(t, p.keepStreets(Base{Config: cfg, Log: log, Ops: operations, Streets: c.built}))
		if c.built != nil {
			p.streets.Swap(m)
		}
		down.Store(false)
		got, err := p.drives.Route(t.Context(), from, to)
		require.NoError(t, err)
		require.Equal(t, geo.ByValhalla, got.By)
		down.Store(true)
		got, err = p.drives.Route(t.Context(), back, to)
		require.NoError(t, err)
		require.Equal(t, c.then, got.By)
		require.NoError(t, p.closeStreets(t.Context()))
	}
}
