package ride_test

import (
	"errors"
	"maps"
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// do decides twice, to see that it is the same, and freezes the state before.
func (m *machine) do(c ride.Command) error {
	m.freeze()
	e1, f1, err1 := ride.Decide(m.trip, m.now, c)
	e2, f2, err2 := ride.Decide(m.trip, m.now, c)
	require.True(m.t, reflect.DeepEqual(e1, e2), "events differ")
	require.True(m.t, reflect.DeepEqual(f1, f2), "effects differ")
	require.Equal(m.t, err1, err2)
	if err1 != nil {
		require.Empty(m.t, e1)
		require.Empty(m.t, f1)
		require.ErrorAs(m.t, err1, new(*ride.Error))
		m.refusal(err1)
	}
	start, starts := c.(ride.StartTrip)
	if starts = starts && m.trip.Status == ride.StatusArrived && start.Driver == m.trip.DriverID(); starts {
		if want := m.pin.start(m.trip, m.now, start.PIN); want != nil {
			require.ErrorIs(m.t, err1, want)
		} else {
			require.NoError(m.t, err1)
		}
	}
	return m.shell.do(c)
}

// refusal checks what a refusal leaves behind: the number of wrong PINs at most, and no version.
func (m *machine) refusal(err error) {
	after, differs := ride.Refused(m.trip, m.now, err)
	require.Equal(m.t, errors.Is(err, ride.ErrWrongPIN), differs)
	require.Equal(m.t, differs, after.PINTries != m.trip.PINTries)
	after.PINTries = m.trip.PINTries
	require.Empty(m.t, cmp.Diff(m.trip, after))
	var e *ride.Error
	require.ErrorAs(m.t, err, &e)
	require.Equal(m.t, errors.Is(err, ride.ErrPINLocked), e.RetryAfter > 0)
	require.LessOrEqual(m.t, e.RetryAfter, ride.PINLock)
}

func (m *machine) freeze() {
	b, err := ride.MarshalTrip(&m.trip)
	require.NoError(m.t, err)
	m.past, m.frozen = append(m.past, m.trip), append(m.frozen, string(b))
}

// decided checks one decision: the steps it took and the effects it has.
func (m *machine) decided(events []ride.Event, effects []ride.Effect, err error) {
	if err != nil {
		return
	}
	now := m.history[:len(m.history)-len(events)]
	trip := ride.Replay(now)
	for _, e := range events {
		next := ride.Apply(trip, e)
		m.step(trip, e, next)
		trip = next
	}
	for _, f := range effects {
		switch f := f.(type) {
		case ride.SendOffer:
			m.sent[f.Offer.ID]++
			require.Equal(m.t, ride.OfferOpen, f.Offer.State)
		case ride.CloseOffer:
			m.closed[f.Offer.ID]++
			require.True(m.t, f.Offer.State.Ended())
		case ride.BindDriver:
			require.Equal(m.t, m.trip.DriverID(), f.Driver)
		case ride.ReleaseDriver:
			require.False(m.t, m.trip.Status.Occupied() && m.trip.DriverID() == f.Driver)
		}
	}
}

func (m *machine) step(from ride.Trip, e ride.Event, to ride.Trip) {
	if from.Status != to.Status {
		require.Contains(m.t, ride.Steps(), ride.Step{From: from.Status, Kind: e.Kind(), To: to.Status})
	}
	if to.Status != ride.StatusArrived {
		m.pin = pinModel{}
	}
	require.Equal(m.t, from.Version+1, to.Version)
	require.Equal(m.t, e.Kind(), to.Change)
	require.True(m.t, e.When().Equal(to.UpdatedAt))
	switch e := e.(type) {
	case ride.Matched:
		m.won(from, e.Offer, e.Card.ID, e.PickupETA > 0)
	case ride.Exchanged:
		_, asked := from.Offer(e.Offer)
		m.won(from, e.Offer, e.Card.ID, !asked)
		require.Equal(m.t, from.DriverID(), e.From)
		require.NotEqual(m.t, e.From, e.Card.ID)
		require.True(m.t, from.Deadline.Equal(to.Deadline), "an exchange puts the pickup off")
		require.Len(m.t, to.Exchanges, len(from.Exchanges)+1)
		require.LessOrEqual(m.t, len(to.Exchanges), from.Rules.Policy.Exchanges)
		require.NotContains(m.t, to.Excluded, e.From)
	case ride.WavePlanned:
		m.wave(from, e, to)
	case ride.Released:
		m.refused[from.DriverID()] = true
	case ride.OffersEnded:
		for _, id := range e.Offers {
			o, _ := from.Offer(id)
			m.refused[o.Driver] = m.refused[o.Driver] || e.State == ride.OfferDeclined
		}
	}
	// What is read back is what was written.
	kind, data, err := ride.MarshalEvent(e)
	require.NoError(m.t, err)
	back, err := ride.UnmarshalEvent(kind, data)
	require.NoError(m.t, err)
	require.Empty(m.t, cmp.Diff(to, ride.Apply(from, back)))
}

// won checks that a driver who was asked had an offer that was open, and that one who was not has a new one. It refused
// the trip in neither case.
func (m *machine) won(from ride.Trip, id ride.OfferID, d ride.AccountID, unasked bool) {
	o, ok := from.Offer(id)
	require.Equal(m.t, unasked, !ok)
	require.False(m.t, m.refused[d])
	if ok {
		require.False(m.t, o.State.Ended(), "a %s offer won", o.State)
		require.Equal(m.t, o.Driver, d)
		return
	}
	m.unasked[id] = true
}

// wave checks the offers of one wave against the rules.
func (m *machine) wave(from ride.Trip, e ride.WavePlanned, to ride.Trip) {
	p := from.Rules.Policy
	limit := p.Cap
	if p.Kind != ride.PolicyBroadcast {
		limit = 1
	}
	pending := map[ride.AccountID]int{}
	for _, o := range to.Offers {
		if !o.State.Ended() {
			pending[o.Driver]++
			require.LessOrEqual(m.t, pending[o.Driver], 1, "two open offers to %s", o.Driver)
		}
	}
	require.LessOrEqual(m.t, len(pending), limit)
	require.Equal(m.t, from.Status == ride.StatusMatched, e.Exchange)
	require.GreaterOrEqual(m.t, e.Ring, p.RingStart)
	require.LessOrEqual(m.t, e.Ring, p.RingMax)
	for _, o := range e.Offers {
		require.False(m.t, m.refused[o.Driver], "%s is asked again", o.Driver)
		require.Equal(m.t, p.Exclusive, o.Exclusive)
		if p.MaxETA > 0 {
			way := o.ETA
			if p.Door && o.DoorM > 0 {
				way = o.DoorETA
			}
			require.LessOrEqual(m.t, way, p.MaxETA)
		}
		ignored := 0
		for _, old := range from.Offers {
			if old.Driver == o.Driver && old.State == ride.OfferExpired {
				ignored++
			}
		}
		require.Less(m.t, ignored, p.AsksPerDriver)
	}
}

// check holds between any two commands.
func (m *machine) check() {
	t := &m.trip
	// Something will end whatever the trip waits for: an armed timer, or an open search. And
	// nothing else is armed.
	open, armed := map[ride.TimerKind]time.Time{}, maps.Clone(m.timers)
	for _, timer := range ride.Timers(*t) {
		require.False(m.t, timer.At.IsZero(), "%s has no time", timer.Kind)
		if timer.Kind == ride.TimerWave && m.search != nil && m.search.Wave == t.Search.Wave+1 && m.search.Ring == t.Search.NextRing {
			delete(armed, ride.TimerWave) // either will do
			continue
		}
		open[timer.Kind] = timer.At
	}
	require.Empty(m.t, cmp.Diff(open, armed))
	_, deadline := open[ride.TimerDeadline]
	require.Equal(m.t, t.Status.Live(), deadline)
	require.Equal(m.t, t.Status.Live(), !ride.Wake(*t).IsZero())

	require.Equal(m.t, t.Status.Occupied() || t.Status == ride.StatusCompleted, t.Driver != nil && t.Status != ride.StatusCancelled)
	for _, o := range t.Offers {
		if m.unasked[o.ID] {
			require.Equal(m.t, ride.OfferWon, o.State)
			require.Zero(m.t, m.sent[o.ID]+m.closed[o.ID], "%s was not asked", o.Driver)
			continue
		}
		require.Equal(m.t, 1, m.sent[o.ID], "%s sent", o.ID)
		want := 0
		if o.State.Ended() {
			want = 1
		}
		require.Equal(m.t, want, m.closed[o.ID], "%s (%s) closed", o.ID, o.State)
		if t.Status != ride.StatusRequested && (t.Status != ride.StatusMatched || o.Left == 0) {
			require.True(m.t, o.State.Ended(), "%s is %s while the trip is %s", o.ID, o.State, t.Status)
		}
	}
	// But for wrong PINs, which count only while the driver waits at the pickup, a trip is its
	// history.
	if t.Status != ride.StatusArrived {
		require.Zero(m.t, t.PINTries)
	}
	require.LessOrEqual(m.t, t.PINTries.Wrong, ride.MaxPINTries-1)
	require.Len(m.t, m.sent, len(t.Offers)-len(m.unasked))
	require.LessOrEqual(m.t, len(t.Offers), 500)
}

// checkHistory looks back at the whole life of the trip.
func (m *machine) checkHistory() {
	require.Empty(m.t, cmp.Diff(m.trip, ride.Replay(m.history)))
	var back []ride.Event
	waves, released, matched := 0, 0, false
	for _, e := range m.history {
		kind, data, err := ride.MarshalEvent(e)
		require.NoError(m.t, err)
		e, err = ride.UnmarshalEvent(kind, data)
		require.NoError(m.t, err)
		back = append(back, e)
		switch e := e.(type) {
		case ride.WavePlanned:
			if !e.Exchange {
				waves++
			}
		case ride.Released:
			released++
			matched = false
		case ride.Matched:
			require.False(m.t, matched, "matched twice")
			matched = true
		case ride.Exchanged:
			require.True(m.t, matched, "exchanged without a driver")
		}
	}
	require.Empty(m.t, cmp.Diff(m.trip, ride.Replay(back)))
	// Each wave is due to the clock, to an offer's end or to a wider ring; or to a driver
	// who turned up, an operator, or a clock that was set back.
	r := m.trip.Rules
	perSearch := int(math.Ceil(r.SearchFor.Seconds()/r.Policy.WaveEvery.Seconds())) + r.Policy.RingMax - r.Policy.RingStart + 2
	require.LessOrEqual(m.t, waves, (released+1)*perSearch+len(m.trip.Offers)+m.extra)
	// No state was changed after it was made.
	for i := range m.past {
		b, err := ride.MarshalTrip(&m.past[i])
		require.NoError(m.t, err)
		require.Equal(m.t, m.frozen[i], string(b))
	}
	require.True(m.t, slices.Contains([]ride.Status{ride.StatusCompleted, ride.StatusCancelled, ride.StatusExpired}, m.trip.Status))
}
