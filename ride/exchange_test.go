package ride_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hexhail/hexhail/ride"
)

const second = time.Second

// cycle is an exchange among trips a, b, …, whose drivers are da, db, …: each trip gets the driver of the
// next one, which is 10 s nearer than the one before.
func cycle(n int) []ride.Move {
	moves := make([]ride.Move, n)
	for i := range moves {
		id := string(rune('a' + i))
		moves[i] = ride.Move{
			Trip: matched(ride.TripID(id), ride.AccountID("d"+id), ride.DefaultRules()),
			Card: card(ride.AccountID("d" + string(rune('a'+(i+1)%n)))), Way: 50 * second, Left: 60 * second,
		}
	}
	return moves
}

// idle makes a move's driver one who is free and said yes.
func idle(m *ride.Move, d ride.AccountID) {
	m.Trip = ride.Fold(m.Trip, proposed(m.Trip, d, dawn))
	m.Card, m.Offer = card(d), m.Trip.Offers[len(m.Trip.Offers)-1].ID
}

// open is a trip without a driver.
func open(id ride.TripID) ride.Trip {
	r := request(ride.DefaultRules())
	return ride.Replay([]ride.Event{ride.Requested{At: dawn, ID: id, Request: r.Request, Rules: r.Rules, Estimate: r.Estimate}})
}

func TestDriversAreExchangedInCycles(t *testing.T) {
	for n := 2; n <= ride.MaxMoves; n++ {
		moves := cycle(n)
		moved, err := ride.DecideExchange(dawn.Add(time.Minute), moves)
		require.NoError(t, err)
		for i, m := range moved {
			require.Equal(t, moves[i].Card.ID, m.Trip.DriverID())
			require.Equal(t, ride.StatusMatched, m.Trip.Status)
			require.Equal(t, moves[i].Trip.Version+1, m.Trip.Version)
			x, ok := m.Trip.LastExchange()
			require.True(t, ok)
			require.Equal(t, ride.Exchange{
				At: dawn.Add(time.Minute), From: moves[i].Trip.DriverID(), To: moves[i].Card.ID, PickupETA: 50 * second, Left: 60 * second,
				Reason: ride.ReasonCloserCar,
			}, x)
			require.Equal(t, x.At, m.Trip.MatchedAt)
			require.Contains(t, m.Effects, ride.Effect(ride.ReleaseDriver{Driver: x.From}))
			require.Contains(t, m.Effects, ride.Effect(ride.BindDriver{Driver: x.To}))
			require.True(t, m.Trip.HadPart(x.From))
			require.True(t, m.Trip.HadPart(x.To), "also without having been asked")
		}
	}
}

// TestAChainFreesOneDriver: an idle driver who said yes takes b's place, b's driver takes the open trip, and
// the other way round a's driver is free.
func TestAChainFreesOneDriver(t *testing.T) {
	moves := cycle(2)
	idle(&moves[1], "idle")
	moved, err := ride.DecideExchange(dawn, moves)
	require.NoError(t, err)
	require.EqualValues(t, "db", moved[0].Trip.DriverID())
	require.EqualValues(t, "idle", moved[1].Trip.DriverID(), "da drives nobody")

	moves[0] = ride.Move{Trip: open("c"), Card: card("db"), Way: 60 * second}
	moved, err = ride.DecideExchange(dawn, moves)
	require.NoError(t, err)
	require.Equal(t, ride.KindMatched, moved[0].Trip.Change)
	require.Equal(t, 60*second, moved[0].Trip.PickupETA)
	require.Empty(t, moved[0].Trip.Exchanges, "its rider had no driver before")
	require.True(t, moved[0].Trip.HadPart("db"))
	require.Equal(t, ride.KindExchanged, moved[1].Trip.Change)
}

func TestReasonsOfAnExchangeAreTrue(t *testing.T) {
	moves := cycle(3)
	moves[0].Way, moves[1].Left, moves[0].Left = 65*second, 65*second, 60*second
	moved, err := ride.DecideExchange(dawn, moves)
	require.NoError(t, err)
	for i, want := range []string{ride.ReasonShorterWaits, ride.ReasonCloserCar, ride.ReasonCloserCar} {
		x, _ := moved[i].Trip.LastExchange()
		require.Equal(t, want, x.Reason)
	}
}

func TestExchangesThatMakeNoSenseAreRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func([]ride.Move) []ride.Move
		want  *ride.Error
	}{
		"nothing":                 {func([]ride.Move) []ride.Move { return nil }, ride.ErrInvalidArgument},
		"too much":                {func([]ride.Move) []ride.Move { return cycle(ride.MaxMoves + 1) }, ride.ErrInvalidArgument},
		"the same trip twice":     {func(m []ride.Move) []ride.Move { m[1].Trip = m[0].Trip; return m }, ride.ErrInvalidArgument},
		"the same driver twice":   {func(m []ride.Move) []ride.Move { m[0].Card = m[1].Card; return m }, ride.ErrInvalidArgument},
		"its own driver":          {func(m []ride.Move) []ride.Move { m[0].Card = card("da"); return m }, ride.ErrInvalidArgument},
		"nobody":                  {func(m []ride.Move) []ride.Move { m[0].Card.ID = ""; return m }, ride.ErrInvalidArgument},
		"another class":           {func(m []ride.Move) []ride.Move { m[0].Card.Class = "van"; return m }, ride.ErrUnknownClass},
		"no way":                  {func(m []ride.Move) []ride.Move { m[0].Way = 0; return m }, ride.ErrInvalidArgument},
		"a way of its own driver": {func(m []ride.Move) []ride.Move { m[0].Left = 0; return m }, ride.ErrInvalidArgument},
		"one who declined":        {func(m []ride.Move) []ride.Move { m[0].Trip.Excluded = []ride.AccountID{"db"}; return m }, ride.ErrInvalidArgument},
		"one who is not asked":    {func(m []ride.Move) []ride.Move { m[0].Card = card("idle"); return m }, ride.ErrInvalidArgument},
		"nothing is gained":       {func(m []ride.Move) []ride.Move { m[0].Way, m[1].Way = 60*second, 60*second; return m }, ride.ErrInvalidArgument},
		"a longer way":            {func(m []ride.Move) []ride.Move { m[0].Way, m[0].Left = 61*second, 90*second; return m }, ride.ErrInvalidArgument},
		"a worse fare":            {func(m []ride.Move) []ride.Move { m[0].Trip.Estimate.Fare.Total--; return m }, ride.ErrInvalidArgument},
		"another currency":        {func(m []ride.Move) []ride.Move { m[0].Trip.Estimate.Fare.Currency = "KRW"; return m }, ride.ErrInvalidArgument},
		"often enough": {func(m []ride.Move) []ride.Move {
			m[0].Trip.Exchanges = make([]ride.Exchange, 2)
			return m
		}, ride.ErrWrongStatus},
		"after the arrival": {func(m []ride.Move) []ride.Move {
			m[0].Trip = ride.Apply(m[0].Trip, ride.Arrived{At: dawn})
			return m
		}, ride.ErrWrongStatus},
		"a trip that ended": {func(m []ride.Move) []ride.Move {
			m[0].Trip = ride.Apply(m[0].Trip, ride.Cancelled{At: dawn})
			return m
		}, ride.ErrWrongStatus},
		"before an award": {func(m []ride.Move) []ride.Move {
			m[0].Trip = open("a")
			m[0].Trip.Search.AwardAt = dawn
			return m
		}, ride.ErrWrongStatus},
		"too many offers": {func(m []ride.Move) []ride.Move {
			m[0].Trip.Offers = make([]ride.Offer, 500)
			return m
		}, ride.ErrWrongStatus},
		"an offer of another": {func(m []ride.Move) []ride.Move {
			idle(&m[0], "idle")
			m[0].Card = card("d9")
			return m
		}, ride.ErrNotFound},
		"an offer that ended": {func(m []ride.Move) []ride.Move {
			idle(&m[0], "idle")
			m[0].Trip = ride.Apply(m[0].Trip, ride.OffersEnded{At: dawn, Offers: []ride.OfferID{m[0].Offer}, State: ride.OfferDeclined})
			m[0].Trip.Excluded = nil
			return m
		}, ride.ErrOfferClosed},
	} {
		moved, err := ride.DecideExchange(dawn, tc.spoil(cycle(2)))
		require.ErrorIs(t, err, tc.want, name)
		require.ErrorAs(t, err, new(*ride.Error))
		require.Empty(t, moved, name)
	}
}

// TestWhatADriverAgreedToMayBeWorse: one who said yes may have a longer way and a lower fare; and so may the
// operator decide for all.
func TestWhatADriverAgreedToMayBeWorse(t *testing.T) {
	moves := cycle(2)
	moves[0].Trip.Estimate.Fare.Total /= 2
	moves[0].Left, moves[1].Left = 90*second, 60*second
	idle(&moves[0], "db")
	moves[0].Way = 80 * second
	_, err := ride.DecideExchange(dawn, moves)
	require.NoError(t, err)

	moves = cycle(2)
	moves[0].Trip.Estimate.Fare.Total = moves[1].Trip.Estimate.Fare.Total * 9 / 10
	for i, percent := range []int{100, 80} { // the stricter one counts
		moves[i].Trip.Rules.Policy.ExchangeFare = percent
	}
	_, err = ride.DecideExchange(dawn, moves)
	require.ErrorIs(t, err, ride.ErrInvalidArgument)
	moves[0].Trip.Rules.Policy.ExchangeFare = 89 // what is left after rounding down
	_, err = ride.DecideExchange(dawn, moves)
	require.NoError(t, err)
}

// TestAcceptanceOfAnExchangeMustStillHelp: as long as the driver thinks, the other one comes nearer.
func TestAcceptanceOfAnExchangeMustStillHelp(t *testing.T) {
	trip := matched("a", "da", ride.DefaultRules())
	events, _, err := ride.Decide(trip, dawn, ride.OfferExchange{Considered: ride.Considered{Driver: "idle", ETA: 50 * second}, Left: 60 * second})
	require.NoError(t, err)
	trip = ride.Fold(trip, events)
	o := trip.Offers[len(trip.Offers)-1]
	require.True(t, o.ExpiresAt.Equal(dawn.Add(10*second)))
	_, _, err = ride.Decide(trip, dawn.Add(10*second), ride.AcceptOffer{Offer: o.ID, Card: card("idle")})
	require.ErrorIs(t, err, ride.ErrOfferClosed)
	events, _, err = ride.Decide(trip, dawn.Add(9*second), ride.AcceptOffer{Offer: o.ID, Card: card("idle")})
	require.NoError(t, err)
	x := events[0].(ride.Exchanged)
	require.Equal(t, []time.Duration{50 * second, 51 * second}, []time.Duration{x.PickupETA, x.Left})
}

// TestAnyExchangesKeepThePromises plays exchanges, sensible and not, over a few trips in all statuses, and holds
// what DecideExchange lets through to what is promised of it.
func TestAnyExchangesKeepThePromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := ride.DefaultRules()
		rules.Policy.Exchanges = rapid.IntRange(0, 4).Draw(t, "exchanges")
		rules.Policy.ExchangeFare = rapid.SampledFrom([]int{100, 100, 50}).Draw(t, "fare")
		trips := make([]ride.Trip, 4)
		for i := range trips {
			id := ride.TripID(fmt.Sprint("t", i))
			trips[i] = matched(id, ride.AccountID(fmt.Sprint("d", i)), rules)
			switch rapid.IntRange(0, 9).Draw(t, "status") {
			case 0:
				trips[i] = open(id)
			case 1:
				trips[i] = ride.Apply(trips[i], ride.Arrived{At: dawn})
			case 2:
				trips[i] = ride.Apply(trips[i], ride.Cancelled{At: dawn, By: ride.ByRider})
			}
			trips[i].Estimate.Fare.Total += rapid.Int64Range(0, 1).Draw(t, "fare") * 10
		}
		for range rapid.IntRange(1, 12).Draw(t, "rounds") {
			anyExchange(t, trips)
		}
	})
}

func anyExchange(t *rapid.T, trips []ride.Trip) {
	n := rapid.IntRange(1, len(trips)).Draw(t, "moves")
	moves := make([]ride.Move, n)
	at := rapid.Permutation([]int{0, 1, 2, 3}).Draw(t, "trips")
	for i := range moves {
		next := trips[at[(i+1)%n]].DriverID() // a cycle, mostly
		if next == "" || rapid.IntRange(0, 9).Draw(t, "someone else") == 0 {
			next = ride.AccountID(fmt.Sprint("d", rapid.IntRange(0, 5).Draw(t, "driver")))
		}
		moves[i] = ride.Move{Trip: trips[at[i]], Card: card(next), Way: drawWay(t), Left: drawWay(t)}
		if moves[i].Trip.Status == ride.StatusMatched && len(moves[i].Trip.Exchanges) < moves[i].Trip.Rules.Policy.Exchanges && rapid.IntRange(0, 4).Draw(t, "asked") == 0 {
			idle(&moves[i], ride.AccountID(fmt.Sprint("idle", len(moves[i].Trip.Offers)))) // not the one of a round before
			moves[i].Trip.Offers[len(moves[i].Trip.Offers)-1].ExpiresAt = dawn.Add(time.Minute)
		}
	}
	before := write(t, moves)
	moved, err := ride.DecideExchange(dawn, moves)
	require.Equal(t, before, write(t, moves), "what was given is left alone")
	if err != nil {
		require.ErrorAs(t, err, new(*ride.Error))
		require.Empty(t, moved)
		return
	}
	has := map[ride.AccountID]int{} // by driver, the trip that it had
	for i, m := range moves {
		if m.Trip.Status == ride.StatusMatched {
			has[m.Trip.DriverID()] = i
		}
	}
	seen := map[ride.AccountID]bool{}
	for i, m := range moved {
		was := moves[i]
		require.Contains(t, []ride.Status{ride.StatusRequested, ride.StatusMatched}, was.Trip.Status)
		require.Equal(t, ride.StatusMatched, m.Trip.Status)
		require.Equal(t, was.Card, *m.Trip.Driver)
		require.False(t, seen[was.Card.ID], "one driver has two trips")
		seen[was.Card.ID] = true
		require.LessOrEqual(t, len(m.Trip.Exchanges), max(len(was.Trip.Exchanges), m.Trip.Rules.Policy.Exchanges))
		require.Len(t, m.Events, 1)
		require.Empty(t, cmp.Diff(m.Trip, ride.Fold(was.Trip, m.Events)))
		if was.Offer == "" {
			gave, ok := has[was.Card.ID]
			require.True(t, ok, "%s was asked nothing, and gave nothing up", was.Card.ID)
			require.LessOrEqual(t, was.Way, moves[gave].Left)
			require.GreaterOrEqual(t, was.Trip.Estimate.Fare.Total*100, moves[gave].Trip.Estimate.Fare.Total*int64(was.Trip.Rules.Policy.ExchangeFare))
		}
		for j := range trips {
			if trips[j].ID == m.Trip.ID {
				trips[j] = m.Trip
			}
		}
	}
}

func write(t require.TestingT, moves []ride.Move) (out []string) {
	for i := range moves {
		b, err := ride.MarshalTrip(&moves[i].Trip)
		require.NoError(t, err)
		out = append(out, string(b))
	}
	return out
}
