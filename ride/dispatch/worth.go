package dispatch

import (
	"time"

	"github.com/hexhail/hexhail/geo"
)

// What the worth of a place counts: drivers who end their ride within soonSupply count 7 of 10. Every place has a
// little demand, so that none is worth nothing for want of one request.
const (
	soonSupply   = 5 * time.Minute
	supplyFree   = 10
	supplySoon   = 7
	demandOf     = 10
	demandAlways = 2
	worthScale   = 1 << 20 // of a share
)

// places finds the worth of each coarse cell, as a share of worthScale from -1 (too many drivers) to 1 (too few): the
// drivers that recent demand would send there, against those who are there.
func (m *market) places(demand []Demand) {
	if m.p.Worth == 0 || len(demand) == 0 {
		return
	}
	wanted, supply := map[geo.Cell]int64{}, map[geo.Cell]int64{}
	var allWanted, allSupply int64
	for _, d := range demand {
		n := int64(min(max(0, d.Requests), 1_000_000))
		wanted[d.Cell] += n * demandOf
		allWanted += n * demandOf
	}
	for _, d := range m.drivers {
		n := int64(0)
		switch {
		case d.Cell == 0:
			continue
		case d.State == Free && !d.Held:
			n = supplyFree
		case d.State == InRide && !d.Next && d.Lead < soonSupply:
			n = supplySoon
		}
		supply[d.Cell] += n
		allSupply += n
		if _, ok := wanted[d.Cell]; !ok {
			wanted[d.Cell] = 0
		}
	}
	if allWanted == 0 {
		return
	}
	allWanted += demandAlways * int64(len(wanted))
	m.worth = make(map[geo.Cell]int64, len(wanted))
	for cell, w := range wanted {
		fair := allSupply * (w + demandAlways) / allWanted
		m.worth[cell] = worthScale * (fair - supply[cell]) / (fair + supply[cell] + supplyFree)
	}
}

// worthOf is the price of taking a driver from where it is.
func (m *market) worthOf(d *Driver) time.Duration {
	if d.State != Free || m.worth == nil {
		return 0
	}
	return time.Duration(int64(m.p.Worth/time.Millisecond)*m.worth[d.Cell]/worthScale) * time.Millisecond
}
