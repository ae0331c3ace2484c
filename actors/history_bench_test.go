package actors

import (
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// busyTrip is a trip as people receive it once it is matched: the largest event that they get.
func busyTrip(version int64) *ride.Trip {
	now := time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)
	return &ride.Trip{
		ID: "01a203e7-45e9-77b4-a504-b69332d97932", Version: version, Status: ride.StatusMatched,
		Request: ride.Request{
			Rider:  ride.RiderCard{ID: "01a203e7-45e9-77b4-a504-b69332d97933", FirstName: "Bo", RatingX100: 487},
			Pickup: pickup, Dropoff: dropoff, PickupAddress: "12 Teheran-ro, Gangnam-gu", DropoffAddress: "513 Yeongdong-daero",
			Class: "standard", Passengers: 1,
		},
		Estimate: ride.Estimate{DistanceM: 4200, Duration: 11 * time.Minute, Fare: ride.Fare{Currency: "USD", Total: 987}},
		Driver: &ride.DriverCard{
			ID: "01a203e7-45e9-77b4-a504-b69332d97934", FirstName: "Ann", Class: "standard", Plate: "HX 1001", RatingX100: 491,
		},
		PickupETA: 4 * time.Minute, RequestedAt: now, MatchedAt: now.Add(3 * time.Second),
	}
}

// BenchmarkPersonMemory is the memory of one connected rider: an idle one, and one who takes trips
// all the time.
func BenchmarkPersonMemory(b *testing.B) {
	for _, events := range []int{0, 8, 64, 1000} {
		b.Run(fmt.Sprintf("events=%d", events), func(b *testing.B) {
			cfg := DefaultConfig()
			cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
			sys, err := New(cfg, newMemStore())
			require.NoError(b, err)
			b.Cleanup(func() { require.NoError(b, sys.Stop(b.Context())) })
			const people = 500
			for b.Loop() {
				before := heapAfterGC()
				all := make([]*riderActor, people)
				for i := range all {
					r := newRider(sys.shared, ride.Account{ID: "01a203e7-45e9-77b4-a504-b69332d97933", Role: ride.RoleRider}, 1)
					r.attach(new(counter), nil)
					for n := range events {
						r.onUpdate(tripUpdate{Trip: busyTrip(int64(n + 1)), Change: ride.KindMatched}, true)
					}
					all[i] = r
				}
				b.ReportMetric(float64(heapAfterGC()-before)/people, "B/person")
				runtime.KeepAlive(all)
			}
		})
	}
}

func heapAfterGC() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkEmit is one event on its way from a trip's update to a session.
func BenchmarkEmit(b *testing.B) {
	cfg := DefaultConfig()
	cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	sys, err := New(cfg, newMemStore())
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, sys.Stop(b.Context())) })
	r := newRider(sys.shared, ride.Account{ID: "01a203e7-45e9-77b4-a504-b69332d97933", Role: ride.RoleRider}, 1)
	r.attach(new(counter), nil)
	trip := busyTrip(0)
	b.ReportAllocs()
	for b.Loop() {
		trip.Version++
		r.onUpdate(tripUpdate{Trip: trip, Change: ride.KindMatched}, true)
	}
}
