package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/actors/cluster/registry/etcdtest"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// While the store cannot write, commands are refused and nothing is acknowledged; service resumes
// once it can.
func TestStoreFails(t *testing.T) {
	t.Run("sqlite on a full disk", func(t *testing.T) {
		t.Parallel()
		s := harness.Start(t, harness.Options{Child: true, Flags: []string{"--log-level=error"}})
		storeFails(t, s, "disk_full", func() func() { return s.FillDisk(t) })
	})
	gone := func(t *testing.T, at store, flags ...string) {
		t.Parallel()
		pg := pgtest.NewServer(t)
		s := at.start(t, harness.Options{Flags: append(flags, "--log-level=error", "--database-url="+pg.URL())})
		storeFails(t, s, "unreachable", func() func() {
			require.NoError(t, pg.Crash())
			return func() { require.NoError(t, pg.Resume()) }
		})
	}
	t.Run("postgres gone", func(t *testing.T) { gone(t, single[1]) })
	if n := harness.Nodes(); n > 0 {
		t.Run("postgres gone for all nodes", func(t *testing.T) { gone(t, cluster(n), "--cluster="+etcdtest.Start(t)) })
	}
}

func storeFails(t *testing.T, s *harness.Server, cause string, fail func() (repair func())) {
	status, _ := s.Ready()
	require.Equal(t, 200, status)
	w := newWorld(t, s, codecs[0])
	rider, d := w.rider(), w.driver(20)
	trip := w.match(rider, d)
	other := w.rider()

	repair := fail()
	request := harness.Request(w.at, w.to)
	refused(t, ride.ErrUnavailable, other.AskOnce(request))
	arrived := harness.Arrived(trip.GetId())
	refused(t, ride.ErrUnavailable, d.AskOnce(arrived))
	// A new account cannot be created: the disk is full.
	stranger := harness.Dial(t, s, w.codec, nil)
	e := refused(t, ride.ErrUnavailable, stranger.AskOnce(harness.Connecting(s.Token(ride.RoleRider, w.name(ride.RoleRider)), nil)))
	require.Positive(t, e.GetRetryAfterMs())
	w.ends(stranger, ridepb.CloseOverloaded)
	require.NotNil(t, rider.Ask(harness.Ping()).GetPong(), "sockets stay open")
	for _, e := range rider.Events() {
		require.NotEqual(t, ridepb.Trip_arrived, e.GetTripUpdated().GetTrip().GetStatus(), "sent before it was written")
	}
	harness.Until(t, "not ready", func() bool {
		status, said := s.Ready()
		return status == 503 && said.Cause == cause && said.Message != ""
	})
	repair()
	harness.Until(t, "ready again", func() bool { status, _ := s.Ready(); return status == 200 })

	// The same ids again, as the errors suggest.
	n := 1
	harness.Until(t, "service again", func() bool {
		n++
		return d.Reply(d.Send(arrived), n).GetTrip().GetStatus() == ridepb.Trip_arrived
	})
	rider.Status(trip.GetId(), ridepb.Trip_arrived)
	n = 1
	harness.Until(t, "the request", func() bool {
		n++
		return other.Reply(other.Send(request), n).GetTrip() != nil
	})
}
