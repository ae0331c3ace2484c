package e2e

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// scenario makes the server return one code, in exactly one of three ways.
type scenario struct {
	flags []string           // of a separate server; nil: a shared one
	test  func(w *world)     // on that server
	by    func(t *testing.T) // the test elsewhere in this package that covers it
	never string             // why no test can, from outside
}

// errorScenarios has an entry for every error code.
var errorScenarios = map[*ride.Error]scenario{
	ride.ErrMalformed: {test: func(w *world) {
		c := w.rider()
		c.SendRaw([]byte(`{"id":`))
		refused(w.t, ride.ErrMalformed, c.Reply("", 1))
	}},
	ride.ErrInvalidArgument: {test: func(w *world) {
		e := refused(w.t, ride.ErrInvalidArgument, w.rider().Ask(harness.Rate("some-trip", 6)))
		require.Equal(w.t, "rate_trip.stars", e.GetField())
	}},
	ride.ErrInvalidPoint: {test: func(w *world) {
		f := harness.Request(w.at, w.to)
		f.GetRequestTrip().Pickup = nil
		e := refused(w.t, ride.ErrInvalidPoint, w.rider().Ask(f))
		require.Equal(w.t, "request_trip.pickup", e.GetField())
	}},
	ride.ErrIDRequired: {test: func(w *world) {
		c := w.rider()
		c.SendRaw(encode(w, harness.Request(w.at, w.to)))
		refused(w.t, ride.ErrIDRequired, c.Reply("", 1))
	}},
	ride.ErrIDReused: {test: func(w *world) {
		c := w.rider()
		trip := w.request(c)
		f := harness.Cancel(trip.GetId())
		require.NotNil(w.t, c.Ask(f).GetTrip())
		other := harness.Rate(trip.GetId(), 3)
		other.Id = f.GetId()
		refused(w.t, ride.ErrIDReused, c.Reply(c.Send(other), 2))
	}},
	ride.ErrNotConnected: {test: func(w *world) {
		c := harness.Dial(w.t, w.s, w.codec, nil)
		refused(w.t, ride.ErrNotConnected, c.Ask(harness.Ping()))
		require.EqualValues(w.t, ridepb.CloseProtocolError, c.Closed())
	}},
	ride.ErrConnected: {test: func(w *world) {
		c := w.rider()
		refused(w.t, ride.ErrConnected, c.Ask(harness.Connecting(w.s.Token(ride.RoleRider, c.Name), nil)))
	}},
	ride.ErrUnauthenticated: {test: func(w *world) {
		c := harness.Dial(w.t, w.s, w.codec, nil)
		refused(w.t, ride.ErrUnauthenticated, c.Ask(harness.Connecting("not.a.token", nil)))
		require.EqualValues(w.t, ridepb.CloseUnauthenticated, c.Closed())
	}},
	ride.ErrWrongRole: {test: func(w *world) {
		refused(w.t, ride.ErrWrongRole, w.rider().Ask(harness.GoOnline(w.at)))
	}},
	ride.ErrSuspended: {test: func(w *world) {
		c, connected := w.join(ride.RoleRider)
		suspend(w, connected.GetAccountId())
		require.EqualValues(w.t, ridepb.CloseSuspended, c.Closed())
		again := harness.Dial(w.t, w.s, w.codec, nil)
		refused(w.t, ride.ErrSuspended, again.Ask(harness.Connecting(w.s.Token(ride.RoleRider, c.Name), nil)))
		require.EqualValues(w.t, ridepb.CloseSuspended, again.Closed())
	}},
	ride.ErrNotFound: {test: func(w *world) {
		refused(w.t, ride.ErrNotFound, w.rider().Ask(harness.Cancel("01890000-0000-7000-8000-000000000000")))
	}},
	ride.ErrTooFar: {flags: []string{"--arrive-within=100", "--complete-within=200"}, test: func(w *world) {
		d := w.driver(790)
		trip := w.match(w.rider(), d).GetId()
		refused(w.t, ride.ErrTooFar, d.Ask(harness.Arrived(trip)))
	}},
	ride.ErrPositionUnknown: {flags: []string{"--arrive-within=100", "--position-ttl=3s", "--limit-commands-per-second=10000"}, test: func(w *world) {
		d := w.driver(790)
		stop := moving(w)(d, 790) // until the driver has the trip, however long that takes
		trip := w.match(w.rider(), d).GetId()
		stop()
		var last *ridepb.Reply
		harness.Until(w.t, "its position is old", func() bool {
			last = d.Ask(harness.Arrived(trip))
			return last.GetError().GetCode() != ride.ErrTooFar.Code
		})
		refused(w.t, ride.ErrPositionUnknown, last)
	}},
	ride.ErrUsernameTaken: {test: func(w *world) {
		name := w.name(ride.RoleRider)
		w.s.SignUp(w.t, ride.RoleRider, name)
		status, body := w.s.Call(http.MethodPost, "/v1/accounts", "", harness.SignUpBody(ride.RoleDriver, name))
		problem(w.t, http.StatusConflict, ride.ErrUsernameTaken, status, body)
	}},
	ride.ErrRiderBusy: {test: func(w *world) {
		c := w.rider()
		w.request(c)
		refused(w.t, ride.ErrRiderBusy, c.Ask(harness.Request(w.at, w.to)))
	}},
	ride.ErrDriverBusy: {test: func(w *world) {
		// The loser of two simultaneous acceptances gets driver_busy from the database, or
		// offer_closed if the driver's other offer was handed back first: try until driver_busy is
		// seen.
		harness.Until(w.t, "an acceptance is refused as driver_busy", func() bool {
			w.at = geo.Destination(w.at, 0, 20_000) // away from the other drivers
			d := w.driver(20)
			a, b := w.request(w.rider()), w.request(w.rider())
			offers := []string{d.Offer(a.GetId()).GetId(), d.Offer(b.GetId()).GetId()}
			ids := []string{d.Send(harness.Accept(offers[0])), d.Send(harness.Accept(offers[1]))}
			won := 0
			for _, id := range ids {
				r := d.Reply(id, 1)
				switch r.GetError().GetCode() {
				case "":
					require.Equal(w.t, ridepb.Trip_matched, r.GetTrip().GetStatus())
					won++
				case ride.ErrDriverBusy.Code:
					refused(w.t, ride.ErrDriverBusy, r)
				case ride.ErrUnavailable.Code: // a slow database
					return false
				default:
					refused(w.t, ride.ErrOfferClosed, r)
				}
			}
			require.Equal(w.t, 1, won, "exactly one of the two")
			return d.Reply(ids[0], 1).GetError().GetCode() == ride.ErrDriverBusy.Code ||
				d.Reply(ids[1], 1).GetError().GetCode() == ride.ErrDriverBusy.Code
		})
	}},
	ride.ErrOfferClosed: {test: func(w *world) {
		d := w.driver(20)
		offer := d.Offer(w.request(w.rider()).GetId()).GetId()
		require.NotNil(w.t, d.Ask(harness.Decline(offer)).GetDone())
		refused(w.t, ride.ErrOfferClosed, d.Ask(harness.Accept(offer)))
	}},
	ride.ErrOfferTaken: {test: func(w *world) {
		near, far := w.driver(20), w.driver(200)
		trip := w.request(w.rider())
		late := far.Offer(trip.GetId()).GetId()
		w.accept(near, trip)
		refused(w.t, ride.ErrOfferTaken, far.Ask(harness.Accept(late)))
	}},
	ride.ErrWrongStatus: {test: func(w *world) {
		d := w.driver(20)
		trip := w.match(w.rider(), d)
		refused(w.t, ride.ErrWrongStatus, d.Ask(harness.Complete(trip.GetId())))
	}},
	ride.ErrWrongPIN: {flags: []string{"--trip-pin"}, test: func(w *world) {
		d, trip, wrong := w.wrongPIN()
		refused(w.t, ride.ErrWrongPIN, d.Ask(harness.StartTrip(trip, wrong)))
	}},
	ride.ErrPINRequired: {flags: []string{"--trip-pin"}, test: func(w *world) {
		d, trip, wrong := w.wrongPIN()
		for range 8 { // more than the allowed tries
			refused(w.t, ride.ErrPINRequired, d.Ask(harness.StartTrip(trip, "")))
		}
		refused(w.t, ride.ErrWrongPIN, d.Ask(harness.StartTrip(trip, wrong)))
	}},
	ride.ErrPINLocked: {flags: []string{"--trip-pin"}, test: func(w *world) {
		d, trip, wrong := w.wrongPIN()
		for range 5 {
			refused(w.t, ride.ErrWrongPIN, d.Ask(harness.StartTrip(trip, wrong)))
		}
		e := refused(w.t, ride.ErrPINLocked, d.Ask(harness.StartTrip(trip, wrong)))
		require.Positive(w.t, e.GetRetryAfterMs())
	}},
	ride.ErrAlreadyRated: {test: func(w *world) {
		rider, d := w.rider(), w.driver(20)
		trip := w.match(rider, d).GetId()
		w.drive(d, trip, ridepb.Trip_completed)
		require.NotNil(w.t, rider.Ask(harness.Rate(trip, 5)).GetTrip())
		refused(w.t, ride.ErrAlreadyRated, rider.Ask(harness.Rate(trip, 5)))
	}},
	ride.ErrUnknownClass: {test: func(w *world) {
		f := harness.Request(w.at, w.to)
		f.GetRequestTrip().VehicleClass = "submarine"
		e := refused(w.t, ride.ErrUnknownClass, w.rider().Ask(f))
		require.Equal(w.t, "request_trip.vehicle_class", e.GetField())
	}},
	ride.ErrNoRoute: {test: func(w *world) {
		refused(w.t, ride.ErrNoRoute, w.rider().Ask(harness.Request(w.at, geo.Destination(w.at, 0, 2_000_000))))
	}},
	ride.ErrTooMany: {
		flags: []string{"--limit-commands-per-second=1", "--limit-commands-burst=3"},
		test: func(w *world) {
			// Send a burst, and repeat it until one message exceeds the rate: on a slow machine,
			// all of them may be within it.
			c := w.rider()
			harness.Until(w.t, "a message is beyond the rate", func() bool {
				ids := make([]string, 10)
				for i := range ids {
					ids[i] = c.Send(harness.Ping())
				}
				beyond := false
				for _, id := range ids {
					if r := c.Reply(id, 1); r.GetError() != nil {
						require.Positive(w.t, refused(w.t, ride.ErrTooMany, r).GetRetryAfterMs())
						beyond = true
					}
				}
				return beyond
			})
		},
	},
	ride.ErrApprovalPending: {by: TestDriversWaitForApproval}, ride.ErrApprovalRefused: {by: TestDriversWaitForApproval},
	ride.ErrTripActive: {by: TestErasingAnAccount}, ride.ErrFreshLogin: {by: TestErasingAnAccount},
	ride.ErrUnavailable:  {by: TestStoreFails},
	ride.ErrShuttingDown: {by: TestShutdown},
	ride.ErrInternal:     {never: "it stands for a bug in Hexhail; a test that knew one would be a bug report"},
}

// wrongPIN returns a trip that waits for its start, and a PIN that is not the rider's.
func (w *world) wrongPIN() (driver *harness.Client, trip, wrong string) {
	w.t.Helper()
	rider, driver := w.rider(), w.driver(20)
	trip = w.match(rider, driver).GetId()
	w.drive(driver, trip, ridepb.Trip_arrived)
	wrong = "0000"
	if rider.Status(trip, ridepb.Trip_arrived).GetPin() == wrong {
		wrong = "1111"
	}
	return driver, trip, wrong
}

// encode encodes a frame in the world's encoding, with or without an id.
func encode(w *world, f *ridepb.ClientFrame) []byte {
	w.t.Helper()
	b, err := w.codec.EncodeClient(f)
	require.NoError(w.t, err)
	return b
}

// problem requires an HTTP answer to be an error with a code.
func problem(t testing.TB, wantStatus int, code *ride.Error, status int, body string) {
	t.Helper()
	var p struct{ Code string }
	require.NoError(t, json.Unmarshal([]byte(body), &p), body)
	require.Equal(t, []any{wantStatus, code.Code}, []any{status, p.Code}, body)
}

// suspend has an operator suspend an account.
func suspend(w *world, account string) {
	w.t.Helper()
	status, body := w.s.Call(http.MethodPost, "/v1/admin/accounts/"+account+"/suspend",
		w.s.Token(ride.RoleOperator, w.name(ride.RoleOperator)), `{"reason":"test"}`)
	require.Equal(w.t, http.StatusOK, status, body)
}

// runScenarios runs the scenarios that have a test here, everywhere.
func runScenarios(t *testing.T, scenarios map[string]scenario) {
	inEach(t, func(t *testing.T, at store, codec wire.Codec) {
		shared := at.fresh(t)
		t.Run("all", func(t *testing.T) { // returns when the parallel ones are done
			for name, sc := range scenarios {
				if sc.test == nil {
					continue
				}
				t.Run(name, func(t *testing.T) {
					skipOnCluster(t)
					t.Parallel()
					s := shared
					if sc.flags != nil { // with a separate database, too: nodes agree on their flags
						s = at.fresh(t, sc.flags...)
					}
					sc.test(newWorld(t, s, codec))
				})
			}
		})
	})
}

func TestErrors(t *testing.T) {
	byName := make(map[string]scenario)
	for e, sc := range errorScenarios {
		byName[e.Code] = sc
	}
	runScenarios(t, byName)
}

// complete requires a scenario to say how its code is provoked, or why it cannot be.
func complete(t *testing.T, name string, sc scenario, known bool) {
	t.Helper()
	require.True(t, known, "%s has no scenario", name)
	ways := 0
	for _, set := range []bool{sc.test != nil, sc.by != nil, sc.never != ""} {
		if set {
			ways++
		}
	}
	require.Equal(t, 1, ways, "%s needs one way", name)
}

func TestEveryErrorHasATest(t *testing.T) {
	for _, e := range ride.Errors() {
		sc, ok := errorScenarios[e]
		complete(t, e.Code, sc, ok)
	}
	require.Len(t, errorScenarios, len(ride.Errors()))
}

// tokenFor signs a rider's token that is valid for ttl.
func tokenFor(s *harness.Server, name string, ttl time.Duration) string {
	return s.Sign(jwt.MapClaims{
		"iss": harness.Issuer, "aud": harness.Audience, "sub": name, "role": "rider", "name": name,
		"iat": time.Now().Unix(), "exp": time.Now().Add(ttl).Unix(),
	})
}
