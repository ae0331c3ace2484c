package actors

import (
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride/dispatch"
)

// demand counts the requests of the last demandSpan by cell, to within demandStep. The zero value is
// ready to use.
type demand struct {
	steps [demandSpan / demandStep]map[geo.Cell]int
	at    int64 // the newest step, in demandSteps since 1970
}

const (
	demandSpan = 15 * time.Minute
	demandStep = time.Minute
)

// add counts a request. Cell 0 is none.
func (d *demand) add(cell geo.Cell, now time.Time) {
	d.turn(now)
	if cell == 0 {
		return
	}
	step := &d.steps[d.at%int64(len(d.steps))]
	if *step == nil {
		*step = make(map[geo.Cell]int)
	}
	(*step)[cell]++
}

// turn forgets the steps that are too old. A clock that is set back changes nothing.
func (d *demand) turn(now time.Time) {
	at := now.Unix() / int64(demandStep/time.Second)
	for n := max(d.at+1, at-int64(len(d.steps))+1); n <= at; n++ {
		d.steps[n%int64(len(d.steps))] = nil
	}
	d.at = max(d.at, at)
}

// counts returns the requests by cell, in no order.
func (d *demand) counts(now time.Time) (out []dispatch.Demand) {
	d.turn(now)
	sum := make(map[geo.Cell]int)
	for _, step := range d.steps {
		for cell, n := range step {
			sum[cell] += n
		}
	}
	for cell, n := range sum {
		out = append(out, dispatch.Demand{Cell: cell, Requests: n})
	}
	return out
}
