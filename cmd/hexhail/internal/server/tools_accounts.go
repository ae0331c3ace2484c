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

// OpenAccounts opens the accounts of the configured database. It may run beside a server. The error wraps
// persistence.ErrNoDatabase if there is none.
func OpenAccounts(ctx context.Context, c *config.Config) (*Accounts, error) {
	store, err := openBeside(ctx, c, refuseEmpty(c))
	if err != nil {
		return nil, err
	}
	return &Accounts{store}, nil
}

// openBeside opens the store for a command that runs while a server may, if what is there is admitted.
// It makes a schema where there is none, unless refuseEmpty forbids it, and changes none: servers may be running that are older.
func openBeside(ctx context.Context, c *config.Config, admit ...func(persistence.Found) error) (*persistence.Store, error) {
	return persistence.Open(ctx, besideOptions(c, admit...))
}

func besideOptions(c *config.Config, admit ...func(persistence.Found) error) persistence.Options {
	options := storeOptions(c, slog.New(slog.DiscardHandler))
	options.PurgeEvery = 0
	options.Admit = func(f persistence.Found) error {
		for _, ok := range append([]func(persistence.Found) error{admitOld(c), refuseOutdated}, admit...) {
			if err := ok(f); err != nil {
				return err
			}
		}
		return nil
	}
	options.NoHealth = true
	return options
}

// refuseOutdated keeps a command from changing the schema in passing.
func refuseOutdated(f persistence.Found) error {
	if newest := persistence.NewestSchema(); f.Schema > 0 && f.Schema < newest {
		return fmt.Errorf("the database's schema has version %d and this program's version %d, but this command does not change the schema: "+
			"run it with the server's program, or run hexhail migrate up first", f.Schema, newest)
	}
	return nil
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
		reason = byCommand
	}
	return onRecord(ctx, t.store, ride.AuditEntry{Actor: commandLine, Action: action, Subject: string(a.ID)}, reason, act)
}

// byCommand is the reason on record of what a command does.
const byCommand = "on the server's command line"

// failureWithin bounds how long a command that was interrupted takes to record that.
const failureWithin = 5 * time.Second

// onRecord records an action with its reason, carries it out, and records when that failed.
func onRecord(ctx context.Context, store *persistence.Store, entry ride.AuditEntry, reason string, act func() error) error {
	detail, err := json.Marshal(map[string]string{"reason": reason})
	if err != nil {
		return err
	}
	entry.At, entry.Detail = ride.Clean(time.Now()), string(detail)
	if err := store.AddAudit(ctx, entry); err != nil {
		return fmt.Errorf("record in the audit: %w", err)
	}
	if err := act(); err != nil {
		ctx, done := context.WithTimeout(context.WithoutCancel(ctx), failureWithin)
		defer done()
		entry.At, entry.Action = ride.Clean(time.Now()), entry.Action+".failed"
		return errors.Join(err, store.AddAudit(ctx, entry))
	}
	return nil
}
