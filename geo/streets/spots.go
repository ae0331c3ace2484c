package streets

import (
	"strings"

	"github.com/hexhail/hexhail/geo/streets/pbf"
)

// spot is what can be found at a point: a place, an address, or both.
type spot struct {
	number, street int32 // in places.texts; street is -1 if there is no address
	place          place // name "" if there is none
}

// outline is a closed way that is a spot: a building, a park. Where it lies is known when its corners are.
type outline struct {
	corners        [4]int64 // about evenly spaced
	number, street int32
	place          int32 // in spotReader.outlined, -1: none
}

// spotReader takes the places and addresses of an extract: ways while ways are read, then nodes.
type spotReader struct {
	area     *Area // nil: everywhere
	places   places
	text     map[string]int32
	outlines []outline
	outlined []place
	nodes    nodes // corners of outlines
}

// spotOf reads tags. What it keeps are copies: a tag is a part of all strings of its block, which would stay
// in memory.
func (r *spotReader) spotOf(tags pbf.Tags) (s spot, ok bool) {
	s.street = -1
	if number, street, ok := addressOf(tags); ok {
		s.number, s.street = r.textOf(number), r.textOf(street)
	}
	if kind, ok := kindOf(tags); ok {
		if name := strings.Clone(clean(tags.Get("name"))); name != "" {
			s.place = place{kind: kind, name: name, also: aliasesOf(tags, name, nil)}
		}
	}
	return s, s.street >= 0 || s.place.name != ""
}

func (r *spotReader) textOf(s string) int32 {
	i, ok := r.text[s]
	if !ok {
		own := strings.Clone(s)
		i = int32(len(r.places.texts))
		r.text[own], r.places.texts = i, append(r.places.texts, own)
	}
	return i
}

// way notes a closed way that is a spot.
func (r *spotReader) way(w *pbf.Way) {
	n := len(w.Refs) - 1
	if n < 3 || w.Refs[0] != w.Refs[n] || len(r.outlines) >= maxHouses+maxPlaces {
		return
	}
	s, ok := r.spotOf(w.Tags)
	if !ok {
		return
	}
	o := outline{number: s.number, street: s.street, place: -1}
	if s.place.name != "" {
		o.place = int32(len(r.outlined))
		r.outlined = append(r.outlined, s.place)
	}
	for i := range o.corners {
		o.corners[i] = w.Refs[i*n/len(o.corners)]
	}
	r.outlines = append(r.outlines, o)
}

// begin readies the reader for nodes. The error is ErrTooLarge.
func (r *spotReader) begin() error {
	for _, o := range r.outlines {
		r.nodes.id = append(r.nodes.id, o.corners[:]...)
	}
	return r.nodes.ready()
}

func (r *spotReader) node(n *pbf.Node) {
	r.nodes.take(n)
	if len(n.Tags) == 0 || !r.inside(point{n.Lat, n.Lng}) {
		return
	}
	if s, ok := r.spotOf(n.Tags); ok {
		r.add(s, point{n.Lat, n.Lng})
	}
}

func (r *spotReader) inside(p point) bool { return r.area == nil || r.area.Contains(p.lat, p.lng) }

// end adds the outlines, at the middle of their corners' box, and returns what was found.
func (r *spotReader) end() places {
	for _, o := range r.outlines {
		box := emptyBox
		for _, id := range o.corners {
			if i, _ := r.nodes.index(id); r.nodes.found[i] {
				box.add(r.nodes.lat[i], r.nodes.lng[i])
			}
		}
		if box.South > box.North {
			continue
		}
		at := point{int32((int64(box.South) + int64(box.North)) / 2), int32((int64(box.West) + int64(box.East)) / 2)}
		if r.inside(at) {
			s := spot{number: o.number, street: o.street}
			if o.place >= 0 {
				s.place = r.outlined[o.place]
			}
			r.add(s, at)
		}
	}
	r.tidy()
	return r.places
}

func (r *spotReader) add(s spot, at point) {
	p := &r.places
	if s.street >= 0 && len(p.addresses) < maxHouses {
		p.addresses = append(p.addresses, address{at, s.number, s.street})
	}
	if s.place.name != "" && len(p.list) < maxPlaces {
		s.place.at = at
		p.list = append(p.list, s.place)
	}
}

// tidy drops the texts of addresses outside of the area.
func (r *spotReader) tidy() {
	p := &r.places
	number := make([]int32, len(p.texts))
	var used []string
	for i := range p.addresses {
		for _, t := range []*int32{&p.addresses[i].number, &p.addresses[i].street} {
			if number[*t] == 0 {
				used = append(used, p.texts[*t])
				number[*t] = int32(len(used))
			}
			*t = number[*t] - 1
		}
	}
	p.texts = used
}
