package ride

import (
	"slices"
	"time"
)

// Timers returns what the trip waits for, at most one timer of each kind, in a
// fixed order. It depends on the state alone, so a crash loses none.
func Timers(t Trip) []Timer {
	if !t.Status.Live() {
		return nil
	}
	timers := []Timer{{TimerDeadline, t.Deadline}}
	var expiry time.Time
	for i := range t.Offers {
		if o := &t.Offers[i]; o.State == OfferOpen && (expiry.IsZero() || o.ExpiresAt.Before(expiry)) {
			expiry = o.ExpiresAt
		}
	}
	if !expiry.IsZero() {
		timers = append(timers, Timer{TimerOffers, expiry})
	}
	if t.Status != StatusRequested {
		return timers
	}
	if t.Search.AwardAt.IsZero() {
		return append(timers, Timer{TimerWave, t.Search.NextAt})
	}
	return append(timers, Timer{TimerAward, t.Search.AwardAt})
}

// Wake is when the trip's earliest timer is due; zero when it waits for none.
// The store keeps it, so that a sweeper finds trips that no actor looks after.
func Wake(t Trip) time.Time {
	var at time.Time
	for _, timer := range Timers(t) {
		if timer.Kind == TimerWave && !t.Rules.Policy.Immediate() {
			timer.At = timer.At.Add(QuietFor) // whoever plans the wave may find nobody for so long
		}
		if at.IsZero() || timer.At.Before(at) {
			at = timer.At
		}
	}
	return at
}

// Diff returns the effects of going from one state of a trip to a later one:
// offers to send and to close, timers to set and to stop, drivers to bind and to
// release, and the news to publish. A search comes last: its answer may arrive at
// once and lead to further effects.
func Diff(before, after Trip) []Effect {
	var out []Effect
	if b, a := before.boundDriver(), after.boundDriver(); b != a {
		if b != "" {
			out = append(out, ReleaseDriver{b})
		}
		if a != "" {
			out = append(out, BindDriver{a})
		}
	}
	for i := range after.Offers {
		o := after.Offers[i]
		switch {
		case i >= len(before.Offers):
			if !o.State.Ended() { // else it came and went between the two states
				out = append(out, SendOffer{o})
			}
		case o.State.Ended() && !before.Offers[i].State.Ended():
			out = append(out, CloseOffer{o})
		}
	}
	timers, find := timerEffects(before, after)
	out = append(out, timers...)
	if after.Version != before.Version {
		out = append(out, Publish{after.Change})
	}
	if find {
		out = append(out, after.find())
	}
	if after.Status.Final() && !before.Status.Final() {
		out = append(out, Finish{})
	}
	return out
}

// boundDriver is the driver whom the trip occupies.
func (t *Trip) boundDriver() AccountID {
	if t.Status.Occupied() {
		return t.DriverID()
	}
	return ""
}

// timerEffects returns what to do with the timers, and whether to search for the
// next wave now instead of through a timer.
func timerEffects(before, after Trip) (out []Effect, find bool) {
	was, is := Timers(before), Timers(after)
	for _, timer := range is {
		known := slices.ContainsFunc(was, timer.equal)
		due := !timer.At.After(after.UpdatedAt)
		switch {
		case timer.Kind == TimerWave && known && due && before.find() == after.find():
			// Its search is under way.
		case timer.Kind == TimerWave && due:
			find = true
			if hasTimer(was, TimerWave) {
				out = append(out, StopTimer{TimerWave})
			}
		case known && !due:
		default:
			// New, or due and still there: it may have fired already for a decision
			// that the store refused, such as an award to a driver who had become
			// busy, and would never fire again.
			out = append(out, SetTimer{timer})
		}
	}
	for _, timer := range was {
		if !hasTimer(is, timer.Kind) {
			out = append(out, StopTimer{timer.Kind})
		}
	}
	return out, find
}

func hasTimer(timers []Timer, kind TimerKind) bool {
	return slices.ContainsFunc(timers, func(t Timer) bool { return t.Kind == kind })
}

// find is the search for the next wave.
func (t *Trip) find() FindCandidates {
	return FindCandidates{Wave: t.Search.Wave + 1, Ring: t.Search.NextRing}
}

// Resume returns the effects that bring a trip back to life from its stored
// state: every open timer (one that is due fires at once), every open offer,
// and the driver's tie. Ends of offers that were not sent because of a crash are not
// repeated: the driver learns them from the snapshot at the next connect.
func Resume(t Trip) []Effect {
	var out []Effect
	if d := t.boundDriver(); d != "" {
		out = append(out, BindDriver{d})
	}
	for i := range t.Offers {
		if t.Offers[i].State == OfferOpen {
			out = append(out, SendOffer{t.Offers[i]})
		}
	}
	for _, timer := range Timers(t) {
		out = append(out, SetTimer{timer})
	}
	if t.Status.Final() {
		out = append(out, Finish{})
	}
	return out
}
