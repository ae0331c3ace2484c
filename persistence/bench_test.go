package persistence_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/storetest"
)

// BenchmarkGroupCommit compares, on each engine and in one run, durable transitions a
// second when committers share transactions with one transaction for each, and
// gives the cost of one fsync of the same disk. An iteration is one whole trip: seven
// transitions, each with a command's outcome.
func BenchmarkGroupCommit(b *testing.B) {
	for _, e := range engines {
		for _, committers := range []int{16, 256} {
			b.Run(fmt.Sprintf("%s/committers=%d", e.name, committers), func(b *testing.B) {
				sync := fsyncCost(b)
				trips := max(b.N, committers)
				b.StopTimer()
				o := e.at(b)
				o.BatchItems = 1
				alone := throughput(b, o, committers, max(trips/20, committers/4))
				o = e.at(b)
				b.StartTimer()
				grouped := throughput(b, o, committers, trips)
				b.ReportMetric(alone, "alone/s")
				b.ReportMetric(grouped, "grouped/s")
				b.ReportMetric(grouped/alone, "ratio")
				b.ReportMetric(float64(sync.Microseconds()), "fsync-µs")
			})
		}
	}
}

// throughput runs whole trips through a new store and returns transitions a second.
func throughput(b *testing.B, o persistence.Options, committers, trips int) float64 {
	s := open(b, o)
	lives := make(chan []ride.Transition, trips)
	n := 0
	for i := range trips {
		life := wholeTrip(i)
		n += len(life)
		lives <- life
	}
	close(lives)
	start := time.Now()
	var wg sync.WaitGroup
	for range committers {
		wg.Go(func() {
			for life := range lives {
				for _, tr := range life {
					if err := s.Commit(b.Context(), tr); err != nil {
						b.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	return float64(n) / time.Since(start).Seconds()
}

// wholeTrip is a trip's life in seven transitions, with people of its own.
func wholeTrip(i int) []ride.Transition {
	driver := fmt.Sprint("d", i)
	h, first := storetest.Requested(fmt.Sprint("t", i), fmt.Sprint("r", i))
	life := []ride.Transition{first, h.Then(h.OfferTo(driver)), h.Then(h.Match(driver)),
		h.Then(ride.Arrived{At: h.Tick()}), h.Then(ride.Started{At: h.Tick()}),
		h.Then(ride.Completed{At: h.Tick(), By: ride.ByDriver}),
		h.Then(ride.Rated{At: h.Tick(), By: ride.ByRider, About: "nobody", Stars: 5})}
	for n := range life {
		life[n].Command = &ride.CommandRecord{Account: h.Request.Rider.ID, ID: fmt.Sprint(n),
			Digest: "0123456789abcdef", Reply: make([]byte, 64), At: epoch}
	}
	return life
}

// fsyncCost is the median time of making 4 KiB durable on the disk of the tests.
func fsyncCost(b *testing.B) time.Duration {
	f, err := os.Create(filepath.Join(b.TempDir(), "fsync"))
	require.NoError(b, err)
	defer func() { require.NoError(b, f.Close()) }()
	var took []time.Duration
	for range 41 {
		start := time.Now()
		_, err := f.Write(make([]byte, 4096))
		require.NoError(b, err)
		require.NoError(b, f.Sync())
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// BenchmarkCommit is the time of one transition with the disk to itself.
func BenchmarkCommit(b *testing.B) {
	for _, e := range engines {
		b.Run(e.name, func(b *testing.B) {
			fsync := fsyncCost(b)
			s := open(b, e.at(b))
			took := make([]time.Duration, 0, b.N)
			for trip := 0; len(took) < b.N; trip++ {
				for _, tr := range wholeTrip(trip) {
					start := time.Now()
					require.NoError(b, s.Commit(b.Context(), tr))
					took = append(took, time.Since(start))
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			b.ReportMetric(float64(fsync.Microseconds()), "fsync-µs")
		})
	}
}

// BenchmarkLogInFailure is what a failed log-in costs the database: a read and a write.
func BenchmarkLogInFailure(b *testing.B) {
	for _, e := range engines {
		b.Run(e.name, func(b *testing.B) {
			fsync := fsyncCost(b)
			s := open(b, e.at(b))
			i := 0
			for b.Loop() {
				i++
				keys := []string{fmt.Sprint("pair", i%1000), fmt.Sprint("name", i%100), fmt.Sprint("net", i%100)}
				if _, err := s.LogInFailures(b.Context(), keys); err != nil {
					b.Fatal(err)
				}
				if _, err := s.AddLogInFailure(b.Context(), keys, time.Hour); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(fsync.Microseconds()), "fsync-µs")
		})
	}
}
