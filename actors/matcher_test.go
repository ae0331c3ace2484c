package actors

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/dispatch"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// gathering makes a zone plan for all its trips.
func gathering(c *Config) { c.Rules.Policy = ride.DefaultPolicy().As(ride.PolicyBatch) }

// gather is how long a matcher that had nothing to do waits for more trips.
func (w *world) gather() time.Duration { return w.sys.cfg.Matching.Window / gatherPart }

// requestAt requests a trip from a place some metres north of the usual pickup.
func (c *client) requestAt(metres float64) *ridepb.Reply {
	return c.ask(requestFrameAt(metres))
}

func requestFrameAt(metres float64) *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: &ridepb.RequestTrip{
		Pickup: view.Point(geo.Destination(pickup, 0, metres)), Dropoff: view.Point(dropoff),
	}}}
}

// stay repeats that drivers are some metres north of the pickup, second after second.
func stay(d time.Duration, at map[*client]float64) {
	for range int(d / time.Second) {
		for c, metres := range at {
			require.NoError(c.w.t, c.inbox.Location(ride.Position{Point: geo.Destination(pickup, 0, metres), DeviceTime: time.Now()}))
		}
		pass(time.Second)
	}
}

// Two drivers and two riders along a road: a driver, a rider, a driver close to it, and a rider. Each rider for
// itself would take the driver in the middle, and the far driver is out of reach for the second rider.
func TestAPlanSeesAllTrips(t *testing.T) {
	inWorld(t, gathering, func(w *world) {
		far, near := w.driver("far", -2000), w.driver("near", 200)
		first := w.rider("r1").requestAt(0).GetTrip().GetId()
		second := w.rider("r2").requestAt(1500).GetTrip().GetId()
		require.Empty(t, append(near.offers(), far.offers()...), "nobody is asked before the window ends")
		pass(w.gather())
		require.Equal(t, first, far.offer().GetTripId())
		require.Equal(t, second, near.offer().GetTripId())
		wave := w.waves(second)[0]
		require.Equal(t, 1, wave.Windows)
		require.Contains(t, string(wave.Decision), `"policy":"batch"`)
		require.Equal(t, ride.VerdictNeeded, w.store.verdicts(first)["near"])
		require.NotNil(t, far.accept(far.offer()).GetTrip())
		require.NotNil(t, near.accept(near.offer()).GetTrip())
		pass(keepIdle + w.sys.cfg.Matching.Window)
		require.Empty(t, w.sys.place.MatchersHere(), "nobody waits")
	})
}

// Where drivers are ample and nobody else waits nearby, the first offer is in the request's own transaction. A
// trip that waits so near that it may need the same drivers leaves the decision to the window.
func TestAmpleAndAloneIsDecidedAtOnce(t *testing.T) {
	inWorld(t, gathering, func(w *world) {
		for i := range 8 {
			w.driver(fmt.Sprint("d", i), 100+float64(i))
		}
		commits := 0
		w.store.afterwards(func(tr ride.Transition) {
			if tr.Trip != nil {
				commits++
			}
		})
		trip := w.rider("r1").request().GetTrip()
		require.Equal(t, 1, commits)
		require.Empty(t, w.waves(trip.GetId())[0].Decision, "the trip has decided")
		lone := w.rider("r2").requestAt(4000) // nobody is there
		require.NotNil(t, lone.GetTrip())
		require.Empty(t, w.waves(lone.GetTrip().GetId()))
		third := w.rider("r3").requestAt(3000).GetTrip().GetId()
		require.Empty(t, w.waves(third), "another trip waits near it")
		require.Equal(t, 1., counted(t, w.sys.stats.matching.firstBy.WithLabelValues(firstAtOnce)))
		require.Equal(t, 2., counted(t, w.sys.stats.matching.firstBy.WithLabelValues(firstWindow)))
	})
}

// One driver alone is no choice to make at once, but need not wait for a whole window either.
func TestAScarceDriverIsAskedSoon(t *testing.T) {
	inWorld(t, gathering, func(w *world) {
		d := w.driver("d", 100)
		require.NotNil(t, w.rider("r").request().GetTrip(), "the request does not wait for the window")
		require.Empty(t, d.offers())
		pass(w.gather())
		require.NotNil(t, d.accept(d.offer()).GetTrip())
	})
}

// A zone plans with the door, or with the middle of the pickup's cell, which lies further north. The driver's offer is
// about the middle either way.
func TestAPlanEndsAtTheDoor(t *testing.T) {
	for door, asked := range map[bool]string{true: "door", false: "middle"} {
		inWorld(t, func(c *Config) {
			gathering(c)
			c.Rules.Policy.Door = door
		}, func(w *world) {
			drivers := map[string]*client{"door": w.driver("door", 50), "middle": w.driver("middle", 80)}
			trip := w.rider("r").request().GetTrip().GetId()
			pass(w.gather())
			require.Equal(t, trip, drivers[asked].offer().GetTripId())
			wave := w.waves(trip)[0]
			require.NotEmpty(t, wave.Decision)
			require.Positive(t, wave.Offers[0].DistanceM)
			require.Positive(t, wave.Offers[0].DoorM)
			require.NotEqual(t, wave.Offers[0].DistanceM, wave.Offers[0].DoorM)
		})
	}
}

// To the middle of a pickup's cell there is always a line. Drivers without a way to the pickup itself do not keep a
// plan from one who has a way.
func TestAPlanPassesOverDriversWithoutAWay(t *testing.T) {
	inWorld(t, func(c *Config) {
		gathering(c)
		c.Rules.Policy.Door, c.ETA = false, cutOff{nearer: true}
	}, func(w *world) {
		for i := range 12 {
			w.driver(fmt.Sprint("cut off ", i), 20+float64(i))
		}
		d := w.driver("d", 1500)
		trip := w.rider("r").request().GetTrip().GetId()
		pass(w.gather())
		require.Equal(t, trip, d.offer().GetTripId())
		require.NotEmpty(t, w.waves(trip)[0].Decision)
	})
}

// untilCalls are roads whose source is asked so many times until the time for it is over.
type untilCalls struct {
	roads
	left   int
	cancel context.CancelFunc
}

var _ geo.Fan = (*untilCalls)(nil)

func (u *untilCalls) To(ctx context.Context, from []geo.Place, to geo.Place, at time.Time) ([]geo.Route, error) {
	if u.left--; u.left == 0 {
		defer u.cancel()
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return u.roads.To(ctx, from, to, at)
}

// A wave tells of the ways by which its plan has chosen, even if the time for estimates is over by then.
func TestAWaveKeepsTheWaysOfItsPlan(t *testing.T) {
	at := geo.Destination(pickup, 0, 100)
	for door, calls := range map[bool]int{true: 1, false: 2} {
		source := &untilCalls{roads: roads{far: at}}
		inWorld(t, func(c *Config) { c.ETA = source }, func(w *world) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			source.left, source.cancel = calls, cancel
			j := &matchJob{sys: w.sys.shared, round: 7, policy: w.sys.cfg.Matching, now: time.Now()}
			j.policy.MaxETA = 20 * time.Minute
			j.rows = []openRow{{matchNeed: matchNeed{Trip: "t", Pickup: pickup, Door: door}, since: j.now}}
			j.drivers = []cellPut{{Driver: "d", Point: at}}
			plan := j.run(ctx)
			require.Len(t, plan.made, 1)
			asked := plan.made[0].Wave.Considered[0]
			require.Greater(t, asked.DoorM, 5000.0)
			require.Equal(t, door, asked.DistanceM < 1000, "where the plan did not end is guessed")
			require.Equal(t, door, asked.By == geo.ByCrow.String(), "and named as such")
		})
	}
}

// A driver who declines is not asked again, and one who turns up is: each in the next window.
func TestWindowsFollowEachOther(t *testing.T) {
	inWorld(t, gathering, func(w *world) {
		first := w.driver("first", 100)
		r := w.rider("r")
		trip := r.request().GetTrip().GetId()
		pass(w.gather())
		require.NotNil(t, first.decline(first.offer()).GetDone())
		stay(2*w.sys.cfg.Matching.Window, map[*client]float64{first: 100})
		require.Len(t, first.offers(), 1)
		second := w.driver("second", 900)
		stay(w.sys.cfg.Matching.Window, map[*client]float64{first: 100, second: 900})
		require.Equal(t, trip, second.offer().GetTripId())
		require.GreaterOrEqual(t, w.waves(trip)[1].Windows, 2, "those without an offer are counted")
		require.Len(t, w.waves(trip), 2, "and not kept")
		require.NotNil(t, second.accept(second.offer()).GetTrip())
	})
}

// A request that finds nobody ends in time. Its windows leave a few lines on record, and the sweeper lets it be.
func TestAGatheredRequestEnds(t *testing.T) {
	inWorld(t, gathering, func(w *world) {
		r := w.rider("r")
		trip := r.request().GetTrip().GetId()
		limit := w.sys.cfg.Rules.SearchFor
		pass(limit - time.Second)
		require.Equal(t, ride.StatusRequested, w.store.trip(ride.TripID(trip)).Status)
		pass(2 * time.Second)
		got := w.store.trip(ride.TripID(trip))
		require.Equal(t, ride.StatusExpired, got.Status)
		require.EqualValues(t, 1, got.Fence, "nothing had to be loaded again")
		waves := w.waves(trip)
		require.NotEmpty(t, waves)
		require.LessOrEqual(t, len(waves), int(limit/ride.QuietFor))
		for _, wave := range waves {
			require.Empty(t, wave.Offers)
			require.Equal(t, string(dispatch.NoDriver), wave.Why)
			require.GreaterOrEqual(t, wave.Windows, 4)
		}
		require.Zero(t, counted(t, w.sys.stats.matching.fell.WithLabelValues(fellSilent)))
		require.Zero(t, counted(t, w.sys.stats.swept))
	})
}

// deaf is a Placement whose matchers lose what they are told, or only say that they heard it.
type deaf struct {
	*local
	mu     sync.Mutex
	root   func() *actor.RootContext
	ears   *actor.PID
	lose   func(matchNeed) bool
	polite bool // says that it has heard what it loses
	heard  uint64
}

// inDeafWorld runs a test in a gathering world, in which lose says which needs do not arrive.
func inDeafWorld(t *testing.T, polite bool, lose func(matchNeed) bool, test func(w *world, p *deaf)) {
	p := &deaf{lose: lose, polite: polite}
	inWorld(t, func(c *Config) {
		gathering(c)
		c.Placement = func(n Node) Placement {
			p.local = Local(n).(*local)
			return p
		}
	}, func(w *world) {
		p.mu.Lock()
		p.root = func() *actor.RootContext { return w.sys.root }
		p.mu.Unlock()
		test(w, p)
		w.sys.root.Poison(p.ears)
	})
}

func (p *deaf) losing(lose func(matchNeed) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lose = lose
}

// Matcher leads to the zone's matcher through an ear.
func (p *deaf) Matcher(zone geo.Cell) *actor.PID {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ears == nil {
		p.ears = p.root().Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			need, ok := ctx.Message().(matchNeed)
			if !ok {
				return
			}
			p.mu.Lock()
			lost, polite := p.lose != nil && p.lose(need), p.polite
			p.mu.Unlock()
			switch {
			case !lost:
				ctx.RequestWithCustomSender(p.local.Matcher(zone), need, ctx.Sender())
			case polite && !need.Over: // it plans, but not for this trip
				p.heard++
				ctx.Respond(matchWord{Trip: need.Trip, Asked: need.Asked, Round: p.heard})
			}
		}))
	}
	return p.ears
}

func allNeeds(matchNeed) bool { return true }

// A matcher that does not answer costs a second: the trip then searches by itself, and goes back once the matcher
// answers again.
func TestWithoutAMatcherTripsSearchThemselves(t *testing.T) {
	inDeafWorld(t, false, allNeeds, func(w *world, p *deaf) {
		first := w.driver("first", 100)
		r := w.rider("r")
		id := r.send(requestFrame())
		pass(firstWithin)
		trip := r.box.reply(id).GetTrip().GetId()
		require.NotEmpty(t, trip, "the request waits no longer to hear who else waits")
		pass(heardWithin)
		require.Equal(t, trip, first.offer().GetTripId())
		require.Equal(t, 1., counted(t, w.sys.stats.matching.fell.WithLabelValues(fellUnheard)))
		require.NotNil(t, first.decline(first.offer()).GetDone())
		second := w.driver("second", 300)
		require.Equal(t, trip, second.offer().GetTripId(), "it searches as nearest does")
		p.losing(nil)
		require.NotNil(t, second.decline(second.offer()).GetDone())
		pass(heardWithin)
		third := w.driver("third", 400)
		stay(registerEvery+w.sys.cfg.Matching.Window, map[*client]float64{third: 400})
		require.Equal(t, trip, third.offer().GetTripId())
		waves := w.waves(trip)
		require.NotEmpty(t, waves[len(waves)-1].Decision, "the matcher has planned it")
		require.NotNil(t, third.accept(third.offer()).GetTrip())
	})
}

// Nor is a matcher enough that hears and never plans.
func TestASilentMatcherIsNotWaitedFor(t *testing.T) {
	inDeafWorld(t, true, func(n matchNeed) bool { return !n.First }, func(w *world, _ *deaf) {
		d, r := w.driver("d", 100), w.rider("r")
		trip := r.request().GetTrip().GetId()
		stay(silentWindows*w.sys.cfg.Matching.Window-time.Second, map[*client]float64{d: 100})
		require.Empty(t, d.offers())
		stay(2*time.Second, map[*client]float64{d: 100})
		require.Equal(t, trip, d.offer().GetTripId())
		require.Equal(t, 1., counted(t, w.sys.stats.matching.fell.WithLabelValues(fellSilent)))
	})
}

// Waves for a trip that get lost are no sign of life, whatever the matcher plans for others.
func TestLostWavesAreNotWaitedFor(t *testing.T) {
	inClusterWith(t, 3, gathering, func(c *cluster) {
		others := c.others()
		c.net.losing(func(f *nodepb.NodeFrame) bool { return f.GetMatchMade() != nil })
		d := others[0].driver("d", 100)
		require.NotNil(t, others[0].rider("lone").requestAt(4000).GetTrip(), "nobody is there, and it is planned for all the time")
		trip := others[1].rider("r").request().GetTrip().GetId()
		stay(silentWindows*d.w.sys.cfg.Matching.Window+time.Second, map[*client]float64{d: 100})
		require.Equal(t, trip, d.offer().GetTripId(), "it has found the driver itself")
		require.NotZero(t, counted(t, others[1].sys.stats.matching.fell.WithLabelValues(fellSilent)))
	})
}

// However long a window is, a search does not end while its trip waits to hear of a plan.
func TestASilentMatcherLeavesTimeToSearch(t *testing.T) {
	inDeafWorld(t, true, func(n matchNeed) bool { return !n.First }, func(w *world, _ *deaf) {
		w.sys.cfg.Matching.Window = 2 * time.Minute
		d, r := w.driver("d", 100), w.rider("r")
		trip := r.request().GetTrip().GetId()
		stay(w.sys.cfg.Rules.SearchFor/silentPart+ride.QuietFor, map[*client]float64{d: 100})
		require.Equal(t, trip, d.offer().GetTripId())
	})
}

// A lost registration is repeated, and a trip that has fallen back meanwhile is asked for once.
func TestALostRegistrationIsRepeated(t *testing.T) {
	lost := 0
	inDeafWorld(t, false, func(n matchNeed) bool {
		if n.First || n.Over || lost > 0 {
			return false
		}
		lost++
		return true
	}, func(w *world, _ *deaf) {
		r := w.rider("r")
		trip := r.request().GetTrip().GetId()
		pass(registerEvery + time.Second)
		require.Equal(t, 1, lost)
		d := w.driver("d", 100)
		stay(w.sys.cfg.Matching.Window, map[*client]float64{d: 100})
		require.Len(t, d.offers(), 1)
		require.Equal(t, trip, d.offer().GetTripId())
	})
}

// What a matcher knows is gone with it, and back within seconds.
func TestAMatcherStartsAgain(t *testing.T) {
	inWorld(t, gathering, func(w *world) {
		trip := w.rider("r").request().GetTrip().GetId()
		pass(2 * w.sys.cfg.Matching.Window)
		for zone, pid := range w.sys.place.MatchersHere() {
			w.sys.place.RetireMatcher(zone, pid)
		}
		d := w.driver("d", 100)
		stay(registerEvery+w.sys.cfg.Matching.Window, map[*client]float64{d: 100})
		require.Equal(t, trip, d.offer().GetTripId())
		require.Zero(t, counted(t, w.sys.stats.matching.fell.WithLabelValues(fellUnheard)))
		require.NotNil(t, d.accept(d.offer()).GetTrip())
	})
}

// Everything in memory is gone, and a trip that waited finds its driver.
func TestAGatheredTripSurvivesItsNode(t *testing.T) {
	inWorld(t, gathering, func(w *world) {
		trip := w.rider("r").request().GetTrip().GetId()
		pass(2 * w.sys.cfg.Matching.Window)
		w.crash(gathering)
		d := w.driver("d", 100)
		stay(w.sys.cfg.Matching.Window, map[*client]float64{d: 100})
		require.Equal(t, trip, d.offer().GetTripId())
	})
}

// slowly is gathering with ways that take most of a second to find.
func slowly(c *Config) {
	gathering(c)
	c.ETA = roads{takes: 200 * time.Millisecond}
}

// planning requests a trip and waits until its zone is being planned.
func (c *client) planning() (trip string) {
	c.w.t.Helper()
	id := c.send(requestFrame())
	for range 100 {
		pass(50 * time.Millisecond)
		c.w.sys.workers.mu.Lock()
		running := c.w.sys.workers.running
		c.w.sys.workers.mu.Unlock()
		if trip = c.box.reply(id).GetTrip().GetId(); trip != "" && running > 0 {
			return trip
		}
	}
	c.w.t.Fatal("nothing is planned")
	return ""
}

// What changes while a plan is made is not undone by it.
func TestWhatChangesDuringAPlan(t *testing.T) {
	t.Run("the request is cancelled", func(t *testing.T) {
		inWorld(t, slowly, func(w *world) {
			d, r := w.driver("d", 100), w.rider("r")
			trip := r.planning()
			require.Equal(t, ridepb.Trip_cancelled, r.cancel(trip).GetTrip().GetStatus())
			pass(time.Second)
			require.Empty(t, d.offers())
		})
	})
	t.Run("the driver goes offline", func(t *testing.T) {
		inWorld(t, slowly, func(w *world) {
			near, far := w.driver("near", 100), w.driver("far", 900)
			trip := w.rider("r").planning()
			require.NotNil(t, near.goOffline().GetDone())
			stay(w.sys.cfg.Matching.Window+time.Second, map[*client]float64{far: 900})
			require.Empty(t, near.offers())
			require.Equal(t, trip, far.offer().GetTripId())
		})
	})
	t.Run("the matcher stops", func(t *testing.T) {
		inWorld(t, slowly, func(w *world) {
			d := w.driver("d", 100)
			trip := w.rider("r").planning()
			for zone, pid := range w.sys.place.MatchersHere() {
				w.sys.place.RetireMatcher(zone, pid)
			}
			stay(registerEvery+w.sys.cfg.Matching.Window, map[*client]float64{d: 100})
			require.Equal(t, trip, d.offer().GetTripId())
			require.Len(t, d.offers(), 1)
		})
	})
}

// Two zones see a driver between them. Whoever asks first holds the driver, and the other zone plans again.
func TestADriverInTwoRims(t *testing.T) {
	inWorld(t, func(c *Config) {
		slowly(c) // both plans are under way before either has asked
		c.ZoneResolution, c.EstimatesAtOnce = c.Resolution, 4
	}, func(w *world) {
		between := w.driver("between", 1000)
		r1, r2 := w.rider("r1"), w.rider("r2")
		one, two := r1.send(requestFrameAt(0)), r2.send(requestFrameAt(2000))
		stay(w.gather()+2*time.Second, map[*client]float64{between: 1000})
		require.Len(t, w.sys.place.MatchersHere(), 2)
		first, second := r1.box.reply(one).GetTrip().GetId(), r2.box.reply(two).GetTrip().GetId()
		require.Len(t, between.offers(), 1, "a driver is asked for one trip at a time")
		asked, other := between.offer().GetTripId(), first
		if asked == first {
			other = second
		}
		require.Equal(t, []string{"between withdrawn driver_held"}, w.store.endsOf(other))
		require.NotNil(t, between.decline(between.offer()).GetDone())
		stay(w.sys.cfg.Matching.Window+time.Second, map[*client]float64{between: 1000})
		require.Equal(t, other, between.offer().GetTripId())
		require.NotNil(t, between.accept(between.offer()).GetTrip())
	})
}
