package server

import (
	"context"
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

// Migrate moves the schema; see cli.Parts.
func Migrate(ctx context.Context, c *config.Config, direction string) ([]cli.Migration, error) {
	o := storeOptions(c, slog.New(slog.DiscardHandler))
	if err := admitted(ctx, c, o); err != nil {
		return nil, err
	}
	all, err := persistence.Migrate(ctx, o, persistence.Direction(direction))
	if err != nil {
		return nil, err
	}
	out := make([]cli.Migration, len(all))
	for i, m := range all {
		out[i] = cli.Migration{Version: m.Version, Name: m.Name, Applied: m.Applied, At: m.At}
	}
	return out, nil
}

// CreateOperator makes an operator's account; see cli.Parts. It may run beside a server.
func CreateOperator(ctx context.Context, c *config.Config, o cli.NewOperator) (a ride.Account, err error) {
	store, err := openBeside(ctx, c)
	if err != nil {
		return ride.Account{}, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	a, err = auth.AdminCreate(ctx, store, auth.PasswordConfig{}, auth.SignUp{
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
