package actors

import (
	"cmp"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/actors/city"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// finder asks this node's cells on behalf of other nodes' searches and answers each search once,
// with what it has when the asker's time is nearly up.
type finder struct {
	sys   *shared
	cells func(disk []geo.Cell) []*actor.PID // of this node
	next  uint64
	open  map[uint64]*finding
}

// finding is a search of another node.
type finding struct {
	asker *actor.PID
	asked cellFind
	query *search
	timer *time.Timer
}

// answerBefore is the part of the asker's time in which a finder answers. The rest is the answer's
// way.
const answerBefore = 0.8

// maxFindings bounds the searches under way for other nodes. A node that asks for more gets no
// answer to them, and goes on with the drivers that it has.
const maxFindings = 10_000

func newFinder(s *shared, cells func([]geo.Cell) []*actor.PID) *finder {
	return &finder{sys: s, cells: cells, open: make(map[uint64]*finding)}
}

func (f *finder) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case cellFind:
		f.begin(ctx, m)
	case cellFound:
		if g := f.open[m.Search]; g != nil && g.query.add(m) {
			f.answer(ctx, g)
		}
	case searchOver:
		if g := f.open[m.id]; g != nil {
			f.answer(ctx, g)
		}
	case *actor.Stopping:
		for _, g := range f.open {
			g.timer.Stop()
		}
	}
}

// Recovered keeps the searches under way: their timers end them.
func (f *finder) Recovered(actor.Context) {}

func (f *finder) begin(ctx actor.Context, m cellFind) {
	left := time.Duration(float64(time.Until(m.Until)) * answerBefore)
	if ctx.Sender() == nil || left <= 0 || len(f.open) >= maxFindings {
		return
	}
	cells := f.cells(m.Disk)
	if len(cells) == 0 {
		ctx.Respond(cellFound{Search: m.Search, Passed: f.passed(m, new(search))})
		return
	}
	f.next++
	g := &finding{asker: ctx.Sender(), asked: m, query: &search{id: f.next, waiting: len(cells), cells: len(cells), mixed: true}}
	g.timer = time.AfterFunc(left, f.sys.sender(ctx.Self(), searchOver{f.next}))
	f.open[f.next] = g
	m.Search, m.Disk, m.Explain = f.next, nil, nil
	for _, cell := range cells {
		ctx.Request(cell, m)
	}
}

func (f *finder) answer(ctx actor.Context, g *finding) {
	g.timer.Stop()
	delete(f.open, g.query.id)
	g.query.unite()
	drivers := g.query.drivers
	if limit := g.asked.Limit; !g.asked.Coarse && len(drivers) > limit {
		slices.SortFunc(drivers, func(a, b cellPut) int {
			return cmp.Or(cmp.Compare(a.Load, b.Load),
				cmp.Compare(geo.DistanceM(a.Point, g.asked.Pickup), geo.DistanceM(b.Point, g.asked.Pickup)), cmp.Compare(a.Driver, b.Driver))
		})
		drivers = drivers[:limit]
	}
	g.query.drivers = drivers
	ctx.Send(g.asker, cellFound{
		Search: g.asked.Search, Drivers: drivers, Cells: g.query.cells, Passed: f.passed(g.asked, g.query),
	})
}

// passed returns the drivers of this node whom a search passes over, if it is to be explained.
func (f *finder) passed(m cellFind, found *search) []ride.Considered {
	if m.Explain == nil {
		return nil
	}
	center, err := geo.CellAt(m.Pickup, f.sys.cfg.Resolution)
	if err != nil {
		return nil
	}
	return f.sys.city.PassedOver(city.Search{
		Pickup: m.Pickup, Center: center, Disk: m.Disk, Ring: m.Explain.Ring, Class: m.Explain.Class,
		Excluded: m.Explain.Excluded, Found: found,
	})
}
