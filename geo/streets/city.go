package streets

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hexhail/hexhail/geo"
)

// ErrNoMap is geo.ErrNoMap: the city has no map.
var ErrNoMap = geo.ErrNoMap

var errNoMap = fmt.Errorf("%w: %w", geo.ErrNoRoute, ErrNoMap)

// City holds the current map of a city, and what rides have taught about it, which outlives a map. The zero
// City has neither: it finds no route. Any goroutine may use it; each call sees one map from beginning
// to end, so a swap disturbs none.
type City struct {
	current atomic.Pointer[Map]
	mu      sync.Mutex // of changes
	learned Learned
}

var (
	_ geo.ETASource = (*City)(nil)
	_ geo.Planner   = (*City)(nil)
	_ geo.Fan       = (*City)(nil)
	_ geo.Snapper   = (*City)(nil)
)

// Map returns the current map, nil if there is none. A caller that needs several answers of one map
// asks that map.
func (c *City) Map() *Map { return c.current.Load() }

// Swap sets the map, nil for none, and returns the one before. The map gets what rides have taught, if
// they have.
func (c *City) Swap(m *Map) *Map {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m != nil && !c.learned.isZero() {
		m = m.with(m.own, c.learned)
	}
	return c.current.Swap(m)
}

// Learn sets what rides have taught, for the current map and those to come. It takes as long as
// Map.WithModel. The error wraps ErrModel.
func (c *City) Learn(l Learned) error {
	if err := l.validate(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.learned = l
	if m := c.Map(); m != nil {
		c.current.Store(m.with(m.own, l))
	}
	return nil
}

// Route implements geo.ETASource.
func (c *City) Route(ctx context.Context, from, to geo.Point) (geo.Route, error) {
	if m := c.Map(); m != nil {
		return m.Route(ctx, from, to)
	}
	return geo.Route{}, errNoMap
}

// Routes implements geo.ETASource.
func (c *City) Routes(ctx context.Context, from []geo.Point, to geo.Point) ([]geo.Route, error) {
	if m := c.Map(); m != nil {
		return m.Routes(ctx, from, to)
	}
	return nowhere(len(from)), nil
}

// Plan implements geo.Planner.
func (c *City) Plan(ctx context.Context, from, to geo.Place, at time.Time) (geo.Plan, error) {
	if m := c.Map(); m != nil {
		return m.Plan(ctx, from, to, at)
	}
	return geo.Plan{}, errNoMap
}

// To implements geo.Fan.
func (c *City) To(ctx context.Context, from []geo.Place, to geo.Place, at time.Time) ([]geo.Route, error) {
	if m := c.Map(); m != nil {
		return m.To(ctx, from, to, at)
	}
	return nowhere(len(from)), nil
}

// From implements geo.Fan.
func (c *City) From(ctx context.Context, from geo.Place, to []geo.Place, at time.Time) ([]geo.Route, error) {
	if m := c.Map(); m != nil {
		return m.From(ctx, from, to, at)
	}
	return nowhere(len(to)), nil
}

// Snap implements geo.Snapper.
func (c *City) Snap(p geo.Place) (geo.Snap, error) {
	if m := c.Map(); m != nil {
		return m.Snap(p)
	}
	return geo.Snap{}, errNoMap
}

func nowhere(n int) []geo.Route {
	out := make([]geo.Route, n)
	for i := range out {
		out[i] = geo.Unreachable()
	}
	return out
}
