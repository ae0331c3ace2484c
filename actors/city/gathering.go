package city

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hexhail/hexhail/actors/nodepb"
)

// In a cluster, each node sends each of its steps to all others, and adds theirs to its own. So the
// charts of every node are those of the whole city, reading them adds nothing up, and what a
// node knew survives it on the others.

const (
	// settleFor is how long after its end a step waits for the figures of other nodes before it is
	// shown. What comes later is added all the same, and shown to those who read the charts again.
	settleFor = 3 * time.Second
	// gatherFor is for how long a step takes the figures of other nodes.
	gatherFor = 5 * time.Minute
)

// gathering keeps track of whose figures a step has. Safe for concurrent use.
type gathering struct {
	joined chan struct{} // closed when began is set

	mu    sync.Mutex
	began int64 // the end of the step in which this node joined: the charts begin there
	now   map[string]bool
	begun map[string]bool // the nodes that were there when the current step began; not changed
	open  map[int64]*openStep
}

// openStep is a step of the last minutes.
type openStep struct {
	expected map[string]bool // nil until this node has finished the step
	reported map[string]bool
}

// missing is how many nodes took part in the step without having reported it.
func (o *openStep) missing() (n uint16) {
	for node := range o.expected {
		if !o.reported[node] {
			n++
		}
	}
	return n
}

// SetNodes takes a new list of the cluster's nodes. The charts begin with the first step after this
// node is among them.
func (c *City) SetNodes(nodes []string) {
	g := &c.charts.nodes
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now = make(map[string]bool, len(nodes))
	for _, n := range nodes {
		g.now[n] = true
	}
	if g.began == 0 && g.now[c.cfg.Node] {
		g.began = time.Now().Truncate(Step).Add(Step).Unix()
		g.begun = maps.Clone(g.now)
		g.open = make(map[int64]*openStep)
		close(g.joined)
	}
}

// waitForJoin returns when the charts begin: what was before is in the database by then. It returns
// false if the context ends first.
func (c *City) waitForJoin(ctx context.Context) (began time.Time, ok bool) {
	if c.cfg.Share == nil {
		return c.started, true
	}
	g := &c.charts.nodes
	select {
	case <-ctx.Done():
		return began, false
	case <-g.joined:
	}
	g.mu.Lock()
	began = time.Unix(g.began, 0)
	g.mu.Unlock()
	wait := time.NewTimer(time.Until(began) + settleFor)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return began, false
	case <-wait.C:
		return began, true
	}
}

// settled is the end of the newest step that is shown, in seconds since 1970.
func (c *City) settled() int64 {
	if c.cfg.Share == nil {
		return 1<<63 - 1
	}
	return time.Now().Add(-settleFor).Unix()
}

// finish takes a step that has ended on this node.
func (c *City) finish(s sample) {
	if c.cfg.Share == nil {
		c.charts.push(s)
		return
	}
	s.level()
	c.cfg.Share(s.frame())
	c.charts.gather(c.cfg.Node, s, true)
}

// AddStep takes a step that has ended on another node.
func (c *City) AddStep(node string, m *nodepb.ChartStep) { c.charts.gather(node, sampleOf(m), false) }

// gather adds a node's figures to those of its step.
func (c *charts) gather(node string, s sample, own bool) {
	g := &c.nodes
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	recent := s.end > now.Add(-gatherFor).Unix() && s.end <= now.Add(gatherFor).Unix()
	if g.began == 0 || s.end <= g.began || s.end%int64(Step/time.Second) != 0 || !recent {
		return
	}
	o := g.open[s.end]
	if o == nil {
		o = &openStep{reported: make(map[string]bool)}
		g.open[s.end] = o
	}
	if o.reported[node] {
		return
	}
	o.reported[node] = true
	c.add(s)
	if own {
		g.expect(s.end)
	}
	for end, o := range g.open {
		c.lack(end, o.missing())
		if end <= now.Add(-gatherFor).Unix() {
			delete(g.open, end)
		}
	}
}

// expect notes who took part in the step that ends here, and in those that this node slept through;
// g.mu is held.
func (g *gathering) expect(end int64) {
	for e, o := range g.open {
		if e <= end && o.expected == nil {
			o.expected = g.begun
		}
	}
	g.begun = maps.Clone(g.now)
}

// add adds figures to their step, and makes it if need be.
func (c *charts) add(s sample) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one, next := c.find(s.end)
	switch {
	case one != nil:
		one.add(&s)
	case next == len(c.ring):
		c.append(s)
	default: // it comes late
		all := append(slices.Clone(c.ring[c.head:]), c.ring[:c.head]...)
		all = slices.Insert(all, next, s)
		c.ring, c.head = all[max(0, len(all)-sampleRing):], 0
	}
}

// lack notes how many nodes' figures a step lacks.
func (c *charts) lack(end int64, nodes uint16) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if one, _ := c.find(end); one != nil {
		one.missing = nodes
	}
}

// find returns the step that ends at a time, or where it would be, counted from the oldest. It looks
// from the newest back; c.mu is held. Steps from the database are no place to add to.
func (c *charts) find(end int64) (one *sample, next int) {
	for next = len(c.ring); next > 0; next-- {
		one = &c.ring[(c.head+next-1)%len(c.ring)]
		if one.end == end && !one.tripsOnly {
			return one, next - 1
		}
		if one.end <= end {
			break
		}
	}
	return nil, next
}

// level brings a step of this node into the form in which steps of several nodes add up: its gauges
// are means, and weigh less if the node was there for only a part of the step.
func (s *sample) level() {
	const whole = float32(Step / time.Second)
	if s.readings == 0 || s.seconds <= 0 {
		s.readings, s.seconds = 1, whole
		return
	}
	part := min(1, s.seconds/whole)
	for _, gauge := range []*float32{&s.online, &s.available, &s.trips, &s.sessions} {
		*gauge *= part / float32(s.readings)
	}
	s.locations *= part * whole / s.seconds
	s.readings, s.seconds = 1, whole
}

// add adds another node's figures of the same step.
func (s *sample) add(o *sample) {
	readings, seconds := s.readings, s.seconds
	s.merge(o)
	s.readings, s.seconds = readings, seconds
}

// frame is the step as it goes to other nodes.
func (s *sample) frame() *nodepb.ChartStep {
	m := &nodepb.ChartStep{
		End: s.end, Requests: s.requests, Matches: s.matches, Completions: s.completions, Cancellations: s.cancellations, Expiries: s.expiries,
		WaitsSumMs: s.waits.sumMS, DriversOnline: s.online, DriversAvailable: s.available, TripsLive: s.trips, Sessions: s.sessions,
		Locations: s.locations, Commits: s.commits, CommitsMs: s.commitMS, CommitMaxMs: s.commitMaxMS,
	}
	if s.matches > 0 {
		for _, n := range s.waits.classes {
			m.Waits = append(m.Waits, uint32(n))
		}
	}
	return m
}

// sampleOf reads a step of another node. Classes that this version does not know are left out.
func sampleOf(m *nodepb.ChartStep) sample {
	s := sample{
		end: m.GetEnd(), requests: m.GetRequests(), matches: m.GetMatches(), completions: m.GetCompletions(),
		cancellations: m.GetCancellations(), expiries: m.GetExpiries(),
		readings: 1, online: m.GetDriversOnline(), available: m.GetDriversAvailable(), trips: m.GetTripsLive(), sessions: m.GetSessions(),
		locations: m.GetLocations(), seconds: float32(Step / time.Second),
		commits: m.GetCommits(), commitMS: m.GetCommitsMs(), commitMaxMS: m.GetCommitMaxMs(),
	}
	s.waits.sumMS = m.GetWaitsSumMs()
	for i, n := range m.GetWaits() {
		if i < waitClasses {
			s.waits.classes[i] = uint16(min(n, 1<<16-1))
		}
	}
	return s
}
