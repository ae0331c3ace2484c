package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// flaky is a client with a bad connection: it is cut at random, resumes from its cursor in the
// history, and must never see a gap or an event twice.
type flaky struct {
	w      *world
	rand   *rand.Rand
	role   ride.Role
	name   string
	c      *harness.Client
	epoch  string
	seq    uint32
	taken  int             // events of c that have been checked
	events []*ridepb.Event // of the history, over all connections
	cuts   int
}

func (w *world) flaky(role ride.Role, r *rand.Rand) *flaky {
	w.t.Helper()
	f := &flaky{w: w, rand: r, role: role, name: w.name(role)}
	var connected *ridepb.Connected
	f.c, connected = w.as(role, f.name, nil)
	f.epoch, f.seq = connected.GetEpoch(), connected.GetSeq()
	return f
}

// collect checks the events since the last call.
func (f *flaky) collect() {
	f.w.t.Helper()
	got := f.c.Events()
	for _, e := range got[f.taken:] {
		require.Equal(f.w.t, f.epoch, e.GetEpoch())
		if e.GetDriverMoved() != nil || e.GetRouteChanged() != nil || e.GetDisconnecting() != nil {
			require.Equal(f.w.t, f.seq, e.GetSeq(), "outside the history")
			continue
		}
		require.Equal(f.w.t, f.seq+1, e.GetSeq(), "a gap or a repeated event: %v", e)
		f.seq = e.GetSeq()
		f.events = append(f.events, e)
	}
	f.taken = len(got)
}

// cut loses the connection and reconnects.
func (f *flaky) cut() {
	f.w.t.Helper()
	f.cuts++
	f.c.Drop()
	f.c.Closed()
	f.collect()
	c, connected := f.w.as(f.role, f.name, &ridepb.Resume{Epoch: f.epoch, Seq: f.seq})
	require.True(f.w.t, connected.GetResumed())
	require.Equal(f.w.t, f.epoch, connected.GetEpoch())
	require.GreaterOrEqual(f.w.t, connected.GetSeq(), f.seq)
	f.c, f.taken = c, 0
}

// maybe cuts the connection, one time in two.
func (f *flaky) maybe() {
	f.w.t.Helper()
	if f.rand.IntN(2) == 0 {
		f.cut()
	}
}

// ask sends a command; the connection may be cut before it, or between it and its
// answer, in which case it is sent again with the same id.
func (f *flaky) ask(frame *ridepb.ClientFrame) *ridepb.Reply {
	f.w.t.Helper()
	f.maybe()
	id := f.c.Send(frame)
	if f.rand.IntN(2) == 0 {
		f.cut()
		f.c.Send(frame)
	}
	for n := 1; ; n++ { // as harness.Ask
		r := f.c.Reply(id, n)
		if r.GetError().GetCode() != ride.ErrUnavailable.Code || n == 4 {
			return r
		}
		time.Sleep(time.Duration(r.GetError().GetRetryAfterMs()) * time.Millisecond)
		f.c.Send(frame)
	}
}

// until waits for an event of the history, across connections.
func (f *flaky) until(what string, match func(*ridepb.Event) bool) *ridepb.Event {
	f.w.t.Helper()
	f.maybe()
	var found *ridepb.Event
	harness.Until(f.w.t, f.name+": "+what, func() bool {
		f.collect()
		for _, e := range f.events {
			if match(e) {
				found = e
				return true
			}
		}
		return false
	})
	return found
}

func (f *flaky) offer(trip string) string {
	f.w.t.Helper()
	return f.until("an offer", func(e *ridepb.Event) bool {
		return e.GetOfferReceived().GetOffer().GetTripId() == trip
	}).GetOfferReceived().GetOffer().GetId()
}

func (f *flaky) status(trip string, s ridepb.Trip_Status) {
	f.w.t.Helper()
	f.until(s.String(), func(e *ridepb.Event) bool {
		t := e.GetTripUpdated().GetTrip()
		return t.GetId() == trip && t.GetStatus() == s
	})
}

// Rides of people with bad connections: no event is missed or repeated, and what clients received
// matches what is stored.
func TestResume(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		s := start()
		t.Run("rides", func(t *testing.T) {
			for seed := range uint64(6) {
				t.Run(fmt.Sprint(seed), func(t *testing.T) {
					t.Parallel()
					flakyRide(newWorld(t, s, codec), rand.New(rand.NewPCG(seed, 1)))
				})
			}
		})
	})
}

func flakyRide(w *world, r *rand.Rand) {
	t := w.t
	rider, winner, loser := w.flaky(ride.RoleRider, r), w.flaky(ride.RoleDriver, r), w.flaky(ride.RoleDriver, r)
	for _, d := range []*flaky{winner, loser} {
		require.NotNil(t, d.ask(harness.GoOnline(w.at)).GetDone())
	}
	trip := rider.ask(harness.Request(w.at, w.to)).GetTrip().GetId()
	require.NotEmpty(t, trip)
	won, lost := winner.offer(trip), loser.offer(trip)
	require.Equal(t, ridepb.Trip_matched, winner.ask(harness.Accept(won)).GetTrip().GetStatus())
	for _, step := range []*ridepb.ClientFrame{harness.Arrived(trip), harness.StartTrip(trip, ""), harness.Complete(trip)} {
		rider.maybe()
		reply := winner.ask(step)
		require.NotNil(t, reply.GetTrip(), "%v", reply)
		rider.status(trip, reply.GetTrip().GetStatus())
	}
	rider.status(trip, ridepb.Trip_completed)
	for d, offer := range map[*flaky]string{winner: won, loser: lost} {
		d.until("the end of the offer", func(e *ridepb.Event) bool { return e.GetOfferClosed().GetOfferId() == offer })
	}
	for _, f := range []*flaky{rider, winner, loser} {
		f.cut()
		require.NotNil(t, f.c.Ask(harness.Ping()).GetPong()) // the replay arrives before it
		f.collect()
	}

	// I5: one end of each offer.
	for d, want := range map[*flaky]ridepb.OfferClosed_Outcome{winner: ridepb.OfferClosed_won, loser: ridepb.OfferClosed_withdrawn} {
		ends := make(map[string]int)
		for _, e := range d.events {
			if c := e.GetOfferClosed(); c != nil {
				ends[c.GetOfferId()]++
				require.Equal(t, want, c.GetOutcome())
			}
		}
		require.Len(t, ends, 1)
		for offer, n := range ends {
			require.Equal(t, 1, n, "ends of %s", offer)
		}
	}
	// I4: clients receive what is stored.
	sameAsStored(w, rider, trip)
	sameAsStored(w, winner, trip)
	require.Positive(t, rider.cuts+winner.cuts+loser.cuts)
}

// sameAsStored compares the newest view of a trip that a client received with what HTTP returns, as
// bytes, and with the event log.
func sameAsStored(w *world, f *flaky, trip string) {
	w.t.Helper()
	var told *ridepb.Trip
	for _, e := range f.events {
		if got := e.GetTripUpdated().GetTrip(); got.GetId() == trip {
			require.Greater(w.t, got.GetVersion(), told.GetVersion(), "versions only increase")
			told = got
		}
	}
	require.NotNil(w.t, told)
	status, body := w.s.Call(http.MethodGet, "/v1/trips/"+trip, w.s.Token(f.role, f.name), "")
	require.Equal(w.t, http.StatusOK, status, body)
	var stored struct{ Trip json.RawMessage }
	require.NoError(w.t, json.Unmarshal([]byte(body), &stored))
	wired, err := wire.JSON.Marshal(told)
	require.NoError(w.t, err)
	require.Equal(w.t, string(wired), string(stored.Trip))

	status, body = w.s.Call(http.MethodGet, "/v1/admin/trips/"+trip, w.s.Token(ride.RoleOperator, w.name(ride.RoleOperator)), "")
	require.Equal(w.t, http.StatusOK, status, body)
	var log struct{ Events []struct{ Version uint32 } }
	require.NoError(w.t, json.Unmarshal([]byte(body), &log))
	for i, e := range log.Events {
		require.EqualValues(w.t, i+1, e.Version)
	}
	require.Len(w.t, log.Events, int(told.GetVersion()))
}

// A client that asks for a history that the server does not have gets a snapshot instead.
func TestHistoryLost(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		w := newWorld(t, start("--socket-history-bytes=8192", "--dispatch-wave-every=10m", "--trip-search-for=30m"), codec)
		rider, first := w.join(ride.RoleRider)
		for range 20 { // two events each: requested, cancelled
			require.NotNil(t, rider.Ask(harness.Cancel(w.request(rider).GetId())).GetTrip())
		}
		trip := w.request(rider)
		latest := uint32(0)
		for _, e := range rider.Events() {
			latest = max(latest, e.GetSeq())
		}
		require.Greater(t, latest, uint32(16))
		for what, resume := range map[string]*ridepb.Resume{
			"none": nil, "another epoch": {Epoch: "0123456789abcdef", Seq: latest}, "no epoch": {Seq: latest},
			"too far back": {Epoch: first.GetEpoch(), Seq: 1}, "the future": {Epoch: first.GetEpoch(), Seq: latest + 1000},
		} {
			c, connected := w.as(ride.RoleRider, rider.Name, resume)
			require.False(t, connected.GetResumed(), what)
			require.Equal(t, trip.GetId(), connected.GetActiveTrip().GetId(), what)
			require.GreaterOrEqual(t, connected.GetSeq(), latest, what)
			require.NotNil(t, c.Ask(harness.Ping()).GetPong())
			for _, e := range c.Events() {
				require.Greater(t, e.GetSeq(), connected.GetSeq(), "%s: no replay beside a snapshot", what)
			}
		}
		c, connected := w.as(ride.RoleRider, rider.Name, &ridepb.Resume{Epoch: first.GetEpoch(), Seq: latest - 3})
		require.True(t, connected.GetResumed())
		c.Await("the third of them", 0, func(e *ridepb.Event) bool { return e.GetSeq() == latest })
		require.Equal(t, latest-2, c.Events()[0].GetSeq())
		require.True(t, proto.Equal(trip.GetPickup(), connected.GetActiveTrip().GetPickup()))
	})
}
