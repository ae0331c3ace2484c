package runtime

import (
	"context"
	"sync"
	"time"
)

// warmWorkers bounds the goroutines that wait for a mailbox to run. Every coolEvery half of
// them are let go, so that a quiet node has none.
const (
	warmWorkers = 256
	coolEvery   = time.Second
)

// mailboxThroughput is how many messages a mailbox handles before it yields; protoactor's
// own default.
const mailboxThroughput = 300

// warm runs mailboxes on goroutines that it keeps. protoactor starts one for each burst of
// messages, and most bursts are one message: a stack that begins small and is copied twice
// while the handler descends costs more than the handler of a position. Handlers may
// block; there are always as many goroutines as mailboxes that run.
//
// It is an actor.Dispatcher; Schedule is safe for concurrent use.
type warm struct {
	work chan func()
	idle chan struct{} // a place for each goroutine that may wait
	done chan struct{}
	stop sync.Once
}

func newWarm() *warm {
	return &warm{work: make(chan func()), idle: make(chan struct{}, warmWorkers), done: make(chan struct{})}
}

// Schedule runs f on a goroutine of its own, a waiting one if there is one.
func (w *warm) Schedule(f func()) {
	select {
	case w.work <- f:
	default:
		go w.run(f)
	}
}

// Throughput is for protoactor.
func (w *warm) Throughput() int { return mailboxThroughput }

func (w *warm) run(f func()) {
	for {
		f()
		select {
		case w.idle <- struct{}{}:
		default:
			return // enough are waiting
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

// cool lets goroutines go that nothing needs any more, until the context ends.
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

// close lets the waiting goroutines go. Whatever is scheduled afterwards still runs.
func (w *warm) close() { w.stop.Do(func() { close(w.done) }) }
