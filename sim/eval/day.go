package eval

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/sim/demand"
)

// A day is a scenario in a file: CSV with the columns of dayHead, gzipped if its name ends in .gz. A line of kind request is
// a request: when, from where, to where, and how long the ride takes. One of kind driver is where a driver is when it
// begins. Lines come in any order. Times count from the first request.
const dayHead = "kind,unix_s,lat,lng,to_lat,to_lng,ride_s"

// dayCell is the resolution of the cells whose centres stand for places: 350 m across.
const dayCell = 9

// The bounds of a day.
const (
	maxDay  = 31 * 24 * time.Hour
	maxRide = 12 * time.Hour
)

// ErrDay means that a file is no day.
var ErrDay = errors.New("this is no scenario")

func (l *Loader) openDay(path string) (*Scenario, error) {
	return demand.ReadFile(path, func(r io.Reader) (*Scenario, error) { //nolint:wrapcheck // it names the file
		s, err := ReadDay(r)
		if err == nil {
			s.Name, s.Title = path, "a day of one's own"
		}
		return s, err
	})
}

// day is a file that is being read.
type day struct {
	at       []geo.Point
	index    map[geo.Point]Place
	requests []Request
	taxis    []Taxi
	from     []int64 // of the taxis, seconds since 1970
	asked    []int64 // likewise of the requests
	crow     float64 // metres of all rides, and how long they took
	ridden   time.Duration
}

// ReadDay reads a day. Cars drive straight lines, as fast as the rides of the day were on average. The error wraps
// ErrDay or demand.ErrFormat.
func ReadDay(r io.Reader) (*Scenario, error) {
	d := day{index: make(map[geo.Point]Place)}
	t, err := demand.NewTable(r)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what is wrong
	}
	if err := t.Need("kind", "unix_s", "lat", "lng", "to_lat", "to_lng", "ride_s"); err != nil {
		return nil, err //nolint:wrapcheck // likewise
	}
	for {
		ok, err := t.Next()
		if err != nil {
			return nil, err //nolint:wrapcheck // likewise
		}
		if !ok {
			return d.scenario()
		}
		if err := d.add(t); err != nil {
			return nil, err
		}
	}
}

func (d *day) add(t *demand.Table) error {
	at, err := t.Whole("unix_s")
	if err != nil || at < 0 || at > math.MaxInt32*4 {
		return t.Bad("unix_s") //nolint:wrapcheck // it names line and column
	}
	from, err := t.Point("lat", "lng")
	if err != nil {
		return err //nolint:wrapcheck // likewise
	}
	switch t.Text("kind") {
	case "driver":
		d.taxis, d.from = append(d.taxis, Taxi{At: d.place(from)}), append(d.from, at)
		return nil
	case "request":
	default:
		return t.Bad("kind") //nolint:wrapcheck // likewise
	}
	to, err := t.Point("to_lat", "to_lng")
	if err != nil {
		return err //nolint:wrapcheck // likewise
	}
	seconds, err := t.Whole("ride_s")
	if err != nil || seconds < 0 || seconds > int64(maxRide/time.Second) {
		return t.Bad("ride_s") //nolint:wrapcheck // likewise
	}
	ride := time.Duration(seconds) * time.Second
	if from != to {
		d.crow, d.ridden = d.crow+geo.DistanceM(from, to), d.ridden+ride
	}
	d.requests = append(d.requests, Request{From: d.place(from), To: d.place(to), Ride: max(shortestRide, ride)})
	d.asked = append(d.asked, at)
	return nil
}

func (d *day) place(p geo.Point) Place {
	at, known := d.index[p]
	if !known {
		at = Place(len(d.at))
		d.index[p] = at
		d.at = append(d.at, p)
	}
	return at
}

func (d *day) scenario() (*Scenario, error) {
	if len(d.requests) == 0 {
		return nil, fmt.Errorf("%w: it has no requests", ErrDay)
	}
	first, last := slices.Min(d.asked), slices.Max(d.asked)
	if last-first > int64(maxDay/time.Second) {
		return nil, fmt.Errorf("%w: its requests lie more than %d days apart", ErrDay, int(maxDay.Hours()/24))
	}
	for i := range d.requests {
		d.requests[i].At = time.Duration(d.asked[i]-first) * time.Second
	}
	for i := range d.taxis {
		d.taxis[i].From = time.Duration(min(max(0, d.from[i]-first), int64(maxDay/time.Second))) * time.Second
	}
	slices.SortStableFunc(d.requests, func(a, b Request) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	slowest, fastest := 1.0, 25.0 // m/s of the straight line
	mps := geo.DefaultSpeedMPS / geo.DefaultDetour
	if d.ridden > 0 && d.crow > 0 {
		mps = min(max(slowest, d.crow/d.ridden.Seconds()), fastest)
	}
	w, err := newWorld(World{Name: "straight lines", At: d.at, line: line{mps: mps, detour: geo.DefaultDetour}})
	if err != nil {
		return nil, err
	}
	return &Scenario{
		World: w, Fixed: true, Sum: key("day", d.at, d.requests, d.taxis, mps),
		Requests: func(int64) []Request { return slices.Clone(d.requests) }, Fleet: func(int64) []Taxi { return slices.Clone(d.taxis) },
	}, nil
}

// DayWriter writes trips as a day, without names, ids and exact places: centres of cells stand for them. It keeps one
// entry for each driver, and has one owner.
type DayWriter struct {
	out     *bufio.Writer
	drivers map[ride.AccountID]seen
	order   []ride.AccountID
	begun   bool
}

// seen is where and when a driver was first given a trip.
type seen struct {
	at    time.Time
	place geo.Point
}

// NewDayWriter makes a writer to w.
func NewDayWriter(w io.Writer) *DayWriter {
	return &DayWriter{out: bufio.NewWriter(w), drivers: make(map[ride.AccountID]seen)}
}

// Write adds a trip. Trips come in any order. A ride that did not take place counts with its estimate.
func (w *DayWriter) Write(t *ride.Trip) error {
	from, err := coarse(t.Request.Pickup)
	if err != nil {
		return err
	}
	to, err := coarse(t.Request.Dropoff)
	if err != nil {
		return err
	}
	lasted := t.Estimate.Duration
	if t.Status == ride.StatusCompleted {
		lasted = t.EndedAt.Sub(t.StartedAt)
	}
	if d := t.DriverID(); d != "" {
		was, known := w.drivers[d]
		if !known {
			w.order = append(w.order, d)
		}
		if !known || t.MatchedAt.Before(was.at) {
			w.drivers[d] = seen{t.MatchedAt, from}
		}
	}
	w.line("request", t.RequestedAt, from, degrees(to.Lat), degrees(to.Lng), strconv.Itoa(int(min(max(0, lasted), maxRide).Seconds())))
	return nil
}

// Flush writes what is buffered.
func (w *DayWriter) Flush() error { return w.out.Flush() }

// Close writes the drivers, which come last.
func (w *DayWriter) Close() error {
	for _, d := range w.order {
		s := w.drivers[d]
		w.line("driver", s.at, s.place, "", "", "")
	}
	w.begin()
	return w.out.Flush()
}

func (w *DayWriter) begin() {
	if !w.begun {
		w.begun = true
		_, _ = w.out.WriteString(dayHead + "\n") // Flush reports the first error
	}
}

func (w *DayWriter) line(kind string, at time.Time, p geo.Point, rest ...string) {
	w.begin()
	fmt.Fprintf(w.out, "%s,%d,%s,%s", kind, at.Unix(), degrees(p.Lat), degrees(p.Lng))
	for _, r := range rest {
		fmt.Fprintf(w.out, ",%s", r)
	}
	fmt.Fprintln(w.out)
}

func coarse(p geo.Point) (geo.Point, error) {
	c, err := geo.CellAt(p, dayCell)
	if err != nil {
		return geo.Point{}, err //nolint:wrapcheck // it names the point
	}
	return c.Center(), nil
}

func degrees(v float64) string { return strconv.FormatFloat(v, 'f', 5, 64) }
