package actors

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/storetest"
)

// memStore fulfils the store's contract in memory, and fails on demand. It passes the same suites
// as the databases.
type memStore struct {
	mu       sync.Mutex
	trips    map[ride.TripID]ride.Trip
	wake     map[ride.TripID]time.Time
	events   map[ride.TripID][]ride.Event
	commands map[[2]string]ride.CommandRecord
	crumbs   []ride.Breadcrumb
	accounts map[ride.AccountID]ride.Account
	sessions map[ride.AccountID]liveSession

	// fail, when set, is called before each commit: the commit happens unless lost is true, and err
	// is what the caller gets.
	fail func(t ride.Transition) (err error, lost bool)
	// after, when set, is called after each commit, before Commit returns.
	after func(t ride.Transition)
	// claimed, when set, is called after each claim of a session, before ClaimSession returns.
	claimed func(account ride.AccountID, generation uint64)
	// down refuses every read, busy every activation.
	down, busy bool
	now        func() time.Time
	// phantom, when set, is the one trip that is always overdue.
	phantom ride.TripID
}

func newMemStore() *memStore {
	return &memStore{
		trips: make(map[ride.TripID]ride.Trip), wake: make(map[ride.TripID]time.Time), events: make(map[ride.TripID][]ride.Event),
		commands: make(map[[2]string]ride.CommandRecord), accounts: make(map[ride.AccountID]ride.Account),
		sessions: make(map[ride.AccountID]liveSession),
		now:      time.Now,
	}
}

func TestMemStoreKeepsTheContract(t *testing.T) {
	storetest.TestCommits(t, func(_ *testing.T, now storetest.Clock) storetest.Commits {
		m := newMemStore()
		m.now = now
		return m
	})
	storetest.TestSessions(t, newMemStore())
}

// failing sets fail while actors run.
func (m *memStore) failing(f func(ride.Transition) (error, bool)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = f
}

// afterwards sets after while actors run.
func (m *memStore) afterwards(f func(ride.Transition)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.after = f
}

// know adds or changes an account.
func (m *memStore) know(a ride.Account) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.accounts[a.ID] = a
}

func (m *memStore) Account(_ context.Context, id ride.AccountID) (ride.Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return ride.Account{}, ride.ErrUnavailable
	}
	a, ok := m.accounts[id]
	if !ok {
		return ride.Account{}, ride.ErrNotFound
	}
	return a, nil
}

// refuse makes reads or activations fail from now on, or work again.
func (m *memStore) refuse(down, busy bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down, m.busy = down, busy
}

func (m *memStore) Commit(_ context.Context, t ride.Transition) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if fail := m.fail; fail != nil {
		m.mu.Unlock() // fail may block or panic
		err, lost := func() (error, bool) {
			defer m.mu.Lock()
			return fail(t)
		}()
		if lost {
			return err
		} else if err != nil {
			_ = m.commit(t)
			return err
		}
	}
	err := m.commit(t)
	if after := m.after; err == nil && after != nil {
		m.mu.Unlock() // after may block
		defer m.mu.Lock()
		after(t)
	}
	return err
}

// CommitAll tries on a copy.
func (m *memStore) CommitAll(_ context.Context, ts []ride.Transition) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range ts {
		if fail := m.fail; fail != nil {
			if err, _ := fail(t); err != nil {
				return err
			}
		}
	}
	was := memStore{trips: maps.Clone(m.trips), wake: maps.Clone(m.wake), events: maps.Clone(m.events), commands: maps.Clone(m.commands)}
	err := func() error {
		if len(ts) == 0 {
			return errors.New("nothing")
		}
		for i, t := range ts {
			if c := t.Command; c != nil && m.commands[[2]string{string(c.Account), c.ID}].ID != "" {
				return ride.ErrCommandSeen
			}
			now, ok := m.trips[t.Trip.ID]
			switch {
			case slices.ContainsFunc(ts[:i], func(o ride.Transition) bool { return o.Trip.ID == t.Trip.ID }), t.Prev == 0:
				return errors.New("not what is written together")
			case !ok || now.Version != t.Prev || now.Fence != t.Trip.Fence || now.Status.Final():
				return &ride.TripError{Trip: t.Trip.ID, Err: ride.ErrStale}
			}
			now.Driver = nil
			m.trips[t.Trip.ID] = now
		}
		for _, t := range ts {
			if err := m.commit(t); err != nil {
				return &ride.TripError{Trip: t.Trip.ID, Err: err}
			}
		}
		return nil
	}()
	if err != nil {
		m.trips, m.wake, m.events, m.commands = was.trips, was.wake, was.events, was.commands
	}
	if after := m.after; err == nil && after != nil {
		m.mu.Unlock() // after may block
		defer m.mu.Lock()
		for _, t := range ts {
			after(t)
		}
	}
	return err
}

func (m *memStore) commit(t ride.Transition) error {
	if c := t.Command; c != nil {
		if _, seen := m.commands[[2]string{string(c.Account), c.ID}]; seen {
			return ride.ErrCommandSeen
		}
	}
	if t.Trip != nil {
		now, ok := m.trips[t.Trip.ID]
		if ok != (t.Prev > 0) || (ok && (now.Version != t.Prev || now.Fence != t.Trip.Fence || now.Status.Final() && now.Status != t.Trip.Status)) {
			return ride.ErrStale
		}
		for id, other := range m.trips {
			switch {
			case id == t.Trip.ID:
			case other.Status.Live() && t.Trip.Status.Live() && other.Request.Rider.ID == t.Trip.Request.Rider.ID:
				return ride.ErrRiderBusy
			case other.Status.Occupied() && t.Trip.Status.Occupied() && other.DriverID() == t.Trip.DriverID():
				return ride.ErrDriverBusy
			}
		}
		m.trips[t.Trip.ID], m.wake[t.Trip.ID] = *t.Trip, t.Wake
		m.events[t.Trip.ID] = append(m.events[t.Trip.ID], t.Events...)
	}
	if c := t.Command; c != nil {
		m.commands[[2]string{string(c.Account), c.ID}] = *c
	}
	return nil
}

func (m *memStore) Activate(_ context.Context, id ride.TripID) (ride.Trip, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down || m.busy {
		return ride.Trip{}, ride.ErrUnavailable
	}
	t, ok := m.trips[id]
	if !ok {
		return t, ride.ErrNotFound
	}
	t.Fence++
	m.trips[id] = t
	return t, nil
}

func (m *memStore) Trip(_ context.Context, id ride.TripID) (ride.Trip, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return ride.Trip{}, ride.ErrUnavailable
	}
	t, ok := m.trips[id]
	if !ok {
		return t, ride.ErrNotFound
	}
	return t, nil
}

func (m *memStore) Command(_ context.Context, a ride.AccountID, id string) (ride.CommandRecord, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return ride.CommandRecord{}, ride.ErrUnavailable
	}
	r, ok := m.commands[[2]string{string(a), id}]
	if !ok {
		return r, ride.ErrNotFound
	}
	return r, nil
}

func (m *memStore) ActiveTrip(_ context.Context, a ride.AccountID, role ride.Role) (ride.Trip, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.trips {
		if role == ride.RoleRider && t.Request.Rider.ID == a && t.Status.Live() ||
			role == ride.RoleDriver && t.DriverID() == a && t.Status.Occupied() {
			return t, nil
		}
	}
	return ride.Trip{}, ride.ErrNotFound
}

func (m *memStore) OpenOffers(_ context.Context, d ride.AccountID) ([]ride.OpenOffer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []ride.OpenOffer
	for _, t := range m.trips {
		for _, o := range t.Offers {
			if o.Driver == d && o.State == ride.OfferOpen && m.now().Before(o.ExpiresAt) {
				out = append(out, ride.OpenOffer{Offer: o, Trip: t})
			}
		}
	}
	slices.SortFunc(out, func(a, b ride.OpenOffer) int {
		return cmp.Or(a.Offer.ExpiresAt.Compare(b.Offer.ExpiresAt), cmp.Compare(a.Offer.ID, b.Offer.ID))
	})
	return out, nil
}

func (m *memStore) Overdue(_ context.Context, before time.Time, after ride.TripID, limit int) ([]ride.TripID, error) {
	if m.phantom != "" {
		return []ride.TripID{m.phantom}, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	ids := m.ids(func(t ride.Trip) bool {
		wake := m.wake[t.ID]
		return t.Status.Live() && !wake.IsZero() && wake.Before(before) && t.ID > after
	})
	return ids[:min(len(ids), limit)], nil
}

func (m *memStore) LiveTrips(_ context.Context, after ride.TripID, limit int) ([]ride.TripID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ids := m.ids(func(t ride.Trip) bool { return t.Status.Live() && t.ID > after })
	return ids[:min(len(ids), limit)], nil
}

func (m *memStore) ids(which func(ride.Trip) bool) []ride.TripID {
	var out []ride.TripID
	for id, t := range m.trips {
		if which(t) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

func (m *memStore) TripEvents(_ context.Context, id ride.TripID) ([]ride.StoredEvent, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []ride.StoredEvent
	for i, e := range m.events[id] {
		out = append(out, ride.StoredEvent{Version: int64(i + 1), Event: e})
	}
	if out == nil {
		return nil, ride.ErrNotFound
	}
	return out, nil
}

// liveSession is an account's newest session.
type liveSession struct {
	generation        uint64
	node, incarnation string
}

func (m *memStore) ClaimSession(_ context.Context, account ride.AccountID, node, incarnation string) (ride.SessionClaim, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return ride.SessionClaim{}, ride.ErrUnavailable
	}
	was := m.sessions[account]
	m.sessions[account] = liveSession{was.generation + 1, node, incarnation}
	if claimed := m.claimed; claimed != nil {
		m.mu.Unlock() // claimed may block
		defer m.mu.Lock()
		claimed(account, was.generation+1)
	}
	return ride.SessionClaim{Generation: was.generation + 1, FormerNode: was.node, FormerIncarnation: was.incarnation}, nil
}

func (m *memStore) AddBreadcrumbs(_ context.Context, b []ride.Breadcrumb) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.crumbs = append(m.crumbs, b...)
	return nil
}

func (m *memStore) TripTrack(_ context.Context, id ride.TripID) ([]ride.Breadcrumb, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []ride.Breadcrumb
	for _, b := range m.crumbs {
		if b.Trip == id {
			out = append(out, b)
		}
	}
	return out, nil
}

// only returns the only trip.
func (m *memStore) only() ride.Trip {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.trips {
		return t
	}
	return ride.Trip{}
}

func (m *memStore) ListTrips(_ context.Context, f ride.TripFilter) ([]ride.Trip, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return nil, "", ride.ErrUnavailable
	}
	var out []ride.Trip
	for _, t := range m.trips {
		if !t.RequestedAt.Before(f.From) && t.RequestedAt.Before(f.To) {
			out = append(out, t)
		}
	}
	return out, "", nil
}
