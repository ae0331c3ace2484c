package ch

import (
	"context"
	"errors"
	"fmt"
)

// ErrInvalid means that edges, an order or the parts of a hierarchy contradict each other.
var ErrInvalid = errors.New("the graph is not valid")

// Options change how Build works. The zero value is complete.
type Options struct {
	// Order makes Build contract the nodes in this order, all nodes once, instead of
	// looking for one, which takes half the time. The order of a hierarchy with similar weights is
	// about as good as a new one.
	Order []int32
	// Progress, if not nil, is called from time to time, from Build's goroutine.
	Progress func(done, total int)
}

// The effort of looking for a way beside the node that is to be removed, in nodes. Without
// success an arc may be added that is not needed, which costs time but is never wrong.
const (
	effortEstimate = 60
	effortContract = 400
)

// checkEvery is the number of contracted nodes between two looks at the context.
const checkEvery = 512

// Build contracts a graph of n nodes. It runs in the calling goroutine, some seconds for 100,000
// nodes; the error wraps ErrInvalid or is the context's.
func Build(ctx context.Context, n int, edges []Edge, o Options) (*Hierarchy, error) {
	if err := validate(n, edges); err != nil {
		return nil, err
	}
	b := newBuilder(n, edges)
	var err error
	if o.Order != nil {
		err = b.inOrder(ctx, o)
	} else {
		err = b.byPriority(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	return b.finish(), nil
}

func validate(n int, edges []Edge) error {
	for i, e := range edges {
		if e.From < 0 || e.To < 0 || int(e.From) >= n || int(e.To) >= n {
			return fmt.Errorf("%w: edge %d leads to a node that is missing", ErrInvalid, i)
		}
		if e.Weight < 1 || e.Weight > MaxWeight {
			return fmt.Errorf("%w: edge %d has the weight %d", ErrInvalid, i, e.Weight)
		}
	}
	return nil
}

// shortcut is an arc to add when a node is removed.
type shortcut struct{ from, to, weight int32 }

// builder is a graph that shrinks. Removed nodes keep the arcs that they had to nodes which were
// still there.
type builder struct {
	out, in [][]Arc
	depth   []int32 // levels of removed nodes below
	order   []int32
	rank    []int32 // -1: not yet removed

	needed []shortcut // result of shortcuts
	cost   []int32    // memory of its search: valid if seen is now
	seen   []uint32
	now    uint32
	heap   heap
}

func newBuilder(n int, edges []Edge) *builder {
	b := &builder{
		out: make([][]Arc, n), in: make([][]Arc, n), depth: make([]int32, n), rank: make([]int32, n), order: make([]int32, 0, n),
		cost: make([]int32, n), seen: make([]uint32, n),
	}
	for i := range b.rank {
		b.rank[i] = -1
	}
	for i, e := range edges {
		if e.From != e.To {
			put(&b.out[e.From], Arc{e.To, e.Weight, -1 - int32(i)})
			put(&b.in[e.To], Arc{e.From, e.Weight, -1 - int32(i)})
		}
	}
	return b
}

// put adds an arc; of two to the same node the cheaper stays, and the first of equal ones.
func put(list *[]Arc, a Arc) {
	for i := range *list {
		if x := &(*list)[i]; x.To == a.To {
			if x.Weight > a.Weight {
				*x = a
			}
			return
		}
	}
	*list = append(*list, a)
}

func drop(list *[]Arc, to int32) {
	for i := range *list {
		if (*list)[i].To == to {
			(*list)[i] = (*list)[len(*list)-1]
			*list = (*list)[:len(*list)-1]
			return
		}
	}
}

// shortcuts sets needed to the arcs that removing v takes, looking at no more than effort nodes
// for each way into v.
func (b *builder) shortcuts(v int32, effort int) {
	b.needed = b.needed[:0]
	dearest := int32(0)
	for _, o := range b.out[v] {
		dearest = max(dearest, o.Weight)
	}
	for _, i := range b.in[v] {
		if len(b.out[v]) == 1 && b.out[v][0].To == i.To {
			continue // there and back
		}
		b.around(v, i.To, min(i.Weight+dearest, maxCost), effort)
		for _, o := range b.out[v] {
			w := i.Weight + o.Weight
			if o.To == i.To || w > maxCost || b.seen[o.To] == b.now && b.cost[o.To] <= w {
				continue
			}
			b.needed = append(b.needed, shortcut{i.To, o.To, w})
		}
	}
}

// around searches from a node for ways that avoid v, up to a cost and an effort.
func (b *builder) around(v, from, most int32, effort int) {
	b.now++
	b.heap = b.heap[:0]
	b.relax(from, 0)
	for len(b.heap) > 0 && effort > 0 {
		x := b.heap.pop()
		if x.key > b.cost[x.of] {
			continue
		}
		if x.key > most {
			return
		}
		effort--
		for _, a := range b.out[x.of] {
			if a.To != v && x.key+a.Weight <= most {
				b.relax(a.To, x.key+a.Weight)
			}
		}
	}
}

func (b *builder) relax(v, cost int32) {
	if b.seen[v] == b.now && b.cost[v] <= cost {
		return
	}
	b.seen[v], b.cost[v] = b.now, cost
	b.heap.push(cost, v)
}

// priority says how much a node should wait: removing it now adds arcs, and would make it deeper.
func (b *builder) priority(v int32) int32 {
	b.shortcuts(v, effortEstimate)
	return int32(4*len(b.needed)-2*(len(b.in[v])+len(b.out[v]))) + 2*b.depth[v]
}

// remove contracts v.
func (b *builder) remove(v int32) {
	b.shortcuts(v, effortContract)
	for _, s := range b.needed {
		put(&b.out[s.from], Arc{s.to, s.weight, v})
		put(&b.in[s.to], Arc{s.from, s.weight, v})
	}
	b.rank[v] = int32(len(b.order))
	b.order = append(b.order, v)
	for _, a := range b.out[v] {
		drop(&b.in[a.To], v)
		b.depth[a.To] = max(b.depth[a.To], b.depth[v]+1)
	}
	for _, a := range b.in[v] {
		drop(&b.out[a.To], v)
		b.depth[a.To] = max(b.depth[a.To], b.depth[v]+1)
	}
}

func (b *builder) progress(ctx context.Context, o Options) error {
	if len(b.order)%checkEvery != 0 {
		return nil
	}
	if o.Progress != nil {
		o.Progress(len(b.order), len(b.rank))
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("contract the graph: %w", err)
	}
	return nil
}

// byPriority removes the node of the lowest priority first. Priorities change as neighbours go;
// they are looked at again when their turn comes.
func (b *builder) byPriority(ctx context.Context, o Options) error {
	var queue heap
	for v := range b.rank {
		if v%checkEvery == 0 {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("contract the graph: %w", err)
			}
		}
		queue.push(b.priority(int32(v)), int32(v))
	}
	for len(queue) > 0 {
		v := queue.pop().of
		if p := b.priority(v); len(queue) > 0 && p > queue[0].key {
			queue.push(p, v)
			continue
		}
		b.remove(v)
		if err := b.progress(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) inOrder(ctx context.Context, o Options) error {
	if len(o.Order) != len(b.rank) {
		return fmt.Errorf("%w: the order has %d nodes of %d", ErrInvalid, len(o.Order), len(b.rank))
	}
	for _, v := range o.Order {
		if v < 0 || int(v) >= len(b.rank) || b.rank[v] >= 0 {
			return fmt.Errorf("%w: the order has node %d twice, or it is missing", ErrInvalid, v)
		}
		b.remove(v)
		if err := b.progress(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// finish numbers the nodes by rank: what a search touches at the top then lies close together.
func (b *builder) finish() *Hierarchy {
	return &Hierarchy{rank: b.rank, node: b.order, up: b.flat(b.out), down: b.flat(b.in)}
}

func (b *builder) flat(lists [][]Arc) arcs {
	n := 0
	for _, l := range lists {
		n += len(l)
	}
	f := arcs{first: make([]int32, 1, len(lists)+1), list: make([]Arc, 0, n)}
	for _, v := range b.order {
		for _, a := range lists[v] {
			if a.Via >= 0 {
				a.Via = b.rank[a.Via]
			}
			a.To = b.rank[a.To]
			f.list = append(f.list, a)
		}
		f.first = append(f.first, int32(len(f.list)))
		lists[v] = nil
	}
	return f
}
