package e2e

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// Behind a PgBouncer in transaction mode drivers race for a trip, the server is killed and started
// again in mid-ride, and the ride continues to its ratings. Commands beside the server and its HTTP
// API take the same way.
func TestRideThroughAPooler(t *testing.T) {
	t.Parallel()
	base := pgtest.Start(t)
	flags := []string{"--database-url=" + pgtest.Pooler(t, base, "transaction"), "--database-direct-url=" + base}
	start := func(o harness.Options) *harness.Server {
		o.Flags = append(flags[:len(flags):len(flags)], o.Flags...)
		return harness.Start(t, o)
	}
	w := newWorld(t, start(harness.Options{Child: true}), codecs[0])
	rider := w.rider()
	drivers := make([]*harness.Client, 6)
	for i := range drivers {
		drivers[i] = w.driver(float64(20 + 10*i))
	}
	trip := w.request(rider)
	replies := make([]*ridepb.Reply, len(drivers))
	var wg sync.WaitGroup
	for i, d := range drivers {
		offer := d.Offer(trip.GetId()).GetId()
		wg.Go(func() { replies[i], _ = d.TryAsk(harness.Accept(offer)) })
	}
	wg.Wait()
	var winner *harness.Client
	for i, r := range replies {
		switch {
		case r.GetTrip() != nil:
			require.Nil(t, winner, "two drivers won")
			winner = drivers[i]
		default:
			require.Contains(t, []string{ride.ErrOfferClosed.Code, ride.ErrOfferTaken.Code}, r.GetError().GetCode())
		}
	}
	require.NotNil(t, winner)
	arrived := harness.Arrived(trip.GetId())
	known := winner.Ask(arrived)
	require.Equal(t, ridepb.Trip_arrived, known.GetTrip().GetStatus(), "%v", known)

	w.s.Kill()
	restart(w, start)
	winner, connected := w.back(ride.RoleDriver, winner.Name)
	require.Equal(t, known.GetTrip().GetVersion(), connected.GetActiveTrip().GetVersion())
	require.Equal(t, known.GetTrip().GetVersion(), winner.Reply(winner.Send(arrived), 1).GetTrip().GetVersion(), "the same id has the same answer")
	rider, _ = w.back(ride.RoleRider, rider.Name)
	require.NotNil(t, winner.Ask(harness.StartTrip(trip.GetId(), "")).GetTrip())
	require.Equal(t, ridepb.Trip_completed, winner.Ask(harness.Complete(trip.GetId())).GetTrip().GetStatus())
	require.EqualValues(t, 5, rider.Ask(harness.Rate(trip.GetId(), 5)).GetTrip().GetStarsByRider())

	status, body := w.s.Call(http.MethodGet, "/v1/trips/"+trip.GetId(), w.s.Token(ride.RoleRider, rider.Name), "")
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, `"completed"`)
	code, said := harness.Command(t.Context(), append([]string{"admin", "create", "anna"}, w.s.StoreFlags()...)...)
	require.Zero(t, code, said)
	code, said = harness.Command(t.Context(), append([]string{"migrate", "status"}, w.s.StoreFlags()...)...)
	require.Zero(t, code, said)
	code, said = harness.Command(t.Context(), serve(w.s.StoreFlags()...)...)
	require.Equal(t, 1, code, said)
	require.Contains(t, said, "another Hexhail server uses this database")
}

// Without the way past it, a pooler is refused by name, in one line that says what to set.
func TestServerRefusesAPooler(t *testing.T) {
	t.Parallel()
	url := pgtest.Pooler(t, pgtest.Start(t), "transaction", "ignore_startup_parameters = extra_float_digits, search_path, "+
		"statement_timeout, lock_timeout, idle_in_transaction_session_timeout")
	code, said := harness.Command(t.Context(), serve("--data-dir="+t.TempDir(), "--database-url="+url)...)
	require.Equal(t, 1, code, said)
	lines := strings.Split(strings.TrimSpace(said), "\n")
	require.Contains(t, lines[len(lines)-1], "PgBouncer")
	require.Contains(t, lines[len(lines)-1], "set database-direct-url")
}
