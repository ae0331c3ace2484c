package demand

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/hexhail/hexhail/geo"
)

// Request is a request for a trip.
type Request struct {
	ID string
	// At is the simulated time of the request, since the start of the file's day or
	// hour.
	At              time.Duration
	Pickup, Dropoff geo.Point
	// PickupAddress and DropoffAddress are the names of the two ends; they may be empty.
	PickupAddress, DropoffAddress string
	Passengers                    int
	Class                         string // of vehicle; empty: any
}

// maxAddress is the server's limit, in bytes.
const maxAddress = 200

// Taxi is a driver at the start.
type Taxi struct {
	ID string
	// From is when the driver goes online; negative or zero: from the beginning.
	From  time.Duration
	At    geo.Point
	Class string // of vehicle; empty: the fleet's usual one
}

// Filter selects the part of a file to use. The zero value takes everything.
type Filter struct {
	// From and To bound the time of requests; To 0: no bound. Times are shifted so that
	// From becomes 0.
	From, To time.Duration
	// Origin is the time from which From and To count in files with absolute times. Zero: the first
	// time in each file.
	Origin time.Time
	// Area bounds pickups, dropoffs and drivers' starts.
	Area Area
}

// Area is a box of latitudes and longitudes; the zero Area is everywhere.
type Area struct{ South, West, North, East float64 }

// zero is the absolute time that becomes 0; first is the earliest in the file.
func (f Filter) zero(first time.Duration) time.Duration {
	if !f.Origin.IsZero() {
		first = time.Duration(f.Origin.UnixNano())
	}
	return first + f.From
}

// Has reports whether a point lies in the area.
func (a Area) Has(p geo.Point) bool {
	return a == Area{} || (p.Lat >= a.South && p.Lat <= a.North && p.Lng >= a.West && p.Lng <= a.East)
}

// dayLayout is the format of times of day in files.
const dayLayout = "2006-01-02 15:04:05"

// ReadRequests reads requests, sorted by time. Columns: pickup_lat, pickup_lng, dropoff_lat,
// dropoff_lng; one of t_s (seconds), time (RFC 3339), pickup_unix (seconds since 1970) and pickup
// (YYYY-MM-DD hh:mm:ss); perhaps one of req_id, trip_id and id; perhaps passengers, vehicle_class,
// pickup_address and dropoff_address. Absolute times count from the filter's origin. Requests with
// equal ends are skipped.
func ReadRequests(r io.Reader, f Filter) ([]Request, error) {
	t, err := NewTable(r)
	if err != nil {
		return nil, err
	}
	if err := t.Need("pickup_lat", "pickup_lng", "dropoff_lat", "dropoff_lng"); err != nil {
		return nil, err
	}
	clock := t.First("t_s", "time", "pickup_unix", "pickup")
	if clock == "" {
		return nil, fmt.Errorf("%w: there is no column t_s, time, pickup_unix or pickup", ErrFormat)
	}
	id := t.First("req_id", "trip_id", "id")
	var all []Request
	for {
		ok, err := t.Next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		q, err := t.request(id, clock)
		if err != nil {
			return nil, err
		}
		all = append(all, q)
	}
	slices.SortStableFunc(all, func(a, b Request) int { return cmp.Compare(a.At, b.At) })
	return f.requests(all, clock != "t_s"), nil
}

func (t *Table) request(id, clock string) (Request, error) {
	q := Request{ID: t.Text(id), Class: t.Text("vehicle_class"), Passengers: 1}
	if id == "" {
		q.ID = fmt.Sprint(t.line - 2)
	}
	var err error
	if q.Pickup, err = t.Point("pickup_lat", "pickup_lng"); err != nil {
		return q, err
	}
	if q.Dropoff, err = t.Point("dropoff_lat", "dropoff_lng"); err != nil {
		return q, err
	}
	if t.Text("passengers") != "" {
		n, err := t.Whole("passengers")
		if err != nil {
			return q, err
		}
		q.Passengers = int(min(max(n, 1), 4)) // fits every class
	}
	if q.PickupAddress, err = t.address("pickup_address"); err != nil {
		return q, err
	}
	if q.DropoffAddress, err = t.address("dropoff_address"); err != nil {
		return q, err
	}
	q.At, err = t.moment(clock)
	return q, err
}

func (t *Table) address(column string) (string, error) {
	s := t.Text(column)
	if len(s) > maxAddress || !utf8.ValidString(s) {
		return "", t.Bad(column)
	}
	return s, nil
}

func (t *Table) moment(column string) (time.Duration, error) {
	switch column {
	case "t_s", "pickup_unix":
		s, err := t.Number(column)
		if err != nil || s < 0 || s > 4e9 {
			return 0, t.Bad(column)
		}
		return time.Duration(s * float64(time.Second)), nil
	}
	layout := time.RFC3339
	if column == "pickup" {
		layout = dayLayout
	}
	at, err := time.Parse(layout, t.Text(column))
	if err != nil || at.Year() < 1970 || at.Year() > 2100 {
		return 0, t.Bad(column)
	}
	return time.Duration(at.UnixNano()), nil
}

// requests filters what is sorted by time.
func (f Filter) requests(all []Request, absolute bool) []Request {
	zero := f.From
	if absolute && len(all) > 0 {
		zero = f.zero(all[0].At)
	}
	out := make([]Request, 0, len(all))
	for _, q := range all {
		q.At -= zero
		if q.At < 0 || (f.To > 0 && q.At >= f.To-f.From) || q.Pickup == q.Dropoff ||
			!f.Area.Has(q.Pickup) || !f.Area.Has(q.Dropoff) {
			continue
		}
		out = append(out, q)
	}
	return out
}

// ReadTaxis reads drivers' starts: columns lat, lng, perhaps one of taxi and id, perhaps
// avail_s (seconds on the clock of t_s).
func ReadTaxis(r io.Reader, f Filter) ([]Taxi, error) {
	t, err := NewTable(r)
	if err != nil {
		return nil, err
	}
	if err := t.Need("lat", "lng"); err != nil {
		return nil, err
	}
	id := t.First("taxi", "id")
	var out []Taxi
	for {
		ok, err := t.Next()
		if !ok || err != nil {
			return out, err
		}
		x := Taxi{ID: t.Text(id)}
		if id == "" {
			x.ID = fmt.Sprint(t.line - 2)
		}
		if x.At, err = t.Point("lat", "lng"); err != nil {
			return nil, err
		}
		if t.Text("avail_s") != "" {
			s, err := t.Number("avail_s")
			if err != nil || math.Abs(s) > 4e9 {
				return nil, t.Bad("avail_s")
			}
			x.From = max(time.Duration(s*float64(time.Second))-f.From, 0)
		}
		if f.Area.Has(x.At) {
			out = append(out, x)
		}
	}
}

// Sample takes a share of the requests, from 0 to 1, the same ones for the same seed.
func Sample(all []Request, share float64, seed uint64) []Request {
	if share >= 1 {
		return all
	}
	rng := rand.New(rand.NewPCG(seed, 0x73686172))
	out := make([]Request, 0, int(share*float64(len(all)))+1)
	for _, q := range all {
		if rng.Float64() < share {
			out = append(out, q)
		}
	}
	return out
}

// Fleet takes n drivers, the same ones for the same seed. If there are too few, the rest are copies
// that start within some 200 m of their original. 0 takes all.
func Fleet(all []Taxi, n int, seed uint64) []Taxi {
	if n <= 0 || len(all) == 0 {
		return all
	}
	rng := rand.New(rand.NewPCG(seed, 0x666c6565))
	out := make([]Taxi, 0, n)
	for _, i := range rng.Perm(len(all))[:min(n, len(all))] {
		out = append(out, all[i])
	}
	for i := 0; len(out) < n; i++ {
		x := all[i%len(all)]
		x.ID = fmt.Sprintf("%s-%d", x.ID, 1+i/len(all))
		x.At = geo.Destination(x.At, 360*rng.Float64(), 200*rng.Float64())
		out = append(out, x)
	}
	return out
}

// Stream is an endless flow of requests: pairs of places drawn from a file, arriving as
// a Poisson process. It is not safe for concurrent use.
type Stream struct {
	all   []Request
	every float64 // mean seconds between two requests
	rng   *rand.Rand
	at    time.Duration
	n     int
}

// NewStream makes a stream of perMinute requests per simulated minute, the same for the same seed.
// all must not be empty, and perMinute must be above 0.
func NewStream(all []Request, perMinute float64, seed uint64) *Stream {
	return &Stream{all: all, every: 60 / perMinute, rng: rand.New(rand.NewPCG(seed, 0x73747265))}
}

// Next returns the next request.
func (s *Stream) Next() (Request, bool) {
	s.at += time.Duration(s.rng.ExpFloat64() * s.every * float64(time.Second))
	q := s.all[s.rng.IntN(len(s.all))]
	s.n++
	q.At, q.ID = s.at, fmt.Sprintf("%s.%d", q.ID, s.n)
	return q, true
}

// List hands out requests in order.
type List struct{ all []Request }

// NewList makes a list of requests sorted by time.
func NewList(all []Request) *List { return &List{all} }

// Next returns the next request; it reports false when there are no more.
func (l *List) Next() (Request, bool) {
	if len(l.all) == 0 {
		return Request{}, false
	}
	q := l.all[0]
	l.all = l.all[1:]
	return q, true
}

// Loop repeats the same requests, each round a period later. It is not safe for concurrent use.
type Loop struct {
	all    []Request
	period time.Duration
	n      int
}

// NewLoop makes an endless list of requests that are sorted by time and lie within a
// period. All must not be empty.
func NewLoop(all []Request, period time.Duration) *Loop { return &Loop{all: all, period: period} }

// Next returns the next request; there always is one.
func (l *Loop) Next() (Request, bool) {
	q, round := l.all[l.n%len(l.all)], l.n/len(l.all)
	l.n++
	if round > 0 {
		q.At += time.Duration(round) * l.period
		q.ID = fmt.Sprintf("%s.%d", q.ID, round)
	}
	return q, true
}
