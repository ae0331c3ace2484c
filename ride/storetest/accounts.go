package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// Accounts is a store of people and their photos.
type Accounts interface {
	AccountCreator
	Account(ctx context.Context, id ride.AccountID) (ride.Account, error)
	AccountsByID(ctx context.Context, ids []ride.AccountID) ([]ride.Account, error)
	AccountByUsername(ctx context.Context, username string) (ride.Account, string, error)
	AccountBySubject(ctx context.Context, issuer, subject string) (ride.Account, error)
	UpdateAccount(ctx context.Context, id ride.AccountID, p ride.AccountPatch) (ride.Account, error)
	SetPassword(ctx context.Context, id ride.AccountID, hash string) error
	RenewPassword(ctx context.Context, id ride.AccountID, old, hash string) error
	SetAccountStatus(ctx context.Context, id ride.AccountID, s ride.AccountStatus) error
	SetApproval(ctx context.Context, id ride.AccountID, to ride.Approval, reason string) (ride.Account, error)
	CountWaiting(ctx context.Context, most int) (int, error)
	Erase(ctx context.Context, id ride.AccountID) error
	ListAccounts(ctx context.Context, f ride.AccountFilter) ([]ride.Account, string, error)
	SavePhoto(ctx context.Context, p ride.Photo) error
	Photo(ctx context.Context, id string) (ride.Photo, error)
	DeletePhoto(ctx context.Context, id string) error
}

// TestAccounts holds a store to the contract of Accounts.
func TestAccounts(t *testing.T, open func(t *testing.T, now Clock) Accounts) {
	for name, test := range map[string]func(*testing.T, Accounts){
		"names and look-ups": namesAndLookUps,
		"outside issuers":    outsideAccounts,
		"changes":            updateAccount,
		"lists":              listAccounts,
		"approval":           approval,
		"photos":             photos,
		"one photo each":     onePhoto,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t, atEpoch)) })
	}
}

// namesAndLookUps: round trip, look-ups, and names that are one whatever their case.
func namesAndLookUps(t *testing.T, s Accounts) {
	a := Account(1, ride.RoleDriver)
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
		b := Account(2, ride.RoleRider)
		b.Username = name
		require.ErrorIs(t, s.CreateAccount(t.Context(), b, "h"), ride.ErrUsernameTaken, name)
	}
	for _, missing := range []string{"", "nobody", "a\x00"} {
		_, _, err := s.AccountByUsername(t.Context(), missing)
		require.ErrorIs(t, err, ride.ErrNotFound)
		_, err = s.Account(t.Context(), ride.AccountID(missing))
		require.ErrorIs(t, err, ride.ErrNotFound)
	}
	bad := Account(3, ride.RoleRider)
	bad.FirstName = "a\x00"
	require.ErrorIs(t, s.CreateAccount(t.Context(), bad, "h"), ride.ErrInvalidArgument)
}

// outsideAccounts: accounts of outside issuers need no username; the pair of
// issuer and subject is theirs alone.
func outsideAccounts(t *testing.T, s Accounts) {
	for n := range 2 {
		a := Account(n, ride.RoleRider)
		a.Username, a.Issuer, a.Subject = "", "https://id.example", fmt.Sprint("sub", n)
		require.NoError(t, s.CreateAccount(t.Context(), a, ""))
		got, err := s.AccountBySubject(t.Context(), a.Issuer, a.Subject)
		require.NoError(t, err)
		require.Equal(t, a, got)
	}
	twin := Account(7, ride.RoleRider)
	twin.Issuer, twin.Subject = "https://id.example", "sub1"
	require.ErrorIs(t, s.CreateAccount(t.Context(), twin, ""), ride.ErrUsernameTaken)
	Created(t, s, 8, ride.RoleRider)
	_, err := s.AccountBySubject(t.Context(), "", "")
	require.ErrorIs(t, err, ride.ErrNotFound, "accounts of our own have no issuer to be found by")
}

// updateAccount: only what is given changes, and the text filter follows.
func updateAccount(t *testing.T, s Accounts) {
	a := Created(t, s, 1, ride.RoleDriver)
	name, plate, broken := "Bea", "NEW 1", "\xff"
	got, err := s.UpdateAccount(t.Context(), a.ID, ride.AccountPatch{FirstName: &name, Plate: &plate})
	require.NoError(t, err)
	// The store's clock is behind that of the account's maker, but no record looks older than the one before.
	a.FirstName, a.Vehicle.Plate, a.UpdatedAt = name, plate, a.UpdatedAt.Add(time.Microsecond)
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
}

// listAccounts: filters and pages.
func listAccounts(t *testing.T, s Accounts) {
	for n := range 7 {
		Created(t, s, n, []ride.Role{ride.RoleRider, ride.RoleDriver}[n%2])
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
	for _, text := range notText {
		_, _, err := s.ListAccounts(t.Context(), ride.AccountFilter{Text: text})
		require.ErrorIs(t, err, ride.ErrInvalidArgument, "%q", text)
	}
}

// approval: a decision about a driver is kept, found by the filter, and concerns drivers
// alone.
func approval(t *testing.T, s Accounts) {
	free := Created(t, s, 1, ride.RoleDriver)
	waiting := Account(2, ride.RoleDriver)
	waiting.Approval = ride.ApprovalPending
	waiting.Vehicle = ride.Vehicle{Class: "van", Plate: "HX 2", Make: "Hyundai", Model: "스타리아", Colour: "white"}
	require.NoError(t, s.CreateAccount(t.Context(), waiting, "h"))
	rider := Created(t, s, 3, ride.RoleRider)
	got, err := s.Account(t.Context(), waiting.ID)
	require.NoError(t, err)
	require.Equal(t, waiting, got)

	find := func(want ride.Approval) (ids []ride.AccountID) {
		t.Helper()
		found, _, err := s.ListAccounts(t.Context(), ride.AccountFilter{Approval: want})
		require.NoError(t, err)
		for _, a := range found {
			ids = append(ids, a.ID)
		}
		return ids
	}
	require.Equal(t, []ride.AccountID{waiting.ID}, find(ride.ApprovalPending))
	count := func(most, want int) {
		t.Helper()
		n, err := s.CountWaiting(t.Context(), most)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	count(10, 1)
	other := Account(4, ride.RoleDriver)
	other.Approval = ride.ApprovalPending
	require.NoError(t, s.CreateAccount(t.Context(), other, "h"))
	count(10, 2)
	count(1, 1)
	_, err = s.SetApproval(t.Context(), other.ID, ride.ApprovalApproved, "")
	require.NoError(t, err)
	count(10, 1)
	require.NoError(t, s.Erase(t.Context(), other.ID))
	named, err := s.AccountsByID(t.Context(), []ride.AccountID{rider.ID, "none", "a\x00", rider.ID, free.ID})
	require.NoError(t, err, "an id that no account can have is left out")
	require.Len(t, named, 2)
	require.Equal(t, []ride.AccountID{free.ID}, find(ride.ApprovalApproved), "who needs no approval has it; riders do not count")
	got, err = s.SetApproval(t.Context(), waiting.ID, ride.ApprovalRefused, "no licence")
	require.NoError(t, err)
	require.ErrorIs(t, got.MayDrive(), ride.ErrApprovalRefused)
	require.ErrorContains(t, got.MayDrive(), "no licence")
	require.Equal(t, []ride.AccountID{waiting.ID}, find(ride.ApprovalRefused))
	got, err = s.SetApproval(t.Context(), waiting.ID, ride.ApprovalApproved, "")
	require.NoError(t, err)
	require.NoError(t, got.MayDrive())
	require.Empty(t, got.ApprovalReason)
	for _, id := range []ride.AccountID{rider.ID, "none", "a\x00"} {
		_, err = s.SetApproval(t.Context(), id, ride.ApprovalApproved, "")
		require.ErrorIs(t, err, ride.ErrNotFound, id)
	}
	_, err = s.SetApproval(t.Context(), waiting.ID, ride.ApprovalRefused, "\xff")
	require.ErrorIs(t, err, ride.ErrInvalidArgument)
	unknown := got
	unknown.Approval = "something newer"
	require.ErrorIs(t, unknown.MayDrive(), ride.ErrApprovalPending, "what is not known does not let anyone drive")
}

// photos: bytes come back as they were.
func photos(t *testing.T, s Accounts) {
	p := ride.Photo{ID: "p1", Owner: "a", ContentType: "image/jpeg", Data: []byte{0xff, 0, 1, '\'', 0xd8}}
	require.NoError(t, s.SavePhoto(t.Context(), p))
	got, err := s.Photo(t.Context(), "p1")
	require.NoError(t, err)
	require.Equal(t, p, got)
	require.NoError(t, s.DeletePhoto(t.Context(), "p1"))
	_, err = s.Photo(t.Context(), "p1")
	require.ErrorIs(t, err, ride.ErrNotFound)
	require.ErrorIs(t, s.DeletePhoto(t.Context(), "p1"), ride.ErrNotFound)
}

// onePhoto: also when several are set at once, each of which knows the first alone.
func onePhoto(t *testing.T, s Accounts) {
	a := Account(1, ride.RoleRider)
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
}
