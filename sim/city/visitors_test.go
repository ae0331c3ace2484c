package city

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride/ridepb"
)

func visited(speed float64, v *Visitors) *City {
	c := &City{cfg: Config{Speed: speed, Visitors: v}}
	c.clock.speed = speed
	c.book = newBook(&c.Stats, &c.clock)
	return c
}

func TestPaceForVisitors(t *testing.T) {
	c := visited(40, &Visitors{Speed: 10})
	require.Equal(t, 4.0, c.pace(80*time.Second, 12*time.Second), "8 s at the visitors' speed")
	require.InDelta(t, 2, c.pace(240*time.Second, 12*time.Second), 1e-9, "24 s would be too long: it takes 12 s")
	require.Equal(t, 1.0, c.pace(time.Hour, 12*time.Second), "never faster than the city")
	require.Equal(t, 4.0, c.pace(0, 12*time.Second))
	require.Equal(t, 1.0, visited(5, &Visitors{Speed: 10}).pace(time.Minute, time.Minute), "the city is slow already")
	require.Equal(t, 1.0, visited(40, &Visitors{}).pace(time.Minute, time.Minute))
}

func TestSlowerWay(t *testing.T) {
	w := Straight{SpeedMPS: 10, Detour: 1}.Way(geo.Place{Point: geo.Point{Lat: 40.7, Lng: -74}}, geo.Point{Lat: 40.71, Lng: -74})
	slow := w.slower(3)
	require.InDelta(t, 3*w.Duration().Seconds(), slow.Duration().Seconds(), 1e-6)
	a, b := w.At(w.Duration()/2), slow.At(slow.Duration()/2)
	require.Less(t, geo.DistanceM(a.Point, b.Point), 0.1)
	require.Equal(t, w, w.slower(1))
}

func TestDriversLeaveOffersToVisitorsNearby(t *testing.T) {
	here := geo.Point{Lat: 40.75, Lng: -73.98}
	c := visited(40, &Visitors{Near: func(class string, at geo.Point) bool {
		return class == "comfort" && geo.DistanceM(here, at) < 100
	}})
	c.clock.begin(time.Now())
	c.book.acknowledged("t", time.Now(), RiderPlan{})
	offer := func(class string, at geo.Point) *ridepb.Offer {
		return &ridepb.Offer{TripId: "t", VehicleClass: class, PickupArea: pb(at), ExpiresAt: timestamppb.New(time.Now().Add(15 * time.Second))}
	}
	near := offer("comfort", here)
	most := time.Until(near.GetExpiresAt().AsTime()).Seconds()
	leaves := c.courteous(near, 0).Seconds()
	least := time.Until(near.GetExpiresAt().AsTime()).Seconds()
	require.True(t, courtesy*least-1e-6 <= leaves && leaves <= courtesy*most+1e-6, "%v s of %v to %v", leaves, least, most)
	require.Zero(t, c.courteous(offer("standard", here), 0))
	require.Zero(t, c.courteous(offer("comfort", geo.Destination(here, 0, 500)), 0))
	require.Zero(t, c.courteous(offer("comfort", here), -time.Minute), "it has expired")
	visitors := offer("standard", here)
	visitors.TripId = "of a visitor"
	require.Equal(t, searchTime, c.courteous(visitors, 0))
	visitors.ExpiresAt = timestamppb.New(time.Now().Add(time.Second))
	require.Less(t, c.courteous(visitors, 0), time.Second, "in time")
	require.Zero(t, visited(40, nil).courteous(offer("comfort", here), 0))
}

func TestWhoIsAVisitor(t *testing.T) {
	c := visited(40, &Visitors{})
	c.own.Store("ours", struct{}{})
	require.False(t, c.visitor("ours"))
	require.True(t, c.visitor("somebody"))
	require.False(t, c.visitor(""), "unknown")
	require.False(t, visited(40, nil).visitor("somebody"), "no visitors are expected")
}
