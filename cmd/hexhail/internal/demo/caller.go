package demo

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/sim/demand"
)

// Run sends riders to visitors who wait for offers, until ctx ends.
func (h *Host) Run(ctx context.Context) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for n := 0; ; {
		select {
		case now := <-t.C:
			for _, w := range h.due(now) {
				n++
				q := h.wish(w, rng)
				q.ID = "visit-" + strconv.Itoa(n)
				select {
				case h.calls <- q:
				default: // the city does not listen yet; the driver gets another turn
				}
			}
		case <-ctx.Done():
			return
		}
	}
}

// waiting is a visitor who is waiting for an offer.
type waiting struct {
	class string
	at    geo.Point
}

// due returns the visitors whose next request is due, and schedules the one after it.
func (h *Host) due(now time.Time) []waiting {
	h.drivers.mu.Lock()
	defer h.drivers.mu.Unlock()
	var out []waiting
	for _, d := range h.drivers.all {
		if d.waits(now) && !now.Before(d.call) {
			d.call = now.Add(nextCall)
			out = append(out, waiting{d.class, d.at})
		}
	}
	return out
}

// The bounds of an invented ride, in metres: the distance to the pickup and of the ride itself.
// nearest is the number of nearby pickups to choose from at random.
const (
	wayMinM  = 120
	wayMaxM  = 1000
	callMinM = 800
	callMaxM = 3000
	nearest  = 25
)

// wish is a request near a visitor: one of the recorded hour that begins nearby and is not too
// long, or else an invented one.
func (h *Host) wish(w waiting, rng *rand.Rand) demand.Request {
	type found struct {
		demand.Request
		wayM float64
	}
	var near []found
	for _, q := range h.o.Requests {
		way := geo.DistanceM(w.at, q.Pickup)
		if way < wayMinM || way > wayMaxM {
			continue
		}
		if d := geo.DistanceM(q.Pickup, q.Dropoff); d >= callMinM && d <= callMaxM {
			near = append(near, found{q, way})
		}
	}
	slices.SortFunc(near, func(a, b found) int { return cmp.Compare(a.wayM, b.wayM) })
	if n := min(nearest, len(near)); n > 0 {
		q := near[rng.IntN(n)].Request
		q.Class = w.class
		return q
	}
	pickup := h.kerb(geo.Destination(w.at, 360*rng.Float64(), wayMinM+rng.Float64()*wayMinM))
	dropoff := h.kerb(geo.Destination(pickup, 360*rng.Float64(), callMinM+rng.Float64()*callMinM))
	return demand.Request{
		Pickup: pickup, PickupAddress: h.NameOf(pickup), Dropoff: dropoff, DropoffAddress: h.NameOf(dropoff),
		Passengers: 1, Class: w.class,
	}
}
