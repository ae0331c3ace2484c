package ride

import (
	"fmt"
	"strings"
)

// Step is one edge of the status graph: an event of Kind leads From one status
// To another.
type Step struct {
	From Status
	Kind string
	To   Status
}

// Steps is the whole status graph, edges that stay in a status left out. The
// picture in docs/semantics.md is made from it, and a property test holds the
// machine to it.
func Steps() []Step {
	return []Step{
		{StatusNone, KindRequested, StatusRequested},
		{StatusRequested, KindMatched, StatusMatched},
		{StatusRequested, KindCancelled, StatusCancelled},
		{StatusRequested, KindExpired, StatusExpired},
		{StatusMatched, KindArrived, StatusArrived},
		{StatusMatched, KindReleased, StatusRequested},
		{StatusMatched, KindCancelled, StatusCancelled},
		{StatusArrived, KindStarted, StatusInProgress},
		{StatusArrived, KindReleased, StatusRequested},
		{StatusArrived, KindCancelled, StatusCancelled},
		{StatusInProgress, KindCompleted, StatusCompleted},
		{StatusInProgress, KindCancelled, StatusCancelled},
	}
}

// Mermaid draws the status graph as a Mermaid state diagram.
func Mermaid() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	for _, s := range Steps() {
		from := string(s.From)
		if s.From == StatusNone {
			from = "[*]"
		}
		fmt.Fprintf(&b, "    %s --> %s: %s\n", from, s.To, s.Kind)
	}
	for _, s := range []Status{StatusCompleted, StatusCancelled, StatusExpired} {
		fmt.Fprintf(&b, "    %s --> [*]\n", s)
	}
	return b.String()
}
