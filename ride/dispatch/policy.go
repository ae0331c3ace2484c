package dispatch

import (
	"encoding/json"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// Policy says how dispatch proceeds in a zone. A preset only fills it; each field can be set. Its JSON form is what
// operators keep, with durations in nanoseconds as everywhere in Hexhail's records.
type Policy struct {
	Name    string `json:"name"`              // of the preset, or of the document that it came from
	Version int    `json:"version,omitempty"` // of that document; 0: a preset
	// Trip is what each trip does by itself: always where Window is 0, else when its zone's plan does not come.
	Trip ride.Policy `json:"trip"`
	// Window is the time from one plan of the zone to the next. 0: there are none, each trip plans for itself by Trip.
	Window time.Duration `json:"window_ns"`
	// Adapt lets MaxETA, Window, second offers and the gain of an exchange follow the market: where drivers are far apart,
	// ways and windows may be longer, exchanges must gain more, and second drivers are asked, which they otherwise are not.
	Adapt bool `json:"adapt"`

	// MaxETA bounds the time until a driver who is asked could be at the pickup.
	MaxETA time.Duration `json:"max_eta_ns"`
	// Near is how many drivers of a row's neighbourhood are looked at, nearest by line, of those without a trip and
	// again of those on their way to one. Arcs is how many of them, the cheapest, the assignment sees.
	Near int `json:"near"`
	Arcs int `json:"arcs"`
	// SoonFree is how long before the end of its ride a driver may be asked for the next one. Each second until
	// then costs SoonFreePercent of a second.
	SoonFree        time.Duration `json:"soon_free_ns"`
	SoonFreePercent int           `json:"soon_free_percent"`
	// Worth is the price of taking a driver from a place where it is sorely needed, and the discount where it is not.
	Worth time.Duration `json:"worth_ns"`
	// AgeCreditPercent is how much of its age is taken off the price of an open request, so that the older one is served
	// where not all can be.
	AgeCreditPercent int `json:"age_credit_percent"`
	// SecondAfter is the silence after which a second driver is asked as well, if there are at least SecondRatio drivers
	// without a trip for each open request. 0: never.
	SecondAfter time.Duration `json:"second_after_ns"`
	SecondRatio int           `json:"second_ratio"`

	Exchange ExchangePolicy `json:"exchange"`
}

// ExchangePolicy says when matched trips may change drivers before the pickup.
type ExchangePolicy struct {
	On bool `json:"on"`
	// Gain is how much sooner each pickup must be than with its present driver, and GainPercent of the remaining time at
	// least. A new driver who is called off its way to another trip must gain Gain once more.
	Gain        time.Duration `json:"gain_ns"`
	GainPercent int           `json:"gain_percent"`
	// NotWithin protects riders whose driver is about to arrive.
	NotWithin time.Duration `json:"not_within_ns"`
	// PerTrip is how often one trip may change its driver.
	PerTrip int `json:"per_trip"`
}

// gain is how much sooner a new driver must be.
func (p Policy) gain(remaining time.Duration) time.Duration {
	return max(p.Exchange.Gain, remaining*time.Duration(p.Exchange.GainPercent)/100)
}

// Zoned reports whether the zone plans for its trips.
func (p Policy) Zoned() bool { return p.Window > 0 }

// The greatest values that a policy may have, or get by Adapt.
const (
	mostWindow = 2 * time.Minute
	mostMaxETA = time.Hour
)

// Validate checks a policy as an operator may have written it. The error wraps ride.ErrInvalidArgument.
func (p Policy) Validate() error {
	bad := func(format string, args ...any) error {
		return ride.ErrInvalidArgument.With("dispatch policy: "+format, args...)
	}
	within := func(d, least, most time.Duration) bool { return d >= least && d <= most }
	if err := p.Trip.Validate(); err != nil {
		return err
	}
	switch {
	case p.Name == "" || len(p.Name) > 64:
		return bad("a name of 1 to 64 characters is needed")
	case p.Version < 0:
		return bad("the version must not be negative")
	case p.Window == 0:
		return nil // what follows is for plans of a zone
	case !within(p.Window, 500*time.Millisecond, mostWindow):
		return bad("the window must be 0, or from 500ms to 2m")
	case !within(p.MaxETA, 30*time.Second, mostMaxETA):
		return bad("the longest way to a pickup must be from 30s to 1h")
	case p.Near < 1 || p.Near > 500:
		return bad("from 1 to 500 drivers must be looked at near each pickup")
	case p.Arcs < 1 || p.Arcs > p.Near:
		return bad("the assignment must see from 1 driver to as many as are looked at")
	case !within(p.SoonFree, 0, 15*time.Minute):
		return bad("a driver may be asked at most 15m before the end of its ride")
	case p.SoonFreePercent < 100 && p.SoonFree > 0 || p.SoonFreePercent < 0 || p.SoonFreePercent > 1000:
		return bad("a second until the end of a ride must cost from 100 to 1000 percent of one")
	case !within(p.Worth, 0, 30*time.Minute):
		return bad("the worth of a place must be from 0 to 30m")
	case p.AgeCreditPercent < 0 || p.AgeCreditPercent > 1000:
		return bad("the credit for age must be from 0 to 1000 percent")
	case p.SecondAfter != 0 && !within(p.SecondAfter, time.Second, 10*time.Minute):
		return bad("a second driver may be asked after 1s to 10m, or never with 0")
	case p.SecondAfter != 0 && (p.SecondRatio < 1 || p.SecondRatio > 1000):
		return bad("a second driver may be asked where there are 1 to 1000 free drivers for each request")
	}
	return p.Exchange.validate(bad)
}

func (x ExchangePolicy) validate(bad func(string, ...any) error) error {
	switch {
	case !x.On:
		return nil
	case x.Gain < 0 || x.Gain > 10*time.Minute:
		return bad("the gain of an exchange must be from 0 to 10m")
	case x.GainPercent < 0 || x.GainPercent > 90:
		return bad("the gain of an exchange must be from 0 to 90 percent of the remaining time")
	case x.NotWithin < 0 || x.NotWithin > 10*time.Minute:
		return bad("the time before the pickup without exchange must be from 0 to 10m")
	case x.PerTrip < 1 || x.PerTrip > 10:
		return bad("a trip may change its driver 1 to 10 times; switch exchange off instead of allowing none")
	}
	return nil
}

// Parse reads a policy from its JSON form and validates it. Fields that are left out are those of the preset that
// "name" names, or of Auto; unknown ones are refused, because a misspelt setting would otherwise have no effect.
func Parse(doc []byte) (Policy, error) {
	var head struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(doc, &head); err != nil {
		return Policy{}, ride.ErrInvalidArgument.With("dispatch policy: %v", err)
	}
	p, ok := Preset(head.Name)
	if !ok {
		p = Auto()
	}
	if err := strict(doc, &p); err != nil {
		return Policy{}, ride.ErrInvalidArgument.With("dispatch policy: %v", err)
	}
	return p, p.Validate()
}
