package ride

import "github.com/hexhail/hexhail/geo"

// forgetResolution is the H3 resolution to which the places of an erased rider are coarsened:
// cells of about half a kilometre.
const forgetResolution = 8

// ForgetTrip returns the trip without the details that identify a person: names, photos, plates
// and vehicles, addresses, and notes and reasons, both in the person's words and in others' words
// about their trips. Figures stay, and so do ids, which identify no one once the account is
// gone. The given trip is not changed.
//
// Replaying events that went through ForgetEvent leads to the same state.
func ForgetTrip(t Trip, who AccountID) Trip {
	t.Request = forgetRequest(t.Request, who)
	if t.Driver != nil {
		card := forgetCard(*t.Driver, who)
		t.Driver = &card
	}
	offers := make([]Offer, len(t.Offers))
	for i, o := range t.Offers {
		offers[i] = ForgetOffer(o, who)
	}
	if t.Offers != nil {
		t.Offers = offers
	}
	if !t.HadPart(who) {
		return t
	}
	if c := t.Cancellation; c != nil && c.By != BySystem {
		t.Cancellation = &Cancellation{By: c.By}
	}
	t.Arrival, t.Completion = forgetMark(t.Arrival), forgetMark(t.Completion)
	return t
}

// HadPart reports whether an account is the trip's rider or a driver who had it.
func (t *Trip) HadPart(who AccountID) bool {
	if t.Request.Rider.ID == who || t.DriverID() == who {
		return true
	}
	for i := range t.Offers {
		if o := &t.Offers[i]; o.Driver == who && o.State == OfferWon {
			return true
		}
	}
	return false
}

// forgetMark returns a mark without the words of the driver.
func forgetMark(m *Mark) *Mark {
	if m == nil || m.Reason == "" {
		return m
	}
	without := *m
	without.Reason = ""
	return &without
}

// ForgetOffer is ForgetTrip for one offer.
func ForgetOffer(o Offer, who AccountID) Offer {
	if o.Driver != who {
		return o
	}
	if o.Card != nil {
		card := forgetCard(*o.Card, who)
		o.Card = &card
	}
	if o.State == OfferDeclined {
		o.Reason = ""
	}
	return o
}

// ForgetEvent is ForgetTrip for one event of the trip t, which may be given before or after
// ForgetTrip.
func ForgetEvent(t *Trip, event Event, who AccountID) Event {
	part := t.HadPart(who)
	switch e := event.(type) {
	case Requested:
		e.Request = forgetRequest(e.Request, who)
		return e
	case WavePlanned:
		e.Considered = ForgetConsidered(e.Considered, who)
		return e
	case Accepted:
		e.Card = forgetCard(e.Card, who)
		return e
	case Matched:
		e.Card = forgetCard(e.Card, who)
		return e
	case Exchanged:
		e.Card = forgetCard(e.Card, who)
		return e
	case OffersEnded:
		if e.State == OfferDeclined && t.anyOfferTo(who, e.Offers) {
			e.Reason = ""
		}
		return e
	case Released:
		if e.By != BySystem && (part || e.Driver == who) {
			e.Reason = ""
		}
		return e
	case Arrived:
		if part {
			e.Mark = forgetMark(e.Mark)
		}
		return e
	case Completed:
		if part {
			e.Mark = forgetMark(e.Mark)
		}
		return e
	case Cancelled:
		if e.By != BySystem && part {
			e.Reason = ""
		}
		return e
	case Rated:
		author := t.Request.Rider.ID
		if e.By == ByDriver {
			author = t.DriverID()
		}
		if author == who || e.About == who {
			e.Comment = ""
		}
		return e
	}
	return event
}

// ForgetConsidered returns the candidates of a wave without where a driver was.
func ForgetConsidered(all []Considered, who AccountID) []Considered {
	if all == nil {
		return nil
	}
	out := make([]Considered, len(all))
	for i, c := range all {
		if c.Driver == who {
			c.Point = geo.Point{}
		}
		out[i] = c
	}
	return out
}

func (t *Trip) anyOfferTo(who AccountID, ids []OfferID) bool {
	for _, id := range ids {
		if o, ok := t.Offer(id); ok && o.Driver == who {
			return true
		}
	}
	return false
}

func forgetRequest(r Request, who AccountID) Request {
	if r.Rider.ID != who {
		return r
	}
	r.Rider.FirstName, r.Rider.PhotoID = "", ""
	r.PickupAddress, r.DropoffAddress, r.Note = "", "", ""
	r.Pickup, r.Dropoff = coarse(r.Pickup), coarse(r.Dropoff)
	return r
}

func forgetCard(c DriverCard, who AccountID) DriverCard {
	if c.ID == who {
		c.FirstName, c.PhotoID, c.Plate = "", "", ""
		c.Make, c.Model, c.Colour = "", "", ""
	}
	return c
}

// coarse is the centre of the cell that holds a point: doing so again changes nothing.
func coarse(p geo.Point) geo.Point {
	cell, err := geo.CellAt(p, forgetResolution)
	if err != nil {
		return geo.Point{}
	}
	return cell.Center()
}
