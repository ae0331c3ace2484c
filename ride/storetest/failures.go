package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// Failures is a store of counts of failed log-ins. Its clock may be another than the test's, and
// cannot be moved: it may be a database's.
type Failures interface {
	LogInFailures(ctx context.Context, keys []string) (map[string]ride.FailureCount, error)
	AddLogInFailure(ctx context.Context, keys []string, forget time.Duration) (map[string]ride.FailureCount, error)
	ForgetLogInFailures(ctx context.Context, key string) error
}

// TestFailures holds a store to the contract of Failures. Its tests share the store.
func TestFailures(t *testing.T, s Failures) {
	for name, test := range map[string]func(*testing.T, Failures){
		"counts":       failureCounts,
		"forgotten":    failuresForgotten,
		"all at once":  failuresAtOnce,
		"strange keys": failuresOfStrangeKeys,
	} {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

// counts returns the counts of keys without their ages, which must be those of a moment ago.
func counts(t *testing.T, s Failures, keys ...string) map[string]int {
	t.Helper()
	found, err := s.LogInFailures(t.Context(), keys)
	require.NoError(t, err)
	return numbers(t, found)
}

func numbers(t *testing.T, counts map[string]ride.FailureCount) map[string]int {
	t.Helper()
	out := map[string]int{}
	for key, f := range counts {
		require.GreaterOrEqual(t, f.Age, time.Duration(0))
		require.Less(t, f.Age, time.Minute)
		require.NotZero(t, f.Last)
		out[key] = f.N
	}
	return out
}

// failureCounts: each key has its own count.
func failureCounts(t *testing.T, s Failures) {
	require.Empty(t, counts(t, s, "pair", "name", "net"))
	for i, keys := range [][]string{{"pair", "name", "net"}, {"pair", "name", "net"}, {"net", "other", "name"}, {"pair"}} {
		got, err := s.AddLogInFailure(t.Context(), keys, time.Hour)
		require.NoError(t, err)
		require.Equal(t, []map[string]int{
			{"pair": 1, "name": 1, "net": 1}, {"pair": 2, "name": 2, "net": 2}, {"net": 3, "other": 1, "name": 3}, {"pair": 3},
		}[i], numbers(t, got))
		read, err := s.LogInFailures(t.Context(), keys)
		require.NoError(t, err)
		for _, key := range keys {
			require.Equal(t, got[key].Last, read[key].Last, "a failure is recognised")
		}
	}
	require.Equal(t, map[string]int{"pair": 3, "net": 3}, counts(t, s, "pair", "net", "unknown"))
	require.NoError(t, s.ForgetLogInFailures(t.Context(), "pair"))
	require.NoError(t, s.ForgetLogInFailures(t.Context(), "pair"), "there is none")
	require.Equal(t, map[string]int{"name": 3, "net": 3, "other": 1}, counts(t, s, "pair", "name", "net", "other"))
	got, err := s.AddLogInFailure(t.Context(), []string{"pair"}, time.Hour)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"pair": 1}, numbers(t, got))
}

// failuresForgotten: a count ends some time after its last failure, and begins again with the next.
func failuresForgotten(t *testing.T, s Failures) {
	for range 2 {
		got, err := s.AddLogInFailure(t.Context(), []string{"k"}, 0)
		require.NoError(t, err)
		require.Equal(t, map[string]int{"k": 1}, numbers(t, got))
		require.Empty(t, counts(t, s, "k"))
	}
	var last time.Time
	for want := 1; want <= 2; want++ {
		got, err := s.AddLogInFailure(t.Context(), []string{"k"}, time.Hour)
		require.NoError(t, err)
		require.True(t, got["k"].Last.After(last), "failures follow each other")
		last = got["k"].Last
		require.Equal(t, map[string]int{"k": want}, numbers(t, got))
	}
	got, err := s.AddLogInFailure(t.Context(), []string{"k"}, 0)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"k": 3}, numbers(t, got), "the former failure was not forgotten")
	require.Empty(t, counts(t, s, "k"))
}

// failuresAtOnce: failures that share keys are all counted, also when they name them in other orders.
func failuresAtOnce(t *testing.T, s Failures) {
	const n = 12
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		keys := []string{"busy name", "busy net", fmt.Sprint("busy pair", i%3)}
		if i%2 == 0 {
			keys[0], keys[1] = keys[1], keys[0]
		}
		wg.Go(func() { _, errs[i] = s.AddLogInFailure(t.Context(), keys, time.Hour) })
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, map[string]int{"busy name": n, "busy net": n, "busy pair0": n / 3, "busy pair1": n / 3, "busy pair2": n / 3},
		counts(t, s, "busy name", "busy net", "busy pair0", "busy pair1", "busy pair2"))
}

// failuresOfStrangeKeys: no keys are no failures, and keys are only compared.
func failuresOfStrangeKeys(t *testing.T, s Failures) {
	require.Empty(t, counts(t, s))
	got, err := s.AddLogInFailure(t.Context(), nil, time.Hour)
	require.NoError(t, err)
	require.Empty(t, got)
	require.Equal(t, map[string]int{}, counts(t, s, "' OR 1=1"))
}
