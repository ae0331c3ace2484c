package api

import (
	"context"
	"math"
	"time"

	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/learn"
)

// Speeds is what is learned of travel times. Implementations are safe for concurrent use.
type Speeds interface {
	// Speeds returns what all servers have learned.
	Speeds(ctx context.Context) (map[learn.Key]learn.Factor, error)
	// SpeedHours returns what the newest rides of each hour took together.
	SpeedHours(ctx context.Context) ([streets.Hours]learn.HourSum, error)
}

type timesView struct {
	Learning bool            `json:"learning" doc:"Whether this server learns travel times from rides. If not, the rest is empty."`
	TimeZone string          `json:"time_zone" doc:"Of the hours; an IANA name."`
	Rides    int             `json:"rides" doc:"Rides that count, of all servers on the database; older ones fade, so at most 500."`
	UsedFrom int             `json:"used_from" doc:"The number of rides from which what was learned is used."`
	Detour   float64         `json:"detour" doc:"How much farther than planned drivers drive; 1 until that is used."`
	Hours    []hourTimesView `json:"hours" doc:"Weekdays first, by hour. Hours with fewer than 20 rides are left out: no figure tells of a single ride."`
}

type hourTimesView struct {
	Day      string  `json:"day" enum:"weekday,weekend"`
	Hour     int     `json:"hour" minimum:"0" maximum:"23"`
	Rides    int     `json:"rides" doc:"The newest of this hour, at most 500."`
	PlannedS float64 `json:"planned_s" doc:"Mean planned time of these rides in seconds, each as planned when it had ended."`
	ActualS  float64 `json:"actual_s" doc:"Mean time that they took, in seconds."`
	Factor   float64 `json:"factor" doc:"The learned factor of travel times in this hour, on top of that of all hours; 1 until that is used."`
}

func (a *API) adminStreetTimes(ctx context.Context, _ *nothing) (*body[timesView], error) {
	zone := a.cfg.TimeZone
	if zone == nil {
		zone = time.UTC
	}
	v := timesView{TimeZone: zone.String(), UsedFrom: learn.Ready, Detour: 1, Hours: []hourTimesView{}}
	if a.deps.Speeds == nil {
		return answer(v), nil
	}
	stored, err := a.deps.Speeds.Speeds(ctx)
	if err != nil {
		return nil, err
	}
	hours, err := a.deps.Speeds.SpeedHours(ctx)
	if err != nil {
		return nil, err
	}
	l := learn.New()
	l.Put(stored)
	used := l.Learned(zone)
	v.Learning, v.Rides = true, int(math.Round(l.Rides()))
	if used.Detour != 0 {
		v.Detour = round(used.Detour, 1000)
	}
	for h, sum := range hours {
		if sum.Rides < learn.Seen {
			continue
		}
		one := hourTimesView{
			Day: "weekday", Hour: h % 24, Rides: int(math.Round(sum.Rides)), Factor: 1,
			PlannedS: round(sum.PlannedS/sum.Rides, 10), ActualS: round(sum.ActualS/sum.Rides, 10),
		}
		if h >= 24 {
			one.Day = "weekend"
		}
		if f := used.Hours[h]; f != 0 {
			one.Factor = round(f, 1000)
		}
		v.Hours = append(v.Hours, one)
	}
	return answer(v), nil
}

// round leaves as many digits as a figure is good for: parts is their number in one.
func round(x, parts float64) float64 { return math.Round(x*parts) / parts }
