package crash

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
)

// History reads a trip's events and holds them to I11 and to the state that is kept
// beside them: versions rise by one, every step is an edge of the graph, and together
// they make the state. It returns the events and the trip as it was at each version;
// the error says what is wrong.
func History(ctx context.Context, s *persistence.Store, trip ride.Trip) ([]ride.StoredEvent, []ride.Trip, error) {
	events, err := s.TripEvents(ctx, trip.ID)
	if err != nil {
		return nil, nil, err
	}
	if len(events) != int(trip.Version) {
		return events, nil, fmt.Errorf("trip %s is at version %d and has %d events", trip.ID, trip.Version, len(events))
	}
	steps := ride.Steps()
	states := make([]ride.Trip, len(events))
	var state ride.Trip
	for i, e := range events {
		if e.Version != int64(i)+1 {
			return events, nil, fmt.Errorf("trip %s: event %d has version %d", trip.ID, i+1, e.Version)
		}
		before := state.Status
		state = ride.Apply(state, e.Event)
		step := ride.Step{From: before, Kind: e.Event.Kind(), To: state.Status}
		if before != state.Status && !slices.Contains(steps, step) {
			return events, nil, fmt.Errorf("trip %s: %q at version %d leads from %q to %q", trip.ID, step.Kind, e.Version, step.From, step.To)
		}
		states[i] = state
	}
	state.Fence = trip.Fence
	if !reflect.DeepEqual(trip, state) {
		return events, nil, fmt.Errorf("trip %s: its events do not make its state", trip.ID)
	}
	return events, states, nil
}

// Tally counts what commands should have led to, by trip and kind of event.
type Tally struct {
	acked, open map[ride.TripID]map[string]int
}

// NewTally makes an empty tally.
func NewTally() *Tally {
	return &Tally{acked: make(map[ride.TripID]map[string]int), open: make(map[ride.TripID]map[string]int)}
}

// commandKinds are the events that only commands lead to, or mostly.
var commandKinds = []string{
	ride.KindRequested, ride.KindMatched, ride.KindArrived, ride.KindStarted, ride.KindCompleted, ride.KindCancelled,
	ride.KindReleased, ride.KindRated,
}

// Acknowledged counts a success that means an event of a kind.
func (t *Tally) Acknowledged(trip ride.TripID, kind string) { count(t.acked, trip, kind) }

// Unanswered counts a command that may have led to an event of a kind.
func (t *Tally) Unanswered(trip ride.TripID, kind string) { count(t.open, trip, kind) }

// ForgetUnanswered begins to count unanswered commands anew.
func (t *Tally) ForgetUnanswered() { clear(t.open) }

func count(m map[ride.TripID]map[string]int, trip ride.TripID, kind string) {
	if trip == "" || kind == "" {
		return
	}
	if m[trip] == nil {
		m[trip] = make(map[string]int)
	}
	m[trip][kind]++
}

// Mismatch is a kind of event of which a trip has too few or too many: Acknowledged at
// least, Allowed at most.
type Mismatch struct {
	Kind                         string
	Found, Acknowledged, Allowed int
}

// Check holds a trip's events against the tally: each acknowledged success is an event,
// and each event was acknowledged or is of a command without an answer. Events that are
// nobody's command, such as a cancellation by a time limit, must be left out by the
// caller.
func (t *Tally) Check(trip ride.TripID, events []ride.Event) []Mismatch {
	found := make(map[string]int)
	for _, e := range events {
		found[e.Kind()]++
	}
	var out []Mismatch
	for _, kind := range commandKinds {
		low := t.acked[trip][kind]
		high := low + t.open[trip][kind]
		if n := found[kind]; n < low || n > high {
			out = append(out, Mismatch{kind, n, low, high})
		}
	}
	return out
}
