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
func TestWarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWarm()
		var done atomic.Int64
		gate := make(chan struct{})
		for range 2 * warmWorkers {
			w.Schedule(func() { <-gate; done.Add(1) })
		}
		ran := make(chan struct{})
		w.Schedule(func() { close(ran) })
		<-ran
		close(gate)
		synctest.Wait()
		require.EqualValues(t, 2*warmWorkers, done.Load())
		require.Len(t, w.idle, warmWorkers)

		w.Schedule(func() { time.Sleep(time.Second) })
		synctest.Wait()
		require.Len(t, w.idle, warmWorkers-1, "an idle goroutine took it")

		var cooling sync.WaitGroup
		cooling.Go(func() { w.cool(t.Context()) })
		time.Sleep(12 * coolEvery)
		synctest.Wait()
		require.Empty(t, w.idle)

		w.Schedule(func() { done.Store(0) })
		synctest.Wait()
		require.Zero(t, done.Load())
		w.close()
		w.close()
	}) // synctest fails if a goroutine is left
}
