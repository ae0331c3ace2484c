package actors

import (
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// odometer measures the ride of the active trip from its start.
type odometer struct {
	trip  ride.TripID
	track geo.Trail
}

// mostKept bounds the positions of a ride that are kept to be matched to streets: 64 kB, and a position every 15 m of
// 60 km.
const mostKept = 4096

// odometer returns an empty one for a trip. Without a map it keeps no positions.
func (s *shared) odometer(trip ride.TripID) odometer {
	o := odometer{trip: trip}
	if s.cfg.Matcher != nil {
		o.track.Most = mostKept
	}
	return o
}

// add takes a position on the way to the pickup or during the ride.
func (o *odometer) add(s geo.Spot) {
	if o.track.Begun() {
		o.track.Add(s)
	} else {
		o.track.Before(s)
	}
}

// way returns what has been measured of a trip's ride until now.
func (d *driverActor) way(id ride.TripID, now time.Time) *ride.Way {
	w := &ride.Way{MaxSpeedMPS: d.sys.cfg.MaxSpeedMPS}
	switch {
	case d.active == nil || d.active.ID != id:
		return w // the trip will refuse, or its start has yet to arrive here
	case d.ride.trip == id && d.ride.track.Begun():
		w.Drive = d.ride.track.At(now)
	}
	return w
}

// here is the newest position, to be sent with a command.
func (d *driverActor) here(now time.Time) ride.Fix {
	if d.fix.receivedAt.IsZero() {
		return ride.Fix{}
	}
	return ride.Fix{Point: d.fix.Point, AccuracyM: float64(d.fix.AccuracyM), Age: max(0, now.Sub(d.fix.takenAt))}
}

// bind prepares the odometer for a trip: empty if this actor sees the trip start, or from the track
// in the database after a restart.
func (d *driverActor) bind(t *ride.Trip) {
	if t == nil {
		d.ride, d.rider, d.unshown = odometer{}, nil, false
		return
	}
	known := d.ride.trip == t.ID
	if !known {
		d.ride, d.rider, d.unshown = d.sys.odometer(t.ID), nil, false
		if !d.fix.receivedAt.IsZero() {
			d.ride.add(geo.Spot{Point: d.fix.Point, AccuracyM: float64(d.fix.AccuracyM), At: d.fix.receivedAt})
		}
	}
	if t.Status != ride.StatusInProgress || d.ride.track.Begun() {
		return
	}
	if known {
		d.ride.track.Begin(t.StartedAt, t.Request.Pickup)
		return
	}
	c, cancel := d.sys.storeContext()
	defer cancel()
	crumbs, err := d.sys.store.TripTrack(c, t.ID)
	if err != nil {
		d.sys.cfg.Log.Warn("track cannot be read; the distance so far is estimated", "trip", t.ID, "error", err)
	}
	d.ride = d.sys.odometer(t.ID)
	d.ride.retrace(t, crumbs)
}

// retrace measures a ride from its recorded positions.
func (o *odometer) retrace(t *ride.Trip, crumbs []ride.Breadcrumb) {
	track := &o.track
	for _, b := range crumbs {
		s := geo.Spot{Point: b.Point, AccuracyM: b.AccuracyM, At: b.ReceivedAt}
		if s.At.IsZero() {
			s.At = b.At
		}
		if s.At.Before(t.StartedAt) {
			track.Before(s)
			continue
		}
		if !track.Begun() {
			track.Begin(t.StartedAt, t.Request.Pickup)
		}
		track.Add(s)
	}
	if !track.Begun() {
		track.Begin(t.StartedAt, t.Request.Pickup)
	}
}
