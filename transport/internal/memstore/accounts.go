package memstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hexhail/hexhail/ride"
)

type account struct {
	ride.Account
	hash string
}

// CreateAccount implements auth.Accounts.
func (s *Store) CreateAccount(ctx context.Context, a ride.Account, hash string) error {
	if err := s.enter(ctx, "CreateAccount"); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if !valid(a.Username, a.FirstName, a.LastName, a.Vehicle.Plate) {
		return ride.ErrInvalidArgument
	}
	for _, o := range s.accounts {
		if o.ID == a.ID || a.Username != "" && fold(o.Username) == fold(a.Username) ||
			a.Issuer != "" && o.Issuer == a.Issuer && o.Subject == a.Subject {
			return fmt.Errorf("account %s: %w", a.ID, ride.ErrUsernameTaken)
		}
	}
	s.accounts[a.ID] = account{a, hash}
	return nil
}

// Account implements auth.Accounts and api.Accounts.
func (s *Store) Account(ctx context.Context, id ride.AccountID) (ride.Account, error) {
	if err := s.enter(ctx, "Account"); err != nil {
		return ride.Account{}, err
	}
	defer s.mu.Unlock()
	a, ok := s.accounts[id]
	if !ok {
		return ride.Account{}, fmt.Errorf("account %s: %w", id, ride.ErrNotFound)
	}
	return a.Account, nil
}

// AccountsByID implements api.Accounts.
func (s *Store) AccountsByID(ctx context.Context, ids []ride.AccountID) ([]ride.Account, error) {
	if err := s.enter(ctx, "AccountsByID"); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var out []ride.Account
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		if a, ok := s.accounts[id]; ok {
			out = append(out, a.Account)
		}
	}
	return out, nil
}

// AccountByUsername implements auth.Accounts.
func (s *Store) AccountByUsername(ctx context.Context, username string) (ride.Account, string, error) {
	if err := s.enter(ctx, "AccountByUsername"); err != nil {
		return ride.Account{}, "", err
	}
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		if username != "" && fold(a.Username) == fold(username) {
			return a.Account, a.hash, nil
		}
	}
	return ride.Account{}, "", fmt.Errorf("username: %w", ride.ErrNotFound)
}

// AccountBySubject implements auth.Accounts.
func (s *Store) AccountBySubject(ctx context.Context, issuer, subject string) (ride.Account, error) {
	if err := s.enter(ctx, "AccountBySubject"); err != nil {
		return ride.Account{}, err
	}
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		if a.Issuer != "" && a.Issuer == issuer && a.Subject == subject {
			return a.Account, nil
		}
	}
	return ride.Account{}, fmt.Errorf("subject: %w", ride.ErrNotFound)
}

// UpdateAccount implements api.Accounts.
func (s *Store) UpdateAccount(ctx context.Context, id ride.AccountID, p ride.AccountPatch) (ride.Account, error) {
	for _, text := range []*string{p.FirstName, p.LastName, p.Plate, p.VehicleMake, p.VehicleModel, p.VehicleColour} {
		if text != nil && !valid(*text) {
			return ride.Account{}, ride.ErrInvalidArgument
		}
	}
	a, err := s.change(ctx, "UpdateAccount", id, func(a *account) {
		if now := s.now(); a.UpdatedAt.After(now) {
			a.UpdatedAt = a.UpdatedAt.Add(time.Microsecond)
		} else {
			a.UpdatedAt = now
		}
		set := func(to, from *string) {
			if from != nil {
				*to = *from
			}
		}
		set(&a.FirstName, p.FirstName)
		set(&a.LastName, p.LastName)
		if p.PhotoID != nil && *p.PhotoID != a.PhotoID {
			delete(s.photos, a.PhotoID)
		}
		set(&a.PhotoID, p.PhotoID)
		set(&a.Vehicle.Class, p.VehicleClass)
		set(&a.Vehicle.Plate, p.Plate)
		set(&a.Vehicle.Make, p.VehicleMake)
		set(&a.Vehicle.Model, p.VehicleModel)
		set(&a.Vehicle.Colour, p.VehicleColour)
	})
	return a.Account, err
}

// SetPassword implements auth.Accounts.
func (s *Store) SetPassword(ctx context.Context, id ride.AccountID, hash string) error {
	_, err := s.change(ctx, "SetPassword", id, func(a *account) { a.hash = hash })
	return err
}

// RenewPassword implements auth.Accounts.
func (s *Store) RenewPassword(ctx context.Context, id ride.AccountID, old, hash string) error {
	if err := s.enter(ctx, "RenewPassword"); err != nil {
		return err
	}
	defer s.mu.Unlock()
	a, ok := s.accounts[id]
	if !ok || a.hash != old {
		return fmt.Errorf("account: %w", ride.ErrNotFound)
	}
	a.hash = hash
	s.accounts[id] = a
	return nil
}

// SetAccountStatus implements api.Accounts.
func (s *Store) SetAccountStatus(ctx context.Context, id ride.AccountID, st ride.AccountStatus) error {
	_, err := s.change(ctx, "SetAccountStatus", id, func(a *account) {
		a.Status = st
		if st == ride.AccountSuspended {
			s.revokeAccount(id)
			a.TokensFrom = s.now().Truncate(time.Second).Add(-time.Microsecond)
		}
	})
	return err
}

// Erase implements api.Accounts; trips keep their names here.
func (s *Store) Erase(ctx context.Context, id ride.AccountID) error {
	if err := s.enter(ctx, "Erase"); err != nil {
		return err
	}
	defer s.mu.Unlock()
	a, ok := s.accounts[id]
	if !ok {
		return fmt.Errorf("account %s: %w", id, ride.ErrNotFound)
	}
	for _, t := range s.trips {
		if t.Status.Live() && (t.Request.Rider.ID == id || t.DriverID() == id) {
			return ride.ErrTripActive
		}
	}
	delete(s.accounts, id)
	s.revokeAccount(id)
	if a.Issuer != "" {
		if s.erased == nil {
			s.erased = map[string]time.Time{}
		}
		s.erased[a.Issuer+"\x00"+a.Subject] = s.now()
	}
	return nil
}

// ErasedAt implements auth.Accounts.
func (s *Store) ErasedAt(ctx context.Context, issuer, subject string) (time.Time, error) {
	if err := s.enter(ctx, "ErasedAt"); err != nil {
		return time.Time{}, err
	}
	defer s.mu.Unlock()
	return s.erased[issuer+"\x00"+subject], nil
}

// Held implements api.Accounts.
func (s *Store) Held(ctx context.Context, id ride.AccountID) (map[string][]ride.HeldRow, error) {
	if err := s.enter(ctx, "Held"); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	out := map[string][]ride.HeldRow{"photos": {}}
	for _, p := range s.photos {
		if p.Owner == id {
			out["photos"] = append(out["photos"], ride.HeldRow{"id": p.ID})
		}
	}
	return out, nil
}

// SetApproval implements api.Accounts.
func (s *Store) SetApproval(ctx context.Context, id ride.AccountID, to ride.Approval, reason string) (ride.Account, error) {
	if !valid(reason) {
		return ride.Account{}, ride.ErrInvalidArgument
	}
	if a, err := s.Account(ctx, id); err == nil && a.Role != ride.RoleDriver {
		return ride.Account{}, fmt.Errorf("driver %s: %w", id, ride.ErrNotFound)
	}
	a, err := s.change(ctx, "SetApproval", id, func(a *account) { a.Approval, a.ApprovalReason = to, reason })
	return a.Account, err
}

func (s *Store) change(ctx context.Context, method string, id ride.AccountID, f func(*account)) (account, error) {
	if err := s.enter(ctx, method); err != nil {
		return account{}, err
	}
	defer s.mu.Unlock()
	a, ok := s.accounts[id]
	if !ok {
		return account{}, fmt.Errorf("account %s: %w", id, ride.ErrNotFound)
	}
	f(&a)
	s.accounts[id] = a
	return a, nil
}

// CountWaiting implements api.Accounts.
func (s *Store) CountWaiting(ctx context.Context, most int) (int, error) {
	if err := s.enter(ctx, "CountWaiting"); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	n := 0
	for _, a := range s.accounts {
		if a.Approval == ride.ApprovalPending {
			n++
		}
	}
	return min(n, most), nil
}

// ListAccounts implements api.Accounts.
func (s *Store) ListAccounts(ctx context.Context, f ride.AccountFilter) ([]ride.Account, string, error) {
	if err := s.enter(ctx, "ListAccounts"); err != nil {
		return nil, "", err
	}
	defer s.mu.Unlock()
	if !valid(f.Text) {
		return nil, "", ride.ErrInvalidArgument
	}
	var all []ride.Account
	for _, a := range s.accounts {
		text := fold(a.Username + " " + a.FirstName + " " + a.LastName)
		if (f.Role == "" || a.Role == f.Role) && (f.Status == "" || a.Status == f.Status) &&
			approvalFits(a.Account, f.Approval) &&
			strings.Contains(text, fold(f.Text)) {
			all = append(all, a.Account)
		}
	}
	return paged(all, f.Page, func(a ride.Account) (time.Time, string) { return a.CreatedAt, string(a.ID) })
}

func approvalFits(a ride.Account, want ride.Approval) bool {
	switch want {
	case "":
		return true
	case ride.ApprovalApproved:
		return a.Role == ride.RoleDriver && a.MayDrive() == nil
	}
	return a.Approval == want
}
