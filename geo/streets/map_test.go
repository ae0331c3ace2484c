package streets

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets/ch"
)

// somewhere draws a place near a map's streets: some are too far away.
func somewhere(r *rand.Rand, m *Map) geo.Point {
	at := m.graph.shape[r.IntN(len(m.graph.shape))].geo()
	return geo.Destination(at, r.Float64()*360, math.Pow(r.Float64(), 3)*500)
}

// lineM is the length of a line.
func lineM(line []geo.Point) (m float64) {
	for i := 1; i < len(line); i++ {
		m += geo.DistanceM(line[i-1], line[i])
	}
	return m
}

// checkPlan checks what must be true of every plan.
func checkPlan(t require.TestingT, p geo.Plan) {
	require.InDelta(t, lineM(p.Line), p.DistanceM, 0.05+p.DistanceM/1e5, "a route is as long as its line")
	require.GreaterOrEqual(t, len(p.Line), 2)
	var sum geo.Route
	last := 0
	for _, s := range p.Steps {
		sum.DistanceM += s.Route.DistanceM
		sum.Duration += s.Route.Duration
		require.GreaterOrEqual(t, s.Index, last)
		require.Equal(t, p.Line[s.Index], s.Position)
		last = s.Index
	}
	require.InDelta(t, p.DistanceM, sum.DistanceM, 0.001)
	require.InDelta(t, p.Duration.Seconds(), sum.Duration.Seconds(), 0.001)
	require.Equal(t, geo.TurnArrive, p.Steps[len(p.Steps)-1].Turn)
	require.Equal(t, len(p.Line)-1, last)
}

// slow finds a way by Dijkstra's algorithm over the same seeds.
func (m *Map) slow(oracle *ch.Graph, from, to geo.Snap) (int32, bool) {
	var a, b tips
	m.begin(from, &a)
	m.end(to, &b)
	f, _, ok := oracle.Route(a.seeds, b.seeds, nil)
	if _, _, cost, direct := m.direct(&a, &b); direct && (!ok || cost <= f.Cost) {
		return cost, true
	}
	return f.Cost, ok
}

// cost is what a drive costs.
func (m *Map) cost(d drive) (cost float64) {
	for _, l := range d.legs {
		cost += (l.to - l.from) * float64(m.graph.edges[l.edge].weight)
	}
	if d.round {
		cost += float64(turnRound.Milliseconds())
	}
	return cost
}

func TestManhattanIsExact(t *testing.T) {
	m := manhattanMap(t)
	oracle := ch.NewGraph(len(m.graph.nodes), m.graph.arcs())
	r := rand.New(rand.NewPCG(1, 1))
	found := 0
	for range 150 {
		from, to := geo.Place{Point: somewhere(r, m)}, geo.Place{Point: somewhere(r, m)}
		if r.IntN(2) == 0 {
			from.Heading = geo.HeadingOf(r.Float64() * 360)
		}
		a, err := m.Snap(from)
		b, err2 := m.Snap(to)
		if err != nil || err2 != nil {
			continue
		}
		found++
		want, ok := m.slow(oracle, a, b)
		require.True(t, ok)
		d, err := m.find(a, b)
		require.NoError(t, err)
		require.InDelta(t, want, m.cost(d), 2, "milliseconds, rounded at both ends")
		p, err := m.Plan(t.Context(), from, to, time.Time{})
		require.NoError(t, err)
		checkPlan(t, p)
		one, err := m.To(t.Context(), []geo.Place{from}, to, time.Time{})
		require.NoError(t, err)
		require.InDelta(t, p.DistanceM, one[0].DistanceM, 0.01+p.DistanceM/1e5)
		require.InDelta(t, p.Duration.Seconds(), one[0].Duration.Seconds(), 0.01+p.Duration.Seconds()/1e5)
	}
	require.Greater(t, found, 50)
}

func TestFansAgreeWithPlans(t *testing.T) {
	m := manhattanMap(t)
	r := rand.New(rand.NewPCG(2, 2))
	for range 3 {
		hub := geo.Place{Point: somewhere(r, m)}
		if _, err := m.Snap(hub); err != nil {
			continue
		}
		var places []geo.Place
		for range 100 {
			p := geo.Place{Point: somewhere(r, m)}
			p.Snap, _ = m.Snap(p) // some have one, some have none
			places = append(places, p)
		}
		in, err := m.To(t.Context(), places, hub, time.Time{})
		require.NoError(t, err)
		out, err := m.From(t.Context(), hub, places, time.Time{})
		require.NoError(t, err)
		for i, p := range places {
			for _, c := range []struct {
				got      geo.Route
				from, to geo.Place
			}{{in[i], p, hub}, {out[i], hub, p}} {
				plan, err := m.Plan(t.Context(), c.from, c.to, time.Time{})
				if err != nil {
					require.ErrorIs(t, err, geo.ErrNoRoute)
					require.False(t, c.got.Reachable())
					continue
				}
				// Of equally fast ways either may be taken.
				require.InDelta(t, plan.DistanceM, c.got.DistanceM, 1+plan.DistanceM/100)
				require.InDelta(t, plan.Duration.Seconds(), c.got.Duration.Seconds(), 1+plan.Duration.Seconds()/100)
			}
		}
	}
}

func TestErrorsOfQuestions(t *testing.T) {
	m := squares(t).mapped()
	c := squares(t)
	good, far := c.between('a', 'b').Point, geo.Point{Lat: 50, Lng: 8}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, source := range []interface {
		geo.ETASource
		geo.Planner
		geo.Fan
		geo.Snapper
	}{m, cityOf(m)} {
		_, err := source.Route(t.Context(), good, far)
		require.ErrorIs(t, err, geo.ErrNoRoute)
		_, err = source.Route(t.Context(), good, geo.Point{Lat: 91})
		require.ErrorIs(t, err, geo.ErrInvalidPoint)
		_, err = source.Route(ctx, good, good)
		require.ErrorIs(t, err, context.Canceled)
		_, err = source.Routes(t.Context(), []geo.Point{good, {}}, good)
		require.ErrorIs(t, err, geo.ErrInvalidPoint)
		all, err := source.Routes(t.Context(), []geo.Point{good, far, good}, good)
		require.NoError(t, err)
		require.Equal(t, []bool{true, false, true}, []bool{all[0].Reachable(), all[1].Reachable(), all[2].Reachable()})
		require.Zero(t, all[0].DistanceM)
		all, err = source.From(t.Context(), geo.Place{Point: far}, []geo.Place{{Point: good}}, time.Time{})
		require.NoError(t, err)
		require.False(t, all[0].Reachable())
		_, err = source.Plan(t.Context(), geo.Place{Point: far}, geo.Place{Point: good}, time.Time{})
		require.EqualError(t, err, "plan from: no route: there is no street within 300 m")
		_, err = source.Plan(t.Context(), geo.Place{Point: good}, geo.Place{}, time.Time{})
		require.ErrorIs(t, err, geo.ErrInvalidPoint)
		_, err = source.Plan(ctx, geo.Place{Point: good}, geo.Place{Point: good}, time.Time{})
		require.ErrorIs(t, err, context.Canceled)
		_, err = source.Snap(geo.Place{Point: geo.Point{Lat: math.NaN()}})
		require.ErrorIs(t, err, geo.ErrInvalidPoint)
	}
}

func cityOf(m *Map) *City {
	var c City
	c.Swap(m)
	return &c
}

func TestCityWithoutAMap(t *testing.T) {
	var c City
	p := geo.Point{Lat: 1, Lng: 1}
	_, err := c.Route(t.Context(), p, p)
	require.ErrorIs(t, err, ErrNoMap)
	require.ErrorIs(t, err, geo.ErrNoRoute)
	_, err = c.Plan(t.Context(), geo.Place{Point: p}, geo.Place{Point: p}, time.Time{})
	require.ErrorIs(t, err, ErrNoMap)
	_, err = c.Snap(geo.Place{Point: p})
	require.ErrorIs(t, err, ErrNoMap)
	for _, ask := range []func() ([]geo.Route, error){
		func() ([]geo.Route, error) { return c.Routes(t.Context(), []geo.Point{p}, p) },
		func() ([]geo.Route, error) {
			return c.To(t.Context(), []geo.Place{{Point: p}}, geo.Place{Point: p}, time.Time{})
		},
		func() ([]geo.Route, error) {
			return c.From(t.Context(), geo.Place{Point: p}, []geo.Place{{Point: p}}, time.Time{})
		},
	} {
		all, err := ask()
		require.NoError(t, err)
		require.Equal(t, []geo.Route{geo.Unreachable()}, all)
	}
	m := squares(t).mapped()
	require.Nil(t, c.Swap(m))
	require.Equal(t, m, c.Map())
	require.Equal(t, m, c.Swap(nil))
	require.Nil(t, c.Map())
}

// TestSnapIsTheNearest compares the grid with a look at every street.
func TestSnapIsTheNearest(t *testing.T) {
	m := manhattanMap(t)
	r := rand.New(rand.NewPCG(3, 3))
	near := 0
	for range 300 {
		p := geo.Place{Point: somewhere(r, m)}
		c := m.grid.chooser(p, SnapM)
		if r.IntN(2) == 0 {
			p.Heading = geo.HeadingOf(r.Float64() * 360)
			c.heading = p.Heading
		}
		for s := range m.graph.segmentCount() {
			for k := m.graph.segments[s].first; k+1 < m.graph.segments[s+1].first; k++ {
				c.look(piece{s, k})
			}
		}
		got, err := m.Snap(p)
		want := c.best
		if want == noHit {
			want = c.service
		}
		if want == noHit {
			require.ErrorIs(t, err, geo.ErrNoRoute)
			continue
		}
		near++
		require.NoError(t, err)
		if got.Segment != want.piece.segment {
			require.InDelta(t, want.m, got.AwayM, 0.001, "another street only at the same place")
		}
		require.InDelta(t, geo.DistanceM(p.Point, got.At), got.AwayM, 0.02+float64(got.AwayM)/200)
	}
	require.Greater(t, near, 100)
}

func TestHeadingChoosesStreetAndDirection(t *testing.T) {
	c := squares(t)
	m := c.mapped()
	corner := townAt(1.05, 2.1) // 5 m north and 8 m east of e
	for deg, want := range map[float64]string{90: "def", 270: "def", 0: "beh", 180: "beh"} {
		s, err := m.Snap(geo.Place{Point: corner, Heading: geo.HeadingOf(deg)})
		require.NoError(t, err)
		require.Equal(t, want, m.Street(s.Segment).Name, "%v°", deg)
		require.Contains(t, []geo.SnapWays{geo.SnapForth, geo.SnapBack}, s.Ways)
	}
	// A car that drives away from its goal goes on, or turns round if that is far quicker.
	east := geo.Place{Point: townAt(1, 1.9), Heading: geo.HeadingOf(90)}
	west := geo.Place{Point: east.Point, Heading: geo.HeadingOf(270)}
	goal := c.between('f', 'e')
	ahead, back := c.plan(m, east, goal), c.plan(m, west, goal)
	require.Equal(t, geo.TurnDepart, ahead.Steps[0].Turn)
	require.Equal(t, geo.TurnRound, back.Steps[0].Turn)
	require.Equal(t, ahead.DistanceM, back.DistanceM)
	require.Equal(t, turnRound, back.Duration-ahead.Duration)
	checkPlan(t, back)

	in, err := m.To(t.Context(), []geo.Place{east, west}, goal, time.Time{})
	require.NoError(t, err)
	require.InDelta(t, turnRound.Seconds(), (in[1].Duration - in[0].Duration).Seconds(), 0.01)

	// On a one-way street a heading cannot be against it.
	one := newTown(t, block).way("abc", "oneway=yes").way("cfeda", "").mapped()
	s, err := one.Snap(geo.Place{Point: townAt(2, 1), Heading: geo.HeadingOf(270)})
	require.NoError(t, err)
	require.Equal(t, geo.SnapForth, s.Ways)
}

// TestTheOnlyStreetInReachIsTaken: one beyond SnapM does not take its place by leading the right way.
func TestTheOnlyStreetInReachIsTaken(t *testing.T) {
	c := newTown(t, "dc\nab").way("ab", "oneway=yes").way("bc", "oneway=yes").way("cd", "oneway=yes").way("da", "oneway=yes")
	north := func(m float64) geo.Point { return geo.Point{Lat: townLat + m/111_195, Lng: townLng} }
	for letter, at := range map[byte]geo.Point{'a': north(0), 'b': north(0), 'c': north(610), 'd': north(610)} {
		if letter == 'b' || letter == 'c' {
			at.Lng += 0.05
		}
		for i := range c.file.Nodes {
			if n := &c.file.Nodes[i]; n.ID == c.id[letter] {
				n.Lat, n.Lng = at.E7()
			}
		}
	}
	m := c.mapped()
	p := north(290)
	p.Lng += 0.02
	for _, heading := range []geo.Heading{{}, geo.HeadingOf(90), geo.HeadingOf(270)} {
		s, err := m.Snap(geo.Place{Point: p, Heading: heading})
		require.NoError(t, err, "%v", heading)
		require.Equal(t, "ab", m.Street(s.Segment).Name, "%v", heading)
		require.InDelta(t, 290, s.AwayM, 1)
	}
}

func TestSnapsOfAnotherMapAreIgnored(t *testing.T) {
	c := squares(t)
	m := c.mapped()
	p := c.between('a', 'b')
	want, err := m.Snap(p)
	require.NoError(t, err)
	for _, s := range []geo.Snap{{}, {Map: 1, Segment: 3}, {Map: m.id, Segment: -1}, {Map: m.id, Segment: 10_000}} {
		p.Snap = s
		got, err := m.snapped(p)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestSteps(t *testing.T) {
	c := newTown(t, `
a b c
  d  e
   fg
  h
`).way("abc", "name=first").way("bd", "name=in").way("dfged", "name=circle junction=roundabout oneway=yes").
		way("ec", "name=last oneway=yes").way("fh", "name=out").way("ha", "name=back")
	m := c.mapped()
	p := c.plan(m, c.between('b', 'd'), c.between('e', 'c'))
	checkPlan(t, p)
	require.Equal(t, "dfge", c.letters(p))
	require.Equal(t, []string{"depart in 60 m", "roundabout last 379 m exit 2", "arrive last 0 m"}, steps(p))
	p = c.plan(m, c.between('b', 'd'), c.between('f', 'h'))
	require.Equal(t, []string{"depart in 60 m", "roundabout out 176 m exit 1", "arrive out 0 m"}, steps(p))
	p = c.plan(m, c.between('b', 'c'), c.between('h', 'a'))
	require.Equal(t, "first", p.FromName)
	require.Equal(t, "back", p.ToName)
	require.Equal(t, geo.TurnRight, geo.TurnOf(0, 90))
}

func TestModels(t *testing.T) {
	c := squares(t).node('e', "highway=traffic_signals")
	m := c.mapped()
	from, to := c.between('d', 'e'), c.between('f', 'e')
	free := c.plan(m, from, to)
	model := DefaultModel()
	require.Equal(t, m.Model(), model)
	model.SignShare = 1
	model.Signal = 0
	fast, err := m.WithModel(model)
	require.NoError(t, err)
	p := c.plan(fast, from, to)
	require.InDelta(t, p.DistanceM*3.6/25, p.Duration.Seconds(), 0.1)
	require.InDelta(t, p.Duration.Seconds()/0.85+3*0.6, free.Duration.Seconds(), 0.1)
	model.Kmh[Residential] = 50
	faster, err := m.WithModel(model)
	require.NoError(t, err)
	require.InDelta(t, p.Duration.Seconds()/2, c.plan(faster, from, to).Duration.Seconds(), 0.1)
	require.Equal(t, m.ID(), faster.ID())
	one, err := faster.Route(t.Context(), from.Point, to.Point)
	require.NoError(t, err)
	require.InDelta(t, p.Duration.Seconds()/2, one.Duration.Seconds(), 0.1)

	for _, bad := range []func(*Model){
		func(m *Model) { m.SignShare = 0 }, func(m *Model) { m.SignShare = math.NaN() }, func(m *Model) { m.Kmh[Primary] = -1 },
		func(m *Model) { m.Kmh[Primary] = 201 }, func(m *Model) { m.Kmh[Primary] = math.NaN() }, func(m *Model) { m.Signal = -1 },
		func(m *Model) { m.Ride = 2 * time.Hour },
	} {
		x := DefaultModel()
		bad(&x)
		_, err := m.WithModel(x)
		require.ErrorIs(t, err, ErrModel)
	}
}

// TestBreakdownsAddUp: a model's time is that of its parts.
func TestBreakdownsAddUp(t *testing.T) {
	m := manhattanMap(t)
	model := DefaultModel()
	for r := range model.Kmh {
		model.Kmh[r] = float64(20 + r)
	}
	m, err := m.WithModel(model)
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(4, 4))
	for range 30 {
		from, to := geo.Place{Point: somewhere(r, m)}, geo.Place{Point: somewhere(r, m)}
		p, err := m.Plan(t.Context(), from, to, time.Time{})
		b, err2 := m.Breakdown(t.Context(), from, to)
		require.Equal(t, err == nil, err2 == nil)
		if err != nil {
			require.ErrorIs(t, err2, geo.ErrNoRoute)
			continue
		}
		length, time := 0.0, b.Signals*model.Signal.Seconds()
		for road, l := range b.LengthM {
			length += l
			time += l * 3.6 / model.Kmh[road]
		}
		require.InDelta(t, p.DistanceM, length, 0.01)
		require.InDelta(t, p.Duration.Seconds(), time, 0.01)
		require.Positive(t, b.FreeS)
	}
	_, err = m.Breakdown(t.Context(), geo.Place{}, geo.Place{})
	require.ErrorIs(t, err, geo.ErrInvalidPoint)
}

func TestNewWeightsChooseOtherWays(t *testing.T) {
	c := squares(t)
	m := c.mapped()
	from, to := c.between('d', 'e'), c.between('f', 'e')
	require.Equal(t, "e", c.letters(c.plan(m, from, to)))
	other, err := m.WithWeights(t.Context(), func(s Street, _ bool) time.Duration {
		if s.Name == "def" {
			return time.Hour
		}
		return s.Free
	})
	require.NoError(t, err)
	require.Len(t, c.letters(c.plan(other, from, to)), 5)
	require.Equal(t, "e", c.letters(c.plan(m, from, to)), "the map itself is as before")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = manhattanMap(t).WithWeights(ctx, func(s Street, _ bool) time.Duration { return s.Free })
	require.ErrorIs(t, err, context.Canceled)
}

// TestRandomTowns compares towns with everything that an extract may have with Dijkstra.
func TestRandomTowns(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := newTown(t, "abcdef\nghijkl\nmnopqr")
		all := "abcdefghijklmnopqr"
		kinds := []string{"", "oneway=yes", "oneway=-1", "highway=service", "highway=primary", "junction=roundabout", "access=destination"}
		for range rapid.IntRange(3, 14).Draw(rt, "ways") {
			letters := ""
			for range rapid.IntRange(2, 5).Draw(rt, "length") {
				letters += string(all[rapid.IntRange(0, len(all)-1).Draw(rt, "letter")])
			}
			c.way(letters, "name=x "+rapid.SampledFrom(kinds).Draw(rt, "kind"))
		}
		for range rapid.IntRange(0, 4).Draw(rt, "turns") {
			way := func(name string) string {
				w := c.file.Ways[rapid.IntRange(0, len(c.file.Ways)-1).Draw(rt, name)]
				for letters, id := range c.names {
					if id == w.ID {
						return letters
					}
				}
				return ""
			}
			via := all[rapid.IntRange(0, len(all)-1).Draw(rt, "via")]
			c.turn(rapid.SampledFrom([]string{"no_left_turn", "only_straight_on"}).Draw(rt, "turn"), way("from"), via, way("to"))
		}
		m, err := c.build()
		if err != nil {
			require.ErrorIs(rt, err, ErrNoRoads)
			return
		}
		oracle := ch.NewGraph(len(m.graph.nodes), m.graph.arcs())
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		for range 10 {
			a, err := m.Snap(geo.Place{Point: somewhere(r, m)})
			b, err2 := m.Snap(geo.Place{Point: somewhere(r, m)})
			if err != nil || err2 != nil {
				continue
			}
			want, ok := m.slow(oracle, a, b)
			require.True(rt, ok, "a map is joined")
			d, err := m.find(a, b)
			require.NoError(rt, err)
			require.InDelta(rt, want, m.cost(d), 2)
			p, err := m.Plan(context.Background(), geo.Place{Point: a.At, Snap: a}, geo.Place{Point: b.At, Snap: b}, time.Time{})
			require.NoError(rt, err)
			checkPlan(rt, p)
		}
	})
}
