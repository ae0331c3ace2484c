package ride_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// since writes a time as a story does.
func since(at time.Time) string { return "+" + at.Sub(dawn).String() }

func (s *story) say(format string, args ...any) {
	fmt.Fprintln(&s.out, strings.TrimRight(fmt.Sprintf(format, args...), " "))
}

func (s *story) tell(events []ride.Event, effects []ride.Effect, err error) {
	if err != nil {
		s.say("! %v", err)
		return
	}
	for _, e := range events {
		s.event(e)
	}
	for _, e := range effects {
		s.effect(e)
	}
	if len(events)+len(effects) == 0 {
		s.say("(nothing to do)")
	}
}

func (s *story) event(e ride.Event) {
	text := ""
	switch e := e.(type) {
	case ride.WavePlanned:
		for _, k := range e.Considered {
			text += fmt.Sprintf(", %s (%s) %s", k.Driver, k.ETA, k.Verdict)
		}
		text = fmt.Sprintf("%d in ring %d%s", e.Wave, e.Ring, text)
		if e.Exchange {
			text += ", for an exchange"
		}
	case ride.Accepted:
		text = fmt.Sprintf("%s, award at %s", e.Offer, since(e.AwardAt))
	case ride.OffersEnded:
		text = fmt.Sprintf("%v %s %s", e.Offers, e.State, e.Reason)
	case ride.Matched:
		text = fmt.Sprintf("%s with %s", e.Offer, e.Card.ID)
	case ride.Exchanged:
		text = fmt.Sprintf("%s for %s, %s with %s to go instead of %s: %s", e.Card.ID, e.From, e.Offer, e.PickupETA, e.Left, e.Reason)
	case ride.Released:
		text = fmt.Sprintf("by %s %s", e.Driver, e.Reason)
	case ride.Cancelled:
		text = fmt.Sprintf("by the %s %s", e.By, e.Reason)
	case ride.Completed:
		text = fmt.Sprintf("by the %s after %.0f m for %d", e.By, e.TravelledM, e.Fare.Total)
	case ride.Rated:
		text = fmt.Sprintf("by the %s: %s gets %d stars %s", e.By, e.About, e.Stars, e.Comment)
	}
	s.say("* %s %s %s", since(e.When()), e.Kind(), text)
}

func (s *story) effect(e ride.Effect) {
	switch e := e.(type) {
	case ride.FindCandidates:
		s.say("> find candidates for wave %d in ring %d", e.Wave, e.Ring)
	case ride.SendOffer:
		s.say("> offer %s to %s until %s", e.Offer.ID, e.Offer.Driver, since(e.Offer.ExpiresAt))
	case ride.CloseOffer:
		s.say("> close %s of %s: %s %s", e.Offer.ID, e.Offer.Driver, e.Offer.State, e.Offer.Reason)
	case ride.Publish:
		s.say("> publish %s", e.Change)
	case ride.BindDriver:
		s.say("> bind %s", e.Driver)
	case ride.ReleaseDriver:
		s.say("> release %s", e.Driver)
	case ride.SetTimer:
		s.say("> set timer %s at %s", e.Timer.Kind, since(e.Timer.At))
	case ride.StopTimer:
		s.say("> stop timer %s", e.Kind)
	case ride.Finish:
		s.say("> finish")
	}
}

func (s *story) state() {
	t := &s.trip
	if t.Status == ride.StatusNone {
		s.say("= no trip")
		return
	}
	text := fmt.Sprintf("%s v%d %s", since(s.now), t.Version, t.Status)
	if t.Driver != nil {
		text += " with " + string(t.Driver.ID)
	}
	if t.Status.Live() {
		text += " until " + since(t.Deadline)
	}
	if len(t.Excluded) > 0 {
		text += fmt.Sprintf(", without %v", t.Excluded)
	}
	if n := t.PINTries.Wrong; n > 0 {
		text += fmt.Sprintf(", %d wrong", n)
	}
	if at := t.PINTries.LockedUntil; !at.IsZero() {
		text += ", locked until " + since(at)
	}
	s.say("= %s", text)
}
