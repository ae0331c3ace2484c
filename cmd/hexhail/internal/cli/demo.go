package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/lifecycle"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/logging"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/ops"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/simulate"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/sim/demand"
	"github.com/hexhail/hexhail/sim/demand/nyc"
)

// demoCmd is a server and a city in one process. The server takes every setting that
// serve takes; those that nobody has set become what a demonstration needs.
type demoCmd struct {
	config.Config    `embed:""`
	simulate.Options `embed:""`

	Data string `placeholder:"DIR" help:"Keep the data in this directory. Without: they are thrown away."`
}

// The demonstration's own defaults.
const (
	demoSpeed   = 40
	demoDrivers = 800
	demoIssuer  = "https://demo.hexhail.invalid"
)

// Run is called by kong.
func (d *demoCmd) Run(in *call) (err error) {
	d.defaults()
	if d.Data == "" {
		dir, err := os.MkdirTemp("", "hexhail-demo-")
		if err != nil {
			return fmt.Errorf("directory for the demonstration: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		d.Data = dir
	}
	if err := in.source.Complete(&d.Config); err != nil {
		return err
	}
	if d.Store.DatabaseURL != "" && in.source.Origin("database-url") != config.FromFlag {
		return errors.New("a demonstration would fill the configured Postgres with its people; name it with --database-url if that is meant")
	}
	issuer := simulate.Issuer{Name: demoIssuer, Audience: "hexhail-demo", Secret: []byte(rand.Text() + rand.Text())}
	d.prepare(in.source, issuer)
	log, err := logging.New(in.env.Stderr, d.Log.Format, d.Log.Level)
	if err != nil {
		return err
	}
	crowd, err := d.crowd()
	if err != nil {
		return err
	}
	return in.beside(&d.Config, log, func(ctx context.Context, server *Server) error {
		socket := ""
		for _, a := range server.Addresses() {
			fmt.Fprintf(in.env.Stdout, "  %-11s %s\n", a.What, a.URL)
			if strings.HasPrefix(a.URL, "ws") {
				socket = a.URL
			}
		}
		if err := in.demoAccounts(ctx, &d.Config, socket); err != nil {
			return err
		}
		target := simulate.Target{URLs: []string{socket}, Issuer: issuer}
		return simulate.Run(ctx, d.Options, crowd, target, in.env.Stdout, log)
	})
}

// defaults fills in what differs from hexhail sim.
func (d *demoCmd) defaults() {
	if d.Speed == 0 {
		d.Speed = demoSpeed
	}
	if d.Drivers == 0 {
		d.Drivers = demoDrivers
	}
}

// prepare sets what the command line, the environment and the file have left open.
func (d *demoCmd) prepare(source *config.Source, issuer simulate.Issuer) {
	open := func(key string) bool { return source.Origin(key) == config.FromDefault }
	d.Store.DataDir = d.Data
	if open("log-level") {
		d.Log.Level = "warn"
	}
	// Cars that drive faster than time would be taken for jumps.
	if open("position-max-speed") {
		d.Map.PositionMaxSpeed = max(d.Map.PositionMaxSpeed, 200*d.Speed)
	}
	if open("listen") {
		d.HTTP.Listen = free(d.HTTP.Listen)
	}
	if open("ops-listen") {
		d.Ops.Listen = free(d.Ops.Listen)
	}
	d.OutsideIssuers = append(d.OutsideIssuers, config.OutsideIssuer{
		Issuer: issuer.Name, Audience: issuer.Audience, SharedSecret: config.Secret(issuer.Secret), Algorithm: "HS256",
		CreateAccounts: true, Roles: []ride.Role{ride.RoleRider, ride.RoleDriver, ride.RoleOperator},
	})
}

// free returns an address if nobody listens there, else the same host with any port.
func free(address string) string {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err == nil {
		_ = l.Close() // it was only to see
		return address
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return net.JoinHostPort(host, "0")
}

// crowd is as much of the embedded hour as the drivers can carry: with a tenth of the
// taxis, a tenth of the requests.
func (d *demoCmd) crowd() (simulate.Demand, error) {
	f, err := d.Filter()
	if err != nil {
		return simulate.Demand{}, err
	}
	if f.Area == (demand.Area{}) {
		f.Area = nyc.Manhattan
	}
	if d.Options.Area == "" {
		a := nyc.Manhattan
		d.Options.Area = fmt.Sprintf("%g,%g,%g,%g", a.South, a.West, a.North, a.East)
	}
	out := simulate.Demand{Period: time.Hour}
	if out.Requests, out.Taxis, err = nyc.Peak(f); err != nil {
		return out, err
	}
	if f.To > f.From {
		out.Period = min(out.Period, f.To-f.From)
	}
	if d.Share == 0 && len(out.Taxis) > 0 {
		d.Share = min(float64(d.Drivers)/float64(len(out.Taxis)), 1)
	}
	for i := range out.Taxis {
		out.Taxis[i].From = 0 // a demonstration begins with everybody there
	}
	return out, nil
}

// beside runs a server and something beside it, and stops the server when that is done.
// A signal ends what runs beside, a second one everything.
func (in *call) beside(c *config.Config, log *slog.Logger, run func(context.Context, *Server) error) error {
	operations := ops.New(ops.Options{Listen: c.Ops.Listen, AllowedHosts: c.Ops.AllowedHosts, Log: log})
	server, err := in.parts.Assemble(in.ctx, Base{Config: c, Log: log, Ops: operations})
	if err != nil {
		return fmt.Errorf("assemble the server: %w", err)
	}
	if err := server.check(); err != nil {
		return err
	}
	services := append([]lifecycle.Service{{
		Name: "operations listener", Start: operations.Start, Stop: operations.Stop, Failed: operations.Failed(),
	}}, server.Services...)
	ctx, done := context.WithCancel(in.ctx)
	defer done()
	signals := make(chan os.Signal, 2)
	var beside error
	began, finished := false, make(chan struct{})
	err = lifecycle.Run(in.ctx, lifecycle.Options{
		Log: log, Grace: c.Shutdown.Grace, Signals: signals,
		Started: func(life context.Context) {
			operations.SetState(ops.Running)
			began = true
			stop := context.AfterFunc(life, done) // the server failed
			go func() {
				defer close(finished)
				defer stop()
				fmt.Fprintln(in.env.Stdout, "Hexhail is ready.")
				beside = run(ctx, server)
				signals <- os.Interrupt
			}()
			go func() {
				select {
				case <-in.env.Signals:
					done()
				case <-finished:
					return
				}
				select {
				case s := <-in.env.Signals:
					signals <- s
				case <-finished:
				}
			}()
		},
		Stopping: func() { operations.SetState(ops.Stopping) },
	}, services...)
	done()
	if errors.Is(err, lifecycle.ErrForced) || !began {
		return err // somebody who asks twice does not want to wait
	}
	<-finished
	return errors.Join(err, beside)
}

// demoAccounts makes an account for each role and prints how to log in.
func (in *call) demoAccounts(ctx context.Context, c *config.Config, socket string) error {
	base := "http" + strings.TrimSuffix(strings.TrimPrefix(socket, "ws"), "/v1/ws")
	fmt.Fprintln(in.env.Stdout, "\nAccounts, ready to log in:")
	for _, role := range []string{"rider", "driver"} {
		password := rand.Text()[:12]
		made, err := signUp(ctx, base, role, password)
		if err != nil {
			return fmt.Errorf("make the demonstration's %s: %w", role, err)
		}
		in.printAccount(role, password, made)
	}
	password := rand.Text()[:12]
	_, err := in.parts.CreateOperator(ctx, c, NewOperator{
		Username: "demo-operator", FirstName: "Demo", LastName: "Operator", Password: password,
	})
	if err != nil && !errors.Is(err, ride.ErrUsernameTaken) {
		return fmt.Errorf("make the demonstration's operator: %w", err)
	}
	in.printAccount("operator", password, err == nil)
	fmt.Fprintln(in.env.Stdout)
	return nil
}

func (in *call) printAccount(role, password string, made bool) {
	if !made {
		password = "(as when it was made)"
	}
	fmt.Fprintf(in.env.Stdout, "  %-11s demo-%s   password %s\n", role, role, password)
}

// signUp makes an account as anybody would; false when it exists already.
func signUp(ctx context.Context, base, role, password string) (bool, error) {
	form := map[string]string{
		"username": "demo-" + role, "password": password, "first_name": "Demo", "last_name": role, "role": role,
	}
	if role == "driver" {
		form["vehicle_class"], form["plate"] = "standard", "HX DEMO"
	}
	body, err := json.Marshal(form)
	if err != nil {
		return false, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/accounts", bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	req.Header.Set("Content-Type", "application/json")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	switch {
	case err != nil:
		return false, err
	case resp.StatusCode == http.StatusConflict:
		return false, nil
	case resp.StatusCode >= 300:
		return false, fmt.Errorf("%s: %s", resp.Status, answer)
	}
	return true, nil
}
