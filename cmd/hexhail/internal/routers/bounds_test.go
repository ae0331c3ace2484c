package routers

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
)

const osrmOne = `{"code":"Ok","durations":[[199]],"distances":[[1824]],"sources":[{}],"destinations":[{}]}`

func TestSingleRoutesAreRememberedForAWhile(t *testing.T) {
	var requests atomic.Int32
	r := asked(t, geo.ByOSRM, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		_, _ = io.WriteString(w, osrmOne)
	})
	now := time.Now()
	r.cache.now = func() time.Time { return now }
	ask := func(from, to geo.Point, want int32) {
		t.Helper()
		got, err := r.Route(t.Context(), from, to)
		require.NoError(t, err)
		require.Equal(t, 199*time.Second, got.Duration)
		require.Equal(t, want, requests.Load())
	}
	ask(torstr, friedrich, 1)
	ask(torstr, friedrich, 1)
	ask(torstr, geo.Point{Lat: friedrich.Lat + 1e-6, Lng: friedrich.Lng}, 1)
	ask(friedrich, torstr, 2) // the way back is another one
	outward, err := r.From(t.Context(), place(torstr), []geo.Place{place(friedrich)}, time.Time{})
	require.NoError(t, err)
	require.Equal(t, 1824.0, outward[0].DistanceM)
	require.EqualValues(t, 2, requests.Load(), "it is the way of the beginning")
	now = now.Add(fresh)
	ask(torstr, friedrich, 3)
	for i := range remembered {
		r.cache.put(key{fromLat: int32(i)}, geo.Route{})
	}
	require.Equal(t, remembered, r.cache.lru.Len())
	ask(torstr, friedrich, 4)
}

func TestAFailureIsNotRemembered(t *testing.T) {
	var requests atomic.Int32
	r := asked(t, geo.ByOSRM, func(w http.ResponseWriter, _ *http.Request) {
		if requests.Add(1) == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(w, osrmOne)
	})
	_, err := r.Route(t.Context(), torstr, friedrich)
	require.ErrorContains(t, err, "502")
	_, err = r.Route(t.Context(), torstr, friedrich)
	require.NoError(t, err)
}

// TestAServerThatKeepsFailingIsLeftAlone, and asked once after a while. The log says so, without places or secrets.
func TestAServerThatKeepsFailingIsLeftAlone(t *testing.T) {
	var requests atomic.Int32
	var broken atomic.Bool
	r := asked(t, geo.ByOSRM, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		if broken.Load() {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, osrmInward)
	})
	var log bytes.Buffer
	r.client.log = slog.New(slog.NewTextHandler(&log, nil))
	r.client.base.RawQuery = "key=hidden"
	now := time.Now()
	r.client.breaker.now = func() time.Time { return now }
	ask := func() error {
		_, err := r.Routes(t.Context(), []geo.Point{torstr, platz}, friedrich)
		return err
	}
	broken.Store(true)
	for range patience {
		err := ask()
		require.Error(t, err)
		require.NotErrorIs(t, err, errPaused)
		require.NotContains(t, err.Error(), "13.38")
		require.NotContains(t, err.Error(), "hidden")
	}
	count := requests.Load() // net/http may have tried twice
	require.ErrorIs(t, ask(), errPaused)
	require.Equal(t, count, requests.Load())
	now = now.Add(pause)
	require.NotErrorIs(t, ask(), errPaused, "one finds out")
	require.ErrorIs(t, ask(), errPaused)
	now = now.Add(pause)
	broken.Store(false)
	require.NoError(t, ask())
	require.NoError(t, ask())
	require.Contains(t, log.String(), "keeps failing")
	require.Contains(t, log.String(), "answers again")
	require.NotContains(t, log.String(), "13.38")
	require.NotContains(t, log.String(), "hidden")
	require.Equal(t, 2, bytes.Count(log.Bytes(), []byte("\n")), "once each: %s", log.String())
}

// TestAFailureCountsOnce: when one part of a search fails, the others are given up.
func TestAFailureCountsOnce(t *testing.T) {
	var requests atomic.Int32
	others := make(chan struct{}, 2)
	r := asked(t, geo.ByOSRM, func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) > 1 {
			others <- struct{}{}
			<-r.Context().Done()
			return
		}
		for range 2 {
			<-others
		}
		w.WriteHeader(http.StatusInternalServerError)
	})
	from := make([]geo.Point, 3*perRequest)
	for i := range from {
		from[i] = torstr
	}
	_, err := r.Routes(t.Context(), from, friedrich)
	require.ErrorContains(t, err, "500")
	require.Equal(t, 1, r.client.breaker.failures)
}

func TestBreaker(t *testing.T) {
	now := time.Now()
	b := breaker{now: func() time.Time { return now }}
	end := func(o outcome) (paused, back bool) {
		probe, ok := b.begin()
		require.True(t, ok)
		return b.end(probe, o)
	}
	for range 3 {
		for range patience - 1 {
			paused, _ := end(failed)
			require.False(t, paused)
		}
		_, back := end(answered)
		require.False(t, back, "failures count in a row")
	}
	for i := range patience {
		end(abandoned)
		paused, _ := end(failed)
		require.Equal(t, i == patience-1, paused)
	}
	now = now.Add(pause)
	probe, ok := b.begin()
	require.True(t, probe && ok)
	_, ok = b.begin()
	require.False(t, ok, "there is one probe")
	b.end(probe, abandoned)
	probe, ok = b.begin()
	require.True(t, probe && ok, "the next one finds out")
	_, back := b.end(probe, answered)
	require.True(t, back)
	_, ok = b.begin()
	require.True(t, ok)
}

// TestFewWaitForTheServer: others wait in turn, and give up with their callers.
func TestFewWaitForTheServer(t *testing.T) {
	const most, callers = 2, 7
	var running, highest atomic.Int32
	arrived, release := make(chan struct{}, callers), make(chan struct{})
	r := asked(t, geo.ByOSRM, func(w http.ResponseWriter, _ *http.Request) {
		if n := running.Add(1); n > highest.Load() {
			highest.Store(n)
		}
		arrived <- struct{}{}
		<-release
		running.Add(-1)
		_, _ = io.WriteString(w, osrmInward)
	})
	r.client.turns = make(chan struct{}, most)
	done := make(chan error, callers)
	for range callers {
		go func() {
			_, err := r.Routes(context.Background(), []geo.Point{torstr, platz}, friedrich)
			done <- err
		}()
	}
	for range most {
		<-arrived
	}
	ended, end := context.WithCancel(t.Context())
	end()
	require.ErrorIs(t, r.client.do(ended, request{}, nil, nil), context.Canceled)
	close(release)
	for range callers {
		require.NoError(t, <-done)
	}
	require.EqualValues(t, most, highest.Load())
}

// TestARequestLeavesTimeForOthers, and being late in a hurry does not count against the server.
func TestARequestLeavesTimeForOthers(t *testing.T) {
	c := &client{wait: time.Hour}
	require.Equal(t, time.Hour, c.limit(t.Context()))
	short, end := context.WithTimeout(t.Context(), 100*time.Minute)
	defer end()
	require.LessOrEqual(t, c.limit(short), time.Hour)
	shorter, end := context.WithTimeout(t.Context(), 10*time.Minute)
	defer end()
	require.LessOrEqual(t, c.limit(shorter), 6*time.Minute)
	require.Positive(t, c.limit(shorter))

	r := asked(t, geo.ByOSRM, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for range 2 * patience {
		hurry, end := context.WithTimeout(t.Context(), 10*time.Millisecond)
		_, err := r.Route(hurry, torstr, friedrich)
		end()
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	_, ok := r.client.breaker.begin()
	require.True(t, ok)
}

// FuzzAnswers: whatever a server says is a complete answer or an error.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{osrmInward, osrmOutward, osrmOne, valhallaInward, valhallaOutward, osrmPlan(), valhallaPlan(), `{"code":"NoRoute","error_code":442}`, "", "[]", "null"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for by, e := range map[geo.Source]engine{geo.ByOSRM: osrm{}, geo.ByValhalla: valhalla{}} {
			for _, n := range []int{1, 2} {
				for _, inward := range []bool{true, false} {
					routes, err := e.readFan(body, n, inward)
					if err != nil {
						require.ErrorIs(t, err, errAnswer)
						continue
					}
					require.Len(t, routes, n)
					for _, r := range routes {
						require.True(t, !r.Reachable() || r.DistanceM >= 0 && r.Duration >= 0)
					}
				}
			}
			_ = e.refusal(body)
			d, err := e.readPlan(body)
			if err != nil {
				continue
			}
			p, err := d.plan(by)
			if err != nil {
				require.ErrorIs(t, err, errAnswer)
				continue
			}
			require.GreaterOrEqual(t, len(p.Line), 2)
			require.InDelta(t, lengthM(p.Line), p.DistanceM, 1e-3+p.DistanceM*1e-9)
			for i, s := range p.Steps {
				require.Equal(t, p.Line[s.Index], s.Position)
				require.True(t, i == 0 || s.Index >= p.Steps[i-1].Index)
			}
		}
	})
}
