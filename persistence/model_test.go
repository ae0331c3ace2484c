package persistence

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
)

// model is what the store promises, one item after the other.
type model struct {
	trips    map[ride.TripID]*ride.Trip
	commands map[string]bool
}

func (m *model) clone() *model { return &model{maps.Clone(m.trips), maps.Clone(m.commands)} }

func (m *model) apply(tr ride.Transition) error {
	if c := tr.Command; c != nil && m.commands[c.ID] {
		return ride.ErrCommandSeen
	}
	if t := tr.Trip; t != nil {
		if err := m.applyTrip(t, tr.Prev); err != nil {
			return err
		}
	}
	if tr.Command != nil {
		m.commands[tr.Command.ID] = true
	}
	return nil
}

func (m *model) applyTrip(t *ride.Trip, prev int64) error {
	old := m.trips[t.ID]
	switch {
	case prev == 0 && old != nil:
		return ride.ErrStale
	case prev != 0 && (old == nil || old.Version != prev || old.Fence != t.Fence),
		prev != 0 && old.Status.Final() && old.Status != t.Status:
		return ride.ErrStale
	}
	for _, o := range m.trips {
		switch {
		case o.ID == t.ID:
		case prev == 0 && o.Status.Live() && o.Request.Rider.ID == t.Request.Rider.ID:
			return ride.ErrRiderBusy
		case t.Status.Occupied() && o.Status.Occupied() && o.DriverID() == t.DriverID():
			return ride.ErrDriverBusy
		}
	}
	c := *t
	m.trips[t.ID] = &c
	return nil
}

// drawTransition makes a transition that often contends with others of its batch.
func drawTransition(t *rapid.T, m *model, prefix string) ride.Transition {
	var tr ride.Transition
	if rapid.IntRange(0, 2).Draw(t, "with command") == 0 {
		tr.Command = &ride.CommandRecord{Account: "a", Digest: "d", At: time.UnixMicro(1),
			ID: prefix + fmt.Sprint(rapid.IntRange(0, 5).Draw(t, "command"))}
	}
	if tr.Command != nil && rapid.IntRange(0, 4).Draw(t, "bare") == 0 {
		return tr
	}
	n := rapid.IntRange(0, 5).Draw(t, "trip")
	trip := ride.Trip{ID: ride.TripID(prefix + fmt.Sprint(n)), Status: ride.StatusRequested}
	trip.Request.Pickup = geo.Point{Lat: float64(n / 3)}
	trip.Request.Rider.ID = ride.AccountID(prefix + fmt.Sprint("r", n/2))
	if old := m.trips[trip.ID]; old != nil && rapid.IntRange(0, 5).Draw(t, "no event") == 0 {
		trip = *old
		trip.PINTries.Wrong++
		tr.Trip, tr.Prev = &trip, trip.Version
		return tr
	}
	if old := m.trips[trip.ID]; old != nil && rapid.IntRange(0, 9).Draw(t, "new") > 0 {
		tr.Prev, trip.Fence = old.Version, old.Fence
		if rapid.IntRange(0, 9).Draw(t, "stale") == 0 {
			tr.Prev++
		}
		trip.Status = rapid.SampledFrom([]ride.Status{ride.StatusRequested, ride.StatusMatched, ride.StatusMatched,
			ride.StatusInProgress, ride.StatusCompleted}).Draw(t, "status")
	}
	if trip.Status != ride.StatusRequested {
		trip.Driver = &ride.DriverCard{ID: ride.AccountID(prefix + fmt.Sprint("d", rapid.IntRange(0, 2).Draw(t, "driver")))}
		if old := m.trips[trip.ID]; old != nil && old.Driver != nil {
			trip.Driver = old.Driver
		}
	}
	trip.Version = tr.Prev + 1
	tr.Trip, tr.Events = &trip, []ride.Event{ride.Arrived{At: time.UnixMicro(trip.Version)}}
	if old := m.trips[trip.ID]; old != nil && old.Driver != nil && trip.Driver == nil {
		tr.Events = []ride.Event{ride.Released{At: time.UnixMicro(trip.Version), Driver: old.Driver.ID}}
	}
	return tr
}

// TestBatchesMatchModel: whatever waits in the queue, written in batches by either
// engine, has the outcomes that it would have one by one, and so has the database.
func TestBatchesMatchModel(t *testing.T) {
	for name, o := range map[string]func() Options{
		"sqlite":   func() Options { return TempSQLite(t) },
		"postgres": func() Options { return DefaultPostgres(pgtest.Start(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.Context(), o())
			require.NoError(t, err)
			defer func() { require.NoError(t, s.Close()) }()
			run := 0
			rapid.Check(t, func(rt *rapid.T) {
				run++
				checkBatches(rt, t, s, fmt.Sprintf("%d-", run))
			})
			require.Zero(t, s.Stats().Failures)
		})
	}
}

// nameReleased gives items the key of the driver whom their trip has by now. The writer of a
// trip knows its driver; here another order than the forecast's may have changed it.
func nameReleased(m *model, drawn map[*item]ride.Transition) {
	for it, tr := range drawn {
		if tr.Trip == nil || m.trips[tr.Trip.ID] == nil || m.trips[tr.Trip.ID].Driver == nil {
			continue
		}
		if key := "d/" + string(m.trips[tr.Trip.ID].Driver.ID); !slices.Contains(it.keys, key) {
			it.keys = append(it.keys, key)
		}
	}
}

func checkBatches(rt *rapid.T, t *testing.T, s *Store, prefix string) {
	m := &model{trips: map[ride.TripID]*ride.Trip{}, commands: map[string]bool{}}
	// The committer's own goroutine idles; this one plays its part.
	c := &committer{eng: s.eng, maxItems: 8, maxBytes: 1 << 20, queue: newQueue(64)}
	for range rapid.IntRange(1, 4).Draw(rt, "rounds") {
		drawn := make(map[*item]ride.Transition)
		forecast := m.clone() // as if all went in the order of arrival
		for range rapid.IntRange(1, 12).Draw(rt, "size") {
			tr := drawTransition(rt, forecast, prefix)
			_ = forecast.apply(tr)
			it, err := newItem(tr)
			require.NoError(rt, err)
			require.NoError(rt, c.queue.add(t.Context(), it))
			drawn[it] = tr
		}
		for left := len(drawn); left > 0; {
			nameReleased(m, drawn)
			batch := c.pick()
			require.NotEmpty(rt, batch)
			require.NoError(rt, s.eng.apply(batch))
			for _, it := range batch {
				require.ErrorIs(rt, it.err, m.apply(drawn[it]), "%+v", drawn[it])
			}
			left -= len(batch)
		}
		require.Empty(rt, c.pick())
	}
	for id, want := range m.trips {
		got, err := s.Trip(t.Context(), id)
		require.NoError(rt, err)
		require.Equal(rt, want.Version, got.Version)
		require.Equal(rt, want.Status, got.Status)
		require.Equal(rt, want.DriverID(), got.DriverID())
		require.Equal(rt, want.PINTries, got.PINTries)
	}
	for id := range 6 {
		_, err := s.Command(t.Context(), "a", prefix+fmt.Sprint(id))
		require.Equal(rt, m.commands[prefix+fmt.Sprint(id)], err == nil)
	}
}
