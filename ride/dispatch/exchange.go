package dispatch

import "github.com/hexhail/hexhail/ride"

// exchange finds the cycles of trips whose drivers are all on their way: they change at once, as no one needs to be asked
// for a trip that it has not accepted in another's place. It marks their rows as done.
func (d *decision) exchange() {
	for i := range d.rows {
		cycle := d.cycle(int32(i))
		if len(cycle) < 2 || len(cycle) > ride.MaxMoves {
			continue
		}
		var x Exchange
		for _, row := range cycle {
			d.done[row] = true
			move := d.move(row)
			x.Moves = append(x.Moves, move)
			x.Gain += move.Was - move.ETA
		}
		d.plan.Exchanges = append(d.plan.Exchanges, x)
	}
}

// cycle follows a row to the trip that its new driver leaves, and so on, until it comes back to the row. It returns the
// rows on the way if all are matched and not seen to yet, else none.
func (d *decision) cycle(row int32) []int32 {
	var out []int32
	for at := row; ; {
		if d.done[at] || d.rows[at].Match == nil || len(out) == len(d.rows) {
			return nil
		}
		out = append(out, at)
		a := d.chosen(at)
		if a == nil || a.way == nil {
			return nil
		}
		next, ok := d.wayOf[a.column]
		if !ok {
			return nil
		}
		if next == row {
			return out
		}
		at = next
	}
}

// move is what the assignment wants of a row.
func (d *decision) move(row int32) Move {
	r, a := &d.rows[row], d.chosen(row)
	m := Move{Trip: r.Trip, To: d.columns[a.column].ID, ETA: a.eta}
	if r.Match != nil {
		m.From, m.Was = r.Match.Driver, r.Match.Remaining
	}
	return m
}

// chain returns the moves that follow once a row's own driver is released: the trip that wants it, the trip that wants
// that one's driver, and so on. It marks matched rows as done; an open one at the end waits, and is promised.
func (d *decision) chain(r *row) []Move {
	var out []Move
	for own := r.Match.Driver; ; {
		column, ok := d.columnOf[d.driver[own]]
		if !ok || d.taker[column] < 0 || len(out) == ride.MaxMoves-1 {
			return out
		}
		row := d.taker[column]
		next := &d.rows[row]
		if d.done[row] || next.Match != nil && next.Match.Driver == own {
			return out
		}
		out = append(out, d.move(row))
		if next.Match == nil {
			return out
		}
		d.done[row] = true
		own = next.Match.Driver
	}
}

// Trips are the trips that an offer concerns, its own first.
func (o Offer) Trips() []ride.TripID {
	out := []ride.TripID{o.Trip}
	for _, m := range o.Then {
		out = append(out, m.Trip)
	}
	return out
}
