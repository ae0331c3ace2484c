package demand

import (
	"io"

	"github.com/hexhail/hexhail/geo"
)

// Node is a junction of streets.
type Node struct {
	ID string
	At geo.Point
}

// Edge is a street from one node to another, one way.
type Edge struct {
	From, To string
	Seconds  float64
}

// ReadNodes reads columns node, lat, lng.
func ReadNodes(r io.Reader) ([]Node, error) {
	t, err := newTable(r)
	if err != nil {
		return nil, err
	}
	if err := t.need("node", "lat", "lng"); err != nil {
		return nil, err
	}
	var out []Node
	for {
		ok, err := t.next()
		if !ok || err != nil {
			return out, err
		}
		p, err := t.point("lat", "lng")
		if err != nil {
			return nil, err
		}
		out = append(out, Node{t.text("node"), p})
	}
}

// ReadEdges reads columns from, to and one of travel times in seconds.
func ReadEdges(r io.Reader, column string) ([]Edge, error) {
	t, err := newTable(r)
	if err != nil {
		return nil, err
	}
	if err := t.need("from", "to", column); err != nil {
		return nil, err
	}
	var out []Edge
	for {
		ok, err := t.next()
		if !ok || err != nil {
			return out, err
		}
		s, err := t.number(column)
		if err != nil || s < 0 || s > 86_400 {
			return nil, t.bad(column)
		}
		out = append(out, Edge{t.text("from"), t.text("to"), s})
	}
}
