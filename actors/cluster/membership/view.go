package membership

import (
	"fmt"
	"strings"
	"time"
)

// View is what a Judge makes of its inputs. Its slices belong to the reader.
type View struct {
	// Joined says that this process has been listed. Before that it owns nothing.
	Joined bool
	// Members are those that are counted, this process among them once it has joined and until it
	// leaves, in the order of their IDs.
	Members []Member
	// Ping are those to ping: the other members, those that only another member knows, and those that join.
	Ping []Member
	// Awaited are the members that have not answered this process, while it waits to join.
	Awaited []Member
	// Leaving are those that were dropped because they leave, and whose key is still there: they own
	// nothing, but run until it is gone.
	Leaving []Member
	// Late are the members whose answers are overdue: they are counted, but not waited for.
	Late []Late
	// Excluded are those that were dropped, the newest last.
	Excluded []Exclusion
	Warnings []Warning
	// Threat is the verdict that follows unless its cause passes, and End the verdict that this process
	// must end. Their Rule is Stay if there is none.
	Threat, End End
	// Pause is the longest time for which this process stood still so far.
	Pause time.Duration
}

// Late is a member whose latest answer was to a ping that was sent Since.
type Late struct {
	ID
	Since time.Time
}

// Reason is why a member was dropped.
type Reason int

// Why a member is dropped.
const (
	// Left: it said so, by its key or in an answer.
	Left Reason = iota + 1
	// Silent: its key is missing, and no member has had an answer from it lately.
	Silent
)

func (r Reason) String() string {
	if r == Left {
		return "it leaves"
	}
	return "it does not answer and has no place in etcd any more"
}

// Exclusion is a member that was dropped at a time of this process's clock.
type Exclusion struct {
	Member
	Reason Reason
	At     time.Time
}

// WarningKind is what a warning is about.
type WarningKind int

// What a warning is about.
const (
	// TablesDiffer: another member has counted other members for longer than Limits.Differ.
	TablesDiffer WarningKind = iota + 1
	// SettingsDiffer: another member runs with settings that must be equal and are not.
	SettingsDiffer
	// NameTwice: another process runs under this node's name.
	NameTwice
	// RegistryStale: the registry has not been listed for longer than Limits.Silent.
	RegistryStale
)

// Warning is what an operator should know.
type Warning struct {
	Kind WarningKind
	// Member is the other one; zero for RegistryStale.
	Member ID
	// Since is when it began, by this process's clock; for TablesDiffer and RegistryStale.
	Since time.Time
	// Ours are counted here and not there, Theirs the reverse; for TablesDiffer.
	Ours, Theirs []ID
	// Settings are the names of those that differ, for SettingsDiffer.
	Settings []string
}

func (w Warning) String() string {
	switch w.Kind {
	case TablesDiffer:
		return fmt.Sprintf("%v counts other members than this node: only here %v, only there %v", w.Member, w.Ours, w.Theirs)
	case SettingsDiffer:
		return fmt.Sprintf("%v runs with other settings for %s", w.Member, strings.Join(w.Settings, ", "))
	case NameTwice:
		return fmt.Sprintf("%v runs under the same node name; give each node its own node-name", w.Member)
	default:
		return "etcd does not answer this node: the last list of members holds"
	}
}

// Rule is a rule by which a process ends.
type Rule int

// The rules, in the order in which they apply.
const (
	Stay Rule = iota
	// StoodStill: this process did not run for longer than its lease.
	StoodStill
	// Forgotten: its lease ran out, and no other member answers.
	Forgotten
	// CountedOut: another member has dropped it.
	CountedOut
	// CutOff: it reaches fewer than half of the listed members, or half without the oldest.
	CutOff
	// NoDatabase: it does not reach the database, and others do.
	NoDatabase
)

// End is the verdict on this process. It is final: a supervisor starts a new incarnation.
type End struct {
	Rule   Rule
	Reason string
}
