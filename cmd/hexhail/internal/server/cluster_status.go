package server

import (
	"time"

	"github.com/hexhail/hexhail/actors"
	"github.com/hexhail/hexhail/actors/cluster/membership"
)

// ClusterStatus is a cluster as one of its nodes sees it: the JSON of /cluster on the operations
// listener.
type ClusterStatus struct {
	Node        string `json:"node"`
	Incarnation string `json:"incarnation"`
	// Joined says that the others count this node, WaitsFor why it is not ready.
	Joined   bool   `json:"joined"`
	WaitsFor string `json:"waits_for,omitempty"`
	// Shards is how many of AllShards this node owns, Trips how many actors of trips it runs.
	Shards    int   `json:"shards"`
	AllShards int   `json:"all_shards"`
	Trips     int64 `json:"trips"`
	Sockets   int   `json:"sockets"`
	// ClockDifferenceMS is this node's clock minus the database's, in milliseconds.
	ClockDifferenceMS int64 `json:"clock_difference_ms"`
	// LongestPauseMS is the longest time for which this process stood still since its start, and
	// ToleratedPauseMS how long it may, again and again, without ending itself.
	LongestPauseMS   int64          `json:"longest_pause_ms"`
	ToleratedPauseMS int64          `json:"tolerated_pause_ms"`
	Members          []MemberStatus `json:"members"`
	// Dropped are the latest former members, the newest last.
	Dropped  []DroppedStatus `json:"dropped,omitempty"`
	Warnings []string        `json:"warnings,omitempty"`
}

// MemberStatus is one member.
type MemberStatus struct {
	Node        string `json:"node"`
	Incarnation string `json:"incarnation"`
	Address     string `json:"address"`
	Version     string `json:"version"`
	Late        bool   `json:"late,omitempty"` // it leaves pings unanswered
	// SilentForMS is for how long a late member has not answered, and Failure why it cannot be reached,
	// if that is known.
	SilentForMS int64  `json:"silent_for_ms,omitempty"`
	Failure     string `json:"failure,omitempty"`
}

// DroppedStatus is a member that was dropped.
type DroppedStatus struct {
	Node        string    `json:"node"`
	Incarnation string    `json:"incarnation"`
	At          time.Time `json:"at"`
	Reason      string    `json:"reason"`
}

// droppedShown is how many former members a status names.
const droppedShown = 5

// clusterStatus is what this node sees, once all of it runs.
func (p *parts) clusterStatus() any {
	n, v := p.node, p.node.members.View()
	out := ClusterStatus{
		Node: p.cfg.Cluster.NodeName(), Incarnation: n.link.Self().Incarnation, Joined: v.Joined,
		Shards: p.actors.OwnedShards(), AllShards: actors.Shards, Trips: p.actors.TripActors(), Sockets: p.sessions.Registry().Len(),
		ClockDifferenceMS: p.store.Clock().Ahead.Milliseconds(), Members: []MemberStatus{},
		LongestPauseMS: v.Pause.Milliseconds(), ToleratedPauseMS: limitsOf(p.cfg.Cluster).Lag().Milliseconds(),
	}
	if err := n.finding(); err != nil {
		out.WaitsFor = err.Error()
	}
	late := make(map[membership.ID]time.Time, len(v.Late))
	for _, l := range v.Late {
		late[l.ID] = l.Since
	}
	for _, m := range v.Members {
		s := MemberStatus{Node: m.Node, Incarnation: m.Incarnation, Address: m.Address, Version: m.Version}
		if since, ok := late[m.ID]; ok {
			s.Late, s.SilentForMS = true, time.Since(since).Milliseconds()
			if err := n.link.Failure(memberOf(m)); err != nil {
				s.Failure = err.Error()
			}
		}
		out.Members = append(out.Members, s)
	}
	for _, e := range v.Excluded[max(0, len(v.Excluded)-droppedShown):] {
		out.Dropped = append(out.Dropped, DroppedStatus{Node: e.Node, Incarnation: e.Incarnation, At: e.At, Reason: e.Reason.String()})
	}
	for _, w := range v.Warnings {
		out.Warnings = append(out.Warnings, w.String())
	}
	return out
}
