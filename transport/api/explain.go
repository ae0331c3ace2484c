package api

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// explainView is why a trip went to its driver, as it was recorded at the time.
type explainView struct {
	Trip   tripJSON      `json:"trip"`
	Policy policyView    `json:"policy" doc:"The policy in force when the trip was requested."`
	By     string        `json:"estimate_by" enum:"crow,streets,osrm,valhalla" doc:"Who estimated the trip's length and driving time, on which its price rests; crow is a straight line."`
	Waves  []waveView    `json:"waves" doc:"The rounds of offers, in order, including those that found no driver."`
	Offers []offerDetail `json:"offers" doc:"All offers in the order made, with how they ended."`
	Events []eventView   `json:"events" doc:"The event log; what waves considered is only under waves."`
}

type policyView struct {
	Kind          ride.PolicyKind `json:"kind" enum:"nearest,batch,broadcast,sequential"`
	Exclusive     bool            `json:"exclusive" doc:"Whether a driver who is asked holds no other offer."`
	Place         string          `json:"place" enum:"door,cell" doc:"Where the ways end by which candidates are ranked: at the pickup, or in the middle of its cell."`
	MaxEtaS       float64         `json:"max_eta_s" doc:"The longest way to the pickup for which a driver is asked; 0: any."`
	Award         ride.Award      `json:"award" enum:"first,best_eta"`
	AwardWindowMS int64           `json:"award_window_ms" doc:"Under best_eta: how long acceptances are gathered."`
	Cap           int             `json:"cap" doc:"How many offers may be open at once."`
	RingStart     int             `json:"ring_start"`
	RingStep      int             `json:"ring_step"`
	RingMax       int             `json:"ring_max"`
	WaveEveryMS   int64           `json:"wave_every_ms"`
	OfferTTLMS    int64           `json:"offer_ttl_ms"`
	AsksPerDriver int             `json:"asks_per_driver"`
	Exchanges     int             `json:"exchanges" doc:"How often the trip may change its driver before the pickup."`
	SearchForMS   int64           `json:"search_for_ms" doc:"How long a search may last."`
}

type waveView struct {
	Wave       int             `json:"wave" doc:"From 1."`
	At         time.Time       `json:"at"`
	Ring       int             `json:"ring" doc:"The radius in rings of cells around the pickup's."`
	Cells      int             `json:"cells" doc:"Cells within it that held available drivers and were asked; 0 in older records, which lack it."`
	Offered    int             `json:"offered"`
	Candidates []candidateView `json:"candidates" doc:"Best first; then nearby drivers who were not candidates, nearest first. Empty once the record is older than tracks are kept."`
	More       int             `json:"more" doc:"Candidates beyond those recorded."`
	Windows    int             `json:"windows" doc:"How many plans of its zone the trip had been in since it began to wait, this one included; 0: it planned by itself."`
	Why        string          `json:"why" doc:"Why the last of them had no driver for it, in a word of dispatch; empty if one had."`
	Decision   *decisionView   `json:"decision,omitempty" doc:"The plan's record; absent where the trip planned by itself."`
}

type candidateView struct {
	DriverID   ride.AccountID `json:"driver_id"`
	DriverName string         `json:"driver_name" doc:"First and last name, as they are today; empty if the account is gone."`
	Plate      string         `json:"plate"`
	Lat        float64        `json:"lat" minimum:"-90" maximum:"90" doc:"Where the driver was then."`
	Lng        float64        `json:"lng" minimum:"-180" maximum:"180"`
	Located    bool           `json:"located" doc:"Whether the position was recorded; without it lat, lng and straight_m mean nothing."`
	StraightM  float64        `json:"straight_m" doc:"As the crow flies, to where distance_m ends."`
	DistanceM  float64        `json:"distance_m" doc:"The way by which candidates are ranked, to the place that the policy names; 0 where none was looked for."`
	EtaS       float64        `json:"eta_s" doc:"Likewise."`
	By         string         `json:"by" enum:",crow,streets,osrm,valhalla" doc:"Who estimated these: the server's map of the streets, a server of routes, or crow: a straight line, because no one had a way in time. Empty where none was looked for."`
	Offered    bool           `json:"offered"`
	Reason     ride.Verdict   `json:"reason" enum:"offered,wrong_class,excluded,asked_enough,offer_open,resting,no_way,beyond_eta,held,over_cap,needed,too_far,busy,position_stale,offers_full" doc:"Why or why not; the manual explains the words."`
	Outcome    string         `json:"outcome" doc:"How the offer stands or ended; empty without one."`
}

type offerDetail struct {
	ID         ride.OfferID    `json:"id"`
	DriverID   ride.AccountID  `json:"driver_id"`
	DriverName string          `json:"driver_name"`
	Wave       int             `json:"wave"`
	DistanceM  float64         `json:"distance_m"`
	EtaS       float64         `json:"eta_s"`
	MadeAt     time.Time       `json:"made_at"`
	ExpiresAt  time.Time       `json:"expires_at"`
	EndedAt    *time.Time      `json:"ended_at,omitempty"`
	State      ride.OfferState `json:"state" enum:"open,accepted,won,withdrawn,expired,declined"`
	Reason     string          `json:"reason" doc:"Why it ended: a stable word, or the driver's own words."`
}

func (a *API) adminExplain(ctx context.Context, in *TripPath) (*body[explainView], error) {
	t, err := a.deps.Trips.Trip(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	events, err := a.deps.Trips.TripEvents(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	events = slices.DeleteFunc(events, func(e ride.StoredEvent) bool { return e.Version > t.Version })
	people, err := a.driversOf(ctx, &t, events)
	if err != nil {
		return nil, err
	}
	v := explainView{Policy: showPolicy(t.Rules), By: cmp.Or(t.Estimate.By, geo.ByCrow.String()), Waves: []waveView{}, Offers: showOffers(&t, events, people)}
	for i, e := range events {
		if w, ok := e.Event.(ride.WavePlanned); ok {
			v.Waves = append(v.Waves, showWave(&t, w, people, a.waysEnd(&t)))
			w.Considered, w.Decision = nil, nil
			events[i].Event = w
		}
	}
	if v.Trip, err = showTrip(&t, readerOf(ctx)); err != nil {
		return nil, err
	}
	if v.Events, err = showEvents(events, readerOf(ctx)); err != nil {
		return nil, err
	}
	return answer(v), nil
}

// maxNamed bounds the drivers whose names one explanation looks up.
const maxNamed = 1000

// driversOf reads the accounts of all drivers that a trip's record names.
func (a *API) driversOf(ctx context.Context, t *ride.Trip, events []ride.StoredEvent) (map[ride.AccountID]ride.Account, error) {
	people := make(map[ride.AccountID]ride.Account)
	var ids []ride.AccountID
	add := func(id ride.AccountID) {
		if _, known := people[id]; !known && len(ids) < maxNamed {
			people[id] = ride.Account{}
			ids = append(ids, id)
		}
	}
	for i := range t.Offers {
		add(t.Offers[i].Driver)
	}
	for _, e := range events {
		if w, ok := e.Event.(ride.WavePlanned); ok {
			for _, c := range w.Considered {
				add(c.Driver)
			}
		}
	}
	accounts, err := a.deps.Accounts.AccountsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, acc := range accounts {
		people[acc.ID] = acc
	}
	return people, nil
}

func fullName(a ride.Account) string {
	if a.ID == "" {
		return ""
	}
	return a.FirstName + " " + a.LastName
}

func showPolicy(r ride.Rules) policyView {
	p := r.Policy
	return policyView{
		Kind: p.Kind, Exclusive: p.Exclusive, Place: showPlace(p), MaxEtaS: p.MaxETA.Seconds(), Award: p.Award, AwardWindowMS: p.AwardWindow.Milliseconds(), Cap: p.Cap,
		RingStart: p.RingStart, RingStep: p.RingStep, RingMax: p.RingMax, WaveEveryMS: p.WaveEvery.Milliseconds(),
		OfferTTLMS: p.OfferTTL.Milliseconds(), AsksPerDriver: p.AsksPerDriver, Exchanges: p.Exchanges, SearchForMS: r.SearchFor.Milliseconds(),
	}
}

func showPlace(p ride.Policy) string {
	if p.Door {
		return "door"
	}
	return "cell"
}

// waysEnd is where the ways end by which a trip's candidates were ranked.
func (a *API) waysEnd(t *ride.Trip) geo.Point {
	if t.Rules.Policy.Door {
		return t.Request.Pickup
	}
	cell, err := geo.CellAt(t.Request.Pickup, a.cfg.OfferResolution)
	if err != nil {
		return t.Request.Pickup
	}
	return cell.Center()
}

func showWave(t *ride.Trip, w ride.WavePlanned, people map[ride.AccountID]ride.Account, end geo.Point) waveView {
	v := waveView{
		Wave: w.Wave, At: w.At.UTC(), Ring: w.Ring, Cells: w.Cells, Offered: len(w.Offers), More: w.More,
		Windows: w.Windows, Why: w.Why, Decision: showDecision(w.Decision, people),
		Candidates: make([]candidateView, 0, len(w.Considered)),
	}
	outcomes := make(map[ride.AccountID]string, len(w.Offers))
	for _, o := range w.Offers {
		if now, ok := t.Offer(o.ID); ok {
			outcomes[o.Driver] = string(now.State)
		}
	}
	for _, c := range w.Considered {
		acc := people[c.Driver]
		k := candidateView{
			DriverID: c.Driver, DriverName: fullName(acc), Plate: acc.Vehicle.Plate,
			Lat: c.Point.Lat, Lng: c.Point.Lng, Located: c.Point != geo.Point{},
			Offered: c.Verdict == ride.VerdictOffered, Reason: c.Verdict, Outcome: outcomes[c.Driver],
		}
		metres, eta := c.DistanceM, c.ETA
		if t.Rules.Policy.Door && c.DoorM > 0 {
			metres, eta = c.DoorM, c.DoorETA
		}
		k.DistanceM, k.EtaS = math.Round(metres), math.Round(eta.Seconds())
		if k.DistanceM > 0 { // older records do not say
			k.By = cmp.Or(c.By, geo.ByCrow.String())
		}
		if k.Located {
			k.StraightM = math.Round(geo.DistanceM(c.Point, end))
		}
		v.Candidates = append(v.Candidates, k)
	}
	return v
}

func showOffers(t *ride.Trip, events []ride.StoredEvent, people map[ride.AccountID]ride.Account) []offerDetail {
	ended := offerEnds(t, events)
	out := make([]offerDetail, 0, len(t.Offers))
	for _, o := range t.Offers {
		d := offerDetail{
			ID: o.ID, DriverID: o.Driver, DriverName: fullName(people[o.Driver]), Wave: o.Wave,
			DistanceM: math.Round(o.DistanceM), EtaS: math.Round(o.ETA.Seconds()),
			MadeAt: o.MadeAt.UTC(), ExpiresAt: o.ExpiresAt.UTC(), State: o.State, Reason: o.Reason,
		}
		if at, ok := ended[o.ID]; ok {
			d.EndedAt = &at
		}
		out = append(out, d)
	}
	return out
}

// offerEnds tells when each offer ended: by an event that names it, or by the trip's
// match or end, which closes all that are open.
func offerEnds(t *ride.Trip, events []ride.StoredEvent) map[ride.OfferID]time.Time {
	ended := make(map[ride.OfferID]time.Time, len(t.Offers))
	end := func(id ride.OfferID, at time.Time) {
		if _, known := ended[id]; !known {
			ended[id] = at.UTC()
		}
	}
	for _, e := range events {
		switch ev := e.Event.(type) {
		case ride.OffersEnded:
			for _, id := range ev.Offers {
				end(id, ev.At)
			}
		case ride.Matched, ride.Exchanged, ride.Arrived, ride.Cancelled, ride.Expired:
			for i := range t.Offers {
				if o := &t.Offers[i]; !o.MadeAt.After(ev.When()) {
					end(o.ID, ev.When())
				}
			}
		}
	}
	return ended
}
