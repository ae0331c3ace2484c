package ride

import (
	"fmt"
	"slices"
	"strings"
)

// Step is one edge of the status graph: an event of Kind leads From one status
// To another.
type Step struct {
	From Status
	Kind string
	To   Status
}

// Steps is the whole status graph. Of the events that stay in a status it has the one that
// changes a party of the trip, the exchange. The picture in docs/semantics.md is made from it, and a property test holds the
// machine to it.
func Steps() []Step {
	return []Step{
		{StatusNone, KindRequested, StatusRequested},
		{StatusRequested, KindMatched, StatusMatched},
		{StatusRequested, KindCancelled, StatusCancelled},
		{StatusRequested, KindExpired, StatusExpired},
		{StatusMatched, KindExchanged, StatusMatched},
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

// Statuses are all statuses of a trip: the live ones, then the final ones, each in the order in
// which Steps first leads to them. Every list of statuses outside of this package comes from it.
func Statuses() []Status {
	var live, final []Status
	for _, s := range Steps() {
		switch {
		case slices.Contains(live, s.To) || slices.Contains(final, s.To):
		case s.To.Final():
			final = append(final, s.To)
		default:
			live = append(live, s.To)
		}
	}
	return append(live, final...)
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
	for _, s := range Statuses() {
		if s.Final() {
			fmt.Fprintf(&b, "    %s --> [*]\n", s)
		}
	}
	return b.String()
}
