package memstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hexhail/hexhail/ride"
)

type trip struct {
	ride.Trip
	events []ride.StoredEvent
	track  []ride.Breadcrumb
}

// PutTrip stores a trip as it is, with its history.
func (s *Store) PutTrip(t ride.Trip, events []ride.Event, track []ride.Breadcrumb) {
	if s.enter(context.Background(), "PutTrip") != nil {
		return
	}
	defer s.mu.Unlock()
	st := trip{Trip: t, track: track}
	for i, e := range events {
		st.events = append(st.events, ride.StoredEvent{Version: int64(i + 1), Event: e})
	}
	s.trips[t.ID] = st
}

func (s *Store) trip(ctx context.Context, method string, id ride.TripID) (trip, error) {
	if err := s.enter(ctx, method); err != nil {
		return trip{}, err
	}
	defer s.mu.Unlock()
	t, ok := s.trips[id]
	if !ok {
		return trip{}, fmt.Errorf("trip: %w", ride.ErrNotFound)
	}
	return t, nil
}

// Trip implements api.Trips.
func (s *Store) Trip(ctx context.Context, id ride.TripID) (ride.Trip, error) {
	t, err := s.trip(ctx, "Trip", id)
	return t.Trip, err
}

// ActiveTrip implements api.Trips.
func (s *Store) ActiveTrip(ctx context.Context, account ride.AccountID, role ride.Role) (ride.Trip, error) {
	if err := s.enter(ctx, "ActiveTrip"); err != nil {
		return ride.Trip{}, err
	}
	defer s.mu.Unlock()
	for _, t := range s.trips {
		if role == ride.RoleRider && t.Request.Rider.ID == account && t.Status.Live() ||
			role == ride.RoleDriver && t.DriverID() == account && t.Status.Occupied() {
			return t.Trip, nil
		}
	}
	return ride.Trip{}, fmt.Errorf("active trip: %w", ride.ErrNotFound)
}

// TripEvents implements api.Trips.
func (s *Store) TripEvents(ctx context.Context, id ride.TripID) ([]ride.StoredEvent, error) {
	t, err := s.trip(ctx, "TripEvents", id)
	return t.events, err
}

// TripTrack implements api.Trips.
func (s *Store) TripTrack(ctx context.Context, id ride.TripID) ([]ride.Breadcrumb, error) {
	t, err := s.trip(ctx, "TripTrack", id)
	return t.track, err
}

// ListTrips implements api.Trips.
func (s *Store) ListTrips(ctx context.Context, f ride.TripFilter) ([]ride.Trip, string, error) {
	if err := s.enter(ctx, "ListTrips"); err != nil {
		return nil, "", err
	}
	defer s.mu.Unlock()
	if !valid(f.Text, string(f.Account)) {
		return nil, "", ride.ErrInvalidArgument
	}
	var all []ride.Trip
	for _, t := range s.trips {
		if matches(&t.Trip, f) {
			all = append(all, t.Trip)
		}
	}
	return paged(all, f.Page, func(t ride.Trip) (time.Time, string) { return t.RequestedAt, string(t.ID) })
}

// CountTrips implements api.Trips.
func (s *Store) CountTrips(ctx context.Context, f ride.TripFilter, most int) (int, error) {
	if err := s.enter(ctx, "CountTrips"); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	if !valid(f.Text, string(f.Account)) {
		return 0, ride.ErrInvalidArgument
	}
	n := 0
	for _, t := range s.trips {
		if matches(&t.Trip, f) {
			n++
		}
	}
	return min(n, most), nil
}

func matches(t *ride.Trip, f ride.TripFilter) bool {
	text := fold(string(t.ID) + "\x00" + t.Request.PickupAddress + "\x00" + t.Request.DropoffAddress)
	switch {
	case f.Account != "" && t.Request.Rider.ID != f.Account && t.DriverID() != f.Account:
	case len(f.Statuses) > 0 && !slices.Contains(f.Statuses, t.Status):
	case f.Live && !t.Status.Live():
	case !strings.Contains(text, fold(f.Text)):
	case !f.From.IsZero() && t.RequestedAt.Before(f.From):
	case !f.To.IsZero() && !t.RequestedAt.Before(f.To):
	default:
		return true
	}
	return false
}

// OpenOffers implements api.Trips. It does not look at the clock.
func (s *Store) OpenOffers(ctx context.Context, driver ride.AccountID) ([]ride.OpenOffer, error) {
	if err := s.enter(ctx, "OpenOffers"); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var out []ride.OpenOffer
	for _, t := range s.trips {
		for _, o := range t.Offers {
			if o.Driver == driver && o.State == ride.OfferOpen {
				out = append(out, ride.OpenOffer{Offer: o, Trip: t.Trip})
			}
		}
	}
	return out, nil
}
