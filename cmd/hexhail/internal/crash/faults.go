package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/server"
	"github.com/hexhail/hexhail/sim/check"
)

// The bounds of a cluster's faults, to which the measured lag of this machine is added.
const (
	wholeWithin = 15 * time.Second // until all nodes are members again
	endsWithin  = 10 * time.Second // until a node that stood still has ended itself
	// cutMargin is how much later than its limits say a node ends itself that is cut off.
	cutMargin = 1500 * time.Millisecond
)

// The time before a fault: calm is judged for searches, and comes after the time that the nodes have to
// settle. Every other fault follows soon after the former one.
const (
	calm = 4 * time.Second
	soon = time.Second
)

// maxMore bounds the faults that a run adds because it has not seen everything yet.
const maxMore = 8

// episode is a fault with what was seen. Times are on the records' clock.
type episode struct {
	fault fault
	began int64
	lost  []int         // nodes whose trips others take over, or would
	up    map[int]int64 // when they were started again, or could take part again
	over  int64         // when the fault itself had ended
	ended int64         // when all nodes were members again
}

// rounds carries out the schedule, and then more kills for as long as something was not seen that a run must
// see.
func (c *cluster) rounds(ctx context.Context) error {
	rng := rand.New(rand.NewPCG(c.o.Seed, uint64(len(c.schedule))))
	c.invite()
	defer c.guests.uninvite()
	planned, until := len(c.schedule), time.Now().Add(c.o.Duration)
	for n := 0; ; n++ {
		if n == len(c.schedule) {
			switch {
			case c.draw != nil && time.Now().Before(until):
				c.schedule = append(c.schedule, c.draw())
				planned = len(c.schedule)
			case c.o.Schedule == "" && n < planned+maxMore && len(c.unseen()) > 0:
				fmt.Fprintf(c.out, "another kill follows: no %s so far\n", strings.Join(c.unseen(), ", no "))
				c.schedule = append(c.schedule, fault{kind: killNode, node: rng.IntN(len(c.nodes)), lasts: alone(c.o.Lease) + time.Second})
			default:
				return nil
			}
		}
		f := c.schedule[n]
		before := soon
		switch {
		case n == 0:
			before = calm
		case n%2 == 0:
			before = calm + promised.Settle
		}
		if !c.pause(ctx, before) || !c.moment(ctx, rng, c.aim(n), c.concerns(f)) {
			return c.end()
		}
		e := &episode{fault: f, up: make(map[int]int64)}
		at := c.begin(e)
		// An interrupted run is judged, too, so the fault is ended.
		err := c.carryOut(context.WithoutCancel(ctx), e)
		if err == nil {
			err = c.heal(context.WithoutCancel(ctx), e)
		}
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrServer, f, err)
		}
		c.watch.back()
		fmt.Fprintf(c.out, "fault %2d: %-22s after %5.1f s, whole again after %4.1f s\n", n+1, f,
			at.Sub(c.begun).Seconds(), time.Duration(e.ended-e.began).Seconds())
	}
}

// blindEach is how often what ends a node at an unforeseen moment strikes at any moment.
const blindEach = 8

// aim is what a fault waits for. What ends a node at an unforeseen moment waits for an acceptance, and longer
// than others, since it must concern the node; one of blindEach waits for nothing.
func (c *cluster) aim(n int) aim {
	if !c.schedule[n].form().atOnce {
		return aims[n%len(aims)]
	}
	before := 0
	for _, f := range c.schedule[:n] {
		if f.form().atOnce {
			before++
		}
	}
	if before%blindEach == blindEach-1 {
		return aim{blind: true}
	}
	return aim{op: "accept", most: 3 * c.o.RoundMax}
}

// concerns reports whether a fault concerns an unanswered command: by its client's session or by its trip.
func (c *cluster) concerns(f fault) func(asked) bool {
	if !f.form().ofNode {
		return func(asked) bool { return true }
	}
	return func(a asked) bool {
		return a.node == f.node || (a.call.Trip != "" && c.ownerOf(a.call.Trip) == f.node)
	}
}

// begin notes a fault, just before it happens.
func (c *cluster) begin(e *episode) time.Time {
	at := time.Now()
	e.began = c.since(at)
	switch k := e.fault.form(); {
	case k.loses && k.ofNode:
		e.lost = []int{e.fault.node}
	case k.loses:
		for i := range c.nodes {
			e.lost = append(e.lost, i)
		}
	}
	c.episodes = append(c.episodes, e)
	if e.fault.form().atOnce {
		c.kills = append(c.kills, at)
	}
	c.watch.killed(e.began)
	c.city.Note(check.Record{What: check.FaultBegan, At: e.began, Op: e.fault.String()})
	return at
}

// carryOut does what a fault is, and starts again what it has ended.
func (c *cluster) carryOut(ctx context.Context, e *episode) error {
	f := e.fault
	switch f.kind {
	case killNode, killAll:
		for _, i := range e.lost {
			c.nodes[i].await().kill()
		}
		c.pause(ctx, f.lasts)
		return c.runAgain(ctx, e)
	case freezeNode:
		return c.freeze(ctx, e)
	case rollingRestart:
		return c.roll(ctx)
	case freezeEtcd:
		err := freezeProcess(c.etcd.server.Process)
		c.pause(ctx, f.lasts)
		return errors.Join(err, thawProcess(c.etcd.server.Process))
	case restartEtcd:
		c.etcd.crash()
		c.pause(ctx, f.lasts)
		return c.etcd.start(ctx)
	case restartPostgres:
		err := c.postgres.Crash()
		c.pause(ctx, f.lasts)
		return errors.Join(err, c.postgres.Resume())
	case cutNode, cutIn, cutOut, cutPostgres, cutEtcd, slowPostgres, slowEtcd:
		return c.cut(ctx, e)
	}
	return errors.New("no such fault")
}

// cut loses or delays what flows on some ways. A node that is cut off for longer than its limits must end
// itself, and its supervisor starts it again.
func (c *cluster) cut(ctx context.Context, e *episode) error {
	f, n := e.fault, c.nodes[e.fault.node]
	n.mu.Lock()
	n.mayEnd = f.form().ends
	before := n.ends
	n.mu.Unlock()
	if err := c.sever(f); err != nil {
		return err
	}
	c.pause(ctx, f.lasts)
	now := c.since(time.Now())
	lag := c.lag(e.began, now)
	n.mu.Lock()
	ended := n.ends > before
	n.mu.Unlock()
	if after := endsAfter(f.kind, c.o.Lease) + cutMargin; f.form().ends && !ended && f.lasts > after+lag {
		c.verdict.add(serverLife, "node %s was cut off for %s (%s) and did not end itself within %s", n.name, f.lasts, f.kind, after+lag)
	}
	if err := c.network.heal(); err != nil {
		return err
	}
	e.up[f.node] = c.since(time.Now())
	return nil
}

// runAgain starts the nodes that a fault has ended.
func (c *cluster) runAgain(ctx context.Context, e *episode) error {
	results := make(chan error, len(e.lost))
	for _, i := range e.lost {
		e.up[i] = c.since(time.Now())
		go func() { results <- c.run(ctx, c.nodes[i]) }()
	}
	var err error
	for range e.lost {
		err = errors.Join(err, <-results)
	}
	return err
}

// freeze lets a node stand still for longer than its lease. Then it must end itself.
func (c *cluster) freeze(ctx context.Context, e *episode) error {
	n := c.nodes[e.fault.node]
	n.mu.Lock()
	n.mayEnd = true
	child, before := n.child, n.ends
	n.mu.Unlock()
	err := freezeProcess(child.process)
	c.pause(ctx, e.fault.lasts)
	if err := errors.Join(err, thawProcess(child.process)); err != nil {
		return err
	}
	woke := c.since(time.Now())
	ended := func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return n.ends > before
	}
	until(ctx, strandedAfter, ended)
	took := c.since(time.Now()) - woke
	if lag := c.lag(woke, woke+took); !ended() || time.Duration(took) > endsWithin+lag {
		if e.fault.lasts > 2*c.o.Lease {
			c.verdict.add(serverLife, "node %s stood still for %s and did not end itself within %s", n.name, e.fault.lasts, endsWithin+lag)
		}
	}
	e.up[e.fault.node] = c.since(time.Now())
	return nil
}

// roll restarts the nodes one after the other, as an upgrade does.
func (c *cluster) roll(ctx context.Context) error {
	for _, n := range c.nodes {
		if err := c.shutDown(n); err != nil {
			c.verdict.add(serverLife, "a node did not shut down cleanly: %v", err)
		}
		if err := c.run(ctx, n); err != nil {
			return err
		}
		if !c.whole(ctx, strandedAfter) {
			return fmt.Errorf("node %s is not a member after its restart", n.name)
		}
	}
	return nil
}

// heal waits until all nodes are members again.
func (c *cluster) heal(ctx context.Context, e *episode) error {
	from := c.since(time.Now())
	e.over = from
	is := c.whole(ctx, strandedAfter)
	e.ended = c.since(time.Now())
	for _, n := range c.nodes {
		n.mu.Lock()
		n.mayEnd = false
		n.mu.Unlock()
	}
	took, lag := time.Duration(e.ended-from), c.lag(from, e.ended)
	if !is || took > wholeWithin+lag {
		c.verdict.add(recovery, "%s after %s the nodes did not count each other (this machine lagged by %s)", took.Round(time.Millisecond), e.fault, lag)
	}
	c.city.Note(check.Record{What: check.FaultEnded, At: e.ended, Op: e.fault.String()})
	if !is {
		return errors.New("the nodes do not find each other again")
	}
	return nil
}

// whole waits until each node counts the present processes of all nodes, and no others.
func (c *cluster) whole(ctx context.Context, most time.Duration) (is bool) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if c.counted(ctx) {
			return true
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		case <-c.broken:
			return false
		}
	}
}

// counted reports whether each node counts the present processes of all nodes, and no others.
func (c *cluster) counted(ctx context.Context) bool {
	var present []string
	var counted [][]string
	for _, n := range c.nodes {
		s, err := n.status(ctx)
		if err != nil || !s.Joined || s.WaitsFor != "" {
			return false
		}
		present = append(present, s.Incarnation)
		var members []string
		for _, m := range s.Members {
			if m.Late {
				return false
			}
			members = append(members, m.Incarnation)
		}
		slices.Sort(members)
		counted = append(counted, members)
	}
	slices.Sort(present)
	return !slices.ContainsFunc(counted, func(members []string) bool { return !slices.Equal(members, present) })
}

// status asks a node what it sees.
func (n *node) status(ctx context.Context) (s server.ClusterStatus, err error) {
	n.mu.Lock()
	ops := n.child.ops
	n.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+ops+"/cluster", nil)
	if err != nil {
		return s, err
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return s, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return s, errors.New(res.Status)
	}
	return s, json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&s)
}
