package crash

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/actors"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/sim/check"
)

// scene is three nodes, of which n1 is killed at 10 s and is back at 20 s, with a trip of each node.
func scene(t *testing.T) (c *cluster, e *episode, trips [3]string) {
	t.Helper()
	c = &cluster{proof: &proof{out: new(bytes.Buffer)}}
	var members []actors.Member
	for i := range 3 {
		n := &node{name: nodeName(i), address: fmt.Sprintf("127.0.0.1:%d", 7000+i)}
		c.nodes = append(c.nodes, n)
		members = append(members, actors.Member{Address: n.address})
	}
	c.owner = actors.OwnerAmong(members)
	for i := range trips {
		for n := 0; trips[i] == ""; n++ {
			if id := fmt.Sprintf("trip-%03x", n); c.ownerOf(id) == i {
				trips[i] = id
			}
		}
	}
	e = &episode{
		fault: fault{kind: killNode}, began: int64(10 * time.Second), lost: []int{0},
		up: map[int]int64{0: int64(18 * time.Second)}, ended: int64(20 * time.Second),
	}
	return c, e, trips
}

// exchange is a command with its session and its answer.
func exchange(who string, node int, op, trip string, from, to time.Duration, code string) []check.Record {
	id := fmt.Sprint(op, from)
	out := []check.Record{
		{At: 1, What: check.Connected, Who: who, Node: node},
		{At: int64(from), What: check.Call, Who: who, ID: id, Op: op, Trip: trip},
	}
	if to > 0 {
		out = append(out, check.Record{At: int64(to), What: check.Return, Who: who, ID: id, Op: op, Trip: trip, Code: code, Version: 3})
	}
	return out
}

func TestWhatALossShows(t *testing.T) {
	c, e, trips := scene(t)
	const ms, s = time.Millisecond, time.Second
	var h []check.Record
	for _, x := range [][]check.Record{
		exchange("a", 1, "accept", trips[0], 9999*ms, 14*s, ""),      // in flight
		exchange("b", 1, "arrived", trips[0], 11*s, 12*s, "gone"),    // refused
		exchange("c", 1, "arrived", trips[0], 11*s, 15*s, ""),        // the first, by another node
		exchange("d", 2, "arrived", trips[0], 18*s, 18*s+100*ms, ""), // after the node came back
		exchange("e", 2, "arrived", trips[2], 11*s, 11*s+30*ms, ""),  // of another node
		exchange("f", 0, "arrived", trips[2], 11*s, 16*s, ""),        // from the lost node
		exchange("g", 2, "arrived", trips[2], 21*s, 25*s, ""),        // later
		exchange("h", 2, "arrived", trips[1], 12*s, 0, ""),           // unanswered
		exchange("i", 1, "request", trips[1], 12*s, 12*s+50*ms, ""),  // another node's new trip
		append(exchange("k", 1, "rate", trips[1], 9*s, 9500*ms, ""), check.Record{At: int64(9600 * ms), What: check.Lost, Who: "k"},
			check.Record{At: int64(12 * s), What: check.Call, Who: "k", ID: "offline", Op: "complete", Trip: trips[1]},
			check.Record{At: int64(19 * s), What: check.Connected, Who: "k", Node: 1},
			check.Record{At: int64(19 * s), What: check.Return, Who: "k", ID: "offline", Version: 3}), // sent without a session
		append(exchange("j", 1, "complete", trips[1], 13*s, 0, ""), check.Record{At: int64(14 * s), What: check.Lost, Who: "j"},
			check.Record{At: int64(15 * s), What: check.Return, Who: "j", ID: fmt.Sprint("complete", 13*s), Version: 3}), // its session broke
	} {
		h = append(h, x...)
	}
	l := c.loss(e, commands(h))
	require.Equal(t, 5*s, l.first)
	require.Equal(t, 1, l.accepts)
	require.Equal(t, map[string]bool{trips[0]: true}, l.moved)
	require.ElementsMatch(t, []float64{30, 50}, l.others)

	l = c.loss(e, commands(exchange("a", 1, "accept", trips[1], 9*s, 14*s, "")))
	require.Zero(t, l.first)
	require.Zero(t, l.accepts, "it did not concern the lost node")
	offline := exchange("a", 0, "accept", trips[0], 9*s, 14*s, "")
	offline[0].What = check.Lost
	require.Zero(t, c.loss(e, commands(offline)).accepts, "it was not sent")
	l = c.loss(e, commands(exchange("d", 2, "start", trips[0], 18*s, 18*s+100*ms, "")))
	require.Equal(t, 8100*ms, l.first)
	require.Empty(t, l.moved, "the node had come back")
}

func TestResumesElsewhereAreCounted(t *testing.T) {
	at := func(node int, resumed bool) check.Record {
		return check.Record{What: check.Connected, Who: "a", Node: node, Resumed: resumed}
	}
	require.Zero(t, resumedElsewhere([]check.Record{at(0, false), at(1, false), at(1, true)}))
	require.Equal(t, 1, resumedElsewhere([]check.Record{at(0, false), at(1, true), at(0, false)}))
}

// The figures know the owners of trips as the nodes do.
func TestOwnersAreThoseOfTheNodes(t *testing.T) {
	c, _, _ := scene(t)
	count := make(map[int]int)
	for i := range 4096 {
		m, ok := c.owner(ride.TripID(fmt.Sprintf("trip-%03x", i)))
		require.True(t, ok)
		require.Equal(t, m.Address, c.nodes[c.ownerOf(fmt.Sprintf("trip-%03x", i))].address)
		count[c.ownerOf(fmt.Sprintf("trip-%03x", i))]++
	}
	require.Len(t, count, 3)
}

// Offers count from the rider's node to the driver's; a direction without any counts.
func TestOffersAcrossNodes(t *testing.T) {
	var h []check.Record
	for i, who := range []string{"a", "b"} {
		h = append(h, check.Record{What: check.Connected, Who: "r" + who, Node: i}, check.Record{What: check.Connected, Who: "d" + who, Node: i},
			check.Record{What: check.Return, Who: "r" + who, Op: "request", Trip: who, Version: 1})
	}
	offered := func(trip, to string) check.Record { return check.Record{What: check.Offered, Who: to, Trip: trip} }
	h = append(h, offered("a", "da"), offered("a", "db"), offered("a", "db"), offered("b", "db"))
	expect := func(fewest, all, nodes int) {
		t.Helper()
		f, a := across(h, nodes)
		require.Equal(t, fewest, f)
		require.Equal(t, all, a)
	}
	expect(0, 4, 2)
	h = append(h, offered("b", "da"))
	expect(1, 5, 2)
	expect(0, 5, 3)
	c, _, _ := scene(t)
	c.judgeOffers(1, offersProve)
	c.judgeOffers(0, offersProve-1)
	require.Empty(t, c.verdict.counts)
	c.judgeOffers(0, offersProve)
	require.Equal(t, map[string]int64{check.DriverFound: 1}, c.verdict.counts)
}

func TestLatencies(t *testing.T) {
	require.Equal(t, Latency{}, latencies(nil))
	var all []float64
	for i := range 200 {
		all = append(all, float64(200-i))
	}
	require.Equal(t, Latency{Count: 200, P50: 100, P99: 198, Max: 200}, latencies(all))
}

// While a node is cut off it goes on for its own clients. Its trips answer elsewhere once another node's
// client gets an answer.
func TestWhatACutShows(t *testing.T) {
	c, e, trips := scene(t)
	const s = time.Second
	e.fault.kind = cutNode
	var h []check.Record
	for _, x := range [][]check.Record{
		exchange("a", 0, "accept", trips[0], 9999*time.Millisecond, 14*s, ""), // in flight, but nothing was killed
		exchange("b", 0, "arrived", trips[0], 11*s, 11100*time.Millisecond, ""),
		exchange("c", 1, "start", trips[0], 11*s, 17*s, ""),
		exchange("d", 2, "arrived", trips[2], 11*s, 11*s+30*time.Millisecond, ""),
	} {
		h = append(h, x...)
	}
	l := c.loss(e, commands(h))
	require.Equal(t, loss{first: 7 * s, moved: map[string]bool{trips[0]: true}, others: []float64{30}}, l)

	// Of a fault that changes nothing, all commands count; of one of Postgres for all, none.
	e.fault.kind, e.lost = freezeEtcd, nil
	require.ElementsMatch(t, []float64{100, 6000, 30}, c.loss(e, commands(h)).others)
	e.fault.kind = restartPostgres
	require.Empty(t, c.loss(e, commands(h)).others)
}

// The time until a lost node's trips answer has a bound, which is longer for a node that ends itself later.
func TestTripsThatAnswerTooLate(t *testing.T) {
	c, e, _ := scene(t)
	c.o.Lease = 3 * time.Second
	c.judgeFirst(e, 10*time.Second)
	e.fault.kind = cutNode
	c.judgeFirst(e, 13*time.Second)
	require.Empty(t, c.verdict.counts)
	c.judgeFirst(e, 14*time.Second)
	e.fault.kind = killNode
	c.judgeFirst(e, 11*time.Second)
	require.Equal(t, map[string]int64{recovery: 2}, c.verdict.counts)
}

// Recoveries are by kind of fault, with the median and the longest.
func TestRecoveriesByKind(t *testing.T) {
	c, _, _ := scene(t)
	var faults []FaultReport
	for _, x := range []struct {
		kind           faultKind
		toTrips, whole float64
	}{{killNode, 5, 1}, {restartEtcd, 0, 7}, {killNode, 9, 3}, {killNode, 0, 2}} {
		c.episodes = append(c.episodes, &episode{fault: fault{kind: x.kind}})
		faults = append(faults, FaultReport{ToTrips: x.toTrips, Whole: x.whole})
	}
	require.Equal(t, []KindReport{
		{Kind: "kill", Count: 3, ToTrips: Recovery{P50: 5, Max: 9}, Whole: Recovery{P50: 2, Max: 3}},
		{Kind: "restart-etcd", Count: 1, Whole: Recovery{P50: 7, Max: 7}},
	}, c.kinds(faults))
}

// A run of a cluster that hit nothing proves nothing.
func TestCountersOfAClusterThatAreMissing(t *testing.T) {
	r := &ClusterReport{Accepts: 1, TripsMoved: 1, Across: 1, Frames: 1, MostActivations: 1}
	require.Equal(t, []string{resumed, "free drivers who were offered a trip nearby", "older sockets closed with 4503", "sockets closed after their account lost its access"}, r.missing(nil))
	r.ResumedElsewhere = 1
	met := map[string]int64{check.DriverFound: 1, check.OneSession: 1, check.AccessEnds: 1}
	require.Empty(t, r.missing(met))
	r.EndedTrips, r.UnreadTrips = 20, 2
	require.Empty(t, r.missing(met))
	r.UnreadTrips = 3
	require.Equal(t, []string{"activations of 3 of 20 trips"}, r.missing(met))
}

// A run goes on until its counters are positive: it knows which are not from what its clients have recorded
// so far.
func TestWhatARunHasNotSeen(t *testing.T) {
	c, e, trips := scene(t)
	c.watch = newWatch()
	c.watch.keeps = true
	c.episodes = []*episode{e}
	require.Equal(t, []string{acceptsHit, tripsMoved, resumed}, c.unseen())
	for _, r := range exchange("a", 1, "accept", trips[0], 9*time.Second, 14*time.Second, "") {
		c.watch.record(r)
	}
	require.Equal(t, []string{tripsMoved, resumed}, c.unseen())
	for _, r := range exchange("b", 1, "arrived", trips[0], 11*time.Second, 15*time.Second, "") {
		c.watch.record(r)
	}
	c.watch.record(check.Record{What: check.Connected, Who: "b", Node: 2, Resumed: true})
	require.Empty(t, c.unseen())
}
