package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/auth"
)

// commandLine is the actor in the audit for commands run on the server's machine.
const commandLine ride.AccountID = "command-line"

// Accounts is what the admin commands do to accounts, with a separate store. Each change is
// recorded in the audit and reaches a server on the same database within 5 s. Call Close once.
type Accounts struct{ store *persistence.Store }

// OpenAccounts opens the accounts of the configured database. It may run beside a server.
func OpenAccounts(ctx context.Context, c *config.Config) (*Accounts, error) {
	store, err := openBeside(ctx, c)
	if err != nil {
		return nil, err
	}
	return &Accounts{store}, nil
}

// openBeside opens the store for a command that runs while a server may.
func openBeside(ctx context.Context, c *config.Config) (*persistence.Store, error) {
	options := storeOptions(c, slog.New(slog.DiscardHandler))
	options.PurgeEvery, options.Admit = 0, admitOld(c)
	options.NoHealth = true
	return persistence.Open(ctx, options)
}

// Close closes the store.
func (t *Accounts) Close() error { return t.store.Close() }

// Find returns the account with this username or id, or ride.ErrNotFound.
func (t *Accounts) Find(ctx context.Context, name string) (ride.Account, error) {
	name = auth.TidyUsername(name)
	a, _, err := t.store.AccountByUsername(ctx, name)
	if errors.Is(err, ride.ErrNotFound) {
		return t.store.Account(ctx, ride.AccountID(name))
	}
	return a, err
}

// List returns a page, newest first, and the cursor of the next one, empty at the end.
func (t *Accounts) List(ctx context.Context, f ride.AccountFilter) ([]ride.Account, string, error) {
	return t.store.ListAccounts(ctx, f)
}

// SetStatus suspends an account or reinstates it.
func (t *Accounts) SetStatus(ctx context.Context, a ride.Account, to ride.AccountStatus) error {
	action := "account.reinstate"
	if to == ride.AccountSuspended {
		action = "account.suspend"
	}
	return t.audited(ctx, action, a, "", func() error { return t.store.SetAccountStatus(ctx, a.ID, to) })
}

// Decide approves or refuses a driver.
func (t *Accounts) Decide(ctx context.Context, a ride.Account, to ride.Approval, reason string) error {
	action := "account.approve"
	if to == ride.ApprovalRefused {
		action = "account.refuse"
		tidy, ok := auth.TidyText(reason, ride.MaxApprovalReason)
		if !ok || tidy == "" {
			return fmt.Errorf("the reason must be 1 to %d bytes of plain text", ride.MaxApprovalReason)
		}
		reason = tidy
	}
	return t.audited(ctx, action, a, reason, func() error {
		_, err := t.store.SetApproval(ctx, a.ID, to, reason)
		return err
	})
}

// ResetPassword sets a new password and returns it; if next is empty, it generates one.
func (t *Accounts) ResetPassword(ctx context.Context, a ride.Account, next string) (password string, err error) {
	err = t.audited(ctx, "account.password", a, "", func() error {
		password, err = auth.AdminResetPassword(ctx, t.store, auth.DefaultPasswordConfig(), a.ID, next)
		return err
	})
	return password, err
}

// Erase removes the account and everything that identifies the person. The error is
// ride.ErrTripActive while the account has a live trip.
func (t *Accounts) Erase(ctx context.Context, a ride.Account) error {
	return t.audited(ctx, "account.erase", a, "", func() error { return t.store.Erase(ctx, a.ID) })
}

// audited records an action and then carries it out, as the API does. A running server learns from
// the record that it must check the account again.
func (t *Accounts) audited(ctx context.Context, action string, a ride.Account, reason string, act func() error) error {
	if reason == "" {
		reason = "on the server's command line"
	}
	detail, err := json.Marshal(map[string]string{"reason": reason})
	if err != nil {
		return err
	}
	entry := ride.AuditEntry{
		At: ride.Clean(time.Now()), Actor: commandLine, Action: action, Subject: string(a.ID), Detail: string(detail),
	}
	if err := t.store.AddAudit(ctx, entry); err != nil {
		return fmt.Errorf("record in the audit: %w", err)
	}
	if err := act(); err != nil {
		entry.Action += ".failed"
		return errors.Join(err, t.store.AddAudit(ctx, entry))
	}
	return nil
}
