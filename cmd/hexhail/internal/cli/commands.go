package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/server"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
)

type configCmd struct {
	Check configCheckCmd `cmd:"" help:"Report every mistake in the configuration."`
	Show  configShowCmd  `cmd:"" help:"Print the values in effect, secrets redacted, with the origin of each."`
}

type configCheckCmd struct {
	config.Config `embed:""`
}

// Run is called by kong.
func (c *configCheckCmd) Run(in *call) error {
	if err := in.source.Complete(&c.Config); err != nil {
		return err
	}
	_, err := fmt.Fprintln(in.env.Stdout, "The configuration is fine.")
	return err
}

type configShowCmd struct {
	config.Config `embed:""`
}

// Run is called by kong. What is wrong is reported after the values, which help to
// see why.
func (c *configShowCmd) Run(in *call) error {
	problems := in.source.Complete(&c.Config)
	var ps config.Problems
	if problems != nil && !errors.As(problems, &ps) {
		return problems
	}
	if err := in.source.Show(in.env.Stdout, &c.Config); err != nil {
		return err
	}
	return problems
}

type migrateCmd struct {
	Up     migrateUpCmd     `cmd:"" help:"Bring the schema to this program's version."`
	Down   migrateDownCmd   `cmd:"" help:"Revert the newest migration. The data that it added are lost."`
	Status migrateStatusCmd `cmd:"" help:"List the migrations."`
}

type (
	migrateUpCmd struct {
		config.Config `embed:""`
	}
	migrateDownCmd struct {
		config.Config `embed:""`
	}
	migrateStatusCmd struct {
		config.Config `embed:""`
	}
)

// Run is called by kong.
func (m *migrateUpCmd) Run(in *call) error { return in.migrate(&m.Config, "up") }

// Run is called by kong.
func (m *migrateDownCmd) Run(in *call) error { return in.migrate(&m.Config, "down") }

// Run is called by kong.
func (m *migrateStatusCmd) Run(in *call) error { return in.migrate(&m.Config, "status") }

func (in *call) migrate(c *config.Config, direction string) error {
	if err := in.source.CompleteBeside(c); err != nil {
		return err
	}
	list, err := in.parts.migrate(in.ctx, c, persistence.Direction(direction))
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(in.env.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "VERSION\tMIGRATION\tAPPLIED")
	newer := false
	for _, s := range list {
		at, name := "no", s.Name
		if s.Applied {
			at = s.At.UTC().Format(time.RFC3339)
		}
		if name == "" {
			name, newer = "(unknown)", true
		}
		fmt.Fprintf(w, "%d\t%s\t%s\n", s.Version, name, at)
	}
	if err := w.Flush(); err != nil || !newer {
		return err
	}
	_, err = fmt.Fprintln(in.env.Stdout, "A newer program has changed the schema. This one still runs on it, but cannot revert it.")
	return err
}

type adminCreateCmd struct {
	config.Config `embed:""`

	Username      string `arg:"" help:"Name to log in with."`
	FirstName     string `default:"Operator" help:"First name."`
	LastName      string `help:"Last name. Default: the username."`
	PasswordStdin bool   `help:"Read the password from standard input, one line. Otherwise one is generated and printed once."`
}

// Run is called by kong.
func (a *adminCreateCmd) Run(in *call) error {
	if err := in.source.CompleteBeside(&a.Config); err != nil {
		return err
	}
	o := server.NewOperator{Username: a.Username, FirstName: a.FirstName, LastName: cmp.Or(a.LastName, a.Username), Password: rand.Text()}
	if a.PasswordStdin {
		p, err := readPassword(in.env.Stdin)
		if err != nil {
			return err
		}
		o.Password = p
	}
	account, err := in.parts.createOperator(in.ctx, &a.Config, o)
	if errors.Is(err, ride.ErrUsernameTaken) {
		return fmt.Errorf("account %q already exists", a.Username)
	}
	if err != nil {
		return fmt.Errorf("make operator: %w", err)
	}
	fmt.Fprintf(in.env.Stdout, "Operator %s was made (account %s).\n", account.Username, account.ID)
	if !a.PasswordStdin {
		fmt.Fprintf(in.env.Stdout, "Password, shown this once: %s\n", o.Password)
	}
	return nil
}

// readPassword reads one line of at most 1 KiB.
func readPassword(r io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, 1024+1))
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	line = strings.TrimSuffix(line, "\r")
	if line == "" || len(text) > 1024 {
		return "", errors.New("the password must be one line of 1 to 1024 bytes on standard input")
	}
	return line, nil
}

type healthcheckCmd struct {
	config.Config `embed:""`

	Timeout time.Duration `default:"3s" help:"How long to wait for the answer."`
}

// Run is called by kong.
func (h *healthcheckCmd) Run(in *call) error {
	if err := in.source.CompleteBeside(&h.Config); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(in.ctx, h.Timeout)
	defer cancel()
	status, body, err := askOps(ctx, h.Ops.Listen, "/readyz")
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	fmt.Fprint(in.env.Stdout, string(body))
	if status != http.StatusOK {
		return fmt.Errorf("healthcheck: %d %s", status, http.StatusText(status))
	}
	return nil
}

// dialable turns an address to listen on into one to call: all interfaces become
// this machine.
func dialable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
		if ip != nil && ip.To4() == nil {
			host = "::1"
		}
	}
	return net.JoinHostPort(host, port)
}
