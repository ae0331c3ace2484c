package nodes

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/actors/cluster/membership"
	"github.com/hexhail/hexhail/actors/cluster/registry/etcdtest"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/cuts"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/server"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/persistence/pgtest"
)

// The hosts besides the nodes.
const (
	hostEtcd     = "etcd"
	hostDatabase = "database"
)

// wired is a cluster of three nodes in which every way can be cut: from each node to etcd, to the
// database and to each other node, in each direction. Nodes are n0, n1 and n2.
type wired struct {
	tb     testing.TB
	limits membership.Limits
	cuts   *harness.Cuts
	etcd   *etcdtest.Server
	nodes  [3]*harness.Server // the test alone changes them, under mu
	flags  [3][]string

	mu   sync.Mutex
	said map[string]time.Duration // what nodes have said of their readiness, and when first
	from time.Time                // when the fault began
}

func newWired(tb testing.TB, limits membership.Limits, secured []string) *wired {
	w := &wired{tb: tb, limits: limits, etcd: etcdtest.New(tb), said: map[string]time.Duration{}}
	database, behind := proxied(tb, pgtest.Start(tb))
	key := newKey(tb)
	w.cuts = harness.NewCuts(tb)
	for i := range w.nodes {
		name := host(i)
		own := func(net.Conn) string { return name }
		listen := free(tb)
		toEtcd := w.cuts.Lead(tb, hostEtcd, dialler("tcp", w.etcd.Endpoint()), own)
		toDatabase := w.cuts.Lead(tb, hostDatabase, behind, own)
		toNode := w.cuts.Lead(tb, name, dialler("tcp", listen), func(c net.Conn) string { return cuts.DialledBy(c, "--node-name") })
		w.flags[i] = append([]string{
			"--node-name=" + name, "--signing-key-file=" + key, "--database-url=" + database(toDatabase), "--database-conns=4",
			"--cluster=etcd://" + toEtcd + "/test", "--advertise=" + toNode, "--cluster-listen=" + listen,
			"--cluster-lease=" + limits.Lease.String(), "--cluster-silence=" + limits.Silent.String(),
			"--cluster-alone=" + limits.Alone.String(), "--cluster-without-database=" + limits.Database.String(),
		}, secured...)
		w.start(i)
	}
	tb.Cleanup(w.cuts.Heal) // before the nodes are asked to stop
	w.whole()
	return w
}

// start starts a node, for the first time or again.
func (w *wired) start(i int) {
	w.tb.Helper()
	s := harness.Start(w.tb, harness.Options{Child: true, AnyEnd: true, Flags: w.flags[i]})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nodes[i] = s
}

// host names a node.
func host(i int) string { return fmt.Sprint("n", i) }

// whole waits until every node counts three members that answer, and is ready.
func (w *wired) whole() {
	w.tb.Helper()
	for _, s := range w.nodes {
		harness.Until(w.tb, "a whole cluster", func() bool {
			_, ready := s.Ready()
			return ready.Status == "ok" && s.Metric("hexhail_cluster_members") == 3 && s.Metric("hexhail_cluster_members_late") == 0
		})
	}
}

// ended waits for the end of a node by itself, and returns when it was.
func (w *wired) ended(i int) time.Time {
	w.tb.Helper()
	select {
	case <-w.nodes[i].Ended():
	case <-time.After(harness.Patience):
		w.tb.Fatalf("%s did not end", host(i))
	}
	at := time.Now()
	require.Equal(w.tb, 75, w.nodes[i].ExitCode(), w.nodes[i].Log())
	return at
}

// watch returns when the first node ends.
func (w *wired) watch() <-chan time.Time {
	at, ended := make(chan time.Time, 1), w.nodes[0].Ended()
	go func() {
		<-ended // the test ends it at the latest
		at <- time.Now()
	}()
	return at
}

// stay asserts that nodes have not ended.
func (w *wired) stay(nodes ...int) {
	w.tb.Helper()
	for _, i := range nodes {
		select {
		case <-w.nodes[i].Ended():
			w.tb.Fatalf("%s ended: %s", host(i), w.nodes[i].Log())
		default:
		}
	}
}

// listen writes down what nodes say of their readiness, until the returned function is called.
func (w *wired) listen() (stop func()) {
	done := make(chan struct{})
	var all sync.WaitGroup
	w.from = time.Now()
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for i := range w.nodes {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(200 * time.Millisecond):
				}
				w.mu.Lock()
				ops := w.nodes[i].Ops
				w.mu.Unlock()
				w.hear(client, host(i), ops)
			}
		})
	}
	return func() {
		close(done)
		all.Wait()
	}
}

// hear asks a node once.
func (w *wired) hear(client *http.Client, name, ops string) {
	var r harness.Readiness
	if ask(client, ops+"/readyz", &r) && r.Status != "ok" {
		w.note("%s %s %s: %s", name, r.Status, r.Cause, r.Message)
	}
	var s server.ClusterStatus
	if !ask(client, ops+"/cluster", &s) {
		return // it is frozen, or has ended
	}
	if s.WaitsFor != "" && s.WaitsFor != r.Message {
		w.note("%s status: %s", name, s.WaitsFor)
	}
	for _, m := range s.Members {
		if m.Late {
			w.note("%s status: %s does not answer: %s", name, m.Node, m.Failure)
		}
	}
	for _, d := range s.Dropped {
		w.note("%s status: %s dropped, because %s", name, d.Node, d.Reason)
	}
	for _, warning := range s.Warnings {
		w.note("%s status: warning: %s", name, warning)
	}
}

// ask reads JSON from an address; false: there is none.
func ask(client *http.Client, address string, into any) bool {
	res, err := client.Get(address)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return json.NewDecoder(res.Body).Decode(into) == nil
}

// note keeps what was said, and when first.
func (w *wired) note(format string, args ...any) {
	said := fmt.Sprintf(format, args...)
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.said[said]; !ok {
		w.said[said] = time.Since(w.from)
	}
}

// heard lists what listen has written down, in order.
func (w *wired) heard() (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for text, at := range w.said {
		out = append(out, fmt.Sprintf("%5.1f s  %s", at.Seconds(), text))
	}
	slices.Sort(out)
	return out
}

// others are the hosts of all nodes but the first.
func (w *wired) others() []string { return []string{host(1), host(2)} }

// all are the hosts of all nodes.
func (w *wired) all() []string { return append([]string{host(0)}, w.others()...) }

func dialler(network, address string) func() (net.Conn, error) {
	return func() (net.Conn, error) { return net.DialTimeout(network, address, harness.Patience) }
}

// free returns a free address. Connections of other processes start from 127.0.0.1, so they do not
// take it in the meantime.
func free(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		tb.Skipf("this machine has one loopback address only: %v", err)
	}
	require.NoError(tb, l.Close())
	return l.Addr().String()
}

// proxied returns the URL of a database behind another address, and how to reach the database itself.
func proxied(tb testing.TB, database string) (at func(address string) string, behind func() (net.Conn, error)) {
	tb.Helper()
	u, err := url.Parse(database)
	require.NoError(tb, err)
	q := u.Query()
	behind = dialler("tcp", u.Host)
	if socket := q.Get("host"); socket != "" {
		behind = dialler("unix", filepath.Join(socket, ".s.PGSQL.5432"))
		q.Del("host")
	}
	u.RawQuery = q.Encode()
	return func(address string) string {
		through := *u
		through.Host = address
		return through.String()
	}, behind
}

// lagging measures for how long goroutines of this process had to wait for their turn, at worst, until stop.
func lagging() (stop func() time.Duration) {
	const every = 20 * time.Millisecond
	done, worst := make(chan struct{}), make(chan time.Duration)
	go func() {
		var most time.Duration
		for last := time.Now(); ; {
			select {
			case <-done:
				worst <- most
				return
			case <-time.After(every):
			}
			now := time.Now()
			most, last = max(most, now.Sub(last)-every), now
		}
	}()
	return func() time.Duration {
		close(done)
		return <-worst
	}
}
