package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/cluster"
	"github.com/asynkron/protoactor-go/remote"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/hexhail/hexhail/actors/cluster/membership"
	"github.com/hexhail/hexhail/actors/cluster/registry"
	"github.com/hexhail/hexhail/actors/cluster/registry/etcdtest"
)

// patience bounds waiting for a fact; it is long, for slow machines.
const patience = time.Minute

// node is an actor system in the cluster. Its actor "pulse" answers pings, as a gate does.
type node struct {
	*cluster.Cluster
	provider *Provider
	id       membership.ID

	mu      sync.Mutex
	members *Members
	ended   membership.End
	block   bool // pings stay unanswered
	listed  *cluster.ClusterTopology
}

// pulse answers pings.
func (n *node) pulse(ctx actor.Context) {
	m, ok := ctx.Message().(*wrapperspb.BytesValue)
	if !ok {
		return
	}
	var from membership.ID
	if json.Unmarshal(m.Value, &from) != nil || n.here() == nil || n.blocked() {
		return
	}
	if a, ok := n.here().Answer(from); ok {
		b, _ := json.Marshal(a)
		ctx.Respond(wrapperspb.Bytes(b))
	}
}

func (n *node) here() *Members {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.members
}

func (n *node) blocked() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.block
}

func (n *node) verdict() membership.End {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ended
}

// ping asks the other's pulse.
func (n *node) ping(ctx context.Context, to membership.Member) (a membership.Answer, err error) {
	if n.blocked() {
		return a, errors.New("blocked")
	}
	b, err := json.Marshal(n.id)
	if err != nil {
		return a, err
	}
	deadline, _ := ctx.Deadline()
	reply, err := n.ActorSystem.Root.RequestFuture(actor.NewPID(to.Address, "pulse"), wrapperspb.Bytes(b), time.Until(deadline)).Result()
	if err != nil {
		return a, err
	}
	m, ok := reply.(*wrapperspb.BytesValue)
	if !ok {
		return a, errors.New("no answer")
	}
	return a, json.Unmarshal(m.Value, &a)
}

// noLookup finds no virtual actors.
type noLookup struct{}

func (noLookup) Get(*cluster.ClusterIdentity) *actor.PID        { return nil }
func (noLookup) RemovePid(*cluster.ClusterIdentity, *actor.PID) {}
func (noLookup) Setup(*cluster.Cluster, []string, bool)         {}
func (noLookup) Shutdown()                                      {}

func start(t *testing.T, name, incarnation string, c registry.Config) *node {
	t.Helper()
	n := &node{id: membership.ID{Node: name, Incarnation: incarnation}}
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	n.provider = NewProvider(Config{
		Self: membership.Member{ID: n.id}, Registry: c, Ping: n.ping,
		Ended: func(e membership.End) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.ended = e
		},
	}, func(m *Members) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.members = m
	})
	_, err := system.Root.SpawnNamed(actor.PropsFromFunc(n.pulse), "pulse")
	require.NoError(t, err)
	r := remote.Configure("127.0.0.1", 0, remote.WithEndpointWriterQueueSize(1024), remote.WithEndpointManagerQueueSize(1024))
	system.EventStream.Subscribe(func(event any) {
		if list, ok := event.(*cluster.ClusterTopology); ok {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.listed = list
		}
	})
	n.Cluster = cluster.New(system, Configure("test", n.provider, noLookup{}, r))
	n.StartMember()
	t.Cleanup(func() {
		_ = n.provider.Shutdown(true) // what matters is asserted
		n.Remote.Shutdown(false)
		system.Shutdown()
	})
	return n
}

// lists waits until protoactor's own list has so many members, and this one among them. Only its events
// are safe to read while it changes.
func (n *node) lists(t *testing.T, members int) {
	t.Helper()
	require.Eventually(t, func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return n.listed != nil && len(n.listed.Members) == members &&
			slices.ContainsFunc(n.listed.Members, func(m *cluster.Member) bool { return m.Id == n.ActorSystem.ID })
	}, patience, 10*time.Millisecond)
}

// TestProvider: two actor systems with protoactor's remoting find each other through etcd, and drop one
// that neither has a key nor answers; its next process joins.
func TestProvider(t *testing.T) {
	if raceDetector {
		t.Skip("each start of protoactor's remoting sets gRPC's global logger, which the other system is using")
	}
	t.Parallel()
	s := etcdtest.New(t)
	c := registry.DefaultConfig()
	c.Endpoints, c.Log = []string{s.Endpoint()}, slog.New(slog.DiscardHandler)
	c.Limits.Lease = 10 * time.Second // nothing waits for its end
	c.Limits.List, c.Limits.Ping, c.Limits.Late, c.Limits.Silent = 100*time.Millisecond, 200*time.Millisecond, time.Second, 4*time.Second
	c.Limits.Alone = time.Minute // it is not what is tested
	a, b := start(t, "a", "1", c), start(t, "b", "1", c)
	a.lists(t, 2)
	b.lists(t, 2)
	require.Eventually(t, func() bool {
		reply, err := a.ping(deadline(t), membership.Member{ID: b.id, Address: b.ActorSystem.Address()})
		return err == nil && reply.From.ID == b.id && reply.You == membership.In && len(reply.Counted) == 2
	}, patience, 10*time.Millisecond)

	// b's key goes and does not come back while it does not answer.
	b.mu.Lock()
	b.block = true
	b.mu.Unlock()
	client, err := s.Client()
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	require.Eventually(t, func() bool {
		_, err := client.Delete(t.Context(), c.Prefix+"members/b/1")
		return err == nil && b.verdict().Rule != membership.Stay // until then it may register again
	}, patience, 10*time.Millisecond)
	require.NotEqual(t, membership.Stay, b.waitForEnd(t).Rule, "it was out of the registry, and no member answered")
	b.here().Close() // as the server does: a registration under way may have left a key
	var excluded []membership.Exclusion
	require.Eventually(t, func() bool {
		v := a.here().View()
		excluded = v.Excluded
		return len(v.Members) == 1 && len(excluded) > 0
	}, patience, 10*time.Millisecond)
	require.Equal(t, membership.Silent, excluded[0].Reason)
	a.lists(t, 1)

	// Its next process has another incarnation and the same name.
	again := start(t, "b", "2", c)
	a.lists(t, 2)
	if err := again.provider.Shutdown(true); err != nil {
		t.Logf("etcd took longer than a leaving node waits: %v", err)
	}
	a.lists(t, 1)

	// protoactor blocks for ever what leaves its list; a member that is listed again comes back.
	a.here().Close() // from here on the list is ours
	other := membership.Member{ID: again.id, Address: again.ActorSystem.Address()}
	for _, members := range [][]membership.Member{{other}, nil, {other}, nil, {other}} {
		a.MemberList.UpdateClusterTopology(a.provider.list(a.Cluster, append(members, a.provider.config.Self)))
		require.Equal(t, len(members)+1, a.MemberList.Length())
		require.True(t, a.MemberList.ContainsMemberID(a.ActorSystem.ID))
	}
	require.False(t, a.Remote.BlockList().IsBlocked(again.ActorSystem.ID), "its remoting still works")
}

// TestGossipIsOff: with gossip, protoactor would block a member that stood still for 20 s, for ever.
func TestGossipIsOff(t *testing.T) {
	p := NewProvider(Config{}, nil)
	c := &cluster.Cluster{Config: cluster.Configure("test", p, noLookup{}, remote.Configure("127.0.0.1", 0))}
	require.ErrorContains(t, p.StartMember(c), "gossip")
	require.Error(t, p.StartClient(c))
	require.NoError(t, p.Shutdown(true), "it never started")
}

func (n *node) waitForEnd(t *testing.T) membership.End {
	t.Helper()
	require.Eventually(t, func() bool { return n.verdict().Rule != membership.Stay }, patience, 10*time.Millisecond)
	return n.verdict()
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	t.Cleanup(cancel)
	return ctx
}
