package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/cli"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/auth"
)

// commandLine stands in the audit for whoever may run commands on the server's machine.
const commandLine ride.AccountID = "command-line"

// accountTools are cli.Accounts over a store of their own.
type accountTools struct{ store *persistence.Store }

// OpenAccounts opens the accounts for the admin commands; see cli.Parts. It may run beside a
// server.
func OpenAccounts(ctx context.Context, c *config.Config) (cli.Accounts, error) {
	store, err := openBeside(ctx, c)
	if err != nil {
		return nil, err // not accountTools: a nil in an interface is not nil
	}
	return accountTools{store}, nil
}

// openBeside opens the store for a command that runs while a server may.
func openBeside(ctx context.Context, c *config.Config) (*persistence.Store, error) {
	options := storeOptions(c, slog.New(slog.DiscardHandler))
	options.PurgeEvery, options.Admit = -1, admitOld(c)
	options.NoHealth = true
	return persistence.Open(ctx, options)
}

func (t accountTools) Close() error { return t.store.Close() }

func (t accountTools) Find(ctx context.Context, name string) (ride.Account, error) {
	name = auth.TidyUsername(name)
	a, _, err := t.store.AccountByUsername(ctx, name)
	if errors.Is(err, ride.ErrNotFound) {
		return t.store.Account(ctx, ride.AccountID(name))
	}
	return a, err
}

func (t accountTools) List(ctx context.Context, f ride.AccountFilter) ([]ride.Account, string, error) {
	return t.store.ListAccounts(ctx, f)
}

func (t accountTools) SetStatus(ctx context.Context, a ride.Account, to ride.AccountStatus) error {
	action := "account.reinstate"
	if to == ride.AccountSuspended {
		action = "account.suspend"
	}
	return t.audited(ctx, action, a, "", func() error { return t.store.SetAccountStatus(ctx, a.ID, to) })
}

func (t accountTools) Decide(ctx context.Context, a ride.Account, to ride.Approval, reason string) error {
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

func (t accountTools) ResetPassword(ctx context.Context, a ride.Account, next string) (password string, err error) {
	err = t.audited(ctx, "account.password", a, "", func() error {
		password, err = auth.AdminResetPassword(ctx, t.store, auth.PasswordConfig{}, a.ID, next)
		return err
	})
	return password, err
}

func (t accountTools) Erase(ctx context.Context, a ride.Account) error {
	return t.audited(ctx, "account.erase", a, "", func() error { return t.store.Erase(ctx, a.ID) })
}

// audited records an action and then does it, as the API does. The record is also how a running
// server learns that it must look at the account again.
func (t accountTools) audited(ctx context.Context, action string, a ride.Account, reason string, act func() error) error {
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
