package ride_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// TestForget: forgetting a person in each event of a history leads to the state in which they
// are forgotten; it names them no more, changes nothing else, and once is as good as twice.
func TestForget(t *testing.T) {
	s := wholeLife(t)
	const ownWords = "she knows why" // what people write of each other
	var before ride.AccountID        // who gave it back
	for i, e := range s.history {
		switch e := e.(type) {
		case ride.Released:
			before, e.Reason = e.Driver, ownWords
			s.history[i] = e
		case ride.Arrived:
			e.Mark = &ride.Mark{Located: true, DistanceM: 9, Reason: ownWords}
			s.history[i] = e
		case ride.Completed:
			e.Mark = &ride.Mark{Reason: ownWords}
			s.history[i] = e
		}
	}
	s.trip = ride.Replay(s.history)
	require.NotEmpty(t, before)
	require.Equal(t, []string{ownWords, ownWords}, []string{s.trip.Arrival.Reason, s.trip.Completion.Reason})
	for _, who := range []ride.AccountID{s.trip.Request.Rider.ID, s.trip.DriverID(), before, "a stranger"} {
		var events []ride.Event
		for _, e := range s.history {
			events = append(events, ride.ForgetEvent(&s.trip, e, who))
		}
		forgotten := ride.ForgetTrip(s.trip, who)
		require.Empty(t, cmp.Diff(forgotten, ride.Replay(events)), who)
		require.Empty(t, cmp.Diff(forgotten, ride.ForgetTrip(forgotten, who)), who)
		for i, e := range events {
			require.Empty(t, cmp.Diff(e, ride.ForgetEvent(&forgotten, e, who)), "event %d", i)
		}
		require.Equal(t, s.trip.Fare, forgotten.Fare)
		require.Equal(t, s.trip.Estimate, forgotten.Estimate)
		if who == "a stranger" {
			require.Empty(t, cmp.Diff(s.trip, forgotten))
			continue
		}
		b, err := json.Marshal(forgotten)
		require.NoError(t, err)
		require.NotContains(t, string(b), ownWords)
		for _, e := range events {
			b, err := json.Marshal(e)
			require.NoError(t, err)
			require.NotContains(t, string(b), ownWords, "%T", e)
		}
		if who == before {
			continue // its name went with the trip's next driver
		}
		name := s.trip.Request.Rider.FirstName
		if who == s.trip.DriverID() {
			name = s.trip.Driver.FirstName
		}
		require.NotEmpty(t, name)
		require.NotContains(t, string(b), `"first_name":"`+name)
	}
}
