package city

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// none is a search that found no driver.
type none struct{}

func (none) Has(ride.AccountID) bool { return false }

// Across the antimeridian the nearest driver is still the nearest.
func TestPassedOverAtTheAntimeridian(t *testing.T) {
	c := New(Config{Resolution: 8})
	at := geo.Point{Lat: -17, Lng: 179.9999}
	for name, bearing := range map[ride.AccountID]float64{"west": 270, "east": 90} {
		c.Drivers.Enter(&Driver{ID: name, Class: "c", State: ridepb.CityDriver_on_trip}).Move(geo.Destination(at, bearing, 100), 0)
	}
	center, err := geo.CellAt(at, 8)
	require.NoError(t, err)
	q := Search{Pickup: at, Center: center, Ring: 1, Class: "c", Found: none{}}
	got := c.PassedOver(q)
	require.Len(t, got, 2)
	require.InDelta(t, 100, geo.DistanceM(at, got[0].Point), 1)
	require.InDelta(t, 100, geo.DistanceM(at, got[1].Point), 1)
	q.Class = "other class"
	require.Empty(t, c.PassedOver(q))
	require.Empty(t, c.PassedOver(Search{Pickup: at, Ring: 1, Class: "c"}), "the search could not begin")
}
