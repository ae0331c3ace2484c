package session

import (
	"sync"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// debts are the frames whose reply an actor owes. Each is due after the same time: then the
// client gets a refusal instead of silence, and a reply that still comes is dropped, for the
// client may have asked again by then. Safe for concurrent use.
type debts struct {
	within time.Duration
	due    func(id string, q *question) // called without the lock, for each that was not paid

	mu    sync.Mutex
	n     int
	queue []*debt // by due
	by    map[string][]*debt
	late  map[string]int // refused, and not answered since; forgotten when there are too many
	timer *time.Timer
	over  bool
}

type debt struct {
	id       string
	due      time.Time
	paid     bool
	question *question // nil unless answers are observed
}

// owe notes a frame, unless most are open already.
func (d *debts) owe(id string, most int, now time.Time, q *question) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.n >= most || d.over {
		return false
	}
	if d.by == nil {
		d.by = make(map[string][]*debt)
	}
	it := &debt{id: id, due: now.Add(d.within), question: q}
	d.n++
	d.by[id] = append(d.by[id], it)
	d.queue = append(d.queue, it)
	switch {
	case d.timer == nil:
		d.timer = time.AfterFunc(d.within, d.collect)
	case len(d.queue) == 1:
		d.timer.Reset(d.within)
	}
	return true
}

// maxLate bounds the frames whose late replies are known to be late.
const maxLate = 1024

// pay notes a reply and returns what owe was given; false if it comes too late.
func (d *debts) pay(id string) (*question, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	of := d.by[id]
	if len(of) == 0 {
		if d.late[id] == 0 {
			return nil, true // there is no pending frame; send the reply all the same
		}
		if d.late[id]--; d.late[id] == 0 {
			delete(d.late, id)
		}
		return nil, false
	}
	q := of[0].question
	d.settle(of[0])
	for len(d.queue) > 0 && d.queue[0].paid {
		d.queue = d.queue[1:]
	}
	if len(d.queue) == 0 {
		d.queue = nil
	}
	return q, true
}

// settle takes the oldest debt of its id off; d.mu is held.
func (d *debts) settle(it *debt) {
	it.paid = true
	d.n--
	if of := d.by[it.id][1:]; len(of) > 0 {
		d.by[it.id] = of
	} else {
		delete(d.by, it.id)
	}
}

// collect is the timer's.
func (d *debts) collect() {
	d.mu.Lock()
	now := time.Now()
	var late []*debt
	for len(d.queue) > 0 {
		it := d.queue[0]
		if !it.paid {
			if left := it.due.Sub(now); left > 0 {
				if !d.over {
					d.timer.Reset(left)
				}
				break
			}
			d.settle(it)
			late = append(late, it)
			if d.late == nil || len(d.late) >= maxLate {
				d.late = make(map[string]int)
			}
			d.late[it.id]++
		}
		d.queue = d.queue[1:]
	}
	over := d.over
	d.mu.Unlock()
	for _, it := range late {
		if !over {
			d.due(it.id, it.question)
		}
	}
}

// open is how many frames wait for a reply.
func (d *debts) open() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.n
}

// end stops the timer: there is no one left to refuse.
func (d *debts) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	if d.timer != nil {
		d.timer.Stop()
	}
}

// overdue answers a frame that the actor has not answered in time. It may be done yet: the
// same id tells. A client whose connect it was has to come back.
func (s *session) overdue(id string, q *question) {
	wait := s.h.retryAfter()
	r := refusal(ride.ErrUnavailable, wait)
	s.reply(id, r)
	s.observe(q, r)
	if joining := s.joining.Load(); joining != nil && *joining == id {
		s.Close(turnAwayCode(ride.ErrUnavailable), wait)
	}
}
