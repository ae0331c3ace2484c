package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/auth"
)

// Demo makes a server a demonstration: a simulated city in which visitors take
// rides. All methods are safe for concurrent use.
type Demo interface {
	// Describe says what a visitor should know. The caller must not change it.
	Describe() Demonstration
	// Newcomer is the account to make for the next visiting rider or driver. It
	// returns ride.ErrUnavailable when there were too many.
	Newcomer(role ride.Role) (auth.SignUp, error)
	// Operator is the log-in that visitors share, false when they may not have it.
	Operator() (username, password string, ok bool)
	// Simulated reports whether an account is that of one of the city's own people.
	Simulated(a ride.Account) bool
	// Places are pickups of the city, asked for once.
	Places() []geo.Point
	// Find returns places by words of their names, the nearest first; near is nil where
	// the asker has no place in mind.
	Find(words string, near *geo.Point, limit int) []DemoPlace
	// Policy is the dispatch policy of new trips, and SetPolicy changes its kind.
	Policy() ride.Policy
	SetPolicy(kind ride.PolicyKind) error
	// NameOf is what people call a point; empty when they have no name for it.
	NameOf(p geo.Point) string
}

// Demonstration is what visitors should know of a demonstration.
type Demonstration struct {
	City         DemoCity      `json:"city"`
	Speed        float64       `json:"speed" doc:"Simulated seconds in a real one, for the city's own people."`
	VisitorSpeed float64       `json:"visitor_speed" doc:"The same for a simulated driver who drives a visitor; a page that drives for a visitor should do as much."`
	Roles        []ride.Role   `json:"roles" doc:"The roles that POST /v1/demo/visits gives away. Without operator when the server listens beyond its own machine."`
	Accounts     []DemoAccount `json:"accounts" doc:"Ready-made, for logging in by hand. Visits get accounts of their own. Empty when the server listens beyond its own machine."`
	Rides        []DemoRide    `json:"rides" doc:"Suggestions for riders, the first one first."`
	Stands       []DemoStand   `json:"stands" doc:"Suggestions for drivers: where and in what class to go online, the first one first."`
	Drivers      int           `json:"drivers" doc:"How many simulated drivers there are."`
}

// DemoCity is where it happens.
type DemoCity struct {
	Name     string   `json:"name"`
	Area     DemoArea `json:"area" doc:"The bounding box of the city."`
	Center   Place    `json:"center"`
	TimeZone string   `json:"time_zone" doc:"IANA name."`
	Currency string   `json:"currency" doc:"ISO 4217."`
}

// DemoArea is a box of latitudes and longitudes in degrees.
type DemoArea struct {
	South float64 `json:"south"`
	West  float64 `json:"west"`
	North float64 `json:"north"`
	East  float64 `json:"east"`
}

// Place is a point in degrees.
type Place struct {
	Lat float64 `json:"lat" minimum:"-90" maximum:"90"`
	Lng float64 `json:"lng" minimum:"-180" maximum:"180"`
}

// DemoAccount is a ready-made account.
type DemoAccount struct {
	Role     ride.Role `json:"role" enum:"rider,driver,operator"`
	Username string    `json:"username"`
	Password string    `json:"password"`
}

// DemoRide is a ride that one could ask for.
type DemoRide struct {
	Pickup         Place  `json:"pickup"`
	Dropoff        Place  `json:"dropoff"`
	PickupAddress  string `json:"pickup_address" doc:"The name of the pickup; empty when it has none."`
	DropoffAddress string `json:"dropoff_address"`
	DistanceM      int    `json:"distance_m" doc:"As the crow flies."`
	VehicleClass   string `json:"vehicle_class"`
}

// DemoStand is where a driver could go online.
type DemoStand struct {
	Place        Place  `json:"place"`
	VehicleClass string `json:"vehicle_class" doc:"Of the accounts that POST /v1/demo/visits gives to drivers."`
}

// noDemo answers for an ordinary server.
var noDemo = ride.ErrNotFound.With("This server is not a demonstration.")

func (a *API) registerDemo() {
	missing := []*ride.Error{ride.ErrNotFound}
	register(a, operation{
		id: "get-demo", method: http.MethodGet, path: "/v1/demo", tag: "Demonstration", summary: "What visitors should know", roles: anyone,
		doc:    "Not found on an ordinary server; GET /v1/config says which one this is.",
		errors: missing,
	}, func(context.Context, *nothing) (*body[Demonstration], error) {
		if a.deps.Demo == nil {
			return nil, noDemo
		}
		return answer(a.deps.Demo.Describe()), nil
	})
	register(a, operation{
		id: "visit-demo", method: http.MethodPost, path: "/v1/demo/visits", tag: "Demonstration", summary: "Visit the city",
		roles: anyone, signIn: true, status: http.StatusCreated,
		doc: "Signs a visitor in, in one step: riders and drivers with a new account each, so that several visitors and several tabs " +
			"do not end each other's sessions; operators share one.",
		errors: []*ride.Error{ride.ErrNotFound, ride.ErrWrongRole},
	}, a.visitDemo)
	register(a, operation{
		id: "hear-pin", method: http.MethodGet, path: "/v1/demo/trips/{id}/hint", tag: "Demonstration", summary: "The PIN of a simulated rider",
		roles: drivers,
		doc: "The PIN of a simulated rider, for the trip's driver once it has arrived; before and after that, " +
			"wrong_status. For a real rider, not_found.",
		errors: []*ride.Error{ride.ErrNotFound, ride.ErrWrongStatus},
	}, a.hearPIN)
	register(a, operation{
		id: "list-demo-places", method: http.MethodGet, path: "/v1/demo/places", tag: "Demonstration", summary: "Pickups of the simulated city",
		roles: anyone, doc: "Some thousand pickups, as a map's texture where there are no tiles. Cacheable: it has an ETag.", errors: missing,
	}, a.listPlaces)
	a.describePlaces()
	a.registerDispatch()
}

// demoDispatch is how a demonstration dispatches new trips.
type demoDispatch struct {
	Policy ride.PolicyKind `json:"policy" enum:"nearest,batch,broadcast,sequential" doc:"Of trips requested from now on; those under way keep theirs."`
	Cap    int             `json:"cap" doc:"How many drivers are asked at once, at most."`
}

func showDispatch(p ride.Policy) *body[demoDispatch] {
	v := demoDispatch{Policy: p.Kind, Cap: 1}
	if p.Kind == ride.PolicyBroadcast {
		v.Cap = p.Cap
	}
	return answer(v)
}

type dispatchRequest struct {
	Policy ride.PolicyKind `json:"policy" enum:"nearest,batch,broadcast"`
}

// registerDispatch lets a demonstration's visitors compare two policies. It is for operators, whom a demonstration
// that others can reach does not give away, and a demonstration is one node, so that its memory can hold the choice.
func (a *API) registerDispatch() {
	missing := []*ride.Error{ride.ErrNotFound}
	register(a, operation{
		id: "get-demo-dispatch", method: http.MethodGet, path: "/v1/demo/dispatch", tag: "Demonstration",
		summary: "How new trips are dispatched", roles: operators, errors: missing,
	}, func(context.Context, *nothing) (*body[demoDispatch], error) {
		if a.deps.Demo == nil {
			return nil, noDemo
		}
		return showDispatch(a.deps.Demo.Policy()), nil
	})
	register(a, operation{
		id: "set-demo-dispatch", method: http.MethodPut, path: "/v1/demo/dispatch", tag: "Demonstration",
		summary: "Dispatch new trips in another way", roles: operators, errors: missing,
		doc: "Between one of the nearest drivers at a time, plans for all trips of a zone, and a broadcast to several. Until the demonstration ends; trips under way keep the rules of their request.",
	}, func(ctx context.Context, in *struct{ Body dispatchRequest }) (*body[demoDispatch], error) {
		if a.deps.Demo == nil {
			return nil, noDemo
		}
		err := a.audited(ctx, "demo.dispatch", "", string(in.Body.Policy), func() error { return a.deps.Demo.SetPolicy(in.Body.Policy) })
		if err != nil {
			return nil, err
		}
		return showDispatch(a.deps.Demo.Policy()), nil
	})
}

type visitRequest struct {
	Role ride.Role `json:"role" enum:"rider,driver,operator"`
}

func (a *API) visitDemo(ctx context.Context, in *struct{ Body visitRequest }) (*body[signedInView], error) {
	if a.deps.Demo == nil {
		return nil, noDemo
	}
	acc, t, err := a.visit(ctx, in.Body.Role)
	if err != nil {
		return nil, err
	}
	return answer(signedInView{showAccount(acc), showTokens(t)}), nil
}

func (a *API) visit(ctx context.Context, role ride.Role) (ride.Account, auth.Tokens, error) {
	if role == ride.RoleOperator {
		username, password, ok := a.deps.Demo.Operator()
		if !ok {
			return ride.Account{}, auth.Tokens{}, ride.ErrWrongRole.With("This demonstration offers no operator account.")
		}
		return a.deps.Auth.LogIn(ctx, username, password, callOf(ctx).addr)
	}
	n, err := a.deps.Demo.Newcomer(role)
	if err != nil {
		return ride.Account{}, auth.Tokens{}, err
	}
	return a.deps.Auth.SignUp(ctx, n)
}

type pinView struct {
	PIN string `json:"pin" doc:"Empty when trips start without one here."`
}

func (a *API) hearPIN(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*body[pinView], error) {
	if a.deps.Demo == nil {
		return nil, noDemo
	}
	t, err := a.deps.Trips.Trip(ctx, ride.TripID(in.ID))
	if err != nil {
		return nil, err
	}
	if t.Driver == nil || t.Driver.ID != principal(ctx).Account.ID {
		return nil, ride.ErrNotFound
	}
	if t.Status != ride.StatusArrived {
		return nil, ride.ErrWrongStatus.With("A rider says its PIN when its driver has arrived.")
	}
	rider, err := a.deps.Accounts.Account(ctx, t.Request.Rider.ID)
	if err != nil {
		return nil, err
	}
	if !a.deps.Demo.Simulated(rider) {
		return nil, ride.ErrNotFound.With("This rider is a visitor, too, and sees the PIN.")
	}
	return answer(pinView{t.PIN}), nil
}

// placesView is a list of places in one flat array, a third of the size of objects.
type placesView struct {
	Points []float64 `json:"points" doc:"Latitude, longitude, latitude, longitude … in degrees, to 5 decimals."`
}

// texture is the answer of list-demo-places, made once.
type texture struct {
	plain, zipped []byte
	etag          string
}

// newTexture encodes places.
func newTexture(places []geo.Point) (*texture, error) {
	v := placesView{Points: make([]float64, 0, 2*len(places))}
	for _, p := range places {
		v.Points = append(v.Points, math.Round(p.Lat*1e5)/1e5, math.Round(p.Lng*1e5)/1e5)
	}
	t := &texture{}
	var err error
	if t.plain, err = json.Marshal(v); err != nil {
		return nil, fmt.Errorf("encode the demonstration's places: %w", err)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(t.plain) // a buffer takes everything
	_ = z.Close()
	sum := sha256.Sum256(t.plain)
	t.zipped, t.etag = b.Bytes(), `"`+hex.EncodeToString(sum[:8])+`"`
	return t, nil
}

func (a *API) listPlaces(_ context.Context, in *struct {
	Known    string `header:"If-None-Match" maxLength:"512" doc:"The ETag of an earlier answer; 304 without a body when it still matches."`
	Encoding string `header:"Accept-Encoding" maxLength:"512" doc:"The answer is gzipped for clients that accept it."`
}) (*writtenBody, error) {
	t := a.texture
	if t == nil {
		return nil, noDemo
	}
	return &writtenBody{
		ETag: t.etag, Cache: "public, max-age=" + fmt.Sprint(int(time.Hour.Seconds())), Vary: "Accept-Encoding",
		Body: func(ctx huma.Context) {
			if strings.Contains(in.Known, t.etag) {
				ctx.SetStatus(http.StatusNotModified)
				return
			}
			ctx.SetHeader("Content-Type", "application/json")
			b := t.plain
			if acceptsGzip(in.Encoding) {
				ctx.SetHeader("Content-Encoding", "gzip")
				b = t.zipped
			}
			_, _ = ctx.BodyWriter().Write(b) // the client may be gone
		},
	}, nil
}

// describePlaces documents the answer that listPlaces writes itself.
func (a *API) describePlaces() {
	schema := a.schemas().Schema(reflect.TypeFor[placesView](), true, "")
	ok := a.huma.OpenAPI().Paths["/v1/demo/places"].Get.Responses["200"]
	ok.Content = map[string]*huma.MediaType{"application/json": {Schema: schema}}
}
