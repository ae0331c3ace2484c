package eval

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/sim/demand"
)

func someTrips() []ride.Trip {
	at := time.Date(2026, 3, 4, 8, 0, 0, 0, time.UTC)
	trip := func(after time.Duration, driver string, from, to geo.Point) ride.Trip {
		t := ride.Trip{ID: "secret", Status: ride.StatusExpired, RequestedAt: at.Add(after), Estimate: ride.Estimate{Duration: 10 * time.Minute}}
		t.Request = ride.Request{Rider: ride.RiderCard{ID: "rider", FirstName: "Ada"}, Pickup: from, Dropoff: to, PickupAddress: "1 Main Street"}
		if driver != "" {
			t.Status, t.Driver = ride.StatusCompleted, &ride.DriverCard{ID: ride.AccountID(driver), FirstName: "Bob", Plate: "P 1"}
			t.MatchedAt, t.StartedAt, t.EndedAt = at.Add(after+time.Minute), at.Add(after+5*time.Minute), at.Add(after+11*time.Minute)
		}
		return t
	}
	a, b, c := geo.Point{Lat: 52.51234, Lng: 13.41234}, geo.Point{Lat: 52.53, Lng: 13.43}, geo.Point{Lat: 52.50, Lng: 13.38}
	return []ride.Trip{ // newest first, as from a store
		trip(30*time.Minute, "", c, a), trip(20*time.Minute, "bob", b, c), trip(10*time.Minute, "eve", a, b), trip(0, "bob", a, c),
	}
}

func TestOwnTripsBecomeAScenario(t *testing.T) {
	var out bytes.Buffer
	w := NewDayWriter(&out)
	for _, trip := range someTrips() {
		require.NoError(t, w.Write(&trip))
	}
	require.NoError(t, w.Flush())
	require.NoError(t, w.Close())
	for _, secret := range []string{"secret", "rider", "Ada", "Bob", "bob", "eve", "P 1", "Main", "52.51234", "13.41234"} {
		require.NotContains(t, out.String(), secret)
	}
	path := filepath.Join(t.TempDir(), "day.csv")
	require.NoError(t, os.WriteFile(path, out.Bytes(), 0o600))
	s, err := (&Loader{}).Open(t.Context(), path)
	require.NoError(t, err)
	requests, taxis := s.Requests(1), s.Fleet(1)
	require.Len(t, requests, 4)
	require.Len(t, taxis, 2)
	require.Equal(t, []time.Duration{0, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute},
		[]time.Duration{requests[0].At, requests[1].At, requests[2].At, requests[3].At})
	require.Equal(t, 6*time.Minute, requests[0].Ride, "as it was")
	require.Equal(t, 10*time.Minute, requests[3].Ride, "as it was estimated")
	for _, x := range taxis {
		require.Contains(t, []time.Duration{time.Minute, 11 * time.Minute}, x.From)
	}
	require.InDelta(t, 0, geo.DistanceM(s.World.At[requests[0].From], geo.Point{Lat: 52.51234, Lng: 13.41234}), 300)
	f, err := Run(t.Context(), s, Options{Policy: preset(t, "nearest"), People: falling(t), Seed: 1})
	require.NoError(t, err)
	require.Equal(t, 4, f.Requests)
}

func TestDaysThatAreNone(t *testing.T) {
	line := func(rows ...string) string { return dayHead + "\n" + strings.Join(rows, "\n") + "\n" }
	for name, c := range map[string]struct {
		text, says string
		is         error
	}{
		"empty":          {"", "no header", demand.ErrFormat},
		"other columns":  {"a,b\n1,2\n", "no column", demand.ErrFormat},
		"no requests":    {line("driver,0,1,1,,,"), "no requests", ErrDay},
		"other kind":     {line("car,0,1,1,,,"), "line 2: kind", demand.ErrFormat},
		"no time":        {line("request,soon,1,1,2,2,60"), "unix_s", demand.ErrFormat},
		"negative time":  {line("request,-1,1,1,2,2,60"), "unix_s", demand.ErrFormat},
		"no place":       {line("request,0,95,1,2,2,60"), "line 2", demand.ErrFormat},
		"no destination": {line("request,0,1,1,,,60"), "to_lat", demand.ErrFormat},
		"endless ride":   {line("request,0,1,1,2,2,1000000"), "ride_s", demand.ErrFormat},
		"too long":       {line("request,0,1,1,2,2,60", "request,9000000,1,1,2,2,60"), "31 days", ErrDay},
	} {
		_, err := ReadDay(strings.NewReader(c.text))
		require.ErrorIs(t, err, c.is, name)
		require.ErrorContains(t, err, c.says, name)
	}
	_, err := (&Loader{}).Open(t.Context(), filepath.Join(t.TempDir(), "gone.csv"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func FuzzReadDay(f *testing.F) {
	f.Add(dayHead + "\nrequest,1,52.5,13.4,52.51,13.41,300\ndriver,0,52.5,13.4,,,\n")
	f.Add(dayHead + "\nrequest,1,0,0,0,0,0\n")
	f.Add("kind\n\"")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ReadDay(strings.NewReader(text))
		if err != nil {
			return
		}
		requests := s.Requests(1)
		require.NotEmpty(t, requests)
		for i, q := range requests {
			require.GreaterOrEqual(t, q.At, time.Duration(0))
			require.GreaterOrEqual(t, q.Ride, shortestRide)
			require.True(t, i == 0 || requests[i-1].At <= q.At)
			require.Less(t, int(q.From), len(s.World.At))
			require.Less(t, int(q.To), len(s.World.At))
			require.GreaterOrEqual(t, s.World.Drive(q.From, q.To), time.Duration(0))
		}
		for _, x := range s.Fleet(1) {
			require.Less(t, int(x.At), len(s.World.At))
			require.GreaterOrEqual(t, x.From, time.Duration(0))
		}
	})
}

func TestTablesNeverShowTheRatioAlone(t *testing.T) {
	rows := []Row{{
		Scenario: "S", Policy: "p", Variant: "v", Runs: []Figures{{Served: 98.5, Wait: Spread{P90: 210}, Cost: 90, Bound: 45, Modes: nil}},
		Bounds: []Bounds{{Hindsight: 45, Reply: 50, Oracle: 49}},
	}}
	var out bytes.Buffer
	WriteTable(&out, rows)
	for _, want := range []string{"cost / HB", "2.000", "served %", "98.50", "p90", "210", "p, v"} {
		require.Contains(t, out.String(), want)
	}
	WriteBounds(&out, rows)
	require.Contains(t, out.String(), "HB 45.0 s")
	rows[0].Runs[0].Bound = 0
	require.Zero(t, rows[0].Ratio())
}

func TestDisturbancesDisturb(t *testing.T) {
	s := fixture(t, 5*time.Minute, 330)
	c := Case{Scenario: s, Options: Options{Policy: preset(t, "exchange"), People: falling(t)}}
	j := Judge{Seeds: []int64{1}}
	usual, err := j.Row(t.Context(), c)
	require.NoError(t, err)
	differ := 0
	for _, d := range Disturbances(c) {
		row, err := j.Row(t.Context(), d)
		require.NoError(t, err, d.Variant)
		if asJSON(t, row.Runs[0]) != asJSON(t, usual.Runs[0]) {
			differ++
		}
	}
	require.GreaterOrEqual(t, differ, 4)
	zoned := c
	zoned.Options.Zones = 4
	row, err := j.Row(t.Context(), zoned)
	require.NoError(t, err)
	require.InDelta(t, usual.Runs[0].Served, row.Runs[0].Served, 20)
	for _, text := range []string{"line", "streets", "noise=0.2"} {
		p, err := ParsePlans(text)
		require.NoError(t, err)
		require.Equal(t, text, p.String())
	}
	_, err = ParsePlans("noise=-1")
	require.Error(t, err)
}

// Rides that are shorter than the shortest look the same, but say how fast cars drive: bounds must not be taken from the other day's.
func TestDaysOfOtherSpeedsAreOtherDays(t *testing.T) {
	read := func(seconds string) *Scenario {
		s, err := ReadDay(strings.NewReader(dayHead + "\nrequest,0,1,1,1.001,1," + seconds + "\n"))
		require.NoError(t, err)
		return s
	}
	slow, fast := read("20"), read("10")
	require.Equal(t, slow.Requests(1), fast.Requests(1))
	require.NotEqual(t, slow.Sum, fast.Sum)
	require.True(t, slow.Fixed)
}
