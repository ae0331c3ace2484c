package routers

import (
	"encoding/json"
	"fmt"

	"github.com/hexhail/hexhail/geo"
)

// valhalla speaks the API of Valhalla 3: https://valhalla.github.io/valhalla/api/.
type valhalla struct{}

type valhallaPlace struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

func valhallaPlaces(points ...geo.Point) []valhallaPlace {
	out := make([]valhallaPlace, len(points))
	for i, p := range points {
		p = rounded(p)
		out[i] = valhallaPlace{p.Lat, p.Lng}
	}
	return out
}

// valhallaQuestion is a question of either operation.
type valhallaQuestion struct {
	Sources   []valhallaPlace `json:"sources,omitempty"`
	Targets   []valhallaPlace `json:"targets,omitempty"`
	Locations []valhallaPlace `json:"locations,omitempty"`
	Costing   string          `json:"costing"`
	Units     string          `json:"units"`
}

// ask posts a question, so that places are not part of the address.
func (valhalla) ask(path string, q valhallaQuestion) request {
	q.Costing, q.Units = "auto", "kilometers"
	body, _ := json.Marshal(q) // finite numbers and text
	return request{path: path, body: body}
}

func (v valhalla) fan(hub geo.Point, ends []geo.Point, inward bool) request {
	q := valhallaQuestion{Sources: valhallaPlaces(hub), Targets: valhallaPlaces(ends...)}
	if inward {
		q.Sources, q.Targets = q.Targets, q.Sources
	}
	return v.ask("sources_to_targets", q)
}

func (valhalla) readFan(body []byte, n int, inward bool) ([]geo.Route, error) {
	type cell struct{ Distance, Time *float64 } // kilometres and seconds
	var t struct {
		Table [][]cell `json:"sources_to_targets"`
		Units string
	}
	if err := json.Unmarshal(body, &t); err != nil || t.Units != "kilometers" {
		return nil, fmt.Errorf("%w: no table in kilometres", errAnswer)
	}
	rows, columns := 1, n
	if inward {
		rows, columns = n, 1
	}
	if !shaped(t.Table, rows, columns) {
		return nil, fmt.Errorf("%w: a table of another size", errAnswer)
	}
	out := make([]geo.Route, n)
	for i := range out {
		row, column := 0, i
		if inward {
			row, column = i, 0
		}
		c := t.Table[row][column]
		if out[i] = geo.Unreachable(); c.Distance != nil && c.Time != nil {
			out[i] = routeOf(*c.Distance*1000, *c.Time)
		}
	}
	return out, nil
}

func (v valhalla) plan(from, to geo.Point) request {
	return v.ask("route", valhallaQuestion{Locations: valhallaPlaces(from, to)})
}

// valhallaManeuver is what to do, and the part of the line after it.
type valhallaManeuver struct {
	Type    int
	Streets []string `json:"street_names"`
	Begins  []string `json:"begin_street_names"` // where the names change on the way
	Time    float64
	Begin   int `json:"begin_shape_index"`
	End     int `json:"end_shape_index"`
	Exit    int `json:"roundabout_exit_count"`
}

func (valhalla) readPlan(body []byte) (drive, error) {
	var a struct {
		Trip struct {
			Units   string
			Summary struct{ Length float64 }
			Legs    []struct {
				Maneuvers []valhallaManeuver
				Shape     string
			}
		}
	}
	if err := json.Unmarshal(body, &a); err != nil || a.Trip.Units != "kilometers" || len(a.Trip.Legs) != 1 {
		return drive{}, fmt.Errorf("%w: no route in kilometres", errAnswer)
	}
	leg := a.Trip.Legs[0]
	line, err := decodeLine(leg.Shape)
	if err != nil {
		return drive{}, err
	}
	d := drive{metres: a.Trip.Summary.Length * 1000}
	for _, m := range leg.Maneuvers {
		if m.Begin < 0 || m.Begin > m.End || m.End >= len(line) {
			return drive{}, fmt.Errorf("%w: a part beside its line", errAnswer)
		}
		p := part{turn: m.turn(), street: m.street(), seconds: m.Time, line: line[m.Begin : m.End+1], leaves: m.Type == 27}
		p.exit = exitOf(p.turn, m.Exit)
		d.parts = append(d.parts, p)
	}
	return d, nil
}

func (m valhallaManeuver) street() string {
	for _, names := range [][]string{m.Begins, m.Streets} {
		if len(names) > 0 {
			return names[0]
		}
	}
	return ""
}

// turn is what a driver does, by the numbers of the API's documentation.
func (m valhallaManeuver) turn() geo.Turn {
	switch m.Type {
	case 1, 2, 3: // start, also on the right or the left
		return geo.TurnDepart
	case 4, 5, 6: // destination, also on the right or the left
		return geo.TurnArrive
	case 9, 18, 20, 23, 37: // slight right; ramp, exit, stay and merge to the right
		return geo.TurnSlightRight
	case 16, 19, 21, 24, 38: // the same on the left
		return geo.TurnSlightLeft
	case 10:
		return geo.TurnRight
	case 11:
		return geo.TurnSharpRight
	case 12, 13: // turn round to the right or the left
		return geo.TurnRound
	case 14:
		return geo.TurnSharpLeft
	case 15:
		return geo.TurnLeft
	case 26: // enter a roundabout; 27 leaves it
		return geo.TurnRoundabout
	}
	return geo.TurnStraight
}

func (valhalla) refusal(body []byte) error {
	var e struct {
		Code int `json:"error_code"`
	}
	if json.Unmarshal(body, &e) == nil {
		switch e.Code {
		case 154, 170, 171, 442: // too far apart, not joined, no street nearby, no way
			return geo.ErrNoRoute
		}
	}
	return nil
}
