package demand_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/sim/demand"
	"github.com/hexhail/hexhail/sim/demand/nyc"
)

func TestThePeakIsEmbeddedWhole(t *testing.T) {
	qs, ts, err := nyc.Peak(demand.Filter{})
	require.NoError(t, err)
	require.InDelta(t, 16010, len(qs), 100, "all but those that go nowhere")
	require.Len(t, ts, 6874)
	for i := 1; i < len(qs); i++ {
		require.LessOrEqual(t, qs[i-1].At, qs[i].At)
	}
	some, _, err := nyc.Peak(demand.Filter{From: 10 * time.Minute, To: 20 * time.Minute, Area: nyc.Manhattan})
	require.NoError(t, err)
	require.Greater(t, len(some), 1000)
	require.Less(t, some[len(some)-1].At, 10*time.Minute)
}

func TestFormatsOfRequests(t *testing.T) {
	const places = "pickup_lat,pickup_lng,dropoff_lat,dropoff_lng"
	const row = ",40.75,-73.99,40.76,-73.98\n"
	for clock, times := range map[string][2]string{
		"t_s": {"0", "90"}, "time": {"2026-01-01T00:00:00Z", "2026-01-01T00:01:30Z"},
		"pickup_unix": {"1212735600", "1212735690"}, "pickup": {"2013-01-01 00:00:00", "2013-01-01 00:01:30"},
	} {
		// Later one first: files need not be sorted.
		got, err := demand.ReadRequests(strings.NewReader(clock+","+places+"\n"+times[1]+row+times[0]+row), demand.Filter{})
		require.NoError(t, err, clock)
		require.Len(t, got, 2, clock)
		require.Zero(t, got[0].At, clock)
		require.Equal(t, 90*time.Second, got[1].At, clock)
		require.Equal(t, 1, got[0].Passengers)
	}
	named, err := demand.ReadRequests(strings.NewReader("t_s,"+places+",pickup_address,dropoff_address\n0,1,1,1,2,Here,There\n"), demand.Filter{})
	require.NoError(t, err)
	require.Equal(t, "Here There", named[0].PickupAddress+" "+named[0].DropoffAddress)
	for _, bad := range []string{
		"t_s," + places + ",pickup_address\n0,1,1,1,2," + strings.Repeat("x", 201) + "\n",
		"", "t_s,pickup_lat\n1,2\n", places + "\n", "t_s," + places + "\nx" + row, "t_s," + places + "\n1,91,0,40,-73\n",
		"t_s," + places + "\nNaN" + row, "time," + places + "\n9999-01-01T00:00:00Z" + row, "t_s," + places + "\n1,2\n",
	} {
		_, err := demand.ReadRequests(strings.NewReader(bad), demand.Filter{})
		require.ErrorIs(t, err, demand.ErrFormat, bad)
	}
}

func TestFleetsSamplesAndStreams(t *testing.T) {
	qs, ts, err := nyc.Peak(demand.Filter{})
	require.NoError(t, err)
	chosen := demand.Fleet(ts, 100, 1)
	require.Equal(t, chosen, demand.Fleet(ts, 100, 1))
	require.NotEqual(t, demand.Fleet(ts, 100, 1), demand.Fleet(ts, 100, 2))
	more := demand.Fleet(ts, len(ts)+5, 1)
	require.Len(t, more, len(ts)+5)
	ids := map[string]bool{}
	for _, x := range more {
		require.False(t, ids[x.ID], "two drivers are %s", x.ID)
		ids[x.ID] = true
	}
	require.InDelta(t, 1600, len(demand.Sample(qs, 0.1, 1)), 200)
	s, n := demand.NewStream(qs, 60, 1), 0
	for q, _ := s.Next(); q.At < time.Hour; q, _ = s.Next() {
		n++
	}
	require.InDelta(t, 3600, n, 200)
	l := demand.NewLoop(qs[:2], time.Hour)
	first, _ := l.Next()
	l.Next()
	again, _ := l.Next()
	require.Equal(t, first.At+time.Hour, again.At)
	require.NotEqual(t, first.ID, again.ID)
}

func TestTraces(t *testing.T) {
	const file = "unix,cab,lat,lng,occupied\n1000,b,40.0,-73,0\n1060,b,40.1,-73,1\n1000,a,41,-73,0\n"
	got, err := demand.ReadTraces(strings.NewReader(file), demand.Filter{})
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Equal(t, "a", got[0].Cab)
	p, occupied := got[1].At(30 * time.Second)
	require.InDelta(t, 40.05, p.Lat, 1e-9)
	require.False(t, occupied)
	p, occupied = got[1].At(time.Hour)
	require.InDelta(t, 40.1, p.Lat, 1e-9)
	require.True(t, occupied)
}

func TestTracesChangeHands(t *testing.T) {
	tr := demand.Trace{Fixes: []demand.Fix{{At: 0}, {At: 10, Occupied: true}, {At: 20, Occupied: true}, {At: 30}}}
	for now, want := range map[time.Duration]time.Duration{-5: 10, 0: 10, 9: 10, 10: 30, 25: 30} {
		at, ok := tr.Change(now)
		require.True(t, ok)
		require.Equal(t, want, at, "%d", now)
	}
	_, ok := tr.Change(30)
	require.False(t, ok)
}

// Files of one fleet and its requests begin at different moments; an origin brings them
// together.
func TestFilesShareAnOrigin(t *testing.T) {
	f := demand.Filter{Origin: time.Unix(1000, 0), From: 10 * time.Second, To: time.Hour}
	traces, err := demand.ReadTraces(strings.NewReader("unix,cab,lat,lng\n990,a,1,1\n1025,a,1,2\n"), f)
	require.NoError(t, err)
	require.Equal(t, []demand.Fix{{At: 15 * time.Second, Point: geo.Point{Lat: 1, Lng: 2}}}, traces[0].Fixes)
	requests, err := demand.ReadRequests(strings.NewReader(
		"pickup_unix,pickup_lat,pickup_lng,dropoff_lat,dropoff_lng\n900,1,1,1,2\n1012,1,1,1,2\n"), f)
	require.NoError(t, err)
	require.Len(t, requests, 1)
	require.Equal(t, 2*time.Second, requests[0].At)
}
