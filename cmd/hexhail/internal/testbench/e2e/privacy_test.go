package e2e

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets/manhattan"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// How a server with default settings estimates: the assumed speed over the detour.
const crowMPS = 30 / 3.6 / 1.3

// midtown and uptown are places in Manhattan, whose streets the servers of some tests have.
var midtown, uptown = geo.Point{Lat: 40.7549, Lng: -73.9840}, geo.Point{Lat: 40.7812, Lng: -73.9665}

// streetsFlag gives a server the streets of Manhattan.
func streetsFlag(t testing.TB) string {
	t.Helper()
	extract, err := filepath.Abs("../../../../../geo/streets/manhattan/" + manhattan.Name)
	require.NoError(t, err)
	return "--streets=" + extract
}

// withAndWithoutStreets runs a test against a server without a map, and on the streets of Manhattan.
func withAndWithoutStreets(t *testing.T, test func(*testing.T, *world), flags ...string) {
	t.Helper()
	t.Run(flags[0], func(t *testing.T) {
		t.Parallel()
		test(t, newWorld(t, harness.Start(t, harness.Options{Flags: flags}), wire.Binary))
	})
	t.Run(flags[0]+" on streets", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, harness.Start(t, harness.Options{Flags: append(slices.Clone(flags), streetsFlag(t))}), wire.Binary)
		w.at, w.to = midtown, uptown
		test(t, w)
	})
}

// places are points of one cell, far apart: its centre and points near three of its corners.
func places(t *testing.T, near geo.Point) []geo.Point {
	t.Helper()
	cell, err := geo.CellAt(near, 8)
	require.NoError(t, err)
	middle, corners := cell.Center(), cell.Boundary()
	out := []geo.Point{middle}
	for i := 0; i < len(corners); i += 2 {
		out = append(out, geo.Destination(middle, geo.BearingDeg(middle, corners[i]), 0.9*geo.DistanceM(middle, corners[i])))
	}
	return out
}

// TestQuotesFindNoDriver plays a rider who tries to locate a driver with quotes: along six rays it
// finds, by bisection, where the minutes of the pickup's ETA change, and takes these edges for
// circles around the driver. For drivers in different places of one cell it gets exactly the same
// answers, so that no calculation can distinguish them.
func TestQuotesFindNoDriver(t *testing.T) {
	t.Parallel()
	withAndWithoutStreets(t, quotesFindNoDriver, "--position-ttl=5m", "--limit-commands-per-second=10000", "--limit-commands-burst=100000")
}

func quotesFindNoDriver(t *testing.T, w *world) {
	at := places(t, w.at)
	from := geo.Destination(w.at, 45, 700) // where the rider guesses that drivers are
	var told []string
	worst := 0.0
	for _, p := range at {
		d, _ := w.join(ride.RoleDriver)
		d.Online(p)
		rider := w.rider()
		guess, quotes, heard := findByQuotes(w, rider, from)
		require.NotNil(t, d.Ask(harness.GoOffline()).GetDone())
		off := geo.DistanceM(guess, p)
		t.Logf("%d quotes find the driver to %.1f m", quotes, off)
		told, worst = append(told, heard), max(worst, off)
	}
	for _, heard := range told {
		require.Equal(t, told[0], heard, "the answers differ within a cell")
	}
	require.Greater(t, worst, geo.DistanceM(at[1], at[2])/2, "one answer cannot locate two places")
}

// findByQuotes is the attack: it returns where the driver must be, the number of quotes, and all
// answers.
func findByQuotes(w *world, rider *harness.Client, from geo.Point) (geo.Point, int, string) {
	quotes, heard := 0, ""
	minutes := func(p geo.Point) uint32 {
		quotes++
		for _, q := range rider.Ask(harness.Quote(p, w.to)).GetQuotes().GetQuotes() {
			if q.GetVehicleClass() == "standard" {
				heard += fmt.Sprintf("%d/%d ", q.GetPickupEtaS(), q.GetDriversNearby())
				return q.GetPickupEtaS() / 60
			}
		}
		return 0
	}
	type circle struct {
		at geo.Point
		m  float64
	}
	var circles []circle
	for bearing := 0.0; bearing < 360; bearing += 60 {
		near, far := 0.0, 0.0
		first := minutes(from)
		for far < 3000 && first > 0 {
			near, far = far, far+300
			if minutes(geo.Destination(from, bearing, far)) != first {
				break
			}
		}
		low := first
		for far-near > 0.05 {
			mid := (near + far) / 2
			if got := minutes(geo.Destination(from, bearing, mid)); got == first {
				near = mid
			} else {
				far, low = mid, min(first, got)
			}
		}
		circles = append(circles, circle{geo.Destination(from, bearing, near), float64(low) * 60 * crowMPS})
	}
	miss := func(p geo.Point) (sum float64) {
		for _, c := range circles {
			sum += math.Abs(geo.DistanceM(p, c.at) - c.m)
		}
		return sum
	}
	best := from
	for step := 3000.0; step > 0.01; step /= 1.5 {
		for bearing := 0.0; bearing < 360; bearing += 15 {
			if p := geo.Destination(best, bearing, step); miss(p) < miss(best) {
				best = p
			}
		}
	}
	return best, quotes, heard
}

// TestOffersFindNoRider plays sock-puppet drivers who try to locate a waiting rider: each goes
// online where the distance to the pickup halves the remaining places, gets the offer, reads
// distance, ETA, length and fare, and declines. For pickups in different places of one cell they
// get exactly the same offers.
func TestOffersFindNoRider(t *testing.T) {
	t.Parallel()
	withAndWithoutStreets(t, offersFindNoRider, "--position-ttl=5m", "--trip-search-for=10m")
}

func offersFindNoRider(t *testing.T, w *world) {
	at := places(t, w.at)
	var told []string
	worst := 0.0
	for _, p := range at {
		rider := w.rider()
		trip := rider.Ask(harness.Request(p, w.to)).GetTrip()
		require.NotEmpty(t, trip.GetId())
		guess, heard := findByOffers(w, trip.GetId(), at[0], 24)
		require.NotNil(t, rider.Ask(harness.Cancel(trip.GetId())).GetTrip())
		off := geo.DistanceM(guess, p)
		t.Logf("24 declined offers find the rider to %.1f m", off)
		told, worst = append(told, heard), max(worst, off)
	}
	for _, heard := range told {
		require.Equal(t, told[0], heard, "the offers differ within a cell")
	}
	require.Greater(t, worst, geo.DistanceM(at[1], at[2])/2, "one answer cannot locate two places")
}

// findByOffers is the attack: it returns where the rider must be, and all offers.
func findByOffers(w *world, trip string, middle geo.Point, puppets int) (geo.Point, string) {
	random := rand.New(rand.NewPCG(1, 2))
	var left []geo.Point
	cell, err := geo.CellAt(middle, 8)
	require.NoError(w.t, err)
	for range 3000 {
		p := geo.Destination(middle, 360*random.Float64(), cell.RadiusM()*math.Sqrt(random.Float64()))
		if c, err := geo.CellAt(p, 8); err == nil && c == cell {
			left = append(left, p)
		}
	}
	bin := func(from, to geo.Point, radius float64) string {
		m := geo.DistanceM(from, to)
		return fmt.Sprintf("%.0f/%.0f", max(1, math.Ceil(m*1.3/radius)), max(1, math.Ceil(math.Round(m/crowMPS)/60)))
	}
	radius := math.Ceil(cell.RadiusM())
	heard := ""
	for range puppets {
		var post geo.Point
		most := len(left) + 1
		for range 60 { // where the largest possible remainder is smallest
			p := geo.Destination(middle, 360*random.Float64(), 1500*random.Float64())
			parts := make(map[string]int)
			for _, q := range left {
				parts[bin(p, q, radius)]++
			}
			largest := 0
			for _, n := range parts {
				largest = max(largest, n)
			}
			if largest < most {
				most, post = largest, p
			}
		}
		d, _ := w.join(ride.RoleDriver)
		d.Online(post)
		o := d.Offer(trip)
		heard += fmt.Sprint(o.GetPickupArea(), o.GetPickupRadiusM(), o.GetPickupDistanceM(), o.GetPickupEtaS(),
			o.GetTripDistanceM(), o.GetTripDurationS(), o.GetFare(), "\n")
		require.NotNil(w.t, d.Ask(harness.Decline(o.GetId())).GetDone())
		require.Empty(w.t, routes(d), "an asked driver got a line")
		d.Drop()
		said := fmt.Sprintf("%d/%d", o.GetPickupDistanceM()/o.GetPickupRadiusM(), o.GetPickupEtaS()/60)
		var fit []geo.Point
		for _, q := range left {
			if bin(post, q, radius) == said {
				fit = append(fit, q)
			}
		}
		if len(fit) > 0 {
			left = fit
		}
		if len(left) < 200 { // look closer
			for _, q := range left[:len(left):len(left)] {
				for range 3 {
					left = append(left, geo.Destination(q, 360*random.Float64(), 30*random.Float64()))
				}
			}
		}
	}
	var lat, lng float64
	for _, q := range left {
		lat, lng = lat+q.Lat, lng+q.Lng
	}
	return geo.Point{Lat: lat / float64(len(left)), Lng: lng / float64(len(left))}, heard
}

// TestOrderOfOffersFindsNoRider: which of several drivers is asked first, and which comes
// next, is the same for pickups in different places of one cell, unless dispatch plans with the door.
func TestOrderOfOffersFindsNoRider(t *testing.T) {
	t.Parallel()
	for _, policy := range [][]string{
		{"--dispatch-policy=sequential"}, {"--dispatch-policy=broadcast", "--dispatch-cap=1"}, {"--dispatch-policy=nearest", "--dispatch-place=cell"},
	} {
		withAndWithoutStreets(t, orderFindsNoRider, append(policy, "--position-ttl=5m", "--dispatch-wave-every=10m", "--trip-search-for=30m")...)
	}
}

func orderFindsNoRider(t *testing.T, w *world) {
	at := places(t, w.at)
	ids := make(map[*harness.Client]int)
	var drivers []*harness.Client
	for i := range 8 { // two in each of several cells
		d, _ := w.join(ride.RoleDriver)
		d.Online(geo.Destination(at[0], float64(45*i), 300+float64(100*(i%3))))
		ids[d], drivers = i, append(drivers, d)
	}
	var orders []string
	for _, p := range at {
		rider := w.rider()
		trip := rider.Ask(harness.Request(p, w.to)).GetTrip().GetId()
		order := ""
		for range drivers {
			d, o := nextOffer(w, drivers, trip, order, ids)
			order += fmt.Sprint(ids[d], ";")
			require.NotNil(t, d.Ask(harness.Decline(o.GetId())).GetDone())
		}
		require.NotNil(t, rider.Ask(harness.Cancel(trip)).GetTrip())
		orders = append(orders, order)
	}
	for _, order := range orders {
		require.Equal(t, orders[0], order, "the order differs within a cell")
	}
}

// nextOffer waits for the next driver to be offered a trip, besides those in done.
func nextOffer(w *world, drivers []*harness.Client, trip, done string, ids map[*harness.Client]int) (who *harness.Client, o *ridepb.Offer) {
	w.t.Helper()
	asked := make(map[int]bool)
	for _, part := range splitIDs(done) {
		asked[part] = true
	}
	harness.Until(w.t, "the next offer", func() bool {
		for _, d := range drivers {
			if asked[ids[d]] {
				continue
			}
			for _, e := range d.Events() {
				if got := e.GetOfferReceived().GetOffer(); got.GetTripId() == trip {
					who, o = d, got
					return true
				}
			}
		}
		return false
	})
	return who, o
}

func splitIDs(s string) (out []int) {
	for _, c := range s {
		if c >= '0' && c <= '9' {
			out = append(out, int(c-'0'))
		}
	}
	return out
}
