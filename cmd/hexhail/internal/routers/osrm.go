package routers

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/hexhail/hexhail/geo"
)

// osrm speaks version 1 of the HTTP API of OSRM 5.18 and later:
// https://project-osrm.org/docs/v5.24.0/api/.
type osrm struct{}

// osrmPath names an operation and its places, the first of which has the index 0.
func osrmPath(operation string, places ...geo.Point) string {
	var b strings.Builder
	b.WriteString(operation + "/v1/driving/")
	for i, p := range places {
		if i > 0 {
			b.WriteByte(';')
		}
		p = rounded(p)
		b.WriteString(strconv.FormatFloat(p.Lng, 'f', 5, 64) + "," + strconv.FormatFloat(p.Lat, 'f', 5, 64))
	}
	return b.String()
}

func (osrm) fan(hub geo.Point, ends []geo.Point, inward bool) request {
	many := make([]string, len(ends))
	for i := range many {
		many[i] = strconv.Itoa(i + 1)
	}
	sources, destinations := "0", strings.Join(many, ";")
	if inward {
		sources, destinations = destinations, sources
	}
	return request{
		path: osrmPath("table", append([]geo.Point{hub}, ends...)...),
		query: url.Values{
			"sources": {sources}, "destinations": {destinations}, "annotations": {"duration,distance"}, "generate_hints": {"false"},
		},
	}
}

// osrmPlace is a place on a street.
type osrmPlace struct {
	Name     string  `json:"name"`
	Distance float64 `json:"distance"` // metres to the place that was asked for; older servers do not say it
}

func (osrm) readFan(body []byte, n int, inward bool) ([]geo.Route, error) {
	var t struct {
		Code                  string
		Durations, Distances  [][]*float64
		Sources, Destinations []osrmPlace
	}
	if err := json.Unmarshal(body, &t); err != nil || t.Code != "Ok" {
		return nil, fmt.Errorf("%w: no table", errAnswer)
	}
	rows, columns := 1, n
	if inward {
		rows, columns = n, 1
	}
	if !shaped(t.Durations, rows, columns) || !shaped(t.Distances, rows, columns) || len(t.Sources) != rows || len(t.Destinations) != columns {
		return nil, fmt.Errorf("%w: a table of another size", errAnswer)
	}
	out := make([]geo.Route, n)
	for i := range out {
		row, column := 0, i
		if inward {
			row, column = i, 0
		}
		metres, seconds := t.Distances[row][column], t.Durations[row][column]
		if metres == nil || seconds == nil || t.Sources[row].Distance > farM || t.Destinations[column].Distance > farM {
			out[i] = geo.Unreachable()
			continue
		}
		out[i] = routeOf(*metres, *seconds)
	}
	return out, nil
}

// shaped reports whether a table has that many rows and columns.
func shaped[T any](table [][]T, rows, columns int) bool {
	for _, row := range table {
		if len(row) != columns {
			return false
		}
	}
	return len(table) == rows
}

func (osrm) plan(from, to geo.Point) request {
	return request{
		path:  osrmPath("route", from, to),
		query: url.Values{"steps": {"true"}, "overview": {"false"}, "geometries": {"polyline6"}, "generate_hints": {"false"}},
	}
}

// osrmStep is what to do, and the way after it.
type osrmStep struct {
	Duration  float64
	Name, Ref string
	Geometry  string
	Maneuver  struct {
		Type, Modifier string
		Exit           int
	}
}

func (osrm) readPlan(body []byte) (drive, error) {
	var a struct {
		Code   string
		Routes []struct {
			Distance float64
			Legs     []struct{ Steps []osrmStep }
		}
		Waypoints []osrmPlace
	}
	if err := json.Unmarshal(body, &a); err != nil || a.Code != "Ok" || len(a.Routes) == 0 || len(a.Routes[0].Legs) != 1 {
		return drive{}, fmt.Errorf("%w: no route", errAnswer)
	}
	for _, w := range a.Waypoints {
		if w.Distance > farM {
			return drive{}, geo.ErrNoRoute
		}
	}
	d := drive{metres: a.Routes[0].Distance}
	for _, s := range a.Routes[0].Legs[0].Steps {
		line, err := decodeLine(s.Geometry)
		if err != nil {
			return drive{}, err
		}
		p := part{turn: s.turn(), street: s.Name, seconds: s.Duration, line: line}
		if p.street == "" {
			p.street = s.Ref
		}
		p.leaves = s.Maneuver.Type == "exit roundabout" || s.Maneuver.Type == "exit rotary"
		p.exit = exitOf(p.turn, s.Maneuver.Exit)
		d.parts = append(d.parts, p)
	}
	return d, nil
}

// turn is what a driver does. Types that say nothing about it, such as "fork" and "new name", have a modifier.
func (s osrmStep) turn() geo.Turn {
	switch s.Maneuver.Type {
	case "depart":
		return geo.TurnDepart
	case "arrive":
		return geo.TurnArrive
	case "roundabout", "rotary":
		return geo.TurnRoundabout
	}
	switch s.Maneuver.Modifier {
	case "uturn":
		return geo.TurnRound
	case "sharp left":
		return geo.TurnSharpLeft
	case "left":
		return geo.TurnLeft
	case "slight left":
		return geo.TurnSlightLeft
	case "slight right":
		return geo.TurnSlightRight
	case "right":
		return geo.TurnRight
	case "sharp right":
		return geo.TurnSharpRight
	}
	return geo.TurnStraight
}

func (osrm) refusal(body []byte) error {
	var e struct{ Code string }
	if json.Unmarshal(body, &e) == nil {
		switch e.Code {
		case "NoRoute", "NoTable", "NoSegment":
			return geo.ErrNoRoute
		}
	}
	return nil
}
