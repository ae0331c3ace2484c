package persistence_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/storetest"
)

// crashPath tells a test binary to be the process that is killed: the SQLite file, or
// the Postgres URL, that it writes to; after a space the one past the pooler.
const crashPath = "HEXHAIL_TEST_CRASH_PATH"

func optionsFor(place string) persistence.Options {
	if strings.HasPrefix(place, "postgres:") {
		url, direct, _ := strings.Cut(place, " ")
		return persistence.Edited(persistence.DefaultPostgres(url), func(o *persistence.Options) { o.DatabaseDirectURL = direct })
	}
	return persistence.DefaultSQLite(place)
}

// commitForEver requests trips from many goroutines and prints each id once it is
// acknowledged, until the process is killed.
func commitForEver(place string) {
	s, err := persistence.Open(context.Background(), optionsFor(place))
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	var mu sync.Mutex
	for g := range 16 {
		go func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("p%d-%d-%d", os.Getpid(), g, i)
				_, tr := storetest.Requested(id, id)
				if err := s.Commit(context.Background(), tr); err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
				mu.Lock()
				fmt.Println(id)
				mu.Unlock()
			}
		}()
	}
	select {}
}

// TestCrash: whatever a process acknowledged before it was killed is there.
func TestCrash(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o := e.at(t)
			place := strings.TrimSpace(o.Path + o.DatabaseURL + " " + o.DatabaseDirectURL) // one of the first two is empty
			s := open(t, o)
			require.NoError(t, s.Ping(t.Context()))
			var acknowledged []string
			for round := range 3 {
				acknowledged = append(acknowledged, killAfter(t, place, 150*(round+1))...)
			}
			fresh := open(t, o)
			for _, id := range acknowledged {
				got, err := fresh.Trip(t.Context(), ride.TripID(id))
				require.NoError(t, err, "acknowledged trip %s is lost", id)
				require.EqualValues(t, 1, got.Version)
			}
			require.GreaterOrEqual(t, len(acknowledged), 900)
			storetest.Commit(t, fresh, ride.Transition{Command: &ride.CommandRecord{Account: "a", ID: "after", At: epoch}})
		})
	}
}

// killAfter starts a process that commits, kills it after n acknowledgements and
// returns all that it printed.
func killAfter(t *testing.T, place string, n int, env ...string) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append(env, crashPath+"="+place)...)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var ids []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		require.NotContains(t, lines.Text(), "error")
		if ids = append(ids, lines.Text()); len(ids) == n {
			require.NoError(t, cmd.Process.Kill())
		}
	}
	require.Error(t, cmd.Wait(), "it was killed")
	// A line that the kill cut short names no trip of ours.
	if last := ids[len(ids)-1]; strings.Count(last, "-") != 2 {
		ids = ids[:len(ids)-1]
	}
	return ids[:max(len(ids)-1, n)]
}

// TestServerCrash: Postgres dies under load and comes back. What was acknowledged is
// there, what was refused is not, and the store works again without being reopened.
func TestServerCrash(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t)
	s := open(t, persistence.Edited(persistence.DefaultPostgres(server.URL()), func(o *persistence.Options) { o.StatementTimeout = 2 * time.Second }))
	var good, refused sync.Map
	var goods, unknowns atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				id := ride.TripID(fmt.Sprintf("g%d-%d", g, i))
				_, tr := storetest.Requested(string(id), string(id))
				switch err := s.Commit(t.Context(), tr); {
				case err == nil:
					good.Store(id, true)
					goods.Add(1)
				case errors.Is(err, ride.ErrUnknownOutcome):
					unknowns.Add(1)
				case errors.Is(err, ride.ErrUnavailable):
					refused.Store(id, true)
					select { // as a client would
					case <-ctx.Done():
					case <-time.After(10 * time.Millisecond):
					}
				default:
					t.Errorf("not an error of the store: %v", err)
				}
			}
		})
	}
	more := func(n int64) {
		t.Helper()
		want := goods.Load() + n
		require.Eventually(t, func() bool { return goods.Load() >= want }, time.Minute, time.Millisecond)
	}
	for range 3 {
		more(50)
		require.NoError(t, server.Crash())
		require.ErrorIs(t, s.Ping(t.Context()), ride.ErrUnavailable)
		require.NoError(t, server.Resume())
		more(50)
	}
	stop()
	wg.Wait()
	there := func(id any) bool {
		_, err := s.Trip(t.Context(), id.(ride.TripID))
		if err != nil {
			require.ErrorIs(t, err, ride.ErrNotFound)
		}
		return err == nil
	}
	good.Range(func(id, _ any) bool { require.True(t, there(id), "acknowledged trip %s is lost", id); return true })
	refused.Range(func(id, _ any) bool { require.False(t, there(id), "refused trip %s was written", id); return true })
	t.Logf("%d acknowledged, %d unknown", goods.Load(), unknowns.Load())
}
