package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// restart starts a server again on the data of another, with more flags.
func restart(w *world, start func(harness.Options) *harness.Server, flags ...string) {
	w.t.Helper()
	w.s = start(harness.Options{Child: true, Dir: w.s.Dir, Flags: flags})
}

// back reconnects a person after a restart: the history is lost, the snapshot complete.
func (w *world) back(role ride.Role, name string) (*harness.Client, *ridepb.Connected) {
	w.t.Helper()
	c, connected := w.as(role, name, &ridepb.Resume{Epoch: "before", Seq: 7})
	require.False(w.t, connected.GetResumed())
	return c, connected
}

// patientChild is a server of its own process that waits longer than a slow machine takes to come back.
var patientChild = harness.Options{Child: true, Flags: []string{"--trip-search-for=30m", "--dispatch-offer-ttl=10m"}}

// kill -9 during a ride: everything acknowledged is there, and the ride continues.
func TestKilledMidRide(t *testing.T) {
	onStores(t, func(t *testing.T, start func(harness.Options) *harness.Server) {
		w := newWorld(t, start(patientChild), codecs[0])
		rider, d := w.rider(), w.driver(20)
		trip := w.match(rider, d).GetId()
		arrived := harness.Arrived(trip)
		known := d.Ask(arrived)
		require.NotNil(t, known.GetTrip())
		d2, waiting := w.driver(40), w.rider()
		open := w.request(waiting)
		offer := d2.Offer(open.GetId())
		w.s.Kill()
		require.Equal(t, -1, rider.Closed(), "there was no close frame")
		restart(w, start)

		d, connected := w.back(ride.RoleDriver, d.Name)
		require.True(t, proto.Equal(known.GetTrip(), connected.GetActiveTrip()), "the driver's snapshot equals its last update")
		rider, connected = w.back(ride.RoleRider, rider.Name)
		require.Equal(t, known.GetTrip().GetVersion(), connected.GetActiveTrip().GetVersion())
		require.True(t, proto.Equal(known, d.Ask(arrived)), "the same id has the same answer")

		// An open offer survives the server, too.
		d2, connected = w.back(ride.RoleDriver, d2.Name)
		require.Len(t, connected.GetOpenOffers(), 1)
		require.True(t, proto.Equal(offer, connected.GetOpenOffers()[0]))
		waiting, _ = w.back(ride.RoleRider, waiting.Name)
		require.Equal(t, ridepb.Trip_matched, d2.Ask(harness.Accept(offer.GetId())).GetTrip().GetStatus())
		waiting.Status(open.GetId(), ridepb.Trip_matched)

		require.NotNil(t, d.Ask(harness.StartTrip(trip, "")).GetTrip())
		require.NotNil(t, d.Ask(harness.Complete(trip)).GetTrip())
		rider.Status(trip, ridepb.Trip_completed)
	})
}

// kill -9 among many requests: each acknowledged one is stored, each other can be sent
// again.
func TestKilledAmongRequests(t *testing.T) {
	onStores(t, func(t *testing.T, start func(harness.Options) *harness.Server) {
		w := newWorld(t, start(patientChild), codecs[1])
		type asked struct {
			c     *harness.Client
			frame *ridepb.ClientFrame
			told  *ridepb.Reply
		}
		riders := make([]asked, 40)
		for i := range riders {
			riders[i] = asked{c: w.rider(), frame: harness.Request(w.at, w.to)}
		}
		for _, r := range riders {
			r.c.Send(r.frame)
		}
		harness.Until(t, "an acknowledgement", func() bool {
			return slices.ContainsFunc(riders, func(r asked) bool {
				return slices.ContainsFunc(r.c.Replies(), func(reply *ridepb.Reply) bool { return reply.GetTrip() != nil })
			})
		})
		w.s.Kill()
		acknowledged := 0
		for i := range riders {
			r := &riders[i]
			r.c.Closed()
			for _, reply := range r.c.Replies() {
				if reply.GetTrip() != nil {
					r.told = reply
					acknowledged++
				}
			}
		}
		t.Logf("%d of %d were acknowledged", acknowledged, len(riders))
		require.Positive(t, acknowledged)
		restart(w, start)
		for _, r := range riders {
			c, connected := w.back(ride.RoleRider, r.c.Name)
			if r.told != nil {
				require.Equal(t, r.told.GetTrip().GetId(), connected.GetActiveTrip().GetId())
			}
			again := c.Ask(r.frame)
			require.NotNil(t, again.GetTrip(), "%v", again)
			if r.told != nil {
				require.True(t, proto.Equal(r.told, again))
			}
		}
	})
}

// Every trip ends, even if no client is connected and the server is killed meanwhile.
func TestOverdueWithoutClients(t *testing.T) {
	onStores(t, func(t *testing.T, start func(harness.Options) *harness.Server) {
		w := newWorld(t, start(harness.Options{Child: true, Flags: []string{"--trip-search-for=2s"}}), codecs[0])
		alone := w.rider()
		searching := w.request(alone).GetId()
		alone.Drop()
		w.s.Kill()
		restart(w, start)
		operator := w.s.Token(ride.RoleOperator, w.name(ride.RoleOperator))
		harness.Until(t, "the request's expiry", func() bool {
			status, body := w.s.Call(http.MethodGet, "/v1/admin/trips/"+searching, operator, "")
			if status == http.StatusServiceUnavailable { // a slow database
				return false
			}
			require.Equal(t, http.StatusOK, status, body)
			var got struct{ Trip struct{ Status string } }
			require.NoError(t, json.Unmarshal([]byte(body), &got))
			return got.Trip.Status == "expired"
		})
		_, connected := w.back(ride.RoleRider, alone.Name)
		require.Nil(t, connected.GetActiveTrip())
	})
}

// SIGTERM: clients learn when to reconnect, and find everything there.
func TestTerminated(t *testing.T) {
	onStores(t, func(t *testing.T, start func(harness.Options) *harness.Server) {
		w := newWorld(t, start(harness.Options{Child: true}), codecs[1])
		rider, d := w.rider(), w.driver(20)
		trip := w.match(rider, d).GetId()
		other := w.rider()
		request := harness.Request(w.at, w.to)
		id := other.Send(request)
		require.NoError(t, w.s.Stop())
		for _, c := range []*harness.Client{rider, d, other} {
			w.ends(c, ridepb.CloseShutdown)
			require.Positive(t, disconnecting(c).GetRetryAfterMs())
		}
		var told *ridepb.Reply // if it came in time
		for _, r := range other.Replies() {
			if r.GetId() == id {
				told = r
			}
		}
		restart(w, start)
		_, connected := w.back(ride.RoleRider, rider.Name)
		require.Equal(t, trip, connected.GetActiveTrip().GetId())
		again, _ := w.back(ride.RoleRider, other.Name)
		reply := again.Ask(request)
		require.NotNil(t, reply.GetTrip(), "%v", reply)
		if told.GetTrip() != nil {
			require.True(t, proto.Equal(told, reply))
		}
		d, _ = w.back(ride.RoleDriver, d.Name)
		w.drive(d, trip, ridepb.Trip_completed)
	})
}
