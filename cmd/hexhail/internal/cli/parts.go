package cli

import (
	"context"
	"io"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/backup"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/server"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
)

// parts are what the commands do to servers and their data. Tests of the command line put
// others in their place.
type parts struct {
	assemble       func(ctx context.Context, in server.Base) (*server.Server, error)
	migrate        func(ctx context.Context, c *config.Config, d persistence.Direction) ([]persistence.Migration, error)
	createOperator func(ctx context.Context, c *config.Config, o server.NewOperator) (ride.Account, error)
	openAccounts   func(ctx context.Context, c *config.Config) (accountAdmin, error)
	backup         func(ctx context.Context, c *config.Config, file string, o backup.Options) (backup.Report, error)
	streamBackup   func(ctx context.Context, c *config.Config, w io.Writer, o backup.Options) (backup.Report, error)
	checkBackup    func(ctx context.Context, in io.Reader, o backup.Options) (backup.Report, error)
	exportTrips    func(ctx context.Context, c *config.Config, o server.TripsExport) (int, error)
	forgetSpeeds   func(ctx context.Context, c *config.Config) error
	restore        func(ctx context.Context, c *config.Config, in io.Reader, o backup.Options) (backup.Report, error)
}

// product is the real thing.
var product = parts{
	assemble: server.Assemble, migrate: server.Migrate, createOperator: server.CreateOperator,
	openAccounts: func(ctx context.Context, c *config.Config) (accountAdmin, error) {
		a, err := server.OpenAccounts(ctx, c)
		if err != nil {
			return nil, err // not a: a nil in an interface is not nil
		}
		return a, nil
	},
	backup: server.Backup, streamBackup: server.StreamBackup, checkBackup: backup.Check, restore: server.Restore,
	exportTrips: server.ExportTrips, forgetSpeeds: server.ForgetSpeeds,
}

// accountAdmin is what the admin commands need of server.Accounts.
type accountAdmin interface {
	Find(ctx context.Context, name string) (ride.Account, error)
	List(ctx context.Context, f ride.AccountFilter) ([]ride.Account, string, error)
	SetStatus(ctx context.Context, a ride.Account, to ride.AccountStatus) error
	Decide(ctx context.Context, a ride.Account, to ride.Approval, reason string) error
	ResetPassword(ctx context.Context, a ride.Account, next string) (string, error)
	Erase(ctx context.Context, a ride.Account) error
	Close() error
}
