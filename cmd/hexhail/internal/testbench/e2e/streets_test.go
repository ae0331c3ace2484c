package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	polyline "github.com/twpayne/go-polyline"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// TestRidesFollowStreets: a quote across Central Park is longer than the straight line, drivers are ranked along
// streets, and the explanation says who answered. Where there is no street, a ride still has a price.
func TestRidesFollowStreets(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{Flags: []string{streetsFlag(t)}})
	w := newWorld(t, s, wire.JSON)
	west, east := geo.Point{Lat: 40.7842, Lng: -73.9698}, geo.Point{Lat: 40.7792, Lng: -73.9597}
	w.at, w.to = west, east
	rider, driver := w.rider(), w.driver(300)
	crow := geo.DistanceM(west, east)
	answer := rider.Ask(harness.Quote(west, east)).GetQuotes()
	quotes := answer.GetQuotes()
	require.NotEmpty(t, quotes)
	require.Greater(t, float64(quotes[0].GetDistanceM()), 1.35*crow, "across the park, and not over its lawns")
	require.NotZero(t, quotes[0].GetPickupEtaS())
	line, _, err := polyline.DecodeCoords([]byte(answer.GetPolyline()))
	require.NoError(t, err)
	require.Greater(t, len(line), 10, "the way bends along the streets")
	require.Less(t, geo.DistanceM(geo.Point{Lat: line[0][0], Lng: line[0][1]}, west), 100.0)
	require.Less(t, geo.DistanceM(geo.Point{Lat: line[len(line)-1][0], Lng: line[len(line)-1][1]}, east), 100.0)

	trip := rider.Ask(harness.Request(west, east)).GetTrip()
	require.Equal(t, quotes[0].GetDistanceM(), trip.GetEstimate().GetDistanceM())
	require.Equal(t, ridepb.TripRoute_streets, trip.GetEstimate().GetBy())
	driver.Offer(trip.GetId())
	operator := s.Token(ride.RoleOperator, "operator")
	status, body := s.Call(http.MethodGet, "/v1/admin/trips/"+trip.GetId()+"/explain", operator, "")
	require.Equal(t, http.StatusOK, status, body)
	var explained struct {
		EstimateBy string `json:"estimate_by"`
		Waves      []struct {
			Candidates []struct {
				By        string  `json:"by"`
				StraightM float64 `json:"straight_m"`
				DistanceM float64 `json:"distance_m"`
			} `json:"candidates"`
		} `json:"waves"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &explained))
	require.Equal(t, "streets", explained.EstimateBy)
	c := explained.Waves[0].Candidates[0]
	require.Equal(t, "streets", c.By)
	require.Positive(t, c.StraightM)
	require.Positive(t, c.DistanceM)

	sea := geo.Point{Lat: 40.55, Lng: -73.8}
	beyond := rider.Ask(harness.Quote(west, sea)).GetQuotes()
	require.Empty(t, beyond.GetPolyline())
	off := beyond.GetQuotes()
	require.NotEmpty(t, off, "off the map")
	require.InDelta(t, 1.3*geo.DistanceM(west, sea), float64(off[0].GetDistanceM()), 1)
}

// TestMapsAreReplacedUnderLoad: quotes go on while the map is loaded again, with a good file and with a bad one.
func TestMapsAreReplacedUnderLoad(t *testing.T) {
	t.Parallel()
	extract, err := os.ReadFile(strings.TrimPrefix(streetsFlag(t), "--streets="))
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "city")
	require.NoError(t, os.WriteFile(file, extract, 0o600))
	s := harness.Start(t, harness.Options{Flags: []string{"--streets=" + file, "--limit-commands-per-second=10000", "--limit-commands-burst=100000"}})
	w := newWorld(t, s, wire.Binary)
	rider := w.rider()
	length := func() uint32 {
		q := rider.Ask(harness.Quote(midtown, uptown)).GetQuotes().GetQuotes()
		require.NotEmpty(t, q)
		return q[0].GetDistanceM()
	}
	want := length()
	reload := func() (int, string) {
		answer, err := http.Post(s.Ops+"/streets/reload", "", nil)
		require.NoError(t, err)
		defer func() { require.NoError(t, answer.Body.Close()) }()
		var text [500]byte
		n, _ := answer.Body.Read(text[:])
		return answer.StatusCode, string(text[:n])
	}
	type result struct {
		status int
		text   string
	}
	for _, c := range []struct {
		content []byte
		status  int
		text    string
	}{
		{extract, http.StatusOK, "has not changed"},
		{extract[:300_000], http.StatusConflict, "the PBF file ends too early"},
		{[]byte("something else"), http.StatusConflict, "neither a map"},
		{extract, http.StatusOK, "has not changed"},
	} {
		require.NoError(t, os.WriteFile(file, c.content, 0o600))
		done := make(chan result, 1)
		go func() {
			status, text := reload()
			done <- result{status, text}
		}()
		for waits := true; waits; {
			require.Equal(t, want, length())
			select {
			case r := <-done:
				require.Equal(t, c.status, r.status, r.text)
				require.Contains(t, r.text, c.text)
				waits = false
			default:
			}
		}
	}
}
