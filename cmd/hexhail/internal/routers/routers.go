// Package routers estimates drives by asking another server of routes, one that speaks as OSRM or as
// Valhalla does. What it says is checked, and what it fails to say is an error in time: others answer then.
package routers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hexhail/hexhail/geo"
)

// AtOnce is how many requests wait for the server at once; others wait for one of them to end.
const AtOnce = 32

const (
	// perRequest bounds the drives of one request, because addresses are: 100 places take 2.2 kB.
	perRequest = 100
	// wait is how long one request may take, waiting for its turn included.
	wait = 300 * time.Millisecond
	// maxAnswer bounds an answer in bytes, unpacked. The plan of a drive across a country has 1 MB.
	maxAnswer = 4 << 20
)

var (
	// errPaused means that the server has failed so often that it is left alone for a while.
	errPaused = errors.New("the server of routes has failed too often, and is not asked for now")
	// errAnswer means that an answer is not what the server's protocol says.
	errAnswer = errors.New("the server of routes gave an answer that makes no sense")
)

// Options say whom to ask. They must not change afterwards.
type Options struct {
	// Engine is geo.ByOSRM or geo.ByValhalla.
	Engine geo.Source
	// URL is where the server's operations begin: http or https. An account in it is sent as Basic
	// authentication, and its query with every request.
	URL string
	// Version names this program to the server.
	Version string
	Log     *slog.Logger
}

// engine is how one kind of server is asked. The answers are checked for their form alone.
type engine interface {
	// fan asks for the drives from hub to ends, or if inward, from ends to hub.
	fan(hub geo.Point, ends []geo.Point, inward bool) request
	// readFan reads the answer to fan for n ends. An element is Unreachable() if there is no route.
	readFan(body []byte, n int, inward bool) ([]geo.Route, error)
	// plan asks for one drive with its steps.
	plan(from, to geo.Point) request
	readPlan(body []byte) (drive, error)
	// refusal tells what an answer other than 200 means: geo.ErrNoRoute, or nil for a failure.
	refusal(body []byte) error
}

// Router asks one server. It is safe for concurrent use. Close it to close idle connections.
type Router struct {
	by     geo.Source
	engine engine
	client *client
	cache  *cache
}

var (
	_ geo.ETASource = (*Router)(nil)
	_ geo.Fan       = (*Router)(nil)
	_ geo.Planner   = (*Router)(nil)
)

// New makes a Router. It asks nothing yet, so a server that is away is no error.
func New(o Options) (*Router, error) {
	base, err := url.Parse(o.URL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, errors.New("routers: the address must be an http or https URL") // err would show its account
	}
	r := &Router{by: o.Engine, client: newClient(base, o), cache: newCache(time.Now)}
	switch o.Engine {
	case geo.ByOSRM:
		r.engine = osrm{}
	case geo.ByValhalla:
		r.engine = valhalla{}
	default:
		return nil, fmt.Errorf("routers: %s is no server of routes", o.Engine)
	}
	return r, nil
}

// Close closes the connections that are idle.
func (r *Router) Close() { r.client.http.CloseIdleConnections() }

// Route implements geo.ETASource.
func (r *Router) Route(ctx context.Context, from, to geo.Point) (geo.Route, error) {
	routes, err := r.many(ctx, to, []geo.Point{from}, true)
	if err != nil {
		return geo.Route{}, err
	}
	if !routes[0].Reachable() {
		return geo.Route{}, fmt.Errorf("route: %w", geo.ErrNoRoute)
	}
	return routes[0], nil
}

// Routes implements geo.ETASource.
func (r *Router) Routes(ctx context.Context, from []geo.Point, to geo.Point) ([]geo.Route, error) {
	return r.many(ctx, to, from, true)
}

// To implements geo.Fan. Headings and times make no difference.
func (r *Router) To(ctx context.Context, from []geo.Place, to geo.Place, _ time.Time) ([]geo.Route, error) {
	return r.many(ctx, to.Point, points(from), true)
}

// From implements geo.Fan. Headings and times make no difference.
func (r *Router) From(ctx context.Context, from geo.Place, to []geo.Place, _ time.Time) ([]geo.Route, error) {
	return r.many(ctx, from.Point, points(to), false)
}

func points(places []geo.Place) []geo.Point {
	out := make([]geo.Point, len(places))
	for i, p := range places {
		out[i] = p.Point
	}
	return out
}

// many returns the drives between a hub and many ends. Of a single one it remembers the answer.
func (r *Router) many(ctx context.Context, hub geo.Point, ends []geo.Point, inward bool) ([]geo.Route, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("routes: %w", err)
	}
	for _, p := range append([]geo.Point{hub}, ends...) {
		if err := p.Validate(); err != nil {
			return nil, fmt.Errorf("routes: %w", err)
		}
	}
	if len(ends) == 1 {
		return r.single(ctx, hub, ends[0], inward)
	}
	out := make([]geo.Route, len(ends))
	group, ctx := errgroup.WithContext(ctx)
	for begin := 0; begin < len(ends); begin += perRequest {
		end := min(begin+perRequest, len(ends))
		group.Go(func() error {
			part, err := r.ask(ctx, hub, ends[begin:end], inward)
			copy(out[begin:end], part)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return out, nil
}

func (r *Router) single(ctx context.Context, hub, end geo.Point, inward bool) ([]geo.Route, error) {
	key := keyOf(hub, end, inward)
	if known, ok := r.cache.get(key); ok {
		return []geo.Route{known}, nil
	}
	found, err := r.ask(ctx, hub, []geo.Point{end}, inward)
	if err == nil {
		r.cache.put(key, found[0])
	}
	return found, err
}

// ask makes one request. What is implausible counts as no route.
func (r *Router) ask(ctx context.Context, hub geo.Point, ends []geo.Point, inward bool) (out []geo.Route, err error) {
	err = r.client.do(ctx, r.engine.fan(hub, ends, inward), r.engine.refusal, func(body []byte) (err error) {
		out, err = r.engine.readFan(body, len(ends), inward)
		return err
	})
	switch {
	case errors.Is(err, geo.ErrNoRoute):
		out = make([]geo.Route, len(ends))
		for i := range out {
			out[i] = geo.Unreachable()
		}
	case err != nil:
		return nil, fmt.Errorf("routes: %w", err)
	}
	for i, p := range ends {
		if out[i].By = r.by; !plausible(out[i], hub, p) {
			out[i] = geo.Unreachable()
		}
	}
	return out, nil
}

// Plan implements geo.Planner. The length of each part is that of its line. Headings and times make no difference.
func (r *Router) Plan(ctx context.Context, from, to geo.Place, _ time.Time) (geo.Plan, error) {
	for _, p := range []geo.Point{from.Point, to.Point} {
		if err := p.Validate(); err != nil {
			return geo.Plan{}, fmt.Errorf("plan: %w", err)
		}
	}
	var out geo.Plan
	err := r.client.do(ctx, r.engine.plan(from.Point, to.Point), r.engine.refusal, func(body []byte) error {
		d, err := r.engine.readPlan(body)
		if err == nil {
			out, err = d.plan(r.by)
		}
		return err
	})
	if err == nil && !plausible(out.Route, from.Point, to.Point) {
		err = geo.ErrNoRoute
	}
	if err != nil {
		return geo.Plan{}, fmt.Errorf("plan: %w", err)
	}
	return out, nil
}
