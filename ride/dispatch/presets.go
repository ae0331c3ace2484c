package dispatch

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// Presets are the names that Preset knows, the usual one first.
func Presets() []string { return []string{"auto", "exchange", "batch", "nearest", "broadcast", "ny"} }

// Preset returns the policy of a name, and whether there is one.
func Preset(name string) (Policy, bool) {
	switch name {
	case "auto":
		return Auto(), true
	case "batch":
		return Batch(), true
	case "exchange":
		p := Auto()
		p.Name, p.Adapt, p.SecondAfter, p.SecondRatio = name, false, 0, 0
		return p, true
	case "nearest":
		return Policy{Name: name, Trip: ride.DefaultPolicy().As(ride.PolicyNearest)}, true
	case "broadcast":
		return Policy{Name: name, Trip: ride.DefaultPolicy().As(ride.PolicyBroadcast)}, true
	case "ny":
		return newYatri(), true
	}
	return Policy{}, false
}

// Auto is the usual policy: assignment of least total price in short windows, corrected by exchange.
func Auto() Policy {
	trip := ride.DefaultPolicy().As(ride.PolicyNearest)
	return Policy{
		Name: "auto", Trip: trip, Window: 2 * time.Second, Adapt: true,
		MaxETA: 10 * time.Minute, Near: 60, Arcs: 30,
		SoonFree: 10 * time.Second, SoonFreePercent: 150,
		Worth:       2 * time.Minute,
		SecondAfter: 7 * time.Second, SecondRatio: 1,
		Exchange: ExchangePolicy{On: true, Gain: 20 * time.Second, NotWithin: 20 * time.Second, PerTrip: 2},
	}
}

// Batch is what a server does under ride.PolicyBatch: longer fixed windows, for drivers who are free and are asked one at
// a time. Nothing tells a server yet when the others will be, or takes a trip from a driver on its way.
func Batch() Policy {
	p := Auto()
	p.Name, p.Adapt, p.SecondAfter, p.SecondRatio = "batch", false, 0, 0
	p.Window = 5 * time.Second // a plan that no exchange corrects gains by waiting longer
	p.SoonFree, p.Exchange = 0, ExchangePolicy{}
	return p
}

// newYatri is the rule of Namma Yatri's open backend (github.com/nammayatri/nammayatri): batches of drivers by growing
// radius, all asked at once, and the first acceptance wins. Its drivers in a ride, who join from the second step on, and
// its ranking by acceptance rates are left out: a trip that searches for itself knows neither.
func newYatri() Policy {
	trip := ride.DefaultPolicy().As(ride.PolicyBroadcast)
	trip.MaxETA = 0
	trip.Cap, trip.RingStart, trip.RingStep, trip.RingMax = 10, 2, 2, 8
	trip.WaveEvery, trip.AsksPerDriver = 15*time.Second, 1
	return Policy{Name: "ny", Trip: trip}
}

// strict reads a valid JSON value into p and refuses fields that p does not have.
func strict(doc []byte, p *Policy) error {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.DisallowUnknownFields()
	return d.Decode(p)
}
