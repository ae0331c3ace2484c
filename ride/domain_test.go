package ride_test

import (
	"errors"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

func TestErrorCodesHaveUniqueNames(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range ride.Errors() {
		require.Regexp(t, `^[a-z]+(_[a-z]+)*$`, e.Code)
		require.False(t, seen[e.Code], "%s twice", e.Code)
		seen[e.Code] = true
		require.True(t, strings.HasSuffix(e.Message, "."), "%q is not a sentence", e.Message)
		refined := e.With("no more than %d", 3).In("field").After(time.Minute)
		require.ErrorIs(t, refined, e)
		require.Equal(t, time.Minute, refined.RetryAfter)
		require.Zero(t, e.RetryAfter, "the sentinel was changed")
		require.Equal(t, e.Retryable, refined.Retryable)
		require.Empty(t, e.Field, "the sentinel was changed")
		for _, other := range ride.Errors() {
			require.Equal(t, e == other, errors.Is(refined, other))
		}
	}
	require.NotEmpty(t, seen)
}

func TestOfferIDsLeadToTheirTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		trip := ride.TripID(rapid.StringMatching(`[0-9a-z-]{1,40}`).Draw(t, "trip"))
		got, ok := ride.NewOfferID(trip, rapid.IntRange(1, 500).Draw(t, "n")).Trip()
		require.True(t, ok)
		require.Equal(t, trip, got)
	})
	for _, id := range []ride.OfferID{"", ".", "t", "t.", ".1", "t.0", "t.-1", "t.+1", "t.01", "t.x", "t.1.2", "t.1 ", "t.99999999999999999999"} {
		_, ok := id.Trip()
		require.False(t, ok, "%q", id)
	}
}

func TestWhatIsWrongWithARequest(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(*ride.RequestTrip)
		want  *ride.Error
		field string
	}{
		"pickup off the Earth":   {func(c *ride.RequestTrip) { c.Request.Pickup.Lat = 91 }, ride.ErrInvalidPoint, "pickup"},
		"pickup not a number":    {func(c *ride.RequestTrip) { c.Request.Pickup.Lng = math.NaN() }, ride.ErrInvalidPoint, "pickup"},
		"no dropoff":             {func(c *ride.RequestTrip) { c.Request.Dropoff = geo.Point{} }, ride.ErrInvalidPoint, "dropoff"},
		"nowhere to go":          {func(c *ride.RequestTrip) { c.Request.Dropoff = c.Request.Pickup }, ride.ErrInvalidArgument, "dropoff"},
		"another class":          {func(c *ride.RequestTrip) { c.Request.Class = "van" }, ride.ErrUnknownClass, "vehicle_class"},
		"nobody":                 {func(c *ride.RequestTrip) { c.Request.Passengers = 0 }, ride.ErrInvalidArgument, "passengers"},
		"too many":               {func(c *ride.RequestTrip) { c.Request.Passengers = 5 }, ride.ErrInvalidArgument, "passengers"},
		"long address":           {func(c *ride.RequestTrip) { c.Request.PickupAddress = strings.Repeat("x", 201) }, ride.ErrInvalidArgument, "pickup_address"},
		"address with NUL":       {func(c *ride.RequestTrip) { c.Request.DropoffAddress = "a\x00b" }, ride.ErrInvalidArgument, "dropoff_address"},
		"note that is not UTF-8": {func(c *ride.RequestTrip) { c.Request.Note = "\xff" }, ride.ErrInvalidArgument, "note"},
		"long note":              {func(c *ride.RequestTrip) { c.Request.Note = strings.Repeat("x", 501) }, ride.ErrInvalidArgument, "note"},
		"no id":                  {func(c *ride.RequestTrip) { c.ID = "" }, ride.ErrInvalidArgument, ""},
		"dot in the id":          {func(c *ride.RequestTrip) { c.ID = "a.b" }, ride.ErrInvalidArgument, ""},
		"no rider":               {func(c *ride.RequestTrip) { c.Request.Rider.ID = "" }, ride.ErrInvalidArgument, ""},
		"no way":                 {func(c *ride.RequestTrip) { c.Estimate.DistanceM = math.Inf(1) }, ride.ErrNoRoute, ""},
		"bad rules":              {func(c *ride.RequestTrip) { c.Rules.SearchFor = 0 }, ride.ErrInvalidArgument, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := request(ride.DefaultRules())
			tc.spoil(&c)
			events, effects, err := ride.Decide(ride.Trip{}, dawn, c)
			require.ErrorIs(t, err, tc.want)
			var e *ride.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, tc.field, e.Field)
			require.Empty(t, events)
			require.Empty(t, effects)
		})
	}
}

func TestWhatIsWrongWithRules(t *testing.T) {
	require.NoError(t, ride.DefaultRules().Validate())
	for name, spoil := range map[string]func(*ride.Rules){
		"unknown policy":           func(r *ride.Rules) { r.Policy.Kind = "lottery" },
		"a batch without a hold":   func(r *ride.Rules) { r.Policy.Kind, r.Policy.Exclusive = ride.PolicyBatch, false },
		"nearest without a hold":   func(r *ride.Rules) { r.Policy.Exclusive = false },
		"no time for any way":      func(r *ride.Rules) { r.Policy.MaxETA = -1 },
		"days to a pickup":         func(r *ride.Rules) { r.Policy.MaxETA = 25 * time.Hour },
		"unknown award":            func(r *ride.Rules) { r.Policy.Award = "richest" },
		"no award window":          func(r *ride.Rules) { r.Policy.Award, r.Policy.AwardWindow = ride.AwardBestETA, 0 },
		"cap of none":              func(r *ride.Rules) { r.Policy.Cap = 0 },
		"rings inside out":         func(r *ride.Rules) { r.Policy.RingMax = 0 },
		"too many rings":           func(r *ride.Rules) { r.Policy.RingMax = 31 },
		"rings that shrink":        func(r *ride.Rules) { r.Policy.RingStep = -1 },
		"waves without a pause":    func(r *ride.Rules) { r.Policy.WaveEvery = 0 },
		"offers without time":      func(r *ride.Rules) { r.Policy.OfferTTL = 0 },
		"no driver is ever asked":  func(r *ride.Rules) { r.Policy.AsksPerDriver = 0 },
		"exchanges for ever":       func(r *ride.Rules) { r.Policy.Exchanges = 11 },
		"a fare of 101 percent":    func(r *ride.Rules) { r.Policy.ExchangeFare = 101 },
		"no time to search":        func(r *ride.Rules) { r.SearchFor = 0 },
		"for ever on the way":      func(r *ride.Rules) { r.PickupWithin = 1000 * time.Hour },
		"a tariff without seats":   func(r *ride.Rules) { r.Tariff.Seats = 0 },
		"a search of 60,480 waves": func(r *ride.Rules) { r.SearchFor, r.Policy.WaveEvery = 168*time.Hour, 10*time.Second },
	} {
		r := ride.DefaultRules()
		spoil(&r)
		require.ErrorIs(t, r.Validate(), ride.ErrInvalidArgument, name)
	}
}

// TestWordsThatCannotBeKept: what a person writes is refused when it is too long, or
// would not come back from the store as it was.
func TestWordsThatCannotBeKept(t *testing.T) {
	for _, words := range []string{strings.Repeat("x", 501), "\xff", "a\x00"} {
		s := newShell()
		require.NoError(t, s.do(request(ride.DefaultRules())))
		require.NoError(t, s.do(s.planned(1, 1, crowd(1))))
		o := s.trip.Offers[0]
		require.ErrorIs(t, s.do(ride.DeclineOffer{Offer: o.ID, Driver: o.Driver, Reason: words}), ride.ErrInvalidArgument)
		require.ErrorIs(t, s.do(ride.CancelTrip{By: ride.ByRider, Account: "rider", Reason: words}), ride.ErrInvalidArgument)
		require.NoError(t, s.do(ride.AcceptOffer{Offer: o.ID, Card: card(o.Driver)}))
		require.NoError(t, s.do(ride.MarkArrived{Driver: o.Driver}))
		require.NoError(t, s.do(ride.StartTrip{Driver: o.Driver}))
		require.NoError(t, s.do(ride.CompleteTrip{Driver: o.Driver, TravelledM: math.NaN()}))
		require.Equal(t, s.trip.Estimate.DistanceM, s.trip.TravelledM)
		require.ErrorIs(t, s.do(ride.RateTrip{By: "rider", Stars: 5, Comment: words}), ride.ErrInvalidArgument)
	}
}

// TestTimesAreKeptWithoutLoss: a caller's local time with nanoseconds and a
// monotonic reading leads to the state that the database gives back.
func TestTimesAreKeptWithoutLoss(t *testing.T) {
	s := newShell()
	s.now = time.Now().In(time.FixedZone("far", 9*3600))
	require.NoError(t, s.do(request(ride.DefaultRules())))
	b, err := ride.MarshalTrip(&s.trip)
	require.NoError(t, err)
	back, err := ride.UnmarshalTrip(b)
	require.NoError(t, err)
	require.Equal(t, s.trip, *back, "also under ==, as stores compare")
	require.Equal(t, ride.Timers(s.trip), ride.Timers(*back))
}

func TestRatingMean(t *testing.T) {
	require.EqualValues(t, 0, ride.Rating{}.X100())
	require.EqualValues(t, 500, ride.Rating{Sum: 5, Count: 1}.X100())
	require.EqualValues(t, 467, ride.Rating{Sum: 14, Count: 3}.X100())
	require.EqualValues(t, 433, ride.Rating{Sum: 13, Count: 3}.X100())
}

// TestEventKindsAreAll: what can be stored is listed, and nothing else can be read.
func TestEventKindsAreAll(t *testing.T) {
	source, err := os.ReadFile("event.go")
	require.NoError(t, err)
	declared := regexp.MustCompile(`(?m)^\tKind\w+\s+= "(\w+)"$`).FindAllStringSubmatch(string(source), -1)
	var names []string
	for _, m := range declared {
		names = append(names, m[1])
	}
	require.ElementsMatch(t, names, ride.EventKinds())
	for _, kind := range ride.EventKinds() {
		e, err := ride.UnmarshalEvent(kind, []byte("{}"))
		require.NoError(t, err)
		require.Equal(t, kind, e.Kind())
	}
	_, err = ride.UnmarshalEvent("teleported", []byte("{}"))
	require.ErrorContains(t, err, "teleported")
}
