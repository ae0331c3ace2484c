package crash

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
)

// History reads a trip's events and checks them against I11 and the stored state: versions increase
// by one, every step is an edge of the graph, and together the events produce the state. It returns
// the events and the trip at each version. The error describes the violation.
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
		return events, nil, fmt.Errorf("trip %s: its events do not produce its stored state", trip.ID)
	}
	return events, states, nil
}

// Tally counts the expected effects of commands, by trip and kind of event.
type Tally struct {
	acked, open map[ride.TripID]map[string]int
}

// NewTally makes an empty tally.
func NewTally() *Tally {
	return &Tally{acked: make(map[ride.TripID]map[string]int), open: make(map[ride.TripID]map[string]int)}
}

// commandKinds are the events that only, or mostly, commands cause.
var commandKinds = []string{
	ride.KindRequested, ride.KindMatched, ride.KindArrived, ride.KindStarted, ride.KindCompleted, ride.KindCancelled,
	ride.KindReleased, ride.KindRated,
}

// Acknowledged counts a successful command that implies an event of a kind.
func (t *Tally) Acknowledged(trip ride.TripID, kind string) { count(t.acked, trip, kind) }

// Unanswered counts a command that may have caused an event of a kind.
func (t *Tally) Unanswered(trip ride.TripID, kind string) { count(t.open, trip, kind) }

// ForgetUnanswered resets the count of unanswered commands.
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

// Mismatch is a kind of event of which a trip has fewer than Acknowledged or more than Allowed.
type Mismatch struct {
	Kind                         string
	Found, Acknowledged, Allowed int
}

// Check compares a trip's events with the tally: each acknowledged success has an event, and each
// event was acknowledged or belongs to an unanswered command. The caller must leave out events that
// no command caused, such as a cancellation by a time limit.
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
