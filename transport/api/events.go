package api

import (
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/view"
)

// eventView is one event of a trip. What is absent is not due to the reader, or not
// part of that kind.
type eventView struct {
	Version int64      `json:"version" doc:"Its place in the history; readers do not see every event."`
	Kind    string     `json:"kind" enum:"requested,wave_planned,accepted,offers_ended,matched,exchanged,released,arrived,started,completed,cancelled,expired,rated"`
	At      time.Time  `json:"at"`
	By      ride.Party `json:"by,omitzero" enum:"rider,driver,operator,system" doc:"Who caused it."`
	Reason  string     `json:"reason,omitzero"`
	Wave    int        `json:"wave,omitzero" doc:"For riders: which round of offers."`
	Ring    int        `json:"ring,omitzero" doc:"For riders: how far it reached."`
	Asked   int        `json:"asked,omitzero" doc:"For riders: how many drivers it asked."`
	Stars   int        `json:"stars,omitzero" doc:"To who gave them."`
	Data    eventData  `json:"data,omitzero" doc:"For operators: everything recorded, except the PIN."`
}

// eventData is an event as it is stored.
type eventData []byte

// MarshalJSON implements json.Marshaler.
func (d eventData) MarshalJSON() ([]byte, error) {
	if d == nil {
		return []byte("null"), nil
	}
	return d, nil
}

// Schema implements huma.SchemaProvider.
func (eventData) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// showEvents shows a trip's history. Operators see all of it. A rider sees what
// happened and when, and no driver in it. A driver sees its own part, from the match
// on: who else was asked, or had the trip before, is none of its business.
func showEvents(events []ride.StoredEvent, r view.Reader) ([]eventView, error) {
	out := make([]eventView, 0, len(events))
	if r.Role == ride.RoleOperator {
		for _, e := range events {
			v, err := fullEvent(e)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	}
	mine := int64(0) // from which version on a driver may see
	for _, e := range events {
		switch ev := e.Event.(type) {
		case ride.Matched:
			if ev.Card.ID == r.Account {
				mine = e.Version
			}
		case ride.Exchanged:
			if ev.Card.ID == r.Account {
				mine = e.Version
			}
		}
	}
	for _, e := range events {
		_, first := e.Event.(ride.Requested)
		if r.Role == ride.RoleDriver && !first && (mine == 0 || e.Version < mine) {
			continue
		}
		if v, ok := partyEvent(e, r.Role); ok {
			out = append(out, v)
		}
	}
	return out, nil
}

// partyEvent shows one event to a rider or a driver. Fields are listed one by one, so that a new
// field of an event is not published automatically.
func partyEvent(e ride.StoredEvent, role ride.Role) (eventView, bool) {
	v := eventView{Version: e.Version, Kind: e.Event.Kind(), At: e.Event.When().UTC()}
	switch ev := e.Event.(type) {
	case ride.WavePlanned:
		v.Wave, v.Ring, v.Asked = ev.Wave, ev.Ring, len(ev.Offers)
	case ride.Exchanged:
		v.Reason = ev.Reason
	case ride.Released:
		v.By = ev.By
	case ride.Completed:
		v.By = ev.By
	case ride.Cancelled:
		v.By, v.Reason = ev.By, ev.Reason
	case ride.Rated:
		if string(ev.By) != string(role) {
			return v, false // the other's opinion is not theirs to see
		}
		v.By, v.Stars = ev.By, ev.Stars
	}
	return v, true
}

// fullEvent shows one event to an operator.
func fullEvent(e ride.StoredEvent) (eventView, error) {
	ev := e.Event
	if req, ok := ev.(ride.Requested); ok {
		req.PIN = "" // between rider and driver
		ev = req
	}
	kind, data, err := ride.MarshalEvent(ev)
	if err != nil {
		return eventView{}, err
	}
	return eventView{Version: e.Version, Kind: kind, At: ev.When().UTC(), Data: data}, nil
}
