package geo

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func FuzzCellAt(f *testing.F) {
	for _, p := range invalidPoints {
		f.Add(p.Lat, p.Lng, 9)
	}
	for _, p := range extremePoints {
		f.Add(p.Lat, p.Lng, 8)
	}
	f.Fuzz(func(t *testing.T, lat, lng float64, res int) {
		p := Point{Lat: lat, Lng: lng}
		c, err := CellAt(p, res)
		if p.Validate() != nil {
			require.ErrorIs(t, err, ErrInvalidPoint)
			return
		}
		if res < 0 || res > MaxResolution {
			require.ErrorIs(t, err, ErrOutOfRange)
			return
		}
		require.NoError(t, err)
		require.True(t, c.Valid())
		require.Equal(t, res, c.Resolution())
		require.NoError(t, c.Center().Validate())
		parsed, err := ParseCell(c.String())
		require.NoError(t, err)
		require.Equal(t, c, parsed)
		disk, err := c.Disk(1)
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(disk), 6)

		tracker := CellTracker{res: res}
		for range 2 {
			tracked, _, err := tracker.Update(p)
			require.NoError(t, err)
			require.Equal(t, c, tracked)
		}
	})
}

func FuzzParseCell(f *testing.F) {
	for _, s := range []string{"", "8911268cedbffff", "8009fffffffffff", "0x8911268cedbffff", "ffffffffffffffff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCell(s)
		if err != nil {
			require.ErrorIs(t, err, ErrInvalidCell)
			require.Zero(t, c)
			return
		}
		require.Equal(t, s, c.String())
		require.Equal(t, c, mustCell(t, c.Center(), c.Resolution()))
		require.Positive(t, c.RadiusM())
		top, err := c.Parent(0)
		require.NoError(t, err)
		require.True(t, top.Valid())
		disk, err := c.Disk(2)
		require.NoError(t, err)
		require.Contains(t, disk, c)
	})
}

// The filter accepts any input from a device.
func FuzzPositionFilter(f *testing.F) {
	f.Add(60.17, 24.94, int64(0), 60.18, 24.95, int64(1000))
	f.Add(91.0, math.NaN(), int64(math.MaxInt64), -90.0, 180.0, int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, lat1, lng1 float64, at1 int64, lat2, lng2 float64, at2 int64) {
		var filter PositionFilter
		var last time.Time
		for _, fix := range []struct {
			p  Point
			at int64
		}{{Point{lat1, lng1}, at1}, {Point{lat2, lng2}, at2}} {
			device := time.UnixMilli(fix.at)
			if filter.Check(fix.p, device, noon) != Accepted {
				continue
			}
			require.NoError(t, fix.p.Validate())
			require.False(t, device.Before(noon.Add(-MaxFixAge)) || device.After(noon.Add(MaxFixAhead)))
			require.True(t, device.After(last))
			last = device
		}
	})
}
