package runtime

import (
	"context"
	"sync"
	"time"
)

// warmWorkers bounds the idle goroutines. Every coolEvery, half of them exit, so that a quiet node
// has none.
const (
	warmWorkers = 256
	coolEvery   = time.Second
)

// mailboxThroughput is how many messages a mailbox handles before it yields; protoactor's
// own default.
const mailboxThroughput = 300

// warm runs mailboxes on a pool of reused goroutines. protoactor starts a goroutine for each burst
// of messages, and most bursts are one message: growing a new stack, which is copied twice on the
// way, costs more than handling a position. Handlers may block: every running mailbox has a
// goroutine.
//
// It is an actor.Dispatcher; Schedule is safe for concurrent use.
type warm struct {
	work chan func()
	idle chan struct{} // a slot for each goroutine that may wait
	done chan struct{}
	stop sync.Once
}

func newWarm() *warm {
	return &warm{work: make(chan func()), idle: make(chan struct{}, warmWorkers), done: make(chan struct{})}
}

// Schedule runs f on a separate goroutine: an idle one, or else a new one.
func (w *warm) Schedule(f func()) {
	select {
	case w.work <- f:
	default:
		go w.run(f)
	}
}

// Throughput implements actor.Dispatcher.
func (w *warm) Throughput() int { return mailboxThroughput }

func (w *warm) run(f func()) {
	for {
		f()
		select {
		case w.idle <- struct{}{}:
		default:
			return // enough are idle
		}
		select {
		case f = <-w.work:
			<-w.idle
			if f == nil {
				return
			}
		case <-w.done:
			return
		}
	}
}

// cool stops goroutines that are no longer needed, until the context ends.
func (w *warm) cool(ctx context.Context) {
	tick := time.NewTicker(coolEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for range (len(w.idle) + 1) / 2 {
			select {
			case w.work <- nil:
			default:
			}
		}
	}
}

// close stops the idle goroutines. Mailboxes scheduled afterwards still run.
func (w *warm) close() { w.stop.Do(func() { close(w.done) }) }
