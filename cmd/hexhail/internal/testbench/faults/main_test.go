package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/actors/cluster/registry/etcdtest"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/persistence/pgtest"
)

func TestMain(m *testing.M) { harness.Main(m, 10) }

// beside lets a test run in parallel with others, unless the environment asks for its long form,
// whose figures matter.
func beside(t *testing.T, name string) {
	t.Helper()
	if os.Getenv(name) == "" {
		t.Parallel()
	}
}

// setting is a number from the environment, or a default that suits go test.
func setting(tb testing.TB, name string, fallback int) int {
	tb.Helper()
	text := os.Getenv(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.Atoi(text)
	require.NoError(tb, err, "%s must be a number", name)
	return n
}

// place is where a server or a cluster keeps its data: its flags, and the options of a store that
// reads the same data without it.
type place struct {
	name    string
	nodes   int // of a cluster; 0: a single server
	server  harness.Options
	options persistence.Options
}

// store is a kind of place; make prepares a fresh one.
type store struct {
	name string
	make func(testing.TB) place
}

// sqlite is the embedded database.
var sqlite = store{"sqlite", func(tb testing.TB) place {
	dir := tb.TempDir()
	return place{"sqlite", 0, harness.Options{Dir: dir}, unpurged(persistence.DefaultSQLite(filepath.Join(dir, "hexhail.db")))}
}}

// stores are the places to keep data: the two databases, or, if HEXHAIL_NODES asks for it, a cluster.
func stores() []store {
	if n := harness.Nodes(); n > 0 {
		return []store{{"cluster", func(tb testing.TB) place {
			return onPostgres(tb, "cluster", n, "--cluster="+etcdtest.Start(tb))
		}}}
	}
	return []store{sqlite, {"postgres", func(tb testing.TB) place { return onPostgres(tb, "postgres", 0) }}}
}

func onPostgres(tb testing.TB, name string, nodes int, more ...string) place {
	url := pgtest.Start(tb)
	return place{name, nodes, harness.Options{Dir: tb.TempDir(), Flags: append(more, "--database-url="+url)},
		unpurged(persistence.DefaultPostgres(url))}
}

// unpurged leaves the janitor to the server.
func unpurged(o persistence.Options) persistence.Options {
	o.PurgeEvery = 0
	return o
}

// start starts the server of a place, or all its nodes, with further flags.
func (p place) start(tb testing.TB, child bool, flags ...string) *harness.Server {
	tb.Helper()
	o := p.server
	o.Child = child
	// The same few people keep requesting, accepting and cancelling here; these races do not test
	// the limits on that.
	o.Flags = append(append(o.Flags[:len(o.Flags):len(o.Flags)], "--limit-cancels-free=1000000"), flags...)
	if p.nodes > 0 {
		return harness.StartCluster(tb, p.nodes, o)
	}
	return harness.Start(tb, o)
}

// look opens the store of a place and calls f with it.
func (p place) look(tb testing.TB, f func(*persistence.Store)) {
	tb.Helper()
	s, err := persistence.Open(tb.Context(), p.options)
	require.NoError(tb, err)
	defer func() { require.NoError(tb, s.Close()) }()
	f(s)
}

// spot is the n-th of many places too far apart to share drivers.
func spot(n int) geo.Point {
	return geo.Point{Lat: 30 + float64(n/20)*0.5, Lng: 120 + float64(n%20)*0.5}
}

// around is a place some metres from another, a little different for each i.
func around(p geo.Point, i int) geo.Point {
	return geo.Destination(p, float64(i*67%360), float64(50+20*i%300))
}

// until calls f until it returns nil, or fails with its last error.
func until(tb testing.TB, patience time.Duration, f func() error) {
	tb.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			require.NoError(tb, err)
		}
		if tb.Failed() { // elsewhere
			tb.FailNow()
		}
		<-tick.C
	}
}

// perSecond shows a rate.
func perSecond(n int, took time.Duration) string {
	return fmt.Sprintf("%.0f/s", float64(n)/took.Seconds())
}
