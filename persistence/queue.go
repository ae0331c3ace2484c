package persistence

import (
	"context"
	"sync"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// queue holds what waits for the committer: clients' commands and trips' own steps, each in one
// lane per area; the lanes are served round-robin, one item each. So a crowd in one place waits
// only for itself, and no one elsewhere waits for the crowd: fair queueing as in John Nagle's RFC
// 970, by items instead of packets. Safe for concurrent use.
type queue struct {
	most int           // of clients' items, and as many steps
	room chan struct{} // holds a token for each step that is queued
	wake chan struct{} // has a token when there may be something new

	mu      sync.Mutex // guards what follows
	closed  bool
	clients lanes
	steps   lanes
}

func newQueue(most int) *queue {
	return &queue{most: most, room: make(chan struct{}, most), wake: make(chan struct{}, 1)}
}

// areaRes is the resolution of areas: cells of 0.7 km², a stadium or a station.
const areaRes = 8

// areaOf is the area of the trip's pickup; 0 if the pickup is not a valid point.
func areaOf(t *ride.Trip) uint64 {
	c, err := geo.CellAt(t.Request.Pickup, areaRes)
	if err != nil {
		return 0
	}
	return uint64(c)
}

// add queues an item. What a client will repeat is refused with ride.ErrStoreFull when
// there is no room; of that one area has three quarters at most. A trip's own
// step, which no client repeats, waits for room until ctx ends: to refuse it would have the
// trip read and activated again, which is more work for a store that has too much.
func (q *queue) add(ctx context.Context, it *item) error {
	if it.patient() {
		select {
		case q.room <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	err := q.put(it)
	if err != nil && it.patient() {
		<-q.room
	}
	return err
}

func (q *queue) put(it *item) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return errClosed
	case it.patient():
		q.steps.push(it)
	case q.clients.n >= q.most || q.clients.in(it.area) >= q.most-q.most/4:
		return ride.ErrStoreFull
	default:
		q.clients.push(it)
	}
	q.nudge()
	return nil
}

// close refuses what comes from now on.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.nudge()
}

func (q *queue) nudge() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// wait returns when there may be items, or false when there will never be any again.
func (q *queue) wait() bool {
	q.mu.Lock()
	empty, closed := q.clients.n+q.steps.n == 0, q.closed
	q.mu.Unlock()
	if empty && !closed {
		<-q.wake
	}
	return !empty || !closed
}

// len is how many items wait.
func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.clients.n + q.steps.n
}

// verdict is what becomes of an item whose turn it is.
type verdict int

const (
	taken verdict = iota
	gone          // its caller has left
	later         // it keeps its place
	full          // as does everything after it
)

// take removes up to most items: clients' commands first, but for a quarter that is for
// steps as long as there are any.
func (q *queue) take(most int, judge func(*item) verdict) []*item {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting := q.steps.n
	out := q.clients.take(nil, most-most/4, judge)
	out = q.steps.take(out, most, judge)
	out = q.clients.take(out, most, judge)
	for range waiting - q.steps.n {
		<-q.room
	}
	return out
}

// lanes are the items of one kind. The zero value is empty.
type lanes struct {
	n    int // items in all
	of   map[uint64]*lane
	ring []*lane // those with items, the next one first
}

type lane struct {
	area  uint64
	items []*item
	aside []*item // passed over while a batch is taken
}

// in is how many items wait in an area.
func (l *lanes) in(area uint64) int {
	if at := l.of[area]; at != nil {
		return len(at.items)
	}
	return 0
}

func (l *lanes) push(it *item) {
	at := l.of[it.area]
	if at == nil {
		if l.of == nil {
			l.of = make(map[uint64]*lane)
		}
		at = &lane{area: it.area}
		l.of[it.area] = at
		l.ring = append(l.ring, at)
	}
	at.items = append(at.items, it)
	l.n++
}

// take adds items to a batch, one of each area in turn, until the batch has as many as most says.
// Items that are to come later keep their place.
func (l *lanes) take(batch []*item, most int, judge func(*item) verdict) []*item {
	var passed []*lane
	for len(batch) < most && len(l.ring) > 0 {
		at := l.ring[0]
		it := at.items[0]
		v := judge(it)
		if v == full {
			break
		}
		l.ring = l.ring[1:]
		at.items = at.items[1:]
		switch v {
		case taken:
			batch = append(batch, it)
			l.n--
		case gone:
			l.n--
		default:
			if at.aside == nil {
				passed = append(passed, at)
			}
			at.aside = append(at.aside, it)
		}
		switch {
		case len(at.items) > 0:
			l.ring = append(l.ring, at)
		case at.aside == nil:
			delete(l.of, at.area)
		}
	}
	for _, at := range passed {
		if len(at.items) == 0 {
			l.ring = append(l.ring, at)
		}
		at.items, at.aside = append(at.aside, at.items...), nil
	}
	return batch
}
