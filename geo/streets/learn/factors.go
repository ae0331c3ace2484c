package learn

import (
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
)

// groups are the roads that share a factor: the others are too rare to tell apart.
var groups = [...]struct {
	name  string
	roads []streets.Road
}{
	{"motorway", []streets.Road{streets.Motorway, streets.Trunk}},
	{"primary", []streets.Road{streets.Primary}},
	{"secondary", []streets.Road{streets.Secondary}},
	{"tertiary", []streets.Road{streets.Tertiary}},
	{"residential", []streets.Road{streets.Residential, streets.Unclassified, streets.LivingStreet}},
	{"links", []streets.Road{
		streets.MotorwayLink, streets.TrunkLink, streets.PrimaryLink, streets.SecondaryLink, streets.TertiaryLink, streets.Service,
	}},
}

// HourKey names an hour of streets.HourOf, such as weekday-08 or weekend-23.
func HourKey(h int) string {
	if h < 24 {
		return fmt.Sprintf("weekday-%02d", h)
	}
	return fmt.Sprintf("weekend-%02d", h-24)
}

// ParseHour is the inverse of HourKey.
func ParseHour(s string) (h int, ok bool) {
	day, hour, _ := strings.Cut(s, "-")
	h, err := strconv.Atoi(hour)
	if err != nil || h < 0 || h > 23 || day != "weekday" && day != "weekend" {
		return 0, false
	}
	if day == "weekend" {
		h += 24
	}
	return h, HourKey(h) == s
}

// Rides is how many rides have been learned, up to MostN.
func (l *Learner) Rides() float64 { return l.factors[Key{Kind: All}].N }

// Learned returns what maps should know: nothing below Ready rides, and no hour or zone below Seen. The
// hours are in the zone.
func (l *Learner) Learned(zone *time.Location) streets.Learned {
	out := streets.Learned{TimeZone: zone}
	if l.Rides() < Ready {
		return out
	}
	out.All, out.Ride, out.Signal = l.factor(Key{Kind: All}), l.factor(Key{Kind: PerRide}), l.factor(Key{Kind: Signal})
	out.Detour = l.factor(Key{Kind: Detour})
	for _, g := range groups {
		for _, r := range g.roads {
			out.Roads[r] = l.factor(Key{Road, g.name})
		}
	}
	for h := range out.Hours {
		if f := l.factors[Key{Hour, HourKey(h)}]; f.N >= Seen {
			out.Hours[h] = math.Exp(f.Log)
		}
	}
	out.Zones = map[geo.Cell]float64{}
	for k, f := range l.factors {
		if c, err := geo.ParseCell(k.Key); k.Kind == Zone && f.N >= Seen && err == nil {
			out.Zones[c] = math.Exp(f.Log)
		}
	}
	return out
}

// Changes is what has been learned since the last time, to be added to what is stored.
type Changes struct {
	Factors map[Key]Factor
	Hours   [streets.Hours]HourSum
}

// IsZero reports whether there are none.
func (c Changes) IsZero() bool { return len(c.Factors) == 0 }

// Changes returns what has been learned since the last call.
func (l *Learner) Changes() Changes {
	c := Changes{l.changed, l.hours}
	l.changed, l.hours = map[Key]Factor{}, [streets.Hours]HourSum{}
	return c
}

// Restore takes back changes that could not be stored, or only perhaps: they are stored with the next.
// If Put came in between, what is known lacks them until the next Put.
func (l *Learner) Restore(c Changes) {
	for k, f := range c.Factors {
		was := l.changed[k]
		l.changed[k] = Factor{was.N + f.N, was.Log + f.Log}
	}
	for h := range c.Hours {
		l.hours[h] = l.hours[h].add(c.Hours[h])
	}
}

// Put replaces what is known by what is stored, and adds the changes that are not stored yet.
func (l *Learner) Put(stored map[Key]Factor) {
	l.factors = maps.Clone(stored)
	if l.factors == nil {
		l.factors = map[Key]Factor{}
	}
	for k, f := range l.changed {
		l.factors[k] = l.factors[k].Add(f)
	}
}

// Factor returns what is known of a factor.
func (l *Learner) Factor(k Key) Factor { return l.factors[k] }
