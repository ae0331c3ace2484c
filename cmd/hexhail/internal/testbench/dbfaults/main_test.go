package dbfaults

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

func TestMain(m *testing.M) { harness.Main(m, 8) }

// Where trips go from and to.
var (
	pickup  = geo.Point{Lat: 40.7, Lng: -74}
	dropoff = geo.Destination(pickup, 90, 4000)
)

var people atomic.Int64

// name returns a unique name.
func name(role ride.Role) string { return fmt.Sprintf("%s%d", role, people.Add(1)) }

// join connects a new person.
func join(t *testing.T, s *harness.Server, role ride.Role) *harness.Client {
	t.Helper()
	who := name(role)
	c, _ := harness.Connect(t, s, wire.JSON, s.Token(role, who), nil)
	c.Name = who
	return c
}

// driver returns a new driver, online some metres north of the pickup.
func driver(t *testing.T, s *harness.Server, metres float64) *harness.Client {
	t.Helper()
	c := join(t, s, ride.RoleDriver)
	c.Online(geo.Destination(pickup, 0, metres))
	return c
}

// matched returns a trip of a new rider that a new driver has won.
func matched(t *testing.T, s *harness.Server) (rider, d *harness.Client, trip string) {
	t.Helper()
	rider, d = join(t, s, ride.RoleRider), driver(t, s, 20)
	trip = rider.Ask(harness.Request(pickup, dropoff)).GetTrip().GetId()
	won := d.Ask(harness.Accept(d.Offer(trip).GetId()))
	require.Equal(t, ridepb.Trip_matched, won.GetTrip().GetStatus(), "%v", won)
	return rider, d, trip
}
