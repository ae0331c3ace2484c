package eval

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hexhail/hexhail/ride/dispatch"
)

// Bounds are yardsticks for Figures.Cost, in seconds.
type Bounds struct {
	// Hindsight is the least cost of giving each request one source, a driver where it starts or the end of another
	// request's ride, no source to two: whoever knows all requests before, and whom everybody obeys at once. Cars leave
	// only once asked, from where they stand. Delays vanish: a ride ends as if its rider had been picked up at once.
	Hindsight float64 `json:"hindsight_s"`
	// Reply is the same with one mean time to an answer before anyone sets out, Oracle the same where drivers answer as
	// they do, and it is known how they will.
	Reply  float64 `json:"reply_s"`
	Oracle float64 `json:"oracle_s"`
}

// arcsOf is how many sources, the cheapest, each request may choose from.
const arcsOf = 150

// Bounds returns the bounds of a scenario under a seed, from the cache if they are there. The error is the context's.
func (s *Scenario) Bounds(ctx context.Context, cache Cache, people People, seed int64) (Bounds, error) {
	var out Bounds
	for _, b := range []struct {
		to   *float64
		name string
		from []any
		wait func(request, source int, after, way time.Duration) (time.Duration, bool)
	}{
		{&out.Hindsight, "hindsight", nil, func(_, _ int, after, _ time.Duration) (time.Duration, bool) { return after, true }},
		{&out.Reply, "reply", []any{people.meanReply()}, func(_, _ int, after, _ time.Duration) (time.Duration, bool) {
			return max(after, people.meanReply()), true
		}},
		{&out.Oracle, "oracle", []any{people}, func(request, source int, after, way time.Duration) (time.Duration, bool) {
			answer, reply := people.answer(seedOf(seed), request, source, 0, after+way)
			return max(after, reply), answer == Yes
		}},
	} {
		k := key("bound", append([]any{b.name, s.Sum, seed, arcsOf, LostCost}, b.from...)...)
		if kept, ok := cache.read(k); ok {
			if v, err := strconv.ParseFloat(string(kept), 64); err == nil {
				*b.to = v
				continue
			}
		}
		v, err := s.bound(ctx, seed, arcsOf, b.wait)
		if err != nil {
			return out, err
		}
		*b.to = v
		cache.write(k, strconv.AppendFloat(nil, v, 'g', -1, 64))
	}
	return out, nil
}

// source is where and when a car becomes free: a driver's start, or the end of a request's ride (from), if its rider was
// picked up at once.
type source struct {
	free time.Duration
	from int // the request, or -1
}

// bound is the least mean cost. wait says how long a source that is free after some time, and then has some way, lets a
// request wait before it sets out, and whether it comes at all.
func (s *Scenario) bound(
	ctx context.Context, seed int64, arcs int, wait func(request, source int, after, way time.Duration) (time.Duration, bool),
) (float64, error) {
	requests := s.Requests(seed)
	if len(requests) == 0 {
		return 0, nil
	}
	sources, at := s.sources(seed, requests)
	rows := make([][]dispatch.Choice, len(requests))
	near := nearby{w: s.World, at: at, known: make(map[Place][]Place)}
	for _, q := range requests {
		near.know(q.From)
	}
	var all sync.WaitGroup
	cores := runtime.GOMAXPROCS(0)
	for core := range cores {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := core; i < len(requests) && ctx.Err() == nil; i += cores {
				rows[i] = near.choices(i, requests[i], sources, arcs, wait)
			}
		}()
	}
	all.Wait()
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	var total time.Duration
	for i, chosen := range dispatch.Assign(rows, len(sources), LostCost) {
		if chosen < 0 {
			total += LostCost
		} else {
			total += rows[i][chosen].Price
		}
	}
	return total.Seconds() / float64(len(requests)), nil
}

// sources are all sources, and their indices by place.
func (s *Scenario) sources(seed int64, requests []Request) (all []source, at [][]int32) {
	at = make([][]int32, len(s.World.At))
	add := func(p Place, x source) {
		at[p] = append(at[p], int32(len(all)))
		all = append(all, x)
	}
	for _, t := range s.Fleet(seed) {
		add(t.At, source{t.From, -1})
	}
	for i, q := range requests {
		add(q.To, source{q.At + q.Ride, i})
	}
	return all, at
}

// nearby knows the places with sources around pickups.
type nearby struct {
	w     *World
	at    [][]int32
	known map[Place][]Place
}

// know finds the places from which a pickup is reached in time, nearest first.
func (n *nearby) know(to Place) {
	if _, known := n.known[to]; known {
		return
	}
	out := []Place{}
	for p := range n.at {
		if len(n.at[p]) > 0 && n.w.Drive(Place(p), to) <= LostCost {
			out = append(out, Place(p))
		}
	}
	slices.SortFunc(out, func(a, b Place) int {
		return cmp.Or(cmp.Compare(n.w.Drive(a, to), n.w.Drive(b, to)), cmp.Compare(a, b))
	})
	n.known[to] = out
}

// choices are the cheapest sources of a request.
func (n *nearby) choices(
	i int, q Request, sources []source, most int, wait func(int, int, time.Duration, time.Duration) (time.Duration, bool),
) []dispatch.Choice {
	var out []dispatch.Choice
	compare := func(a, b dispatch.Choice) int {
		return cmp.Or(cmp.Compare(a.Price, b.Price), cmp.Compare(a.Column, b.Column))
	}
	dearest := LostCost // of those that count
	for _, p := range n.known[q.From] {
		way := n.w.Drive(p, q.From)
		if way > dearest {
			break
		}
		for _, k := range n.at[p] {
			x := sources[k]
			if x.from == i {
				continue
			}
			waits, comes := wait(i, int(k), max(0, x.free-q.At), way)
			if price := waits + way; comes && price <= dearest {
				out = append(out, dispatch.Choice{Column: k, Price: price})
			}
		}
		if len(out) >= 2*most {
			slices.SortFunc(out, compare)
			out = out[:most]
			dearest = out[most-1].Price
		}
	}
	slices.SortFunc(out, compare)
	return slices.Clip(out[:min(len(out), most)])
}
