package ride_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hexhail/hexhail/ride"
)

// TestAnyGuesses: whatever PINs a driver tries at the pickup, and whenever the trip is read back from
// the disk, it gets five guesses in a minute, and no event comes of a wrong one.
func TestAnyGuesses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, model := newShell(), pinModel{}
		c := request(ride.DefaultRules())
		c.PIN = "4711"
		c.Rules.BoardWithin = 24 * time.Hour
		var guesses []time.Time
		arrive := func(d ride.AccountID) {
			require.NoError(t, s.do(s.planned(s.search.Wave, s.search.Ring, []ride.Candidate{{Trip: "trip", Driver: d, Class: "standard", ETA: time.Minute}})))
			require.NoError(t, s.do(ride.AcceptOffer{Offer: s.offerOf(d), Card: card(d)}))
			require.NoError(t, s.do(ride.MarkArrived{Driver: d}))
			model, guesses = pinModel{}, nil
		}
		require.NoError(t, s.do(c))
		arrive("d1")
		t.Repeat(map[string]func(*rapid.T){
			"start": func(t *rapid.T) {
				if s.trip.Status != ride.StatusArrived {
					t.Skip("it has started")
				}
				// The right one is rare, or the trip would have started before it is locked.
				pin := rapid.SampledFrom([]string{"0000", "1111", "2222", "3333", "4444", "", "4711"}).Draw(t, "pin")
				version, want := s.trip.Version, model.start(s.trip, s.now, pin)
				err := s.do(ride.StartTrip{Driver: s.trip.DriverID(), PIN: pin})
				if want == nil {
					require.NoError(t, err)
					require.Zero(t, s.trip.PINTries)
					return
				}
				require.ErrorIs(t, err, want)
				require.Equal(t, version, s.trip.Version)
				if want == ride.ErrWrongPIN {
					guesses = append(guesses, s.now)
				}
				if n := len(guesses) - ride.MaxPINTries - 1; n >= 0 {
					require.GreaterOrEqual(t, s.now.Sub(guesses[n]), ride.PINLock, "guesses in a row")
				}
			},
			"pass time": func(t *rapid.T) {
				s.now = s.now.Add(time.Duration(rapid.IntRange(0, 40_000_000).Draw(t, "microseconds")) * time.Microsecond)
			},
			"crash": func(t *rapid.T) { s.crash(t) },
			"next driver": func(t *rapid.T) {
				if s.trip.Status != ride.StatusArrived || s.trip.DriverID() != "d1" || rapid.IntRange(0, 9).Draw(t, "gives up") > 0 {
					t.Skip("it stays")
				}
				require.NoError(t, s.do(ride.CancelTrip{By: ride.ByDriver, Account: "d1"}))
				require.Zero(t, s.trip.PINTries)
				arrive("d2")
			},
		})
	})
}
