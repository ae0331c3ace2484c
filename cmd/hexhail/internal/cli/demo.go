package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/demo"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/logging"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/server"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/simulate"
	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/sim/demand"
	"github.com/hexhail/hexhail/sim/demand/nyc"
)

// demoCmd is a server and a city in one process. The server takes every setting that
// serve takes; those left unset get the values that a demonstration needs.
type demoCmd struct {
	config.Config    `embed:""`
	simulate.Options `embed:""`

	Data         string  `placeholder:"DIR" help:"Keep the data in this directory. Default: they are deleted at the end."`
	Open         bool    `help:"Open the page in the browser."`
	VisitorSpeed float64 `default:"12" help:"Simulated seconds per real second for a driver with a visitor; at most --speed."`
	DemoOperator bool    `help:"Let every visitor be an operator, even when the server listens beyond this machine."`
}

// The demonstration's own defaults.
const (
	demoSpeed   = 40
	demoDrivers = 800
	demoIssuer  = "https://demo.hexhail.invalid"
	// demoOfferTTL gives a person the time to read an offer.
	demoOfferTTL = 20 * time.Second
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
		return errors.New("a demonstration would fill the configured Postgres with simulated people; name it with --database-url if you mean it")
	}
	issuer := simulate.Issuer{Name: demoIssuer, Audience: "hexhail-demo", Secret: []byte(rand.Text() + rand.Text())}
	d.prepare(in.source, issuer)
	log, err := logging.New(in.env.Stderr, d.Log.Format, d.Log.Level)
	if err != nil {
		return err
	}
	places, err := nyc.Places()
	if err != nil {
		return err
	}
	crowd, err := d.crowd(in.ctx)
	if err != nil {
		return err
	}
	crowd.Requests = places.Named(crowd.Requests)
	password, err := demoPassword(d.Data)
	if err != nil {
		return err
	}
	host, err := d.host(crowd, places, password)
	if err != nil {
		return err
	}
	base := server.Base{Config: &d.Config, Log: log, Demo: host, Version: Version(), Streets: func(context.Context) (*streets.Map, error) { return d.Options.Streets, nil }}
	return in.beside(base, func(ctx context.Context, running *server.Server) error {
		target := simulate.Target{Issuer: issuer, Visitors: host.Visitors(), Yield: max(64, d.Drivers/4)}
		return in.perform(ctx, d, running, target, crowd, host, password, log)
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
	if !(d.VisitorSpeed > 0) || d.VisitorSpeed > d.Speed {
		d.VisitorSpeed = d.Speed
	}
}

// perform is the demonstration once its server runs.
func (in *call) perform(
	ctx context.Context, d *demoCmd, running *server.Server, target simulate.Target, crowd simulate.Demand, host *demo.Host, password string, log *slog.Logger,
) error {
	socket := ""
	for _, a := range running.Addresses() {
		if strings.HasPrefix(a.URL, "ws") {
			socket = a.URL
		}
	}
	base := "http" + strings.TrimSuffix(strings.TrimPrefix(socket, "ws"), "/v1/ws")
	page := pageOf(base)
	fmt.Fprintf(in.env.Stdout, "\n  Be a rider, a driver, or watch the city:  %s\n\n", page)
	for _, a := range running.Addresses() {
		fmt.Fprintf(in.env.Stdout, "  %-11s %s\n", a.What, a.URL)
	}
	if !private(d.HTTP.Listen) {
		fmt.Fprintln(in.env.Stdout, "\n"+d.exposed())
	}
	if err := in.demoAccounts(ctx, d, base, password); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer stop()
	beside.Go(func() { host.Run(ctx) })
	if d.Open {
		beside.Go(func() {
			if err := openPage(ctx, page); err != nil {
				log.Warn("the page could not be shown", "page", page, "error", err)
			}
		})
	}
	target.URLs, target.Header = []string{socket}, "Visit "+page+"   (Ctrl-C ends the demonstration)"
	return simulate.Run(ctx, d.Options, crowd, target, in.env.Stdout, log)
}

// exposed says what it means that others reach the demonstration.
func (d *demoCmd) exposed() string {
	s := "  Others can reach this demonstration at " + d.HTTP.Listen + ". Anyone who does can become a rider or a driver;\n"
	if d.DemoOperator {
		return s + "  with --demo-operator everyone is also an operator, who sees and may end everything."
	}
	return s + "  operators are not given away (--demo-operator would)."
}

// host looks after visitors.
func (d *demoCmd) host(crowd simulate.Demand, places demand.Gazetteer, password string) (*demo.Host, error) {
	f, err := d.Filter()
	if err != nil {
		return nil, err
	}
	return demo.New(demo.Options{
		CityName: nyc.Name, TimeZone: nyc.TimeZone, Area: f.Area, Requests: crowd.Requests, Places: places, Tariffs: d.Tariffs,
		Kerbs: d.Options.Streets, Speed: d.Speed, VisitorSpeed: d.VisitorSpeed, Drivers: d.Drivers, Issuer: demoIssuer, Password: password,
		Private: private(d.HTTP.Listen), GiveOperator: d.DemoOperator,
	})
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
	if open("trip-pin") {
		d.Trip.PIN = true // a part of the ride worth seeing
	}
	if open("driver-approval") {
		d.Auth.DriverApproval = false // visitors come to drive
	}
	if open("dispatch-offer-ttl") {
		d.Dispatch.OfferTTL = demoOfferTTL
	}
	if open("streets-learn") {
		d.Map.StreetsLearn = d.Speed == 1 // rides that are faster than time teach nothing true
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

// free returns an address if it is not in use, else the same host with any port.
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

// rare: one in so many of the city's people drives or wants another vehicle than the
// usual one.
const rare = 6

// class is the vehicle class of the i-th driver or request: the first for most, the
// others by turns.
func (d *demoCmd) class(i int) string {
	if others := len(d.Tariffs) - 1; i%rare == 0 && others > 0 {
		return d.Tariffs[1+i/rare%others].Class
	}
	return d.Tariffs[0].Class
}

// drivenOn is the map of the server and of its cars: the one that the settings name, or else Manhattan's.
func (d *demoCmd) drivenOn(ctx context.Context) (*streets.Map, error) {
	if d.Map.Streets != "" {
		return simulate.OpenStreets(ctx, d.Map.Streets, "")
	}
	return nyc.Streets(ctx, "hexhail "+Version())
}

// crowd is as much of the embedded hour as the drivers can carry: with a tenth of the taxis, a tenth of the
// requests. Only those whom streets lead to take part, and riders stand at kerbs. It also sets the map.
func (d *demoCmd) crowd(ctx context.Context) (simulate.Demand, error) {
	var built sync.WaitGroup // meanwhile
	var err error
	built.Go(func() { d.Options.Streets, err = d.drivenOn(ctx) })
	crowd, err2 := d.hour()
	built.Wait()
	if err := cmp.Or(err, err2); err != nil {
		return crowd, err
	}
	crowd.Requests, crowd.Taxis = demand.OnMap(crowd.Requests, crowd.Taxis, d.Options.Streets)
	if len(crowd.Requests) == 0 || len(crowd.Taxis) == 0 {
		return crowd, errors.New("the map has no streets where the demonstration takes place; see --streets and --area")
	}
	crowd.Requests = demand.AtKerbs(crowd.Requests, d.Options.Streets)
	return crowd, nil
}

// hour is the embedded hour.
func (d *demoCmd) hour() (simulate.Demand, error) {
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
		out.Taxis[i].From = 0 // a demonstration begins with all drivers present
		out.Taxis[i].Class = d.class(i)
	}
	for i := range out.Requests {
		out.Requests[i].Class = d.class(i)
	}
	return out, nil
}
