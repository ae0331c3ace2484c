package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// codecs are the two encodings, by their names in the handshake.
var codecs = []wire.Codec{wire.JSON, wire.Binary}

// store is a database, and how many servers use it.
type store struct {
	name  string
	flags func(t testing.TB) []string // of an empty one
	nodes int                         // of a cluster; 0: a single server
}

// single are the stores of a single server.
var single = []store{
	{name: "sqlite", flags: func(testing.TB) []string { return nil }},
	{name: "postgres", flags: func(t testing.TB) []string { return []string{"--database-url=" + pgtest.Start(t)} }},
}

// cluster is the store of several nodes.
func cluster(nodes int) store { return store{"cluster", harness.ClusterFlags, nodes} }

// brief are the tests that also run on three nodes when HEXHAIL_NODES does not ask for it.
var brief = []string{"TestRide", "TestForeignIsMissing", "TestTicket"}

// stores are those that a test runs on.
func stores(t *testing.T) []store {
	if n := harness.Nodes(); n > 0 {
		return []store{cluster(n)}
	}
	if slices.Contains(brief, t.Name()) {
		return append(single[:len(single):len(single)], cluster(3))
	}
	return single
}

// singleOnly has the tests that do not hold on several nodes, and why. Names leave out the store and the
// encoding.
var singleOnly = map[string]string{
	"TestTwoServersOnOneDatabase": "a server that is not a node is refused beside a cluster: the tests of nodes show it",
}

// onCluster reports whether a test's servers are nodes of one cluster.
func onCluster(t testing.TB) bool { return slices.Contains(strings.Split(t.Name(), "/"), "cluster") }

// skipOnCluster skips a test on several nodes if singleOnly says so.
func skipOnCluster(t *testing.T) {
	t.Helper()
	if !onCluster(t) {
		return
	}
	own := slices.DeleteFunc(strings.Split(t.Name(), "/"), func(part string) bool {
		return part == "cluster" || part == "all" || part == wire.JSON.Subprotocol() || part == wire.Binary.Subprotocol()
	})
	if why, ok := singleOnly[strings.Join(own, "/")]; ok {
		t.Skip(why)
	}
}

// start starts a server, or all nodes of a cluster. The options' flags name the database.
func (s store) start(t testing.TB, o harness.Options) *harness.Server {
	t.Helper()
	if s.nodes > 0 {
		return harness.StartCluster(t, s.nodes, o)
	}
	return harness.Start(t, o)
}

// fresh starts a server with more flags on an empty database.
func (s store) fresh(t testing.TB, more ...string) *harness.Server {
	t.Helper()
	return s.start(t, harness.Options{Flags: append(s.flags(t), more...)})
}

// onStores runs a test on each store; start starts a server with more flags, always on the same
// database with Postgres, and in a new directory otherwise.
func onStores(t *testing.T, test func(t *testing.T, start func(o harness.Options) *harness.Server)) {
	for _, at := range stores(t) {
		t.Run(at.name, func(t *testing.T) {
			skipOnCluster(t)
			t.Parallel()
			base := at.flags(t)
			test(t, func(o harness.Options) *harness.Server {
				o.Flags = append(base[:len(base):len(base)], o.Flags...)
				return at.start(t, o)
			})
		})
	}
}

// everywhere runs a test on each store and in both encodings (see inEach); each server that it starts has a
// separate database.
func everywhere(t *testing.T, test func(t *testing.T, start func(flags ...string) *harness.Server, codec wire.Codec)) {
	inEach(t, func(t *testing.T, at store, codec wire.Codec) {
		test(t, func(more ...string) *harness.Server { return at.fresh(t, more...) }, codec)
	})
}

// inEach is everywhere for tests whose subtests start servers. Under the race detector it takes each store
// and each encoding once, not every pair.
func inEach(t *testing.T, test func(t *testing.T, at store, codec wire.Codec)) {
	for i, at := range stores(t) {
		for j, codec := range codecs {
			if harness.RaceDetector && (i+j)%2 != 0 {
				continue // another pair covers the same code
			}
			t.Run(at.name+"/"+codec.Subprotocol(), func(t *testing.T) {
				skipOnCluster(t)
				t.Parallel()
				test(t, at, codec)
			})
		}
	}
}
