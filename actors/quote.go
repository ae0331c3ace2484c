package actors

import (
	"context"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// maxQuotes bounds the concurrent quotes of one rider.
const maxQuotes = 4

// maxPriced bounds the requests of one rider that are estimated at once, so that a few riders do not fill
// the workers' queue.
const maxPriced = 4

// nearbyCap bounds how many drivers a quote counts, and so what it reveals.
const nearbyCap = 20

type pendingQuote struct {
	to     *Inbox
	id     string
	query  *search
	area   []geo.Cell      // the cells whose drivers count
	quotes []*ridepb.Quote // nil: not priced yet
	line   string          // the ride's way along streets, encoded; "": none is known
	etas   map[geo.Cell]time.Duration
	timed  bool // etas are known
	timer  *time.Timer
}

// quote prices the asked classes and looks for drivers near the pickup, both at once.
func (r *riderActor) quote(ctx actor.Context, m framed, g *ridepb.GetQuote) {
	fail := func(err error) { r.reply(m.inbox, m.frame.GetId(), refusal(err)) }
	if len(r.quotes) >= maxQuotes {
		fail(ride.ErrTooMany)
		return
	}
	tariffs, err := r.asked(g)
	if err != nil {
		fail(err)
		return
	}
	r.next++
	ring := r.sys.rules.Load().Policy.RingMax
	// One more ring than counts: a driver may be shown in a cell that it has just left.
	query, done, err := r.sys.begin(ctx, r.next, view.FromPoint(g.GetPickup()), ring+1, nearbyCap*len(r.sys.cfg.Tariffs), coarse, nil)
	if err != nil {
		fail(ride.ErrInvalidPoint.In("get_quote.pickup"))
		return
	}
	q := &pendingQuote{to: m.inbox, id: m.frame.GetId(), query: query}
	if q.area, err = query.center.Disk(ring); err != nil {
		fail(err)
		return
	}
	q.timer = time.AfterFunc(r.sys.cfg.SearchTimeout, r.sys.sender(ctx.Self(), searchOver{query.id}))
	r.quotes[query.id] = q
	r.priceQuote(ctx, q, view.FromPoint(g.GetPickup()), view.FromPoint(g.GetDropoff()), tariffs)
	if done {
		r.timeQuote(ctx, q)
	}
}

// asked returns the tariffs that a client wants quotes of.
func (r *riderActor) asked(g *ridepb.GetQuote) ([]ride.Tariff, error) {
	if view.FromPoint(g.GetPickup()).Validate() != nil {
		return nil, ride.ErrInvalidPoint.In("get_quote.pickup")
	}
	if view.FromPoint(g.GetDropoff()).Validate() != nil {
		return nil, ride.ErrInvalidPoint.In("get_quote.dropoff")
	}
	if _, err := r.sys.cfg.Tariffs.Find(g.GetVehicleClass()); err != nil {
		return nil, ride.ErrUnknownClass.In("get_quote.vehicle_class")
	}
	var out []ride.Tariff
	for _, tariff := range r.sys.cfg.Tariffs {
		if g.GetVehicleClass() == "" || tariff.Class == g.GetVehicleClass() {
			out = append(out, tariff)
		}
	}
	return out, nil
}

// priceQuote has the drive estimated and planned, and prices it.
func (r *riderActor) priceQuote(ctx actor.Context, q *pendingQuote, from, to geo.Point, tariffs []ride.Tariff) {
	type drive struct {
		route geo.Route
		line  string
		err   error
	}
	offload(r.sys, ctx, func(c context.Context) (d drive) {
		if d.route, d.err = r.sys.drive(c, from, to); d.err == nil {
			d.line = r.sys.line(c, from, to)
		}
		return d
	}, func(_ actor.Context, d drive) {
		if r.quotes[q.query.id] != q {
			return
		}
		err := d.err
		q.line = d.line
		for _, tariff := range tariffs {
			var estimate ride.Estimate
			if err == nil {
				estimate, err = r.sys.price(d.route, tariff)
			}
			q.quotes = append(q.quotes, view.Quote(tariff.Class, estimate))
		}
		if err != nil {
			q.timer.Stop()
			delete(r.quotes, q.query.id)
			r.reply(q.to, q.id, refusal(err))
			return
		}
		r.answerQuote(q)
	})
}

// timeQuote has the times of the drivers found estimated, all or as many as are in.
func (r *riderActor) timeQuote(ctx actor.Context, q *pendingQuote) {
	if r.quotes[q.query.id] != q || q.query.routing {
		return
	}
	q.timer.Stop()
	q.query.unite()
	q.query.drivers = slices.DeleteFunc(q.query.drivers, func(d cellPut) bool { return !slices.Contains(q.area, d.Shown) })
	q.query.routing = true
	if len(q.query.drivers) == 0 {
		q.timed = true
		r.answerQuote(q)
		return
	}
	offload(r.sys, ctx, func(c context.Context) map[geo.Cell]time.Duration { return r.sys.areaETAs(c, q.query) },
		func(_ actor.Context, etas map[geo.Cell]time.Duration) {
			q.etas, q.timed = etas, true
			r.answerQuote(q)
		})
}

// answerQuote adds how many drivers are near and how far the nearest is, once both are known. Both follow
// from the cells in which the drivers are shown and from the pickup's cell alone: no number of quotes
// locates a driver more precisely than its cell.
func (r *riderActor) answerQuote(q *pendingQuote) {
	if r.quotes[q.query.id] != q || !q.timed || q.quotes == nil {
		return
	}
	delete(r.quotes, q.query.id)
	longest := r.sys.rules.Load().Policy.MaxETA
	for _, quote := range q.quotes {
		nearest := time.Duration(-1)
		for _, d := range q.query.drivers {
			eta, reachable := q.etas[d.Shown]
			if d.Class != quote.GetVehicleClass() || !reachable || longest > 0 && eta > longest {
				continue // nor would dispatch ask this driver
			}
			if quote.DriversNearby < nearbyCap {
				quote.DriversNearby++
			}
			if nearest < 0 || eta < nearest {
				nearest = eta
			}
		}
		if nearest >= 0 {
			quote.PickupEtaS = uint32(max(1, (nearest+time.Minute-1)/time.Minute) * 60)
		}
	}
	r.reply(q.to, q.id, &ridepb.Reply{Result: &ridepb.Reply_Quotes{Quotes: &ridepb.Quotes{Quotes: q.quotes, Polyline: q.line}}})
}

// areaETAs estimates the driving time from each cell in which a found driver is shown to the
// pickup's cell: between their centres or, within one cell, over half its radius. Cells without a
// route are left out.
func (s *shared) areaETAs(ctx context.Context, q *search) map[geo.Cell]time.Duration {
	var cells []geo.Cell
	var from []geo.Place
	for _, d := range q.drivers {
		if slices.Contains(cells, d.Shown) {
			continue
		}
		middle := d.Shown.Center()
		if d.Shown == q.center {
			middle = geo.Destination(middle, 0, q.center.RadiusM()/2)
		}
		cells, from = append(cells, d.Shown), append(from, geo.Place{Point: middle})
	}
	if len(cells) == 0 {
		return nil
	}
	out := make(map[geo.Cell]time.Duration, len(cells))
	for i, route := range s.routes(ctx, from, q.area) {
		if leads(route) {
			out[cells[i]] = route.Duration
		}
	}
	return out
}
