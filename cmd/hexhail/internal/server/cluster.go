package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hexhail/hexhail/actors"
	"github.com/hexhail/hexhail/actors/cluster"
	"github.com/hexhail/hexhail/actors/cluster/link"
	"github.com/hexhail/hexhail/actors/cluster/membership"
	"github.com/hexhail/hexhail/actors/cluster/registry"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/nodetls"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/ops"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
)

// ExitEnded is the exit code of a node that ends itself because it can no longer take part in its
// cluster. A supervisor starts it again, as a new member. (EX_TEMPFAIL of sysexits.h.)
const ExitEnded = 75

const (
	// lookEvery is the interval at which a node looks after its database and its warnings.
	lookEvery = 500 * time.Millisecond
	// farewell bounds the deletion of the key of a node that ends itself.
	farewell = 500 * time.Millisecond
)

// clusterNode is a server's place in its cluster.
type clusterNode struct {
	cfg     *config.Config
	log     *slog.Logger
	exit    func(code int)
	version string
	store   interface{ Health() persistence.Health }
	actors  *actors.System

	link    *link.Link
	members *cluster.Members
	joined  chan struct{} // closed once members is set
	maps    sync.Mutex    // held while the others are notified of a map

	stop context.CancelFunc
	done sync.WaitGroup
}

// listen opens the address for the other nodes.
func (n *clusterNode) listen(metrics prometheus.Registerer) error {
	c := n.cfg.Cluster
	cfg := link.DefaultConfig()
	cfg.Listen, cfg.Advertise, cfg.Log = c.ListenAddress(), c.Advertise, n.log
	broken := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "hexhail_node_streams_broken_total", Help: "Streams of other nodes that were ended because of what they held.",
	})
	metrics.MustRegister(broken)
	cfg.Broken = func(err error) {
		broken.Inc()
		n.log.Warn("ended a stream of another node because of what it held", "error", err)
	}
	if c.Cert == "" {
		if err := nodetls.PlaintextAllowed(cfg.Listen, cfg.Advertise); err != nil {
			return err
		}
	} else {
		creds, err := nodetls.New(nodetls.Options{
			Files: nodetls.Files{Certificate: c.Cert, Key: c.Key, CA: c.CA}, Advertise: c.Advertise, Log: n.log,
		})
		if err != nil {
			return err
		}
		refused := prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hexhail_node_handshakes_refused_total", Help: "Connections between nodes that were refused: no certificate, another CA, another name, or not TLS. " +
				"In: others to this node; out: this node to others.",
		}, []string{"direction"})
		in, out := refused.WithLabelValues("in"), refused.WithLabelValues("out")
		metrics.MustRegister(creds, refused)
		cfg.Server, cfg.Client = creds.Server(), creds.Client
		cfg.Refused = func(err error) {
			in.Inc()
			n.log.Debug("refused a connection to the nodes' address", "error", err)
		}
		cfg.Refuses = func(address string, err error) {
			out.Inc()
			n.log.Debug("refused the node at an address", "address", address, "error", err)
		}
	}
	if strings.HasSuffix(c.Advertise, ":0") { // the port is known once it listens
		cfg.Listen, cfg.Advertise = c.Advertise, ""
	}
	var err error
	n.link, err = link.Start(cfg)
	return err
}

// join joins the cluster as soon as its registry answers, and does not wait for that.
func (n *clusterNode) join(version string, mapID func() string) error {
	reg, err := registry.ParseURL(n.cfg.Cluster.Registry.Reveal())
	if err != nil {
		return err
	}
	reg.Limits, reg.Log = limitsOf(n.cfg.Cluster), n.log
	settings, err := settingsDigests(n.cfg, mapID())
	if err != nil {
		return err
	}
	here := n.link.Self()
	n.members, err = cluster.Start(cluster.Config{
		Self: membership.Member{
			ID:      n.id(),
			Address: here.Address, Version: version, Settings: settings,
		},
		Registry: reg, Ping: n.ping, Changed: n.changed, Ended: n.ended,
	})
	if err != nil {
		return err
	}
	close(n.joined)
	n.mapChanged(mapID) // it may have been replaced meanwhile
	n.link.Answer(n.answer)
	var life context.Context
	life, n.stop = context.WithCancel(context.Background()) // close calls it
	n.done.Go(func() { n.look(life) })
	return nil
}

// leaveNoticed is the time in which the other nodes learn that this one leaves: they list the registry
// and ping twice a second.
const leaveNoticed = time.Second

// leave lets the other nodes take over what this one owns, and waits until they have noticed.
func (n *clusterNode) leave(ctx context.Context) error {
	if err := n.members.Leave(ctx); err != nil {
		n.log.Warn("the other nodes learn of this one's end by its silence", "error", err)
	}
	if !n.accompanied() {
		return nil
	}
	notice := time.NewTimer(leaveNoticed)
	defer notice.Stop()
	select {
	case <-notice.C:
	case <-ctx.Done():
	}
	return nil
}

// accompanied reports whether there are other nodes, at which clients can go on.
func (n *clusterNode) accompanied() bool {
	if n.members == nil {
		return false // it has not begun to join
	}
	here := n.link.Self()
	return slices.ContainsFunc(n.members.View().Members, func(m membership.Member) bool { return memberOf(m) != here })
}

// close ends membership and the links. It is called after the actors have stopped.
func (n *clusterNode) close(context.Context) error {
	if n.members != nil {
		n.stop()
		n.done.Wait()
		n.members.Close()
	}
	n.link.Close()
	return nil
}

// ping asks another node for its view.
func (n *clusterNode) ping(ctx context.Context, to membership.Member) (a membership.Answer, err error) {
	b, err := n.link.Ping(ctx, memberOf(to))
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(b, &a)
}

// answer is this node's view for another.
func (n *clusterNode) answer(from actors.Member) ([]byte, bool) {
	id := membership.ID{Incarnation: from.Incarnation}
	for _, m := range n.members.View().Ping {
		if memberOf(m) == from {
			id = m.ID
		}
	}
	a, ok := n.members.Answer(id)
	if !ok {
		return nil, false
	}
	b, err := json.Marshal(a)
	if err != nil {
		n.log.Error("answer to another node cannot be encoded", "error", err)
		return nil, false
	}
	return b, true
}

// changed takes a new list of members, and of those that leave.
func (n *clusterNode) changed(members, leaving []membership.Member) {
	list := make([]actors.Member, len(members))
	names := make([]string, len(members))
	for i, m := range members {
		list[i], names[i] = memberOf(m), m.ID.String()
		// A new node sends what must not wait, such as its sessions, before it is pinged.
		if list[i] != n.link.Self() {
			n.link.Meet(list[i])
		}
	}
	gone := make([]actors.Member, len(leaving))
	for i, m := range leaving {
		gone[i] = memberOf(m)
	}
	n.log.Info("members of the cluster", "members", strings.Join(names, " "))
	n.actors.SetMembers(list, gone...)
}

// describe returns the name and the version of a node, for operators.
func (n *clusterNode) describe(of actors.Member) (name, version string) {
	if of == n.link.Self() {
		return n.cfg.Cluster.NodeName(), n.version
	}
	select {
	case <-n.joined:
	default: // nothing is known of the others
		return "", ""
	}
	for _, m := range n.members.View().Members {
		if memberOf(m) == of {
			return m.ID.Node, m.Version
		}
	}
	return "", ""
}

// dropped returns the nodes that left because they did not answer, for operators.
func (n *clusterNode) dropped() (out []actors.Dropped) {
	select {
	case <-n.joined:
	default: // nothing is known of the others
		return nil
	}
	for _, e := range n.members.View().Excluded {
		if e.Reason == membership.Silent {
			out = append(out, actors.Dropped{Member: memberOf(e.Member), Name: e.Node, Version: e.Version, At: e.At})
		}
	}
	return out
}

// ended ends this process, whose connections would only mislead others. What it has written is in the
// database; what it was about to write is stale.
func (n *clusterNode) ended(end membership.End) {
	n.log.Error("this node ends: it can no longer take part in its cluster", "reason", end.Reason)
	go func() {
		done := make(chan struct{})
		go func() {
			<-n.joined
			n.members.Close() // deletes the key, so that the others need not wait for its end
			close(done)
		}()
		select {
		case <-done:
		case <-time.After(farewell):
		}
		n.exit(ExitEnded)
	}()
}

// reaches reports whether a node reaches a database of this health. Writes that wait for a lock do not
// count against the node: the lock may be that of a node which was cut off in the middle of a
// transaction, and one that ended for it would take the next one along.
func reaches(h persistence.Health) bool {
	return !h.Failing || h.Cause == persistence.CauseSlow || h.Cause == persistence.CauseLocked
}

// look tells the cluster whether this node reaches the database, and the log what the cluster warns of.
func (n *clusterNode) look(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var before []string
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		n.members.Database(reaches(n.store.Health()))
		var now []string
		for _, w := range n.members.View().Warnings {
			text := w.String()
			if now = append(now, text); !slices.Contains(before, text) {
				n.log.Warn("cluster: " + text)
			}
		}
		before = now
	}
}

// finding says what keeps this node from serving its part.
func (n *clusterNode) finding() error {
	v := n.members.View()
	err := n.members.Ready()
	switch {
	case v.End.Rule != membership.Stay:
		return &ops.Finding{Cause: "cluster_ended", Text: "This node ends itself: " + v.End.Reason + "."}
	case !v.Joined && err != nil && !errors.Is(err, registry.ErrNotRegistered):
		return &ops.Finding{Cause: "cluster_registry", Text: "This node has not joined its cluster yet: " + err.Error() + "."}
	case !v.Joined && len(v.Awaited) > 0:
		return &ops.Finding{Cause: "cluster_joining", Text: "This node has not joined its cluster yet, because it has no answer from " + n.named(v.Awaited) +
			". Nodes must reach each other at the addresses that they advertise, both ways."}
	case !v.Joined:
		return &ops.Finding{Cause: "cluster_joining", Text: "This node is joining its cluster."}
	case v.Threat.Rule == membership.NoDatabase:
		return &ops.Finding{Cause: "cluster_database", Text: v.Threat.Reason}
	case v.Threat.Rule != membership.Stay:
		return &ops.Finding{Cause: "cluster_cut_off", Works: true, Text: v.Threat.Reason}
	}
	if oldest, names := v.Unlike(n.id()); len(names) > 0 {
		if slices.Equal(names, []string{settingStreets}) { // while maps are replaced on one node after the other
			return &ops.Finding{Cause: "cluster_streets", Works: true, Text: fmt.Sprintf("This node has another map of the streets than node %s, the oldest.", oldest.Node)}
		}
		return &ops.Finding{Cause: "cluster_settings", Text: fmt.Sprintf("This node differs from node %s, the oldest, in its settings: %s.", oldest.Node, strings.Join(names, ", "))}
	}
	if err != nil {
		return &ops.Finding{Cause: "cluster_registry", Works: true, Text: "The last list of members holds, because etcd does not answer: " + err.Error() + "."}
	}
	return nil
}

// named lists members, with what is known of why they do not answer.
func (n *clusterNode) named(members []membership.Member) string {
	out := make([]string, len(members))
	for i, m := range members {
		out[i] = m.Node + " at " + m.Address
		if err := n.link.Failure(memberOf(m)); err != nil {
			out[i] += fmt.Sprintf(" (%v)", err)
		}
	}
	return strings.Join(out, " and ")
}

// id names this node's process in the cluster.
func (n *clusterNode) id() membership.ID {
	return membership.ID{Node: n.cfg.Cluster.NodeName(), Incarnation: n.link.Self().Incarnation}
}

// memberOf is a member as links and actors know it.
func memberOf(m membership.Member) actors.Member {
	return actors.Member{Address: m.Address, Incarnation: m.ID.Incarnation}
}

// limitsOf translates the settings after which a node ends itself.
func limitsOf(c config.Cluster) membership.Limits {
	l := membership.DefaultLimits()
	l.Lease, l.KeepAlive = c.Lease, c.Lease/3
	l.Silent, l.Alone, l.Database = c.Silence, c.Alone, c.WithoutDatabase
	return l
}

// mapChanged tells the others which map of the streets this node has. One that has not joined yet does so
// when it has.
func (n *clusterNode) mapChanged(id func() string) {
	select {
	case <-n.joined:
	default:
		return
	}
	n.maps.Lock() // the last to ask for the map is the last to tell
	defer n.maps.Unlock()
	settings, err := settingsDigests(n.cfg, id())
	if err != nil {
		n.log.Error("the other nodes do not learn of the new map", "error", err)
		return
	}
	n.members.Settings(settings)
}

// settingStreets is the name of the map among the settings. Nodes work with different maps: each ignores
// what another's map says of a driver's place.
const settingStreets = "streets"

// settingsDigests identifies the settings that must be equal on all nodes, and the map, which should be.
// The map is named by what it holds, because nodes keep it at different places.
func settingsDigests(c *config.Config, mapID string) (string, error) {
	rules := c.Rules(c.Tariffs[0])
	policy := rules.Policy
	rules.Policy, rules.Tariff = ride.Policy{}, ride.Tariff{}
	digests := make(map[string]string)
	for name, setting := range map[string]any{
		"h3-resolution": c.Map.H3Resolution, "tariffs": c.Tariffs, "dispatch": []any{policy, c.Dispatch.Window, c.Dispatch.Zone, c.Dispatch.Worth}, "trip": rules, "trip-pin": c.Trip.PIN, settingStreets: mapID,
	} {
		b, err := json.Marshal(setting)
		if err != nil {
			return "", fmt.Errorf("digest of the settings: %w", err)
		}
		sum := sha256.Sum256(b)
		digests[name] = hex.EncodeToString(sum[:4])
	}
	return membership.Settings(digests), nil
}

// Describe and Collect make a node a prometheus.Collector.
func (n *clusterNode) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descMembers, descMembersLate, descClusterWarnings, descClusterJoined, descPause, descPauseLimit} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (n *clusterNode) Collect(ch chan<- prometheus.Metric) {
	v := n.members.View()
	gauge := func(d *prometheus.Desc, x float64) { ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, x) }
	gauge(descMembers, float64(len(v.Members)))
	gauge(descMembersLate, float64(len(v.Late)))
	gauge(descClusterWarnings, float64(len(v.Warnings)))
	joined := 0.0
	if v.Joined {
		joined = 1
	}
	gauge(descClusterJoined, joined)
	gauge(descPause, v.Pause.Seconds())
	gauge(descPauseLimit, limitsOf(n.cfg.Cluster).Lag().Seconds())
}

var (
	descMembers         = prometheus.NewDesc("hexhail_cluster_members", "Members of the cluster, as this node counts them.", nil, nil)
	descPause           = prometheus.NewDesc("hexhail_node_longest_pause_seconds", "The longest time for which this process stood still, since its start.", nil, nil)
	descPauseLimit      = prometheus.NewDesc("hexhail_node_tolerated_pause_seconds", "How long this process may stand still, again and again, without ending itself.", nil, nil)
	descMembersLate     = prometheus.NewDesc("hexhail_cluster_members_late", "Members that leave pings unanswered.", nil, nil)
	descClusterWarnings = prometheus.NewDesc("hexhail_cluster_warnings", "Warnings about the cluster, which the log and /readyz explain.", nil, nil)
	descClusterJoined   = prometheus.NewDesc("hexhail_cluster_joined", "1 when this node has joined its cluster.", nil, nil)
)
