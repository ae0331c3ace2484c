package actors

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

func members(n int) []Member {
	out := make([]Member, n)
	for i := range out {
		out[i] = Member{fmt.Sprintf("10.0.0.%d:7946", i+1), fmt.Sprintf("in%d", i)}
	}
	return out
}

// counts returns how many shards each member owns.
func counts(t *memberTable) map[Member]int {
	out := make(map[Member]int)
	for _, i := range t.owners {
		out[t.all[i]]++
	}
	return out
}

// Every node computes the same owners from the same members, in whatever order it learns of them.
func TestEveryNodeComputesTheSameOwners(t *testing.T) {
	list := members(5)
	first := newMemberTable(list[0], list)
	for _, self := range list {
		slices.Reverse(list)
		other := newMemberTable(self, list)
		require.Equal(t, first.owners, other.owners)
		require.Equal(t, self, other.all[other.self])
		require.Len(t, other.others, 4)
		require.NotContains(t, other.others, self)
	}
}

// Shards are spread evenly, and a member that comes or goes moves only its own.
func TestShardsMoveOnlyWithTheirOwner(t *testing.T) {
	for n := 2; n <= 9; n++ {
		all := members(n)
		before := newMemberTable(all[0], all)
		for _, owned := range counts(before) {
			require.InEpsilon(t, Shards/n, owned, 0.25, "%d members", n)
		}
		after := newMemberTable(all[0], all[:n-1])
		for shard := range Shards {
			if was := before.all[before.owners[shard]]; was != all[n-1] {
				require.Equal(t, was, after.all[after.owners[shard]])
			}
		}
	}
}

// A process that is started again at its address owns what the former one owned.
func TestARestartedProcessGetsItsShardsBack(t *testing.T) {
	all := members(3)
	before := newMemberTable(all[0], all)
	again := slices.Clone(all)
	again[1].Incarnation = "next"
	after := newMemberTable(all[0], again)
	require.Equal(t, counts(before)[all[1]], counts(after)[again[1]])
	require.True(t, after.has(again[1].node()))
	require.False(t, after.has(all[1].node()))
}

func TestANodeWithoutMembersOwnsNothing(t *testing.T) {
	all := members(2)
	for _, list := range [][]Member{nil, all[1:]} {
		table := newMemberTable(all[0], list)
		for shard := range Shards {
			require.False(t, table.ownsShard(shard))
		}
	}
	_, ok := newMemberTable(all[0], nil).owner("0190b4d6-0000-7000-8000-000000000abc")
	require.False(t, ok)
}

// A trip's shard is the end of its id; any text has one.
func TestShardOf(t *testing.T) {
	require.Equal(t, 0xabc, shardOf("0190b4d6-0000-7000-8000-000000000abc"))
	require.Equal(t, 0xabc, shardOf("0190B4D6-0000-7000-8000-000000000ABC"))
	for _, id := range []ride.TripID{"", "a", "ab", "xyz", "-12", "+12", "0x1", "1_0", "\xff\xff\xff"} {
		require.GreaterOrEqual(t, shardOf(id), 0, "%q", id)
		require.Less(t, shardOf(id), Shards, "%q", id)
	}
}
