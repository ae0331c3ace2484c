package runtime

import (
	"context"
	"sync"
	"time"
)

// maxIdle bounds the idle goroutines. Every shrinkEvery, half of them exit, so that a quiet node
// has none.
const (
	maxIdle     = 256
	shrinkEvery = time.Second
)

// mailboxThroughput is how many messages a mailbox handles before it yields; protoactor's
// own default.
const mailboxThroughput = 300

// pool runs mailboxes on reused goroutines. protoactor starts a goroutine for each burst
// of messages, and most bursts are one message: growing a new stack, which is copied twice on the
// way, costs more than handling a position. Handlers may block: every running mailbox has a
// goroutine.
//
// It is an actor.Dispatcher; Schedule is safe for concurrent use.
type pool struct {
	work chan func()
	idle chan struct{} // a slot for each goroutine that may wait
	done chan struct{}
	stop sync.Once
}

func newPool() *pool {
	return &pool{work: make(chan func()), idle: make(chan struct{}, maxIdle), done: make(chan struct{})}
}

// Schedule runs f on a separate goroutine: an idle one, or else a new one.
func (p *pool) Schedule(f func()) {
	select {
	case p.work <- f:
	default:
		go p.run(f)
	}
}

// Throughput implements actor.Dispatcher.
func (p *pool) Throughput() int { return mailboxThroughput }

func (p *pool) run(f func()) {
	for {
		f()
		select {
		case p.idle <- struct{}{}:
		default:
			return // enough are idle
		}
		select {
		case f = <-p.work:
			<-p.idle
			if f == nil {
				return
			}
		case <-p.done:
			return
		}
	}
}

// shrink stops goroutines that are no longer needed, until the context ends.
func (p *pool) shrink(ctx context.Context) {
	tick := time.NewTicker(shrinkEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for range (len(p.idle) + 1) / 2 {
			select {
			case p.work <- nil:
			default:
			}
		}
	}
}

// close stops the idle goroutines. Mailboxes scheduled afterwards still run.
func (p *pool) close() { p.stop.Do(func() { close(p.done) }) }
