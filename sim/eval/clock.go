package eval

import "time"

// event is something that is due.
type event struct {
	at   time.Duration
	seq  uint64 // of events at the same time the one that was scheduled first comes first
	what what
	// who is a trip or a driver, which a timer or an offer of it; gen tells an event that is out of date.
	who   int32
	which int32
	gen   uint32
	yes   Answer
}

type what uint8

const (
	tripAsked     what = iota // who: the request
	tripTimer                 // who: the trip, which: the timer
	offerAnswered             // who: the trip, which: the offer's number, yes
	driverAtDoor              // who: the driver
	driverFree                // who: the driver
	zonePlans                 // who: the zone
)

// agenda is a binary heap of events. It holds at most a few for each live trip and each driver.
type agenda struct {
	heap []event
	seq  uint64
}

func (e event) before(o event) bool { return e.at < o.at || e.at == o.at && e.seq < o.seq }

func (a *agenda) add(e event) {
	a.seq++
	e.seq = a.seq
	a.heap = append(a.heap, e)
	i := len(a.heap) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !e.before(a.heap[up]) {
			break
		}
		a.heap[i] = a.heap[up]
		i = up
	}
	a.heap[i] = e
}

func (a *agenda) next() (event, bool) {
	if len(a.heap) == 0 {
		return event{}, false
	}
	top, last := a.heap[0], a.heap[len(a.heap)-1]
	a.heap = a.heap[:len(a.heap)-1]
	n, i := len(a.heap), 0
	for n > 0 {
		down := 2*i + 1
		if down >= n {
			break
		}
		if down+1 < n && a.heap[down+1].before(a.heap[down]) {
			down++
		}
		if !a.heap[down].before(last) {
			break
		}
		a.heap[i] = a.heap[down]
		i = down
	}
	if n > 0 {
		a.heap[i] = last
	}
	return top, true
}
