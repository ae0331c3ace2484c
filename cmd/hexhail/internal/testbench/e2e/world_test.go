package e2e

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

func TestMain(m *testing.M) { harness.Main(m, 16) }

// world is an area of a server's map and a set of names for one subtest: many subtests share a
// server without meeting each other's drivers.
type world struct {
	t     testing.TB
	s     *harness.Server
	codec wire.Codec
	area  int64
	names int
	at    geo.Point // the middle; pickups are here
	to    geo.Point // where trips go
}

var areas atomic.Int64

// newWorld takes an unused area: areas are 30 km apart, and searches reach 10 km.
func newWorld(t testing.TB, s *harness.Server, codec wire.Codec) *world {
	n := areas.Add(1)
	at := geo.Point{Lat: 20 + 0.3*float64(n%80), Lng: 60 + 0.5*float64(n/80%120)}
	return &world{t: t, s: s, codec: codec, area: n, at: at, to: geo.Destination(at, 90, 4000)}
}

// name returns a name that is unique across all servers of this package, and no part of any id: those are
// hexadecimal, or in capitals.
func (w *world) name(role ride.Role) string {
	w.names++
	return fmt.Sprintf("%s%d-%d", string(role)[:2], w.area, w.names)
}

// join connects a new person.
func (w *world) join(role ride.Role) (*harness.Client, *ridepb.Connected) {
	w.t.Helper()
	name := w.name(role)
	return w.as(role, name, nil)
}

// as connects a person by name.
func (w *world) as(role ride.Role, name string, resume *ridepb.Resume) (*harness.Client, *ridepb.Connected) {
	w.t.Helper()
	c, connected := harness.Connect(w.t, w.s, w.codec, w.s.Token(role, name), resume)
	c.Name = name
	return c, connected
}

func (w *world) rider() *harness.Client {
	w.t.Helper()
	c, _ := w.join(ride.RoleRider)
	return c
}

// driver returns a new driver, online some metres north of the centre.
func (w *world) driver(metres float64) *harness.Client {
	w.t.Helper()
	c, _ := w.join(ride.RoleDriver)
	c.Online(geo.Destination(w.at, 0, metres))
	return c
}

// request asks for a trip from the middle.
func (w *world) request(rider *harness.Client) *ridepb.Trip {
	w.t.Helper()
	r := rider.Ask(harness.Request(w.at, w.to))
	require.NotNil(w.t, r.GetTrip(), "request: %v", r)
	return r.GetTrip()
}

// match matches a rider with the only driver online.
func (w *world) match(rider, driver *harness.Client) *ridepb.Trip {
	w.t.Helper()
	trip := w.request(rider)
	return w.accept(driver, trip)
}

// accept has a driver win a trip.
func (w *world) accept(driver *harness.Client, trip *ridepb.Trip) *ridepb.Trip {
	w.t.Helper()
	r := driver.Ask(harness.Accept(driver.Offer(trip.GetId()).GetId()))
	require.Equal(w.t, ridepb.Trip_matched, r.GetTrip().GetStatus(), "accept: %v", r)
	return r.GetTrip()
}

// drive brings a matched trip to a later status of a ride without a PIN.
func (w *world) drive(driver *harness.Client, trip string, to ridepb.Trip_Status) *ridepb.Trip {
	w.t.Helper()
	var got *ridepb.Trip
	for _, step := range []struct {
		to ridepb.Trip_Status
		by *ridepb.ClientFrame
	}{
		{ridepb.Trip_arrived, harness.Arrived(trip)},
		{ridepb.Trip_in_progress, harness.StartTrip(trip, "")},
		{ridepb.Trip_completed, harness.Complete(trip)},
	} {
		if step.to > to {
			break
		}
		r := driver.Ask(step.by)
		require.Equal(w.t, step.to, r.GetTrip().GetStatus(), "%v", r)
		got = r.GetTrip()
	}
	return got
}

// refused requires a reply to be an error with a code, and returns it.
func refused(t testing.TB, code *ride.Error, r *ridepb.Reply) *ridepb.Error {
	t.Helper()
	require.NotNil(t, r.GetError(), "%s was expected: %v", code.Code, r)
	require.Equal(t, code.Code, r.GetError().GetCode(), "%v", r)
	require.Equal(t, code.Retryable, r.GetError().GetRetryable())
	require.NotEmpty(t, r.GetError().GetMessage())
	return r.GetError()
}
