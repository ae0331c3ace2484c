package eval

import (
	"bytes"
	"context"
	"fmt"
	"math/rand"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/sim/demand"
	"github.com/hexhail/hexhail/sim/demand/nyc"
)

// hourColumn is the column of travel times for 16:00 on a weekday, fastestMPS what no car exceeds: some of the
// column's times are zero.
const (
	hourColumn = "t12"
	fastestMPS = 16
)

// graph is the world of Manhattan's streets with known travel times. It is made once.
func (l *Loader) graph(ctx context.Context) (*World, error) {
	if l.manhattan != nil {
		return l.manhattan, nil
	}
	nodesCSV, err := nodesFile.read(l.Data)
	if err != nil {
		return nil, err
	}
	edgesCSV, err := edgesFile.read(l.Data)
	if err != nil {
		return nil, err
	}
	nodes, err := demand.ReadNodes(bytes.NewReader(nodesCSV))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", nodesFile.name, err)
	}
	edges, err := demand.ReadEdges(bytes.NewReader(edgesCSV), nodes, hourColumn)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", edgesFile.name, err)
	}
	streets := make([]street, len(edges))
	for i, e := range edges {
		metres := geo.DistanceM(nodes.At[e.From], nodes.At[e.To])
		streets[i] = street{Place(e.From), Place(e.To), max(e.Time.Seconds(), metres/fastestMPS, 1), metres}
	}
	w, err := l.driven(ctx, World{Name: "Manhattan's graph, " + hourColumn, At: nodes.At}, streets)
	if err != nil {
		return nil, err
	}
	hour, err := l.hour()
	if err != nil {
		return nil, err
	}
	w.calibrate(hour.nodes(hour.pickups), hour.nodes(hour.dropoffs))
	l.manhattan = w
	return w, nil
}

// driven completes a world with all drives along its streets, from the cache if they are there.
func (l *Loader) driven(ctx context.Context, w World, streets []street) (*World, error) {
	n := len(w.At)
	if n == 0 || n > maxPlaces {
		return nil, fmt.Errorf("a world has 1 to %d places, not %d", maxPlaces, n)
	}
	name := key("drives", n, streets)
	if b, ok := l.Cache.read(name); ok {
		if d, ok := decode(b, n, streets); ok {
			w.drives = d
			return newWorld(w)
		}
	}
	l.note("Computing all drives between the %d places of %s …", n, w.Name)
	d, err := allDrives(ctx, n, streets)
	if err != nil {
		return nil, err
	}
	l.Cache.write(name, d.encode())
	w.drives = d
	return newWorld(w)
}

// hour is the shipped hour with the columns that only this package needs.
type hour struct {
	at                  []int // seconds
	minute              []bool
	pickups, dropoffs   []end
	taxisFrom           []int
	taxis               []end
	requestSum, taxiSum string
}

// end is where a request begins or ends: the point, and the node of the graph.
type end struct {
	point geo.Point
	node  int
}

func (h *hour) nodes(ends []end) []Place {
	out := make([]Place, len(ends))
	for i, e := range ends {
		out[i] = Place(e.node)
	}
	return out
}

// maxNode bounds node numbers until the graph is known.
const maxNode = maxPlaces

func nodeOf(t *demand.Table, column string) (int, error) {
	n, err := t.Whole(column)
	if err == nil && (n < 1 || n > maxNode) {
		err = t.Bad(column)
	}
	return int(n) - 1, err
}

// hour reads the shipped hour. It is read once.
func (l *Loader) hour() (*hour, error) {
	if l.days != nil {
		return l.days, nil
	}
	requestsGz, taxisGz := nyc.Files()
	h := &hour{requestSum: checksum(requestsGz), taxiSum: checksum(taxisGz)}
	requests, err := unzip(requestsGz)
	if err != nil {
		return nil, err
	}
	err = rows(requests, h.addRequest, "t_s", "minute_only", "pickup_lat", "pickup_lng", "dropoff_lat", "dropoff_lng", "pickup_node", "dropoff_node")
	if err != nil {
		return nil, err
	}
	taxis, err := unzip(taxisGz)
	if err != nil {
		return nil, err
	}
	if err := rows(taxis, h.addTaxi, "avail_s", "lat", "lng", "node"); err != nil {
		return nil, err
	}
	l.days = h
	return h, nil
}

func (h *hour) addRequest(t *demand.Table) error {
	at, err := t.Whole("t_s")
	if err != nil {
		return err //nolint:wrapcheck // it names line and column
	}
	from, err := endOf(t, "pickup_lat", "pickup_lng", "pickup_node")
	if err != nil {
		return err
	}
	to, err := endOf(t, "dropoff_lat", "dropoff_lng", "dropoff_node")
	if err != nil {
		return err
	}
	h.at, h.minute = append(h.at, int(at)), append(h.minute, t.Text("minute_only") == "1")
	h.pickups, h.dropoffs = append(h.pickups, from), append(h.dropoffs, to)
	return nil
}

func (h *hour) addTaxi(t *demand.Table) error {
	at, err := t.Whole("avail_s")
	if err != nil {
		return err //nolint:wrapcheck // it names line and column
	}
	place, err := endOf(t, "lat", "lng", "node")
	h.taxisFrom, h.taxis = append(h.taxisFrom, int(at)), append(h.taxis, place)
	return err
}

func endOf(t *demand.Table, lat, lng, node string) (e end, err error) {
	if e.point, err = t.Point(lat, lng); err != nil {
		return e, err //nolint:wrapcheck // it names line and column
	}
	e.node, err = nodeOf(t, node)
	return e, err
}

// shortestRide bounds rides from below.
const shortestRide = time.Minute

// requests are those of the hour between places of a world. Where the records know only the minute, the seconds are
// drawn.
func (h *hour) requests(w *World, pickups, dropoffs []Place) func(int64) []Request {
	return func(seed int64) []Request {
		rng := rand.New(rand.NewSource(seed))
		out := make([]Request, 0, len(h.at))
		for i, s := range h.at {
			if h.minute[i] {
				s = s/60*60 + rng.Intn(60)
			}
			q := Request{At: time.Duration(s) * time.Second, From: pickups[i], To: dropoffs[i]}
			q.Ride = max(shortestRide, w.Drive(q.From, q.To))
			out = append(out, q)
		}
		return byTime(out)
	}
}

// fleet draws n taxis. Those that are away for more than half an hour are taken to come back within ten minutes.
func (h *hour) fleet(places []Place, n int) func(int64) []Taxi {
	return func(seed int64) []Taxi {
		rng := rand.New(rand.NewSource(seed * 7919))
		out := make([]Taxi, 0, n)
		for _, i := range rng.Perm(len(places))[:min(n, len(places))] {
			from := max(0, h.taxisFrom[i])
			if from > 1800 {
				from = rng.Intn(600)
			}
			out = append(out, Taxi{From: time.Duration(from) * time.Second, At: places[i]})
		}
		return out
	}
}

// peak is S1 to S3.
func (l *Loader) peak(ctx context.Context, n int) (*Scenario, error) {
	w, err := l.graph(ctx)
	if err != nil {
		return nil, err
	}
	h, err := l.hour()
	if err != nil {
		return nil, err
	}
	for _, e := range [][]end{h.pickups, h.dropoffs, h.taxis} {
		for _, x := range e {
			if x.node >= len(w.At) {
				return nil, fmt.Errorf("node %d is not in %s", x.node+1, nodesFile.name)
			}
		}
	}
	return &Scenario{
		World: w, Requests: h.requests(w, h.nodes(h.pickups), h.nodes(h.dropoffs)), Fleet: h.fleet(h.nodes(h.taxis), n),
		Sum: key("peak", nodesFile.sum, edgesFile.sum, h.requestSum, h.taxiSum, n),
	}, nil
}
