package eval

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride/dispatch"
)

// fixture is a part of the shipped hour in a world of straight lines: the first minutes, every tenth request, and a tenth of
// the taxis.
func fixture(t *testing.T, until time.Duration, taxis int) *Scenario {
	t.Helper()
	h, err := new(Loader).hour()
	require.NoError(t, err)
	e := evening{index: make(map[[2]int]Place)}
	w := World{Name: "fixture"}
	pickups, dropoffs := make([]Place, len(h.pickups)), make([]Place, len(h.pickups))
	for i := range h.pickups {
		pickups[i], dropoffs[i] = e.place(h.pickups[i].point), e.place(h.dropoffs[i].point)
	}
	starts := make([]Place, len(h.taxis))
	for i, x := range h.taxis {
		starts[i] = e.place(x.point)
	}
	w.At = e.at
	w.line = line{start: 20 * time.Second, mps: 2.5, detour: 1.3}
	world, err := newWorld(w)
	require.NoError(t, err)
	whole := Scenario{Name: "fixture", World: world, Fleet: h.fleet(starts, 10*taxis), Sum: "fixture", Requests: func(seed int64) (out []Request) {
		for _, q := range h.requests(world, pickups, dropoffs)(seed) {
			if q.At < until {
				out = append(out, q)
			}
		}
		return out
	}}
	return whole.Thin(10)
}

func falling(t *testing.T) People {
	t.Helper()
	p, err := Model("falling")
	require.NoError(t, err)
	return p
}

func preset(t *testing.T, name string) dispatch.Policy {
	t.Helper()
	p, ok := dispatch.Preset(name)
	require.True(t, ok)
	return p
}

// asJSON is a run's figures without what depends on the machine.
func asJSON(t *testing.T, f Figures) string {
	t.Helper()
	f.Timing = nil
	b, err := json.Marshal(f)
	require.NoError(t, err)
	return string(b)
}

func TestEveryPolicyIsReplayedTheSameAgain(t *testing.T) {
	s := fixture(t, 10*time.Minute, 330)
	seen := make(map[string]bool)
	for _, name := range dispatch.Presets() {
		o := Options{Policy: preset(t, name), People: falling(t), Seed: 3, Zones: 2}
		a, err := Run(t.Context(), s, o)
		require.NoError(t, err, name)
		b, err := Run(t.Context(), s, o)
		require.NoError(t, err, name)
		require.Equal(t, asJSON(t, a), asJSON(t, b), name)
		require.Positive(t, a.Served, name)
		require.LessOrEqual(t, a.Served, 100.0, name)
		require.GreaterOrEqual(t, a.Cost, a.Wait.Mean*a.Served/100, name)
		require.Equal(t, len(s.Requests(3)), a.Requests)
		seen[asJSON(t, a)] = true
	}
	require.Greater(t, len(seen), 3, "policies differ")
}

func TestSeedsDiffer(t *testing.T) {
	s := fixture(t, 5*time.Minute, 330)
	j := Judge{Seeds: []int64{1, 2}, AtOnce: 1}
	c := Case{Scenario: s, Options: Options{Policy: preset(t, "batch"), People: falling(t)}}
	one, err := j.Row(t.Context(), c)
	require.NoError(t, err)
	require.NotEqual(t, one.Runs[0].Cost, one.Runs[1].Cost)
	j.AtOnce = 2
	two, err := j.Row(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, one, two, "what runs beside changes nothing")
}

// tiny is a world on a straight street: places 100 m apart, and a car that drives 5 m/s.
func tiny(t *testing.T, places int, requests []Request, taxis []Taxi) *Scenario {
	t.Helper()
	w := World{Name: "street", line: line{mps: 5, detour: 1}}
	for i := range places {
		w.At = append(w.At, geo.Destination(geo.Point{Lat: 52.5, Lng: 13.4}, 90, 100*float64(i)))
	}
	world, err := newWorld(w)
	require.NoError(t, err)
	return &Scenario{
		Name: "tiny", World: world, Sum: "tiny", Requests: func(int64) []Request { return requests }, Fleet: func(int64) []Taxi { return taxis },
	}
}

func TestOneRide(t *testing.T) {
	s := tiny(t, 11, []Request{{At: 10 * time.Second, From: 10, To: 0, Ride: 5 * time.Minute}}, []Taxi{{At: 0}})
	people, err := Model("certain")
	require.NoError(t, err)
	for _, name := range []string{"broadcast", "nearest"} {
		f, err := Run(t.Context(), s, Options{Policy: preset(t, name), People: people, Seed: 1})
		require.NoError(t, err)
		require.InDelta(t, 200, f.Wait.Mean, 1, name)
		require.InDelta(t, 0, f.Match.Mean, 1e-9, name)
		require.InDelta(t, 1, f.OffersPerTrip, 1e-9)
		require.InDelta(t, 100*200.0/500, f.Empty, 0.5)
	}
	f, err := Run(t.Context(), s, Options{Policy: preset(t, "batch"), People: people, Seed: 1})
	require.NoError(t, err)
	require.InDelta(t, 200, f.Wait.Mean, 6, "it waits for the next plan")
}

func TestGoalsAreMiddlesOrDoors(t *testing.T) {
	s := fixture(t, 5*time.Minute, 330)
	costs := make(map[Goal]float64)
	for _, goal := range []Goal{AsServer, Door, Cell} {
		for _, name := range []string{"broadcast", "nearest", "batch"} {
			f, err := Run(t.Context(), s, Options{Policy: preset(t, name), People: falling(t), Seed: 1, Goal: goal})
			require.NoError(t, err)
			costs[goal+Goal(name)] = f.Cost
		}
	}
	require.Equal(t, costs["broadcast"], costs["cellbroadcast"])
	require.Equal(t, costs["nearest"], costs["doornearest"])
	require.Equal(t, costs["batch"], costs["doorbatch"])
	require.NotEqual(t, costs["broadcast"], costs["doorbroadcast"])
	require.NotEqual(t, costs["nearest"], costs["cellnearest"])
	require.NotEqual(t, costs["batch"], costs["cellbatch"])
}

func TestNobodyComes(t *testing.T) {
	s := tiny(t, 3, []Request{{From: 0, To: 2, Ride: time.Minute}, {At: time.Minute, From: 1, To: 2, Ride: time.Minute}}, nil)
	for _, name := range dispatch.Presets() {
		f, err := Run(t.Context(), s, Options{Policy: preset(t, name), People: falling(t), Seed: 1})
		require.NoError(t, err)
		require.Zero(t, f.Served)
		require.InDelta(t, LostCost.Seconds(), f.Cost, 1e-9)
	}
}

func TestAnswersFollowTheModel(t *testing.T) {
	p := falling(t)
	for _, way := range []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute} {
		var yes, no, replies float64
		const n = 20_000
		for i := range n {
			a, after := p.answer(seedOf(1), i, i%97, 0, way)
			switch a {
			case Yes:
				yes++
				replies += after.Seconds()
			case No:
				no++
				replies += after.Seconds()
			case Silent:
			}
		}
		want := max(0.25, 0.92-0.06*way.Minutes())
		require.InDelta(t, want, yes/n, 0.015)
		require.InDelta(t, (1-want)/2, no/n, 0.015)
		require.InDelta(t, p.meanReply().Seconds(), replies/(yes+no), 0.1)
	}
	a, after := p.answer(seedOf(1), 5, 6, 0, time.Minute)
	b, later := p.answer(seedOf(1), 5, 6, 0, time.Minute)
	require.Equal(t, a, b)
	require.Equal(t, after, later)
	_, err := Model("unheard of")
	require.ErrorContains(t, err, "falling")
}

func TestDrivesAreFastest(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		n := 2 + rng.IntN(9)
		var streets []street
		dist := make([][]float64, n)
		for i := range dist {
			dist[i] = make([]float64, n)
			for j := range dist[i] {
				dist[i][j] = math.Inf(1)
			}
			dist[i][i] = 0
		}
		for range 4 * n {
			s := street{Place(rng.IntN(n)), Place(rng.IntN(n)), float64(1 + rng.IntN(100)), float64(rng.IntN(900))}
			streets = append(streets, s)
			dist[s.from][s.to] = min(dist[s.from][s.to], s.seconds)
		}
		for k := range n { // R. W. Floyd's way
			for i := range n {
				for j := range n {
					dist[i][j] = min(dist[i][j], dist[i][k]+dist[k][j])
				}
			}
		}
		d, err := allDrives(t.Context(), n, streets)
		require.NoError(t, err)
		again, ok := decode(d.encode(), n, streets)
		require.True(t, ok)
		require.Equal(t, d, again)
		w := World{At: make([]geo.Point, n), drives: d}
		for i := range n {
			for j := range n {
				want := min(dist[i][j], maxSeconds)
				require.InDelta(t, want, w.Drive(Place(i), Place(j)).Seconds(), 1e-9)
				if math.IsInf(dist[i][j], 1) {
					continue
				}
				next, left := w.Along(Place(i), Place(j), time.Duration(want/2)*time.Second)
				require.LessOrEqual(t, left.Seconds()+dist[next][j], math.Ceil(want/2)+1e-9, "it is on its way")
				next, left = w.Along(Place(i), Place(j), w.Drive(Place(i), Place(j)))
				require.Equal(t, Place(j), next)
				require.Zero(t, left)
			}
		}
	}
	_, ok := decode(make([]byte, 7), 1, nil)
	require.False(t, ok)
}

// A car on a straight line is nowhere at once: what it has driven, and what it has still to drive to where it turns off,
// is no less than the straight line there.
func TestCarsDoNotJumpOnStraightLines(t *testing.T) {
	w := World{line: line{start: 30 * time.Second, mps: 5, farM: 8000, farMPS: 10, detour: 1}}
	for _, east := range []float64{0, 6000, 6300} {
		w.At = append(w.At, geo.Destination(geo.Point{Lat: 52.5, Lng: 13.4}, 90, east))
	}
	world, err := newWorld(w)
	require.NoError(t, err)
	whole := world.Drive(0, 1) // 20 minutes and a half
	for _, c := range []struct {
		share float64
		at    Place
		left  float64 // s
	}{
		{0.02, 0, 0}, {0.49, 0, 588}, {0.52, 1, 576}, {0.9, 1, 120}, {1, 1, 0},
	} {
		driven := 30*time.Second + time.Duration(c.share*float64(whole-30*time.Second))
		if c.share == 0.02 {
			driven = 24 * time.Second // it is still setting out
		}
		next, left := world.Along(0, 1, driven)
		require.Equal(t, c.at, next, c.share)
		require.InDelta(t, c.left, left.Seconds(), 3, c.share)
	}
	next, left := world.Along(0, 0, 10*time.Second)
	require.Equal(t, Place(0), next)
	require.Zero(t, left)

	s := fixture(t, time.Minute, 330)
	rng := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		from, to := Place(rng.IntN(len(s.World.At))), Place(rng.IntN(len(s.World.At)))
		driven := time.Duration(rng.Int64N(int64(s.World.Drive(from, to)) + 1))
		next, left := s.World.Along(from, to, driven)
		require.GreaterOrEqual(t, driven+left, s.World.Drive(from, next)-s.World.line.start-time.Second)
		require.LessOrEqual(t, left, s.World.Drive(from, to))
	}
}

func TestFewPlacesManyZones(t *testing.T) {
	var requests []Request
	for i := range 20 {
		requests = append(requests, Request{At: time.Duration(i) * time.Minute, From: Place(i % 10 / 9), To: 1, Ride: time.Minute})
	}
	for _, places := range []int{2, 3, 5} {
		f, err := Run(t.Context(), tiny(t, places, requests, []Taxi{{At: 0}, {At: 1}}), Options{
			Policy: preset(t, "auto"), People: falling(t), Seed: 1, Zones: 8,
		})
		require.NoError(t, err)
		require.Greater(t, f.Served, 50.0)
	}
}

// A file of one's own lists drivers in any order, for instance those of the morning first.
func TestThinTakesDriversOfAllTimes(t *testing.T) {
	var taxis []Taxi
	for i := range 30 {
		taxis = append(taxis, Taxi{From: time.Duration(i*7%30) * time.Minute, At: Place(i % 3)})
	}
	kept := tiny(t, 3, nil, taxis).Thin(10).Fleet(1)
	require.Len(t, kept, 3)
	for i, x := range kept {
		require.Equal(t, time.Duration(10*i)*time.Minute, x.From)
	}
}

func TestDecisionTimesAreBounded(t *testing.T) {
	var few, many tally
	for i := range 1000 {
		few.decided(time.Duration(i) * time.Millisecond)
	}
	require.Len(t, few.decisions, 1000)
	const n = 5 * mostDecisions
	for i := range n {
		many.decided(time.Duration(i) * time.Millisecond)
		require.LessOrEqual(t, len(many.decisions), mostDecisions)
	}
	require.Greater(t, len(many.decisions), mostDecisions/3)
	require.InDelta(t, n/2, many.timing().DecisionP50, n/100)
	require.InDelta(t, n*0.99, many.timing().DecisionP99, n/100)
}

// leastCost tries all ways to give requests sources.
func leastCost(s *Scenario, requests []Request, sources []source, at []Place, used []bool, i int) time.Duration {
	if i == len(requests) {
		return 0
	}
	q := requests[i]
	best := LostCost + leastCost(s, requests, sources, at, used, i+1)
	for k, x := range sources {
		price := max(0, x.free-q.At) + s.World.Drive(at[k], q.From)
		if used[k] || x.from == i || price > LostCost {
			continue
		}
		used[k] = true
		best = min(best, price+leastCost(s, requests, sources, at, used, i+1))
		used[k] = false
	}
	return best
}

func TestBoundIsTheLeastCost(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 60 {
		var requests []Request
		for range 1 + rng.IntN(5) {
			requests = append(requests, Request{
				At: time.Duration(rng.IntN(900)) * time.Second, From: Place(rng.IntN(40)), To: Place(rng.IntN(40)), Ride: time.Duration(60+rng.IntN(400)) * time.Second,
			})
		}
		byTime(requests)
		var taxis []Taxi
		for range rng.IntN(4) {
			taxis = append(taxis, Taxi{From: time.Duration(rng.IntN(300)) * time.Second, At: Place(rng.IntN(40))})
		}
		s := tiny(t, 40, requests, taxis)
		sources, places := s.sources(1, requests)
		at := make([]Place, len(sources))
		for p, here := range places {
			for _, k := range here {
				at[k] = Place(p)
			}
		}
		want := leastCost(s, requests, sources, at, make([]bool, len(sources)), 0).Seconds() / float64(len(requests))
		cache := Cache(t.TempDir())
		b, err := s.Bounds(t.Context(), cache, falling(t), 1)
		require.NoError(t, err)
		require.InDelta(t, want, b.Hindsight, 1e-6)
		require.GreaterOrEqual(t, b.Reply, b.Hindsight)
		require.GreaterOrEqual(t, b.Oracle, b.Hindsight)
		again, err := s.Bounds(t.Context(), cache, falling(t), 1)
		require.NoError(t, err)
		require.Equal(t, b, again, "from the cache")
	}
}

func TestFewArcsBoundFromAbove(t *testing.T) {
	s := fixture(t, 4*time.Minute, 330)
	wait := func(_, _ int, after, _ time.Duration) (time.Duration, bool) { return after, true }
	all, err := s.bound(t.Context(), 1, math.MaxInt32, wait)
	require.NoError(t, err)
	few, err := s.bound(t.Context(), 1, 3, wait)
	require.NoError(t, err)
	usual, err := s.bound(t.Context(), 1, arcsOf, wait)
	require.NoError(t, err)
	require.GreaterOrEqual(t, few, all)
	require.InDelta(t, all, usual, 1e-9)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.bound(ctx, 1, 3, wait)
	require.ErrorIs(t, err, context.Canceled)
}

func TestMissingAndStrangeDataAreNamed(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"S2", "S4a", "S5b"} {
		_, err := (&Loader{}).Open(t.Context(), name)
		require.ErrorIs(t, err, ErrNoData)
		require.ErrorContains(t, err, "--data")
		_, err = (&Loader{Data: dir}).Open(t.Context(), name)
		require.ErrorIs(t, err, ErrNoData)
		require.ErrorContains(t, err, dir)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, nodesFile.name), []byte("node,lat,lng\n"), 0o600))
	_, err := (&Loader{Data: dir}).Open(t.Context(), "S1")
	require.ErrorIs(t, err, ErrNoData)
	require.ErrorContains(t, err, nodesFile.sum)
	_, err = (&Loader{}).Open(t.Context(), "S9")
	require.ErrorContains(t, err, "S4a")
}

func TestDifferencesHaveAnInterval(t *testing.T) {
	row := func(costs ...float64) Row {
		r := Row{Scenario: "S"}
		for i, c := range costs {
			r.Runs = append(r.Runs, Figures{Seed: int64(i + 1), Cost: c, Served: 100})
		}
		return r
	}
	d, err := Compare(row(10, 20, 30, 40, 50), row(11, 22, 33, 44, 55))
	require.NoError(t, err)
	require.InDelta(t, 3, d.Mean, 1e-9)
	require.InDelta(t, 3-1.963, d.Low, 0.001, "the mean of 1 to 5 with 4 degrees of freedom")
	require.InDelta(t, 3+1.963, d.High, 0.001)
	d, err = Compare(row(10), row(9))
	require.NoError(t, err)
	require.True(t, math.IsInf(d.High, 1))
	_, err = Compare(row(1, 2), row(1))
	require.Error(t, err)
	require.InDelta(t, 2.080, student95(21), 0.002)
	require.InDelta(t, 1.984, student95(100), 0.002)
}
