package eval

import (
	"cmp"
	"slices"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// disk is a pickup's cell and a radius in cells.
type disk struct {
	cell geo.Cell
	ring int
}

// around are the cells of a disk. They are kept: requests share cells.
func (r *replay) around(d disk) []geo.Cell {
	all, known := r.disks[d]
	if !known {
		var err error
		if all, err = d.cell.Disk(d.ring); err != nil {
			r.fail(none, err)
		}
		r.disks[d] = all
	}
	return all
}

// find is a trip's own search, as the server's actors do it: the cells around the pickup say who is available, the
// fewest open offers and the nearest first, and dispatch chooses among them by the way to the pickup or to the middle of
// its cell, as the policy says.
func (r *replay) find(i int32, e ride.FindCandidates) {
	t, from := &r.trips[i], r.requests[i].From
	limit := 4*t.live.Rules.Policy.Cap + len(t.live.Excluded) + len(t.live.Offers)
	middle, near := r.w.middles[from], r.goal(from)
	var found []ride.Candidate
	cells := 0
	for _, c := range r.around(disk{r.w.cells[from], e.Ring}) {
		here := r.cells[c]
		if len(here) > 0 {
			cells++
		}
		for _, k := range r.nearest(here, near, limit) {
			d := &r.drivers[k]
			area, door := r.way(d.place, middle), r.way(d.place, from)
			found = append(found, ride.Candidate{
				Trip: t.live.ID, Driver: d.card.ID, Class: d.card.Class, Point: r.w.At[d.place],
				DistanceM: area.DistanceM, ETA: area.Duration, By: area.By.String(), DoorM: door.DistanceM, DoorETA: door.Duration,
				Load: len(d.offers),
			})
		}
	}
	begun := time.Now()
	considered := ride.Plan(t.live.Rules.Policy, []ride.Need{t.live.Need(r.clock())}, found)[0]
	r.tally.decided(time.Since(begun))
	r.later(i, ride.OfferWave{Wave: e.Wave, Ring: e.Ring, Considered: considered, Cells: cells})
}

// nearest are those of a cell with the fewest offers, the nearest by line first, at most limit.
func (r *replay) nearest(here []int32, to Place, limit int) []int32 {
	if len(here) <= limit {
		return here
	}
	type near struct {
		k      int32
		load   int
		metres float64
	}
	all := make([]near, len(here))
	for i, k := range here {
		d := &r.drivers[k]
		all[i] = near{k, len(d.offers), geo.DistanceM(r.w.At[d.place], r.w.At[to])}
	}
	slices.SortFunc(all, func(a, b near) int {
		return cmp.Or(cmp.Compare(a.load, b.load), cmp.Compare(a.metres, b.metres), cmp.Compare(a.k, b.k))
	})
	out := make([]int32, limit)
	for i := range out {
		out[i] = all[i].k
	}
	return out
}

// maxShowUps bounds the waiting trips that are told of one driver, as a server does.
const maxShowUps = 8

// wake tells trips around a cell that have no open offer that a driver has appeared there.
func (r *replay) wake(cell geo.Cell) {
	if r.o.Policy.Zoned() {
		return
	}
	told := 0
	kept := r.open[:0]
	for _, i := range r.open {
		t := &r.trips[i]
		if t.live == nil || t.live.Status != ride.StatusRequested {
			continue
		}
		kept = append(kept, i)
		if told < maxShowUps && !r.asks(t) && slices.Contains(r.around(disk{r.w.cells[r.requests[i].From], r.rules.Policy.RingMax}), cell) {
			told++
			r.later(i, ride.DriverNearby{})
		}
	}
	r.open = kept
}

// asks reports whether an offer of a trip is open.
func (r *replay) asks(t *trip) bool {
	return slices.ContainsFunc(t.live.Offers, func(o ride.Offer) bool { return !o.State.Ended() })
}
