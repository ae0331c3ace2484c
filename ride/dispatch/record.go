package dispatch

// mostNext is how many alternatives a record names.
const mostNext = 5

// record explains why a row gets an arc.
func (d *decision) record(row int32, a *arc) Record {
	r := &d.rows[row]
	k := Record{
		Trip: r.Trip, Driver: d.columns[a.column].ID,
		Policy: d.p.Name, Version: d.p.Version, Window: d.p.Window, Mode: d.state.Mode, Why: d.state.Why,
		Rows: len(d.rows), Columns: len(d.columns), Method: d.plan.Method,
		ETA: a.eta, By: a.way.By.String(), Price: d.terms(r, *a), Scarcity: d.scarcity(a),
	}
	if r.Match != nil {
		k.Instead, k.Saves = r.Match.Driver, r.Match.Remaining-a.eta
	}
	for why, n := range r.others {
		k.count(why, n)
	}
	for i := range r.arcs {
		b := &r.arcs[i]
		if b.column == a.column || b.way == nil {
			continue
		}
		alt := Alternative{Driver: d.columns[b.column].ID, ETA: b.eta, More: b.price - a.price, Scarcity: d.scarcity(b), Reason: Dearer}
		if taker := d.taker[b.column]; taker >= 0 {
			alt.Reason, alt.For = NeededMore, d.rows[taker].Trip
		}
		if len(k.Next) < mostNext {
			k.Next = append(k.Next, alt)
		} else {
			k.count(alt.Reason, 1)
		}
	}
	return k
}

func (k *Record) count(why Reason, n int) {
	if k.Others == nil {
		k.Others = map[Reason]int{}
	}
	k.Others[why] += n
}
