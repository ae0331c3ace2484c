package dispatch

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// sizes of zones: requests and drivers.
var sizes = [][2]int{{200, 800}, {1000, 4000}, {2000, 8000}, {2000, 2000}, {2000, 500}}

// crowded is a snapshot of open requests and free drivers over 20 km by 4 km, denser in the middle, with their ways.
func crowded(p Policy, requests, drivers int) *Snapshot {
	r := rand.New(rand.NewPCG(1, 1))
	place := func(spread float64) geo.Point {
		x := min(max(-1, r.NormFloat64()*spread), 1)
		return geo.Point{Lat: 40.7 + 0.09*x, Lng: -74 + 0.047*r.Float64()}
	}
	s := &Snapshot{}
	at := map[ride.AccountID]geo.Point{}
	for i := range drivers {
		d := Driver{ID: ride.AccountID(fmt.Sprintf("driver-%08d", i)), State: Free, Point: place(0.6)}
		at[d.ID] = d.Point
		s.Drivers = append(s.Drivers, d)
	}
	pickup := map[ride.TripID]geo.Point{}
	for i := range requests {
		q := Request{Trip: ride.TripID(fmt.Sprintf("trip-%08d", i)), Pickup: place(0.3)}
		pickup[q.Trip] = q.Pickup
		s.Requests = append(s.Requests, q)
	}
	for _, pair := range Shortlist(p, s) {
		m := geo.DistanceM(at[pair.Driver], pickup[pair.Trip]) * 1.3
		s.Ways = append(s.Ways, Way{Trip: pair.Trip, Driver: pair.Driver, DistanceM: m, Duration: time.Duration(m / 5 * float64(time.Second))})
	}
	return s
}

// wide is a policy that lets the assignment be as large as the table of sizes says.
func wide() Policy {
	p, _ := Preset("exchange")
	p.MaxETA = 25 * time.Minute
	return p
}

func each(b *testing.B, run func(b *testing.B, s *Snapshot)) {
	for _, size := range sizes {
		s := crowded(wide(), size[0], size[1])
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) { run(b, s) })
	}
}

// sorted is the floor: a decision cannot take less than sorting its arcs by price.
func sorted(t *table) time.Duration {
	var prices []int64
	for i := range t.rows {
		for _, a := range t.rows[i].arcs {
			prices = append(prices, int64(a.price))
		}
	}
	r := rand.New(rand.NewPCG(2, 1))
	var least time.Duration
	for range 5 {
		r.Shuffle(len(prices), func(i, j int) { prices[i], prices[j] = prices[j], prices[i] })
		start := time.Now()
		slices.Sort(prices)
		if took := time.Since(start); least == 0 || took < least {
			least = took
		}
	}
	return least
}

// perFloor reports how many times the floor an operation takes.
func perFloor(b *testing.B, floor time.Duration) {
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(floor), "floors/op")
}

func BenchmarkShortlist(b *testing.B) {
	each(b, func(b *testing.B, s *Snapshot) {
		b.ReportAllocs()
		for b.Loop() {
			Shortlist(wide(), s)
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	each(b, func(b *testing.B, s *Snapshot) {
		floor := sorted(newTable(newMarket(wide(), s), s))
		b.ReportAllocs()
		for b.Loop() {
			Decide(wide(), s)
		}
		perFloor(b, floor)
	})
}

func BenchmarkAssign(b *testing.B) {
	for name, solve := range map[string]func(*graph){
		"paths":   func(g *graph) { shortestPaths(g, unbounded) },
		"auction": func(g *graph) { auction(g, unbounded) },
		"greedy":  func(g *graph) { greedy(g) },
	} {
		b.Run(name, func(b *testing.B) {
			each(b, func(b *testing.B, s *Snapshot) {
				t := newTable(newMarket(wide(), s), s)
				floor, g := sorted(t), t.graph()
				b.ReportMetric(0, "ns/op")
				for b.Loop() {
					solve(g)
				}
				perFloor(b, floor)
			})
		})
	}
}
