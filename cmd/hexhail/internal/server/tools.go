package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/auth"
)

// Migrate migrates the schema: up to this program's version, one migration down, or not at all
// (status). It returns the state of all migrations afterwards.
func Migrate(ctx context.Context, c *config.Config, direction persistence.Direction) ([]persistence.Migration, error) {
	o := storeOptions(c, slog.New(slog.DiscardHandler))
	if err := admitted(ctx, c, o); err != nil {
		return nil, err
	}
	return persistence.Migrate(ctx, o, direction)
}

// CreateOperator creates an operator's account and records it in the audit. It may run beside a
// server. The error is ride.ErrUsernameTaken if the name exists.
func CreateOperator(ctx context.Context, c *config.Config, o NewOperator) (a ride.Account, err error) {
	store, err := openBeside(ctx, c)
	if err != nil {
		return ride.Account{}, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	a, err = auth.AdminCreate(ctx, store, auth.DefaultPasswordConfig(), auth.SignUp{
		Username: o.Username, Password: o.Password, FirstName: o.FirstName, LastName: o.LastName,
	})
	if err != nil {
		return ride.Account{}, err
	}
	err = store.AddAudit(ctx, ride.AuditEntry{
		At: ride.Clean(time.Now()), Actor: a.ID, Action: "operator.create", Subject: string(a.ID), Detail: "made on the server's command line",
	})
	if err != nil {
		return ride.Account{}, fmt.Errorf("record in the audit: %w", err)
	}
	return a, nil
}
