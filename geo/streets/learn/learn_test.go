package learn

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
)

var zones = func() (out []geo.Cell) {
	for i := range 6 {
		c, err := geo.CellAt(geo.Point{Lat: 40.7 + 0.05*float64(i), Lng: -74}, streets.ZoneResolution)
		if err != nil {
			panic(err)
		}
		out = append(out, c)
	}
	return out
}()

// world is how cars really drive.
type world struct {
	ride, signal float64 // seconds
	all          float64
	roads        [streets.Roads]float64
	hours        [streets.Hours]float64
	zones        map[geo.Cell]float64
	detour       float64
}

// someRide makes the planned way of a ride.
func someRide(r *rand.Rand) Ride {
	var x Ride
	for _, road := range []streets.Road{streets.Motorway, streets.Primary, streets.Secondary, streets.Residential} {
		m := 3000 * r.Float64()
		x.Parts.LengthM[road], x.Parts.RoadS[road] = m, m/10
	}
	x.Parts.Signals = 20 * r.Float64()
	x.Parts.SignalS, x.Parts.RideS = 3*x.Parts.Signals, 45
	x.Parts.From, x.Parts.To = zones[r.IntN(len(zones))], zones[r.IntN(len(zones))]
	x.Hour = []int{3, 8, 8, 8, 14, 30}[r.IntN(6)]
	return x
}

// driven completes a ride as the world has it, with noise.
func (w *world) driven(x Ride, r *rand.Rand, noise float64) Ride {
	t := x.Parts.Signals * w.signal
	for i, s := range x.Parts.RoadS {
		t += s * w.roads[i]
	}
	t *= w.all * w.hours[x.Hour] * math.Sqrt(w.zones[x.Parts.From]*w.zones[x.Parts.To])
	x.Took = time.Duration((t + w.ride) * math.Exp(noise*r.NormFloat64()) * float64(time.Second))
	x.DrivenM = x.Parts.TotalM() * w.detour * math.Exp(0.05*r.NormFloat64())
	return x
}

func someWorld() world {
	w := world{ride: 60, signal: 4, all: 1.4, zones: map[geo.Cell]float64{}, detour: 1.06}
	for i := range w.roads {
		w.roads[i] = 1
	}
	w.roads[streets.Primary], w.roads[streets.Residential] = 0.8, 1.4
	for i := range w.hours {
		w.hours[i] = 1
	}
	w.hours[3], w.hours[8] = 0.8, 1.2
	for i, z := range zones {
		w.zones[z] = []float64{1, 1.2, 0.85}[i%3]
	}
	return w
}

// TestConverges: after some thousand rides the learner expects what the world does, without bias, at each
// hour, and knows the detours.
func TestConverges(t *testing.T) {
	w, r := someWorld(), rand.New(rand.NewPCG(1, 1))
	l := New()
	for range 12_000 {
		v, _ := l.Observe(w.driven(someRide(r), r, 0.25), time.Minute)
		require.Equal(t, Learned, v)
	}
	require.InDelta(t, w.detour, l.factor(Key{Kind: Detour}), 0.01)
	for _, hour := range []int{3, 8, 14, 30} {
		sum, worst := 0.0, 0.0
		const n = 500
		for range n {
			x := someRide(r)
			x.Hour = hour
			x = w.driven(x, r, 0)
			expected, _ := l.expect(x)
			off := math.Log(expected / x.Took.Seconds())
			sum, worst = sum+off/n, max(worst, math.Abs(off))
		}
		require.InDelta(t, 0, sum, 0.04, "hour %d", hour)
		require.Less(t, worst, 0.2, "hour %d", hour)
	}
}

// TestOrderMattersLittle: the same rides in another order teach the same.
func TestOrderMattersLittle(t *testing.T) {
	w, r := someWorld(), rand.New(rand.NewPCG(2, 2))
	var rides []Ride
	for range 6000 {
		rides = append(rides, w.driven(someRide(r), r, 0.15))
	}
	var learned [2]*Learner
	for i := range learned {
		learned[i] = New()
		for _, x := range rides {
			learned[i].Observe(x, time.Minute)
		}
		r.Shuffle(len(rides), func(a, b int) { rides[a], rides[b] = rides[b], rides[a] })
	}
	for range 200 {
		x := someRide(r)
		a, _ := learned[0].expect(x)
		b, _ := learned[1].expect(x)
		require.InDelta(t, 0, math.Log(a/b), 0.12)
	}
}

// TestBounds: whatever rides say, each moves a factor by at most Step, and less the more is known; no
// factor leaves its bounds.
func TestBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := New()
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		push := rapid.Float64Range(-10, 10).Draw(t, "push")
		for range rapid.IntRange(1, 300).Draw(t, "rides") {
			x := someRide(r)
			expected, _ := l.expect(x)
			x.Took = time.Duration(expected * math.Exp(push) * float64(time.Second))
			x.DrivenM = x.Parts.TotalM() * rapid.Float64Range(0, 3).Draw(t, "driven")
			before := map[Key]Factor{}
			for k, f := range l.factors {
				before[k] = f
			}
			v, _ := l.Observe(x, 0)
			for k, f := range l.factors {
				if v != Learned && f != before[k] {
					t.Fatalf("%v moves %v", v, k)
				}
				twice := 1.0
				if k.Kind == Zone {
					twice = 2 // both ends may lie in one zone, each with half a share
				}
				if got := math.Abs(f.Log - before[k].Log); got > twice*clip/(before[k].N+prior)+1e-12 {
					t.Fatalf("%v moves by %v from n %v", k, got, before[k].N)
				}
				if math.Abs(f.Log) > MostLog || f.N < 0 || f.N > MostN {
					t.Fatalf("%v is %+v", k, f)
				}
			}
			if math.Abs(push) > MostLog+0.01 && v == Learned {
				t.Fatalf("a ride off by %v is learned", push)
			}
		}
		if err := New().check(l); err != nil {
			t.Fatal(err)
		}
	})
}

// check returns an error if a map refuses what another learner learned.
func (l *Learner) check(o *Learner) error {
	o.factors[Key{Kind: All}] = Factor{N: Ready, Log: o.factors[Key{Kind: All}].Log}
	return new(streets.City).Learn(o.Learned(nil))
}

// TestLiarMovesLittle: in a city that knows its times, rides that all say the same untruth, as one driver
// can make in a day, move the times by a few per cent.
func TestLiarMovesLittle(t *testing.T) {
	w, r := someWorld(), rand.New(rand.NewPCG(3, 3))
	l := New()
	for range 8000 {
		l.Observe(w.driven(someRide(r), r, 0.2), 0)
	}
	x := someRide(r)
	before, _ := l.expect(x)
	for range 20 {
		lie := w.driven(someRide(r), r, 0)
		lie.Took *= 3
		l.Observe(lie, 0)
	}
	after, _ := l.expect(x)
	require.Less(t, math.Abs(math.Log(after/before)), 0.05)
}

func TestImplausibleRides(t *testing.T) {
	w, r := someWorld(), rand.New(rand.NewPCG(4, 4))
	good := w.driven(someRide(r), r, 0)
	for _, x := range []struct {
		want Verdict
		edit func(*Ride)
	}{
		{Learned, func(*Ride) {}},
		{Short, func(r *Ride) { r.Took = 29 * time.Second }},
		{Short, func(r *Ride) { r.Parts.LengthM = [streets.Roads]float64{299} }},
		{OtherWay, func(r *Ride) { r.DrivenM = 0.79 * r.Parts.TotalM() }},
		{OtherWay, func(r *Ride) { r.DrivenM = 1.51 * r.Parts.TotalM() }},
		{OtherWay, func(r *Ride) { r.DrivenM = math.NaN() }},
		{Implausible, func(r *Ride) { r.Took = time.Duration(r.DrivenM/41) * time.Second }},
		{Implausible, func(r *Ride) { r.Took = time.Duration(r.DrivenM/0.4) * time.Second }},
		{Implausible, func(r *Ride) { r.Took *= 5 }},
	} {
		l := New()
		ride := good
		x.edit(&ride)
		v, _ := l.Observe(ride, 0)
		require.Equal(t, x.want, v)
		require.Equal(t, v != Learned, l.Changes().IsZero())
	}
}

// TestUsedOnceEnoughIsKnown: nothing is used below Ready rides, and no hour or zone below Seen.
func TestUsedOnceEnoughIsKnown(t *testing.T) {
	w, r := someWorld(), rand.New(rand.NewPCG(5, 5))
	l := New()
	rare := 40
	one := func(hour int) {
		x := someRide(r)
		x.Hour = hour
		l.Observe(w.driven(x, r, 0.1), time.Minute)
	}
	for range Ready - 1 {
		one(8)
	}
	require.Equal(t, streets.Learned{TimeZone: time.UTC}, l.Learned(time.UTC))
	for range Seen - 1 {
		one(rare)
	}
	got := l.Learned(time.UTC)
	require.NotZero(t, got.All)
	require.NotZero(t, got.Hours[8])
	require.NotEmpty(t, got.Zones)
	require.Zero(t, got.Hours[rare])
	one(rare)
	require.NotZero(t, l.Learned(nil).Hours[rare])
}

// TestChangesAddUp: what two learners learned apart and add up is within the bounds of one, and a learner
// that puts down its changes and takes them up again goes on as if nothing had happened.
func TestChangesAddUp(t *testing.T) {
	w, r := someWorld(), rand.New(rand.NewPCG(6, 6))
	stored := map[Key]Factor{}
	save := func(l *Learner) {
		for k, f := range l.Changes().Factors {
			stored[k] = stored[k].Add(f)
		}
	}
	a, b, alone := New(), New(), New()
	for range 200 {
		for _, l := range []*Learner{a, b} {
			for range 15 {
				x := w.driven(someRide(r), r, 0.15)
				l.Observe(x, 0)
				alone.Observe(x, 0)
			}
		}
		c := a.Changes()
		require.True(t, a.Changes().IsZero())
		a.Restore(c)
		save(a)
		b.Put(stored) // with its own changes
		save(b)
		a.Put(stored)
		b.Put(stored)
	}
	require.Equal(t, a.factors, b.factors)
	for range 100 {
		x := someRide(r)
		merged, _ := a.expect(x)
		single, _ := alone.expect(x)
		require.InDelta(t, 0, math.Log(merged/single), 0.05)
	}
	a.Put(nil)
	require.Zero(t, a.Rides())
}

func TestHourKeys(t *testing.T) {
	for h := range streets.Hours {
		got, ok := ParseHour(HourKey(h))
		require.True(t, ok)
		require.Equal(t, h, got)
	}
	for _, bad := range []string{"", "weekday", "weekday-24", "weekday--1", "weekday-8", "sunday-08", "weekday-08-", "weekday-+8"} {
		_, ok := ParseHour(bad)
		require.False(t, ok, bad)
	}
}
