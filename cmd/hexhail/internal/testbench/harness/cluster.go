package harness

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/hexhail/hexhail/actors/cluster/registry/etcdtest"
	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/transport/auth"
)

// NodesEnv is the environment variable that runs the suites against a cluster of this many nodes instead
// of single servers; see Nodes.
const NodesEnv = "HEXHAIL_NODES"

// Nodes is how many nodes NodesEnv asks for; 0: none, the suites run against single servers.
func Nodes() int {
	text := os.Getenv(NodesEnv)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 2 || n > 9 {
		panic(NodesEnv + " must be a number from 2 to 9, not " + text)
	}
	return n
}

// ClusterFlags returns the flags of a database and a registry that the nodes of a cluster share, both
// empty. If Postgres or etcd is not installed the test is skipped, or fails when HEXHAIL_REQUIRE_ALL is 1.
func ClusterFlags(tb testing.TB) []string {
	tb.Helper()
	registry := etcdtest.Start(tb)
	return []string{"--database-url=" + pgtest.Start(tb), "--cluster=" + registry}
}

// StartCluster starts n nodes with o's flags, which must name a database and a registry, and returns when
// each is ready and all of them answer it. The result is used like one server: HTTP and WS lead to the nodes
// in turn, connection by connection; Stop, Kill, Ready, Metric and Log concern all of them; what
// concerns one process alone, such as Freeze and Ops, concerns the first.
//
// The limits after which a node ends itself are wide, because a test's machine may be busy. So after Kill
// the next nodes on the same data take up to 12 s, until the places of the former ones have run out.
func StartCluster(tb testing.TB, n int, o Options) *Server {
	tb.Helper()
	if o.Dir == "" {
		o.Dir = tb.TempDir()
	}
	key := filepath.Join(o.Dir, "signing-key.pem")
	if _, err := auth.LoadOrCreateKey(key); err != nil {
		tb.Fatal(err)
	}
	common := []string{
		"--signing-key-file=" + key, "--advertise=127.0.0.1:0", "--database-conns=4",
		"--cluster-lease=12s", "--cluster-silence=8s", "--cluster-alone=24s", "--cluster-without-database=20s",
	}
	// Each start of protoactor's remoting sets gRPC's global logger, which the nodes before it use.
	o.Child = o.Child || RaceDetector
	all := &Server{tb: tb, Dir: o.Dir}
	for i := range n {
		one, name := o, fmt.Sprint("n", i)
		one.Dir = filepath.Join(o.Dir, name)
		if err := os.MkdirAll(one.Dir, 0o700); err != nil {
			tb.Fatal(err)
		}
		one.Flags = append(append([]string{"--node-name=" + name}, common...), o.Flags...)
		all.nodes = append(all.nodes, Start(tb, one))
	}
	first := all.nodes[0]
	all.Ops, all.args, all.pid = first.Ops, first.args, first.pid
	balancer := NewProxy(tb, all.nodes...)
	all.HTTP, all.WS = balancer.Server.HTTP, balancer.Server.WS
	all.stop = sync.OnceValue(all.stopNodes)
	all.kill = func() {
		for _, s := range all.nodes {
			s.Kill()
		}
	}
	tb.Cleanup(func() { _ = all.stop() }) // each node's own cleanup reports its error
	for _, s := range all.nodes {
		Until(tb, fmt.Sprintf("%d members that answer", n), func() bool {
			code, _ := s.Ready()
			return code == http.StatusOK && s.Metric("hexhail_cluster_members") == float64(n) && s.Metric("hexhail_cluster_members_late") == 0
		})
	}
	return all
}

// Nodes are the nodes of a cluster; nil: it is a single server.
func (s *Server) Nodes() []*Server { return s.nodes }

// stopNodes stops all nodes at once.
func (s *Server) stopNodes() error {
	errs := make([]error, len(s.nodes))
	var stopping sync.WaitGroup
	for i, node := range s.nodes {
		stopping.Go(func() { errs[i] = node.Stop() })
	}
	stopping.Wait()
	return errors.Join(errs...)
}
