package streets

import (
	"context"
	"slices"
	"strings"

	"github.com/hexhail/hexhail/geo/streets/pbf"
)

func (x *extract) readWays(ctx context.Context, open Open, clipped bool, inside []int64, p Progress) error {
	r := wayReader{extract: x, clipped: clipped, inside: inside, names: map[string]int32{"": 0}}
	var err error
	x.header, err = passHeader(ctx, open, stepStreets, p, pbf.Handler{Way: r.way, Relation: r.relation})
	r.finish()
	return err
}

// wayReader takes the ways and turn restrictions of an extract. With an area it takes and counts
// only those that lie there.
type wayReader struct {
	*extract
	clipped bool
	inside  []int64 // nodes in the area, rising
	names   map[string]int32
	pending []leftOut
}

// leftOut is a restriction that is not used. Whether it lies in the area is known after all ways.
type leftOut struct {
	kind relationKind
	ways []int64
}

// here reports whether a node lies in the area.
func (r *wayReader) here(node int64) bool {
	if !r.clipped {
		return true
	}
	_, ok := slices.BinarySearch(r.inside, node)
	return ok
}

func (r *wayReader) way(w *pbf.Way) error {
	if n := len(w.Refs); n > 0 && (r.here(w.Refs[0]) || r.here(w.Refs[n/2])) {
		r.spots.way(w)
	}
	rule, why := ruleOf(w.Tags)
	if why != driven {
		if why != notARoad && (!r.clipped || slices.ContainsFunc(w.Refs, r.here)) {
			r.report.refused(why)
		}
		r.ground.way(w, why, r.here)
		return nil
	}
	parts := runs(w.Refs, r.clipped, r.inside)
	if len(parts) == 0 {
		return nil
	}
	r.report.Ways++
	name, ok := r.names[rule.name]
	if !ok {
		// A copy: the tag is a part of all strings of its block, which would stay in memory.
		own := strings.Clone(rule.name)
		name = int32(len(r.extract.names))
		r.names[own], r.extract.names, r.also = name, append(r.extract.names, own), append(r.also, nil)
	}
	if name != 0 {
		r.also[name] = aliasesOf(w.Tags, rule.name, r.also[name])
	}
	rule.name = r.extract.names[name]
	for _, run := range parts {
		r.ways = append(r.ways, way{id: w.ID, first: len(r.refs), last: len(r.refs) + len(run), rule: rule, name: name})
		r.refs = append(r.refs, run...)
	}
	if len(r.refs) > maxWayRefs {
		return ErrTooLarge
	}
	return nil
}

func (r *wayReader) relation(rel *pbf.Relation) error {
	r.ground.relation(rel)
	turn, kind := restrictionOf(rel)
	switch {
	case kind == otherRelation:
	case kind == turnRule:
		if r.here(turn.via) {
			r.restrictions = append(r.restrictions, turn)
		}
	case !r.clipped:
		r.report.Turns.leftOut(kind)
	default:
		l := leftOut{kind: kind}
		for _, m := range rel.Members {
			if m.Type == pbf.WayMember {
				l.ways = append(l.ways, m.ID)
			}
		}
		r.pending = append(r.pending, l)
	}
	return nil
}

// finish counts the restrictions that have a way in the area.
func (r *wayReader) finish() {
	if len(r.pending) == 0 {
		return
	}
	ids := make([]int64, len(r.ways))
	for i := range r.ways {
		ids[i] = r.ways[i].id
	}
	slices.Sort(ids)
	for _, l := range r.pending {
		if slices.ContainsFunc(l.ways, func(id int64) bool { _, ok := slices.BinarySearch(ids, id); return ok }) {
			r.report.Turns.leftOut(l.kind)
		}
	}
}

// runs cuts a way to the parts whose nodes are inside, each of two nodes or more.
func runs(refs []int64, clipped bool, inside []int64) [][]int64 {
	if !clipped {
		if len(refs) < 2 {
			return nil
		}
		return [][]int64{refs}
	}
	var out [][]int64
	begin := 0
	for i := 0; i <= len(refs); i++ {
		if i < len(refs) {
			if _, ok := slices.BinarySearch(inside, refs[i]); ok {
				continue
			}
		}
		if i-begin >= 2 {
			out = append(out, refs[begin:i])
		}
		begin = i + 1
	}
	return out
}
