package registry

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/hexhail/hexhail/actors/cluster/membership"
	"github.com/hexhail/hexhail/actors/cluster/registry/etcdtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds waiting for a fact; it is long, for slow machines.
const patience = time.Minute

// registrant is a registered process and the reports that it received.
type registrant struct {
	*Registry
	id membership.ID

	mu       sync.Mutex
	refuse   bool // answer to LeaseLost
	join     bool // answer to Listed
	members  []membership.Member
	listings int
	granted  int
	lost     int
	failure  error
}

// register starts a registrant.
func register(t *testing.T, c Config, node string) *registrant {
	t.Helper()
	r := &registrant{id: membership.ID{Node: node, Incarnation: "1"}}
	reg, err := Start(c, membership.Member{ID: r.id, Address: node + ":1", Settings: "s"}, r)
	require.NoError(t, err)
	t.Cleanup(reg.Close)
	r.Registry = reg
	return r
}

func (r *registrant) Listed(_ time.Time, members []membership.Member) (join bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members = members
	r.listings++
	return r.join
}

func (r *registrant) ListFailed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failure = err
}

func (r *registrant) LeaseGranted() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.granted++
}

func (r *registrant) LeaseLost() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost++
	return !r.refuse
}

// latest is the latest listing.
func (r *registrant) latest() []membership.Member {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.members
}

// wait waits for a fact about a registrant.
func (r *registrant) wait(t *testing.T, fact func() bool) {
	t.Helper()
	require.Eventually(t, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return fact()
	}, patience, 5*time.Millisecond)
}

// says waits until a registrant's status has a reason, which is known once a call has failed by it.
func (r *registrant) says(t *testing.T, reason string) {
	t.Helper()
	require.Eventually(t, func() bool { err := r.Status(); return err != nil && strings.Contains(err.Error(), reason) }, patience, 5*time.Millisecond)
}

// sees waits until a registrant lists exactly these nodes.
func (r *registrant) sees(t *testing.T, nodes ...string) {
	t.Helper()
	r.wait(t, func() bool {
		var got []string
		for _, m := range r.members {
			got = append(got, m.Node)
		}
		slices.Sort(got)
		return slices.Equal(got, nodes)
	})
}

// quick are limits with which a lease ends soon. etcd grants no lease below two seconds.
func quick(t *testing.T, s *etcdtest.Server) Config {
	t.Helper()
	c := DefaultConfig()
	c.Endpoints = []string{s.Endpoint()}
	c.Limits.Lease, c.Limits.KeepAlive, c.Limits.List = 2*time.Second, 500*time.Millisecond, 50*time.Millisecond
	c.Log = slog.New(slog.DiscardHandler)
	return c
}

// abandon ends a registrant as kill -9 would: its key stays until the lease ends.
func (r *registrant) abandon() {
	r.cancel()
	<-r.done
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	s := etcdtest.New(t)
	c := quick(t, s)
	a, b := register(t, c, "a"), register(t, c, "b/with a slash")
	a.sees(t, "a", "b/with a slash")
	b.sees(t, "a", "b/with a slash")
	d := register(t, c, "d")
	for _, r := range []*registrant{a, b, d} {
		r.sees(t, "a", "b/with a slash", "d")
		require.Eventually(t, func() bool { return r.Status() == nil }, patience, time.Millisecond)
	}
	joined := map[string]int64{}
	a.wait(t, func() bool {
		clear(joined)
		for _, m := range a.members {
			joined[m.Node] = m.Joined
		}
		return joined["a"] > 0 && joined["d"] > 0
	})
	require.Greater(t, joined["d"], joined["a"], "the older one has joined before")

	// The mark.
	require.Eventually(t, func() bool { return d.Leave(t.Context()) == nil }, patience, time.Millisecond)
	a.wait(t, func() bool {
		return slices.ContainsFunc(a.members, func(m membership.Member) bool { return m.Node == "d" && m.Leaving })
	})
	// A good end deletes the key, before its lease ends.
	begun := time.Now()
	d.Close()
	d.Close()
	a.sees(t, "a", "b/with a slash")
	t.Logf("seen %v after the end", time.Since(begun))
	require.ErrorIs(t, d.Leave(t.Context()), ErrNotRegistered)

	// Clusters with other prefixes do not see each other.
	c.Prefix = "/other/"
	e := register(t, c, "e")
	e.sees(t, "e")

	// A key that someone deletes, or that is no member.
	client, err := s.Client()
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	_, err = client.Put(t.Context(), c.Prefix+"members/x", "{")
	require.NoError(t, err)
	_, err = client.Delete(t.Context(), c.Prefix+"members/e/1")
	require.NoError(t, err)
	e.wait(t, func() bool { return e.lost >= 1 && e.granted == e.lost+1 })
	e.sees(t, "e")
}

// A process that joins is listed as such until it may become a member, also after its lease was lost.
func TestJoining(t *testing.T) {
	t.Parallel()
	s := etcdtest.New(t)
	c := quick(t, s)
	r := &registrant{id: membership.ID{Node: "a", Incarnation: "1"}}
	reg, err := Start(c, membership.Member{ID: r.id, Address: "a:1", Joining: true}, r)
	require.NoError(t, err)
	t.Cleanup(reg.Close)
	client, err := s.Client()
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	isJoining := func(want bool) {
		t.Helper()
		lost := 0
		r.wait(t, func() bool { lost = r.lost; return len(r.members) == 1 && r.members[0].Joining == want })
		require.Eventually(t, func() bool { // on a slow machine it may just be registering again
			_, err := client.Delete(t.Context(), c.Prefix+"members/a/1")
			r.mu.Lock()
			defer r.mu.Unlock()
			if err != nil || r.lost == lost {
				return false
			}
			r.members = nil
			return true
		}, patience, 100*time.Millisecond)
		r.wait(t, func() bool { return len(r.members) == 1 && r.members[0].Joining == want })
	}
	isJoining(true)
	r.wait(t, func() bool { r.join = true; return true })
	isJoining(false)
	r.wait(t, func() bool { r.join = false; return true })
	isJoining(false)
}

func TestFrozenEtcd(t *testing.T) {
	t.Parallel()
	s := etcdtest.New(t)
	c := quick(t, s)
	all := []*registrant{register(t, c, "a"), register(t, c, "b"), register(t, c, "refuses")}
	for _, r := range all {
		r.sees(t, "a", "b", "refuses")
	}
	first := all[0].latest()
	all[2].wait(t, func() bool { all[2].refuse = true; return true })
	thaw, err := s.Freeze()
	require.NoError(t, err)
	defer thaw()
	for _, r := range all {
		r.says(t, "does not answer")
		require.ErrorIs(t, r.Status(), context.DeadlineExceeded)
		r.sees(t, "a", "b", "refuses") // no news
	}
	time.Sleep(c.Limits.Lease + time.Second) // the leases run out meanwhile: it is their end that is tested
	thaw()
	for _, r := range all[:2] {
		r.wait(t, func() bool { return r.lost >= 1 && r.granted == r.lost+1 })
		r.sees(t, "a", "b")
		require.Eventually(t, func() bool { return r.Status() == nil }, patience, time.Millisecond)
		for _, m := range r.latest() {
			i := slices.IndexFunc(first, func(f membership.Member) bool { return f.ID == m.ID })
			require.Equal(t, first[i], m, "a new lease does not change its age")
		}
	}
	all[2].wait(t, func() bool { return all[2].lost == all[2].granted }) // the judge has refused
}

// TestEtcdAway: at the start, and later, as long as it takes; its data is kept.
func TestEtcdAway(t *testing.T) {
	t.Parallel()
	s := etcdtest.New(t)
	c := quick(t, s)
	require.NoError(t, s.Crash())
	leaving := register(t, c, "leaving")
	require.Error(t, leaving.Status())
	leaving.says(t, "does not answer")
	leaving.says(t, "refused")
	require.NoError(t, leaving.Leave(t.Context()), "nothing to mark yet")
	require.NoError(t, s.Resume())
	leaving.sees(t, "leaving")
	leaving.wait(t, func() bool { return len(leaving.members) == 1 && leaving.members[0].Leaving })

	stays, killed := register(t, c, "stays"), register(t, c, "killed")
	stays.sees(t, "killed", "leaving", "stays")
	require.NoError(t, s.Crash())
	stays.wait(t, func() bool { return stays.failure != nil })
	killed.abandon() // it cannot delete its key
	require.NoError(t, s.Resume())
	for _, r := range []*registrant{stays, leaving} {
		r.sees(t, "leaving", "stays") // once the lease of the killed one has ended
		require.Eventually(t, func() bool { return r.Status() == nil }, patience, time.Millisecond)
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	s := etcdtest.New(t)
	client, err := s.Client()
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	ctx := t.Context()
	_, err1 := client.UserAdd(ctx, "root", "secret")
	_, err2 := client.RoleAdd(ctx, "root")
	_, err3 := client.UserGrantRole(ctx, "root", "root")
	_, err4 := client.AuthEnable(ctx)
	require.NoError(t, errors.Join(err1, err2, err3, err4))

	c := quick(t, s)
	stranger := register(t, c, "stranger")
	c.Username, c.Password = "root", "wrong"
	wrong := register(t, c, "wrong")
	c.Password = "secret"
	a := register(t, c, "a")
	a.sees(t, "a")
	a.wait(t, func() bool { return a.listings > 20 }) // with some renewals
	for r, reason := range map[*registrant]string{stranger: "user name is empty", wrong: "log in"} {
		r.says(t, reason)
	}
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	s, files := etcdtest.NewTLS(t)
	c := quick(t, s)
	c.TLS, c.CACert = true, files.TrustedCAFile
	stranger := register(t, c, "stranger")
	c.Cert, c.Key = files.CertFile, files.KeyFile
	a := register(t, c, "a")
	a.sees(t, "a")
	stranger.wait(t, func() bool { return stranger.failure != nil })
	require.Error(t, stranger.Status(), "it has no certificate")
	c.CACert = ""
	wary := register(t, c, "wary")
	wary.says(t, "certificate") // it does not know who signed that of etcd
	a.sees(t, "a")
	require.Eventually(t, func() bool { return a.Status() == nil }, patience, time.Millisecond)
}
