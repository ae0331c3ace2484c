package nodes

import (
	"encoding/json"
	"maps"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// console is an operator's screen on one node.
type console struct {
	t       testing.TB
	client  *harness.Client
	watched *ridepb.CityWatched
}

// newConsole opens one with the whole city.
func newConsole(t testing.TB, on *harness.Server, operator string) *console {
	t.Helper()
	c, _ := harness.Connect(t, on, wire.JSON, on.Token(ride.RoleOperator, operator), nil)
	return &console{t: t, client: c, watched: c.Ask(harness.WatchCity()).GetCityWatched()}
}

// picture is what a console shows.
type picture struct {
	nodes   map[string]ridepb.CityNode_State
	drivers map[string]ridepb.CityDriver_State // by id
	trips   map[string]ridepb.Trip_Status
	totals  *ridepb.CityTotals
	actors  map[string]uint32 // of each node, those of people and trips
}

// shows is what the console has been sent so far.
func (c *console) shows() picture {
	p := picture{
		nodes: statesOf(c.watched.GetNodes()), drivers: make(map[string]ridepb.CityDriver_State), trips: make(map[string]ridepb.Trip_Status),
		actors: make(map[string]uint32),
	}
	keys := make(map[uint32]string)
	for _, e := range c.client.Events() {
		m := e.GetCityChanged()
		for _, key := range m.GetDriversGone() {
			delete(p.drivers, keys[key])
		}
		for _, d := range m.GetDrivers() {
			keys[d.GetKey()], p.drivers[d.GetId()] = d.GetId(), d.GetState()
		}
		for _, t := range m.GetTrips() {
			p.trips[t.GetId()] = t.GetStatus()
		}
		if m.GetTotals() != nil {
			p.totals = m.GetTotals()
		}
		if m.GetNodes() != nil {
			p.nodes = statesOf(m.GetNodes())
		}
		if len(m.GetActors()) > 0 {
			clear(p.actors)
		}
		for _, k := range m.GetActors() {
			switch n := k.GetNode().GetName(); k.GetKind() {
			case "rider", "driver", "trip":
				p.actors[n] += k.GetAlive()
			default:
				p.actors[n] += 0
			}
		}
	}
	return p
}

func statesOf(list *ridepb.CityNodes) map[string]ridepb.CityNode_State {
	out := make(map[string]ridepb.CityNode_State)
	for _, n := range list.GetList() {
		out[n.GetName()] = n.GetState()
	}
	return out
}

// nodes waits until the console shows the nodes of the cluster in these states.
func (c *console) nodes(n0, n1, n2 ridepb.CityNode_State) {
	c.t.Helper()
	want := map[string]ridepb.CityNode_State{"n0": n0, "n1": n1, "n2": n2}
	c.until("the nodes", func(p picture) bool { return maps.Equal(want, p.nodes) })
}

// until waits for a picture in which something holds.
func (c *console) until(what string, holds func(picture) bool) {
	c.t.Helper()
	harness.Until(c.t, what, func() bool { return holds(c.shows()) })
}

// requireRequests waits until the charts of a node count this many requests of the last day.
func requireRequests(t testing.TB, on *harness.Server, n int) {
	t.Helper()
	sum := 0
	harness.Until(t, "the charts", func() bool {
		code, body := on.Call(http.MethodGet, "/v1/admin/series?step=3600", on.Token(ride.RoleOperator, "charts"), "")
		if code == http.StatusServiceUnavailable { // a slow database
			return false
		}
		require.Equal(t, http.StatusOK, code, body)
		var series struct{ Samples []struct{ Requests int } }
		require.NoError(t, json.Unmarshal([]byte(body), &series))
		sum = 0
		for _, s := range series.Samples {
			sum += s.Requests
		}
		return sum >= n
	})
	require.Equal(t, n, sum, "counted once")
}
