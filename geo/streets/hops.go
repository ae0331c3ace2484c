package streets

import (
	"math"
	"slices"
)

const (
	// roundM is what turning round counts in a search, in metres, so that a way without it wins unless it is much
	// longer.
	roundM = 60
	// A step may be so much longer along streets than it is straight: detourShare × it, and detourM metres.
	detourShare, detourM = 1.5, 300
	// mostSettled bounds the junctions that one search looks at.
	mostSettled = 256
	hopTable    = 2048 // more than mostSettled junctions lead to, and a power of 2
)

// hop is a way from one state to another.
type hop struct {
	m     float64 // its length in metres, infinite if there is none; little less than 0 for a car that wavers
	key   float64 // m, and more if it turns round
	round bool
	label int32 // the last junction, -1 if there is none in between
}

// hops finds the shortest ways from a place to those near it, by Dijkstra's algorithm: some junctions each. It is
// reused, and is not safe for concurrent use.
type hops struct {
	g      *graph
	found  []hop // of the newest search, by target
	labels []hopLabel
	heap   []hopItem
	table  []int16 // number of a node's label plus 1
}

// hopLabel is what a search knows of a junction.
type hopLabel struct {
	node, parent, dir int32 // reached along that direction from the parent; -1 at the beginning
	m, key            float64
	round             bool
	slot              int32
}

type hopItem struct {
	key   float64
	label int32
}

func newHops(g *graph) *hops { return &hops{g: g, table: make([]int16, hopTable)} }

// back is how far back on its street a place may lie though the car goes on, in metres: so much do positions err.
func back(sd float64) float64 { return 5 + 2*sd }

// from finds the way from a state to each of some, for a straight step and a deviation in metres.
func (h *hops) from(a state, to []state, straight, sd float64) {
	h.found = h.found[:0]
	length := h.g.segments[a.dir>>1].lengthM()
	for _, b := range to {
		x := hop{m: math.Inf(1), key: math.Inf(1), label: -1}
		switch {
		case b.dir == a.dir && b.alongM-a.alongM >= -back(sd):
			x.m = b.alongM - a.alongM
			x.key = x.m
		case b.dir == a.dir^1:
			x.m, x.round = math.Abs(length-b.alongM-a.alongM), true
			x.key = x.m + roundM
		}
		h.found = append(h.found, x)
	}
	h.search(a, to, length, detourShare*straight+detourM)
}

// search goes through the junctions around a state, up to a limit in metres.
func (h *hops) search(a state, to []state, length, limit float64) {
	for i := range h.labels {
		h.table[h.labels[i].slot] = 0
	}
	h.labels, h.heap = h.labels[:0], h.heap[:0]
	h.relax(hopLabel{node: h.end(a.dir), parent: -1, dir: a.dir, m: length - a.alongM, key: length - a.alongM}, limit)
	if len(h.g.edgesOf(a.dir^1)) > 0 {
		h.relax(hopLabel{node: h.end(a.dir ^ 1), parent: -1, dir: a.dir ^ 1, m: a.alongM, key: a.alongM + roundM, round: true}, limit)
	}
	for settled := 0; len(h.heap) > 0 && settled < mostSettled; {
		top := h.pop()
		l := h.labels[top.label]
		if top.key > l.key {
			continue // a cheaper way was found since
		}
		settled++
		out := h.g.edges[h.g.firstOut[l.node]:h.g.firstOut[l.node+1]]
		for _, e := range out {
			if e.dir == l.dir^1 && len(out) > 1 {
				continue // turning round is for places, and for dead ends
			}
			for k := range to {
				if to[k].dir == e.dir && l.key+to[k].alongM < h.found[k].key {
					h.found[k] = hop{m: l.m + to[k].alongM, key: l.key + to[k].alongM, round: l.round, label: top.label}
				}
			}
			d := h.g.segments[e.segment()].lengthM()
			h.relax(hopLabel{node: e.to, parent: top.label, dir: e.dir, m: l.m + d, key: l.key + d, round: l.round}, limit)
		}
	}
}

// end is the junction at the end of a direction.
func (h *hops) end(dir int32) int32 { return h.g.edges[h.g.edgesOf(dir)[0]].to }

// relax notes a way to a junction if it is the shortest so far and short enough.
func (h *hops) relax(x hopLabel, limit float64) {
	if x.key > limit {
		return
	}
	slot := int32(uint32(x.node)*0x9e3779b1>>21) & (hopTable - 1)
	for ; h.table[slot] != 0; slot = (slot + 1) & (hopTable - 1) {
		if l := &h.labels[h.table[slot]-1]; l.node == x.node {
			if x.key < l.key {
				x.slot = slot
				*l = x
				h.push(hopItem{x.key, int32(h.table[slot] - 1)})
			}
			return
		}
	}
	if len(h.labels) >= hopTable/2 {
		return // the junction has very many streets
	}
	x.slot = slot
	h.labels = append(h.labels, x)
	h.table[slot] = int16(len(h.labels))
	h.push(hopItem{x.key, int32(len(h.labels) - 1)})
}

func (h *hops) push(x hopItem) {
	h.heap = append(h.heap, x)
	for i := len(h.heap) - 1; i > 0; {
		p := (i - 1) / 2
		if h.heap[p].key <= h.heap[i].key {
			return
		}
		h.heap[p], h.heap[i] = h.heap[i], h.heap[p]
		i = p
	}
}

func (h *hops) pop() hopItem {
	top, n := h.heap[0], len(h.heap)-1
	h.heap[0] = h.heap[n]
	h.heap = h.heap[:n]
	for i := 0; ; {
		c := 2*i + 1
		if c >= n {
			return top
		}
		if c+1 < n && h.heap[c+1].key < h.heap[c].key {
			c++
		}
		if h.heap[i].key <= h.heap[c].key {
			return top
		}
		h.heap[i], h.heap[c] = h.heap[c], h.heap[i]
		i = c
	}
}

// follow appends the legs of the way from a state to another, which must be one that from has found. A car that
// stays on its street makes the last leg longer, or shorter if it has wavered.
func (h *hops) follow(legs []leg, a, b state, straight, sd float64) []leg {
	h.from(a, []state{b}, straight, sd)
	x := h.found[0]
	if math.IsInf(x.m, 1) {
		return legs
	}
	if x.label < 0 && x.round {
		turn := max(a.alongM, h.g.segments[a.dir>>1].lengthM()-b.alongM)
		return h.drive(h.drive(legs, a.dir, a.alongM, turn), b.dir, h.g.segments[a.dir>>1].lengthM()-turn, b.alongM)
	}
	if x.label < 0 {
		return h.drive(legs, a.dir, a.alongM, b.alongM)
	}
	var dirs []int32
	first := x.label
	for l := x.label; l >= 0; l = h.labels[l].parent {
		dirs, first = append(dirs, h.labels[l].dir), l
	}
	slices.Reverse(dirs)
	begin := a.alongM
	if h.labels[first].round {
		begin = h.g.segments[a.dir>>1].lengthM() - a.alongM
	}
	for _, dir := range dirs {
		legs = h.drive(legs, dir, begin, h.g.segments[dir>>1].lengthM())
		begin = 0
	}
	return h.drive(legs, b.dir, 0, b.alongM)
}

// drive appends a leg along a direction, from metres to metres. It goes on with the last one where that ended.
func (h *hops) drive(legs []leg, dir int32, from, to float64) []leg {
	length := h.g.segments[dir>>1].lengthM()
	if length <= 0 {
		return legs
	}
	x := leg{edge: h.g.edgesOf(dir)[0], from: from / length, to: min(1, to/length)}
	if n := len(legs); n > 0 && legs[n-1].edge == x.edge && math.Abs(legs[n-1].to-x.from) < 1e-9 {
		legs[n-1].to = x.to
		return legs
	}
	return append(legs, x)
}
