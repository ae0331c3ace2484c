package persistence

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/hexhail/hexhail/ride"
)

// newGroup is newItem for transitions that are written together. The parts are in the order of their trips' ids, so that two
// groups lock the trips that they share in the same order. The group takes its turn in the first one's area.
func newGroup(ts []ride.Transition) (*item, error) {
	group := &item{done: make(chan struct{})}
	for _, t := range ts {
		if t.Trip == nil || t.Prev == 0 || len(t.Events) == 0 {
			return nil, fmt.Errorf("commit together: only events of existing trips")
		}
		part, err := newItem(t)
		if err != nil {
			return nil, err
		}
		part.step = false
		if part.command != nil {
			if group.command != nil {
				return nil, fmt.Errorf("commit together: two commands")
			}
			group.command = part.command
		}
		group.parts = append(group.parts, part)
		group.size += part.size
		group.keys = append(group.keys, part.keys...)
	}
	if len(group.parts) == 0 {
		return nil, fmt.Errorf("commit together: nothing")
	}
	slices.SortFunc(group.parts, func(a, b *item) int { return cmp.Compare(a.trip.id, b.trip.id) })
	for i, part := range group.parts[1:] {
		if part.trip.id == group.parts[i].trip.id {
			return nil, fmt.Errorf("commit together: trip %s is given twice", part.trip.id)
		}
	}
	group.area = group.parts[0].area
	return group, nil
}

// writeGroup writes the parts of a group: first every driver is released, which also finds out whether a trip has moved on and
// locks it, then every trip gets its new one. On any error the caller must undo what it wrote.
func writeGroup(ctx context.Context, x executor, group *item) error {
	if err := isFresh(ctx, x, group.command); err != nil {
		return err
	}
	for _, it := range group.parts {
		n, err := x.exec(ctx, sqlReleaseTrip, it.trip.id, it.prev, it.fence)
		if err := staleIfNone(n, err); err != nil {
			return &ride.TripError{Trip: ride.TripID(it.trip.id), Err: err}
		}
	}
	for _, it := range group.parts {
		if err := writeTrip(ctx, x, it); err != nil {
			return &ride.TripError{Trip: ride.TripID(it.trip.id), Err: err}
		}
	}
	for _, it := range group.parts {
		if err := recordItem(ctx, x, it); err != nil {
			return err
		}
	}
	return nil
}
