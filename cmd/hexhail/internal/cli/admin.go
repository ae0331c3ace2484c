package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/ride"
)

type adminCmd struct {
	Create        adminCreateCmd  `cmd:"" help:"Make an operator's account. Operators cannot sign up."`
	List          adminListCmd    `cmd:"" help:"List operators, or other accounts, newest first."`
	Approve       adminApproveCmd `cmd:"" help:"Approve a driver who is pending or was refused."`
	Refuse        adminRefuseCmd  `cmd:"" help:"Refuse a driver, or revoke an approval."`
	Disable       adminDisableCmd `cmd:"" help:"Suspend an account: its log-ins end and its sockets close."`
	Enable        adminEnableCmd  `cmd:"" help:"Let a suspended account log in again."`
	ResetPassword adminResetCmd   `cmd:"" help:"Set a new password for an account, and end its log-ins."`
	Erase         adminEraseCmd   `cmd:"" help:"Erase an account and all personal data for good. Figures of trips stay."`
}

// withAccounts runs f with the accounts of the configured database, which a server may use
// meanwhile. What f changes reaches a running server within seconds.
func (in *call) withAccounts(c *config.Config, f func(context.Context, accountAdmin) error) (err error) {
	if err := in.source.CompleteBeside(c); err != nil {
		return err
	}
	accounts, err := in.parts.openAccounts(in.ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, accounts.Close()) }()
	return f(in.ctx, accounts)
}

// named looks an account up by its username, or by its whole id.
func named(ctx context.Context, accounts accountAdmin, name string) (ride.Account, error) {
	a, err := accounts.Find(ctx, name)
	if errors.Is(err, ride.ErrNotFound) {
		return ride.Account{}, fmt.Errorf("there is no account %q", name)
	}
	return a, err
}

type adminListCmd struct {
	config.Config `embed:""`

	Role     string `default:"operator" enum:"operator,driver,rider,any" help:"Which accounts: ${enum}."`
	Approval string `default:"any" enum:"pending,approved,refused,any" help:"Which drivers, with --role=driver: ${enum}."`
	Disabled bool   `help:"Only suspended accounts."`
}

// Run is called by kong.
func (l *adminListCmd) Run(in *call) error {
	f := ride.AccountFilter{Role: ride.Role(l.Role), Approval: ride.Approval(l.Approval), Page: ride.Page{Limit: 200}}
	if l.Role == "any" {
		f.Role = ""
	}
	if l.Approval == "any" {
		f.Approval = ""
	} else if l.Role != string(ride.RoleDriver) {
		return errors.New("--approval goes with --role=driver: only drivers are approved")
	}
	if l.Disabled {
		f.Status = ride.AccountSuspended
	}
	return in.withAccounts(&l.Config, func(ctx context.Context, accounts accountAdmin) error {
		w := tabwriter.NewWriter(in.env.Stdout, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "USERNAME\tNAME\tROLE\tSTATUS\tMADE\tACCOUNT")
		for {
			page, next, err := accounts.List(ctx, f)
			if err != nil {
				return fmt.Errorf("list accounts: %w", err)
			}
			for _, a := range page {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", a.Username, a.FirstName+" "+a.LastName, a.Role, standing(a),
					a.CreatedAt.UTC().Format(time.DateOnly), a.ID)
			}
			if f.Page.Cursor = next; next == "" {
				return w.Flush()
			}
		}
	})
}

// standing is an account's status in one word.
func standing(a ride.Account) string {
	switch {
	case a.Status == ride.AccountSuspended:
		return "disabled"
	case a.Role == ride.RoleDriver && a.Approval != ride.ApprovalNone:
		return string(a.Approval)
	}
	return string(a.Status)
}

type adminApproveCmd struct {
	config.Config `embed:""`

	Username string `arg:"" help:"The driver's username, or the account's id."`
}

// Run is called by kong.
func (a *adminApproveCmd) Run(in *call) error {
	return in.decide(&a.Config, a.Username, ride.ApprovalApproved, "")
}

type adminRefuseCmd struct {
	config.Config `embed:""`

	Username string `arg:"" help:"The driver's username, or the account's id."`
	Reason   string `required:"" help:"Reason, shown to the driver."`
}

// Run is called by kong.
func (r *adminRefuseCmd) Run(in *call) error {
	return in.decide(&r.Config, r.Username, ride.ApprovalRefused, strings.TrimSpace(r.Reason))
}

func (in *call) decide(c *config.Config, name string, to ride.Approval, reason string) error {
	return in.withAccounts(c, func(ctx context.Context, accounts accountAdmin) error {
		a, err := named(ctx, accounts, name)
		switch {
		case err != nil:
			return err
		case a.Role != ride.RoleDriver:
			return fmt.Errorf("%q is not a driver but of role %s", a.Username, a.Role)
		}
		if err := accounts.Decide(ctx, a, to, reason); err != nil {
			return fmt.Errorf("decide about %q: %w", name, err)
		}
		_, err = fmt.Fprintf(in.env.Stdout, "Driver %s is %s.\n", a.Username, to)
		return err
	})
}

type adminDisableCmd struct {
	config.Config `embed:""`

	Username string `arg:"" help:"The account's username, or its id."`
}

// Run is called by kong.
func (d *adminDisableCmd) Run(in *call) error {
	return in.setStatus(&d.Config, d.Username, ride.AccountSuspended, "disabled")
}

type adminEnableCmd struct {
	config.Config `embed:""`

	Username string `arg:"" help:"The account's username, or its id."`
}

// Run is called by kong.
func (e *adminEnableCmd) Run(in *call) error {
	return in.setStatus(&e.Config, e.Username, ride.AccountActive, "enabled")
}

func (in *call) setStatus(c *config.Config, name string, to ride.AccountStatus, word string) error {
	return in.withAccounts(c, func(ctx context.Context, accounts accountAdmin) error {
		a, err := named(ctx, accounts, name)
		if err != nil {
			return err
		}
		if err := accounts.SetStatus(ctx, a, to); err != nil {
			return fmt.Errorf("change %q: %w", name, err)
		}
		_, err = fmt.Fprintf(in.env.Stdout, "Account %s is %s.\n", a.Username, word)
		return err
	})
}

type adminResetCmd struct {
	config.Config `embed:""`

	Username      string `arg:"" help:"The account's username, or its id."`
	PasswordStdin bool   `help:"Read the password from standard input, one line. Otherwise one is generated and printed once."`
}

// Run is called by kong.
func (r *adminResetCmd) Run(in *call) error {
	password := ""
	if r.PasswordStdin {
		var err error
		if password, err = readPassword(in.env.Stdin); err != nil {
			return err
		}
	}
	return in.withAccounts(&r.Config, func(ctx context.Context, accounts accountAdmin) error {
		a, err := named(ctx, accounts, r.Username)
		if err != nil {
			return err
		}
		made, err := accounts.ResetPassword(ctx, a, password)
		if err != nil {
			return fmt.Errorf("reset the password of %q: %w", r.Username, err)
		}
		fmt.Fprintf(in.env.Stdout, "The password of %s was changed and its log-ins have ended.\n", a.Username)
		if !r.PasswordStdin {
			fmt.Fprintf(in.env.Stdout, "Password, shown this once: %s\n", made)
		}
		return nil
	})
}

type adminEraseCmd struct {
	config.Config `embed:""`

	Username string `arg:"" help:"The account's username, or its id."`
	Yes      bool   `help:"Confirm: this cannot be undone."`
}

// Run is called by kong.
func (e *adminEraseCmd) Run(in *call) error {
	if !e.Yes {
		return errors.New("erasing an account cannot be undone: repeat with --yes")
	}
	return in.withAccounts(&e.Config, func(ctx context.Context, accounts accountAdmin) error {
		a, err := named(ctx, accounts, e.Username)
		if err != nil {
			return err
		}
		switch err := accounts.Erase(ctx, a); {
		case errors.Is(err, ride.ErrTripActive):
			return fmt.Errorf("%q is on a trip: cancel it, or wait for its end", e.Username)
		case err != nil:
			return fmt.Errorf("erase %q: %w", e.Username, err)
		}
		_, err = fmt.Fprintf(in.env.Stdout, "Account %s was erased.\n", a.ID)
		return err
	})
}
