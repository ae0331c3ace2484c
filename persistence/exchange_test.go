package persistence_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/storetest"
)

// TestExchangeRace: through two stores on one database, drivers are exchanged in circles while trips are accepted,
// given back, cancelled, arrive and are completed, each on the version that all began with. Of what contends for a trip
// one is written; an exchange is written in all its trips or in none; and at the end each driver has one trip at most.
func TestExchangeRace(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o := e.at(t)
			race := &exchangeRace{t: t, nodes: []*persistence.Store{open(t, o), open(t, o)}}
			for round := range 4 {
				race.run(round)
			}
			for _, s := range race.nodes {
				require.Zero(t, s.Stats().Failures)
			}
		})
	}
}

const racers = 6

type exchangeRace struct {
	t     *testing.T
	nodes []*persistence.Store

	mu      sync.Mutex
	written map[ride.TripID]int // transitions, by trip
	groups  [][]ride.TripID     // exchanges that were written
}

func (r *exchangeRace) run(round int) {
	r.written, r.groups = make(map[ride.TripID]int), nil
	trips := make([]*storetest.History, racers)
	var asked []*storetest.History // waits for one of the same drivers
	for i := range trips {
		name := func(kind string) string { return fmt.Sprint(kind, round, "-", i) }
		trips[i] = storetest.Matched(r.t, r.nodes[0], name("t"), name("r"), name("d"))
		h := storetest.Stored(r.t, r.nodes[0], name("w"), name("x"))
		storetest.Commit(r.t, r.nodes[0], h.Then(h.OfferTo(fmt.Sprint("d", round, "-", (i+1)%racers))))
		asked = append(asked, h)
	}
	var wg sync.WaitGroup
	for i := range trips {
		next := trips[(i+1)%racers]
		for n, size := range []int{2, 3, 2} { // overlapping circles, from both nodes
			wg.Go(func() { r.exchange(r.nodes[(i+n)%2], trips, i, size) })
		}
		for n, e := range []func(*storetest.History) ride.Event{
			func(h *storetest.History) ride.Event { return ride.Arrived{At: h.Tick()} },
			func(h *storetest.History) ride.Event { return ride.Cancelled{At: h.Tick(), By: ride.ByRider} },
			func(h *storetest.History) ride.Event {
				return ride.Released{At: h.Tick(), Driver: h.DriverID(), By: ride.ByDriver}
			},
		} {
			if (i+n)%3 == 0 {
				wg.Go(func() { r.commit(r.nodes[n%2], trips[i], e) })
			}
		}
		wg.Go(func() {
			r.commit(r.nodes[i%2], asked[i], func(h *storetest.History) ride.Event { return h.Match(string(next.DriverID())) })
		})
	}
	wg.Wait()
	r.judge(append(trips, asked...))
}

// exchange moves the drivers of some trips one further.
func (r *exchangeRace) exchange(s *persistence.Store, trips []*storetest.History, first, size int) {
	var ts []ride.Transition
	var ids []ride.TripID
	for k := range size {
		h := *trips[(first+k)%racers]
		driver := trips[(first+(k+1)%size)%racers].DriverID()
		ts, ids = append(ts, h.Then(h.Exchange(string(driver)))), append(ids, h.ID)
	}
	r.note(s.CommitAll(r.t.Context(), ts), ids)
}

func (r *exchangeRace) commit(s *persistence.Store, of *storetest.History, event func(*storetest.History) ride.Event) {
	h := *of
	r.note(s.Commit(r.t.Context(), h.Then(event(&h))), []ride.TripID{h.ID})
}

func (r *exchangeRace) note(err error, ids []ride.TripID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		for _, id := range ids {
			r.written[id]++
		}
		if len(ids) > 1 {
			r.groups = append(r.groups, ids)
		}
	case errors.Is(err, ride.ErrStale), errors.Is(err, ride.ErrDriverBusy):
		var blame *ride.TripError
		if len(ids) > 1 && (!errors.As(err, &blame) || blame.Trip == "") {
			r.t.Errorf("nobody is to blame: %v", err)
		}
	default:
		r.t.Errorf("%v: %v", ids, err)
	}
}

func (r *exchangeRace) judge(trips []*storetest.History) {
	t, s := r.t, r.nodes[0]
	has := map[ride.AccountID]ride.TripID{}
	exchanged := map[ride.TripID]bool{}
	for _, ids := range r.groups {
		for _, id := range ids {
			exchanged[id] = true
		}
	}
	for _, h := range trips {
		got, err := s.Trip(t.Context(), h.ID)
		require.NoError(t, err)
		require.LessOrEqual(t, r.written[h.ID], 1, "two were decided on one version of %s", h.ID)
		require.Equal(t, h.Version+int64(r.written[h.ID]), got.Version)
		events, err := s.TripEvents(t.Context(), h.ID)
		require.NoError(t, err)
		require.Len(t, events, int(got.Version))
		require.Equal(t, exchanged[h.ID], got.Change == ride.KindExchanged, "%s: an exchange is whole or none", h.ID)
		if d := got.DriverID(); d != "" && got.Status.Occupied() {
			require.Empty(t, has[d], "%s has two trips", d)
			has[d] = h.ID
			active, err := s.ActiveTrip(t.Context(), d, ride.RoleDriver)
			require.NoError(t, err)
			require.Equal(t, h.ID, active.ID)
		}
	}
}

// crashExchanges tells a process that is killed to exchange drivers.
const crashExchanges = "HEXHAIL_TEST_CRASH_EXCHANGES"

// exchangeForEver has the drivers of two trips change places, over and over, in several pairs at once, and prints each
// exchange once it is acknowledged.
func exchangeForEver(place string) {
	s, err := persistence.Open(context.Background(), optionsFor(place))
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	var mu sync.Mutex
	for g := range 8 {
		go func() {
			var pair [2]*storetest.History
			for k := range pair {
				name := fmt.Sprintf("p%d-%d-%d", os.Getpid(), g, k)
				h, request := storetest.Requested(name, "rider of "+name)
				for _, tr := range []ride.Transition{request, h.Then(h.OfferTo(name)), h.Then(h.Match(name))} {
					if err := s.Commit(context.Background(), tr); err != nil {
						fmt.Println("error", err)
						os.Exit(1)
					}
				}
				pair[k] = h
			}
			for n := 1; n < 150; n++ {
				a, b := pair[0], pair[1]
				x, y := string(a.DriverID()), string(b.DriverID())
				if err := s.CommitAll(context.Background(), []ride.Transition{a.Then(a.Exchange(y)), b.Then(b.Exchange(x))}); err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
				mu.Lock()
				fmt.Printf("p%d-%d-%d\n", os.Getpid(), g, n)
				mu.Unlock()
			}
		}()
	}
	select {}
}

// TestExchangesOfAKilledProcess: an exchange is whole or has not happened, and what was acknowledged has.
func TestExchangesOfAKilledProcess(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o := e.at(t)
			place := strings.TrimSpace(o.Path + o.DatabaseURL + " " + o.DatabaseDirectURL)
			require.NoError(t, open(t, o).Close())
			acknowledged := killAfter(t, place, 200, crashExchanges+"=1")
			s := open(t, o)
			exchanges := map[string]int{} // by pair, the newest one
			for _, line := range acknowledged {
				pair, n, _ := cutLast(line)
				exchanges[pair] = max(exchanges[pair], n)
			}
			require.NotEmpty(t, exchanges)
			for pair, n := range exchanges {
				var drivers [2]string
				var versions [2]int64
				for k := range drivers {
					got, err := s.Trip(t.Context(), ride.TripID(fmt.Sprint(pair, "-", k)))
					require.NoError(t, err)
					drivers[k], versions[k] = string(got.DriverID()), got.Version
					active, err := s.ActiveTrip(t.Context(), got.DriverID(), ride.RoleDriver)
					require.NoError(t, err)
					require.Equal(t, got.ID, active.ID)
				}
				require.Equal(t, versions[0], versions[1], "half an exchange")
				require.GreaterOrEqual(t, versions[0], int64(3+n), "an exchange is lost")
				at := int(versions[0]-3) % 2
				require.Equal(t, [2]string{fmt.Sprint(pair, "-", at), fmt.Sprint(pair, "-", 1-at)}, drivers)
			}
		})
	}
}

func cutLast(line string) (pair string, n int, err error) {
	i := strings.LastIndexByte(line, '-')
	_, err = fmt.Sscan(line[i+1:], &n)
	return line[:i], n, err
}
