package ride

import "time"

// Effect is what the shell must carry out after the events are on disk, and
// only then. An effect may be lost in a crash: Resume derives again those that matter.
type Effect interface{ effect() }

// FindCandidates asks for available drivers within Ring rings of the pickup.
// The answer is OfferWave with the same Wave and Ring, and there must be one: no
// timer covers a search. One that fails or takes too long is answered with no
// candidates.
type FindCandidates struct {
	Wave, Ring int
}

// SendOffer tells a driver of an offer.
type SendOffer struct {
	Offer Offer
}

// CloseOffer tells a driver of its offer's end.
type CloseOffer struct {
	Offer Offer // State and Reason say how it ended
}

// Publish tells the rider, and the driver if there is one, how the trip stands.
type Publish struct {
	Change string // the newest event's kind
}

// BindDriver tells a driver that it is on this trip.
type BindDriver struct {
	Driver AccountID
}

// ReleaseDriver tells a driver that it is no longer on this trip.
type ReleaseDriver struct {
	Driver AccountID
}

// SetTimer replaces the timer of the same kind. The timer that fires is handed
// back in a Tick.
type SetTimer struct {
	Timer Timer
}

// StopTimer ends the timer of a kind.
type StopTimer struct {
	Kind TimerKind
}

// Finish says that nothing more can happen but ratings: the shell may stop.
type Finish struct{}

func (FindCandidates) effect() {}
func (SendOffer) effect()      {}
func (CloseOffer) effect()     {}
func (Publish) effect()        {}
func (BindDriver) effect()     {}
func (ReleaseDriver) effect()  {}
func (SetTimer) effect()       {}
func (StopTimer) effect()      {}
func (Finish) effect()         {}

// TimerKind names what a trip waits for.
type TimerKind string

// The timers of a trip; there is at most one of each kind.
const (
	TimerDeadline TimerKind = "deadline" // the status ends automatically
	TimerWave     TimerKind = "wave"     // the next round is due
	TimerOffers   TimerKind = "offers"   // the earliest open offer expires
	TimerAward    TimerKind = "award"    // the best acceptance wins
)

// Timer is one due time. Its generation is the due time itself: the state alone
// says what is due when, so a timer of an earlier state never matches.
type Timer struct {
	Kind TimerKind
	At   time.Time
}

// equal compares instants, not their representations.
func (t Timer) equal(o Timer) bool { return t.Kind == o.Kind && t.At.Equal(o.At) }
