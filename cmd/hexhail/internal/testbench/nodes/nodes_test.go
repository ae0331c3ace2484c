// Package nodes tests a cluster of real servers: processes of their own on one Postgres, with an etcd.
package nodes

import (
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/actors/cluster/registry/etcdtest"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/transport/auth"
)

func TestMain(m *testing.M) { harness.Main(m, 4) }

var (
	pickup  = geo.Point{Lat: 37.4979, Lng: 127.0276}
	dropoff = geo.Point{Lat: 37.5172, Lng: 127.0473}
)

// cluster is what its nodes share.
type cluster struct {
	t     testing.TB
	flags []string
	nodes []*harness.Server
}

// newCluster starts n nodes and waits until they count each other. Their limits are wide, because a
// test's machine may be busy.
func newCluster(t testing.TB, n int, more ...string) *cluster {
	etcd, database := etcdtest.New(t), pgtest.Start(t)
	c := &cluster{t: t, flags: []string{
		"--database-url=" + database, "--signing-key-file=" + newKey(t), "--cluster=etcd://" + etcd.Endpoint() + "/test",
		"--advertise=127.0.0.1:0", "--cluster-lease=12s", "--cluster-silence=8s", "--cluster-alone=24s", "--cluster-without-database=20s",
		"--database-conns=8",
	}}
	c.flags = append(c.flags, more...)
	for i := range n {
		c.nodes = append(c.nodes, c.start(fmt.Sprint("n", i)))
	}
	c.counts(float64(n))
	return c
}

func (c *cluster) start(name string) *harness.Server {
	return harness.Start(c.t, harness.Options{Child: true, Flags: append([]string{"--node-name=" + name}, c.flags...)})
}

// counts waits until every node counts n members and is ready.
func (c *cluster) counts(n float64, of ...*harness.Server) {
	c.t.Helper()
	if len(of) == 0 {
		of = c.nodes
	}
	for _, s := range of {
		harness.Until(c.t, fmt.Sprintf("%v members", n), func() bool {
			code, _ := s.Ready()
			return s.Metric("hexhail_cluster_members") == n && code == http.StatusOK
		})
	}
}

// newKey makes the signing key that all nodes share.
func newKey(t testing.TB) string {
	path := filepath.Join(t.TempDir(), "signing-key.pem")
	_, err := auth.LoadOrCreateKey(path)
	require.NoError(t, err)
	return path
}

// secured makes certificates for nodes on this machine and returns the flags that use them.
func secured(t testing.TB) []string {
	dir := t.TempDir()
	for _, args := range [][]string{{"init"}, {"node", "127.0.0.1"}} {
		code, said := harness.Command(t.Context(), append(append([]string{"cluster", "certs"}, args...), "--dir="+dir)...)
		require.Zero(t, code, said)
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	return []string{"--cluster-cert=" + file("127.0.0.1.pem"), "--cluster-key=" + file("127.0.0.1.key"), "--cluster-ca=" + file("ca.pem")}
}

// A whole ride with its rider, its driver and a loser on three nodes, in both encodings.
func TestRideAcrossNodes(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, secured(t)...)
	for i, codec := range []wire.Codec{wire.JSON, wire.Binary} {
		a, b, other := c.nodes[i], c.nodes[i+1], c.nodes[(i+2)%3]
		name := codec.Subprotocol()
		driver, _ := harness.Connect(t, b, codec, b.Token(ride.RoleDriver, "driver "+name), nil)
		loser, _ := harness.Connect(t, other, codec, other.Token(ride.RoleDriver, "loser "+name), nil)
		driver.Online(geo.Destination(pickup, 0, 90))
		loser.Online(geo.Destination(pickup, 90, 300))
		rider, _ := harness.Connect(t, a, codec, a.Token(ride.RoleRider, "rider "+name), nil)
		trip := rider.Ask(harness.Request(pickup, dropoff)).GetTrip().GetId()
		require.NotEmpty(t, trip)
		lost := loser.Offer(trip)
		require.NotNil(t, driver.Ask(harness.Accept(driver.Offer(trip).GetId())).GetTrip())
		require.Equal(t, ridepb.OfferClosed_withdrawn, loser.OfferEnd(lost.GetId()).GetOutcome())
		rider.Status(trip, ridepb.Trip_matched)
		harness.Until(t, "the driver's position", func() bool { // none is repeated, and the first may come before its way is known
			driver.Position(geo.Destination(pickup, 0, 60))
			return slices.ContainsFunc(rider.Events(), func(e *ridepb.Event) bool { return e.GetDriverMoved().GetTripId() == trip })
		})
		drive(t, rider, driver, trip)

		// Another node knows the people and what they did.
		code, body := other.Call(http.MethodGet, "/v1/trips/"+trip, other.Token(ride.RoleRider, "rider "+name), "")
		require.Equal(t, http.StatusOK, code, body)
		require.Contains(t, body, `"completed"`)
		for _, left := range []*harness.Client{rider, driver, loser} {
			left.Drop()
		}
	}
	code, said := harness.Command(t.Context(), "cluster", "status", "--ops="+strings.TrimPrefix(c.nodes[1].Ops, "http://"))
	require.Zero(t, code, said)
	require.Regexp(t, `(?s)^node n1 \(\w{8}\): [1-9]\d* of 4096 shards.*\nn0 .*\nn1 .*\nn2 `, said)
	for _, s := range c.nodes {
		require.Zero(t, s.Metric("hexhail_messages_misdirected_total"))
		require.Zero(t, s.Metric("hexhail_node_frames_total", `result="malformed"`))
	}
}

// drive takes a matched trip to its end.
func drive(t testing.TB, rider, driver *harness.Client, trip string) {
	t.Helper()
	require.NotNil(t, driver.Ask(harness.Arrived(trip)).GetTrip())
	rider.Status(trip, ridepb.Trip_arrived)
	require.NotNil(t, driver.Ask(harness.StartTrip(trip, "")).GetTrip())
	rider.Status(trip, ridepb.Trip_in_progress)
	require.NotNil(t, driver.Ask(harness.Complete(trip)).GetTrip())
	rider.Status(trip, ridepb.Trip_completed)
	require.NotNil(t, rider.Ask(harness.Rate(trip, 5)).GetTrip())
}

// A node is killed in mid-trip: its trips go on elsewhere, its rider on another node, and a new process
// takes its place. A console on another node shows all of that, and what it shows of the whole city is
// counted once.
func TestTripsSurviveTheirNode(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3)
	lost, left := c.nodes[0], c.nodes[1:]
	driver, _ := harness.Connect(t, left[0], wire.JSON, left[0].Token(ride.RoleDriver, "driver"), nil)
	driver.Online(geo.Destination(pickup, 0, 90))
	rider, _ := harness.Connect(t, lost, wire.JSON, lost.Token(ride.RoleRider, "rider"), nil)
	trip := rider.Ask(harness.Request(pickup, dropoff)).GetTrip().GetId()
	require.NotNil(t, driver.Ask(harness.Accept(driver.Offer(trip).GetId())).GetTrip())
	const answering, missing, gone = ridepb.CityNode_answering, ridepb.CityNode_missing, ridepb.CityNode_gone
	screen := newConsole(t, left[1], "operator")
	screen.nodes(answering, answering, answering)
	screen.until("a trip, its driver and the actors of all nodes", func(p picture) bool {
		// The trip is where its rider asked for it.
		return p.trips[trip] == ridepb.Trip_matched && len(p.drivers) == 1 && p.totals.GetDriversOnTrip() == 1 &&
			maps.Equal(p.actors, map[string]uint32{"n0": 2, "n1": 1, "n2": 0})
	})
	// What a node has counted since it last sent its figures is lost with it.
	requireRequests(t, left[0], 1)
	lost.Kill()
	screen.nodes(missing, answering, answering)
	rider, connected := harness.Connect(t, left[1], wire.JSON, left[1].Token(ride.RoleRider, "rider"), nil)
	require.Equal(t, trip, connected.GetActiveTrip().GetId())
	c.counts(2, left...)
	screen.nodes(gone, answering, answering)
	newConsole(t, left[0], "another operator").nodes(gone, answering, answering)
	drive(t, rider, driver, trip)
	screen.until("the end", func(p picture) bool {
		return p.trips[trip] == ridepb.Trip_completed && p.totals.GetDriversOnTrip() == 0 && p.totals.GetDriversAvailable() == 1 && len(p.drivers) == 1
	})
	c.nodes[0] = c.start("n0")
	c.counts(3)
	screen.nodes(answering, answering, answering)
	newConsole(t, left[0], "another operator").nodes(answering, answering, answering)
	for _, n := range c.nodes {
		requireRequests(t, n, 1)
	}
}

// The newer of two sessions is the one, whichever nodes they are on; and what one node revokes, all do.
func TestOnePersonOnTwoNodes(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	a, b := c.nodes[0], c.nodes[1]
	in := a.SignUp(t, ride.RoleRider, "anna")
	older, _ := harness.Connect(t, a, wire.JSON, in.Tokens.Access, nil)
	newer, _ := harness.Connect(t, b, wire.JSON, in.Tokens.Access, nil)
	require.Equal(t, int(ridepb.CloseReplaced), older.Closed())
	code, body := a.Call(http.MethodPost, "/v1/logout", in.Tokens.Access, `{}`)
	require.Less(t, code, 300, body)
	require.Equal(t, int(ridepb.CloseRevoked), newer.Closed())
	code, _ = b.Call(http.MethodGet, "/v1/me", in.Tokens.Access, "")
	require.Equal(t, http.StatusUnauthorized, code)
}

// A server that is alone does not join a database that a cluster uses.
func TestAServerAloneIsRefused(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	alone := append([]string{"serve", "--listen=127.0.0.1:0", "--ops-listen=127.0.0.1:0", "--data-dir=" + t.TempDir()}, c.flags[:2]...)
	code, said := harness.Command(t.Context(), alone...)
	require.Equal(t, 1, code)
	lines := strings.Split(strings.TrimSpace(said), "\n")
	require.Contains(t, lines[len(lines)-1], "another Hexhail server uses this database")
	require.Contains(t, lines[len(lines)-1], "cluster")
}
