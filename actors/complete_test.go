package actors

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// surveyor is a Matcher for tests: it does as answer says, and notes what it was asked.
type surveyor struct {
	mu     sync.Mutex
	tracks [][]geo.Spot
	answer func(ctx context.Context, track []geo.Spot) (geo.Match, error)
}

// Match implements geo.Matcher.
func (s *surveyor) Match(ctx context.Context, track []geo.Spot) (geo.Match, error) {
	s.mu.Lock()
	s.tracks = append(s.tracks, track)
	s.mu.Unlock()
	return s.answer(ctx, track)
}

func (s *surveyor) asked() [][]geo.Spot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tracks
}

// surveyed says that a ride is so many metres long.
func surveyed(m float64) *surveyor {
	return &surveyor{answer: func(context.Context, []geo.Spot) (geo.Match, error) {
		return geo.Match{LengthM: m - 10, OffM: 10, Share: 0.99}, nil
	}}
}

func (s *surveyor) use(c *Config) { c.Matcher = s }

// ridden is a driver who has driven 1 km of a ride.
func ridden(w *world) (*client, string) {
	d, trip := riding(w)
	for m := 0.0; m <= 1000; m += 10 {
		d.position(on(m), 5, time.Second)
	}
	return d, trip
}

func completeFrame(trip string) *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_CompleteTrip{CompleteTrip: &ridepb.CompleteTrip{TripId: trip}}}
}

// The length along streets counts where it is plausible, and the receipt says so or why not.
func TestRidesAreMeasuredAlongStreets(t *testing.T) {
	for name, tc := range map[string]struct {
		streets *surveyor
		length  float64
		basis   ridepb.FareBreakdown_Basis
		verdict ridepb.StreetCheck_Verdict
	}{
		"plausible": {surveyed(1100), 1100, ridepb.FareBreakdown_streets, ridepb.StreetCheck_counts},
		"too long":  {surveyed(1400), 1000, ridepb.FareBreakdown_measured, ridepb.StreetCheck_longer},
		"too short": {surveyed(700), 1000, ridepb.FareBreakdown_measured, ridepb.StreetCheck_shorter},
		"off the map": {&surveyor{answer: func(context.Context, []geo.Spot) (geo.Match, error) {
			return geo.Match{}, fmt.Errorf("match: %w", geo.ErrNoRoute)
		}}, 1000, ridepb.FareBreakdown_measured, ridepb.StreetCheck_off_streets},
		"never answers in time": {&surveyor{answer: func(ctx context.Context, _ []geo.Spot) (geo.Match, error) {
			<-ctx.Done()
			return geo.Match{}, ctx.Err()
		}}, 1000, ridepb.FareBreakdown_measured, ridepb.StreetCheck_late},
		"breaks": {&surveyor{answer: func(context.Context, []geo.Spot) (geo.Match, error) {
			panic("a bug")
		}}, 1000, ridepb.FareBreakdown_measured, ridepb.StreetCheck_late},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, tc.streets.use, func(w *world) {
				d, trip := ridden(w)
				id := d.send(completeFrame(trip))
				pass(w.sys.cfg.MatchTimeout)
				fare := d.box.reply(id).GetTrip().GetFare()
				require.InDelta(t, tc.length, fare.GetDistanceM(), 20)
				require.Equal(t, fare.GetDistanceM(), fare.GetMeasuredM()+fare.GetEstimatedM())
				require.Equal(t, tc.basis, fare.GetBasis())
				require.Equal(t, tc.verdict, fare.GetStreetCheck().GetVerdict())
				require.InDelta(t, 1000, fare.GetStreetCheck().GetPositionsM(), 20)
				require.Len(t, tc.streets.asked(), 1)
				require.InDelta(t, 1, testutil.ToFloat64(w.sys.stats.streets.WithLabelValues(tc.verdict.String())), 0)
			})
		})
	}
}

// Without a map, or before there is one, nothing is matched, and nothing said.
func TestRidesWithoutAMap(t *testing.T) {
	none := &surveyor{answer: func(context.Context, []geo.Spot) (geo.Match, error) {
		return geo.Match{}, fmt.Errorf("match: %w: %w", geo.ErrNoRoute, geo.ErrNoMap)
	}}
	for _, edit := range []func(*Config){nil, none.use} {
		inWorld(t, edit, func(w *world) {
			d, trip := ridden(w)
			fare := d.complete(trip).GetTrip().GetFare()
			require.Equal(t, ridepb.FareBreakdown_measured, fare.GetBasis())
			require.Nil(t, fare.GetStreetCheck())
		})
	}
}

// A ride with gaps is measured as before, and so is one that hardly moved.
func TestRidesThatCannotBeMatched(t *testing.T) {
	streets := surveyed(1100)
	inWorld(t, streets.use, func(w *world) {
		d, trip := ridden(w)
		pass(5 * time.Minute)
		fare := d.complete(trip).GetTrip().GetFare()
		require.Equal(t, ridepb.FareBreakdown_partly_estimated, fare.GetBasis())
		require.Equal(t, ridepb.StreetCheck_gaps, fare.GetStreetCheck().GetVerdict())
		require.InDelta(t, 1000, fare.GetMeasuredM(), 20)
		require.Len(t, streets.asked(), 1)
	})
	inWorld(t, streets.use, func(w *world) {
		d, trip := riding(w)
		d.position(on(0), 5, time.Second)
		fare := d.complete(trip).GetTrip().GetFare()
		require.Equal(t, ridepb.FareBreakdown_measured, fare.GetBasis())
		require.Nil(t, fare.GetStreetCheck())
		require.Len(t, streets.asked(), 1, "there is nothing to match")
	})
}

// While a ride is matched, its driver's actor goes on, and the trip's later commands wait their turn.
func TestMatchingKeepsNoOneWaiting(t *testing.T) {
	var answer chan struct{}
	streets := &surveyor{answer: func(context.Context, []geo.Spot) (geo.Match, error) {
		<-answer
		return geo.Match{LengthM: 1100, Share: 1}, nil
	}}
	inWorld(t, streets.use, func(w *world) {
		answer = make(chan struct{}) // of this bubble
		d := w.driver("d", 30)
		r := w.rider("r")
		trip := w.match(r, d)
		require.NotNil(t, d.arrived(trip).GetTrip())
		require.NotNil(t, d.start(trip, "").GetTrip())
		for m := 0.0; m <= 1000; m += 10 {
			d.position(on(m), 5, time.Second)
		}
		end := completeFrame(trip)
		id := d.send(end)
		require.Equal(t, id, d.send(end), "sent again")
		rating := d.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_RateTrip{RateTrip: &ridepb.RateTrip{TripId: trip, Stars: 5}}})
		require.Empty(t, d.box.repliesTo(id))
		require.Empty(t, d.box.repliesTo(rating))

		seen := len(r.box.positions())
		pass(300 * time.Millisecond)
		require.NoError(t, d.inbox.Location(ride.Position{Point: on(1005), AccuracyM: 5, DeviceTime: time.Now()}))
		require.Greater(t, len(r.box.positions()), seen, "the rider sees the car move")
		require.NotNil(t, d.goOnline(30).GetDone(), "other commands are answered")

		close(answer)
		replies := d.box.repliesTo(id)
		require.Len(t, replies, 2)
		for _, reply := range replies {
			require.Equal(t, ridepb.FareBreakdown_streets, reply.GetTrip().GetFare().GetBasis())
			require.EqualValues(t, 1100, reply.GetTrip().GetFare().GetDistanceM())
		}
		require.NotNil(t, d.box.reply(rating).GetTrip())
		require.Equal(t, "completed", d.changes()[len(d.changes())-2])

		require.Equal(t, id, d.send(end), "and once more")
		require.Len(t, d.box.repliesTo(id), 3)
		require.EqualValues(t, 1100, d.box.reply(id).GetTrip().GetFare().GetDistanceM())
		require.Len(t, streets.asked(), 1)
	})
}

// An answer that comes after the time limit does not count, not for another command either.
func TestLateAnswersDoNotCount(t *testing.T) {
	whole := geo.DistanceM(pickup, dropoff)
	answers := make(chan chan float64, 2)
	streets := &surveyor{answer: func(context.Context, []geo.Spot) (geo.Match, error) {
		return geo.Match{LengthM: <-<-answers, Share: 1}, nil
	}}
	inWorld(t, func(c *Config) {
		streets.use(c)
		c.Rules.CompleteWithinM, c.Rules.PositionWithin, c.EstimatesAtOnce = 200, time.Hour, 4
	}, func(w *world) {
		first, second := make(chan float64), make(chan float64)
		answers = make(chan chan float64, 2)
		answers <- first
		answers <- second
		d, trip := ridden(w)
		early := d.send(completeFrame(trip))
		pass(w.sys.cfg.MatchTimeout)
		require.Equal(t, "too_far", d.box.reply(early).GetError().GetCode(), "the trip was asked without an answer")
		for m := 1000.0; m < whole; m += 10 {
			d.position(on(m), 5, time.Second)
		}
		id := d.send(completeFrame(trip))
		first <- 1.2 * whole
		require.Empty(t, d.box.repliesTo(id), "that was the answer to the first one")
		second <- 1.1 * whole
		require.InDelta(t, 1.1*whole, d.box.reply(id).GetTrip().GetFare().GetDistanceM(), 1)
		require.Len(t, d.box.repliesTo(early), 1)
		require.Len(t, streets.asked(), 2)
	})
}

// Where workers have too much to do, a ride ends all the same.
func TestRidesEndWhereWorkersAreBusy(t *testing.T) {
	streets := surveyed(1100)
	inWorld(t, streets.use, func(w *world) {
		d, trip := ridden(w)
		hang := make(chan struct{})
		defer close(hang)
		for w.sys.workers.do(func() { <-hang }) {
		}
		fare := d.complete(trip).GetTrip().GetFare()
		require.Equal(t, ridepb.FareBreakdown_measured, fare.GetBasis())
		require.Equal(t, ridepb.StreetCheck_late, fare.GetStreetCheck().GetVerdict())
		require.Empty(t, streets.asked())
	})
}

// A server that ends while a ride is matched has acknowledged nothing. The command is repeated, and the whole ride
// is matched as it was.
func TestMatchingIsInterrupted(t *testing.T) {
	var answer chan struct{}
	streets := &surveyor{answer: func(ctx context.Context, _ []geo.Spot) (geo.Match, error) {
		select {
		case <-answer:
		case <-ctx.Done():
			return geo.Match{}, ctx.Err()
		}
		return geo.Match{LengthM: 1100, Share: 1}, nil
	}}
	inWorld(t, streets.use, func(w *world) {
		answer = make(chan struct{})
		d, trip := ridden(w)
		pass(2 * time.Second) // until the track is written
		end := completeFrame(trip)
		id := d.send(end)
		synctest.Wait()
		w.store.failing(func(ride.Transition) (error, bool) { return ride.ErrUnavailable, true })
		w.crash(streets.use) // what it would have written while it ends is lost
		w.store.failing(nil)
		d.connect(nil)
		require.Equal(t, ridepb.Trip_in_progress, d.connected().GetActiveTrip().GetStatus())
		close(answer)
		d.send(end)
		fare := d.box.reply(id).GetTrip().GetFare()
		require.Equal(t, ridepb.FareBreakdown_streets, fare.GetBasis())
		tracks := streets.asked()
		require.Len(t, tracks, 2)
		require.Len(t, tracks[1], len(tracks[0]))
		for i, s := range tracks[1] {
			require.Less(t, geo.DistanceM(tracks[0][i].Point, s.Point), 0.1)
		}
	})
}
