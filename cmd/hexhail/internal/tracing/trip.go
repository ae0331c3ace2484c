package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/hexhail/hexhail/actors"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/session"
)

// Store returns a store that records the transitions of trips that this process commits. Everything
// else goes to the store as it is.
func (t *Tracer) Store(of actors.Store) actors.Store { return tracedStore{of, t} }

type tracedStore struct {
	actors.Store
	tracer *Tracer
}

// Commit implements actors.Store.
func (s tracedStore) Commit(ctx context.Context, change ride.Transition) error {
	begun := time.Now()
	err := s.Store.Commit(ctx, change)
	if change.Trip != nil {
		s.tracer.committed(change, begun, time.Now(), err)
	}
	return err
}

// committed records a transition: its commit, the offers that it ended and, with the last one, the
// trip's phases.
func (t *Tracer) committed(change ride.Transition, begun, done time.Time, failed error) {
	trip := change.Trip
	kinds := make([]string, len(change.Events))
	for i, e := range change.Events {
		kinds[i] = e.Kind()
	}
	t.span(trip.ID, "commit", begun, done, failed,
		attribute.StringSlice("hexhail.events", kinds), attribute.Int64("hexhail.version", trip.Version), attribute.String("hexhail.status", string(trip.Status)))
	if failed != nil || len(change.Events) == 0 {
		return
	}
	at := change.Events[len(change.Events)-1].When()
	for _, row := range change.Offers {
		if o := row.Offer; o.State.Ended() {
			t.span(trip.ID, "offer", o.MadeAt, at, nil,
				attribute.String("hexhail.offer", string(o.ID)), attribute.Int("hexhail.wave", o.Wave),
				attribute.String("hexhail.offer.state", string(o.State)), attribute.Float64("hexhail.offer.eta_seconds", o.ETA.Seconds()))
		}
	}
	if ends(change) {
		t.ended(trip)
	}
}

// ends reports whether a transition leads to a final status. A rating comes after it.
func ends(change ride.Transition) bool {
	for _, e := range change.Events {
		switch e.(type) {
		case ride.Completed, ride.Cancelled, ride.Expired:
			return true
		}
	}
	return false
}

// ended records the phases of a trip and the whole of it. The search is the way to the match that
// held, whatever matches came before it.
func (t *Tracer) ended(trip *ride.Trip) {
	phases := []struct {
		name        string
		from, until time.Time
	}{
		{"search", trip.RequestedAt, trip.MatchedAt},
		{"pickup", trip.MatchedAt, trip.ArrivedAt},
		{"boarding", trip.ArrivedAt, trip.StartedAt},
		{"ride", trip.StartedAt, trip.EndedAt},
	}
	for _, p := range phases {
		if p.from.IsZero() {
			break
		}
		if p.until.IsZero() {
			p.until = trip.EndedAt // it ended the trip
		}
		t.span(trip.ID, p.name, p.from, p.until, nil)
	}
	t.root(trip.ID, trip.RequestedAt, trip.EndedAt,
		attribute.String("hexhail.status", string(trip.Status)), attribute.String("hexhail.class", trip.Request.Class),
		attribute.Int("hexhail.waves", trip.Search.Wave), attribute.Int("hexhail.offers", len(trip.Offers)), attribute.Int("hexhail.released", len(trip.Excluded)))
}

// Answered records a command of a client; see session.Config.
func (t *Tracer) Answered(a session.Answered) {
	var refused error
	if a.Code != "" {
		refused = refusal(a.Code)
	}
	t.span(a.Trip, a.Command, a.ReceivedAt, a.RepliedAt, refused,
		attribute.String("hexhail.role", string(a.Role)), attribute.String("hexhail.encoding", a.Encoding))
}

// refusal is the code with which a command was refused.
type refusal string

func (r refusal) Error() string { return string(r) }
