package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/ride/view"
)

// messages has one test for every message of the protocol, named after the oneof that holds it.
// They share a server, so each stays in its own world.
var messages = map[string]func(w *world){
	"client/connect": func(w *world) {
		_, c := w.join(ride.RoleDriver)
		require.NotEmpty(w.t, c.GetSessionId())
		require.NotEmpty(w.t, c.GetEpoch())
		require.NotEmpty(w.t, c.GetAccountId())
		require.False(w.t, c.GetResumed())
		require.Equal(w.t, ridepb.Role_driver, c.GetRole())
	},
	"client/ping": func(w *world) {
		require.NotNil(w.t, w.rider().Ask(harness.Ping()).GetPong())
	},
	"client/go_online": func(w *world) {
		d, c := w.join(ride.RoleDriver)
		require.False(w.t, c.GetOnline())
		require.NotNil(w.t, d.Ask(harness.GoOnline(w.at)).GetDone())
		_, c = w.as(ride.RoleDriver, d.Name, nil)
		require.True(w.t, c.GetOnline())
	},
	"client/go_offline": func(w *world) {
		d, rider := w.driver(50), w.rider()
		offer := d.Offer(w.request(rider).GetId())
		require.NotNil(w.t, d.Ask(harness.GoOffline()).GetDone())
		end := d.OfferEnd(offer.GetId())
		require.Equal(w.t, ridepb.OfferClosed_withdrawn, end.GetOutcome())
		require.Equal(w.t, "went_offline", end.GetReason())
		_, c := w.as(ride.RoleDriver, d.Name, nil)
		require.False(w.t, c.GetOnline())
	},
	"client/location": func(w *world) {
		d, _ := w.join(ride.RoleDriver)
		// Online without a position is not available; the position makes it so.
		require.NotNil(w.t, d.Ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_GoOnline{GoOnline: &ridepb.GoOnline{}}}).GetDone())
		d.Send(harness.At(w.at))
		d.Offer(w.request(w.rider()).GetId())
		for _, r := range d.Replies() {
			require.Nil(w.t, r.GetError(), "a location has no reply")
		}
	},
	"client/get_quote": func(w *world) {
		w.driver(100)
		rider := w.rider()
		quotes := rider.Ask(harness.Quote(w.at, w.to)).GetQuotes().GetQuotes()
		require.NotEmpty(w.t, quotes)
		one := harness.Quote(w.at, w.to)
		one.GetGetQuote().VehicleClass = "standard"
		only := rider.Ask(one).GetQuotes().GetQuotes()
		require.Len(w.t, only, 1)
		require.Equal(w.t, "standard", only[0].GetVehicleClass())
	},
	"client/request_trip": func(w *world) {
		f := harness.Request(w.at, w.to)
		q := f.GetRequestTrip()
		q.PickupAddress, q.DropoffAddress, q.VehicleClass, q.Passengers, q.Note = "Gate 3", "Home", "standard", 2, "Two bags"
		trip := w.rider().Ask(f).GetTrip()
		require.Equal(w.t, ridepb.Trip_requested, trip.GetStatus())
		require.EqualValues(w.t, 2, trip.GetVersion(), "requested, and the first wave with it")
		require.True(w.t, proto.Equal(q.GetPickup(), trip.GetPickup()))
		require.True(w.t, proto.Equal(q.GetDropoff(), trip.GetDropoff()))
		require.Equal(w.t, []any{"Gate 3", "Home", "standard", uint32(2), "Two bags"},
			[]any{trip.GetPickupAddress(), trip.GetDropoffAddress(), trip.GetVehicleClass(), trip.GetPassengers(), trip.GetNote()})
		require.Positive(w.t, trip.GetEstimate().GetFare().GetMinor())
	},
	"client/cancel_trip": func(w *world) {
		rider, d := w.rider(), w.driver(80)
		trip := w.match(rider, d)
		f := harness.Cancel(trip.GetId())
		f.GetCancelTrip().Reason = "flat tyre"
		require.NotNil(w.t, d.Ask(f).GetDone(), "a driver who gives the trip back no longer sees it")
		back := rider.Await("the trip on the market again", 0, func(e *ridepb.Event) bool {
			return e.GetTripUpdated().GetChange() == "released"
		}).GetTripUpdated().GetTrip()
		require.Equal(w.t, ridepb.Trip_requested, back.GetStatus())
		require.Nil(w.t, back.GetDriver())
		mine := harness.Cancel(trip.GetId())
		mine.GetCancelTrip().Reason = "I walk"
		over := rider.Ask(mine).GetTrip()
		require.Equal(w.t, ridepb.Trip_cancelled, over.GetStatus())
		require.Equal(w.t, ridepb.Cancellation_rider, over.GetCancellation().GetBy())
		require.Equal(w.t, "I walk", over.GetCancellation().GetReason())
	},
	"client/accept_offer": func(w *world) {
		rider, d := w.rider(), w.driver(80)
		trip := w.match(rider, d)
		require.Equal(w.t, rider.Name, trip.GetRider().GetFirstName())
		require.Nil(w.t, trip.GetDriver(), "drivers do not get their own card")
	},
	"client/decline_offer": func(w *world) {
		d := w.driver(80)
		offer := d.Offer(w.request(w.rider()).GetId())
		f := harness.Decline(offer.GetId())
		f.GetDeclineOffer().Reason = "lunch"
		require.NotNil(w.t, d.Ask(f).GetDone())
		require.Equal(w.t, ridepb.OfferClosed_declined, d.OfferEnd(offer.GetId()).GetOutcome())
	},
	"client/arrived":       func(w *world) { w.step(ridepb.Trip_arrived) },
	"client/start_trip":    func(w *world) { w.step(ridepb.Trip_in_progress) },
	"client/complete_trip": func(w *world) { w.step(ridepb.Trip_completed) },
	"client/rate_trip": func(w *world) {
		rider, d, trip := w.step(ridepb.Trip_completed)
		f := harness.Rate(trip, 4)
		f.GetRateTrip().Comment = "smooth"
		require.EqualValues(w.t, 4, rider.Ask(f).GetTrip().GetStarsByRider())
		seen := d.Ask(harness.Rate(trip, 5)).GetTrip()
		require.EqualValues(w.t, 5, seen.GetStarsByDriver())
		require.Zero(w.t, seen.GetStarsByRider(), "the driver does not see the rider's rating")
	},

	"reply/error": func(w *world) {
		e := refused(w.t, ride.ErrInvalidPoint, w.rider().Ask(&ridepb.ClientFrame{
			Body: &ridepb.ClientFrame_GetQuote{GetQuote: &ridepb.GetQuote{Pickup: view.Point(w.at)}},
		}))
		require.Equal(w.t, "get_quote.dropoff", e.GetField())
	},
	"reply/connected": func(w *world) {
		rider, d := w.rider(), w.driver(80)
		trip := w.request(rider)
		offer := d.Offer(trip.GetId())
		_, c := w.as(ride.RoleDriver, d.Name, nil)
		require.Len(w.t, c.GetOpenOffers(), 1)
		require.True(w.t, proto.Equal(offer, c.GetOpenOffers()[0]))
		require.Positive(w.t, c.GetHeartbeatMs())
		require.Positive(w.t, c.GetPositionTtlMs())
		require.WithinDuration(w.t, time.Now(), c.GetServerTime().AsTime(), harness.Patience)
		_, c = w.as(ride.RoleRider, rider.Name, nil)
		require.Equal(w.t, trip.GetId(), c.GetActiveTrip().GetId())
		require.Equal(w.t, ridepb.Role_rider, c.GetRole())
	},
	"reply/pong": func(w *world) {
		at := w.rider().Ask(harness.Ping()).GetPong().GetServerTime().AsTime()
		require.WithinDuration(w.t, time.Now(), at, harness.Patience)
	},
	"reply/done": func(w *world) {
		d, _ := w.join(ride.RoleDriver)
		require.NotNil(w.t, d.Ask(harness.GoOffline()).GetDone())
	},
	"reply/quotes": func(w *world) {
		w.driver(100)
		for _, q := range w.rider().Ask(harness.Quote(w.at, w.to)).GetQuotes().GetQuotes() {
			require.Positive(w.t, q.GetDistanceM())
			require.Positive(w.t, q.GetDurationS())
			require.Positive(w.t, q.GetFare().GetMinor())
			require.Len(w.t, q.GetFare().GetCurrency(), 3)
			if q.GetVehicleClass() == "standard" {
				require.EqualValues(w.t, 1, q.GetDriversNearby())
				require.Positive(w.t, q.GetPickupEtaS())
			} else {
				require.Zero(w.t, q.GetDriversNearby())
				require.Zero(w.t, q.GetPickupEtaS())
			}
		}
	},
	"reply/trip": func(w *world) {
		rider := w.rider()
		trip := w.request(rider)
		require.NotEmpty(w.t, trip.GetId())
		require.NotNil(w.t, trip.GetEstimate())
		require.True(w.t, trip.GetSearch().GetExpiresAt().AsTime().After(trip.GetRequestedAt().AsTime()))
		require.Nil(w.t, trip.GetRider(), "riders do not get their own card")
	},
	"reply/accept_pending": nil, // needs another award rule: TestAcceptPending

	"event/approval_changed": nil, // needs a server with driver-approval: TestDriversWaitForApproval
	"event/trip_updated": func(w *world) {
		rider, d := w.rider(), w.driver(80)
		trip := w.match(rider, d)
		e := rider.Await("the match", 0, func(e *ridepb.Event) bool { return e.GetTripUpdated().GetChange() == "matched" })
		seen := e.GetTripUpdated().GetTrip()
		require.Equal(w.t, trip.GetVersion(), seen.GetVersion())
		require.Equal(w.t, d.Name, seen.GetDriver().GetFirstName())
		require.Equal(w.t, "HX "+d.Name, seen.GetDriver().GetPlate())
		require.NotZero(w.t, e.GetSeq())
	},
	"event/offer_received": func(w *world) {
		d := w.driver(300)
		trip := w.request(w.rider())
		o := d.Offer(trip.GetId())
		require.Equal(w.t, "standard", o.GetVehicleClass())
		require.Positive(w.t, o.GetPickupDistanceM())
		require.Zero(w.t, o.GetPickupDistanceM()%o.GetPickupRadiusM(), "no finer than the area; otherwise three offers would locate the pickup")
		require.Positive(w.t, o.GetPickupEtaS())
		require.Positive(w.t, o.GetFare().GetMinor())
		require.True(w.t, o.GetExpiresAt().AsTime().After(time.Now()))
		area := geo.FromE7(o.GetPickupArea().GetLatE7(), o.GetPickupArea().GetLngE7())
		require.LessOrEqual(w.t, geo.DistanceM(area, w.at), float64(o.GetPickupRadiusM())+1)
		require.Greater(w.t, geo.DistanceM(area, w.at), 0.0, "coarse")
	},
	"event/offer_closed": func(w *world) {
		rider, near, far := w.rider(), w.driver(50), w.driver(400)
		trip := w.request(rider)
		won, lost := near.Offer(trip.GetId()), far.Offer(trip.GetId())
		w.accept(near, trip)
		require.Equal(w.t, ridepb.OfferClosed_won, near.OfferEnd(won.GetId()).GetOutcome())
		end := far.OfferEnd(lost.GetId())
		require.Equal(w.t, ridepb.OfferClosed_withdrawn, end.GetOutcome())
		require.Equal(w.t, "taken", end.GetReason())
		require.Equal(w.t, trip.GetId(), end.GetTripId())
	},
	"event/driver_moved": func(w *world) {
		rider, d := w.rider(), w.driver(400)
		trip := w.match(rider, d)
		rider.Status(trip.GetId(), ridepb.Trip_matched)
		at := geo.Destination(w.at, 0, 390)
		f := harness.At(at)
		f.GetLocation().HeadingDeg = 180
		d.Send(f)
		m := rider.Await("the driver's move", 0, func(e *ridepb.Event) bool { return e.GetDriverMoved() != nil }).GetDriverMoved()
		require.Equal(w.t, trip.GetId(), m.GetTripId())
		require.True(w.t, proto.Equal(f.GetLocation().GetPoint(), m.GetPoint()))
		require.EqualValues(w.t, 180, m.GetHeadingDeg())
		require.Positive(w.t, m.GetEtaS())
		require.WithinDuration(w.t, f.GetLocation().GetDeviceTime().AsTime(), m.GetDeviceTime().AsTime(), time.Millisecond)
	},
	"event/route_changed": func(w *world) {
		rider, d := w.rider(), w.driver(400)
		trip := w.match(rider, d)
		changed := func(e *ridepb.Event) bool { return e.GetRouteChanged() != nil }
		mine := d.Await("the driver's route", 0, changed).GetRouteChanged().GetRoute()
		require.Equal(w.t, trip.GetId(), mine.GetTripId())
		require.Equal(w.t, ridepb.TripRoute_pickup, mine.GetLeg())
		require.Equal(w.t, ridepb.TripRoute_crow, mine.GetBy())
		require.InDelta(w.t, 520, mine.GetDistanceM(), 1)
		rider.Status(trip.GetId(), ridepb.Trip_matched)
		d.Send(harness.At(geo.Destination(w.at, 0, 390)))
		theirs := rider.Await("the rider's route", 0, changed).GetRouteChanged().GetRoute()
		require.Equal(w.t, mine.GetRevision(), theirs.GetRevision())
		// An actor that moves to another node with its session gets the route after the snapshot.
		again := func(role ride.Role, name string) *ridepb.TripRoute {
			c, connected := w.as(role, name, nil)
			if route := connected.GetRoute(); route != nil {
				return route
			}
			return c.Await("the route after the snapshot", 0, changed).GetRouteChanged().GetRoute()
		}
		require.True(w.t, proto.Equal(theirs, again(ride.RoleRider, rider.Name)))
		anew := again(ride.RoleDriver, d.Name)
		if !onCluster(w.t) {
			require.True(w.t, proto.Equal(mine, anew))
			return
		}
		require.GreaterOrEqual(w.t, anew.GetRevision(), mine.GetRevision(), "planned anew where the driver's actor has moved")
		require.Equal(w.t, mine.GetTripId(), anew.GetTripId())
		require.Equal(w.t, mine.GetLeg(), anew.GetLeg())
	},
	"client/watch_city": func(w *world) {
		w.driver(100)
		operator, _ := w.join(ride.RoleOperator)
		f := harness.WatchCity()
		f.GetWatchCity().Area = around(w.at)
		require.NotNil(w.t, operator.Ask(f).GetCityWatched())
		awaitCity(operator, "the one driver here", func(m *ridepb.CityChanged) bool { return len(m.GetDrivers()) == 1 })

		f = harness.WatchCity()
		f.GetWatchCity().IntervalMs = 100
		require.Equal(w.t, "watch_city.interval_ms", operator.Ask(f).GetError().GetField())
		f = harness.WatchCity()
		f.GetWatchCity().Area = &ridepb.Area{SouthWest: view.Point(w.at)}
		require.Equal(w.t, "watch_city.area.north_east", operator.Ask(f).GetError().GetField())
	},
	"client/unwatch_city": func(w *world) {
		operator, _ := w.join(ride.RoleOperator)
		require.NotNil(w.t, operator.Ask(harness.UnwatchCity()).GetDone(), "harmless when nothing is watched")
		operator.Ask(harness.WatchCity())
		awaitCity(operator, "a change", func(*ridepb.CityChanged) bool { return true })
		require.NotNil(w.t, operator.Ask(harness.UnwatchCity()).GetDone())
		operator.Take()
		// Nothing signals that an event will not arrive, so wait until another operator sees the
		// change.
		other, _ := w.join(ride.RoleOperator)
		f := harness.WatchCity()
		f.GetWatchCity().Area = around(w.at)
		require.NotNil(w.t, other.Ask(f).GetCityWatched())
		d := w.driver(100)
		awaitCity(other, "the driver", func(m *ridepb.CityChanged) bool { return len(m.GetDrivers()) == 1 })
		d.Ask(harness.GoOffline())
		awaitCity(other, "its end", func(m *ridepb.CityChanged) bool { return len(m.GetDriversGone()) == 1 })
		require.NotNil(w.t, operator.Ask(harness.Ping()).GetPong())
		require.Empty(w.t, operator.Events())
	},
	"reply/city_watched": func(w *world) {
		operator, _ := w.join(ride.RoleOperator)
		for n := range uint32(2) {
			watched := operator.Ask(harness.WatchCity()).GetCityWatched()
			require.Equal(w.t, n+1, watched.GetWatch())
			require.EqualValues(w.t, 250, watched.GetIntervalMs())
			require.EqualValues(w.t, 8, watched.GetResolution())
			require.WithinDuration(w.t, time.Now(), watched.GetNodeStartedAt().AsTime(), time.Hour)
		}
		f := harness.WatchCity()
		f.GetWatchCity().IntervalMs = 0
		require.EqualValues(w.t, 1000, operator.Ask(f).GetCityWatched().GetIntervalMs())
	},
	"event/city_changed": func(w *world) {
		operator, _ := w.join(ride.RoleOperator)
		f := harness.WatchCity()
		f.GetWatchCity().Area = around(w.at)
		operator.Ask(f)
		awaitCity(operator, "an empty snapshot", func(m *ridepb.CityChanged) bool {
			return m.GetReset_() && len(m.GetDrivers())+len(m.GetTrips()) == 0 && m.GetTotals() != nil && m.GetWatch() == 1
		})
		d := w.driver(100)
		awaitCity(operator, "a driver", func(m *ridepb.CityChanged) bool {
			return len(m.GetDrivers()) == 1 && m.GetDrivers()[0].GetState() == ridepb.CityDriver_available
		})
		trip := w.request(w.rider()).GetId()
		awaitCity(operator, "a trip", func(m *ridepb.CityChanged) bool {
			return len(m.GetTrips()) == 1 && m.GetTrips()[0].GetId() == trip
		})
		d.Ask(harness.GoOffline())
		awaitCity(operator, "the driver's removal", func(m *ridepb.CityChanged) bool { return len(m.GetDriversGone()) == 1 })
	},
	"event/disconnecting": func(w *world) {
		first := w.rider()
		_, _ = w.as(ride.RoleRider, first.Name, nil)
		d := first.Await("disconnecting", 0, func(e *ridepb.Event) bool { return e.GetDisconnecting() != nil }).GetDisconnecting()
		require.EqualValues(w.t, ridepb.CloseReplaced, d.GetCloseCode())
		require.Equal(w.t, "replaced", d.GetReason())
		require.EqualValues(w.t, ridepb.CloseReplaced, first.Closed())
	},
}

// around is an area of about 2 km around a point, far smaller than the distance between worlds.
func around(p geo.Point) *ridepb.Area {
	return &ridepb.Area{SouthWest: view.Point(geo.Destination(p, 225, 1500)), NorthEast: view.Point(geo.Destination(p, 45, 1500))}
}

// step drives a ride to a status and checks that the rider receives it.
func (w *world) step(to ridepb.Trip_Status) (rider, driver *harness.Client, trip string) {
	w.t.Helper()
	rider, driver = w.rider(), w.driver(30)
	trip = w.match(rider, driver).GetId()
	seen := w.drive(driver, trip, to)
	told := rider.Status(trip, to)
	require.Equal(w.t, seen.GetVersion(), told.GetVersion())
	require.True(w.t, proto.Equal(seen.GetFare(), told.GetFare()))
	return rider, driver, trip
}

func TestMessages(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		s := start()
		t.Run("all", func(t *testing.T) { // returns when the parallel ones are done, before the server stops
			for name, test := range messages {
				if test != nil {
					t.Run(name, func(t *testing.T) {
						skipOnCluster(t)
						t.Parallel()
						test(newWorld(t, s, codec))
					})
				}
			}
		})
	})
}

// Under a policy that compares acceptances, an accepted offer waits for its award.
func TestAcceptPending(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		w := newWorld(t, start("--dispatch-award=best_eta", "--dispatch-award-window=1m"), codec)
		near, far := w.driver(50), w.driver(700)
		trip := w.request(w.rider())
		a, b := near.Offer(trip.GetId()), far.Offer(trip.GetId())
		first := far.Ask(harness.Accept(b.GetId())).GetAcceptPending()
		require.Equal(t, b.GetId(), first.GetOfferId())
		require.NotNil(t, first.GetAwardAt())
		second := near.Ask(harness.Accept(a.GetId())).GetAcceptPending()
		require.False(t, second.GetAwardAt().AsTime().After(first.GetAwardAt().AsTime()), "the wait ends when all drivers have answered")
		require.Equal(t, ridepb.OfferClosed_won, near.OfferEnd(a.GetId()).GetOutcome(), "the nearer one wins")
		require.Equal(t, ridepb.OfferClosed_withdrawn, far.OfferEnd(b.GetId()).GetOutcome())
	})
}

// Every message of the protocol has a test.
func TestEveryMessageHasATest(t *testing.T) {
	want := make(map[string]bool)
	for group, oneof := range map[string]protoreflect.OneofDescriptor{
		"client": new(ridepb.ClientFrame).ProtoReflect().Descriptor().Oneofs().ByName("body"),
		"reply":  new(ridepb.Reply).ProtoReflect().Descriptor().Oneofs().ByName("result"),
		"event":  new(ridepb.Event).ProtoReflect().Descriptor().Oneofs().ByName("body"),
	} {
		for i := range oneof.Fields().Len() {
			want[group+"/"+string(oneof.Fields().Get(i).Name())] = true
		}
	}
	for name := range want {
		require.Contains(t, messages, name)
	}
	require.Len(t, messages, len(want), "there is a test of a message that does not exist")
}
