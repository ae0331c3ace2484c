package actors

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// A round takes so many trips, those that have waited longest for one first, and the others follow at once.
func TestRoundsAreBounded(t *testing.T) {
	m := newMatcher(nil, 0)
	for i := range 2*maxRoundRows + 10 {
		id := ride.TripID(fmt.Sprintf("%05d", i))
		m.rows[id] = &openRow{matchNeed: matchNeed{Trip: id, First: i < 5}}
	}
	seen := make(map[ride.TripID]bool)
	now := time.Now()
	for round, want := range []int{maxRoundRows, maxRoundRows, 5, 0} {
		rows, more := m.due(now, time.Second)
		require.Len(t, rows, want)
		require.Equal(t, round < 2, more)
		for _, row := range rows {
			seen[row.Trip] = true
			row.round, row.planned = uint64(round)+1, now
		}
	}
	require.Len(t, seen, 2*maxRoundRows+5, "all but the requests that are not committed yet")
	rows, _ := m.due(now.Add(time.Second), time.Second)
	require.EqualValues(t, 1, rows[0].round, "the earliest first")
}

// A full matcher leaves trips unanswered, so that they search by themselves, and keeps those that it has.
func TestRegistrationsAreBounded(t *testing.T) {
	inWorld(t, gathering, func(w *world) {
		m := newMatcher(w.sys.shared, 0)
		for i := range maxOpenRows {
			m.rows[ride.TripID(fmt.Sprint("t", i))] = &openRow{matchNeed: matchNeed{Trip: ride.TripID(fmt.Sprint("t", i))}, seen: time.Now()}
		}
		pid := w.sys.root.Spawn(actor.PropsFromProducer(func() actor.Actor { return m }))
		ask := func(trip ride.TripID) error {
			_, err := w.sys.root.RequestFuture(pid, matchNeed{Trip: trip, Asked: 1, Pickup: pickup}, time.Second).Result()
			return err
		}
		require.NoError(t, ask("t7"))
		require.ErrorIs(t, ask("new"), actor.ErrTimeout)
		pass(keepRows)
		require.NoError(t, ask("later"), "the others have gone")
		require.NoError(t, w.sys.root.PoisonFuture(pid).Wait())
	})
}

// Requests that never come to wait do not count as waiting for long, nor keep a matcher.
func TestRequestsWithoutATripAreForgotten(t *testing.T) {
	inWorld(t, gathering, func(w *world) {
		zone := geo.Cell(7)
		pid := w.sys.place.Matcher(zone)
		first := func(trip ride.TripID) matchWord {
			word, err := w.sys.root.RequestFuture(pid, matchNeed{Trip: trip, Asked: 1, Pickup: pickup, First: true}, time.Second).Result()
			require.NoError(t, err)
			return word.(matchWord)
		}
		require.True(t, math.IsInf(first("a").ClearM, 1))
		require.Zero(t, first("b").ClearM, "the other one counts")
		pass(firstRows + time.Second)
		require.True(t, math.IsInf(first("c").ClearM, 1))
		pass(keepIdle + time.Second)
		require.Empty(t, w.sys.place.MatchersHere())
	})
}

// A matcher that only hears of the end of a need ends as well, and none is made for it.
func TestTheEndOfANeedKeepsNoMatcher(t *testing.T) {
	inWorld(t, gathering, func(w *world) {
		require.Nil(t, w.sys.place.FindMatcher(7))
		w.sys.root.Send(w.sys.place.Matcher(7), matchNeed{Trip: "t", Asked: 1, Over: true})
		require.NotNil(t, w.sys.place.FindMatcher(7))
		pass(keepIdle / 2)
		pid := w.sys.place.Matcher(7)
		_, err := w.sys.root.RequestFuture(pid, matchNeed{Trip: "first", Asked: 1, Pickup: pickup, First: true}, time.Second).Result()
		require.NoError(t, err)
		pass(keepIdle/2 + time.Second)
		require.Empty(t, w.sys.place.MatchersHere())
	})
	inClusterWith(t, 2, gathering, func(c *cluster) {
		cell, err := geo.CellAt(pickup, c.nodes[0].sys.cfg.Resolution)
		require.NoError(t, err)
		zone, err := cell.Parent(c.nodes[0].sys.cfg.ZoneResolution)
		require.NoError(t, err)
		for _, w := range c.nodes {
			w.sys.root.Send(w.sys.place.FindMatcher(zone), matchNeed{Trip: "t", Asked: 1, Over: true})
		}
		pass(time.Second)
		require.Zero(t, c.matchers())
	})
}

// A request that is refused after it has asked who else waits is signed off.
func TestARefusedRequestIsSignedOff(t *testing.T) {
	inWorld(t, gathering, func(w *world) {
		d, r := w.driver("d", 100), w.rider("r")
		require.NotNil(t, r.request().GetTrip())
		pass(w.gather())
		require.NotNil(t, d.accept(d.offer()).GetTrip())
		require.Equal(t, "rider_busy", r.request().GetError().GetCode())
		for zone := range w.sys.place.MatchersHere() {
			word, err := w.sys.root.RequestFuture(w.sys.place.Matcher(zone), matchNeed{Trip: "t", Asked: 1, Pickup: pickup, First: true}, time.Second).Result()
			require.NoError(t, err)
			require.True(t, math.IsInf(word.(matchWord).ClearM, 1), "nobody else waits")
		}
	})
}

// Many more trips than drivers, all at once: no driver has two trips or holds two offers, each offer ends once,
// and every request ends in time.
func TestAStadiumUnderOnePlan(t *testing.T) {
	requests, drivers := 60, 8
	inWorld(t, func(c *Config) {
		gathering(c)
		c.Rules.SearchFor = time.Minute
	}, func(w *world) {
		var taxis, fans []*client
		for i := range drivers {
			taxis = append(taxis, w.driver(fmt.Sprintf("d%03d", i), float64(i)))
		}
		for i := range requests {
			fans = append(fans, w.client(ride.RoleRider, fmt.Sprintf("r%04d", i)).connect(nil))
		}
		for _, r := range fans {
			r.send(requestFrame())
		}
		for range 12 { // seconds
			for i, d := range taxis {
				require.NoError(t, d.inbox.Location(ride.Position{Point: geo.Destination(pickup, 0, float64(i)), DeviceTime: time.Now()}))
				for n, o := range d.offers() {
					if n > 0 || i%3 > 0 {
						d.send(acceptFrame(o))
					} else {
						d.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_DeclineOffer{DeclineOffer: &ridepb.DeclineOffer{OfferId: o.GetId()}}})
					}
				}
			}
			pass(time.Second)
		}
		require.Equal(t, drivers, w.matched(), "one trip for each driver")
		pass(w.sys.cfg.Rules.SearchFor)
		for _, d := range taxis {
			require.Len(t, d.ends(), len(d.offers()), "each offer ends once")
			require.Equal(t, 1, d.most())
		}
		w.store.mu.Lock()
		defer w.store.mu.Unlock()
		for id, trip := range w.store.trips {
			require.NotEqual(t, ride.StatusRequested, trip.Status, "%s has not ended", id)
		}
	})
}

// A plan that panics costs its round, not the process.
func TestAPlanThatPanics(t *testing.T) {
	inWorld(t, gathering, func(w *world) {
		j := &matchJob{sys: w.sys.shared, round: 7, policy: w.sys.cfg.Matching, rows: []openRow{{matchNeed: matchNeed{Trip: "t", Pickup: pickup}}}}
		j.drivers = []cellPut{{Driver: "d", Point: pickup}}
		w.sys.cfg.ETA = nil
		require.Equal(t, &matchPlan{round: 7, failed: true}, j.run(context.Background()))
	})
}

// Recent requests count for a quarter of an hour.
func TestDemandIsForgotten(t *testing.T) {
	var d demand
	now := time.Unix(1_700_000_000, 0)
	sum := func() (n int) {
		for _, c := range d.counts(now) {
			n += c.Requests
		}
		return n
	}
	for range 40 {
		d.add(7, now)
		now = now.Add(time.Minute)
	}
	require.InDelta(t, demandSpan/demandStep, sum(), 1)
	d.add(0, now)
	d.add(8, now.Add(-time.Hour))
	require.InDelta(t, demandSpan/demandStep, sum(), 1, "a clock set back forgets nothing")
	now = now.Add(demandSpan)
	require.LessOrEqual(t, sum(), 1)
}
