package demo

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/sim/demand"
	"github.com/hexhail/hexhail/sim/demand/nyc"
	"github.com/hexhail/hexhail/transport"
)

const issuer = "https://city.test"

// hour is read once for all tests and never changed.
var hour = sync.OnceValues(func() ([]demand.Request, error) {
	requests, _, err := nyc.Peak(demand.Filter{Area: nyc.Manhattan})
	return requests, err
})

// newHost returns a host of the embedded hour.
func newHost(t *testing.T, edit func(*Options)) *Host {
	t.Helper()
	requests, err := hour()
	require.NoError(t, err)
	o := Options{
		CityName: nyc.Name, TimeZone: nyc.TimeZone, Area: nyc.Manhattan, Requests: requests, Tariffs: ride.DefaultTariffs(),
		Speed: 40, VisitorSpeed: 12, Drivers: 800, Issuer: issuer, Password: "secret", Private: true,
	}
	if edit != nil {
		edit(&o)
	}
	h, err := New(o)
	require.NoError(t, err)
	return h
}

func TestDescription(t *testing.T) {
	h := newHost(t, nil)
	d := h.Describe()
	require.Equal(t, []ride.Role{ride.RoleRider, ride.RoleDriver, ride.RoleOperator}, d.Roles)
	require.Len(t, d.Accounts, 3)
	require.Equal(t, "USD", d.City.Currency)
	require.True(t, nyc.Manhattan.Has(geo.Point{Lat: d.City.Center.Lat, Lng: d.City.Center.Lng}))
	require.Len(t, d.Rides, suggestedRides)
	for _, r := range d.Rides {
		require.GreaterOrEqual(t, r.DistanceM, rideMinM)
		require.LessOrEqual(t, r.DistanceM, rideMaxM)
		require.Equal(t, "standard", r.VehicleClass)
	}
	require.Len(t, d.Stands, suggestedStands)
	require.Equal(t, "comfort", d.Stands[0].VehicleClass)
	_, err := time.LoadLocation(d.City.TimeZone)
	require.NoError(t, err)
	places := h.Places()
	require.Greater(t, len(places), 3000)
	require.LessOrEqual(t, len(places), maxPlaces)

	d = newHost(t, func(o *Options) { o.Private = false }).Describe()
	require.Equal(t, []ride.Role{ride.RoleRider, ride.RoleDriver}, d.Roles)
	require.Empty(t, d.Accounts)

	one := demand.Request{Pickup: geo.Point{Lat: 1, Lng: 1}, Dropoff: geo.Point{Lat: 1, Lng: 2}}
	d = newHost(t, func(o *Options) { o.Requests, o.Tariffs = []demand.Request{one}, o.Tariffs[:1] }).Describe()
	require.Len(t, d.Rides, 1, "what there is")
	require.Equal(t, "standard", d.Stands[0].VehicleClass)

	_, err = New(Options{})
	require.Error(t, err)
}

func TestNewcomersAreBounded(t *testing.T) {
	h := newHost(t, nil)
	names := map[string]bool{}
	for range maxVisits {
		n, err := h.Newcomer(ride.RoleDriver)
		require.NoError(t, err)
		require.False(t, names[n.Username])
		names[n.Username] = true
		require.LessOrEqual(t, len(n.Vehicle.Plate), 16)
	}
	_, err := h.Newcomer(ride.RoleRider)
	require.ErrorIs(t, err, ride.ErrUnavailable)
}

// fakeRouter stands for the actors: it answers connect as the test says.
type fakeRouter struct {
	err error
	out transport.Outbox
}

func (r *fakeRouter) Join(_ context.Context, j transport.Join) (transport.Inbox, error) {
	r.out = j.Out
	return fakeInbox{}, r.err
}

type fakeInbox struct{}

func (fakeInbox) Command(*ridepb.ClientFrame)  {}
func (fakeInbox) Location(ride.Position) error { return nil }
func (fakeInbox) Leave()                       {}

type fakeOutbox struct{ transport.Outbox }

func (fakeOutbox) Reply(*ridepb.Reply) {}
func (fakeOutbox) Event(*ridepb.Event) {}

var here = geo.Point{Lat: 40.7549, Lng: -73.984}

func online(p geo.Point) *ridepb.ClientFrame {
	lat, lng := p.E7()
	at := &ridepb.Location{Point: &ridepb.Point{LatE7: lat, LngE7: lng}}
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_GoOnline{GoOnline: &ridepb.GoOnline{Location: at}}}
}

func told(s ridepb.Trip_Status) *ridepb.Event {
	return &ridepb.Event{Body: &ridepb.Event_TripUpdated{TripUpdated: &ridepb.TripUpdated{Trip: &ridepb.Trip{Status: s}}}}
}

// join returns a session of an account.
func join(t *testing.T, h *Host, next *fakeRouter, a ride.Account) transport.Inbox {
	t.Helper()
	p, err := h.Router(next).Join(t.Context(), transport.Join{Principal: transport.Principal{Account: a}, Out: fakeOutbox{}})
	require.NoError(t, err)
	return p
}

var visitingDriver = ride.Account{ID: "v", Role: ride.RoleDriver, Vehicle: ride.Vehicle{Class: "comfort"}}

// The traffic on a visitor's socket decides whether the visitor waits for offers.
func TestWhoWaitsForOffers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, actors := newHost(t, nil), &fakeRouter{}
		inbox := join(t, h, actors, visitingDriver)
		require.False(t, h.near("comfort", here), "it is not online")
		inbox.Command(online(here))
		require.True(t, h.near("comfort", here))
		require.False(t, h.near("standard", here))
		require.True(t, h.near("comfort", geo.Destination(here, 0, farM-100)))
		require.False(t, h.near("comfort", geo.Destination(here, 0, farM+100)))

		actors.out.Event(told(ridepb.Trip_matched))
		require.False(t, h.near("comfort", here), "it has a trip")
		actors.out.Event(told(ridepb.Trip_completed))
		require.True(t, h.near("comfort", here))

		time.Sleep(freshFor)
		require.False(t, h.near("comfort", here), "its position is unknown")
		require.NoError(t, inbox.Location(ride.Position{Point: here}))
		require.True(t, h.near("comfort", here))
		inbox.Command(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_GoOffline{GoOffline: &ridepb.GoOffline{}}})
		require.False(t, h.near("comfort", here))

		// A second tab takes over; the first one's end makes no difference.
		second := join(t, h, actors, visitingDriver)
		actors.out.Reply(&ridepb.Reply{Result: &ridepb.Reply_Connected{Connected: &ridepb.Connected{Online: true}}})
		require.NoError(t, second.Location(ride.Position{Point: here}))
		inbox.Leave()
		require.True(t, h.near("comfort", here))
		second.Leave()
		require.False(t, h.near("comfort", here))
		require.Empty(t, h.drivers.all)
	})
}

func TestOnlyVisitorsWhoDriveAreWatched(t *testing.T) {
	h := newHost(t, nil)
	for _, a := range []ride.Account{
		{ID: "c", Role: ride.RoleDriver, Issuer: issuer, Vehicle: ride.Vehicle{Class: "comfort"}},
		{ID: "r", Role: ride.RoleRider},
	} {
		join(t, h, &fakeRouter{}, a).Command(online(here))
	}
	require.False(t, h.near("comfort", here))
	_, err := h.Router(&fakeRouter{err: ride.ErrShuttingDown}).Join(t.Context(), transport.Join{
		Principal: transport.Principal{Account: visitingDriver}, Out: fakeOutbox{},
	})
	require.ErrorIs(t, err, ride.ErrShuttingDown)
	require.Empty(t, h.drivers.all, "a refused session is not remembered")
}

// A visitor in a class with many drivers has a smaller neighbourhood.
func TestOtherClassesWaitNearbyOnly(t *testing.T) {
	h := newHost(t, nil)
	a := visitingDriver
	a.Vehicle.Class = "standard"
	join(t, h, &fakeRouter{}, a).Command(online(here))
	require.True(t, h.near("standard", geo.Destination(here, 0, nearM-100)))
	require.False(t, h.near("standard", geo.Destination(here, 0, nearM+100)))
}

// A rider is sent soon after a visitor begins to wait, and repeatedly after that.
func TestCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, actors := newHost(t, nil), &fakeRouter{}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { h.Run(ctx); close(done) }()
		inbox := join(t, h, actors, visitingDriver)
		inbox.Command(online(here))
		began := time.Now()
		q := <-h.Visitors().Calls
		require.LessOrEqual(t, time.Since(began), firstCall+2*time.Second)
		require.Equal(t, "comfort", q.Class)
		way, long := geo.DistanceM(here, q.Pickup), geo.DistanceM(q.Pickup, q.Dropoff)
		require.True(t, way >= wayMinM && way <= wayMaxM, way)
		require.True(t, long >= callMinM && long <= callMaxM, long)
		for range 3 {
			for range int(nextCall / time.Second) {
				require.NoError(t, inbox.Location(ride.Position{Point: here}))
				time.Sleep(time.Second)
			}
			require.NotEqual(t, q.ID, (<-h.Visitors().Calls).ID)
		}
		actors.out.Event(told(ridepb.Trip_matched))
		for range 60 {
			require.NoError(t, inbox.Location(ride.Position{Point: here}))
			time.Sleep(time.Second)
		}
		require.Empty(t, h.Visitors().Calls, "it has a trip")
		stop()
		<-done
	})
}

func TestCallsFarFromTheCity(t *testing.T) {
	h, far := newHost(t, nil), geo.Point{Lat: 37.5, Lng: 127}
	q := h.wish(waiting{"van", far}, rand.New(rand.NewPCG(1, 2)))
	require.Equal(t, "van", q.Class)
	require.Less(t, geo.DistanceM(far, q.Pickup), float64(wayMaxM))
	require.GreaterOrEqual(t, geo.DistanceM(q.Pickup, q.Dropoff), callMinM-1.0)
	require.NoError(t, q.Dropoff.Validate())
}

type fakeTrips struct{ err error }

func (f fakeTrips) Trip(_ context.Context, id ride.TripID) (ride.Trip, error) {
	return ride.Trip{ID: id, PIN: "0417"}, f.err
}

func TestPINOfAVisitor(t *testing.T) {
	h := newHost(t, nil)
	require.Empty(t, h.pin("t"), "the server is not running yet")
	h.Attach(fakeTrips{errors.New("no database")})
	require.Empty(t, h.pin("t"))
	h.Attach(fakeTrips{})
	require.Equal(t, "0417", h.pin("t"))
	require.True(t, h.Simulated(ride.Account{Issuer: issuer}))
	require.False(t, h.Simulated(ride.Account{}))
}
