package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/crash"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/logging"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/simulate"
	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/sim/demand"
	"github.com/hexhail/hexhail/sim/demand/nyc"
)

// secretEnv is where the secret of simulated accounts comes from. It is read here and not
// by kong, which would look past the call's environment.
const secretEnv = "HEXHAIL_SIM_SECRET"

type simCmd struct {
	Run   simRunCmd   `cmd:"" default:"withargs" help:"Let a simulated city use running servers."`
	Check simCheckCmd `cmd:"" help:"Check a recorded history."`
	Crash simCrashCmd `cmd:"" help:"Start a server, kill it repeatedly while a city uses it, and check that it kept its promises."`
}

// simRunCmd is a city against servers that run elsewhere.
type simRunCmd struct {
	simulate.Options `embed:""`

	URL      []string `name:"url" default:"ws://127.0.0.1:8080/v1/ws" help:"Sockets of the servers; several are used round-robin."`
	Issuer   string   `default:"https://sim.hexhail.invalid" help:"Name of the outside issuer that the servers trust for simulated accounts."`
	Audience string   `default:"hexhail-sim" help:"Audience of its tokens."`
	Secret   string   `placeholder:"TEXT" help:"Secret that it shares with the servers, 32 bytes or more. Prefer the variable: flags are visible to everyone on the machine. [$$HEXHAIL_SIM_SECRET]"`
	Requests string   `placeholder:"FILE" help:"CSV of requests. Default: an hour of Manhattan's taxis."`
	Streets  string   `placeholder:"PATH" help:"What cars drive on: a map made by hexhail streets build, an OpenStreetMap extract in PBF format, a folder with one file *nodes*.csv(.gz) and one *edges*.csv(.gz), or off for straight lines. Default: the streets of Manhattan for its hour, straight lines for other requests or drivers."`
	Column   string   `name:"streets-column" default:"t12" help:"Column of the folder's edges that has travel times in seconds."`
	Taxis    string   `placeholder:"FILE" help:"CSV of drivers' starts. Default: those of Manhattan, or --traces."`
}

// Run is called by kong.
func (s *simRunCmd) Run(in *call) error {
	if s.Secret == "" {
		s.Secret, _ = in.env.LookupEnv(secretEnv)
	}
	if len(s.Secret) < 32 {
		return errors.New("a secret of 32 bytes or more is needed, which the server shares; see docs/simulation.md")
	}
	log, err := logging.New(in.env.Stderr, "text", "info")
	if err != nil {
		return err
	}
	d, err := s.demand()
	if err != nil {
		return err
	}
	ctx, stop := in.interruptible()
	defer stop()
	if s.Options.Streets, err = s.drivenOn(ctx); err != nil {
		return err
	}
	target := simulate.Target{URLs: s.URL, Issuer: simulate.Issuer{Name: s.Issuer, Audience: s.Audience, Secret: []byte(s.Secret)}}
	return simulate.Run(ctx, s.Options, d, target, in.env.Stdout, log)
}

// drivenOn returns the map that cars drive on, nil for straight lines.
func (s *simRunCmd) drivenOn(ctx context.Context) (*streets.Map, error) {
	switch {
	case s.Streets == "off" || s.Streets == "" && (s.Requests != "" || s.Taxis != "" || s.Traces != ""):
		return nil, nil
	case s.Streets == "":
		return nyc.Streets(ctx, "hexhail "+Version())
	}
	return simulate.OpenStreets(ctx, s.Streets, s.Column)
}

func (s *simRunCmd) demand() (simulate.Demand, error) {
	f, err := s.Filter()
	if err != nil {
		return simulate.Demand{}, err
	}
	var d simulate.Demand
	if d.Requests, d.Taxis, err = nyc.Peak(f); err != nil {
		return d, err
	}
	if s.Requests != "" {
		d.Requests, err = demand.ReadFile(s.Requests, func(r io.Reader) ([]demand.Request, error) { return demand.ReadRequests(r, f) })
		if err != nil {
			return d, err
		}
	}
	if s.Taxis != "" {
		d.Taxis, err = demand.ReadFile(s.Taxis, func(r io.Reader) ([]demand.Taxi, error) { return demand.ReadTaxis(r, f) })
	}
	return d, err
}

// interruptible is a context that ends with the first signal.
func (in *call) interruptible() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(in.ctx)
	go func() {
		select {
		case <-in.env.Signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

type simCheckCmd struct {
	File    string        `arg:"" help:"A file written by --record."`
	Timeout time.Duration `default:"1m" help:"How long to look for an order of a trip's commands."`
}

// Run is called by kong.
func (s *simCheckCmd) Run(in *call) error {
	verdict, err := simulate.CheckFile(s.File, s.Timeout)
	if err != nil {
		return err
	}
	fmt.Fprint(in.env.Stdout, verdict.Text)
	if !verdict.OK {
		return simulate.ErrBroken
	}
	return nil
}

// simCrashCmd is a city against a server that dies.
type simCrashCmd struct {
	crash.Options `embed:""`
}

// Run is called by kong.
func (s *simCrashCmd) Run(in *call) error {
	log, err := logging.New(in.env.Stderr, "text", "warn")
	if err != nil {
		return err
	}
	ctx, stop := in.interruptible()
	defer stop()
	return crash.Run(ctx, s.Options, in.env.Stdout, log)
}
