package actors

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// Receive delivers a frame that another node sent. A Link calls it for the frames of one node one
// after the other; it never blocks. A frame that makes no sense here is counted and dropped.
func (s *System) Receive(f *nodepb.NodeFrame) { s.nodes.count(s.nodes.receive(f)) }

// SetMembers takes a new list of the cluster's processes. The trips that another node owns by it
// stop here, those that are this node's wake. Without a list a node owns no trip. Those that leave
// own none, but their people are still heard and answered, and hand over to other nodes. Calls must
// not overlap.
func (s *System) SetMembers(members []Member, leaving ...Member) {
	n := s.nodes
	before, now := n.table.Load(), newMemberTable(n.self, members)
	now.leaving = leaving
	n.table.Store(now)
	n.place.keepWaiting(now)
	n.place.drop(now)
	addresses := make([]string, len(now.all))
	for i, m := range now.all {
		addresses[i] = m.node()
	}
	s.city.SetNodes(addresses)
	for shard := range now.owners {
		if now.ownsShard(shard) && !before.ownsShard(shard) {
			s.askTakeOver()
			break
		}
	}
	for _, pid := range s.place.PeopleHere() {
		s.root.Send(pid, ownersChanged{before, now})
	}
	n.repeat()
}

// HandOver waits until other nodes have taken over all riders and drivers here, and have been passed
// on what arrived late for them, or until the time is up. The sessions must have ended.
func (s *System) HandOver(ctx context.Context, within time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	_ = s.waitFor(ctx, func() bool { return s.kinds.rider.Alive()+s.kinds.driver.Alive() == 0 }) // or the time is up
}

// OwnedShards is how many of the Shards this node owns; all of them when it is alone.
func (s *System) OwnedShards() int {
	if s.nodes == nil {
		return Shards
	}
	n, t := 0, s.nodes.table.Load()
	for shard := range Shards {
		if t.ownsShard(shard) {
			n++
		}
	}
	return n
}

// TripActors is how many actors of trips live on this node.
func (s *System) TripActors() int64 { return s.kinds.trip.Alive() }

// Actors counts the actors by kind: of all nodes that answer in time, and says which those are. Alone,
// it counts those of this node, and there are no nodes.
func (s *System) Actors(ctx context.Context) ([]*ridepb.ActorKind, []*ridepb.CityNode) {
	if s.nodes == nil {
		return s.city.Actors(), nil
	}
	self, wait := s.showSelf(), s.cfg.MissingAfter
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(deadline))
	}
	kinds := named(&ridepb.CityChanged{Actors: s.city.Actors()}, self.GetName()).GetActors()
	nodes, others := []*ridepb.CityNode{self}, s.others()
	answers := make([]*actor.Future, len(others))
	for i, m := range others { // all at once
		answers[i] = s.root.RequestFuture(actor.NewPID(m.node(), watcherName), cityLook{}, wait)
	}
	for i, m := range others {
		name, version := s.describe(m)
		shown := &ridepb.CityNode{Name: name, Version: version, State: ridepb.CityNode_missing}
		r, err := answers[i].Result()
		if part, ok := r.(cityPart); err == nil && ok {
			shown.State, shown.StartedAt = ridepb.CityNode_answering, view.Time(time.Now().Add(-part.Up))
			kinds = append(kinds, named(part.Changed, name).GetActors()...)
		}
		nodes = append(nodes, shown)
	}
	slices.SortFunc(nodes, func(a, b *ridepb.CityNode) int { return cmp.Compare(a.GetName(), b.GetName()) })
	slices.SortStableFunc(kinds, func(a, b *ridepb.ActorKind) int { return cmp.Compare(a.GetNode().GetName(), b.GetNode().GetName()) })
	return kinds, nodes
}
