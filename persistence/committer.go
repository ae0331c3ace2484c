package persistence

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// committer groups callers' writes. One goroutine takes all that is waiting, writes it in one
// transaction and answers. It never waits for company: while one batch is on its way to the disk
// the next one gathers. Clients' commands go before the trips' own steps, so that a crowd of
// searching trips does not delay requests elsewhere; a quarter of each batch is for those steps.
// Among the commands, and among the steps, areas take turns.
type committer struct {
	eng      engine
	maxItems int
	maxBytes int
	observe  func(int, time.Duration, error)
	queue    *queue
	health   *health
	stopped  chan struct{}

	batches, items, failures atomic.Int64
}

func newCommitter(eng engine, o Options) *committer {
	c := &committer{
		eng: eng, maxItems: o.BatchItems, maxBytes: o.BatchBytes, observe: o.Observe,
		queue: newQueue(o.QueueSize), health: newHealth(eng, o.Log), stopped: make(chan struct{}),
	}
	go c.run()
	return c
}

// submit queues an item and waits for its outcome. When the context ends first, an
// item that the committer has not taken yet is never written; for one that it has,
// the outcome is unknown to this caller.
func (c *committer) submit(ctx context.Context, it *item) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.queue.add(ctx, it); err != nil {
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

// close refuses new items, lets the goroutine write the queued ones and waits for it.
func (c *committer) close() {
	c.queue.close()
	<-c.stopped
}

// run is the committer's goroutine.
func (c *committer) run() {
	defer close(c.stopped)
	for c.queue.wait() {
		if batch := c.pick(); len(batch) > 0 {
			c.flush(batch)
		}
	}
}

// pick takes the next batch, bounded by items and bytes. A set-based engine writes all
// items of a batch at once, so of those that contend for the same thing only the first
// is taken, and the others keep their order behind it.
func (c *committer) pick() []*item {
	size, setBased := 0, c.eng.setBased()
	claimed := make(map[string]bool)
	return c.queue.take(c.maxItems, func(it *item) verdict {
		if size > 0 && size+it.size > c.maxBytes {
			return full
		}
		if setBased {
			contends := slices.ContainsFunc(it.keys, func(k string) bool { return claimed[k] })
			for _, k := range it.keys {
				claimed[k] = true
			}
			if contends {
				return later
			}
		}
		if !it.phase.CompareAndSwap(phaseQueued, phaseTaken) {
			return gone
		}
		size += it.size
		return taken
	})
}

// flush writes a batch and answers its callers.
func (c *committer) flush(batch []*item) {
	start := time.Now()
	c.health.begin(start)
	err := c.eng.apply(batch)
	end := time.Now()
	c.health.end(batch, end, err)
	if n := peoples(batch); n > 0 {
		if err != nil {
			c.failures.Add(1)
		}
		c.batches.Add(1)
		c.items.Add(int64(n))
		if c.observe != nil {
			c.observe(n, end.Sub(start), err)
		}
	}
	for _, it := range batch {
		close(it.done)
	}
}

// peoples is how many of a batch are not the store's own checks, which do not count.
func peoples(batch []*item) int {
	n := 0
	for _, it := range batch {
		if !it.probe {
			n++
		}
	}
	return n
}
