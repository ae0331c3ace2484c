package persistence

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// slowEngine takes a second for each batch and remembers them.
type slowEngine struct {
	batches [][]*item
	fail    error
}

func (e *slowEngine) apply(batch []*item) error {
	time.Sleep(time.Second) // of synctest's clock
	e.batches = append(e.batches, batch)
	failAll(batch, e.fail)
	return e.fail
}
func (e *slowEngine) setBased() bool         { return true }
func (e *slowEngine) violated(error) string  { return "" }
func (e *slowEngine) unavailable(error) bool { return true }
func (e *slowEngine) cause(error) Cause      { return CauseRejected }

func bare(keys ...string) *item { return &item{keys: keys, size: 10, done: make(chan struct{})} }

// submitAll queues items from goroutines of their own, in order, and returns where
// their outcomes come.
func submitAll(ctx context.Context, c *committer, items ...*item) []chan error {
	out := make([]chan error, len(items))
	for i, it := range items {
		out[i] = make(chan error, 1)
		go func() { out[i] <- c.submit(ctx, it) }()
		synctest.Wait()
	}
	return out
}

func TestCommitterGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &slowEngine{}
		var sizes []int
		c := newCommitter(e, Edited(DefaultSQLite("unopened"), func(o *Options) {
			o.Observe = func(n int, d time.Duration, err error) {
				require.Equal(t, time.Second, d)
				sizes = append(sizes, n)
			}
		}).complete())
		first, a, b, a2 := bare("x"), bare("a"), bare("b"), bare("a", "b")
		start := time.Now()
		for _, out := range submitAll(t.Context(), c, first, a, b, a2) {
			require.NoError(t, <-out)
		}
		c.close()
		require.Equal(t, 3*time.Second, time.Since(start), "no commit waits for others to join its batch")
		require.Equal(t, []int{1, 2, 1}, sizes)
		require.Equal(t, [][]*item{{first}, {a, b}, {a2}}, e.batches, "who contends waits for the next batch")
	})
}

func TestCommitterBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &slowEngine{}
		c := newCommitter(e, Edited(DefaultSQLite("unopened"), func(o *Options) { o.QueueSize, o.BatchItems, o.BatchBytes = 3, 2, 15 }).complete())
		outs := submitAll(t.Context(), c, asked("1"), asked("2"), asked("3"), asked("4"), asked("5"))
		require.ErrorIs(t, <-outs[4], ride.ErrStoreFull)
		for _, out := range outs[:4] {
			require.NoError(t, <-out)
		}
		c.close()
		require.Len(t, e.batches, 4, "two items are more than a batch's bytes")
	})
}

// TestCommitterIsFair: of those who wait one of each area goes in turn, and a crowd leaves
// room for others.
func TestCommitterIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &slowEngine{}
		c := newCommitter(e, Edited(DefaultSQLite("unopened"), func(o *Options) { o.QueueSize, o.BatchItems = 12, 4 }).complete())
		in := func(area uint64, name string) *item {
			it := asked(name)
			it.area = area
			return it
		}
		submitAll(t.Context(), c, in(0, "first"))
		var crowd []*item
		for n := range 10 {
			crowd = append(crowd, in(1, fmt.Sprint("crowd", n)))
		}
		outs := submitAll(t.Context(), c, crowd...)
		require.ErrorIs(t, <-outs[9], ride.ErrStoreFull, "a quarter is for others")
		a, b, again := in(2, "a"), in(3, "b"), in(2, "again")
		outs = slices.Concat(outs[:9], submitAll(t.Context(), c, a, b))
		require.NoError(t, <-outs[0])
		synctest.Wait() // the committer has picked the next batch, and writes it
		outs = slices.Concat(outs[1:], submitAll(t.Context(), c, again))
		for _, out := range outs {
			require.NoError(t, <-out)
		}
		c.close()
		require.Equal(t, []*item{crowd[0], a, b, crowd[1]}, e.batches[1])
		require.Equal(t, crowd[2:6], e.batches[2])
		require.Equal(t, []*item{crowd[6], again, crowd[7], crowd[8]}, e.batches[3])
	})
}

// asked is an item of a client, who will repeat it.
func asked(key string) *item {
	it := bare(key)
	it.command = &ride.CommandRecord{}
	return it
}

// TestCommitterRoom: a commit that will not be repeated waits for room, until its caller's time is
// up. Clients go first, also before what has waited longer, but for a quarter of each batch.
func TestCommitterRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &slowEngine{}
		c := newCommitter(e, Edited(DefaultSQLite("unopened"), func(o *Options) { o.QueueSize, o.BatchItems = 5, 4 }).complete())
		first := submitAll(t.Context(), c, bare("first"))
		var own []*item
		for n := range 6 {
			own = append(own, bare(fmt.Sprint("own", n)))
		}
		steps := submitAll(t.Context(), c, own...)
		a, b2, c2, d2 := asked("a"), asked("b"), asked("c"), asked("d")
		clients := submitAll(t.Context(), c, a, b2, c2, d2, asked("e"))
		require.ErrorIs(t, <-clients[4], ride.ErrStoreFull)
		hurried, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		late := bare("late")
		require.ErrorIs(t, c.submit(hurried, late), context.DeadlineExceeded)
		for _, out := range slices.Concat(first, steps, clients[:4]) {
			require.NoError(t, <-out)
		}
		c.close()
		require.Equal(t, []*item{a, b2, c2, own[0]}, e.batches[1])
		require.Equal(t, []*item{d2, own[1], own[2], own[3]}, e.batches[2])
		require.Len(t, e.batches, 4)
		for _, b := range e.batches {
			require.NotContains(t, b, late)
		}
	})
}

// TestCommitterDeadline: a caller that leaves before its item is taken has certainly
// written nothing; one that leaves later knows nothing.
func TestCommitterDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &slowEngine{}
		c := newCommitter(e, DefaultSQLite("unopened").complete())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		outs := submitAll(ctx, c, bare("taken"), bare("queued"))
		require.ErrorIs(t, <-outs[0], ride.ErrUnknownOutcome)
		err := <-outs[1]
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, ride.ErrUnknownOutcome)
		require.ErrorIs(t, c.submit(ctx, bare("late")), context.DeadlineExceeded)
		c.close()
		require.Len(t, e.batches, 1, "what its caller gave up is not written")
	})
}

// TestCommitterClose: what is queued is written, what comes later is refused.
func TestCommitterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &slowEngine{}
		c := newCommitter(e, DefaultSQLite("unopened").complete())
		outs := submitAll(t.Context(), c, bare("1"), bare("1"), bare("1"))
		c.close()
		for _, out := range outs {
			require.NoError(t, <-out)
		}
		require.ErrorIs(t, c.submit(t.Context(), bare()), errClosed)
		c.close()
	})
}

func TestCommitterCountsFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("disk on fire")
		c := newCommitter(&slowEngine{fail: broken}, DefaultSQLite("unopened").complete())
		require.ErrorIs(t, c.submit(t.Context(), bare()), broken)
		c.close()
		require.EqualValues(t, 1, c.failures.Load())
		require.EqualValues(t, 1, c.items.Load())
	})
}
