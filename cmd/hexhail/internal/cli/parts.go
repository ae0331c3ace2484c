// Package cli is Hexhail's command line: it reads arguments and configuration and
// carries commands out with the parts that cmd/hexhail hands it.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/demo"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/lifecycle"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/ops"
	"github.com/hexhail/hexhail/ride"
)

// Parts are what the commands need of the rest of Hexhail. All are required: a
// program that lacks one refuses every command.
type Parts struct {
	// Assemble makes the server's services, without starting any.
	Assemble func(ctx context.Context, in Base) (*Server, error)
	// Migrate moves the schema: "up" to this program's version, "down" one migration
	// back, "status" not at all. It returns all migrations as they are afterwards.
	Migrate func(ctx context.Context, c *config.Config, direction string) ([]Migration, error)
	// CreateOperator makes an operator's account and records that in the audit.
	// ride.ErrUsernameTaken when the name exists.
	CreateOperator func(ctx context.Context, c *config.Config, o NewOperator) (ride.Account, error)
	// OpenAccounts opens the accounts of the configured database for the admin commands.
	OpenAccounts func(ctx context.Context, c *config.Config) (Accounts, error)
	// Backup writes a backup of the configured server's data, which may run, to a file.
	Backup func(ctx context.Context, c *config.Config, file string, o BackupOptions) (BackupReport, error)
	// StreamBackup writes a backup to w.
	StreamBackup func(ctx context.Context, c *config.Config, w io.Writer, o BackupOptions) (BackupReport, error)
	// CheckBackup reads a backup from end to end and changes nothing.
	CheckBackup func(ctx context.Context, in io.Reader, o BackupOptions) (BackupReport, error)
	// Restore puts a backup where the configured server, which must not run, finds its data.
	Restore func(ctx context.Context, c *config.Config, in io.Reader, o BackupOptions) (BackupReport, error)
}

// BackupOptions say how to write or to restore a backup.
type BackupOptions struct {
	Force   bool // replaces what is there
	Program string
	// Progress is called with the step under way and bytes; total is 0 when unknown.
	Progress func(step string, done, total int64)
}

// BackupReport is what was written, read or restored.
type BackupReport struct {
	MadeAt   time.Time
	Program  string // the version that made it
	Engine   string // sqlite or postgres
	Schema   int64
	Rows     map[string]int64 // by table
	Bytes    int64
	Took     time.Duration
	NoKey    bool     // the signing key is not in it
	Replaced []string // where data are now that were there before
}

// Accounts is what the admin commands do to accounts. Each change is on record in the audit and
// reaches a server that runs on the same database within 5 s. Call Close once.
type Accounts interface {
	// Find returns the account with this username or id, or ride.ErrNotFound.
	Find(ctx context.Context, name string) (ride.Account, error)
	// List returns a page, newest first, and the cursor of the next one, empty at the end.
	List(ctx context.Context, f ride.AccountFilter) ([]ride.Account, string, error)
	SetStatus(ctx context.Context, a ride.Account, to ride.AccountStatus) error
	// Decide approves or refuses a driver.
	Decide(ctx context.Context, a ride.Account, to ride.Approval, reason string) error
	// ResetPassword sets another password, which it makes if next is empty, and returns it.
	ResetPassword(ctx context.Context, a ride.Account, next string) (string, error)
	// Erase removes the account and all that names its person; ride.ErrTripActive while it has
	// a live trip.
	Erase(ctx context.Context, a ride.Account) error
	Close() error
}

// Base is what a server is assembled on.
type Base struct {
	Config *config.Config // must not be changed
	Log    *slog.Logger
	// Ops takes metrics (Registry) and readiness checks (AddCheck) of the services.
	// The command itself starts it first and stops it last.
	Ops *ops.Server
	// Demo makes the server a demonstration. Nil: an ordinary one.
	Demo *demo.Host
	// Trial lets clients say that the server runs for a first try.
	Trial bool
	// MakeMissing makes what is missing of a server that ran before: its database or its key.
	MakeMissing bool
}

// Server is an assembled server.
type Server struct {
	// Services in the order of their start: the store first, the clients' listener
	// last. They are stopped in the opposite order.
	Services []lifecycle.Service
	// Addresses says where clients reach the server. Called once all services run.
	Addresses func() []Address
	// HasOperator tells whether an operator exists, for the hint at first run.
	// Called once all services run.
	HasOperator func(ctx context.Context) (bool, error)
}

// Address is one line of what serve prints.
type Address struct {
	What string // such as "sockets"
	URL  string // such as "ws://127.0.0.1:8080/v1/ws"
}

// Migration is one step of the schema.
type Migration struct {
	Version int64
	Name    string
	Applied bool
	At      time.Time // when it was applied
}

// NewOperator is an operator to be made.
type NewOperator struct {
	Username, FirstName, LastName string
	Password                      string
}

// check reports parts that were never plugged in.
func (p Parts) check() error {
	var errs []error
	for name, missing := range map[string]bool{
		"Assemble": p.Assemble == nil, "Migrate": p.Migrate == nil, "CreateOperator": p.CreateOperator == nil,
		"OpenAccounts": p.OpenAccounts == nil, "Backup": p.Backup == nil, "StreamBackup": p.StreamBackup == nil,
		"CheckBackup": p.CheckBackup == nil, "Restore": p.Restore == nil,
	} {
		if missing {
			errs = append(errs, fmt.Errorf("this program was built without its part %s", name))
		}
	}
	return errors.Join(errs...)
}

func (s *Server) check() error {
	if len(s.Services) == 0 || s.Addresses == nil || s.HasOperator == nil {
		return errors.New("the server was assembled without services, Addresses or HasOperator")
	}
	return nil
}
