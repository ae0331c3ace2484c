// Package demo hosts visitors of a demonstration: it gives them accounts and suggestions, observes
// which of them drive, sends them riders of the simulated city, and tells them what a simulated
// rider would say at the kerb. It stands between the server and the city, and does not change how
// either works.
package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/sim/city"
	"github.com/hexhail/hexhail/sim/demand"
	"github.com/hexhail/hexhail/transport/api"
	"github.com/hexhail/hexhail/transport/auth"
)

// The ready-made accounts.
const (
	Rider    = "demo-rider"
	Driver   = "demo-driver"
	Operator = "demo-operator"
)

// OperatorSessions is how many visitors may watch at once: they share the operator's account.
const OperatorSessions = 64

// maxVisits bounds the accounts that one run makes for visitors.
const maxVisits = 5000

// Options describe a demonstration.
type Options struct {
	// CityName and TimeZone (an IANA name) are shown to visitors.
	CityName, TimeZone string
	// Area bounds everything.
	Area demand.Area
	// Requests are the city's requests, with their addresses if they have any. They must not be
	// empty.
	Requests []demand.Request
	// Kerbs knows the streets: visitors are sent to kerbs. Nil: nothing does.
	Kerbs geo.Snapper
	// Places are what visitors can search for.
	Places demand.Gazetteer
	// Tariffs are the server's; the first is the city's usual class.
	Tariffs ride.Tariffs
	// Speed is the city's, VisitorSpeed that of its drivers with a visitor.
	Speed, VisitorSpeed float64
	// Drivers is the city's number of drivers.
	Drivers int
	// Issuer is the issuer of the simulated people, and only of them.
	Issuer string
	// Password is the password of the ready-made accounts.
	Password string
	// Private says that only this machine can reach the server, so passwords need no protection.
	// Visitors get the operator's account if Private or GiveOperator is set.
	Private, GiveOperator bool
}

// Trips reads trips.
type Trips interface {
	Trip(ctx context.Context, id ride.TripID) (ride.Trip, error)
}

// Dispatcher dispatches new trips by a policy.
type Dispatcher interface {
	Policy() ride.Policy
	SetPolicy(p ride.Policy) error
}

// Host serves visitors. Make it with New; it is safe for concurrent use.
type Host struct {
	o       Options
	about   api.Demonstration
	drivers drivers
	calls   chan demand.Request
	visits  atomic.Int64
	trips   atomic.Pointer[Trips]
	rules   atomic.Pointer[direction]
}

var _ api.Demo = (*Host)(nil)

// New makes a host.
func New(o Options) (*Host, error) {
	if len(o.Requests) == 0 || len(o.Tariffs) == 0 || o.Issuer == "" {
		return nil, errors.New("demonstration: requests, tariffs and an issuer are needed")
	}
	h := &Host{o: o, drivers: drivers{all: make(map[ride.AccountID]*driver)}, calls: make(chan demand.Request, 16)}
	h.about = h.describe()
	return h, nil
}

// Attach gives the host access to trips. Until then it knows no PINs.
func (h *Host) Attach(t Trips) { h.trips.Store(&t) }

// direction is who dispatches new trips, and how at first: each other policy is a change of that one.
type direction struct {
	Dispatcher
	first ride.Policy
}

// Direct gives the host the policy of new trips. Until then there is none to choose.
func (h *Host) Direct(d Dispatcher) { h.rules.Store(&direction{d, d.Policy()}) }

// Policy implements api.Demo.
func (h *Host) Policy() ride.Policy {
	if d := h.rules.Load(); d != nil {
		return d.Policy()
	}
	return ride.DefaultPolicy()
}

// SetPolicy implements api.Demo.
func (h *Host) SetPolicy(kind ride.PolicyKind) error {
	d := h.rules.Load()
	if d == nil {
		return ride.ErrUnavailable
	}
	if kind == d.first.Kind {
		return d.SetPolicy(d.first)
	}
	return d.SetPolicy(d.first.As(kind))
}

// Describe implements api.Demo.
func (h *Host) Describe() api.Demonstration { return h.about }

// VisitorClass is the vehicle class of the drivers that visitors become: one that few of
// the city's drivers have, so that dispatch finds a visitor among them.
func VisitorClass(t ride.Tariffs) string { return t[min(1, len(t)-1)].Class }

// Newcomer implements api.Demo.
func (h *Host) Newcomer(role ride.Role) (auth.SignUp, error) {
	n := h.visits.Add(1)
	if n > maxVisits {
		return auth.SignUp{}, ride.ErrUnavailable.With("This demonstration has reached its limit of visitors; restart it.")
	}
	who := auth.SignUp{
		Username: "visitor-" + strings.ToLower(rand.Text()[:12]), Password: rand.Text(),
		FirstName: "Visitor", LastName: strconv.FormatInt(n, 10), Role: role,
	}
	if role == ride.RoleDriver {
		who.Vehicle = ride.Vehicle{Class: VisitorClass(h.o.Tariffs), Plate: fmt.Sprintf("VISIT %d", n)}
	}
	return who, nil
}

// Operator implements api.Demo.
func (h *Host) Operator() (username, password string, ok bool) {
	return Operator, h.o.Password, h.o.Private || h.o.GiveOperator
}

// Simulated implements api.Demo.
func (h *Host) Simulated(a ride.Account) bool { return a.Issuer == h.o.Issuer }

// maxPlaces bounds the points on the map: enough to see the streets, few enough to load fast.
const maxPlaces = 5000

// Places implements api.Demo.
func (h *Host) Places() []geo.Point {
	step := max(1, (len(h.o.Requests)+maxPlaces-1)/maxPlaces)
	var out []geo.Point
	seen := make(map[geo.Point]bool)
	for i := 0; i < len(h.o.Requests); i += step {
		if p := h.o.Requests[i].Pickup; !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	return out
}

// Find implements api.Demo.
func (h *Host) Find(words string, near *geo.Point, limit int) []api.DemoPlace {
	from := h.about.City.Center
	if near != nil {
		from = place(*near)
	}
	found := h.o.Places.Find(words, geo.Point{Lat: from.Lat, Lng: from.Lng}, limit)
	out := make([]api.DemoPlace, len(found))
	for i, f := range found {
		out[i] = api.DemoPlace{Name: f.Name, At: f.At}
	}
	return out
}

// NameOf implements api.Demo.
func (h *Host) NameOf(p geo.Point) string { return h.o.Places.NameOf(p) }

// kerb is the kerb near a point.
func (h *Host) kerb(p geo.Point) geo.Point {
	if h.o.Kerbs == nil {
		return p
	}
	return demand.Kerb(p, h.o.Kerbs)
}

// Visitors connects the city with the visitors.
func (h *Host) Visitors() *city.Visitors {
	return &city.Visitors{Near: h.near, PIN: h.pin, Calls: h.calls, Speed: h.o.VisitorSpeed}
}

// pinWithin bounds the time to read a trip; the driver asks again.
const pinWithin = 2 * time.Second

// pin returns the PIN on a visiting rider's screen.
func (h *Host) pin(trip string) string {
	trips := h.trips.Load()
	if trips == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), pinWithin)
	defer cancel()
	t, err := (*trips).Trip(ctx, ride.TripID(trip))
	if err != nil {
		return ""
	}
	return t.PIN
}
