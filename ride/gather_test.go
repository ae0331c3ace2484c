package ride_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// gathered is a trip that waits for a planner of many trips.
func gathered(t *testing.T) *shell {
	rules := ride.DefaultRules()
	rules.Policy = rules.Policy.As(ride.PolicyBatch)
	require.NoError(t, rules.Validate())
	s := newShell()
	require.NoError(t, s.do(request(rules)))
	return s
}

// A planner of many trips may look as far as the policy allows at once, but no farther, and its wave must be the
// one that the trip waits for.
func TestAPlannersWave(t *testing.T) {
	for name, c := range map[string]struct {
		wave, ring int
		counts     bool
	}{
		"the trip's ring": {1, 1, true}, "wider": {1, 4, true}, "the widest": {1, 6, true}, "too wide": {1, 7, false},
		"narrower": {1, 0, false}, "an earlier wave": {0, 6, false}, "a later wave": {2, 6, false},
	} {
		s := gathered(t)
		wave := ride.OfferWave{Wave: c.wave, Ring: c.ring, Considered: []ride.Considered{{Driver: "d", Verdict: ride.VerdictOffered}}}
		events, _, err := ride.Decide(s.trip, s.now, wave)
		require.NoError(t, err)
		require.Equal(t, c.counts, len(events) == 1, name)
	}
	s := newShell()
	require.NoError(t, s.do(request(ride.DefaultRules())))
	events, _, err := ride.Decide(s.trip, s.now, ride.OfferWave{Wave: 1, Ring: 4})
	require.NoError(t, err)
	require.Empty(t, events, "a trip that plans for itself looks where it says")
}

// The record of a planner is kept if it can be, and says how many plans there were.
func TestAPlannersRecord(t *testing.T) {
	long := json.RawMessage(`"` + strings.Repeat("x", ride.MaxDecision) + `"`)
	for name, c := range map[string]struct {
		given json.RawMessage
		kept  bool
	}{
		"a record": {json.RawMessage(`{"rows":7}`), true}, "no JSON": {json.RawMessage(`{`), false}, "too long": {long, false}, "none": {nil, false},
	} {
		s := gathered(t)
		require.NoError(t, s.do(ride.OfferWave{Wave: 1, Ring: 6, Windows: 3, Why: "no_driver", Decision: c.given}))
		e := s.history[len(s.history)-1].(ride.WavePlanned)
		require.Equal(t, 3, e.Windows)
		require.Equal(t, "no_driver", e.Why)
		require.Equal(t, c.kept, len(e.Decision) > 0, name)
	}
}

// A trip that waits for its planner is not overdue meanwhile.
func TestAPlannerMayTakeItsTime(t *testing.T) {
	s := gathered(t)
	wave, waits := s.trip.Wanted()
	require.True(t, waits)
	require.Equal(t, ride.FindCandidates{Wave: 1, Ring: 1}, wave)
	require.Equal(t, dawn.Add(ride.QuietFor), ride.Wake(s.trip))
	require.Equal(t, dawn, s.trip.SearchBegan())

	require.NoError(t, s.do(ride.OfferWave{Wave: 1, Ring: 6, Considered: []ride.Considered{{Driver: "d", Verdict: ride.VerdictOffered}}}))
	_, waits = s.trip.Wanted()
	require.False(t, waits, "an offer is open")
	require.Equal(t, []ride.AccountID{"d"}, s.trip.Refused(s.now))
	require.Equal(t, dawn.Add(s.trip.Rules.Policy.OfferTTL), ride.Wake(s.trip))

	require.NoError(t, s.do(ride.DeclineOffer{Offer: s.offerOf("d"), Driver: "d"}))
	require.NoError(t, s.do(ride.OfferWave{Wave: 2, Ring: 6, Considered: []ride.Considered{{Driver: "e", Verdict: ride.VerdictOffered}}}))
	require.NoError(t, s.do(ride.WithdrawOffer{Offer: s.offerOf("e"), Reason: ride.ReasonDriverGone}))
	require.Equal(t, []ride.AccountID{"d", "e"}, s.trip.Refused(s.now), "declined, and gone a moment ago")
	require.Equal(t, []ride.AccountID{"d"}, s.trip.Refused(s.now.Add(time.Minute)))
	wave, waits = s.trip.Wanted()
	require.True(t, waits)
	require.Equal(t, 3, wave.Wave)
}
