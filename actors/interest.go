package actors

import (
	"maps"
	"slices"
	"sync"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/geo"
)

// areaSteps is by how many resolutions an area of interest is coarser than dispatch's cells. At
// resolution 8 an area has 250 km2: a driver leaves one every half hour, and many never do.
const areaSteps = 3

// interest says in which areas each node has drivers, so that a search asks only the nodes that may
// find any, or may know why one who is near was passed over. An area counts from the moment at which a
// driver is available in it. Those in which drivers are only seen, because they are busy or their
// positions are old, are in the whole lists alone: so that a position costs nothing here. Safe for
// concurrent use.
type interest struct {
	nodes *nodes
	// seen returns the cells in which drivers of this node are, available or not.
	seen func() []geo.Cell

	mu        sync.Mutex
	own       map[geo.Cell]int             // available drivers of this node, by area
	announced map[geo.Cell]bool            // to the other nodes, since or in the last whole list
	theirs    map[string]map[geo.Cell]bool // a node that has not said anything yet is missing
}

func newInterest(n *nodes) interest {
	return interest{
		nodes: n, seen: func() []geo.Cell { return nil }, own: make(map[geo.Cell]int),
		announced: make(map[geo.Cell]bool), theirs: make(map[string]map[geo.Cell]bool),
	}
}

// areaOf returns the area that a cell belongs to.
func areaOf(cell geo.Cell) geo.Cell {
	area, err := cell.Parent(max(0, cell.Resolution()-areaSteps))
	if err != nil {
		return cell
	}
	return area
}

// areasOf returns the areas of a disk, each once.
func areasOf(disk []geo.Cell) (out []geo.Cell) {
	for _, cell := range disk {
		if area := areaOf(cell); !slices.Contains(out, area) {
			out = append(out, area)
		}
	}
	return out
}

// enter counts an available driver in.
func (i *interest) enter(cell geo.Cell) {
	area := areaOf(cell)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.own[area]++
	if i.announced[area] {
		return
	}
	i.announced[area] = true
	// In the lock, so that others learn of changes in their order.
	i.nodes.broadcast(interestFrame(&nodepb.Interest{Entered: []uint64{uint64(area)}}))
}

// leave counts a driver out. The others hear of it with the next whole list: the driver is most likely
// still there, on a trip, or available in the next cell.
func (i *interest) leave(cell geo.Cell) {
	area := areaOf(cell)
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.own[area]--; i.own[area] <= 0 {
		delete(i.own, area)
	}
}

// repeat announces all areas, because drivers have left some, a frame may have been lost and a node may
// be new.
func (i *interest) repeat() {
	seen := i.seenAreas()
	i.mu.Lock()
	defer i.mu.Unlock()
	for area := range i.own {
		seen[area] = true
	}
	i.announced = seen
	i.nodes.broadcast(interestFrame(&nodepb.Interest{Whole: true, Entered: frameCells(slices.Collect(maps.Keys(seen)))}))
}

// seenAreas returns the areas from which a search's disk may be near a driver of this node: the record
// of a wave looks one ring of cells further than the search.
func (i *interest) seenAreas() map[geo.Cell]bool {
	areas := make(map[geo.Cell]bool)
	for _, cell := range i.seen() {
		near, err := cell.Disk(1)
		if err != nil {
			near = []geo.Cell{cell}
		}
		for _, area := range areasOf(near) {
			areas[area] = true
		}
	}
	return areas
}

func interestFrame(m *nodepb.Interest) *nodepb.NodeFrame {
	return &nodepb.NodeFrame{Body: &nodepb.NodeFrame_Interest{Interest: m}}
}

// note takes another node's list. A change before its first whole list is not enough to go by.
func (i *interest) note(node string, m *nodepb.Interest) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if m.GetWhole() {
		i.theirs[node] = make(map[geo.Cell]bool, len(m.GetEntered()))
	}
	its := i.theirs[node]
	if its == nil {
		return
	}
	for _, area := range m.GetEntered() {
		its[geo.Cell(area)] = true
	}
	for _, area := range m.GetLeft() {
		delete(its, geo.Cell(area))
	}
}

// has reports whether a node may have drivers in one of the areas, available or not.
func (i *interest) has(node string, areas []geo.Cell) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	its, known := i.theirs[node]
	return !known || slices.ContainsFunc(areas, func(area geo.Cell) bool { return its[area] })
}

// keep forgets what nodes have said that are no members any more.
func (i *interest) keep(t *memberTable) {
	i.mu.Lock()
	defer i.mu.Unlock()
	maps.DeleteFunc(i.theirs, func(node string, _ map[geo.Cell]bool) bool { return !t.has(node) })
}
