package api

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/learn"
	"github.com/hexhail/hexhail/ride"
)

// speeds are Speeds as a test says.
type speeds struct {
	factors map[learn.Key]learn.Factor
	hours   [streets.Hours]learn.HourSum
	fails   error
}

func (s *speeds) Speeds(context.Context) (map[learn.Key]learn.Factor, error) {
	return s.factors, s.fails
}

func (s *speeds) SpeedHours(context.Context) ([streets.Hours]learn.HourSum, error) {
	return s.hours, s.fails
}

// TestStreetTimes: operators see planned and actual times by hour, of hours with enough rides.
func TestStreetTimes(t *testing.T) {
	w := newWorld(t)
	var v timesView
	get := func() *response { return w.do(request{method: "GET", path: "/v1/admin/streets/times", as: "operator"}) }
	get().ok(200, &v)
	require.Equal(t, timesView{TimeZone: "UTC", UsedFrom: 200, Detour: 1, Hours: []hourTimesView{}}, v)

	zone, err := time.LoadLocation("Asia/Seoul")
	require.NoError(t, err)
	s := &speeds{factors: map[learn.Key]learn.Factor{
		{Kind: learn.All}:                          {N: 199.4, Log: 0.5},
		{Kind: learn.Detour}:                       {N: 199.4, Log: math.Log(1.05)},
		{Kind: learn.Hour, Key: learn.HourKey(8)}:  {N: 60, Log: math.Log(1.25)},
		{Kind: learn.Hour, Key: learn.HourKey(24)}: {N: 19, Log: math.Log(1.25)},
		{Kind: learn.Zone, Key: "872a1072bffffff"}: {N: 60, Log: math.Log(1.25)},
	}}
	s.hours[8] = learn.HourSum{Rides: 60, PlannedS: 36000, ActualS: 40000}
	s.hours[9] = learn.HourSum{Rides: 19.9, PlannedS: 36000, ActualS: 40000}
	s.hours[24] = learn.HourSum{Rides: 20, PlannedS: 10000, ActualS: 9000}
	w.cfg.TimeZone, w.deps.Speeds = zone, s
	want := timesView{Learning: true, TimeZone: "Asia/Seoul", Rides: 199, UsedFrom: 200, Detour: 1, Hours: []hourTimesView{
		{Day: "weekday", Hour: 8, Rides: 60, PlannedS: 600, ActualS: 666.7, Factor: 1},
		{Day: "weekend", Hour: 0, Rides: 20, PlannedS: 500, ActualS: 450, Factor: 1},
	}}
	v = timesView{}
	get().ok(200, &v)
	require.Equal(t, want, v, "known, and not yet used")

	s.factors[learn.Key{Kind: learn.All}] = learn.Factor{N: 200, Log: 0.5}
	want.Rides, want.Detour, want.Hours[0].Factor = 200, 1.05, 1.25
	v = timesView{}
	get().ok(200, &v)
	require.Equal(t, want, v, "the factor of an hour with few rides is not used")

	s.fails = ride.ErrUnavailable
	get().refused(ride.ErrUnavailable, 503)
}
