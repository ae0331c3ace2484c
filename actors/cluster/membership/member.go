package membership

import (
	"cmp"
	"strings"
)

// ID names one process. A node keeps its name when it restarts, but its process gets a new
// incarnation, so an ID never names two processes.
type ID struct {
	Node        string `json:"node"`
	Incarnation string `json:"incarnation"`
}

// String is the node and the incarnation with a slash between them.
func (i ID) String() string { return i.Node + "/" + i.Incarnation }

// Compare orders IDs by node, then by incarnation.
func (i ID) Compare(other ID) int {
	return cmp.Or(strings.Compare(i.Node, other.Node), strings.Compare(i.Incarnation, other.Incarnation))
}

// Member is a process as the registry lists it.
type Member struct {
	ID
	// Address is the host and port at which other members reach it.
	Address string `json:"address"`
	// Version is that of its program.
	Version string `json:"version"`
	// Settings are digests of the settings that must be equal on all members; see Settings.
	Settings string `json:"settings"`
	// Leaving says that it hands over its work and will end.
	Leaving bool `json:"leaving,omitempty"`
	// Joining says that it is not a member yet: it first finds out whether it reaches the members.
	Joining bool `json:"joining,omitempty"`
	// Joined rises with each registration in the cluster, so that all members agree on who is older.
	// A lost lease does not change it. 0: not registered yet.
	Joined int64 `json:"joined,omitempty"`
}

// older reports whether m registered before other.
func (m Member) older(other Member) bool {
	if (m.Joined == 0) != (other.Joined == 0) {
		return m.Joined != 0
	}
	return cmp.Or(cmp.Compare(m.Joined, other.Joined), m.Compare(other.ID)) < 0
}

// Standing is what one member says of another.
type Standing int

// What a member can be to another.
const (
	// Unknown: not seen yet, or forgotten.
	Unknown Standing = iota
	// In: counted.
	In
	// Out: counted before, and dropped since. A process that hears this of itself ends.
	Out
)

// Counted is a member in the table of another.
type Counted struct {
	Member
	// Heard says that it has answered the table's owner lately.
	Heard bool `json:"heard,omitempty"`
}

// Answer is what a member replies to a ping.
type Answer struct {
	From Member   `json:"from"`
	You  Standing `json:"you"`
	// Counted is its table, with itself.
	Counted []Counted `json:"counted"`
	// Fresh says that its listing of the registry is recent.
	Fresh bool `json:"fresh"`
	// Database says that it reaches the database.
	Database bool `json:"database"`
}

// lists reports whether the answer's table holds a member, and whether it has heard from it.
func (a *Answer) lists(id ID) (listed, heard bool) {
	for _, c := range a.Counted {
		if c.ID == id {
			return true, c.Heard
		}
	}
	return false, false
}
