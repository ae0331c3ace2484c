package streets

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
)

// checkDrive checks what must be true of every drive.
func checkDrive(t require.TestingT, m *Map, d Drive, p geo.Plan) {
	line := d.Line
	if d.round {
		require.Equal(t, d.Line[0], d.Line[1])
		require.Equal(t, turnRound, d.After[1])
		line = d.Line[1:]
	}
	require.Equal(t, p.Line, line)
	require.Len(t, d.After, len(d.Line))
	require.Zero(t, d.After[0])
	require.Equal(t, p.Duration, d.After[len(d.After)-1])
	for i := 1; i < len(d.Line); i++ {
		require.GreaterOrEqual(t, d.After[i], d.After[i-1])
		for _, share := range []float64{0, 0.3, 1} {
			at := d.Place(i-1, share)
			require.Less(t, geo.DistanceM(at.Point, at.Snap.At), 0.01)
			require.Less(t, offStreet(m, at.Snap.Segment, at.Point), 0.1, "on the street that the snap names")
			s, err := m.Snap(at)
			require.NoError(t, err)
			if m.Street(at.Snap.Segment).Road != Service { // service roads yield to others
				require.Less(t, float64(s.AwayM), 0.1)
			}
			if step := geo.DistanceM(d.Line[i-1], d.Line[i]); step > 1 {
				require.Less(t, turned(at.Heading.Deg, geo.BearingDeg(d.Line[i-1], d.Line[i])), 0.5)
			}
			if s.Segment == at.Snap.Segment {
				require.InDelta(t, s.AlongM, at.Snap.AlongM, 0.2)
			}
		}
	}
}

// offStreet is the distance of a point from a street in metres.
func offStreet(m *Map, segment int32, p geo.Point) float64 {
	best := math.Inf(1)
	pts := m.Shape(segment, nil)
	for i := 1; i < len(pts); i++ {
		// A triangle's third side is at most as long as the other two, and no longer only on the street.
		a, b, c := geo.DistanceM(p, pts[i-1]), geo.DistanceM(p, pts[i]), geo.DistanceM(pts[i-1], pts[i])
		best = min(best, a+b-c)
	}
	return best
}

func TestDrivesFollowPlans(t *testing.T) {
	m := manhattanMap(t)
	r := rand.New(rand.NewPCG(3, 3))
	found := 0
	for range 60 {
		from, to := geo.Place{Point: somewhere(r, m)}, geo.Place{Point: somewhere(r, m)}
		if r.IntN(2) == 0 {
			from.Heading = geo.HeadingOf(r.Float64() * 360)
		}
		p, err := m.Plan(t.Context(), from, to, time.Time{})
		d, err2 := m.Drive(t.Context(), from, to)
		if err != nil {
			require.ErrorIs(t, err2, geo.ErrNoRoute)
			continue
		}
		require.NoError(t, err2)
		found++
		checkDrive(t, m, d, p)
	}
	require.Greater(t, found, 20)
}

// A car that gets another goal on its way goes on from where it is, without turning round for nothing.
func TestDrivesGoOnFromTheirPlaces(t *testing.T) {
	m := manhattanMap(t)
	r := rand.New(rand.NewPCG(4, 4))
	for found := 0; found < 40; {
		d, err := m.Drive(t.Context(), geo.Place{Point: somewhere(r, m)}, geo.Place{Point: somewhere(r, m)})
		if err != nil {
			continue
		}
		found++
		piece := r.IntN(len(d.Line) - 1)
		here := d.Place(piece, r.Float64())
		on, err := m.Drive(t.Context(), here, geo.Place{Point: d.Line[len(d.Line)-1]})
		require.NoError(t, err)
		require.Less(t, geo.DistanceM(here.Point, on.Line[0]), 0.02, "no jump")
		begin := on.Place(0, 0)
		require.Less(t, turned(here.Heading.Deg, begin.Heading.Deg), 100.0, "no flip: %v then %v", here, begin)
	}
}

func TestParkedCarsStandOnStreets(t *testing.T) {
	m := newTown(t, "c \nab").way("ab", "oneway=-1").way("acb", "").mapped()
	at := func(north, east float64) geo.Place { return geo.Place{Point: townAt(north, east)} }
	p, err := m.Park(at(-0.2, 0.5))
	require.NoError(t, err)
	require.InDelta(t, 270, p.Heading.Deg, 0.1, "one way, from b to a")
	require.InDelta(t, 0, geo.DistanceM(p.Point, townAt(0, 0.5)), 0.1)
	_, err = m.Park(at(9, 9))
	require.ErrorIs(t, err, geo.ErrNoRoute)
	_, err = m.Park(geo.Place{Point: geo.Point{Lat: 91}})
	require.ErrorIs(t, err, geo.ErrInvalidPoint)

	m = newTown(t, "a         b").way("ab", "").mapped()
	for heading, want := range map[float64]float64{80: 90, 280: 270} {
		place := at(0.01, 5)
		place.Heading = geo.HeadingOf(heading)
		p, err = m.Park(place)
		require.NoError(t, err)
		require.InDelta(t, want, p.Heading.Deg, 0.1, "two ways: as it came")
		d, err := m.Drive(t.Context(), p, at(0, 9))
		require.NoError(t, err)
		plan, err := m.Plan(t.Context(), p, at(0, 9), time.Time{})
		require.NoError(t, err)
		checkDrive(t, m, d, plan)
		require.Equal(t, want > 180, d.round, "it stands in the direction of its street")
	}
}
