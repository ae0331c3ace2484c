package membership

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSettingsThatDiffer(t *testing.T) {
	a := Settings(map[string]string{"tariffs": "1", "resolution": "2", "pin": "3"})
	require.Equal(t, "pin=3 resolution=2 tariffs=1", a)
	require.Empty(t, differing(a, a))
	b := Settings(map[string]string{"tariffs": "9", "resolution": "2", "dispatch": "4"})
	require.Equal(t, []string{"tariffs"}, differing(a, b), "what only one version knows is not compared")
	require.Equal(t, differing(a, b), differing(b, a))
	require.Equal(t, []string{"pin", "tariffs"}, differing(a, "tariffs=9 pin=8"))
	require.Empty(t, differing("tariffs=1", ""))
}

// A member may change its settings while it runs: the others believe its answers, also where the registry has
// an older word.
func TestSettingsChangeWhileMembersRun(t *testing.T) {
	b := member("b", 2)
	j := joinedWith(t, b)
	self, _ := j.Answer(epoch, b.ID)
	require.Empty(t, j.View().Warnings)
	newer := b
	newer.Settings = "s=2"
	at := epoch.Add(time.Second)
	j.Answered(at, at, b.ID, Answer{From: newer, You: In, Counted: []Counted{{Member: self.From}, {Member: b}}, Database: true})
	j.Listed(at, at.Add(1), []Member{self.From, b})
	_, names := j.View().Unlike(b.ID)
	require.Equal(t, []string{"s"}, names)
	require.Len(t, j.View().Warnings, 1)
	j.Settings(at, "s=2")
	require.Empty(t, j.View().Warnings)
	said, ok := j.Answer(at, b.ID)
	require.True(t, ok)
	require.Equal(t, "s=2", said.From.Settings)
}

// The oldest member's settings count: a node that joins with others learns of it, and no other node does.
func TestTheOldestDecidesOnSettings(t *testing.T) {
	member := func(node string, joined int64, settings string) Member {
		return Member{ID: ID{Node: node}, Joined: joined, Settings: settings}
	}
	v := View{Members: []Member{member("a", 30, "x=1 y=2"), member("b", 10, "x=1 y=1"), member("c", 20, "x=1 y=1"), member("d", 0, "x=3 y=1")}}
	for node, want := range map[string][]string{"a": {"y"}, "b": nil, "c": nil, "d": {"x"}, "unknown": nil} {
		oldest, got := v.Unlike(ID{Node: node})
		require.Equal(t, want, got, node)
		if want != nil {
			require.Equal(t, "b", oldest.Node)
		}
	}
	_, got := View{}.Unlike(ID{Node: "a"})
	require.Nil(t, got)
}
