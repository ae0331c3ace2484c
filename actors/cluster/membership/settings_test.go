package membership

import (
	"testing"

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
