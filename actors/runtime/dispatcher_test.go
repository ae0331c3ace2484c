package runtime

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Blocked handlers do not delay others; idle goroutines are reused and bounded, and all of them
// exit in the end.
func TestPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool()
		var done atomic.Int64
		gate := make(chan struct{})
		for range 2 * maxIdle {
			p.Schedule(func() { <-gate; done.Add(1) })
		}
		ran := make(chan struct{})
		p.Schedule(func() { close(ran) })
		<-ran
		close(gate)
		synctest.Wait()
		require.EqualValues(t, 2*maxIdle, done.Load())
		require.Len(t, p.idle, maxIdle)

		p.Schedule(func() { time.Sleep(time.Second) }) // on synctest's clock, as below
		synctest.Wait()
		require.Len(t, p.idle, maxIdle-1, "an idle goroutine took it")

		var shrinking sync.WaitGroup
		shrinking.Go(func() { p.shrink(t.Context()) })
		time.Sleep(12 * shrinkEvery)
		synctest.Wait()
		require.Empty(t, p.idle)

		p.Schedule(func() { done.Store(0) })
		synctest.Wait()
		require.Zero(t, done.Load())
		p.close()
		p.close()
	}) // synctest fails if a goroutine is left
}
