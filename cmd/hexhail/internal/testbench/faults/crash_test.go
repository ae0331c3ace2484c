package faults

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/crash"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// crashes counts what the kills hit, so that a run whose kills hit nothing cannot pass.
type crashes struct {
	rounds, acknowledged, refused int
	inFlight, written, unwritten  int // commands without an answer, and what the disk held of them
	repeated, trips               int
	recovery                      times // from the start of the process to its first answer
}

// TestCrash kills the server repeatedly while people ride. Whatever it acknowledged is on disk and
// gets the same answer from the next server; whatever it refused has left no trace; histories have
// no gap and no step off the graph.
func TestCrash(t *testing.T) {
	for _, at := range stores() {
		t.Run(at.name, func(t *testing.T) { crashAt(t, at.make(t)) })
	}
}

func crashAt(t *testing.T, at place) {
	var acks atomic.Int64
	var crews []*crew
	for n := range 6 {
		crews = append(crews, newCrew(n, func() { acks.Add(1) }))
	}
	tally := crash.NewTally()
	var sum crashes
	rounds := setting(t, "HEXHAIL_CRASHES", 3)
	for range rounds {
		start := time.Now()
		s := at.start(t, true, "--dispatch-wave-every=1s")
		for _, c := range crews {
			c.connect(t, s)
			sum.first(start)
			require.NoError(t, c.repeat(func(d deed, again *ridepb.Reply) { sum.same(t, d, again) }))
			c.connect(t, s) // a snapshot that includes the effects of the repetitions
		}
		acks.Store(0)
		target := int64(40 + rand.IntN(200))
		failed := make(chan error, len(crews))
		var working sync.WaitGroup
		for _, c := range crews {
			working.Go(func() {
				if err := c.work(); err != nil {
					failed <- err
				}
			})
		}
		waitFor(t, func() bool { return acks.Load() >= target || len(failed) > 0 })
		s.Kill()
		working.Wait()
		close(failed)
		for err := range failed {
			require.NoError(t, err)
		}
		sum.rounds++
		at.look(t, func(store *persistence.Store) { sum.check(t, store, crews, tally) })
	}
	t.Logf("%s: %d kills: %d commands acknowledged (%d of them refusals), %d in flight, of which %d were written and %d not; "+
		"%d repeated with the same answer; %d trips checked; start to first answer p50 %v max %v", at.name, sum.rounds,
		sum.acknowledged, sum.refused, sum.inFlight, sum.written, sum.unwritten, sum.repeated, sum.trips,
		sum.recovery.at(50), sum.recovery.at(100))
	require.Positive(t, sum.inFlight, "no kill hit a command in flight")
	require.Positive(t, sum.repeated)
	if rounds >= 20 {
		require.Positive(t, sum.written, "no kill fell between a commit and its answer")
		require.Positive(t, sum.unwritten, "no kill fell before a commit")
	}
}

// first measures the time to a server's first answer.
func (s *crashes) first(start time.Time) {
	if len(s.recovery) == s.rounds {
		s.recovery = append(s.recovery, time.Since(start))
	}
}

// same compares this server's answer with the last one's.
func (s *crashes) same(t *testing.T, d deed, again *ridepb.Reply) {
	t.Helper()
	if d.reply == nil {
		return
	}
	s.repeated++
	require.True(t, proto.Equal(d.reply, again), "%v was answered with %v, and after the crash with %v", d.frame, d.reply, again)
}

// waitFor polls until done.
func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		require.False(t, time.Now().After(deadline), "the crews are not making progress")
		<-tick.C
	}
}

// meaning returns the trip of a command and the event that its success implies.
func meaning(d deed) (ride.TripID, string) {
	switch b := d.frame.GetBody().(type) {
	case *ridepb.ClientFrame_RequestTrip:
		return ride.TripID(d.reply.GetTrip().GetId()), ride.KindRequested
	case *ridepb.ClientFrame_AcceptOffer:
		trip, _ := ride.OfferID(b.AcceptOffer.GetOfferId()).Trip()
		return trip, ride.KindMatched
	case *ridepb.ClientFrame_Arrived:
		return ride.TripID(b.Arrived.GetTripId()), ride.KindArrived
	case *ridepb.ClientFrame_StartTrip:
		return ride.TripID(b.StartTrip.GetTripId()), ride.KindStarted
	case *ridepb.ClientFrame_CompleteTrip:
		return ride.TripID(b.CompleteTrip.GetTripId()), ride.KindCompleted
	case *ridepb.ClientFrame_CancelTrip:
		return ride.TripID(b.CancelTrip.GetTripId()), ride.KindCancelled
	case *ridepb.ClientFrame_RateTrip:
		return ride.TripID(b.RateTrip.GetTripId()), ride.KindRated
	}
	return "", ""
}

// check compares the crews' answers, from all servers so far, with what a dead server left on disk.
func (s *crashes) check(t *testing.T, store *persistence.Store, crews []*crew, tally *crash.Tally) {
	t.Helper()
	tally.ForgetUnanswered()
	touched := make(map[ride.TripID]bool)
	for _, c := range crews {
		for _, d := range c.deeds {
			trip, kind := meaning(d)
			touched[trip] = true
			stored, err := store.Command(t.Context(), ride.AccountID(d.by.account), d.frame.GetId())
			if d.reply == nil {
				tally.Unanswered(trip, kind)
				s.inFlight++
				if err == nil {
					s.written++
				} else {
					require.ErrorIs(t, err, ride.ErrNotFound)
					s.unwritten++
				}
				continue
			}
			s.acknowledged++
			require.NoError(t, err, "the answer to %v is lost: %v", d.frame, d.reply)
			kept := new(ridepb.Reply)
			require.NoError(t, proto.Unmarshal(stored.Reply, kept))
			kept.Id = d.frame.GetId()
			require.True(t, proto.Equal(d.reply, kept), "%v was answered with %v, but stored is %v", d.frame, d.reply, kept)
			if d.reply.GetError() != nil {
				s.refused++
			} else {
				tally.Acknowledged(trip, kind)
			}
		}
	}
	delete(touched, "")
	for trip := range touched {
		s.trips++
		checkTrip(t, store, tally, trip)
	}
}

// checkTrip: each acknowledged success has an event, and each event was acknowledged or belongs to
// a command whose answer the kill cut off.
func checkTrip(t *testing.T, s *persistence.Store, tally *crash.Tally, id ride.TripID) {
	t.Helper()
	trip, err := s.Trip(t.Context(), id)
	require.NoError(t, err, "trip %s is lost", id)
	var events []ride.Event
	for _, e := range checkHistory(t, s, trip) {
		events = append(events, e.Event)
	}
	require.Empty(t, tally.Check(id, events), "trip %s", id)
}
