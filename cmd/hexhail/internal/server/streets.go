package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
)

// openStreets reads the map of the city, if there is one.
func (p *parts) openStreets(ctx context.Context) error {
	var m *streets.Map
	var err error
	switch file := p.cfg.Map.Streets; {
	case file != "":
		if m, err = streets.Load(file); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	case p.builtIn != nil:
		if m, err = p.builtIn(ctx); err != nil {
			return err
		}
	}
	if m == nil {
		return nil
	}
	p.streets.Swap(m)
	p.log.Info("routes follow streets", "map", m.ID(), "extract", m.Meta().Source)
	return nil
}

// drives estimates drives along the streets of the map, and from straight lines where it has none.
type drives struct {
	city *streets.City
	crow geo.StraightLine
}

var _ geo.ETASource = drives{}

// Route implements geo.ETASource. It never returns geo.ErrNoRoute.
func (d drives) Route(ctx context.Context, from, to geo.Point) (geo.Route, error) {
	r, err := d.city.Route(ctx, from, to)
	if errors.Is(err, geo.ErrNoRoute) {
		return d.crow.Route(ctx, from, to)
	}
	return r, err
}

// Routes implements geo.ETASource. Every element is reachable.
func (d drives) Routes(ctx context.Context, from []geo.Point, to geo.Point) ([]geo.Route, error) {
	routes, err := d.city.Routes(ctx, from, to)
	if err != nil {
		return nil, err
	}
	for i, r := range routes {
		if r.Reachable() {
			continue
		}
		if routes[i], err = d.crow.Route(ctx, from[i], to); err != nil {
			return nil, err
		}
	}
	return routes, nil
}
