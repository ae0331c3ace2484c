package api

import (
	"encoding/json"
	"math"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/dispatch"
)

// decisionView is why a plan of a zone gave a trip its driver, as it was recorded at the time.
type decisionView struct {
	Policy    string            `json:"policy" doc:"Of the zone."`
	WindowMS  int64             `json:"window_ms" doc:"The time from one plan to the next."`
	Rows      int               `json:"rows" doc:"Trips in the plan."`
	Columns   int               `json:"columns" doc:"Drivers who were in reach of any of them."`
	Method    dispatch.Method   `json:"method" enum:"shortest_paths,auction,greedy"`
	PriceS    float64           `json:"price_s" doc:"What the offer costs, in seconds: the sum of the next four."`
	WayS      float64           `json:"way_s"`
	WorthS    float64           `json:"worth_s" doc:"Of the place that the driver leaves; negative where drivers abound."`
	AgeS      float64           `json:"age_s" doc:"Credit for the time that the request has waited; 0 or negative."`
	OtherS    float64           `json:"other_s" doc:"All other terms."`
	ScarcityS float64           `json:"scarcity_s" doc:"How much the total of the plan would rise without this driver, at least; 0 where not known."`
	Next      []alternativeView `json:"next" doc:"The best of the drivers who were not chosen."`
}

type alternativeView struct {
	DriverID   ride.AccountID  `json:"driver_id"`
	DriverName string          `json:"driver_name" doc:"As it is today; empty if the account is gone."`
	EtaS       float64         `json:"eta_s"`
	MoreS      float64         `json:"more_s" doc:"How much more this driver would have cost; negative: less."`
	Needed     bool            `json:"needed" doc:"Another trip needs this driver more."`
	ForTrip    ride.TripID     `json:"for_trip,omitempty" doc:"That trip."`
	Reason     dispatch.Reason `json:"reason" enum:"awaiting,promised,no_driver,too_far,needed,dearer,held,excluded,busy,class,small_gain,twice"`
}

// showDecision reads the record of a wave that a zone planned; nil for others.
func showDecision(raw json.RawMessage, people map[ride.AccountID]ride.Account) *decisionView {
	var r dispatch.Record
	if len(raw) == 0 || json.Unmarshal(raw, &r) != nil {
		return nil
	}
	p := r.Price
	v := &decisionView{
		Policy: r.Policy, WindowMS: r.Window.Milliseconds(), Rows: r.Rows, Columns: r.Columns, Method: r.Method,
		PriceS: tenths(p.Sum()), WayS: tenths(p.Way), WorthS: tenths(p.Worth), AgeS: tenths(p.AgeCredit),
		OtherS: tenths(p.Remaining + p.Preference + p.Exchange), ScarcityS: tenths(r.Scarcity), Next: make([]alternativeView, 0, len(r.Next)),
	}
	for _, a := range r.Next {
		v.Next = append(v.Next, alternativeView{
			DriverID: a.Driver, DriverName: fullName(people[a.Driver]), EtaS: tenths(a.ETA), MoreS: tenths(a.More),
			Needed: a.Reason == dispatch.NeededMore, ForTrip: a.For, Reason: a.Reason,
		})
	}
	return v
}

// tenths is a time in seconds, to a tenth.
func tenths(d time.Duration) float64 { return math.Round(d.Seconds()*10) / 10 }
