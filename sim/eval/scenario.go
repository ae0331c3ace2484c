package eval

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Request is a wish for a trip.
type Request struct {
	At       time.Duration // since the scenario began
	From, To Place
	Ride     time.Duration // from pickup to drop-off
}

// Taxi is a driver at the start.
type Taxi struct {
	From time.Duration // when it is free
	At   Place         // where it is then
}

// Scenario is demand and supply in a world. It is read-only once made, and then safe for concurrent use.
type Scenario struct {
	Name  string
	Title string
	World *World
	// Requests are sorted by time. They and the fleet depend on the seed alone, and where Fixed, the requests not even
	// on that.
	Fixed    bool
	Requests func(seed int64) []Request
	Fleet    func(seed int64) []Taxi
	// Sum is a checksum of what the scenario is made of.
	Sum string
}

// Loader opens scenarios by name. It keeps worlds that several of them share, and has one owner.
type Loader struct {
	// Data is the folder of the files that are not shipped; empty: there is none.
	Data string
	// Cache keeps what takes long to compute.
	Cache Cache
	// Note is told what takes long; nil: nobody is.
	Note func(string)

	manhattan *World
	days      *hour
}

// builtIn are the scenarios by name.
var builtIn = []struct {
	name, title string
	open        func(l *Loader, ctx context.Context, taxis int) (*Scenario, error)
	taxis       int
	shipped     bool
}{
	{"S1", "Manhattan, Monday 16:00, 4,500 taxis", (*Loader).peak, 4500, false},
	{"S2", "Manhattan, Monday 16:00, 3,600 taxis", (*Loader).peak, 3600, false},
	{"S3", "Manhattan, Monday 16:00, 3,200 taxis", (*Loader).peak, 3200, false},
	{"S4a", "San Francisco, Friday 17:00, 491 cabs", (*Loader).friday, 491, false},
	{"S4b", "San Francisco, Friday 17:00, 330 cabs", (*Loader).friday, 330, false},
	{"S5a", "Manhattan, New Year's night, 4,000 taxis", (*Loader).newYear, 4000, false},
	{"S5b", "Manhattan, New Year's night, 2,500 taxis", (*Loader).newYear, 2500, false},
	{"S1m", "Manhattan, Monday 16:00, 4,500 taxis, on the map of the repository", (*Loader).peakOnMap, 4500, true},
}

// Names are the names of the built-in scenarios: those that need no data, or all.
func Names(all bool) (out []string) {
	for _, s := range builtIn {
		if all || s.shipped {
			out = append(out, s.name)
		}
	}
	return out
}

// Open opens a built-in scenario, or the scenario file of that name (see ReadDay). The error says what is missing.
func (l *Loader) Open(ctx context.Context, name string) (*Scenario, error) {
	for _, s := range builtIn {
		if s.name == name {
			out, err := s.open(l, ctx, s.taxis)
			if err != nil {
				return nil, fmt.Errorf("scenario %s: %w", name, err)
			}
			out.Name, out.Title = name, s.title
			return out, nil
		}
	}
	if strings.HasSuffix(name, ".csv") || strings.HasSuffix(name, ".csv.gz") {
		return l.openDay(name)
	}
	return nil, fmt.Errorf("there is no scenario %q: give a file that ends in .csv or .csv.gz, or choose from %s", name, strings.Join(Names(true), ", "))
}

func (l *Loader) note(format string, args ...any) {
	if l.Note != nil {
		l.Note(fmt.Sprintf(format, args...))
	}
}

// byTime sorts requests by time, equal ones as they were.
func byTime(all []Request) []Request {
	slices.SortStableFunc(all, func(a, b Request) int { return int(a.At/time.Millisecond) - int(b.At/time.Millisecond) })
	return all
}

// Thin is every n-th request, and every n-th driver in the order in which they begin.
func (s *Scenario) Thin(n int) *Scenario {
	if n <= 1 {
		return s
	}
	out := *s
	out.Name = fmt.Sprintf("%s/%d", s.Name, n)
	out.Sum = key("thin", s.Sum, n)
	out.Requests = func(seed int64) (kept []Request) {
		for i, q := range s.Requests(seed) {
			if i%n == 0 {
				kept = append(kept, q)
			}
		}
		return kept
	}
	out.Fleet = func(seed int64) []Taxi {
		all := slices.Clone(s.Fleet(seed))
		slices.SortFunc(all, func(a, b Taxi) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.At, b.At)) })
		var kept []Taxi
		for i := 0; i < len(all); i += n {
			kept = append(kept, all[i])
		}
		return kept
	}
	return &out
}
