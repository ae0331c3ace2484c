package streets

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets/pbf"
	"github.com/hexhail/hexhail/geo/streets/pbf/pbftest"
)

// town is a small extract for tests. Its nodes have the names of its drawing, letters on a
// grid of 100 m; its ways are lists of them.
type town struct {
	t     testing.TB
	id    map[byte]int64
	file  pbftest.File
	names map[string]int64 // ways by their letters
}

const (
	townLat, townLng = 40.0, -74.0
	townStep         = 0.0009 // degrees, 100 m
)

// newTown places a node at each letter of a drawing; north is up.
func newTown(t testing.TB, drawing string) *town {
	c := &town{t: t, id: map[byte]int64{}, names: map[string]int64{}}
	lines := strings.Split(strings.Trim(drawing, "\n"), "\n")
	for y, line := range lines {
		for x := range line {
			letter := line[x]
			if letter == ' ' {
				continue
			}
			id := int64(letter) * 10
			c.id[letter] = id
			lat, lng := townAt(float64(len(lines)-1-y), float64(x)).E7()
			c.file.Nodes = append(c.file.Nodes, pbf.Node{ID: id, Lat: lat, Lng: lng})
		}
	}
	return c
}

// townAt is the place some steps north and east of the town's corner.
func townAt(north, east float64) geo.Point {
	return geo.Point{Lat: townLat + north*townStep, Lng: townLng + east*townStep}
}

// way adds a way along letters. Without a tag it is a two-way residential street named after them.
func (c *town) way(letters, text string) *town {
	w := pbf.Way{ID: int64(1000 + len(c.file.Ways)), Tags: tags(text)}
	if w.Tags.Get("highway") == "" {
		w.Tags = append(w.Tags, pbf.Tag{Key: "highway", Value: "residential"})
	}
	if w.Tags.Get("name") == "" {
		w.Tags = append(w.Tags, pbf.Tag{Key: "name", Value: letters})
	}
	for i := range letters {
		id, ok := c.id[letters[i]]
		if !ok {
			id = int64(letters[i]) * 10 // missing in the file
		}
		w.Refs = append(w.Refs, id)
	}
	c.file.Ways = append(c.file.Ways, w)
	c.names[letters] = w.ID
	return c
}

// node tags a node.
func (c *town) node(letter byte, text string) *town {
	for i := range c.file.Nodes {
		if c.file.Nodes[i].ID == c.id[letter] {
			c.file.Nodes[i].Tags = tags(text)
		}
	}
	return c
}

// turn adds a restriction from a way over a node to a way.
func (c *town) turn(kind, from string, via byte, to string) *town {
	c.file.Relations = append(c.file.Relations, pbf.Relation{
		ID: int64(len(c.file.Relations)), Tags: tags("type=restriction restriction=" + kind),
		Members: []pbf.Member{
			{Type: pbf.WayMember, ID: c.names[from], Role: "from"}, {Type: pbf.NodeMember, ID: c.id[via], Role: "via"},
			{Type: pbf.WayMember, ID: c.names[to], Role: "to"},
		},
	})
	return c
}

func opening(b []byte) Open {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
}

func (c *town) build() (*Map, error) {
	return Build(c.t.Context(), opening(c.file.Bytes()), BuildOptions{Name: "town", Builder: "test"})
}

func (c *town) mapped() *Map {
	c.t.Helper()
	m, err := c.build()
	require.NoError(c.t, err)
	return m
}

// between is the place between two letters, a bit nearer to the first.
func (c *town) between(a, b byte) geo.Place {
	find := func(l byte) geo.Point {
		for _, n := range c.file.Nodes {
			if n.ID == c.id[l] {
				return geo.FromE7(n.Lat, n.Lng)
			}
		}
		c.t.Fatalf("no node %c", l)
		return geo.Point{}
	}
	p, q := find(a), find(b)
	return geo.Place{Point: geo.Point{Lat: p.Lat + 0.4*(q.Lat-p.Lat), Lng: p.Lng + 0.4*(q.Lng-p.Lng)}}
}

// letters are those that a plan's line passes, in order.
func (c *town) letters(p geo.Plan) string {
	var out strings.Builder
	for _, q := range p.Line {
		lat, lng := q.E7()
		for _, n := range c.file.Nodes {
			if n.Lat == lat && n.Lng == lng {
				out.WriteByte(byte(n.ID / 10))
			}
		}
	}
	return out.String()
}

// steps describes a plan's steps.
func steps(p geo.Plan) (out []string) {
	for _, s := range p.Steps {
		text := fmt.Sprintf("%s %s %.0f m", s.Turn, s.Street, s.Route.DistanceM)
		if s.Exit > 0 {
			text += fmt.Sprintf(" exit %d", s.Exit)
		}
		out = append(out, text)
	}
	return out
}
