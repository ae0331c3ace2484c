package streets

import (
	"math"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets/ch"
)

// link is a street between two junctions, while the map is built.
type link struct {
	ends    [2]int32 // junctions at its beginning and end
	ways    [2]int64 // the OpenStreetMap ways there
	open    [2]bool  // may be driven forth, and back
	shape   []point  // from ends[0] to ends[1]
	road    Road
	flags   Flags
	name    int32
	lengthM float64
	freeS   float64  // time at the speed of its signs, in seconds
	signals int      // between its ends
	takes   [2]int32 // milliseconds forth and back, of a network that is timed
}

// network is a map while it is built: links between junctions.
type network struct {
	links     []link
	junctions []junction
	report    *Report
	timed     bool // the times of links are given, and choose the way
}

type junction struct {
	at     point
	signal bool
	node   int64 // the OpenStreetMap node, or -1 where a barrier ends a street
	fixed  bool  // has turn restrictions, so it must stay a junction
}

// networkOf cuts the ways at their junctions.
func networkOf(x *extract) (*network, error) {
	index := make([]int32, len(x.refs)) // of each ref's node, -1: missing
	uses := make([]uint8, len(x.nodes.id))
	for _, w := range x.ways {
		for i := w.first; i < w.last; i++ {
			n, ok := x.nodes.index(x.refs[i])
			if !ok || !x.nodes.found[n] {
				index[i] = -1
				continue
			}
			index[i] = n
			if uses[n] < 3 {
				uses[n]++
			}
			if i == w.first || i == w.last-1 {
				uses[n] = max(uses[n], 2)
			}
		}
	}
	b := cutter{x: x, index: index, uses: uses, junction: make([]int32, len(x.nodes.id)), net: &network{report: &x.report, links: make([]link, 0, len(x.ways))}}
	for i := range b.junction {
		b.junction[i] = -1
	}
	for _, r := range x.restrictions {
		if n, ok := x.nodes.index(r.via); ok {
			uses[n] = 2
		}
	}
	for i := range x.ways {
		b.cut(&x.ways[i])
		if len(b.net.junctions) > maxJunctions {
			return nil, ErrTooLarge
		}
	}
	if len(b.net.links) == 0 {
		return nil, ErrNoRoads
	}
	return b.net, nil
}

// cutter cuts ways into links.
type cutter struct {
	x        *extract
	index    []int32
	uses     []uint8
	junction []int32 // of each node, -1: none
	net      *network
}

// cut adds the links of a way. A missing node interrupts it, and so does the antimeridian: a straight
// line between its two sides would lead round the world.
func (b *cutter) cut(w *way) {
	begin := w.first
	for i := w.first; i < w.last; i++ {
		if b.index[i] < 0 {
			b.add(w, begin, i-1)
			begin = i + 1
			continue
		}
		if i > begin && b.apart(b.index[i-1], b.index[i]) {
			b.add(w, begin, i-1)
			begin = i
		}
		if i > begin && (b.uses[b.index[i]] >= 2 || b.x.nodes.flags[b.index[i]]&isBlocked != 0) {
			b.add(w, begin, i)
			begin = i
		}
	}
	b.add(w, begin, w.last-1)
}

// apart reports whether two nodes lie on different sides of the antimeridian.
func (b *cutter) apart(x, y int32) bool {
	d := int64(b.x.nodes.lng[x]) - int64(b.x.nodes.lng[y])
	return max(d, -d) > 180*1e7
}

// add makes a link of a way from one of its nodes to another.
func (b *cutter) add(w *way, first, last int) {
	if last <= first {
		return
	}
	n := &b.x.nodes
	l := link{
		ways: [2]int64{w.id, w.id}, open: [2]bool{w.rule.forth, w.rule.back},
		road: w.rule.road, flags: w.rule.flags, name: w.name, shape: make([]point, 0, last-first+1),
	}
	for i := first; i <= last; i++ {
		at := b.index[i]
		p := point{n.lat[at], n.lng[at]}
		if k := len(l.shape); k > 0 {
			d := metres(l.shape[k-1], p)
			if d == 0 && i < last && n.flags[at]&hasSignal == 0 {
				continue // the same place again
			}
			l.lengthM += d
		}
		l.shape = append(l.shape, p)
		if i > first && i < last && n.flags[at]&hasSignal != 0 {
			l.signals++
		}
	}
	if l.lengthM == 0 && b.index[first] == b.index[last] {
		return
	}
	l.freeS = l.lengthM * 3.6 / float64(w.rule.kmh)
	l.ends = [2]int32{b.junctionAt(b.index[first]), b.junctionAt(b.index[last])}
	b.net.links = append(b.net.links, l)
}

// junctionAt returns the junction of a node. Where cars cannot pass, each street gets an end of
// its own.
func (b *cutter) junctionAt(node int32) int32 {
	n := &b.x.nodes
	if n.flags[node]&isBlocked == 0 && b.junction[node] >= 0 {
		return b.junction[node]
	}
	j := junction{at: point{n.lat[node], n.lng[node]}, signal: n.flags[node]&hasSignal != 0, node: n.id[node]}
	if n.flags[node]&isBlocked != 0 {
		j.node, j.signal = -1, false
	}
	b.junction[node] = int32(len(b.net.junctions))
	b.net.junctions = append(b.net.junctions, j)
	return b.junction[node]
}

// metres is the distance of two points. All lengths of a map are sums of it.
func metres(a, b point) float64 { return geo.DistanceM(a.geo(), b.geo()) }

// incidence lists the links at each junction as link·2+end: those of junction v lie between
// first[v] and first[v+1].
func (n *network) incidence() (first, at []int32) {
	first = make([]int32, len(n.junctions)+1)
	for i := range n.links {
		first[n.links[i].ends[0]+1]++
		first[n.links[i].ends[1]+1]++
	}
	for v := range n.junctions {
		first[v+1] += first[v]
	}
	at = make([]int32, first[len(first)-1])
	next := append([]int32(nil), first...)
	for i := range n.links {
		for e, v := range n.links[i].ends {
			at[next[v]] = int32(2*i + e)
			next[v]++
		}
	}
	return first, at
}

// leaves reports whether a street may be driven away from one of its ends; enters, towards it.
func (n *network) leaves(end int32) bool { return n.links[end/2].open[end%2] }
func (n *network) enters(end int32) bool { return n.links[end/2].open[1-end%2] }

// keepLargest drops the links outside of the largest part of the network in which every place can
// be reached from every other.
func (n *network) keepLargest() {
	first, at := n.incidence()
	heads := make([]int32, len(n.junctions)+1)
	var to []int32
	for v := range n.junctions {
		for _, end := range at[first[v]:first[v+1]] {
			if n.leaves(end) {
				to = append(to, n.links[end/2].ends[1-end%2])
			}
		}
		heads[v+1] = int32(len(to))
	}
	of, best := largest(len(n.junctions), heads, to)
	kept := n.links[:0]
	for _, l := range n.links {
		if of[l.ends[0]] == best && of[l.ends[1]] == best {
			kept = append(kept, l)
		} else {
			n.report.LeftOutM += l.lengthM
		}
	}
	clear(n.links[len(kept):])
	n.links = kept
}

// join joins streets at junctions where there is nothing to choose.
func (n *network) join() {
	first, at := n.incidence()
	j := joiner{net: n, first: first, at: at, used: make([]bool, len(n.links)), out: make([]link, 0, len(n.links))}
	for i := range n.links {
		if !j.used[i] {
			j.chain(int32(i))
		}
	}
	n.links = j.out
}

type joiner struct {
	net       *network
	first, at []int32
	used      []bool
	out       []link
}

// beyond returns the end from which the drive goes on after arriving at an end, if there is
// nothing to choose and the street stays the same.
func (j *joiner) beyond(end int32) (int32, bool) {
	v := j.net.links[end/2].ends[end%2]
	here := j.at[j.first[v]:j.first[v+1]]
	if len(here) != 2 || j.net.junctions[v].fixed {
		return 0, false
	}
	next := here[0]
	if next == end {
		next = here[1]
	}
	a, b := &j.net.links[end/2], &j.net.links[next/2]
	same := end/2 != next/2 && a.name == b.name && a.road == b.road && a.flags == b.flags &&
		j.net.enters(end) == j.net.leaves(next) && j.net.leaves(end) == j.net.enters(next)
	return next, same
}

// chain joins a link with all that go on from it.
func (j *joiner) chain(i int32) {
	// Back to where the chain begins; a ring begins at its first link.
	begin := 2 * i // the end that the chain starts from
	for {
		before, ok := j.beyond(begin)
		if !ok || before/2 == i {
			break
		}
		begin = before ^ 1
	}
	l := j.net.turned(begin)
	j.used[begin/2] = true
	for end := begin ^ 1; ; {
		next, ok := j.beyond(end)
		if !ok || j.used[next/2] {
			break
		}
		j.used[next/2] = true
		l.append(j.net.turned(next), j.net.junctions[j.net.links[end/2].ends[end%2]].signal)
		end = next ^ 1
	}
	j.out = append(j.out, l)
}

// turned returns a link that begins at an end, and takes its shape.
func (n *network) turned(end int32) link {
	l := n.links[end/2]
	n.links[end/2].shape = nil
	if end%2 == 0 {
		return l
	}
	l.ends[0], l.ends[1] = l.ends[1], l.ends[0]
	l.ways[0], l.ways[1] = l.ways[1], l.ways[0]
	l.open[0], l.open[1] = l.open[1], l.open[0]
	for a, b := 0, len(l.shape)-1; a < b; a, b = a+1, b-1 {
		l.shape[a], l.shape[b] = l.shape[b], l.shape[a]
	}
	return l
}

// append makes l go on along next.
func (l *link) append(next link, signal bool) {
	l.ends[1], l.ways[1] = next.ends[1], next.ways[1]
	l.shape = append(l.shape, next.shape[1:]...)
	l.lengthM += next.lengthM
	l.freeS += next.freeS
	l.signals += next.signals
	if signal {
		l.signals++
	}
}

// millis is a time in milliseconds: at least 1, so that no street is free.
func millis(s float64) int32 { return int32(min(max(1, math.Round(s*1000)), ch.MaxWeight)) }
