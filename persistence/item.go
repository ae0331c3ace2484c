package persistence

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/hexhail/hexhail/ride"
)

// item is one caller's share of a batch: a transition in stored form, or the
// activation of a trip. The caller fills it before it is queued; from then on the
// committer owns it until done is closed.
type item struct {
	trip    *tripRow
	prev    int64
	fence   int64 // that the trip must have
	events  []eventRow
	waves   []waveRow
	offers  []offerRow
	ratings []rating
	command *ride.CommandRecord
	step    bool // an update that probably neither ends the trip nor changes its driver

	parts []*item // if set, the item is these together, all or none, and has but the command of one of them

	activate ride.TripID // if set, the item is an activation and nothing else
	probe    bool        // if set, the item finds out whether anything can be written, and nothing else

	area uint64   // where it happens, for the queue; 0: nowhere
	size int      // about how many bytes it writes
	keys []string // what it may contend for; no two items of one set-based batch share one

	phase atomic.Int32
	done  chan struct{} // closed when the fields below are final

	err      error
	newFence int64  // of an activation
	state    string // of an activation
}

// patient reports whether the item lets clients go first and waits for room in a full
// queue: it comes from no client, so no one would repeat it.
func (it *item) patient() bool { return it.command == nil }

// The phases of an item.
const (
	phaseQueued int32 = iota
	phaseTaken        // by the committer: it will be written
	phaseLeft         // by its caller: it will not be written
)

type tripRow struct {
	id, rider, status, class string
	driver                   *string
	version, fence           int64
	requestedAt, updatedAt   int64
	endedAt, wakeAt          *int64
	search, state            string
	live                     bool
}

type eventRow struct {
	trip    string
	version int64
	kind    string
	at      int64
	data    string
}

type offerRow struct {
	id, trip, driver, state string
	expiresAt               int64
	data                    string
}

type rating struct {
	about string
	stars int64
}

// newItem brings a transition to its stored form, in the caller's goroutine, and
// refuses one that contradicts itself.
func newItem(t ride.Transition) (*item, error) {
	it := &item{prev: t.Prev, command: t.Command, done: make(chan struct{})}
	if t.Trip == nil && (len(t.Events) > 0 || len(t.Offers) > 0) {
		return nil, fmt.Errorf("commit: events or offers without a trip")
	}
	if c := t.Command; c != nil {
		if !validText(string(c.Account), c.ID, c.Digest) || c.ID == "" {
			return nil, ride.ErrInvalidArgument.With("The command id is not text.").In("id")
		}
		it.size += len(c.Account) + len(c.ID) + len(c.Digest) + len(c.Reply)
		it.keys = append(it.keys, "c/"+string(c.Account)+"/"+c.ID)
	}
	if t.Trip == nil {
		return it, nil
	}
	if t.Trip.Version != t.Prev+int64(len(t.Events)) {
		return nil, fmt.Errorf("commit trip %s: version %d is not %d plus %d events",
			t.Trip.ID, t.Trip.Version, t.Prev, len(t.Events))
	}
	if err := it.setTrip(t); err != nil {
		return nil, err
	}
	if err := it.setEvents(t); err != nil {
		return nil, err
	}
	return it, it.setOffers(t.Offers)
}

func (it *item) setTrip(t ride.Transition) error {
	state, err := ride.MarshalTrip(t.Trip)
	if err != nil {
		return err
	}
	tr := t.Trip
	r := tr.Request
	row := &tripRow{
		id: string(tr.ID), rider: string(r.Rider.ID), status: string(tr.Status), class: r.Class,
		version: tr.Version, fence: tr.Fence,
		requestedAt: micros(tr.RequestedAt), updatedAt: micros(tr.UpdatedAt),
		endedAt: orNull(tr.EndedAt), wakeAt: orNull(t.Wake),
		search: tripText(tr), state: string(state),
		live: tr.Status.Live(),
	}
	switch {
	case row.live:
		row.endedAt = nil
	default:
		row.wakeAt = nil // nothing is left to wake it for
		if row.endedAt == nil {
			row.endedAt = &row.updatedAt // the indexes tell by it
		}
	}
	if d := string(tr.DriverID()); d != "" {
		row.driver = &d
		it.keys = append(it.keys, "d/"+d)
	}
	if !validText(row.id, row.rider, row.class, row.search, string(tr.DriverID())) {
		return ride.ErrInvalidArgument.With("A text holds bytes that are not text.")
	}
	it.trip, it.fence, it.area = row, tr.Fence, areaOf(tr)
	it.size += len(row.state) + len(row.search) + 200
	it.keys = append(it.keys, "t/"+row.id, "r/"+row.rider)
	return nil
}

// tripText is what a text filter looks through.
func tripText(t *ride.Trip) string {
	r := t.Request
	return fold(strings.Join([]string{string(t.ID), r.PickupAddress, r.DropoffAddress}, "\n"))
}

// waveRow is what one round of offers considered.
type waveRow struct {
	trip    string
	version int64
	at      int64
	data    string
}

func (it *item) setEvents(t ride.Transition) error {
	it.step = t.Prev > 0
	for i, e := range t.Events {
		switch e.(type) {
		case ride.WavePlanned, ride.Accepted, ride.OffersEnded, ride.Arrived, ride.Started, ride.Rated:
		default:
			it.step = false // it may end the trip or change its driver
		}
		if w, ok := e.(ride.WavePlanned); ok && len(w.Considered) > 0 {
			data, err := json.Marshal(w.Considered)
			if err != nil {
				return fmt.Errorf("marshal candidates: %w", err)
			}
			it.waves = append(it.waves, waveRow{it.trip.id, t.Prev + int64(i) + 1, micros(w.At), string(data)})
			it.size += len(data) + 60
			w.Considered = nil
			e = w
		}
		kind, data, err := ride.MarshalEvent(e)
		if err != nil {
			return err
		}
		if r, ok := e.(ride.Rated); ok {
			it.ratings = append(it.ratings, rating{string(r.About), int64(r.Stars)})
		}
		switch e := e.(type) {
		case ride.Released:
			it.keys = append(it.keys, "d/"+string(e.Driver))
		case ride.Exchanged:
			it.keys = append(it.keys, "d/"+string(e.From))
		}
		it.events = append(it.events, eventRow{
			trip: it.trip.id, version: t.Prev + int64(i) + 1, kind: kind, at: micros(e.When()), data: string(data),
		})
		it.size += len(data) + 60
	}
	return nil
}

func (it *item) setOffers(offers []ride.OfferRow) error {
	seen := make(map[ride.OfferID]bool, len(offers))
	for _, o := range offers {
		if !validText(string(o.Offer.ID), string(o.Offer.Driver), string(o.Trip)) {
			return ride.ErrInvalidArgument.With("An offer's id is not text.")
		}
		if seen[o.Offer.ID] {
			return fmt.Errorf("commit trip %s: offer %s is given twice", it.trip.id, o.Offer.ID)
		}
		seen[o.Offer.ID] = true
		data, err := marshalOffer(o.Offer)
		if err != nil {
			return err
		}
		it.offers = append(it.offers, offerRow{
			id: string(o.Offer.ID), trip: string(o.Trip), driver: string(o.Offer.Driver),
			state: string(o.Offer.State), expiresAt: micros(o.Offer.ExpiresAt), data: data,
		})
		it.size += len(data) + 100
	}
	return nil
}
