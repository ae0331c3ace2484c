package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/ride/view"
)

func (a *API) registerTrips() {
	register(a, operation{
		id: "list-trips", method: http.MethodGet, path: "/v1/trips", tag: "Trips", summary: "One's own trips", roles: participants,
		doc: "Newest first. A driver sees the trips that it has, or had to their end.",
	}, a.listTrips)
	register(a, operation{
		id: "get-trip", method: http.MethodGet, path: "/v1/trips/{id}", tag: "Trips", summary: "One of one's own trips", roles: participants,
		doc:    "With its history and its track. Someone else's trip gets the same answer as one that does not exist.",
		errors: []*ride.Error{ride.ErrNotFound},
	}, a.getTrip)
	register(a, operation{
		id: "list-offers", method: http.MethodGet, path: "/v1/me/offers", tag: "Trips", summary: "A driver's open offers", roles: drivers,
		errors: []*ride.Error{ride.ErrApprovalPending, ride.ErrApprovalRefused},
	}, a.listOffers)
}

// StatusParam is the filter that lists of trips share.
type StatusParam struct {
	Status ride.Status `query:"status" enum:"requested,matched,arrived,in_progress,completed,cancelled,expired"`
	Live   bool        `query:"live" doc:"Only those that have not ended."`
}

func (p StatusParam) statuses() []ride.Status {
	if p.Status == ride.StatusNone {
		return nil
	}
	return []ride.Status{p.Status}
}

// tripDetail is a trip with what led to it.
type tripDetail struct {
	Trip   tripJSON     `json:"trip"`
	Events []eventView  `json:"events" doc:"What happened, in order, as far as it concerns the reader."`
	Track  []trackPoint `json:"track" doc:"Where the driver went, at most 10,000 points by device time."`
}

type trackPoint struct {
	Lat float64   `json:"lat" minimum:"-90" maximum:"90"`
	Lng float64   `json:"lng" minimum:"-180" maximum:"180"`
	At  time.Time `json:"at"`
}

func readerOf(ctx context.Context) view.Reader {
	p := principal(ctx)
	return view.Reader{Account: p.Account.ID, Role: p.Account.Role}
}

// showTrip encodes a trip as the sockets do; nil if the reader may not see it.
func showTrip(t *ride.Trip, r view.Reader) (tripJSON, error) {
	v := view.Trip(t, r)
	if v == nil {
		return nil, nil
	}
	b, err := marshal(v)
	return tripJSON(b), err
}

// marshal gives the form that the sockets give it.
func marshal(m proto.Message) ([]byte, error) {
	b, err := wire.JSON.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", m.ProtoReflect().Descriptor().Name(), err)
	}
	return b, nil
}

func (a *API) listTrips(ctx context.Context, in *struct {
	StatusParam
	Paging
}) (*body[list[tripJSON]], error) {
	r := readerOf(ctx)
	return a.tripPage(ctx, r, ride.TripFilter{Account: r.Account, Statuses: in.statuses(), Live: in.Live, Page: in.page()})
}

func (a *API) tripPage(ctx context.Context, r view.Reader, f ride.TripFilter) (*body[list[tripJSON]], error) {
	trips, next, err := a.deps.Trips.ListTrips(ctx, f)
	if err != nil {
		return nil, err
	}
	out := list[tripJSON]{Items: make([]tripJSON, 0, len(trips)), NextCursor: next}
	for i := range trips {
		t, err := showTrip(&trips[i], r)
		if err != nil {
			return nil, err
		}
		if t != nil {
			out.Items = append(out.Items, t)
		}
	}
	return answer(out), nil
}

// TripPath names a trip.
type TripPath struct {
	ID ride.TripID `path:"id" maxLength:"64"`
}

func (a *API) getTrip(ctx context.Context, in *TripPath) (*body[tripDetail], error) {
	return a.tripDetail(ctx, readerOf(ctx), in.ID)
}

func (a *API) tripDetail(ctx context.Context, r view.Reader, id ride.TripID) (*body[tripDetail], error) {
	t, err := a.deps.Trips.Trip(ctx, id)
	if err != nil {
		return nil, err
	}
	if !r.May(&t) {
		return nil, ride.ErrNotFound
	}
	events, err := a.deps.Trips.TripEvents(ctx, id)
	if err != nil {
		return nil, err
	}
	track, err := a.deps.Trips.TripTrack(ctx, id)
	if err != nil {
		return nil, err
	}
	// The log is read after the state and may be ahead of it.
	events = slices.DeleteFunc(events, func(e ride.StoredEvent) bool { return e.Version > t.Version })
	out := tripDetail{Track: showTrack(&t, track, r)}
	if out.Trip, err = showTrip(&t, r); err != nil {
		return nil, err
	}
	if out.Events, err = showEvents(events, r); err != nil {
		return nil, err
	}
	return answer(out), nil
}

// showTrack shows participants the way of the driver that they had last, and not that
// of one who gave the trip back.
func showTrack(t *ride.Trip, track []ride.Breadcrumb, r view.Reader) []trackPoint {
	out := make([]trackPoint, 0, len(track))
	for _, b := range track {
		if r.Role == ride.RoleOperator || t.Driver != nil && !b.At.Before(t.MatchedAt) {
			out = append(out, trackPoint{Lat: b.Point.Lat, Lng: b.Point.Lng, At: b.At.UTC()})
		}
	}
	return out
}

func (a *API) listOffers(ctx context.Context, _ *nothing) (*body[list[offerJSON]], error) {
	if err := principal(ctx).Account.MayDrive(); err != nil {
		return nil, err
	}
	offers, err := a.deps.Trips.OpenOffers(ctx, principal(ctx).Account.ID)
	if err != nil {
		return nil, err
	}
	out := list[offerJSON]{Items: make([]offerJSON, 0, len(offers))}
	for i := range offers {
		v, err := view.Offer(&offers[i].Trip, &offers[i].Offer, a.cfg.OfferResolution)
		if err != nil {
			return nil, fmt.Errorf("show offer %s: %w", offers[i].Offer.ID, err)
		}
		b, err := marshal(v)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, b)
	}
	return answer(out), nil
}
