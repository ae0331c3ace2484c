package faults

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// acceptAccept: every driver accepts the one trip at the same moment.
func (l *lane) acceptAccept() (trip, winner string, err error) {
	r := l.riders[0]
	trip, offers, err := l.request(r)
	if err != nil {
		return "", "", err
	}
	var accepts []*ridepb.ClientFrame
	var starts []func()
	for i, d := range l.drivers {
		f := d.command(harness.Accept(offers[i]))
		accepts = append(accepts, f)
		starts = append(starts, func() { d.thrice(f) })
	}
	atOnce(starts...)
	if winner, err = l.judge(trip, accepts); err != nil {
		return "", "", err
	}
	if winner == "" {
		return "", "", fmt.Errorf("trip %s: no driver won", trip)
	}
	told, err := r.status(trip, ridepb.Trip_matched)
	if err != nil {
		return "", "", err
	}
	if told.GetDriver().GetId() != winner {
		return "", "", fmt.Errorf("trip %s: the rider received %s, the winner %s", trip, told.GetDriver().GetId(), winner)
	}
	return trip, winner, l.free(r, trip, winner)
}

// acceptCancel: the drivers accept while the rider cancels.
func (l *lane) acceptCancel() (trip, winner string, err error) {
	r := l.riders[0]
	trip, offers, err := l.request(r)
	if err != nil {
		return "", "", err
	}
	cancelled := make(chan error, 1)
	starts := []func(){func() { cancelled <- l.cancel(r, trip) }}
	var accepts []*ridepb.ClientFrame
	for i, d := range l.drivers {
		f := d.command(harness.Accept(offers[i]))
		accepts = append(accepts, f)
		starts = append(starts, func() { d.thrice(f) })
	}
	if l.count.races%2 == 0 { // let both sides be first in turn
		starts[0], starts[1] = starts[1], starts[0]
	}
	atOnce(starts...)
	if err := <-cancelled; err != nil {
		return "", "", err
	}
	if winner, err = l.judge(trip, accepts); err != nil {
		return "", "", err
	}
	if winner == "" {
		l.count.cancelledFirst++
	} else {
		l.count.acceptedFirst++
	}
	return trip, winner, l.heard(r, trip, winner)
}

// manyOffers: drivers with many offers accept all of them at the same moment. Each gets exactly one
// trip.
func (l *lane) manyOffers() error {
	accepts := make([][]*ridepb.ClientFrame, len(l.riders)) // by trip, then by driver
	trips := make([]string, len(l.riders))
	for n, r := range l.riders {
		trip, offers, err := l.request(r)
		if err != nil {
			return err
		}
		trips[n] = trip
		for i, d := range l.drivers {
			accepts[n] = append(accepts[n], d.command(harness.Accept(offers[i])))
		}
	}
	var starts []func()
	for i, d := range l.drivers {
		var mine []*ridepb.ClientFrame
		for n := range trips {
			mine = append(mine, accepts[n][i])
		}
		starts = append(starts, func() { d.thrice(mine...) })
	}
	atOnce(starts...)
	wins, winners := make(map[string]int), make([]string, len(trips))
	for n, trip := range trips {
		winner, err := l.judge(trip, accepts[n])
		if err != nil {
			return err
		}
		winners[n] = winner
		wins[winner]++
	}
	// Everything is decided before the first cancel frees a driver.
	for n, trip := range trips {
		if winners[n] != "" {
			if _, err := l.riders[n].status(trip, ridepb.Trip_matched); err != nil {
				return err
			}
		}
		if err := l.free(l.riders[n], trip, winners[n]); err != nil {
			return err
		}
	}
	for _, d := range l.drivers {
		if wins[d.account] != 1 {
			return fmt.Errorf("%s was offered %d trips, accepted all and won %d", d.Name, len(trips), wins[d.account])
		}
	}
	return nil
}

// TestRaces: I1, I2, I5, I9 and I10, over sockets.
func TestRaces(t *testing.T) {
	for _, at := range stores() {
		t.Run(at.name, func(t *testing.T) { raceAt(t, at.make(t)) })
	}
}

func raceAt(t *testing.T, at place) {
	n := setting(t, "HEXHAIL_RACES", 100)
	s := at.start(t, false, "--position-ttl=1m", "--dispatch-wave-every=1s", "--socket-max-per-address=10000")
	operator := s.Token(ride.RoleOperator, "operator")
	single := func(race func(*lane) (string, string, error)) func(*lane, int) error {
		return func(l *lane, i int) error {
			trip, winner, err := race(l)
			if err == nil && i%25 == 0 {
				err = l.ask(l.riders[0], trip, winner, ridepb.Trip_cancelled)
			}
			return err
		}
	}
	kinds := []struct {
		name                          string
		lanes, riders, drivers, races int
		race                          func(*lane, int) error
	}{
		{"accept/accept", 12, 1, 4, n, single((*lane).acceptAccept)},
		{"accept/cancel", 12, 1, 2, n, single((*lane).acceptCancel)},
		{"many offers", 6, 6, 2, n / 10, func(l *lane, _ int) error { return l.manyOffers() }},
	}
	var all []*lane
	total := make(map[string]counts)
	for _, k := range kinds {
		var lanes []*lane
		for range k.lanes {
			lanes = append(lanes, newLane(t, s, len(all)+len(lanes), k.riders, k.drivers, operator))
		}
		all = append(all, lanes...)
		start := time.Now()
		sum := runLanes(t, lanes, k.races, k.race)
		took := time.Since(start)
		total[k.name] = sum
		t.Logf("%-9s %-13s %6d races in %6.1fs (%s): %+v", at.name, k.name, sum.races, took.Seconds(), perSecond(sum.races, took), sum)
		if t.Failed() {
			t.FailNow()
		}
	}
	require.GreaterOrEqual(t, total["accept/accept"].races, n)
	require.Equal(t, total["accept/accept"].races, total["accept/accept"].won)
	require.Positive(t, total["accept/cancel"].acceptedFirst, "no acceptance ever beat a cancel")
	require.Positive(t, total["accept/cancel"].cancelledFirst, "no cancel ever beat an acceptance")
	require.NoError(t, s.Stop())
	checkTold(t, all)
	at.look(t, func(store *persistence.Store) { checkStored(t, store, all) })
}

// runLanes runs this many races in all lanes concurrently and adds up their counts.
func runLanes(t *testing.T, lanes []*lane, races int, race func(*lane, int) error) (sum counts) {
	t.Helper()
	var started atomic.Int64
	var wg sync.WaitGroup
	for _, l := range lanes {
		wg.Go(func() {
			for {
				i := int(started.Add(1))
				if i > races || t.Failed() {
					return
				}
				if err := race(l, i); err != nil {
					t.Errorf("race %d: %v", i, err)
					return
				}
				l.endRace()
			}
		})
	}
	wg.Wait()
	for _, l := range lanes {
		sum.add(l.count)
	}
	return sum
}
