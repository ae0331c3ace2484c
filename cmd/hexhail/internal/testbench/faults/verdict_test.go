package faults

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/crash"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// checkTold compares everything that clients received, until their sockets ended, with the races'
// outcomes: one end for each offer, one match for each trip, no gap.
func checkTold(t *testing.T, lanes []*lane) {
	t.Helper()
	matches := make(map[string]map[string]bool) // drivers by trip, from all clients
	for _, l := range lanes {
		for _, p := range l.parties() {
			p.Closed() // nothing more can arrive
			p.told.note(p.Take())
			require.Empty(t, p.told.holes, "%s: events are missing", p.Name)
			for offer, trip := range p.told.offered {
				ends := p.told.ends[offer]
				require.Len(t, ends, 1, "%s: ends of offer %s", p.Name, offer)
				want := ridepb.OfferClosed_withdrawn
				if l.records[trip].winner == p.account {
					want = ridepb.OfferClosed_won
				}
				require.Equal(t, want, ends[0], "%s: offer %s", p.Name, offer)
			}
			for trip, drivers := range p.told.matched {
				require.Len(t, drivers, 1, "%s received %v for trip %s", p.Name, drivers, trip)
				if matches[trip] == nil {
					matches[trip] = make(map[string]bool)
				}
				matches[trip][drivers[0]] = true
			}
		}
		for trip, r := range l.records {
			want := map[string]bool{r.winner: true}
			if r.winner == "" {
				want = nil
			}
			require.Equal(t, want, matches[trip], "trip %s", trip)
		}
	}
}

// checkStored compares the outcomes with the database.
func checkStored(t *testing.T, s *persistence.Store, lanes []*lane) {
	t.Helper()
	for _, l := range lanes {
		for id, r := range l.records {
			trip, err := s.Trip(t.Context(), ride.TripID(id))
			require.NoError(t, err)
			require.Equal(t, r.status, view.Status(trip.Status), "trip %s", id)
			require.Equal(t, r.winner, string(trip.DriverID()), "trip %s", id)
			events := checkHistory(t, s, trip)
			var winners []string
			for _, e := range events {
				if m, ok := e.Event.(ride.Matched); ok {
					winners = append(winners, string(m.Card.ID))
				}
			}
			if r.winner == "" {
				require.Empty(t, winners, "trip %s", id)
			} else {
				require.Equal(t, []string{r.winner}, winners, "trip %s", id)
			}
		}
	}
}

// checkHistory checks a trip's events against I11 and the stored state.
func checkHistory(t *testing.T, s *persistence.Store, trip ride.Trip) []ride.StoredEvent {
	t.Helper()
	events, _, err := crash.History(t.Context(), s, trip)
	require.NoError(t, err)
	return events
}
