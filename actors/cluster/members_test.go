package cluster

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/actors/cluster/membership"
	"github.com/hexhail/hexhail/actors/cluster/registry"
	"github.com/hexhail/hexhail/actors/cluster/registry/etcdtest"
)

// room are processes that ping each other by calls.
type room struct {
	registry registry.Config

	mu      sync.Mutex
	members map[string]*Members // by address
	counted map[string][]string // nodes, by the node that counts them
	changes map[string]int
	ends    map[string]membership.End
}

func (r *room) join(t *testing.T, node string) *Members {
	t.Helper()
	m, err := Start(Config{
		Self: membership.Member{ID: membership.ID{Node: node, Incarnation: "1"}, Address: node}, Registry: r.registry,
		Ping: func(_ context.Context, to membership.Member) (membership.Answer, error) {
			r.mu.Lock()
			other := r.members[to.Address]
			r.mu.Unlock()
			if other == nil {
				return membership.Answer{}, errors.New("nothing there")
			}
			a, ok := other.Answer(membership.ID{Node: node, Incarnation: "1"})
			if !ok {
				return a, errors.New("silent")
			}
			return a, nil
		},
		Changed: func(members, _ []membership.Member) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.counted[node] = nil
			r.changes[node]++
			for _, m := range members {
				r.counted[node] = append(r.counted[node], m.Node)
			}
		},
		Ended: func(end membership.End) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.ends[node] = end
		},
	})
	require.NoError(t, err)
	t.Cleanup(m.Close)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members[node] = m
	return m
}

// wait waits until each of the nodes counts exactly these.
func (r *room) wait(t *testing.T, by []string, nodes ...string) {
	t.Helper()
	require.Eventually(t, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return !slices.ContainsFunc(by, func(n string) bool { return !slices.Equal(r.counted[n], nodes) })
	}, patience, 5*time.Millisecond)
}

// newRoom starts an etcd. Of the limits only the lease and the silence are waited for; the others are
// wide, for slow machines.
func newRoom(t *testing.T, lease time.Duration) (*room, *etcdtest.Server) {
	t.Helper()
	s := etcdtest.New(t)
	c := registry.DefaultConfig()
	c.Endpoints, c.Log = []string{s.Endpoint()}, slog.New(slog.DiscardHandler)
	c.Limits.Lease, c.Limits.KeepAlive, c.Limits.List, c.Limits.Ping = lease, lease/4, 50*time.Millisecond, 50*time.Millisecond
	c.Limits.Database, c.Limits.Alone = time.Second, time.Minute
	return &room{registry: c, members: map[string]*Members{}, counted: map[string][]string{}, changes: map[string]int{}, ends: map[string]membership.End{}}, s
}

func (r *room) verdict(node string) membership.Rule {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ends[node].Rule
}

// TestFrozenEtcdChangesNothing: etcd stands still until all leases have run out, and no member drops
// another. A machine on which processes stand still for as long as the lease gets a longer one.
func TestFrozenEtcdChangesNothing(t *testing.T) {
	t.Parallel()
	for lease := 2 * time.Second; ; lease *= 2 {
		changes, ends := throughFreeze(t, lease)
		if len(changes)+len(ends) == 0 {
			return
		}
		t.Logf("with a lease of %v: changes %v, ends %v", lease, changes, ends)
		require.Less(t, lease, 16*time.Second, "no lease is long enough")
	}
}

// settled waits until all count each other, or one has ended itself.
func (r *room) settled(t *testing.T, all []string) bool {
	t.Helper()
	ended := false
	require.Eventually(t, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		ended = len(r.ends) > 0
		return ended || !slices.ContainsFunc(all, func(n string) bool { return !slices.Equal(r.counted[n], all) })
	}, patience, 5*time.Millisecond)
	return !ended
}

func throughFreeze(t *testing.T, lease time.Duration) (map[string]int, map[string]membership.End) {
	t.Helper()
	r, s := newRoom(t, lease)
	all := []string{"a", "b", "c"}
	for _, n := range all {
		r.join(t, n)
	}
	if !r.settled(t, all) { // this lease is too short for this machine
		r.mu.Lock()
		defer r.mu.Unlock()
		return maps.Clone(r.changes), maps.Clone(r.ends)
	}
	r.mu.Lock()
	clear(r.changes)
	r.mu.Unlock()
	thaw, err := s.Freeze()
	require.NoError(t, err)
	defer thaw()
	require.Eventually(t, func() bool { return r.members["a"].Ready() != nil }, patience, time.Millisecond)
	time.Sleep(lease + time.Second) // it is the end of the leases that is tested
	thaw()
	for n, m := range r.members {
		require.Eventually(t, func() bool { return m.Ready() == nil || r.verdict(n) != membership.Stay }, patience, time.Millisecond)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.changes), maps.Clone(r.ends)
}

func TestMembers(t *testing.T) {
	t.Parallel()
	r, _ := newRoom(t, 10*time.Second)
	all := []string{"a", "b", "c"}
	for _, n := range all {
		r.join(t, n)
	}
	r.wait(t, all, all...)

	// One leaves.
	require.Eventually(t, func() bool { return r.members["b"].Leave(t.Context()) == nil }, patience, 5*time.Millisecond)
	r.wait(t, all, "a", "c")
	r.members["b"].Close()

	// One has lost the database.
	r.members["c"].Database(false)
	require.Eventually(t, func() bool { return r.verdict("c") == membership.NoDatabase }, patience, 5*time.Millisecond)
	_, ok := r.members["c"].Answer(membership.ID{Node: "a", Incarnation: "1"})
	require.False(t, ok, "it must end, so it says no more")
	r.members["c"].Close()
	r.wait(t, []string{"a"}, "a")
	require.Equal(t, membership.Stay, r.members["a"].View().End.Rule, "alone, it stays")
}

func TestConfigIsChecked(t *testing.T) {
	ping := func(context.Context, membership.Member) (membership.Answer, error) { return membership.Answer{}, nil }
	good := Config{
		Self: membership.Member{ID: membership.ID{Node: "a", Incarnation: "1"}, Address: "a:1"}, Registry: registry.DefaultConfig(),
		Ping: ping, Changed: func(_, _ []membership.Member) {}, Ended: func(membership.End) {},
	}
	require.NoError(t, good.Validate())
	for name, change := range map[string]func(*Config){
		"address":     func(c *Config) { c.Self.Address = "" },
		"function":    func(c *Config) { c.Ping = nil },
		"endpoint":    func(c *Config) { c.Registry.Endpoints = nil },
		"incarnation": func(c *Config) { c.Self.ID = membership.ID{} },
		"missing.pem": func(c *Config) { c.Registry.TLS, c.Registry.CACert = true, "/missing.pem" },
	} {
		bad := good
		change(&bad)
		_, err := Start(bad)
		require.ErrorContains(t, err, name)
	}
}
