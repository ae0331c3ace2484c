package api

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/auth"
)

// fakeDemo is a demonstration with one visit of each role.
type fakeDemo struct {
	visits    int
	operator  bool
	simulated string // username
	asked     string // the last Find
	policy    ride.PolicyKind
}

func (d *fakeDemo) Policy() ride.Policy {
	if d.policy == "" {
		return ride.DefaultPolicy()
	}
	return ride.DefaultPolicy().As(d.policy)
}

func (d *fakeDemo) SetPolicy(kind ride.PolicyKind) error {
	d.policy = kind
	return nil
}

func (d *fakeDemo) Describe() Demonstration {
	return Demonstration{Speed: 40, City: DemoCity{Name: "Testville"}, Roles: []ride.Role{ride.RoleRider}}
}

func (d *fakeDemo) Newcomer(role ride.Role) (auth.SignUp, error) {
	if d.visits++; d.visits > 2 {
		return auth.SignUp{}, ride.ErrUnavailable
	}
	n := auth.SignUp{Username: "visitor-" + string(role), Password: password, FirstName: "Visiting", LastName: "Person", Role: role}
	if role == ride.RoleDriver {
		n.Vehicle = ride.Vehicle{Class: "comfort", Plate: "HX 7"}
	}
	return n, nil
}

func (d *fakeDemo) Operator() (username, pass string, ok bool) {
	return "operator", password, d.operator
}

func (d *fakeDemo) Simulated(a ride.Account) bool { return a.Username == d.simulated }

func (d *fakeDemo) Places() []geo.Point { return []geo.Point{pickup, dropoff} }

func (d *fakeDemo) Find(words string, near *geo.Point, limit int) []DemoPlace {
	d.asked = fmt.Sprintf("%s %v %d", words, near, limit)
	return []DemoPlace{{"The Pickup", pickup}}
}

func (d *fakeDemo) NameOf(p geo.Point) string {
	if p == pickup {
		return "The Pickup"
	}
	return ""
}

// newDemo is a world that is a demonstration.
func newDemo(t *testing.T, d *fakeDemo) *world {
	return newDemoOf(t, newWorld(t), d)
}

func newDemoOf(t *testing.T, w *world, d *fakeDemo) *world {
	deps := w.deps
	deps.Demo = d
	api, err := New(w.cfg, deps)
	require.NoError(t, err)
	w.API = api
	return w
}

// An operator of a demonstration switches between its policies, on record; nobody else does.
func TestDemonstrationsDispatch(t *testing.T) {
	d := &fakeDemo{}
	w := newDemo(t, d)
	ask := request{method: "GET", path: "/v1/demo/dispatch", as: "operator"}
	var v demoDispatch
	w.do(ask).ok(200, &v)
	require.Equal(t, demoDispatch{Policy: ride.PolicyNearest, Cap: 1}, v)
	change := request{method: "PUT", path: "/v1/demo/dispatch", as: "operator", json: `{"policy":"broadcast"}`}
	for _, as := range []string{"rider", "driver"} {
		no := change
		no.as = as
		w.do(no).refused(ride.ErrWrongRole, 403)
	}
	w.store.Fail = func(m string) error {
		if m == "AddAudit" {
			return errors.New("disk full")
		}
		return nil
	}
	w.do(change).refused(ride.ErrInternal, 500)
	require.Empty(t, d.policy, "what is not on record does not happen")
	w.store.Fail = nil
	w.do(change).ok(200, &v)
	require.Equal(t, demoDispatch{Policy: ride.PolicyBroadcast, Cap: 8}, v)
	w.do(ask).ok(200, &v)
	require.Equal(t, ride.PolicyBroadcast, v.Policy)
	change.json = `{"policy":"lottery"}`
	w.do(change).refused(ride.ErrInvalidArgument, 422)
	require.Equal(t, ride.PolicyBroadcast, d.policy)
}

func TestVisits(t *testing.T) {
	w := newDemo(t, &fakeDemo{operator: true})
	var c configView
	w.do(request{method: "GET", path: "/v1/config"}).ok(200, &c)
	require.True(t, c.Demo)
	var d Demonstration
	w.do(request{method: "GET", path: "/v1/demo"}).ok(200, &d)
	require.Equal(t, "Testville", d.City.Name)
	for role, class := range map[ride.Role]string{ride.RoleRider: "", ride.RoleDriver: "comfort", ride.RoleOperator: ""} {
		var in signedInView
		w.do(request{method: "POST", path: "/v1/demo/visits", json: `{"role":"` + string(role) + `"}`}).ok(201, &in)
		require.Equal(t, role, in.Account.Role)
		if class != "" {
			require.Equal(t, class, in.Account.Vehicle.Class)
		}
		me := map[string]string{"Authorization": "Bearer " + in.Tokens.AccessToken}
		w.do(request{method: "GET", path: "/v1/me", header: me}).ok(200, nil)
	}
	w.do(request{method: "POST", path: "/v1/demo/visits", json: `{"role":"rider"}`}).refused(ride.ErrUnavailable, 503)
	w.do(request{method: "POST", path: "/v1/demo/visits", json: `{"role":"king"}`}).refused(ride.ErrInvalidArgument, 422)
}

func TestOperatorsAreWithheld(t *testing.T) {
	w := newDemo(t, &fakeDemo{})
	w.do(request{method: "POST", path: "/v1/demo/visits", json: `{"role":"operator"}`}).refused(ride.ErrWrongRole, 403)
}

// Only a simulated rider's PIN is given to the trip's driver at the kerb.
func TestHearPIN(t *testing.T) {
	d := &fakeDemo{simulated: "rider"}
	w := newDemo(t, d)
	w.story("matched", storyMatched)
	w.story("arrived", storyMatched+1)
	w.story("started", storyMatched+2)
	hear := func(trip, as string) *response {
		return w.do(request{method: "GET", path: "/v1/demo/trips/" + trip + "/hint", as: as})
	}
	var v pinView
	hear("arrived", "driver").ok(200, &v)
	require.Equal(t, secretPIN, v.PIN)
	hear("matched", "driver").refused(ride.ErrWrongStatus, 409)
	hear("started", "driver").refused(ride.ErrWrongStatus, 409)
	hear("arrived", "driver2").refused(ride.ErrNotFound, 404) // it gave the trip back
	hear("arrived", "rider").refused(ride.ErrWrongRole, 403)
	hear("arrived", "operator").refused(ride.ErrWrongRole, 403)
	hear("arrived", "").refused(ride.ErrUnauthenticated, 401)
	hear(missing, "driver").refused(ride.ErrNotFound, 404)
	d.simulated = "nobody"
	hear("arrived", "driver").refused(ride.ErrNotFound, 404) // a visitor has a screen
}

func TestPlaces(t *testing.T) {
	w := newDemo(t, &fakeDemo{})
	plain := w.do(request{method: "GET", path: "/v1/demo/places"})
	var v placesView
	plain.ok(200, &v)
	require.Equal(t, []float64{37.4979, 127.0276, 37.5665, 126.978}, v.Points)
	require.Contains(t, plain.Header().Get("Cache-Control"), "max-age=")

	zipped := w.do(request{method: "GET", path: "/v1/demo/places", header: map[string]string{"Accept-Encoding": "br, gzip"}})
	require.Equal(t, "gzip", zipped.Header().Get("Content-Encoding"))
	z, err := gzip.NewReader(bytes.NewReader(zipped.Body.Bytes()))
	require.NoError(t, err)
	b, err := io.ReadAll(z)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &v))
	require.Len(t, v.Points, 4)

	again := w.do(request{method: "GET", path: "/v1/demo/places", header: map[string]string{"If-None-Match": plain.Header().Get("ETag")}})
	require.Equal(t, 304, again.Code)
	require.Empty(t, again.Body.String())
}
