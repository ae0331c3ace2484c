package geo

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCellNames(t *testing.T) {
	c := mustCell(t, helsinki, 9)
	parsed, err := ParseCell(c.String())
	require.NoError(t, err)
	require.Equal(t, c, parsed)

	text, err := json.Marshal(map[Cell]Cell{c: c})
	require.NoError(t, err)
	require.JSONEq(t, `{"`+c.String()+`":"`+c.String()+`"}`, string(text))
	var back map[Cell]Cell
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, c, back[c])
	require.ErrorIs(t, new(Cell).UnmarshalText([]byte("nonsense")), ErrInvalidCell)
}

func TestOtherSpellingsOfACellAreRefused(t *testing.T) {
	name := mustCell(t, helsinki, 9).String()
	for what, s := range map[string]string{
		"empty":         "",
		"zero":          "0",
		"upper case":    "891126D33BFFFFF",
		"leading zero":  "0" + name,
		"prefix":        "0x" + name,
		"sign":          "+" + name,
		"space":         name + " ",
		"underscore":    name[:3] + "_" + name[3:],
		"too long":      name + name,
		"all bits":      "ffffffffffffffff",
		"an edge":       "1" + name,
		"base cell 122": "80f5fffffffffff",
		"not hex":       "g91126d33bfffff",
		"NUL":           name + "\x00",
	} {
		t.Run(what, func(t *testing.T) {
			c, err := ParseCell(s)
			require.ErrorIs(t, err, ErrInvalidCell)
			require.Zero(t, c)
		})
	}
}

func TestInvalidCellHasNoProperties(t *testing.T) {
	good := mustCell(t, helsinki, 9)
	for _, c := range []Cell{0, 1, ^Cell(0), good | 1<<63, good &^ 0xf} {
		require.False(t, c.Valid(), "%x", uint64(c))
		require.False(t, c.Pentagon())
		require.Zero(t, c.Center())
		require.Nil(t, c.Boundary())
		require.Zero(t, c.RadiusM())
		require.False(t, c.Neighbor(good))
		require.False(t, good.Neighbor(c))
		_, err := c.Disk(1)
		require.ErrorIs(t, err, ErrInvalidCell)
		_, err = c.Ring(1)
		require.ErrorIs(t, err, ErrInvalidCell)
		_, err = c.Parent(0)
		require.ErrorIs(t, err, ErrInvalidCell)
	}
}

func TestBoundsOfKAndParents(t *testing.T) {
	c := mustCell(t, helsinki, 9)
	for _, k := range []int{-1, MaxDiskK + 1, 1 << 40} {
		_, err := c.Disk(k)
		require.ErrorIs(t, err, ErrOutOfRange)
		_, err = c.Ring(k)
		require.ErrorIs(t, err, ErrOutOfRange)
	}
	all, err := c.Disk(MaxDiskK)
	require.NoError(t, err)
	require.Len(t, all, 12481)

	for _, res := range []int{-1, 10, 16} {
		_, err := c.Parent(res)
		require.ErrorIs(t, err, ErrOutOfRange)
	}
	same, err := c.Parent(9)
	require.NoError(t, err)
	require.Equal(t, c, same)
	coarse, err := c.Parent(5)
	require.NoError(t, err)
	require.Equal(t, mustCell(t, helsinki, 5), coarse)
}

func TestDiskIsItsRingsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := mustCell(t, genPoint().Draw(t, "point"), rapid.IntRange(0, MaxResolution).Draw(t, "res"))
		k := rapid.IntRange(0, 6).Draw(t, "k")
		disk, err := c.Disk(k)
		require.NoError(t, err)
		require.Equal(t, c, disk[0])

		var rings []Cell
		for i := 0; i <= k; i++ {
			ring, err := c.Ring(i)
			require.NoError(t, err)
			require.True(t, slices.IsSorted(ring))
			rings = append(rings, ring...)
		}
		require.Equal(t, disk, rings)

		seen := map[Cell]bool{}
		for _, d := range disk {
			require.True(t, d.Valid())
			require.Equal(t, c.Resolution(), d.Resolution())
			require.False(t, seen[d], "%s twice", d)
			seen[d] = true
		}
	})
}

// Each ring must equal what a walk across the cells' edges finds.
func TestRingsAreStepsOverEdges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := mustCell(t, genPoint().Draw(t, "point"), rapid.IntRange(2, 12).Draw(t, "res"))
		seen, ring := map[Cell]bool{c: true}, []Cell{c}
		for k := 1; k <= 5; k++ {
			var next []Cell
			for _, from := range ring {
				near, err := from.Ring(1)
				require.NoError(t, err)
				for _, n := range near {
					require.True(t, from.Neighbor(n))
					if !seen[n] {
						seen[n] = true
						next = append(next, n)
					}
				}
			}
			slices.Sort(next)
			got, err := c.Ring(k)
			require.NoError(t, err)
			require.Equal(t, next, got, "ring %d of %s", k, c)
			ring = next
		}
	})
}

func TestPentagons(t *testing.T) {
	for _, res := range dispatchResolutions {
		for _, five := range pentagons(t, res) {
			t.Run(five.String(), func(t *testing.T) {
				require.True(t, five.Pentagon())
				require.Equal(t, five, mustCell(t, five.Center(), res))
				require.GreaterOrEqual(t, len(five.Boundary()), 5)
				near, err := five.Disk(1)
				require.NoError(t, err)
				require.Len(t, near, 6, "itself and five neighbours")
				for _, n := range near[1:] {
					require.True(t, five.Neighbor(n))
					require.True(t, n.Neighbor(five))
					require.False(t, n.Pentagon())
					back, err := n.Disk(1)
					require.NoError(t, err)
					require.Len(t, back, 7)
					require.Contains(t, back, five)
				}
				for k := 1; k <= 8; k++ {
					disk, err := five.Disk(k)
					require.NoError(t, err)
					require.Len(t, disk, 1+5*k*(k+1)/2, "five sectors instead of six")
					for _, far := range disk {
						back, err := far.Disk(k)
						require.NoError(t, err)
						require.Contains(t, back, five)
					}
				}
			})
		}
	}
}

func TestNeighbourhoodIsSymmetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := mustCell(t, genPoint().Draw(t, "point"), rapid.SampledFrom(dispatchResolutions).Draw(t, "res"))
		k := rapid.IntRange(1, 4).Draw(t, "k")
		disk, err := c.Disk(k)
		require.NoError(t, err)
		for _, d := range disk {
			back, err := d.Disk(k)
			require.NoError(t, err)
			require.Contains(t, back, c)
		}
		require.False(t, c.Neighbor(c))
		parent, err := c.Parent(c.Resolution() - 1)
		require.NoError(t, err)
		require.False(t, c.Neighbor(parent))
	})
}

// A driver 50 m away gets the offer: across the edge of a cell, around a pentagon, across the
// antimeridian, at a pole.
func TestADriver50MetresAwayIsInTheFirstRing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		res := rapid.SampledFrom(dispatchResolutions).Draw(t, "res")
		pickup := genPoint().Draw(t, "pickup")
		if rapid.Bool().Draw(t, "at a corner") { // where three cells meet
			corners := mustCell(t, pickup, res).Boundary()
			corner := corners[rapid.IntRange(0, len(corners)-1).Draw(t, "corner")]
			pickup = Destination(corner, rapid.Float64Range(0, 360).Draw(t, "aside"),
				rapid.Float64Range(0, 50).Draw(t, "by"))
		}
		driver := Destination(pickup, rapid.Float64Range(0, 360).Draw(t, "bearing"), 50)
		require.InDelta(t, 50, DistanceM(pickup, driver), 1e-6)

		disk, err := mustCell(t, pickup, res).Disk(1)
		require.NoError(t, err)
		require.Contains(t, disk, mustCell(t, driver, res))
	})
}

func TestAcrossTheAntimeridian(t *testing.T) {
	for lat := -89.9; lat < 90; lat += 0.37 {
		west := Destination(Point{Lat: lat, Lng: 180}, 270, 25)
		east := Destination(Point{Lat: lat, Lng: 180}, 90, 25)
		require.Positive(t, west.Lng)
		require.Negative(t, east.Lng)
		require.InDelta(t, 50, DistanceM(west, east), 0.2)
		for _, res := range dispatchResolutions {
			disk, err := mustCell(t, west, res).Disk(1)
			require.NoError(t, err)
			require.Contains(t, disk, mustCell(t, east, res))
			require.Equal(t, mustCell(t, Point{Lat: lat, Lng: 180}, res), mustCell(t, Point{Lat: lat, Lng: -180}, res))
		}
	}
}

func TestRadiusBoundsTheCell(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := genPoint().Draw(t, "point")
		c := mustCell(t, p, rapid.IntRange(0, MaxResolution).Draw(t, "res"))
		require.NoError(t, c.Center().Validate())
		require.Equal(t, c, mustCell(t, c.Center(), c.Resolution()))
		// At a pole H3's own corners are off by up to 0.13 m.
		require.LessOrEqual(t, DistanceM(c.Center(), p), c.RadiusM()*(1+1e-9)+0.3)
	})
}

// One ring is as far as a neighbour's centre, give or take H3's distortion.
func TestRingM(t *testing.T) {
	for res := 5; res <= 10; res++ {
		c, err := CellAt(Point{Lat: 37.4979, Lng: 127.0276}, res)
		require.NoError(t, err)
		disk, err := c.Disk(1)
		require.NoError(t, err)
		for _, n := range disk {
			if n != c {
				require.InEpsilon(t, RingM(res), DistanceM(c.Center(), n.Center()), 0.25, res)
			}
		}
	}
	require.Zero(t, RingM(-1))
	require.Zero(t, RingM(16))
}
