package actors

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strconv"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// Member is one process of a cluster.
type Member struct {
	// Address is the host:port at which the other nodes reach it.
	Address string
	// Incarnation names the process: another one at the same address is another member, and
	// messages for the former one do not reach it. It holds no slash.
	Incarnation string
}

// node is the address of the member's actors in a PID.
func (m Member) node() string { return m.Address + "/" + m.Incarnation }

const (
	// shardDigits are the last hexadecimal digits of a trip's id, which are random.
	shardDigits = 3
	// Shards is the number of shards that trips are spread over.
	Shards = 1 << (4 * shardDigits)
)

// shardOf returns a trip's shard. An id that does not end in digits, such as a client's guess, has
// one all the same.
func shardOf(id ride.TripID) int {
	if n := len(id) - shardDigits; n >= 0 {
		if shard, err := strconv.ParseUint(string(id[n:]), 16, 16); err == nil {
			return int(shard)
		}
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // never fails
	return int(h.Sum32() % Shards)
}

// shardOfZone returns a matcher's shard. The cells of a city differ in few bits.
func shardOfZone(zone geo.Cell) int { return int(mix(uint64(zone)) % Shards) }

// memberTable says which member owns which shard. Every node computes the same one from the same
// list of members. It is not changed once made.
type memberTable struct {
	self   int      // index of this node; -1: it is not a member
	others []Member // all but this node
	all    []Member // by address
	owners [Shards]int16
	// leaving own nothing any more, but their people are still answered.
	leaving []Member
}

// newMemberTable assigns each shard to the member with the highest weight for it (rendezvous
// hashing; Thaler and Ravishankar, 1998): a member that comes or goes moves only the shards that it
// owns. Weights depend on addresses alone, so a restarted process gets its shards back.
func newMemberTable(self Member, members []Member) *memberTable {
	t := &memberTable{self: -1, all: slices.Clone(members)}
	slices.SortFunc(t.all, func(a, b Member) int {
		return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.Incarnation, b.Incarnation))
	})
	seeds := make([]uint64, len(t.all))
	for i, m := range t.all {
		if m == self {
			t.self = i
		} else {
			t.others = append(t.others, m)
		}
		h := fnv.New64a()
		_, _ = h.Write([]byte(m.Address))
		seeds[i] = h.Sum64()
	}
	for shard := range t.owners {
		t.owners[shard] = -1
		var best uint64
		for i, seed := range seeds {
			if w := mix(seed ^ uint64(shard)*0x9e3779b97f4a7c15); t.owners[shard] < 0 || w > best {
				t.owners[shard], best = int16(i), w
			}
		}
	}
	return t
}

// mix spreads the bits of a number (the finalizer of splitmix64; Steele, Lea and Flood, 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// owner returns the member that owns a trip; false when there are no members.
func (t *memberTable) owner(id ride.TripID) (Member, bool) { return t.shardOwner(shardOf(id)) }

func (t *memberTable) shardOwner(shard int) (Member, bool) {
	i := t.owners[shard]
	if i < 0 {
		return Member{}, false
	}
	return t.all[i], true
}

// OwnerAmong returns the function that says which of some members owns a trip; it reports false when
// there are none. Every node with the same list of members agrees. The function may be called from any
// goroutine.
func OwnerAmong(members []Member) func(ride.TripID) (Member, bool) {
	return newMemberTable(Member{}, members).owner
}

// owns reports whether this node owns a trip.
func (t *memberTable) owns(id ride.TripID) bool { return t.ownsShard(shardOf(id)) }

func (t *memberTable) ownsShard(shard int) bool {
	return t.self >= 0 && int(t.owners[shard]) == t.self
}

// has reports whether messages go to a process, by the address of its actors: it is a member, or was
// one and leaves.
func (t *memberTable) has(node string) bool {
	is := func(m Member) bool { return m.node() == node }
	return slices.ContainsFunc(t.all, is) || slices.ContainsFunc(t.leaving, is)
}

// leaves reports whether a process was a member and leaves.
func (t *memberTable) leaves(m Member) bool { return slices.Contains(t.leaving, m) }
