package crash

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/server"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/sim/check"
	"github.com/hexhail/hexhail/sim/report"
)

// A trip that nodes take from each other is activated more often than faults explain (L5).
func TestActivationsThatNoFaultExplains(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	v := &verdict{}
	s := &stored{verdict: v, faults: []window{{at(0), at(5), 2}, {at(12), at(14), 2}, {at(18), at(30), 3}, {at(40), at(50), 2}}}
	require.EqualValues(t, 7, allowed(s.faults, at(10), at(20)), "those of the two faults in its life")
	s.judgeActivations("t", 7, at(10), at(20))
	s.judgeActivations("u", 2, at(31), at(39))
	require.Empty(t, v.counts)
	s.judgeActivations("t", 8, at(10), at(20))
	s.judgeActivations("u", 3, at(31), at(39))
	require.Equal(t, map[string]int64{fewActivations: 2}, v.counts)
	require.Equal(t, 8, s.mostActivations)
}

// Faults that end nodes move trips there and back; what changes nothing moves none.
func TestFaultsThatMoveTrips(t *testing.T) {
	for _, k := range faultKinds {
		if k.harmless {
			require.Zero(t, k.moves, k.kind)
		}
		if k.loses {
			require.GreaterOrEqual(t, k.moves, int64(2), k.kind)
		}
	}
}

// The activations of a trip are read when clients see its end, once.
func TestEndedTripsAreFollowed(t *testing.T) {
	a := &activations{ended: make(chan ride.TripID, 2), fences: make(map[ride.TripID]int64)}
	for _, r := range []check.Record{
		{What: check.TripNews, Trip: "t", Version: 2, Status: "matched"},
		{What: check.OfferEnded, Trip: "t", Offer: "t.1"},
		{What: check.TripNews, Trip: "t", Version: 3, Status: "cancelled"},
		{What: check.Return, Trip: "t", Version: 3, Status: "cancelled"},
		{What: check.Return, Trip: "u", Version: 3, Status: "completed"},
		{What: check.Return, Trip: "v", Version: 3, Status: "completed"},
	} {
		a.watch(r)
	}
	require.Len(t, a.ended, 2)
	require.EqualValues(t, "t", <-a.ended)
	require.EqualValues(t, "u", <-a.ended)
	require.Equal(t, 1, a.missed)
}

// A message for another account that reaches a person's actor breaks L6, whichever process counts it.
func TestMisdirectedMessagesAreCaught(t *testing.T) {
	metrics := ""
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(metrics)) }))
	defer node.Close()
	c, _, _ := scene(t)
	c.counters.values, c.counters.read = make(map[*child]map[string]float64), make(map[*child]time.Time)
	read := func(text string) {
		metrics = text
		c.nodes[0].child = &child{ops: node.Listener.Addr().String()}
		c.readCounters(t.Context(), c.nodes[0])
	}
	const good = "# TYPE hexhail_messages_misdirected_total counter\nhexhail_messages_misdirected_total 0\n" +
		"# TYPE hexhail_node_frames_total counter\nhexhail_node_frames_total{result=\"taken\"} 3\nhexhail_node_frames_total{result=\"stale\"} 1\n" +
		"# TYPE hexhail_stale_commits_total counter\nhexhail_stale_commits_total 2\n"
	read(good)
	read(good)
	r := new(ClusterReport)
	c.counters.rises = nil
	c.judgeCounters(r)
	require.Empty(t, c.verdict.counts)
	require.Equal(t, 8, r.Frames, "of both processes")
	require.Equal(t, 4, r.StaleCommits)
	read("# TYPE hexhail_messages_misdirected_total counter\nhexhail_messages_misdirected_total 1\n")
	read("# TYPE hexhail_node_streams_broken_total counter\nhexhail_node_streams_broken_total 1\n")
	read(good)
	c.judgeCounters(r)
	require.Equal(t, map[string]int64{noStranger: 2}, c.verdict.counts)
	require.Len(t, r.StaleWithoutFault, 1, "its commits were stale, and there was no fault")
	for range 2 {
		read(good)
	}
	c.judgeCounters(r)
	require.EqualValues(t, 1, c.verdict.counts[fewActivations])
}

// A commit may be stale during a fault and for a moment after it, and at no other time (L5).
func TestStaleCommitsThatNoFaultExplains(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	c := counters{values: make(map[*child]map[string]float64), read: make(map[*child]time.Time)}
	a, b := new(child), new(child)
	for _, x := range []struct {
		process *child
		at      int
		stale   float64
	}{{a, 10, 0}, {a, 20, 2}, {b, 21, 3}, {a, 24, 2}, {a, 40, 4}, {b, 41, 3}, {b, 50, 8}} {
		c.note(x.process, map[string]float64{stale: x.stale}, at(x.at))
	}
	require.Len(t, c.rises, 4)
	fault := []window{{from: at(18), to: at(19)}, {from: at(30), to: at(35)}}
	rises, n := c.unexplained(fault)
	require.Equal(t, []rise{{from: at(41), to: at(50), by: 5}}, rises)
	require.Equal(t, 5, n)
	_, n = c.unexplained(append(fault, window{from: at(44), to: at(46)}))
	require.Zero(t, n)
	_, n = c.unexplained(nil)
	require.Equal(t, 12, n)
}

// An end that no client sees in time is late by the time of its commit, though clients alone cannot know (L1).
func TestEndsCountFromTheirCommit(t *testing.T) {
	s := func(n int) int64 { return int64(n) * int64(time.Second) }
	rider := func(at int64, r check.Record) check.Record {
		r.At, r.Who, r.Role = at, "ann", "rider"
		return r
	}
	history := []check.Record{
		rider(s(1), check.Record{What: check.Connected, Account: "A", Epoch: "e"}),
		rider(s(2), check.Record{What: check.Call, ID: "1", Op: "request"}),
		rider(s(3), check.Record{What: check.Return, ID: "1", Op: "request", Trip: "t", Version: 1, Status: "requested"}),
		rider(s(31), check.Record{What: check.TripNews, Epoch: "e", Seq: 1, Trip: "t", Version: 2, Status: "expired"}),
		{At: s(60), What: check.End},
	}
	require.Zero(t, endsHeard(history).violations)
	end := func(at int) []check.Record {
		return []check.Record{{At: s(at), What: check.Committed, Trip: "t", Version: 2, Status: "expired"}}
	}
	require.Zero(t, endsHeard(merge(history, end(12))).violations)
	merged := merge(history, end(10))
	require.Equal(t, check.Committed, merged[3].What)
	h := endsHeard(merged)
	require.EqualValues(t, 1, h.violations, "%v", h.findings)

	r := report.Report{Violations: map[string]int64{"I1": 2, check.EndArrives: 0}, Findings: []string{"I1: x", "L1: y"}, Late: map[string]int64{}}
	h.replace(&r)
	require.Equal(t, map[string]int64{"I1": 2, check.EndArrives: 1}, r.Violations)
	require.Equal(t, append([]string{"I1: x"}, h.findings...), r.Findings)
}

// What ends after the history is no reason to lose a record, and a recorded history has the commits.
func TestCommitsAreKept(t *testing.T) {
	h := []check.Record{{At: 5, What: check.Killed}, {At: 10, What: check.End}, {At: 11, What: check.Read, Trip: "t"}}
	more := []check.Record{{At: 20, What: check.Committed, Trip: "u"}, {At: 5, What: check.Committed, Trip: "t"}}
	p := &proof{o: Options{Record: filepath.Join(t.TempDir(), "history.jsonl")}}
	merged, err := p.committed(h, more)
	require.NoError(t, err)
	var whats []string
	for _, r := range merged {
		whats = append(whats, string(r.What)+r.Trip)
	}
	require.Equal(t, []string{"killed", "committedt", "committedu", "end", "readt"}, whats)
	kept, err := readHistory(p.o.Record)
	require.NoError(t, err)
	require.Equal(t, merged, kept)
}

// A node may end itself only where a fault explains it, and with no other exit code.
func TestEndsOfNodesThatNothingExplains(t *testing.T) {
	c, _, _ := scene(t)
	n := c.nodes[0]
	log, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	defer log.Close()
	n.program = &program{log: log}
	c.judgeEnd(n, server.ExitEnded, true)
	require.Empty(t, c.verdict.counts)
	c.judgeEnd(n, server.ExitEnded, false)
	c.judgeEnd(n, 1, true)
	c.judgeEnd(n, 0, true)
	require.Equal(t, map[string]int64{serverLife: 3}, c.verdict.counts)
}
