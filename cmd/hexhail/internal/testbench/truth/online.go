package main

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/learn"
)

// online lets the server's own learner learn from trips, one after the other and each once, and returns
// how long a map that knows what it learned says that trips take. They come in a mixed order: the learner
// forgets, and all trips are of one hour, so in their own order its last minutes would count most.
func online(ctx context.Context, m *streets.Map, even, all []*trip) (func(*trip) float64, error) {
	l := learn.New()
	for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(len(even)) {
		t := even[i]
		l.Observe(learn.Ride{Parts: t.parts, DrivenM: t.meterM, Took: seconds(t.timeS)}, 0)
	}
	taught, err := m.WithLearned(l.Learned(time.UTC))
	if err != nil {
		return nil, err
	}
	planned := make(map[*trip]float64, len(all))
	for _, t := range all {
		p, err := taught.Plan(ctx, geo.Place{Point: t.from}, geo.Place{Point: t.to}, midnight)
		if err != nil {
			return nil, err
		}
		planned[t] = (p.Duration + taught.Model().Ride).Seconds()
	}
	return func(t *trip) float64 { return planned[t] }, nil
}

// midnight is an hour that the learner numbers 0: all trips are of one hour.
var midnight = time.Date(2013, 1, 1, 0, 0, 0, 0, time.UTC)

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
