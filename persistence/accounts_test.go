package persistence_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
)

// TestAccounts: round trip, look-ups, and names that are one whatever their case.
func TestAccounts(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		a := account(1, ride.RoleDriver)
		a.Username, a.PhotoID, a.Vehicle = "Zoë.Straße", "p1", ride.Vehicle{Class: "van", Plate: "HX 1"}
		a.Rating = ride.Rating{Sum: 9, Count: 2}
		require.NoError(t, s.CreateAccount(t.Context(), a, "$argon2id$x"))
		got, err := s.Account(t.Context(), a.ID)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(a, got))
		for _, name := range []string{"Zoë.Straße", "ZOË.STRASSE", "zoe\u0308.strasse"} {
			got, hash, err := s.AccountByUsername(t.Context(), name)
			require.NoError(t, err, name)
			require.Equal(t, a.ID, got.ID)
			require.Equal(t, "$argon2id$x", hash)
			b := account(2, ride.RoleRider)
			b.Username = name
			require.ErrorIs(t, s.CreateAccount(t.Context(), b, "h"), ride.ErrUsernameTaken, name)
		}
		for _, missing := range []string{"", "nobody", "a\x00"} {
			_, _, err := s.AccountByUsername(t.Context(), missing)
			require.ErrorIs(t, err, ride.ErrNotFound)
			_, err = s.Account(t.Context(), ride.AccountID(missing))
			require.ErrorIs(t, err, ride.ErrNotFound)
		}
		bad := account(3, ride.RoleRider)
		bad.FirstName = "a\x00"
		require.ErrorIs(t, s.CreateAccount(t.Context(), bad, "h"), ride.ErrInvalidArgument)
	})
}

// TestOutsideAccounts: accounts of outside issuers need no username; the pair of
// issuer and subject is theirs alone.
func TestOutsideAccounts(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		for n := range 2 {
			a := account(n, ride.RoleRider)
			a.Username, a.Issuer, a.Subject = "", "https://id.example", fmt.Sprint("sub", n)
			require.NoError(t, s.CreateAccount(t.Context(), a, ""))
			got, err := s.AccountBySubject(t.Context(), a.Issuer, a.Subject)
			require.NoError(t, err)
			require.Equal(t, a, got)
		}
		twin := account(7, ride.RoleRider)
		twin.Issuer, twin.Subject = "https://id.example", "sub1"
		require.ErrorIs(t, s.CreateAccount(t.Context(), twin, ""), ride.ErrUsernameTaken)
		created(t, s, 8, ride.RoleRider)
		_, err := s.AccountBySubject(t.Context(), "", "")
		require.ErrorIs(t, err, ride.ErrNotFound, "accounts of our own have no issuer to be found by")
	})
}

// TestUpdateAccount: only what is given changes, and the text filter follows.
func TestUpdateAccount(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		a := created(t, s, 1, ride.RoleDriver)
		name, plate, broken := "Bea", "NEW 1", "\xff"
		got, err := s.UpdateAccount(t.Context(), a.ID, ride.AccountPatch{FirstName: &name, Plate: &plate})
		require.NoError(t, err)
		a.FirstName, a.Vehicle.Plate, a.UpdatedAt = name, plate, epoch
		require.Equal(t, a, got)
		found, _, err := s.ListAccounts(t.Context(), ride.AccountFilter{Text: "BEA m"})
		require.NoError(t, err)
		require.Equal(t, []ride.Account{a}, found)

		_, err = s.UpdateAccount(t.Context(), "none", ride.AccountPatch{FirstName: &name})
		require.ErrorIs(t, err, ride.ErrNotFound)
		_, err = s.UpdateAccount(t.Context(), a.ID, ride.AccountPatch{FirstName: &broken})
		require.ErrorIs(t, err, ride.ErrInvalidArgument)
		require.NoError(t, s.SetPassword(t.Context(), a.ID, "other"))
		_, hash, err := s.AccountByUsername(t.Context(), a.Username)
		require.NoError(t, err)
		require.Equal(t, "other", hash)
		require.ErrorIs(t, s.SetPassword(t.Context(), "none", "x"), ride.ErrNotFound)
		require.ErrorIs(t, s.RenewPassword(t.Context(), a.ID, "stale", "x"), ride.ErrNotFound)
		require.NoError(t, s.RenewPassword(t.Context(), a.ID, "other", "renewed"))
		_, hash, err = s.AccountByUsername(t.Context(), a.Username)
		require.NoError(t, err)
		require.Equal(t, "renewed", hash)
		require.ErrorIs(t, s.SetAccountStatus(t.Context(), "none", ride.AccountSuspended), ride.ErrNotFound)
	})
}

// TestListAccounts: filters and pages.
func TestListAccounts(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		for n := range 7 {
			created(t, s, n, []ride.Role{ride.RoleRider, ride.RoleDriver}[n%2])
		}
		require.NoError(t, s.SetAccountStatus(t.Context(), "acc-003", ride.AccountSuspended))
		for name, c := range map[string]struct {
			f    ride.AccountFilter
			want []string
		}{
			"drivers":   {ride.AccountFilter{Role: ride.RoleDriver}, []string{"acc-005", "acc-003", "acc-001"}},
			"suspended": {ride.AccountFilter{Status: ride.AccountSuspended}, []string{"acc-003"}},
			"text":      {ride.AccountFilter{Text: "MÜLLER-6"}, []string{"acc-006"}},
			"wildcard":  {ride.AccountFilter{Text: "_"}, []string{}},
			"all": {ride.AccountFilter{}, []string{"acc-006", "acc-005", "acc-004", "acc-003",
				"acc-002", "acc-001", "acc-000"}},
		} {
			ids := []string{}
			for c.f.Page.Limit = 2; ; {
				page, next, err := s.ListAccounts(t.Context(), c.f)
				require.NoError(t, err)
				for _, a := range page {
					ids = append(ids, string(a.ID))
				}
				if c.f.Page.Cursor = next; next == "" {
					break
				}
			}
			require.Equal(t, c.want, ids, name)
		}
		_, _, err := s.ListAccounts(t.Context(), ride.AccountFilter{Page: ride.Page{Cursor: "x"}})
		require.ErrorIs(t, err, ride.ErrInvalidArgument)
	})
}

// TestAnAccountHasOnePhoto: also when several are set at once, each of which knows the first alone.
func TestAnAccountHasOnePhoto(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		a := account(1, ride.RoleRider)
		require.NoError(t, s.CreateAccount(t.Context(), a, "h"))
		var all sync.WaitGroup
		for i := range 8 {
			id := fmt.Sprintf("p%d", i)
			require.NoError(t, s.SavePhoto(t.Context(), ride.Photo{ID: id, Owner: a.ID, ContentType: "image/jpeg", Data: []byte{1}}))
			all.Go(func() {
				_, err := s.UpdateAccount(t.Context(), a.ID, ride.AccountPatch{PhotoID: &id})
				assert.NoError(t, err)
			})
		}
		all.Wait()
		got, err := s.Account(t.Context(), a.ID)
		require.NoError(t, err)
		for i := range 8 {
			id := fmt.Sprintf("p%d", i)
			_, err := s.Photo(t.Context(), id)
			if id == got.PhotoID {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, ride.ErrNotFound, id)
			}
		}
		name := "Else"
		got, err = s.UpdateAccount(t.Context(), a.ID, ride.AccountPatch{FirstName: &name})
		require.NoError(t, err)
		_, err = s.Photo(t.Context(), got.PhotoID)
		require.NoError(t, err, "what was not given stays")
	})
}

// TestPhotos: bytes come back as they were.
func TestPhotos(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		p := ride.Photo{ID: "p1", Owner: "a", ContentType: "image/jpeg", Data: []byte{0xff, 0, 1, '\'', 0xd8}}
		require.NoError(t, s.SavePhoto(t.Context(), p))
		got, err := s.Photo(t.Context(), "p1")
		require.NoError(t, err)
		require.Equal(t, p, got)
		require.NoError(t, s.DeletePhoto(t.Context(), "p1"))
		_, err = s.Photo(t.Context(), "p1")
		require.ErrorIs(t, err, ride.ErrNotFound)
		require.ErrorIs(t, s.DeletePhoto(t.Context(), "p1"), ride.ErrNotFound)
	})
}

// TestAudit: entries are numbered without holes, also when written at once.
func TestAudit(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		const n = 12
		var wg sync.WaitGroup
		errs := make([]error, n)
		for i := range n {
			wg.Go(func() {
				errs[i] = s.AddAudit(t.Context(), ride.AuditEntry{At: epoch, Actor: "op", Action: "trip.cancel", Subject: fmt.Sprint("t", i)})
			})
		}
		wg.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		var ids []int64
		p := ride.Page{Limit: 5}
		for {
			page, next, err := s.ListAudit(t.Context(), ride.AuditFilter{Page: p})
			require.NoError(t, err)
			for _, e := range page {
				ids = append(ids, e.ID)
				require.Equal(t, epoch, e.At)
				require.Equal(t, ride.AccountID("op"), e.Actor)
			}
			if p.Cursor = next; next == "" {
				break
			}
		}
		want := []int64{}
		for i := int64(n); i > 0; i-- {
			want = append(want, i)
		}
		require.Equal(t, want, ids)
		require.ErrorIs(t, s.AddAudit(t.Context(), ride.AuditEntry{Detail: strings.Repeat("x", 1001)}), ride.ErrInvalidArgument)
		_, _, err := s.ListAudit(t.Context(), ride.AuditFilter{Page: ride.Page{Cursor: "?"}})
		require.ErrorIs(t, err, ride.ErrInvalidArgument)
	})
}

// TestAuditFilters: by whom, what, about whom, when.
func TestAuditFilters(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		for i, e := range []ride.AuditEntry{
			{Actor: "ann", Action: "trip.cancel", Subject: "t1"}, {Actor: "bob", Action: "trip.cancel", Subject: "t2"},
			{Actor: "ann", Action: "account.suspend", Subject: "a1"},
		} {
			e.At = epoch.Add(time.Duration(i) * time.Minute)
			require.NoError(t, s.AddAudit(t.Context(), e))
		}
		for name, c := range map[string]struct {
			filter ride.AuditFilter
			want   []int64
		}{
			"all":     {ride.AuditFilter{}, []int64{3, 2, 1}},
			"actor":   {ride.AuditFilter{Actor: "ann"}, []int64{3, 1}},
			"action":  {ride.AuditFilter{Action: "trip.cancel"}, []int64{2, 1}},
			"both":    {ride.AuditFilter{Action: "trip.cancel", Actor: "ann"}, []int64{1}},
			"subject": {ride.AuditFilter{Subject: "a1"}, []int64{3}},
			"from":    {ride.AuditFilter{From: epoch.Add(time.Minute)}, []int64{3, 2}},
			"to":      {ride.AuditFilter{To: epoch.Add(time.Minute)}, []int64{1}},
			"nobody":  {ride.AuditFilter{Actor: "' OR 1=1"}, nil},
		} {
			var got []int64
			filter := c.filter
			for filter.Page.Limit = 1; ; { // pages of one, so that cursors keep to the filter
				page, next, err := s.ListAudit(t.Context(), filter)
				require.NoError(t, err, name)
				for _, e := range page {
					got = append(got, e.ID)
				}
				if filter.Page.Cursor = next; next == "" {
					break
				}
			}
			require.Equal(t, c.want, got, name)
		}
	})
}

// TestFindPeopleAndTheirTrips: accounts by plate and id, trips by the names in them.
func TestFindPeopleAndTheirTrips(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		for _, a := range []ride.Account{
			{ID: "r1", Role: ride.RoleRider, Username: "rosa99", FirstName: "Rosa", LastName: "Ünal"},
			{ID: "d1", Role: ride.RoleDriver, Username: "dan", FirstName: "Dan", LastName: "Low", Vehicle: ride.Vehicle{Class: "standard", Plate: "HX 10_1"}},
		} {
			a.Status = ride.AccountActive
			require.NoError(t, s.CreateAccount(t.Context(), a, ""))
		}
		matched(t, s, "t1", "r1", "d1")
		stored(t, s, "t2", "r2")
		for text, want := range map[string][]ride.AccountID{
			"hx 10_": {"d1"}, "hx 10x": nil, "r1": {"r1"}, "ünal": {"r1"},
		} {
			found, _, err := s.ListAccounts(t.Context(), ride.AccountFilter{Text: text})
			require.NoError(t, err)
			var got []ride.AccountID
			for _, a := range found {
				got = append(got, a.ID)
			}
			require.Equal(t, want, got, text)
		}
		for text, want := range map[string][]ride.TripID{
			"ROSA99": {"t1"}, "Low": {"t1"}, "HX 10_1": {"t1"}, "t2": {"t2"}, "nobody": nil,
		} {
			found, _, err := s.ListTrips(t.Context(), ride.TripFilter{Text: text})
			require.NoError(t, err)
			var got []ride.TripID
			for _, trip := range found {
				got = append(got, trip.ID)
			}
			require.Equal(t, want, got, text)
		}
		people, err := s.AccountsByID(t.Context(), []ride.AccountID{"d1", "nobody", "r1"})
		require.NoError(t, err)
		require.Len(t, people, 2)
		people, err = s.AccountsByID(t.Context(), nil)
		require.NoError(t, err)
		require.Empty(t, people)
	})
}
