package actors

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/actors/city"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

const (
	// gatherFor is how long an operator waits for the answers of other nodes to be shown together. What
	// comes later is shown with the next ones.
	gatherFor = 100 * time.Millisecond
	// goneFor is how long a node that did not answer stays in the operators' list after it has left.
	goneFor = 5 * time.Minute
)

// cityWatch is what a screen watches: this node and, in a cluster, all others. It asks each of them at
// its interval for one part at a time, so a node that answers late, or never, delays no other.
type cityWatch struct {
	*city.Watch // of this node
	want        *ridepb.WatchCity
	begun       bool        // this node's snapshot has been read
	merge       *city.Merge // nil: this node is alone
	nodes       map[string]*watchedNode
	gone        []*watchedNode
	showAt      time.Time // until then, what is awaited is waited for
}

// watchedNode is another node, as a watch sees it.
type watchedNode struct {
	member   Member
	started  time.Time // zero: unknown
	received uint64    // number of the newest part
	begun    bool      // its snapshot has been read
	asked    time.Time // zero: no answer is awaited
	heard    time.Time // zero: never
	missing  bool
	left     time.Time // when it left the cluster; zero: it is a member
	// The node as it was shown last, when its name was known.
	name, version string
}

// nodesDue is the time to show what the other nodes have answered, and to see which have not.
type nodesDue struct{ watch uint32 }

// watchCity starts a watch.
func (o *operatorActor) watchCity(want *ridepb.WatchCity) *cityWatch {
	o.watches++
	w := &cityWatch{Watch: o.sys.city.Watch(o.watches, want)}
	if o.sys.others == nil {
		return w
	}
	w.merge, w.nodes = city.NewMerge(o.watches), make(map[string]*watchedNode)
	w.want, _ = proto.Clone(want).(*ridepb.WatchCity)
	w.want.Samples = false // the charts of this node are those of all
	w.gone = o.sys.lately(time.Now())
	o.follow(w, time.Now())
	return w
}

// shownNodes are the nodes of a watch as operators see them, by name; nil: this node is alone.
func (o *operatorActor) shownNodes(w *cityWatch) *ridepb.CityNodes {
	if w.merge == nil {
		return nil
	}
	out := &ridepb.CityNodes{List: []*ridepb.CityNode{o.sys.showSelf()}}
	for _, n := range slices.AppendSeq(slices.Clone(w.gone), maps.Values(w.nodes)) {
		if n.left.IsZero() {
			n.name, n.version = o.sys.describe(n.member)
		}
		shown := &ridepb.CityNode{Name: n.name, Version: n.version, State: ridepb.CityNode_answering}
		if !n.started.IsZero() {
			shown.StartedAt = view.Time(n.started)
		}
		if n.missing {
			shown.State = ridepb.CityNode_missing
			if !n.heard.IsZero() {
				shown.HeardAt = view.Time(n.heard)
			}
		}
		if !n.left.IsZero() {
			shown.State = ridepb.CityNode_gone
		}
		out.List = append(out.List, shown)
	}
	slices.SortFunc(out.GetList(), func(a, b *ridepb.CityNode) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return out
}

// follow follows the members: new ones are watched, those that have left are not.
func (o *operatorActor) follow(w *cityWatch, now time.Time) {
	changed, members := false, o.sys.others()
	for _, m := range members {
		if w.nodes[m.node()] == nil {
			changed, w.nodes[m.node()] = true, &watchedNode{member: m}
			name, _ := o.sys.describe(m)
			w.gone = slices.DeleteFunc(w.gone, func(n *watchedNode) bool { return n.member.Address == m.Address || n.name == name })
		}
	}
	for key, n := range w.nodes {
		if slices.Contains(members, n.member) {
			continue
		}
		changed = true
		delete(w.nodes, key)
		w.merge.Drop(key)
		if n.missing {
			n.left = now
			w.gone = append(w.gone, n)
		}
	}
	was := len(w.gone)
	w.gone = slices.DeleteFunc(w.gone, func(n *watchedNode) bool { return now.Sub(n.left) > goneFor })
	if changed || len(w.gone) != was {
		w.merge.SetNodes(o.shownNodes(w))
	}
}

// tellAll looks at this node, asks the others and returns when to call it again.
func (o *operatorActor) tellAll(ctx actor.Context, s *screen) (next time.Duration) {
	w, now := s.watch, time.Now()
	o.follow(w, now)
	if s.out.Backlog() > city.MaxBacklog {
		return min(w.Every(), city.LookAgain)
	}
	for more := true; more; {
		var part *ridepb.CityChanged
		if part, more = w.Look(now); part != nil {
			w.merge.Take(o.sys.self, named(part, o.sys.showSelf().GetName()), more)
		}
		if len(part.GetActors()) > 0 {
			w.merge.ShowActors()
		}
		if more && !o.show(s) {
			return min(w.Every(), city.LookAgain)
		}
	}
	w.begun = true
	o.askAll(ctx, s, now)
	return w.Every()
}

// named names the node of a part's actors.
func named(part *ridepb.CityChanged, node string) *ridepb.CityChanged {
	for _, k := range part.GetActors() {
		k.Node = &ridepb.NodeRef{Name: node}
	}
	return part
}

// askAll asks every other node that has no look to answer, notes which are missing, and shows what
// there is, at once unless answers are on the way.
func (o *operatorActor) askAll(ctx actor.Context, s *screen, now time.Time) {
	w := s.watch
	for _, n := range w.nodes {
		if n.asked.IsZero() {
			o.ask(ctx, w, n, now)
		}
	}
	w.showAt = now.Add(gatherFor)
	if !o.await(ctx, s, now) || !w.whole() {
		o.show(s)
	}
}

func (o *operatorActor) ask(ctx actor.Context, w *cityWatch, n *watchedNode, now time.Time) {
	n.asked = now
	ctx.Request(actor.NewPID(n.member.node(), watcherName), cityLook{
		Account: o.account.ID, Watch: w.Number(), Want: w.want, Received: n.received,
	})
}

// await reports whether answers are on the way, after asking those again that have not answered in
// time, and has itself called when the next one is due.
func (o *operatorActor) await(ctx actor.Context, s *screen, now time.Time) (awaited bool) {
	w, limit := s.watch, o.sys.cfg.MissingAfter
	due := time.Duration(-1)
	for _, n := range w.nodes {
		if n.asked.IsZero() {
			continue
		}
		left := limit - now.Sub(n.asked)
		if left <= 0 {
			if !n.missing {
				n.missing = true
				w.merge.SetNodes(o.shownNodes(w))
			}
			o.ask(ctx, w, n, now)
			left = limit
		}
		if due < 0 || left < due {
			due = left
		}
		awaited = awaited || !n.missing
	}
	if wait := w.showAt.Sub(now); awaited && wait > 0 {
		due = min(due, wait)
	}
	if due < 0 {
		o.timers.Cancel(s.nodesTimer())
	} else {
		o.timers.After(s.nodesTimer(), due, o.sys.sender(ctx.Self(), nodesDue{w.Number()}))
	}
	return awaited
}

// onNodesDue shows what has been answered so far.
func (o *operatorActor) onNodesDue(ctx actor.Context, s *screen) {
	now := time.Now()
	o.follow(s.watch, now)
	o.await(ctx, s, now)
	o.show(s)
}

// onCityPart takes another node's answer.
func (o *operatorActor) onCityPart(ctx actor.Context, m cityPart) {
	s := o.watching(m.Watch)
	if !o.mine(m.Account) || s == nil || s.watch.merge == nil || ctx.Sender() == nil {
		return
	}
	w, now := s.watch, time.Now()
	n := w.nodes[ctx.Sender().GetAddress()]
	if n == nil || m.Number != n.received+1 { // it has left, or this came twice
		return
	}
	n.received, n.asked, n.heard = m.Number, time.Time{}, now
	if n.missing || n.started.IsZero() {
		n.missing = false
		if n.started.IsZero() {
			n.started = now.Add(-m.Up)
		}
		w.merge.SetNodes(o.shownNodes(w))
	}
	if n.name == "" {
		n.name, n.version = o.sys.describe(n.member)
	}
	w.merge.Take(ctx.Sender().GetAddress(), named(m.Changed, n.name), m.More)
	n.begun = n.begun || !m.More
	if m.More && s.out.Backlog() <= city.MaxBacklog {
		o.ask(ctx, w, n, now)
	}
	if !o.await(ctx, s, now) || !w.whole() {
		o.show(s)
	}
}

// whole reports whether the snapshots of all nodes that answer have been read.
func (w *cityWatch) whole() bool {
	for _, n := range w.nodes {
		if !n.begun && !n.missing {
			return false
		}
	}
	return w.begun
}

// show sends a screen what has changed, unless much of what it was sent is still unread. It reports
// whether all has been sent.
func (o *operatorActor) show(s *screen) (all bool) {
	for s.out.Backlog() <= city.MaxBacklog {
		part, more := s.watch.merge.Next(time.Now(), s.watch.whole())
		if part != nil {
			o.send(s, part)
		}
		if !more {
			return true
		}
	}
	return false
}

// watching returns the screen of a watch; nil if the watch has ended.
func (o *operatorActor) watching(watch uint32) *screen {
	for _, s := range o.screens {
		if s.watch != nil && s.watch.Number() == watch {
			return s
		}
	}
	return nil
}

// lately returns the nodes that left without a word lately and are not back, for a watch that was not
// there to see it.
func (s *shared) lately(now time.Time) (gone []*watchedNode) {
	if s.cfg.Cluster.Dropped == nil {
		return nil
	}
	self, _ := s.describe(s.cfg.Cluster.Self)
	for _, d := range s.cfg.Cluster.Dropped() {
		if now.Sub(d.At) > goneFor || d.Address == s.cfg.Cluster.Self.Address || d.Name == self {
			continue
		}
		n := &watchedNode{member: d.Member, name: cmp.Or(d.Name, d.Address), version: d.Version, missing: true, left: d.At}
		gone = slices.DeleteFunc(gone, func(before *watchedNode) bool { return before.member.Address == d.Address || before.name == n.name })
		gone = append(gone, n)
	}
	return gone
}

// showSelf is this node as operators see it.
func (s *shared) showSelf() *ridepb.CityNode {
	name, version := s.describe(s.cfg.Cluster.Self)
	return &ridepb.CityNode{Name: name, Version: version, State: ridepb.CityNode_answering, StartedAt: view.Time(s.city.Started())}
}

// describe returns what operators call a node, and its version as far as it is known.
func (s *shared) describe(m Member) (name, version string) {
	if f := s.cfg.Cluster.Describe; f != nil {
		name, version = f(m)
	}
	return cmp.Or(name, m.Address), version
}
