package server

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/citymap"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/drives"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/learning"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/routers"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/api"
)

// keepStreets makes what reads the map of the city, and what estimates drives along it.
func (p *parts) keepStreets(in Base) error {
	builder := "hexhail"
	if in.Version != "" {
		builder += " " + in.Version
	}
	p.cityMap = citymap.New(citymap.Options{
		File: p.cfg.Map.Streets, BuiltIn: in.Streets, Dir: filepath.Join(p.cfg.Store.DataDir, "streets"), Builder: builder,
		City: p.streets, Log: p.log, Changed: p.mapChanged,
		Building: func(percent int) {
			p.ops.SetWait("building_map", fmt.Sprintf("Building the map: %d %%", percent))
		},
	})
	in.Ops.SetReload(p.reloadStreets)
	var sources []drives.Named // the best first
	if p.cfg.Map.RouteURL != "" {
		by := routeEngine(p.cfg)
		router, err := routers.New(routers.Options{Engine: by, URL: p.cfg.Map.RouteURL.Reveal(), Version: in.Version, Log: p.log})
		if err != nil {
			return err
		}
		p.others, sources = router, append(sources, drives.Named{By: by, Source: router})
	}
	if p.mapped = p.cfg.Map.Streets != "" || in.Streets != nil; p.mapped {
		in.Ops.Registry.MustRegister(p.cityMap)
		sources = append(sources, drives.Named{By: geo.ByStreets, Source: p.streets})
	}
	if len(sources) > 0 {
		p.drives = drives.New(p.log, straightLine(p.cfg), sources...)
		in.Ops.Registry.MustRegister(p.drives)
	}
	return nil
}

// routeEngine is what the server at route-url speaks as.
func routeEngine(c *config.Config) geo.Source {
	if c.Map.RouteEngine == geo.ByValhalla.String() {
		return geo.ByValhalla
	}
	return geo.ByOSRM
}

// startLearning begins to learn travel times, if there is a map and the operator wants it.
func (p *parts) startLearning(ctx context.Context) error {
	if !p.mapped || !p.cfg.Map.StreetsLearn {
		return nil
	}
	p.learning = learning.New(learning.Options{City: p.streets, Store: p.store, TimeZone: p.cfg.Map.TimeZone.Location(), Log: p.log})
	p.ops.Registry.MustRegister(p.learning)
	return p.learning.Start(ctx)
}

func (p *parts) stopLearning(ctx context.Context) error {
	if p.learning == nil {
		return nil
	}
	return p.learning.Stop(ctx)
}

// openStreets reads the map of the city, if there is one.
func (p *parts) openStreets(ctx context.Context) error { return p.cityMap.Start(ctx) }

func (p *parts) closeStreets(ctx context.Context) error {
	if p.others != nil {
		p.others.Close()
	}
	return p.cityMap.Stop(ctx)
}

// reloadStreets loads the map again, for whoever asks: a signal, a command, an operator.
func (p *parts) reloadStreets(ctx context.Context) (string, error) {
	changed, err := p.cityMap.Reload(ctx)
	if err != nil {
		return "", err
	}
	m := p.streets.Map()
	if !changed {
		return fmt.Sprintf("The map has not changed: %s.", m.ID()), nil
	}
	return fmt.Sprintf("Routes follow the new map: %s, made of %s.", m.ID(), m.Meta().Source), nil
}

// mapChanged tells the other nodes of a cluster, if this is one.
func (p *parts) mapChanged() {
	if p.node != nil {
		p.node.mapChanged(p.mapID)
	}
}

// besideDriving is the time that a ride along streets takes beside driving.
func (p *parts) besideDriving() time.Duration {
	if m := p.streets.Map(); m != nil {
		return m.Model().Ride
	}
	return 0
}

// detour is how much farther than planned drivers drive.
func (p *parts) detour() float64 {
	if m := p.streets.Map(); m != nil {
		return m.Detour()
	}
	return 1
}

// mapID identifies the map for the other nodes of a cluster.
func (p *parts) mapID() string {
	if m := p.streets.Map(); m != nil {
		return m.ID()
	}
	return "none"
}

// cityMap is what operators see and do of the map over HTTP.
type cityMap struct{ p *parts }

// State implements api.CityMap.
func (c cityMap) State() api.CityMapState {
	s := c.p.cityMap.State()
	return api.CityMapState{
		LoadedAt: s.LoadedAt, Loading: s.Loading, Percent: s.Percent, Failure: s.Failure, FailedAt: s.FailedAt,
	}
}

// Reload implements api.CityMap.
func (c cityMap) Reload(ctx context.Context) error {
	_, err := c.p.reloadStreets(ctx)
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, citymap.ErrNoFile), errors.Is(err, citymap.ErrBusy), errors.Is(err, citymap.ErrStopped):
		return ride.ErrWrongStatus.With("%s.", sentence(err.Error()))
	}
	return ride.ErrInvalidArgument.With("The map before stays in use: %v.", err)
}

// sentence begins with a capital letter.
func sentence(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(first)) + s[size:]
}
