package membership

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// joinedWith returns a judge that has joined at epoch, and other members.
func joinedWith(t *testing.T, others ...Member) *Judge {
	t.Helper()
	self := Member{ID: ID{"self", "1"}, Address: "self:1", Settings: "s=1", Joined: 1}
	j, err := New(self, DefaultLimits(), epoch.Add(-time.Millisecond))
	require.NoError(t, err)
	require.Empty(t, j.View().Members, "not before the first listing")
	j.LeaseGranted(epoch)
	j.Listed(epoch, epoch, append([]Member{self}, others...))
	return j
}

func member(node string, joined int64) Member {
	return Member{ID: ID{node, "1"}, Address: node + ":1", Settings: "s=1", Joined: joined}
}

// tick lets a judge run from one moment to another.
func tick(j *Judge, from, to time.Duration) {
	for d := from; d <= to; d += j.limits.Tick {
		j.Tick(epoch.Add(d))
	}
}

// An answer says that a member was alive when it was asked, however late it arrives: one that waited
// in a buffer while this process stood still does not prove that it did not.
func TestAnswersCountFromTheirQuestion(t *testing.T) {
	b := member("b", 2)
	j := joinedWith(t, b)
	j.Tick(epoch.Add(100 * time.Millisecond))
	late := epoch.Add(2900 * time.Millisecond)
	j.Answered(late, epoch.Add(100*time.Millisecond), b.ID, Answer{From: b, You: In, Database: true})
	require.Equal(t, Stay, j.View().End.Rule)
	require.Equal(t, []Late{{b.ID, epoch.Add(100 * time.Millisecond)}}, j.View().Late)
	require.Equal(t, 2700*time.Millisecond, j.View().Pause)
	j.LeaseLost(late)
	require.Equal(t, Forgotten, j.View().End.Rule)
	_, ok := j.Answer(late, b.ID)
	require.False(t, ok, "it stays silent")
}

// A member that was dropped and is listed again has a lease, so it runs: it is counted.
func TestDroppedAndListedAgainIsCounted(t *testing.T) {
	b := member("b", 2)
	j := joinedWith(t, b)
	list := func(from, to time.Duration, others ...Member) {
		for d := from; d <= to; d += j.limits.Tick {
			j.Listed(epoch.Add(d), epoch.Add(d), append([]Member{j.self}, others...))
		}
	}
	list(100*time.Millisecond, 2*time.Second)
	require.Len(t, j.View().Members, 2, "it is not silent yet")
	list(2100*time.Millisecond, 2200*time.Millisecond)
	require.Len(t, j.View().Members, 1)
	a, _ := j.Answer(j.now, b.ID)
	require.Equal(t, Out, a.You)
	list(2300*time.Millisecond, 2300*time.Millisecond, b)
	require.Len(t, j.View().Members, 2)
	require.Empty(t, j.View().Excluded)
	a, _ = j.Answer(j.now, b.ID)
	require.Equal(t, In, a.You)
}

// A process that is not listed yet tells no member to end.
func TestNoSayBeforeJoining(t *testing.T) {
	b := member("b", 2)
	j, err := New(member("a", 0), DefaultLimits(), epoch.Add(-time.Millisecond))
	require.NoError(t, err)
	j.Listed(epoch, epoch, []Member{b})
	for d := j.limits.Tick; d < 5*time.Second; d += j.limits.Tick {
		j.Listed(epoch.Add(d), epoch.Add(d), nil)
	}
	require.NotNil(t, j.excluded(b.ID))
	a, ok := j.Answer(j.now, b.ID)
	require.True(t, ok)
	require.Equal(t, Unknown, a.You)
	require.Empty(t, a.Counted)
	require.False(t, a.Fresh)
}

func TestVerdictIsFinal(t *testing.T) {
	b := member("b", 2)
	j := joinedWith(t, b)
	j.Answered(epoch, epoch, b.ID, Answer{From: b, You: Out})
	end := j.View().End
	require.Equal(t, CountedOut, end.Rule)
	require.Contains(t, end.Reason, "b/1")
	members := j.View().Members
	j.Listed(epoch.Add(time.Minute), epoch.Add(time.Minute), nil)
	require.Equal(t, end, j.View().End)
	require.Equal(t, members, j.View().Members)
}

func TestOldListingsAndOddTimes(t *testing.T) {
	b := member("b", 2)
	j := joinedWith(t, b)
	j.Listed(epoch.Add(time.Second), epoch.Add(-time.Second), nil)
	require.Len(t, j.View().Members, 2, "a listing that was asked for earlier is ignored")
	j.Tick(epoch.Add(-time.Hour))
	require.Equal(t, epoch.Add(time.Second), j.now, "time does not go back")
	j.Answered(epoch.Add(time.Second), epoch.Add(time.Second), ID{"stranger", "1"}, Answer{From: member("stranger", 9)})
	require.Len(t, j.View().Members, 2, "an answer of one that nothing speaks of")
}

func TestWarnings(t *testing.T) {
	b, c := member("b", 2), member("c", 3)
	b.Settings = "s=2"
	twin := Member{ID: ID{"self", "2"}, Address: "self:2", Settings: "s=1", Joined: 9}
	j := joinedWith(t, b, c, twin)
	self, _ := j.Answer(epoch, b.ID)
	both := []Counted{{Member: self.From}, {Member: b}, {Member: twin}, {Member: member("d", 4)}}
	for d := time.Duration(0); d <= 6*time.Second; d += j.limits.Tick {
		now := epoch.Add(d)
		j.Listed(now, now.Add(1), []Member{self.From, b, c, twin})
		j.Answered(now, now.Add(1), b.ID, Answer{From: b, You: In, Counted: both, Database: true})
		j.Answered(now, now.Add(1), twin.ID, Answer{From: twin, You: In, Counted: append(both[:3:3], Counted{Member: c}), Database: true})
		j.Answered(now, now.Add(1), c.ID, Answer{From: c, You: In, Counted: append(both[:3:3], Counted{Member: c}), Database: true})
	}
	var texts []string
	for _, w := range j.View().Warnings {
		texts = append(texts, w.String())
	}
	require.Equal(t, []string{
		"b/1 runs with other settings for s",
		"b/1 counts other members than this node: only here [c/1], only there [d/1]",
		"self/2 runs under the same node name; give each node its own node-name",
	}, texts)
	require.Contains(t, j.View().Ping, member("d", 4), "another counts it, so it is asked")
	require.NotContains(t, j.View().Members, member("d", 4), "it has not answered")
	tick(j, 6*time.Second, 9*time.Second)
	require.Contains(t, j.View().Warnings[0].String(), "etcd does not answer")
	require.NotContains(t, j.View().Ping, member("d", 4), "none speaks of it any more")
}

// A member that leaves is dropped, and known as leaving until its key is gone.
func TestLeavingMembers(t *testing.T) {
	b, c := member("b", 2), member("c", 3)
	j := joinedWith(t, b, c)
	require.Empty(t, j.View().Leaving)
	self, _ := j.Answer(epoch, b.ID)
	left := b
	left.Leaving = true
	at := epoch.Add(time.Second)
	j.Listed(at, at, []Member{self.From, left, c})
	require.NotContains(t, j.View().Members, b)
	require.Equal(t, []Member{b}, j.View().Leaving)
	at = at.Add(time.Second)
	j.Listed(at, at, []Member{self.From, c})
	require.Empty(t, j.View().Leaving)
}

func TestDroppedMembersAreRememberedWithinBounds(t *testing.T) {
	j := joinedWith(t)
	j.limits.Excluded = 3
	for i := range 5 {
		m := member(strings.Repeat("m", i+1), int64(i+2))
		now := epoch.Add(time.Duration(2*i+1) * 100 * time.Millisecond)
		j.Listed(now, now, []Member{j.self, m})
		m.Leaving = true
		j.Listed(now.Add(1), now.Add(1), []Member{j.self, m})
	}
	var nodes []string
	for _, e := range j.View().Excluded {
		require.Equal(t, "it leaves", e.Reason.String())
		nodes = append(nodes, e.Node)
	}
	require.Equal(t, []string{"mmm", "mmmm", "mmmmm"}, nodes)
}

func TestLimits(t *testing.T) {
	require.NoError(t, DefaultLimits().Validate())
	require.NoError(t, DefaultLimits().Scale(10).Validate())
	require.Equal(t, 10*DefaultLimits().Lag(), DefaultLimits().Scale(10).Lag())
	for rule, change := range map[string]func(*Limits){
		"ticks":                  func(l *Limits) { l.Tick = 0 },
		"at least two renewals":  func(l *Limits) { l.KeepAlive = 2 * time.Second },
		"whole seconds":          func(l *Limits) { l.Lease += time.Millisecond },
		"fresh listing":          func(l *Limits) { l.List = 1100 * time.Millisecond },
		"more often than half":   func(l *Limits) { l.List = time.Second },
		"missed two pings":       func(l *Limits) { l.Late = time.Second },
		"late before":            func(l *Limits) { l.Late = l.Silent },
		"alone for longer":       func(l *Limits) { l.Alone = l.Silent },
		"until the next listing": func(l *Limits) { l.Differ = time.Second },
		"without a database":     func(l *Limits) { l.Database = 0 },
		"one dropped member":     func(l *Limits) { l.Excluded = 0 },
		"leave no room for lags": func(l *Limits) { l.Tick = time.Second },
	} {
		l := DefaultLimits()
		change(&l)
		require.ErrorContains(t, l.Validate(), rule)
		_, err := New(member("a", 0), l, epoch)
		require.Error(t, err)
	}
	_, err := New(Member{}, DefaultLimits(), epoch)
	require.ErrorContains(t, err, "incarnation")
}
