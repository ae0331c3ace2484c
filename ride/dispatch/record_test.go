package dispatch_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/dispatch"
)

// TestRecordsAreSmall: the longest ids, all reasons at once and a whole list of alternatives still fit into 4 KB.
func TestRecordsAreSmall(t *testing.T) {
	p := dispatch.Auto()
	p.Name, p.Version = strings.Repeat("n", 64), 1<<31
	long := func(kind string, i int) string { return fmt.Sprintf("%s-%s-%06d", kind, strings.Repeat("x", 50), i) }
	var s dispatch.Snapshot
	for i := range 60 {
		trip := ride.TripID(long("trip", i))
		s.Requests = append(s.Requests, dispatch.Request{Trip: trip, Excluded: []ride.AccountID{ride.AccountID(long("driver", 100))}})
		for k := range 110 {
			id := ride.AccountID(long("driver", k))
			if i == 0 {
				d := dispatch.Driver{ID: id, State: dispatch.Free}
				switch k {
				case 101:
					d.Class = "van"
				case 102:
					d.Held = true
				case 103:
					d.State, d.Lead = dispatch.InRide, p.MaxETA
				}
				s.Drivers = append(s.Drivers, d)
			}
			s.Ways = append(s.Ways, way(trip, id, 30+(i*37+k*91)%600))
		}
	}
	plan := dispatch.Decide(p, &s)
	require.Len(t, plan.Records, len(plan.Offers))
	require.NotEmpty(t, plan.Records)
	seen := map[dispatch.Reason]bool{}
	for i, r := range plan.Records {
		require.Equal(t, plan.Offers[i].Trip, r.Trip)
		require.Equal(t, plan.Offers[i].Driver, r.Driver)
		require.Len(t, r.Next, 5)
		b, err := json.Marshal(r)
		require.NoError(t, err)
		require.LessOrEqual(t, len(b), 4096)
		for why := range r.Others {
			seen[why] = true
		}
	}
	for _, why := range []dispatch.Reason{dispatch.Excluded, dispatch.WrongClass, dispatch.Held, dispatch.Busy, dispatch.TooFar, dispatch.Dearer} {
		require.True(t, seen[why], why)
	}
}
