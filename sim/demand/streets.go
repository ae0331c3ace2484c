package demand

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
)

// ReadGraph reads a street graph from a directory: the one file whose name contains "nodes" and the one whose
// name contains "edges", both CSV or CSV.gz. The column of the edges, such as t12, has travel times in seconds.
func ReadGraph(dir, column string) (streets.Graph, error) {
	names := make(map[string]string)
	for _, kind := range []string{"nodes", "edges"} {
		found, err := filepath.Glob(filepath.Join(dir, "*"+kind+"*.csv*"))
		if err != nil || len(found) != 1 {
			return streets.Graph{}, fmt.Errorf("%s must hold one file *%s*.csv or *.csv.gz, and holds %d: %s",
				dir, kind, len(found), strings.Join(found, ", "))
		}
		names[kind] = found[0]
	}
	all, err := ReadFile(names["nodes"], ReadNodes)
	if err != nil {
		return streets.Graph{}, err
	}
	edges, err := ReadFile(names["edges"], func(r io.Reader) ([]streets.GraphEdge, error) { return ReadEdges(r, all, column) })
	return streets.Graph{Nodes: all.At, Edges: edges}, err
}

// Nodes are junctions of streets.
type Nodes struct {
	At    []geo.Point
	index map[string]int
}

// ReadNodes reads columns node, lat, lng.
func ReadNodes(r io.Reader) (Nodes, error) {
	out := Nodes{index: make(map[string]int)}
	t, err := NewTable(r)
	if err != nil {
		return out, err
	}
	if err := t.Need("node", "lat", "lng"); err != nil {
		return out, err
	}
	for {
		ok, err := t.Next()
		if !ok || err != nil {
			return out, err
		}
		p, err := t.Point("lat", "lng")
		if err != nil {
			return out, err
		}
		id := t.Text("node")
		if _, again := out.index[id]; again {
			return out, t.Bad("node")
		}
		out.index[id] = len(out.At)
		out.At = append(out.At, p)
	}
}

// maxStreet is how long an edge may take, in seconds: as long as a map allows.
const maxStreet = 4 * 3600

// ReadEdges reads columns from, to and one of travel times in seconds.
func ReadEdges(r io.Reader, nodes Nodes, column string) ([]streets.GraphEdge, error) {
	t, err := NewTable(r)
	if err != nil {
		return nil, err
	}
	if err := t.Need("from", "to", column); err != nil {
		return nil, err
	}
	var out []streets.GraphEdge
	for {
		ok, err := t.Next()
		if !ok || err != nil {
			return out, err
		}
		from, ok := nodes.index[t.Text("from")]
		if !ok {
			return nil, t.Bad("from")
		}
		to, ok := nodes.index[t.Text("to")]
		if !ok {
			return nil, t.Bad("to")
		}
		s, err := t.Number(column)
		if err != nil || s < 0 || s > maxStreet {
			return nil, t.Bad(column)
		}
		out = append(out, streets.GraphEdge{From: from, To: to, Time: time.Duration(s * float64(time.Second))})
	}
}
