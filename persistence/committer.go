package persistence

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// committer groups what callers want written. One goroutine takes whatever waits,
// writes it in one transaction and answers. It never waits for company: while one
// batch is on its way to the disk the next one gathers. Clients' commands go before the
// steps that trips take by themselves, so that a crowd of trips that search keeps
// nobody elsewhere from a trip; of each batch a quarter is for those steps.
type committer struct {
	eng      engine
	maxItems int
	maxBytes int
	observe  func(int, time.Duration, error)

	mu      sync.RWMutex // guards closed against the closing of the queues
	closed  bool
	clients chan *item
	steps   chan *item
	stopped chan struct{}

	batches, items, failures atomic.Int64
}

func newCommitter(eng engine, o Options) *committer {
	c := &committer{
		eng: eng, maxItems: o.BatchItems, maxBytes: o.BatchBytes, observe: o.Observe,
		clients: make(chan *item, o.QueueSize), steps: make(chan *item, o.QueueSize), stopped: make(chan struct{}),
	}
	go c.run()
	return c
}

// submit queues an item and waits for its outcome. When the context ends first, an
// item that the committer has not taken yet is never written; for one that it has,
// the outcome is unknown to this caller.
//
// What a client will repeat is refused when the queue is full. What nobody repeats, a
// trip's own steps, waits for room: to refuse it would have the trip read and activated
// anew, which is more work for a store that has too much.
func (c *committer) submit(ctx context.Context, it *item) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.enqueue(ctx, it); err != nil {
		return err
	}
	select {
	case <-it.done:
		return it.err
	case <-ctx.Done():
	}
	if it.phase.CompareAndSwap(phaseQueued, phaseLeft) {
		return ctx.Err()
	}
	select {
	case <-it.done: // the answer came at the last moment
		return it.err
	default:
		return fmt.Errorf("%w: %w", ride.ErrUnknownOutcome, ctx.Err())
	}
}

func (c *committer) enqueue(ctx context.Context, it *item) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.closed {
		return errClosed
	}
	if it.patient() {
		select {
		case c.steps <- it:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	select {
	case c.clients <- it:
		return nil
	default:
		return ride.ErrStoreFull
	}
}

// close refuses new items, lets the goroutine write the queued ones and waits for it.
func (c *committer) close() {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.clients)
		close(c.steps)
	}
	c.mu.Unlock()
	<-c.stopped
}

// run is the committer's goroutine.
func (c *committer) run() {
	defer close(c.stopped)
	var waiting []*item
	for {
		waiting = c.gather(waiting)
		if len(waiting) == 0 {
			it := c.next()
			if it == nil {
				return
			}
			waiting = c.gather(append(waiting, it))
		}
		var batch []*item
		batch, waiting = c.pick(waiting)
		if len(batch) > 0 {
			c.flush(batch)
		}
	}
}

// next waits for an item; nil when the committer is closed and nothing is left.
func (c *committer) next() *item {
	for clients, steps := c.clients, c.steps; clients != nil || steps != nil; {
		select {
		case it, ok := <-clients:
			if ok {
				return it
			}
			clients = nil
		case it, ok := <-steps:
			if ok {
				return it
			}
			steps = nil
		}
	}
	return nil
}

// gather adds what is queued now, up to one batch.
func (c *committer) gather(waiting []*item) []*item {
	waiting = take(c.clients, waiting, c.maxItems-c.maxItems/4)
	waiting = take(c.steps, waiting, c.maxItems)
	return take(c.clients, waiting, c.maxItems)
}

// take moves what a queue holds behind those that wait, until there are so many.
func take(queue <-chan *item, waiting []*item, most int) []*item {
	for len(waiting) < most {
		select {
		case it, ok := <-queue:
			if !ok {
				return waiting
			}
			waiting = append(waiting, it)
		default:
			return waiting
		}
	}
	return waiting
}

// pick chooses the next batch in order of arrival, bounded by bytes, and leaves the
// rest. A set-based engine writes all items of a batch at once, so of those that
// contend for the same thing only the first is chosen, and the others keep
// their order behind it.
func (c *committer) pick(waiting []*item) (batch, rest []*item) {
	size := 0
	setBased := c.eng.setBased()
	taken := make(map[string]bool)
	for i, it := range waiting {
		if len(batch) > 0 && size+it.size > c.maxBytes {
			return batch, append(rest, waiting[i:]...)
		}
		contends := false
		if setBased {
			for _, k := range it.keys {
				contends = contends || taken[k]
				taken[k] = true
			}
		}
		if contends {
			rest = append(rest, it)
			continue
		}
		if !it.phase.CompareAndSwap(phaseQueued, phaseTaken) {
			continue // its caller has left
		}
		batch = append(batch, it)
		size += it.size
	}
	return batch, rest
}

// flush writes a batch and answers its callers.
func (c *committer) flush(batch []*item) {
	start := time.Now()
	err := c.eng.apply(batch)
	if err != nil {
		c.failures.Add(1)
	}
	c.batches.Add(1)
	c.items.Add(int64(len(batch)))
	if c.observe != nil {
		c.observe(len(batch), time.Since(start), err)
	}
	for _, it := range batch {
		close(it.done)
	}
}
