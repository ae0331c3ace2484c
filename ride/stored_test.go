package ride_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// TestStoredEventsStayReadable holds the stored form of events to a file: events are kept forever,
// so a field may be added (HEXHAIL_UPDATE=1 rewrites the file), but none renamed or given another
// meaning.
func TestStoredEventsStayReadable(t *testing.T) {
	const file = "testdata/stored_events.txt"
	s := wholeLife(t)
	events := append(s.history, ride.Cancelled{At: dawn, By: ride.ByRider, Reason: "late"}, ride.Expired{At: dawn},
		ride.OffersEnded{At: dawn, Offers: []ride.OfferID{"trip.1"}, State: ride.OfferExpired, Reason: ride.ReasonNotAnswered},
		ride.Completed{At: dawn, By: ride.ByDriver, TravelledM: 3200, Fare: ride.Fare{
			Currency: "USD", Total: 602, Base: 250, Distance: 352, DistanceM: 3200, Basis: ride.BasisStreets, MeasuredM: 3200,
			Streets: &ride.StreetCheck{Verdict: ride.StreetsCount, LengthM: 3200, PositionsM: 3150, Share: 0.98},
		}})
	var written bytes.Buffer
	kinds := map[string]bool{}
	for _, e := range events {
		kind, data, err := ride.MarshalEvent(e)
		require.NoError(t, err)
		kinds[kind] = true
		fmt.Fprintf(&written, "%s %s\n", kind, data)
	}
	require.Len(t, kinds, 13, "every kind of event must be there")
	if os.Getenv("HEXHAIL_UPDATE") == "1" {
		require.NoError(t, os.WriteFile(file, written.Bytes(), 0o644))
	}
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(b), written.String())

	var back []ride.Event
	for line := range strings.Lines(string(b)) {
		kind, data, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		e, err := ride.UnmarshalEvent(kind, []byte(data))
		require.NoError(t, err)
		back = append(back, e)
	}
	require.Empty(t, cmp.Diff(s.trip, ride.Replay(back[:len(s.history)])))
}

func TestUnknownEventsAreRefused(t *testing.T) {
	_, err := ride.UnmarshalEvent("teleported", []byte("{}"))
	require.ErrorContains(t, err, "teleported")
	_, err = ride.UnmarshalEvent(ride.KindMatched, []byte("{"))
	require.ErrorContains(t, err, ride.KindMatched)
	_, err = ride.UnmarshalTrip([]byte("["))
	require.Error(t, err)
}
