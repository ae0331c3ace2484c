package runtime

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type (
	small struct{}
	big   struct{}
)

// The deepest mailbox and the slowest message are remembered for a limited time.
func TestKindsRememberTheirWorst(t *testing.T) {
	k := NewKind("k")
	box := &mailbox{shard: k.shard()}
	for range 7 {
		box.MessagePosted(nil)
	}
	for range 7 {
		box.MessageReceived(nil)
	}
	now := time.Now()
	k.recent.slow(small{}, 3*time.Millisecond, now)
	k.recent.slow(small{}, 2*time.Millisecond, now)
	k.recent.slow(&big{}, time.Millisecond, now)
	shown := k.Report()
	require.EqualValues(t, 7, shown.DeepestMailbox)
	require.Zero(t, shown.Waiting)
	require.Len(t, shown.Slowest, 2)
	require.Equal(t, "small", shown.Slowest[0].Message)
	require.Equal(t, 3*time.Millisecond, shown.Slowest[0].Took)
	require.Equal(t, "big", shown.Slowest[1].Message)

	require.Empty(t, k.recent.slowest(now.Add(slowFor+time.Second)))
	k.recent.slow(small{}, time.Millisecond, now.Add(slowFor+time.Second))
	require.Equal(t, time.Millisecond, k.recent.slowest(now.Add(slowFor + time.Second))[0].Took)
	for range deepRolls + 1 {
		k.Roll()
	}
	require.Zero(t, k.deepestMailbox())
}

func TestHandlingQuantile(t *testing.T) {
	k := NewKind("k")
	s := k.shard()
	for range 98 {
		s.handle(3 * time.Microsecond)
	}
	s.handle(time.Millisecond)
	s.handle(time.Millisecond)
	sum := k.sum()
	require.Equal(t, 4*time.Microsecond, handlingQuantile(sum.buckets, 0.5))
	require.Equal(t, 1024*time.Microsecond, handlingQuantile(sum.buckets, 0.99))
	require.Zero(t, handlingQuantile([handleBuckets]int64{}, 0.5))
}
