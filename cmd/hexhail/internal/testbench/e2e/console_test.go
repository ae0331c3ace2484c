package e2e

import (
	"encoding/json"
	"math"
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

// awaitCity waits for a city_changed in which something holds.
func awaitCity(c *harness.Client, what string, holds func(*ridepb.CityChanged) bool) {
	c.Await(what, 0, func(e *ridepb.Event) bool { return e.GetCityChanged() != nil && holds(e.GetCityChanged()) })
}

// kindsOfActors is how many kinds of actors the nodes of a server have, each counted at each node. Those of a
// cluster also have a finder and a watcher.
func kindsOfActors(s *harness.Server) int {
	if n := len(s.Nodes()); n > 0 {
		return n * 8
	}
	return 6
}

// An operator watches a ride from the snapshot to the last status, over real sockets.
func TestConsole(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		w := newWorld(t, start(), codec)
		operator, _ := w.join(ride.RoleOperator)
		d := w.driver(20)
		watched := operator.Ask(harness.WatchCity()).GetCityWatched()
		require.EqualValues(t, 1, watched.GetWatch())
		require.EqualValues(t, 250, watched.GetIntervalMs())
		awaitCity(operator, "the snapshot", func(m *ridepb.CityChanged) bool { return m.GetReset_() && m.GetSnapshot() })
		harness.Until(t, "the whole city", func() bool {
			drivers, actors := map[uint32]bool{}, 0
			var totals *ridepb.CityTotals
			for _, e := range operator.Events() {
				m := e.GetCityChanged()
				for _, d := range m.GetDrivers() {
					drivers[d.GetKey()] = true
				}
				if m.GetTotals() != nil {
					totals = m.GetTotals()
				}
				if len(m.GetActors()) > 0 {
					actors = len(m.GetActors())
				}
			}
			return len(drivers) == 1 && totals.GetDriversAvailable() == 1 && actors == kindsOfActors(w.s)
		})
		key := uint32(0)
		awaitCity(operator, "the driver's cell", func(m *ridepb.CityChanged) bool {
			for _, cell := range m.GetCells() {
				c, err := geo.ParseCell(cell.GetCell())
				require.NoError(t, err)
				if c.Resolution() == int(watched.GetResolution()) && cell.GetSupply() == 1 {
					return true
				}
			}
			return false
		})
		rider, _ := w.join(ride.RoleRider)
		trip := w.match(rider, d)
		awaitCity(operator, "the match", func(m *ridepb.CityChanged) bool {
			for _, v := range m.GetDrivers() {
				if v.GetTripId() == trip.GetId() && v.GetState() == ridepb.CityDriver_on_trip {
					key = v.GetKey()
				}
			}
			return key != 0
		})
		awaitCity(operator, "the matched trip", func(m *ridepb.CityChanged) bool {
			for _, v := range m.GetTrips() {
				if v.GetId() == trip.GetId() && v.GetStatus() == ridepb.Trip_matched {
					return v.GetDriverId() != "" && v.GetRiderId() != ""
				}
			}
			return false
		})
		d.Send(harness.At(geo.Destination(w.at, 0, 25)))
		awaitCity(operator, "a move", func(m *ridepb.CityChanged) bool {
			return len(m.GetMoves()) == 1 && m.GetMoves()[0].GetKey() == key
		})
		require.NotNil(t, operator.Ask(harness.UnwatchCity()).GetDone())
		for _, e := range operator.Events() {
			require.Zero(t, e.GetSeq(), "none of it is part of the history")
		}
	})
}

// The record of a trip's waves survives a restart; a redispatch by an operator is recorded, too.
func TestExplainAfterRestart(t *testing.T) {
	onStores(t, func(t *testing.T, start func(harness.Options) *harness.Server) {
		w := newWorld(t, start(harness.Options{Child: true, Flags: []string{"--dispatch-wave-every=10m", "--dispatch-place=door"}}), wire.JSON)
		s, name := w.s, w.name(ride.RoleOperator)
		token := s.Token(ride.RoleOperator, name)
		near, far := w.driver(20), w.driver(300)
		trip := w.match(w.rider(), near).GetId()
		status, answer := s.Call(http.MethodPost, "/v1/admin/trips/"+trip+"/redispatch", token, `{"reason":"wrong way"}`)
		require.Equal(t, http.StatusOK, status, answer)
		far.Await("a second offer", 0, func(e *ridepb.Event) bool {
			return e.GetOfferReceived().GetOffer().GetWave() == 2
		})
		s.Kill()
		restart(w, start)
		s = w.s
		token = s.Token(ride.RoleOperator, name)
		var v struct {
			Policy struct{ Cap int }
			Waves  []struct {
				Wave, Ring, Cells int
				Candidates        []struct {
					DriverName string  `json:"driver_name"`
					StraightM  float64 `json:"straight_m"`
					Offered    bool
					Reason     string
					Outcome    string
				}
			}
			Events []struct{ Kind string }
		}
		status, answer = s.Call(http.MethodGet, "/v1/admin/trips/"+trip+"/explain", token, "")
		require.Equal(t, http.StatusOK, status)
		require.NoError(t, json.Unmarshal([]byte(answer), &v))
		require.Equal(t, ride.DefaultPolicy().Cap, v.Policy.Cap)
		require.GreaterOrEqual(t, len(v.Waves), 2, answer)
		first, second := v.Waves[0], v.Waves[1]
		require.Len(t, first.Candidates, 2)
		outcomes := map[string]float64{} // how far away the driver was
		for _, c := range first.Candidates {
			require.NotEmpty(t, c.DriverName)
			outcomes[c.Outcome] = math.Round(c.StraightM)
		}
		require.Equal(t, map[string]float64{"won": 20, "withdrawn": 300}, outcomes)
		require.Positive(t, first.Cells)
		reasons := map[string]bool{}
		for _, c := range second.Candidates {
			reasons[c.Reason] = true
		}
		require.Equal(t, map[string]bool{"offered": true, "excluded": true}, reasons)
		require.Equal(t, "requested", v.Events[0].Kind)

		var audit struct {
			Items []struct{ Action, Detail string }
		}
		status, answer = s.Call(http.MethodGet, "/v1/admin/audit?subject="+trip, token, "")
		require.Equal(t, http.StatusOK, status)
		require.NoError(t, json.Unmarshal([]byte(answer), &audit))
		require.Equal(t, "trip.redispatch", audit.Items[0].Action)
		require.Contains(t, audit.Items[0].Detail, "wrong way")

		// The charts include the trips from before, or will in a moment.
		var series struct {
			Samples []struct {
				Requests  int
				TripsOnly bool `json:"trips_only"`
			}
		}
		harness.Until(t, "the charts", func() bool {
			_, answer := s.Call(http.MethodGet, "/v1/admin/series?step=3600", token, "")
			require.NoError(t, json.Unmarshal([]byte(answer), &series))
			sum := 0
			for _, p := range series.Samples {
				sum += p.Requests
			}
			return sum == 1
		})
	})
}

// Resetting a password closes the socket that the old one opened.
func TestResetPasswordEndsTheSocket(t *testing.T) {
	w := newWorld(t, harness.Start(t, harness.Options{}), wire.JSON)
	token := w.s.Token(ride.RoleOperator, w.name(ride.RoleOperator))
	in := w.s.SignUp(t, ride.RoleRider, "forgetful")
	rider, _ := harness.Connect(t, w.s, wire.JSON, in.Tokens.Access, nil)
	begun := time.Now()
	status, answer := w.s.Call(http.MethodPost, "/v1/admin/accounts/"+in.Account.ID+"/password", token, `{"reason":"forgot"}`)
	require.Equal(t, http.StatusOK, status, answer)
	require.EqualValues(t, ridepb.CloseRevoked, rider.Closed())
	harness.Within(t, "the socket's end", time.Since(begun), within)
}
