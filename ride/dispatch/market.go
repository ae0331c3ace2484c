package dispatch

import (
	"cmp"
	"slices"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// market is a snapshot in order: requests and drivers by id, with ways to look them up.
type market struct {
	p        Policy
	requests []*Request
	drivers  []*Driver
	request  map[ride.TripID]int32
	driver   map[ride.AccountID]int32
	matchOf  []*Request    // of each driver, the trip that it is matched with and has not picked up
	twice    []ride.TripID // requests that a snapshot holds more than once
	promised map[ride.TripID]bool
	free     int // drivers without a trip and without an offer
	open     int // requests that look for a driver
	soon     int // drivers who are free within a minute, Free ones not counted
	worth    map[geo.Cell]int64
}

// newMarket sorts a snapshot. What it holds twice is left out: whichever one took would depend on the order.
func newMarket(p Policy, s *Snapshot) *market {
	m := &market{p: p, promised: map[ride.TripID]bool{}}
	for i := range s.Requests {
		m.requests = append(m.requests, &s.Requests[i])
	}
	for i := range s.Drivers {
		m.drivers = append(m.drivers, &s.Drivers[i])
	}
	m.requests, m.twice = once(m.requests, func(r *Request) ride.TripID { return r.Trip })
	m.drivers, _ = once(m.drivers, func(d *Driver) ride.AccountID { return d.ID })
	m.request = make(map[ride.TripID]int32, len(m.requests))
	m.driver = make(map[ride.AccountID]int32, len(m.drivers))
	m.matchOf = make([]*Request, len(m.drivers))
	for i, d := range m.drivers {
		m.driver[d.ID] = int32(i)
	}
	for i, r := range m.requests {
		m.request[r.Trip] = int32(i)
		if r.Match == nil {
			m.open++
		} else if i, ok := m.driver[r.Match.Driver]; ok {
			m.matchOf[i] = r
		}
		for _, a := range r.Asked {
			for _, t := range a.Then {
				m.promised[t.Trip] = true
			}
		}
	}
	for _, d := range m.drivers {
		switch {
		case d.State == Free && !d.Held:
			m.free++
		case d.State == InRide && !d.Held && !d.Next && d.Lead <= time.Minute:
			m.soon++
		}
	}
	return m
}

// once sorts by id and takes out what has the same id as another.
func once[T any, K cmp.Ordered](all []T, id func(T) K) (kept []T, twice []K) {
	slices.SortFunc(all, func(a, b T) int { return cmp.Compare(id(a), id(b)) })
	kept = all[:0]
	for i := 0; i < len(all); {
		j := i + 1
		for j < len(all) && id(all[j]) == id(all[i]) {
			j++
		}
		if j == i+1 {
			kept = append(kept, all[i])
		} else {
			twice = append(twice, id(all[i]))
		}
		i = j
	}
	return kept, twice
}

// row says whether a request takes part in the assignment, or why an open one does not.
func (m *market) row(r *Request) (bool, Reason) {
	switch {
	case m.promised[r.Trip]:
		return false, Promised
	case r.Match != nil:
		return m.exchangeable(r), ""
	case len(r.Asked) == 0:
		return true, ""
	case m.second(r):
		return true, ""
	}
	return false, Awaiting
}

// second reports whether an open request whose driver is silent may ask another one.
func (m *market) second(r *Request) bool {
	return m.p.SecondAfter > 0 && len(r.Asked) == 1 && r.Asked[0].For >= m.p.SecondAfter && len(r.Asked[0].Then) == 0 &&
		m.free >= m.p.SecondRatio*max(1, m.open)
}

// exchangeable reports whether a matched request may change its driver.
func (m *market) exchangeable(r *Request) bool {
	x, k := m.p.Exchange, r.Match
	if !x.On || k.Fixed || k.Exchanges >= min(x.PerTrip, m.p.Trip.Exchanges) || k.Remaining < x.NotWithin || len(r.Asked) > 0 {
		return false
	}
	i, ok := m.driver[k.Driver]
	if !ok {
		return false
	}
	d := m.drivers[i]
	return d.State == OnWay && d.Trip == r.Trip && m.matchOf[i] == r && !d.Held && !d.Next
}

// column says whether a driver takes part in the assignment, or why not. Those on their way do with their trips.
func (m *market) column(i int32) (bool, Reason) {
	d := m.drivers[i]
	if d.Held {
		return false, Held
	}
	if r := m.matchOf[i]; r != nil {
		in, _ := m.row(r)
		return in, Busy
	}
	if d.Next {
		return false, Busy
	}
	switch d.State {
	case Free:
		return true, ""
	case InRide:
		if d.Lead <= m.p.SoonFree && m.p.SoonFree > 0 {
			return true, ""
		}
	case OnWay:
	}
	return false, Busy
}

// suits says whether a driver may be given a request's trip.
func suits(r *Request, d *Driver) (bool, Reason) {
	switch {
	case r.Class != d.Class:
		return false, WrongClass
	case slices.Contains(r.Excluded, d.ID):
		return false, Excluded
	case slices.ContainsFunc(r.Asked, func(a Asked) bool { return a.Driver == d.ID }):
		return false, Held
	}
	return true, ""
}
