package ride_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hexhail/hexhail/ride"
)

// TestAnyCommandsKeepThePromises throws commands at a trip, sensible and not, from
// its parties and from strangers, late, repeated and with a clock that is set back,
// crashes in between, and holds the machine to what docs/semantics.md says of it.
func TestAnyCommandsKeepThePromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		require.NoError(t, m.do(m.request))
		t.Repeat(map[string]func(*rapid.T){
			"":      func(*rapid.T) { m.check() },
			"go on": m.goOn, "go on and on": m.goOn, "and on": m.goOn, "and further": m.goOn, "give back": m.giveBack,
			"candidates": m.candidates, "stale candidates": m.staleCandidates, "any plan": m.anyPlan,
			"accept": m.accept, "accept again": m.accept, "decline": m.decline, "withdraw": m.withdraw, "driver nearby": m.driverNearby,
			"redispatch": m.redispatch, "propose": m.propose, "propose another": m.propose, "exchange": m.exchangeAny,
			"drive": m.drive, "drive on": m.drive, "cancel": m.cancel, "rate": m.rate,
			"pass time": m.passTime, "set clock back": m.setBack, "fire early": m.fireEarly,
			"guess": m.guess, "stale tick": m.staleTick, "busy": m.toggleBusy, "crash": m.crashNow,
			"request again": func(*rapid.T) { require.ErrorIs(t, m.do(m.request), ride.ErrWrongStatus) },
		})
		m.drain()
		m.check()
		m.checkHistory()
	})
}

// machine is a shell with memories to compare against.
type machine struct {
	*shell
	t       *rapid.T
	request ride.RequestTrip
	past    []ride.Trip // every state there was
	frozen  []string    // each as it was written then
	sent    map[ride.OfferID]int
	closed  map[ride.OfferID]int
	refused map[ride.AccountID]bool // who declined or gave the trip back
	unasked map[ride.OfferID]bool   // offers of drivers whom an exchange moved here
	extra   int                     // how often a wave could come that neither clock, offers nor rings owe
	pin     pinModel
}

// pinModel is what is promised of wrong PINs: how many there were in a row, and until when the trip
// is locked.
type pinModel struct {
	wrong  int
	locked time.Time
}

// start is the refusal that a start by the trip's driver must get; nil if it must succeed.
func (p *pinModel) start(trip ride.Trip, now time.Time, pin string) *ride.Error {
	switch {
	case trip.PIN == "":
	case now.Before(p.locked):
		return ride.ErrPINLocked
	case pin == "":
		return ride.ErrPINRequired
	case pin != trip.PIN:
		if p.wrong++; p.wrong == ride.MaxPINTries {
			*p = pinModel{locked: now.Add(ride.PINLock)}
		}
		return ride.ErrWrongPIN
	}
	return nil
}

func newMachine(t *rapid.T) *machine {
	m := &machine{
		shell: newShell(), t: t,
		sent: map[ride.OfferID]int{}, closed: map[ride.OfferID]int{}, refused: map[ride.AccountID]bool{}, unasked: map[ride.OfferID]bool{},
	}
	m.request = request(drawRules(t))
	if rapid.Bool().Draw(t, "with PIN") {
		m.request.PIN = "4711"
	}
	m.note = m.decided
	return m
}

func drawRules(t *rapid.T) ride.Rules {
	seconds := func(name string, lo, hi int) time.Duration {
		return time.Duration(rapid.IntRange(lo, hi).Draw(t, name)) * time.Second
	}
	r := ride.DefaultRules()
	p := &r.Policy
	p.Kind = rapid.SampledFrom([]ride.PolicyKind{ride.PolicyBroadcast, ride.PolicySequential, ride.PolicyNearest, ride.PolicyBatch}).Draw(t, "policy")
	p.Exclusive = p.Kind == ride.PolicyNearest || p.Kind == ride.PolicyBatch || rapid.Bool().Draw(t, "exclusive")
	p.MaxETA = time.Duration(rapid.IntRange(0, 5).Draw(t, "longest way")) * time.Minute
	p.Award = rapid.SampledFrom([]ride.Award{ride.AwardFirst, ride.AwardBestETA}).Draw(t, "award")
	p.AwardWindow = seconds("window", 1, 8)
	p.Cap = rapid.IntRange(1, 4).Draw(t, "cap")
	p.RingStart = rapid.IntRange(0, 2).Draw(t, "ring start")
	p.RingStep = rapid.IntRange(0, 2).Draw(t, "ring step")
	p.RingMax = p.RingStart + rapid.IntRange(0, 4).Draw(t, "rings")
	p.WaveEvery, p.OfferTTL = seconds("wave every", 1, 10), seconds("offer ttl", 1, 20)
	p.Exchanges = rapid.IntRange(0, 3).Draw(t, "exchanges")
	p.AsksPerDriver = rapid.IntRange(1, 3).Draw(t, "asks")
	r.SearchFor, r.PickupWithin = seconds("search", 5, 90), seconds("pickup", 10, 100)
	r.BoardWithin, r.RideWithin = seconds("board", 10, 100), seconds("ride", 10, 100)
	require.NoError(t, r.Validate())
	return r
}

// ------------------------------------------------------------------ commands

func drawDriver(t *rapid.T) ride.AccountID {
	return ride.AccountID(fmt.Sprintf("d%d", rapid.IntRange(1, 6).Draw(t, "driver")))
}

func (m *machine) drawOffer(t *rapid.T) ride.Offer {
	if len(m.trip.Offers) == 0 || rapid.IntRange(0, 9).Draw(t, "foreign") == 0 {
		return ride.Offer{ID: "trip.1000", Driver: drawDriver(t)}
	}
	return rapid.SampledFrom(m.trip.Offers).Draw(t, "offer")
}

func (m *machine) drawCandidates(t *rapid.T) []ride.Candidate {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ride.Candidate {
		return ride.Candidate{
			Trip: "trip", Driver: drawDriver(t), DistanceM: rapid.Float64().Draw(t, "metres"),
			Class: rapid.SampledFrom([]string{"standard", "standard", "standard", "van"}).Draw(t, "class"),
			ETA:   time.Duration(rapid.IntRange(-1, 5).Draw(t, "minutes")) * time.Minute,
			Load:  max(0, rapid.IntRange(-3, 1).Draw(t, "load")),
		}
	}), 0, 6).Draw(t, "candidates")
}

// goOn does what brings the trip forward, so that the random walk gets around.
func (m *machine) goOn(t *rapid.T) {
	d := m.trip.DriverID()
	open := slices.DeleteFunc(slices.Clone(m.trip.Offers), func(o ride.Offer) bool { return o.State != ride.OfferOpen })
	switch {
	case m.trip.Status == ride.StatusMatched:
		require.NoError(t, m.do(ride.MarkArrived{Driver: d}))
	case m.trip.Status == ride.StatusArrived:
		_ = m.do(ride.StartTrip{Driver: d, PIN: m.trip.PIN}) // it may be locked
	case m.trip.Status == ride.StatusInProgress:
		require.NoError(t, m.do(ride.CompleteTrip{Driver: d}))
	case m.trip.Status == ride.StatusCompleted:
		m.rate(t)
	case len(open) > 0:
		o := rapid.SampledFrom(open).Draw(t, "offer")
		_ = m.do(ride.AcceptOffer{Offer: o.ID, Card: card(o.Driver)})
		m.busy[o.Driver] = rapid.IntRange(0, 2).Draw(t, "busy soon") == 0
	case m.search != nil:
		m.candidates(t)
	default:
		m.fire(m.now.Add(time.Hour))
	}
}

func (m *machine) giveBack(*rapid.T) {
	_ = m.do(ride.CancelTrip{By: ride.ByDriver, Account: m.trip.DriverID()})
}

func (m *machine) candidates(t *rapid.T) {
	if m.search == nil {
		t.Skip("no search is open")
	}
	c := m.planned(m.search.Wave, m.search.Ring, m.drawCandidates(t))
	m.search = nil
	require.NoError(t, m.do(c))
}

func (m *machine) staleCandidates(t *rapid.T) {
	wave := m.trip.Search.Wave + rapid.SampledFrom([]int{-1, 0, 2}).Draw(t, "wave")
	version := m.trip.Version
	require.NoError(t, m.do(m.planned(wave, m.trip.Search.NextRing, m.drawCandidates(t))))
	require.Equal(t, version, m.trip.Version)
}

// anyPlan answers the search with a plan that was made for an earlier state, or that knows
// nothing of the trip: the checks of wave hold for it all the same.
func (m *machine) anyPlan(t *rapid.T) {
	if m.search == nil {
		t.Skip("no search is open")
	}
	c := ride.OfferWave{Wave: m.search.Wave, Ring: m.search.Ring}
	m.search = nil
	if past := rapid.SampledFrom(m.past).Draw(t, "past"); rapid.Bool().Draw(t, "of the past") {
		c.Considered = plan(past, m.now, m.drawCandidates(t))
	} else {
		c.Considered = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ride.Considered {
			return ride.Considered{
				Driver: drawDriver(t), Verdict: rapid.SampledFrom([]ride.Verdict{ride.VerdictOffered, ride.VerdictOffered, ride.VerdictBusy}).Draw(t, "verdict"),
				DistanceM: rapid.SampledFrom([]float64{0, 400, -1, math.NaN(), math.Inf(1)}).Draw(t, "metres"),
				ETA:       time.Duration(rapid.IntRange(-1, 5).Draw(t, "minutes")) * time.Minute,
			}
		}), 0, 12).Draw(t, "plan")
	}
	require.NoError(t, m.do(c))
}

func (m *machine) accept(t *rapid.T) {
	o := m.drawOffer(t)
	if rapid.IntRange(0, 9).Draw(t, "stranger") == 0 {
		o.Driver = drawDriver(t)
	}
	_ = m.do(ride.AcceptOffer{Offer: o.ID, Card: card(o.Driver)})
}

func (m *machine) decline(t *rapid.T) {
	o := m.drawOffer(t)
	_ = m.do(ride.DeclineOffer{Offer: o.ID, Driver: o.Driver, Reason: "no"})
}

func (m *machine) withdraw(t *rapid.T) {
	reason := rapid.SampledFrom([]string{ride.ReasonDriverGone, ride.ReasonTooManyOffers, ride.ReasonWentOffline, ride.ReasonDriverHeld}).Draw(t, "reason")
	require.NoError(t, m.do(ride.WithdrawOffer{Offer: m.drawOffer(t).ID, Reason: reason}))
}

// driverNearby itself never changes the trip; it asks for an ordinary search.
func (m *machine) driverNearby(*rapid.T) {
	version := m.trip.Version
	m.extra++
	require.NoError(m.t, m.do(ride.DriverNearby{}))
	require.Equal(m.t, version, m.trip.Version)
}

// redispatch is an operator's: like a driver's giving back, or like driverNearby.
func (m *machine) redispatch(*rapid.T) {
	from := m.trip
	m.extra++
	err := m.do(ride.Redispatch{})
	switch {
	case from.Status == ride.StatusMatched || from.Status == ride.StatusArrived:
		require.NoError(m.t, err)
		require.Equal(m.t, ride.KindReleased, m.trip.Change)
		require.Contains(m.t, m.trip.Excluded, from.DriverID())
	case from.Status == ride.StatusRequested:
		require.NoError(m.t, err)
		require.Equal(m.t, from.Version, m.trip.Version)
	default:
		require.Error(m.t, err)
	}
}

// propose asks another driver for the trip of one who is on its way.
func (m *machine) propose(t *rapid.T) {
	from := m.trip
	c := ride.OfferExchange{Considered: ride.Considered{Driver: drawDriver(t), ETA: drawWay(t)}, Left: drawWay(t)}
	err := m.do(c)
	if from.Status != ride.StatusMatched || len(from.Exchanges) >= from.Rules.Policy.Exchanges || c.Considered.Driver == from.DriverID() || c.Considered.ETA >= c.Left {
		require.Error(t, err)
	}
	require.Equal(t, from.DriverID(), m.trip.DriverID(), "a proposal alone changes no driver")
}

func drawWay(t *rapid.T) time.Duration {
	return time.Duration(rapid.IntRange(-1, 9).Draw(t, "way")) * 10 * time.Second
}

// exchangeAny exchanges drivers with another trip.
func (m *machine) exchangeAny(t *rapid.T) {
	m.freeze()
	d, from := drawDriver(t), m.trip
	way, left, theirWay, theirLeft := drawWay(t), drawWay(t), drawWay(t), drawWay(t)
	if m.exchange(d, way, left, theirWay, theirLeft) == nil && from.Status == ride.StatusMatched {
		require.LessOrEqual(t, way, theirLeft, "%s did not ask for a longer way", d)
		require.LessOrEqual(t, theirWay, left, "%s did not ask for a longer way", from.DriverID())
		require.Less(t, way+theirWay, left+theirLeft)
		require.Less(t, len(from.Exchanges), from.Rules.Policy.Exchanges)
	}
}

func (m *machine) drive(t *rapid.T) {
	d := m.trip.DriverID()
	if d == "" || rapid.IntRange(0, 9).Draw(t, "stranger") == 0 {
		d = drawDriver(t)
	}
	travelled := rapid.Float64().Draw(t, "travelled")
	_ = m.do(rapid.SampledFrom([]ride.Command{
		ride.MarkArrived{Driver: d},
		ride.StartTrip{Driver: d, PIN: "4711"},
		ride.StartTrip{Driver: d, PIN: "0000"},
		ride.StartTrip{Driver: d, PIN: "1111"},
		ride.StartTrip{Driver: d},
		ride.CompleteTrip{Driver: d, TravelledM: travelled},
	}).Draw(t, "step"))
}

// guess tries several PINs in a row, as a thief would.
func (m *machine) guess(t *rapid.T) {
	for range rapid.IntRange(1, 7).Draw(t, "guesses") {
		_ = m.do(ride.StartTrip{Driver: m.trip.DriverID(), PIN: "0000"})
	}
}

func (m *machine) cancel(t *rapid.T) {
	who := rapid.SampledFrom([]ride.CancelTrip{
		{By: ride.ByDriver, Account: m.trip.DriverID()}, {By: ride.ByDriver, Account: m.trip.DriverID()},
		{By: ride.ByDriver, Account: drawDriver(t)}, {By: ride.ByRider, Account: "stranger"}, {By: "nobody"},
		{By: ride.ByRider, Account: "rider"}, {By: ride.ByOperator}, {By: ride.BySystem},
	}).Draw(t, "who")
	_ = m.do(who)
}

func (m *machine) rate(t *rapid.T) {
	by := rapid.SampledFrom([]ride.AccountID{"rider", m.trip.DriverID(), "stranger"}).Draw(t, "by")
	_ = m.do(ride.RateTrip{By: by, Stars: rapid.IntRange(0, 6).Draw(t, "stars")})
}

func (m *machine) passTime(t *rapid.T) {
	m.advance(time.Duration(rapid.IntRange(0, 20_000_000).Draw(t, "microseconds")) * time.Microsecond)
}

func (m *machine) setBack(t *rapid.T) {
	m.now = m.now.Add(-time.Duration(rapid.IntRange(0, 900).Draw(t, "milliseconds")) * time.Millisecond)
	m.extra++
}

// fireEarly is what happens to a timer when the clock is set back under it.
func (m *machine) fireEarly(t *rapid.T) {
	timer, ok := m.earliest()
	if !ok || !timer.At.After(m.now) {
		t.Skip("no timer runs")
	}
	delete(m.timers, timer.Kind)
	require.NoError(t, m.do(ride.Tick{Timer: timer}))
}

func (m *machine) staleTick(t *rapid.T) {
	kind := rapid.SampledFrom([]ride.TimerKind{ride.TimerAward, ride.TimerDeadline, ride.TimerOffers, ride.TimerWave, "lunch"}).Draw(t, "kind")
	version := m.trip.Version
	require.NoError(t, m.do(ride.Tick{Timer: ride.Timer{Kind: kind, At: dawn.Add(-time.Second)}}))
	require.Equal(t, version, m.trip.Version)
}

func (m *machine) toggleBusy(t *rapid.T) {
	d := m.drawOffer(t).Driver
	m.busy[d] = !m.busy[d]
}

func (m *machine) crashNow(t *rapid.T) {
	before := m.trip
	timers := ride.Timers(m.trip)
	effects := m.crash(t)
	require.Empty(t, cmp.Diff(before, m.trip))
	for _, timer := range timers {
		require.Contains(t, effects, ride.Effect(ride.SetTimer{Timer: timer}))
	}
	for _, o := range m.trip.Offers {
		require.Equal(t, o.State == ride.OfferOpen, slices.Contains(effects, ride.Effect(ride.SendOffer{Offer: o})))
	}
}

// drain leaves the trip to its timers until it ends. Searches are answered; nothing else happens.
func (m *machine) drain() {
	limit := m.trip.Deadline.Add(m.request.Rules.PickupWithin) // an award may come at the last moment
	for range 2000 {
		if m.trip.Status.Final() {
			return
		}
		require.False(m.t, m.now.After(limit), "still %s at %s, after %s", m.trip.Status, m.now, limit)
		if m.search != nil {
			m.candidates(m.t)
			continue
		}
		require.True(m.t, m.fire(m.now.Add(time.Hour)), "nothing will ever happen to %s", m.trip.Status)
	}
	m.t.Fatalf("the trip is still %s: %d waves", m.trip.Status, m.trip.Search.Wave)
}
