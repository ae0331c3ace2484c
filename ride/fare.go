package ride

import (
	"fmt"
	"math"
	"time"
)

// Tariff prices one vehicle class in minor units of one currency.
type Tariff struct {
	Class     string `json:"class" yaml:"class"`
	Currency  string `json:"currency" yaml:"currency"` // ISO 4217
	Base      int64  `json:"base" yaml:"base"`
	PerKm     int64  `json:"per_km" yaml:"per_km"`
	PerMinute int64  `json:"per_minute" yaml:"per_minute"`
	Minimum   int64  `json:"minimum" yaml:"minimum"`
	Seats     int    `json:"seats" yaml:"seats"` // passengers that fit
}

const (
	// maxMinor is the largest amount that the protocol carries.
	maxMinor = math.MaxInt32
	// maxDistanceM is the longest ride that can be priced: half the equator.
	maxDistanceM = 20_000_000
)

// Validate checks a tariff as an operator may have written it.
func (t Tariff) Validate() error {
	_, known := CurrencyDigits(t.Currency)
	switch {
	case t.Class == "" || len(t.Class) > 32:
		return ErrInvalidArgument.With("a tariff needs a class of 1 to 32 bytes")
	case !known:
		return ErrInvalidArgument.With("tariff %q: the currency must be an ISO 4217 code such as EUR, not %q", t.Class, t.Currency)
	case t.Base < 0 || t.PerKm < 0 || t.PerMinute < 0 || t.Minimum < 0:
		return ErrInvalidArgument.With("tariff %q: amounts must not be negative", t.Class)
	case t.Base > maxMinor || t.PerKm > maxMinor/1000 || t.PerMinute > maxMinor/1000 || t.Minimum > maxMinor:
		return ErrInvalidArgument.With("tariff %q: an amount is too large", t.Class)
	case t.Seats < 1 || t.Seats > 100:
		return ErrInvalidArgument.With("tariff %q: seats must be from 1 to 100", t.Class)
	}
	return nil
}

// Fare is a price with its parts: Base + Distance + Time + MinimumTopUp = Total,
// in minor units.
type Fare struct {
	Currency     string        `json:"currency"`
	Total        int64         `json:"total"`
	Base         int64         `json:"base"`
	Distance     int64         `json:"distance"`
	Time         int64         `json:"time"`
	MinimumTopUp int64         `json:"minimum_topup,omitempty"`
	DistanceM    float64       `json:"distance_m"`
	Duration     time.Duration `json:"duration_ns"`
	// Basis, and the parts of DistanceM in metres, say how the distance was found; empty in
	// estimates, and in fares from before it was recorded.
	Basis      Basis   `json:"basis,omitempty"`
	MeasuredM  float64 `json:"measured_m,omitempty"`
	EstimatedM float64 `json:"estimated_m,omitempty"`
	// Streets says how the ride was compared with streets; nil in estimates, without a map, where nothing was
	// measured, and in fares from before it was recorded.
	Streets *StreetCheck `json:"streets,omitempty"`
}

// Price computes the fare of a ride from its distance in metres and its duration. Each part is
// rounded half up to a whole minor unit; distance is counted in whole metres and
// time in whole seconds. It returns ErrNoRoute when the ride cannot be priced:
// negative, not a number, or more than the protocol can carry.
func (t Tariff) Price(distanceM float64, d time.Duration) (Fare, error) {
	const maxS = 7 * 24 * 3600 // a week
	if math.IsNaN(distanceM) || distanceM < 0 || distanceM > maxDistanceM || d < 0 || d > maxS*time.Second {
		return Fare{}, ErrNoRoute.With("this ride is too long to be priced")
	}
	m, s := int64(math.Round(distanceM)), int64(d.Round(time.Second)/time.Second)
	f := Fare{
		Currency: t.Currency, Base: t.Base,
		Distance: (t.PerKm*m + 500) / 1000, Time: (t.PerMinute*s + 30) / 60,
		DistanceM: distanceM, Duration: d,
	}
	sum := f.Base + f.Distance + f.Time
	f.Total = max(sum, t.Minimum)
	f.MinimumTopUp = f.Total - sum
	if f.Total > maxMinor {
		return Fare{}, ErrNoRoute.With("this ride is too long to be priced")
	}
	return f, nil
}

// Tariffs is the operator's price list; the first is the default class.
type Tariffs []Tariff

// Validate checks every tariff, and that classes are unique.
func (ts Tariffs) Validate() error {
	if len(ts) == 0 {
		return ErrInvalidArgument.With("at least one tariff is needed")
	}
	seen := make(map[string]bool, len(ts))
	for _, t := range ts {
		if err := t.Validate(); err != nil {
			return err
		}
		if seen[t.Class] {
			return ErrInvalidArgument.With("two tariffs for class %q", t.Class)
		}
		seen[t.Class] = true
	}
	return nil
}

// Find returns the tariff of a class, the default one for "".
func (ts Tariffs) Find(class string) (Tariff, error) {
	for _, t := range ts {
		if class == "" || t.Class == class {
			return t, nil
		}
	}
	return Tariff{}, fmt.Errorf("class %q: %w", class, ErrUnknownClass)
}

// DefaultTariffs is what a server charges before its operator says otherwise.
func DefaultTariffs() Tariffs {
	return Tariffs{
		{Class: "standard", Currency: "USD", Base: 250, PerKm: 110, PerMinute: 35, Minimum: 500, Seats: 4},
		{Class: "comfort", Currency: "USD", Base: 400, PerKm: 160, PerMinute: 50, Minimum: 800, Seats: 4},
		{Class: "van", Currency: "USD", Base: 500, PerKm: 190, PerMinute: 60, Minimum: 1000, Seats: 6},
	}
}
