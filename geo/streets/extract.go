package streets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/hexhail/hexhail/geo/streets/names"
	"github.com/hexhail/hexhail/geo/streets/pbf"
)

// What can be wrong with an extract beside its format.
var (
	// ErrNoRoads means that no road of the extract leads anywhere and back.
	ErrNoRoads = errors.New("there are no roads for cars in it")
	// ErrTooLarge means that the extract is larger than a map may be.
	ErrTooLarge = fmt.Errorf("it has more than %d million junctions: cut a city out of it with --bbox or --clip", maxJunctions/1_000_000)
)

// The bounds of a map. They keep every index within 32 bits with room to spare.
const (
	maxJunctions = 5_000_000
	maxWayRefs   = 200_000_000
)

// Open opens the extract from its beginning. Reading takes two passes, or three with an area.
// The caller closes what it gets.
type Open func() (io.ReadCloser, error)

// Progress hears how far a long task is: done of total bytes or nodes; total is 0 if it is
// unknown. It is called often, from the goroutine of the task.
type Progress func(step string, done, total int64)

// The steps of a build.
const (
	stepArea    = "Finding nodes in the area"
	stepStreets = "Reading streets"
	stepGround  = "Reading areas"
	stepNodes   = "Reading nodes"
	stepRoutes  = "Preparing routes"
)

// Steps returns the steps that a Progress may hear of, in their order. A build without an area, or of an
// extract without areas of several parts, leaves one out.
func Steps() []string { return []string{stepArea, stepStreets, stepGround, stepNodes, stepRoutes} }

// way is a way that cars use, cut to the area.
type way struct {
	id          int64
	first, last int // its nodes in refs
	rule        rule
	name        int32
}

// extract is what matters of an extract: the ways of cars and their nodes.
type extract struct {
	header       pbf.Header
	ways         []way
	refs         []int64
	restrictions []restriction
	names        []string // the first is ""
	also         [][]names.Alias
	nodes        nodes
	ground       groundReader
	spots        *spotReader
	places       places
	report       Report
}

// nodes are the nodes that ways use, by rising id.
type nodes struct {
	id       []int64
	lat, lng []int32
	flags    []nodeFlags
	found    []bool
}

func (n *nodes) index(id int64) (int32, bool) {
	i, ok := slices.BinarySearch(n.id, id)
	return int32(i), ok
}

func newExtract(area *Area) *extract {
	return &extract{names: []string{""}, also: make([][]names.Alias, 1), spots: &spotReader{area: area, text: map[string]int32{}}}
}

// readExtract reads the ways first and then only the nodes that they use: an extract with
// buildings has fifty nodes for each one of its streets.
func readExtract(ctx context.Context, open Open, area *Area, p Progress) (*extract, error) {
	x := newExtract(area)
	var inside []int64
	if area != nil {
		err := pass(ctx, open, stepArea, p, pbf.Handler{Node: func(n *pbf.Node) error {
			if area.Contains(n.Lat, n.Lng) {
				inside = append(inside, n.ID)
			}
			return nil
		}})
		if err != nil {
			return nil, err
		}
		if !slices.IsSorted(inside) {
			slices.Sort(inside)
		}
	}
	if err := x.readWays(ctx, open, area != nil, inside, p); err != nil {
		return nil, err
	}
	if len(x.ways) == 0 {
		return nil, ErrNoRoads
	}
	if err := x.ground.readMembers(ctx, open, p); err != nil {
		return nil, err
	}
	return x, x.readNodes(ctx, open, p)
}

// pass reads the extract once.
func pass(ctx context.Context, open Open, step string, p Progress, h pbf.Handler) error {
	_, err := passHeader(ctx, open, step, p, h)
	return err
}

func passHeader(ctx context.Context, open Open, step string, p Progress, h pbf.Handler) (pbf.Header, error) {
	f, err := open()
	if err != nil {
		return pbf.Header{}, err
	}
	defer f.Close()
	r := &counter{r: f, step: step, progress: p}
	if s, ok := f.(interface{ Size() int64 }); ok {
		r.total = s.Size()
	}
	return pbf.Read(ctx, r, h)
}

// counter reports how much has been read.
type counter struct {
	r           io.Reader
	done, total int64
	step        string
	progress    Progress
}

// Read implements io.Reader.
func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.done += int64(n)
	if c.progress != nil {
		c.progress(c.step, c.done, c.total)
	}
	return n, err //nolint:wrapcheck // io.Reader
}

func (x *extract) readNodes(ctx context.Context, open Open, p Progress) error {
	n := &x.nodes
	n.id = slices.Clone(x.refs)
	if err := n.ready(); err != nil {
		return err
	}
	n.flags = make([]nodeFlags, len(n.id))
	var err error
	if x.ground.nodes, err = x.ground.wanted(); err != nil {
		return err
	}
	if err = x.spots.begin(); err != nil {
		return err
	}
	err = pass(ctx, open, stepNodes, p, pbf.Handler{Node: func(node *pbf.Node) error {
		x.ground.nodes.take(node)
		x.spots.node(node)
		i, ok := n.take(node)
		if !ok {
			return nil
		}
		n.flags[i] = nodeFlagsOf(node.Tags)
		x.report.Nodes++
		if n.flags[i]&isBlocked != 0 {
			x.report.Blocked++
		}
		return nil
	}})
	x.report.MissingNodes = len(n.id) - x.report.Nodes
	x.places, x.spots = x.spots.end(), nil
	x.report.Places, x.report.Addresses = len(x.places.list), len(x.places.addresses)
	return err
}

// ready makes a set of the ids, and room for what is read of them.
func (n *nodes) ready() error {
	slices.Sort(n.id)
	n.id = slices.Clip(slices.Compact(n.id))
	if len(n.id) > math.MaxInt32/2 {
		return ErrTooLarge
	}
	n.lat, n.lng, n.found = make([]int32, len(n.id)), make([]int32, len(n.id)), make([]bool, len(n.id))
	return nil
}

// take notes where a node is. ok is false if it is not wanted, or known.
func (n *nodes) take(node *pbf.Node) (i int32, ok bool) {
	i, ok = n.index(node.ID)
	if !ok || n.found[i] {
		return 0, false
	}
	n.lat[i], n.lng[i], n.found[i] = node.Lat, node.Lng, true
	return i, true
}

// Report says what became of an extract, or of its part in the area. It is kept in the map's file.
type Report struct {
	Ways         int // that cars use
	Nodes        int // of these ways
	MissingNodes int // that ways name and the file does not have: an extract cut at its border
	NotOpen      int // ways that are not open to everyone's car
	Areas        int // squares, which have no direction to drive in
	Reversible   int // ways whose direction depends on the hour
	Blocked      int // nodes that cars cannot pass: bollards, locked gates
	Unclosed     int // lakes, parks and coasts whose border has a gap
	Places       int // with a name, to be found by it
	Addresses    int
	Turns        TurnReport
	LeftOutM     float64 // metres of streets that are not joined to the others, or lead only in or out
}

// TurnReport says what became of the turn restrictions of an extract.
type TurnReport struct {
	Used        int // are part of the map
	ViaWays     int // lead over a way, which is not supported
	Conditional int // hold at some hours only, which is not supported
	Broken      int // lack a part, or a way of theirs does not end at their node
	Elsewhere   int // are at streets that the map does not have
}

func (r *TurnReport) leftOut(kind relationKind) {
	switch kind {
	case viaWay:
		r.ViaWays++
	case conditional:
		r.Conditional++
	case brokenRelation:
		r.Broken++
	}
}

func (r *Report) refused(why refusal) {
	switch why {
	case noAccess:
		r.NotOpen++
	case isArea:
		r.Areas++
	case reversible:
		r.Reversible++
	}
}
