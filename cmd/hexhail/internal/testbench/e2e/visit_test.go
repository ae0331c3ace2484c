package e2e

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// The demonstration in these tests is small and fast, including visitors' rides.
func startDemo(t *testing.T, flags ...string) *harness.Server {
	return harness.Start(t, harness.Options{Demo: true, Flags: append([]string{
		"--drivers=150", "--speed=120", "--visitor-speed=120", "--area=40.735,-74.0,40.77,-73.965",
	}, flags...)})
}

// patient posts until there is an answer: on a busy machine the demonstration asks to retry.
func patient(t *testing.T, s *harness.Server, path, body string) (status int, answer string) {
	t.Helper()
	harness.Until(t, "an answer", func() bool {
		status, answer = s.Call(http.MethodPost, path, "", body)
		return status != http.StatusServiceUnavailable
	})
	return status, answer
}

// visit joins the demonstration as a visitor and connects.
func visit(t *testing.T, s *harness.Server, role ride.Role) (*harness.Client, harness.SignedIn) {
	t.Helper()
	status, body := patient(t, s, "/v1/demo/visits", `{"role":"`+string(role)+`"}`)
	require.Equal(t, http.StatusCreated, status, body)
	in := harness.DecodeSignedIn(t, body)
	c, _ := harness.Connect(t, s, wire.JSON, in.Tokens.Access, nil)
	c.Name = string(role)
	return c, in
}

type demoView struct {
	Roles []string `json:"roles"`
	Rides []struct {
		Pickup, Dropoff geo.Point
		VehicleClass    string `json:"vehicle_class"`
	} `json:"rides"`
	Stands []struct {
		Place        geo.Point
		VehicleClass string `json:"vehicle_class"`
	} `json:"stands"`
	Accounts []struct{ Role, Username, Password string } `json:"accounts"`
}

func describe(t *testing.T, s *harness.Server) demoView {
	t.Helper()
	status, body := s.Call(http.MethodGet, "/v1/demo", "", "")
	require.Equal(t, http.StatusOK, status, body)
	var v demoView
	require.NoError(t, json.Unmarshal([]byte(body), &v))
	require.NotEmpty(t, v.Rides)
	require.NotEmpty(t, v.Stands)
	return v
}

// A visitor rides with a simulated driver, who gets the visitor's PIN.
func TestVisitAsRider(t *testing.T) {
	t.Parallel()
	s := startDemo(t)
	about := describe(t, s)
	rider, _ := visit(t, s, ride.RoleRider)
	began := time.Now()
	trip := rider.Ask(harness.Request(about.Rides[0].Pickup, about.Rides[0].Dropoff)).GetTrip()
	require.NotNil(t, trip)
	matched := rider.Status(trip.GetId(), ridepb.Trip_matched)
	require.NotEmpty(t, matched.GetPin())
	require.NotContains(t, matched.GetDriver().GetFirstName(), "driver", "people have names")
	rider.Await("the driver's move", 0, func(e *ridepb.Event) bool { return e.GetDriverMoved() != nil })
	rider.Status(trip.GetId(), ridepb.Trip_arrived)
	// By the server's clock: a late event must not shorten the time.
	riding := rider.Status(trip.GetId(), ridepb.Trip_in_progress)
	require.Greater(t, riding.GetStartedAt().AsTime().Sub(riding.GetArrivedAt().AsTime()), 5*time.Second, "the driver waits long enough to read the PIN")
	done := rider.Status(trip.GetId(), ridepb.Trip_completed)
	require.Positive(t, done.GetFare().GetTotal().GetMinor())
	require.NotNil(t, rider.Ask(harness.Rate(trip.GetId(), 5)).GetTrip())
	t.Logf("a ride in %v", time.Since(began))
}

// A visitor drives: requests come and wait for a slow human, and the rider gives the PIN at the
// kerb and nowhere else.
func TestVisitAsDriver(t *testing.T) {
	t.Parallel()
	s := startDemo(t)
	stand := describe(t, s).Stands[0]
	driver, in := visit(t, s, ride.RoleDriver)
	driver.Online(stand.Place)
	began := time.Now()
	stop := keepTelling(driver, stand.Place)
	defer stop()

	// Think for three seconds, while the city's drivers answer within 0.1 s. Another driver may win
	// the first request, which may be older than the visit, or one that this machine delivered
	// late.
	var trip *ridepb.Trip
	for tries, seen := 0, 0; trip == nil; tries++ {
		require.Less(t, tries, 5, "five offers were lost")
		offer := driver.Await("an offer", seen, func(e *ridepb.Event) bool { return e.GetOfferReceived() != nil }).GetOfferReceived().GetOffer()
		require.Equal(t, stand.VehicleClass, offer.GetVehicleClass())
		time.Sleep(3 * time.Second)
		seen = len(driver.Events())
		r := driver.Ask(harness.Accept(offer.GetId()))
		if trip = r.GetTrip(); trip == nil {
			t.Logf("the offer is lost: %v", r)
		}
	}
	require.Equal(t, ridepb.Trip_matched, trip.GetStatus())

	hint := "/v1/demo/trips/" + trip.GetId() + "/hint"
	status, _ := s.Call(http.MethodGet, hint, in.Tokens.Access, "")
	require.Equal(t, http.StatusConflict, status, "it is not there yet")
	require.Equal(t, ridepb.Trip_arrived, driver.Ask(harness.Arrived(trip.GetId())).GetTrip().GetStatus())
	status, body := s.Call(http.MethodGet, hint, in.Tokens.Access, "")
	require.Equal(t, http.StatusOK, status, body)
	var said struct{ PIN string }
	require.NoError(t, json.Unmarshal([]byte(body), &said))
	require.Len(t, said.PIN, 4)
	require.Equal(t, ridepb.Trip_in_progress, driver.Ask(harness.StartTrip(trip.GetId(), said.PIN)).GetTrip().GetStatus())
	require.Equal(t, ridepb.Trip_completed, driver.Ask(harness.Complete(trip.GetId())).GetTrip().GetStatus())

	// And the next one comes.
	t.Logf("a whole trip in %v", time.Since(began))
	seen := len(driver.Events())
	driver.Await("the next offer", seen, func(e *ridepb.Event) bool { return e.GetOfferReceived() != nil })
}

// keepTelling sends a driver's position every second until stop is called.
func keepTelling(c *harness.Client, p geo.Point) (stop func()) {
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				c.Send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_Location{Location: harness.Location(p)}})
			case <-quit:
				return
			}
		}
	}()
	return func() { close(quit); <-gone }
}

// Visitors from other machines cannot be operators, unless the demonstration's operator allows it.
func TestVisitAsOperator(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		flags  []string
		given  bool
		listed int
	}{
		"on this machine":   {nil, true, 3},
		"everywhere":        {[]string{"--listen=0.0.0.0:0"}, false, 0},
		"everywhere, meant": {[]string{"--listen=0.0.0.0:0", "--demo-operator"}, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := startDemo(t, append(x.flags, "--drivers=10")...)
			about := describe(t, s)
			require.Len(t, about.Accounts, x.listed)
			require.Equal(t, x.given, len(about.Roles) == 3)
			status, body := patient(t, s, "/v1/demo/visits", `{"role":"operator"}`)
			if !x.given {
				require.Equal(t, http.StatusForbidden, status, body)
				return
			}
			require.Equal(t, http.StatusCreated, status, body)
			in := harness.DecodeSignedIn(t, body)
			status, body = s.Call(http.MethodGet, "/v1/admin/trips", in.Tokens.Access, "")
			require.Equal(t, http.StatusOK, status, body)
			for _, a := range about.Accounts {
				status, body := patient(t, s, "/v1/login", `{"username":"`+a.Username+`","password":"`+a.Password+`"}`)
				require.Equal(t, http.StatusOK, status, body)
			}
		})
	}
}
