package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
)

const (
	snapM  = 80  // metres within which a trip's ends must have a street
	meterM = 100 // metres that a meter must have counted
)

// trip is a metered trip and what the map says about it.
type trip struct {
	id            int
	from, to      geo.Point
	meterM, timeS float64

	crowM, gridM float64
	wayM         float64
	parts        streets.Breakdown
}

// plausible reports whether a meter agrees with the places, whatever the streets are like: at least
// the distance less 100 m, at most twice the distance and 500 m.
func (t *trip) plausible() bool { return t.meterM >= t.crowM-100 && t.meterM <= 2*t.crowM+500 }

func unpacked(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// readShore reads the borough's polygons.
func readShore(path string) (*streets.Area, error) {
	b, err := unpacked(path)
	if err != nil {
		return nil, err
	}
	var all struct {
		Features []struct {
			Properties struct {
				Name string `json:"name"`
			} `json:"properties"`
			Geometry json.RawMessage `json:"geometry"`
		} `json:"features"`
	}
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, f := range all.Features {
		if f.Properties.Name == borough {
			return streets.ReadArea(bytes.NewReader(f.Geometry))
		}
	}
	return nil, fmt.Errorf("%s has no %s", path, borough)
}

// readTrips reads the trips that begin and end within an area, and counts all.
func readTrips(path string, in *streets.Area) (trips []*trip, seen int, err error) {
	b, err := unpacked(path)
	if err != nil {
		return nil, 0, err
	}
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil || len(rows) == 0 {
		return nil, 0, fmt.Errorf("%s: it has no rows: %w", path, err)
	}
	for i, r := range rows[1:] {
		t, err := tripOf(r)
		if err != nil {
			return nil, 0, fmt.Errorf("%s, row %d: %w", path, i+2, err)
		}
		if in.Contains(t.from.E7()) && in.Contains(t.to.E7()) {
			trips = append(trips, t)
		}
	}
	return trips, len(rows) - 1, nil
}

// tripOf reads a row: number, taxi, two times, duration in seconds, metres, two places.
func tripOf(r []string) (*trip, error) {
	if len(r) != 10 {
		return nil, fmt.Errorf("%d columns instead of 10", len(r))
	}
	id, err := strconv.Atoi(r[0])
	if err != nil {
		return nil, err
	}
	var v [6]float64
	for i := range v {
		if v[i], err = strconv.ParseFloat(r[4+i], 64); err != nil {
			return nil, err
		}
	}
	return &trip{id: id, timeS: v[0], meterM: v[1], from: geo.Point{Lat: v[2], Lng: v[3]}, to: geo.Point{Lat: v[4], Lng: v[5]}}, nil
}

// route finds the way of each trip, and keeps those that can be judged.
func route(ctx context.Context, m *streets.Map, all []*trip) (kept []*trip, err error) {
	for _, t := range all {
		from, to := geo.Place{Point: t.from}, geo.Place{Point: t.to}
		a, err := m.Snap(from)
		b, err2 := m.Snap(to)
		if err != nil || err2 != nil || a.AwayM > snapM || b.AwayM > snapM || t.meterM < meterM || t.timeS <= 0 {
			continue
		}
		from.Snap, to.Snap = a, b
		t.parts, err = m.Breakdown(ctx, from, to)
		if errors.Is(err, geo.ErrNoRoute) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, l := range t.parts.LengthM {
			t.wayM += l
		}
		t.crowM, t.gridM = geo.DistanceM(t.from, t.to), turnedGrid(t.from, t.to)
		kept = append(kept, t)
	}
	return kept, nil
}

// gridDeg is by how much Manhattan's avenues lean to the east.
const gridDeg = 29

// turnedGrid is the distance along the avenues and across: what a guess without a map can know.
func turnedGrid(a, b geo.Point) float64 {
	const perDegree = 111_195
	x := (b.Lng - a.Lng) * perDegree * math.Cos(a.Lat*math.Pi/180)
	y := (b.Lat - a.Lat) * perDegree
	sin, cos := math.Sincos(gridDeg * math.Pi / 180)
	return math.Abs(x*cos-y*sin) + math.Abs(x*sin+y*cos)
}
