package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/manhattan"
)

func packed(t *testing.T, path, text string) {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
}

// madeUpTrips are enough for a learner that takes each once.
const madeUpTrips = 3000

// madeUp writes trips that drive as a model says, on ways that are longer by a factor, with some noise.
func madeUp(t *testing.T, detour, noise float64) string {
	t.Helper()
	m, err := streets.Build(t.Context(), manhattan.Open, streets.BuildOptions{})
	require.NoError(t, err)
	model := streets.DefaultModel()
	for r := range model.Kmh {
		model.Kmh[r] = 20
	}
	m, err = m.WithModel(model)
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(1, 2))
	rows := []string{"trip_id,taxi,pickup,dropoff,duration_s,meter_m,lat,lng,lat2,lng2"}
	for id := 0; len(rows) <= madeUpTrips; id++ {
		from := geo.Point{Lat: 40.72 + 0.05*r.Float64(), Lng: -74 + 0.02*r.Float64()}
		to := geo.Point{Lat: 40.72 + 0.05*r.Float64(), Lng: -74 + 0.02*r.Float64()}
		p, err := m.Plan(t.Context(), geo.Place{Point: from}, geo.Place{Point: to}, time.Time{})
		if err != nil || p.DistanceM < 1000 {
			continue
		}
		shake := func() float64 { return 1 + noise*(2*r.Float64()-1) }
		rows = append(rows, fmt.Sprintf("%d,1,x,y,%.1f,%.1f,%v,%v,%v,%v", id, (60+p.Duration.Seconds())*shake(), p.DistanceM*detour*shake(), from.Lat, from.Lng, to.Lat, to.Lng))
	}
	rows = append(rows, "9999,1,x,y,600,5000,40.75,-73.98,40.6,-73.9") // ends in Brooklyn
	folder := t.TempDir()
	packed(t, filepath.Join(folder, tripsFile), strings.Join(rows, "\n")+"\n")
	packed(t, filepath.Join(folder, shoreFile), `{"type":"FeatureCollection","features":[
		{"type":"Feature","properties":{"name":"Brooklyn"},"geometry":{"type":"Polygon","coordinates":[[[-74,40.5],[-73.8,40.5],[-73.8,40.7],[-74,40.7]]]}},
		{"type":"Feature","properties":{"name":"Manhattan"},"geometry":{"type":"Polygon","coordinates":[[[-74.1,40.7],[-73.9,40.7],[-73.9,40.9],[-74.1,40.9]]]}}]}`)
	return folder
}

func TestTruthLearnsWhatIsTrue(t *testing.T) {
	var out bytes.Buffer
	met, err := run(t.Context(), &out, madeUp(t, 1.06, 0.1))
	require.NoError(t, err)
	require.True(t, met, out.String())
	require.Contains(t, out.String(), "3001 trips; 3000 begin and end on the shore of Manhattan;")
	require.Regexp(t, `streets x 1\.0[4567]\d, learned`, out.String())
	require.Regexp(t, `Learned: [3-8]\d s a ride`, out.String())
	require.Contains(t, out.String(), "straight line x 1.3")
	require.Contains(t, out.String(), "streets, learned ride by ride")
	require.Contains(t, out.String(), "grid turned by 29 degrees")
	require.NotContains(t, out.String(), "MISSED")
}

func TestTruthSeesBadGuesses(t *testing.T) {
	var out bytes.Buffer
	met, err := run(t.Context(), &out, madeUp(t, 1, 0.8))
	require.NoError(t, err)
	require.False(t, met)
	require.Contains(t, out.String(), "MISSED  length, all: median error:")
	require.Contains(t, out.String(), "MISSED  time, all: median error:")
	require.Contains(t, out.String(), "MISSED  time learned ride by ride, all: median error:")
}

func TestTruthNeedsItsData(t *testing.T) {
	_, err := run(t.Context(), &bytes.Buffer{}, t.TempDir())
	require.ErrorIs(t, err, os.ErrNotExist)
	folder := madeUp(t, 1, 0)
	packed(t, filepath.Join(folder, tripsFile), "a,b\n1,2\n")
	_, err = run(t.Context(), &bytes.Buffer{}, folder)
	require.ErrorContains(t, err, "row 2: 2 columns instead of 10")
	packed(t, filepath.Join(folder, shoreFile), `{"features":[]}`)
	_, err = run(t.Context(), &bytes.Buffer{}, folder)
	require.ErrorContains(t, err, "has no Manhattan")
}
